"""An infeasible policy on the command line: the limits to relax, and policies that would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table
from etsopt.errors import UsageError
from etsopt.language import _
from etsopt.units import format_rate, format_tonnes
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from etsopt.data.instance import Instance
    from etsopt.results.results import Results


LIMIT_IN_WORDS = {
    "target": _("target of {of}"),
    "balance": _("balance of {of}"),
    "band": _("band of {of}"),
    "nation": _("national total"),
}

ROWS_SHOWN = 8
"""Rows of each table of limits."""


def applied(
    number: int, instance: Instance, result: Results, solve: Callable[[Instance], Results]
) -> tuple[Instance, Results, str]:
    """Return the instance under a remedy of its infeasibility, its results, and a sentence on what was changed.

    Raises
    ------
    UsageError
        If there is no remedy of that number.
    """
    if result.termination != "infeasible":
        return instance, result, _("No remedy was needed: the policy is feasible.")
    known = {remedy.number: remedy for remedy in result.remedies}
    if number not in known:
        listed = ", ".join(map(str, known)) or _("none")
        advice = _("Leave --apply-remedy out to see which limits would have to give, and by how much.")
        raise UsageError(_("There is no remedy {number}; there are: {listed}.", number=number, listed=listed), advice)
    changed = instance.with_policy(known[number].changes)
    return (
        changed,
        solve(changed),
        _("Infeasible as stated; remedy {number} was applied: {text}", number=number, text=known[number].text),
    )


def content(result: Results) -> dict[str, object]:
    """Return the remedies of an infeasible result for JSON; nothing of a feasible one."""
    if result.termination != "infeasible":
        return {}
    return {"remedies": [{"number": one.number, "way": one.way[0], "changes": one.changes} for one in result.remedies]}


def relaxed_limits(console: Console, results: Results) -> None:
    """Print relaxations of an infeasible policy, called least if that is proven, and the policies that would do."""
    frame = results.tables["relaxed_limits"]
    if results.infeasible_by_t is not None:
        amount = format_tonnes(results.infeasible_by_t)
        console.print(
            Text(_("No allocation meets every limit: infeasible by at least {amount} t in total.\n", amount=amount))
        )
    proven = any(level.name == "target_relaxation" and level.certified for level in results.levels)
    of_targets = (
        _("Least relaxation of targets and balances, bands kept")
        if proven
        else _("Relaxation of targets and balances, bands kept (not proven to be the least)")
    )
    titles = {
        "alone": _("Infeasible even without the other limits"),
        "target_relaxation": of_targets,
        "band_relaxation": _("Relaxation of bands and balances, targets kept (not proven to be the least)"),
    }
    for way, title in titles.items():
        rows = frame[frame["way_out"] == way]
        if rows.empty:
            continue
        table = new_table(title, _("limit"), _("relax by"), _("from"), _("to"), _("unit"))
        ordered = rows.sort_values("limit", key=lambda limits: limits != "band", kind="stable")
        for row in ordered.head(ROWS_SHOWN).to_dict("records"):
            form = format_tonnes if row["unit"] == "t" else format_rate
            name = f"{_(LIMIT_IN_WORDS[row['limit']], of=word('index', row['index']))}".strip()
            table.add_row(
                *map(
                    Text, (name, form(row["by"]), form(row["from"]), form(row["to"]), "t" if row["unit"] == "t" else "")
                )
            )
        console.print(table)
        if len(rows) > ROWS_SHOWN:
            console.print(
                Text(_("{count} more in the table `relaxed_limits` of the run.\n", count=len(rows) - ROWS_SHOWN))
            )
    if results.held is not None and (remedies := results.remedies):
        console.print(Text(_("Policies that would do, each solved by --apply-remedy and its number:\n")))
        for remedy in remedies:
            way = _("{label}: {value}", label=remedy.way, value=remedy.text)
            console.print(Text(f" {remedy.number}. {way}"))
        console.print()
