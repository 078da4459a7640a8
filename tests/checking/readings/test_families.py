"""Sets of exclusive groups and lines, against all sets looked at one by one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from etsopt.checking.readings.families import Family, SlotGroup
from tests.checking.market.small import choices_of

# Slots of each group, and of a line the measures that they are of.
GROUPS: list[tuple[tuple[int, ...] | tuple[tuple[int, ...], tuple[int, ...]], ...]] = [
    (),
    ((0,),),
    ((0,), (1,), (2,), (3,)),
    ((0, 1), (2,)),
    ((0, 2), (1,)),
    ((0, 3, 5), (1, 4), (2,)),
    ((0, 1, 2, 3, 4),),
    (((0, 1, 2), (0, 0, 0)), (3,)),
    (((2, 0, 1), (2, 0, 0)), (3, 4)),
    ((3,), ((0, 1, 2), (0, 1, 2))),
    (((0, 1, 4), (0, 0, 4)), ((2, 3), (2, 2))),
]


def groups_of(shape: tuple[Any, ...], stop: int) -> tuple[SlotGroup, ...]:
    """Every group whose number has the bit of `stop` is of measures that stop."""
    parts: list[Any] = [one if isinstance(one[0], tuple) else (one, ()) for one in shape]
    return tuple(SlotGroup(slots, measures, bool(stop >> number & 1)) for number, (slots, measures) in enumerate(parts))


def allowed(one: frozenset[int], groups: tuple[SlotGroup, ...]) -> bool:
    """At most one of a group; of a line, the first ones."""
    return all(
        [slot in one for slot in slots] == sorted((slot in one for slot in slots), reverse=True)
        if measures
        else len(one & set(slots)) <= 1
        for slots, measures, _ in groups
    )


def may_follow(one: frozenset[int], other: frozenset[int], groups: tuple[SlotGroup, ...]) -> bool:
    """All that does not stop stays, and of a measure one slot begins."""
    for slots, measures, stops in groups:
        if not stops and not one & set(slots) <= other:
            return False
        begun = [measure for slot, measure in zip(slots, measures, strict=False) if slot in other - one]
        if len(begun) > len(set(begun)):
            return False
    return True


def members(family: Family) -> list[frozenset[int]]:
    return [frozenset(np.flatnonzero(row).tolist()) for row in family.has]


@pytest.mark.parametrize("shape", GROUPS)
def test_a_family_has_every_set_that_its_groups_allow_once(shape: tuple[Any, ...]) -> None:
    groups = groups_of(shape, 0)
    slots = sum(len(group.slots) for group in groups)
    every = [frozenset(one) for size in range(slots + 1) for one in itertools.combinations(range(slots), size)]
    known = {one for one in every if allowed(one, groups)}
    family = Family(groups)
    found = members(family)
    assert len(found) == len(family) == len(known)
    assert set(found) == known
    assert found[0] == frozenset()


@pytest.mark.parametrize("stop", [0, 1, 2, 5])
@pytest.mark.parametrize("shape", GROUPS)
def test_products_sums_and_minima_are_those_of_each_set(shape: tuple[Any, ...], stop: int) -> None:
    groups = groups_of(shape, stop)
    family = Family(groups)
    sets, random = members(family), np.random.default_rng(len(groups))
    each, value = random.uniform(0.5, 2, (family.has.shape[1], 3)), random.normal(size=(len(family), 3))
    for join, known in ((np.multiply, np.prod), (np.add, np.sum)):
        by_hand = np.array([known(each[sorted(one)], axis=0) for one in sets])
        np.testing.assert_allclose(family.accumulate(each, join), by_hand, rtol=1e-14)
    ahead = [[number for number, other in enumerate(sets) if may_follow(one, other, groups)] for one in sets]
    assert [np.flatnonzero(row).tolist() for row in family.next(np.arange(len(family)))] == ahead
    least = value.copy()
    family.minimise_over_next(least)
    assert least.tolist() == [value[above].min(axis=0).tolist() for above in ahead]


def test_units_of_a_kind_have_the_same_slots_in_the_same_groups() -> None:
    offered = choices_of(
        code=np.array([[0, 1, 2], [3, 4, 5], [0, 2, -1], [-1, -1, -1], [0, 1, 2]]),
        group=np.array([[7, -1, 7], [0, 3, 0], [7, 7, -1], [-1, -1, -1], [7, 7, 7]]),
        stops=np.zeros((5, 3), dtype=bool),
        step=np.ones((5, 3), dtype=np.int64),
        steps=np.ones((5, 3), dtype=np.int64),
        required=np.full((5, 3, 1), -2),
    )
    kind, families = offered.kinds
    assert kind.tolist() == [0, 0, 1, 2, 3]
    slots = [[group.slots for group in family.groups] for family in families]
    assert slots == [[(0, 2), (1,)], [(0, 1)], [], [(0, 1, 2)]]


def test_a_line_is_of_steps_and_of_measures_that_require_each_other() -> None:
    # The first unit has a measure in three steps, one that requires it, and one that requires both; the second has the
    # same, but the second measure stops; at the third the required measure is of an exclusive group.
    offered = choices_of(
        code=np.array([[0, 0, 0, 1, 2]] * 3),
        step=np.array([[1, 2, 3, 1, 1]] * 2 + [[1, 1, 1, 1, 1]]),
        steps=np.array([[3, 3, 3, 1, 1]] * 2 + [[1, 1, 1, 1, 1]]),
        group=np.array([[-1] * 5] * 2 + [[5, 5, 5, -1, -1]]),
        stops=np.array([[False] * 5, [False, False, False, True, False], [False] * 5]),
        required=np.array([[[-2, -2]] * 3 + [[0, -2], [1, 0]]] * 3),
    )
    kind, families = offered.kinds
    assert kind.tolist() == [0, 1, 2]
    assert families[0].groups == (SlotGroup((0, 1, 2, 3, 4), (-1, -1, -1, 2, 3)),)
    assert families[1].groups == (SlotGroup((0, 1, 2, 4), (-1, -1, -1, 3)), SlotGroup((3,), (), True))
    assert families[2].groups == (SlotGroup((0, 1, 2)), SlotGroup((3, 4), (2, 3)))
