r"""A compliance year: each enterprise surrenders, buys, sells and keeps allowances at least cost (linear program).

Every enterprise has to surrender allowances for its verified emissions. It holds allowances by vintage, gets those of
the year, may carry old ones over once, may use offsets (CCER) up to a share, and buys and sells at the market price.
The part of the obligation that is not surrendered is a shortfall.

.. formulation:: formulate

**Duals.** The dual of `obligation_met` is the cost of one more tonne of emissions to the enterprise [CNY/t]: the worth
of its own allowances, or the price of an offset, a purchase or a shortfall, whichever is next in its order of cost. The
dual of `lot_is_used` is minus the worth of one more allowance of the lot.

**Before the program** (`_compliance/accounts.py`), in whole tonnes:

- A unit gets the allowances of the rule, less the paid share, rounded down. One with $A = E$ gets the tonnes that it
  owes, since its emissions are rounded once, to the nearest tonne. Its pre-allocation is 70 % of last year's emissions
  in 2025 and half of them from 2026 on. It is topped up, or the excess is returned and counts as cancelled. A unit
  outside the scope of the year gets nothing, has no obligation, and returns its whole pre-allocation.
- `deduction_t` of an enterprise is deducted from its allowances of the year, and counts as cancelled; what exceeds them
  stays due. `outstanding_t` of earlier years adds to the obligation, without offsets of its own.
- From 2025 on, vintages 2019-2024 cannot be surrendered. In 2025 they are carried over into vintage 2025, oldest first.
  The limit is 100,000 t in industry, 10,000 t in power, plus 1.5 t for each tonne sold net, and never more than is
  held; the rest stays in the account. Carry-over ended on 10 June 2026, so tables of later years have none. Vintages
  from 2025 on may be surrendered in every such year, including the next year's, which is issued in advance. Years up to
  2024 accept no later vintage; that an enterprise of power with a gap of 10 % and more could borrow up to half of it
  from 2023, for 2021 and 2022, is left out.
- Offsets cover up to `market.ccer_share` of the obligation. Each enterprise gets at most its share of the supply by
  obligation, since the final buyers are not known beforehand.
- An enterprise buys at most what it needs, its obligation less its holdings, and those in
  `compliance.without_purchases` nothing. Those in `compliance.speculating` may buy up to their whole obligation, to keep
  what they hold. A shortfall is at most the obligation less holdings and offsets: no enterprise sells or keeps
  allowances that it has to surrender. Without a reference price there is no shortfall; if there must be one, an error
  asks for that price.
- An allowance kept is worth next year's price, discounted; after the last year of the horizon it is worth the terminal
  price.
- An enterprise with a closed unit, or in `compliance.at_risk`, gets its allowances through the account of the province.
  They are surrendered first, whatever they would be worth elsewhere, and the remainder is released.

**After the program** (`_compliance/tables.py`), the law in force at the deadline applies; compliance year $t$ is due on
31 December $t + 1$. In a year up to 2024 an enterprise with a shortfall pays $m\,p^r$ a tonne, and as many allowances
of the next year are deducted. From 2025 on (deadlines after 15 August 2026) it pays a fixed fine beside $m\,p^r$ a
tonne, and nothing is deducted; the shortfall stays due, and `etsopt roll` makes it the next year's `outstanding_t`.
`etsopt rules cn-2025` lists these figures with their sources; the policy may state others. For every vintage of an
enterprise, opening + carried over + issued + bought = surrendered + sold + cancelled + closing, in whole tonnes: the
matrix is that of a network, so every vertex is integer. Carry-over moves tonnes between vintages; in totals, where it is
no inflow, `carried_over_t` is what moved.

References: Interim Regulations (State Council Order 775), art. 24, and their amendment of 8 August 2026, as the
Development Report 2026 describes it; 2023-2024 plan (power), annex 5, on carry-over; 2026 plan (consultation draft of
27 July 2026) on vintages, offsets, advance and differentiated issue; its final text was not to be had. Borrowing of
2021-2022: the plan of these years, as secondary sources give it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from etsopt.data.groups import Groups
from etsopt.modelling import ProgramModel
from etsopt_models._compliance import accounts_of, compliance_tables, limits_of, prices

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

READS = (
    "year",
    "rule",
    "sectors.*.balance_value",
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


def formulate() -> pyo.AbstractModel:  # long because a symbol and an equation each have their line
    r"""Return the program without data.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $f$ | enterprises | | `ENTERPRISES` |
    | $l$ | lots: the allowances of one vintage that an enterprise holds and may surrender for the year | | `LOTS`, `LOTS_OF_ENTERPRISE` |
    | $O_f$ | obligation: verified emissions of its units, each to the nearest tonne, and obligations outstanding | t | `obligation` |
    | $H_l$ | holdings after carry-over and issue | t | `available` |
    | $\underline x_l$ | tonnes surrendered first, from the account of the province | t | `surrendered_least` |
    | $k_l$ | place of the vintage, 0 for the oldest | places | `place` |
    | $x_l \in [\underline x_l, H_l]$; $s_l, h_l \in [0, H_l]$ | surrendered; sold; kept | t | `surrendered`, `sold`, `kept` |
    | $b_f, c_f, q_f \ge 0$ | bought and surrendered at once; offsets used; shortfall, each up to a limit | t | `bought`, `offset`, `shortfall`; `bought_most`, `offset_most`, `shortfall_most` |
    | $p + \tau$; $p - \tau$ | market price of the year with the transaction cost of each side: a purchase costs the one, a sale brings the other | CNY/t | `buy_cost`; `sell_gain` |
    | $p^c, p^h$ | price of an offset; worth of an allowance kept | CNY/t | `offset_cost`, `keep_worth` |
    | $m\,p^r$ | multiple of the reference price, for each tonne of shortfall | CNY/t | `shortfall_cost` |
    """
    m = pyo.AbstractModel("compliance")
    m.ENTERPRISES, m.LOTS = pyo.Set(), pyo.Set()
    m.LOTS_OF_ENTERPRISE = pyo.Set(m.ENTERPRISES, within=m.LOTS)

    m.obligation = pyo.Param(m.ENTERPRISES, doc="obligation of the year and outstanding ones [t]")
    m.bought_most = pyo.Param(m.ENTERPRISES, doc="most that is bought [t]")
    m.offset_most = pyo.Param(m.ENTERPRISES, doc="most offsets [t]")
    m.shortfall_most = pyo.Param(m.ENTERPRISES, doc="largest shortfall [t]")
    m.available = pyo.Param(m.LOTS, doc="holdings after carry-over and issue [t]")
    m.surrendered_least = pyo.Param(m.LOTS, doc="surrendered first, from the account of the province [t]")
    m.place = pyo.Param(m.LOTS, doc="place of the vintage, 0 for the oldest [places]")
    m.buy_cost = pyo.Param(doc="price and transaction cost of a purchase [CNY/t]")
    m.sell_gain = pyo.Param(doc="price less the transaction cost of a sale [CNY/t]")
    m.keep_worth = pyo.Param(doc="worth of an allowance kept [CNY/t]")
    m.offset_cost = pyo.Param(doc="price of an offset [CNY/t]")
    m.shortfall_cost = pyo.Param(doc="fine for a tonne of shortfall [CNY/t]")

    m.surrendered = pyo.Var(m.LOTS, bounds=lambda m, k: (m.surrendered_least[k], m.available[k]), doc="surrendered [t]")
    m.sold = pyo.Var(m.LOTS, bounds=lambda m, k: (0, m.available[k]), doc="sold [t]")
    m.kept = pyo.Var(m.LOTS, bounds=lambda m, k: (0, m.available[k]), doc="kept [t]")
    m.bought = pyo.Var(m.ENTERPRISES, bounds=lambda m, f: (0, m.bought_most[f]), doc="bought and surrendered [t]")
    m.offset = pyo.Var(m.ENTERPRISES, bounds=lambda m, f: (0, m.offset_most[f]), doc="offsets used [t]")
    m.shortfall = pyo.Var(m.ENTERPRISES, bounds=lambda m, f: (0, m.shortfall_most[f]), doc="shortfall [t]")

    # $$\sum_{l \in f} x_l + b_f + c_f + q_f = O_f \tag{obligation_met}$$
    @m.Constraint(m.ENTERPRISES, doc="surrendered, offset and missing tonnes meet the obligation [t]")
    def obligation_met(m, f):
        from_holdings = sum(m.surrendered[k] for k in m.LOTS_OF_ENTERPRISE[f])
        return from_holdings + m.bought[f] + m.offset[f] + m.shortfall[f] == m.obligation[f]

    # $$x_l + s_l + h_l = H_l \tag{lot_is_used}$$
    @m.Constraint(m.LOTS, doc="holdings are surrendered, sold or kept [t]")
    def lot_is_used(m, k):
        return m.surrendered[k] + m.sold[k] + m.kept[k] == m.available[k]

    # **Objectives in lexicographic order.** Cost comes first. Among answers of equal cost, holdings take precedence over
    # offsets, offsets over purchases, purchases over a shortfall, and keeping over selling. Then older vintages take
    # precedence over newer ones. One answer is left.
    #
    # $$\min \sum_f \bigl[(p + \tau)\, b_f + p^c c_f + m\,p^r q_f\bigr] - \sum_l \bigl[(p - \tau)\, s_l + p^h h_l\bigr] \tag{cost}$$
    @m.Objective(doc="cost of compliance, less the worth of allowances sold and kept [CNY]")
    def cost(m):
        paid = sum(
            m.buy_cost * m.bought[f] + m.offset_cost * m.offset[f] + m.shortfall_cost * m.shortfall[f]
            for f in m.ENTERPRISES
        )
        return paid - sum(m.sell_gain * m.sold[k] + m.keep_worth * m.kept[k] for k in m.LOTS)

    # $$\min \sum_f (c_f + 2 b_f + 3 q_f) + \sum_l s_l \tag{effort}$$
    @m.Objective(doc="holdings before offsets, purchases and a shortfall; kept rather than sold [t]")
    def effort(m):
        reached = sum(m.offset[f] + 2 * m.bought[f] + 3 * m.shortfall[f] for f in m.ENTERPRISES)
        return reached + sum(m.sold[k] for k in m.LOTS)

    # $$\min \sum_l k_l\, x_l \tag{older_first}$$
    @m.Objective(doc="tonnes surrendered, times the place of their vintage [t]")
    def older_first(m):
        return sum(m.place[k] * m.surrendered[k] for k in m.LOTS)

    return m


def parameters(instance: Instance) -> dict[str, Any]:
    """Return arrays for the sets and parameters of `formulate`, with positions for labels.

    Raises
    ------
    DataError
        If the policy lacks a price that the compliance year needs.
    """
    accounts = accounts_of(instance)
    cost, most = prices(instance), limits_of(instance, accounts)
    lots = np.flatnonzero(accounts.available)
    vintages = len(accounts.vintages)
    owner, vintage = lots // vintages, lots % vintages
    first = np.where(vintage == accounts.newest, accounts.from_province[1][owner], 0.0)
    return {
        "ENTERPRISES": len(accounts.enterprises),
        "LOTS": len(lots),
        "LOTS_OF_ENTERPRISE": Groups.from_labels(owner, len(accounts.enterprises)),
        "obligation": accounts.obligation,
        "available": accounts.available.ravel()[lots],
        "surrendered_least": first,
        "place": (vintage - np.argmax(accounts.usable)).astype(float),
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
    """Return the tables that `compliance_tables` lists."""
    accounts = accounts_of(instance)
    # Vertices differ from whole tonnes by the solver's rounding alone, which the checker verifies.
    values = {name: np.round(value) for name, value in solution.values.items()}
    lots = np.flatnonzero(accounts.available)
    spread = {name: np.zeros(accounts.available.size) for name in ("surrendered", "sold")}
    for name, matrix in spread.items():
        matrix[lots] = values[name]
    moved = {name: matrix.reshape(accounts.available.shape) for name, matrix in spread.items()}
    return compliance_tables(instance, accounts, moved | {n: values[n] for n in ("bought", "offset", "shortfall")})


MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables, reads=READS)
