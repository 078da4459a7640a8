"""The product: the rules of a Pyomo model, compiled on the data at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.modelling_layers.handing import extract, hand_over, solve
from etsopt.modelling.compiler import compiled
from etsopt.modelling.solving.scaling import scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.problems import Problem
    from etsopt.modelling.program.program import Program

__all__ = ["build", "extract", "hand_over", "scale_and_gate", "solve"]


def build(problem: Problem, data: Mapping[str, Any]) -> Program:
    """Formulate the model and compile it."""
    return compiled.build_program(problem.formulate(), data)


def scale_and_gate(program: Program, problem: Problem) -> None:
    """Scale and check the program, a step of the product before hand-over that no other tool has."""
    scale(program, problem.objective)
