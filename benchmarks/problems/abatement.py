r"""Abatement with indivisible measures (mixed-integer program): each firm picks exactly one plan.

A plan is a subset of three measures of a firm, so there are eight. The firm buys or sells its position; the trading
fee per tonne, equal for purchases and sales, is part of the cost of a plan.

| symbol | meaning | unit | in the code |
| --- | --- | --- | --- |
| $i, k, s$ | firms, plans, sectors | | `FIRMS`, `PLANS`, `SECTORS` |
| $x_{ik} \in \{0, 1\}$ | the firm picks the plan | | `pick` |
| $c_{ik}$ | measures and trading fee of a plan | 1000 CNY | `plan_cost` |
| $r_{ik}$ | reduction of a plan | kt | `reduction` |
| $p_{ik}$ | allowances that the firm must buy (negative: can sell) under a plan | kt | `position` |
| $R_s$ | least reduction of a sector | kt | `reduction_least` |

$$\min \sum_{ik} c_{ik} x_{ik} \tag{cost}$$
$$\sum_k x_{ik} = 1 \tag{one_plan}$$
$$\sum_{ik} p_{ik} x_{ik} \le 0 \tag{market}$$
$$\sum_{i \in s, k} r_{ik} x_{ik} \ge R_s \tag{sector_cap}$$
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyomo.environ as pyo

from etsopt.data.groups import Groups

SECTORS, MEASURES = 3, 3
TRADING_FEE = 2.0  # [CNY/t]
CUT = 0.12  # share by which allowances are below emissions


def formulate() -> pyo.AbstractModel:
    """Return the mathematics of this file, without data."""
    m = pyo.AbstractModel("abatement")
    m.FIRMS, m.PLANS, m.SECTORS = pyo.Set(), pyo.Set(), pyo.Set()
    m.FIRMS_IN_SECTOR = pyo.Set(m.SECTORS, within=m.FIRMS)
    m.plan_cost, m.reduction, m.position = (pyo.Param(m.FIRMS, m.PLANS) for _ in range(3))
    m.reduction_least = pyo.Param(m.SECTORS)

    m.pick = pyo.Var(m.FIRMS, m.PLANS, domain=pyo.Binary, doc="the firm picks the plan")

    @m.Constraint(m.FIRMS, doc="each firm picks exactly one plan")
    def one_plan(m, i):
        return sum(m.pick[i, k] for k in m.PLANS) == 1

    @m.Constraint(doc="no more is bought than sold [kt]")
    def market(m):
        return sum(m.position[i, k] * m.pick[i, k] for i in m.FIRMS for k in m.PLANS) <= 0

    @m.Constraint(m.SECTORS, doc="the sector reduces enough [kt]")
    def sector_cap(m, s):
        reduced = sum(m.reduction[i, k] * m.pick[i, k] for i in m.FIRMS_IN_SECTOR[s] for k in m.PLANS)
        return reduced >= m.reduction_least[s]

    @m.Objective(doc="measures and trading fees [1000 CNY]")
    def cost(m):
        return sum(m.plan_cost[i, k] * m.pick[i, k] for i in m.FIRMS for k in m.PLANS)

    return m


def parameters(firms: int) -> dict[str, Any]:
    """Return seeded data: lognormal firms, measures that reduce 2 to 15 % each at 15 to 140 CNY/t."""
    random = np.random.default_rng(1)
    sector = random.integers(0, SECTORS, firms)
    emissions = random.lognormal(4.0, 1.0, firms)
    reduction = random.uniform(0.02, 0.15, (firms, MEASURES)) * emissions[:, np.newaxis]
    price = random.lognormal(np.log([15.0, 45.0, 110.0]), 0.5, (firms, MEASURES))
    allowances = emissions * random.uniform(0.9, 1.1, firms)
    allowances *= (1 - CUT) * emissions.sum() / allowances.sum()
    plans = np.array(list(itertools.product((0.0, 1.0), repeat=MEASURES)))
    of_plan = reduction @ plans.T
    position = (emissions - allowances)[:, np.newaxis] - of_plan
    return {
        "FIRMS": firms,
        "PLANS": len(plans),
        "SECTORS": SECTORS,
        "FIRMS_IN_SECTOR": Groups.from_labels(sector, SECTORS),
        "plan_cost": (price * reduction) @ plans.T + TRADING_FEE * np.abs(position),
        "reduction": of_plan,
        "position": position,
        "reduction_least": np.array([0.08, 0.13, 0.10]) * np.bincount(sector, emissions, SECTORS),
    }
