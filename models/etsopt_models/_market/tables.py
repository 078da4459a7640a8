"""Result tables of a market: by year, sector, enterprise, unit and measure.

Disaggregation of one account to enterprises, if trading costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.policy.yearly import by_year
from etsopt.rules import fixed_fines
from etsopt_models._market.accounts import advance_issue, opening_allowances
from etsopt_models._market.balance_values import balance_table
from etsopt_models._market.closure import closure_table
from etsopt_models._market.column_generation import market_prices
from etsopt_models._market.holdings import totals
from etsopt_models._market.incentives import incentives
from etsopt_models._market.proof_tables import (
    by_year_table,
    duals_table,
    leaves_table,
    measure_table,
    plan_table,
    stated_of,
    uplift_table,
)
from etsopt_models._tolerances import OUTSTANDING_ROUNDING_T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.tables.labels import Labels
    from etsopt_models._market.column_generation import PreparedMarket
    from etsopt_models._market.column_pool import ColumnPool


@dataclass(frozen=True)
class Outcome:
    """Outcome of units, shape ``(units, years)``: emissions [tCO2e], allowances [t], cost of measures [CNY]."""

    emissions: NDArray[np.float64]
    allowance: NDArray[np.float64]
    cost: NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """A solved market: the chosen plans with their shares, and the prices.

    Parameters
    ----------
    values
        Values of the program by variable.
    pool, share
        Chosen plans and their shares, which add up to one for every unit.
    multipliers
        Multipliers by row that bound the cost.
    stated
        Price in each year if the policy states it [CNY/t]; else None.
    """

    instance: Instance
    prepared: PreparedMarket
    values: Mapping[str, NDArray[np.float64]]
    pool: ColumnPool
    share: NDArray[np.float64]
    multipliers: Mapping[str, NDArray[np.float64]]
    stated: NDArray[np.float64] | None

    @classmethod
    def of(
        cls, instance: Instance, solution: Any, prepared: PreparedMarket, stated: NDArray[np.float64] | None
    ) -> Answer:
        """Return the answer of a solution of the prepared program."""
        if prepared.expand is not None:
            solution = prepared.expand(solution)
        pool, share = prepared.chosen_plans(solution.values["choice"])
        multipliers = prepared.multipliers or solution.levels[0].multipliers
        return cls(instance, prepared, solution.values, pool, share, multipliers, stated)

    @cached_property
    def outcome(self) -> Outcome:
        """Outcome of the units."""
        quantities = self.pool.quantities
        parts = quantities.emissions, quantities.allowance, quantities.cost
        return Outcome(*(_by_unit(self.pool, self.share, part) for part in parts))

    @cached_property
    def prices(self) -> NDArray[np.float64]:
        """Price in each year, shape ``(years,)`` [CNY/t]."""
        return market_prices(self.prepared.baseline, self.multipliers) if self.stated is None else self.stated

    @property
    def enterprises(self) -> Labels:
        """Enterprises of the instance, and that of every unit."""
        return self.instance.labels("enterprise_id")


def market_tables(
    instance: Instance, solution: Any, prepared: PreparedMarket, prices: NDArray[np.float64] | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables of a solved market.

    Parameters
    ----------
    prices
        Price in each year if it was given [CNY/t]; None takes that of the market balance.
    """
    answer = Answer.of(instance, solution, prepared, prices)
    enterprises = _enterprises(answer)
    years = _years(answer, enterprises)
    closure = {"closure": closure_table(instance, prepared, answer.multipliers, years)} if prices is None else {}
    return {
        "years": years,
        "sector_years": _sectors(answer),
        "enterprise_years": enterprises,
        "unit_years": _units(answer),
        "plans": plan_table(instance, answer.pool, answer.share),
        "measure_years": measure_table(instance, answer.pool, answer.share),
        "duals": duals_table(prepared, stated_of(prepared, answer.multipliers)),
        **leaves_table(instance, prepared),
        **uplift_table(instance, prepared, answer.pool, answer.multipliers),
        **balance_table(instance, answer.pool, answer.share),
        **closure,
    }


def unmet_demand_tables(_instance: Instance, prepared: PreparedMarket) -> tuple[dict[str, pd.DataFrame], Any]:
    """Return tables of the unmet demand of a market that cannot clear and of its proof, and the objective."""
    if prepared.shortage is None:
        return {}, None
    unmet = pd.DataFrame({"year": prepared.baseline.years, "unmet_t": prepared.shortage.unmet})
    stated = [(prepared.shortage.name, "t", prepared.shortage.multipliers)]
    return {"unmet_demand": unmet, "duals": duals_table(prepared, stated)}, prepared.shortage


def _by_unit(pool: ColumnPool, share: NDArray[np.float64], of_plans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over the chosen plans of each unit, weighted by their shares, shape ``(units, years)``."""
    if len(pool.unit) == len(pool.first):
        return of_plans
    total: NDArray[np.float64] = np.add.reduceat(share[:, None] * of_plans, pool.first, axis=0)
    return total


def _trades(answer: Answer) -> Trades:
    accounts, outcome, enterprises = answer.prepared.accounts, answer.outcome, answer.enterprises
    if len(accounts.labels) == 1 and accounts.labels[0] == "":
        by_enterprise = (
            totals(values, enterprises.code, len(enterprises))
            for values in (
                answer.prepared.baseline.emissions,
                outcome.emissions,
                outcome.allowance,
                advance_issue(answer.instance, answer.prepared.baseline),
            )
        )
        opening = opening_allowances(answer.instance, enterprises.names)
        return disaggregated(answer.values, opening, answer.prepared.baseline.banks, *by_enterprise)
    return trades_of_accounts(answer.values, (len(enterprises), outcome.emissions.shape[1]))


def _enterprises(answer: Answer) -> pd.DataFrame:
    """Return trades, balances and costs of each enterprise in each year."""
    baseline, outcome, enterprises, trades = (
        answer.prepared.baseline,
        answer.outcome,
        answer.enterprises,
        _trades(answer),
    )
    before, emissions, allowance, cost, output = (
        totals(values, enterprises.code, len(enterprises))
        for values in (
            baseline.emissions,
            outcome.emissions,
            outcome.allowance,
            outcome.cost,
            _output_t(answer),
        )
    )
    costs = _costs(answer, trades, cost)
    total = costs["total_cost_cny"]
    left, banks = trades.banked[:, 1:], baseline.banks
    lapsed = {} if banks.all() else {"lapsed_t": np.where(banks, 0.0, left)}
    columns = {
        "emissions_before_tco2e": before,
        "emissions_tco2e": emissions,
        "allowance_t": allowance,
        "banked_before_t": np.column_stack([trades.banked[:, 0], left[:, :-1] * banks[:-1]]),
        "bought_t": trades.bought,
        "sold_t": trades.sold,
        "offset_t": trades.offset,
        "surrendered_t": emissions - np.diff(trades.outstanding, axis=1) - trades.offset,
        "banked_t": left * banks,
        **lapsed,
        "outstanding_t": trades.outstanding[:, 1:],
        **costs,
        "cost_cny_per_t": np.divide(total, output, out=np.full_like(total, np.nan), where=output > 0),
    }
    return by_year_table(baseline.years, {"enterprise_id": enterprises.names}, columns)


def _costs(answer: Answer, trades: Trades, cost: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the costs of each enterprise in each year and their sum, from its trades and the cost of its measures."""
    policy, years = answer.instance.policy, answer.prepared.baseline.years
    outstanding = trades.outstanding[:, 1:]
    reference = by_year(policy.penalty.reference_price_cny_per_t, years, 0.0)
    penalty = policy.penalty.multiple * reference * outstanding
    fine = fixed_fines(policy, years) * (outstanding > OUTSTANDING_ROUNDING_T)
    allowances = answer.prices * (trades.bought - trades.sold)
    transaction_cost = policy.market.transaction_cost_cny_per_t * (trades.bought + trades.sold)
    offsets = by_year(policy.market.ccer_price_cny_per_t, years, 0.0) * trades.offset
    return {
        "measures_cost_cny": cost,
        "allowances_cost_cny": allowances,
        "transaction_cost_cny": transaction_cost,
        "offsets_cost_cny": offsets,
        "penalty_cny": penalty + fine,
        "total_cost_cny": cost + allowances + transaction_cost + offsets + penalty + fine,
    }


def _years(answer: Answer, enterprises: pd.DataFrame) -> pd.DataFrame:
    """Return the market in each year, with the price and its source."""
    baseline, policy, prices = answer.prepared.baseline, answer.instance.policy, answer.prices
    market, stated = policy.market, answer.stated is not None
    sums = [name for name in enterprises if name.endswith(("_t", "_tco2e", "_cny")) and not name.endswith("_per_t")]
    totals = enterprises.groupby("year")[sums].sum().reset_index()
    table = pd.DataFrame({"year": baseline.years, "price_cny_per_t": prices})
    ends = [prices, *(market_prices(baseline, end) for end in answer.prepared.ends)]
    table["price_lower_cny_per_t"], table["price_upper_cny_per_t"] = np.min(ends, axis=0), np.max(ends, axis=0)
    table["price_unit"] = f"CNY {policy.price_year}/t"
    given = stated or policy.coverage == "part"
    table["price_obtained"] = "stated by the policy" if given else "multiplier of the market balance over all plans"
    if not stated:
        values = answer.values
        offered = by_year(market.auctioned_t, baseline.years, 0.0) + baseline.auctioned
        demand = by_year(market.external_demand_t, baseline.years, 0.0)
        traded = (totals["bought_t"] - totals["sold_t"]).to_numpy()
        # Unsold tonnes follow exactly from the trades: a solver's rows hold within its tolerance alone.
        unsold = offered - demand - traded - values["intake"] + values["released"]
        table["auctioned_t"], table["unsold_t"], table["external_demand_t"] = offered - unsold, unsold, demand
        table["rounding_remainder_t"] = baseline.rounding_remainder
        table["released_t"], table["intake_t"] = values["released"], values["intake"]
        table["reserve_t"] = values["reserve"][1:]
    table = table.merge(totals, on="year")
    # What enterprises pay to the state, the reserve and other sectors uses up nothing.
    table["transfers_cny"] = table["allowances_cost_cny"] + table["penalty_cny"]
    table["resource_cost_cny"] = table["total_cost_cny"] - table["transfers_cny"]
    return table


def _units(answer: Answer) -> pd.DataFrame:
    instance, baseline, outcome = answer.instance, answer.prepared.baseline, answer.outcome
    measured, elsewhere = incentives(answer.pool, answer.share, answer.prices)
    names = ("unit_id", "enterprise_id", "sector", "province")
    keys = {name: instance.units[name].to_numpy(dtype=object) for name in names}
    scope = instance.in_scope_in(baseline.years)
    columns = {
        "emissions_before_tco2e": baseline.emissions,
        "emissions_tco2e": outcome.emissions,
        "allowance_t": outcome.allowance,
        "surplus_t": outcome.allowance - outcome.emissions,
        "measures_cost_cny": outcome.cost,
        "marginal_incentive_cny_per_t": measured,
        "marginal_incentive_elsewhere_cny_per_t": elsewhere,
    }
    table = by_year_table(baseline.years, keys, columns)
    if not scope.all():
        table["in_scope"] = scope.ravel()
    return table


def _sectors(answer: Answer) -> pd.DataFrame:
    baseline, outcome, sector = answer.prepared.baseline, answer.outcome, answer.instance.labels("sector")
    before, output, emissions, allowance, cost = (
        totals(values, sector.code, len(sector))
        for values in (
            baseline.emissions,
            _output_t(answer),
            outcome.emissions,
            outcome.allowance,
            outcome.cost,
        )
    )
    columns = {
        "output_t": output,
        "emissions_before_tco2e": before,
        "emissions_tco2e": emissions,
        "allowance_t": allowance,
        "surplus_t": allowance - emissions,
        "measures_cost_cny": cost,
        "measures_cost_cny_per_t": np.divide(cost, output, out=np.full_like(cost, np.nan), where=output > 0),
    }
    return by_year_table(baseline.years, {"sector": sector.names}, columns)


def _output_t(answer: Answer) -> NDArray[np.float64]:
    """Return the output of units that state it in tonnes, else zero, shape ``(units, years)`` [t]."""
    stated = answer.instance.units.reindex(columns=["output_t"])["output_t"].notna().to_numpy()
    return np.where(stated[:, None], np.nan_to_num(answer.prepared.baseline.output), 0.0)


@dataclass(frozen=True)
class Trades:
    """Trades of each enterprise in each year, shape ``(enterprises, years)``; stocks have one more column [t].

    Stocks are those at the beginning and at the end of each year; what is banked there may lapse.
    """

    bought: NDArray[np.float64]
    sold: NDArray[np.float64]
    offset: NDArray[np.float64]
    banked: NDArray[np.float64]
    outstanding: NDArray[np.float64]


def trades_of_accounts(values: Mapping[str, NDArray[np.float64]], shape: tuple[int, int]) -> Trades:
    """Return the trades of accounts that belong to one enterprise each."""
    stocks = (shape[0], shape[1] + 1)
    flows = (values[name].reshape(shape) for name in ("bought", "sold", "offset"))
    return Trades(*flows, *(values[name].reshape(stocks) for name in ("banked", "outstanding")))


def disaggregated(
    values: Mapping[str, NDArray[np.float64]],
    opening: NDArray[np.float64],
    banks: NDArray[np.bool_],
    before: NDArray[np.float64],
    emissions: NDArray[np.float64],
    allowance: NDArray[np.float64],
    advance: NDArray[np.float64],
) -> Trades:
    """Return trades of enterprises that together equal those of the one account.

    Offsets are shared by emissions. Newly outstanding tonnes are shared by the tonnes due, and later surrenders of them
    by the tonnes outstanding, so that no enterprise has more outstanding than it emitted. Banked tonnes stay, as far as
    possible, with the enterprises that have a surplus, in proportion to it, so that trade is least. The remainder that is
    banked is shared by emissions before abatement, and what is borrowed by the advance issue of each enterprise, so that
    none exceeds its limit.

    Parameters
    ----------
    values
        Values of the one account, by variable.
    opening
        Opening balance, shape ``(enterprises,)`` [t].
    banks
        Years at whose end allowances may be kept; in others what is left lapses, shape ``(years,)``.
    before, emissions, allowance, advance
        Emissions before and after abatement, allowances, and most that each enterprise may borrow, shape
        ``(enterprises, years)`` [t].
    """
    by_emissions, by_size, by_advance = (_shares(part) for part in (emissions, before, advance))
    offset = by_emissions * values["offset"]
    outstanding = _disaggregated_outstanding(emissions - offset, values["outstanding"])
    net_demand = emissions - allowance - offset - np.diff(outstanding, axis=1)
    left, begun = np.empty_like(emissions), opening
    net = np.empty_like(emissions)
    for t in range(emissions.shape[1]):
        surplus = np.maximum(begun - net_demand[:, t], 0.0)
        total, held = surplus.sum(), values["banked"][t + 1]
        kept = surplus * (min(max(held, 0.0), total) / total) if total > 0 else np.zeros(len(surplus))
        left[:, t] = kept + max(held - kept.sum(), 0.0) * by_size[:, t] + min(held, 0.0) * by_advance[:, t]
        net[:, t] = net_demand[:, t] + (left[:, t] - begun)
        begun = left[:, t] * banks[t]
    return Trades(np.maximum(net, 0.0), np.maximum(-net, 0.0), offset, np.column_stack([opening, left]), outstanding)


def _shares(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each row by column; in a zero column that of all columns, or equal shares."""
    overall = parts.sum(axis=1, keepdims=True)
    otherwise = overall / overall.sum() if overall.any() else np.full_like(overall, 1 / len(overall))
    total = parts.sum(axis=0)
    return np.divide(parts, total, out=np.repeat(otherwise, len(total), axis=1), where=total > 0)


def _disaggregated_outstanding(due: NDArray[np.float64], outstanding: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outstanding obligation of each enterprise, shape ``(enterprises, years + 1)`` [t].

    Parameters
    ----------
    due
        Obligation of each, shape ``(enterprises, years)`` [t].
    outstanding
        Outstanding obligation of all together, shape ``(years + 1,)`` [t].
    """
    shared = np.zeros((len(due), len(outstanding)))
    for t, more in enumerate(np.diff(outstanding)):
        by = due[:, t] if more > 0 else shared[:, t]
        total = by.sum()
        shared[:, t + 1] = shared[:, t] + (more * by / total if total > 0 else 0.0)
    return shared
