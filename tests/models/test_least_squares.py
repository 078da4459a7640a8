"""The closest point is found where rows repeat each other and leave no room, and its totals and rates are exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import linprog

from etsopt_models._projection.least_squares import Entries, Projection
from etsopt_models._projection.polishing import Tied, polished
from etsopt_models._projection.proximal import maximise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Row = tuple[dict[int, float], float, bool]


def problem_of(
    emissions: NDArray[np.float64],
    rows: list[Row],
    width: float | NDArray[np.float64] = 0.5,
    reference: NDArray[np.float64] | None = None,
) -> Projection:
    """Units with intervals around their emissions; of each row coefficients by unit, right-hand side, and equality."""
    entries = [(k, unit, value) for k, (row, _, _) in enumerate(rows) for unit, value in row.items()]
    row, column, value = (np.array(part) for part in zip(*entries, strict=True))
    return Projection(
        emissions,
        emissions if reference is None else reference,
        emissions * (1 - width),
        emissions * (1 + width),
        None,
        Entries(row, column, value.astype(float), len(rows), len(emissions)),
        np.array([least for _, least, _ in rows]),
        np.array([equal for _, _, equal in rows]),
        np.full(len(rows), 1e-2),
    )


def in_order(emissions: NDArray[np.float64], equal: bool) -> list[Row]:
    """Each unit has at least the rate of the next, or the same."""
    return [({k: 1 / emissions[k], k + 1: -1 / emissions[k + 1]}, 0.0, equal) for k in range(len(emissions) - 1)]


def total(units: int, tonnes: float, sign: float = 1.0) -> Row:
    return dict.fromkeys(range(units), sign), sign * tonnes, False


@pytest.mark.parametrize("decades", [0, 3, 6])
@pytest.mark.parametrize("copies", [1, 3])
def test_units_of_one_rate_share_a_total_by_their_emissions(decades: int, copies: int) -> None:
    # By hand: with one rate the total is that rate times all emissions, however often a row says so.
    emissions = 10.0 ** np.linspace(0, decades, 40)
    all_t = 0.97 * emissions.sum()
    rows = [*in_order(emissions, equal=True), *[total(40, all_t)] * copies, *[total(40, all_t, -1.0)] * copies]
    problem = problem_of(emissions, rows)
    prices, _, reached = maximise(problem)
    allowance = polished(problem, problem.answer(prices), prices)
    assert reached
    assert allowance == pytest.approx(0.97 * emissions, rel=1e-12)
    # To the last digit.
    assert np.ptp(allowance / emissions) <= 4 * np.spacing(1.0)


@pytest.mark.parametrize("seed", range(12))
def test_no_feasible_move_comes_closer(seed: int) -> None:
    """At the one closest point the slope of the distance is least, over all feasible points: a linear program."""
    random = np.random.default_rng(seed)
    count = 30
    emissions = 10.0 ** random.uniform(0, 6, count)
    reference = emissions * random.uniform(0.9, 1.1, count)
    all_t = float(emissions.sum())
    rows = [*in_order(emissions, equal=False), total(count, 0.97 * all_t), total(count, 0.97 * all_t, -1.0)]
    # A part of the units has a total of its own, which the order leaves little room for.
    rows += [(dict.fromkeys(range(0, count, 3), -1.0), -0.97 * float(emissions[::3].sum()), False)]
    problem = problem_of(emissions, rows, 0.1, reference)
    prices, _, reached = maximise(problem)
    allowance = polished(problem, problem.answer(prices), prices)
    assert reached
    full = np.zeros((len(rows), count))
    full[problem.entries.row, problem.entries.column] = problem.entries.value
    slope = 2 * (allowance - reference) / emissions
    # In shares of emissions, so that the program has numbers of one size.
    size = np.abs(full) @ emissions
    best = linprog(
        slope * emissions / all_t,
        -(full * emissions) / size[:, np.newaxis],
        -problem.least / size,
        bounds=list(zip(problem.lower / emissions, problem.upper / emissions, strict=True)),
    )
    assert best.status == 0
    assert float(slope @ allowance) / all_t == pytest.approx(best.fun, abs=1e-8)


def test_prices_have_an_end_where_two_totals_and_one_rate_say_the_same() -> None:
    # Two units at their emissions, each by a total of its own, and of one rate: the rate needs no price.
    emissions = np.array([363_855.0, 2_808_534.0])
    rows = [*in_order(emissions, equal=True), *(({k: 1.0}, float(emissions[k]), True) for k in range(2))]
    problem = problem_of(emissions, rows, np.array([0.02, 0.0]), emissions * np.array([1.03, 1.05]))
    prices, _, reached = maximise(problem)
    assert reached
    assert problem.answer(prices) == pytest.approx(emissions, rel=1e-15)
    # By hand: a tonne less at the first unit brings it closer by twice 3 %. The total and the rate share that, in any
    # way, but no price is of another size.
    assert -prices[1] - prices[0] / emissions[0] == pytest.approx(2 * 0.03, rel=1e-9)
    assert abs(prices[1]) < 1


def test_a_total_is_met_by_units_that_are_tied_where_no_other_may_move() -> None:
    emissions = np.array([3.0, 7e6, 11.0])
    rows = [*in_order(emissions, equal=True), total(3, 6.8e6), total(3, 6.8e6, -1.0)]
    problem = problem_of(emissions, rows)
    prices = np.array([1.0, 1.0, 1.0, 0.0])
    off = emissions * (6.8e6 + 1e-5) / emissions.sum()
    assert abs(polished(problem, off, prices).sum() - 6.8e6) <= np.spacing(6.8e6)


def test_a_group_has_the_rate_of_a_unit_that_cannot_move() -> None:
    emissions = np.array([2.0, 5.0, 9.0])
    width = np.array([0.5, 0.25, 0.5])
    tied = Tied.of(problem_of(emissions, in_order(emissions, equal=True), width), np.array([True, True]))
    assert tied.equalled(np.array([2.5, 6.25, 11.2])) == pytest.approx(1.25 * emissions, rel=1e-15)
    assert tied.with_room(np.array([True, True, True])).tolist() == [0]
    assert tied.with_room(np.array([True, False, True])).tolist() == []


def test_a_unit_that_a_number_holds_moves_with_no_group() -> None:
    # The rate of the first is at least 0.9, and has a price; the others are tied.
    emissions = np.array([2.0, 5.0, 9.0])
    rows = [({0: 1 / 2.0}, 0.9, False), ({1: 1 / 5.0, 2: -1 / 9.0}, 0.0, True)]
    tied = Tied.of(problem_of(emissions, rows), np.array([True, True]))
    assert tied.group.tolist() == [-1, 0, 0]
    assert tied.firm.tolist() == [True, False, False]


def test_an_answer_that_is_whole_but_for_its_last_digits_is_whole() -> None:
    # Without rows each unit has its reference, or the end of its interval. The third is nearly whole, and may not be.
    lower = np.array([0.0, 0.0, np.nextafter(7.0, 8.0)])
    reference = np.array([np.nextafter(101_500.0, 0.0), 3.25, 0.0])
    none = Entries(*(np.zeros(0, dtype=np.int64),) * 2, np.zeros(0), 0, 3)
    nothing = np.zeros(0)
    problem = Projection(
        np.ones(3), reference, lower, np.full(3, 1e6), None, none, nothing, nothing.astype(bool), nothing
    )
    assert problem.answer(nothing).tolist() == [101_500.0, 3.25, lower[2]]
    assert maximise(problem)[1:] == (0, True)
