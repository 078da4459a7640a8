"""Who is an exception: bounds of their number, sizes and places against every choice that there is."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.allocation import exceptions
from etsopt.checking.allocation.exceptions import (
    LEVELS,
    _is_choice,
    _lagrangian_bound,
    _least_count,
    _without_common_units,
    check_exceptions,
    exceptional_units,
)
from etsopt.checking.allocation.infeasibility import Infeasibility
from etsopt.checking.allocation.limits import derive
from etsopt.checking.arithmetic import ROUNDOFF
from etsopt.checking.effort import EXCEPTION_PARTS_MAX
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.builders import given


def proof(least: float, gains: list[float], tolerated: float = 0.0) -> Infeasibility:
    return Infeasibility(least, tolerated, np.array(gains, dtype=float))


def choices(count: int, proofs: list[Infeasibility]) -> list[tuple[int, ...]]:
    """Every choice of as many units that makes up for what lacks in every proof."""
    units = range(len(proofs[0].gains))
    return [
        chosen
        for chosen in itertools.combinations(units, count)
        if all(one.gains[list(chosen)].sum() >= one.least - one.tolerated for one in proofs)
    ]


def random_proofs(seed: int) -> list[Infeasibility]:
    random = np.random.default_rng(seed)
    count = int(random.integers(3, 7))
    proofs = []
    for _ in range(int(random.integers(1, 4))):
        gains = random.integers(0, 6, count) * (random.random(count) < 0.7)
        proofs.append(proof(float(random.integers(1, 12)) + 0.5, gains.tolist(), float(random.integers(0, 2))))
    return proofs


@pytest.mark.parametrize("seed", range(40))
def test_the_least_number_is_that_of_every_choice(seed: int) -> None:
    proofs = random_proofs(seed)
    units = len(proofs[0].gains)
    known = next((count for count in range(units + 1) if choices(count, proofs)), units)
    assert _least_count(units, proofs) == known
    fewer = max(known - 1, 0)
    assert _least_count(fewer, proofs) == fewer


@pytest.mark.parametrize("seed", range(40))
def test_a_choice_below_a_limit_is_found_or_ruled_out(seed: int) -> None:
    proofs = random_proofs(seed)
    key = np.random.default_rng(seed + 1).permutation(len(proofs[0].gains)).astype(object)
    for count in range(len(key) + 1):
        sums = sorted(sum(key[list(chosen)]) for chosen in choices(count, proofs))
        for limit in {0, 1, *sums, *(total + 1 for total in sums)}:
            assert _is_choice(count, key, limit, proofs) is bool(sums and sums[0] < limit)


def test_a_search_that_takes_too_long_rules_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each proof needs three units of its own, and all four are no choice of three."""
    proofs = [proof(4.5, [2, 2, 2, 0]), proof(4.5, [2, 2, 0, 2]), proof(4.5, [2, 0, 2, 2])]
    assert not _is_choice(3, np.arange(4).astype(object), 99, proofs)
    assert EXCEPTION_PARTS_MAX == 20_000
    monkeypatch.setattr(exceptions, "EXCEPTION_PARTS_MAX", 1)
    assert _is_choice(3, np.arange(4).astype(object), 99, proofs)


@pytest.mark.parametrize(
    ("count", "key", "limit", "proofs", "parts"),
    [
        # Each proof needs its best unit, and the limit leaves one of key 0.
        (1, [0, 1], 1, [(3, "65"), (0, "00"), (6, "06")], 2),
        (3, [1, 5, 6, 4, 2, 0, 3], 6, [(9, "2236402")], 4),
        (4, [6, 5, 6, 5, 6, 4, 2, 5], 29, [(11, "62320110"), (8, "00201550"), (10, "60150003")], 5),
        (2, [8, 2, 3, 4, 1, 7, 0, 5, 6], 6, [(6, "356453100"), (4, "015440513"), (7, "603114341")], 4),
        (5, [8, 8, 4, 8, 6, 0, 4, 3, 2], 18, [(9, "611210330"), (14, "031032531"), (14, "202626242")], 9),
        # A proof that needs nothing decides no split.
        (
            3,
            [4, 0, 2, 5, 8, 1, 4, 2, 3],
            1_000,
            [(12, "660025445"), (9, "063232240"), (7, "204020132"), (0, "000100000")],
            5,
        ),
        (6, [7, 5, 8, 0, 3, 5, 4, 8, 7], 27, [(17, "006041615"), (17, "300606024")], 8),
    ],
)
def test_choices_are_ruled_out_in_as_few_parts_as_their_sums_allow(
    count: int, key: list[int], limit: int, proofs: list[Any], parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Units that every choice needs, and those of none, leave fewer parts than choices there are."""
    stated = [proof(float(least), [*map(float, gains)]) for least, gains in proofs]
    for most, is_open in ((parts, False), (parts - 1, True)):
        monkeypatch.setattr(exceptions, "EXCEPTION_PARTS_MAX", most)
        assert _is_choice(count, np.array(key, dtype=object), limit, stated) is is_open


def test_gains_that_just_do_are_enough_within_their_rounding() -> None:
    exact = [proof(0.3, [0.1, 0.2, 0.0])]
    assert _is_choice(2, np.arange(3).astype(object), 99, exact)
    assert not _is_choice(2, np.arange(3).astype(object), 99, [proof(0.3 + 1e-13, [0.1, 0.2, 0.0])])
    tolerated = [proof(0.4, [0.1, 0.2, 0.0], 0.1)]
    assert _is_choice(2, np.arange(3).astype(object), 99, tolerated)
    nothing = [proof(-np.inf, [0.0, 0.0, 0.0])]
    assert _is_choice(0, np.arange(3).astype(object), 99, nothing)


@pytest.mark.parametrize(
    ("units", "roundings", "enough"), [(1, 14, True), (1, 16, False), (2, 16, True), (2, 18, False)]
)
def test_gains_are_enough_within_their_roundings(units: int, roundings: int, enough: bool) -> None:
    # Two for each unit and eight more, and four of what lacks.
    lacking = proof(4 + 4 * roundings * ROUNDOFF, [4 / units] * units)
    assert _is_choice(units, np.arange(units).astype(object), 99, [lacking]) is enough


def test_a_gain_in_which_others_vanish_is_not_needed() -> None:
    """Two gains of a tonne do, though a sum with the third one has no place for them."""
    proofs = [proof(2.0, [0.0, 1.0, 1.0, 2.0**54])]
    key = np.array([0, 1, 2, 9], dtype=object)
    assert _is_choice(2, key, 5, proofs)
    assert not _is_choice(2, key, 3, proofs)


@pytest.mark.parametrize("count", [2, 3])
def test_units_that_serve_a_proof_each_are_a_choice(count: int) -> None:
    proofs = [proof(1.5, [2, 0, 0]), proof(1.5, [0, 2, 0])]
    assert _is_choice(count, np.arange(3).astype(object), 99, proofs)


def test_proofs_that_no_unit_serves_twice_rule_out_one_unit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exceptions, "EXCEPTION_PARTS_MAX", 1)
    proofs = [proof(0.5, [1, 1, 0, 0]), proof(0.5, [0, 0, 1, 1])]
    assert not _is_choice(1, np.arange(4).astype(object), 99, proofs)
    # One that both serve would have to be searched for.
    assert _is_choice(1, np.arange(4).astype(object), 99, [proof(0.5, [1, 1, 0, 0]), proof(0.5, [0, 1, 1, 1])])


def test_proofs_that_no_unit_serves_twice_need_their_units_each() -> None:
    gains = np.array([[1.0, 2, 0, 0], [0, 0, 3, 0], [0, 1, 0, 4], [0, 0, 0, 0]])
    assert _without_common_units(gains) == [[0, 1, 3], [1, 2, 3], [2, 3, 1], [3, 0, 1]]
    assert _without_common_units(np.array([[1.0, 1], [1, 0]])) == []
    assert _without_common_units(np.array([[1.0, 0], [0, 1]])) == [[0, 1], [1, 0]]


def test_prices_that_stand_for_all_limits_bound_the_costs() -> None:
    costs, gains = np.array([4.0, 1.0, 6.0, 9.0]), [1.0, 0.0, 5.0, 3.0]
    # The least costs less gains are 1 and 1, and 10 t lack, of which 1 t is let off.
    assert _lagrangian_bound(costs, 2, proof(10.0, gains, 1.0)) == pytest.approx(11.0)
    assert _lagrangian_bound(costs, 2, proof(10.0, gains, 1.0)) < 11.0
    assert _lagrangian_bound(costs, 3, proof(2.0, gains)) == pytest.approx(2 + 1 + 1 + 3)
    assert _lagrangian_bound(costs, 1, proof(-50.0, gains)) == 0.0
    assert _lagrangian_bound(costs, 1, proof(-np.inf, gains)) == 0.0
    # Costs and what lacks cancel here, so that the rounding of both is left.
    big = np.array([2.0**40, 2.0**40])
    left = _lagrangian_bound(big, 2, proof(64.0 - 2.0**41, [0.0, 0.0]))
    taken = (64 + 8 * 2) * 2.0**41 * ROUNDOFF
    assert 64.0 - left == pytest.approx(taken, rel=0.05)
    # Gains are rounded as well, four times.
    left = _lagrangian_bound(np.zeros(2), 2, proof(64.0 + 2.0**41, [2.0**40, 2.0**40]))
    assert 64.0 - left == pytest.approx((4 + 64 + 8 * 2) * 2.0**41 * ROUNDOFF, rel=0.002)


SIZES = (1000.0, 2000.0, 2000.0, 500.0)


def levels_of(
    chosen: list[int], target: float, names: tuple[str, ...] = tuple(LEVELS), sizes: tuple[float, ...] = SIZES
) -> list[Any]:
    """Bands of 10 % that exceptions widen to 30 %, and a target below what bands allow."""
    policy = {
        "sectors": {"cement": {"band": 0.1, "target_t": target}},
        "allocation": {"exceptions": {"units": 4, "lower": 0.3, "upper": 0.1}},
    }
    rows = [(name, name, "cement", "p", size, size) for name, size in zip("abcd", sizes, strict=False)]
    flags = np.isin(np.arange(len(rows)), chosen)
    prices = dict.fromkeys(names, np.array([-1.0]))
    return check_exceptions(
        derive(InstanceInputs.of(given(rows, policy))), np.array(sizes), flags, names, prices, (np.zeros(1), 0.0)
    )


def test_levels_of_the_best_choice_are_proven() -> None:
    """300 t lack to the 4950 t of all bands; one of the larger two makes up for 400 t, and the first is it."""
    found = levels_of([1], 4650.0)
    assert [(level.name, level.unit, level.value) for level in found] == [
        ("exceptions", "units", 1.0),
        ("exception_size", "t", 0.0),
        ("exception_order", "places", 2.0),
    ]
    assert all(level.gap == 0 and level.bound == level.value for level in found)
    assert [level.tolerance for level in found] == [1e-9, 2e-2, 2e-9]


def test_places_count_among_choices_of_equal_sizes_alone() -> None:
    """The first unit would do as well, but it is smaller than the second."""
    found = levels_of([1], 4800.0)
    assert [level.value for level in found] == [1.0, 0.0, 2.0]
    assert all(level.gap == 0 for level in found)
    smaller = levels_of([0], 4800.0)
    assert [level.value for level in smaller] == [1.0, 1000.0, 1.0]
    assert smaller[1].gap > 0


def test_a_tonne_of_size_precedes_all_places() -> None:
    """The last unit is one tonne larger than the first, and every unit would do."""
    found = levels_of([3], 5398.0, sizes=(1999.0, 1000.0, 1000.0, 2000.0))
    assert [(level.value, level.gap) for level in found] == [(1.0, 0.0), (0.0, 0.0), (4.0, 0.0)]
    # A unit below half a tonne has no whole one, and is as large as the largest.
    assert [level.value for level in levels_of([0], 0.35, sizes=(0.4,))] == [1.0, 0.0, 1.0]


def test_a_choice_that_others_come_before_is_bounded_by_what_prices_prove() -> None:
    number, size, order = levels_of([2], 4650.0)
    assert (number.gap, size.gap) == (0.0, 0.0)
    assert order.value == 3.0
    assert 0.0 <= order.bound < 3.0
    number, size, _ = levels_of([0, 3], 4650.0)
    assert (number.value, number.bound) == (2.0, 1.0)
    assert size.value == 1000.0 + 1500.0
    assert size.bound < size.value
    none, *_ = levels_of([], 4950.0)
    assert (none.value, none.bound) == (0.0, 0.0)
    assert [level.name for level in levels_of([1], 4650.0, ("exceptions",))] == ["exceptions"]


def test_units_are_exceptions_where_the_table_and_the_policy_say_so() -> None:
    table = pd.DataFrame({"unit_id": ["a", "b"], "exceptional": [True, False]})
    for units, known in ((1, [True, False]), (0, [False, False])):
        policy = SimpleNamespace(allocation=SimpleNamespace(exceptions=SimpleNamespace(units=units)))
        instance: Any = SimpleNamespace(policy=policy)
        assert exceptional_units(instance, table).tolist() == known
