"""The Pyomo build of the product: Pyomo builds every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.modelling_layers.handing import extract, hand_over, solve
from etsopt.modelling.compiler.pyomo_build import build_program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.problems import Problem
    from etsopt.modelling.program.program import Program

__all__ = ["build", "extract", "hand_over", "solve"]


def build(problem: Problem, data: Mapping[str, Any]) -> Program:
    """Formulate the model and let Pyomo build it from the data."""
    return build_program(problem.formulate(), data)
