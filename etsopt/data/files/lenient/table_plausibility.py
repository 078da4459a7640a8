"""What is probably a slip in a person's own table of units: refused where an answer would be wrong, else told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import AssumedWarning, DoubtWarning, Problem, brief, warn
from etsopt.common.language import _, chain
from etsopt.data.consistency import PAIR
from etsopt.data.doubts import doubts_of, sentences_of
from etsopt.data.files.lenient.non_data_rows import is_number
from etsopt.data.messages import first_of, nearest
from etsopt.data.tables.headings import column_of, heading_of
from etsopt.data.tables.provinces import SHORT
from etsopt.data.tables.schema import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.data.instance import Instance
    from etsopt.data.tables.raw import RawTable

THRESHOLD_TCO2E = 26_000.0
"""Yearly emissions from which on an enterprise is in the system [tCO2e]; a few keep below it for a year."""


def problems_of_percent(raw: RawTable) -> list[Problem]:
    """Return the problems of fractions under a heading in percent."""
    problems = []
    for heading, cells in raw.columns.items():
        column, unit, _year = heading_of(heading, UNITS, informal=True)
        if unit in ("%", "％", "percent"):
            numbers = [float(cell) for cell in cells if is_number(cell) and float(cell)]
            if numbers and max(map(abs, numbers)) <= 1:
                what = _("no number under a heading in percent is above 1")
                advice = _("Write 35 for 35 %; if the cells are formatted as percentages, remove (%) from the heading.")
                problems.append(Problem(raw.place, what, advice, column, ((raw.label_of(heading), heading),)))
    return problems


MEASURED = (*PAIR, "output_t", "emissions_tco2e")
"""Columns of which an intensity is made."""


def columns_in(raw: RawTable) -> str:
    """Return the headings of these columns, each with its first cell in a sheet."""
    named = [heading for heading in raw.columns if column_of(heading, UNITS) in MEASURED]
    first = [
        _("{heading} from cell {letter}{row} on", heading=heading, letter=raw.letters[heading], row=raw.rows[0])
        if heading in raw.letters
        else heading
        for heading in named
    ]
    return chain(first, _("{first}, {second}"))


def doubted(instance: Instance, place: str, columns: str, notes: tuple[str, ...] = ()) -> Instance:
    """Return an instance with notes on its tables; warn of figures that are probably a slip."""
    of_tables = *_notes_of_threshold(instance, place, columns), *_notes_of_provinces(instance, place)
    for note in of_tables:
        warn(note, AssumedWarning)
    doubts = doubts_of(instance)
    for said in sentences_of(doubts, columns) if doubts else ():
        warn(_("{place}: {said}", place=place, said=said), DoubtWarning)
    if told := (*notes, *instance.assumed.get("tables", ()), *of_tables):
        return replace(instance, assumed={**instance.assumed, "tables": told})
    return instance


def _notes_of_provinces(instance: Instance, place: str) -> Iterator[str]:
    """Yield a sentence on provinces that are none beside provinces of China."""
    unknown = [name for name in instance.provinces if name not in SHORT]
    if 0 < len(unknown) < len(instance.provinces):
        which = first_of(np.array([brief(name) for name in unknown], dtype=object))
        one, several = _("{place}: {which} is no province of China."), _("{place}: {which} are no provinces of China.")
        note = _(one if len(unknown) == 1 else several, place=place, which=which)
        guess = nearest(unknown[0], SHORT) or _of_one_sign(unknown[0])
        yield _("{note} Did you mean {name!r}?", note=note, name=guess) if guess else note


def _notes_of_threshold(instance: Instance, place: str, columns: str) -> Iterator[str]:
    """Yield a sentence if every enterprise is below the threshold, as figures in 10,000 t are that are read as tonnes.

    Intensities do not tell: emissions and output are then too small by the same factor.
    """
    enterprises = instance.labels("enterprise_id")
    largest = float(enterprises.sums(instance.units["emissions_tco2e"].to_numpy(dtype=float)).max())
    rule = instance.policy.rule.parameters
    if instance.policy.follows_plan and 0 < largest < min(THRESHOLD_TCO2E, rule.get("threshold_tco2e", np.inf)):
        yield _(
            "{place}: every enterprise emits less than {threshold:,.0f} t, the largest {largest:,.0f} t, so that each "
            "gets its emissions. THE FIGURES MAY BE IN 10,000 t (万吨): if so, write that unit into the headings, such "
            "as {example}. Read are {columns_in}.",
            place=place,
            threshold=THRESHOLD_TCO2E,
            largest=largest,
            example="排放量（万吨）",
            columns_in=columns,
        )


def _of_one_sign(name: str) -> str:
    """Return the only province whose short Chinese name shares a sign with a Chinese name of its length, if any."""
    alike = [short for short in SHORT.values() if len(short) == len(name) and any(map(str.__eq__, short, name))]
    return alike[0] if len(alike) == 1 else ""
