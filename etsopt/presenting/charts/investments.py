"""Chart of an investment under uncertainty: what it costs by chance, and the measures that are installed now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, pgettext
from etsopt.common.scales import scaled
from etsopt.presenting.charts.chart import CHOSEN, OTHER, PRICE, RULE, Chart, Panel, Series
from etsopt.presenting.charts.texts import array_of, measure_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance

SHOWN = 16
"""Measures that are drawn, those of the largest investment."""

DECISIONS: tuple[tuple[str, str, str], ...] = (
    ("cost_cny", _("decided now"), CHOSEN),
    ("cost_at_mean_cny", _("decided for the mean of all scenarios"), OTHER),
    ("least_cost_cny", _("if the scenario were known"), RULE),
)
"""Cost of a scenario under each decision; runs with a budget do not state the last."""


def investment(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> Chart:
    """Discounted cost of all enterprises by cumulative probability, and investment by measure."""
    summary = tables["investment_summary"].iloc[-1]
    panels = [_costs(tables["scenario_costs"], float(summary["expected_cost_cny"]))]
    measures = by_measure(tables["investments"])
    if len(measures):
        panels.append(_measures(measures, measure_words(instance)))
    by, unit = scaled(float(summary["investment_cny"]), "CNY")
    amount = f"{summary['investment_cny'] / by:,.{0 if by == 1 else 1}f}"
    text = _("{amount} {unit} invested before the scenario is known", amount=amount, unit=unit)
    return Chart("investment", text, tuple(panels))


def by_scenario(costs: pd.DataFrame) -> pd.DataFrame:
    """Return probability, costs and regret of all enterprises together, by scenario [CNY]."""
    groups = costs.groupby("scenario", sort=False)
    sums = groups[[name for name in (*(name for name, *_ in DECISIONS), "regret_cny") if name in costs]].sum()
    return sums.assign(probability=groups["probability"].first())


def by_measure(investments: pd.DataFrame) -> pd.DataFrame:
    """Return units and investment of each measure that is installed, the largest investment first [CNY]."""
    groups = investments[investments["installed"].astype(bool)].groupby("measure_id")
    sums = groups.agg(units=("unit_id", "nunique"), investment_cny=("investment_cny", "sum"))
    return sums.sort_values(["investment_cny", "units"], ascending=False, kind="stable")


def _costs(costs: pd.DataFrame, expected: float) -> Panel:
    """Return the distribution of the cost of all enterprises under each decision, and the expected cost."""
    names = [name for name, *_ in DECISIONS if name in costs]
    totals = by_scenario(costs)
    by, unit = scaled(float(totals[names].abs().max().max()), "CNY")
    series = tuple(_distributions(totals, by))
    line = Series(
        "line", pgettext("charts", "expected"), np.array([0.0, 100.0]), np.full(2, expected / by), PRICE, style="dashed"
    )
    title = _("cost in the scenarios, the cheapest first")
    across = _("cumulative probability [%]")
    up = _("discounted cost [{unit}]", unit=unit)
    return Panel(title, across, up, (*series, line), x_limits=(0.0, 100.0))


def _distributions(totals: pd.DataFrame, by: float) -> Iterator[Series]:
    """Yield the costs under each decision as steps, each as wide as the probability of its scenario."""
    for name, words, colour in reversed(DECISIONS):
        if name not in totals:
            continue
        ordered = totals.sort_values(name, kind="stable")
        ends = np.concatenate([[0.0], 100.0 * np.cumsum(ordered["probability"].to_numpy(dtype=float))])
        yield Series(
            "line",
            words,
            np.column_stack([ends[:-1], ends[1:]]).ravel(),
            ordered[name].to_numpy(dtype=float).repeat(2) / by,
            colour,
            array_of(ordered.index.repeat(2)),
            style="plain",
        )


def _measures(measures: pd.DataFrame, words: Mapping[str, str]) -> Panel:
    """Return the investment of each measure, the largest at the top."""
    measures = measures.head(SHOWN)[::-1]
    sums, units = measures["investment_cny"], measures["units"]
    by, unit = scaled(float(sums.max()), "CNY")
    labels = array_of(_("{count:,} units", count=count) for count in units)
    names = array_of(words.get(str(key), key) for key in sums.index)
    series = Series("bars", "", sums.to_numpy(dtype=float) / by, names, CHOSEN, labels)
    return Panel(_("installed now"), _("investment [{unit}]", unit=unit), "", (series,), horizontal=True)
