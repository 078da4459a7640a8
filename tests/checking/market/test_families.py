"""Sets without two measures of a group, against all sets looked at one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from etsopt.checking.market.families import Family
from tests.checking.market.small import choices_of

GROUPS: list[tuple[tuple[int, ...], ...]] = [
    (),
    ((0,),),
    ((0,), (1,), (2,), (3,)),
    ((0, 1), (2,)),
    ((0, 2), (1,)),
    ((0, 3, 5), (1, 4), (2,)),
    ((0, 1, 2, 3, 4),),
]


def members(family: Family) -> list[frozenset[int]]:
    return [frozenset(np.flatnonzero(row).tolist()) for row in family.has]


@pytest.mark.parametrize("groups", GROUPS)
def test_a_family_has_every_set_without_two_of_a_group_once(groups: tuple[tuple[int, ...], ...]) -> None:
    slots = sum(map(len, groups))
    every = [frozenset(one) for size in range(slots + 1) for one in itertools.combinations(range(slots), size)]
    known = {one for one in every if all(len(one & set(group)) <= 1 for group in groups)}
    family = Family(groups, (False,) * len(groups))
    found = members(family)
    assert len(found) == len(family) == len(known)
    assert set(found) == known
    assert found[0] == frozenset()


@pytest.mark.parametrize("stop", [0, 1, 2, 5])
@pytest.mark.parametrize("groups", GROUPS)
def test_products_sums_and_minima_are_those_of_each_set(groups: tuple[tuple[int, ...], ...], stop: int) -> None:
    # Every group whose number has the bit of `stop` is of measures that stop: a set may follow any other in it.
    stops = tuple(bool(stop >> number & 1) for number in range(len(groups)))
    lasting = {slot for group, may in zip(groups, stops, strict=True) if not may for slot in group}
    family = Family(groups, stops)
    sets, random = members(family), np.random.default_rng(len(groups))
    each, value = random.uniform(0.5, 2, (sum(map(len, groups)), 3)), random.normal(size=(len(family), 3))
    for join, known in ((np.multiply, np.prod), (np.add, np.sum)):
        by_hand = np.array([known(each[sorted(one)], axis=0) for one in sets])
        np.testing.assert_allclose(family.accumulate(each, join), by_hand, rtol=1e-14)
    larger = [[number for number, other in enumerate(sets) if one & lasting <= other] for one in sets]
    assert [np.flatnonzero(row).tolist() for row in family.supersets(np.arange(len(family)))] == larger
    least = value.copy()
    family.minimise_over_supersets(least)
    assert least.tolist() == [value[above].min(axis=0).tolist() for above in larger]


def test_units_of_a_kind_have_the_same_slots_in_the_same_groups() -> None:
    offered = choices_of(
        code=np.array([[0, 1, 2], [3, 4, 5], [0, 2, -1], [-1, -1, -1], [0, 1, 2]]),
        group=np.array([[7, -1, 7], [0, 3, 0], [7, 7, -1], [-1, -1, -1], [7, 7, 7]]),
        stops=np.zeros((5, 3), dtype=bool),
    )
    kind, families = offered.kinds
    assert kind.tolist() == [0, 0, 1, 2, 3]
    assert [family.groups for family in families] == [((0, 2), (1,)), ((0, 1),), (), ((0, 1, 2),)]
