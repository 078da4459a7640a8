r"""The path to 2035: phase 1 as enacted, a phase 2 that tightens, and the market that clears (mixed-integer program).

Symbols, plans, bounds and prices as in `clearing`; what differs is what enterprises are given. Before `phase_2_from`
the rule stands as enacted: unit $i$ gets $E_{it} (1 + \alpha_{it})$ with $\alpha_{it} = \mathrm{clip}\bigl(\sigma_t (V_{st}
- I_{it}) / V_{st}, \pm d_t\bigr)$, and the sector's balance value $V_{st}$ makes allowances equal emissions before
abatement. From then on

- the balance value falls, $V_{st} = V_{s,t-1} (1 - \theta_t)$, with `tightening` $\theta_t$, `slope` $\sigma_t$ and
  `band` $d_t$ of the policy; units that get $A = E$ keep $\alpha = 0$;
- a `paid_share` of what the rule gives is auctioned instead;
- from `cap_from` on all allowances together, free and paid, stay below the total of the year before, changed by
  `cap_change` a year: where they would not, every unit's are cut by one factor.

The balance value is exact, without the decimals of a published one. A horizon that begins in the second phase starts
from the balance value of its first year, which falls at once; where the rule is no intensity rule, $A = E$ throughout.
Paid shares are those of `pathway` alone, and allowances that follow emissions are not cut to the cap.

Up to `follow_emissions_until`, in phase 1 alone, allowances follow the unit's own emissions under the rule, at the
balance value above; all others are lump sums.

| symbol | meaning | unit | in the code |
| --- | --- | --- | --- |
| $x_j \in \{0, 1\}$ | whether the plan is chosen | | `choice` |
| $b_{at}, s_{at}, o_{at} \ge 0$ | bought, sold, offsets (CCER) surrendered | t | `bought`, `sold`, `offset` |
| $B_{at}, D_{at}$ | held over, and still to surrender, at a point in time | t | `banked`, `outstanding` |
| $u_t, r_t, q_t, Q_t, m_t \ge 0$ | left over in auctions; sold, bought and held by the reserve; missing | t | `unsold`, `released`, `intake`, `reserve`, `unmet` |

$$\sum_{j \in J_i} x_j = 1 \tag{one_plan}$$
$$B_{at} - B_{a,t+1} + b_{at} - s_{at} + o_{at} + D_{a,t+1} - D_{at} + \sum_{j \in a} \rho_{jt} x_j = L_{at}
  \tag{account_balance}$$
$$o_{at} \le \kappa \Bigl( E_{at} - \sum_{j \in a} \Delta_{jt} x_j \Bigr) \tag{offset_limit}$$
$$o_{at} + D_{a,t+1} - D_{at} \le E_{at} - \sum_{j \in a} \Delta_{jt} x_j \tag{newly_owed}$$
$$\sum_a (b_{at} - s_{at}) + q_t - r_t + u_t - m_t = N_t \tag{market_balance}$$
$$Q_{t+1} = Q_t + q_t - r_t \tag{reserve_stock}$$
$$\sum_a o_{at} \le K_t \tag{offsets_on_offer}$$
$$\min \sum_t m_t \tag{unmet_demand}$$
$$\min c_0 + \sum_j c_j x_j + \sum_{at} \bigl[ \tau_t (b_{at} + s_{at}) + p^o_t o_{at} \bigr]
  + \sum_{at} (f_t D_{at} - w_t B_{at}) + \sum_t (p^r_t r_t - p^q_t q_t) \tag{cost}$$

$m_t = 0$ wherever the market can clear. The dual of `market_balance` is minus the discounted price of an allowance, as in `clearing`. References: as there; the
Opinions of 25 August 2025 for an absolute cap with free and paid allocation by 2030; the fall of emissions per tonne of
product by about 3 % over 2026-2030 for the size of the tightening.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt_models._columns.whole_plans import solved
from etsopt_models._market.baseline import pathway_baseline
from etsopt_models._market.column_generation import market_of
from etsopt_models._market.formulation import market_program
from etsopt_models._market.tables import market_tables, unmet_demand_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import Found, Market

CHECKED_AS = "pathway"
READS = (
    "year",
    "rule.name",
    "rule.slope",
    "rule.cap",
    "rule.threshold_tco2e",
    "rule.special_cases",
    "rule.carbide_slag_limit",
    "rule.outside_scope",
    "rule.carry_over_base_t",
    "rule.carry_over_factor",
    "rule.pre_allocation_share",
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
GAP = 1e-4


def levels(instance: Instance) -> list[str]:
    """The cost alone: where allowances are missing there is no solution, and `explain` tells how many are."""
    return ["cost"]


def explain(instance: Instance, found: Found) -> tuple[dict[str, pd.DataFrame], Any]:
    """Tables of what is missing in each year, at least, where the market cannot clear, and the level that says so."""
    return unmet_demand_tables(found)


def formulate() -> Any:
    """The market's program without data."""
    return market_program("pathway")


def market(instance: Instance, _: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> Market:
    """The program over any plans, and its relaxation."""
    return market_of(instance, pathway_baseline(instance), relax, market=True)


def prepare(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]
) -> tuple[dict[str, Any], Found]:
    """Arrays for `formulate` over the plans that matter, and what the tables need beside the solution."""
    return solved(market(instance, before, relax))


def is_divisible(instance: Instance) -> bool:
    """Whether plans may be mixed."""
    return instance.policy.abatement.divisible_measures


def tables(instance: Instance, solution: Any, found: Found) -> dict[str, pd.DataFrame]:
    """Result tables: ``years``, ``sector_years``, ``enterprise_years``, ``unit_years``, ``plans``, ``measure_years``."""
    return market_tables(instance, solution, found)
