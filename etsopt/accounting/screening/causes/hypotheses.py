"""Hypotheses on a figure that is off: usual variation, a mistake with a factor of its own, or an unknown one.

Weights are expected numbers of faults among 3,000 figures, so about what 18 plants report in a year. They are
assumptions until closed findings say more: ten faults there, one of each kind, and more of those without a factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.screening.causes.series import DEGREES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.accounting.screening.causes.series import Floats


USUAL, ONE = 3_000.0, 1.0
"""Weights of a figure without a fault, and of each kind of mistake."""
UNKNOWN, UNKNOWN_SCALE = 4.0, 0.5
"""Weight of a mistake without a known factor, and mean logarithm of its ratio: small ones are the more frequent."""
NAMED = 0.5
"""Probability of a fault from which it is named."""
LEAST_RATIO = 0.05
"""Logarithm of a ratio below which nothing is named: a twentieth is within what meters and stock-taking leave open."""
UNEXPLAINED = "unexplained"

COAL_EQUIVALENT, CALORIE = 29.3076, 4.1868
"""Heat of a tonne of coal equivalent [GJ], and of a kilocalorie [kJ]."""


@dataclass(frozen=True)
class Mistakes:
    """Kinds of mistake with their factors, shape ``(mistakes,)``.

    Parameters
    ----------
    cause
        Name of the cause.
    factor, weight
        Stated over true figure, and weight.
    """

    cause: NDArray[np.object_]
    factor: Floats
    weight: Floats

    @classmethod
    def of(cls, factors: Mapping[str, tuple[float, ...]]) -> Mistakes:
        """Share the weight of a cause among its factors."""
        cells = [(cause, factor, ONE / len(own)) for cause, own in factors.items() for factor in own]
        cause, factor, weight = zip(*cells, strict=True)
        return cls(np.array(cause, dtype=object), np.array(factor), np.array(weight))


_SLIPS = {"factor_1000": (1e3, 1e-3), "factor_10": (10.0, 0.1), "factor_10000": (1e4, 1e-4)}
QUANTITY, QUANTITY_OF_YEARS = Mistakes.of({**_SLIPS, "counted_twice": (2.0,)}), Mistakes.of(_SLIPS)
DOUBLED = Mistakes.of({"counted_twice": (2.0,)})
"""kg for t, a decimal point, 万 (ten thousand) left out or put twice; in a month one delivery in two rows, or all."""

_UNITS = {"Gcal": 1 / CALORIE, "kcal/kg": 1e3 / CALORIE, "tce": 1 / COAL_EQUIVALENT, "MJ": 1e3}
BY_FACTOR = {
    **{factor: (unit, False) for unit, factor in _UNITS.items()},
    **{1 / factor: (unit, True) for unit, factor in _UNITS.items()},
}
"""The unit that stands in place of GJ by stated over true figure, and whether a figure in GJ was converted from it."""
MISTAKEN = tuple(_UNITS)
CALORIFIC = Mistakes.of({"calorific_unit": tuple(BY_FACTOR), "factor_10": (10.0, 0.1)})
"""Another unit of heat in place of GJ, a conversion too many, and a decimal point."""


def density(scores: Floats) -> Floats:
    """Return the density of the Student distribution of four degrees."""
    tail: Floats = 0.375 * (1 + scores**2 / DEGREES) ** -2.5
    return tail


def unknown_density(ratio: Floats) -> Floats:
    """Return weight times density of a mistake without a known factor."""
    density_there: Floats = UNKNOWN * np.exp(-np.abs(ratio) / UNKNOWN_SCALE) / (2 * UNKNOWN_SCALE)
    return density_there


@dataclass(frozen=True)
class Verdict:
    """The likeliest mistake of figures, shape ``(figures,)``: cause, probability, and factor, NaN without one."""

    cause: NDArray[np.object_]
    probability: Floats
    factor: Floats

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Verdict:
        """Return the verdict on some figures."""
        return Verdict(self.cause[which], self.probability[which], self.factor[which])


def judged(
    ratio: Floats, width: Floats, mistakes: Mistakes, usual: Floats | float = USUAL, of_item: Floats | None = None
) -> tuple[NDArray[np.bool_], Verdict]:
    """Compare the hypotheses on each figure by weight times likelihood; return the faults and the verdict on them.

    Parameters
    ----------
    ratio, width
        Logarithm of stated over usual figure, and scale of its usual variation, of one shape or broadcast to it.
    usual
        Weight of usual variation.
    of_item
        Factor by which tonnes of coal equivalent differ from tonnes of the item, NaN for items that are no fuel.
    """
    cause, factor, weight = mistakes.cause, mistakes.factor, mistakes.weight
    ratio, width, usual, of_item = np.broadcast_arrays(ratio, width, usual, np.nan if of_item is None else of_item)
    cause, weight = np.append(cause, "tonnes_of_coal_equivalent"), np.append(weight, ONE)
    factor = np.concatenate([np.broadcast_to(factor, (*ratio.shape, len(factor))), of_item[..., None]], axis=-1)
    score = (ratio[..., None] - np.log(factor)) / width[..., None]
    known = np.nan_to_num(weight * density(score) / width[..., None])
    unknown = unknown_density(ratio)
    place, best = known.argmax(axis=-1), known.max(axis=-1)
    explained = best > unknown
    none = usual * density(ratio / width) / width
    every = known.sum(axis=-1) + unknown + none
    verdict = Verdict(
        np.where(explained, cause[place], UNEXPLAINED),
        np.maximum(best, unknown) / every,
        np.where(explained, np.take_along_axis(factor, place[..., None], axis=-1)[..., 0], np.nan),
    )
    fault = (none < NAMED * every) & (np.abs(ratio) > LEAST_RATIO)
    return fault, verdict.select(fault)


def chance_or_fault(chance: Floats) -> Floats:
    """Return the probability that an identity is a fault, from the logarithm of the chance that it holds by itself."""
    probability: Floats = ONE / (ONE + USUAL * np.exp(chance))
    return probability
