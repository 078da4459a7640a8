"""The least of all plans of a unit, against every plan looked at one by one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.checking.market.restricted import Branching, Restricted
from etsopt.checking.market.search import least_of_all_plans
from etsopt.checking.readings import sets as of_sets
from etsopt.checking.readings.families import Family, SlotGroup
from etsopt.checking.readings.sets import Sets, batches
from tests.checking.market.small import baseline_of, choices_of, table

if TYPE_CHECKING:
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices

NEED, EMITTED = table((50, 90), (30, 60), (20, 10)), table((-2, 3), (1, -4), (5, 0))


def cost_of(found: Baseline, offered: Choices, unit: int, starts: tuple[int, ...], need: Any, emitted: Any) -> float:
    """What a plan of a unit comes to, infinite where it may not be chosen."""
    slots = [slot for slot in range(offered.code.shape[1]) if offered.code[unit, slot] >= 0]
    cost = 0.0
    for year, number in enumerate(found.years):
        runs = [slot for slot in slots if starts[slot] <= year]
        if any(offered.first_year[unit, slot] > number for slot in runs):
            return np.inf
        groups = [offered.group[unit, slot] for slot in runs if offered.group[unit, slot] >= 0]
        codes = {int(offered.code[unit, slot]) for slot in runs}
        needed = {int(code) for slot in runs for code in offered.required[unit, slot] if code > -2}
        if len(groups) > len(set(groups)) or not needed <= codes:
            return np.inf
        left, kept, produced = (
            np.prod([part[unit, slot] for slot in runs])
            for part in (offered.left, offered.intensity_left, offered.output_left)
        )
        emissions = found.emissions[unit, year] * left
        free = found.free(np.array([unit]), year, np.array([emissions]), np.array([kept]), np.array([produced]))[0]
        own = sum(offered.fixed[unit, slot] + offered.variable[unit, slot] * found.output[unit, year] for slot in runs)
        cost += found.discount[year] * own
        cost += need[unit, year] * (emissions - free) + emitted[unit, year] * emissions
    return cost


def least_by_hand(
    found: Baseline, offered: Choices, need: Any, emitted: Any, held: tuple[Branching, ...] = ()
) -> list[float]:
    least = []
    for unit in range(len(offered.code)):
        best = np.inf
        for starts in itertools.product(range(len(found.years) + 1), repeat=offered.code.shape[1]):
            mine = [one for one in held if one.unit == unit]
            if all((starts[one.slot] <= one.year) == one.runs for one in mine):
                best = min(best, cost_of(found, offered, unit, starts, need, emitted))
        least.append(best)
    return least


CAPPED = {"follows": np.zeros((3, 2), dtype=bool), "follows_output": np.array([True, False])}
"""Allowances that follow the output in the first year, and are capped in the second."""

OFFERS = {
    "as it is": {},
    "nothing required": {"required": np.full((3, 2, 1), -2)},
    "what is not offered is required": {"required": np.array([[[-2], [-1]], [[-1], [-2]], [[-2], [-2]]])},
    "no groups": {"group": np.full((3, 2), -1)},
    "group zero": {"group": np.array([[0, 1], [0, 0], [0, 0]])},
    "two years": {"first_year": np.array([[2026, 2025], [2026, 2026], [0, 0]])},
    "never": {"first_year": np.array([[2027, 2025], [2025, 2027], [0, 0]])},
    "less output": {"output_left": np.array([[0.95, 1.0], [0.8, 0.5], [1.0, 1.0]])},
    "two required": {"required": np.array([[[-2, -2], [0, -2]], [[-2, -2], [0, -1]], [[-2, -2], [-2, -2]]])},
}


@pytest.mark.parametrize("name", OFFERS)
@pytest.mark.parametrize("times", [1.0, -1.0, 8.0])
def test_the_least_of_all_plans_is_that_of_every_plan(name: str, times: float) -> None:
    offered = choices_of(**OFFERS[name])
    for changes in ({}, {"follows": np.zeros((3, 2), dtype=bool)}, {"discount": np.array([1.0, 0.25])}, CAPPED):
        found = baseline_of(**changes)
        least = least_of_all_plans(found, offered, times * NEED, EMITTED)
        assert least == pytest.approx(least_by_hand(found, offered, times * NEED, EMITTED), rel=1e-12)


@pytest.mark.parametrize(
    "held",
    [
        (Branching(0, 0, 0, True),),
        (Branching(0, 0, 0, False),),
        (Branching(0, 1, 1, True), Branching(1, 0, 1, True)),
        (Branching(1, 1, 0, False), Branching(1, 1, 1, False), Branching(0, 1, 0, False)),
        (Branching(1, 0, 0, True), Branching(1, 1, 1, True)),
        (Branching(0, 0, 1, True),),
        (Branching(0, 0, 0, True), Branching(0, 1, 0, False)),
    ],
)
def test_what_is_held_of_a_unit_leaves_only_plans_that_keep_it(held: tuple[Branching, ...]) -> None:
    found, offered = baseline_of(), choices_of()
    restricted = Restricted(found, offered, {one.unit for one in held} | {2})
    units, least = restricted.least(found, held, NEED, EMITTED)
    known = least_by_hand(found, offered, NEED, EMITTED, held)
    assert sorted(units.tolist()) == sorted({one.unit for one in held})
    assert least == pytest.approx([known[unit] for unit in units], rel=1e-12)


def test_of_nothing_held_nothing_is_said() -> None:
    units, least = Restricted(baseline_of(), choices_of(), {0}).least(baseline_of(), (), NEED, EMITTED)
    assert (units.tolist(), least.tolist()) == ([], [])


def test_units_are_looked_at_a_few_at_a_time_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found, offered = baseline_of(), choices_of(group=np.full((3, 2), -1), required=np.full((3, 2, 1), -2))
    whole = [sets.units.tolist() for sets in batches(found, offered, np.arange(3))]
    assert whole == [[0, 1], [2]]
    monkeypatch.setattr(of_sets, "CELLS_AT_ONCE", 4)
    assert [sets.units.tolist() for sets in batches(found, offered, np.arange(3))] == [[0], [1], [2]]
    monkeypatch.setattr(of_sets, "CELLS_AT_ONCE", 1)
    assert [sets.units.tolist() for sets in batches(found, offered, np.arange(1, 3))] == [[1], [2]]
    monkeypatch.setattr(of_sets, "CELLS_AT_ONCE", 8)
    assert [sets.units.tolist() for sets in batches(found, offered, np.arange(3))] == [[0, 1], [2]]


def test_units_are_looked_at_together_with_those_of_the_same_groups() -> None:
    found = baseline_of()
    one, two, none = batches(found, choices_of(), np.arange(3))
    assert [sets.units.tolist() for sets in (one, two, none)] == [[0], [1], [2]]
    assert [len(sets.left) for sets in (one, two, none)] == [3, 3, 1]
    # The second measure of the first unit needs the first.
    assert one.left[:, 0] == pytest.approx([1.0, 0.9, 0.72])
    assert two.left[:, 0].tolist() == [1.0, 0.75, 0.5]
    both = choices_of(group=np.array([[2, 2], [5, 5], [-1, -1]]))
    assert [sets.units.tolist() for sets in batches(found, both, np.arange(3))] == [[0, 1], [2]]


def test_every_set_has_the_product_or_the_sum_of_its_measures() -> None:
    found, offered = baseline_of(), choices_of()
    sets = Sets.of(found, offered, np.array([0, 1]), Family((SlotGroup((0,)), SlotGroup((1,)))))
    assert sets.left[:, 0] == pytest.approx([1.0, 0.9, 0.8, 0.72])
    assert sets.kept[:, 1] == pytest.approx([1.0, 0.7, 0.6, 0.42])
    assert sets.fixed[:, 1].tolist() == [0.0, -50.0, 900.0, 850.0]
    assert sets.variable[:, 0].tolist() == [0.0, 2.0, 3.0, 5.0]
    assert sets.possible.T.tolist() == [[True, True, False, True], [True, True, True, True]]
    some = sets.select(np.array([1]))
    assert (some.units.tolist(), some.fixed[:, 0].tolist()) == ([1], [0.0, -50.0, 900.0, 850.0])
    assert some.first_year.tolist() == [[2025], [2025]]
