"""From the same data to the same program in HiGHS, through several modelling layers.

A tool is a module with four functions, each of which is one measured stage:

``build(problem, data)``
    The tool's own model of the problem.
``hand_over(built, problem, options)``
    What it takes until HiGHS holds the program and knows its options.
``solve(held)``
    HiGHS alone; raises `NotSolvedError` where it did not reach the end.
``extract(built, answer)``
    The values of every variable, by its name in the model.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

TOOLS = {
    "arrays": ("arrays", "numpy", "highspy"),
    "stamped": ("stamped", "pyomo", "highspy"),
    "reference": ("reference", "pyomo", "highspy"),
    "linopy": ("through_linopy", "linopy", "highspy"),
    "pyoptinterface": ("through_pyoptinterface", "pyoptinterface", "highsbox"),
    "cvxpy": ("through_cvxpy", "cvxpy", "highspy"),
}
"""Module here, and the packages that it needs, the first the layer itself."""

STAGES = ("import", "build", "hand_over", "solve", "extract", "check")


class NotSolvedError(Exception):
    """The solver stopped before it had an optimum."""


def load(tool: str) -> Any:
    """The module of a tool."""
    return import_module(f"{__name__}.{TOOLS[tool][0]}")


def installed(tool: str) -> bool:
    """Whether what a tool needs is there, without importing it."""
    needed = [*TOOLS[tool][1:], *(["etsopt.compiler.compiled"] if tool == "stamped" else [])]
    return all(find_spec(name) is not None for name in needed)
