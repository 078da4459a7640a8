"""Sets of the measures of a unit: how many there are, and which measures follow each other in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.measure_steps import step_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.groups import Groups

DEPENDENCY_COLUMNS = ("requires", "exclusive_group")
"""Columns that relate a measure to others."""

MOST_SETS = 4096
"""Largest number of sets of measures at a unit, because they are enumerated in every year: twelve measures, or more if
some are in exclusive groups, of which a set holds at most one each, or require each other:
`docs/decisions/0061-sets-of-measures.md`."""


def set_counts(measures: pd.DataFrame, groups: Groups) -> NDArray[np.float64]:
    """Return the number of sets of each unit's measures and steps.

    A set has at most one measure of an exclusive group, the first steps of a measure, and the first measures of a
    chain, in which each requires the one before.
    """
    steps = step_counts(measures)
    if (measures["requires"] != "").any():
        # Units with equal measures have equally many sets.
        columns = [measures[name].to_numpy() for name in ("measure_id", "stops", *DEPENDENCY_COLUMNS)]
        first, kind = distinct_groups(groups, row_codes([*columns, steps]))
        counts = [_sets_in_chains(measures.iloc[groups[unit]], steps[groups[unit]]) for unit in first.tolist()]
        return np.array(counts)[kind]
    code, names = pd.factorize(measures["exclusive_group"])
    unit, group = np.repeat(np.arange(len(groups)), np.diff(groups.starts)), code[groups.members]
    alone = (names == "")[group]
    pair, size = np.unique((unit * len(names) + group)[~alone], return_counts=True)
    # The logarithm holds any product, and is exact enough for the integers that matter.
    doublings = np.bincount(unit[alone], np.log2(1 + steps[groups.members[alone]]), len(groups)).astype(float)
    doublings += np.bincount(pair // len(names), np.log2(1 + size), len(groups))
    sets: NDArray[np.float64] = np.rint(np.exp2(np.minimum(doublings, 1000)))
    return sets


def _sets_in_chains(measures: pd.DataFrame, steps: NDArray[np.int64]) -> float:
    """Return the number of sets of the measures of one unit, in the order of their names."""
    place = {name: number for number, name in enumerate(measures["measure_id"])}
    requires = [[place[one] for one in text.split() if one in place] for text in measures["requires"]]
    group, stops = measures["exclusive_group"], (measures["stops"] == "yes").to_numpy()
    # The only measure of a group has no alternatives.
    alone = ((group == "") | ~group.duplicated(keep=False)).to_numpy()
    sizes = [int(steps[list(chain)].sum()) for chain in chains_of(requires, alone & ~stops)]
    sizes += steps[alone & stops].tolist()
    sizes += group[~alone].value_counts().tolist()
    return float(np.prod([1.0 + size for size in sizes]))


def chains_of(requires: Sequence[Sequence[int]], lasting: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Return chains of measures, each of which requires the one before it, so that a set has the first ones of a chain.

    Parameters
    ----------
    requires
        Places that each measure requires, without a cycle.
    lasting
        True for measures that run to the last year and have no alternatives; others are in no chain.

    >>> chains_of([[], [0], [1], [0]], np.ones(4, dtype=bool))
    [(0, 1, 2), (3,)]
    """
    follower: dict[int, int] = {}
    for place, required in enumerate(requires):
        before = [one for one in sorted(required) if lasting[one] and one not in follower]
        if lasting[place] and before:
            follower[before[0]] = place
    chains = []
    for place in np.flatnonzero(lasting).tolist():
        if place not in follower.values():
            chain = [place]
            while chain[-1] in follower:
                chain.append(follower[chain[-1]])
            chains.append(tuple(chain))
    return chains


def row_codes(columns: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Return a code for every row, the same for rows equal in all columns; consecutive from 0."""
    number = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        code, distinct = pd.factorize(column)
        number = pd.factorize(number * len(distinct) + code)[0].astype(np.int64)
    return number


def distinct_groups(groups: Groups, number: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first group of each kind and the kind of every group; groups of a kind have equal member codes."""
    count = np.diff(groups.starts)
    table = np.full((len(count), int(count.max())), -1, dtype=np.int64)
    table[np.arange(table.shape[1]) < count[:, None]] = number[groups.members]
    kind = row_codes(list(table.T))
    return np.flatnonzero(~pd.Series(kind).duplicated().to_numpy()), kind
