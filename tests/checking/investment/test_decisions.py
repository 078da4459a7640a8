"""What is installed and what runs, as the tables state it, and the rules that both meet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.investment.decisions import Decision, decision_is_admissible, read_decision
from etsopt.checking.verdict import Violation
from tests.checking.investment.small import choices_of, states_of, told, units_alone

YEARS = np.array([2025, 2026])
STATES = states_of([[1, 1], [2, 2]], [0.5, 0.5])
# Two measures at the first unit, of which the first may stop; one that may stop, from 2026 on, at the third.
OFFERED = choices_of([0, 1], [-1, -1], [2, -1], stops=[[True, False], [False, False], [True, False]])
FIRST = np.array([[0, 1], [0, 0], [1, 0]])


def derived_of(offered: Any, first: Any) -> Any:
    before = SimpleNamespace(years=YEARS)
    return SimpleNamespace(instance=units_alone(), offered=offered, states=STATES, before=before, first=np.array(first))


ON_OFFER = ("measures_are_on_offer", "the row names what is on offer")


def investments(**columns: Any) -> pd.DataFrame:
    made = {"unit_id": ["u2", "u0", "u0"], "measure_id": ["c", "a", "b"], "installed": [True, True, False]}
    return pd.DataFrame(made | columns)


def operations(**columns: Any) -> pd.DataFrame:
    """The first measure of the first unit runs in the worse scenario, and in the other one later."""
    made = {
        "unit_id": ["u0"] * 4 + ["u2"] * 2,
        "measure_id": ["a"] * 4 + ["c"] * 2,
        "scenario": ["a", "a", "b", "b", "a", "b"],
        "year": [2025, 2026, 2025, 2026, 2026, 2026],
        "runs": [False, True, True, True, True, False],
    }
    return pd.DataFrame(made | columns)


def read(
    one: pd.DataFrame, other: pd.DataFrame, first: Any = FIRST, offered: Any = OFFERED
) -> tuple[Decision | None, list[Violation]]:
    return read_decision(derived_of(offered, first), one, other)


def test_a_decision_is_that_of_the_rows_in_any_order() -> None:
    for order in (slice(None), slice(None, None, -1)):
        decision, violations = read(investments().iloc[order], operations().iloc[order])
        assert violations == []
        assert decision is not None
        assert decision.installed.tolist() == [[True, False], [False, False], [True, False]]
        assert decision.at_mean is None
        # By unit, slot, scenario and year.
        assert decision.runs[0, 0].tolist() == [[False, True], [True, True]]
        assert decision.runs[2, 0].tolist() == [[False, True], [False, False]]
        assert not decision.runs[1].any()
        assert not decision.runs[:, 1].any()


def test_what_may_not_stop_runs_from_its_first_year_on_if_it_is_installed() -> None:
    decision, violations = read(investments(installed=[False, False, True]), operations().iloc[:0])
    assert violations == []
    assert decision is not None
    assert decision.runs[0].tolist() == [[[False, False]] * 2, [[False, True]] * 2]
    assert not decision.runs[1:].any()


def test_what_would_be_installed_at_the_mean_is_read_if_it_is_stated() -> None:
    decision, violations = read(investments(installed_at_mean=[False, False, True]), operations())
    assert violations == []
    assert decision is not None
    assert decision.at_mean is not None
    assert decision.at_mean.tolist() == [[False, True], [False, False], [False, False]]
    assert decision.installed.tolist() == [[True, False], [False, False], [True, False]]


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"unit_id": ["u2", "u0", "u9"], "measure_id": ["c", "a", "a"]}, "u9"),
        ({"measure_id": ["c", "a", "z"]}, "u0"),
        ({"measure_id": ["b", "a", "b"]}, "u2"),
    ],
)
def test_a_row_names_a_unit_and_what_it_is_offered(columns: dict[str, Any], label: str) -> None:
    rule, message = ON_OFFER
    wanted = [Violation(rule, f"investments, {label}", 1.0, "rows", message)]
    assert read(investments(**columns), operations()) == (None, wanted)


def test_every_measure_on_offer_that_can_run_has_one_row() -> None:
    def by(rows: list[int], first: Any = FIRST) -> float:
        made = pd.concat([investments(), investments()], ignore_index=True).iloc[rows]
        decision, [violation] = read(made, operations(), first)
        assert decision is None
        assert (violation.rule, violation.where, violation.unit) == ("same_rows", "investments", "rows")
        return violation.amount

    # One is missing; two are; one is there twice; and two are missing beside it.
    assert [by(rows) for rows in ([0, 1], [0], [0, 1, 2, 5], [1, 4])] == [1.0, 2.0, 1.0, 3.0]
    assert by([0, 2]) == 1.0
    # What can never run may be left out, and stated.
    never = [[0, 2], [0, 0], [1, 0]]
    for rows in (investments(), investments().iloc[:2]):
        decision, violations = read(rows, operations(), never)
        assert violations == []
        assert decision is not None
    assert by([1, 2], never) == 1.0


@pytest.mark.parametrize(
    ("column", "cell", "label"),
    [("unit_id", "u9", "u9"), ("measure_id", "z", "u2"), ("scenario", "c", "u2"), ("year", 2027, "u2")],
)
def test_a_row_of_operation_names_what_is_there(column: str, cell: Any, label: str) -> None:
    cells = operations()[column].tolist()
    rule, message = ON_OFFER
    decision, violations = read(investments(), operations(**{column: [*cells[:-1], cell]}))
    assert decision is None
    assert violations == [Violation(rule, f"operations, {label}", 1.0, "rows", message)]


def test_what_may_stop_has_a_row_of_operation_wherever_it_can_run_and_nothing_else_has() -> None:
    def by(rows: pd.DataFrame, **columns: Any) -> float:
        decision, [violation] = read(investments(**columns), rows)
        assert decision is None
        assert (violation.rule, violation.where, violation.unit) == ("same_rows", "operations", "rows")
        return violation.amount

    rows = operations()
    assert by(rows.iloc[1:]) == 1.0
    assert by(rows.iloc[2:]) == 2.0
    # Twice, and as many rows as there should be of which one is another's.
    assert by(pd.concat([rows, rows.iloc[:1]])) == 1.0
    assert by(operations(year=[2025, 2026, 2025, 2026, 2025, 2026])) == 2.0
    assert by(operations(measure_id=["a", "b", *"aacc"])) == 2.0
    # What is not installed has none.
    assert by(rows, installed=[False, True, False]) == 2.0


def admissible(
    *code: list[int],
    installed: Any,
    runs: Any = None,
    at_mean: Any = None,
    first: Any = None,
    **parts: Any,
) -> list[tuple[str, str]]:
    """Rules and places of what is installed at units u0, u1 and u2, and runs in two scenarios and years."""
    chosen = np.array(installed, dtype=bool)
    here = np.zeros((*chosen.shape, 2, 2), dtype=bool) if runs is None else np.array(runs, dtype=bool)
    mean = None if at_mean is None else np.array(at_mean, dtype=bool)
    start = np.zeros(chosen.shape, dtype=np.int64) if first is None else np.array(first)
    found = told(decision_is_admissible(derived_of(choices_of(*code, **parts), start), Decision(chosen, mean, here)))
    assert all(amount == 1.0 for _, _, amount in found)
    return [(rule, where) for rule, where, _ in found]


def running(*places: tuple[int, int, int, int], slots: int) -> Any:
    """True for these units, slots, scenarios and years."""
    runs = np.zeros((3, slots, 2, 2), dtype=bool)
    for place in places:
        runs[place] = True
    return runs


NONE = [0, 0]
THREE = ([0, 1], [0, 1], [2, -1])


def test_what_can_never_run_is_not_installed_nor_run() -> None:
    first = [[2, 0], [1, 2], [0, 0]]
    assert admissible(*THREE, installed=[[0, 1], [1, 0], [1, 0]], first=first) == []
    assert admissible(*THREE, installed=[[0, 1], [1, 1], [1, 0]], first=first) == [("first_year", "u1, installed")]
    mean = [("first_year", "u0, installed_at_mean")]
    assert admissible(*THREE, installed=[NONE] * 3, at_mean=[[1, 0], NONE, NONE], first=first) == mean
    # In one scenario and year alone.
    runs = running((0, 0, 1, 0), slots=2)
    assert admissible(*THREE, installed=[NONE] * 3, runs=runs, first=first) == [("first_year", "u0, runs")]


def test_of_a_group_a_unit_has_one_measure_at_a_time() -> None:
    # The measures of the first unit are in group 0; of the second neither group is the other's, and one has none.
    parts: dict[str, Any] = {"group": [[0, 0, -1], [0, 1, -1], [-1, -1, 1]]}
    code = ([0, 1, 2], [0, 1, 2], [0, 1, 2])
    every, none = [1, 1, 1], [0, 0, 0]
    assert admissible(*code, installed=[[0, 1, 1], every, every], **parts) == []
    assert admissible(*code, installed=[every, every, every], **parts) == [("exclusive_group", "u0, installed")]
    assert admissible(*code, installed=[none] * 3, at_mean=[[1, 1, 0], none, none], **parts) == [
        ("exclusive_group", "u0, installed_at_mean")
    ]
    # One after the other, and together in one year of one scenario.
    apart = running((0, 0, 0, 0), (0, 1, 0, 1), (0, 0, 1, 0), (0, 2, 1, 1), slots=3)
    assert admissible(*code, installed=[none] * 3, runs=apart, **parts) == []
    apart[0, 1, 1, 0] = True
    assert admissible(*code, installed=[none] * 3, runs=apart, **parts) == [("exclusive_group", "u0, runs")]


def test_a_measure_has_every_step_of_all_that_it_requires() -> None:
    # Measure b of the first unit requires a; a of the second, which is not offered c, requires b in two steps.
    code = ([0, 1, 2], [0, 1, 1], [0, 1, 2])
    parts: dict[str, Any] = {
        "step": [[1, 1, 1], [1, 1, 2], [1, 1, 1]],
        "required": [[[-2], [0], [-2]], [[1], [-2], [-2]], [[-2], [-2], [-1]]],
    }
    none = [0, 0, 0]
    assert admissible(*code, installed=[[1, 1, 0], [1, 1, 1], [1, 1, 0]], **parts) == []
    assert admissible(*code, installed=[[1, 0, 1], [0, 1, 0], none], **parts) == []
    assert admissible(*code, installed=[[0, 1, 1], none, none], **parts) == [("requires", "u0, installed")]
    assert admissible(*code, installed=[none, [1, 1, 0], none], **parts) == [("requires", "u1, installed")]
    assert admissible(*code, installed=[none, none, [0, 0, 1]], **parts) == [("requires", "u2, installed")]
    assert admissible(*code, installed=[none] * 3, at_mean=[[0, 1, 0], none, none], **parts) == [
        ("requires", "u0, installed_at_mean")
    ]
    # In one year of one scenario the other rests.
    runs = running((0, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1), slots=3)
    assert admissible(*code, installed=[none] * 3, runs=runs, **parts) == []
    runs[0, 1, 1, 0] = True
    assert admissible(*code, installed=[none] * 3, runs=runs, **parts) == [("requires", "u0, runs")]


def test_a_measure_lacks_one_of_two_that_it_requires() -> None:
    none, nothing = [0, 0, 0], [[-2, -2]] * 3
    required = [[[1, 2], [-2, -2], [-2, -2]], nothing, nothing]
    for one, rules in (([1, 1, 1], []), ([1, 1, 0], ["requires"]), ([1, 0, 1], ["requires"]), (none, [])):
        found = admissible([0, 1, 2], [-1] * 3, [-1] * 3, installed=[one, none, none], required=required)
        assert [rule for rule, _ in found] == rules


def test_a_step_has_the_one_before_it() -> None:
    code = ([0, 1, 1], [1, 1, 0], [0, 1, 2])
    parts: dict[str, Any] = {"step": [[1, 1, 2], [1, 2, 1], [1, 1, 1]]}
    none = [0, 0, 0]
    assert admissible(*code, installed=[[0, 1, 1], [1, 1, 0], [0, 0, 1]], **parts) == []
    assert admissible(*code, installed=[[1, 1, 0], [0, 0, 1], [0, 1, 0]], **parts) == []
    assert admissible(*code, installed=[[1, 0, 1], none, none], **parts) == [("steps", "u0, installed")]
    assert admissible(*code, installed=[none, [0, 1, 1], none], **parts) == [("steps", "u1, installed")]
    runs = running((0, 1, 0, 0), (0, 2, 0, 0), (0, 1, 1, 1), (0, 2, 1, 1), slots=3)
    assert admissible(*code, installed=[none] * 3, runs=runs, **parts) == []
    runs[0, 1, 1, 1] = False
    assert admissible(*code, installed=[none] * 3, runs=runs, **parts) == [("steps", "u0, runs")]
