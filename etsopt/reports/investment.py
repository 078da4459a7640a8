"""Sections of an investment under uncertainty: what is installed now, and what it costs in every scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.presenting.documents.columns import heading, table_of
from etsopt.presenting.documents.document import Facts, Paragraph, Section
from etsopt.presenting.documents.quantities import amount
from etsopt.reports.run import figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.presenting.documents.document import Block, Table
    from etsopt.reports.run import Run

MEASURES = ("measure_id", "units", "investment_cny")
INSTALLED = ("unit_id", "enterprise_id", "sector", "measure_id", "first_year", "investment_cny")
COSTS = ("cost_cny", "cost_at_mean_cny", "least_cost_cny", "regret_cny")
SUMMARY = (
    *("enterprise_id", "investment_cny", "expected_cost_cny", "cvar_cny", "value_of_stochastic_solution_cny"),
    "value_of_perfect_information_cny",
)
SHOWN = 60
"""Scenarios of the table, those of the highest cost."""


def investment(run: Run) -> Iterator[Section]:
    """Yield what is installed now, the cost of every scenario, and what each enterprise invests."""
    if "investment_summary" not in run.tables or "scenario_costs" not in run.tables:
        return
    installed = run.tables["investments"]
    installed = installed[installed["installed"].astype(bool)]
    caption = _("Measures that are installed now")
    blocks: list[Block] = [*figure(run, "investment"), _totals(run)]
    blocks += (
        [table_of(_measures(run), MEASURES, caption)] if len(installed) else [Paragraph(_("Nothing is installed."))]
    )
    yield Section("investment", _("Investment now"), tuple(blocks))
    yield Section("scenarios", _("Scenarios"), (_scenarios(run),))
    enterprises = run.tables["investment_summary"]
    enterprises = enterprises[enterprises["enterprise_id"].fillna("") != ""]
    note = _(
        "The value of the stochastic solution is what a decision for the mean of all scenarios would cost more; "
        "that of perfect information is what knowing the scenario beforehand would save. Neither is stated with a "
        "budget."
    )
    parts = [table_of(enterprises, SUMMARY, _("Investment of enterprises"), note=note, key="investments")]
    if len(installed):
        parts.append(table_of(installed, INSTALLED, _("Installed now, by unit"), exact=True, key="installed"))
    yield Section("decisions", _("Decisions"), tuple(parts))


TOTALS = ("investment_cny", "expected_cost_cny", "cvar_cny", "objective_cny", *SUMMARY[-2:])


def _totals(run: Run) -> Facts:
    """Return what all enterprises invest, what it costs them, and what information is worth."""
    of = run.tables["investment_summary"].iloc[-1]
    names = [name for name in TOTALS if name in of and np.isfinite(of[name])]
    unit = (_("amounts"), _("CNY of {year}, all enterprises", year=int(of["price_year"])))
    return Facts((unit, *((heading(name), amount(float(of[name]), "CNY")) for name in names)))


def _measures(run: Run) -> pd.DataFrame:
    """Return units and investment of each measure, by its name in the language of the page."""
    from etsopt.presenting.charts.investments import by_measure
    from etsopt.presenting.charts.texts import measure_words

    words = measure_words(run.results.instance if run.results.held is not None else None)
    sums = by_measure(run.tables["investments"]).reset_index()
    return sums.assign(measure_id=[words.get(str(key), str(key)) for key in sums["measure_id"]])


def _scenarios(run: Run) -> Table:
    """Return the cost of all enterprises in each scenario, the dearest first."""
    from etsopt.presenting.charts.investments import by_scenario

    sums = by_scenario(run.tables["scenario_costs"]).reset_index()
    most = sums.nlargest(SHOWN, "cost_cny")
    caption = _("Discounted cost of all enterprises by scenario")
    note = ""
    if len(most) < len(sums):
        note = _("The {shown:,} dearest of {count:,} scenarios.", shown=len(most), count=len(sums))
    return table_of(most, ("scenario", "probability", *COSTS), caption, note=note, key="scenarios")
