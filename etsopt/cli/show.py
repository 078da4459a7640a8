"""How results look on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etsopt.cli import show_compliance, show_levels, show_market
from etsopt.cli.show_status import TERMINATION_IN_WORDS, ignored, open_gaps, own_parameters, own_rule, remarks
from etsopt.cli.terminal import megatonnes, new_table, plain_console
from etsopt.results.claims import is_checked
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking import CheckReport
    from etsopt.results.results import Results

STATUS_IN_WORDS = {
    "certified_optimal": "certified optimal",
    "certified_gap": "certified within the gap",
    "certified_rounded": "certified optimal before rounding to whole tonnes",
    "feasible": "feasible, not proven to be the best",
    "infeasible_certified": "infeasible, proven",
    "infeasible_unproven": "infeasible, says the solver; not proven",
    "none": "no answer",
    "refused": "refused by the checker: no answer",
}

NO_SOLUTION = """The model has no solution on this instance: its constraints and bounds contradict each other.
The solver does not say which. Give a constraint a slack variable with a price in the objective to see what it lacks."""

LIMIT_IN_WORDS = {"target": "target of", "balance": "balance of", "band": "band of", "nation": "national total"}

ROWS_SHOWN = 8


def result(found: Results) -> None:
    """Print a summary of results: status, sectors, provinces at their limit, levels, or why nothing is feasible."""
    console = plain_console()
    about = found.provenance
    status = STATUS_IN_WORDS[found.status]
    if about.get("calculated") and found.certified:
        status = "an equilibrium, verified" if "equilibrium" in found.tables else "the rule itself, verified"
    if not is_checked(found) and found.status == "feasible":
        status = "solved, says the solver; nothing was checked"
    style = "bold green" if found.certified else "bold yellow"
    stop = f", {TERMINATION_IN_WORDS[found.termination]}" if found.termination in TERMINATION_IN_WORDS else ""
    seconds = sum(about["seconds"].values())
    console.print(Text(f"{about['instance']}, {about['model']}: {status}{stop}, {seconds:.2f} s", style=style))
    console.print()
    if found.status == "refused":
        console.print(_violations(found.violations))
        return
    if about.get("own_rule"):
        console.print(own_rule(about["own_rule"]))
    if about.get("own_parameters"):
        console.print(own_parameters(about["own_parameters"]))
    if "equilibrium" in found.tables:
        console.print(show_market.equilibrium(found))
    if "years" in found.tables:
        show_market.market(console, found)
    elif "sectors" in found.tables:
        console.print(_sectors(found))
        prices = _shadow_prices(found)
        if prices is not None:
            console.print(prices)
    if "compliance" in found.tables:
        console.print(show_compliance.fill_nation(new_table("The nation", "", "[t]"), found))
        show_compliance.shortfalls(console, found)
    if found.levels and found.termination != "infeasible":
        console.print(show_levels.levels(found))
        if found.certified and found.misses_t is not None:
            console.print(Text(show_levels.certificate(found) + "\n"))
    if "provinces" in found.tables and "years" not in found.tables:
        console.print(_provinces(found))
    if "exceptional" in found.tables.get("allocation", ()):
        console.print(_exceptions(found))
    if found.rounded_by_t is not None:
        console.print(_rounding(found))
    if found.termination == "infeasible" and not found.tables:
        console.print(Text(NO_SOLUTION))
    if "unmet_demand" in found.tables:
        show_market.missing(console, found)
    if "relaxed_limits" in found.tables:
        _relief(console, found)
    for line in remarks(found):
        console.print(Text(line, style="yellow"))
    if about.get("ignored"):
        console.print(Text(ignored(about["model"], about["ignored"]), style="dim"))
    if found.levels:
        console.print(Text(f"Method {about['method']}. {about['method_reason']}", style="dim"))
    if not is_checked(found):
        console.print(Text("The checker does not know this model; nothing was checked."))
    elif found.status == "feasible":
        console.print(Text(open_gaps(found)))


def _sectors(found: Results) -> Table:
    frame = found.tables["sectors"]
    balance = ["balance\nvalue"] if "balance_value" in frame else []
    heads = ("units", "emissions\n[Mt]", "allowances\n[Mt]", "target\n[Mt]", "surplus\nrate", "at the\nband")
    table = new_table("Sectors", "sector", *heads, *balance)
    for row in frame.to_dict("records"):
        totals = [row[name] / 1e6 for name in ("emissions_tco2e", "allowance_t", "target_t")]
        cells = [
            row["sector"],
            f"{row['units']:,}",
            *map(megatonnes, totals),
        ]
        free = row["units"] - row["units_fixed"]
        at_band = f"{100 * (row['units_lower'] + row['units_upper']) / free:.1f} %" if free else "-"
        cells += [format_rate(row["surplus_rate"]), at_band]
        cells += [f"{row['balance_value']:.6f}" if np.isfinite(row["balance_value"]) else "-"] if balance else []
        table.add_row(*map(Text, cells))
    total = frame[["units", "emissions_tco2e", "allowance_t", "surplus_t"]].sum()
    sums = [megatonnes(total[name] / 1e6) for name in ("emissions_tco2e", "allowance_t")]
    table.add_section()
    table.add_row(
        "all", f"{int(total['units']):,}", *sums, "", format_rate(total["surplus_t"] / total["emissions_tco2e"])
    )
    return table


def _shadow_prices(found: Results) -> Table | None:
    """What a tonne more of each sector's target adds to the levels; None where no level has a price."""
    frame = found.tables["sectors"]
    # Levels that choose exceptions, the closest point or whole tonnes have prices that prove them and say little else.
    silent = ("least_squares", "rounding", "exceptions", "exception_size", "exception_order")
    levels = [level for level in found.levels if level.name not in silent and f"{level.name}_shadow_price" in frame]
    if not levels:
        return None
    heads = [f"{level.name} [{level.unit}/t]" for level in levels]
    table = new_table("Shadow prices: what one more tonne of a sector's target adds to a level", "sector", *heads)
    for row in frame.to_dict("records"):
        table.add_row(Text(row["sector"]), *(Text(_price(row[f"{level.name}_shadow_price"])) for level in levels))
    return table


def _price(price: float) -> str:
    """Write a shadow price; a sector without a target has none."""
    if price == 0:
        # A negative zero too.
        return "0"
    return f"{price:+.4g}" if np.isfinite(price) else "-"


def _provinces(found: Results) -> Text:
    frame = found.tables["provinces"]
    limited = frame[frame["balance_limit_t"].notna()]
    fixed = int(found.tables["sectors"]["units_fixed"].sum())
    units = int(found.tables["sectors"]["units"].sum())
    note = f"{fixed:,} of {units:,} units get A = E (special cases, small enterprises).\n" if fixed else ""
    outside = len(found.tables["allocation"]) - units
    if outside:
        note += f"{outside:,} more are outside the scope of the year: they get and owe nothing, in no total.\n"
    if limited.empty:
        asked = found.provenance["policy"].get("provinces", {}).get("balance") is not None
        return Text(note + ("No province has a unit to balance.\n" if asked else "No province balance is asked for.\n"))
    beyond = limited["surplus_t"].abs() - limited["balance_limit_t"]
    at_limit = limited.loc[beyond.abs() <= 1.0, "province"].tolist()
    over = limited.loc[beyond > 1.0, "province"].tolist()
    names = f": {', '.join(at_limit)}" if at_limit else ""
    broken = f"; beyond it {', '.join(over)}" if over else ""
    return Text(f"{note}Provinces: {len(limited)} with a balance, {len(at_limit)} at its limit{names}{broken}.\n")


def _exceptions(found: Results) -> Text:
    frame, most = found.tables["allocation"], found.provenance["policy"]["allocation"]["exceptions"]["units"]
    chosen = frame.loc[frame["exceptional"], "unit_id"].tolist()
    more = f" and {len(chosen) - ROWS_SHOWN} more" if len(chosen) > ROWS_SHOWN else ""
    names = f": {', '.join(chosen[:ROWS_SHOWN])}{more}" if chosen else ""
    return Text(f"Exceptions: {len(chosen)} of {most} allowed use the wider band{names}.\n")


def _rounding(found: Results) -> Text:
    frame = found.tables["allocation"]
    total = float((frame["allowance_t"] - frame["before_rounding_t"]).abs().sum())
    moved = f"no unit moves by more than {found.rounded_by_t:.3g} t, all together by {format_tonnes(total)} t"
    limits = "Levels, prices and the order of rates are those before rounding; whole tonnes keep every other limit."
    return Text(f"Rounded to whole tonnes: {moved}.\n{limits}\n")


def _relief(console: Console, found: Results) -> None:
    frame = found.tables["relaxed_limits"]
    if found.infeasible_by_t is not None:
        amount = format_tonnes(found.infeasible_by_t)
        console.print(Text(f"No allocation meets every limit: they lack {amount} t in all, at least.\n"))
    titles = {
        "alone": "Out of reach whatever the other limits are",
        "target_relaxation": "If the bands stand, these limits give way by the least tonnes",
        "band_relaxation": "If the targets stand, bands widen and balances give way, at least",
    }
    for way, title in titles.items():
        rows = frame[frame["way_out"] == way]
        if rows.empty:
            continue
        table = new_table(title, "limit", "by", "from", "to", "unit")
        ordered = rows.sort_values("limit", key=lambda limits: limits != "band", kind="stable")
        for row in ordered.head(ROWS_SHOWN).to_dict("records"):
            form = format_tonnes if row["unit"] == "t" else format_rate
            name = f"{LIMIT_IN_WORDS[row['limit']]} {row['index']}".strip()
            table.add_row(
                *map(
                    Text, (name, form(row["by"]), form(row["from"]), form(row["to"]), "t" if row["unit"] == "t" else "")
                )
            )
        console.print(table)
        if len(rows) > ROWS_SHOWN:
            console.print(Text(f"and {len(rows) - ROWS_SHOWN} more; the table `relaxed_limits` of the run has all.\n"))


def _violations(violations: Any) -> Table:
    table = new_table("The checker refuses the answer", "rule", "where", "by", "unit", "statement")
    for item in list(violations)[:ROWS_SHOWN]:
        table.add_row(*map(Text, (item["rule"], item["where"], f"{item['amount']:.6g}", item["unit"], item["message"])))
    return table


def report(found: Results, checked: CheckReport, same_instance: bool) -> None:
    """Print what the checker found in a run."""
    console = plain_console()
    if not same_instance:
        console.print(
            Text("The instance in the run folder is not the one that was solved: its hash differs.", style="bold red")
        )
    if found.provenance.get("own_rule"):
        console.print(own_rule(found.provenance["own_rule"]))
    if checked.infeasible_by_t is not None and checked.certified:
        console.print(Text(f"Infeasible by at least {format_tonnes(checked.infeasible_by_t)} t: recomputed."))
        return
    if checked.levels:
        console.print(show_levels.recomputed(checked))
    if checked.violations:
        console.print(_violations(checked.table.to_dict("records")))
    elif not is_checked(found):
        console.print(Text("The checker does not know this model: the run cannot be checked, and nothing was."))
    elif not found.tables:
        console.print(Text("The run holds no answer; there is nothing to check."))
    else:
        console.print(Text("Every statement holds.", style="bold green"))
        if checked.certified and checked.misses_t is not None:
            console.print(Text(show_levels.certificate(checked)))


def comparison(one: Results, other: Results, tables: Mapping[str, pd.DataFrame]) -> None:
    """Print what differs between two allocations."""
    console = plain_console()
    table = new_table("Allowances by sector", "sector", "first [Mt]", "second [Mt]", "difference [t]")
    for row in tables["sectors"].to_dict("records"):
        figures = (
            f"{row['allowance_t_one'] / 1e6:,.3f}",
            f"{row['allowance_t_other'] / 1e6:,.3f}",
            format_tonnes(row["difference_t"]),
        )
        table.add_row(*map(Text, (row["sector"], *figures)))
    console.print(table)
    units = tables["allocation"]
    difference = units["difference_t"].abs()
    moved = int((difference > 1).sum())
    console.print(
        Text(
            f"{moved} of {len(units)} units differ by more than a tonne; in all {format_tonnes(difference.sum())} t.\n"
        )
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
