r"""The market: units choose plans, accounts hold allowances, and every year clears. Equations are stated here, once.

`abatement` takes `plans_and_accounts`; `clearing` and `pathway` take `market_program`, which adds `market_years` and
the two objectives. A line ``.. formulation:: <functions>`` in the docstring of a model stands for the symbols and
equations of these functions: `make docs` puts them into the book.
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo


def plans_and_accounts(m: Any) -> None:  # long because a symbol and an equation each have their line
    r"""Declare plans and accounts: every unit has one plan; every account buys, sells, banks, offsets or owes.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $i, j \in J_i$ | units; plans of a unit, those that column generation has found | | `UNITS`, `PLANS`, `PLANS_OF_UNIT` |
    | $a, t \in \{0, \dots, T - 1\}$ | accounts: one for each enterprise, or one for all where trading costs nothing; years | | `ACCOUNTS`, `PLANS_OF_ACCOUNT`, `YEARS` |
    | $0, \dots, T$ | points in time: a year begins at its own and ends at the next | | `TIMES` |
    | $x_j \in \{0, 1\}$ | 1 if the plan is chosen; a fraction where measures are divisible | | `choice` |
    | $b_{at}, s_{at}, o_{at} \ge 0$ | bought, sold, offsets (CCER) surrendered | t | `bought`, `sold`, `offset` |
    | $B_{at}, D_{at}$ | left to be banked, and outstanding obligation, at a point in time; $B_{a0}$ is the opening balance, $D_{a0} = 0$ | t | `banked`, `outstanding` |
    | $c_j$ | discounted cost of the plan's measures | CNY | `plan_cost` |
    | $c_0$ | that of units whose plans are fixed outside the program | CNY | `chosen_cost` |
    | $\Delta_{jt}$ | emissions that the plan avoids | tCO2e | `abated` |
    | $\rho_{jt}$ | reduction of the unit's net demand: $\Delta_{jt}$ and the change of its allowances | t | `demand_reduction` |
    | $L_{at}, E_{at}$ | net demand (emissions less free allowances), and emissions, before abatement | t, tCO2e | `net_demand`, `emissions` |
    | $\kappa, K_t$ | largest share of the obligation that offsets may cover; offsets on offer | 1, t | `offset_share`, `offset_supply` |
    | $\tau_t, p^o_t$ | discounted transaction cost, price of offsets | CNY/t | `buying_cost`, `selling_cost`, `offset_cost` |
    | $f_t, w_t$ | discounted cost of an outstanding tonne, worth of a banked one, at a point in time | CNY/t | `outstanding_cost`, `banked_worth` |
    | $\ell_t$ | 1 if what is left at a point in time counts in the year that begins, 0 if it lapses | 1 | `lasting` |
    """
    m.UNITS, m.PLANS, m.ACCOUNTS, m.YEARS, m.TIMES = pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set()
    m.OWING = pyo.Set(within=m.YEARS, doc="years in which an obligation may stay outstanding")
    m.PLANS_OF_UNIT = pyo.Set(m.UNITS, within=m.PLANS)
    m.PLANS_OF_ACCOUNT = pyo.Set(m.ACCOUNTS, within=m.PLANS)
    m.plan_cost = pyo.Param(m.PLANS, doc="discounted cost of the plan's measures [CNY]")
    m.chosen_cost = pyo.Param(mutable=True, doc="cost of units whose plans are fixed outside the program [CNY]")
    m.demand_reduction = pyo.Param(m.PLANS, m.YEARS, doc="reduction of the unit's net demand [t]")
    m.abated = pyo.Param(m.PLANS, m.YEARS, doc="emissions that the plan avoids [tCO2e]")
    m.net_demand = pyo.Param(m.ACCOUNTS, m.YEARS, doc="emissions less free allowances, before abatement [t]")
    m.emissions = pyo.Param(m.ACCOUNTS, m.YEARS, doc="emissions before abatement [tCO2e]")
    m.buying_most = pyo.Param(m.ACCOUNTS, m.YEARS, doc="most that is bought [t]")
    m.selling_most = pyo.Param(m.ACCOUNTS, m.YEARS, doc="most that is sold [t]")
    m.offsets_most = pyo.Param(m.ACCOUNTS, m.YEARS, doc="most offsets surrendered [t]")
    m.banked_least = pyo.Param(m.ACCOUNTS, m.TIMES, doc="least balance; below zero what may be borrowed [t]")
    m.banked_most = pyo.Param(m.ACCOUNTS, m.TIMES, doc="largest balance [t]")
    m.outstanding_most = pyo.Param(m.ACCOUNTS, m.TIMES, doc="largest outstanding obligation [t]")
    m.buying_cost = pyo.Param(m.YEARS, doc="discounted transaction cost of a purchase [CNY/t]")
    m.selling_cost = pyo.Param(m.YEARS, doc="discounted transaction cost of a sale [CNY/t]")
    m.offset_cost = pyo.Param(m.YEARS, doc="discounted price of an offset [CNY/t]")
    m.outstanding_cost = pyo.Param(m.TIMES, doc="discounted cost of an outstanding tonne [CNY/t]")
    m.banked_worth = pyo.Param(m.TIMES, doc="discounted worth of a banked allowance [CNY/t]")
    m.lasting = pyo.Param(m.TIMES, doc="1 if what is left counts in the year that begins, 0 if it lapses [1]")
    m.offset_share = pyo.Param(mutable=True, doc="largest share of the obligation that offsets cover [1]")
    m.offset_supply = pyo.Param(m.YEARS, doc="offsets on offer [t]")

    m.choice = pyo.Var(m.PLANS, domain=pyo.Binary, doc="1 if the plan is chosen [1]")
    m.bought = pyo.Var(m.ACCOUNTS, m.YEARS, bounds=lambda m, a, t: (0, m.buying_most[a, t]), doc="bought [t]")
    m.sold = pyo.Var(m.ACCOUNTS, m.YEARS, bounds=lambda m, a, t: (0, m.selling_most[a, t]), doc="sold [t]")
    m.offset = pyo.Var(m.ACCOUNTS, m.YEARS, bounds=lambda m, a, t: (0, m.offsets_most[a, t]), doc="offsets (CCER) [t]")
    m.banked = pyo.Var(
        m.ACCOUNTS, m.TIMES, bounds=lambda m, a, t: (m.banked_least[a, t], m.banked_most[a, t]), doc="banked [t]"
    )
    m.outstanding = pyo.Var(
        m.ACCOUNTS, m.TIMES, bounds=lambda m, a, t: (0, m.outstanding_most[a, t]), doc="outstanding obligation [t]"
    )

    # $$\sum_{j \in J_i} x_j = 1 \tag{one_plan}$$
    @m.Constraint(m.UNITS, doc="a unit has one plan [1]")
    def one_plan(m, i):
        return sum(m.choice[j] for j in m.PLANS_OF_UNIT[i]) == 1

    # $$\ell_t B_{at} - B_{a,t+1} + b_{at} - s_{at} + o_{at} + D_{a,t+1} - D_{at} + \sum_{j \in a} \rho_{jt} x_j = L_{at}
    # \tag{account_balance}$$
    @m.Constraint(m.ACCOUNTS, m.YEARS, doc="an account closes the year [t]")
    def account_balance(m, a, t):
        traded = m.lasting[t] * m.banked[a, t] - m.banked[a, t + 1] + m.bought[a, t] - m.sold[a, t] + m.offset[a, t]
        newly_outstanding = m.outstanding[a, t + 1] - m.outstanding[a, t]
        reduced = sum(m.demand_reduction[j, t] * m.choice[j] for j in m.PLANS_OF_ACCOUNT[a])
        return traded + newly_outstanding + reduced == m.net_demand[a, t]

    # $$o_{at} \le \kappa \Bigl( E_{at} - \sum_{j \in a} \Delta_{jt} x_j \Bigr) \tag{offset_limit}$$
    @m.Constraint(m.ACCOUNTS, m.YEARS, doc="offsets up to a share of the obligation [t]")
    def offset_limit(m, a, t):
        avoided = sum(m.abated[j, t] * m.choice[j] for j in m.PLANS_OF_ACCOUNT[a])
        return m.offset[a, t] + m.offset_share * avoided <= m.offset_share * m.emissions[a, t]

    # $$o_{at} + D_{a,t+1} - D_{at} \le E_{at} - \sum_{j \in a} \Delta_{jt} x_j \tag{newly_owed}$$
    @m.Constraint(m.ACCOUNTS, m.OWING, doc="no more is newly outstanding than is due in the year [t]")
    def newly_owed(m, a, t):
        avoided = sum(m.abated[j, t] * m.choice[j] for j in m.PLANS_OF_ACCOUNT[a])
        return m.offset[a, t] + m.outstanding[a, t + 1] - m.outstanding[a, t] + avoided <= m.emissions[a, t]

    # $$\sum_a o_{at} \le K_t \tag{offsets_on_offer}$$
    @m.Constraint(m.YEARS, doc="offsets on offer [t]")
    def offsets_on_offer(m, t):
        return sum(m.offset[a, t] for a in m.ACCOUNTS) <= m.offset_supply[t]


def private_cost(m: Any) -> Any:
    """Return the discounted cost of plans, trades, offsets and outstanding tonnes, less the worth of banked ones."""
    plans = m.chosen_cost + sum(m.plan_cost[j] * m.choice[j] for j in m.PLANS)
    trade = sum(
        m.buying_cost[t] * m.bought[a, t] + m.selling_cost[t] * m.sold[a, t] + m.offset_cost[t] * m.offset[a, t]
        for a in m.ACCOUNTS
        for t in m.YEARS
    )
    stocks = sum(
        m.outstanding_cost[t] * m.outstanding[a, t] - m.banked_worth[t] * m.banked[a, t]
        for a in m.ACCOUNTS
        for t in m.TIMES
    )
    return plans + trade + stocks


def market_years(m: Any) -> None:
    r"""Declare the years of the market: trades of accounts meet other sectors, auctions and the reserve.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $u_t, r_t, q_t, Q_t \ge 0$ | unsold in auctions; sold, bought and held by the reserve | t | `unsold`, `released`, `intake`, `reserve` |
    | $m_t \ge 0$ | unmet demand, whatever is paid; zero in a market that clears | t | `unmet` |
    | $N_t$ | auctions, paid shares and the rounding remainder included, less the demand of other sectors | t | `supply` |
    | $p^r_t, p^q_t$ | discounted ceiling and floor price | CNY/t | `released_cost`, `intake_worth` |
    """
    m.supply = pyo.Param(m.YEARS, doc="auctions less the demand of other sectors [t]")
    m.auctioned = pyo.Param(m.YEARS, doc="auctioned [t]")
    m.released_most = pyo.Param(m.YEARS, doc="most that the reserve sells [t]")
    m.intake_most = pyo.Param(m.YEARS, doc="most that the reserve buys [t]")
    m.unmet_most = pyo.Param(m.YEARS, doc="most demand that may be unmet; zero where the market has to clear [t]")
    m.released_cost = pyo.Param(m.YEARS, doc="discounted ceiling price [CNY/t]")
    m.intake_worth = pyo.Param(m.YEARS, doc="discounted floor price [CNY/t]")
    m.reserve_least = pyo.Param(m.TIMES, doc="least in the reserve [t]")
    m.reserve_most = pyo.Param(m.TIMES, doc="most in the reserve [t]")

    m.unsold = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.auctioned[t]), doc="unsold in auctions [t]")
    m.released = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.released_most[t]), doc="sold by the reserve [t]")
    m.intake = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.intake_most[t]), doc="bought by the reserve [t]")
    m.unmet = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.unmet_most[t]), doc="unmet demand [t]")
    m.reserve = pyo.Var(m.TIMES, bounds=lambda m, t: (m.reserve_least[t], m.reserve_most[t]), doc="in the reserve [t]")

    # $$\sum_a (b_{at} - s_{at}) + q_t - r_t + u_t - m_t = N_t \tag{market_balance}$$
    @m.Constraint(m.YEARS, doc="the market clears [t]")
    def market_balance(m, t):
        traded = sum(m.bought[a, t] - m.sold[a, t] for a in m.ACCOUNTS)
        return traded + m.intake[t] - m.released[t] - m.unmet[t] + m.unsold[t] == m.supply[t]

    # $$Q_{t+1} = Q_t + q_t - r_t \tag{reserve_stock}$$
    @m.Constraint(m.YEARS, doc="the reserve holds its purchases less its sales [t]")
    def reserve_stock(m, t):
        return m.reserve[t + 1] - m.reserve[t] - m.intake[t] + m.released[t] == 0


def market_program(name: str) -> Any:
    """Return the program of a market that clears at least cost, in which every tonne that is used exists."""
    m = pyo.AbstractModel(name)
    plans_and_accounts(m)
    market_years(m)

    # $$\min \sum_t m_t \tag{unmet_demand}$$
    @m.Objective(doc="unmet demand [t]")
    def unmet_demand(m):
        return sum(m.unmet[t] for t in m.YEARS)

    # $$\min c_0 + \sum_j c_j x_j + \sum_{at} \bigl[ \tau_t (b_{at} + s_{at}) + p^o_t o_{at} \bigr]
    # + \sum_{at} (f_t D_{at} - w_t B_{at}) + \sum_t (p^r_t r_t - p^q_t q_t) \tag{cost}$$
    @m.Objective(doc="discounted cost of all enterprises, of the reserve and of outstanding obligations [CNY]")
    def cost(m):
        return private_cost(m) + sum(
            m.released_cost[t] * m.released[t] - m.intake_worth[t] * m.intake[t] for t in m.YEARS
        )

    return m
