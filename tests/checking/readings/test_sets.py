"""What every set of measures leaves and costs, each number by hand."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest

from etsopt.checking.readings import sets as of_sets
from etsopt.checking.readings.families import Family, SlotGroup
from etsopt.checking.readings.sets import Sets, _met, batches
from tests.checking.market.small import baseline_of, choices_of, table

ALONE = Family((SlotGroup((0,)), SlotGroup((1,))))
"""None, the first, the second, and both of two measures."""

EXCLUSIVE = Family((SlotGroup((0, 1)),))
"""None, the first, and the second of two measures."""

FIRST, SECOND, BOTH = np.array([0]), np.array([1]), np.array([0, 1])
NOTHING_REQUIRED = np.full((3, 2, 1), -2)


def sets_of(units: Any, family: Family = ALONE, *, baseline: Any = None, **offers: Any) -> Sets:
    return Sets.of(baseline or baseline_of(), choices_of(**offers), units, family)


def column(values: Any) -> Any:
    """Numbers of the only unit."""
    return pytest.approx(np.asarray(values)[:, 0].tolist())


# What a set leaves and costs in the base year


def test_a_set_leaves_the_product_and_costs_the_sum_of_its_measures() -> None:
    found = sets_of(FIRST)
    assert column(found.left) == [1.0, 0.9, 0.8, 0.72]
    assert column(found.kept) == [1.0, 0.95, 0.85, 0.95 * 0.85]
    assert column(found.fixed) == [0, 100, 300, 400]
    assert column(found.variable) == [0, 2, 3, 5]
    assert found.first_year.tolist() == [[2025], [2026]]
    assert found.base_year == 2025
    of_group = sets_of(SECOND, EXCLUSIVE)
    assert column(of_group.left) == [1.0, 0.75, 0.5]
    assert column(of_group.fixed) == [0, -50, 900]


def test_only_measures_of_the_family_are_read() -> None:
    found = sets_of(FIRST, Family((SlotGroup((0,)),)), growth=np.full((3, 2), 2.0))
    assert found.first_year.tolist() == [[2025]]
    assert [part.tolist() for part in found.changing] == [[[100.0]], [[2.0]], [[2.0]]]
    assert column(found.left) == [1.0, 0.9]


def test_where_no_allowance_follows_emissions_a_set_keeps_the_intensity_that_it_leaves_of_emissions() -> None:
    follows = np.zeros((3, 2), dtype=bool)
    found = sets_of(FIRST, baseline=baseline_of(follows=follows))
    assert found.kept is found.left
    # One year of one unit is enough.
    follows[0, 1] = True
    assert column(sets_of(FIRST, baseline=baseline_of(follows=follows)).kept) == [1.0, 0.95, 0.85, 0.95 * 0.85]
    assert sets_of(SECOND, EXCLUSIVE, baseline=baseline_of(follows=follows)).kept[1, 0] == 0.75


@pytest.mark.parametrize(
    ("follows", "left", "produced"),
    [
        ([True, False], [0.5, 1.0], [1.0, 0.5, 1.0, 0.5]),
        ([True, True], [0.5, 0.25], [1.0, 0.5, 0.25, 0.125]),
        ([True, True], [1.0, 1.0], [1.0]),
        ([False, False], [0.5, 0.25], [1.0]),
    ],
)
def test_a_set_leaves_a_share_of_output_if_an_allowance_follows_it(
    follows: list[bool], left: list[float], produced: list[float]
) -> None:
    output_left = np.array([left, [1.0, 1.0], [1.0, 1.0]])
    baseline = baseline_of(follows_output=np.array(follows))
    assert produced == column(sets_of(FIRST, baseline=baseline, output_left=output_left).produced)
    # Output of another unit is none of its own.
    assert column(sets_of(SECOND, baseline=baseline, output_left=output_left).produced) == [1.0]


# Costs that change from year to year


@pytest.mark.parametrize("growth", [(2.0, 0.5), (2.0, 1.0), (1.0, 0.5)])
def test_costs_of_each_measure_change_by_its_own_factor(growth: tuple[float, float]) -> None:
    one, other = growth
    found = sets_of(FIRST, growth=np.array([growth, (1.0, 1.0), (1.0, 1.0)]))
    for year, times in ((2025, 0), (2026, 1), (2028, 3)):
        fixed, variable = found.costs(year)
        first, second = 100 * one**times, 300 * other**times
        assert [0, first, second, first + second] == column(fixed)
        first, second = 2 * one**times, 3 * other**times
        assert [0, first, second, first + second] == column(variable)


def test_costs_that_stay_are_those_of_the_base_year_in_every_year() -> None:
    found = sets_of(FIRST)
    assert found.changing == ()
    fixed, variable = found.costs(2028)
    assert fixed is found.fixed
    assert variable is found.variable


# Sets that run


def test_a_set_costs_its_measures_and_the_demand_and_emissions_that_it_leaves() -> None:
    demand, emission = table((50, 60), (7, 8)), table((10, -4), (1, 2))
    found = sets_of(np.array([0, 2]), required=NOTHING_REQUIRED, first_year=np.full((3, 2), 2025))
    # In 2025 of 80 t of emissions and 70 t, a quarter of which is auctioned: 52.5 t.
    cost = found.running_cost(baseline_of(), 0, demand, emission)
    for row, (left, fixed, variable) in enumerate([(1.0, 0, 0), (0.9, 100, 2), (0.8, 300, 3), (0.72, 400, 5)]):
        assert cost[row, 0] == pytest.approx(fixed + 100 * variable + 80 * left * 60 - 50 * 52.5)
        # The last unit has no measures, 50 t, and 45 t less a quarter.
        assert cost[row, 1] == pytest.approx(50 * 8 - 7 * 33.75)
    # In 2026 allowances follow 88 t of emissions at a relative intensity of 0.8 and less, within 20 %: 7/8 are free.
    cost = found.running_cost(baseline_of(), 1, demand, emission)
    for row, (left, kept, fixed, variable) in enumerate(
        [(1.0, 1.0, 0, 0), (0.9, 0.95, 100, 2), (0.8, 0.85, 300, 3), (0.72, 0.95 * 0.85, 400, 5)]
    ):
        emissions, rate = 88 * left, 0.5 * (1 - 0.8 * kept)
        free = emissions * (1 + min(rate, 0.2)) * 0.875
        own = 0.8 * (fixed + 110 * variable)
        assert cost[row, 0] == pytest.approx(own + emissions * (60 - 4) - 60 * free)


def test_what_a_set_leaves_of_output_leaves_as_much_of_its_allowances() -> None:
    capped = baseline_of(follows=np.zeros((3, 2), dtype=bool), follows_output=np.array([True, False]))
    output_left = np.array([[0.5, 0.25], [1.0, 1.0], [1.0, 1.0]])
    found = sets_of(FIRST, baseline=capped, output_left=output_left, required=NOTHING_REQUIRED)
    cost = found.running_cost(capped, 0, table((50, 60)), table((0, 0)))
    assert cost[1, 0] == pytest.approx(100 + 100 * 2 + 72 * 50 - 50 * 52.5 * 0.5)


@pytest.mark.parametrize(
    ("first_year", "runs"),
    [
        ((2025, 2026), ([0, 1], [0, 1, 2, 3])),
        ((2026, 2025), ([0, 2], [0, 1, 2, 3])),
        ((2026, 2026), ([0], [0, 1, 2, 3])),
        ((2027, 2026), ([0], [0, 2])),
        ((2025, 2024), ([0, 1, 2, 3], [0, 1, 2, 3])),
    ],
)
def test_a_set_waits_for_all_its_measures(first_year: tuple[int, int], runs: tuple[list[int], list[int]]) -> None:
    years = np.array([first_year, (2025, 2025), (0, 0)])
    found = sets_of(FIRST, required=NOTHING_REQUIRED, first_year=years)
    for year, known in enumerate(runs):
        cost = found.running_cost(baseline_of(), year, table((50, 60)), table((0, 0)))
        assert np.flatnonzero(cost[:, 0] < inf).tolist() == known
        assert not np.isnan(cost).any()


def test_a_set_without_what_it_requires_never_runs() -> None:
    # The second measure requires the first.
    found = sets_of(FIRST, first_year=np.full((3, 2), 2025))
    cost = found.running_cost(baseline_of(), 0, table((50, 60)), table((0, 0)))
    assert np.isinf(cost[:, 0]).tolist() == [False, False, True, False]


def test_some_units_have_the_sets_of_these_alone() -> None:
    growth = np.array([[2.0, 0.5], [3.0, 1.0], [1.0, 1.0]])
    found = sets_of(BOTH, growth=growth)
    one = found.select(SECOND)
    assert one.units.tolist() == [1]
    assert one.changing[2].tolist() == [[3.0], [1.0]]
    for name in ("left", "kept", "produced", "fixed", "variable", "possible", "first_year"):
        assert getattr(one, name).tolist() == getattr(found, name)[:, [1]].tolist()


# What measures require


def met(*required: list[int], code: Any = (0, 1), family: Family = ALONE) -> list[bool]:
    """Whether each set of one unit has all that its measures require."""
    offered = choices_of(code=np.array([code]), required=np.array([required]))
    return _met(offered, FIRST, family)[:, 0].tolist()


THREE = Family((SlotGroup((0,)), SlotGroup((1,)), SlotGroup((2,))))


def test_a_set_has_all_that_its_measures_require() -> None:
    # None, the first, the second, and both.
    assert met([-2], [-2]) == [True, True, True, True]
    assert met([-2], [0]) == [True, True, False, True]
    assert met([1], [-2]) == [True, False, True, True]
    assert met([1], [0]) == [True, False, False, True]
    # What is not on offer cannot be had.
    assert met([-2], [-1]) == [True, True, False, False]
    assert met([-1], [-2]) == [True, False, True, False]
    assert met([-1], [-1]) == [True, False, False, False]
    # The bits of a set are its measures.
    every = [frozenset(np.flatnonzero(row).tolist()) for row in THREE.has]
    assert met([-2, -2], [-2, -2], [0, 1], code=(0, 1, 2), family=THREE) == [
        2 not in one or len(one) == 3 for one in every
    ]
    assert met([-2, -2], [0, -1], [-2, 0], code=(0, 1, 2), family=THREE) == [
        1 not in one and (2 not in one or 0 in one) for one in every
    ]
    assert met([2, -2], [-2, 2], [-2, -2], code=(0, 1, 2), family=THREE) == [2 in one or not one for one in every]


def test_each_unit_requires_its_own_measures() -> None:
    offered = choices_of(
        code=np.array([[0, 1], [1, 0], [0, 1], [0, 1]]),
        required=np.array([[[-2], [0]], [[-2], [0]], [[-1], [-2]], [[-2], [-2]]]),
    )
    # The second unit has its measures in another order: its second one requires itself, and is met.
    known = [[True, True, False, True], [True] * 4, [True, False, True, False], [True] * 4]
    assert _met(offered, np.arange(4), ALONE).T.tolist() == known
    assert _met(offered, np.array([3, 2, 0]), ALONE).T.tolist() == [known[3], known[2], known[0]]


# Batches


def test_units_are_evaluated_with_those_of_their_kind_in_batches_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    # Lines of two measures have three sets, and so has the group of the third unit; the last unit has no measure.
    shape = {
        name: np.concatenate([getattr(choices_of(), name)[[0, 0, 1, 0, 0, 0]], getattr(choices_of(), name)[[2]]])
        for name in vars(choices_of())
        if name not in ("names", "base_year")
    }
    offered, baseline = choices_of(**shape), baseline_of(follows=np.zeros((7, 2), dtype=bool))
    assert offered.kinds[0].tolist() == [0, 0, 1, 0, 0, 0, 2]
    for cells, known in (
        (1 << 16, [[0, 1, 3, 4, 5], [2], [6]]),
        (8, [[0, 1], [3, 4], [5], [2], [6]]),
        (2, [[0], [1], [3], [4], [5], [2], [6]]),
    ):
        monkeypatch.setattr(of_sets, "CELLS_AT_ONCE", cells)
        found = list(batches(baseline, offered, np.arange(7)))
        assert [one.units.tolist() for one in found] == known
    some = list(batches(baseline, offered, np.array([6, 4, 2, 3])))
    assert [one.units.tolist() for one in some] == [[4], [3], [2], [6]]


def test_batches_have_65536_cells() -> None:
    assert of_sets.CELLS_AT_ONCE == 65_536
