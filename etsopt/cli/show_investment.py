"""An investment under uncertainty on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.charts.investments import by_measure, by_scenario
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table
from etsopt.language import _

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from etsopt.results.results import Results

ROWS_SHOWN = 12

LINES = (
    (_("investment now"), "investment_cny"),
    (_("expected discounted cost"), "expected_cost_cny"),
    (_("CVaR of the cost"), "cvar_cny"),
    (_("objective"), "objective_cny"),
    (_("value of the stochastic solution"), "value_of_stochastic_solution_cny"),
    (_("expected value of perfect information"), "value_of_perfect_information_cny"),
)


def investment(console: Console, results: Results) -> None:
    """Print what is installed now, what it costs, what information is worth, and the cost of every scenario."""
    if "investments" not in results.tables:
        return
    console.print(_measures(results))
    summary = results.tables["investment_summary"].iloc[-1]
    table = new_table(
        _("All enterprises, CNY of {year}", year=int(results.tables["investment_summary"]["price_year"].iloc[-1])),
        "",
        "[CNY]",
    )
    for label, column in LINES:
        if column in summary:
            table.add_row(Text(_(label)), Text(_whole(float(summary[column]))))
    console.print(table)
    console.print(_scenarios(results))


def _whole(amount: float) -> str:
    """Return an amount without decimals, and without a sign if nothing is left."""
    return f"{round(amount) + 0:,d}"


def _measures(results: Results) -> Table:
    """Return the measures that are installed now, those of the largest investment first."""
    sums = by_measure(results.tables["investments"])
    table = new_table(_("Installed now"), _("measure"), _("units"), _("investment\n[CNY]"))
    for measure, row in sums.head(ROWS_SHOWN).iterrows():
        table.add_row(Text(measure), Text(f"{int(row['units']):,}"), Text(_whole(row["investment_cny"])))
    if sums.empty:
        table.add_row(Text(_("nothing")), Text("0"), Text("0"))
    if len(sums) > ROWS_SHOWN:
        table.add_row(Text(_("and {count} more", count=len(sums) - ROWS_SHOWN)), Text(""), Text(""))
    return table


def _scenarios(results: Results) -> Table:
    """Return the cost of all enterprises in each scenario, and its regret; the dearest scenarios first."""
    sums = by_scenario(results.tables["scenario_costs"]).sort_values("cost_cny", ascending=False, kind="stable")
    with_regret = "regret_cny" in sums
    columns = ["cost_cny", *(["regret_cny"] if with_regret else [])]
    heads = [_("probability"), _("cost\n[CNY]"), *([_("regret\n[CNY]")] if with_regret else [])]
    table = new_table(_("Scenarios"), _("scenario"), *heads)
    for name, row in sums.head(ROWS_SHOWN).iterrows():
        cells = [f"{row['probability']:.4g}", *(_whole(row[column]) for column in columns)]
        table.add_row(Text(name), *map(Text, cells))
    if len(sums) > ROWS_SHOWN:
        table.add_row(Text(_("and {count} more", count=len(sums) - ROWS_SHOWN)), *(Text("") for _head in heads))
    return table
