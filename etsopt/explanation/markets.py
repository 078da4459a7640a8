"""What a unit does in a market: its years and its plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.explanation.steps import Step, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.explanation.steps import Words

YEARS = ("Its years", "各年度")
PLANS = ("Its measures", "减排措施")
TABLES = ("unit_years", "units")
"""Tables with a row for each year of a unit."""


def market_parts(tables: Mapping[str, pd.DataFrame], unit_id: str) -> tuple[tuple[Words, tuple[Step, ...]], ...]:
    """Return years and measures of a unit; empty if the run has no such table."""
    name = next((name for name in TABLES if name in tables), None)
    if name is None:
        return ()
    rows = tables[name]
    rows = rows[rows["unit_id"] == unit_id]
    parts: list[tuple[Words, tuple[Step, ...]]] = [(YEARS, tuple(_year(row) for row in rows.to_dict("records")))]
    if "plans" in tables:
        plans = tables["plans"]
        measures = plans[(plans["unit_id"] == unit_id) & (plans["measure_id"] != "")]
        parts.append((PLANS, tuple(_measure(row) for row in measures.to_dict("records")) or (NONE,)))
    return tuple(parts)


NONE = Step("none", ("none", "无"))


def _year(row: dict[str, object]) -> Step:
    """Return a year of a unit as a sentence."""
    before, after, given, spent = (
        number(float(row[column]))  # type: ignore[arg-type]
        for column in ("emissions_before_tco2e", "emissions_tco2e", "allowance_t", "measures_cost_cny")
    )
    english = f"{row['year']}: emits {after} tCO2e ({before} before measures), gets {given} t, spends {spent} CNY"
    chinese = f"{row['year']}年：排放 {after} tCO2e（减排前 {before}），配额 {given} 吨，减排成本 {spent} 元"
    incentive = row.get("marginal_incentive_cny_per_t")
    if isinstance(incentive, float) and incentive == incentive:
        english += f"; one tonne abated earns {number(incentive)} CNY"
        chinese += f"；减排一吨收益 {number(incentive)} 元"
    return Step(f"year_{row['year']}", (english, chinese))


def _measure(row: dict[str, object]) -> Step:
    share = f", share {number(float(row['share']))}" if float(row["share"]) < 1 else ""  # type: ignore[arg-type]
    start = row["start_year"]
    return Step("measure", (f"{row['measure_id']} from {start}{share}", f"{row['measure_id']}，自{start}年{share}"))
