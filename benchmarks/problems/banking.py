r"""Ten years with banking (linear program): firms reduce, trade and bank allowances.

| symbol | meaning | unit | in the code |
| --- | --- | --- | --- |
| $i, t$ | firms, years | | `FIRMS`, `YEARS` |
| $e$ | ends of years; the first is the start of the first year | | `ENDS` |
| $c_{it}, d_{it}$ | cheap and expensive reductions | kt | `cheap`, `dear` |
| $b_{ie}$ | banked allowances at an end; none at the first | kt | `bank` |
| $u_{it}, v_{it}$ | purchases and sales | kt | `buy`, `sell` |
| $n_{it}$ | emissions without reductions minus allowances | kt | `need` |
| $\gamma_i, \delta_i$ | cost of cheap and expensive reductions | CNY/t | `cheap_cost`, `dear_cost` |
| $\beta_t, \phi$ | discount factor; trading fee | 1; CNY/t | `discount`, `fee` |

$$\min \sum_{it} \beta_t (\gamma_i c_{it} + \delta_i d_{it} + \phi u_{it} + \phi v_{it}) \tag{cost}$$
$$c_{it} + d_{it} + u_{it} - v_{it} + b_{i,t} - b_{i,t+1} = n_{it} \tag{balance}$$
$$\sum_i (u_{it} - v_{it}) = 0 \tag{market}$$
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

YEARS = 10


def formulate() -> pyo.AbstractModel:
    """Return the mathematics of this file, without data."""
    m = pyo.AbstractModel("banking")
    m.FIRMS, m.YEARS, m.ENDS = pyo.Set(), pyo.Set(), pyo.Set()
    m.opens, m.closes = pyo.Param(m.YEARS), pyo.Param(m.YEARS)
    m.need, m.cheap_most, m.dear_most = (pyo.Param(m.FIRMS, m.YEARS) for _ in range(3))
    m.buy_most, m.sell_most, m.bank_most = pyo.Param(m.FIRMS), pyo.Param(m.FIRMS), pyo.Param(m.FIRMS, m.ENDS)
    m.cheap_cost, m.dear_cost, m.discount, m.fee = (
        pyo.Param(m.FIRMS),
        pyo.Param(m.FIRMS),
        pyo.Param(m.YEARS),
        pyo.Param(),
    )

    m.cheap = pyo.Var(m.FIRMS, m.YEARS, bounds=lambda m, i, t: (0, m.cheap_most[i, t]), doc="cheap reductions [kt]")
    m.dear = pyo.Var(m.FIRMS, m.YEARS, bounds=lambda m, i, t: (0, m.dear_most[i, t]), doc="dear reductions [kt]")
    m.bank = pyo.Var(m.FIRMS, m.ENDS, bounds=lambda m, i, e: (0, m.bank_most[i, e]), doc="kept at an end [kt]")
    m.buy = pyo.Var(m.FIRMS, m.YEARS, bounds=lambda m, i, t: (0, m.buy_most[i]), doc="bought [kt]")
    m.sell = pyo.Var(m.FIRMS, m.YEARS, bounds=lambda m, i, t: (0, m.sell_most[i]), doc="sold [kt]")

    @m.Constraint(m.FIRMS, m.YEARS, doc="every tonne is covered [kt]")
    def balance(m, i, t):
        traded = m.buy[i, t] - m.sell[i, t]
        kept = m.bank[i, m.opens[t]] - m.bank[i, m.closes[t]]
        return m.cheap[i, t] + m.dear[i, t] + traded + kept == m.need[i, t]

    @m.Constraint(m.YEARS, doc="what is bought is sold [kt]")
    def market(m, t):
        return sum(m.buy[i, t] - m.sell[i, t] for i in m.FIRMS) == 0

    @m.Objective(doc="reductions and trading fees [1000 CNY]")
    def cost(m):
        return sum(
            m.discount[t] * (m.cheap_cost[i] * m.cheap[i, t] + m.dear_cost[i] * m.dear[i, t])
            + m.discount[t] * m.fee * (m.buy[i, t] + m.sell[i, t])
            for i in m.FIRMS
            for t in m.YEARS
        )

    return m


def parameters(firms: int) -> dict[str, Any]:
    """Return seeded data: lognormal firms that grow by 1 % a year, under a cap that falls by 2.5 points a year."""
    random = np.random.default_rng(2)
    first = random.lognormal(4.0, 1.0, firms)
    growth = np.cumprod(1 + random.normal(0.01, 0.03, (firms, YEARS)), axis=1)
    emissions = first[:, np.newaxis] * growth
    allowances = (first * random.uniform(0.85, 1.15, firms))[:, np.newaxis] * growth
    allowances *= emissions.sum(axis=0) * (0.97 - 0.025 * np.arange(YEARS)) / allowances.sum(axis=0)
    cheap_cost = random.lognormal(np.log(30.0), 0.5, firms)
    total = emissions.sum(axis=1)
    bank_most = np.tile(total[:, np.newaxis], YEARS + 1)
    bank_most[:, 0] = 0.0
    return {
        "FIRMS": firms,
        "YEARS": YEARS,
        "ENDS": YEARS + 1,
        "opens": np.arange(YEARS),
        "closes": np.arange(1, YEARS + 1),
        "need": emissions - allowances,
        "cheap_most": 0.15 * emissions,
        "dear_most": 0.30 * emissions,
        "buy_most": total,
        "sell_most": total,
        "bank_most": bank_most,
        "cheap_cost": cheap_cost,
        "dear_cost": cheap_cost + random.lognormal(np.log(60.0), 0.5, firms),
        "discount": 0.95 ** np.arange(YEARS),
        "fee": 1.0,
    }
