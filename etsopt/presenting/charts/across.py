"""Lines of designs across upright axes, in groups that are drawn alike, and the classes of a number."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.common.language import _, in_chinese
from etsopt.presenting.charts.chart import RULE, SHADES, Panel, Series, Style
from etsopt.presenting.charts.texts import array_of, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from etsopt.presenting.charts.designs import Axis

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

MOST_LINES, MOST_CHARACTERS = 400, 20
"""Lines of a group, of which the first are drawn, and characters of a line of text below an axis."""


class Group(NamedTuple):
    """Designs that are drawn alike: their name, which they are, and their colour and style."""

    name: str
    which: Mask
    colour: str
    style: Style = "thin"


def classes(values: Floats) -> Iterator[tuple[str, Mask, str]]:
    """Yield the name, the members and the colour of each class of values, whose ends are round numbers."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return
    low, high, most = float(finite.min()), float(finite.max()), len(SHADES)
    step = _step((high - low) / most, low, high, most)
    first = math.floor(low / step + 1e-9)
    place = np.clip(np.floor(values / step + 1e-9) - first, 0, most - 1)
    # A value at the upper end belongs to the class below it.
    count = max(1, math.ceil(high / step - 1e-9) - first)
    place = np.where(np.isfinite(values), np.minimum(place, count - 1), -1)
    for number in range(count):
        ends = ((first + number) * step, (first + number + 1) * step)
        name = str(_("{low} to {high}", low=short(ends[0]), high=short(ends[1])))
        if (place == number).any():
            shade = SHADES[round(number * (most - 1) / max(1, count - 1))] if count > 1 else SHADES[most // 2]
            yield name, place == number, shade


def _step(least: float, low: float, high: float, most: int) -> float:
    """Return the least round step from which so many classes reach from end to end."""
    if not least > 0:
        return abs(low) or 1.0
    size = 10.0 ** math.floor(math.log10(least))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = factor * size
        if math.ceil(high / step - 1e-9) - math.floor(low / step + 1e-9) <= most:
            return step
    return 50 * size


def across(title: str, axes: Sequence[Axis], groups: Sequence[Group]) -> Panel:
    """Return a line for each design of some groups across upright axes; each runs from its least to its largest."""
    places = np.array([_unit_place(axis) for axis in axes])
    ends, ticks = np.arange(len(axes), dtype=float), []
    for at, axis in enumerate(axes):
        steps = axis.steps()
        first, last = (axis.text(steps[end]) if len(steps) else "–" for end in (0, -1))
        words = textwrap.fill(axis.label, MOST_CHARACTERS // (2 if in_chinese() else 1))
        reach = _("{low} to {high}", low=first, high=last)
        ticks.append((float(at), f"{words}\n{reach}"))
    upright = np.tile([0.0, 1.0, np.nan], len(axes))
    series = [Series("line", "", np.repeat(ends, 3), upright, RULE, style="plain")]
    for group in groups:
        rows = np.flatnonzero(group.which)[:MOST_LINES]
        if len(rows):
            x = np.tile(np.append(ends, np.nan), len(rows))
            y = np.column_stack([places[:, rows].T, np.full(len(rows), np.nan)]).ravel()
            labels = array_of(text for row in rows for text in (*(axis.phrase(axis.places[row]) for axis in axes), ""))
            series.append(Series("line", group.name, x, y, group.colour, labels, style=group.style))
    y_ticks = ((0.0, str(_("least"))), (1.0, str(_("largest"))))
    return Panel(
        title,
        "",
        "",
        tuple(series),
        x_limits=(-0.5, len(axes) - 0.5),
        y_limits=(-0.05, 1.05),
        x_ticks=tuple(ticks),
        y_ticks=y_ticks,
        wide=True,
    )


def _unit_place(axis: Axis) -> Floats:
    """Return the places on an axis from 0 to 1; all in the middle if they are the same."""
    steps = axis.steps()
    if len(steps) < 2:
        return np.where(np.isfinite(axis.places), 0.5, np.nan)
    found: Floats = (axis.places - steps[0]) / (steps[-1] - steps[0])
    return found
