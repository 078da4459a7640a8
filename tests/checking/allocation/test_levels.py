"""Objectives in their order, on the instance that the page of the checker solves by hand, with any multipliers."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.checking.allocation import rational
from etsopt.checking.allocation.duals import Stated
from etsopt.checking.allocation.levels import Levels, check_levels
from etsopt.checking.allocation.limits import derive
from etsopt.checking.arithmetic import ROUNDOFF
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.builders import given

if TYPE_CHECKING:
    from collections.abc import Mapping

    import etsopt
    from etsopt.checking.verdict import LevelCheck

E, R = np.array([1e5, 3e5, 1.6e5]), np.array([103_000.0, 301_800.0, 155_200.0])
ANSWER = np.array([101_500.0, 297_300.0, 158_400.0])
# The target of the sector, and the balances of North and South.
DUALS = {
    "change": np.array([-1.0, 0.0, 2.0]),
    "largest_change": np.array([0.0, 0.0, 1 / 1.6e5]),
    "least_squares": np.array([-0.03, 0.0, 0.0]),
}
WEIGHTS = np.array([0.0, 0.0, 1 / 1.6e5])
KEPT = {("least_squares", "largest_change"): 11_200.0}
NAMES = ("change", "largest_change", "least_squares")


@cache
def instance(integer: bool = False) -> etsopt.Instance:
    rows = [
        (name, name, "cement", province, float(e), float(r))
        for name, province, e, r in zip(("n1", "n2", "s1"), ("North", "North", "South"), E, R, strict=True)
    ]
    sectors = {"cement": {"band": 0.03, "target_change": -0.005}}
    allocation = {"objectives": ["change", "largest_change"], "integer_allowances": integer}
    return given(rows, {"sectors": sectors, "provinces": {"balance": 0.01}, "allocation": allocation})


def levels(kept: Mapping[tuple[str, str], float] | None = KEPT, answer: Any = ANSWER, integer: bool = False) -> Levels:
    own = instance(integer)
    return Levels(InstanceInputs.of(own), derive(InstanceInputs.of(own)), R, answer, Stated(DUALS, WEIGHTS, kept))


def checked(of: Levels, duals: Mapping[str, Any] = DUALS) -> list[LevelCheck]:
    return [of.check(name, duals[name]) for name in NAMES]


@pytest.mark.parametrize("kept", [KEPT, None])
def test_the_answer_by_hand_is_proven_with_its_multiplier_stated_or_found(kept: Any) -> None:
    change, largest, tie_break = checked(levels(kept))
    assert (change.value, change.unit) == (9200.0, "t")
    assert (largest.value, largest.unit) == (0.02, "rate")
    assert (tie_break.value, tie_break.unit) == (154.0, "t")
    assert change.gap < 1e-9
    assert largest.gap < 1e-13
    assert tie_break.gap < 1e-9
    # No unit is farther than the largest would be with all of the gap, which includes the rounding of the value.
    assert tie_break.distance_t is not None
    assert 0 < tie_break.distance_t <= np.sqrt(3e5 * tie_break.gap)
    assert (change.distance_t, largest.distance_t) == (None, None)
    assert [level.bound for level in (change, largest, tie_break)] == [
        level.value - level.gap for level in (change, largest, tie_break)
    ]
    assert (change.tolerance, tie_break.tolerance) == (2e-2, 1e-9 * 154)


def test_multipliers_that_are_found_are_those_that_would_be_stated() -> None:
    own = instance()
    chosen = np.zeros(3, dtype=bool)
    checks, kept = check_levels(
        InstanceInputs.of(own), derive(InstanceInputs.of(own)), R, ANSWER, chosen, Stated(DUALS, WEIGHTS, None), NAMES
    )
    assert [level.name for level in checks] == list(NAMES)
    assert kept == {("least_squares", "largest_change"): pytest.approx(11_200.0)}


def of_two(first: str, second: str, answer: Any, kept: Any) -> tuple[Levels, LevelCheck]:
    """Objectives of which the first alone decides, so that no row has a dual, and the second keeps it."""
    nothing = np.zeros(3)
    own = instance()
    found = Levels(InstanceInputs.of(own), derive(InstanceInputs.of(own)), R, answer, Stated({}, nothing, kept))
    assert found.check(first, nothing).gap < 1e-9
    return found, found.check(second, nothing)


@pytest.mark.parametrize("kept", [None, 39_200.0, 30_000.0])
def test_a_multiplier_of_a_mean_is_one_of_the_sum_over_all_emissions(kept: float | None) -> None:
    # At the target rate of 0.995 slopes of the squares are -0.07, -0.022 and 0.05; the spread divides by 5.6e5 t.
    key = ("least_squares", "spread")
    own, tie_break = of_two("spread", "least_squares", 0.995 * E, None if kept is None else {key: kept})
    if kept is None:
        assert own.found_multipliers == {key: pytest.approx(39_200.0)}
    # A multiplier of 30,000 leaves a slope of 0.0164 to the first unit.
    left = 0.07 - 30_000.0 / 5.6e5
    assert tie_break.gap == pytest.approx(left**2 * 1e5 / 4 if kept == 30_000.0 else 0.0, abs=1e-6)


@pytest.mark.parametrize("kept", [None, 1.0, 0.25])
def test_a_multiplier_in_a_mean_is_divided_by_all_emissions(kept: float | None) -> None:
    # Each tonne off the reference costs one, and brings a unit a tonne nearer to its target rate.
    key = ("spread", "change")
    own, spread = of_two("change", "spread", R, None if kept is None else {key: kept / 5.6e5})
    if kept is None:
        assert own.found_multipliers == {key: pytest.approx(1 / 5.6e5)}
    # Three quarters of what is left of 3500 t, 3300 t and 4000 t.
    assert spread.gap == pytest.approx(0.75 * 10_800 / 5.6e5 if kept == 0.25 else 0.0, abs=1e-9)


def test_without_a_multiplier_the_tie_break_gains_what_the_earlier_objective_forbids() -> None:
    # South falls by a slope of 0.07 over the 3200 t that the largest change leaves: 224 t less a parabola of 64 t.
    *_, tie_break = checked(levels({("least_squares", "change"): 0.0}))
    assert tie_break.gap == pytest.approx(154.0)
    assert tie_break.distance_t == pytest.approx(np.sqrt(3e5 * 154))
    # A smaller multiplier leaves a slope of 0.01 in South, and the unit at its upper end.
    *_, tie_break = checked(levels({("least_squares", "largest_change"): 9_600.0}))
    assert tie_break.gap == pytest.approx(0.005**2 * 1.6e5)


def test_a_gap_above_the_value_is_the_value_and_its_rounding() -> None:
    *_, tie_break = checked(levels({("least_squares", "change"): 0.0}))
    _, uncertain = levels().measures.level("least_squares", DUALS["least_squares"])
    assert (tie_break.bound, tie_break.gap) == (0.0, 154.0)
    assert tie_break.distance_t is not None
    assert Fraction(tie_break.distance_t) ** 2 >= Fraction(3e5) * (Fraction(154.0) + Fraction(uncertain))


@pytest.mark.parametrize("name", NAMES)
def test_a_gap_includes_the_rounding_of_the_value(name: str) -> None:
    of = levels()
    found = dict(zip(NAMES, checked(of), strict=True))[name]
    assert found.gap >= of.measures.level(name, DUALS[name])[1] > 0


def test_multipliers_of_earlier_objectives_are_divided_as_their_sums_are() -> None:
    earlier = [
        SimpleNamespace(name=name, scale=scale) for name, scale in (("a", 2.0), ("b", 4.0), ("c", 1.0), ("d", 1.0))
    ]
    kept = {("z", "a"): 3.0, ("z", "b"): -1.0, ("z", "c"): np.inf, ("y", "d"): 5.0}
    own: Any = SimpleNamespace(kept=kept, earlier=earlier)
    level: Any = SimpleNamespace(name="z", scale=8.0)
    assert Levels._stated_multipliers(own, level) == [12.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("gap", "value", "scale", "units", "may"),
    [
        (2.0, 1e4, 1.0, 3, True),
        (1.0, 1e4, 1.0, 3, False),
        (9.99, 1e4, 1.0, 3, True),
        (10.0, 1e4, 1.0, 3, False),
        (15.0, 1e4, 1.0, 3, False),
        # A value below the unit of its sum is compared with that.
        (3.9, 2.0, 1 / 4000, 3, True),
        (4.1, 2.0, 1 / 4000, 3, False),
        (1.5, 1.0, 1 / 4000, 3, False),
        (2.0, 1e4, 1.0, 20_000, True),
        (2.0, 1e4, 1.0, 20_001, False),
    ],
)
def test_a_bound_is_repeated_in_fractions_if_rounding_may_be_all_that_it_lacks(
    gap: float, value: float, scale: float, units: int, may: bool
) -> None:
    own: Any = SimpleNamespace(measures=SimpleNamespace(tolerance=lambda *_: 1.0), e=np.zeros(units))
    level: Any = SimpleNamespace(name="change", value=value, scale=scale)
    assert Levels._may_be_rounding(own, level, gap) is may


@pytest.mark.parametrize("may", [True, False])
def test_a_repeated_bound_counts_if_it_is_smaller(may: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []

    def exact(*_: object) -> float:
        asked.append(None)
        return 0.125

    monkeypatch.setattr(rational, "gap", exact)
    monkeypatch.setattr(Levels, "_may_be_rounding", lambda *_: may)
    of = levels(None, ANSWER + np.array([10.0, -10.0, 0.0]))
    # Ten tonnes from one unit to another cost nothing in either of both, but 13 t^2 in their squares.
    *_, tie_break = checked(of)
    assert len(asked) == 3 * may
    # The rates of both change by 1e-4 and 3e-5, which is 1 t^2 / 1000 and a third of it.
    assert tie_break.gap == pytest.approx(100 / 1e5 + 100 / 3e5, rel=1e-6)
    # A worse bound does not count, nor does any without need.
    monkeypatch.setattr(rational, "gap", lambda *_: 1e-5)
    *_, tie_break = checked(levels(None, ANSWER + np.array([10.0, -10.0, 0.0])))
    assert (tie_break.gap == pytest.approx(1e-5, rel=1e-6)) is may


@pytest.mark.parametrize("number", range(10))
def test_later_objectives_have_all_allowances_within_the_largest_change(number: int) -> None:
    # A rate of 0.02 to 0.03, and allowances above and below the reference, as far as bands are wider.
    answer = np.array([101_500.0, 297_300.0, 158_401.1 + 123.4 * number])
    own, whole = levels(answer=answer), levels(answer=np.round(answer), integer=True)
    value = own.check("largest_change", DUALS["largest_change"]).value
    for e, r, lower, upper in zip(
        *(part.tolist() for part in (E, R, own.intervals.lower, own.intervals.upper)), strict=True
    ):
        room, band = Fraction(value) * Fraction(e), Fraction(0.03) * Fraction(e)
        from_below, from_above = (
            max(Fraction(r) - room, Fraction(e) - band),
            min(Fraction(r) + room, Fraction(e) + band),
        )
        assert 0 <= from_below - Fraction(lower) <= 20 * Fraction(ROUNDOFF) * Fraction(r)
        assert 0 <= Fraction(upper) - from_above <= 20 * Fraction(ROUNDOFF) * Fraction(r)
    value = whole.check("largest_change", DUALS["largest_change"]).value
    least, most = np.ceil(R - value * E - 1e-6), np.floor(R + value * E + 1e-6)
    assert whole.intervals.lower.tolist() == np.maximum(least, 0.97 * E).tolist()
    assert whole.intervals.upper.tolist() == np.minimum(most, 1.03 * E).tolist()


@pytest.mark.parametrize(
    ("target", "integer", "lower", "upper"),
    [
        # Each tonne away from the reference costs one, and with the dual of the target a tonne less costs nothing.
        (0.0, True, R, R),
        (-1.0, True, 0.97 * E, R),
        (1.0, True, R, 1.03 * E),
        # Fractions of a tonne may move in any case.
        (0.0, False, 0.97 * E, 1.03 * E),
    ],
)
def test_whole_tonnes_that_cost_more_than_the_gap_are_fixed(
    target: float, integer: bool, lower: Any, upper: Any
) -> None:
    own = levels(answer=R, integer=integer)
    # The target is met from above in one case and missed in the other, so that its dual costs nothing.
    own.rows.least[0], own.rows.most[0] = (0.0, R.sum()) if target < 0 else (R.sum(), 1e9)
    own.check("change", np.array([target, 0.0, 0.0]))
    assert own.intervals.lower.tolist() == lower.tolist()
    assert own.intervals.upper.tolist() == upper.tolist()
