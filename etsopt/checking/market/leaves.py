"""Check leaves that prove the least cost of whole plans: they cover every choice, and each has its own bound.

A leaf fixes, by branchings, some measures of units in some years to run or not. Leaves cover every choice if they are
those of a tree: each node branches on one unit, measure and year, and both branches lead on. The optimum lies in a
leaf, so no answer costs less than the least of their bounds. A leaf may prove instead that the market cannot clear
there, or that a unit has no plan left; such a leaf is empty. This module searches and solves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.checking.cells import are_whole
from etsopt.checking.market.restricted import Branching
from etsopt.checking.theorem import MARKET
from etsopt.checking.verdict import Violation
from etsopt.common.language import _, chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.instance_inputs import InstanceInputs

LEAVES = "leaves"
COLUMNS = MARKET[LEAVES]


class Leaf(NamedTuple):
    """Branchings of a leaf, and the objective of the multipliers that prove it, empty if a unit has no plan left."""

    level: str
    branchings: tuple[Branching, ...]


def read_leaves(
    instance: InstanceInputs, baseline: Baseline, offered: Choices, table: pd.DataFrame | None
) -> tuple[list[Leaf], list[Violation]]:
    """Read the leaves in the order of the table; without a table there are none."""
    if table is None:
        return [], []
    violations = _shape(table, [name for name in COLUMNS if name != "step" or offered.in_steps])
    if violations:
        return [], violations
    unit = pd.Index(instance.units["unit_id"]).get_indexer(table["unit_id"])
    slot = offered.slots_in(table, unit)
    year = pd.Index(baseline.years.astype(float)).get_indexer(table["year"].to_numpy(dtype=float))
    leaf, place = (table[name].to_numpy(dtype=float) for name in ("leaf", "place"))
    runs, level = table["runs"].to_numpy(dtype=object), table["level"].fillna("").to_numpy()
    first = np.diff(leaf, prepend=0.0) != 0
    begins = np.maximum.accumulate(np.where(first, np.arange(len(leaf)), 0))
    in_order = leaf == np.cumsum(first)
    in_order &= (place == np.arange(len(leaf)) - begins + 1) & (level == level[begins])
    for bad, message in (
        ((unit < 0) | (slot < 0) | (year < 0), _("a leaf branches on measures on offer, in years of the horizon")),
        (~np.isin(runs, (0.0, 1.0)), _("runs is 0 or 1")),
        (~in_order, _("leaves and their places are numbered from one on, and a leaf has one level")),
    ):
        violations += [Violation(LEAVES, str(int(row) + 1), 1.0, "rows", message) for row in np.flatnonzero(bad)[:1]]
    if violations:
        return [], violations
    branchings = [
        Branching(*one) for one in zip(unit.tolist(), year.tolist(), slot.tolist(), (runs > 0).tolist(), strict=True)
    ]
    ends = [*np.flatnonzero(first)[1:].tolist(), len(branchings)]
    leaves = [
        Leaf(str(level[start]), tuple(branchings[start:end]))
        for start, end in zip(np.flatnonzero(first).tolist(), ends, strict=True)
    ]
    if not cover(leaves):
        violations.append(Violation(LEAVES, "", 1.0, "trees", _("leaves cover every choice")))
    return leaves, violations


def _shape(table: pd.DataFrame, columns: list[str]) -> list[Violation]:
    """Return the violations of the table's shape."""
    if list(table.columns) != columns or not len(table):
        listed = chain(columns, _("{first}, {second}"))
        message = _("the table has rows, and the columns {columns}", columns=listed)
        return [Violation(LEAVES, "", 1.0, "tables", message)]
    # Whether a measure runs is no boolean here but 0 or 1, which is seen row by row.
    return are_whole({LEAVES: table}, {LEAVES: columns[:-1]})


def cover(leaves: Sequence[Leaf]) -> bool:
    """Return True if the leaves are those of a tree that branches on one unit, year and slot at each node.

    >>> one = Branching(0, 0, 0, True)
    >>> cover([Leaf("", (one,)), Leaf("", (one._replace(runs=False),))])
    True
    >>> cover([Leaf("", (one,))])
    False
    """
    waiting = [([leaf.branchings for leaf in leaves], 0)]
    while waiting:
        node, depth = waiting.pop()
        if len(node) == 1 and len(node[0]) == depth:
            continue
        asked = {branchings[depth][:3] if len(branchings) > depth else None for branchings in node}
        if len(asked) != 1 or None in asked:
            return False
        for runs in (True, False):
            part = [branchings for branchings in node if branchings[depth].runs == runs]
            if not part:
                return False
            waiting.append((part, depth + 1))
    return True
