"""What every market model shares: units choose plans, accounts hold allowances, and the market's year closes."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo


def plans_and_accounts(m: Any) -> None:
    """Every unit chooses one of its plans; every account buys, sells, banks, offsets, or owes.

    ``banked`` and ``outstanding`` stand at the beginning of each year and at the end of the last.
    """
    m.UNITS, m.PLANS, m.ACCOUNTS, m.YEARS, m.TIMES = pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set()
    m.OWING = pyo.Set(within=m.YEARS)
    m.PLANS_OF_UNIT = pyo.Set(m.UNITS, within=m.PLANS)
    m.PLANS_OF_ACCOUNT = pyo.Set(m.ACCOUNTS, within=m.PLANS)
    m.plan_cost = pyo.Param(m.PLANS)
    m.demand_reduction = pyo.Param(m.PLANS, m.YEARS)
    m.abated = pyo.Param(m.PLANS, m.YEARS)
    for name in ("net_demand", "emissions", "buying_most", "selling_most", "offsets_most"):
        setattr(m, name, pyo.Param(m.ACCOUNTS, m.YEARS))
    for name in ("banked_least", "banked_most", "outstanding_most"):
        setattr(m, name, pyo.Param(m.ACCOUNTS, m.TIMES))
    for name in ("buying_cost", "selling_cost", "offset_cost"):
        setattr(m, name, pyo.Param(m.YEARS))
    m.offset_share, m.chosen_cost = pyo.Param(mutable=True), pyo.Param(mutable=True)
    m.banked_worth, m.outstanding_cost = pyo.Param(m.TIMES), pyo.Param(m.TIMES)
    m.offset_supply = pyo.Param(m.YEARS)

    m.choice = pyo.Var(m.PLANS, domain=pyo.Binary, doc="whether the plan is chosen [1]")
    m.bought = pyo.Var(m.ACCOUNTS, m.YEARS, bounds=lambda m, a, t: (0, m.buying_most[a, t]), doc="bought [t]")
    m.sold = pyo.Var(m.ACCOUNTS, m.YEARS, bounds=lambda m, a, t: (0, m.selling_most[a, t]), doc="sold [t]")
    m.offset = pyo.Var(
        m.ACCOUNTS, m.YEARS, bounds=lambda m, a, t: (0, m.offsets_most[a, t]), doc="CCER surrendered [t]"
    )
    m.banked = pyo.Var(
        m.ACCOUNTS, m.TIMES, bounds=lambda m, a, t: (m.banked_least[a, t], m.banked_most[a, t]), doc="held over [t]"
    )
    m.outstanding = pyo.Var(
        m.ACCOUNTS, m.TIMES, bounds=lambda m, a, t: (0, m.outstanding_most[a, t]), doc="still to surrender [t]"
    )

    @m.Constraint(m.UNITS, doc="a unit has one plan [1]")
    def one_plan(m, i):
        return sum(m.choice[j] for j in m.PLANS_OF_UNIT[i]) == 1

    @m.Constraint(m.ACCOUNTS, m.YEARS, doc="an account closes the year [t]")
    def account_balance(m, a, t):
        own = m.banked[a, t] - m.banked[a, t + 1] + m.bought[a, t] - m.sold[a, t] + m.offset[a, t]
        open_ = m.outstanding[a, t + 1] - m.outstanding[a, t]
        return (
            own + open_ + sum(m.demand_reduction[j, t] * m.choice[j] for j in m.PLANS_OF_ACCOUNT[a])
            == m.net_demand[a, t]
        )

    @m.Constraint(m.ACCOUNTS, m.YEARS, doc="CCER up to a share of the obligation [t]")
    def offset_limit(m, a, t):
        avoided = sum(m.abated[j, t] * m.choice[j] for j in m.PLANS_OF_ACCOUNT[a])
        return m.offset[a, t] + m.offset_share * avoided <= m.offset_share * m.emissions[a, t]

    @m.Constraint(m.ACCOUNTS, m.OWING, doc="no more is newly owed than is due in the year [t]")
    def newly_owed(m, a, t):
        avoided = sum(m.abated[j, t] * m.choice[j] for j in m.PLANS_OF_ACCOUNT[a])
        return m.offset[a, t] + m.outstanding[a, t + 1] - m.outstanding[a, t] + avoided <= m.emissions[a, t]

    @m.Constraint(m.YEARS, doc="CCER on offer [t]")
    def offsets_on_offer(m, t):
        return sum(m.offset[a, t] for a in m.ACCOUNTS) <= m.offset_supply[t]


def market_years(m: Any) -> None:
    """What accounts buy and sell meets the demand of other sectors, auctions and the reserve in every year."""
    for name in ("supply", "auctioned", "released_most", "intake_most", "unmet_most"):
        setattr(m, name, pyo.Param(m.YEARS))
    for name in ("released_cost", "intake_worth"):
        setattr(m, name, pyo.Param(m.YEARS))
    m.reserve_least, m.reserve_most = pyo.Param(m.TIMES), pyo.Param(m.TIMES)

    m.unsold = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.auctioned[t]), doc="left over in auctions [t]")
    m.released = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.released_most[t]), doc="sold by the reserve [t]")
    m.intake = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.intake_most[t]), doc="bought by the reserve [t]")
    m.unmet = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.unmet_most[t]), doc="what nobody has [t]")
    m.reserve = pyo.Var(m.TIMES, bounds=lambda m, t: (m.reserve_least[t], m.reserve_most[t]), doc="in the reserve [t]")

    @m.Constraint(m.YEARS, doc="the market clears [t]")
    def market_balance(m, t):
        traded = sum(m.bought[a, t] - m.sold[a, t] for a in m.ACCOUNTS)
        return traded + m.intake[t] - m.released[t] - m.unmet[t] + m.unsold[t] == m.supply[t]

    @m.Constraint(m.YEARS, doc="the reserve holds what it bought and did not sell [t]")
    def reserve_stock(m, t):
        return m.reserve[t + 1] - m.reserve[t] - m.intake[t] + m.released[t] == 0


def private_cost(m: Any) -> Any:
    """Discounted cost of plans, of trading, offsets and obligations that stand, less what is held at the end."""
    plans = m.chosen_cost + sum(m.plan_cost[j] * m.choice[j] for j in m.PLANS)
    trade = sum(
        m.buying_cost[t] * m.bought[a, t] + m.selling_cost[t] * m.sold[a, t] + m.offset_cost[t] * m.offset[a, t]
        for a in m.ACCOUNTS
        for t in m.YEARS
    )
    standing = sum(
        m.outstanding_cost[t] * m.outstanding[a, t] - m.banked_worth[t] * m.banked[a, t]
        for a in m.ACCOUNTS
        for t in m.TIMES
    )
    return plans + trade + standing


def market_program(name: str) -> Any:
    """The program of a market that clears: the least cost of all, at which every tonne that is used is there."""
    m = pyo.AbstractModel(name)
    plans_and_accounts(m)
    market_years(m)

    @m.Objective(doc="allowances that are unmet [t]")
    def unmet_demand(m):
        return sum(m.unmet[t] for t in m.YEARS)

    @m.Objective(doc="discounted cost of all enterprises, of the reserve and of obligations that stand [CNY]")
    def cost(m):
        return private_cost(m) + sum(
            m.released_cost[t] * m.released[t] - m.intake_worth[t] * m.intake[t] for t in m.YEARS
        )

    return m
