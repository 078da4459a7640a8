"""A program that stays in the solver: a fixed column counts in the limits of its rows, whatever these become."""

from __future__ import annotations

import numpy as np
import pytest

from etsopt.modelling.program.program import Objective, Program
from etsopt.modelling.program.sparse_rows import SparseRows
from etsopt.modelling.solving.growing import SCALING, Growing
from etsopt.modelling.solving.options import SolveOptions
from etsopt.modelling.solving.solution import Termination


def grown(held: float = 30.0, near: Growing | None = None) -> Growing:
    """Minimise 2 x with x + held >= 100, where the second column is fixed."""
    matrix = SparseRows(np.ones(2), np.array([0, 1], dtype=np.int32), np.array([0, 2]), 2)
    objective = Objective(np.array([2.0, 0.0]), None, 0.0, "CNY")
    program = Program(
        matrix,
        np.array([100.0]),
        np.array([np.inf]),
        np.array([0.0, held]),
        np.array([1000.0, held]),
        np.zeros(2, dtype=bool),
        {"enough": slice(0, 1)},
        {"x": slice(0, 1), "held": slice(1, 2)},
        {"cost": objective},
    )
    return Growing(program, "cost", SolveOptions(), {"x": 100.0, "held": 100.0, "enough": 100.0}, 100.0, near)


@pytest.mark.parametrize("limit", [100.0, 60.0, 150.0])
def test_a_fixed_column_stays_in_a_limit_that_moves(limit: float) -> None:
    program = grown()
    program.limit(np.array([0]), np.array([limit]), np.array([np.inf]))
    vertex = program.solve()
    assert vertex is not None
    assert vertex.x == pytest.approx([limit - 30, 30])
    assert vertex.value == pytest.approx(2 * (limit - 30))
    assert vertex.activity == pytest.approx([limit])


def test_a_row_that_joins_has_no_fixed_column() -> None:
    program = grown()
    program.add_rows(np.array([90.0]), np.array([np.inf]), np.array([[0]]), np.array([[1.0]]))
    program.limit(np.array([0, 1]), np.array([100.0, 95.0]), np.array([np.inf, np.inf]))
    vertex = program.solve()
    assert vertex is not None
    assert vertex.x == pytest.approx([95, 30])
    assert vertex.activity == pytest.approx([125, 95])


def test_a_program_with_other_numbers_begins_at_the_vertex_of_the_last_one() -> None:
    first, alone = grown(), grown(20.0)
    assert first.solve() is not None
    near = grown(20.0, first)
    assert near._highs.getBasis().col_status == first._highs.getBasis().col_status
    assert (near._highs.getBasis().valid, alone._highs.getBasis().valid) == (True, False)
    vertex = near.solve()
    assert vertex is not None
    assert vertex.x == pytest.approx([80, 20])


def test_a_run_without_a_status_goes_on_from_its_vertex_without_the_scaling_of_the_solver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program, scaled = grown(), []

    def run(self: Growing) -> Termination:
        scaled.append(self._highs.getOptionValue(SCALING)[1])
        ended = found(self)
        return Termination.SOLVER_ERROR if len(scaled) == 1 else ended

    found = Growing._run
    monkeypatch.setattr(Growing, "_run", run)
    monkeypatch.setattr(program._highs, "clearSolver", lambda: pytest.fail("the vertex is lost"), raising=False)
    vertex = program.solve()
    assert vertex is not None
    assert vertex.x == pytest.approx([70, 30])
    before = program._highs.getOptionValue(SCALING)[1]
    assert scaled == [before, 0] != [0, 0]
