"""The rule on likely mistakes: a cause is found even where no other rule finds what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from etsopt.accounting.screening.causes.hypotheses import NAMED
from etsopt.accounting.screening.registry import rule

if TYPE_CHECKING:
    from etsopt.accounting.screening.material import Material

LIKELY_CAUSE = "likely_cause"
OF_RECORDS = ("late_month", "filed_early", "calibration", "last_digits", "test_evidence", "missing_evidence")
"""Rules that ask for a record or a day, of which no mistake in a figure is the cause."""

FIGURE = ["unit_id", "month", "item"]


@rule(LIKELY_CAUSE, "correlation", "assumption: how many of 3,000 figures have each mistake", probability=NAMED)
def likely_cause(data: Material, probability: float) -> pd.DataFrame:
    """A likely mistake is named in a figure that no other rule finds."""
    # That a month is missing is a fact, and has no probability.
    likely = data.causes[~(data.causes["probability"] < probability)]
    return likely[[*FIGURE, "size_t", "reason", "reason_zh"]].fillna({"size_t": 0.0})


def explained(findings: pd.DataFrame, causes: pd.DataFrame) -> pd.Series[bool]:
    """Return which findings are on the figure of a cause: its item in its month, or where the month is a copy."""
    of_figures = ~findings["rule"].isin(OF_RECORDS)
    copied = findings["rule"].isin(["copied_month", "copied_unit"])
    copies = causes[causes["cause"] == "copied_month"]
    return of_figures & (_within(findings, causes, FIGURE) | copied & _within(findings, copies, FIGURE[:2]))


def once(findings: pd.DataFrame, causes: pd.DataFrame) -> pd.DataFrame:
    """Return findings without the likely causes of what another rule finds as well."""
    likely = findings["rule"] == LIKELY_CAUSE
    other = findings[~likely]
    other = other[explained(other, causes)]
    copies = _within(findings, causes[causes["cause"] == "copied_month"], FIGURE)
    copied = other[other["rule"].isin(["copied_month", "copied_unit"])]
    found = _within(findings, other, FIGURE) | copies & _within(findings, copied, FIGURE[:2])
    return findings[~(likely & found)]


def _within(table: pd.DataFrame, other: pd.DataFrame, names: list[str]) -> pd.Series[bool]:
    """Return which rows have the cells of a row of another table."""
    places, known = (pd.MultiIndex.from_frame(one[names]) for one in (table, other))
    return pd.Series(places.isin(known), index=table.index, dtype=bool)
