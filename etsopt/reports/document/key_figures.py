"""The figures at the head of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.language import _
from etsopt.reports.document.cells import SPACE, amount, rate
from etsopt.reports.document.content import KeyFigure
from etsopt.results.emissions_status import not_verified
from etsopt.results.prices import has_price

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.reports.document.content import Run

MOST = 6
"""Figures at the head of a page."""


def key_figures(run: Run) -> tuple[KeyFigure, ...]:
    """Return the figures at the head of the page."""
    found = [*_investment_figures(run), *_totals(run), *_market_figures(run), *_compliance_figures(run)]
    return tuple(found[:MOST])


def _totals(run: Run) -> list[KeyFigure]:
    if "relaxed_limits" in run.tables and run.results.infeasible_by_t is not None:
        least = amount(run.results.infeasible_by_t, "t", run.zh)
        return [_figure(run, least, ("infeasible by at least", "至少相差"))]
    if "allocation" not in run.tables or "years" in run.tables:
        return []
    units = run.tables["allocation"]
    emissions, given = (float(units[name].sum()) for name in ("emissions_tco2e", "allowance_t"))
    moved = float(units["change_t"].abs().sum()) if "change_t" in units else 0.0
    words = ("verified emissions", "经核查排放量")
    if not_verified(run.about.get("emissions", {})):
        words = ("emissions, not all verified", "排放量（部分未经核查）")
    figures = [
        _figure(run, amount(emissions, "t", run.zh), words),
        _figure(run, amount(given, "t", run.zh), ("final allocation", "核定配额")),
        _figure(run, rate((given - emissions) / emissions) if emissions else "-", ("surplus rate", "盈缺率")),
        _figure(run, amount(moved, "t", run.zh), ("moved against the rule", "较规则调整")),
    ]
    rates = units["surplus_rate"]
    if len(rates) and rates.notna().any():
        ends = f"{rate(float(rates.min())).removesuffix(f'{SPACE}%')} … {rate(float(rates.max()))}"
        figures.append(_figure(run, ends, ("surplus rates of units", "单元盈缺率")))
    return figures


def _market_figures(run: Run) -> list[KeyFigure]:
    if "years" in run.tables:
        years = run.tables["years"]
        last = years.iloc[-1]
        before, after = (float(years[name].sum()) for name in ("emissions_before_tco2e", "emissions_tco2e"))
        cost = float(years["measures_cost_cny"].sum()) if "measures_cost_cny" in years else np.nan
        year = last["year"]
        price = f"{last['price_cny_per_t']:,.2f}{SPACE}" + run.say("CNY/t", "元/吨")
        figures = [
            *([_figure(run, price, _in(year, "price", "碳价"))] if has_price(run.tables) else []),
            _figure(run, amount(float(last["emissions_tco2e"]), "t", run.zh), _in(year, "emissions", "排放量")),
            _figure(run, amount(float(last["allowance_t"]), "t", run.zh), _in(year, "free allowances", "免费配额")),
            _figure(run, amount(before - after, "t", run.zh), ("abated in all", "减排合计")),
        ]
        if np.isfinite(cost):
            figures.append(_figure(run, amount(cost, "CNY", run.zh), ("cost of measures in all", "减排成本合计")))
        return figures
    if "equilibrium" not in run.tables:
        return []
    found = run.tables["equilibrium"]
    before, after, cost = (
        float(found[name].sum()) for name in ("emissions_before_tco2e", "emissions_tco2e", "measures_cost_cny")
    )
    return [
        _figure(run, amount(before, "t", run.zh), ("emissions before", "减排前排放量")),
        _figure(run, amount(after, "t", run.zh), ("emissions after", "减排后排放量")),
        _figure(run, amount(cost, "CNY", run.zh), ("cost of measures", "减排成本")),
    ]


def _compliance_figures(run: Run) -> list[KeyFigure]:
    if "nation" not in run.tables or not len(run.tables["nation"]):
        return []
    nation = run.tables["nation"].iloc[0]
    words = {
        "obligation_t": (_("obligation"), "应清缴配额"),
        "surrendered_t": ("surrendered", "清缴配额"),
        "offset_t": ("offsets used", "抵销"),
        "shortfall_t": ("shortfall", "未足额清缴"),
        "closing_t": ("kept for later years", "期末持仓量"),
    }
    return _amounts(run, nation, "t", words)


def _investment_figures(run: Run) -> list[KeyFigure]:
    if "investment_summary" not in run.tables or not len(run.tables["investment_summary"]):
        return []
    summary = run.tables["investment_summary"].iloc[-1]
    words = {
        "investment_cny": (_("investment now"), "现在投资"),
        "expected_cost_cny": (_("expected discounted cost"), "期望折现成本"),
        "cvar_cny": (_("CVaR of the cost"), "成本的条件风险价值"),
        "value_of_stochastic_solution_cny": (_("value of the stochastic solution"), "随机解的价值"),
        "value_of_perfect_information_cny": ("value of perfect information", "完全信息的价值"),
    }
    return _amounts(run, summary, "CNY", words)


def _amounts(run: Run, row: pd.Series, unit: str, words: Mapping[str, tuple[str, str]]) -> list[KeyFigure]:
    """Return the figures of the columns that a row states."""
    return [
        _figure(run, amount(float(row[name]), unit, run.zh), both)
        for name, both in words.items()
        if name in row and np.isfinite(row[name])
    ]


def _in(year: object, english: str, chinese: str) -> tuple[str, str]:
    return f"{english} in {year}", f"{year}年{chinese}"


def _figure(run: Run, text: str, label: tuple[str, str]) -> KeyFigure:
    """Return a key figure of a number and its unit, which a space that does not break divides."""
    value, _, unit = text.rpartition(SPACE)
    return KeyFigure(value, unit, run.say(*label))
