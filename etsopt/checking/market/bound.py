r"""A lower bound of the cost from multipliers alone, whatever they are.

With the multipliers $\mu_{at}$ of `account_balance`, $\nu_{at} \le 0$ of `offset_limit`, $\omega_{at} \le 0$ of
`newly_owed`, $y_t$ of `market_balance`, $z_t$ of `reserve_stock` and $w_t \le 0$ of `offsets_on_offer`, no answer costs
less than

$$\sum_i \min_{j} \Bigl[ c_j + \sum_t \mu_{at} (E_{jt} - A_{jt}) + (\kappa \nu_{at} + \omega_{at}) E_{jt} \Bigr]
  + \sum_v \min_{\underline v \le v \le \overline v} r_v v + \sum_t (y_t N_t + w_t K_t)$$

over all plans $j$ of every unit and all other variables $v$ with their reduced costs $r_v$ and the bounds that the page
of `clearing` states. Rows of equality take any multiplier; of the others one of the wrong sign counts as zero.

Each variable but offsets leads from one multiplier to another: `etsopt.checking.market.arcs`.

Bounds and sides are those of the instance, widened by what the answer itself misses them by, so no answer that keeps
them as well costs less, its own cost included. Each term is formed with a bound of its rounding, which is taken off.

Where every enterprise has an account of its own, its best whole plan may cost more than any mixture of plans that $\mu$
and $\nu$ allow. There the bound of an enterprise is raised to that of its whole plans: `whole_plans`. What whole plans
cost beyond that the leaves of a tree prove, each a bound of the same kind under masks: `leaves`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import gamma, sum_at_most, total, upward
from etsopt.checking.market.arcs import Nodes, joined, of_accounts, of_market
from etsopt.checking.market.dealings import PlanSizes, Trade
from etsopt.checking.market.search import least_of_all_plans
from etsopt.checking.market.whole_plans import raised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.arcs import Multipliers
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices
    from etsopt.checking.market.leeway import Leeway
    from etsopt.checking.market.restricted import Held, Restricted

REPAIRED = 200_000
"""Up to so many multipliers are repaired together; of more accounts each pays for the rounding of its own tonnes."""


class Bound:
    """Lower bounds of the cost in real numbers at some multipliers, minus infinity where nothing is proven [CNY].

    Without discount factors nothing costs anything; what is missing then counts alone, in tonnes.

    Parameters
    ----------
    own
        Accounts of the program: one for all where trading costs nothing.
    leeway
        By how much bounds and rows may be missed.
    missing_most
        What may be missing in a year, each tonne of it at a cost of one [t].
    """

    def __init__(
        self,
        found: Baseline,
        offered: Choices,
        own: Accounts,
        deal: Terms,
        given: Multipliers,
        leeway: Leeway,
        missing_most: float = 0.0,
    ) -> None:
        self.found, self.offered, self.own = found, offered, own
        stated = bool(np.isfinite(deal.expected).all())
        nodes = Nodes(len(own.emissions), len(found.years), stated)
        market = [] if stated else of_market(found, deal, nodes, leeway, missing_most)
        x = nodes.filled(given)
        limit, due = np.minimum(given.offset_limit, 0.0), np.minimum(given.newly_owed, 0.0)
        if nodes.size <= REPAIRED:
            x = joined([*of_accounts(found, own, deal, nodes, due, leeway), *market]).repaired(x)
        self.need, self.emitted = x[nodes.account], deal.offset_share * limit + due
        offers = np.minimum(given.offsets_on_offer, 0.0)
        price = found.discount * deal.expected if stated else x[nodes.price]
        self.trade = Trade(found, deal, price, found.discount * deal.offset_price - offers, leeway)
        with np.errstate(all="ignore"):
            at = own.of_unit
            self.plans = least_of_all_plans(found, offered, self.need[at], self.emitted[at])
            self.values, self.errors = self.trade.least(own, self.need, limit, due)
            self.sizes = PlanSizes.of(found, offered, own)
            self.errors += self.sizes.error(self.need, np.abs(deal.offset_share * limit) + np.abs(due))
            for_offers = offers * (deal.offset_supply + leeway.offers)
            self.terms, self.rounding = [for_offers], [gamma(4) * np.abs(for_offers)]
            for part in market:
                least, uncertain = joined([part]).least_total(x)
                self.terms, self.rounding = [*self.terms, least], [*self.rounding, uncertain]

    def of_all(self) -> float:
        """What all plans come to, mixed or not."""
        return self._sum([self.plans, self.values], [self.errors])

    def of_whole(self, spent: NDArray[np.float64]) -> float:
        """What whole plans come to where every enterprise has an account of its own.

        Parameters
        ----------
        spent
            What each account comes to at the prices of the market with what it does, at least, shape ``(accounts,)``
            [CNY].
        """
        with np.errstate(all="ignore"):
            at, units = self.own.of_unit, self.sizes.units
            values = self.values + np.bincount(at, self.plans, len(self.values))
            errors = self.errors + gamma(units) * np.bincount(at, np.abs(self.plans), len(self.values))
            at_multipliers, bounds = (self.need, self.emitted), (values, errors)
            least = raised(self.found, self.offered, self.own, self.trade, self.sizes, at_multipliers, bounds, spent)
        return self._sum([least], [])

    def under(self, held: Sequence[Held], restricted: Restricted) -> float:
        """What the plans come to that are left where something is held of some units, infinite where none is left."""
        plans, at = self.plans.copy(), self.own.of_unit
        with np.errstate(all="ignore"):
            units, least = restricted.least(self.found, held, self.need[at], self.emitted[at])
        if (least == np.inf).any():
            return np.inf
        plans[units] = least
        return self._sum([plans, self.values], [self.errors])

    def _sum(self, terms: list[NDArray[np.float64]], rounding: list[NDArray[np.float64]]) -> float:
        with np.errstate(all="ignore"):
            bound, error = total(np.concatenate([*terms, *self.terms]))
            error += sum_at_most(np.concatenate([*rounding, *self.rounding]))
            proven = bound - upward(error, 8)
        return proven if np.isfinite(proven) else -np.inf
