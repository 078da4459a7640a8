"""Kinds of charts by name, and the tables that each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.charts import (
    allocations,
    compliance,
    curves,
    equilibrium,
    investments,
    markets,
    relaxations,
    reviews,
    units,
)
from etsopt.data.messages import did_you_mean
from etsopt.errors import UsageError, brief
from etsopt.language import _

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
    needs
        Tables and their columns that it needs; the first table needs a row.
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
    needs: Mapping[str, tuple[str, ...]]
    make: Callable[..., Chart]
    with_instance: bool = False
    of_years: bool = False
    suits: Callable[[Mapping[str, pd.DataFrame], Instance | None], bool] = _always


def _with_intensities(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> bool:
    return units.have_intensities(tables)


OF_UNITS: Mapping[str, tuple[str, ...]] = {
    "allocation": ("unit_id", "sector", "province", "emissions_tco2e", "intensity", "reference_t", "surplus_rate"),
    "sectors": ("sector",),
}
PRICES = ("year", "price_cny_per_t", "price_lower_cny_per_t", "price_upper_cny_per_t", "price_unit")
OF_YEARS: Mapping[str, tuple[str, ...]] = {
    "years": (*PRICES, *("emissions_before_tco2e", "emissions_tco2e", "allowance_t", "bought_t", "sold_t", "offset_t")),
    "sector_years": ("sector", "year", "emissions_before_tco2e"),
}

KINDS = {
    "surplus": Kind(
        (
            "surplus rate of each unit by its intensity, beside the rule and a stated band",
            "各单元按强度的盈缺率，与规则结果及所定限值并列",
        ),
        OF_UNITS,
        units.surplus,
        suits=_with_intensities,
    ),
    "intensity": Kind(
        (
            "surplus rate of each unit by its emission intensity, with the balance value of its sector",
            "各单元按碳排放强度的盈缺率，含行业平衡值",
        ),
        OF_UNITS,
        units.intensity,
        suits=_with_intensities,
    ),
    "rates": Kind(
        ("distribution of surplus rates by sector", "各行业盈缺率分布"),
        {"allocation": ("sector", "emissions_tco2e", "surplus_rate")},
        allocations.rates,
    ),
    "provinces": Kind(
        ("surplus of each province, beside the rule", "各省份盈缺率，与规则结果并列"),
        {"provinces": ("province", "emissions_tco2e", "reference_t", "surplus_rate", "balance_limit_t")},
        allocations.provinces,
    ),
    "enterprises": Kind(
        ("enterprises with the most to buy and to sell", "缺口和盈余最大的企业"),
        {"enterprises": ("enterprise_id", "surplus_t")},
        allocations.enterprises,
    ),
    "relaxations": Kind(
        ("relaxation of the limits of an infeasible policy", "不可行政策各限值的放宽量"),
        {"relaxed_limits": ("way_out", "limit", "index", "by", "from", "to", "unit")},
        relaxations.relaxations,
    ),
    "prices": Kind(
        ("price of each year with its interval and what sets it", "各年碳价、区间及决定因素"),
        {"years": PRICES},
        markets.prices,
    ),
    "emissions": Kind(
        ("emissions of each year beside allowances, and what is kept for later", "各年排放量、配额及跨期结余"),
        {"years": ("year", "allowance_t", "emissions_before_tco2e", "emissions_tco2e")},
        markets.emissions,
    ),
    "measures": Kind(
        ("abatement of each year by measure", "各年各措施减排量"),
        {"measure_years": ("measure_id", "year", "abated_tco2e")},
        markets.measures,
        with_instance=True,
    ),
    "cost_curve": Kind(
        ("marginal abatement cost curve of single years, with the price", "若干年度的边际减排成本曲线与碳价"),
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
        OF_YEARS,
        curves.supply_demand,
        with_instance=True,
        of_years=True,
        suits=curves.has_market_years,
    ),
    "unmet": Kind(
        ("least unmet demand of a market that cannot clear", "市场无法出清时的最小缺口"),
        {"unmet_demand": ("year", "unmet_t")},
        markets.unmet,
    ),
    "compliance": Kind(
        (
            "how the largest deficits are covered, and what becomes of the largest surpluses",
            "最大缺口如何补足，最大盈余如何使用",
        ),
        {"compliance": ("enterprise_id", *compliance.COLUMNS)},
        compliance.compliance,
        with_instance=True,
    ),
    "equilibrium": Kind(
        ("balance values that all responses reproduce, and abatement by sector", "全部单元最优响应下的平衡值与减排量"),
        {"equilibrium": equilibrium.COLUMNS, "fixed_points": ("sector", "year", "balance_value")},
        equilibrium.equilibrium,
    ),
    "investment": Kind(
        (
            "what an investment under uncertainty costs in the scenarios, and the measures installed now",
            "不确定条件下投资在各情景中的成本，以及现在安装的措施",
        ),
        {
            "investment_summary": ("investment_cny", "expected_cost_cny"),
            "scenario_costs": ("scenario", "probability", "cost_cny"),
            "investments": ("unit_id", "measure_id", "installed", "investment_cny"),
        },
        investments.investment,
        with_instance=True,
    ),
    "reconciliation": Kind(
        ("emissions as reported beside the reconciled ones and their interval", "报告排放量与协调排放量及区间"),
        {"reconciliation": reviews.COLUMNS},
        reviews.reconciliation,
    ),
    "review_plan": Kind(
        ("tonnes at risk that reviews cover, by province, and reviewers' days", "各省份联审覆盖的风险排放量与联审天数"),
        {
            "plan": ("province", "covered_tco2e"),
            "review_days": ("level", *reviews.DAYS),
            "uncovered": ("province", "at_risk_tco2e"),
        },
        reviews.review_plan,
    ),
    "missing_days": Kind(
        ("least days that a plan of reviews lacks", "联审计划缺少的最少天数"),
        {"missing_days": ("level", "province", "missing_days")},
        reviews.missing_days,
    ),
}


def kinds_of(tables: Mapping[str, pd.DataFrame], instance: Instance | None = None) -> list[str]:
    """Return the kinds of charts that a run has the tables for; those of single years need its instance."""
    return [name for name, kind in KINDS.items() if _has(kind, tables) and kind.suits(tables, instance)]


def _has(kind: Kind, tables: Mapping[str, pd.DataFrame]) -> bool:
    """Return True if a run has what a kind needs."""
    there = all(name in tables and {*columns} <= {*tables[name]} for name, columns in kind.needs.items())
    return there and len(tables[next(iter(kind.needs))]) > 0


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
    known = kinds_of(tables, instance)
    if kind not in KINDS:
        guess, here = did_you_mean(kind, known), ", ".join(known) or "none"
        advice = _("{guess}Of this run there are: {value}.", guess=guess, value=here)
        raise UsageError(_("There is no chart {kind}.", kind=brief(kind)), advice)
    if kind not in known:
        raise UsageError(_without(kind, tables), _("Of this run there are: {value}.", value=", ".join(known) or "none"))
    if KINDS[kind].of_years:
        return KINDS[kind].make(tables, about, instance, year)
    if year is not None:
        of_years = ", ".join(name for name, one in KINDS.items() if one.of_years)
        what = _("The chart {kind!r} is not of a single year.", kind=kind)
        raise UsageError(what, _("Leave the year out, or choose {kinds}.", kinds=of_years))
    return KINDS[kind].make(tables, about, instance) if KINDS[kind].with_instance else KINDS[kind].make(tables, about)


def _without(kind: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """Return why a run has nothing for a chart."""
    if not (KINDS[kind].of_years and _has(KINDS[kind], tables)):
        needed = ", ".join(map(repr, KINDS[kind].needs))
        return _("The run has nothing for the chart {kind!r}: it needs {tables}.", kind=kind, tables=needed)
    if kind == "cost_curve":
        return _(
            "The run has nothing for the chart {kind!r}: its instance has no measures, or the run does not hold it.",
            kind=kind,
        )
    return _(
        "The run has nothing for the chart {kind!r}: allowances follow emissions in every year, so that every price "
        "clears.",
        kind=kind,
    )
