"""Requirements of plans of reviews for a few enterprises, as the checker derives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from etsopt.checking.review_plan.required import LEVELS, Required


class Enterprise(NamedTuple):
    """An enterprise with the days of a review and the draw at both levels that cover tonnes."""

    name: str
    at_risk: float
    province: str = "Fujian"
    place: str = ""
    days: tuple[float, float] = (1.0, 1.0)
    drawn: tuple[bool, bool] = (False, False)


def required(
    enterprises: Sequence[Enterprise],
    available: Mapping[str, Any],
    least: Mapping[str, int] | None = None,
    travel: tuple[float, float] = (0.0, 0.0),
) -> Required:
    """The requirements, with the days and the least number of each group by its level, or by level and province."""
    names = [one.name for one in enterprises]
    table = pd.DataFrame(
        {
            "name": names,
            "province": [one.province for one in enterprises],
            "city": [one.place for one in enterprises],
            "place": [(one.province, one.place, "" if one.place else one.name) for one in enterprises],
            "at_risk": [one.at_risk for one in enterprises],
            "size": 1.0,
        },
        index=names,
    )
    days = {LEVELS[0]: np.ones(len(names))} | {
        level: [one.days[place] for one in enterprises] for place, level in enumerate(LEVELS[1:])
    }
    drawn = {LEVELS[0]: np.ones(len(names), dtype=bool)} | {
        level: [one.drawn[place] for one in enterprises] for place, level in enumerate(LEVELS[1:])
    }
    rows: list[tuple[str, str, float, int, int]] = []
    for level in LEVELS:
        for province in [""] if level == LEVELS[2] else sorted(set(table["province"])):
            members = len(names) if level == LEVELS[2] else int((table["province"] == province).sum())
            own: list[Any] = [
                (of or {}).get(f"{level} {province}", (of or {}).get(level, otherwise))
                for of, otherwise in ((available, np.nan), (least, members if level == LEVELS[0] else 0))
            ]
            rows.append((level, province, float(own[0]), int(own[1]), members))
    groups = pd.DataFrame(rows, columns=["level", "province", "available", "least", "population"])
    return Required(
        table,
        groups.set_index(["level", "province"]),
        pd.DataFrame(days, index=names),
        pd.DataFrame(drawn, index=names),
        dict(zip(LEVELS, (0.0, *travel), strict=True)),
    )
