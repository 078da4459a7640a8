r"""Exact balance value of a sector.

Under the intensity rule a unit's surplus rate is

$$\alpha_i(B) = \mathrm{clip}\bigl(s\,(B - I_i)/B,\; -c,\; +c\bigr)$$

with slope $s$ and cap $c$, and the balance value is the $B$ at which the sector's allowances equal its emissions,
$\sum_i E_i\,\alpha_i(B) = 0$. With $z = 1/B$ each rate, $s\,(1 - I_i z)$ before the clip, is linear in $z$; so the sum
is piecewise linear and non-increasing. Its breakpoints are $(1 - c/s)/I_i$, below which unit $i$ gets $+c$, and
$(1 + c/s)/I_i$, above which it gets $-c$. The breakpoints are sorted and scanned once; the interval of the sign change
holds the root of a line. There is no iteration, and only the last quotient is rounded. If the sum is zero over an
interval, every $B$ in it is a balance value: the interval is reported and the value is its midpoint *in B*.

Source: consultation draft of the 2026 plan of 27 July 2026, which states that the method of 2025 is unchanged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDING = 2.0**-50
"""Largest difference of equal sums after rounding to doubles, relative to the sums: a few units in the last place."""

COARSE = 512
"""Breakpoints of which one is looked at first; of a million units all take longer than their sort."""


@dataclass(frozen=True)
class BalanceValue:
    """A balance value and the interval of all balance values [t/t]; the interval is a point if the value is unique."""

    value: float
    lower: float
    upper: float


def surplus_rates(
    intensity: NDArray[np.float64], balance_value: float, slope: float, cap: float
) -> NDArray[np.float64]:
    """Return the surplus rates under the intensity rule, shape ``(units,)``."""
    rates: NDArray[np.float64] = np.clip(slope * (balance_value - intensity) / balance_value, -cap, cap)
    return rates


def balance_value(
    emissions: NDArray[np.float64], intensity: NDArray[np.float64], slope: float, cap: float
) -> BalanceValue:
    """Compute the balance value of one sector [t/t], in O(n log n).

    Parameters
    ----------
    emissions, intensity
        Shape ``(units,)``, positive [tCO2e, t/t].
    slope, cap
        Parameters of the rule, positive; 0.15 and 0.03 in 2025 and 2026.

    Returns
    -------
    BalanceValue
        The value and the interval of all balance values.

    Examples
    --------
    >>> e = np.array([780e3, 984e3, 672e3, 1290e3, 540e3])
    >>> i = np.array([0.78, 0.82, 0.84, 0.86, 1.08])
    >>> round(balance_value(e, i, 0.15, 0.03).value, 6)
    0.853831
    """
    return _Curve(emissions, intensity, slope, cap).root()


@dataclass(frozen=True)
class _Curve:
    """The sum of E alpha of a sector over z = 1 / B: piecewise linear and non-increasing.

    Parameters are those of `balance_value`.
    """

    emissions: NDArray[np.float64]
    intensity: NDArray[np.float64]
    slope: float
    cap: float

    @cached_property
    def enter(self) -> NDArray[np.float64]:
        """Points below which a unit gets +cap, shape ``(units,)`` [t/t]."""
        return (1 - self.cap / self.slope) / self.intensity

    @cached_property
    def leave(self) -> NDArray[np.float64]:
        """Points above which a unit gets -cap, shape ``(units,)`` [t/t]."""
        return (1 + self.cap / self.slope) / self.intensity

    def root(self) -> BalanceValue:
        """Return the balance value at the change of sign."""
        breakpoints = np.unique(np.concatenate([self.enter, self.leave]))
        # Every unit has +cap before the first breakpoint and -cap after the last, so the sum changes sign in between.
        # The sum is found at few of them, then at those between the two at which it changes sign.
        coarse = int(np.searchsorted(-self._at(breakpoints[::COARSE]), 0.0, side="left"))
        first = max(coarse - 1, 0) * COARSE
        after = first + int(np.searchsorted(-self._at(breakpoints[first : coarse * COARSE + 1]), 0.0, side="left"))
        for position in range(max(after - 1, 1), min(after + 3, len(breakpoints))):
            flat = self._flat_between(breakpoints[position - 1], breakpoints[position])
            if flat is not None:
                return flat
        return self._root_between(breakpoints[max(after - 1, 0)], breakpoints[min(after, len(breakpoints) - 1)])

    @cached_property
    def _in_order(self) -> tuple[NDArray[np.float64], ...]:
        """Points at which units enter and leave, and cumulative sums of E and of E times intensity."""
        # Units enter and leave the linear part in the same order, that of falling intensity.
        order = np.argsort(-self.intensity)
        e = np.concatenate([[0.0], np.cumsum(self.emissions[order])])
        ei = np.concatenate([[0.0], np.cumsum((self.emissions * self.intensity)[order])])
        return self.enter[order], self.leave[order], e, ei

    def _at(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum at each breakpoint, from cumulative sums over units in order of falling intensity."""
        enter, leave, e, ei = self._in_order
        entered, left = np.searchsorted(enter, z, side="right"), np.searchsorted(leave, z, side="right")
        e_entered, e_left, ei_entered, ei_left = e[entered], e[left], ei[entered], ei[left]
        linear = self.slope * ((e_entered - e_left) - (ei_entered - ei_left) * z)
        total: NDArray[np.float64] = self.cap * (self.emissions.sum() - e_entered) + linear - self.cap * e_left
        return total

    def _at_caps(self, z: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the units that get +cap and those that get -cap at a point, shapes ``(units,)``."""
        return self.enter > z, self.leave < z

    def _flat_between(self, left: float, right: float) -> BalanceValue | None:
        """Return the interval if every unit is at its cap in it and surpluses and deficits cancel; else None."""
        surplus, deficit = self._at_caps(0.5 * (left + right))
        if not (surplus | deficit).all():
            return None
        # Sums of whole tonnes cancel exactly; other emissions are themselves rounded to doubles.
        difference = math.fsum(self.emissions[surplus]) - math.fsum(self.emissions[deficit])
        if abs(difference) <= ROUNDING * math.fsum(self.emissions):
            lower, upper = float(1 / right), float(1 / left)
            return BalanceValue(0.5 * (lower + upper), lower, upper)
        return None

    def _root_between(self, left: float, right: float) -> BalanceValue:
        """Solve the line between two neighbouring breakpoints with exactly rounded sums."""
        surplus, deficit = self._at_caps(0.5 * (left + right))
        linear = ~(surplus | deficit)
        saturated = self.cap * (math.fsum(self.emissions[surplus]) - math.fsum(self.emissions[deficit]))
        weight = math.fsum(self.emissions[linear] * self.intensity[linear])
        root = (self.slope * math.fsum(self.emissions[linear]) + saturated) / (self.slope * weight)
        value = float(1 / min(max(root, left), right))
        return BalanceValue(value, value, value)
