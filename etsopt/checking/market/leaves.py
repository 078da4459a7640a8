"""Leaves that prove what whole plans cost at least: they cover every choice, and each has a bound of its own.

A leaf holds some units to running, or not running, a measure in a year. Leaves cover everything if a tree has them: at
each of its nodes the same unit, measure and year is asked for, and either answer leads on. What costs least lies in one
of them, so no answer costs less than the least of their bounds. A leaf may prove instead that the market cannot clear
there, or leave a unit no plan at all; nothing lies in such a leaf. No search is made and nothing is solved here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.checking.allocation.totals import wrong_with
from etsopt.checking.market.restricted import Held
from etsopt.checking.report import Violation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices
    from etsopt.data.instance import Instance

LEAVES = "leaves"
COLUMNS = ("leaf", "place", "level", "unit_id", "measure_id", "year", "runs")
NUMBERS = ("leaf", "place", "year", "runs")


class Leaf(NamedTuple):
    """What is held in a leaf, and the level whose multipliers prove it; empty where no plan is left to some unit."""

    level: str
    held: tuple[Held, ...]


def read_leaves(
    instance: Instance, found: Baseline, offered: Choices, table: pd.DataFrame | None
) -> tuple[list[Leaf], list[Violation]]:
    """Leaves in the order of the table; a market without one has a single leaf, in which nothing is held."""
    if table is None:
        return [], []
    broken = _shape(table)
    if broken:
        return [], broken
    unit = pd.Index(instance.units["unit_id"]).get_indexer(table["unit_id"])
    slot = offered.slot_of(np.maximum(unit, 0), pd.Index(offered.names).get_indexer(table["measure_id"]))
    year = pd.Index(found.years.astype(float)).get_indexer(table["year"].to_numpy(dtype=float))
    leaf, place = (table[name].to_numpy(dtype=float) for name in ("leaf", "place"))
    runs, level = table["runs"].to_numpy(dtype=float), table["level"].fillna("").to_numpy()
    first = np.diff(leaf, prepend=0.0) != 0
    begins = np.maximum.accumulate(np.where(first, np.arange(len(leaf)), 0))
    in_order = leaf == np.cumsum(first)
    in_order &= (place == np.arange(len(leaf)) - begins + 1) & (level == level[begins])
    for bad, message in (
        ((unit < 0) | (slot < 0) | (year < 0), "a leaf holds measures that are on offer, in years of the horizon"),
        (~np.isin(runs, (0.0, 1.0)), "a measure runs or does not"),
        (~in_order, "leaves and what they hold are numbered from one on, and a leaf has one level"),
    ):
        broken += [Violation(LEAVES, str(int(row) + 1), 1.0, "rows", message) for row in np.flatnonzero(bad)[:1]]
    if broken:
        return [], broken
    held = [Held(*one) for one in zip(unit.tolist(), year.tolist(), slot.tolist(), (runs > 0).tolist(), strict=True)]
    ends = [*np.flatnonzero(first)[1:].tolist(), len(held)]
    leaves = [
        Leaf(str(level[start]), tuple(held[start:end]))
        for start, end in zip(np.flatnonzero(first).tolist(), ends, strict=True)
    ]
    if not cover(leaves):
        broken.append(Violation(LEAVES, "", 1.0, "trees", "leaves cover every choice"))
    return leaves, broken


def _shape(table: pd.DataFrame) -> list[Violation]:
    """Columns of the table that are not as they must be."""
    if list(table.columns) != list(COLUMNS) or not len(table):
        return [Violation(LEAVES, "", 1.0, "tables", f"it has rows, and the columns {', '.join(COLUMNS)}")]
    return [
        Violation(LEAVES, name, 1.0, "columns", f"the column {wrong}")
        for name in COLUMNS
        if (wrong := wrong_with(table, name, name in NUMBERS))
    ]


def cover(leaves: Sequence[Leaf]) -> bool:
    """Whether leaves are those of a tree that asks for one unit, year and slot at each node.

    >>> one = Held(0, 0, 0, True)
    >>> cover([Leaf("", (one,)), Leaf("", (one._replace(runs=False),))])
    True
    >>> cover([Leaf("", (one,))])
    False
    """
    waiting = [([leaf.held for leaf in leaves], 0)]
    while waiting:
        here, depth = waiting.pop()
        if len(here) == 1 and len(here[0]) == depth:
            continue
        asked = {held[depth][:3] if len(held) > depth else None for held in here}
        if len(asked) != 1 or None in asked:
            return False
        for runs in (True, False):
            part = [held for held in here if held[depth].runs == runs]
            if not part:
                return False
            waiting.append((part, depth + 1))
    return True
