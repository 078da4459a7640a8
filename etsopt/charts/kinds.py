"""Kinds of charts by name, and the tables that each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.charts import (
    allocations,
    compliance,
    curves,
    equilibrium,
    markets,
    relaxations,
    reviews,
    units,
)
from etsopt.data.messages import did_you_mean
from etsopt.errors import UsageError, brief
from etsopt.wording import literal, message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.charts.chart import Chart, Words
    from etsopt.data.instance import Instance


def _always(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> bool:
    return True


class Kind(NamedTuple):
    """A chart that can be made of a run.

    Parameters
    ----------
    about
        What it shows, in English and in Chinese.
    table, columns
        Table and columns that it needs.
    make
        Makes it from tables and provenance, and from what the next two say.
    with_instance
        True if it takes the instance, or None: for names if it is not of years.
    of_years
        True for a chart of single years of a market, which takes a year, or None, as well.
    suits
        Tells from tables and instance if the run has something to show.
    """

    about: Words
    table: str
    columns: tuple[str, ...]
    make: Callable[..., Chart]
    with_instance: bool = False
    of_years: bool = False
    suits: Callable[[Mapping[str, pd.DataFrame], Instance | None], bool] = _always


def _with_intensities(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> bool:
    return "sectors" in tables and units.have_intensities(tables)


WITHOUT = {
    "cost_curve": "its instance has no measures, or the run does not hold it",
    "supply_demand": "allowances follow emissions in every year, so that every price clears",
}
"""Why a run of a market has no chart of single years."""

OF_YEARS = ("price_cny_per_t", "price_lower_cny_per_t", "emissions_before_tco2e", "allowance_t")

KINDS = {
    "surplus": Kind(
        (
            "surplus rate of each unit by its intensity, beside the rule and a stated band",
            "各单元按强度的盈缺率，与规则结果和给定的限值并列",
        ),
        "allocation",
        ("surplus_rate", "intensity", "reference_t"),
        units.surplus,
        suits=_with_intensities,
    ),
    "intensity": Kind(
        (
            "surplus rate of each unit by its emission intensity, with the balance value of its sector",
            "各单元按碳排放强度的盈缺率,含行业平衡值",
        ),
        "allocation",
        ("surplus_rate", "intensity", "reference_t"),
        units.intensity,
        suits=_with_intensities,
    ),
    "rates": Kind(
        ("distribution of surplus rates by sector", "各行业盈缺率分布"),
        "allocation",
        ("surplus_rate",),
        allocations.rates,
    ),
    "provinces": Kind(
        ("surplus of each province, beside the rule", "各省份盈缺率,与规则结果并列"),
        "provinces",
        ("balance_limit_t", "reference_t"),
        allocations.provinces,
    ),
    "enterprises": Kind(
        ("enterprises with the most to buy and to sell", "缺口和盈余最大的企业"),
        "enterprises",
        ("surplus_t",),
        allocations.enterprises,
    ),
    "relaxations": Kind(
        ("least relaxation of the limits of an infeasible policy", "不可行政策各限值的最小放宽量"),
        "relaxed_limits",
        ("by",),
        relaxations.relaxations,
    ),
    "prices": Kind(
        ("price of each year with its interval and what sets it", "各年碳价、区间及决定因素"),
        "years",
        ("price_cny_per_t", "price_unit"),
        markets.prices,
    ),
    "emissions": Kind(
        ("emissions of each year beside allowances, and what is kept for later", "各年排放量、配额及跨期留存"),
        "years",
        ("emissions_before_tco2e",),
        markets.emissions,
    ),
    "measures": Kind(
        ("abatement of each year by measure", "各年各措施减排量"),
        "measure_years",
        ("abated_tco2e",),
        markets.measures,
        with_instance=True,
    ),
    "cost_curve": Kind(
        ("marginal abatement cost curve of single years, with the price", "若干年度的边际减排成本曲线与碳价"),
        "years",
        OF_YEARS,
        curves.cost_curve,
        with_instance=True,
        of_years=True,
        suits=curves.has_measures,
    ),
    "supply_demand": Kind(
        (
            "net demand for allowances by price in single years, what meets it, and the price",
            "若干年度按碳价的配额净需求、供给与碳价",
        ),
        "years",
        OF_YEARS,
        curves.supply_demand,
        with_instance=True,
        of_years=True,
        suits=curves.has_market_years,
    ),
    "unmet": Kind(
        ("least unmet demand of a market that cannot clear", "市场无法出清时的最小缺口"),
        "unmet_demand",
        ("unmet_t",),
        markets.unmet,
    ),
    "compliance": Kind(
        (
            "how the largest deficits are covered, and what becomes of the largest surpluses",
            "最大缺口如何补足,最大盈余如何使用",
        ),
        "compliance",
        ("obligation_t", "shortfall_t"),
        compliance.compliance,
        with_instance=True,
    ),
    "equilibrium": Kind(
        ("balance values that all responses reproduce, and abatement by sector", "全部单元最优响应下的平衡值与减排量"),
        "equilibrium",
        ("balance_value_before",),
        equilibrium.equilibrium,
    ),
    "reconciliation": Kind(
        ("emissions as reported beside the reconciled ones and their interval", "报告排放量与调和排放量及区间"),
        "reconciliation",
        ("reported_tco2e", "lowest_tco2e"),
        reviews.reconciliation,
    ),
    "review_plan": Kind(
        ("tonnes at risk that reviews cover, by province, and reviewers' days", "各省份联审覆盖的风险排放量与联审天数"),
        "plan",
        ("covered_tco2e",),
        reviews.review_plan,
    ),
    "missing_days": Kind(
        ("least days that a plan of reviews lacks", "联审计划缺少的最少天数"),
        "missing_days",
        ("missing_days",),
        reviews.missing_days,
    ),
}


def kinds_of(tables: Mapping[str, pd.DataFrame], instance: Instance | None = None) -> list[str]:
    """Return the kinds of charts that a run has the tables for; those of single years need its instance."""
    return [
        name
        for name, kind in KINDS.items()
        if kind.table in tables
        and len(tables[kind.table])
        and {*kind.columns} <= {*tables[kind.table]}
        and kind.suits(tables, instance)
    ]


def chart_of(
    kind: str,
    tables: Mapping[str, pd.DataFrame],
    about: Mapping[str, Any],
    instance: Instance | None = None,
    year: int | None = None,
) -> Chart:
    """Return a chart of a run.

    Parameters
    ----------
    about
        Provenance of the run.
    instance
        Instance of the run, which the kinds ``cost_curve`` and ``supply_demand`` need; others take names from it.
    year
        Compliance year of these; None for the first, the middle and the last.

    Raises
    ------
    UsageError
        If there is no such kind, the run has no table for it, or the kind or the run has no such year.
    """
    if kind not in KINDS:
        advice = message("{guess}Choose one of {kinds}.", guess=did_you_mean(kind, KINDS), kinds=", ".join(KINDS))
        raise UsageError(message("There is no chart {kind}.", kind=brief(kind)), advice)
    known = kinds_of(tables, instance)
    if kind not in known:
        text = "The run has nothing for the chart {kind!r}, which needs the table {table!r}."
        what = message(text, kind=kind, table=KINDS[kind].table)
        if KINDS[kind].of_years and KINDS[kind].table in tables:
            what = message("The run has nothing for the chart {kind!r}: {why}.", kind=kind, why=literal(WITHOUT[kind]))
        raise UsageError(what, message("Of this run there are: {value}.", value=", ".join(known) or "none"))
    if KINDS[kind].of_years:
        return KINDS[kind].make(tables, about, instance, year)
    if year is not None:
        of_years = ", ".join(name for name, one in KINDS.items() if one.of_years)
        what = message("The chart {kind!r} is not of a single year.", kind=kind)
        raise UsageError(what, message("Leave the year out, or choose {kinds}.", kinds=of_years))
    return KINDS[kind].make(tables, about, instance) if KINDS[kind].with_instance else KINDS[kind].make(tables, about)
