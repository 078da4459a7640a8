"""Plans of reviews for tests: one solved by hand, and random ones by a seed."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

import etsopt

PLAN: dict[str, Any] = {
    "provincial": {"days": {"Fujian": 3.0, "Gansu": 1.0}, "travel_days": 1.0},
    "national": {"days": 2.0, "travel_days": 1.0},
}


def instance_of(enterprises: pd.DataFrame, plan: Mapping[str, Any], **columns: Any) -> etsopt.Instance:
    """An instance with a unit of each enterprise, ten times as large as its tonnes at risk."""
    units = pd.DataFrame(
        {
            "unit_id": enterprises["enterprise_id"] + "-1",
            "enterprise_id": enterprises["enterprise_id"],
            "sector": "cement",
            "province": enterprises["province"],
            "emissions_tco2e": 10 * enterprises["at_risk_tco2e"],
        }
    ).assign(**columns)
    policy = {"year": 2025, "rule": {"name": "cn-2024"}, "review_plan": dict(plan)}
    return etsopt.Instance.from_frames(units, policy, enterprises=enterprises, name="reviews")


def by_hand(plan: Mapping[str, Any] = PLAN) -> etsopt.Instance:
    """Four enterprises in two provinces; `tests/models/test_review_plan.py` derives the plan."""
    rows = [
        ("a", "Fujian", "X", 100.0),
        ("b", "Fujian", "X", 60.0),
        ("c", "Fujian", "Y", 50.0),
        ("d", "Gansu", "", 80.0),
    ]
    return instance_of(pd.DataFrame(rows, columns=["enterprise_id", "province", "city", "at_risk_tco2e"]), plan)


def random_reviews(seed: int, count: int = 6, least: bool = False) -> etsopt.Instance:
    """Random enterprises, cities, days and draws; with least numbers if asked."""
    random = np.random.default_rng(seed + 9_000)
    enterprises = pd.DataFrame(
        {
            "enterprise_id": [f"e{number}" for number in range(count)],
            "province": random.choice(["Fujian", "Gansu"], count),
            "city": random.choice(["", "X", "Y"], count),
            "at_risk_tco2e": np.round(10 ** random.uniform(2, 4, count), 2) * (random.random(count) < 0.9),
            "review_days": np.where(random.random(count) < 0.3, np.nan, random.choice([0.5, 1.0, 1.5, 2.25], count)),
        }
    )

    def sampled(days: float, most: int) -> dict[str, Any]:
        return {
            "days": days,
            "travel_days": float(random.choice([0.0, 0.5, 1.0])),
            "effort": float(random.choice([0.5, 1.0])),
            "drawn": int(random.integers(0, 2)),
            "least": int(random.integers(0, most + 1)) if least else 0,
        }

    plan = {
        "days_per_review": float(random.choice([1.0, 0.75])),
        "seed": seed,
        "drawn_by": str(random.choice(["size", "equal"])),
        "municipal": {"days": 40.0, "travel_days": 0.5},
        "provincial": sampled(float(random.choice([2.0, 3.0, 4.5])), 2),
        "national": sampled(float(random.choice([2.0, 3.0])), 2),
    }
    return instance_of(enterprises, plan)


def drawn_rows(instance: etsopt.Instance, level: str, rows: list[int], wanted: int) -> list[int]:
    """Rows of the enterprises that are drawn among some: those with the least -ln(u) / w."""
    policy, table = instance.policy.review_plan, instance.enterprises
    assert table is not None
    sizes = instance.units.groupby("enterprise_id")["emissions_tco2e"].sum()

    def key(row: int) -> float:
        name = table["enterprise_id"].iloc[row]
        number = int.from_bytes(hashlib.sha256(f"{policy.seed} {level} {name}".encode()).digest()[:8], "big") >> 12
        weight = float(sizes[name]) if policy.drawn_by == "size" else 1.0
        return -math.log((number + 0.5) / 2**52) / weight if weight else math.inf

    return sorted(rows, key=lambda row: (key(row), row))[: min(wanted, len(rows))]


def best_by_brute_force(instance: etsopt.Instance) -> float | None:
    """The least uncovered tonnes over every subset of reviews; None if no plan exists."""
    policy, table = instance.policy.review_plan, instance.enterprises
    assert table is not None
    days = np.full(len(table), policy.days_per_review)
    if "review_days" in table:
        days = table["review_days"].fillna(policy.days_per_review).to_numpy()
    places = [(row.province, row.city or row.enterprise_id) for row in table.itertuples()]
    subsets = np.array(list(itertools.product((False, True), repeat=len(table))))
    feasible = []
    for level, name in ((policy.provincial, "provincial"), (policy.national, "national")):
        good = np.ones(len(subsets), dtype=bool)
        for province in sorted(set(table["province"])) if name == "provincial" else [None]:
            own = np.array([province in (None, one) for one in table["province"]])
            visited = [
                subsets[:, own & np.array([one == place for one in places])].any(axis=1)
                for place in sorted(set(places))
            ]
            used = (subsets & own) @ np.round(level.effort * days, 6) + level.travel_days * np.sum(visited, axis=0)
            assert not isinstance(level.days, dict)
            good &= used <= (np.inf if level.days is None else level.days) + 1e-9
            good &= (subsets & own).sum(axis=1) >= min(level.least, own.sum())
            good &= subsets[:, drawn_rows(instance, name, np.flatnonzero(own).tolist(), level.drawn)].all(axis=1)
        feasible.append(subsets[good])
    municipal: Any = policy.municipal
    for province in sorted(set(table["province"])):
        own = (table["province"] == province).to_numpy()
        trips = len({place for place, here in zip(places, own, strict=True) if here})
        needed = np.round(municipal.effort * days[own], 6).sum() + municipal.travel_days * trips
        if municipal.days is not None and needed > municipal.days + 1e-9:
            return None
    if not all(map(len, feasible)):
        return None
    either = feasible[0][:, None, :] | feasible[1][None, :, :]
    return float((~either @ table["at_risk_tco2e"].to_numpy()).min())
