"""Shadow prices against finite differences of the objective when their limit moves to either side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.reliability.relations import Parts, allocation, market
from benchmarks.reliability.row import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etsopt.running.results.results import Results

PART = 1e-4
"""Shift of a limit, relative to its emissions."""

NEAR = 1e-6

ATTEMPTS = 10
"""Instances tried for one shadow price; many have no allocation, or no binding limit."""

UNITS = {"t": 1e-7, "rate": 1e-15, "CNY": 1e-5}
"""Relative rounding error of a difference of two values, before division."""


def priced(numbers: Iterable[int]) -> Found:
    """Compare a shadow price of a random instance with differences of its objective, for each number."""
    found = Found()
    for number in numbers:
        outcome, wrong = (of_market if number % 3 == 0 else of_limit)(number)
        found.saw(outcome)
        if wrong:
            found.failed(number, f"{outcome}: {wrong}")
    return found


def of_limit(number: int) -> tuple[str, str]:
    """Check the largest shadow price of targets, balances and the national total on the first objective."""
    for attempt in range(ATTEMPTS):
        parts = with_tonnes(
            allocation(ATTEMPTS * number + attempt, whole=False, first=("change", "largest_change", "deficit"))
        )
        one = parts.solved()
        prices = one.prices[one.prices["level"] == one.levels[0].name] if one.levels else one.prices
        prices = prices[prices["price"] != 0]
        if one.certified and one.termination == "optimal" and len(prices):
            balances = prices[prices["row"] == "province_balance"]
            return against_differences(parts, one, balances if number % 2 and len(balances) else prices)
    return "no price in so many instances", ""


def against_differences(parts: Parts, one: Results, prices: Any) -> tuple[str, str]:
    level = one.levels[0]
    row = prices.iloc[int(np.argmax(np.abs(prices["price"].to_numpy())))]
    step = PART * float(one.tables["allocation"]["emissions_tco2e"].sum())
    changes = [moved(parts, row, move) for move in (-step, step)]
    values = []
    for change in changes:
        other = parts.stating(change).solved()
        if not other.certified:
            return "limit, other side not certified", ""
        # Beyond the last feasible allocation the objective is infinitely bad.
        values.append(other.levels[0].value if "allocation" in other.tables else np.inf)
    # A balance binds on one side: one tonne more lowers the objective by the shadow price.
    price = -abs(float(row["price"])) if row["row"] == "province_balance" else float(row["price"])
    return compared("limit", price, level.value, values, step, level.unit)


def with_tonnes(parts: Parts) -> Parts:
    """Return the instance with targets and balances in tonnes, so that one of them can be moved."""
    policy: dict[str, Any] = {**parts.policy, "sectors": {}}
    emissions = parts.units.groupby("sector")["emissions_tco2e"].sum()
    for name, section in parts.policy["sectors"].items():
        tonnes = {}
        if "target_change" in section:
            tonnes = {"target_t": float(emissions[name] * (1 + section["target_change"]))}
        policy["sectors"][name] = {key: value for key, value in section.items() if key != "target_change"} | tonnes
    if "national" in policy:
        total = float(emissions.sum() * (1 + policy["national"]["target_change"]))
        policy["national"] = {"target_t": total}
    if "provinces" in policy:
        share = policy["provinces"]["balance"]
        policy["provinces"] = {"balance": dict.fromkeys(sorted(set(parts.units["province"])), share)}
    return Parts(parts.model, parts.units, policy)


def moved(parts: Parts, row: Any, tonnes: float) -> Mapping[str, Any]:
    """Return the policy change that moves a limit by some tonnes."""
    if row["row"] == "sector_target":
        target = parts.policy["sectors"][row["index"]]["target_t"]
        return {f"sectors.{row['index']}.target_t": target + tonnes}
    if row["row"] == "national_total":
        return {"national.target_t": parts.policy["national"]["target_t"] + tonnes}
    emissions = parts.units.groupby("province")["emissions_tco2e"].sum()[row["index"]]
    balance = parts.policy["provinces"]["balance"]
    return {"provinces.balance": {**balance, row["index"]: max(balance[row["index"]] + tonnes / emissions, 0.0)}}


def of_market(number: int) -> tuple[str, str]:
    """Check the price of a one-year market and its interval by moving the demand of other sectors."""
    # Of the random markets every third has one year.
    parts = market(number, ("clearing", "pathway")[number // 3 % 2], abatement={"divisible_measures": True})
    one = parts.solved()
    if not one.certified or "years" not in one.tables:
        return f"market, {one.status}", ""
    value, year = one.levels[-1].value, one.prices.iloc[0]
    price, edges = float(year["price"]), (float(year["lower"]), float(year["upper"]))
    for part in (PART, PART / 100):
        step = part * float(parts.units["emissions_tco2e"].sum())
        values = costs_around(parts, step)
        if len(values) < 2:
            return "market, other side not certified", ""
        outcome, wrong = compared("market", price, value, values, step, "CNY")
        left, right = slopes = slopes_of(value, values, step)
        near = nearness(value, step, "CNY", slopes)
        if wrong or outcome.endswith("equal"):
            break
    else:
        # Near a kink the slopes are the ends of the interval.
        if not (abs(left - edges[0]) <= near and abs(right - edges[1]) <= near):
            wrong = f"interval {edges[0]:.10g} to {edges[1]:.10g}, slopes {left:.10g} and {right:.10g}"
    if not edges[0] <= price <= edges[1]:
        wrong = wrong or f"price {price:.10g} outside its interval {edges[0]:.10g} to {edges[1]:.10g}"
    return f"{outcome}, of zero" if price == 0 else outcome, wrong


def costs_around(parts: Parts, step: float) -> list[float]:
    """Return the cost of a market at slightly less and more external demand; fewer if one is not certified."""
    demand = parts.policy["market"]["external_demand_t"]
    others = [parts.stating({"market.external_demand_t": demand + move}).solved() for move in (-step, step)]
    return [other.levels[-1].value if "years" in other.tables else float("inf") for other in others if other.certified]


def slopes_of(value: float, values: list[float], step: float) -> tuple[float, float]:
    return (value - values[0]) / step, (values[1] - value) / step


def nearness(value: float, step: float, unit: str, slopes: tuple[float, float]) -> float:
    finite = [abs(slope) for slope in slopes if np.isfinite(slope)]
    return NEAR * max(finite, default=0.0) + (UNITS[unit] + 1e-14 * abs(value)) / step


def compared(what: str, price: float, value: float, values: list[float], step: float, unit: str) -> tuple[str, str]:
    """Compare a shadow price with the slopes on both sides: the objective is convex, so it lies between them.

    If the two slopes agree, the shadow price equals them; otherwise the limit is at or near a kink.
    """
    left, right = slopes = slopes_of(value, values, step)
    near = nearness(value, step, unit, slopes)
    wrong = ""
    if not left - near <= price <= right + near:
        wrong = f"price {price:.10g}, slopes {left:.10g} and {right:.10g}"
    return f"{what}, {'equal' if right - left <= 2 * near else 'between two slopes'}", wrong
