"""Accounts of a market: owners, net demand before abatement, and limits of trades and holdings.

Prices that a market takes from the policy: those that price takers expect, and those at which a reserve trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.groups import Groups
from etsopt.data.policy.yearly import by_year
from etsopt.data.tables.schema import VINTAGES
from etsopt.rules import carried_over, pre_allocation_shares
from etsopt_models._market.holdings import LASTING_FROM, enterprise_column, totals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.policy.market import MarketPolicy
    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.column_pool import PlanColumns


def expected_prices(instance: Instance, years: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the price path of the policy, shape ``(years,)`` [CNY/t].

    Raises
    ------
    DataError
        If the policy states no price for one of the years.
    """
    prices = by_year(instance.policy.market.prices_cny_per_t, years)
    if np.isnan(prices).any():
        year = years[int(np.isnan(prices).argmax())]
        what = _("the price of {year} is missing, and enterprises take the price as given", year=year)
        advice = _("State one number for all years, or a table by year; a price applies until the next one stated.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "market.prices_cny_per_t")])
    return prices


class Reserve(NamedTuple):
    """Prices at which a reserve buys and sells by year [CNY/t], zero and infinite for none, its stock and the most [t]."""

    floor: NDArray[np.float64]
    ceiling: NDArray[np.float64]
    at_start_t: float
    most_t: float


def reserve_of(instance: Instance, baseline: Baseline) -> Reserve:
    """Return the reserve of the market; that of a part of a nation is all outside, which trades at the stated price.

    Raises
    ------
    DataError
        If a part of a nation has no price from outside, or two; or a floor price is above the ceiling price.
    """
    market, years = instance.policy.market, baseline.years
    floor = by_year(market.floor_price_cny_per_t, years, 0.0)
    ceiling = by_year(market.ceiling_price_cny_per_t, years, np.inf)
    if instance.policy.coverage == "part":
        _refuse_price_of_a_part(market)
        outside = by_year(market.prices_cny_per_t, years)
        # It buys from the outside as much as it may sell there.
        most = _more_than_traded(instance, baseline)
        return Reserve(outside, outside, most, 2 * most)
    if (floor > ceiling).any():
        year = years[int(np.argmax(floor > ceiling))]
        what = _("the floor price of {year} is above the ceiling price", year=year)
        advice = _("Correct one of them: the reserve would buy dear and sell cheap without end.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "market.floor_price_cny_per_t")])
    return Reserve(floor, ceiling, market.reserve_t, market.reserve_t + float(baseline.emissions.sum()))


def _more_than_traded(instance: Instance, baseline: Baseline) -> float:
    """Return more than a part can buy or sell in all years, so that no limit of the outside moves its price [t]."""
    market, table, years = instance.policy.market, instance.enterprises, baseline.years
    others = np.abs(by_year(market.external_demand_t, years, 0.0)) + by_year(market.auctioned_t, years, 0.0)
    opening = [] if table is None else [table[name].sum() for name in table if name.startswith("opening_")]
    held = sum(opening) + others.sum() + 2 * (baseline.emissions.sum() + baseline.entitlement.sum())
    return float((len(years) + 1) * held)


def _refuse_price_of_a_part(market: MarketPolicy) -> None:
    """Raise DataError unless the price of a part of a nation comes from outside alone."""
    if market.prices_cny_per_t is None:
        what = _(
            "is missing: the table covers a part of the nation, whose enterprises do not make the price among themselves"
        )
        advice = _("State the price of the national market, or solve abatement, which asks what enterprises do at one.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "market.prices_cny_per_t")])
    for key in ("floor_price_cny_per_t", "ceiling_price_cny_per_t", "reserve_t"):
        if getattr(market, key):
            what = _("is stated, but a part of the nation trades at market.prices_cny_per_t, whatever it buys or sells")
            raise DataError(_("The policy"), [Problem("policy.toml", what, _("Leave it out."), f"market.{key}")])


@dataclass(frozen=True)
class Accounts:
    """Accounts and their balances before any decision.

    Parameters
    ----------
    labels
        Enterprise of each account; one empty label if one account serves all.
    of_unit
        Account of each unit, shape ``(units,)``.
    opening
        Allowances held at the beginning, shape ``(accounts,)`` [t].
    emissions, allowance, allowance_most
        Emissions before abatement, free allowances at those, and at most, shape ``(accounts, years)`` [t].
    borrowed_most
        Next year's allowances that are issued in advance and may be borrowed, shape ``(accounts, years)`` [t].
    pressed
        Its share of what other sectors and the reserve may leave to be held, shape ``(accounts,)`` [t].
    """

    labels: NDArray[np.object_]
    of_unit: NDArray[np.int64]
    opening: NDArray[np.float64]
    emissions: NDArray[np.float64]
    allowance: NDArray[np.float64]
    allowance_most: NDArray[np.float64]
    borrowed_most: NDArray[np.float64]
    pressed: NDArray[np.float64]

    def some(self, which: NDArray[np.int64], units: NDArray[np.int64]) -> Accounts:
        """Return some accounts, in order, with their units, by the positions of both."""
        parts = (self.opening, self.emissions, self.allowance, self.allowance_most, self.borrowed_most, self.pressed)
        of_unit = np.searchsorted(which, self.of_unit[units])
        return Accounts(self.labels[which], of_unit, *(part[which] for part in parts))


def accounts_of(instance: Instance, baseline: Baseline, *, pooled: bool, market: bool) -> Accounts:
    """Return the accounts of the enterprises, or one for all of them if trading costs nothing.

    Parameters
    ----------
    market
        True if other sectors sell to the market: price takers hold nothing for them.
    """
    enterprise = instance.labels("enterprise_id")
    owners, of_unit = enterprise.names, enterprise.code
    opening = opening_allowances(instance, owners)
    if pooled:
        owners, of_unit, opening = np.array([""], dtype=object), np.zeros_like(of_unit), opening.sum(keepdims=True)

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return totals(values, None if pooled else of_unit, len(owners))

    most = np.where(
        baseline.follows, baseline.emissions * (1 + baseline.rule.cap) * baseline.free_share, baseline.allowance
    )
    borrowed, emissions = total(advance_issue(instance, baseline)), total(baseline.emissions)
    pressed = _pressed(instance, baseline, emissions.sum(axis=1)) if market else np.zeros(len(owners))
    return Accounts(owners, of_unit, opening, emissions, total(baseline.free), total(most), borrowed, pressed)


def advance_issue(instance: Instance, baseline: Baseline) -> NDArray[np.float64]:
    """Return what every unit may use of the next year's allowances in each year, shape ``(units, years)`` [t]."""
    # The advance issue for the next year is that year's share of this year's emissions.
    ahead = instance.policy.market.borrow_pre_allocation * pre_allocation_shares(instance, baseline.years + 1)
    # Where nothing lasts into a year, nothing of that year is used before it either.
    return baseline.banks * ahead * baseline.emissions


def _pressed(instance: Instance, baseline: Baseline, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sales of other sectors and the reserve, shared by emissions so that accounts hold them once [t]."""
    demand = by_year(instance.policy.market.external_demand_t, baseline.years, 0.0)
    sold = float(np.maximum(-demand, 0.0).sum())
    share: NDArray[np.float64] = (
        emissions / emissions.sum() if emissions.any() else np.full(len(emissions), 1 / len(emissions))
    )
    # From outside a part of the nation anyone buys at any time: it has no reserve that somebody has to hold.
    return (sold + instance.policy.market.reserve_t) * share


def opening_allowances(instance: Instance, owners: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the allowances that may be used from the first year on, shape ``(enterprises,)`` [t].

    Vintages 2025 and later count in full, vintages 2019-2024 once, by the rule of carry-over. In years before 2025 the
    earlier vintages count in full, and later ones not at all.

    Raises
    ------
    DataError
        If the horizon passes from 2024 to 2025 with holdings: their carry-over would depend on sales until then.
    """
    old, lasting = np.zeros(len(owners)), np.zeros(len(owners))
    for vintage in VINTAGES:
        held = lasting if vintage >= LASTING_FROM else old
        held += enterprise_column(instance, owners, f"opening_{vintage}_t")
    years = instance.policy.years
    if years[0] >= LASTING_FROM:
        return carried_over(instance, owners, old, enterprise_column(instance, owners, "net_sales_t")) + lasting
    if years[-1] >= LASTING_FROM and (old + lasting).any():
        what = _(
            "the horizon passes from 2024 to 2025 with {held:,.0f} t in enterprises.csv", held=(old + lasting).sum()
        )
        advice = _("End the horizon in 2024, or begin it in 2025: the carry-over depends on sales until then.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "horizon.last_year")])
    return old


def account_parameters(  # long because every array of the program has its line here
    instance: Instance, baseline: Baseline, columns: PlanColumns, accounts: Accounts
) -> dict[str, Any]:
    """Return the arrays of `etsopt_models.clearing.plans_and_accounts`.

    Parameters
    ----------
    columns
        Plans among which the program chooses.
    accounts
        Accounts, with the account of each unit of the columns.
    """
    market, discount = instance.policy.market, baseline.discount
    shape = (len(accounts.labels), len(baseline.years))
    per_outstanding_t = outstanding_cost(instance, baseline)
    offset_price = by_year(market.ccer_price_cny_per_t, baseline.years, 0.0)
    worth = np.zeros(shape[1] + 1)
    worth[-1] = discount[-1] * terminal_price_of(instance, baseline)
    all_plans = np.arange(len(columns.unit))
    account_of_plan = accounts.of_unit[columns.unit]
    return {
        "UNITS": len(accounts.of_unit),
        "PLANS": all_plans,
        "ACCOUNTS": shape[0],
        "YEARS": shape[1],
        "TIMES": shape[1] + 1,
        "OWING": np.arange(shape[1] if np.isfinite(per_outstanding_t).any() else 0),
        "PLANS_OF_UNIT": Groups.from_labels(columns.unit, len(accounts.of_unit)),
        "PLANS_OF_ACCOUNT": Groups.from_labels(account_of_plan, shape[0]),
        "plan_cost": columns.cost,
        "chosen_cost": 0.0,
        "demand_reduction": columns.demand_reduction,
        "abated": columns.abated,
        "net_demand": accounts.emissions - accounts.allowance,
        "emissions": accounts.emissions,
        **account_limits(accounts),
        "offsets_most": np.minimum(market.ccer_share * accounts.emissions, offsets_on_offer(instance, baseline)),
        "outstanding_most": np.column_stack(
            [0 * accounts.opening, np.cumsum(accounts.emissions, axis=1) * np.isfinite(per_outstanding_t)]
        ),
        "buying_cost": discount * market.transaction_cost_cny_per_t,
        "selling_cost": discount * market.transaction_cost_cny_per_t,
        "offset_cost": discount * offset_price,
        "outstanding_cost": np.append(0.0, np.where(np.isfinite(per_outstanding_t), per_outstanding_t, 0.0)),
        "offset_share": market.ccer_share,
        "banked_worth": worth,
        "lasting": np.append(1.0, baseline.banks),
    }


def terminal_price_of(instance: Instance, baseline: Baseline) -> float:
    """Return the worth of an allowance left after the last year, zero if it lapses [CNY/t]."""
    return float(instance.policy.market.terminal_price_cny_per_t * baseline.banks[-1])


def account_limits(accounts: Accounts) -> dict[str, NDArray[np.float64]]:
    """Return the bounds of trades and holdings of accounts, by the name of the parameter [t].

    Holdings and borrowing limit an account. Trades reach from its least holding to its largest, with a year's emissions
    and allowances: their bounds exclude nothing, so that accounts add up to one.
    """
    later = np.cumsum(accounts.emissions[:, ::-1], axis=1)[:, ::-1]
    gained = accounts.opening[:, None] + np.cumsum(accounts.allowance_most, axis=1)
    borrowed = np.column_stack([0 * accounts.opening, accounts.borrowed_most[:, :-1], 0 * accounts.opening])
    traded = gained + later[:, :1] + accounts.pressed[:, None] + borrowed[:, 1:] + borrowed[:, :-1]
    return {
        "buying_most": traded,
        "selling_most": traded,
        "banked_least": np.column_stack([accounts.opening, -borrowed[:, 1:]]),
        "banked_most": np.column_stack(
            [accounts.opening, gained + later - accounts.emissions + accounts.pressed[:, None]]
        ),
    }


def offsets_on_offer(instance: Instance, baseline: Baseline) -> NDArray[np.float64]:
    """Return the offsets on offer to all accounts together, shape ``(years,)`` [t]."""
    return by_year(instance.policy.market.ccer_supply_t, baseline.years, 0.0)


def outstanding_cost(instance: Instance, baseline: Baseline) -> NDArray[np.float64]:
    """Return the discounted cost of a tonne outstanding at a year's end [CNY/t]; infinite without a reference price.

    A tonne outstanding after the last year is also bought at the reference price, for the obligation remains.
    """
    penalty = instance.policy.penalty
    if penalty.reference_price_cny_per_t is None:
        return np.full(len(baseline.years), np.inf)
    reference = by_year(penalty.reference_price_cny_per_t, baseline.years, np.inf)
    times = np.full(len(baseline.years), float(penalty.multiple))
    times[-1] += 1
    return baseline.discount * times * reference


def market_parameters(instance: Instance, baseline: Baseline) -> dict[str, Any]:
    """Return the arrays of `etsopt_models.clearing.market_years`."""
    market, discount, years = instance.policy.market, baseline.discount, baseline.years
    demand = by_year(market.external_demand_t, years, 0.0)
    auctioned = by_year(market.auctioned_t, years, 0.0) + baseline.auctioned
    floor, ceiling, at_start, most = reserve_of(instance, baseline)
    capacity = np.full(len(years) + 1, most)
    return {
        "supply": auctioned - demand,
        "auctioned": auctioned,
        "unmet_most": np.zeros(len(years)),
        "released_most": np.where(np.isfinite(ceiling), most, 0.0),
        "intake_most": np.where(floor > 0, most, 0.0),
        "released_cost": discount * np.where(np.isfinite(ceiling), ceiling, 0.0),
        "intake_worth": discount * floor,
        "reserve_least": np.append(at_start, np.zeros(len(years))),
        "reserve_most": np.append(at_start, capacity[1:]),
    }
