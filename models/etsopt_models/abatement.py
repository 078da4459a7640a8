r"""Responses of enterprises to prices: abate, buy, sell, bank or pay the penalty (mixed-integer program over years).

Every enterprise takes the price path of the policy as given. Symbols, plans and bounds are those of `clearing`; $\pi_t$
is the expected price of year $t$, discounted. There is no balance of the market: at that price every account buys and
sells the tonnes it needs, including those that rounding to whole tonnes took from it. So auctions, other sectors and
the reserve play no part, and no account has to hold allowances for them. Offsets on offer, $K_t$, are one offer for all
accounts together, whatever trading costs. So one account for all gives the same answer as one account for each
enterprise does when the transaction cost goes to zero.

.. formulation:: plans_and_accounts formulate

In self-balancing years, as in `clearing`, the free allowances of a plan are those that the rule gives for the plan's own
emissions and intensity, at the balance value of the sector after abatement. Later allowances are lump sums.

**Marginal incentive.** The table `unit_years` states the gain per tonne abated. Under a lump sum it is the price. While
allowances follow emissions, it depends on the process:

- in the process on which intensity is measured it is $\pi [\sigma E / (V Q) - \alpha]$ between the caps, which is
  $\sigma \pi (2I/V - 1)$ if the whole unit is that process;
- elsewhere, and for a unit at a cap, it is $-\alpha \pi$: a unit at the upper cap, with a surplus, *loses* by abating.

**Duals.** The dual of `account_balance` is the discounted cost of one more tonne of need to the account. Minus the dual
of `offsets_on_offer` is the saving from one more offset on offer, if several accounts share them; with one account for
all, the offer is a bound. References: as in `clearing`; rule and worked examples of the 2026 plan, consultation draft
of 27 July 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.modelling import PreparedModel
from etsopt_models._columns.whole_plans import prepare_market
from etsopt_models._market.accounts import expected_prices, outstanding_cost
from etsopt_models._market.balance_values import next_balance_values
from etsopt_models._market.baseline import baseline_of
from etsopt_models._market.column_generation import is_divisible, market_of
from etsopt_models._market.tables import market_tables
from etsopt_models._tolerances import OUTSTANDING_PRICE_ROUNDING_RELATIVE
from etsopt_models.clearing import plans_and_accounts, private_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import Market, PreparedMarket

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
    "pathway.self_balancing_until",
)
"""Keys and sections of the policy, beside those of the model it starts from."""


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
    """Return the market: its program over any plans, and its relaxation."""
    baseline = baseline_of(instance, before)
    prices = expected_prices(instance, baseline.years)
    _refuse_price_above_outstanding_cost(
        prices, outstanding_cost(instance, baseline) / baseline.discount, baseline.years
    )
    return market_of(instance, baseline, relax, {"price": baseline.discount * prices}, market=False)


def prepare(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> PreparedMarket:
    """Return the market with arrays for `formulate` over the plans that matter."""
    return prepare_market(market(instance, before, relax))


def _refuse_price_above_outstanding_cost(
    prices: NDArray[np.float64], per_outstanding_t: NDArray[np.float64], years: NDArray[np.int64]
) -> None:
    """Refuse a price at which every account would sell all its holdings and surrender nothing.

    Raises
    ------
    DataError
        With the first year in which an allowance costs more than an outstanding tonne.
    """
    dear = prices > per_outstanding_t * (1 + OUTSTANDING_PRICE_ROUNDING_RELATIVE)
    if dear.any():
        t = int(dear.argmax())
        limits = _("expected at most {most:g} CNY/t, got {price:g}", most=per_outstanding_t[t], price=prices[t])
        what = _(
            "the price of {years} exceeds the cost of a tonne outstanding: {limits}", years=years[t], limits=limits
        )
        advice = _("State a reference price near the expected price: it is the market's own before the deadline.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "penalty.reference_price_cny_per_t")])


def tables(instance: Instance, solution: Any, prepared: PreparedMarket) -> dict[str, pd.DataFrame]:
    """Return the tables by year, sector, enterprise, unit and measure, with plans and proofs."""
    return market_tables(instance, solution, prepared, expected_prices(instance, prepared.baseline.years))


MODEL = PreparedModel(
    formulate=formulate,
    prepare=prepare,
    tables=tables,
    starts_from="allocation",
    next_pass=next_balance_values,
    is_divisible=is_divisible,
    gap=1e-4,
    reads=READS,
)
