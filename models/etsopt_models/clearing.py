r"""The market clears: all enterprises abate, trade and bank at the least cost (mixed-integer program over years).

Units choose among plans, chains of sets of measures over the years. Their allowances are lump sums: those of the model
`allocation`, which is solved first, moved with the unit's emissions before abatement. What lacks only because a rule
rounds down to whole tonnes is no scarcity: the regulator offers it. Up to `follow_emissions_until` allowances
follow the unit's own emissions instead, as in `abatement`. The price of an allowance is what
the last tonne costs.

.. formulation:: plans_and_accounts market_years market_program

First `unmet_demand` is minimised over all plans; where something is left, the market cannot clear and the result
says how many tonnes it lacks. Else $m_t = 0$ and `cost` is minimised.

Bounds. Nobody holds beyond his own need: $B_{at}$ is at most the account's opening and free allowances so far, its later
emissions before abatement, and its part of what other sectors and the reserve can leave to be held; accounts share that
by their emissions before abatement over all years, so that together they hold it once. $B_{at}$ may fall below zero by
the allowances of the next year that are issued in advance, the share of year $t + 1$ (a half from 2026 on) of the
emissions of $t$ before abatement, the only borrowing, and not at the end. $b_{at}$ and $s_{at}$ reach from one of these
limits to the other and exclude nothing, so that accounts add up to one. $o_{at}$ is at most $K_t$ and $\kappa E_{at}$. $D_{at}$ is at most the emissions before abatement so far, and zero where the policy states no
reference price, without which there is no `newly_owed` either; where it does, $f_{t+1}$ is the penalty's multiple of that price for every year in which the obligation stands, and at the end
the price once more. $w_T$ is the terminal price, $w_t = 0$ before. $u_t$ is at most what is auctioned; $r_t$ and $q_t$
are zero without a ceiling and a floor. Everything is finite.

A measure acts on what earlier ones left: a set $S$ leaves $\prod_{k \in S} (1 - \text{abatement\_rate}_k\,
\text{maximum\_share}_k)$ of the emissions. It costs an annuity of its investment (it is renewed at the end of its life),
fixed cost on the base year's output, and variable cost less fuel savings on the year's. Once started it runs to the end
of the horizon. A cut of output is one more measure: it takes its share of the emissions and costs its margin for each
tonne cut, leaves intensity and the cost of other measures as they are. Where the policy leaves what pays by itself,
measures that cost less than nothing at the base year's output are not on offer. Shares of allowances that are paid are
those of what is given before abatement. The fixed fine of a shortfall is no part of the cost. Plans are not listed: at any prices the best of *all* plans of a unit follows from a minimum over
supersets (`etsopt_models._market.plans`), and a plan joins the program where it beats those that are there. So the
relaxation is that over all plans, and no plan is left out of its bound.

**Whole plans.** Where measures are not divisible plans are chosen before this program is solved, which then has one plan of
each unit. The relaxation is solved by columns that prices find (Dantzig and Wolfe 1960); its value is Geoffrion's (1974)
Lagrangian bound. Units that it leaves torn between plans are settled, the largest first. Where few plans have a reduced cost
within what is open, the solver chooses among all of these (Baldacci and others 2008). The rest is proven by a tree that
branches on whether a unit runs a measure in a year (Barnhart and others 1998). The table `leaves` holds what its leaves
hold, and `duals` their multipliers (`cost:leaf:1`, ...); a leaf that cannot clear is proven so in tonnes
(`unmet_demand:leaf:1`, ...). A gap is a share of the cost, or of what is spent where that is more.

**Rounding.** Enterprises hold what the rule gives in whole tonnes, rounded down by less than a tonne for each unit. So a
rule that balances its sectors leaves some tonnes lacking, which no measure should have to make up for. What rounding took
from units that get no less than the rule gives them, scaled with their emissions and no more than the targets of their
sector and of the nation leave, is auctioned beside the rest: in each year the first whole number of tonnes above it
(`rounding_remainder_t` of the table `years`, part of what is in auctions). What nobody needs of it is left over.

**Price.** $p_t = -y_t / \delta_t$ is paid for an allowance of compliance year $t$, which is issued, traded and
surrendered in calendar year $t + 1$: it is to be compared with the market of that year. It is in CNY of
`horizon.price_year`, as every amount is, so inflation is in none; its unit in the tables is, say, CNY 2024/t. $y_t$ is the
multiplier of `market_balance` in the linear relaxation (what one tonne more on offer adds to the cost) and $\delta_t$ the discount factor; never from a program
with the choices fixed. Its interval is that of all prices at which the relaxation clears: the least and the greatest $y_t$
of each year over the multipliers that are complementary to an optimum of it, whose multipliers are stated too (`cost:2`,
...); a price of 100,000 CNY/t and more is none. For whole plans it is a convex-hull price: who would rather have another
plan at it is told in the table `uplift`, with what the plan costs more than the best (Gribik, Hogan and Pope 2007; the
multipliers are those of a boxstep or bundle method, Marsten and others 1975). The multipliers of all rows
bound the cost from below: with $\mu_{at}$ that of `account_balance`, $\nu_{at} \le 0$ that of `offset_limit` and
$\omega_{at} \le 0$ that of `newly_owed`, each unit contributes $\min_j \bigl[ c_j + \sum_t \mu_{at} (E_{jt} - A_{jt}) +
(\kappa \nu_{at} + \omega_{at}) E_{jt} \bigr]$ over all its plans, and every other variable the better of its bounds.

References: Rubin (1996) and Cronshaw and Kruse (1996) for banking; Gilmore and Gomory (1961) for columns by prices;
Geoffrion (1974) for the bound; Marsten, Hogan and Blankenship (1975), The boxstep method for large-scale optimization;
Barnhart, Johnson, Nemhauser, Savelsbergh and Vance (1998), Branch-and-price; Gribik, Hogan and Pope (2007), Market-clearing
electricity prices and energy uplift; Baldacci, Christofides and Mingozzi (2008) for columns by reduced cost; the 2026 plan and the 2023-2024 power plan for vintages and carry-over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt_models._columns.whole_plans import prepare_market
from etsopt_models._market.baseline import baseline_of
from etsopt_models._market.column_generation import market_of
from etsopt_models._market.formulation import market_program
from etsopt_models._market.tables import market_tables, unmet_demand_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import Market, PreparedMarket

CHECKED_AS = "clearing"
STARTS_FROM = "allocation"
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
)
"""Keys and sections of the policy, beside those of the model it starts from; the price is an answer."""
GAP = 1e-4


def levels(instance: Instance) -> list[str]:
    """The cost alone: where allowances are missing there is no solution, and `explain` tells how many are."""
    return ["cost"]


def explain(instance: Instance, prepared: PreparedMarket) -> tuple[dict[str, pd.DataFrame], Any]:
    """Tables of what is missing in each year, at least, where the market cannot clear, and the level that says so."""
    return unmet_demand_tables(prepared)


def formulate() -> Any:
    """The market's program without data."""
    return market_program("clearing")


def market(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> Market:
    """The program over any plans, and its relaxation."""
    return market_of(instance, baseline_of(instance, before), relax, market=True)


def prepare(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]
) -> tuple[dict[str, Any], PreparedMarket]:
    """Arrays for `formulate` over the plans that matter, and what the tables need beside the solution."""
    return prepare_market(market(instance, before, relax))


def is_divisible(instance: Instance) -> bool:
    """Whether plans may be mixed."""
    return instance.policy.abatement.divisible_measures


def tables(instance: Instance, solution: Any, prepared: PreparedMarket) -> dict[str, pd.DataFrame]:
    """Result tables: ``years``, ``sector_years``, ``enterprise_years``, ``unit_years``, ``plans``, ``measure_years``, ``uplift``."""
    return market_tables(instance, solution, prepared)
