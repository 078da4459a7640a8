"""The program of a user's own model on a terminal: what is proven of it, and rows that conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table
from etsopt.language import _, joined
from etsopt.results.claims import is_program

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from etsopt.results.results import Results

ROWS_SHOWN = 8


def program(console: Console, results: Results) -> None:
    """Print what is proven of a program, or the rows that no point keeps."""
    if results.certified:
        console.print(Text(proven(results.status)))
    if "conflict" in results.tables:
        _conflict(console, results.tables["conflict"], bool(results.provenance.get("conflict_is_least")))


def proven(status: str) -> str:
    """Return what is proven of a program."""
    if status == "certified_program":
        return _(
            "Every row, bound and whole number of the program was recomputed. No point that keeps them, and earlier "
            "objectives at least as well, has an objective below its value minus the gap. That it says what you mean "
            "was not checked."
        )
    return _(
        "No point keeps every row and bound of the program: recomputed. That it says what you mean was not checked."
    )


def unchecked(results: Results) -> str:
    """Return why nothing of a result was checked."""
    if not is_program(results):
        return _("The checker does not support this model: nothing was checked.")
    text = _("Nothing was checked: a check runs no file that a run names. Name that of the model: --model {model}")
    return _(text, model=results.provenance["model"])


def _ends(bounds: pd.DataFrame) -> list[str]:
    """Return bounds of variables in signs."""
    return [
        f"{row['name']}[{row['position']}] {sign} {row[end]:.10g}"
        for row in bounds.to_dict("records")
        for sign, end in (("≥", "lower"), ("≤", "upper"))
        if np.isfinite(row[end])
    ]


def _conflict(console: Console, table: pd.DataFrame, least: bool) -> None:
    rows, bounds = table[table["part"] == "row"], table[table["part"] == "bound"]
    if not len(rows):
        named = _ends(bounds.head(1))
        console.print(Text(_("A variable has no value between its bounds: {named}.\n", named=joined(named))))
        return
    if least:
        console.print(Text(_("Without any one of these rows the others have a solution, according to the solver:")))
    else:
        console.print(Text(_("These rows conflict; perhaps not all of them are needed for it:")))
    # Many rows of a component are shown by their first.
    many = len(rows) > ROWS_SHOWN
    counts = rows["name"].value_counts()
    shown = new_table(_("Rows that conflict"), _("row"), _("at least"), _("at most"), *([_("rows")] if many else []))
    for row in (rows.drop_duplicates("name") if many else rows).to_dict("records"):
        ends = (f"{row[end]:.10g}" if np.isfinite(row[end]) else "-" for end in ("lower", "upper"))
        alike = [f"{counts[row['name']]:,}"] if many else []
        shown.add_row(*map(Text, (f"{row['name']}[{row['position']}]", *ends, *alike)))
    console.print(shown)
    if many:
        console.print(Text(_("{count:,} rows in all, in the table {table}.\n", count=len(rows), table="conflict")))
    if len(bounds):
        named = _ends(bounds.head(3))
        text = _(
            "Bounds of variables that hold beside them: {count:,}, such as {named}.\n",
            count=len(bounds),
            named=joined(named),
        )
        console.print(Text(text))
