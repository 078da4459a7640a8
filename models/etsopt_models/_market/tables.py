"""Result tables of a market: by year, sector, enterprise, unit and measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.yearly import by_year
from etsopt.rules import fixed_fines
from etsopt_models._market.accounts import opening_allowances, totals
from etsopt_models._market.column_generation import market_prices
from etsopt_models._market.disaggregation import Trades, of_enterprises, shared_out
from etsopt_models._market.incentives import rewards
from etsopt_models._market.measure_tables import by_year_table, measure_table, plan_table
from etsopt_models._market.proof_tables import duals_table, leaves_table, stated_of, uplift_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import Found
    from etsopt_models._market.column_pool import ColumnPool

OWES_T = 0.5
"""What is owed by rounding alone is no shortfall."""


@dataclass(frozen=True)
class Outcome:
    """What units do, shape ``(units, years)``: emissions [tCO2e], allowances [t], cost of measures [CNY]."""

    emissions: NDArray[np.float64]
    allowance: NDArray[np.float64]
    cost: NDArray[np.float64]


def market_tables(
    instance: Instance, solution: Any, found: Found, prices: NDArray[np.float64] | None = None
) -> dict[str, pd.DataFrame]:
    """Tables of a solved market.

    Parameters
    ----------
    prices
        Price in each year where it was given [CNY/t]; None takes that of the market balance.
    """
    if found.widened is not None:
        solution = found.widened(solution)
    portfolio, share = found.taken(solution.values["choice"])
    own = portfolio.quantities
    outcome = Outcome(*(_by_unit(portfolio, share, part) for part in (own.emissions, own.allowance, own.cost)))
    stated = prices is not None
    multipliers = found.multipliers or solution.levels[0].multipliers
    if prices is None:
        prices = market_prices(found.prospects, multipliers)
    enterprise = instance.labels("enterprise_id")
    owners, of_unit = enterprise.names, enterprise.code
    dealings = _dealings(instance, solution, found, outcome, owners, of_unit)
    enterprises = _enterprises(instance, found, outcome, dealings, prices, owners, of_unit)
    return {
        "years": _years(instance, solution, found, enterprises, prices, stated),
        "sector_years": _sectors(instance, found, outcome),
        "enterprise_years": enterprises,
        "unit_years": _units(instance, found, outcome, rewards(portfolio, share, prices)),
        "plans": plan_table(instance, portfolio, share),
        "measure_years": measure_table(instance, portfolio, share),
        "duals": duals_table(found, stated_of(found, multipliers)),
        **leaves_table(instance, found),
        **uplift_table(instance, found, portfolio, multipliers),
    }


def unmet_demand_tables(found: Found) -> tuple[dict[str, pd.DataFrame], Any]:
    """What is missing in each year where a market cannot clear, with the multipliers that prove it, and their level."""
    if found.shortage is None:
        return {}, None
    unmet = pd.DataFrame({"year": found.prospects.years, "unmet_t": found.shortage.unmet})
    stated = [(found.shortage.name, "t", found.shortage.multipliers)]
    return {"unmet_demand": unmet, "duals": duals_table(found, stated)}, found.shortage


def _by_unit(portfolio: ColumnPool, share: NDArray[np.float64], of_plans: NDArray[np.float64]) -> NDArray[np.float64]:
    """What units come to with the plans that they take, each in its share, shape ``(units, years)``."""
    if len(portfolio.unit) == len(portfolio.first):
        return of_plans
    total: NDArray[np.float64] = np.add.reduceat(share[:, None] * of_plans, portfolio.first, axis=0)
    return total


def _dealings(
    instance: Instance,
    solution: Any,
    found: Found,
    outcome: Outcome,
    owners: NDArray[np.object_],
    of_unit: NDArray[np.int64],
) -> Trades:
    shape = (len(owners), outcome.emissions.shape[1])
    if len(found.accounts.labels) == 1 and found.accounts.labels[0] == "":
        own = (
            totals(values, of_unit, shape[0])
            for values in (found.prospects.emissions, outcome.emissions, outcome.allowance)
        )
        return shared_out(solution.values, opening_allowances(instance, owners), *own)
    return of_enterprises(solution.values, shape)


def _enterprises(
    instance: Instance,
    found: Found,
    outcome: Outcome,
    dealings: Trades,
    prices: NDArray[np.float64],
    owners: NDArray[np.object_],
    of_unit: NDArray[np.int64],
) -> pd.DataFrame:
    """What each enterprise does and pays in each year."""
    policy, years = instance.policy, found.prospects.years
    before, emissions, allowance, cost, output = (
        totals(values, of_unit, len(owners))
        for values in (
            found.prospects.emissions,
            outcome.emissions,
            outcome.allowance,
            outcome.cost,
            np.nan_to_num(found.prospects.output),
        )
    )
    owed = dealings.owed[:, 1:]
    reference = by_year(policy.penalty.reference_price_cny_per_t, years, 0.0)
    penalty = policy.penalty.multiple * reference * owed
    fine = fixed_fines(policy, years) * (owed > OWES_T)
    net = dealings.bought - dealings.sold
    friction = policy.market.transaction_cost_cny_per_t * (dealings.bought + dealings.sold)
    offsets = by_year(policy.market.ccer_price_cny_per_t, years, 0.0) * dealings.offset
    total = cost + prices * net + friction + offsets + penalty + fine
    columns = {
        "emissions_before_tco2e": before,
        "emissions_tco2e": emissions,
        "allowance_t": allowance,
        "banked_before_t": dealings.banked[:, :-1],
        "bought_t": dealings.bought,
        "sold_t": dealings.sold,
        "offset_t": dealings.offset,
        "surrendered_t": emissions - np.diff(dealings.owed, axis=1) - dealings.offset,
        "banked_t": dealings.banked[:, 1:],
        "outstanding_t": owed,
        "measures_cost_cny": cost,
        "allowances_cost_cny": prices * net,
        "transaction_cost_cny": friction,
        "offsets_cost_cny": offsets,
        "penalty_cny": penalty + fine,
        "total_cost_cny": total,
        "cost_cny_per_t": np.divide(total, output, out=np.full_like(total, np.nan), where=output > 0),
    }
    return by_year_table(years, {"enterprise_id": owners}, columns)


def _years(
    instance: Instance,
    solution: Any,
    found: Found,
    enterprises: pd.DataFrame,
    prices: NDArray[np.float64],
    stated: bool,
) -> pd.DataFrame:
    """The market in each year, and the price with how it was obtained."""
    prospects, market = found.prospects, instance.policy.market
    sums = [name for name in enterprises if name.endswith(("_t", "_tco2e", "_cny")) and not name.endswith("_per_t")]
    totals = enterprises.groupby("year")[sums].sum().reset_index()
    table = pd.DataFrame({"year": prospects.years, "price_cny_per_t": prices})
    ends = [prices, *(market_prices(prospects, end) for end in found.ends)]
    table["price_lower_cny_per_t"], table["price_upper_cny_per_t"] = np.min(ends, axis=0), np.max(ends, axis=0)
    table["price_unit"] = f"CNY {instance.policy.price_year}/t"
    table["price_obtained"] = "stated by the policy" if stated else "multiplier of the market balance over all plans"
    if not stated:
        values = solution.values
        offered = by_year(market.auctioned_t, prospects.years, 0.0) + prospects.auctioned
        demand = by_year(market.external_demand_t, prospects.years, 0.0)
        traded = (totals["bought_t"] - totals["sold_t"]).to_numpy()
        # What is left over follows from what is dealt, to the last gram: a solver's rows hold within its tolerance.
        unsold = offered - demand - traded - values["intake"] + values["released"]
        table["auctioned_t"], table["unsold_t"], table["external_demand_t"] = offered - unsold, unsold, demand
        table["rounding_remainder_t"] = prospects.rounding_remainder
        table["released_t"], table["intake_t"] = values["released"], values["intake"]
        table["reserve_t"] = values["reserve"][1:]
    return table.merge(totals, on="year")


def _units(
    instance: Instance, found: Found, outcome: Outcome, reward: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> pd.DataFrame:
    names = ("unit_id", "enterprise_id", "sector", "province")
    keys = {name: instance.units[name].to_numpy(dtype=object) for name in names}
    scope = instance.in_scope_in(found.prospects.years)
    columns = {
        "emissions_before_tco2e": found.prospects.emissions,
        "emissions_tco2e": outcome.emissions,
        "allowance_t": outcome.allowance,
        "surplus_t": outcome.allowance - outcome.emissions,
        "measures_cost_cny": outcome.cost,
        "marginal_incentive_cny_per_t": reward[0],
        "marginal_incentive_elsewhere_cny_per_t": reward[1],
    }
    table = by_year_table(found.prospects.years, keys, columns)
    if not scope.all():
        table["in_scope"] = scope.ravel()
    return table


def _sectors(instance: Instance, found: Found, outcome: Outcome) -> pd.DataFrame:
    sector = instance.labels("sector")
    before, output, emissions, allowance, cost = (
        totals(values, sector.code, len(sector))
        for values in (
            found.prospects.emissions,
            np.nan_to_num(found.prospects.output),
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
    return by_year_table(found.prospects.years, {"sector": sector.names}, columns)
