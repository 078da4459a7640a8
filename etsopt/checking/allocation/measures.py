"""Define every objective: its functions of the units, its value and the tolerance of its gap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.bands import rounded
from etsopt.checking.allocation.certificate import Kinked, Square
from etsopt.checking.arithmetic import gamma, sum_at_most, total, upward
from etsopt.checking.readings import plan
from etsopt.checking.theorem import TIE_BREAKS
from etsopt.checking.tolerances import (
    LEAST_REFERENCE_SHARE,
    PROOF_WEIGHT_SHARE_MIN,
    RATE_RESOLUTION_MAX_RELATIVE,
    TOTAL_RESOLUTION_RELATIVE,
)
from etsopt.common.units import RELATIVE_TOLERANCE, sums, tolerance_of

if TYPE_CHECKING:
    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs

SQUARES = tuple(TIE_BREAKS.values())
"""Tie-breaks, each a sum of squared distances."""

UNITS = {"change": "t", "largest_change": "rate", "deficit": "t", "spread": "rate", **dict.fromkeys(SQUARES, "t")}
"""Objectives over allowances and the units of their values."""


@dataclass(frozen=True)
class Level:
    """An objective to be bounded.

    Parameters
    ----------
    piece, square
        Functions that it sums over the units.
    dual
        Duals of the rows, for the sum before it is divided.
    scale
        Divisor of the sum.
    value
        Value at the answer.
    """

    name: str
    piece: Kinked | None
    square: Square | None
    dual: Floats
    scale: float
    value: float


@dataclass(frozen=True)
class Measures:
    """Data of the objectives for adjustable units, shape ``(units,)``.

    Parameters
    ----------
    answer
        Allowances [t].
    e, r, due, target
        Emissions; reference allowances, emissions as the deficit counts them, and allowances at the target rate, in
        whole tonnes if allowances are.
    weights
        Weights of the units in the largest rate, zero or more.
    integer
        True if allowances are whole tonnes.
    """

    answer: Floats
    e: Floats
    r: Floats
    due: Floats
    target: Floats
    weights: Floats
    integer: bool

    @classmethod
    def of(
        cls, instance: InstanceInputs, demands: Demands, reference: Floats, allowance: Floats, weights: Floats
    ) -> Measures:
        """Select the adjustable units from arrays over all units of the instance."""
        free, integer, emissions = ~demands.fixed, demands.integer, plan.emissions_inside(instance)
        # Objectives measure from whole tonnes if allowances are whole.
        r, due = (rounded(part[free]) if integer else part[free] for part in (reference, emissions))
        target = at_target_rate(instance, demands, reference)[free]
        return cls(allowance[free], emissions[free], r, due, target, np.maximum(weights[free], 0.0), integer)

    def level(self, name: str, dual: Floats) -> tuple[Level, float]:
        """Return the objective and the uncertainty of its value."""
        answer, e, r = self.answer, self.e, self.r
        if name in SQUARES:
            square = self.square(name)
            value, error = total((answer - square.centre) ** 2 / square.weight)
            return Level(name, None, square, dual, 1.0, value), error + gamma(6) * value
        if name == "largest_change":
            all_weight = float(np.sum(self.weights * e))
            weights = self.weights / all_weight if all_weight > 0 else self.weights
            value = float(np.max(np.abs(answer - r) / e, initial=0.0))
            piece = None if self.integer else Kinked(r, -weights, weights)
            return Level(name, piece, None, dual, 1.0, value), gamma(4) * value
        piece = {
            "change": Kinked(r, -1.0, 1.0),
            "deficit": Kinked(self.due, -1.0, 0.0),
            "spread": Kinked(self.target, -1.0, 1.0),
        }[name]
        scale = max(float(self.e.sum()), 1e-300) if name == "spread" else 1.0
        value, error = (part / scale for part in total(piece.at(answer)))
        return Level(name, piece, None, dual * scale, scale, value), upward(error + gamma(6) * value, 4)

    def square(self, name: str) -> Square:
        """Return the squares of a tie-break: their centres and weights [t]."""
        weight = {
            "least_squares": self.e,
            "squared_rates": self.e,
            "squared_shares": np.maximum(self.r, LEAST_REFERENCE_SHARE * self.e),
            "squared_losses": np.full(len(self.e), np.mean(self.e) if len(self.e) else 1.0),
        }[name]
        return Square(weight, self.target if name == "squared_rates" else self.r, self.integer)

    def tolerance(self, name: str, value: float) -> float:
        """Return the largest optimal gap; a rate is known no better than the tonnes of its smallest unit."""
        all_emissions = float(np.sum(self.e))
        if name in SQUARES:
            return max(RELATIVE_TOLERANCE * value, TOTAL_RESOLUTION_RELATIVE * all_emissions)
        tolerance = tolerance_of(value, UNITS[name])
        if name == "largest_change":
            # Units that move furthest and bear a share of the proof; a zero weight widens no tolerance.
            furthest = np.abs(self.answer - self.r) >= (value - tolerance) * self.e
            borne = self.weights * self.e
            furthest &= borne > PROOF_WEIGHT_SHARE_MIN * float(np.sum(borne))
            smallest = float(np.min(self.e[furthest], initial=np.inf))
            # Weights are the answer's own words: of a tiny unit they must not widen the tolerance of all others.
            resolved = min(TOTAL_RESOLUTION_RELATIVE * all_emissions / smallest, RATE_RESOLUTION_MAX_RELATIVE * value)
            tolerance = max(tolerance, resolved)
        return tolerance

    def gap_of_value(self, level: Level, of_sum: float) -> float:
        """Return the gap of an objective from that of its sum."""
        if level.name != "largest_change":
            return upward(of_sum / level.scale, 4)
        assert level.piece is not None
        # With weights w of the units no rate is below sum w |A - R| / sum w E.
        weights, value = np.asarray(level.piece.right), upward(level.value, 4)
        most, change = value * self.e, np.abs(self.answer - self.r)
        own = sum_at_most(weights * (np.maximum(most - change, 0.0) + gamma(8) * (most + change)))
        all_weight, error = total(weights * self.e)
        all_weight -= error + gamma(4) * all_weight
        return upward((of_sum + own) / all_weight, 8) if all_weight > 0 else math.inf


def at_target_rate(instance: InstanceInputs, demands: Demands, reference: Floats) -> Floats:
    """Return the allowances at the rate from which `spread` measures, shape ``(units,)`` [t].

    The rate is that of the sector's target; without one, that of the reference allowances of its adjustable units.
    """
    without = np.isnan(demands.at_target_rate)
    if not without.any():
        return demands.at_target_rate
    sector, emissions = instance.labels("sector"), plan.emissions_inside(instance)
    given, own = (sums(sector.code[without], tonnes[without], len(sector)) for tonnes in (reference, emissions))
    rate = np.divide(given, own, out=np.ones(len(own)), where=own > 0)
    at_rate = emissions * rate[sector.code]
    return np.where(without, rounded(at_rate) if demands.integer else at_rate, demands.at_target_rate)
