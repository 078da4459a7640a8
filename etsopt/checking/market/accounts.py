"""What every enterprise, or all as one, holds at the beginning and may hold, deal and owe; terms of the market."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking import plan
from etsopt.data.yearly import by_year
from etsopt.units import whole_tonnes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.market.baseline import Baseline
    from etsopt.data.instance import Instance


@dataclass(frozen=True)
class Accounts:
    """Accounts before anything is decided, shape ``(accounts, years)`` where not said otherwise [t].

    Parameters
    ----------
    labels
        Enterprise of each account; one empty label for all of them together.
    of_unit
        Account of each unit, shape ``(units,)``.
    opening
        Held at the beginning, shape ``(accounts,)``.
    emissions
        Before abatement.
    free_most
        Free allowances at most.
    borrowed_most
        How far a year's end may fall below zero: by what is issued in advance for the next year, not in the last.
    pressed
        What other sectors and the reserve may leave for it to hold, shape ``(accounts,)``.
    """

    labels: NDArray[np.object_]
    of_unit: NDArray[np.int64]
    opening: NDArray[np.float64]
    emissions: NDArray[np.float64]
    free_most: NDArray[np.float64]
    borrowed_most: NDArray[np.float64]
    pressed: NDArray[np.float64]

    @property
    def later(self) -> NDArray[np.float64]:
        """Emissions from each year on."""
        later: NDArray[np.float64] = np.cumsum(self.emissions[:, ::-1], axis=1)[:, ::-1]
        return later

    @property
    def so_far(self) -> NDArray[np.float64]:
        """Emissions up to each year."""
        so_far: NDArray[np.float64] = np.cumsum(self.emissions, axis=1)
        return so_far

    @property
    def gained(self) -> NDArray[np.float64]:
        """What has been held at the beginning or given up to each year, at most."""
        gained: NDArray[np.float64] = self.opening[:, None] + np.cumsum(self.free_most, axis=1)
        return gained

    @property
    def dealt(self) -> NDArray[np.float64]:
        """What can be bought more than is sold in each year, or sold more than is bought, at most.

        The holding rises or falls at most from one of its limits to the other; allowances and a year's obligation come
        on top of it.
        """
        before = np.column_stack([np.zeros(len(self.opening)), self.borrowed_most[:, :-1]])
        return self.gained + self.later[:, :1] + self.pressed[:, None] + self.borrowed_most + before

    @property
    def held_most(self) -> NDArray[np.float64]:
        """What may be held at the end of each year, at most."""
        return self.gained + self.later - self.emissions + self.pressed[:, None]

    def total(self, of_units: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over the units of each account."""
        total = np.empty((len(self.labels), of_units.shape[1]))
        for year, values in enumerate(of_units.T):
            total[:, year] = np.bincount(self.of_unit, values, len(self.labels))
        return total


def accounts(instance: Instance, found: Baseline, kind: str) -> Accounts:
    """Accounts of the enterprises, by their names."""
    enterprise = instance.labels("enterprise_id")
    labels = enterprise.names
    free_most = np.where(found.follows, found.emissions * (1 + found.cap), found.given) * (1 - found.paid_share)
    # What is issued in advance for a year is its own share of the emissions of the year before.
    borrowed = plan.advance_shares(instance, found.years + 1) * found.emissions
    if not instance.policy.market.borrow_pre_allocation:
        borrowed = 0 * borrowed
    borrowed[:, -1] = 0.0
    nothing = np.zeros(len(labels))
    none = nothing[:, None]
    own = Accounts(labels, enterprise.code, _opening(instance, labels), none, none, none, nothing)
    emissions, most, ahead = (own.total(part) for part in (found.emissions, free_most, borrowed))
    pressed = nothing if kind == "abatement" else _pressed(instance, found, emissions.sum(axis=1))
    return replace(own, emissions=emissions, free_most=most, borrowed_most=ahead, pressed=pressed)


def _pressed(instance: Instance, found: Baseline, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """What others may leave to accounts, each by its share of all emissions: price takers deal with nobody."""
    market = instance.policy.market
    left = float(np.maximum(-by_year(market.external_demand_t, found.years, 0.0), 0.0).sum()) + market.reserve_t
    total = float(emissions.sum())
    return left * emissions / total if total > 0 else np.full(len(emissions), left / len(emissions))


def together(own: Accounts) -> Accounts:
    """One account for all."""
    parts = (own.opening, own.emissions, own.free_most, own.borrowed_most, own.pressed)
    opening, emissions, most, ahead, pressed = (part.sum(axis=0, keepdims=True) for part in parts)
    nobody = np.array([""], dtype=object)
    return Accounts(nobody, np.zeros_like(own.of_unit), opening, emissions, most, ahead, pressed)


def _opening(instance: Instance, labels: NDArray[np.object_]) -> NDArray[np.float64]:
    """Vintages from 2025 on in full, earlier ones by the rule of conversion, in whole tonnes rounded down.

    Years up to 2024 are settled with vintages up to 2024, all of them.
    """
    if instance.enterprises is None:
        return np.zeros(len(labels))
    table = instance.enterprises.set_index("enterprise_id").reindex(labels)
    nothing = np.zeros(len(labels))
    held = {name: np.nan_to_num(table[name].to_numpy(dtype=float)) for name in table if name.startswith("opening_")}
    sold = np.nan_to_num(table["net_sales_t"].to_numpy(dtype=float)) if "net_sales_t" in table else nothing
    old = sum((held.get(f"opening_{vintage}_t", nothing) for vintage in range(2019, 2025)), nothing)
    if instance.policy.year < plan.CARRY_OVER_YEAR:
        return np.asarray(old, dtype=float)
    limit = plan.most_carried_over(instance, labels, sold)
    new = sum((held.get(f"opening_{vintage}_t", nothing) for vintage in (2025, 2026)), nothing)
    return whole_tonnes(np.minimum(old, limit)) + new


@dataclass(frozen=True)
class Terms:
    """Terms at which accounts deal, shape ``(years,)`` where not said otherwise; CNY of each year and tonnes.

    Parameters
    ----------
    friction, offset_price
        Cost of each side of a trade, and of an offset [CNY/t].
    owing
        Cost of a tonne owed at the end of each year, the last with the purchase after it; infinite where no reference
        price is stated [CNY/t].
    worth
        Of a tonne held at the end of the last year, a number [CNY/t].
    offset_share, offset_supply
        Share of the obligation that offsets may settle, a number; offsets on offer [t].
    expected
        Price that enterprises take as given; NaN where there is a market [CNY/t].
    auctioned, remainder, demand
        Allowances in auctions, those among them that make up for rounding, and what other sectors take, less what they
        bring [t].
    floor, ceiling
        Prices of the reserve; zero and infinite where there is none [CNY/t].
    reserve, capacity
        In the reserve at the beginning, and the most that it deals or holds, numbers [t].
    """

    friction: NDArray[np.float64]
    offset_price: NDArray[np.float64]
    owing: NDArray[np.float64]
    worth: float
    offset_share: float
    offset_supply: NDArray[np.float64]
    expected: NDArray[np.float64]
    auctioned: NDArray[np.float64]
    remainder: NDArray[np.float64]
    demand: NDArray[np.float64]
    floor: NDArray[np.float64]
    ceiling: NDArray[np.float64]
    reserve: float
    capacity: float


def terms(instance: Instance, found: Baseline, kind: str, remainder: NDArray[np.float64]) -> Terms:
    """Terms of a policy, and what is offered to make up for rounding."""
    market, penalty, years = instance.policy.market, instance.policy.penalty, found.years
    owing = penalty.multiple * by_year(penalty.reference_price_cny_per_t, years, np.inf)
    owing[-1] *= 1 + 1 / penalty.multiple
    demand = by_year(market.external_demand_t, years, 0.0)
    nothing = np.zeros(len(years))
    return Terms(
        nothing + market.transaction_cost_cny_per_t,
        by_year(market.ccer_price_cny_per_t, years, 0.0),
        owing,
        market.terminal_price_cny_per_t,
        market.ccer_share,
        by_year(market.ccer_supply_t, years, 0.0),
        by_year(market.prices_cny_per_t, years) if kind == "abatement" else nothing + np.nan,
        by_year(market.auctioned_t, years, 0.0) + found.paid_share * found.given.sum(axis=0) + remainder,
        remainder,
        demand,
        by_year(market.floor_price_cny_per_t, years, 0.0),
        by_year(market.ceiling_price_cny_per_t, years, np.inf),
        market.reserve_t,
        market.reserve_t + float(found.emissions.sum()),
    )
