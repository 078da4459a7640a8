r"""Find the balance value of a sector, and how far its allowances are from its emissions at one.

The balance value $V$ is the root of $\sum_i E_i \,\mathrm{clip}(\sigma (V - I_i)/V, \pm d)$, which never falls in $V$:
bisection finds the ends of its interval of zero, and the units between their caps give the last digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMBALANCE_RELATIVE = 1e-9
"""Largest imbalance of a sector at its balance value, relative to its emissions."""

ZERO_SUM_ROUNDING_RELATIVE = 2.0**-50
"""Bound of a computed sum that is exactly zero, relative to the sum of its absolute terms."""


def imbalance_t(
    emissions: NDArray[np.float64], intensity: NDArray[np.float64], value: float, slope: float, cap: float
) -> float:
    """Return how far the allowances of a sector are from its emissions at a balance value, without their sign [t]."""
    deviation = slope * (1 - intensity / value)
    return abs(float(np.sum(emissions * np.clip(deviation, -cap, cap))))


def balance_value(emissions: NDArray[np.float64], intensity: NDArray[np.float64], slope: float, cap: float) -> float:
    """Return the balance value of a sector, the middle of its interval if there is one [t/t]."""
    weight = float(emissions.sum())
    # NumPy adds in pairs, and loses at most 40 units in the last place of a sum of terms up to the cap.
    zero = max(ZERO_SUM_ROUNDING_RELATIVE, 40 * cap * np.finfo(float).eps) * weight

    def rates(value: float) -> NDArray[np.float64]:
        return np.clip(slope * (1 - intensity / value), -cap, cap)

    def edge(side: float) -> float:
        # At the least intensity no unit has a surplus, and at the largest none a deficit.
        low, high = float(intensity.min()), float(intensity.max())
        while low < (middle := (low + high) / 2) < high:
            above = float((emissions * rates(middle)).sum()) > side * zero
            low, high = (low, middle) if above else (middle, high)
        return middle

    lower, upper = edge(-1.0), edge(1.0)
    middle = (lower + upper) / 2
    surplus_rates = rates(middle)
    inner = np.abs(surplus_rates) < cap
    if not inner.any():
        return middle
    surplus = cap * float(emissions[surplus_rates >= cap].sum() - emissions[surplus_rates <= -cap].sum())
    return slope * float((emissions * intensity)[inner].sum()) / (slope * float(emissions[inner].sum()) + surplus)
