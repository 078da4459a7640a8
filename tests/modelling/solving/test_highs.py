"""The one file that speaks to HiGHS: what it refuses, what it keeps, and what Pyomo's own interface lets through."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.contrib.solver.common.factory import SolverFactory
from pyomo.contrib.solver.common.results import TerminationCondition

import etsopt
from etsopt.common.errors import SolverError, UsageError
from etsopt.common.progress import watched
from etsopt.modelling.program.program import Objective, Program
from etsopt.modelling.program.sparse_rows import dense
from etsopt.modelling.solving import highs, interrupt
from etsopt.modelling.solving.levels import solve_levels
from etsopt.modelling.solving.mps import write_mps
from etsopt.modelling.solving.options import SolveOptions
from etsopt.modelling.solving.running import QUADRATIC_TOLERANCE, otherwise
from etsopt.modelling.solving.solution import Outcome, Termination


def program(
    rows: list[list[float]],
    lower: list[float],
    cost: list[float],
    upper: float = 100.0,
    *,
    integer: bool = False,
    **changes: Any,
) -> Program:
    """Rows at or above their limits, columns from zero, one objective."""
    matrix = dense(np.array(rows, dtype=float))
    count, columns = matrix.shape
    made = Program(
        matrix,
        np.array(lower, dtype=float),
        np.full(count, math.inf),
        np.zeros(columns),
        np.full(columns, upper),
        np.full(columns, integer),
        {"enough": slice(0, count)},
        {"x": slice(0, columns)},
        {"cost": Objective(np.array(cost, dtype=float), None, 0.0, "t")},
    )
    return replace(made, **changes)


def solve(problem: Program, time_left_s: float | None = None, **options: Any) -> Outcome:
    with watched(time_left_s):
        return highs.solve(problem, "cost", SolveOptions(**options))


RIGHT = program([[1.0, 2.0], [3.0, 1.0]], [4.0, 6.0], [1.0, 1.0])


def with_entry(value: float) -> Program:
    return program([[1.0, 2.0], [3.0, value]], [4.0, 6.0], [1.0, 1.0])


def with_array(name: str, value: float) -> Program:
    array = getattr(RIGHT, name).copy()
    array[0] = value
    return replace(RIGHT, **{name: array})


def with_cost(value: float) -> Program:
    return program([[1.0, 2.0], [3.0, 1.0]], [4.0, 6.0], [1.0, value])


def test_a_small_program_has_its_optimum_its_multipliers_and_its_sides() -> None:
    outcome = solve(RIGHT)
    assert outcome.termination is Termination.OPTIMAL
    assert outcome.x == pytest.approx([1.6, 1.2])
    assert outcome.multipliers == pytest.approx([0.4, 0.2])
    assert outcome.bound == pytest.approx(2.8)
    assert outcome.row_side is not None
    assert outcome.row_side.tolist() == [-1, -1]


REFUSED = {
    "a coefficient that is no number": (
        with_entry(math.nan),
        r"A coefficient of row enough\[1\] is not finite: nan, that of x\[1\]",
    ),
    "an infinite coefficient": (
        with_entry(math.inf),
        r"A coefficient of row enough\[1\] is not finite: inf, that of x\[1\]",
    ),
    "a cost that is no number": (
        with_cost(math.nan),
        r"A cost of the objective is not finite: nan, that of x\[1\]",
    ),
    "an infinite cost": (
        with_cost(-math.inf),
        r"A cost of the objective is not finite: -inf, that of x\[1\]",
    ),
    "a constant that is no number": (
        replace(RIGHT, objectives={"cost": Objective(np.ones(2), None, math.nan, "t")}),
        "The constant of the objective is not finite: nan",
    ),
    "a bound that is no number": (with_array("column_lower", math.nan), r"The variable x\[0\] has bounds nan"),
    "a variable without an upper bound": (
        with_array("column_upper", math.inf),
        r"The variable x\[0\] has bounds 0 and inf",
    ),
    "a variable without a lower bound": (with_array("column_lower", -math.inf), r"The variable x\[0\] has bounds -inf"),
    "a limit of 1e20": (with_array("row_lower", 1e20), r"The row enough\[0\] has the limit 1e\+20"),
    "a limit that is no number": (with_array("row_upper", math.nan), r"The row enough\[0\] has the limit nan"),
    "a limit above everything": (with_array("row_lower", math.inf), r"The row enough\[0\] has the limit inf"),
    "a coefficient of 1e15": (with_entry(1e15), r"Coefficients of row enough\[1\] differ by a factor of 3e\+14|differ"),
    "a coefficient of 1e-11": (with_entry(1e-11), r"Coefficients of row enough\[1\] differ"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_solver_would_get_wrong_is_refused(what: str) -> None:
    problem, message = REFUSED[what]
    with pytest.raises(SolverError, match=message) as caught:
        solve(problem)
    assert "\n\n" in str(caught.value)


def test_an_optimum_that_the_solver_finds_to_miss_a_limit_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As HiGHS has said of emissions from a gram to 1e11 t: optimal, and the point infeasible."""
    monkeypatch.setattr(highs, "SOLUTION_FEASIBLE", -1)
    outcome = solve(RIGHT)
    assert (outcome.termination, outcome.x) == (Termination.SOLVER_ERROR, None)


def test_an_infinite_quadratic_cost_is_refused() -> None:
    bad = replace(RIGHT, objectives={"cost": Objective(np.ones(2), np.array([1.0, math.nan]), 0.0, "t")})
    with pytest.raises(SolverError, match="A cost of the objective is not finite"):
        solve(bad)


def test_a_tiny_coefficient_that_matters_is_not_dropped() -> None:
    """HiGHS itself drops entries up to 1e-9, and would answer 0 here; scaled, the row is as large as any."""
    outcome = solve(program([[1e-10]], [1e-9], [1.0]))
    assert outcome.x == pytest.approx([10.0])


@pytest.mark.parametrize("cost", [0.0, 1.0])
def test_a_limit_that_the_bounds_dwarf_is_met(cost: float) -> None:
    """Of a variable that may reach 1e12 the solver, at its tightest tolerance, overlooks 50: a second run does not."""
    outcome = solve(program([[1.0]], [50.0], [cost], 1e12))
    assert outcome.x is not None
    assert outcome.x.tolist() == [50.0]


def test_a_model_of_the_users_own_is_held_to_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        """
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("own")
    m.x, m.y = pyo.Var(bounds=(0, 1e12)), pyo.Var(bounds=(0, 1))
    m.enough = pyo.Constraint(rule=lambda m: m.x >= 50)
    m.cost = pyo.Objective(rule=lambda m: 1 * m.y)
    return m


def parameters(instance):
    return {}


def tables(instance, solution):
    return {}


MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
""",
        encoding="utf-8",
    )
    assert etsopt.solve(etsopt.read("tiny"), str(file)).termination == "optimal"
    # As if the solver had not been asked a second time.
    monkeypatch.setattr(highs, "LEAST_MISSED", math.inf)
    refused = etsopt.solve(etsopt.read("tiny"), str(file))
    assert refused.status == "refused"
    assert [(one["where"], one["amount"]) for one in refused.violations] == [("enough[0]", 50.0)]


def test_a_ratio_that_scaling_removes_is_accepted() -> None:
    """Entries of 1e12 and 1 in columns that reach 1 and 1e12: in each column's own size they are alike."""
    problem = program([[1e12, 1.0]], [1e12], [2e12, 1.0], column_upper=np.array([1.0, 1e12]))
    outcome = solve(problem)
    assert outcome.termination is Termination.OPTIMAL
    assert outcome.x == pytest.approx([0.0, 1e12])


def four_rows(hostile: float | None) -> pyo.ConcreteModel:
    """Least cost 9 under four rows, and a fifth with a coefficient that a slip of units or an id might leave."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(3), bounds=(0, 10))
    m.least = pyo.Constraint(range(3), rule=lambda m, i: m.x[i] >= i + 1)
    m.total = pyo.Constraint(expr=m.x[0] + m.x[1] + m.x[2] >= 9)
    if hostile is not None:
        m.slip = pyo.Constraint(expr=hostile * m.x[0] + m.x[1] >= 1)
    m.cost = pyo.Objective(expr=m.x[0] + m.x[1] + m.x[2])
    return m


def test_the_interface_of_pyomo_calls_a_wrong_answer_optimal_and_ours_refuses() -> None:
    """One coefficient of 1e15 makes HiGHS take no row at all; Pyomo ignores the error that it returns."""
    right = SolverFactory("highs").solve(four_rows(None))
    assert right.incumbent_objective == pytest.approx(9.0)
    wrong = SolverFactory("highs").solve(four_rows(1e15))
    assert wrong.termination_condition == TerminationCondition.convergenceCriteriaSatisfied
    assert wrong.incumbent_objective == pytest.approx(0.0)
    rows = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [1.0, 1.0, 1.0]]
    ours = program(rows, [1, 2, 3, 9], [1.0, 1.0, 1.0], 10.0)
    assert solve(ours).bound == pytest.approx(9.0)
    with pytest.raises(SolverError, match=r"Coefficients of row enough\[4\] differ"):
        solve(program([*rows, [1e15, 1.0, 0]], [1, 2, 3, 9, 1], [1.0, 1.0, 1.0], 10.0))


# Options.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"presolv": "on"}, "HiGHS has no option 'presolv'"),
        ({"presolve": 1}, "The option presolve of HiGHS is 1"),
        ({"simplex_iteration_limit": 1.5}, "The option simplex_iteration_limit of HiGHS is 1.5"),
        ({"output_flag": True}, "The option output_flag of HiGHS cannot be chosen: it writes among the results"),
        ({"log_to_console": True}, "The option log_to_console of HiGHS cannot be chosen: it writes among"),
        ({"log_file": "HiGHS.log"}, "The option log_file of HiGHS cannot be chosen: it writes among"),
        ({"write_model_to_file": True}, "The option write_model_to_file of HiGHS cannot be chosen: it writes among"),
        ({"threads": 8}, "The option threads of HiGHS cannot be chosen: in one thread the same input"),
        ({"parallel": "on"}, "The option parallel of HiGHS cannot be chosen: in one thread the same input"),
        ({"time_limit": True}, "The option time_limit of HiGHS is True"),
        ({"primal_feasibility_tolerance": -1.0}, "primal_feasibility_tolerance of HiGHS is out of range: got -1.0"),
        ({"presolve": "perhaps"}, "The option presolve of HiGHS is out of range: got 'perhaps'"),
        ({"primal_feasibility_tolerance": math.nan}, "feasibility_tolerance of HiGHS is out of range: got nan"),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused(options: dict[str, Any], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=message):
        solve(RIGHT, solver_options=options)
    assert capfd.readouterr().out == ""


def test_a_whole_number_is_taken_where_a_real_one_is_wanted() -> None:
    assert solve(RIGHT, solver_options={"time_limit": 5, "presolve": "off"}).termination is Termination.OPTIMAL


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    solve(RIGHT)
    solve(market_split(), 0.2)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_it_solves_where_the_standard_output_is_closed() -> None:
    code = """
import os, sys
os.close(1)
assert sys.stdout is None or sys.stdout.fileno() == 1
sys.stdout = None
import etsopt
print(etsopt.solve(etsopt.read("tiny")).status, file=sys.stderr)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "certified_optimal\n")


def test_it_solves_where_somebody_else_used_highs_with_more_threads() -> None:
    """HiGHS keeps the threads of its first run in a process, and answered every later solve with an error."""
    code = """
import highspy
other = highspy.Highs()
other.setOptionValue("output_flag", False)
other.setOptionValue("threads", 3)
other.addVar(0, 1)
assert other.run() == highspy.HighsStatus.kOk
import etsopt
print(etsopt.solve(etsopt.read("tiny")).status)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.endswith("certified_optimal\n")


def test_no_advice_tells_to_write_a_program_that_the_solver_does_not_take(tmp_path: Path) -> None:
    with pytest.raises(SolverError, match="HiGHS: the program was not accepted") as caught:
        write_mps(with_entry(1e16), "cost", tmp_path / "program.mps")
    assert caught.value.advice == "The solver gave no reason; report it with the instance and the model."


def test_a_program_is_written_where_it_can_be_and_in_a_format_that_its_name_tells(tmp_path: Path) -> None:
    write_mps(RIGHT, "cost", tmp_path / "program.mps")
    assert " enough_1" in (tmp_path / "program.mps").read_text(encoding="utf-8")
    with pytest.raises(FileNotFoundError):
        write_mps(RIGHT, "cost", tmp_path / "nowhere" / "program.mps")
    with pytest.raises(UsageError, match=r"The file .*program\.txt' does not end in .mps"):
        write_mps(RIGHT, "cost", tmp_path / "program.txt")
    assert not (tmp_path / "program.txt").exists()


@pytest.mark.skipif(os.name == "nt", reason="a limit on the size of files")
def test_a_program_that_does_not_fit_on_the_disk_leaves_the_one_before(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "program.mps"
    write_mps(RIGHT, "cost", path)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) - 1, limits[1]))
        with pytest.raises(UsageError, match=r"The file .*program\.mps' could not be written to its end"):
            write_mps(RIGHT, "cost", path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"program.mps": before}


# Statuses.


def test_a_solver_without_memory_says_so() -> None:
    loaded = highs.Loaded(RIGHT, "cost", SolveOptions())

    class Short:
        """The solver as it ends a run for want of memory: with an error, and a status that tells."""

        def __getattr__(self, name: str) -> Any:
            answers = {"run": highspy.HighsStatus.kError, "getModelStatus": status}
            return (lambda: answers[name]) if name in answers else getattr(solver, name)

    solver, status = loaded._highs, highspy.HighsModelStatus.kMemoryLimit
    loaded._highs = Short()
    assert loaded.solve().termination is Termination.MEMORY
    status = highspy.HighsModelStatus.kSolveError
    assert loaded.solve().termination is Termination.SOLVER_ERROR


def test_a_program_without_a_feasible_point_is_infeasible() -> None:
    outcome = solve(program([[1.0, 1.0]], [300.0], [1.0, 1.0]))
    assert outcome.termination is Termination.INFEASIBLE
    assert outcome.x is None
    whole = solve(program([[2.0, 2.0]], [1.0], [1.0, 1.0], 10.0, integer=True, row_upper=np.array([1.0])))
    assert whole.termination is Termination.INFEASIBLE


def test_a_program_without_rows_stands_at_its_bounds() -> None:
    empty = replace(RIGHT, matrix=dense(np.zeros((0, 2))), row_lower=np.zeros(0), row_upper=np.zeros(0), rows={})
    outcome = solve(empty)
    assert outcome.termination is Termination.OPTIMAL
    assert outcome.x == pytest.approx([0.0, 0.0])


def test_whole_numbers_are_whole_and_come_with_a_bound() -> None:
    problem = program([[3.0, 5.0, 7.0]], [23.5], [4.0, 6.0, 9.0], 10.0, integer=True)
    outcome = solve(problem, gap=0.0)
    x = [(a, b, c) for a in range(11) for b in range(11) for c in range(11) if 3 * a + 5 * b + 7 * c >= 23.5]
    best = min(4 * a + 6 * b + 9 * c for a, b, c in x)
    assert outcome.termination is Termination.OPTIMAL
    assert outcome.x is not None
    assert np.array_equal(outcome.x, np.round(outcome.x))
    assert problem.objectives["cost"].value(outcome.x) == pytest.approx(best)
    assert outcome.bound == pytest.approx(best)
    assert outcome.multipliers is None
    relaxed = solve(replace(problem, integer=np.zeros(3, dtype=bool)))
    assert relaxed.bound <= best


def test_a_quadratic_objective_has_its_least_square() -> None:
    squares = Objective(np.array([-4.0, 0.0]), np.array([1.0, 2.0]), 4.0, "t")
    outcome = solve(replace(program([[1.0, 1.0]], [3.0], [0, 0]), objectives={"cost": squares}))
    # (x - 2)² + 2 y² with x + y >= 3: x - 2 = 2 y, so y = 1/3.
    assert outcome.x == pytest.approx([8 / 3, 1 / 3], abs=1e-6)


def test_a_level_of_whole_numbers_is_held_by_a_row() -> None:
    problem = program([[1.0, 1.0]], [3.5], [1.0, 1.0], 10.0, integer=True)
    second = Objective(np.array([1.0, 0.0]), None, 0.0, "t")
    problem = replace(problem, objectives={**problem.objectives, "second": second})
    solution = solve_levels(problem, ["cost", "second"], SolveOptions(), {})
    assert [level.value for level in solution.levels] == pytest.approx([4.0, 0.0])
    assert solution.values["x"] == pytest.approx([0.0, 4.0])


def test_a_level_whose_relaxation_is_whole_is_solved_as_a_linear_program_with_its_prices() -> None:
    problem = program([[1.0, 1.0]], [3.0], [1.0, 2.0], 10.0, integer=True)
    solution = solve_levels(problem, ["cost"], SolveOptions(), {})
    assert "simplex" in solution.levels[0].algorithm
    assert solution.levels[0].multipliers["enough"] == pytest.approx([1.0])


def test_the_bound_of_a_branched_level_is_whole_and_its_prices_are_those_of_the_relaxation() -> None:
    problem = program([[2.0, 2.0]], [3.0], [1.0, 1.0], 10.0, integer=True)
    level = solve_levels(problem, ["cost"], SolveOptions(), {}).levels[0]
    assert (level.value, level.bound) == (2.0, 2.0)
    assert level.multipliers["enough"] == pytest.approx([0.5])


def test_variables_that_a_level_settles_keep_their_values_and_are_numbers_after_it() -> None:
    problem = program([[1.0, 1.0]], [3.5], [1.0, 1.0], 10.0, integer=True)
    square = Objective(np.array([-4.0, 0.0]), np.array([1.0, 1.0]), 4.0, "t")
    second = Objective(np.array([0.0, 1.0]), None, 0.0, "t")
    problem = replace(problem, objectives={**problem.objectives, "square": square, "second": second})
    with pytest.raises(SolverError, match="squares beside integer variables"):
        solve_levels(problem, ["square"], SolveOptions(), {})
    stopped = solve_levels(problem, ["cost", "square"], SolveOptions(), {})
    assert (stopped.termination, len(stopped.levels)) == (Termination.SOLVER_ERROR, 1)
    first = solve_levels(problem, ["cost"], SolveOptions(), {}).values["x"]
    settled = solve_levels(problem, ["cost", "second"], SolveOptions(), {}, {"cost": ("x",)})
    assert settled.termination is Termination.OPTIMAL
    assert settled.values["x"].tolist() == first.tolist()
    assert settled.levels[1].value == first[1]


def test_a_faster_method_that_declines_leaves_its_level_to_the_solver() -> None:
    problem = program([[1.0, 1.0]], [3.0], [1.0, 2.0], 10.0)
    asked = []

    def decline(program: Program, solve: Any) -> None:
        asked.append(solve(program, "cost").bound)

    solution = solve_levels(problem, ["cost"], SolveOptions(), {"cost": decline})
    assert asked == pytest.approx([3.0])
    assert solution.levels[0].value == pytest.approx(3.0)


@pytest.mark.parametrize(("limit", "termination"), [(-1.0, Termination.OPTIMAL), (1.0, Termination.INFEASIBLE)])
def test_a_program_without_columns_is_what_its_rows_say(limit: float, termination: Termination) -> None:
    empty = program([[]], [limit], [])
    outcome = solve(empty)
    assert outcome.termination is termination
    assert (outcome.x is None) == (termination is Termination.INFEASIBLE)
    assert outcome.bound == (0.0 if termination is Termination.OPTIMAL else -math.inf)


def test_limits_that_cross_are_infeasible() -> None:
    problem = program([[1.0, 1.0]], [3.0], [1.0, 2.0], 10.0)
    crossed = replace(problem, row_upper=problem.row_lower - 1)
    assert solve(crossed).termination is Termination.INFEASIBLE


# Limits and interruption.


def market_split(rows: int = 5, columns: int = 40, seed: int = 7) -> Program:
    """Market split (Cornuejols and Dawande): tiny, feasible by its slacks, beyond branch and bound."""
    random = np.random.default_rng(seed)
    weights = random.integers(0, 100, (rows, columns)).astype(float)
    half = np.floor(weights.sum(axis=1) / 2)
    matrix = dense(np.hstack([weights, np.eye(rows), -np.eye(rows)]))
    upper = np.concatenate([np.ones(columns), np.full(2 * rows, 5_000.0)])
    return Program(
        matrix,
        half,
        half,
        np.zeros(columns + 2 * rows),
        upper,
        np.arange(columns + 2 * rows) < columns,
        {"split": slice(0, rows)},
        {"x": slice(0, columns), "off": slice(columns, columns + 2 * rows)},
        {"cost": Objective(np.concatenate([np.zeros(columns), np.ones(2 * rows)]), None, 0.0, "t")},
    )


def is_feasible(problem: Program, x: np.ndarray) -> bool:
    off = np.abs(problem.matrix @ x - problem.row_lower).max()
    whole = np.abs(x - np.round(x))[problem.integer].max()
    return bool(off <= 1e-6 and whole <= 1e-6)


def test_a_time_limit_keeps_the_incumbent_and_its_bound() -> None:
    problem = market_split()
    outcome = solve(problem, 1.0)
    assert outcome.termination is Termination.TIME_LIMIT
    assert outcome.x is not None
    assert is_feasible(problem, outcome.x)
    assert 0 <= outcome.bound <= problem.objectives["cost"].value(outcome.x)


def test_a_time_limit_of_all_levels_keeps_what_it_holds() -> None:
    problem = market_split()
    with watched(0.5):
        solution = solve_levels(problem, ["cost"], SolveOptions(), {})
    assert solution.termination is Termination.TIME_LIMIT
    assert [level.name for level in solution.levels] == ["cost"]
    assert solution.levels[0].bound < solution.levels[0].value
    assert set(solution.values) == {"x", "off"}


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
def test_an_interrupt_stops_a_hard_program_keeps_its_incumbent_and_restores_the_handler() -> None:
    problem = market_split()
    pressed: list[int] = []

    def mine(number: int, frame: object) -> None:
        pressed.append(number)

    before = signal.signal(signal.SIGINT, mine)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    started = time.monotonic()
    try:
        timer.start()
        # Without the interrupt it would run for a minute.
        outcome = solve(problem, 60.0)
        stopped = time.monotonic() - started
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert outcome.termination is Termination.INTERRUPTED
    assert outcome.x is not None
    assert is_feasible(problem, outcome.x)
    assert stopped < 30
    assert pressed == []


def test_a_program_is_solved_in_a_thread_too() -> None:
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(solve(RIGHT)))
    thread.start()
    thread.join()
    assert outcomes[0].termination is Termination.OPTIMAL


def test_sides_of_a_row_that_nearly_meet_leave_a_solution() -> None:
    # The first column stands between 1e-12 below and 3e-12 above the limit, which is nearer than HiGHS's tolerance; its
    # presolve alone calls that infeasible.
    limit = 1.3275146480612454e-05
    narrow = program([[1.0, 0.0, 0.0], [1.0, -1.0, 2.0**-16]], [limit - 1e-12, limit], [0.0, 0.625, 1e-5], 1.0)
    outcome = solve(replace(narrow, row_upper=np.array([limit + 3e-12, limit])))
    assert outcome.termination is Termination.OPTIMAL
    assert outcome.bound == pytest.approx(0.0, abs=1e-10)


def test_a_cost_that_a_narrower_scale_hides_leaves_no_column_at_the_wrong_end() -> None:
    """The value leaves the first column a range of 1e-13, in which scale its cost of 1 is as good as none."""
    fixed = np.array([-1.0, 1.0, 3.0, 5.0, 0.0, 2.0])
    problem = replace(
        program([[0.0] * 6], [-1.0], [-1.0, -5.0, -4.0, 2.0, 5.0, -2.0]),
        column_lower=fixed,
        column_upper=np.array([0.0, *fixed[1:]]),
        columns={"real": slice(0, 1), "whole": slice(1, 6)},
    )
    outcome = solve(problem)
    assert outcome.x == pytest.approx([0.0, *fixed[1:]])


def test_a_solver_that_found_an_optimum_takes_the_next_program_and_knows_nothing_of_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(highs, "_IDLE", [])
    other = program([[1.0, 1.0]], [2.0], [1.0, 3.0])
    alone = [highs.solve(one, "cost", SolveOptions()) for one in (RIGHT, other)]
    first = highs._IDLE[0]
    highs.solve(
        replace(RIGHT, integer=np.array([True, True])), "cost", SolveOptions(solver_options={"presolve": "off"})
    )
    again = [highs.solve(one, "cost", SolveOptions()) for one in (RIGHT, other)]
    assert [one.bound for one in again] == [one.bound for one in alone]
    for one, two in zip(alone, again, strict=True):
        assert np.array_equal(np.asarray(one.x), np.asarray(two.x))
    assert len(highs._IDLE) == 1
    assert highs._IDLE[0] is first


def test_a_solver_that_found_no_optimum_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highs, "_IDLE", [])
    infeasible = program([[1.0], [-1.0]], [2.0, -1.0], [1.0])
    assert highs.solve(infeasible, "cost", SolveOptions()).termination is Termination.INFEASIBLE
    assert highs._IDLE == []


def test_a_short_program_is_not_asked_after_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    subscribed = list[Any]()
    monkeypatch.setattr(highspy.highs.HighsCallback, "subscribe", lambda self, *_: subscribed.append(self))
    highs.solve(RIGHT, "cost", SolveOptions())
    assert not subscribed
    monkeypatch.setattr(interrupt, "SHORT", 0)
    highs.solve(RIGHT, "cost", SolveOptions())
    assert len(subscribed) == 3


def test_squares_that_the_solver_neglects_are_not_passed_to_it() -> None:
    squares = Objective(np.array([1.0, 1.0]), np.array([1.0, 1e-19]), 0.0, "")
    found = solve(program([[1.0, 1.0]], [2.0], [1.0, 1.0], objectives={"cost": squares}))
    assert found.termination is Termination.OPTIMAL
    assert found.x is not None
    assert found.x.tolist() == pytest.approx([0.0, 2.0], abs=1e-6)


def test_a_quadratic_objective_whose_search_fails_is_tried_with_a_wider_tolerance() -> None:
    squares = {"cost": Objective(np.zeros(1), np.ones(1), 0.0, "")}
    failed = SimpleNamespace(getModelStatus=lambda: SimpleNamespace(name="kSolveError"))
    asked = program([[1.0]], [1.0], [1.0], objectives=squares)
    assert set(otherwise(failed, asked, "cost").values()) == {QUADRATIC_TOLERANCE}
    solved = SimpleNamespace(getModelStatus=lambda: SimpleNamespace(name="kOptimal"))
    assert otherwise(solved, asked, "cost") == {}
