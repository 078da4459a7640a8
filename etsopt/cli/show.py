"""Results on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etsopt.cli import show_compliance, show_levels, show_market, show_reconciliation, show_review_plan
from etsopt.cli.remedying import relaxed_limits
from etsopt.cli.show_status import (
    NO_SOLUTION,
    STATUS_IN_WORDS,
    TERMINATION_IN_WORDS,
    ignored,
    listed_tables,
    open_gaps,
    own_parameters,
    remarks,
    taken_as_given,
)
from etsopt.cli.terminal import new_table, plain_console, scale_of, three_decimals
from etsopt.results.claims import is_checked
from etsopt.results.equal_allocation import equal_allocation
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking import CheckReport
    from etsopt.results.results import Results

ROWS_SHOWN = 8


def result(results: Results) -> None:
    """Print a summary of results: status, sectors, objectives, provinces at their limit, or the infeasibility."""
    console = plain_console()
    about = results.provenance
    status = STATUS_IN_WORDS[results.status]
    if about.get("calculated") and results.certified:
        status = "equilibrium, checked" if "equilibrium" in results.tables else "reference allocation, checked"
    if not is_checked(results) and results.status == "feasible":
        status = "solved according to the solver, not checked"
    style = "bold green" if results.certified else "bold yellow"
    stop = f", {TERMINATION_IN_WORDS[results.termination]}" if results.termination in TERMINATION_IN_WORDS else ""
    seconds = sum(about["seconds"].values())
    console.print(Text(f"{about['instance']}, {about['model']}: {status}{stop}, {seconds:.2f} s", style=style))
    console.print()
    if results.status == "refused":
        console.print(_violations(results.violations))
        return
    for given in taken_as_given(results):
        console.print(given)
    if about.get("own_parameters"):
        console.print(own_parameters(about["own_parameters"]))
    if is_checked(results):
        _tables(console, results)
    else:
        # Tables of a user's own model have columns of their own, whatever the names of the tables.
        _objectives(console, results)
        if results.tables:
            console.print(Text(listed_tables(results)))
    if results.termination == "infeasible" and not results.tables:
        console.print(Text(NO_SOLUTION))
    for line in remarks(results):
        console.print(Text(line, style="yellow"))
    if about.get("ignored"):
        console.print(Text(ignored(about["model"], about["ignored"]), style="dim"))
    if results.levels:
        console.print(Text(f"Method {about['method']}. {about['method_reason']}", style="dim"))
    if not is_checked(results):
        console.print(Text("The checker does not support this model: nothing was checked."))
    elif results.status == "feasible":
        console.print(Text(open_gaps(results)))


def _tables(console: Console, results: Results) -> None:
    """Print the tables of a model that the checker knows, and its objectives."""
    if "equilibrium" in results.tables:
        console.print(show_market.equilibrium(results))
    if "years" in results.tables:
        show_market.market(console, results)
    elif "sectors" in results.tables:
        console.print(_sectors(results))
        prices = _shadow_prices(results)
        if prices is not None:
            console.print(prices)
    if "compliance" in results.tables:
        show_compliance.compliance(console, results)
    show_reconciliation.reconciliation(console, results)
    show_review_plan.plan(console, results)
    _objectives(console, results)
    if "provinces" in results.tables and "years" not in results.tables:
        console.print(_provinces(results))
    if "exceptional" in results.tables.get("allocation", ()):
        console.print(_exceptions(results))
    if results.rounded_by_t is not None:
        console.print(_rounding(results))
    if "unmet_demand" in results.tables:
        show_market.unmet_demand(console, results)
    if "relaxed_limits" in results.tables:
        relaxed_limits(console, results)


def _objectives(console: Console, results: Results) -> None:
    """Print the objectives, unless there is no solution, and the certificate."""
    if results.levels and results.termination != "infeasible":
        console.print(show_levels.objectives(results))
        if results.certified and results.misses_t is not None:
            console.print(Text(show_levels.certificate(results) + "\n"))


def _sectors(results: Results) -> Table:
    frame = results.tables["sectors"]
    balance = ["balance\nvalue"] if "balance_value" in frame else []
    scale, unit = scale_of(float(frame["emissions_tco2e"].sum()))
    tonnes = (f"{name}\n[{unit}]" for name in ("emissions", "allowances", "target"))
    heads = ("units", *tonnes, "surplus\nrate", "at the\nband")
    table = new_table("Sectors", "sector", *heads, *balance)
    for row in frame.to_dict("records"):
        totals = [row[name] / scale for name in ("emissions_tco2e", "allowance_t", "target_t")]
        cells = [
            row["sector"],
            f"{row['units']:,}",
            *map(three_decimals, totals),
        ]
        adjustable = row["units"] - row["units_fixed"]
        at_band = f"{100 * (row['units_lower'] + row['units_upper']) / adjustable:.1f} %" if adjustable else "-"
        cells += [format_rate(row["surplus_rate"]), at_band]
        cells += [f"{row['balance_value']:.6f}" if np.isfinite(row["balance_value"]) else "-"] if balance else []
        table.add_row(*map(Text, cells))
    total = frame[["units", "emissions_tco2e", "allowance_t", "surplus_t"]].sum()
    sums = [three_decimals(total[name] / scale) for name in ("emissions_tco2e", "allowance_t")]
    table.add_section()
    table.add_row(
        "all", f"{int(total['units']):,}", *sums, "", format_rate(total["surplus_t"] / total["emissions_tco2e"])
    )
    return table


def _shadow_prices(results: Results) -> Table | None:
    """Change of each objective per tonne of a sector's target; None if no objective has shadow prices."""
    frame = results.tables["sectors"]
    # Shadow prices of exceptions, the tie-break and rounding prove these objectives and have no use beyond.
    omitted = ("least_squares", "rounding", "exceptions", "exception_size", "exception_order")
    levels = [level for level in results.levels if level.name not in omitted and f"{level.name}_shadow_price" in frame]
    if not levels:
        return None
    heads = [f"{level.name} [{level.unit}/t]" for level in levels]
    table = new_table("Shadow prices: change per extra tonne of target", "sector", *heads)
    for row in frame.to_dict("records"):
        table.add_row(
            Text(row["sector"]), *(Text(_shadow_price(row[f"{level.name}_shadow_price"])) for level in levels)
        )
    return table


def _shadow_price(price: float) -> str:
    """Format a shadow price; a sector without a target has none."""
    if price == 0:
        # Also for a negative zero.
        return "0"
    return f"{price:+.4g}" if np.isfinite(price) else "-"


def _provinces(results: Results) -> Text:
    frame = results.tables["provinces"]
    limited = frame[frame["balance_limit_t"].notna()]
    units = int(results.tables["sectors"]["units"].sum())
    fixed = equal_allocation(results.tables)
    note = f"{fixed[0]}\n" if fixed else ""
    outside = len(results.tables["allocation"]) - units
    if outside:
        note += f"{outside:,} more are outside the year's scope: no allowances, no obligation, in no total.\n"
    if limited.empty:
        required = results.provenance["policy"].get("provinces", {}).get("balance") is not None
        return Text(
            note + ("No province has a unit to balance.\n" if required else "The policy has no province balance.\n")
        )
    beyond = limited["surplus_t"].abs() - limited["balance_limit_t"]
    at_limit = limited.loc[beyond.abs() <= 1.0, "province"].tolist()
    over = limited.loc[beyond > 1.0, "province"].tolist()
    names = f": {', '.join(at_limit)}" if at_limit else ""
    exceeded = f"; beyond the limit: {', '.join(over)}" if over else ""
    counts = f"{len(limited)} in all, {len(at_limit)} at the limit"
    return Text(f"{note}Province balances: {counts}{names}{exceeded}.\n")


def _exceptions(results: Results) -> Text:
    frame, most = results.tables["allocation"], results.provenance["policy"]["allocation"]["exceptions"]["units"]
    chosen = frame.loc[frame["exceptional"], "unit_id"].tolist()
    more = f" and {len(chosen) - ROWS_SHOWN} more" if len(chosen) > ROWS_SHOWN else ""
    names = f": {', '.join(chosen[:ROWS_SHOWN])}{more}" if chosen else ""
    return Text(f"Exceptions: {len(chosen)} of at most {most} units use the wider band{names}.\n")


def _rounding(results: Results) -> Text:
    frame = results.tables["allocation"]
    total = float((frame["allowance_t"] - frame["before_rounding_t"]).abs().sum())
    moved = f"no unit moves by more than {results.rounded_by_t:.3g} t, {format_tonnes(total)} t in total"
    limits = "Objectives, shadow prices and intensity order hold before rounding, every other limit also after it."
    return Text(f"Rounded to whole tonnes: {moved}.\n{limits}\n")


def _violations(violations: Any) -> Table:
    table = new_table("The checker refuses the result", "rule", "where", "by", "unit", "statement")
    for item in list(violations)[:ROWS_SHOWN]:
        table.add_row(*map(Text, (item["rule"], item["where"], f"{item['amount']:.6g}", item["unit"], item["message"])))
    return table


def report(results: Results, checked: CheckReport, same_instance: bool) -> None:
    """Print the checker's report on a run."""
    console = plain_console()
    if not same_instance:
        console.print(
            Text("The instance in the run folder is not the one that was solved: its hash differs.", style="bold red")
        )
    list(map(console.print, taken_as_given(results)))
    if checked.certified and (infeasible := show_levels.infeasible(checked)):
        console.print(Text(infeasible))
        return
    if checked.levels:
        console.print(show_levels.recomputed(checked))
    if checked.violations:
        console.print(_violations(checked.table.to_dict("records")))
    elif not is_checked(results):
        console.print(Text("The checker does not support this model: nothing was checked."))
    elif not results.tables:
        console.print(Text("The run has no result: there is nothing to check."))
    else:
        console.print(Text("Every statement holds.", style="bold green"))
        if checked.certified and checked.misses_t is not None:
            console.print(Text(show_levels.certificate(checked)))


def comparison(one: Results, other: Results, tables: Mapping[str, pd.DataFrame]) -> None:
    """Print the differences between two allocations."""
    console = plain_console()
    frame = tables["sectors"]
    scale, unit = scale_of(float(frame["allowance_t_one"].sum()))
    table = new_table("Allowances by sector", "sector", f"first [{unit}]", f"second [{unit}]", "difference [t]")
    for row in tables["sectors"].to_dict("records"):
        figures = (
            three_decimals(row["allowance_t_one"] / scale),
            three_decimals(row["allowance_t_other"] / scale),
            format_tonnes(row["difference_t"]),
        )
        table.add_row(*map(Text, (row["sector"], *figures)))
    console.print(table)
    units = tables["allocation"]
    difference = units["difference_t"].abs()
    moved = int((difference > 1).sum())
    console.print(
        Text(f"{moved} of {len(units)} units differ by more than 1 t, {format_tonnes(difference.sum())} t in total.\n")
    )
    if moved:
        table = new_table("Largest differences", "unit", "first [t]", "second [t]", "difference [t]")
        for position in difference.sort_values(ascending=False, kind="stable").index[:ROWS_SHOWN]:
            row = units.loc[position]
            tonnes = [format_tonnes(row[name]) for name in ("allowance_t_one", "allowance_t_other", "difference_t")]
            table.add_row(*map(Text, (row["unit_id"], *tonnes)))
        console.print(table)
    levels = {level.name: level for level in one.levels}
    for level in other.levels:
        if level.name in levels:
            console.print(Text(f"{level.name}: {levels[level.name].value:.6g} and {level.value:.6g} {level.unit}"))
