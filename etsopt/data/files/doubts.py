"""What is probably a slip in a person's own table of units: refused where an answer would be wrong, else told."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.consistency import PAIR
from etsopt.data.messages import nearest
from etsopt.data.tables.chinese import ENTERPRISE_NAMES
from etsopt.data.tables.headings import heading_of
from etsopt.data.tables.provinces import SHORT
from etsopt.data.tables.schema import PLAUSIBLE_INTENSITY, UNITS
from etsopt.errors import Problem, brief
from etsopt.wording import listed, literal, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Table

TOTAL = re.compile(r"(sub|grand )?totals?\b.*|sums?|合计|小计|总计|.*(合计|小计|总计)", re.IGNORECASE)
"""Names of rows that add up others."""

IDENTIFYING = frozenset(("unit_id", "enterprise_id", "name"))
FAR = 3.0
"""Ratio of intensities from which one of them is probably a slip: sectors spread by less than a factor of two."""

SHOWN = 5


def without_totals(raw: RawTable, table: Table) -> tuple[RawTable, list[Problem]]:
    """Return a table without its rows of totals, of which no cell is worth a problem of its own, and their problem.

    The word for a total stands in a column that identifies the row, or in any other of a row that nothing identifies.
    """
    columns = {heading: heading_of(heading, table, of_people=True).column for heading in raw.columns}
    names = [heading for heading, column in columns.items() if column in IDENTIFYING or heading in ENTERPRISE_NAMES]
    nameless = np.ones(len(raw.rows), dtype=bool)
    for heading in names:
        nameless &= np.array([not str(cell).strip() for cell in raw.columns[heading]], dtype=bool)
    found: dict[int, str] = {}
    for heading, cells in raw.columns.items():
        for at in np.flatnonzero(nameless | (heading in names)).tolist():
            if TOTAL.fullmatch(str(cells[at]).strip()):
                found.setdefault(at, heading)
    if not found:
        return raw, []
    total = sorted(found)
    shown = tuple((_label(raw, found[at], at), str(raw.columns[found[at]][at])) for at in total)
    which = _listed(raw.rows[total])
    if len(total) > 1:
        what = message("{count} rows look like totals", count=len(total))
        advice = message("Delete rows {rows}: their units would count twice.", rows=which)
    else:
        what = "1 row looks like a total"
        advice = message("Delete row {row}: its units would count twice.", row=which)
    headings = {columns[heading] or heading for heading in found.values()}
    kept = np.setdiff1d(np.arange(len(raw.rows)), total)
    rest = replace(raw, columns={name: cells[kept] for name, cells in raw.columns.items()}, rows=raw.rows[kept])
    return rest, [Problem(raw.place, what, advice, headings.pop() if len(headings) == 1 else "", shown)]


def problems_of_percent(raw: RawTable) -> list[Problem]:
    """Return the problems of fractions under a heading in percent."""
    problems = []
    for heading, cells in raw.columns.items():
        column, unit = heading_of(heading, UNITS, of_people=True)
        if unit in ("%", "％", "percent"):
            numbers = [float(cell) for cell in cells if _is_number(cell) and float(cell)]
            if numbers and max(map(abs, numbers)) <= 1:
                what = "no number under a heading in percent is above 1"
                advice = "Write 35 for 35 %; if the cells are formatted as percentages, remove (%) from the heading."
                problems.append(Problem(raw.place, what, advice, column, ((raw.label_of(heading), heading),)))
    return problems


def _label(raw: RawTable, heading: str, at: int) -> str:
    letter = raw.letters.get(heading, "")
    return f"cell {letter}{raw.rows[at]}" if letter else str(raw.rows[at])


def _is_number(cell: object) -> bool:
    try:
        return bool(np.isfinite(float(str(cell))))
    except ValueError:
        return False


MEASURED = (*PAIR, "output_t", "emissions_tco2e")
"""Columns of which an intensity is made."""


def _columns_in(raw: RawTable) -> str:
    """Return the headings of these columns, each with its first cell in a sheet."""
    named = [heading for heading in raw.columns if heading_of(heading, UNITS, of_people=True).column in MEASURED]
    first = [
        message("{heading} from cell {cell} on", heading=heading, cell=f"{raw.letters[heading]}{raw.rows[0]}")
        if heading in raw.letters
        else heading
        for heading in named
    ]
    return listed(first, "{first}, {second}")


def notes_of(instance: Instance, raw: RawTable) -> Iterator[str]:
    """Yield sentences on figures far from those of other units, and on provinces that are none."""
    place = raw.place
    names, emissions = instance.units["unit_id"].to_numpy(), instance.units["emissions_tco2e"].to_numpy(dtype=float)
    intensity = instance.intensity
    idle = (emissions == 0) & np.isfinite(intensity)
    if idle.any():
        yield message("{place}: output but no emissions at {listed}.", place=place, listed=_listed(names[idle]))
    unusual = []
    for sector in instance.sectors:
        here = instance.labels("sector").where(sector) & (intensity > 0)
        if not here.any():
            continue
        middle, usual = float(np.median(intensity[here])), PLAUSIBLE_INTENSITY[sector]
        if not usual / FAR < middle < usual * FAR:
            unusual.append(
                message(
                    "the intensity of {sector} is about {middle:.3g}, usually {usual:g}",
                    sector=literal(sector),
                    middle=middle,
                    usual=usual,
                )
            )
        far = here & ((intensity > FAR * middle) | (intensity < middle / FAR))
        if far.any():
            yield message(
                "{place}: intensities far from the others of {sector}, {middle:.3g}, at {listed}.",
                place=place,
                sector=literal(sector),
                middle=middle,
                listed=_listed(names[far]),
            )
    unknown = [name for name in instance.provinces if name not in SHORT]
    if unusual:
        yield message(
            "{place}: {unusual}. Check the units of measure: {columns_in}.",
            place=place,
            unusual=listed(unusual, "{first}; {second}"),
            columns_in=_columns_in(raw),
        )
    if 0 < len(unknown) < len(instance.provinces):
        which = _listed(np.array([brief(name) for name in unknown], dtype=object))
        one, several = "{place}: {which} is no province of China.", "{place}: {which} are no provinces of China."
        note = message(one if len(unknown) == 1 else several, place=place, which=which)
        guess = nearest(unknown[0], SHORT) or _of_one_sign(unknown[0])
        yield message("{note} Did you mean {name!r}?", note=note, name=guess) if guess else note


def _of_one_sign(name: str) -> str:
    """Return the only province whose short Chinese name shares a sign with a Chinese name of its length, if any."""
    alike = [short for short in SHORT.values() if len(short) == len(name) and any(map(str.__eq__, short, name))]
    return alike[0] if len(alike) == 1 else ""


def _listed(names: NDArray[Any]) -> str:
    shown = ", ".join(map(str, names[:SHOWN]))
    return message("{shown} and {count} more", shown=shown, count=len(names) - SHOWN) if len(names) > SHOWN else shown
