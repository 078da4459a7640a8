r"""What is believed of the balance value of a large sector, before and after the own units are seen.

The other units of a sector are drawn, each with a size and with the intensity

$$I_j = b\,e^{\theta}\,f_j / \kappa,$$

where $b$ is the stated balance value to start from, $e^{\theta} - 1$ its relative change to the forecast year, the same
for all units, and $f_j$ the unit's draw from the stated spread. The scale of the spread means nothing: $\kappa$ is the
balance value of a sector without end whose units have the intensities $f$, found by the exact search on equally likely
points of the spread. So $b\,e^{\theta}$ is the balance value of a sector without end, and that of $n$ drawn units
differs from it by their chance alone. Where output is stated, emissions are output times intensity, and an intense unit
weighs more; where emissions are stated, they do not depend on intensity.

Own units inform $\theta$ where `owner_deviation` $\omega$ is stated: it is assumed that their logarithms are
$\ln(b/\kappa) + \theta + g + \ln f_i$, with independent draws $f_i$ and a deviation $g$ of the owner, normal with the
standard deviation $\omega$. Of $n$ own units the mean

$$y = \frac{1}{n} \sum_i \ln I_i - \ln(b/\kappa) - \mathrm{E} \ln f \;\sim\; N(\theta,\; \sigma^2/n + \omega^2),
\qquad \sigma^2 = \mathrm{Var} \ln f,$$

is exactly normal for a lognormal spread, and nearly for another; every unit counts alike, whatever its size. If the
prior of $\theta$ is normal, $N(m, \tau^2)$, so is the posterior, with precision $1/\tau^2 + 1/(\sigma^2/n + \omega^2)$
and the mean of $m$ and $y$ weighted by these. For any other prior the density is weighted by the likelihood on equally
likely points of the prior. That is done for all, and the closed form is a test. $z$ states how many standard deviations
$y$ lies from where it is expected, so that own units which contradict the prior are seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.rules.balance import balance_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.studies.forecasting.plan import Prior

    Floats = NDArray[np.float64]

POINTS = (np.arange(2**12) + 0.5) / 2**12
"""Shares of equally likely points of a distribution."""


@dataclass(frozen=True)
class Belief:
    """The belief of a sector.

    Parameters
    ----------
    prior
        What is stated of the sector.
    slope, cap
        Parameters of the rule.
    """

    prior: Prior
    slope: float
    cap: float

    @cached_property
    def kappa(self) -> float:
        """Balance value of a sector without end whose intensities are the spread itself."""
        intensity = self.prior.spread.quantiles(POINTS).astype(float)
        emissions = intensity if self.prior.output_t else np.ones_like(intensity)
        return balance_value(emissions, intensity, self.slope, self.cap).value

    @cached_property
    def log_spread(self) -> tuple[float, float]:
        """Mean and standard deviation of the logarithm of the spread."""
        found = np.log(self.prior.spread.quantiles(POINTS).astype(float))
        return float(found.mean()), float(found.std())

    @cached_property
    def log_changes(self) -> Floats:
        """Equally likely points of the prior of the logarithm of the change, in rising order, shape ``(points,)``."""
        found: Floats = np.sort(self._log_changes_at(POINTS))
        return found

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of the prior of the logarithm of the change."""
        return float(self.log_changes.std())

    def levels(self, shares: Floats, own_intensity: Floats, shift: float = 0.0) -> Floats:
        """Return draws of the balance value of a sector without end, shape ``(draws,)`` [t/t].

        Parameters
        ----------
        shares
            Share of the belief below each draw, between 0 and 1, shape ``(draws,)``.
        own_intensity
            Intensities of the own units that the rule balances in each draw, shape ``(draws, own units)`` [t/t].
        shift
            Error of the prior's mean in its standard deviations, which is added.
        """
        moved = shift * self.deviation
        if self._silent(own_intensity):
            log_changes = self._log_changes_at(shares) + moved
        else:
            log_changes, weights, last = np.empty(len(shares)), np.empty(0), np.empty(0)
            for draw, (share, own) in enumerate(zip(shares, own_intensity, strict=True)):
                if not np.array_equal(own, last):
                    weights, last = self._weights(own, moved), own
                    below = np.cumsum(weights) - weights / 2
                log_changes[draw] = np.interp(share, below, self.log_changes) + moved
        found: Floats = self.prior.balance_value * np.exp(log_changes)
        return found

    def mean_and_deviation(self, own_intensity: Floats) -> tuple[float, float]:
        """Return mean and standard deviation of the balance value of a sector without end, own units seen [t/t]."""
        values = self.prior.balance_value * np.exp(self.log_changes)
        weights = None if self._silent(own_intensity) else self._weights(own_intensity, 0.0)
        mean = float(np.average(values, weights=weights))
        return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))

    def surprise(self, own_intensity: Floats) -> float:
        """Return z, the distance of the own units from where they are expected, in deviations; NaN without any."""
        if not len(own_intensity):
            return float("nan")
        off = self._seen(own_intensity) - float(self.log_changes.mean())
        spread = np.hypot(self.deviation, self._deviation_of_mean(len(own_intensity)))
        return float(off / spread) if spread > 0 else float("nan")

    def factors(self, shares: Floats) -> Floats:
        """Return draws of the spread, scaled so that a sector without end has the balance value 1."""
        return self.prior.spread.quantiles(shares).astype(float) / self.kappa

    def _log_changes_at(self, shares: Floats) -> Floats:
        found: Floats = np.log1p(self.prior.change.quantiles(shares).astype(float))
        return found

    def _seen(self, own_intensity: Floats) -> float:
        """Return y, the logarithm of the change as the own units show it."""
        at_start = np.log(self.prior.balance_value / self.kappa) + self.log_spread[0]
        return float(np.log(own_intensity).mean() - at_start)

    def _deviation_of_mean(self, count: int) -> float:
        """Return the standard deviation of the mean of own units around the sector's."""
        return float(np.hypot(self.log_spread[1] / np.sqrt(count), self.prior.owner_deviation or 0.0))

    def _silent(self, own_intensity: Floats) -> bool:
        """Return True if own units say nothing of the others."""
        return self.prior.owner_deviation is None or not own_intensity.shape[-1]

    def _weights(self, own_intensity: Floats, moved: float) -> Floats:
        """Return the weights of the points of the prior with the own units seen, shape ``(points,)``."""
        # Units without spread and deviation show the change exactly; its nearest point then has all the weight.
        scale = max(self._deviation_of_mean(len(own_intensity)), np.finfo(float).tiny ** 0.25)
        off = (self._seen(own_intensity) - self.log_changes - moved) / scale
        weights = np.exp((np.min(off**2) - off**2) / 2)
        found: Floats = weights / weights.sum()
        return found
