"""Whole tonnes of `allocation` nearest to real ones: the last step in whole tonnes, where every unit counts alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._methods import allocation_least_squares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt_models._projection.objective_solution import ObjectiveSolution


def solve_objective(parameters: Mapping[str, Any], program: Any, solve: Any) -> ObjectiveSolution | None:
    """Return the nearest whole tonnes and the duals that prove them, by the method of `allocation_least_squares`."""
    return allocation_least_squares.nearest(
        program, solve, np.ones(parameters["UNITS"]), parameters["reference"], parameters["place"]
    )
