"""The benchmark measures one and the same program: hand-made arrays are what the package builds, and optima agree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.modelling_layers import arrays, installed, load
from benchmarks.modelling_layers.measure import check, measured
from benchmarks.problems import PROBLEMS
from benchmarks.solver_settings import measure as settings

ROOT = Path(__file__).parents[1]
FIRMS = 40

# HiGHS has one number of threads in a process, which is the product's.
OPTIONS = {"output_flag": False, "threads": 1, "mip_rel_gap": 1e-9, "primal_feasibility_tolerance": 1e-9}


def not_empty(blocks: dict[str, slice]) -> dict[str, slice]:
    """Blocks of rows or columns that there are: of exceptions and whole tonnes there are none."""
    return {name: block for name, block in blocks.items() if block.stop > block.start}


@pytest.mark.parametrize("tool", ["reference", "stamped"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_hand_made_arrays_are_what_the_package_builds(name: str, tool: str) -> None:
    if not installed(tool):
        pytest.skip("there is no stamper")
    problem = PROBLEMS[name]
    data = problem.parameters(FIRMS)
    made, built = arrays.build(problem, data), load(tool).build(problem, data)
    assert not_empty(made.columns) == not_empty(built.columns)
    assert not_empty(made.rows) == not_empty(built.rows)
    assert made.matrix.nnz == built.matrix.nnz
    assert np.array_equal(made.matrix.toarray(), built.matrix.toarray())
    for part in ("row_lower", "row_upper", "column_lower", "column_upper", "integer"):
        assert np.array_equal(getattr(made, part), getattr(built, part))
    costs, expected = made.objectives[problem.objective], built.objectives[problem.objective]
    assert np.allclose(costs.linear, expected.linear, rtol=1e-14, atol=0)
    assert costs.constant == expected.constant


@pytest.mark.everyday("allocation-change")
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_tools_find_the_same_optimum(name: str) -> None:
    problem = PROBLEMS[name]
    data = problem.parameters(FIRMS)
    tools = [tool for tool in ("arrays", "reference", "stamped") if installed(tool)]
    figures = [measured(tool, problem, data, OPTIONS) for tool in tools]
    assert {one["status"] for one in figures} == {"optimal"}
    assert max(one["infeasibility"] for one in figures) < 1e-8
    assert figures[0]["objective"] > 0
    assert [one["objective"] for one in figures] == pytest.approx([figures[0]["objective"]] * len(tools), rel=1e-7)


def test_without_options_nothing_is_solved() -> None:
    problem = PROBLEMS["allocation-change"]
    figures = measured("arrays", problem, problem.parameters(FIRMS), None)
    assert figures["status"] == "not solved"
    assert set(figures["seconds"]) == {"import", "build", "hand_over"}


def test_a_point_that_misses_a_limit_is_measured_as_such() -> None:
    problem = PROBLEMS["abatement"]
    program = arrays.build(problem, problem.parameters(FIRMS))
    assert check(program, "cost", {"pick": np.full(8 * FIRMS, 2.0)})["infeasibility"] == pytest.approx(15.0)


@pytest.mark.parametrize("name", ["allocation-largest_change", "banking"])
def test_duals_of_the_simplex_certify_its_objective(name: str) -> None:
    problem = PROBLEMS[name]
    program = arrays.build(problem, problem.parameters(FIRMS))
    figures = settings.measured(name, program, {"solver": "simplex"})
    assert figures["bound"] == pytest.approx(figures["objective"], rel=1e-9)
    assert figures["doubtful"] == 0


def test_the_command_runs_and_writes_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.modelling_layers", "--smoke", "--tools", "arrays"]
    before = sorted((path, path.stat().st_mtime_ns) for path in (ROOT / "benchmarks").glob("*.*"))
    done = subprocess.run([*command, "--problems", "abatement"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "| 60 | arrays |" in done.stdout
    assert sorted((path, path.stat().st_mtime_ns) for path in (ROOT / "benchmarks").glob("*.*")) == before
