"""Consistency of the table of scenarios: probabilities, and the rows that may state a price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.row_scope import filled
from etsopt.data.tables.schema import SCENARIOS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

PROBABILITY_SUM_TOLERANCE = 1e-6
"""Distance of the sum of the probabilities from 1 that written decimals may leave."""


def problems_of_scenarios(stated: pd.DataFrame) -> list[Problem]:
    """Find problems of the scenarios, each cell of which is valid by itself."""
    rows = filled(stated, SCENARIOS)
    first = rows.groupby("scenario", sort=False)["probability"].transform("first")
    priced = (rows["price_cny_per_t"].notna() & (rows["sector"] != "")).to_numpy()
    other = (rows["probability"] != first).to_numpy()
    problems = []
    if other.any():
        what = counted(
            int(other.sum()),
            _("row differs from the first of the scenario"),
            _("rows differ from the first of the scenario"),
        )
        advice = _("State the same probability in every row of a scenario.")
        problems.append(Problem(SCENARIOS.file, what, advice, "probability", _cells(rows, other, "probability")))
    if priced.any():
        what = counted(int(priced.sum()), _("row of a sector states a price"), _("rows of sectors state a price"))
        advice = _("State it in a row of the scenario without a sector: all sectors pay the same.")
        problems.append(
            Problem(SCENARIOS.file, what, advice, "price_cny_per_t", _cells(rows, priced, "price_cny_per_t"))
        )
    total = float(rows.drop_duplicates("scenario")["probability"].sum())
    if not problems and abs(total - 1) > PROBABILITY_SUM_TOLERANCE:
        what = _("the probabilities of the scenarios add up to {total:.9g}: expected 1", total=total)
        problems.append(
            Problem(SCENARIOS.file, what, _("Correct them, or add the scenario that is missing."), "probability")
        )
    return problems


def _cells(rows: pd.DataFrame, where: NDArray[np.bool_], column: str) -> tuple[tuple[str, str], ...]:
    """Return name and cell of rows, which are named by scenario and year because they are sorted by now."""
    chosen = rows[where]
    keys = zip(chosen["scenario"], chosen["sector"], chosen["year"], chosen[column], strict=True)
    return tuple(
        (" ".join(filter(None, ("of", name, sector, f"in {year:g}"))), f"{cell:g}") for name, sector, year, cell in keys
    )
