"""Results on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from etsopt.cli import (
    show_compliance,
    show_investment,
    show_levels,
    show_market,
    show_program,
    show_reconciliation,
    show_review_plan,
)
from etsopt.cli.remedying import relaxed_limits
from etsopt.cli.show_checks import violations
from etsopt.cli.show_status import (
    NO_SOLUTION,
    ignored,
    listed_tables,
    moved_by_band,
    open_balance_of,
    open_gaps,
    own_parameters,
    remarks,
    taken_as_given,
)
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console, scale_of, short_figure
from etsopt.data.messages import first_of
from etsopt.language import _, joined
from etsopt.results.claims import is_checked, is_judged
from etsopt.results.equal_allocation import equal_allocation, outside_of
from etsopt.results.words import STATUSES, TERMINATIONS
from etsopt.units import format_rate, format_tonnes
from etsopt.vocabulary import word

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.results.results import Results

ROWS_SHOWN = 8


def result(results: Results) -> None:
    """Print a summary of results: status, sectors, objectives, provinces at their limit, or the infeasibility."""
    console = plain_console()
    about = results.provenance
    status = open_balance_of(results) or STATUSES[results.status]
    known = is_judged(results)
    if not known and results.status == "feasible":
        status = _("solved according to the solver, not checked")
    style = "bold green" if results.certified else "bold yellow"
    stop = TERMINATIONS.get(results.termination)
    states = joined([status, *([stop] if stop else []), f"{sum(about['seconds'].values()):.2f} s"], "，")
    title = _("{instance}, {model}: {states}", instance=about["instance"], model=about["model"], states=states)
    console.print(Text(title, style=style))
    console.print()
    if results.status == "refused":
        console.print(violations(results.violations))
        return
    for given in taken_as_given(results):
        console.print(given)
    for entry in about.get("moved_by_band", ()):
        console.print(moved_by_band(entry))
    if about.get("own_parameters"):
        console.print(own_parameters(about["own_parameters"]))
    if is_checked(results):
        _tables(console, results)
    else:
        # Tables of a user's own model have columns of their own, whatever the names of the tables.
        _objectives(console, results)
        if results.tables:
            console.print(Text(listed_tables(results)))
        show_program.program(console, results)
    if results.termination == "infeasible" and not results.tables:
        console.print(Text(_(NO_SOLUTION)))
    for line in remarks(results):
        console.print(Text(line, style="yellow"))
    if about.get("ignored"):
        console.print(Text(ignored(about["model"], about["ignored"]), style="dim"))
    if results.levels:
        method = _("Method {method}. {reason}", method=about["method"], reason=about["method_reason"])
        console.print(Text(method, style="dim"))
    if not known and results.tables:
        console.print(Text(show_program.unchecked(results)))
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
        if fixed := equal_allocation(results.tables):
            console.print(Text(f"{fixed}\n"))
        prices = _shadow_prices(results)
        if prices is not None:
            console.print(prices)
    if "compliance" in results.tables:
        show_compliance.compliance(console, results)
    show_reconciliation.reconciliation(console, results)
    show_review_plan.plan(console, results)
    show_investment.investment(console, results)
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
    balance = [_("balance\nvalue")] if "balance_value" in frame else []
    scale, unit = scale_of(float(frame["emissions_tco2e"].sum()))
    tonnes = (f"{name}\n[{word('unit', unit)}]" for name in (_("emissions"), _("allowances"), _("target")))
    heads = (_("units"), *tonnes, _("surplus\nrate"), _("at the\nband"))
    table = new_table(_("Sectors"), _("sector"), *heads, *balance)
    for row in frame.to_dict("records"):
        totals = [row[name] / scale for name in ("emissions_tco2e", "allowance_t", "target_t")]
        cells = [
            word("sector", row["sector"]),
            f"{row['units']:,}",
            *map(short_figure, totals),
        ]
        adjustable = row["units"] - row["units_fixed"]
        at_band = f"{100 * (row['units_lower'] + row['units_upper']) / adjustable:.1f} %" if adjustable else "-"
        cells += [format_rate(row["surplus_rate"]), at_band]
        cells += [f"{row['balance_value']:.6f}" if np.isfinite(row["balance_value"]) else "-"] if balance else []
        table.add_row(*map(Text, cells))
    total = frame[["units", "emissions_tco2e", "allowance_t", "surplus_t"]].sum()
    sums = [short_figure(total[name] / scale) for name in ("emissions_tco2e", "allowance_t")]
    table.add_section()
    table.add_row(
        _("all"), f"{int(total['units']):,}", *sums, "", format_rate(total["surplus_t"] / total["emissions_tco2e"])
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
    heads = [f"{word('level', level.name)} [{word('unit', level.unit + '/t')}]" for level in levels]
    table = new_table(_("Shadow prices: change per extra tonne of target"), _("sector"), *heads)
    for row in frame.to_dict("records"):
        table.add_row(
            Text(word("sector", row["sector"])),
            *(Text(_shadow_price(row[f"{level.name}_shadow_price"])) for level in levels),
        )
    return table


def _shadow_price(price: float) -> str:
    """Format a shadow price; a sector without a target has none."""
    if price == 0:
        # Also for a negative zero.
        return "0"
    return f"{price:+.4g}" if np.isfinite(price) else "-"


def _outside_scope(allocation: pd.DataFrame) -> list[str]:
    """Return the units outside the year's scope."""
    return allocation.loc[~allocation["in_scope"].astype(bool), "unit_id"].tolist()


def _provinces(results: Results) -> Text:
    frame = results.tables["provinces"]
    limited = frame[frame["balance_limit_t"].notna()]
    note = ""
    if outside := outside_of(results.tables):
        note += _(
            "{outside:,} more are outside the year's scope: no allowances, no obligation, in no total: {names}.\n",
            outside=outside,
            names=first_of(_outside_scope(results.tables["allocation"])),
        )
    if limited.empty:
        required = results.provenance["policy"].get("provinces", {}).get("balance") is not None
        return Text(
            note
            + (_("No province has a unit to balance.\n") if required else _("The policy has no province balance.\n"))
        )
    beyond = limited["surplus_t"].abs() - limited["balance_limit_t"]
    at_limit, over = (
        [word("province", name) for name in limited.loc[where, "province"]]
        for where in (beyond.abs() <= 1.0, beyond > 1.0)
    )
    names = _(": {names}", names=joined(at_limit)) if at_limit else ""
    exceeded = _("; beyond the limit: {names}", names=joined(over)) if over else ""
    counts = _("{count} in all, {at_limit} at the limit", count=len(limited), at_limit=len(at_limit))
    return Text(
        _(
            "{note}Province balances: {counts}{names}{exceeded}.\n",
            note=note,
            counts=counts,
            names=names,
            exceeded=exceeded,
        )
    )


def _exceptions(results: Results) -> Text:
    frame, most = results.tables["allocation"], results.provenance["policy"]["allocation"]["exceptions"]["units"]
    chosen = frame.loc[frame["exceptional"], "unit_id"].tolist()
    more = _(" and {count} more", count=len(chosen) - ROWS_SHOWN) if len(chosen) > ROWS_SHOWN else ""
    names = _(": {names}", names=joined(chosen[:ROWS_SHOWN]) + more) if chosen else ""
    return Text(
        _(
            "Exceptions: {count} of at most {most} units use the wider band{names}.\n",
            count=len(chosen),
            most=most,
            names=names,
        )
    )


def _rounding(results: Results) -> Text:
    frame = results.tables["allocation"]
    total = float((frame["allowance_t"] - frame["before_rounding_t"]).abs().sum())
    moved = _(
        "no unit moves by more than {rounded_by_t:.3g} t, {total} t in total",
        rounded_by_t=results.rounded_by_t,
        total=format_tonnes(total),
    )
    limits = _("Objectives, shadow prices and intensity order hold before rounding, every other limit also after it.")
    return Text(_("Rounded to whole tonnes: {moved}.\n{limits}\n", moved=moved, limits=limits))
