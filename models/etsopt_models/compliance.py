r"""Settlement of a compliance year: what each enterprise surrenders, buys, sells and keeps at least cost (linear program).

Every enterprise owes its verified emissions. It holds allowances by vintage, gets those of the year, may convert old
ones once, use offsets (CCER) up to a share, buy and sell at the market price; what it does not settle is a shortfall.

| symbol | meaning | unit | in the code |
| --- | --- | --- | --- |
| $f$ | enterprises | | `ENTERPRISES` |
| $l$ | lots: the allowances of one vintage that an enterprise holds and that settle the year | | `LOTS`, `LOTS_OF_ENTERPRISE` |
| $O_f$ | obligation: verified emissions of all its units, to the nearest tonne | t | `obligation` |
| $H_l$ | holdings after conversion and issue | t | `available` |
| $\underline x_l$ | what is surrendered first, from the account of the province | t | `surrendered_least` |
| $k_l$ | place of the vintage, 0 for the oldest | places | `place` |
| $x_l \in [\underline x_l, H_l]$; $s_l, h_l \in [0, H_l]$ | surrendered; sold; kept | t | `surrendered`, `sold`, `kept` |
| $b_f, c_f, q_f \ge 0$ | bought and surrendered at once; offsets used; shortfall, each up to a limit | t | `bought`, `offset`, `shortfall` |
| $p, \tau$ | market price of the year; transaction cost of each side | CNY/t | |
| $p^c, p^h$ | price of an offset; worth of an allowance kept | CNY/t | `offset_cost`, `keep_worth` |
| $m\,p^r$ | multiple of the reference price, for each tonne of shortfall | CNY/t | `shortfall_cost` |

$$\sum_{l \in f} x_l + b_f + c_f + q_f = O_f \tag{obligation_met}$$
$$x_l + s_l + h_l = H_l \tag{lot_is_used}$$

Levels, each held before the next: cost; then, of equal cost, holdings before offsets before purchases before a
shortfall, and keeping rather than selling; then older vintages before newer ones. They leave one answer.

$$\min \sum_f \bigl[(p + \tau)\, b_f + p^c c_f + m\,p^r q_f\bigr] - \sum_l \bigl[(p - \tau)\, s_l + p^h h_l\bigr] \tag{cost}$$
$$\min \sum_f (c_f + 2 b_f + 3 q_f) + \sum_l s_l \tag{effort}$$
$$\min \sum_l k_l\, x_l \tag{older_first}$$

The dual of `obligation_met` is what one more tonne of emissions costs the enterprise [CNY/t]: the worth of its own
allowances, or the price of an offset, a purchase or a shortfall, whichever stands next in its order of cost. The dual
of `lot_is_used` is minus what one more allowance of the lot is worth.

**Before the program** (`_compliance/accounts.py`), in whole tonnes:

- a unit gets what the rule gives, less the paid share, rounded down; what was issued in advance, 70 % of last year's
  emissions in 2025 and half of them from 2026 on, is topped up or the excess returned, which counts as cancelled. A
  unit outside the scope of the year gets and owes nothing, and what it was issued in advance is returned;
- in a year from 2025 on, vintages 2019-2024 settle nothing. In 2025, oldest first, they are converted into vintage
  2025: in industry at most 100,000 t, in power 10,000 t, and 1.5 t for each tonne sold net, and no more than is held;
  the rest stays in the account. Conversion ended on 10 June 2026, so in the tables of later years there is none. Vintages
  from 2025 on settle every such year, the next year's, issued in advance, too. Years up to 2024 take no later vintage;
- offsets: up to `market.ccer_share` of the obligation, and of the supply as much as the obligation is of all
  obligations, since nobody can tell beforehand who will get them;
- who buys, buys any amount at the market price; the enterprises of `compliance.without_purchases` buy nothing. A
  shortfall is never more than holdings and offsets cannot settle: nobody sells or keeps what is owed. Without a
  reference price there is none, and where there must be one that price is asked for;
- an allowance kept is worth next year's price, discounted, and after the last year of the horizon the terminal price;
- an enterprise with a closed unit or in `compliance.at_risk` gets its allowances through the account of the province:
  they are surrendered first, whatever they would be worth elsewhere, and what remains is released.

**After it** (`_compliance/tables.py`): the law at the deadline counts, and compliance year $t$ is due on 31
December $t + 1$. So who has a shortfall in a year up to 2024 pays $m\,p^r$ a tonne and loses as many allowances of the
next year; from 2025 on (deadlines after 15 August 2026) it pays a fixed fine beside $m\,p^r$ a tonne, and nothing is
deducted. `etsopt rules cn-2025` lists these figures with their sources; the policy may state others. For every enterprise, vintage and total, opening + converted + issued + bought =
surrendered + sold + cancelled + closing, in whole numbers: the matrix is that of a network, so every vertex is whole.

References: Interim Regulations (State Council Order 775), art. 24, and their amendment of 8 August 2026, as the
Development Report 2026 describes it; 2023-2024 plan (power), annex 5, on conversion; 2026 plan (consultation draft of
27 July 2026) on vintages, offsets, advance and differentiated issue; its final text has not been compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from etsopt.data.groups import Groups
from etsopt_models._compliance.accounts import accounts
from etsopt_models._compliance.limits import limits_of, prices
from etsopt_models._compliance.tables import compliance_tables

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

CHECKED_AS = "compliance"
"""The checker holds the tables to the instance."""

READS = (
    "year",
    "rule",
    "horizon.first_year",
    "horizon.last_year",
    "horizon.discount_rate",
    "market.prices_cny_per_t",
    "market.transaction_cost_cny_per_t",
    "market.paid_share",
    "market.ccer_*",
    "market.terminal_price_cny_per_t",
    "penalty",
    "compliance",
)
"""Keys and sections of the policy; allowances are those of the rule, without targets, balances and bands."""


def formulate() -> pyo.AbstractModel:  # long because it is the whole formulation on one screen
    """The mathematics of this file, without data."""
    m = pyo.AbstractModel("compliance")
    m.ENTERPRISES, m.LOTS = pyo.Set(), pyo.Set()
    m.LOTS_OF_ENTERPRISE = pyo.Set(m.ENTERPRISES, within=m.LOTS)

    m.obligation, m.bought_most = pyo.Param(m.ENTERPRISES), pyo.Param(m.ENTERPRISES)
    m.offset_most, m.shortfall_most = pyo.Param(m.ENTERPRISES), pyo.Param(m.ENTERPRISES)
    m.available, m.surrendered_least, m.place = (pyo.Param(m.LOTS) for _ in range(3))
    m.buy_cost, m.sell_gain, m.keep_worth, m.offset_cost, m.shortfall_cost = (pyo.Param() for _ in range(5))

    m.surrendered = pyo.Var(m.LOTS, bounds=lambda m, k: (m.surrendered_least[k], m.available[k]), doc="surrendered [t]")
    m.sold = pyo.Var(m.LOTS, bounds=lambda m, k: (0, m.available[k]), doc="sold [t]")
    m.kept = pyo.Var(m.LOTS, bounds=lambda m, k: (0, m.available[k]), doc="kept [t]")
    m.bought = pyo.Var(m.ENTERPRISES, bounds=lambda m, f: (0, m.bought_most[f]), doc="bought and surrendered [t]")
    m.offset = pyo.Var(m.ENTERPRISES, bounds=lambda m, f: (0, m.offset_most[f]), doc="offsets used [t]")
    m.shortfall = pyo.Var(m.ENTERPRISES, bounds=lambda m, f: (0, m.shortfall_most[f]), doc="not settled [t]")

    @m.Constraint(m.ENTERPRISES, doc="what is surrendered, offset or missing is the obligation [t]")
    def obligation_met(m, f):
        from_holdings = sum(m.surrendered[k] for k in m.LOTS_OF_ENTERPRISE[f])
        return from_holdings + m.bought[f] + m.offset[f] + m.shortfall[f] == m.obligation[f]

    @m.Constraint(m.LOTS, doc="what is held is surrendered, sold or kept [t]")
    def lot_is_used(m, k):
        return m.surrendered[k] + m.sold[k] + m.kept[k] == m.available[k]

    @m.Objective(doc="cost of settling, less what is sold and kept [CNY]")
    def cost(m):
        paid = sum(
            m.buy_cost * m.bought[f] + m.offset_cost * m.offset[f] + m.shortfall_cost * m.shortfall[f]
            for f in m.ENTERPRISES
        )
        return paid - sum(m.sell_gain * m.sold[k] + m.keep_worth * m.kept[k] for k in m.LOTS)

    @m.Objective(doc="holdings before offsets, purchases and a shortfall; kept rather than sold [t]")
    def effort(m):
        reached = sum(m.offset[f] + 2 * m.bought[f] + 3 * m.shortfall[f] for f in m.ENTERPRISES)
        return reached + sum(m.sold[k] for k in m.LOTS)

    @m.Objective(doc="tonnes surrendered, times the place of their vintage [t]")
    def older_first(m):
        return sum(m.place[k] * m.surrendered[k] for k in m.LOTS)

    return m


def parameters(instance: Instance) -> dict[str, Any]:
    """Arrays for the sets and parameters of `formulate`, positions instead of labels.

    Raises
    ------
    DataError
        Where the policy states no price that the compliance year needs.
    """
    held = accounts(instance)
    cost, most = prices(instance), limits_of(instance, held)
    lots = np.flatnonzero(held.available)
    vintages = len(held.vintages)
    owner, vintage = lots // vintages, lots % vintages
    first = np.where(vintage == held.newest, held.from_province[1][owner], 0.0)
    return {
        "ENTERPRISES": len(held.enterprises),
        "LOTS": len(lots),
        "LOTS_OF_ENTERPRISE": Groups.from_labels(owner, len(held.enterprises)),
        "obligation": held.obligation,
        "available": held.available.ravel()[lots],
        "surrendered_least": first,
        "place": (vintage - np.argmax(held.usable)).astype(float),
        "bought_most": most.bought,
        "offset_most": most.offset,
        "shortfall_most": most.shortfall,
        "buy_cost": cost.buy,
        "sell_gain": cost.sell,
        "keep_worth": cost.keep,
        "offset_cost": cost.offset,
        "shortfall_cost": cost.shortfall,
    }


def tables(instance: Instance, solution: Any) -> dict[str, pd.DataFrame]:
    """Result tables, as `compliance_tables` lists them."""
    held = accounts(instance)
    # The solver's vertices are whole but for its rounding; the checker sees to it that no more is rounded.
    values = {name: np.round(value) for name, value in solution.values.items()}
    lots = np.flatnonzero(held.available)
    spread = {name: np.zeros(held.available.size) for name in ("surrendered", "sold")}
    for name, matrix in spread.items():
        matrix[lots] = values[name]
    moved = {name: matrix.reshape(held.available.shape) for name, matrix in spread.items()}
    return compliance_tables(instance, held, moved | {n: values[n] for n in ("bought", "offset", "shortfall")})
