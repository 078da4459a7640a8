"""Derive the opening, limits of holdings and trades, and obligations of every account, and the terms of trade."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import by_year, whole
from etsopt.checking.readings.path import banks as banks_of_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.instance_inputs import InstanceInputs


@dataclass(frozen=True)
class Accounts:
    """Accounts before any decision, shape ``(accounts, years)`` unless stated otherwise [t].

    Parameters
    ----------
    labels
        Enterprise of each account; one empty label for the pool of all accounts.
    of_unit
        Account of each unit, shape ``(units,)``.
    opening
        Holdings at the beginning, shape ``(accounts,)``.
    emissions
        Emissions before abatement.
    free_most
        Largest free allocation.
    borrowed_most
        Largest negative balance at the end of a year: the pre-allocation of the next year, zero in the last year.
    external_supply
        Largest holdings that come from other sectors and the reserve, shape ``(accounts,)``.
    """

    labels: NDArray[np.object_]
    of_unit: Ints
    opening: Floats
    emissions: Floats
    free_most: Floats
    borrowed_most: Floats
    external_supply: Floats

    @property
    def later(self) -> Floats:
        """Emissions from each year on."""
        return np.asarray(np.cumsum(self.emissions[:, ::-1], axis=1)[:, ::-1])

    @property
    def so_far(self) -> Floats:
        """Emissions up to each year."""
        return np.asarray(np.cumsum(self.emissions, axis=1))

    @property
    def gained(self) -> Floats:
        """Largest holdings from the opening and free allocation up to each year."""
        return np.asarray(self.opening[:, None] + np.cumsum(self.free_most, axis=1))

    @property
    def traded_most(self) -> Floats:
        """Largest net purchase or net sale of each year.

        The holdings rise or fall at most from one of their limits to the other; the free allocation and the year's
        obligation come on top.
        """
        before = np.column_stack([np.zeros(len(self.opening)), self.borrowed_most[:, :-1]])
        return self.gained + self.later[:, :1] + self.external_supply[:, None] + self.borrowed_most + before

    @property
    def held_most(self) -> Floats:
        """Largest holdings at the end of each year."""
        return self.gained + self.later - self.emissions + self.external_supply[:, None]

    def total(self, of_units: Floats) -> Floats:
        """Return the sum over the units of each account."""
        total = np.empty((len(self.labels), of_units.shape[1]))
        for year, values in enumerate(of_units.T):
            total[:, year] = np.bincount(self.of_unit, values, len(self.labels))
        return total


def derive_accounts(instance: InstanceInputs, baseline: Baseline, kind: str) -> Accounts:
    """Return the accounts of the enterprises, by their names."""
    enterprise = instance.labels("enterprise_id")
    labels = enterprise.names
    free_most = np.where(
        baseline.follows,
        baseline.emissions * (1 + baseline.cap) * baseline.free_share,
        baseline.given * (1 - baseline.paid_share),
    )
    # The pre-allocation of a year is its share of the emissions of the year before.
    borrowed = plan.advance_shares(instance, baseline.years + 1) * baseline.emissions
    if not instance.policy.market.borrow_pre_allocation:
        borrowed = np.zeros_like(borrowed)
    borrowed[:, -1] = 0.0
    # A year that takes nothing from the year before lends it nothing.
    borrowed = np.where(kept_at_end(instance, baseline.years, kind), borrowed, 0.0)
    zeros = np.zeros(len(labels))
    none = zeros[:, None]
    accounts = Accounts(labels, enterprise.code, _opening(instance, labels), none, none, none, zeros)
    emissions, most, ahead = (accounts.total(part) for part in (baseline.emissions, free_most, borrowed))
    external_supply = zeros if kind == "abatement" else _external_supply(instance, baseline, emissions.sum(axis=1))
    return replace(accounts, emissions=emissions, free_most=most, borrowed_most=ahead, external_supply=external_supply)


def kept_at_end(instance: InstanceInputs, years: Ints, kind: str) -> Mask:
    """Return True in years at whose end allowances may be kept: all but those that a path excludes."""
    return banks_of_path(instance, years) if kind == "pathway" else np.ones(len(years), dtype=bool)


def _external_supply(instance: InstanceInputs, baseline: Baseline, emissions: Floats) -> Floats:
    """Return the external supply to each account, by its share of emissions; price takers have none."""
    sold = float(np.maximum(-_external_demand(instance, baseline), 0.0).sum())
    left = sold + instance.policy.market.reserve_t
    total = float(emissions.sum())
    return left * emissions / total if total > 0 else np.full(len(emissions), left / len(emissions))


def _external_demand(instance: InstanceInputs, baseline: Baseline) -> Floats:
    """Return the demand of other sectors in each year, below zero for a supply, shape ``(years,)`` [t]."""
    return by_year(instance.policy.market.external_demand_t, baseline.years, 0.0)


def pool_accounts(accounts: Accounts) -> Accounts:
    """Return the pool of all accounts as one account."""
    parts = (accounts.opening, accounts.emissions, accounts.free_most, accounts.borrowed_most, accounts.external_supply)
    opening, emissions, most, ahead, external_supply = (part.sum(axis=0, keepdims=True) for part in parts)
    no_label = np.array([""], dtype=object)
    return Accounts(no_label, np.zeros_like(accounts.of_unit), opening, emissions, most, ahead, external_supply)


def _in_accounts(instance: InstanceInputs) -> float:
    """Return all holdings of the table of enterprises [t]."""
    if (table := instance.enterprises) is None:
        return 0.0
    return float(sum(np.nansum(table[name].to_numpy(dtype=float)) for name in table if name.startswith("opening_")))


def _opening(instance: InstanceInputs, labels: NDArray[np.object_]) -> Floats:
    """Return the opening holdings: vintages from 2025 on in full, earlier ones by the carry-over rule, rounded down.

    For years up to 2024, vintages up to 2024 count in full.
    """
    if instance.enterprises is None:
        return np.zeros(len(labels))
    table = instance.enterprises.set_index("enterprise_id").reindex(labels)
    zeros = np.zeros(len(labels))
    stated = {name: np.nan_to_num(table[name].to_numpy(dtype=float)) for name in table if name.startswith("opening_")}
    sold = np.nan_to_num(table["net_sales_t"].to_numpy(dtype=float)) if "net_sales_t" in table else zeros
    old = sum((stated.get(f"opening_{vintage}_t", zeros) for vintage in range(2019, 2025)), zeros)
    if instance.policy.year < plan.CARRY_OVER_YEAR:
        return np.asarray(old, dtype=float)
    limit = plan.most_carried_over(instance, labels, sold)
    new = sum((held for name, held in stated.items() if int(name[8:12]) >= plan.CARRY_OVER_YEAR), zeros)
    return whole(np.minimum(old, limit)) + new


@dataclass(frozen=True)
class TradeTerms:
    """Terms of trade, shape ``(years,)`` unless stated otherwise; CNY of each year and tonnes.

    Parameters
    ----------
    transaction_cost, offset_price
        Cost of each side of a trade, and of an offset [CNY/t].
    outstanding_cost
        Cost of a tonne outstanding at the end of each year, in the last with its later purchase; infinite without a
        reference price [CNY/t].
    terminal_price
        Value of a tonne left at the end of the last year, a number, zero where it lapses [CNY/t].
    offset_share, offset_supply
        Share of the obligation that offsets may meet, a number; offsets on offer [t].
    expected_price
        Price that enterprises take as given; NaN in a market [CNY/t].
    auctioned, remainder, demand
        Auctioned allowances, the part of them that makes up for rounding, and external demand less external supply [t].
    floor, ceiling
        Prices of the reserve; zero and infinite without one [CNY/t].
    reserve, capacity
        Reserve at the beginning, and limit of its trades and its stock, numbers [t].
    banks
        True in years at whose end allowances may be kept; in others what is left lapses.
    states_price
        Whether the policy states the price: enterprises take it as given, or a part of the nation trades outside at it.
    """

    transaction_cost: Floats
    offset_price: Floats
    outstanding_cost: Floats
    terminal_price: float
    offset_share: float
    offset_supply: Floats
    expected_price: Floats
    auctioned: Floats
    remainder: Floats
    demand: Floats
    floor: Floats
    ceiling: Floats
    reserve: float
    capacity: float
    banks: Mask
    states_price: bool


def derive_terms(instance: InstanceInputs, baseline: Baseline, kind: str, remainder: Floats) -> TradeTerms:
    """Return the terms of a policy, with the allowances offered to make up for rounding."""
    market, penalty, years = instance.policy.market, instance.policy.penalty, baseline.years
    outstanding_cost = penalty.multiple * by_year(penalty.reference_price_cny_per_t, years, np.inf)
    outstanding_cost[-1] *= 1 + 1 / penalty.multiple
    zeros, banks = np.zeros(len(years)), kept_at_end(instance, years, kind)
    return TradeTerms(
        zeros + market.transaction_cost_cny_per_t,
        by_year(market.ccer_price_cny_per_t, years, 0.0),
        outstanding_cost,
        market.terminal_price_cny_per_t if banks[-1] else 0.0,
        market.ccer_share,
        by_year(market.ccer_supply_t, years, 0.0),
        by_year(market.prices_cny_per_t, years) if kind == "abatement" else np.full(len(years), np.nan),
        by_year(market.auctioned_t, years, 0.0) + baseline.paid_share * baseline.given.sum(axis=0) + remainder,
        remainder,
        _external_demand(instance, baseline),
        *_outside(instance, baseline),
        banks,
        kind == "abatement" or instance.policy.coverage == "part",
    )


def _outside(instance: InstanceInputs, baseline: Baseline) -> tuple[Floats, Floats, float, float]:
    """Return floor and ceiling price, and what a reserve holds at the start and at most.

    A part of a nation meets the nation at the stated price, which takes and gives more than the part can trade.
    """
    market, years, emitted = instance.policy.market, baseline.years, float(baseline.emissions.sum())
    if instance.policy.coverage == "part":
        price = by_year(market.prices_cny_per_t, years)
        others = np.abs(_external_demand(instance, baseline)) + by_year(market.auctioned_t, years, 0.0)
        held = 2 * (float(baseline.given.sum()) + emitted) + _in_accounts(instance) + float(others.sum())
        traded = held * (len(years) + 1)
        return price, price, traded, 2 * traded
    ceiling = by_year(market.ceiling_price_cny_per_t, years, np.inf)
    return by_year(market.floor_price_cny_per_t, years, 0.0), ceiling, market.reserve_t, market.reserve_t + emitted
