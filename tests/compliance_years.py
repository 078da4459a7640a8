"""Settlements for tests: one solved by hand in either law, and random ones by a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import etsopt
from tests.builders import random_units

MARKET = {"prices_cny_per_t": 80.0, "transaction_cost_cny_per_t": 1.0, "terminal_price_cny_per_t": 70.0}
OFFSETS = {"ccer_price_cny_per_t": 75.0, "ccer_supply_t": 100.0}


def by_hand() -> etsopt.Instance:
    """Four enterprises of 2025 that take every way there is: `tests/models/test_compliance.py` derives what they do."""
    names = ["unit_id", "enterprise_id", "sector", "province", "emissions_tco2e", "reference_t", "special_case"]
    units = pd.DataFrame(
        [
            ("a1", "a", "cement", "North", 1000.0, 1030.0, "", np.nan),
            ("b1", "b", "cement", "North", 2000.4, 1900.0, "", 1950.0),
            ("c1", "c", "steel", "South", 3000.5, 2900.7, "", 1000.0),
            ("d1", "d", "cement", "South", 500.0, 400.0, "closed", np.nan),
            ("d2", "d", "cement", "North", 600.0, 650.0, "", np.nan),
        ],
        columns=[*names, "pre_allocated_t"],
    )
    enterprises = pd.DataFrame(
        [
            ("a", "", 15_000.0, 5_000.0, 100.0, 0.0, 2_000.0),
            ("b", "West", np.nan, np.nan, np.nan, 30.0, np.nan),
            ("c", "South", 0.0, 40.0, 0.0, 0.0, -500.0),
            ("d", "", np.nan, np.nan, np.nan, np.nan, np.nan),
        ],
        columns=[
            "enterprise_id",
            "province",
            *(f"opening_{year}_t" for year in (2021, 2024, 2025, 2026)),
            "net_sales_t",
        ],
    )
    policy = {
        "year": 2025,
        # The base of 10,000 t is the user's own here; in industry the official one is 100,000 t.
        "rule": {"name": "given", "carry_over_base_t": 10_000.0},
        "market": MARKET | OFFSETS,
        "penalty": {"reference_price_cny_per_t": 90.0},
        "compliance": {"at_risk": ["b"], "without_purchases": ["c"]},
    }
    return etsopt.Instance.from_frames(units, policy, enterprises=enterprises, name="by hand")


def random_compliance_year(seed: int, count: int = 14) -> etsopt.Instance:
    """Random units with holdings of every vintage, a year of either law, and prices in any order."""
    random = np.random.default_rng(seed + 50_000)
    units = random_units(seed, count)
    units["emissions_tco2e"] += np.round(random.random(count), 2)
    units.loc[random.random(count) < 0.1, "special_case"] = "closed"
    names = np.array(sorted({*units["enterprise_id"], "e97", "e98"}))
    sizes = units.groupby("enterprise_id")["emissions_tco2e"].sum().reindex(names).fillna(1e4).to_numpy()
    enterprises = pd.DataFrame({"enterprise_id": names, "province": random.choice(["", "Anhui", "Gansu"], len(names))})
    enterprises["net_sales_t"] = np.round(random.normal(0, 20_000, len(names)))
    for vintage in range(2019, 2027):
        held = np.round(sizes * random.exponential(0.02, len(names)), 1) * (random.random(len(names)) < 0.4)
        enterprises[f"opening_{vintage}_t"] = np.where(random.random(len(names)) < 0.2, np.nan, held)
    owners = sorted(set(units["enterprise_id"]))
    price = round(random.uniform(40, 100), 2)
    around = {name: round(price * random.choice([0.5, 0.95, 1.0, 1.05, 7.0]), 2) for name in ("keep", "offset", "past")}
    policy: dict[str, Any] = {
        "year": int(random.choice([2023, 2024, 2025, 2026, 2028])),
        "rule": {"name": "cn-2025", "threshold_tco2e": 50_000.0},
        "market": {
            "prices_cny_per_t": price,
            "transaction_cost_cny_per_t": float(random.choice([0.0, 0.5])),
            "terminal_price_cny_per_t": around["keep"],
            "ccer_price_cny_per_t": around["offset"],
            "ccer_supply_t": float(np.round(sizes.sum() * random.choice([0.0, 0.01, 0.2]))),
            "paid_share": float(random.choice([0.0, 0.0, 0.1])),
        },
        "penalty": {"reference_price_cny_per_t": around["past"] / 7},
        "compliance": {
            "at_risk": [str(name) for name in random.choice(owners, min(2, len(owners)), replace=False)],
            "without_purchases": [str(name) for name in random.choice(owners, min(3, len(owners)), replace=False)],
        },
    }
    return etsopt.Instance.from_frames(units, policy, enterprises=enterprises, name=f"random compliance {seed}")
