"""Whole tonnes near real allowances: an order of rates is one before rounding, so it is solved for in real numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

DECIMALS = 3
"""Of the tonnes from which moves are measured: what is less than a kilogram is rounding, which must break no tie."""


def before_rounding(instance: Instance) -> Instance:
    """The instance whose real answer is rounded; the same where nothing is."""
    if not instance.policy.allocation.rounds:
        return instance
    return instance.with_policy({"allocation.integer_allowances": False})


def to_round(instance: Instance) -> Instance:
    """The instance whose limits the whole tonnes keep: every one but the order of rates."""
    return instance.with_policy({"allocation.intensity_order": False, "allocation.objectives": []})


def nearest_to(allowance: NDArray[np.float64]) -> dict[str, Any]:
    """Parameters of `allocation` that differ where whole tonnes are sought near real allowances."""
    return {"ROUNDED": np.arange(len(allowance)), "reference": np.round(allowance, DECIMALS)}
