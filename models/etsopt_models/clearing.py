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
(`etsopt_models._market.self_balancing`). Abatement there frees no allowances in sum; what others need, others give up.
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

from etsopt.modelling import PreparedModel
from etsopt_models._columns.price_of_others import market_of_pass
from etsopt_models._columns.unmet_demand import prepare_pass
from etsopt_models._columns.whole_plans import prepare_market
from etsopt_models._market.balance_values import next_balance_values
from etsopt_models._market.baseline import baseline_of
from etsopt_models._market.column_generation import is_divisible, market_of
from etsopt_models._market.formulation import market_program
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


def objectives(instance: Instance) -> list[str]:
    """Return the cost alone: with unmet demand there is no solution, and `unmet_demand_tables` states the tonnes."""
    return ["cost"]


def formulate() -> Any:
    """Return the market's program without data."""
    return market_program("clearing")


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
