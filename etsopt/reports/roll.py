"""The step to the next year: its balance, and what was assumed, added and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.language import _
from etsopt.common.units import format_tonnes
from etsopt.presenting.documents.document import Column, Document, Points, Section, Table
from etsopt.presenting.documents.quantities import WHOLE_TONNES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.running.roll import NextYear

NAMES_SHOWN = 8

LINES = {
    "opening_t": _("opening"),
    "issued_t": _("+ issued"),
    "bought_t": _("+ bought"),
    "carried_over_t": _("+ carried over"),
    "surrendered_t": _("= surrendered"),
    "sold_t": _("+ sold"),
    "cancelled_t": _("+ cancelled"),
    "closing_t": _("+ closing"),
    "next_opening_t": _("opening, next year"),
}
"""Lines of the balance by the columns that they show."""


def readme(found: NextYear) -> str:
    """Return the README of the instance, whose first line separates what was observed or solved from assumptions."""
    year = found.instance.policy.year
    units = (
        f"assumed: emissions and output of {year} equal to those of {year - 1}"
        if found.forecast
        else f"as given, not examined: the units of {year}"
    )
    lines = [f"From the compliance year {year - 1}: holdings, deductions and prior emissions; {units}.", ""]
    lines += ["Made by `etsopt roll`, which checked the balance by enterprise and vintage to the tonne.", ""]
    return "\n".join([*lines, *(f"- {line}" for line in _sentences(found))]) + "\n"


def rolled(found: NextYear) -> Document:
    """Return the balance by vintage and in total, and the differences between the years."""
    year, total = found.instance.policy.year, found.total
    caption = _("Allowances of {year} by vintage [t]", year=year - 1)
    amounts = WHOLE_TONNES._replace(unit="")
    heads = (*map(str, found.balance["vintage"]), _("total"))
    columns = (Column(""), *(Column(head, amounts, 1) for head in heads))
    rows = tuple((label, *found.balance[name], total[name]) for name, label in LINES.items())
    title = _("Balance of the years")
    blocks = (Table(caption, columns, rows), Points(tuple(_sentences(found))))
    return Document(caption, "", "", sections=(Section("balance", title, blocks),))


def _sentences(found: NextYear) -> Iterator[str]:
    """Yield a sentence on the units, on what is deducted and outstanding, and every note."""
    year, changes = found.instance.policy.year, found.units
    if found.forecast:
        yield _("Emissions and output of {year}: forecast, equal to this year's ({last}).", year=year, last=year - 1)
    else:
        yield _("Emissions and output of {year} are those of the stated units.", year=year)
    yield _("Prices and amounts that the policy states without a year stay those of {year}.", year=year - 1)
    left = _("Units of {year} that are missing in {following}", year=year - 1, following=year)
    if found.forecast:
        left = _("Closed, so left out")
    others = ((_("New units"), changes.new), (_("New owner"), changes.other_owner))
    for what, names in ((left, changes.left_out), *others):
        if names:
            yield _("{what}: {names}.", what=what, names=_listed(names))
    enterprises = found.instance.enterprises
    for column, what in (
        ("deduction_t", _("Deducted from the allowances of {year}", year=year)),
        ("outstanding_t", _("Obligations outstanding in {year}", year=year)),
    ):
        if enterprises is not None and column in enterprises:
            due = enterprises[enterprises[column] > 0]
            parts = [f"{row.enterprise_id} {format_tonnes(getattr(row, column))} t" for row in due.itertuples()]
            total = format_tonnes(due[column].sum())
            yield _("{what}: {total} t ({parts}).", what=what, total=total, parts=_listed(parts))
    yield from found.notes


def _listed(names: Sequence[str]) -> str:
    """Return the first names, and the number of others."""
    shown = ", ".join(names[:NAMES_SHOWN])
    hidden = len(names) - NAMES_SHOWN
    return _("{names} and {count} more", names=shown, count=hidden) if hidden > 0 else shown
