"""Small investments for tests: one by hand, random ones by a seed, and the best decision by trying every one."""

from __future__ import annotations

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


def random_investment(seed: int, units: int = 3, years: int = 2, scenarios: int = 3, **policy: Any) -> etsopt.Instance:
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
