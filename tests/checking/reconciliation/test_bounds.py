"""Gaps of a reconciliation for any multipliers, against distances from the optimum that are found by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from etsopt.checking.arithmetic import ROUNDOFF
from etsopt.checking.reconciliation.bounds import (
    _of_quantities,
    _of_rows,
    adjustment,
    centred,
    end_of_interval,
    limits,
    possible,
    slopes,
    sum_with_error,
)
from tests.checking.reconciliation.small import evidence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.reconciliation.evidence import Evidence


def reported(amount: float, uncertainty: float = 1.0, most: float = 1000.0) -> dict[str, float]:
    return {"reported": amount, "uncertainty": uncertainty, "most": most}


def adjusted(
    evidence: Evidence,
    amount: Sequence[float],
    range_multiplier: float = 0.0,
    value_multiplier: float = 0.0,
    central: Sequence[float] | None = None,
) -> tuple[float, float]:
    """The adjustment where every report counts, and its gap with the multipliers of the first statement."""
    multipliers = np.zeros((2, len(evidence.statements)))
    multipliers[:, 0] = range_multiplier, value_multiplier
    counts = evidence.quantities["reported"].notna().to_numpy()
    own = None if central is None else np.array(central)
    return adjustment(evidence, np.array(amount), counts, own, (multipliers[0], multipliers[1]))


def test_a_report_costs_its_distance_in_uncertainties_if_it_counts() -> None:
    evidence = evidence_of([reported(9.0, 2.0), {}, reported(9.0, 0.5), reported(9.0)], [], [])
    assert slopes(evidence, np.array([True, False, True, False])).tolist() == [0.5, 0.0, 2.0, 0.0]


def test_most_likely_values_count_where_a_quantity_has_no_report_that_counts() -> None:
    both = {"value": 5.0, "lower": 3.0, "upper": 9.0}
    rows = [both, both | {"uncertainty": 4.0}, both, {"lower": 3.0, "upper": 9.0}, both, both]
    terms = [(0, 1, 1.0), (1, 1, 1.0), (2, 0, 1.0), (3, 1, 1.0), (4, 0, 1.0), (4, 1, 1.0)]
    found = centred(evidence_of([reported(9.0), {}], rows, terms), np.array([True, False]))
    # Half the width is 3, or the uncertainty if that is more; the last statement has no quantity.
    assert found == pytest.approx([0.1 / 3, 0.1 / 4, 0.0, 0.0, 0.1 / 3, 0.0])


# Half of the distance of one quantity from 100, and a quarter of what both total above 90: the least is 2.5, at 100.
OVER = evidence_of(
    [reported(100.0, 2.0), {"most": 1000.0}],
    [{"lower": 0.0, "upper": 90.0, "uncertainty": 4.0}],
    [(0, 0, 1.0), (0, 1, 1.0)],
)
# The same below zero: half of the distance from 100, and a quarter of what the negated total has below -90.
UNDER = evidence_of(
    [reported(100.0, 2.0), {"most": 1000.0}],
    [{"lower": -90.0, "upper": 0.0, "uncertainty": 4.0}],
    [(0, 0, -1.0), (0, 1, -1.0)],
)


@pytest.mark.parametrize(
    ("amount", "multiplier", "value", "gap"),
    [
        ((100.0, 0.0), 0.25, 2.5, 0.0),
        ((96.0, 0.0), 0.25, 3.5, 1.0),
        ((100.0, 8.0), 0.25, 4.5, 2.0),
        ((80.0, 0.0), 0.25, 10.0, 7.5),
        # A multiplier of zero leaves every part alone: 2 of the report, and 1.5 of the sum.
        ((96.0, 0.0), 0.0, 3.5, 3.5),
        # One of 0.05 takes its part of the distance from 90 off the sum, and adds that of the quantity from 100.
        ((96.0, 0.0), 0.05, 3.5, 2.0 - 4 * 0.05 + 6 * 0.2),
    ],
)
def test_the_gap_is_the_distance_from_the_least_adjustment(
    amount: tuple[float, float], multiplier: float, value: float, gap: float
) -> None:
    # A multiplier of a limit from above is negative.
    assert adjusted(OVER, amount, -multiplier) == pytest.approx((value, gap), abs=1e-10)
    assert adjusted(UNDER, amount, multiplier) == pytest.approx((value, gap), abs=1e-10)


def test_a_multiplier_of_a_side_that_does_not_exist_proves_nothing() -> None:
    # Without a limit 100 is the least adjustment, and 90 has a tenth of it in the report, however large the quantity.
    for sign in (1.0, -1.0):
        evidence = evidence_of([reported(100.0, 1.0, 100.0)], [{"lower": -1e3}], [(0, 0, sign)])
        if sign < 0:
            evidence = evidence_of([reported(100.0, 1.0, 100.0)], [{"upper": 1e3}], [(0, 0, sign)])
        assert adjusted(evidence, [90.0])[1] == pytest.approx(10.0)
        assert adjusted(evidence, [90.0], -sign)[1] >= 10.0
        assert adjusted(evidence, [90.0], sign * 0.5)[1] >= 10.0


def test_a_multiplier_above_the_weight_of_a_statement_proves_as_much_less() -> None:
    # The bracket of the sum falls beyond its side as far as any sum can be.
    for evidence, sign in ((OVER, -1.0), (UNDER, 1.0)):
        assert adjusted(evidence, (100.0, 0.0), sign * 0.25 * (1 + 1e-9))[1] < 1e-5
        assert 0.25 * 1900 <= adjusted(evidence, (100.0, 0.0), sign * 0.5)[1] <= 0.25 * 1930


# A quantity without a report, most likely at 40: a tenth of the half-width of 25 is a cost of 0.004.
LIKELY = evidence_of(
    [{"most": 100.0}], [{"value": 40.0, "lower": 20.0, "upper": 70.0, "uncertainty": 5.0}], [(0, 0, 1.0)]
)


@pytest.mark.parametrize(
    ("amount", "multiplier", "value", "gap"),
    [
        (40.0, 0.0, 0.0, 0.0),
        (60.0, 0.0, 0.08, 0.08),
        (25.0, 0.0, 0.06, 0.06),
        # A multiplier as large as the cost makes values above 40 equally good, and charges the quantity: it may be 0.
        (60.0, -0.004, 0.08, 0.24),
        # The quantity may reach 100, and values below 40 are equally good.
        (25.0, 0.004, 0.06, 0.3),
        (75.0, 0.0, 1.14, 1.14),
    ],
)
def test_the_distance_from_a_most_likely_value_counts_within_the_range(
    amount: float, multiplier: float, value: float, gap: float
) -> None:
    found = adjusted(LIKELY, [amount], value_multiplier=multiplier, central=[0.004])
    assert found == pytest.approx((value, gap), abs=1e-10)


@pytest.mark.parametrize(("multiplier", "gap"), [(0.004, 0.08), (-0.004, 0.12)])
def test_multipliers_of_a_range_and_of_its_value_cancel_at_the_quantity(multiplier: float, gap: float) -> None:
    # What is left is the distance of the sum from the end of its range, 20 or 70.
    assert adjusted(LIKELY, [40.0], multiplier, -multiplier, [0.004]) == pytest.approx((0.0, gap), abs=1e-10)


def test_quantities_agree_with_reports_that_count_and_are_possible() -> None:
    rows = [reported(50.0, 10.0), reported(5.0, 10.0), reported(95.0, 10.0, 100.0), reported(50.0, 10.0, 70.0)]
    evidence = evidence_of(rows, [{"lower": 3.0, "upper": 8.0, "uncertainty": 2.0}, {}], [])
    (least, largest), (lower, upper) = limits(evidence, np.array([True, True, True, False]))
    off = 10 * (1 + 1e-6)
    assert least.tolist() == [50.0 - off, 0.0, 95.0 - off, 0.0]
    assert largest.tolist() == [50.0 + off, 5.0 + off, 100.0, 70.0]
    assert lower.tolist() == [3.0 - 2 * (1 + 1e-6), -np.inf]
    assert upper.tolist() == [8.0 + 2 * (1 + 1e-6), np.inf]
    assert [end.tolist() for end in possible(evidence)] == [[0.0] * 4, [1000.0, 1000.0, 100.0, 70.0]]


# Twice a quantity of 98 to 102 and one without a report, which total 106 to 144: from 204 to 204 + 42.
ENDS = evidence_of(
    [reported(100.0, 2.0), {"most": 50.0}],
    [{"lower": 110.0, "upper": 140.0, "uncertainty": 4.0}],
    [(0, 0, 1.0), (0, 1, 1.0)],
)


@pytest.mark.parametrize(
    ("sign", "amount", "multiplier", "gap"),
    [
        (1.0, (98.0, 8.0), 1.0, 0.0),
        (1.0, (99.0, 10.0), 1.0, 4.0),
        (1.0, (99.0, 10.0), 0.0, 12.0),
        (1.0, (99.0, 10.0), 0.5, 1.5 + 5 + 0.5 * 3),
        (-1.0, (102.0, 42.0), -1.0, 0.0),
        (-1.0, (101.0, 40.0), -1.0, 4.0),
        (-1.0, (101.0, 40.0), 0.0, 12.0),
        # Sums beyond their limit are no farther from it than those at it.
        (1.0, (98.0, 7.0), 1.0, 0.0),
        (-1.0, (102.0, 43.0), -1.0, 0.0),
    ],
)
def test_the_gap_of_an_end_is_its_distance_from_the_farthest_agreeing_one(
    sign: float, amount: tuple[float, float], multiplier: float, gap: float
) -> None:
    factor = sign * np.array([2.0, 1.0])
    value, found = end_of_interval(ENDS, np.array(amount), np.array([True, False]), factor, np.array([multiplier]))
    assert value == factor @ amount
    # A millionth of each uncertainty is added to it.
    assert gap - 1e-12 <= found <= gap + 1e-5


def test_a_multiplier_of_an_absent_limit_proves_no_end() -> None:
    evidence, one = evidence_of([{}, {}], [{"lower": 1.0}, {"upper": 1.0}], [(0, 0, 1.0), (1, 1, 1.0)]), np.ones(2)
    for multiplier, proves in (([1.0, 0.0], True), ([-1.0, 0.0], False), ([0.0, 1.0], False), ([0.0, -1.0], True)):
        gap = end_of_interval(evidence, one, one > 1, one, np.array(multiplier))[1]
        assert np.isfinite(gap) == proves


def test_an_end_includes_all_rounding() -> None:
    # One quantity in the middle of what it may be; its sum is at its limit, with all that it costs as multiplier.
    evidence = evidence_of([{"most": 98.0}], [{"lower": 49.0, "uncertainty": 1e-9}, {}], [(0, 0, 1.0)])
    counts, one = np.array([False]), np.ones(1)
    amount = limits(evidence, counts)[1][0][:1]
    gap = end_of_interval(evidence, amount, counts, one, np.array([1.0, 0.0]))[1]
    others = float(evidence.sums(amount)[1][0]) + sum_with_error(amount)[1]
    # The activity of a row and the factor pass 19 roundings over a distance of 49.
    assert 19 * 98 * ROUNDOFF + others <= gap <= 1.02 * 19 * 98 * ROUNDOFF + others


def test_a_product_is_off_by_no_more_than_eight_roundings() -> None:
    value, error = sum_with_error(np.array([-3.0]))
    assert value == -3.0
    assert 8 * 3 <= error / ROUNDOFF <= 8.1 * 3


@pytest.mark.parametrize(
    ("weight", "multiplier", "central", "steep"),
    [(1000.0, 0.0, 0.0, 1000.0), (1000.0, 1000.0, 0.0, 2000.0), (1.0, 0.0, 500.0, 751.0)],
)
def test_the_rounding_of_a_sum_counts_with_all_of_its_slopes(
    weight: float, multiplier: float, central: float, steep: float
) -> None:
    # The first quantity is as large and the second as small as it can be, and the sum is at its limits and its value.
    range_of_sum = {"lower": 100.0, "upper": 100.0, "value": 100.0, "uncertainty": 1 / weight}
    evidence, amount = evidence_of([{}, {}], [range_of_sum], [(0, 0, 1.0), (0, 1, -1.0)]), [100.0, 0.0]
    error = float(evidence.sums(np.array(amount))[1][0])
    value, gap = adjusted(evidence, amount, multiplier, 0.5 * central, [central])
    assert value == 0.0
    assert steep * error <= gap <= 1.02 * steep * error


def test_the_rounding_of_a_sum_counts_at_its_upper_limit_and_that_of_the_value_everywhere() -> None:
    at_limit = evidence_of([{}], [{"upper": 100.0, "uncertainty": 1e-3}], [(0, 0, 1.0)])
    assert adjusted(at_limit, [100.0])[1] >= 1e3 * at_limit.sums(np.full(1, 100.0))[1][0]
    # Nothing is allowed of what is reported as 1000: each bracket is at its minimum, and the sum has no rounding.
    value, gap = adjusted(
        evidence_of([reported(1000.0)], [{"upper": 0.0, "uncertainty": 1e-3}], [(0, 0, 1.0)]), [0.0], -2.0
    )
    assert value == 1000.0
    assert gap >= 8 * 1000 * ROUNDOFF


@pytest.mark.parametrize(("room", "share"), [(2.0, 0.0), (0.5, 0.5), (0.0, 1.0), (-1.0, 1.0)])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_rounding_of_a_sum_counts_as_far_as_it_may_leave_the_range(room: float, share: float, side: float) -> None:
    # The sum is zero by cancellation, so that its limit may be as near as its rounding.
    terms = [(0, 0, 1.0), (0, 1, -1.0)]
    error = float(evidence_of([{}, {}], [{}], terms).sums(np.full(2, 64.0))[1][0])
    limit = {"lower": -room * error, "upper": 1e-9} if side < 0 else {"lower": -1e-9, "upper": room * error}
    gap = adjusted(evidence_of([{"most": 64.0}] * 2, [limit | {"uncertainty": 1e-3}], terms), [64.0, 64.0])[1]
    beyond = max(-room, 0.0) * 1e3 * error
    assert (share * 1e3 * error + beyond) * (1 - 1e-6) <= gap
    assert gap <= (share * 1.02e3 * error + beyond) * (1 + 1e-6) + 1e-20


@pytest.mark.parametrize(("roundings", "flat"), [(8, True), (7, False)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_multiplier_as_large_as_the_weight_less_its_rounding_is_outweighed_beyond_the_side(
    roundings: int, flat: bool, sign: float
) -> None:
    never = np.full(1, np.inf)
    gap = _of_rows(
        np.zeros(1),
        (np.zeros(1), np.zeros(1)),
        np.ones(1),
        np.array([sign * (1 - roundings * ROUNDOFF)]),
        (-never, never),
        np.full(1, 9.0),
    )
    assert (gap < 1e-200) == flat
    # A bracket has one multiplier and two slopes, over a distance of nine.
    assert flat or 41 - 7 <= gap / ROUNDOFF / 9 <= 41.5 - 7


@pytest.mark.parametrize(("roundings", "stays"), [(30, True), (29, False), (14, False)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_quantity_stays_at_its_report_if_its_pull_is_weaker_whatever_the_rounding(
    roundings: int, stays: bool, sign: float
) -> None:
    # Two statements pull with one half each. A pull of two terms for each of both multipliers passes 22 roundings, and
    # 8 are left to the slope of one.
    terms = [(0, 0, 1.0), (1, 0, 1.0)]
    evidence = evidence_of([reported(100.0)], [{"lower": -1e6, "upper": 1e6}] * 2, terms)
    pull = sign * (1 - roundings * ROUNDOFF)
    multipliers = np.array([pull / 2, 0.0]), np.array([0.0, pull / 2])
    one = np.array([True])
    gap, cost = _of_quantities(evidence, np.array([100.0]), slopes(evidence, one), multipliers, possible(evidence))
    assert cost.tolist() == [0.0]
    assert (gap < 1e-200) == stays
