"""Result tables of a market: by year, sector, enterprise, unit and measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.policy.yearly import by_year
from etsopt.rules import fixed_fines
from etsopt_models._market.accounts import opening_allowances, totals
from etsopt_models._market.column_generation import market_prices
from etsopt_models._market.disaggregation import Trades, disaggregated, trades_of_accounts
from etsopt_models._market.incentives import incentives
from etsopt_models._market.measure_tables import by_year_table, measure_table, plan_table
from etsopt_models._market.proof_tables import duals_table, leaves_table, stated_of, uplift_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import PreparedMarket
    from etsopt_models._market.column_pool import ColumnPool

ROUNDING_T = 0.5
"""Outstanding tonnes up to this are rounding, and no shortfall [t]."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of units, shape ``(units, years)``: emissions [tCO2e], allowances [t], cost of measures [CNY]."""

    emissions: NDArray[np.float64]
    allowance: NDArray[np.float64]
    cost: NDArray[np.float64]


def market_tables(
    instance: Instance, solution: Any, prepared: PreparedMarket, prices: NDArray[np.float64] | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables of a solved market.

    Parameters
    ----------
    prices
        Price in each year if it was given [CNY/t]; None takes that of the market balance.
    """
    if prepared.expand is not None:
        solution = prepared.expand(solution)
    pool, share = prepared.chosen_plans(solution.values["choice"])
    quantities = pool.quantities
    outcome = Outcome(
        *(_by_unit(pool, share, part) for part in (quantities.emissions, quantities.allowance, quantities.cost))
    )
    stated = prices is not None
    multipliers = prepared.multipliers or solution.levels[0].multipliers
    if prices is None:
        prices = market_prices(prepared.baseline, multipliers)
    enterprise = instance.labels("enterprise_id")
    owners, of_unit = enterprise.names, enterprise.code
    trades = _trades(instance, solution, prepared, outcome, owners, of_unit)
    enterprises = _enterprises(instance, prepared, outcome, trades, prices, owners, of_unit)
    return {
        "years": _years(instance, solution, prepared, enterprises, prices, stated),
        "sector_years": _sectors(instance, prepared, outcome),
        "enterprise_years": enterprises,
        "unit_years": _units(instance, prepared, outcome, incentives(pool, share, prices)),
        "plans": plan_table(instance, pool, share),
        "measure_years": measure_table(instance, pool, share),
        "duals": duals_table(prepared, stated_of(prepared, multipliers)),
        **leaves_table(instance, prepared),
        **uplift_table(instance, prepared, pool, multipliers),
    }


def unmet_demand_tables(prepared: PreparedMarket) -> tuple[dict[str, pd.DataFrame], Any]:
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


def _trades(
    instance: Instance,
    solution: Any,
    prepared: PreparedMarket,
    outcome: Outcome,
    owners: NDArray[np.object_],
    of_unit: NDArray[np.int64],
) -> Trades:
    shape = (len(owners), outcome.emissions.shape[1])
    if len(prepared.accounts.labels) == 1 and prepared.accounts.labels[0] == "":
        by_enterprise = (
            totals(values, of_unit, shape[0])
            for values in (prepared.baseline.emissions, outcome.emissions, outcome.allowance)
        )
        return disaggregated(solution.values, opening_allowances(instance, owners), *by_enterprise)
    return trades_of_accounts(solution.values, shape)


def _enterprises(
    instance: Instance,
    prepared: PreparedMarket,
    outcome: Outcome,
    trades: Trades,
    prices: NDArray[np.float64],
    owners: NDArray[np.object_],
    of_unit: NDArray[np.int64],
) -> pd.DataFrame:
    """Return trades, balances and costs of each enterprise in each year."""
    policy, years = instance.policy, prepared.baseline.years
    before, emissions, allowance, cost, output = (
        totals(values, of_unit, len(owners))
        for values in (
            prepared.baseline.emissions,
            outcome.emissions,
            outcome.allowance,
            outcome.cost,
            np.nan_to_num(prepared.baseline.output),
        )
    )
    outstanding = trades.outstanding[:, 1:]
    reference = by_year(policy.penalty.reference_price_cny_per_t, years, 0.0)
    penalty = policy.penalty.multiple * reference * outstanding
    fine = fixed_fines(policy, years) * (outstanding > ROUNDING_T)
    net = trades.bought - trades.sold
    transaction_cost = policy.market.transaction_cost_cny_per_t * (trades.bought + trades.sold)
    offsets = by_year(policy.market.ccer_price_cny_per_t, years, 0.0) * trades.offset
    total = cost + prices * net + transaction_cost + offsets + penalty + fine
    columns = {
        "emissions_before_tco2e": before,
        "emissions_tco2e": emissions,
        "allowance_t": allowance,
        "banked_before_t": trades.banked[:, :-1],
        "bought_t": trades.bought,
        "sold_t": trades.sold,
        "offset_t": trades.offset,
        "surrendered_t": emissions - np.diff(trades.outstanding, axis=1) - trades.offset,
        "banked_t": trades.banked[:, 1:],
        "outstanding_t": outstanding,
        "measures_cost_cny": cost,
        "allowances_cost_cny": prices * net,
        "transaction_cost_cny": transaction_cost,
        "offsets_cost_cny": offsets,
        "penalty_cny": penalty + fine,
        "total_cost_cny": total,
        "cost_cny_per_t": np.divide(total, output, out=np.full_like(total, np.nan), where=output > 0),
    }
    return by_year_table(years, {"enterprise_id": owners}, columns)


def _years(
    instance: Instance,
    solution: Any,
    prepared: PreparedMarket,
    enterprises: pd.DataFrame,
    prices: NDArray[np.float64],
    stated: bool,
) -> pd.DataFrame:
    """Return the market in each year, with the price and its source."""
    baseline, market = prepared.baseline, instance.policy.market
    sums = [name for name in enterprises if name.endswith(("_t", "_tco2e", "_cny")) and not name.endswith("_per_t")]
    totals = enterprises.groupby("year")[sums].sum().reset_index()
    table = pd.DataFrame({"year": baseline.years, "price_cny_per_t": prices})
    ends = [prices, *(market_prices(baseline, end) for end in prepared.ends)]
    table["price_lower_cny_per_t"], table["price_upper_cny_per_t"] = np.min(ends, axis=0), np.max(ends, axis=0)
    table["price_unit"] = f"CNY {instance.policy.price_year}/t"
    table["price_obtained"] = "stated by the policy" if stated else "multiplier of the market balance over all plans"
    if not stated:
        values = solution.values
        offered = by_year(market.auctioned_t, baseline.years, 0.0) + baseline.auctioned
        demand = by_year(market.external_demand_t, baseline.years, 0.0)
        traded = (totals["bought_t"] - totals["sold_t"]).to_numpy()
        # Unsold tonnes follow exactly from the trades: a solver's rows hold within its tolerance alone.
        unsold = offered - demand - traded - values["intake"] + values["released"]
        table["auctioned_t"], table["unsold_t"], table["external_demand_t"] = offered - unsold, unsold, demand
        table["rounding_remainder_t"] = baseline.rounding_remainder
        table["released_t"], table["intake_t"] = values["released"], values["intake"]
        table["reserve_t"] = values["reserve"][1:]
    return table.merge(totals, on="year")


def _units(
    instance: Instance,
    prepared: PreparedMarket,
    outcome: Outcome,
    incentive: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> pd.DataFrame:
    names = ("unit_id", "enterprise_id", "sector", "province")
    keys = {name: instance.units[name].to_numpy(dtype=object) for name in names}
    scope = instance.in_scope_in(prepared.baseline.years)
    columns = {
        "emissions_before_tco2e": prepared.baseline.emissions,
        "emissions_tco2e": outcome.emissions,
        "allowance_t": outcome.allowance,
        "surplus_t": outcome.allowance - outcome.emissions,
        "measures_cost_cny": outcome.cost,
        "marginal_incentive_cny_per_t": incentive[0],
        "marginal_incentive_elsewhere_cny_per_t": incentive[1],
    }
    table = by_year_table(prepared.baseline.years, keys, columns)
    if not scope.all():
        table["in_scope"] = scope.ravel()
    return table


def _sectors(instance: Instance, prepared: PreparedMarket, outcome: Outcome) -> pd.DataFrame:
    sector = instance.labels("sector")
    before, output, emissions, allowance, cost = (
        totals(values, sector.code, len(sector))
        for values in (
            prepared.baseline.emissions,
            np.nan_to_num(prepared.baseline.output),
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
    return by_year_table(prepared.baseline.years, {"sector": sector.names}, columns)
