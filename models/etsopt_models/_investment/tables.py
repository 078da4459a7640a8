"""Result tables of an investment: the decision now, what follows in each scenario, and the value of information."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.measure_steps import offers_of
from etsopt.data.measures import OUTPUT_CUT
from etsopt_models._investment.scenarios import Risk
from etsopt_models._market.measures import column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._investment.alternatives import Alternatives, Pricing
    from etsopt_models._investment.programs import PreparedInvestment


def investment_tables(instance: Instance, solution: Any, prepared: PreparedInvestment) -> dict[str, pd.DataFrame]:
    """Return all tables of an investment."""
    pricing = prepared.pricing
    installed = prepared.installed(solution.values.get("install", np.zeros(0)))
    operations, yearly, costs = _later(instance, prepared, installed)
    weights, prices = prepared.multipliers(instance, costs)
    return {
        "investments": _investments(instance, pricing, installed),
        "operations": operations,
        "scenario_years": yearly,
        "scenario_costs": _scenario_costs(instance, prepared, costs, weights),
        "investment_summary": _summary(instance, prepared, costs, _invested(instance, pricing, installed), prices),
    }


def _measures_of(instance: Instance, part: Alternatives) -> dict[str, NDArray[Any]]:
    """Return identifier and step of every measure on offer, flat by unit and place; and the unit of each."""
    rows, names = part.measures.row, instance.units["unit_id"].to_numpy(dtype=object)
    known = np.array([], dtype=object) if instance.measures is None else column(instance, "measure_id").astype(object)
    step, steps = offers_of(instance)[1:]
    keys = {
        "unit_id": np.repeat(names[part.units], rows.shape[1]),
        "measure_id": np.append(known, OUTPUT_CUT)[rows].ravel(),
    }
    return keys | ({"step": np.append(step, 1)[rows].ravel()} if (steps > 1).any() else {})


def _investments(instance: Instance, pricing: Pricing, installed: NDArray[np.int64]) -> pd.DataFrame:
    """Return a row for each measure that is on offer to a unit, and whether it is installed now."""
    tables, years = [], np.append(pricing.baseline.years.astype(float), np.nan)
    for part in pricing.alternatives:
        has = part.measures.family.has
        table = {
            "unit": np.repeat(part.units, has.shape[1]),
            **_measures_of(instance, part),
            "installed": has[installed[part.units]].ravel(),
            "first_year": np.tile(years[part.first], len(part.units)),
            "investment_cny": part.each_investment.ravel(),
        }
        if not np.isfinite(pricing.budget).any():
            table["installed_at_mean"] = has[pricing.at_mean[part.units]].ravel()
        tables.append(pd.DataFrame(table))
    joined = pd.concat(tables, ignore_index=True).sort_values("unit", kind="stable", ignore_index=True)
    for place, name in enumerate(("enterprise_id", "sector"), 1):
        joined.insert(place + 1, name, instance.units[name].to_numpy(dtype=object)[joined["unit"]])
    return joined.drop(columns="unit")


def _invested(instance: Instance, pricing: Pricing, installed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the investment of every enterprise, shape ``(enterprises,)`` [CNY]."""
    of_units = np.zeros(len(installed))
    for part in pricing.alternatives:
        of_units[part.units] = part.investment[installed[part.units], np.arange(len(part.units))]
    return _by_enterprise(instance, of_units)


def _by_enterprise(instance: Instance, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums over the units of each enterprise, shape ``(enterprises, ...)``."""
    enterprise = instance.labels("enterprise_id")
    total = np.zeros((len(enterprise), *values.shape[1:]))
    np.add.at(total, enterprise.code, values)
    return total


def _later(  # long because two tables and the cost come from one pass over the scenarios
    instance: Instance, prepared: PreparedInvestment, installed: NDArray[np.int64]
) -> tuple[pd.DataFrame, pd.DataFrame, NDArray[np.float64]]:
    """Return what runs, years of enterprises, and their discounted cost in each scenario ``(enterprises, scenarios)``."""
    pricing, accounts = prepared.pricing, prepared.accounts
    scenarios, years, discount = pricing.scenarios, pricing.baseline.years, pricing.baseline.discount
    emissions, allowance, cost = np.zeros((3, len(instance.units), len(scenarios), len(years)))
    rows = []
    for part in pricing.alternatives:
        sets, has, units = installed[part.units], part.measures.family.has, part.units
        cost[units] += part.yearly_fixed_cost(sets)[:, None]
        labels, stops = _measures_of(instance, part), _stopping(part)
        for number in range(len(scenarios)):
            for t, (runs, amounts) in enumerate(part.running(sets, scenarios, number)):
                emissions[units, number, t], allowance[units, number, t] = amounts.emissions, amounts.allowance
                cost[units, number, t] += amounts.variable_cost
                shown = (has[sets] & stops & (part.first <= t)).ravel()
                if shown.any():
                    keys = {name: values[shown] for name, values in labels.items()}
                    when = {"scenario": scenarios.names[number], "year": years[t], "runs": has[runs].ravel()[shown]}
                    rows.append(pd.DataFrame(keys | when))
    emissions, allowance, cost = (_by_enterprise(instance, part) for part in (emissions, allowance, cost))
    banked = accounts.banked
    net = emissions - allowance + np.diff(banked, axis=2)
    paid = scenarios.price * net
    columns = {
        "price_cny_per_t": np.broadcast_to(scenarios.price, net.shape),
        "emissions_tco2e": emissions,
        "allowance_t": allowance,
        "measures_cost_cny": cost,
        "bought_t": np.maximum(net, 0.0),
        "sold_t": np.maximum(-net, 0.0),
        "banked_t": banked[:, :, 1:],
        "allowances_cost_cny": paid,
        "total_cost_cny": cost + paid,
    }
    owners = instance.labels("enterprise_id").names
    keys = {
        "enterprise_id": np.repeat(owners, len(scenarios) * len(years)),
        "scenario": np.tile(np.repeat(scenarios.names, len(years)), len(owners)),
        "year": np.tile(years, len(owners) * len(scenarios)),
    }
    yearly = pd.DataFrame(keys | {name: values.ravel() for name, values in columns.items()})
    total = ((cost + paid) * discount).sum(axis=2) - accounts.terminal * banked[:, :, -1]
    return _operations(instance, rows), yearly, total


def _stopping(part: Alternatives) -> NDArray[np.bool_]:
    """Return True for measures that may stop, shape ``(measures,)``."""
    stops = np.zeros(part.measures.family.has.shape[1], dtype=bool)
    for group in part.measures.family.groups:
        stops[list(group.places)] = group.stops
    return stops


def _operations(instance: Instance, rows: list[pd.DataFrame]) -> pd.DataFrame:
    """Return when installed measures that may stop run, sorted by unit, measure, scenario and year."""
    if not rows:
        steps = {"step": np.zeros(0, dtype=np.int64)} if (offers_of(instance).steps > 1).any() else {}
        texts = {name: np.zeros(0, dtype=object) for name in ("unit_id", "measure_id", "scenario")}
        return pd.DataFrame({**texts, **steps, "year": np.zeros(0, dtype=np.int64), "runs": np.zeros(0, dtype=bool)})
    table = pd.concat(rows, ignore_index=True)
    keys = [name for name in ("unit_id", "measure_id", "step", "scenario", "year") if name in table]
    return table.sort_values(keys, kind="stable", ignore_index=True)[[*keys, "runs"]]


def _scenario_costs(
    instance: Instance, prepared: PreparedInvestment, costs: NDArray[np.float64], weights: NDArray[np.float64]
) -> pd.DataFrame:
    """Return the cost of every enterprise in every scenario, and what other decisions would cost there."""
    pricing, owners = prepared.pricing, instance.labels("enterprise_id").names
    columns = {"probability": np.broadcast_to(pricing.scenarios.probability, costs.shape), "weight": weights}
    columns["cost_cny"] = costs
    if not np.isfinite(pricing.budget).any():
        holding = prepared.accounts.holding_cost
        columns["cost_at_mean_cny"] = _by_enterprise(instance, pricing.cost_at_mean) + holding
        columns["least_cost_cny"] = _by_enterprise(instance, pricing.least) + holding
        columns["regret_cny"] = costs - columns["least_cost_cny"]
    keys = {
        "enterprise_id": np.repeat(owners, costs.shape[1]),
        "scenario": np.tile(pricing.scenarios.names, len(owners)),
    }
    return pd.DataFrame(keys | {name: values.ravel() for name, values in columns.items()})


def _summary(
    instance: Instance,
    prepared: PreparedInvestment,
    costs: NDArray[np.float64],
    invested: NDArray[np.float64],
    prices: NDArray[np.float64],
) -> pd.DataFrame:
    """Return the objective of every enterprise, what uncertainty is worth, and last the sums over all."""
    pricing, risk = prepared.pricing, Risk.of(instance, prepared.pricing.scenarios.probability)
    table = pd.DataFrame(
        {
            "enterprise_id": instance.labels("enterprise_id").names,
            "investment_cny": invested,
            "expected_cost_cny": risk.expected(costs),
            "cvar_cny": risk.cvar(costs),
            "objective_cny": risk.objective(costs),
        }
    )
    if not np.isfinite(pricing.budget).any():
        holding = prepared.accounts.holding_cost
        for name, of_units in (("at_mean", pricing.cost_at_mean), ("perfect_information", pricing.least)):
            table[f"objective_{name}_cny"] = risk.objective(_by_enterprise(instance, of_units) + holding)
        table["value_of_stochastic_solution_cny"] = table["objective_at_mean_cny"] - table["objective_cny"]
        table["value_of_perfect_information_cny"] = table["objective_cny"] - table["objective_perfect_information_cny"]
    total = table.drop(columns="enterprise_id").sum().to_frame().T.assign(enterprise_id="")
    table = pd.concat([table, total[list(table)]], ignore_index=True).assign(price_year=instance.policy.price_year)
    if np.isfinite(pricing.budget).any():
        limits = np.where(np.isfinite(pricing.budget), pricing.budget, np.nan)
        table["budget_cny"], table["budget_shadow_price"] = np.append(limits, np.nan), np.append(prices, np.nan)
    return table
