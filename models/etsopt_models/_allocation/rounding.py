"""Whole tonnes near real allowances: the order of rates applies before rounding, so it is solved in real numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._tolerances import MOVE_START_DECIMALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


def before_rounding(instance: Instance) -> Instance:
    """Return the instance with real allowances if these are rounded later; else the same instance."""
    if not instance.policy.allocation.rounds:
        return instance
    return instance.with_policy({"allocation.integer_allowances": False})


def to_round(instance: Instance) -> Instance:
    """Return the instance for whole tonnes, with every limit but the order of rates."""
    return instance.with_policy({"allocation.intensity_order": False, "allocation.objectives": []})


def nearest_to(allowance: NDArray[np.float64]) -> dict[str, Any]:
    """Return the parameters of `allocation` that differ for whole tonnes near real allowances."""
    return {"ROUNDING_MEASURED": np.arange(len(allowance)), "reference": np.round(allowance, MOVE_START_DECIMALS)}
