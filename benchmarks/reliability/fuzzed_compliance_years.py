"""Random compliance years, and the least cost of each enterprise in merit order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.reliability.fuzzed import Case
from tests.compliance_years import random_compliance_year

if TYPE_CHECKING:
    import etsopt
    from etsopt.running.results.results import Results


def compliance(number: int) -> Case:
    """Return a compliance year of two to six units."""
    random = np.random.default_rng(number)
    instance = random_compliance_year(number, int(random.integers(2, 7)))
    if number % 2:
        some = sorted(set(instance.units["enterprise_id"]))[:2]
        instance = instance.with_policy({"compliance.speculating": some})
    return Case("compliance", instance, ("direct", "pyomo")[number % 2], lambda result: by_merit(instance, result))


def by_merit(instance: etsopt.Instance, result: Results) -> str:
    """Compare the cost of each enterprise with the least cost for its holdings and obligation."""
    policy: Any = instance.policy
    year, market, price = policy.year, policy.market, policy.market.prices_cny_per_t
    fee, keep, offset = market.transaction_cost_cny_per_t, market.terminal_price_cny_per_t, market.ccer_price_cny_per_t
    fine = policy.penalty.multiple * policy.penalty.reference_price_cny_per_t
    worth = max(price - fee, keep)
    table, holdings = result.tables["compliance"].set_index("enterprise_id"), result.tables["holdings"]
    owed = return_t(instance)
    for name, obligation in owed.items():
        row = table.loc[name]
        own = holdings[holdings["enterprise_id"] == name]
        settles = own["vintage"] >= 2025 if year >= 2025 else own["vintage"] <= year
        held = own["opening_t"] + own["carried_over_t"] + own["issued_t"] - own["cancelled_t"]
        available, first = int(held[settles].sum()), min(int(row["province_received_t"]), obligation)
        shared = market.ccer_supply_t * obligation / max(sum(owed.values()), 1)
        offsets = min(math.floor(0.05 * obligation + 1e-6), math.floor(shared + 1e-6))
        bought = obligation if name in policy.compliance.speculating else max(obligation - available, 0)
        ways = [
            (worth, available - first),
            (price + fee, 0 if name in policy.compliance.without_purchases else bought),
            (offset, offsets),
            (fine, max(obligation - available - offsets, 0)),
        ]
        cost, left = -worth * (available - first), obligation - first
        for each, most in sorted(ways):
            cost += each * min(left, most)
            left -= min(left, most)
        # Purchased allowances are surrendered at once.
        kept = available + int(row["bought_t"] - row["surrendered_t"])
        pays = (price + fee) * row["bought_t"] + offset * row["offset_t"] + fine * row["shortfall_t"] - worth * kept
        if left or not abs(pays - cost) <= 1e-9 * abs(cost) + 1e-4:
            return f"{name} settles at {pays:.10g} CNY, in the order of cost at {cost:.10g} CNY"
    return ""


def return_t(instance: etsopt.Instance) -> dict[str, int]:
    """Return what enterprises owe, each unit to the nearest tonne; the plan of 2025 excludes new and closed units."""
    found: dict[str, int] = {}
    for unit in instance.units.to_dict("records"):
        counts = unit.get("special_case") not in ("new", "closed")
        owed = math.floor(unit["emissions_tco2e"] + 0.5 + 1e-6) * counts
        found[unit["enterprise_id"]] = found.get(unit["enterprise_id"], 0) + owed
    return found
