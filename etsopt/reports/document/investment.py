"""Sections of an investment under uncertainty: what is installed now, and what it costs in every scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.charts.investments import by_measure, by_scenario
from etsopt.charts.texts import measure_words
from etsopt.reports.document.cells import table_of
from etsopt.reports.document.content import Section
from etsopt.reports.document.figures import figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.reports.document.content import Run, Table

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
    caption = run.say("Measures that are installed now", "现在安装的措施")
    blocks = [table_of(_measures(run), MEASURES, caption, run.zh)] if len(installed) else []
    yield Section("investment", run.say("Investment now", "现在的投资"), (*figure(run, "investment"), *blocks))
    yield Section("scenarios", run.say("Scenarios", "情景"), (_scenarios(run),))
    enterprises = run.tables["investment_summary"]
    enterprises = enterprises[enterprises["enterprise_id"].fillna("") != ""]
    note = run.say(
        "The value of the stochastic solution is what a decision for the mean of all scenarios would cost more; that "
        "of perfect information is what knowing the scenario beforehand would save. Neither is stated with a budget.",
        "随机解的价值：按情景均值决策多付的成本；完全信息的价值：事先已知情景可节省的成本。有投资预算时不列示。",
    )
    title = run.say("Investment of enterprises", "各企业投资")
    listing = table_of(enterprises, SUMMARY, title, run.zh, note=note, key="investments")
    parts = [listing]
    if len(installed):
        title = run.say("Installed now, by unit", "各单元现在安装的措施")
        parts.append(table_of(installed, INSTALLED, title, run.zh, exact=True, key="installed"))
    yield Section("decisions", run.say("Decisions", "决策"), tuple(parts))


def _measures(run: Run) -> pd.DataFrame:
    """Return units and investment of each measure, by its name in the language of the page."""
    words = measure_words(run.results.instance if run.results.held is not None else None)
    sums = by_measure(run.tables["investments"]).reset_index()
    names = [words.get(str(key), (str(key), str(key)))[run.zh] for key in sums["measure_id"]]
    return sums.assign(measure_id=names)


def _scenarios(run: Run) -> Table:
    """Return the cost of all enterprises in each scenario, the dearest first."""
    sums = by_scenario(run.tables["scenario_costs"]).reset_index()
    most = sums.nlargest(SHOWN, "cost_cny")
    caption = run.say("Discounted cost of all enterprises by scenario", "各情景下全部企业的折现成本")
    note = ""
    if len(most) < len(sums):
        words = (
            f"The {len(most):,} dearest of {len(sums):,} scenarios.",
            f"{len(sums):,} 个情景中成本最高的 {len(most):,} 个。",
        )
        note = run.say(*words)
    return table_of(most, ("scenario", "probability", *COSTS), caption, run.zh, note=note, key="scenarios")
