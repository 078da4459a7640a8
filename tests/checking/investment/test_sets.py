"""First years, investments, and the costs of every set of measures, by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.checking.investment.derived import first_years, investments
from etsopt.checking.investment.sets import SetCosts, least_of_parts, set_costs
from etsopt.checking.readings.families import Family, SlotGroup
from tests.checking.investment.small import baseline_of, choices_of, costs_of, states_of
from tests.checking.market.small import table

if TYPE_CHECKING:
    from etsopt.checking.investment.states import States
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices

THREE_YEARS = np.array([2025, 2026, 2027])


def first(*code: list[int], **parts: Any) -> list[list[int]]:
    """First years of the measures of units over three years, which is three for never."""
    return first_years(baseline_of(years=THREE_YEARS), choices_of(*code, **parts)).tolist()


def test_a_measure_waits_for_its_first_year() -> None:
    found = first([0, 1, 2, 3], first_year=[[2024, 2026, 2027, 2028]])
    assert found == [[0, 1, 2, 3]]


def test_a_step_waits_a_year_for_the_one_before_it() -> None:
    # Of two measures the second has three steps; the other measures wait for nobody.
    line: dict[str, Any] = {"step": [[1, 1, 2, 3, 1]], "steps": [[1, 3, 3, 3, 1]]}
    assert first([0, 1, 1, 1, 2], **line) == [[0, 0, 1, 2, 0]]
    late = [[2027, 2026, 2026, 2026, 2025]]
    assert first([0, 1, 1, 1, 2], first_year=late, **line) == [[2, 1, 2, 3, 0]]
    # What may only begin later does so, and what comes after the last year never begins.
    assert first([1, 1], step=[[1, 2]], steps=[[2, 2]], first_year=[[2025, 2027]]) == [[0, 2]]
    assert first([1, 1], step=[[1, 2]], steps=[[2, 2]], first_year=[[2028, 2025]]) == [[3, 3]]


def test_a_measure_waits_for_all_that_it_requires_through_chains_and_steps() -> None:
    # The first requires the second, and that the third, which begins in 2027.
    chain: Any = [[[1], [2], [-2], [-2]]]
    assert first([0, 1, 2, 3], required=chain, first_year=[[2025, 2025, 2027, 2028]]) == [[2, 2, 2, 3]]
    both: Any = [[[0, 2], [-2, -2], [-2, -2]]]
    assert first([1, 0, 2], required=both, first_year=[[2025, 2026, 2025]]) == [[1, 1, 0]]
    assert first([1, 0, 2], required=both, first_year=[[2025, 2025, 2025]]) == [[0, 0, 0]]
    # A measure in two steps is there with the second of them.
    steps: Any = {"step": [[1, 1, 2]], "steps": [[1, 2, 2]]}
    assert first([0, 1, 1], required=[[[1], [-2], [-2]]], **steps) == [[1, 0, 1]]


def test_what_requires_a_measure_that_is_not_on_offer_never_runs() -> None:
    assert first([0, 1], required=[[[-1, -2], [-2, -2]]]) == [[3, 0]]
    assert first([0, 1], required=[[[1, -1], [-2, -2]]]) == [[3, 0]]
    # Neither does what requires that; an empty slot needs nothing.
    assert first([0, 1, -1], required=[[[-1], [0], [-2]]]) == [[3, 3, 0]]
    assert first([0, -1], [0, 1], required=[[[-2], [-2]], [[1], [-1]]]) == [[0, 0], [3, 3]]


def test_an_investment_costs_what_it_does_in_the_year_in_which_it_is_built() -> None:
    found = investments(
        baseline_of(years=THREE_YEARS, base_output=np.array([10.0, 4.0])),
        choices_of([0, 1], [0, 1], growth=[[2.0, 0.5], [1.0, 3.0]], base_year=2024),
        table((5, 8), (7, 2)),
        np.array([[0, 2], [1, 3]]),
    )
    # 5 * 10 * 2, 8 * 10 / 8; 7 * 4, and 2 * 4 * 27 for what would be built in the last year if it could.
    assert found.tolist() == [[100.0, 10.0], [28.0, 216.0]]


def test_the_set_of_a_unit_is_the_one_with_just_its_slots() -> None:
    groups = (SlotGroup((0,)), SlotGroup((1, 2)))
    costs = costs_of([2, 0], np.zeros((1, 6, 2)), np.zeros((6, 2)), groups=groups)
    # Sets by number: none, 0, 1, 0 and 1, 2, 0 and 2. The last slot is one that these units do not have.
    for slots, number in (([], 0), ([0], 1), ([1], 2), ([0, 1], 3), ([2], 4), ([0, 2], 5)):
        installed = np.zeros((3, 4), dtype=bool)
        installed[2, slots] = True
        installed[0, 1] = True
        assert costs.numbers(installed).tolist() == [number, 2]


def one_unit(**parts: Any) -> tuple[Baseline, Choices]:
    """A unit with a measure that may stop, and becomes dearer, and one from the second year on that may not."""
    baseline = baseline_of(
        base_output=np.array([10.0]),
        in_tonnes=np.ones(1, dtype=bool),
        output=table((10, 20)),
        emissions=table((100, 200)),
        intensity=table((10, 10)),
        measured_output=table((10, 20)),
        given=table((60, 100)),
        follows=np.zeros((1, 2), dtype=bool),
        balance_value=table((8, 8)),
    )
    measures: dict[str, Any] = {
        "left": [[0.5, 0.75]],
        "fixed": [[100.0, 50.0]],
        "variable": [[6.0, -1.0]],
        "growth": [[2.0, 1.0]],
        "stops": [[True, False]],
    }
    return baseline, choices_of([0, 1], **(measures | parts))


def derived_of(
    offered: Choices, before: Baseline, baselines: list[Baseline], states: States, first: Any, investment: Any
) -> Any:
    parts = {"offered": offered, "before": before, "baselines": baselines, "states": states}
    return SimpleNamespace(**parts, first=first, investment=investment)


def costs_in(
    baseline: Baseline, offered: Choices, states: States, start: Any, baselines: list[Baseline] | None = None
) -> SetCosts:
    count = len(states.names) + 1
    [found] = set_costs(
        derived_of(offered, baseline, baselines or [baseline] * count, states, np.array(start), table((1000, 300)))
    )
    return found


HALF_AND_HALF = states_of([[2, 1], [1, 4]], [0.5, 0.5])


def test_the_cost_of_a_set_is_that_of_its_years_at_the_best_operation_of_each() -> None:
    baseline, offered = one_unit()
    found = costs_in(baseline, offered, HALF_AND_HALF, [[0, 1]])
    # 2025, at a price of p: 40 p without abatement; 60 - 10 p if the first measure runs. The second is not there yet.
    # At prices of 2, 1 and, in the mean, 1.5: 80, 40, 60 without the first one and 40, 40, 45 with it; it costs 100.
    # 2026: 100 p for none; 240 for the first; 50 p - 20 for the second; 220 - 25 p for both. At prices of 1, 4 and 2.5:
    # 100, 400, 250; 100, 240, 240; 30, 180, 105; 30, 120, 105. They cost 200 and 50 beside that.
    expected = [
        [80 + 100 / 2, 140 + 300 / 2, 80 + 80 / 2, 140 + 280 / 2],
        [40 + 400 / 2, 140 + 440 / 2, 40 + 230 / 2, 140 + 370 / 2],
    ]
    assert found.cost[..., 0].tolist() == expected
    assert found.at_mean[:, 0].tolist() == [60 + 250 / 2, 145 + 440 / 2, 60 + 155 / 2, 145 + 355 / 2]
    assert found.investment[:, 0].tolist() == [0, 1000, 300, 1300]
    # 60 + 100 for the first measure in 2025, and 240 + 200 and 20 + 50 for both in 2026; 160 t and 300 t at the price.
    assert found.size[:, 0].tolist() == [160 + 510 + 160 * 2 + 300 * 1, 160 + 510 + 160 * 1 + 300 * 4]


def test_a_state_has_the_emissions_and_the_output_of_its_own_baseline() -> None:
    baseline, offered = one_unit()
    less = replace(baseline, output=table((0, 20)), emissions=table((80, 200)))
    found = costs_in(baseline, offered, HALF_AND_HALF, [[0, 1]], [baseline, less, baseline])
    # At a price of 1, 2025 is 20 without abatement and -20 with the measure, which costs nothing to run without output.
    assert found.cost[:, :2, 0].tolist() == [[130, 290], [20 + 200, 80 + 440 / 2]]
    assert found.size[:, 0].tolist() == [1290, 100 + 510 + 140 + 1200]


def test_allowances_follow_what_a_set_leaves_of_emissions_intensity_and_output() -> None:
    baseline, _ = one_unit()
    follows = replace(baseline, follows=np.array([[True, False]]), follows_output=np.array([False, True]))
    offered = choices_of([0, -1], left=[[0.5, 1]], intensity_left=[[0.8, 1]], output_left=[[0.75, 1]])
    states = states_of([[8, 4]], [1.0])
    [found] = set_costs(derived_of(offered, follows, [follows, follows], states, np.array([[0, 0]]), table((0, 0))))
    # 2025: the intensity of 10 is 1.25 of the balance value, a rate of -0.125; what is left of it is 1.0, a rate of 0.
    # 2026: 200 - 100 without it, and 100 - 75 with it.
    assert found.cost[0, :, 0].tolist() == [8 * 12.5 + 4 * 100 / 2, 0 + 4 * 25 / 2]
    late = set_costs(derived_of(offered, follows, [follows, follows], states, np.array([[1, 0]]), table((0, 0))))
    assert next(late).cost[0, :, 0].tolist() == [300, 100 + 50]


def test_a_set_is_infinitely_dear_if_it_lacks_what_it_requires_or_never_runs() -> None:
    baseline, _ = one_unit()
    # The second measure, which is free and halves emissions, requires the first, which costs 1 CNY/t. Both may stop.
    offered = choices_of(
        [0, 1],
        left=[[1.0, 0.5]],
        variable=[[1.0, 0.0]],
        stops=[[True, True]],
        required=[[[-2], [0]]],
    )
    states = states_of([[1, 0]], [1.0])
    # 2025: 40 without abatement, -10 with both for 10 CNY more; the second alone would have cost as much less.
    found = costs_in(baseline, offered, states, [[0, 0]])
    for costs in (found.cost[0], found.at_mean):
        assert costs[:, 0].tolist() == [40, 40, np.inf, 0]
    assert found.investment[:, 0].tolist() == [0, 1000, 300, 1300]
    never = costs_in(baseline, choices_of([0, 1], left=[[0.5, 0.5]]), states, [[0, 2]])
    for costs in (never.cost[0], never.at_mean):
        assert costs[:, 0].tolist() == [40, -10, np.inf, np.inf]


def test_every_unit_is_in_one_batch_with_those_that_have_as_many_measures() -> None:
    offered = choices_of([0, -1], [0, 1], [2, -1], fixed=[[3.0, 0], [5.0, 7.0], [2.0, 0]])
    free = baseline_of(emissions=np.zeros((3, 2)), given=np.zeros((3, 2)), discount=np.ones(2))
    start = np.array([[0, 0], [0, 1], [1, 0]])
    found = list(
        set_costs(derived_of(offered, free, [free, free], states_of([[1, 1]], [1.0]), start, np.zeros((3, 2))))
    )
    assert [costs.sets.units.tolist() for costs in found] == [[0, 2], [1]]
    # Two years of 3, one of 2; two of 5 and one of 7.
    assert found[0].cost[0].tolist() == [[0, 0], [6, 2]]
    assert found[1].cost[0].tolist() == [[0], [10], [7], [17]]


@pytest.mark.parametrize(
    ("stops", "measures", "expected"),
    [
        # Of alternatives each may rest for none, but not for another.
        (True, (), [5, 5, 1, 3]),
        # Of a line the last ones rest.
        (True, (0, 0, 1), [5, 5, 1, 1]),
        (False, (), [5, 9, 1, 3]),
        (False, (0, 0, 1), [5, 9, 1, 3]),
    ],
)
def test_what_stops_may_rest_if_its_operation_costs_more(
    stops: bool, measures: tuple[int, ...], expected: list[float]
) -> None:
    alone = table((5,), (9,), (1,), (3,))
    least_of_parts(Family((SlotGroup((0, 1, 2), measures, stops),)), alone)
    assert alone[:, 0].tolist() == expected
    # Between two others of which neither stops, for two units: the digit of the first group varies fastest.
    groups = (SlotGroup((0,)), SlotGroup((1, 2, 3), measures, stops), SlotGroup((4,)))
    value = np.array([5.0, 9.0, 1.0, 3.0])[None, :, None, None] + np.array([0.0, 100.0])[None, None, :, None]
    value = value + np.array([0.0, 1000.0])[:, None, None, None] + np.array([0.0, -7.0])[None, None, None, :]
    wanted = np.array(expected)[None, :, None, None] + value - np.array([5.0, 9.0, 1.0, 3.0])[None, :, None, None]
    flat = value.reshape(16, 2)
    least_of_parts(Family(groups), flat)
    assert flat.tolist() == wanted.reshape(16, 2).tolist()


def test_groups_that_stop_rest_one_by_one() -> None:
    # None, the first, the second, and both; running both alone costs least, and the second without the first is dear.
    value = table((8,), (6,), (9,), (5,))
    least_of_parts(Family((SlotGroup((0,), (), True), SlotGroup((1,), (), True))), value)
    assert value[:, 0].tolist() == [8, 6, 8, 5]
    dear = table((8,), (6,), (7,), (9,))
    least_of_parts(Family((SlotGroup((0,), (), True), SlotGroup((1,), (), True))), dear)
    assert dear[:, 0].tolist() == [8, 6, 7, 6]
