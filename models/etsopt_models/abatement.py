r"""What enterprises do at given prices: abate, buy, sell, bank, or pay the penalty (mixed-integer program over years).

Every enterprise takes the price path of the policy as given. Symbols, plans and bounds as in `clearing`; $\pi_t$ is the
expected price of year $t$, discounted, and there is no balance of the market: at that price every account buys and sells
what it needs, what rounding to whole tonnes left it lacking included, so that neither auctions nor the demand and supply of other sectors and of the reserve play a part, and
nobody has to hold anything for them. Offsets on offer, $K_t$, are one offer for all accounts together, whatever trading
costs: so the answer is the same with one account for all and, as the transaction cost goes to zero, with one for each.

.. formulation:: plans_and_accounts formulate

Up to `follow_emissions_until` the free allowances of a plan are those that the rule gives for the plan's own emissions
and intensity, at the sector's balance value: $A_{jt} = E_{jt} \bigl(1 + \mathrm{clip}(\sigma (V - I_{jt})/V, \pm d)\bigr)$,
exact for every plan. The table `unit_years` then tells what one tonne less earns: with emissions of the process on which
intensity is measured it is $\pi [\sigma E / (V Q) - \alpha]$ between the caps, which is $\sigma \pi (2I/V - 1)$ where the
whole unit is that process, and $-\alpha \pi$ elsewhere and for who stands at a cap: a saturated unit with a surplus
*loses* by abating. Later allowances are lump sums, and a tonne less earns the price.

The dual of `account_balance` is what one tonne more of need costs the account, discounted; minus that of
`offsets_on_offer` is what one offset more on offer would save, where several accounts share them; one account for all has
them as a bound. References: as in `clearing`;
rule and worked examples of the 2026 plan, consultation draft of 27 July 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from etsopt.errors import DataError, Problem
from etsopt_models._columns.whole_plans import prepare_market
from etsopt_models._market.accounts import outstanding_cost
from etsopt_models._market.baseline import baseline_of, expected_prices
from etsopt_models._market.column_generation import market_of
from etsopt_models._market.formulation import plans_and_accounts, private_cost
from etsopt_models._market.tables import market_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import Market, PreparedMarket

CHECKED_AS = "abatement"
STARTS_FROM = "allocation"
READS = (
    "rule.carry_over_*",
    "horizon",
    "abatement",
    "market.prices_cny_per_t",
    "market.transaction_cost_cny_per_t",
    "market.paid_share",
    "market.borrow_pre_allocation",
    "market.ccer_*",
    "market.terminal_price_cny_per_t",
    "penalty",
    "!penalty.deduction_share",
)
"""Keys and sections of the policy, beside those of the model it starts from."""
GAP = 1e-4

ROUNDING = 1e-6
"""A price may exceed the cost of owing by this, against it, and be the same."""


def formulate() -> Any:
    r"""Return the program without data.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $\pi_t$ | expected price, discounted | CNY/t | `price` |
    """
    m = pyo.AbstractModel("abatement")
    plans_and_accounts(m)
    m.price = pyo.Param(m.YEARS, doc="expected price, discounted [CNY/t]")

    # $$\min c_0 + \sum_j c_j x_j + \sum_{at} \bigl[ (\tau_t + \pi_t) b_{at} + (\tau_t - \pi_t) s_{at} + p^o_t o_{at} \bigr]
    # + \sum_{at} (f_t D_{at} - w_t B_{at}) \tag{cost}$$
    @m.Objective(doc="discounted cost of the enterprises at the price path [CNY]")
    def cost(m):
        return private_cost(m) + sum(m.price[t] * (m.bought[a, t] - m.sold[a, t]) for a in m.ACCOUNTS for t in m.YEARS)

    return m


def market(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> Market:
    """The program over any plans, and its relaxation."""
    baseline = baseline_of(instance, before)
    prices = expected_prices(instance, baseline.years)
    _refuse_dearer_than_owing(prices, outstanding_cost(instance, baseline) / baseline.discount, baseline.years)
    return market_of(instance, baseline, relax, {"price": baseline.discount * prices}, market=False)


def prepare(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]
) -> tuple[dict[str, Any], PreparedMarket]:
    """Arrays for `formulate` over the plans that matter, and what the tables need beside the solution."""
    return prepare_market(market(instance, before, relax))


def _refuse_dearer_than_owing(
    prices: NDArray[np.float64], owing: NDArray[np.float64], years: NDArray[np.int64]
) -> None:
    """Refuse a price at which everybody would sell what he has and owe all he emits: the reference price is a price too.

    Raises
    ------
    DataError
        With the first year in which an allowance costs more than to owe one.
    """
    dear = prices > owing * (1 + ROUNDING)
    if dear.any():
        t = int(dear.argmax())
        what = f"{prices[t]:g} CNY/t is expected in {years[t]}, and a tonne that is not surrendered costs {owing[t]:g}"
        advice = "The reference price is the market's own before the deadline: state one near the expected price."
        raise DataError("The policy", [Problem("policy.toml", what, advice, "penalty.reference_price_cny_per_t")])


def is_divisible(instance: Instance) -> bool:
    """Whether plans may be mixed."""
    return instance.policy.abatement.divisible_measures


def tables(instance: Instance, solution: Any, prepared: PreparedMarket) -> dict[str, pd.DataFrame]:
    """Result tables: ``years``, ``sector_years``, ``enterprise_years``, ``unit_years``, ``plans``, ``measure_years``."""
    return market_tables(instance, solution, prepared, expected_prices(instance, prepared.baseline.years))
