"""From a program to HiGHS and back, shared by all tools that make arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from benchmarks.modelling_layers import NotSolvedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.problems import Problem
    from etsopt.modelling.program.program import Program


def hand_over(program: Program, problem: Problem, options: Mapping[str, Any]) -> Any:
    """Pass a program in one call."""
    highs = highspy.Highs()
    set_options(highs, options)
    matrix, objective = program.matrix, program.objectives[problem.objective]
    status = highs.passModel(
        matrix.shape[1],
        matrix.shape[0],
        matrix.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        objective.constant,
        objective.linear,
        program.column_lower,
        program.column_upper,
        program.row_lower,
        program.row_upper,
        matrix.indptr.astype(np.int32, copy=False),
        matrix.indices.astype(np.int32, copy=False),
        matrix.data,
        program.integer.astype(np.int32),
    )
    # A warning already means that HiGHS dropped coefficients.
    if status != highspy.HighsStatus.kOk:
        raise RuntimeError(f"HiGHS did not take the program: {status}")
    return highs


def set_options(highs: Any, options: Mapping[str, Any]) -> None:
    """Set options and raise if HiGHS refuses one, which would silently change the measurement."""
    for name, value in options.items():
        if highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise RuntimeError(f"HiGHS refuses {value!r} for {name}")


def solve(highs: Any) -> Any:
    """Run HiGHS."""
    highs.run()
    status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise NotSolvedError(highs.modelStatusToString(status))
    return highs


def extract(program: Program, highs: Any) -> dict[str, Any]:
    """Return the values of every variable; also read the duals, which the product needs."""
    solution = highs.getSolution()
    values, _ = np.asarray(solution.col_value), np.asarray(solution.row_dual)
    return {name: values[block] for name, block in program.columns.items()}
