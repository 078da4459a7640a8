"""What a unit does in a market: its years and its plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.language import _
from etsopt.presenting.explanation.steps import Figures, Step, amount, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

YEARS = _("Its years")
PLANS = _("Its measures")
TABLES = ("unit_years", "units")
"""Tables with a row for each year of a unit."""


def market_parts(tables: Mapping[str, pd.DataFrame], unit_id: str) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    """Return years and measures of a unit; empty if the run has no such table."""
    name = next((name for name in TABLES if name in tables), None)
    if name is None:
        return ()
    rows = tables[name]
    rows = rows[rows["unit_id"] == unit_id]
    parts: list[tuple[str, tuple[Step, ...]]] = [(YEARS, tuple(_year(row) for row in rows.to_dict("records")))]
    if "plans" in tables:
        plans = tables["plans"]
        measures = plans[(plans["unit_id"] == unit_id) & (plans["measure_id"] != "")]
        parts.append((PLANS, tuple(_measure(row) for row in measures.to_dict("records")) or (NONE,)))
    return tuple(parts)


NONE = Step("none", _("none"))


FIGURES = ("emissions_before_tco2e", "emissions_tco2e", "allowance_t", "measures_cost_cny")
INCENTIVE = "marginal_incentive_cny_per_t"


def _year(row: dict[str, Any]) -> Step:
    """Return a year of a unit as a sentence."""
    before, after, given, spent = (amount(float(row[column])) for column in FIGURES)
    text = _("{year}: emits {after} tCO2e ({before} before measures), gets {given} t, spends {spent} CNY")
    sentence = _(text, year=row["year"], after=after, before=before, given=given, spent=spent)
    columns: tuple[str, ...] = ("year", *FIGURES)
    incentive = row.get(INCENTIVE)
    if isinstance(incentive, float) and incentive == incentive:
        further = _("{sentence}; one tonne abated earns {incentive} CNY")
        sentence = _(further, sentence=sentence, incentive=amount(incentive))
        columns += (INCENTIVE,)
    return Step(f"year_{row['year']}", sentence, cells=tuple((name, row[name]) for name in columns))


def _measure(row: dict[str, Any]) -> Step:
    part = number(float(row["share"]))
    share = Figures(f", share {part}", _(", share {share}", share=part)) if part != "1" else ""
    start = row["start_year"]
    return Step(
        "measure", _("{measure_id} from {start}{share}", measure_id=row["measure_id"], start=start, share=share)
    )
