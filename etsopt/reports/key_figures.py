"""The figures at the head of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.presenting.documents.document import KeyFigure
from etsopt.presenting.documents.quantities import SPACE, amount, rate, unit_in
from etsopt.running.results.emissions_status import not_verified
from etsopt.running.results.prices import has_price

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.reports.run import Run

FIGURES_MAX = 6
"""Figures at the head of a page."""


def key_figures(run: Run) -> tuple[KeyFigure, ...]:
    """Return the figures at the head of the page."""
    found = [*_investment_figures(run), *_totals(run), *_market_figures(run), *_compliance_figures(run)]
    return tuple(found[:FIGURES_MAX])


def _totals(run: Run) -> list[KeyFigure]:
    if "relaxed_limits" in run.tables and run.results.infeasible_by_t is not None:
        return [_figure(amount(run.results.infeasible_by_t, "t"), _("infeasible by at least"))]
    if "allocation" not in run.tables or "years" in run.tables:
        return []
    units = run.tables["allocation"]
    emissions, given = (float(units[name].sum()) for name in ("emissions_tco2e", "allowance_t"))
    moved = float(units["change_t"].abs().sum()) if "change_t" in units else 0.0
    unverified = not_verified(run.about.emissions)
    label = _("emissions, not all verified") if unverified else _("verified emissions")
    figures = [
        _figure(amount(emissions, "t"), label),
        _figure(amount(given, "t"), _("final allocation")),
        _figure(rate((given - emissions) / emissions) if emissions else "-", _("surplus rate")),
        _figure(amount(moved, "t"), _("moved against the rule")),
    ]
    rates = units["surplus_rate"]
    if len(rates) and rates.notna().any():
        ends = f"{rate(float(rates.min())).removesuffix(f'{SPACE}%')} … {rate(float(rates.max()))}"
        figures.append(_figure(ends, _("surplus rates of units")))
    return figures


def _market_figures(run: Run) -> list[KeyFigure]:
    if "years" in run.tables:
        years = run.tables["years"]
        last = years.iloc[-1]
        before, after = (float(years[name].sum()) for name in ("emissions_before_tco2e", "emissions_tco2e"))
        cost = float(years["measures_cost_cny"].sum()) if "measures_cost_cny" in years else np.nan
        year, price = last["year"], f"{last['price_cny_per_t']:,.2f}"
        figures = [
            *([KeyFigure(price, unit_in("CNY/t"), _("price in {year}", year=year))] if has_price(run.tables) else []),
            _figure(amount(float(last["emissions_tco2e"]), "t"), _("emissions in {year}", year=year)),
            _figure(amount(float(last["allowance_t"]), "t"), _("free allowances in {year}", year=year)),
            _figure(amount(before - after, "t"), _("abated in all")),
        ]
        if np.isfinite(cost):
            figures.append(_figure(amount(cost, "CNY"), _("cost of measures in all")))
        return figures
    if "equilibrium" not in run.tables:
        return []
    sums = run.tables["equilibrium"].sum(numeric_only=True)
    labels = {
        "emissions_before_tco2e": _("emissions before"),
        "emissions_tco2e": _("emissions after"),
    }
    return [*_amounts(sums, "t", labels), *_amounts(sums, "CNY", {"measures_cost_cny": _("cost of measures")})]


def _compliance_figures(run: Run) -> list[KeyFigure]:
    if "nation" not in run.tables or not len(run.tables["nation"]):
        return []
    labels = {
        "obligation_t": _("obligation"),
        "surrendered_t": _("surrendered"),
        "offset_t": _("offsets used"),
        "shortfall_t": _("shortfall"),
        "closing_t": _("kept for later years"),
    }
    return _amounts(run.tables["nation"].iloc[0], "t", labels)


def _investment_figures(run: Run) -> list[KeyFigure]:
    if "investment_summary" not in run.tables or not len(run.tables["investment_summary"]):
        return []
    labels = {
        "investment_cny": _("investment now"),
        "expected_cost_cny": _("expected discounted cost"),
        "cvar_cny": _("CVaR of the cost"),
        "value_of_stochastic_solution_cny": _("value of the stochastic solution"),
        "value_of_perfect_information_cny": _("value of perfect information"),
    }
    return _amounts(run.tables["investment_summary"].iloc[-1], "CNY", labels)


def _amounts(row: pd.Series, unit: str, labels: Mapping[str, str]) -> list[KeyFigure]:
    """Return the figures of the columns that a row states."""
    return [
        _figure(amount(float(row[name]), unit), label)
        for name, label in labels.items()
        if name in row and np.isfinite(row[name])
    ]


def _figure(text: str, label: str) -> KeyFigure:
    """Return a key figure of a number and its unit, which a space that does not break divides."""
    value, _space, unit = text.rpartition(SPACE)
    return KeyFigure(value, unit, label)
