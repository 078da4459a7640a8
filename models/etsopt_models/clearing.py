r"""The market clears: all enterprises abate, trade and bank at least cost (mixed-integer program over years).

Units choose among plans, which are chains of sets of measures over the years. Their allowances are lump sums: those of
the model `allocation`, which is solved first, scaled with the unit's emissions before abatement. Where the rule has a
reference of its own in each year, as every rule but China's plans and references of one year alone, they are
$\max(R_{it} + (A_i - R_i) E_{it} / E_i, 0)$: what the allocation changes stays a rate of emissions. In self-balancing
years they follow the unit's own emissions instead. The tonnes that a rule loses by rounding down are no scarcity: the
regulator offers them. The price of an allowance is the cost of the last tonne.

.. formulation:: plans_and_accounts market_years market_program

First `unmet_demand` is minimised over all plans, before anything has a price and with one account for all, since limits
of accounts add up: a trading cost frees no allowance (`etsopt_models._columns.unmet_demand`). If some demand stays
unmet, the market cannot clear, and the result states how many tonnes. Else $m_t = 0$ and `cost` is minimised.

**Bounds.** No account holds more than it may need; everything is finite.

- $B_{at}$ is at most the account's opening balance and free allowances so far, its later emissions before abatement,
  and its share of the allowances that other sectors and the reserve may leave to be held. Accounts share these by
  emissions before abatement over all years, so that together they hold them once.
- $B_{at}$ may fall below zero by the allowances of the next year that are issued in advance. They are the share of year
  $t + 1$ (a half from 2026 on) of the emissions of $t$ before abatement. This is the only borrowing, and there is none
  at the end.
- $b_{at}$ and $s_{at}$ reach from one of these limits to the other and exclude nothing, so that accounts add up to one.
- $o_{at}$ is at most $K_t$ and $\kappa E_{at}$.
- $D_{at}$ is at most the emissions before abatement so far. If the policy states no reference price, it is zero and
  there is no `newly_owed`. Else $f_{t+1}$ is the penalty's multiple of that price for every year in which the
  obligation is outstanding, and at the end the price once more.
- $w_T$ is the terminal price, and $w_t = 0$ before. $u_t$ is at most the auctioned volume; $r_t$ and $q_t$ are zero
  without a ceiling and a floor.

**Measures.** A measure acts on the emissions that earlier ones left: a set $S$ leaves
$\prod_{k \in S} (1 - \text{abatement\_rate}_k\, \text{maximum\_share}_k)$ of them. It costs an annuity of its
investment (it is renewed at the end of its life), fixed cost on the base year's output, and variable cost less fuel
savings on the year's output. All three change by `cost_change_rate` a year. Once started it runs to the end of the
horizon, unless it `stops`: then it runs in any years, and costs in these alone. With `largest_new_share_a_year` it is
built in $n$ equal steps, as few as this share allows: step $i$ costs an $n$-th, leaves
$(n - i\,\text{abatement\_rate}\,\text{maximum\_share}) / (n - (i - 1)\,\text{abatement\_rate}\,\text{maximum\_share})$,
runs once step $i - 1$ has run for a year, and what requires the measure needs all steps. A cut of output is one more
measure: it takes its share of the emissions, costs its margin for each tonne cut, and leaves intensity and the cost of
other measures unchanged. So does the part of a measure that goes with the output, its `output_abatement_rate`. Where the rule
is a plan, the allowances $A_{jt}$ of a plan fall with the output that it leaves: a tonne that goes with the output earns
what it emits beyond its allowance. If the policy excludes no-regret measures, those that cost less than zero at the base
year's output are not on offer. Paid shares apply to the allowances
before abatement, in self-balancing years to those after it. The fixed fine of a shortfall is no part of the cost.

**Self-balancing years.** The plans of 2025 and 2026 take the balance value of a sector from emissions after abatement, so
that its allowances equal these whatever it abates. So does a sector here up to `pathway.self_balancing_until`, by
default 2026 under `cn`, `cn-2025` and `cn-2026` if the allocation gives it its emissions. A plan has the allowances that
the rule gives it at the balance value $V_{st}$, which no unit moves:
$A_{jt} = E_{jt} \bigl(1 + \mathrm{clip}(\sigma (V_{st} - I_{jt})/V_{st}, \pm d)\bigr)$. The market is solved again with
the balance values of its own answer until $\sum_j x_j (A_{jt} - E_{jt}) = 0$ in every sector and such year, to 1e-9
(`etsopt_models._market.baseline`). Abatement there frees no allowances in sum; what others need, others give up.
The table `balance_values` states what is held, and the bound is that of the last program. There may be several such
answers, or none: where balance values come back in a cycle, as they may where one unit is a large part of its sector, or
change for 20 passes, `residual_t` is what they leave, and the result is feasible, not certified: its price would be
another at other balance values, and none is shown. If all sectors are self-balancing and nothing is held, every price
clears, and none is found. A sector with a balance value from outside (`sectors.X.balance_value`) has $A_{jt}$ at that
value in these years, and nothing is balanced; a part of the nation trades at `market.prices_cny_per_t` with all that is
outside it. A market is proven not to clear by one in which a plan gets $A_{jt} = E_{jt}$ in such years,
free and paid together, as its sector does at every balance value.

**Column generation.** Plans are not listed: at any prices the best of *all* plans of a unit follows from a minimum over
the sets that may follow each set (`etsopt_models._market.plans`), and a plan joins the program if it beats those that
are there. So the relaxation is that over all plans, and its bound leaves no plan out.

**Integer plans.** If measures are not divisible, plans are chosen before this program is solved, which then has one
plan per unit. Column generation solves the relaxation (Dantzig and Wolfe 1960); its value is Geoffrion's (1974)
Lagrangian bound. A dive fixes the units with fractional plans, the largest first. If few plans have a reduced cost
within the open gap, the solver chooses among all of these (Baldacci and others 2008). Where all accounts are one, every
choice of these plans is then bounded by several vectors of multipliers together, each of which fits some choices: units
that are indifferent at the price need no tree (`cost:together:1`, ... of `duals`). Branch and price proves the rest:
its tree branches on "the unit runs the measure in the year" (Barnhart and others 1998). The table `leaves` states the
branches of each leaf, and `duals` their multipliers (`cost:leaf:1`, ...); a leaf that cannot clear is proven so in
tonnes (`unmet_demand:leaf:1`, ...). A gap is a share of the cost, or of the spending if that is larger.

**Rounding.** Enterprises hold the allowances of the rule in whole tonnes, rounded down by less than a tonne per unit.
So a rule that balances its sectors falls some tonnes short, which no measure should have to make up for. In each year
the regulator therefore auctions, beside the rest, the loss by rounding, rounded up (`rounding_remainder_t` of the table
`years`, part of the auctioned volume). The loss counts for units that get no less than the rule gives them; what units
with $A = E$ gain by rounding to the nearest tonne is less loss. It is scaled with their emissions and stays within the
targets of their sector and of the nation. Tonnes of it that no account needs stay unsold.

**Price.** $p_t = -y_t / \delta_t$ is paid for an allowance of compliance year $t$, which is issued, traded and
surrendered in calendar year $t + 1$: compare it with the market of that year. It is in CNY of `horizon.price_year`, as
every amount is, and so excludes inflation; its unit in the tables is, say, CNY 2024/t. $\delta_t$ is the discount
factor. $y_t$ is the multiplier of `market_balance` in the linear relaxation: the cost added by one more tonne on offer.
It never comes from a program with the choices fixed.

- The interval of a price holds all prices at which the relaxation clears: the least and the greatest $y_t$ of each year
  over the multipliers that are complementary to one optimum of the relaxation. The multipliers of each end are stated
  too (`cost:2`, ...). A price of 100,000 CNY/t or more is none.
- With integer plans it is a convex-hull price: some units would rather have another plan at it. The table `uplift`
  lists them, with the cost of their plan above their best (Gribik, Hogan and Pope 2007). The
  multipliers of such prices are those of a boxstep or bundle method (Marsten and others 1975).
- The multipliers of all rows bound the cost from below. Let $\mu_{at}$ be that of `account_balance`, $\nu_{at} \le 0$
  that of `offset_limit` and $\omega_{at} \le 0$ that of `newly_owed`. Then each unit contributes
  $\min_j \bigl[ c_j + \sum_t \mu_{at} (E_{jt} - A_{jt}) + (\kappa \nu_{at} + \omega_{at}) E_{jt} \bigr]$ over all its
  plans, and every other variable the better of its bounds.

**Terminal price.** A tonne banked at the end is worth the terminal price $w$, which is an assumption. The table
`closure` says what sets the price of each year, and up to which terminal price the prices stay, with divisible measures
the plans and trades as well: no account gains by banking at the end up to $\min_a \mu_{aT} / \delta_T$
(`etsopt_models._market.closure`). The checker derives it again from the multipliers that bound the cost. Where a bank
is left at the end, the price is the terminal price. `pathway` has the prices at other terminal prices as well.

References: Rubin (1996) and Cronshaw and Kruse (1996) for banking; Gilmore and Gomory (1961) for column generation;
Geoffrion (1970) for vectors together and (1974) for the bound; Marsten, Hogan and Blankenship (1975), The boxstep
method for large-scale optimization; Barnhart, Johnson, Nemhauser, Savelsbergh and Vance (1998), Branch-and-price;
Gribik, Hogan and Pope (2007), Market-clearing electricity prices and energy uplift; Baldacci, Christofides and Mingozzi
(2008) for columns by reduced cost; the 2026 plan and the 2023-2024 power plan for vintages and carry-over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo

from etsopt.modelling import PreparedModel
from etsopt_models._columns.price_of_others import market_of_pass
from etsopt_models._columns.unmet_demand import prepare_pass
from etsopt_models._columns.whole_plans import prepare_market
from etsopt_models._market.balance_values import next_balance_values
from etsopt_models._market.baseline import baseline_of
from etsopt_models._market.column_generation import is_divisible, market_of
from etsopt_models._market.tables import market_tables, unmet_demand_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import Market, PreparedMarket

READS = (
    "rule.carry_over_*",
    "horizon",
    "abatement",
    "market.transaction_cost_cny_per_t",
    "market.external_demand_t",
    "market.auctioned_t",
    "market.paid_share",
    "market.floor_price_cny_per_t",
    "market.ceiling_price_cny_per_t",
    "market.reserve_t",
    "market.borrow_pre_allocation",
    "market.ccer_*",
    "market.terminal_price_cny_per_t",
    "penalty",
    "!penalty.deduction_share",
    "pathway.self_balancing_until",
)
"""Keys and sections of the policy, beside those of the model it starts from; the price is an answer."""


def plans_and_accounts(m: Any) -> None:  # long because a symbol and an equation each have their line
    r"""Declare plans and accounts: every unit has one plan; every account buys, sells, banks, offsets or owes.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $i, j \in J_i$ | units; plans of a unit, those that column generation has found | | `UNITS`, `PLANS`, `PLANS_OF_UNIT` |
    | $a, t \in \{0, \dots, T - 1\}$ | accounts: one for each enterprise, or one for all where trading costs nothing; years | | `ACCOUNTS`, `PLANS_OF_ACCOUNT`, `YEARS` |
    | $0, \dots, T$ | points in time: a year begins at its own and ends at the next | | `TIMES` |
    | $x_j \in \{0, 1\}$ | 1 if the plan is chosen; a fraction where measures are divisible | | `choice` |
    | $b_{at}, s_{at}, o_{at} \ge 0$ | bought, sold, offsets (CCER) surrendered, each up to a limit | t | `bought`, `sold`, `offset`; `buying_most`, `selling_most`, `offsets_most` |
    | $B_{at}, D_{at}$ | left to be banked, and outstanding obligation, at a point in time; $B_{a0}$ is the opening balance, $D_{a0} = 0$ | t | `banked`, `outstanding`; `banked_least`, `banked_most`, `outstanding_most` |
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
    | $u_t, r_t, q_t, Q_t \ge 0$ | unsold in auctions; sold, bought and held by the reserve | t | `unsold`, `released`, `intake`, `reserve`; `auctioned`, `released_most`, `intake_most`, `reserve_least`, `reserve_most` |
    | $m_t \ge 0$ | unmet demand, whatever is paid; zero in a market that clears | t | `unmet`, `unmet_most` |
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


def formulate() -> Any:
    """Return the market's program without data."""
    return market_program("clearing")


def objectives(instance: Instance) -> list[str]:
    """Return the cost alone: with unmet demand there is no solution, and `unmet_demand_tables` states the tonnes."""
    return ["cost"]


def market(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> Market:
    """Return the market: its program over any plans, and its relaxation."""
    return market_of_pass(lambda held: market_of(instance, baseline_of(instance, held), relax, market=True), before)


def prepare(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> PreparedMarket:
    """Return the market with arrays for `formulate` over the plans that matter."""
    return prepare_pass(market(instance, before, relax), before, prepare_market)


MODEL = PreparedModel(
    formulate=formulate,
    objectives=objectives,
    prepare=prepare,
    tables=market_tables,
    starts_from="allocation",
    next_pass=next_balance_values,
    explain=unmet_demand_tables,
    is_divisible=is_divisible,
    gap=1e-4,
    reads=READS,
)
