"""Bounds of the objective of enterprises: of each unit by itself, and of combinations where units share a budget."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from etsopt.checking.arithmetic import ROUNDOFF
from etsopt.checking.investment import bound as bounds
from etsopt.checking.investment.bound import Bound, Enterprises
from etsopt.checking.investment.objective import Objective
from tests.checking.investment.small import costs_of, objective_of, units_alone
from tests.checking.market.small import table


def test_the_tail_is_what_the_level_of_cvar_leaves() -> None:
    stated = SimpleNamespace(cvar_level=0.75, cvar_weight=0.25)
    found = Objective.of(units_alone(investment=stated), np.array([0.5, 0.5]))
    assert (found.tail, found.weight, found.probability.tolist()) == (0.25, 0.25, [0.5, 0.5])


def test_cvar_is_the_mean_of_the_worst_scenarios_and_counts_by_its_weight() -> None:
    objective = objective_of([0.5, 0.25, 0.25], 0.5, 0.25)
    # The worst half of the first are 40 and 20; of the second, half of 4 in the middle of three, and all of 8.
    costs = table((10, 20, 40), (4, 0, 8))
    assert objective.cvar(costs).tolist() == [30.0, 6.0]
    assert objective.value(costs).tolist() == [0.75 * 20 + 0.25 * 30, 0.75 * 4 + 0.25 * 6]
    assert objective.value(costs[0]) == 22.5
    # A tail of three quarters has all of 40 and 20 and half of the probability of 10.
    assert objective_of([0.5, 0.25, 0.25], 0.75, 1.0).value(costs[0]) == pytest.approx(70 / 3)
    assert objective_of([0.5, 0.25, 0.25]).value(costs).tolist() == [20.0, 4.0]
    # Of any shape that ends with the scenarios.
    many = np.array([costs, costs + 1.0, costs - 1.0, 2 * costs])
    assert objective.cvar(many).tolist() == [[30, 6], [31, 7], [29, 5], [60, 12]]
    assert objective.cvar(many[None]).shape == (1, 4, 2)


# At a weight of a half: from 0.25, 0.125 and 0.125 up by at most 1.0, 0.5 and 0.5, and by a half in all.
QUARTER = objective_of([0.5, 0.25, 0.25], 0.25, 0.5)


@pytest.mark.parametrize(
    ("stated", "above"),
    [
        ((0.35, 0.425, 0.225), (0.1, 0.3, 0.1)),
        # All of it above the room: 2.0, of which a quarter is taken.
        ((9.0, 9.0, 9.0), (0.25, 0.125, 0.125)),
        # 0.6 and 0.4: half of it.
        ((0.85, 0.525, 0.0), (0.3, 0.2, 0.0)),
        # 0.2: another 0.3 is taken of the 1.8 that are left.
        ((0.45, 0.125, 0.125), (0.2 + 0.8 / 6, 0.5 / 6, 0.5 / 6)),
        # Nothing, and what is no number: 0.5 is taken of 2.0.
        ((0.0, -3.0, np.nan), (0.25, 0.125, 0.125)),
    ],
)
def test_stated_weights_are_moved_into_their_limits_and_to_a_sum_of_one(
    stated: tuple[float, ...], above: tuple[float, ...]
) -> None:
    # Beside an enterprise whose weights are right.
    found = QUARTER.nearest_weights(table((0.35, 0.425, 0.225), stated))
    expected = np.array([0.25, 0.125, 0.125]) + above
    assert found[1] == pytest.approx(expected, rel=1e-12)
    assert found[0] == pytest.approx([0.35, 0.425, 0.225], rel=1e-12)
    assert found.sum(axis=1) == pytest.approx(1.0, rel=1e-12)


def test_without_cvar_or_at_a_tail_of_all_scenarios_the_weights_are_the_probabilities() -> None:
    stated = table((0.1, 0.2, 0.7), (0.0, 0.0, 9.0))
    for objective in (objective_of([0.5, 0.25, 0.25], 0.25), objective_of([0.5, 0.25, 0.25], 1.0, 0.5)):
        assert objective.nearest_weights(stated).tolist() == [[0.5, 0.25, 0.25]] * 2


def gamma(roundings: int) -> float:
    return roundings * ROUNDOFF / (1 - roundings * ROUNDOFF)


def exactly(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=0.0)


def bound_of(
    objective: Objective,
    of_unit: Sequence[int] = (0,),
    value: Sequence[float] = (0.0,),
    account: Any = None,
    budget: Sequence[float] = (np.inf,),
    weights: Any = None,
    multipliers: Sequence[float] = (0.0,),
) -> Bound:
    """A bound by the probabilities, and of accounts that cost nothing, unless they say otherwise."""
    shape = (len(value), len(objective.probability))
    enterprises = Enterprises(
        np.array(of_unit),
        np.array(value),
        np.zeros(shape) if account is None else np.array(account, dtype=float),
        np.array(budget),
    )
    own = np.broadcast_to(objective.probability, shape) if weights is None else np.array(weights)
    return Bound(objective, enterprises, own, np.array(multipliers))


def test_an_enterprise_without_units_costs_its_account_less_its_budget_at_the_multiplier() -> None:
    found = bound_of(
        objective_of([0.5, 0.25, 0.25]),
        value=(0.0, 0.0),
        account=((-40, 8, 12), (0, 100, -20)),
        budget=(np.inf, 1000.0),
        weights=((0.5, 0.25, 0.25), (0.25, 0.5, 0.25)),
        multipliers=(0.5, 0.25),
    )
    # -20 + 2 + 3, where no budget has no price; 50 - 5 - 250. Their sizes are 25, and 50 + 5 + 250.
    assert found.of_enterprise.tolist() == [-15.0, -205.0]
    assert found.error == exactly([25 * gamma(11), 305 * gamma(11)])
    assert found.most_saved.tolist() == [0.0, 0.0]
    assert found.total() == pytest.approx(-220.0, abs=1e-9)
    assert found.total() < -220.0


@pytest.mark.parametrize(("weight", "coupled"), [(0.0, [False, True]), (0.5, [True, True])])
def test_a_budget_or_cvar_couples_the_units_of_an_enterprise(weight: float, coupled: list[bool]) -> None:
    found = bound_of(objective_of([1.0], 0.5, weight), value=(0.0, 0.0), budget=(np.inf, 9.0), multipliers=(0.0, 0.0))
    assert found.coupled.tolist() == coupled


def two_enterprises() -> Bound:
    """The first has a budget of 20 CNY at half a CNY each, and units 0 and 1; the second has unit 2."""
    made = bound_of(
        objective_of([0.5, 0.5]),
        of_unit=(0, 0, 1),
        value=(0.0, 0.0),
        budget=(20.0, np.inf),
        weights=((0.25, 0.75), (0.5, 0.5)),
        multipliers=(0.5, 0.0),
    )
    made.add(
        costs_of(
            [2, 0],
            (((100, 40), (60, 20), (np.inf, 0)), ((20, 80), (40, 40), (np.inf, 8))),
            ((0, 0), (1, 10), (7, 40)),
            size=((200, 64), (100, 32)),
        )
    )
    made.add(costs_of([1], (((8,), (16,), (np.inf,)), ((4,), (0,), (np.inf,))), ((0,), (1,), (90,)), ((8,), (16,))))
    return made


def test_every_unit_adds_the_least_of_its_sets_at_the_weights_and_the_multiplier() -> None:
    found = two_enterprises()
    # Unit 0: 70, 35 + 5 or 6 + 20. Unit 1: 5, or 4 + 0.5. Unit 2: 60 or 50. The budget is worth 10.
    assert found.of_enterprise.tolist() == [-10 + 26 + 4.5, 50.0]


def test_a_cny_saves_at_most_what_a_set_saves_of_the_best_one_without_investment() -> None:
    # Unit 0: 70 - 35 by 10, or 70 - 6 by 40. Unit 1: 5 - 4 by 1. Unit 2: 60 - 50 by 1.
    assert two_enterprises().most_saved.tolist() == [3.5, 10.0]
    # The better one of two without any; what costs more saves nothing.
    found = bound_of(objective_of([1.0]), (0, 1), (0.0, 0.0), budget=(9.0, 9.0), multipliers=(0.0, 0.0))
    found.add(costs_of([0, 1], [[[6, 1], [4, 2], [3, 5]]], ((0, 0), (0, 4), (0.5, 2))))
    assert found.most_saved.tolist() == [2.0, 0.0]


def test_a_bound_is_lowered_by_the_rounding_of_all_its_terms() -> None:
    # Two scenarios and three sets, a number of two bits. Unit 0: 16 + 24, and half of 40 CNY; unit 1: 2 + 12, and half
    # of 90; unit 2: 100 + 50. The budget: 10.
    own = [gamma(10) * 10 + gamma(64 + 8 + 2) * 4 * (60 + 59), gamma(64 + 8 + 2) * 4 * 150]
    assert two_enterprises().error == exactly(own)
    more = bound_of(objective_of([0.5, 0.25, 0.25]))
    more.add(costs_of([0], np.zeros((3, 8, 1)), np.zeros((8, 1)), ((2,), (4,), (8,))))
    assert more.error == exactly([gamma(64 + 12 + 4) * 4 * 4])
    more.of_enterprise[:] = 7.0
    assert 7.0 - more.total() == pytest.approx(gamma(80) * 16, abs=1e-15)


def test_options_are_kept_of_units_that_something_couples_and_of_sets_that_may_be_installed() -> None:
    [(owner, options)] = two_enterprises().options.items()
    assert owner == 0
    assert [[part.tolist() for part in option] for option in options] == [
        [[70 - 26, 40 - 26, 0], [[40, 80], [20, 40], [0, 8]], [0, 10, 40]],
        [[0.5, 0], [[8, 4], [16, 0]], [0, 1]],
    ]


def test_with_one_scenario_what_may_not_be_installed_is_no_option_either() -> None:
    found = bound_of(objective_of([1.0]), budget=(5.0,), multipliers=(0.5,))
    found.add(costs_of([0], [[[9], [np.inf], [4]]], ((0,), (1,), (2,))))
    assert found.of_enterprise.tolist() == [-2.5 + 5]
    [[(excess, cost, investment)]] = found.options.values()
    assert (excess.tolist(), cost.tolist(), investment.tolist()) == ([4, 0], [[9], [4]], [0, 2])


def test_bounds_of_enterprises_less_their_errors_add_up() -> None:
    found = bound_of(objective_of([1.0]), value=(0.0, 0.0), budget=(np.inf, np.inf), multipliers=(0.0, 0.0))
    found.of_enterprise[:], found.error[:] = (10.0, 20.0), (1.0, 0.5)
    assert found.total() == 28.5


def test_combinations_prove_what_a_multiplier_of_a_budget_cannot() -> None:
    # Each of two units saves 10 by 6 CNY. Of 10 CNY one of them may, which leaves 10, and of 12 both.
    for budget, bound, least in ((10.0, 20 - 100 / 6, 10.0), (12.0, 0.0, 0.0)):
        found = bound_of(objective_of([1.0]), (0, 0), (10.0,), budget=(budget,), multipliers=(10 / 6,))
        found.add(costs_of([0, 1], [[[10, 10], [0, 0]]], ((0, 0), (6, 6))))
        assert found.of_enterprise[0] == pytest.approx(bound, abs=1e-12)
        assert found.total() == pytest.approx(least, abs=1e-9)
        assert found.total() < least


def test_a_bound_that_is_better_than_that_of_the_combinations_counts() -> None:
    # The answer is said to cost 3, and so do combinations at most; the multipliers prove 5, and as much of another.
    found = bound_of(
        objective_of([1.0]), (0, 1), (3.0, 30.0), budget=(9.0, 9.0), account=((1,), (8,)), multipliers=(0.0, 0.0)
    )
    found.add(costs_of([0, 1], [[[4, 4]]], ((0, 0),)))
    assert found.total() == pytest.approx(5.0 + 12.0, abs=1e-9)


def test_the_objective_of_a_combination_takes_the_account_and_every_unit_of_each_scenario() -> None:
    # Costs in two scenarios, of which the worse alone counts. By weights of a half, each unit prefers its second set.
    found = bound_of(objective_of([0.5, 0.5], 0.5, 1.0), (0, 0), (100.0,), account=((1, 2),))
    found.add(costs_of([0, 1], (((4, 4), (0, 7)), ((4, 4), (7, 0))), np.zeros((2, 2))))
    # 9, 10; 12, 6; 5, 13; and 8, 9, which is best.
    assert found.of_enterprise[0] == 1.5 + 3.5 + 3.5
    assert found.total() == pytest.approx(9.0, abs=1e-9)


def option(excess: Sequence[float], cost: Any, investment: Sequence[float] | None = None) -> tuple[np.ndarray, ...]:
    """A unit with sets that exceed its least one at the multipliers, cost in scenarios, and need investment."""
    made = np.array(cost, dtype=float).reshape(len(excess), -1)
    return np.array(excess), made, np.zeros(len(excess)) if investment is None else np.array(investment)


def combined(
    options: list[tuple[np.ndarray, ...]],
    value: float = 1000.0,
    bound: float = 0.0,
    budget: float = np.inf,
    error: float = 0.0,
    tail: float = 1.0,
) -> float:
    count = options[0][1].shape[1]
    made = bound_of(objective_of([1 / count] * count, tail), value=(value,), budget=(budget,))
    made.error[:] = error
    return made._of_combinations(0, options, bound)


@pytest.mark.parametrize(
    ("excess", "least"),
    [
        # Within 4 of the bound and twice the error: a set that costs 90 instead of 104.5.
        (4.0, 90.0),
        (4.9, 90.0),
        (5.0, 90.0),
        # Beyond it: no better than the answer of 104.
        (5.1, 104.0),
    ],
)
def test_a_set_that_alone_exceeds_the_answer_is_left_out(excess: float, least: float) -> None:
    # Twice the error in units of the tail: 2 * 0.5 / 0.25.
    assert combined([option([0, excess], [104.5, 90])], 104, 100, error=0.5, tail=0.25) == least - 4


def test_an_answer_below_its_bound_leaves_out_all_but_the_least_sets() -> None:
    # By an error of a half all sets within 1 are kept: 9, and not 3.
    for value in (10.0, 90.0, 100.0):
        assert combined([option([0, 1.5], [9, 3])], value, 100, error=0.5, tail=0.25) == 9 - 4
        assert combined([option([0, 0.9], [9, 3])], value, 100, error=0.5, tail=0.25) == 3 - 4


def test_no_combination_is_proven_to_be_better_than_the_answer_itself() -> None:
    assert combined([option([0, 1], [70, 80])], value=60.0) == 60.0
    assert combined([option([0, 1], [70, 80])], value=75.0) == 70.0
    # No combination is within the budget.
    assert combined([option([0], [70], [5.0])], value=75.0, budget=4.0) == 75.0


@pytest.mark.parametrize(
    ("budget", "least"),
    [(0.0, 50.0), (5.9, 50.0), (6.0, 30.0), (9.9, 30.0), (10.0, 20.0), (15.9, 20.0), (16.0, 0.0)],
)
def test_a_combination_is_within_the_budget_up_to_it(budget: float, least: float) -> None:
    # 50; 5 + 25 for 6 CNY; 25 - 5 for 10; and 5 - 5 for 16.
    units = [option([0, 1], [25, 5], [0, 6]), option([0, 1], [25, -5], [0, 10])]
    assert combined(units, budget=budget) == least


@pytest.mark.parametrize(("over", "least"), [(0.9e-9, 5.0), (1.1e-9, 25.0)])
def test_a_budget_may_be_exceeded_by_rounding(over: float, least: float) -> None:
    assert combined([option([0, 1], [25, 5], [0, 1e3 * (1 + over)])], budget=1e3) == least
    assert combined([option([0, 1], [25, 5], [0, 4e3 * (1 + over)])], budget=4e3) == least


def test_combinations_times_scenarios_are_computed_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    # Three sets and two, and one that alone exceeds the answer: 6 combinations in 4 scenarios.
    options = [
        option([0, 1, 2], [[9] * 4, [8] * 4, [7] * 4]),
        option([0, 1, 5000], [[9] * 4, [6] * 4, [0] * 4]),
    ]
    monkeypatch.setattr(bounds, "INVESTMENT_COMBINATIONS_MAX", 24)
    assert combined(options) == 13.0
    for limit in (23, 0):
        monkeypatch.setattr(bounds, "INVESTMENT_COMBINATIONS_MAX", limit)
        assert combined(options) == -np.inf


def test_of_too_many_combinations_the_multipliers_prove_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    found = bound_of(objective_of([1.0]), (0, 0), (10.0,), budget=(10.0,), multipliers=(1.0,))
    found.add(costs_of([0, 1], [[[10, 10], [0, 0]]], ((0, 0), (6, 6))))
    assert found.total() == pytest.approx(10.0, abs=1e-9)
    monkeypatch.setattr(bounds, "INVESTMENT_COMBINATIONS_MAX", 3)
    # Six of either unit less ten.
    assert found.total() == pytest.approx(2.0, abs=1e-9)
