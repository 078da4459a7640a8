"""Small investments for tests: one by hand, random ones by a seed, and the best decision by trying every one."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

import etsopt
from tests.markets import market

LOW_AND_HIGH = pd.DataFrame(
    {
        "scenario": ["low", "high"],
        "year": [2025, 2025],
        "probability": [0.5, 0.5],
        "price_cny_per_t": [40.0, 120.0],
    }
)


def by_hand(**policy: Any) -> etsopt.Instance:
    """The plant on the page of the model: wait or invest."""
    units = {"emissions_tco2e": [100_000.0], "reference_t": [90_000.0]}
    measures: list[dict[str, object]] = [
        {
            "measure_id": "m",
            "sector": "cement",
            "abatement_rate": 0.2,
            "capex_cny_per_t": 50.0,
            "lifetime_years": 10,
            # 60 CNY for each of 20,000 t, per tonne of 100,000 t of product.
            "variable_opex_cny_per_t": 12.0,
            "stops": "yes",
        }
    ]
    return with_scenarios(market(units, measures, horizon={"discount_rate": 0.0}, **policy), LOW_AND_HIGH)


def with_scenarios(instance: etsopt.Instance, scenarios: pd.DataFrame | None, **tables: Any) -> etsopt.Instance:
    """The instance with a table of scenarios."""
    frames = {name: frame for name, frame in instance.tables.items() if name != "scenarios"} | tables
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    return etsopt.Instance.from_frames(policy=policy, scenarios=scenarios, name=instance.name, **frames)


def two_scenarios() -> etsopt.Instance:
    """The same over two years, with a budget, allowances at the start, and a measure that does not stop."""
    instance = by_hand(investment={"budget_cny": 6e6, "cvar_weight": 0.25, "cvar_level": 0.5})
    assert instance.measures is not None
    lasting = instance.measures.assign(measure_id="n", stops="no", abatement_rate=0.1, first_year=2026.0)
    measures = pd.concat([instance.measures.assign(first_year=np.nan), lasting], ignore_index=True)
    opening = pd.DataFrame({"enterprise_id": ["u0"], "opening_2025_t": [5_000.0]})
    longer = instance.with_policy({"horizon.last_year": 2026, "market.terminal_price_cny_per_t": 50.0})
    return with_scenarios(longer, LOW_AND_HIGH, measures=measures, enterprises=opening)


def random_investment(  # long because each column of three tables has its line
    seed: int, units: int = 3, years: int = 2, scenarios: int = 3, **policy: Any
) -> etsopt.Instance:
    """A few units of two enterprises with measures of all kinds, and scenarios of price, output and allowances."""
    rng = np.random.default_rng(seed)
    emissions = np.round(10 ** rng.uniform(4.5, 5.5, units))
    table = {
        "emissions_tco2e": list(emissions),
        "reference_t": list(np.round(emissions * rng.uniform(0.8, 1.0, units))),
        "sector": list(rng.choice(["cement", "steel"], units)),
        "enterprise_id": [f"f{k % 2}" for k in range(units)],
    }
    measures: list[dict[str, object]] = [
        {
            "measure_id": f"m{number}",
            "sector": sector,
            "abatement_rate": float(rng.uniform(0.02, 0.4)),
            "maximum_share": float(rng.uniform(0.3, 1.0)),
            "capex_cny_per_t": float(rng.uniform(0, 150)),
            "fixed_opex_cny_per_t": float(rng.uniform(0, 2)),
            "variable_opex_cny_per_t": float(rng.uniform(-1, 15)),
            "cost_change_rate": float(rng.choice([0.0, -0.03])),
            "lifetime_years": int(rng.integers(5, 20)),
            "first_year": int(2025 + rng.integers(0, years)),
            "exclusive_group": ["", "", "g", "g"][number],
            "stops": ["yes", "no", "yes", "yes"][number] if seed % 3 else ["no", "yes", "no", "no"][number],
            "requires": ["", "m0", "", ""][number] if seed % 2 else "",
            "largest_new_share_a_year": 0.3 if number == 1 and seed % 4 == 1 else np.nan,
        }
        for sector in sorted(set(table["sector"]))
        for number in range(4)
    ]
    chance = rng.dirichlet(np.ones(scenarios))
    rows = [
        {
            "scenario": f"s{number}",
            "sector": sector,
            "year": 2025 + later,
            "probability": chance[number],
            "price_cny_per_t": float(rng.uniform(20, 160)) if not sector else np.nan,
            "output_factor": float(rng.uniform(0.7, 1.2)),
            "balance_value_factor": float(rng.uniform(0.97, 1.03)),
            "allowance_factor": float(rng.uniform(0.9, 1.0)),
        }
        for number in range(scenarios)
        for sector in (["", "steel"] if number % 2 else [""])
        for later in range(years)
    ]
    stated = {"discount_rate": 0.05, "last_year": 2024 + years}
    instance = market(table, measures, horizon=stated, market={"terminal_price_cny_per_t": 60.0}, **policy)
    return with_scenarios(instance, pd.DataFrame(rows))


def by_plan(instance: etsopt.Instance) -> etsopt.Instance:
    """The instance under the plan of 2025, whose allowances follow emissions and then output."""
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    policy |= {"rule": {"name": "cn-2025"}, "sectors": {}}
    frames = dict(instance.tables)
    frames["units"] = frames["units"].assign(
        output_t=frames["units"]["emissions_tco2e"] / (0.8 + 0.05 * np.arange(len(frames["units"])))
    )
    return etsopt.Instance.from_frames(policy=policy, name=instance.name, **frames)


def best_by_trying(instance: etsopt.Instance) -> float:
    """The least objective of all decisions, each followed by the best operation of every year, in plain loops.

    Units have lump sums, so that the tables alone tell every number; holdings gain nothing at the start.
    """
    measures, scenarios = instance.measures, instance.scenarios
    assert measures is not None
    assert scenarios is not None
    policy = instance.policy
    names = sorted(set(scenarios["scenario"]))
    chance = np.array([scenarios.loc[scenarios["scenario"] == name, "probability"].iloc[0] for name in names])
    options = {unit["unit_id"]: list(_decisions(instance, unit, names)) for unit in instance.units.to_dict("records")}
    total = 0.0
    for owner, units in instance.units.groupby("enterprise_id"):
        limit = policy.investment.budget_cny
        account = np.array([_holding(instance, units, name) for name in names])
        best = np.inf
        for chosen in product(*(options[unit] for unit in units["unit_id"])):
            invested = sum(one for one, _ in chosen)
            if isinstance(limit, float) and invested > limit:
                continue
            costs = account + sum(cost for _, cost in chosen)
            best = min(best, _objective(instance, costs, chance))
        assert np.isfinite(best), owner
        total += best
    return total


def _objective(instance: etsopt.Instance, costs: Any, chance: Any) -> float:
    stated = instance.policy.investment
    tail, worst = 1 - stated.cvar_level, 0.0
    left = tail
    for place in np.argsort(-costs):
        taken = min(left, chance[place])
        worst, left = worst + taken * costs[place], left - taken
    return float((1 - stated.cvar_weight) * costs @ chance + stated.cvar_weight * worst / tail)


def _state(instance: etsopt.Instance, name: str, sector: str, year: int, column: str) -> float:
    """The number of a scenario in a year; every year has its row."""
    assert instance.scenarios is not None
    rows = instance.scenarios[(instance.scenarios["scenario"] == name) & (instance.scenarios["year"] == year)]
    own = rows[rows["sector"] == sector]
    rows = own if len(own) and column != "price_cny_per_t" else rows[rows["sector"] == ""]
    return float(rows[column].iloc[0])


def _decisions(instance: etsopt.Instance, unit: dict[str, Any], names: list[str]) -> Any:
    """Yield investment and cost in each scenario of every set of measures; without steps."""
    assert instance.measures is not None
    rows = [row for row in instance.measures.to_dict("records") if row["sector"] == unit["sector"]]
    years, rate = instance.policy.years, instance.policy.horizon.discount_rate

    def holds(flags: tuple[bool, ...]) -> bool:
        here = {row["measure_id"] for row, flag in zip(rows, flags, strict=True) if flag}
        groups = [
            row["exclusive_group"] for row, flag in zip(rows, flags, strict=True) if flag and row["exclusive_group"]
        ]
        needed = {row["requires"] for row, flag in zip(rows, flags, strict=True) if flag and row["requires"]}
        return needed <= here and len(groups) == len(set(groups))

    first = {row["measure_id"]: row["first_year"] for row in rows}
    start = {row["measure_id"]: max(row["first_year"], first.get(row["requires"], 0)) for row in rows}
    for installed in product((False, True), repeat=len(rows)):
        if not holds(installed):
            continue
        invested, costs = 0.0, np.zeros(len(names))
        for row, flag in zip(rows, installed, strict=True):
            price = (1 + row["cost_change_rate"]) ** (start[row["measure_id"]] - instance.policy.year)
            invested += flag * row["capex_cny_per_t"] * row["maximum_share"] * unit["output_t"] * price
        for year in years:
            there = [flag and start[row["measure_id"]] <= year for row, flag in zip(rows, installed, strict=True)]
            ways = [runs for runs in product((False, True), repeat=len(rows)) if holds(runs)]
            ways = [runs for runs in ways if _may_run(rows, there, runs)]
            for place, name in enumerate(names):
                least = min(_year_cost(instance, unit, rows, there, runs, name, year) for runs in ways)
                costs[place] += least / (1 + rate) ** (year - years[0])
        yield invested, costs


def _may_run(rows: Any, there: Any, runs: Any) -> bool:
    """Return True if what runs is there, and what is there and does not stop runs."""
    return all(
        is_there if run else not is_there or row["stops"] == "yes"
        for row, is_there, run in zip(rows, there, runs, strict=True)
    )


def _year_cost(
    instance: etsopt.Instance, unit: dict[str, Any], rows: Any, there: Any, runs: Any, name: str, year: int
) -> float:
    """The cost of a year in which some measures are there and some of them run, not discounted."""
    rate = instance.policy.horizon.discount_rate
    state = {
        column: _state(instance, name, unit["sector"], year, column)
        for column in ("price_cny_per_t", "output_factor", "allowance_factor")
    }
    emissions, cost = unit["emissions_tco2e"] * state["output_factor"], 0.0
    for row, is_there, run in zip(rows, there, runs, strict=True):
        annuity = rate / (1 - (1 + rate) ** -row["lifetime_years"])
        grown = row["maximum_share"] * (1 + row["cost_change_rate"]) ** (year - instance.policy.year)
        cost += is_there * grown * (row["capex_cny_per_t"] * annuity + row["fixed_opex_cny_per_t"]) * unit["output_t"]
        cost += run * grown * row["variable_opex_cny_per_t"] * unit["output_t"] * state["output_factor"]
        emissions *= 1 - run * row["abatement_rate"] * row["maximum_share"]
    allowance = unit["reference_t"] * state["allowance_factor"]
    return float(cost + state["price_cny_per_t"] * (emissions - allowance))


def _holding(instance: etsopt.Instance, units: pd.DataFrame, name: str) -> float:
    """The cost of keeping surpluses of the years before abatement, which is a gain where prices rise enough."""
    years, rate = instance.policy.years, instance.policy.horizon.discount_rate
    discount = [(1 + rate) ** (years[0] - year) for year in years]
    price = [_state(instance, name, "", year, "price_cny_per_t") * d for year, d in zip(years, discount, strict=True)]
    price.append(instance.policy.market.terminal_price_cny_per_t * discount[-1])
    kept, gained = 0.0, 0.0
    for place, year in enumerate(years):
        surplus = 0.0
        for unit in units.to_dict("records"):
            grown = _state(instance, name, unit["sector"], year, "output_factor")
            fall = _state(instance, name, unit["sector"], year, "allowance_factor")
            surplus += unit["reference_t"] * fall - unit["emissions_tco2e"] * grown
        kept += max(surplus, 0.0)
        gained += max(price[place + 1] - price[place], 0.0) * kept
    return -gained
