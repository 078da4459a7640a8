r"""The path to 2035: phase 1 as enacted, a tightening phase 2, and the market that clears (mixed-integer program).

Plans, bounds and prices are those of `clearing`; the allowances of enterprises differ. Before `phase_2_from` the rule
applies as enacted: before abatement unit $i$ gets $E_{it} (1 + \alpha_{it})$ with
$\alpha_{it} = \mathrm{clip}\bigl(\sigma_t (V_{st} - I_{it}) / V_{st}, \pm d_t\bigr)$, and the sector's balance value
$V_{st}$ makes allowances equal emissions before abatement. From `phase_2_from` on

- the balance value falls, $V_{st} = V_{s,t-1} (1 - \theta_t)$, with `tightening` $\theta_t$, `slope` $\sigma_t$ and
  `band` $d_t$ of the policy; units that get $A = E$ keep $\alpha = 0$;
- a `paid_share` of the allowances of the rule is auctioned instead of given;
- from `cap_from` on all allowances together, free and paid, stay below a cap: the total of the year before, changed by
  `cap_change` a year. Instead `cap_t` states the cap of some years, with straight lines between them. If allowances
  would exceed the cap, those of every unit are cut by one factor.

Under the rule `cn` power units get the allowances of `etsopt.rules.power` in each year, in whole tonnes: the benchmarks
of the year on the output and heat of the forecast, at the load factor of the tables. After the last plan the benchmarks
change by `rule.benchmark_change` a year. Industry has $A = E$ in 2024.

Before the cap begins, and without one, allowances follow the output that a plan leaves, as in `clearing`. Under a cap
they are fixed: whoever produces less keeps them.

The balance value is exact, without the decimals of a published one. A horizon that begins in phase 2 starts from the
balance value of its first year, which falls at once. Under the plan of 2024, which has none, $A = E$ throughout. A rule
that is no plan of China's gives its references $R_{it}$ of each year instead, in which nothing falls but what the rule
itself lowers; paid shares and the cap apply to them. `pathway` uses its own paid shares alone, and allowances that follow
emissions are not cut to the cap.

From `no_bank_from` on every year stands by itself: what is left at the end of the year before it, and of every later
one, lapses ($\ell_t = 0$), the last year included, and nothing is borrowed then. Such years emit no more than their own
allowances, offsets and what the reserve sells, and no terminal price has an effect.

Up to `self_balancing_until`, by default 2026 and in phase 1 alone, allowances of a sector equal its emissions after
abatement, as in `clearing`; all others are lump sums. Phase 2 continues from the balance value before abatement, so that
abatement in phase 1 takes no allowances from it.

**Other terminal prices.** If a bank is left at the end, or would be at the last ceiling price, the prices rest on the
terminal price $w$, an assumption. The table `terminal_prices` then has the prices $p_t(w)$ at $w = 0$, at that of the
policy, and at the last ceiling price, above which nobody pays for an allowance; without a ceiling that end is open.
$1 - p_t(0) / p_t(w)$ is the share of a price that the terminal price explains. Each end is the relaxation over all
plans, at the balance values of the result, and has a status of its own. None is sought where trading has a cost.

.. formulation:: plans_and_accounts market_years market_program

$m_t = 0$ if the market can clear. The dual of `market_balance` is minus the discounted price of an allowance, as in
`clearing`. References: as there; the Opinions of 25 August 2025 for an absolute cap with free and paid allocation by
2030; the fall of emissions per tonne of product by about 3 % over 2026-2030 for the size of the tightening.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.modelling import PreparedModel
from etsopt_models._columns.price_of_others import market_of_pass
from etsopt_models._columns.unmet_demand import prepare_pass
from etsopt_models._columns.whole_plans import prepare_market
from etsopt_models._market.balance_values import next_balance_values
from etsopt_models._market.closure import terminal_price_tables
from etsopt_models._market.column_generation import is_divisible, market_of
from etsopt_models._market.path import pathway_baseline_of
from etsopt_models._market.tables import market_tables, unmet_demand_tables
from etsopt_models.clearing import market_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import Market, PreparedMarket

READS = (
    "year",
    "rule.name",
    "rule.slope",
    "rule.cap",
    "rule.factor",
    "rule.benchmarks",
    "rule.threshold_tco2e",
    "rule.special_cases",
    "rule.carbide_slag_limit",
    "rule.outside_scope",
    "rule.carry_over_base_t",
    "rule.carry_over_factor",
    "rule.pre_allocation_share",
    "rule.electricity_benchmarks",
    "rule.heat_benchmarks",
    "rule.benchmark_change",
    "rule.continues_plan_of",
    "rule.least_allowance_share",
    "rule.gas_topped_up",
    "sectors.*.balance_value",
    "horizon",
    "abatement",
    "market.transaction_cost_cny_per_t",
    "market.external_demand_t",
    "market.auctioned_t",
    "market.floor_price_cny_per_t",
    "market.ceiling_price_cny_per_t",
    "market.reserve_t",
    "market.borrow_pre_allocation",
    "market.ccer_*",
    "market.terminal_price_cny_per_t",
    "penalty",
    "!penalty.deduction_share",
    "pathway",
)
"""Keys and sections of the policy; allowances are those of the path, without targets, balances and bands."""


def objectives(instance: Instance) -> list[str]:
    """Return the cost alone: with unmet demand there is no solution, and `unmet_demand_tables` states the tonnes."""
    return ["cost"]


def formulate() -> Any:
    """Return the market's program without data."""
    return market_program("pathway")


def market(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> Market:
    """Return the market: its program over any plans, and its relaxation."""
    return market_of_pass(
        lambda held: market_of(instance, pathway_baseline_of(instance, held), relax, market=True), before
    )


def prepare(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> PreparedMarket:
    """Return the market with arrays for `formulate` over the plans that matter."""
    return prepare_pass(market(instance, before, relax), before, prepare_market)


def tables(instance: Instance, solution: Any, prepared: PreparedMarket) -> dict[str, pd.DataFrame]:
    """Return the tables by year, sector, enterprise, unit, measure and terminal price, with plans and proofs."""
    tables = market_tables(instance, solution, prepared)
    return tables | terminal_price_tables(instance, prepared, tables)


MODEL = PreparedModel(
    formulate=formulate,
    objectives=objectives,
    prepare=prepare,
    tables=tables,
    next_pass=next_balance_values,
    explain=unmet_demand_tables,
    is_divisible=is_divisible,
    gap=1e-4,
    reads=READS,
)
