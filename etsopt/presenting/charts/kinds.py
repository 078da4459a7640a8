"""Kinds of charts by name, and the tables that each needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean
from etsopt.presenting.charts import (
    allocations,
    compliance,
    curves,
    equilibrium,
    investments,
    markets,
    outlooks,
    relaxations,
    reviews,
    units,
)
from etsopt.presenting.charts.texts import title_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.common.provenance import Provenance
    from etsopt.data.instance import Instance
    from etsopt.presenting.charts.chart import Chart


def _always(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> bool:
    return True


class Kind(NamedTuple):
    """A chart that can be made of a run.

    Parameters
    ----------
    about
        What it shows.
    needs
        Tables and their columns that it needs; the first table needs a row.
    make
        Makes it from tables, and from what the next says.
    takes
        What it takes beside tables: the policy of the run; its instance or None, for names if it is not of years; a
        year or None, for a chart of single years of a market.
    suits
        Tells from tables and instance if the run has something to show.
    """

    about: str
    needs: Mapping[str, tuple[str, ...]]
    make: Callable[..., Chart]
    takes: tuple[str, ...] = ()
    suits: Callable[[Mapping[str, pd.DataFrame], Instance | None], bool] = _always


def _with_intensities(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> bool:
    return units.have_intensities(tables)


def _moves(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> bool:
    return bool((tables["allocation"]["change_t"].abs() >= allocations.MOVED_MIN_T).any())


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
        _("surplus rate of each unit by its intensity, beside the rule and a stated band"),
        OF_UNITS,
        units.surplus,
        ("policy",),
        suits=_with_intensities,
    ),
    "intensity": Kind(
        _("surplus rate of each unit by its emission intensity, with the balance value of its sector"),
        OF_UNITS,
        units.intensity,
        ("policy",),
        suits=_with_intensities,
    ),
    "rates": Kind(
        _("distribution of surplus rates by sector"),
        {"allocation": ("sector", "emissions_tco2e", "surplus_rate")},
        allocations.rates,
        ("policy",),
    ),
    "provinces": Kind(
        _("surplus of each province, beside the rule"),
        {"provinces": ("province", "emissions_tco2e", "reference_t", "surplus_rate", "balance_limit_t")},
        allocations.provinces,
    ),
    "moved": Kind(
        _("allowances that limits move against the rule, by sector and province"),
        {"allocation": ("sector", "province", "change_t")},
        allocations.moved,
        suits=_moves,
    ),
    "enterprises": Kind(
        _("enterprises with the most to buy and to sell"),
        {"enterprises": ("enterprise_id", "surplus_t")},
        allocations.enterprises,
    ),
    "relaxations": Kind(
        _("relaxation of the limits of an infeasible policy"),
        {"relaxed_limits": ("way_out", "limit", "index", "by", "from", "to", "unit")},
        relaxations.relaxations,
    ),
    "prices": Kind(
        _("price of each year with its interval and what sets it"),
        {"years": PRICES},
        markets.prices,
    ),
    "emissions": Kind(
        _("emissions of each year beside allowances, and what is kept for later"),
        {"years": ("year", "allowance_t", "emissions_before_tco2e", "emissions_tco2e")},
        markets.emissions,
    ),
    "measures": Kind(
        _("abatement of each year by measure"),
        {"measure_years": ("measure_id", "year", "abated_tco2e")},
        markets.measures,
        ("instance",),
    ),
    "cost_curve": Kind(
        _("marginal abatement cost curve of single years, with the price"),
        OF_YEARS,
        curves.cost_curve,
        ("instance", "year"),
        suits=curves.has_measures,
    ),
    "supply_demand": Kind(
        _("net demand for allowances by price in single years, what meets it, and the price"),
        OF_YEARS,
        curves.supply_demand,
        ("instance", "year"),
        suits=curves.has_market_years,
    ),
    "unmet": Kind(
        _("least unmet demand of a market that cannot clear"),
        {"unmet_demand": ("year", "unmet_t")},
        markets.unmet,
    ),
    "compliance": Kind(
        _("how the largest deficits are covered, and what becomes of the largest surpluses"),
        {"compliance": ("enterprise_id", *compliance.COLUMNS)},
        compliance.compliance,
        ("instance",),
    ),
    "equilibrium": Kind(
        _("balance values that all responses reproduce, and abatement by sector"),
        {"equilibrium": equilibrium.COLUMNS, "fixed_points": ("sector", "year", "balance_value")},
        equilibrium.equilibrium,
    ),
    "outlook": Kind(
        _("price of one cap by the form of its free part, and emissions with and without the cap"),
        {"outlook": ("case", "free_part"), "outlook_years": outlooks.COLUMNS},
        outlooks.outlook,
        ("policy",),
    ),
    "investment": Kind(
        _("what an investment under uncertainty costs in the scenarios, and the measures installed now"),
        {
            "investment_summary": ("investment_cny", "expected_cost_cny"),
            "scenario_costs": ("scenario", "probability", "cost_cny"),
            "investments": ("unit_id", "measure_id", "installed", "investment_cny"),
        },
        investments.investment,
        ("instance",),
    ),
    "reconciliation": Kind(
        _("emissions as reported beside the reconciled ones and their interval"),
        {"reconciliation": reviews.COLUMNS},
        reviews.reconciliation,
    ),
    "review_plan": Kind(
        _("tonnes at risk that reviews cover, by province, and reviewers' days"),
        {
            "plan": ("province", "covered_tco2e"),
            "review_days": ("level", *reviews.DAYS),
            "uncovered": ("province", "at_risk_tco2e"),
        },
        reviews.review_plan,
    ),
    "missing_days": Kind(
        _("least days that a plan of reviews lacks"),
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
    about: Provenance,
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
    options = ", ".join(known) or _("none")
    if kind not in KINDS:
        advice = _("{guess}Of this run there are: {kinds}.", guess=did_you_mean(kind, known), kinds=options)
        raise UsageError(_("There is no chart {kind}.", kind=brief(kind)), advice)
    if kind not in known:
        raise UsageError(_without(kind, tables), _("Of this run there are: {kinds}.", kinds=options))
    if year is not None and "year" not in KINDS[kind].takes:
        of_years = ", ".join(name for name, one in KINDS.items() if "year" in one.takes)
        what = _("The chart {kind!r} is not of a single year.", kind=kind)
        raise UsageError(what, _("Leave the year out, or choose {kinds}.", kinds=of_years))
    beside = {"policy": about.policy, "instance": instance, "year": year}
    chart = KINDS[kind].make(tables, *(beside[name] for name in KINDS[kind].takes))
    return replace(chart, title=title_of(about.instance, chart.title))


def _without(kind: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """Return why a run has nothing for a chart."""
    if not ("year" in KINDS[kind].takes and _has(KINDS[kind], tables)):
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
