r"""Marginal incentive: the gain of a unit per tonne abated.

Under lump-sum allowances it is the price. Allowances that follow the unit's own emissions under the intensity rule fall
too, and leave less than a sixth of the price: with surplus rate $\alpha = \mathrm{clip}(\sigma (1 - I/V), \pm d)$,

- a tonne of the process on which intensity is measured earns $p\,[\sigma E / (V Q) - \alpha]$ between the caps, with
  $Q$ the output on which it is measured; if the unit is that process alone, this is $\sigma p\,(2 I / V - 1)$;
- any other tonne, and every tonne at a cap, earns $-\alpha p$: a unit with the largest surplus loses.

Source: derived from the formula of the 2026 plan at a given balance value and output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.column_pool import ColumnPool
    from etsopt_models._market.plans import Quantities


def incentives(
    pool: ColumnPool, share: NDArray[np.float64], prices: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the marginal incentive of units, shapes ``(units, years)`` [CNY/t], before transaction costs.

    Parameters
    ----------
    pool, share
        Chosen plans and their shares; a unit that mixes plans gets the mean of theirs.
    prices
        Prices of allowances, shape ``(years,)`` [CNY/t].

    Returns
    -------
    measured, elsewhere
        Incentive in the process on which intensity is measured, and in any other.
    """
    baseline = pool.plans.baseline
    if not baseline.follows.any():
        earned = np.broadcast_to(prices, baseline.emissions.shape)
        return earned, earned
    both = incentives_of_plans(baseline, pool.unit, pool.quantities, prices)
    measured, elsewhere = (np.add.reduceat(share[:, None] * part, pool.first, axis=0) for part in both)
    return measured, elsewhere


def incentives_of_plans(
    baseline: Baseline,
    unit: NDArray[np.int64],
    quantities: Quantities,
    prices: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the marginal incentive of plans of units, shapes ``(plans, years)`` [CNY/t]."""
    rule = baseline.rule
    with np.errstate(invalid="ignore", divide="ignore"):
        measured_output = baseline.measured_output[unit] * quantities.output_left
        balance = rule.balance_value[unit]
        slope = rule.slope * (balance - quantities.intensity) / balance
        rate = np.nan_to_num(np.clip(slope, -rule.cap, rule.cap))
        free = np.abs(slope) < rule.cap
        gain = np.where(free, rule.slope * quantities.emissions / (balance * measured_output), 0.0)
    kept = np.where(baseline.follows[unit], 1 - baseline.paid_share, 0.0)
    elsewhere: NDArray[np.float64] = prices * (1 - kept * (1 + rate))
    measured: NDArray[np.float64] = prices * (1 - kept * (1 + rate - gain))
    return measured, elsewhere
