"""Rates of change against emissions, for `largest_change`: rates that units need, and whole tonnes within a rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt_models._tolerances import DUAL_PROOF_ROUNDING_RELATIVE, RATE_TONNES_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rates_needed(
    below: NDArray[np.float64], above: NDArray[np.float64], emissions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the rate that each unit alone needs to reach its interval, shape ``(units,)``.

    Parameters
    ----------
    below, above
        Tonnes by which its reference is below the interval, and above it; negative if it is not [t].
    """
    rates: NDArray[np.float64] = np.maximum(np.maximum(below, above), 0.0) / emissions
    return rates


def tonnes_within(rate: float, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the most whole tonnes that each unit may change within a rate, shape ``(units,)`` [t]."""
    tonnes: NDArray[np.float64] = np.floor(rate * emissions * (1 + RATE_TONNES_ROUNDING_RELATIVE))
    return tonnes


def is_above_zero(terms: NDArray[np.float64]) -> bool:
    """Return True if a sum of terms is above zero by more than its rounding."""
    return float(np.sum(terms)) > DUAL_PROOF_ROUNDING_RELATIVE * float(np.sum(np.abs(terms)))


def per_rate(
    duals: NDArray[np.float64],
    dual_activity: NDArray[np.float64],
    emissions: NDArray[np.float64],
    moves: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the duals of the rows in rate per tonne, scaled by the dual activity that units add per rate.

    Parameters
    ----------
    dual_activity, emissions
        Shape ``(units,)``.
    moves
        True for units that a larger rate lets change more, shape ``(units,)``.
    """
    adds = float(np.sum(np.abs(dual_activity) * emissions * moves))
    scaled: NDArray[np.float64] = duals / adds if adds > 0 else duals
    return scaled
