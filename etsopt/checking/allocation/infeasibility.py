r"""Prove that no allocation exists: the infeasibility that duals of the coupling rows imply, whatever they are.

With $c$ in the middle of every unit's interval and $\pi = G^T y$, every allocation within the intervals has

$$\sum_r |y_r|\, (\text{infeasibility of row } r \text{ on its supported side})
  \ge F(y) = \sum_r y_r \Bigl( d_r - \sum_i g_{ri} c_i \Bigr)
  - \sum_i |\pi_i| \frac{\overline A_i - \underline A_i}{2}$$

so with $|y_r| \le 1$ in the elastic rows, and no relaxation of the others, the infeasibility is at least $F(y)$ tonnes.
An answer may miss every interval and row by a little. Infeasibility is certified only if it exceeds all of these
tolerances, so no instance can have both a certified answer and this certificate.

With exceptions $S$ the intervals of these are wider, and the infeasibility is $F(y) - \sum_{i \in S} g_i(y)$, where
$g_i$ is its reduction by the wider band of $i$.

An exception that reduces the infeasibility of one row may do nothing for another. So the dual $y_r$ of each elastic
row is a proof $F_r$ of its own as well. No unit reduces it by more than all of it, and together the rows are
infeasible by at least

$$\sum_r F_r^+ - \sum_{i \in S} \sum_r \min(g_{ir}^+, F_r^+).$$

Several sets of duals $y^k$ prove that each choice leaves $\max_k F(y^k) - \sum_{i \in S} g_i(y^k)$. Up to 100,000
choices are looked at one by one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation.certificate import upward_each
from etsopt.checking.arithmetic import UNDERFLOW, difference, gamma, sum_at_most, total, upward
from etsopt.checking.effort import EXCEPTION_CHOICES_MAX
from etsopt.checking.tolerances import MISS_COMPARISON_FACTOR, UNIT_TOLERANCE_T
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.allocation.rows import CouplingRows
    from etsopt.checking.arrays import Floats

ELASTIC_ROWS = ("sector_target", "province_balance", "national_total")
"""Rows of the elastic program that may be relaxed; orders of rates and bands of enterprises may not."""


@dataclass(frozen=True)
class Infeasibility:
    """Infeasibility that duals prove.

    Parameters
    ----------
    least
        Least infeasibility without exceptions if every limit is kept.
    tolerated
        Part of it that the misses of an answer may account for, at most.
    gains
        Part of it that each adjustable unit removes as an exception, at most, shape ``(adjustable,)``.
    """

    least: float
    tolerated: float
    gains: Floats


def least_infeasibility(demands: Demands, dual: Floats, row_misses: Floats, unit_miss: float) -> Infeasibility:
    """Return the infeasibility that duals of the coupling rows prove, for demands without exceptions.

    Parameters
    ----------
    row_misses
        Amount by which each row may be missed, in its unit.
    unit_miss
        Amount by which each unit may leave its interval [t].
    """
    rows, bands, free = demands.rows, demands.bands, ~demands.fixed
    dual = rows.supported_duals(dual)
    lower, upper, inside = demands.lower, demands.upper.copy(), demands.in_enterprise
    # With exceptions the limit of an enterprise may be larger, and any of its units may use all of that.
    everything = np.bincount(demands.enterprise[inside], bands.shared_above[inside], len(rows))
    upper[inside] += everything[demands.enterprise[inside]]
    with np.errstate(all="ignore"):
        activity = rows.dual_activity(dual, len(free))
        middle = (lower + upper) / 2
        reach = np.maximum(upper - middle, middle - lower)[free] * (1 + gamma(4))
        at_middle, has_dual = rows.totals(middle), dual != 0
        side = np.where(dual > 0, rows.least, rows.most)[has_dual]
        high, low = difference(side, at_middle.high[has_dual])
        away = dual[has_dual] * (high + (low - at_middle.low[has_dual]))
        of_units, uncertain = np.abs(activity.at_unit)[free], activity.of(free).uncertain
        error = np.abs(dual[has_dual]) * (
            at_middle.error[has_dual] + gamma(8) * (np.abs(high) + np.abs(low) + np.abs(at_middle.low[has_dual]))
        )
        (given, off), taken = total(away), sum_at_most((of_units + 1.01 * uncertain) * reach * (1 + gamma(4)))
        least = given - off - sum_at_most(upward_each(error)) - taken
        least -= gamma(8) * (abs(given) + taken)
        tolerated = sum_at_most(np.abs(dual) * row_misses) + sum_at_most((of_units + uncertain) * unit_miss)
        gains = _gains(demands, activity.at_unit, dual)[free] * (1 + gamma(8))
        gains += 1.01 * uncertain * (bands.added_above + bands.added_below)[free] + UNDERFLOW
    # Overflow proves nothing: neither that there is infeasibility, nor that no exception removes it.
    if not (np.isfinite(least) and np.isfinite(tolerated) and np.isfinite(gains).all()):
        return Infeasibility(-np.inf, 0.0, np.zeros_like(gains))
    return Infeasibility(least, upward(tolerated, 8), gains)


def _gains(demands: Demands, activity: Floats, dual: Floats) -> Floats:
    """Return the reduction of the infeasibility by the wider band of each unit, or of its enterprise."""
    bands, inside = demands.bands, demands.in_enterprise
    gains: Floats = np.maximum(activity * bands.added_above, -activity * bands.added_below)
    shared = dual[demands.enterprise[inside]]
    gains[inside] = np.maximum(shared * bands.shared_below[inside], -shared * bands.shared_above[inside])
    return gains


def multipliers_are_within_one(rows: CouplingRows, dual: Floats) -> list[Violation]:
    """Check that no dual of an elastic row exceeds one, the cost of a tonne of its relaxation."""
    message = _("the multiplier of a relaxed limit is between -1 and 1")
    return [
        Violation("duals", f"{rows.rule[row]} {rows.index[row]}".strip(), abs(float(dual[row])), "t/t", message)
        for row in np.flatnonzero(np.isin(rows.rule, ELASTIC_ROWS) & ~(np.abs(dual) <= MISS_COMPARISON_FACTOR))
    ]


def proven_infeasibility(demands: Demands, exceptions: int, duals: pd.DataFrame, level: str) -> tuple[float, bool]:
    """Return the tonnes by which coupling rows must be relaxed, at least, and True if answers may miss as much.

    A tonne of relaxation costs one in every elastic row, so their duals are clipped to one. A level may have several
    proofs: "target_relaxation:2" is the second.
    """
    elastic = np.isin(demands.rows.rule, ELASTIC_ROWS)
    names = duals["level"].to_numpy(dtype=object).astype(str)
    stated = [demands.rows.duals_of(duals[names == name]) for name in pd.unique(names) if name.split(":")[0] == level]
    every = [np.where(elastic, np.clip(dual, -1.0, 1.0), dual) for dual in stated or [np.zeros(len(elastic))]]
    # Integer allowances that miss an integer limit by less than a tonne meet it.
    rows_may, unit_may = (
        0.0 if demands.integer else MISS_COMPARISON_FACTOR * by for by in (demands.rows.tolerance, UNIT_TOLERANCE_T)
    )
    misses = np.broadcast_to(rows_may, len(demands.rows)), float(unit_may)
    proofs = [least_infeasibility(demands, dual, *misses) for dual in every]
    found = _beside_exceptions(proofs[:1], exceptions)
    if exceptions:
        found = _better(found, _over_choices(proofs, exceptions))
    if found[1] and exceptions:
        rows = np.flatnonzero(elastic & (every[0] != 0))
        alone = [np.where(np.arange(len(elastic)) == row, every[0], 0.0) for row in rows]
        found = _better(
            found, _beside_exceptions([least_infeasibility(demands, one, *misses) for one in alone], exceptions)
        )
    return found


def _better(one: tuple[float, bool], other: tuple[float, bool]) -> tuple[float, bool]:
    """Return the proof of more tonnes, of which one beyond all misses comes first."""
    return max(one, other, key=lambda proof: (not proof[1], proof[0]))


def _over_choices(proofs: Sequence[Infeasibility], exceptions: int) -> tuple[float, bool]:
    """Return the tonnes that every choice of exceptions leaves by some proof, and True if answers may miss as much.

    Units that no proof has a gain of are left out. Where there are too many choices, nothing is proven.
    """
    gains = np.stack([proof.gains for proof in proofs])
    units = np.flatnonzero((gains > 0).any(axis=0))
    count = min(exceptions, len(units))
    if math.comb(len(units), count) > EXCEPTION_CHOICES_MAX:
        return 0.0, True
    choices = np.array(list(combinations(units.tolist(), count)), dtype=np.int64)
    left, beyond = (np.full(len(choices), -np.inf) for _ in range(2))
    for proof, gain in zip(proofs, gains, strict=True):
        removed = np.maximum(gain, 0.0)[choices].sum(axis=1)
        # Sums and differences are rounded, so each loses a little.
        removed = removed + gamma(count + 4) * (removed + abs(proof.least) + proof.tolerated)
        left = np.maximum(left, proof.least - removed)
        beyond = np.maximum(beyond, proof.least - proof.tolerated - removed)
    return max(float(left.min()), 0.0), not float(beyond.min()) > 0


def _beside_exceptions(proofs: Sequence[Infeasibility], exceptions: int) -> tuple[float, bool]:
    """Return the tonnes that proofs of different rows leave to any exceptions, and True if answers may miss as much."""
    gains = np.stack([proof.gains for proof in proofs]) if proofs else np.zeros((0, 0))
    least = np.array([proof.least for proof in proofs])
    beyond = least - np.array([proof.tolerated for proof in proofs])
    beyond -= gamma(4) * np.abs(beyond)
    return _left(least, gains, exceptions), not _left(beyond, gains, exceptions) > 0


def _left(parts: Floats, gains: Floats, exceptions: int) -> float:
    """Return the least infeasibility of all parts if the units that reduce it most are exceptions."""
    whole_parts = np.where(parts > 0, parts, 0.0)
    capped = np.minimum(np.maximum(gains, 0.0), whole_parts[:, None])
    # One part needs no sum.
    of_units = capped.sum(axis=0) * (1 + gamma(2 * max(len(parts) - 1, 0)))
    removed = sum_at_most(np.sort(of_units)[::-1][:exceptions])
    whole, off = total(whole_parts)
    return max(whole - off - removed - gamma(4) * (whole + removed), 0.0)
