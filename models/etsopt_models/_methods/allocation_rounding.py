"""Whole tonnes of `allocation` nearest to real ones: the tie-break in whole tonnes, with equal weights of units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._methods import allocation_least_squares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt_models._projection.least_squares import ObjectiveSolution


def solve_objective(parameters: Mapping[str, Any], program: Any, solve: Any) -> ObjectiveSolution | None:
    """Find the nearest whole tonnes and the duals that prove them, as `allocation_least_squares` does."""
    return allocation_least_squares.nearest(
        program,
        solve,
        parameters["emissions"],
        np.ones(parameters["UNITS"]),
        parameters["reference"],
        parameters["place"],
    )
