"""Coupled enterprises whose options combine in few ways: the best of all combinations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt_models._effort import INVESTMENT_COMBINATIONS_MAX
from etsopt_models._investment.pricing import Options
from etsopt_models._investment.risk import Risk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._investment.accounts import ScenarioAccounts
    from etsopt_models._investment.pricing import Pricing


def decided_by_combination(instance: Instance, pricing: Pricing, accounts: ScenarioAccounts) -> Pricing:
    """Return the pricing in which enterprises with few combinations of options are decided, and coupled no more."""
    options, risk = pricing.options, Risk.of(instance, pricing.scenarios.probability)
    best, cost, still = pricing.best.copy(), pricing.cost.copy(), pricing.coupled.copy()
    first = np.append(np.flatnonzero(np.diff(options.unit, prepend=-1)), len(options.unit))
    owner = instance.labels("enterprise_id").code[options.unit[first[:-1]]]
    for enterprise in np.flatnonzero(pricing.coupled).tolist():
        checkpoint()
        rows = [np.arange(first[k], first[k + 1]) for k in np.flatnonzero(owner == enterprise)]
        if np.prod([float(len(row)) for row in rows]) * len(pricing.scenarios) > INVESTMENT_COMBINATIONS_MAX:
            continue
        chosen = _best(options, rows, accounts.holding_cost[enterprise], pricing.budget[enterprise], risk)
        best[options.unit[chosen]], cost[options.unit[chosen]] = options.number[chosen], options.cost[chosen]
        still[enterprise] = False
    left = still[instance.labels("enterprise_id").code[options.unit]]
    open_ones = Options(options.unit[left], options.number[left], options.cost[left], options.investment[left])
    return replace(pricing, best=best, cost=cost, undecided=still, options=open_ones)


def _best(
    options: Options,
    rows: list[NDArray[np.int64]],
    account_cost: NDArray[np.float64],
    budget: float,
    risk: Risk,
) -> NDArray[np.int64]:
    """Return the option of each unit of an enterprise of least objective within the budget, shape ``(units,)``."""
    cost, invested = account_cost[None], np.zeros(1)
    for row in rows:
        cost = (cost[:, None] + options.cost[row][None]).reshape(-1, cost.shape[1])
        invested = (invested[:, None] + options.investment[row][None]).ravel()
    value = np.where(invested <= budget, risk.objective(cost), np.inf)
    places = np.unravel_index(int(value.argmin()), tuple(len(row) for row in rows))
    return np.array([row[place] for row, place in zip(rows, places, strict=True)], dtype=np.int64)
