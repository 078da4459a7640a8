"""Charts of designs by their keys: a line along one, a map of two to four, and lines across the axes of more."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.presenting.charts.across import Group, across, classes
from etsopt.presenting.charts.chart import CHOSEN, OTHER, RULE, Chart, Panel, Series
from etsopt.presenting.charts.designs import Axis
from etsopt.presenting.charts.texts import array_of, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.presenting.charts.designs import Designs

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

MOST_ON_MAP, MOST_BLOCKS, FEW_BLOCKS = 4, 12, 4
"""Keys of a map, its blocks, which are combinations of the values of all but two keys, and those beside each other
below which the words of the key have room."""

MOST_PRINTED, CELL_DIGITS, MOST_PANELS = 240, 3, 4
"""Cells of a map that have their value printed, its digits, and places along one key that are drawn."""

INFEASIBLE, NO_ANSWER = _("infeasible, proven"), _("without a proven answer")


def by_keys(key: str, title: str, parts: Mapping[str, Designs]) -> Chart:
    """Return the chart that suits the number of keys: how a number depends on them, and which matters most.

    Parameters
    ----------
    key
        Kind of the chart.
    title
        What the number is of; what was found follows it.
    parts
        The same designs with the number of each place, such as a sector, the one that moves most first. Along one key
        each has a panel; of more keys the first alone is drawn.
    """
    place, first = next(iter(parts.items()))
    words = str(_("{name}: {text}", name=title, text=first.finding))
    if len(first.axes) < 2:
        panel = _by_text if first.axes[0].texts else _along
        return Chart(key, words, tuple(panel(name, one) for name, one in list(parts.items())[:MOST_PANELS]))
    order = _order_on_map(first)
    drawn = _map(place, first, order) if order else _across(place, first)
    return Chart(key, words, (drawn, effects(first)))


def _order_on_map(designs: Designs) -> list[int]:
    """Return the keys of a map: the two of its cells, then those of its blocks; none if it would have too many."""
    if not designs.grid or len(designs.axes) > MOST_ON_MAP:
        return []
    # Keys that move the number most are those of the cells, unless the others have too many values for blocks.
    of_values = sorted(designs.order, key=lambda at: -len(designs.axes[at].steps()))
    cells = {*of_values[:2]}
    inside_first = sorted(designs.order, key=lambda at: at not in cells)
    for order in (designs.order, inside_first):
        if math.prod(len(designs.axes[at].steps()) for at in order[2:]) <= MOST_BLOCKS:
            return order
    return []


def effects(designs: Designs) -> Panel:
    """Return how far each key moves the number, the most at the top."""
    order = designs.order[::-1]
    names = array_of(designs.axes[at].words for at in order)
    divisor, label = designs.scale if designs.grid else (1.0, str(_("rank correlation, without its sign")))
    series = Series("bars", "", designs.effects[order] / divisor, names, CHOSEN)
    return Panel(str(_("How far each key moves it")), label, "", (series,), horizontal=True)


def _by_text(place: str, designs: Designs) -> Panel:
    """Return a number by the texts of one key, the first at the top, hatched where there is no answer."""
    axis, (divisor, label) = designs.axes[0], designs.scale
    values, names = designs.values[::-1] / divisor, array_of(axis.text(one) for one in axis.places[::-1])
    answered, infeasible = np.isfinite(values), designs.infeasible[::-1]
    low, high = _ends(values[answered])
    series = [Series("points", "", values[answered], names[answered], CHOSEN)]
    if infeasible.any():
        length, base = (np.full(int(infeasible.sum()), one) for one in (high - low, low))
        series.append(Series("bars", str(INFEASIBLE), length, names[infeasible], RULE, style="hatched", base=base))
    return Panel(place, label, "", tuple(series), horizontal=True, x_limits=(low, high))


def _along(place: str, designs: Designs) -> Panel:
    """Return a number along one key of numbers, hatched where there is no answer."""
    axis, (divisor, label) = designs.axes[0], designs.scale
    order = np.argsort(axis.places, kind="stable")
    places, values, infeasible = axis.places[order], designs.values[order] / divisor, designs.infeasible[order]
    answered = np.isfinite(values)
    name = str(designs.number.words) if infeasible.any() else ""
    series = [Series("line" if designs.grid else "points", name, places[answered], values[answered], CHOSEN)]
    if not infeasible.any() or len(places) < 2:
        return Panel(place, axis.label, label, tuple(series))
    # Every value has the ground up to the middle between it and the next one.
    middles = (places[1:] + places[:-1]) / 2
    edges = np.concatenate([places[:1] - (middles[0] - places[0]), middles, places[-1:] + (places[-1] - middles[-1])])
    low, high = _ends(values[answered])
    middle, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)[infeasible]
    height, base = (np.full(len(widths), one) for one in (high - low, low))
    labels = array_of(axis.phrase(one) for one in places[infeasible])
    hatched = Series(
        "bars", str(INFEASIBLE), middle[infeasible], height, RULE, labels, style="hatched", widths=widths, base=base
    )
    ends = (float(edges[0]), float(edges[-1]))
    return Panel(place, axis.label, label, (hatched, *series), x_limits=ends, y_limits=(low, high))


def _ends(values: Floats) -> tuple[float, float]:
    """Return ends of an axis with room around values."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = 0.08 * (high - low) or abs(high) / 10 or 1.0
    return low - room, high + room


def _map(place: str, designs: Designs, order: list[int]) -> Panel:
    """Return a map of two keys as cells, in a block for each combination of the values of the others.

    The first key runs across the cells, the next one up, the third across the blocks, the fourth up the blocks.
    """
    steps = [designs.axes[at].steps() for at in order] + [np.zeros(1)] * (MOST_ON_MAP - len(order))
    found = [np.searchsorted(one, designs.axes[at].places) for at, one in zip(order, steps, strict=False)]
    found += [np.zeros(len(designs.values), dtype=np.int64)] * (MOST_ON_MAP - len(order))
    (across, up, block, row), (wide, high) = found, (len(steps[0]) + 1, len(steps[1]) + 1)
    x, y = (block * wide + across).astype(float), (row * high + up).astype(float)
    first, second, *others = (designs.axes[at] for at in order)
    blocks, rows = range(len(steps[2])), range(len(steps[3]))
    x_ticks = [(float(one * wide + at), first.text(value)) for one in blocks for at, value in enumerate(steps[0])]
    y_ticks = [(float(one * high + at), second.text(value)) for one in rows for at, value in enumerate(steps[1])]
    x_label, few = first.label, len(steps[2]) <= FEW_BLOCKS
    if others:
        x_ticks += [
            (column * wide + (wide - 2) / 2, f"\n{others[0].phrase(one) if few else others[0].text(one)}")
            for column, one in enumerate(steps[2])
        ]
        blocks_label = _("blocks: {key}", key=others[0].label)
        x_label = x_label if few else f"{x_label}\n{blocks_label}"
    if len(others) > 1:
        y_ticks += [(line * high + high - 1, others[1].phrase(one)) for line, one in enumerate(steps[3])]
    divisor, label = designs.scale
    title = f"{label}, {place}" if place else label
    x_end, y_end = len(steps[2]) * wide - 1.5, len(steps[3]) * high - (1.5 if len(others) < 2 else 0.5)
    series = tuple(_cells(designs, x, y, divisor))
    return Panel(
        title,
        x_label,
        second.label,
        series,
        x_limits=(-0.5, x_end),
        y_limits=(-0.5, y_end),
        x_ticks=_merged(x_ticks),
        y_ticks=tuple(y_ticks),
        wide=bool(others) or len(steps[0]) > MOST_BLOCKS,
    )


def _merged(ticks: Sequence[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """Return ticks in order, of which those at one place are one."""
    found: dict[float, str] = {}
    for place, text in ticks:
        found[place] = found.get(place, "") + text
    return tuple(sorted(found.items()))


def _cells(designs: Designs, x: Floats, y: Floats, divisor: float) -> Iterator[Series]:
    """Yield the cells of each class of values, those that are infeasible, and those without an answer."""
    names = designs.phrases()
    values = designs.values / divisor
    printed = len(values) <= MOST_PRINTED
    groups = [Group(name, which, colour, "marked") for name, which, colour in classes(values)]
    without = ~np.isfinite(values) & ~designs.infeasible
    groups.append(Group(str(INFEASIBLE), designs.infeasible, RULE, "hatched"))
    groups.append(Group(str(NO_ANSWER), without, OTHER, "hatched"))
    comma = str(_(", "))
    for group in groups:
        if not (count := int(group.which.sum())):
            continue
        shown = [short(one) if np.isfinite(one) else "" for one in values[group.which]]
        labels = array_of(
            f"{name}{comma}{text}" if text else name
            for name, text in zip(itertools.compress(names, group.which), shown, strict=True)
        )
        ones, texts = np.ones(count), array_of(short(one, CELL_DIGITS) for one in values[group.which])
        yield Series(
            "bars", group.name, x[group.which], ones, group.colour, labels, style=group.style, widths=ones,
            base=y[group.which] - 0.5, texts=texts if printed and group.style != "hatched" else None,
        )  # fmt: skip


def _across(place: str, designs: Designs) -> Panel:
    """Return a line for each design across the axes of all keys to the number, coloured by its class."""
    divisor, label = designs.scale
    # The key that moves the number most is beside it.
    outcome = Axis(str(designs.number.words), label.partition("[")[2].rstrip("]"), designs.values / divisor)
    groups = [Group(str(INFEASIBLE), designs.infeasible, RULE, "dashed")]
    groups += [Group(name, which, colour) for name, which, colour in classes(designs.values / divisor)]
    axes = [designs.axes[at] for at in designs.order[::-1]]
    title = _("each line is a scenario, coloured by {number}", number=label)
    return across(f"{title}, {place}" if place else str(title), [*axes, outcome], groups)
