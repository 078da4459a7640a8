"""A market: its program over a pool of plans, and the data prepared before it is solved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.modelling import Prepared
from etsopt_models._market.accounts import (
    Accounts,
    account_parameters,
    accounts_of,
    market_parameters,
    offsets_on_offer,
)
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._tolerances import CHOSEN_SHARE_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.column_pool import PlanColumns


@dataclass(frozen=True)
class Shortage:
    """A market that cannot clear: unmet demand by year [t], and the multipliers that prove it."""

    unmet: NDArray[np.float64]
    multipliers: Mapping[str, NDArray[np.float64]]
    name: str = "unmet_demand"
    unit: str = "t"
    algorithm: str = "prices over all plans"

    @property
    def value(self) -> float:
        """Least unmet demand of all years together [t]."""
        return float(self.unmet.sum())


class OtherEnd(NamedTuple):
    """The relaxation of a market at another terminal price.

    Parameters
    ----------
    multipliers
        Multipliers by row.
    pool, share
        Chosen plans and their shares, which add up to one for every unit.
    flows
        Values of trades and stocks by variable [t].
    gap
        Cost above the bound at the multipliers [CNY].
    """

    multipliers: Mapping[str, NDArray[np.float64]]
    pool: ColumnPool
    share: NDArray[np.float64]
    flows: Mapping[str, NDArray[np.float64]]
    gap: float


@dataclass(frozen=True)
class PreparedMarket(Prepared):
    """A market whose program is ready to be solved.

    Parameters
    ----------
    pool, accounts
        Plans among which the program chooses; accounts of the market.
    multipliers
        Multipliers by row that bound the cost; None if they are those of the program.
    ends
        More multipliers, one set for each end of a year's price interval that differs from the price.
    shortage
        Unmet demand if the market cannot clear; else None.
    full_pool
        One plan of every unit, fixed beforehand except in the pool; None if the pool holds all units.
    core
        Units of the pool by their position among all, shape ``(units of the pool,)``.
    expand
        A function that extends a solution of the core to all accounts; None if the program has all of them.
    tree
        Leaves and multipliers that bound the cost of integer plans; None if plans may be mixed.
    at_terminal_price
        A function that returns the relaxation at another terminal price [CNY/t]; None if trading has a cost.
    prices
        Prices found by a search, as `Market.start`; None without one.
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
    at_terminal_price: Callable[[float], OtherEnd | None] | None = None
    prices: pd.DataFrame | None = None

    @property
    def baseline(self) -> Baseline:
        """The baseline of every unit."""
        return (self.full_pool or self.pool).plans.baseline

    def chosen_plans(self, choice: NDArray[np.float64]) -> tuple[ColumnPool, NDArray[np.float64]]:
        """Return the chosen plans and their shares, which add up to one for every unit.

        Parameters
        ----------
        choice
            Share of each plan of the program, with the solver's rounding.
        """
        kept = np.where(choice > CHOSEN_SHARE_MIN, choice, 0.0)[: len(self.pool.unit)]
        kept = np.where(np.abs(kept - np.round(kept)) < CHOSEN_SHARE_MIN, np.round(kept), kept)
        chosen = self.pool.select(kept > 0)
        share = kept[kept > 0]
        share /= np.add.reduceat(share, chosen.first)[chosen.unit]
        if self.full_pool is None or self.core is None:
            return chosen, share
        others = np.ones(len(self.full_pool.unit), dtype=bool)
        others[self.core] = False
        rest = self.full_pool.select(others)
        unit = np.concatenate([rest.unit, self.core[chosen.unit]])
        order = np.argsort(unit, kind="stable")
        quantities = rest.quantities.followed_by(chosen.quantities).select(order)
        both = ColumnPool(rest.plans, unit[order], np.concatenate([rest.sets, chosen.sets])[order], quantities)
        return both, np.concatenate([np.ones(len(rest.unit)), share])[order]


@dataclass(frozen=True)
class Market:
    """The program of a market over any plans.

    Parameters
    ----------
    baseline, accounts
        Baseline of all units; accounts, with that of each unit of the pools.
    relax
        Solver of the program: `etsopt.running.model_inputs.Relaxation`.
    extra
        Parameters beside those of plans and accounts.
    rest
        Total plan of the units whose plans are fixed, on each account.
    start
        Prices of the pass before, with which a search for them starts: ``price`` of allowances and ``scarcity`` of
        offsets, a row for each year [CNY/t]; None in the first pass.
    """

    instance: Instance
    baseline: Baseline
    accounts: Accounts
    relax: Any
    extra: Mapping[str, Any]
    rest: PlanColumns | None = None
    start: pd.DataFrame | None = None

    @property
    def net_demand(self) -> NDArray[np.float64]:
        """Net demand of accounts before the units that still choose abate, shape ``(accounts, years)`` [t]."""
        net_demand = self.accounts.emissions - self.accounts.allowance
        return net_demand if self.rest is None else net_demand - self.rest.demand_reduction

    @property
    def balanced_in_sum(self) -> Market:
        """The market in which a plan gets its emissions in self-balancing years: none of them frees allowances.

        A sector's allowances, free and paid, equal its emissions in such a year, whatever the balance value, and other
        allowances do not depend on it. So if this market cannot clear, no balance value clears it.
        """
        baseline = self.baseline.balanced_in_sum
        pooled, has_rows = self.instance.policy.market.transaction_cost_cny_per_t == 0, "supply" in self.extra
        accounts = accounts_of(self.instance, baseline, pooled=pooled, market=has_rows)
        arrays = {**self.extra, **(market_parameters(self.instance, baseline) if has_rows else {})}
        return replace(self, baseline=baseline, accounts=accounts, extra=arrays)

    def of(self, units: NDArray[np.int64], rest: PlanColumns | None) -> Market:
        """Return the market in which some units choose beside the rest, on the same accounts."""
        return replace(self, accounts=replace(self.accounts, of_unit=self.accounts.of_unit[units]), rest=rest)

    def parameters(self, pool: ColumnPool, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the arrays of the program in which units choose among a pool of plans."""
        arrays: dict[str, Any] = account_parameters(self.instance, self.baseline, pool.columns, self.accounts)
        if self.rest is not None:
            arrays["net_demand"], arrays["emissions"] = self.net_demand, self.accounts.emissions - self.rest.abated
            arrays["chosen_cost"] = float(self.rest.cost[0])
        return {**arrays, **self.extra, **(changes or {})}


def is_divisible(instance: Instance) -> bool:
    """Return True if a unit may mix plans."""
    return instance.policy.abatement.divisible_measures


def market_of(
    instance: Instance,
    baseline: Baseline,
    relax: Callable[..., Any],
    extra: Mapping[str, Any] | None = None,
    *,
    market: bool,
) -> Market:
    """Return a market of all units.

    Parameters
    ----------
    relax
        Solver of the linear relaxation with given parameters; its levels hold the multipliers.
    extra
        Parameters of the model itself.
    market
        True if the market's rows are part of the program.
    """
    pooled = instance.policy.market.transaction_cost_cny_per_t == 0
    arrays = {**(market_parameters(instance, baseline) if market else {}), **(extra or {})}
    arrays["offset_supply"] = offsets_on_offer(instance, baseline)
    return Market(instance, baseline, accounts_of(instance, baseline, pooled=pooled, market=market), relax, arrays)


def unit_prices(
    instance: Instance, accounts: Accounts, multipliers: Mapping[str, NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cost to each unit of a tonne of net demand and of a tonne emitted [CNY/t].

    Shapes ``(units, years)``, or ``(1, years)`` if all share one account.
    """
    shape = accounts.emissions.shape
    need = multipliers["account_balance"].reshape(shape)
    emitted = instance.policy.market.ccer_share * multipliers["offset_limit"].reshape(shape)
    if len(multipliers["newly_owed"]):
        emitted = emitted + multipliers["newly_owed"].reshape(shape)
    return (need, emitted) if len(need) == 1 else (need[accounts.of_unit], emitted[accounts.of_unit])


def market_prices(baseline: Baseline, multipliers: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the price of an allowance in CNY of each year: the cost added by one tonne less on offer [CNY/t]."""
    prices: NDArray[np.float64] = -multipliers["market_balance"] / baseline.discount
    return prices
