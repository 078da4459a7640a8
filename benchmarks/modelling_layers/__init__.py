"""From the same data to the same program in HiGHS, through several modelling layers.

A tool is a module with four functions; each is one measured stage:

``build(problem, data)``
    Make the tool's own model of the problem.
``hand_over(built, problem, options)``
    Pass the program and its options to HiGHS.
``solve(held)``
    Run HiGHS alone; raise `NotSolvedError` if it does not reach the end.
``extract(built, answer)``
    Return the values of every variable, by its name in the model.
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
"""Module here and its required packages, the modelling layer first."""

STAGES = ("import", "build", "hand_over", "solve", "extract", "check")


class NotSolvedError(Exception):
    """Error of a solver that stopped before an optimum."""


def load(tool: str) -> Any:
    """Return the module of a tool."""
    return import_module(f"{__name__}.{TOOLS[tool][0]}")


def installed(tool: str) -> bool:
    """Return True if the packages of a tool are installed, without importing them."""
    needed = [*TOOLS[tool][1:], *(["etsopt.modelling.compiler.compiled"] if tool == "stamped" else [])]
    return all(find_spec(name) is not None for name in needed)
