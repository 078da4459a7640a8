"""Instances infeasible by a planted conflict: etsopt proves it and names it with its tonnes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

import etsopt
from benchmarks.reliability.row import Found, Row
from tests.builders import given
from tests.markets import known, some_market
from tests.oracle import least_relief
from tests.whole_oracle import answer, tiny_instance

PLANTED, WHOLE, LARGE = 1_000, 100, 30_000

Limit = tuple[str, str]
"""A limit of the table ``relaxed_limits`` and its index, such as a target and its sector."""

Plant = Callable[[np.random.Generator, pd.DataFrame, dict[str, Any]], set[Limit]]
"""Plants a conflict in units and policy; returns the limits in conflict, which can be relaxed."""


def sound(random: np.random.Generator) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return units of the rule 'given' under a feasible policy: allowances equal to emissions meet every limit."""
    count = int(random.integers(4, 13))
    emissions = np.round(10 ** random.uniform(4.5, 6.5, count))
    units = pd.DataFrame(
        {
            "unit_id": [f"u{number:02d}" for number in range(count)],
            "enterprise_id": [f"e{owner}" for owner in random.integers(0, count, count)],
            "sector": random.choice(["cement", "steel"], count),
            "province": random.choice(["North", "South"], count),
            "emissions_tco2e": emissions,
            "reference_t": np.round(emissions * random.uniform(0.97, 1.03, count)),
        }
    )
    units.loc[:1, "sector"] = ["cement", "steel"]
    # An enterprise in both sectors could shift tonnes between them.
    units["enterprise_id"] = units["sector"].str[0] + units["enterprise_id"]
    units["output_t"] = np.round(emissions / random.uniform(0.5, 1.5, count))
    bands = {name: round(float(random.uniform(0.02, 0.05)), 4) for name in ("cement", "steel")}
    policy = {
        "sectors": {name: {"band": band, "target_change": 0.0} for name, band in bands.items()},
        "provinces": {"balance": {"North": 0.04, "South": 0.04}},
        "allocation": {
            "band_on": str(random.choice(["unit", "enterprise"])),
            "intensity_order": bool(random.integers(2)),
        },
    }
    return units, policy


def low_target(random: np.random.Generator, units: pd.DataFrame, policy: dict[str, Any]) -> set[Limit]:
    sector = policy["sectors"]["cement"]
    sector["target_change"] = -sector["band"] - round(float(random.uniform(0.001, 0.1)), 4)
    policy["provinces"]["balance"] = 0.5
    return {("target", "cement")}


def high_target(random: np.random.Generator, units: pd.DataFrame, policy: dict[str, Any]) -> set[Limit]:
    sector = policy["sectors"]["steel"]
    sector |= {"target_change": sector["band"] + round(float(random.uniform(0.001, 0.1)), 4), "target_sense": "exactly"}
    policy["provinces"]["balance"] = 0.5
    return {("target", "steel")}


def balance_against_target(random: np.random.Generator, units: pd.DataFrame, policy: dict[str, Any]) -> set[Limit]:
    """Put all cement in one province, whose balance is tighter than the cement target allows."""
    units["province"] = np.where(units["sector"] == "cement", "East", units["province"])
    share = round(float(random.uniform(0, 0.005)), 4)
    policy["sectors"]["cement"]["target_change"] = -share - round(float(random.uniform(0.001, 0.01)), 4)
    policy["provinces"]["balance"] = dict.fromkeys(set(units["province"]), 0.5) | {"East": share}
    return {("balance", "East"), ("target", "cement")}


def nation_against_sectors(random: np.random.Generator, units: pd.DataFrame, policy: dict[str, Any]) -> set[Limit]:
    for sector in policy["sectors"].values():
        sector["target_sense"] = "exactly"
    policy["national"] = {"target_change": -round(float(random.uniform(0.001, 0.05)), 4)}
    policy["provinces"]["balance"] = 0.5
    return {("nation", ""), ("target", "cement"), ("target", "steel")}


def nation_below_bands(random: np.random.Generator, units: pd.DataFrame, policy: dict[str, Any]) -> set[Limit]:
    widest = max(sector["band"] for sector in policy["sectors"].values())
    policy["national"] = {"target_change": -widest - round(float(random.uniform(0.001, 0.1)), 4)}
    policy["provinces"]["balance"] = 0.5
    return {("nation", "")}


def order_against_balance(random: np.random.Generator, units: pd.DataFrame, policy: dict[str, Any]) -> set[Limit]:
    """Put the cleanest cement alone in a province that balances to the tonne, with a higher target for all."""
    cleanest = units["unit_id"] == "u00"
    units.loc[cleanest, "output_t"] = 10 * units["emissions_tco2e"]
    units["enterprise_id"] = units["unit_id"]
    extra = units.loc[cleanest].assign(unit_id="u99", enterprise_id="u99", emissions_tco2e=5e5, reference_t=5e5)
    units.loc[len(units)] = extra.assign(output_t=4e5).iloc[0]
    units.loc[units["unit_id"] == "u00", "province"] = "East"
    policy["allocation"] = {"intensity_order": True}
    policy["sectors"]["cement"] |= {"target_change": round(float(random.uniform(0.001, 0.01)), 4)}
    policy["sectors"]["cement"]["target_sense"] = "exactly"
    policy["provinces"]["balance"] = dict.fromkeys(set(units["province"]), 0.5) | {"East": 0.0}
    return {("balance", "East"), ("target", "cement")}


PLANTS: tuple[Plant, ...] = (
    low_target,
    high_target,
    balance_against_target,
    nation_against_sectors,
    nation_below_bands,
    order_against_balance,
)


def planted(number: int) -> tuple[str, str]:
    """Return the outcome of an allocation with a planted conflict, and its error, if any."""
    random, plant = np.random.default_rng(number), PLANTS[number % len(PLANTS)]
    units, policy = sound(random)
    columns = ["unit_id", "enterprise_id", "sector", "province", "emissions_tco2e", "reference_t"]
    limits = plant(random, units, policy)
    instance = given([tuple(row) for row in units[columns].to_numpy()], policy, output_t=units["output_t"].tolist())
    found, least = etsopt.solve(instance), least_relief(instance)
    if found.status != "infeasible_certified":
        return found.status, f"{plant.__name__}: {found.status}, and {least:.6g} t lack"
    if not abs((found.infeasible_by_t or 0.0) - least) <= 1e-6 * least + 0.05:
        return "another amount", f"{plant.__name__}: {found.infeasible_by_t!r} t, and {least!r} t lack"
    relief = found.tables["relaxed_limits"].query("way_out == 'target_relaxation'")
    named = set(zip(relief["limit"], relief["index"], strict=True))
    if not named or not named <= limits:
        return "another conflict", f"{plant.__name__}: {sorted(named)} of {sorted(limits)}"
    if etsopt.check(instance, found).violations:
        return "refused by its check", f"{plant.__name__}: {etsopt.check(instance, found).violations}"
    return "proven, named, with its tonnes", ""


def short_market(number: int) -> tuple[str, str]:
    """Return the same of a market whose external demand exceeds all possible abatement."""
    drawn, random = some_market(number), np.random.default_rng(number)
    policy: dict[str, Any] = drawn.policy.model_dump(mode="json", exclude_none=True)
    policy["penalty"] = {}
    total = float(drawn.emissions_tco2e.sum()) * len(drawn.policy.years)
    policy["market"]["external_demand_t"] = round(float(random.uniform(1.2, 3)) * total)
    instance = etsopt.Instance.from_frames(drawn.units, policy, measures=drawn.measures)
    found = etsopt.solve(instance, "clearing")
    if found.status != "infeasible_certified":
        return found.status, f"market: {found.status}"
    least = known(instance, found).unmet_t
    if not abs((found.infeasible_by_t or 0.0) - least) <= 1e-6 * least + 0.1:
        return "another amount", f"market: {found.infeasible_by_t!r} t, and {least!r} t are missing"
    if etsopt.check(instance, found).violations:
        return "refused by its check", f"market: {etsopt.check(instance, found).violations}"
    return "proven, named, with its tonnes", ""


def in_whole_tonnes(number: int) -> tuple[str, str]:
    """Return an allocation in whole tonnes with exceptions for which enumeration finds no solution."""
    for seed in range(1_000 * number, 1_000 * (number + 1)):
        instance = tiny_instance(seed, ["change"], 1 + number % 2)
        if answer(instance) is None:
            break
    found = etsopt.solve(instance)
    explained = "relaxed_limits" in found.tables and len(found.tables["relaxed_limits"]) > 0
    if found.status == "infeasible_certified" and explained:
        return "whole tonnes: proven and explained", ""
    if found.status == "infeasible_unproven":
        return f"whole tonnes: stated as unproven, {'explained' if explained else 'not explained'}", ""
    return f"whole tonnes: {found.status}", f"whole tonnes of seed {seed}: {found.status}"


def large(found: Found) -> tuple[str, str]:
    """Return the outcome of a target that the bands of many units rule out."""
    instance = etsopt.generate(LARGE, seed=1).with_policy({"sectors.cement.target_change": -0.2})
    began = time.perf_counter()
    result = etsopt.solve(instance)
    found.measured(f"s for {LARGE:,} units", time.perf_counter() - began)
    proven = result.status == "infeasible_certified"
    return ("proven, named, with its tonnes" if proven else result.status), "" if proven else result.status


def conflicts(numbers: Iterable[int]) -> Found:
    found = Found()
    for number in numbers:
        if number < PLANTED:
            outcome, wrong = (short_market if number % 10 == 9 else planted)(number)
        elif number < PLANTED + WHOLE:
            outcome, wrong = in_whole_tonnes(number - PLANTED)
        else:
            outcome, wrong = large(found)
        found.tried(number, outcome, wrong)
    return found


ROWS: list[Row] = [
    Row(
        "A9",
        f"{PLANTED:,} instances with one planted conflict of targets, balances, the national total and order, or a "
        f"market that cannot clear; {WHOLE} without a solution in whole tonnes; one of {LARGE:,} units",
        "Each is proven, its tonnes are those of an independent linear program, and what gives way was planted; in "
        "whole tonnes it is explained, or stated as unproven.",
        PLANTED + WHOLE + 1,
        20,
        conflicts,
    )
]
