"""Prices against what the level is when the limit that they belong to is moved a little to either side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.reliability.relations import Parts, allocation, market
from benchmarks.reliability.row import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etsopt.results.results import Results

PART = 1e-4
"""By how much a limit is moved, against the emissions that it stands on."""

NEAR = 1e-6

ATTEMPTS = 10
"""Instances of which one has a price; many have no allocation, or no limit that binds."""

UNITS = {"t": 1e-7, "rate": 1e-15, "CNY": 1e-5}
"""What a difference of two values may lose of its last places, whatever it is divided by."""


def priced(numbers: Iterable[int]) -> Found:
    """Compare a price of a random instance with differences of its level, for each number."""
    found = Found()
    for number in numbers:
        outcome, wrong = (of_market if number % 3 == 0 else of_limit)(number)
        found.saw(outcome)
        if wrong:
            found.failed(number, f"{outcome}: {wrong}")
    return found


def of_limit(number: int) -> tuple[str, str]:
    """The shadow price of a target, a balance or the national total at the first level, the largest of them."""
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
        # Beyond the last allocation the level is worse than any.
        values.append(other.levels[0].value if "allocation" in other.tables else np.inf)
    # A balance binds on one side: wider by a tonne, it lets the level fall by the price.
    price = -abs(float(row["price"])) if row["row"] == "province_balance" else float(row["price"])
    return compared("limit", price, level.value, values, step, level.unit)


def with_tonnes(parts: Parts) -> Parts:
    """The same with every target and balance stated so that one of them can be moved by some tonnes."""
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
    """The change of the policy that moves a limit by some tonnes."""
    if row["row"] == "sector_target":
        target = parts.policy["sectors"][row["index"]]["target_t"]
        return {f"sectors.{row['index']}.target_t": target + tonnes}
    if row["row"] == "national_total":
        return {"national.target_t": parts.policy["national"]["target_t"] + tonnes}
    emissions = parts.units.groupby("province")["emissions_tco2e"].sum()[row["index"]]
    balance = parts.policy["provinces"]["balance"]
    return {"provinces.balance": {**balance, row["index"]: max(balance[row["index"]] + tonnes / emissions, 0.0)}}


def of_market(number: int) -> tuple[str, str]:
    """The price of a market of one year, and its interval, by moving the demand of other sectors."""
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
        # So near to a kink the slopes are the ends of the interval.
        if not (abs(left - edges[0]) <= near and abs(right - edges[1]) <= near):
            wrong = f"interval {edges[0]:.10g} to {edges[1]:.10g}, slopes {left:.10g} and {right:.10g}"
    if not edges[0] <= price <= edges[1]:
        wrong = wrong or f"price {price:.10g} outside its interval {edges[0]:.10g} to {edges[1]:.10g}"
    return f"{outcome}, of zero" if price == 0 else outcome, wrong


def costs_around(parts: Parts, step: float) -> list[float]:
    """Cost of a market with a little less and a little more demand from outside; fewer where one is not certified."""
    demand = parts.policy["market"]["external_demand_t"]
    others = [parts.stating({"market.external_demand_t": demand + move}).solved() for move in (-step, step)]
    return [other.levels[-1].value if "years" in other.tables else float("inf") for other in others if other.certified]


def slopes_of(value: float, values: list[float], step: float) -> tuple[float, float]:
    return (value - values[0]) / step, (values[1] - value) / step


def nearness(value: float, step: float, unit: str, slopes: tuple[float, float]) -> float:
    finite = [abs(slope) for slope in slopes if np.isfinite(slope)]
    return NEAR * max(finite, default=0.0) + (UNITS[unit] + 1e-14 * abs(value)) / step


def compared(what: str, price: float, value: float, values: list[float], step: float, unit: str) -> tuple[str, str]:
    """Hold a price against the slopes on both sides: the level is convex, so it lies between them.

    Where the two slopes agree, the price is theirs; where they do not, the limit stands at a kink or near one.
    """
    left, right = slopes = slopes_of(value, values, step)
    near = nearness(value, step, unit, slopes)
    wrong = ""
    if not left - near <= price <= right + near:
        wrong = f"price {price:.10g}, slopes {left:.10g} and {right:.10g}"
    return f"{what}, {'equal' if right - left <= 2 * near else 'between two slopes'}", wrong
