"""Rows that couple units: totals, misses and gaps against fractions, and the rounding that is added to them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import inf

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.allocation.rows import CouplingRows, RowBuilder, Totals
from etsopt.checking.arithmetic import gamma
from etsopt.checking.tolerances import UNIT_TOLERANCE_T

U = 2.0**-53


def some(least: float = 0.0, most: float = 10.0) -> CouplingRows:
    """A target of units 0 and 1, an order of rates of 1 and 2, a balance of 0 and 2, and an equality of 0 and 1."""
    return CouplingRows(
        row=np.array([0, 0, 1, 1, 2, 2, 3, 3]),
        position=np.array([0, 1, 1, 2, 0, 2, 0, 1]),
        sign=np.array([1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, -1.0]),
        divisor=np.array([1.0, 1.0, 3.0, 7.0, 1.0, 1.0, 11.0, 3.0]),
        least=np.array([least, 0.0, -inf, 0.0]),
        most=np.array([most, inf, 5.0, 0.0]),
        rule=np.array(["sector_target", "intensity_order", "province_balance", "equal_rates"], dtype=object),
        index=np.array(["cement", "u1", "North", "u0"], dtype=object),
    )


def one_row(least: float, most: float, rule: str = "sector_target", divisor: float = 1.0) -> CouplingRows:
    one, zero = np.ones(1), np.zeros(1, dtype=np.int64)
    names = np.array([rule], dtype=object), np.array(["x"], dtype=object)
    return CouplingRows(zero, zero, one, divisor * one, least * one, most * one, *names)


def test_totals_are_exact_in_tonnes_and_within_their_bound_in_rates() -> None:
    rows, allowance = some(), np.array([4.3, 5.9, 1.1])
    totals = rows.totals(allowance)
    a, b, c = map(Fraction, allowance.tolist())
    for row, exact in enumerate([a + b, b / 3 - c / 7, a + c, a / 11 - b / 3]):
        off = abs(Fraction(totals.high[row]) + Fraction(totals.low[row]) - exact)
        assert off <= Fraction(totals.error[row])
        assert totals.value[row] == totals.high[row] + totals.low[row] == pytest.approx(float(exact))
    sizes = (5.9 / 3 + 1.1 / 7), (4.3 / 11 + 5.9 / 3)
    assert totals.error[[1, 3]] == pytest.approx([(gamma(2) + 4 * U) * size for size in sizes], rel=1e-9, abs=0)
    assert (totals.error[[0, 2]] < 1e-14).all()
    only = one_row(0.0, 1.0).totals(allowance)
    assert (only.high.tolist(), only.low.tolist()) == ([4.0], pytest.approx([0.3]))


def test_how_far_each_row_may_be_missed_is_20_kg_or_a_rate_of_1e_8() -> None:
    assert some().tolerance.tolist() == [2e-2, 1e-8, 2e-2, 1e-8]
    assert some().in_rates.tolist() == [False, True, False, True]
    assert some().most_of_unit == 3
    assert len(some()) == 4
    assert UNIT_TOLERANCE_T == 1e-3


@pytest.mark.parametrize(
    ("least", "most", "total", "missed"),
    [(2.0, 8.0, 1.5, 0.5), (2.0, 8.0, 8.5, 0.5), (2.0, 8.0, 5.0, 0.0), (-inf, 8.0, 10.0, 2.0), (2.0, inf, 1.0, 1.0)],
)
def test_a_row_is_missed_by_what_lies_outside_its_limits(
    least: float, most: float, total: float, missed: float
) -> None:
    totals = Totals(np.array([total]), np.array([0.25]), np.array([0.0]))
    inside = Totals(np.array([total - 0.25]), np.array([0.25]), np.array([0.0]))
    by = one_row(least, most).misses(inside)
    assert by[0] == pytest.approx(missed, abs=1e-14)
    assert by[0] >= missed
    # What is below the rounding of the total counts as well.
    more = one_row(least, most).misses(totals)[0]
    assert more == pytest.approx(missed + (0.25 if total > 5 else -0.25 if missed else 0.0), abs=1e-14)


def test_what_is_missed_counts_the_error_of_the_total_and_four_roundings_of_its_parts() -> None:
    """The parts of the total cancel here, so that only what is added for rounding is left."""
    big = 2.0**40
    for least, most, sign in ((0.0, inf, 1.0), (-inf, 0.0, -1.0)):
        totals = Totals(np.array([-sign * big]), np.array([sign * big]), np.array([3e-4]))
        assert one_row(least, most).misses(totals)[0] == pytest.approx(3e-4 + gamma(4) * 2 * big, rel=1e-9)
        price = np.array([sign * 8.0])
        gap = one_row(least, most).gap(totals, price)
        assert gap == pytest.approx(8 * (3e-4 + gamma(4) * 2 * big), rel=1e-9)


def test_a_gap_is_the_multiplier_times_the_distance_from_the_side_that_it_prices() -> None:
    totals = Totals(np.array([4.0]), np.array([0.5]), np.array([0.0]))
    for price, known in ((0.5, 0.5 * 2.5), (-3.0, 3 * 5.5), (0.0, 0.0)):
        gap = one_row(2.0, 10.0).gap(totals, np.array([price]))
        assert known <= gap <= known * (1 + 1e-12) + 1e-200
    outside = Totals(np.array([1.0]), np.array([0.5]), np.array([0.0]))
    assert one_row(2.0, 10.0).gap(outside, np.array([2.0])) < 1e-12


def test_a_multiplier_that_is_no_number_or_overflows_proves_nothing() -> None:
    totals = Totals(np.array([4.0]), np.array([0.5]), np.array([0.0]))
    for price in (inf, -inf, np.nan):
        assert one_row(2.0, 10.0).gap(totals, np.array([price])) == inf
    assert not one_row(-1e300, 1.0).gap(totals, np.array([1e300])) < inf
    far = Totals(np.array([4.0]), np.array([0.5]), np.array([inf]))
    assert not one_row(2.0, 10.0).gap(far, np.array([1.0])) < inf


def test_a_multiplier_of_a_side_that_does_not_exist_is_none() -> None:
    price = np.array([0.5, -0.25, 0.5, -4.0])
    assert some().supported_duals(price).tolist() == [0.5, 0.0, 0.0, -4.0]
    assert some().supported_duals(-price).tolist() == [-0.5, 0.25, -0.5, 4.0]
    assert some(least=-inf).supported_duals(price)[0] == 0.0
    assert some(most=inf).supported_duals(-price)[0] == 0.0


def test_a_rate_that_is_missed_is_told_in_tonnes_of_its_smaller_unit() -> None:
    rows = some()
    totals = Totals(np.array([1.0, -0.5, 1.0, 0.25]), np.zeros(4), np.zeros(4))
    assert rows.misses_t(totals) == pytest.approx(1.5)
    totals = Totals(np.array([12.0, 0.5, 1.0, 0.0]), np.zeros(4), np.zeros(4))
    assert rows.misses_t(totals) == pytest.approx(2.0)
    empty = replace(rows, **{name: getattr(rows, name)[:0] for name in ("row", "position", "sign", "divisor")})
    assert empty.misses_t(Totals(np.array([11.0, 0.0, 0.0, 0.0]), np.zeros(4), np.zeros(4))) == pytest.approx(1.0)
    assert empty.most_of_unit == 0
    within = Totals(np.array([5.0, 0.5, 1.0, 0.0]), np.zeros(4), np.zeros(4))
    assert rows.misses_t(within) < 1e-12


def test_the_pull_of_a_unit_is_that_of_all_its_rows() -> None:
    rows, price = some(), np.array([2.0, -3.0, 5.0, 7.0])
    pull = rows.dual_activity(price, 4)
    exact = [2 + 5 + Fraction(7, 11), 2 - 1 - Fraction(7, 3), Fraction(3, 7) + 5, 0]
    sizes = [2 + 5 + Fraction(7, 11), 2 + 1 + Fraction(7, 3), Fraction(3, 7) + 5, 0]
    assert pull.at_unit == pytest.approx([float(value) for value in exact])
    known = [float(value) * (1 + gamma(2 * 3 + 4)) for value in sizes]
    assert pull.size == pytest.approx(known, rel=4 * U)
    assert (pull.size[:3] > [float(value) for value in sizes[:3]]).all()
    assert pull.rows == 3
    alone = one_row(0.0, 1.0).dual_activity(np.array([-1.0]), 2)
    assert alone.at_unit.tolist() == [-1.0, 0.0]
    assert alone.size.tolist() == [1 + gamma(2 + 4), 0.0]


def test_a_unit_reaches_a_row_by_its_size_over_the_divisor() -> None:
    assert some().reach(np.array([22.0, 9.0, 21.0])) == pytest.approx([22.0, 3.0, 22.0, 3.0])


def test_multipliers_are_found_by_the_name_and_the_index_of_their_row() -> None:
    duals = pd.DataFrame(
        [
            ("province_balance", "North", 1.5),
            ("sector_target", "steel", 2.5),
            ("nothing", "cement", 3.5),
            ("equal_rates", "u0", 4.5),
            ("sector_target", None, 5.5),
            ("sector_target", "cement", 6.5),
        ],
        columns=["row", "index", "multiplier"],
    )
    rows = some()
    assert rows.place_of(duals).tolist() == [2, -1, -1, 3, -1, 0]
    assert rows.duals_of(duals).tolist() == [6.5, 0.0, 1.5, 4.5]
    limits = rows.limits_of("sector_target")
    assert limits["cement"] == (0.0, 10.0)


def test_rows_are_collected_in_their_order_and_limits_in_tonnes_are_whole_where_allowances_are() -> None:
    for whole in (False, True):
        rows = RowBuilder(whole)
        limits = np.array([1.2]), np.array([9.8])
        names = np.array(["a"], dtype=object)
        first = rows.add("sector_target", names, limits, np.array([0, 0]), np.array([0, 1]))
        both = np.array([1.2, 3.4]), np.array([9.8, 7.6])
        second = rows.add(
            "intensity_order",
            np.array(["b", "c"], dtype=object),
            both,
            np.array([1, 0]),
            np.array([2, 0]),
            np.array([-1.0, 1.0]),
            5.0,
        )
        assert (first.tolist(), second.tolist()) == ([0], [1, 2])
        assert rows.upper_limits(np.array([2, 0])).tolist() == [7.6, 9.0 if whole else 9.8]
        made = rows.finish()
        assert made.row.tolist() == [0, 0, 2, 1]
        assert made.position.tolist() == [0, 1, 2, 0]
        assert made.sign.tolist() == [1.0, 1.0, -1.0, 1.0]
        assert made.divisor.tolist() == [1.0, 1.0, 5.0, 5.0]
        assert made.least.tolist() == [2.0 if whole else 1.2, 1.2, 3.4]
        assert made.rule.tolist() == ["sector_target", "intensity_order", "intensity_order"]
        assert made.index.tolist() == ["a", "b", "c"]
