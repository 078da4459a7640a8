"""A market: its program over some plans of its units, and what is found before that is solved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._market.accounts import (
    Accounts,
    account_parameters,
    accounts_of,
    market_parameters,
    offsets_on_offer,
)
from etsopt_models._market.column_pool import ColumnPool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.column_pool import PlanColumns

ENOUGH = 1e-10
"""A total that all plans together could win, against the cost, which is none."""

UNMET_T = 2e-2
"""What is unmet by rounding alone is nothing: what a total may miss."""

TYPICAL_CNY_PER_T = 100.0
"""A price of an allowance, by which costs are scaled; any other of its size does as well."""

CHOSEN = 1e-9
"""Share of a plan that is chosen; less is rounding."""


@dataclass(frozen=True)
class Shortage:
    """A market that cannot clear: what is unmet in each year [t], and the multipliers that prove it."""

    unmet: NDArray[np.float64]
    multipliers: Mapping[str, NDArray[np.float64]]
    name: str = "unmet_demand"
    unit: str = "t"
    algorithm: str = "prices over all plans"

    @property
    def value(self) -> float:
        """What is unmet in all years together, at least [t]."""
        return float(self.unmet.sum())


@dataclass(frozen=True)
class PreparedMarket:
    """What was prepared before the program of a market was solved.

    Parameters
    ----------
    portfolio, accounts
        Plans among which the program chooses; accounts that deal.
    multipliers
        By row, those that bound the cost; None where they are those of the program.
    ends
        More of them, with the least and the greatest price of each year where it is not the price itself.
    shortage
        What is unmet where the market cannot clear; else None.
    everyone
        Plan of every unit, chosen beforehand for all but those of the portfolio; None where the portfolio is of all.
    core
        Units of the portfolio among all, shape ``(units of the portfolio,)``.
    widened
        A function that makes of a solution of the core one of all accounts; None where the program has all of them.
    tree
        Leaves and multipliers that prove how much better whole plans can be; None where plans may be mixed.
    gave_way
        Why prices did not suffice, so that the program is that of all units, as a clause; empty where they did.
    """

    pool: ColumnPool
    accounts: Accounts
    multipliers: Mapping[str, NDArray[np.float64]] | None = None
    ends: tuple[Mapping[str, NDArray[np.float64]], ...] = ()
    shortage: Shortage | None = None
    full_pool: ColumnPool | None = None
    core: NDArray[np.int64] | None = None
    expand: Any = None
    tree: Any = None
    gave_way: str = ""

    @property
    def stopped(self) -> str:
        """Why the search for plans, or for their proof, was stopped; empty where it came to its end."""
        return "" if self.tree is None else str(self.tree.stopped)

    @property
    def baseline(self) -> Baseline:
        """What lies before every unit."""
        return (self.full_pool or self.pool).plans.baseline

    def chosen_plans(self, choice: NDArray[np.float64]) -> tuple[ColumnPool, NDArray[np.float64]]:
        """The plans that are chosen, and the share of each, which add up to one at every unit.

        Parameters
        ----------
        choice
            Of each plan of the program, rounding included.
        """
        kept = np.where(choice > CHOSEN, choice, 0.0)[: len(self.pool.unit)]
        kept = np.where(np.abs(kept - np.round(kept)) < CHOSEN, np.round(kept), kept)
        chosen = self.pool.kept(kept > 0)
        share = kept[kept > 0]
        share /= np.add.reduceat(share, chosen.first)[chosen.unit]
        if self.full_pool is None or self.core is None:
            return chosen, share
        others = np.ones(len(self.full_pool.unit), dtype=bool)
        others[self.core] = False
        rest = self.full_pool.kept(others)
        unit = np.concatenate([rest.unit, self.core[chosen.unit]])
        order = np.argsort(unit, kind="stable")
        quantities = rest.quantities.beside(chosen.quantities).kept(order)
        both = ColumnPool(rest.plans, unit[order], np.concatenate([rest.sets, chosen.sets])[order], quantities)
        return both, np.concatenate([np.ones(len(rest.unit)), share])[order]


@dataclass(frozen=True)
class Market:
    """The program of a market over any plans.

    Parameters
    ----------
    found, own
        What lies before all units; accounts, with that of each unit of the menus.
    relax
        Has the program solved: `etsopt.running.model_inputs.Relaxation`.
    more
        Parameters beside those of plans and accounts.
    rest
        What those come to together who have chosen already, on one account.
    """

    instance: Instance
    baseline: Baseline
    accounts: Accounts
    relax: Any
    extra: Mapping[str, Any]
    rest: PlanColumns | None = None

    @property
    def net_demand(self) -> NDArray[np.float64]:
        """What accounts lack before those abate who are still to choose, shape ``(accounts, years)`` [t]."""
        net_demand = self.accounts.emissions - self.accounts.allowance
        return net_demand if self.rest is None else net_demand - self.rest.demand_reduction

    def of(self, units: NDArray[np.int64], rest: PlanColumns | None) -> Market:
        """The market in which some units choose beside the rest, on the same accounts."""
        return replace(self, accounts=replace(self.accounts, of_unit=self.accounts.of_unit[units]), rest=rest)

    def parameters(self, pool: ColumnPool, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Arrays of the program in which units choose among some plans."""
        arrays: dict[str, Any] = account_parameters(self.instance, self.baseline, pool.columns, self.accounts)
        if self.rest is not None:
            arrays["net_demand"], arrays["emissions"] = self.net_demand, self.accounts.emissions - self.rest.abated
            arrays["chosen_cost"] = float(self.rest.cost[0])
        return {**arrays, **self.extra, **(changes or {})}


def market_of(
    instance: Instance,
    baseline: Baseline,
    relax: Callable[..., Any],
    extra: Mapping[str, Any] | None = None,
    *,
    market: bool,
) -> Market:
    """A market of all units.

    Parameters
    ----------
    relax
        Solves the linear relaxation of the program with some parameters; its levels hold the multipliers.
    more
        Parameters of the model's own.
    market
        Whether the market's rows are part of the program.
    """
    pooled = instance.policy.market.transaction_cost_cny_per_t == 0
    arrays = {**(market_parameters(instance, baseline) if market else {}), **(extra or {})}
    arrays["offset_supply"] = offsets_on_offer(instance, baseline)
    return Market(instance, baseline, accounts_of(instance, baseline, pooled=pooled, market=market), relax, arrays)


def unit_prices(
    instance: Instance, accounts: Accounts, multipliers: Mapping[str, NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a tonne that lacks, and one that is emitted, costs each unit [CNY/t].

    Shapes ``(units, years)``, or ``(1, years)`` where all share one account.
    """
    shape = accounts.emissions.shape
    need = multipliers["account_balance"].reshape(shape)
    emitted = instance.policy.market.ccer_share * multipliers["offset_limit"].reshape(shape)
    if len(multipliers["newly_owed"]):
        emitted = emitted + multipliers["newly_owed"].reshape(shape)
    return (need, emitted) if len(need) == 1 else (need[accounts.of_unit], emitted[accounts.of_unit])


def market_prices(baseline: Baseline, multipliers: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Price of an allowance in CNY of each year: what one tonne less on offer adds to the cost [CNY/t]."""
    prices: NDArray[np.float64] = -multipliers["market_balance"] / baseline.discount
    return prices
