"""The step to the next year on a terminal: its balance, and what was assumed, added and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console
from etsopt.language import _
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from etsopt.running.roll import NextYear

NAMES_SHOWN = 8

LINES = (
    (_("opening"), "opening_t"),
    (_("+ issued"), "issued_t"),
    (_("+ bought"), "bought_t"),
    (_("+ carried over"), "carried_over_t"),
    (_("= surrendered"), "surrendered_t"),
    (_("+ sold"), "sold_t"),
    (_("+ cancelled"), "cancelled_t"),
    (_("+ closing"), "closing_t"),
    (_("opening, next year"), "next_opening_t"),
)


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
    return "\n".join([*lines, *(f"- {line}" for line in sentences(found))]) + "\n"


def content(found: NextYear, folder: Path) -> dict[str, Any]:
    """Return the balance, the units that differ and the notes as plain values for JSON."""
    return {
        "folder": str(folder),
        "year": found.instance.policy.year,
        "rule": found.instance.policy.rule.name,
        "hash": found.instance.hash,
        "balance": found.balance.to_dict("records"),
        "total": found.total,
        "forecast": found.forecast,
        "units": vars(found.units),
        "notes": found.notes,
    }


def rolled(found: NextYear, folder: Path) -> None:
    """Print the balance by vintage and in total, and the differences between the years."""
    console, year = plain_console(), found.instance.policy.year
    vintages = found.balance["vintage"].tolist()
    table = new_table(_("Allowances of {year} by vintage [t]", year=year - 1), "", *map(str, vintages), _("total"))
    total = found.total
    for label, column in LINES:
        cells = [*found.balance[column].tolist(), total[column]]
        table.add_row(Text(_(label)), *(Text(format_tonnes(float(cell))) for cell in cells))
    console.print(table)
    for line in sentences(found):
        console.print(Text(line))
    rule = found.instance.policy.rule.name
    console.print(Text(_("{year} written to {folder}, rule {rule}.", year=year, folder=folder, rule=rule)))


def sentences(found: NextYear) -> Iterator[str]:
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
            yield _("{what}: {names}.", what=what, names=listed(names))
    enterprises = found.instance.enterprises
    for column, what in (
        ("deduction_t", _("Deducted from the allowances of {year}", year=year)),
        ("outstanding_t", _("Obligations outstanding in {year}", year=year)),
    ):
        if enterprises is not None and column in enterprises:
            due = enterprises[enterprises[column] > 0]
            parts = [f"{row.enterprise_id} {format_tonnes(getattr(row, column))} t" for row in due.itertuples()]
            total = format_tonnes(due[column].sum())
            yield _("{what}: {total} t ({parts}).", what=what, total=total, parts=listed(parts))
    yield from found.notes


def listed(names: Sequence[str]) -> str:
    """Return the first names, and the number of others."""
    shown = ", ".join(names[:NAMES_SHOWN])
    hidden = len(names) - NAMES_SHOWN
    return _("{names} and {count} more", names=shown, count=hidden) if hidden > 0 else shown
