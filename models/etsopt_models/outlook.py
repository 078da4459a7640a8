r"""A national outlook in which output, capacity, emissions and prices answer each other (linear program).

Demand for the product of each sector falls with its price; sources supply it at a cost, within a capacity that grows by
what can be built in a year; what they emit takes allowances, which the rule, the cap and offsets provide and a bank
carries over. One program over all years finds the cheapest of it, and its duals are the prices at which buyers, producers
and holders of allowances would choose the same. It is a model of the nation: `supply.csv` has sources instead of units,
and a year has no hours. **The level of its prices is not validated**: for 2025 the market's own price lies between the two
forms below, and none of them reproduces it.

.. formulation:: formulate

**Why this is the market.** A producer takes prices as given and earns $\pi - c - p e + p \phi b$ on output: the price of
the product, less its cost and the allowances for its emissions, and the allowances that output brings. That this is zero
for a source within its limits is the condition of $g$ in the program, if $p$ is the dual of `bank` and $\pi$ that of
`served`. So a benchmark needs no equilibrium of its own: it is a coefficient on output in the balance of allowances. A
demand curve is a straight line through demand at the reference cost, with its elasticity at the price of the product, in
steps of 1 % from 20 % below to 10 % above; in a year whose elasticity is 0 it is firm.

**The form of the free part.** Before the cap allowances are those of the rule: $\phi_t = 1$, $Y_t = 0$. Under a cap
$C_t$ (`pathway.cap_t`) of which the share $a_t$ is auctioned (`pathway.paid_share`), the key `outlook.free_part` says
whether the free part is

- `fixed`: whoever produces less keeps it, so that $\phi_t = 0$, $Y_t = C_t$, and the auctioned share moves revenue alone;
- `output`: benchmarks are cut by one factor, $\phi_t = \min(1, (1 - a_t) C_t / \sum_k b_{kt} g_{kt})$, and the rest is
  auctioned, $Y_t = C_t - \phi_t \sum_k b_{kt} g_{kt}$.

The second is a fixed point, since both depend on the answer. It is found so that allowances are the cap to the tonne
(`_outlook/free_by_output.py`), and proven for the $\phi_t$ that the tables state. The auctioned shares are then off $a_t$ by
what the table `outlook` states: a list of sources need not have a point that meets them, and other $\phi_t$ as near may
have other prices. An outlook of this form is therefore certified only if they are met, as where all is auctioned.

**Cases.** The tables have the policy's own case; the other form; no cap, with the rule for ever; and, if allowances may be
left after the last year, terminal prices of 0 and of `outlook.highest_terminal_price_cny_per_t`. Each is a program of its
own, which the checker derives again and proves. From `pathway.no_bank_from` on nothing is carried into a year, and then no
terminal price has an effect.

**Duals**, divided by the discount factor: minus that of `bank` is the price of an allowance $p_t$, that of `served` the
price of a product $\pi_{st}$ [CNY/t, of power per MWh]. Minus that of `capacity` is the rent of capacity, of `build_rate`
the worth of a faster build, of `share_limit` that of a larger share, of `offset_limit` that of more offsets.

While a bank is held, the price grows by the discount rate, and never faster. Costs of new capacity are those of the year,
whatever its age. Foresight is perfect, and risk neutral. A unit's plan times a variable output would be bilinear, so
`pathway` is solved after an outlook, with the columns `output_factor` and `intensity_factor` of `outlook_sectors` as its
`forecast.csv`: output of the sources that emit in the first year, and what they emit per output before abatement.

References: Fischer (2001), Rebating environmental policy revenues; Goulder, Long, Lu and Morgenstern, JEEM 111, 2022, on
benchmarks as implicit subsidies; the Opinions of 25 August 2025 for an absolute cap with free and paid allocation by 2030.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo

from etsopt.modelling import PreparedModel
from etsopt_models._outlook.cases import prepare
from etsopt_models._outlook.tables import outlook_tables

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._outlook.cases import PreparedOutlook


def formulate() -> pyo.AbstractModel:  # long because a symbol and an equation each have their line
    r"""Return the program without data.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $s$; $t$; $0, \dots, T$ | sectors, each with one product; years; points in time, a year $t$ from its own to $t + 1$ | | `SECTORS`, `YEARS`, `TIMES` |
    | $k$ | sources of output, of emissions beside it, or of abatement | | `SOURCES` |
    | $g_{kt}$ | supply of a source, between least and most | Mt, TWh | `supply`, `least`, `most` |
    | $c \in S$; $k \in K_c$ | sources whose capacity grows or is shared; sources that use it | | `SHARED`, `SOURCES_OF_OWNER` |
    | $n_{ct}$; $\bar{K}_{ct}$ | new capacity at a point in time, none at the first; existing capacity | Mt, TWh | `built`, `built_most`; `existing` |
    | $\underline{R}_{ct}, R_{ct}$ | least and most new capacity of a year | Mt, TWh | `least_new`, `largest_new` |
    | $f \in F_s$; $a_{ft}$ | flows into and out of a product, each of a source $k(f)$: 1 for its output, less than 0 for electricity that it uses | 1, MWh/t | `FLOWS`, `FLOWS_OF_SECTOR`, `flow_source`, `flow` |
    | $D_{st}$ | demand that is served at any price | Mt, TWh | `firm_demand` |
    | $u_{jt}$; $v_{jt}$ | steps $j \in J_s$ of demand beyond it, each 1 % of demand at the reference cost; what a step is worth, discounted | Mt, TWh; CNY/t | `STEPS`, `STEPS_OF_SECTOR`, `step`, `step_most`, `step_worth` |
    | $k \in L$; $l \in P_k$; $\sigma_{lt}$ | sources with a largest share; pairs with the sources of which it is a share; that share, times emissions per output for abatement | 1, t/t | `LIMITED`, `PAIRS`, `PAIRS_OF_SOURCE`, `pair_source`, `share` |
    | $e_{kt}$; $b_{kt}$ | emissions, and allowances of the rule, per supply; $e = -1$ for abatement | t/t | `emission`; `benchmark` |
    | $\phi_t$; $Y_t$ | share of the rule's allowances that follow output; allowances that do not | 1; Mt | `free_share`; `volume` |
    | $o_t$; $\kappa$ | offsets surrendered; largest share of emissions that they may meet | Mt; 1 | `offset`, `offset_most`; `offset_share` |
    | $B_\tau$ | allowances kept at a point in time; $B_0$ is given, and 0 where none may be kept | Mt | `banked`, `banked_least`, `banked_most` |
    | $c_{kt}, C_{ct}, q_t$; $w$ | discounted cost of supply, of new capacity, of an offset; worth of an allowance after the last year | CNY/t | `source_cost`, `capacity_cost`, `offset_cost`; `banked_worth` |
    """
    m = pyo.AbstractModel("outlook")
    m.SOURCES, m.SECTORS, m.YEARS, m.TIMES = pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set()
    m.STEPS, m.FLOWS, m.PAIRS = pyo.Set(), pyo.Set(), pyo.Set()
    m.SHARED = pyo.Set(within=m.SOURCES, doc="sources whose capacity grows, or serves others as well")
    m.LIMITED = pyo.Set(within=m.SOURCES, doc="sources with a largest share")
    m.FLOWS_OF_SECTOR = pyo.Set(m.SECTORS, within=m.FLOWS)
    m.STEPS_OF_SECTOR = pyo.Set(m.SECTORS, within=m.STEPS)
    m.SOURCES_OF_OWNER = pyo.Set(m.SOURCES, within=m.SOURCES)
    m.PAIRS_OF_SOURCE = pyo.Set(m.SOURCES, within=m.PAIRS)

    m.flow_source = pyo.Param(m.FLOWS, within=m.SOURCES, doc="position of the flow's source [1]")
    m.flow = pyo.Param(m.FLOWS, m.YEARS, doc="amount per supply of the source [1, MWh/t]")
    m.pair_source = pyo.Param(m.PAIRS, within=m.SOURCES, doc="position of the source of which another is a share [1]")
    m.share = pyo.Param(m.PAIRS, m.YEARS, doc="largest share of its output, or of its emissions [1, t/t]")
    m.firm_demand = pyo.Param(m.SECTORS, m.YEARS, doc="demand that is served at any price [Mt, TWh]")
    m.step_most = pyo.Param(m.STEPS, m.YEARS, doc="size of a step of demand [Mt, TWh]")
    m.step_worth = pyo.Param(m.STEPS, m.YEARS, doc="discounted worth of a step of demand [CNY/t]")
    m.least = pyo.Param(m.SOURCES, m.YEARS, doc="least supply [Mt, TWh]")
    m.most = pyo.Param(m.SOURCES, m.YEARS, doc="most supply [Mt, TWh]")
    m.existing = pyo.Param(m.SOURCES, m.YEARS, doc="existing capacity [Mt, TWh]")
    m.built_most = pyo.Param(m.SOURCES, m.TIMES, doc="most new capacity at a point in time [Mt, TWh]")
    m.least_new = pyo.Param(
        m.SOURCES, m.YEARS, doc="least new capacity of a year; below 0 what may be given up [Mt, TWh]"
    )
    m.largest_new = pyo.Param(m.SOURCES, m.YEARS, doc="most new capacity of a year [Mt, TWh]")
    m.emission = pyo.Param(m.SOURCES, m.YEARS, doc="emissions per supply [t/t]")
    m.benchmark = pyo.Param(m.SOURCES, m.YEARS, doc="allowances of the rule per supply [t/t]")
    m.free_share = pyo.Param(m.YEARS, doc="share of the rule's allowances that follow output [1]")
    m.volume = pyo.Param(m.YEARS, doc="allowances that do not follow output [Mt]")
    m.source_cost = pyo.Param(m.SOURCES, m.YEARS, doc="discounted cost of supply [CNY/t]")
    m.capacity_cost = pyo.Param(m.SOURCES, m.YEARS, doc="discounted yearly cost of new capacity [CNY/t]")
    m.offset_most = pyo.Param(m.YEARS, doc="offsets on offer [Mt]")
    m.offset_share = pyo.Param(mutable=True, doc="largest share of emissions that offsets meet [1]")
    m.offset_cost = pyo.Param(m.YEARS, doc="discounted price of an offset [CNY/t]")
    m.banked_least = pyo.Param(m.TIMES, doc="least allowances kept [Mt]")
    m.banked_most = pyo.Param(m.TIMES, doc="most allowances kept [Mt]")
    m.banked_worth = pyo.Param(m.TIMES, doc="discounted worth of an allowance kept [CNY/t]")

    m.supply = pyo.Var(m.SOURCES, m.YEARS, bounds=lambda m, k, t: (m.least[k, t], m.most[k, t]), doc="supply [Mt, TWh]")
    m.built = pyo.Var(m.SHARED, m.TIMES, bounds=lambda m, c, t: (0, m.built_most[c, t]), doc="new capacity [Mt, TWh]")
    m.step = pyo.Var(m.STEPS, m.YEARS, bounds=lambda m, j, t: (0, m.step_most[j, t]), doc="demand served [Mt, TWh]")
    m.offset = pyo.Var(m.YEARS, bounds=lambda m, t: (0, m.offset_most[t]), doc="offsets surrendered [Mt]")
    m.banked = pyo.Var(m.TIMES, bounds=lambda m, t: (m.banked_least[t], m.banked_most[t]), doc="allowances kept [Mt]")

    # $$\sum_{f \in F_s} a_{ft} g_{k(f)t} \ge D_{st} + \sum_{j \in J_s} u_{jt} \tag{served}$$
    @m.Constraint(m.SECTORS, m.YEARS, doc="demand is met [Mt, TWh]")
    def served(m, s, t):
        made = sum(m.flow[f, t] * m.supply[m.flow_source[f], t] for f in m.FLOWS_OF_SECTOR[s])
        return made - sum(m.step[j, t] for j in m.STEPS_OF_SECTOR[s]) >= m.firm_demand[s, t]

    # $$\sum_{k \in K_c} g_{kt} \le \bar{K}_{ct} + n_{c,t+1}, \quad c \in S \tag{capacity}$$
    @m.Constraint(m.SHARED, m.YEARS, doc="supply is within the capacity of the year [Mt, TWh]")
    def capacity(m, c, t):
        return sum(m.supply[k, t] for k in m.SOURCES_OF_OWNER[c]) - m.built[c, t + 1] <= m.existing[c, t]

    # $$\underline{R}_{ct} \le n_{c,t+1} - n_{ct} \le R_{ct}, \quad c \in S \tag{build_rate}$$
    @m.Constraint(m.SHARED, m.YEARS, doc="capacity grows by no more than can be built [Mt, TWh]")
    def build_rate(m, c, t):
        return m.least_new[c, t], m.built[c, t + 1] - m.built[c, t], m.largest_new[c, t]

    # $$g_{kt} \le \sum_{l \in P_k} \sigma_{lt} g_{k(l)t}, \quad k \in L \tag{share_limit}$$
    @m.Constraint(m.LIMITED, m.YEARS, doc="no more than a share of the sector [Mt, TWh]")
    def share_limit(m, k, t):
        return m.supply[k, t] - sum(m.share[p, t] * m.supply[m.pair_source[p], t] for p in m.PAIRS_OF_SOURCE[k]) <= 0

    # $$o_t \le \kappa \sum_k e_{kt} g_{kt} \tag{offset_limit}$$
    @m.Constraint(m.YEARS, doc="offsets up to a share of emissions [Mt]")
    def offset_limit(m, t):
        return m.offset[t] - m.offset_share * sum(m.emission[k, t] * m.supply[k, t] for k in m.SOURCES) <= 0

    # $$B_{t+1} \le B_t + Y_t + \sum_k \phi_t b_{kt} g_{kt} + o_t - \sum_k e_{kt} g_{kt} \tag{bank}$$
    @m.Constraint(m.YEARS, doc="allowances last for emissions and what is kept [Mt]")
    def bank(m, t):
        needed = sum((m.emission[k, t] - m.free_share[t] * m.benchmark[k, t]) * m.supply[k, t] for k in m.SOURCES)
        return m.banked[t + 1] - m.banked[t] - m.offset[t] + needed <= m.volume[t]

    # $$\min \sum_{kt} c_{kt} g_{kt} + \sum_{c \in S, t} C_{ct} n_{c,t+1} + \sum_t q_t o_t - \sum_{jt} v_{jt} u_{jt} - w B_T
    # \tag{cost}$$
    @m.Objective(doc="discounted cost less what demand is worth [CNY million]")
    def cost(m):
        supplied = sum(m.source_cost[k, t] * m.supply[k, t] for k in m.SOURCES for t in m.YEARS)
        capital = sum(m.capacity_cost[c, t] * m.built[c, t + 1] for c in m.SHARED for t in m.YEARS)
        served = sum(m.step_worth[j, t] * m.step[j, t] for j in m.STEPS for t in m.YEARS)
        offsets = sum(m.offset_cost[t] * m.offset[t] for t in m.YEARS)
        return supplied + capital + offsets - served - sum(m.banked_worth[t] * m.banked[t] for t in m.TIMES)

    return m


def tables(instance: Instance, solution: Any, prepared: PreparedOutlook) -> dict[str, pd.DataFrame]:
    """Return the tables that `outlook_tables` lists."""
    return outlook_tables(solution, prepared)


READS = (
    "year",
    "horizon",
    "pathway.cap_t",
    "pathway.no_bank_from",
    "pathway.paid_share",
    "outlook",
    "market.ccer_*",
    "market.terminal_price_cny_per_t",
)
"""Keys and sections of the policy; benchmarks are those of ``supply.csv``, not of the rule."""

MODEL = PreparedModel(
    formulate=formulate,
    prepare=prepare,
    tables=tables,
    solver_options={"solver": "simplex"},
    reads=READS,
)
