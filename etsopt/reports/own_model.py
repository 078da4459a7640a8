"""Sections of a model of the user's own: what its file says of it, its tables, and rows that conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, in_brackets, joined, pgettext
from etsopt.data.messages import counted
from etsopt.presenting.documents.columns import table_of
from etsopt.presenting.documents.document import Column, Paragraph, Section, Table
from etsopt.presenting.documents.quantities import COUNT, DIGITS
from etsopt.running.results.claims import PROGRAM
from etsopt.running.results.words import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.common.provenance import Component
    from etsopt.presenting.documents.document import Block
    from etsopt.reports.run import Run

KINDS = (
    *(pgettext("kind", "Set"), pgettext("kind", "Param"), pgettext("kind", "Var"), pgettext("kind", "Expression")),
    *(pgettext("kind", "Constraint"), pgettext("kind", "Objective")),
)
"""Components of a formulation."""

PREVIEW = 10
"""Rows of each table of a user's own model."""


FEW_ROWS = 8
"""Rows that conflict, from which on those of a component are shown by the first."""


def own_model(run: Run) -> Iterator[Section]:
    """Yield the first rows of each table of a model that the checker does not know."""
    if components := run.about.formulation:
        yield Section("formulation", _("Formulation"), (_formulation(components),))
    if run.results.termination == "infeasible" and not run.tables:
        yield Section("conflict", _("No solution"), (Paragraph(NO_SOLUTION),))
    if "conflict" in run.tables:
        yield Section("conflict", _("Rows that conflict"), tuple(_conflict(run)))
    shown = []
    own = {name: table for name, table in run.tables.items() if not name.startswith((PROGRAM, "conflict"))}
    for name, table in own.items():
        note = _("{shown} of {count:,} rows.", shown=min(len(table), PREVIEW), count=len(table))
        columns = [str(column) for column in table]
        shown.append(table_of(table.head(PREVIEW), columns, TABLES.get(name, name), note=note))
    if shown:
        rows = {name: counted(len(table), _("row"), _("rows")) for name, table in own.items()}
        listed = _("Tables: {listed}.", listed=joined(name + in_brackets(count) for name, count in rows.items()))
        yield Section("tables", _("Tables"), (Paragraph(listed), *shown))


def _formulation(components: list[Component]) -> Table:
    """Return the components of a user's own model with what their ``doc`` says."""
    rows = [(pgettext("kind", one.kind), one.name, one.doc) for one in components]
    heads = (_("kind"), _("name"), _("meaning"))
    caption = _("What the file says of its components")
    return Table(caption, tuple(Column(head) for head in heads), tuple(rows))


NO_SOLUTION = _(
    "The model has no solution on this instance: its constraints and bounds contradict each other. The solver does "
    "not report which.\nGive a constraint a slack variable with a cost in the objective to see its infeasibility."
)


def _conflict(run: Run) -> Iterator[Block]:
    """Yield the rows and bounds of a program that no point keeps."""
    table = run.tables["conflict"]
    rows, bounds = table[table["part"] == "row"], table[table["part"] == "bound"]
    if not len(rows):
        yield Paragraph(_("A variable has no value between its bounds: {named}.", named=_ends(bounds.head(1))))
        return
    if run.about.conflict_is_least:
        yield Paragraph(_("Without any one of these rows the others have a solution, according to the solver:"))
    else:
        yield Paragraph(_("These rows conflict; perhaps not all of them are needed for it:"))
    # Many rows of a component are shown by their first.
    many = len(rows) > FEW_ROWS
    counts = rows["name"].value_counts()
    columns = [Column(_("row")), Column(_("at least"), DIGITS, 1), Column(_("at most"), DIGITS, 1)]
    columns += [Column(_("rows"), COUNT, 1)] if many else []
    cells = [
        (f"{row['name']}[{row['position']}]", row["lower"], row["upper"], *([counts[row["name"]]] if many else []))
        for row in (rows.drop_duplicates("name") if many else rows).to_dict("records")
    ]
    note = _("{count:,} rows in all, in the table {table}.", count=len(rows), table="conflict") if many else ""
    yield Table(_("Rows that conflict"), tuple(columns), tuple(cells), note=note)
    if len(bounds):
        text = _("Bounds of variables that hold beside them: {count:,}, such as {named}.")
        yield Paragraph(_(text, count=len(bounds), named=_ends(bounds.head(3))))


def _ends(bounds: pd.DataFrame) -> str:
    """Return bounds of variables in signs."""
    return joined(
        f"{row['name']}[{row['position']}] {sign} {row[end]:.10g}"
        for row in bounds.to_dict("records")
        for sign, end in (("≥", "lower"), ("≤", "upper"))
        if np.isfinite(row[end])
    )
