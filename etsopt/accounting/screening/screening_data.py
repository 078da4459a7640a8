"""Robust statistics over months and peers, and findings in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.coded import month_number
from etsopt.common.language import LANGUAGES, joined, pgettext, speaking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.common.language import Text

    Floats = NDArray[np.float64]

SERIES = ["unit_id", "process", "item", "flow"]
PEERS = ["sector", "process", "item", "flow"]
NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
FEWEST_MONTHS, FEWEST_PEERS = 6, 5
"""Fewer say nothing of the spread."""
MWH_PER_GJ = 0.1033 / 0.8049
"""Electricity for which as much is allocated as for a GJ of heat: benchmarks of 2024 for coal and for class II (plan of
2023 and 2024, page 18). It makes one output of both, as a unit burns about that much for them."""
LEAST_SPREAD = 0.003
"""Relative spread below which no series is taken to be, or rounding would be found."""


def numbers(months: pd.Series[str]) -> NDArray[np.int64]:
    """Return the months since year 0 of texts such as 2025-01."""
    code, names = pd.factorize(months.to_numpy())
    return np.array([month_number(name) for name in names], dtype=np.int64)[code]


def deviation(values: pd.Series[float], series: Any, peers: Any) -> pd.DataFrame:
    """Return how far values are from the median of their series, and in which units of spread.

    Parameters
    ----------
    values
        Logarithms.
    series, peers
        Group of each value, and group of comparable series.

    Returns
    -------
    pandas.DataFrame
        ``difference`` from the median, and ``score``: the difference over the spread of the series by its median
        absolute deviation, or over that usual among peers if it is larger. Too short series have the score 0.
    """
    group = values.groupby(series, sort=False)
    difference = values - group.transform("median")
    own = difference.abs().groupby(series, sort=False).transform("median") * NORMAL
    usual = own.groupby(peers, sort=False).transform("median")
    spread = np.maximum(np.maximum(own, usual), LEAST_SPREAD)
    enough = group.transform("count") >= FEWEST_MONTHS
    return pd.DataFrame({"difference": difference, "score": (difference / spread).where(enough, 0.0)})


WORDS = ("process", "item", "flow", "ending", "usual_by", "measure", "mistaken")
"""Columns of words that a reason may name; the catalogue has them under the column."""


def reasons(table: pd.DataFrame, texts: Mapping[str, Text], kind: str, **values: object) -> dict[str, list[str]]:
    """Return the reason of each row in English and Chinese.

    Parameters
    ----------
    texts
        Texts by kind, with columns of the table, and further values, as slots.
    kind
        Column that names the kind of each row, or the only kind.
    """
    told = {}
    rows = table.to_dict("records")
    codes = {name: [code for code in table[name].unique() if code] for name in WORDS if name in table}
    for language in LANGUAGES:
        with speaking(language):
            words = {name: {code: str(pgettext(name, code)) for code in own} | {"": ""} for name, own in codes.items()}
            for row in rows:
                # Several items are told as one text.
                row["items"] = joined(pgettext("item", code) for code in str(row.get("also", "")).split())
            templates = {name: str(text) for name, text in texts.items()}
            told[language] = [
                templates[row.get(kind, kind)].format(
                    **row | {name: own[row[name]] for name, own in words.items()}, **values
                )
                for row in rows
            ]
    return told


def findings(table: pd.DataFrame, reason: Text, item: str | None = None, **values: object) -> pd.DataFrame:
    """Return findings from rows with ``unit_id``, ``month``, ``size_t`` and, unless it is given, ``item``.

    Parameters
    ----------
    reason
        Text with columns of the table, and further values, as slots.
    """
    told = reasons(table, {"reason": reason}, "reason", **values)
    return pd.DataFrame(
        {
            "unit_id": table["unit_id"].to_numpy(dtype=object),
            "month": table["month"].to_numpy(dtype=object),
            "item": table["item"].to_numpy(dtype=object) if item is None else np.full(len(table), item, dtype=object),
            "size_t": table["size_t"].to_numpy(dtype=float),
            "reason": np.array(told["en"], dtype=object),
            "reason_zh": np.array(told["zh"], dtype=object),
        }
    )
