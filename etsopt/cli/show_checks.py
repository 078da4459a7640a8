"""The checker's report and the comparison of two runs on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from etsopt.cli import show_levels, show_program
from etsopt.cli.show_status import taken_as_given
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console, scale_of, short_figure
from etsopt.language import _, joined
from etsopt.results.claims import violations_of
from etsopt.results.comparison import policy_differences
from etsopt.results.words import STATUSES
from etsopt.units import format_tonnes
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking import Verdict
    from etsopt.results.results import Results

ROWS_SHOWN = 8


def violations(found: Any) -> Table:
    """Return what the checker found to be violated."""
    table = new_table(_("The checker refuses the result"), _("rule"), _("where"), _("by"), _("unit"), _("statement"))
    for item in list(found)[:ROWS_SHOWN]:
        table.add_row(*map(Text, (item["rule"], item["where"], f"{item['amount']:.6g}", item["unit"], item["message"])))
    return table


def report(results: Results, checked: Verdict, same_instance: bool, beside: list[str]) -> None:
    """Print the checker's report on a run, and what the run says beside that."""
    console = plain_console()
    if not same_instance:
        console.print(
            Text(
                _("The instance in the run folder is not the one that was solved: its hash differs."), style="bold red"
            )
        )
    list(map(console.print, taken_as_given(results)))
    infeasible = show_levels.infeasible(checked) if checked.certified else ""
    if not infeasible and any(level.known for level in checked.levels):
        console.print(show_levels.recomputed(checked))
    if checked.violations:
        console.print(violations(violations_of(checked)))
        return
    if not checked.theorem:
        console.print(Text(show_program.unchecked(results)))
        return
    if not results.tables:
        console.print(Text(_("The run has no result: there is nothing to check.")))
        return
    console.print(Text(infeasible or _("Every statement holds."), style="" if infeasible else "bold green"))
    if checked.certified and checked.misses_t is not None:
        console.print(Text(show_levels.certificate(checked)))
    if checked.of_program and checked.certified:
        console.print(Text(show_program.proven(checked.status)))
    console.print(Text(_theorem(checked)))
    words = joined(beside)
    console.print(Text(_("What the run says beside its answer is not checked: {words}.", words=words), style="dim"))


def _theorem(checked: Verdict) -> str:
    """Return the name of the theorem, the status that is proven, and the largest relative gap."""
    status = STATUSES[checked.status]
    text = _("Theorem of {model}: {status}.", model=checked.theorem, status=status)
    if not any(level.needed for level in checked.levels) or not np.isfinite(checked.largest_gap):
        return text
    return text + _(" The largest relative gap is {gap:.1e}.", gap=checked.largest_gap)


def comparison(one: Results, other: Results, tables: Mapping[str, pd.DataFrame]) -> None:
    """Print the differences between two allocations."""
    console = plain_console()
    differing = policy_differences(one.provenance["policy"], other.provenance["policy"])
    for key, (first, second) in differing.items():
        stated = [_("not stated") if value is None else str(value) for value in (first, second)]
        console.print(Text(_("{key}: first {first}, second {second}", key=key, first=stated[0], second=stated[1])))
    frame = tables["sectors"]
    scale, unit = scale_of(float(frame["allowance_t_one"].sum()))
    table = new_table(
        _("Allowances by sector"),
        _("sector"),
        _("first [{unit}]", unit=word("unit", unit)),
        _("second [{unit}]", unit=word("unit", unit)),
        _("difference [t]"),
    )
    for row in tables["sectors"].to_dict("records"):
        figures = (
            short_figure(row["allowance_t_one"] / scale),
            short_figure(row["allowance_t_other"] / scale),
            format_tonnes(row["difference_t"]),
        )
        table.add_row(*map(Text, (word("sector", row["sector"]), *figures)))
    console.print(table)
    units = tables["allocation"]
    difference = units["difference_t"].abs()
    moved = int((difference > 1).sum())
    console.print(
        Text(
            _(
                "{moved} of {count} units differ by more than 1 t, {total} t in total.\n",
                moved=moved,
                count=len(units),
                total=format_tonnes(difference.sum()),
            )
        )
    )
    if moved:
        table = new_table(
            _("Largest differences"), _("allocation unit"), _("first [t]"), _("second [t]"), _("difference [t]")
        )
        for position in difference.sort_values(ascending=False, kind="stable").index[:ROWS_SHOWN]:
            row = units.loc[position]
            tonnes = [format_tonnes(row[name]) for name in ("allowance_t_one", "allowance_t_other", "difference_t")]
            table.add_row(*map(Text, (row["unit_id"], *tonnes)))
        console.print(table)
    levels = {level.name: level for level in one.levels}
    for level in other.levels:
        if level.name in levels:
            console.print(
                Text(
                    _(
                        "{name}: {first:.6g} and {second:.6g} {unit}",
                        name=word("level", level.name),
                        first=levels[level.name].value,
                        second=level.value,
                        unit=word("unit", level.unit),
                    )
                )
            )
