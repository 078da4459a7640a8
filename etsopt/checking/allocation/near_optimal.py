r"""Bound the allowance of one unit over all allocations that are as good as an answer, or nearly.

Let $\phi_j$ be objectives with largest values $m_j$: those of the answer, of one of them a share more. For any point
$w$, any duals $y$ of the coupling rows and any $\lambda_j \ge 0$, no allocation that keeps every limit at least as well
as $w$ and every $\phi_j$ within the larger of $m_j$ and $\phi_j(w)$ gives unit $u$ less than $w_u - Y$, with

$$Y = \sum_i \Bigl[ h_i(w_i) - \min_a h_i(a) \Bigr] + \sum_r |y_r|\, d_r + \sum_j \lambda_j \max(m_j - \phi_j(w), 0),
  \qquad h_i(a) = [i = u]\, a + \sum_j \lambda_j \phi_{ji}(a) - \pi_i a.$$

It is the certificate of an objective, which is the allowance of the unit (`certificate.py`), and the objectives that
are kept have a distance from their limits as rows do. For the most that the unit gets its negative is bounded. A wrong
multiplier makes $Y$ large, and the interval wider.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation import rounding, statements
from etsopt.checking.allocation.certificate import Intervals, Kinked, units_gap
from etsopt.checking.allocation.exceptions import exceptional_units
from etsopt.checking.allocation.integer import within_rate
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.measures import UNITS, Measures
from etsopt.checking.arithmetic import upward
from etsopt.checking.tolerances import ALLOWANCE_ROUNDING_T
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.checking.verdict import Columns


@dataclass(frozen=True)
class NearOptimal:
    """Allocations that keep every limit, and objectives within given values.

    Parameters
    ----------
    answer
        Allowances of all units in the answer, before any rounding of real ones [t].
    most
        Largest value of each objective that is kept.
    """

    demands: Demands
    measures: Measures
    answer: Floats
    most: Mapping[str, float]

    @classmethod
    def of(cls, instance: InstanceInputs, allocation: Columns, names: Sequence[str]) -> NearOptimal:
        """Return the allocations whose objectives of these names are as good as those of an answer.

        Parameters
        ----------
        allocation
            Columns of all units in the order of the instance; that the references follow the rule is checked elsewhere.
        """
        if instance.rounds:
            # The objectives are those of the real allowances.
            instance, allocation = rounding.before(instance), rounding.real_table(allocation)
        reference, answer = (np.asarray(allocation[name], dtype=float) for name in ("reference_t", "allowance_t"))
        demands = derive(instance, exceptional_units(instance, allocation))
        measures = Measures.of(instance, demands, reference, answer, np.zeros(len(answer)))
        values = {name: measures.level(name, np.zeros(0))[0].value for name in names}
        return cls(demands, measures, answer, values)

    def within(self, name: str, share: float) -> NearOptimal:
        """Return the allocations that may also exceed one objective by a share of its value."""
        return replace(self, most={**self.most, name: (1 + share) * self.most[name]})

    @property
    def free(self) -> Mask:
        """Units that the allocation may move, shape ``(units,)``."""
        return ~self.demands.fixed

    @property
    def sums(self) -> dict[str, float]:
        """Objectives that are sums over units, and their largest values; the largest change bounds each by itself."""
        return {name: most for name, most in self.most.items() if name != "largest_change"}

    @cached_property
    def bounds(self) -> Intervals:
        """The answer of the adjustable units, and their bounds [t]."""
        lower, upper = self.demands.lower[self.free], self.demands.upper[self.free]
        if "largest_change" in self.most:
            of = self.measures
            least, most = within_rate(self.most["largest_change"], of.r, of.e, of.integer)
            lower, upper = np.maximum(lower, least), np.minimum(upper, most)
        return Intervals.around(self.measures.answer, lower, upper)

    def of_all(self, free: Floats) -> Floats:
        """Return the allowances of all units from those of the adjustable ones [t]."""
        allowance = self.answer.copy()
        allowance[self.free] = free
        return allowance

    def holds(self, allowance: Floats) -> bool:
        """Return True if an allocation keeps every limit and objective, as answers do."""
        if not np.isfinite(allowance).all():
            return False
        # Only the place of a violation would be named.
        table = {"unit_id": np.arange(len(allowance)), "allowance_t": allowance}
        broken = (statements.integer_allowances, statements.inside_band, statements.rows_are_met)
        if any(statement(self.demands, table) for statement in broken):
            return False
        at = replace(self.measures, answer=allowance[self.free])
        return all(
            at.level(name, np.zeros(0))[0].value <= most + tolerance_of(most, UNITS[name])
            for name, most in self.most.items()
        )

    def bound(self, place: int, sign: float, point: Floats, dual: Floats, times: Mapping[str, float]) -> float:
        """Return an allowance below which, or with a negative sign above which, no allocation brings a unit [t].

        Parameters
        ----------
        place
            Place of the unit among the adjustable ones.
        point
            Allowances of all units, at best those of the allocation that gives the unit least or most [t].
        dual
            Duals of the coupling rows.
        times
            Multiplier of each objective of `sums`.
        """
        least = sign * float((self.bounds.lower if sign > 0 else self.bounds.upper)[place])
        own = np.zeros(len(self.measures.answer))
        own[place] = sign
        with np.errstate(all="ignore"):
            gap = self._gap(own, point, dual, times)
        if gap < math.inf:
            # A difference is rounded by less than its last digit.
            least = max(least, math.nextafter(sign * float(point[self.free][place]) - gap, -math.inf))
        return sign * (math.ceil(least - ALLOWANCE_ROUNDING_T) if self.demands.integer else least)

    def _gap(self, own: Floats, point: Floats, dual: Floats, times: Mapping[str, float]) -> float:
        """Return an upper bound of the distance of a function of units with these slopes from its least value."""
        rows = self.demands.rows
        at = replace(self.measures, answer=point[self.free])
        pieces, distance = [Kinked(at.answer, own, own)], 0.0
        for name, most in self.sums.items():
            level, uncertain = at.level(name, np.zeros(0))
            assert level.piece is not None
            multiplier = max(times.get(name, 0.0), 0.0)
            pieces.append(replace(level.piece, times=multiplier / level.scale))
            distance += upward(multiplier * max(most - level.value + uncertain, 0.0), 4)
        dual = rows.supported_duals(dual)
        activity = rows.dual_activity(dual, len(point)).of(self.free)
        of_units = units_gap(Intervals.around(at.answer, self.bounds.lower, self.bounds.upper), pieces, activity)
        return upward(of_units + rows.gap(rows.totals(point), dual) + distance, 4)
