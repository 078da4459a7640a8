r"""Bound the cost from below by multipliers alone, whatever they are.

With the multipliers $\mu_{at}$ of `account_balance`, $\nu_{at} \le 0$ of `offset_limit`, $\omega_{at} \le 0$ of
`newly_owed`, $y_t$ of `market_balance`, $z_t$ of `reserve_stock` and $w_t \le 0$ of `offsets_on_offer`, no answer costs
less than

$$\sum_i \min_{j} \Bigl[ c_j + \sum_t \mu_{at} (E_{jt} - A_{jt}) + (\kappa \nu_{at} + \omega_{at}) E_{jt} \Bigr]
  + \sum_v \min_{\underline v \le v \le \overline v} r_v v + \sum_t (y_t N_t + w_t K_t)$$

over all plans $j$ of every unit and all other variables $v$ with their reduced costs $r_v$ and the bounds on the page
of `clearing`. Equality rows take any multiplier; in the other rows a multiplier of the wrong sign counts as zero.

Each variable but offsets is an arc between two multipliers: `etsopt.checking.market.arcs`.

Bounds and sides are those of the instance, widened by the misses of the answer itself, so no answer that meets
them as well costs less, the answer included. Each term has a bound of its rounding, which is subtracted.

If every enterprise has its own account, its best whole plan may cost more than any mixture of plans at $\mu$
and $\nu$. Then the bound of an enterprise is raised to that of its whole plans: `whole_plans`. The leaves of a
branch-and-bound tree prove the rest of the cost of whole plans, each by a bound of the same kind under masks: `leaves`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import gamma, sum_at_most, total, upward
from etsopt.checking.effort import REPAIRED_MULTIPLIERS_MAX
from etsopt.checking.market.arcs import Nodes, joined, of_accounts, of_market
from etsopt.checking.market.search import least_of_all_plans
from etsopt.checking.market.trade_bounds import Trading
from etsopt.checking.market.whole_plans import raised_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.arrays import Floats
    from etsopt.checking.market.arcs import Multipliers
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.leeway import Leeway
    from etsopt.checking.market.restricted import Branching, Restricted


class Bound:
    """Lower bounds of the cost in real numbers at given multipliers, minus infinity if nothing is proven [CNY].

    Without discount factors nothing has a cost but unmet demand, which then counts in tonnes.

    Parameters
    ----------
    market
        Market of the program, with one pool of all accounts if trading costs nothing.
    given
        Multipliers of its rows.
    leeway
        Amounts by which bounds and rows may be missed.
    unmet_most
        Largest unmet demand of a year, at a cost of one per tonne [t].
    repaired
        The same multipliers at their nodes as another bound repaired them; None to repair them here.
    """

    def __init__(
        self,
        market: Market,
        given: Multipliers,
        leeway: Leeway,
        unmet_most: float = 0.0,
        repaired: Floats | None = None,
    ) -> None:
        self.market, self.leeway = market, leeway
        baseline, accounts, terms = market.baseline, market.accounts, market.terms
        stated = bool(np.isfinite(terms.expected_price).all())
        nodes = Nodes(len(accounts.emissions), len(baseline.years), stated)
        together = [] if stated else of_market(market, nodes, leeway, unmet_most)
        x = nodes.filled(given) if repaired is None else repaired
        limit, due = np.minimum(given.offset_limit, 0.0), np.minimum(given.newly_owed, 0.0)
        if repaired is None and nodes.size <= REPAIRED_MULTIPLIERS_MAX:
            x = joined([*of_accounts(market, nodes, due, leeway), *together]).repaired(x)
        self.repaired = x
        self.demand_dual, self.emission_dual = x[nodes.account], terms.offset_share * limit + due
        offers = np.minimum(given.offsets_on_offer, 0.0)
        price = baseline.discount * terms.expected_price if stated else x[nodes.price]
        self.trading = Trading(market, price, baseline.discount * terms.offset_price - offers, leeway)
        with np.errstate(all="ignore"):
            at = accounts.of_unit
            self.plans = least_of_all_plans(baseline, market.offered, self.demand_dual[at], self.emission_dual[at])
            self.values, self.errors = self.trading.least(accounts, self.demand_dual, limit, due)
            self.sizes = market.sizes
            self.errors += self.sizes.error(self.demand_dual, np.abs(terms.offset_share * limit) + np.abs(due))
            for_offers = offers * (terms.offset_supply + leeway.offers)
            self.summands, self.rounding = [for_offers], [gamma(4) * np.abs(for_offers)]
            for part in together:
                least, uncertain = joined([part]).least_total(x)
                self.summands, self.rounding = [*self.summands, least], [*self.rounding, uncertain]

    def of_all(self) -> float:
        """Return the bound over all plans, mixed or whole."""
        return self._sum([self.plans, self.values], [self.errors])

    def of_whole(self, spent: Floats) -> float:
        """Return the bound over whole plans if every enterprise has its own account.

        Parameters
        ----------
        spent
            Lower bound of each account's cost of its answer at the prices of the market, shape ``(accounts,)``
            [CNY].
        """
        with np.errstate(all="ignore"):
            at, units = self.market.accounts.of_unit, self.sizes.units
            values = self.values + np.bincount(at, self.plans, len(self.values))
            errors = self.errors + gamma(units) * np.bincount(at, np.abs(self.plans), len(self.values))
            at_multipliers, bounds = (self.demand_dual, self.emission_dual), (values, errors)
            least = raised_bounds(self.trading, self.sizes, at_multipliers, bounds, spent)
        return self._sum([least], [])

    def under(self, branchings: Sequence[Branching], restricted: Restricted) -> float:
        """Return the bound over the plans that the branchings leave, infinite if a unit has none left."""
        plans, at = self.plans.copy(), self.market.accounts.of_unit
        at_multipliers = self.demand_dual[at], self.emission_dual[at]
        with np.errstate(all="ignore"):
            units, least = restricted.least(self.market.baseline, branchings, *at_multipliers)
        if (least == np.inf).any():
            return np.inf
        plans[units] = least
        return self._sum([plans, self.values], [self.errors])

    def _sum(self, summands: list[Floats], rounding: list[Floats]) -> float:
        with np.errstate(all="ignore"):
            bound, error = total(np.concatenate([*summands, *self.summands]))
            error += sum_at_most(np.concatenate([*rounding, *self.rounding]))
            proven = bound - upward(error, 8)
        return proven if np.isfinite(proven) else -np.inf
