"""Steps, stops and spells of measures in three years, against every choice of years in which measures run."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from etsopt.checking.market.plans import SelectedPlans, _meet_earlier, _out_of_step, plans_are_admissible, read_plans
from tests.checking.market.small import baseline_of, choices_of, in_three_years
from tests.checking.market.test_plans import instance, rows_of

EVERY_RUN = [np.array(runs) for runs in product([False, True], repeat=3)]
"""Every choice of the years, of three, in which a measure runs."""


def test_a_step_runs_once_the_one_before_it_has_run_for_a_year() -> None:
    """Of two measures with two steps each, the second steps need the first of their own measure."""
    later = np.array([[False, True, False, True]])
    right = np.array([True, True, True])
    for first, second in product(EVERY_RUN, EVERY_RUN):
        wrong = any(second[t] and not (t > 0 and first[t] and first[t - 1]) for t in range(3))
        for runs in (
            [first, second, right, right[::-1] & [False, True, True]],
            [right, right & [0, 1, 1], first, second],
        ):
            assert _out_of_step(later, np.array([runs], dtype=bool)).tolist() == [wrong]


def test_a_measure_that_does_not_stop_runs_to_the_last_year() -> None:
    found = in_three_years(baseline_of(), years=np.array([2025, 2026, 2027]))
    idle = np.zeros(3, dtype=bool)
    for runs, stops in product(EVERY_RUN, [False, True]):
        own = choices_of(stops=np.array([[stops, not stops]] * 3))
        taken = SelectedPlans(np.array([0]), np.ones(1), np.array([[runs, idle]]))
        broken = [violation.rule for violation in plans_are_admissible(instance(), found, own, taken)]
        ends = any(runs[t] and not runs[t + 1] for t in range(2))
        assert broken == (["stops"] if ends and not stops else [])
    plain: dict[str, Any] = {"required": np.full((3, 2, 1), -2), "first_year": np.zeros((3, 2))}
    plain |= {"group": np.full((3, 2), -1), "code": np.array([[0, 0], [0, 2], [-1, -1]])}
    steps = choices_of(step=np.array([[1, 2], [1, 1], [1, 1]]), **plain)
    for second, rules in ((1, []), (0, ["steps"])):
        runs = np.array([[True] * 3, [year >= second for year in range(3)]])
        for unit, wrong in ((0, rules), (1, [])):
            taken = SelectedPlans(np.array([unit]), np.ones(1), runs[None])
            assert [v.rule for v in plans_are_admissible(instance(), found, steps, taken)] == wrong


def test_spells_of_a_measure_in_a_plan_are_apart() -> None:
    plan, slot = np.array([0, 0, 0, 0, 0, 1, 1]), np.array([1, 0, 0, 1, 1, 1, 1])
    start, last = np.array([0, 0, 1, 2, 4, 4, 3]), np.array([0, 0, 1, 2, 6, 5, 3])
    # Of slot 1 the spells of the first plan leave a year between, those of slot 0 and of the second plan do not.
    assert _meet_earlier(plan, slot, start, last).tolist() == [False, False, True, False, False, True, False]
    assert _meet_earlier(plan[:2], slot[1:3], np.array([3, 2]), np.array([3, 2])).tolist() == [True, False]


def test_a_plan_runs_its_measures_in_the_years_of_its_spells() -> None:
    found, offered = in_three_years(baseline_of(), years=np.array([2025, 2026, 2027])), choices_of()
    rows = rows_of(("u", 0, 1.0, "a", 2025), ("u", 0, 1.0, "a", 2027), ("u", 0, 1.0, "b", 2026))
    taken, broken = read_plans(instance(), found, offered, rows.assign(last_year=[2025, 2027, 2026]))
    assert broken == []
    assert taken is not None
    assert taken.runs.tolist() == [[[True, False, True], [False, True, False]]]
    for last in ([2024, 2027, 2026], [2025, 2026, 2026], [2025, 2028, 2026], [2026, 2027, 2026]):
        none, broken = read_plans(instance(), found, offered, rows.assign(last_year=last))
        assert none is None
        assert [violation.rule for violation in broken] == ["plans_are_known"]
    to_the_end, _ = read_plans(instance(), found, offered, rows.iloc[2:])
    assert to_the_end is not None
    assert to_the_end.runs.tolist() == [[[False] * 3, [False, True, True]]]
