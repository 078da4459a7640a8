"""Random allocations of one to twelve units, feasible, tight and infeasible, against independent programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog

import etsopt
from benchmarks.reliability.fuzzed import Case
from tests import oracle, whole_oracle
from tests.builders import allowances, random_units
from tests.whole_oracle import OBJECTIVES

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.running.results.results import Results

SLACKS_T = (0.2, 0.02, 0.002)
"""Slacks of the limits: the independent programs have no solution without slack, so theirs is extrapolated to zero.

This is exact if no unit changes sides within the slack; if the first differs, the next smaller slack is tried."""

EDGE_T = 0.05
"""Infeasibility below this is rounding [t]."""

EXACT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10, "presolve": False}

METHODS = ("direct", "direct", "pyomo", "aggregation")


def any_allocation(number: int) -> Case:
    """Return an allocation with arbitrary policy keys."""
    random = np.random.default_rng(number)
    units = some_units(random, int(random.integers(1, 13)))
    rule = str(random.choice(["cn-2025", "cn-2025", "cn-2026", "cn-2024", "grandfathering", "benchmark", "given"]))
    policy = some_policy(random, units, rule)
    return Case("allocation", etsopt.Instance.from_frames(units, policy), METHODS[number % 4])


def known_allocation(number: int) -> Case:
    """Return an allocation of at most six units that the linear programs of the tests cover."""
    random = np.random.default_rng(number)
    units = some_units(random, int(random.integers(1, 7))).drop(columns=["special_case", "pre_allocated_t"])
    sectors = {str(name): some_sector(random) for name in sorted(set(units["sector"]))}
    policy: dict[str, Any] = {"year": 2025, "rule": {"name": "given"}, "sectors": sectors}
    policy["allocation"] = {
        "objectives": some_levels(random),
        "band_on": str(random.choice(["unit", "enterprise"])),
        "intensity_order": bool(random.random() < 0.3),
    }
    if random.random() < 0.6:
        policy["provinces"] = {"balance": float(random.choice([0.002, 0.01, 0.02, 0.05]))}
    if random.random() < 0.5:
        policy["national"] = {"target_change": float(random.choice([0.01, 0.0, -0.01, -0.03]))}
    instance = etsopt.Instance.from_frames(units, policy)
    return Case("allocation", instance, METHODS[number % 4], lambda result: against_programs(instance, result))


def whole_allocation(number: int) -> Case:
    """Return three to five small units in whole tonnes with up to two exceptions, for full enumeration."""
    random = np.random.default_rng(number)
    band_on = str(random.choice(["unit", "enterprise"]))
    exceptions = int(random.choice([0, 0, 1, 2]))
    instance = whole_oracle.tiny_instance(number, some_levels(random), exceptions, band_on)
    return Case("allocation", instance, METHODS[number % 4], lambda result: against_all(instance, result))


def rounded_allocation(number: int) -> Case:
    """Return an allocation in whole tonnes and intensity order, for enumeration of all roundings."""
    instance = whole_oracle.fair_tiny(number, ("unit", "enterprise")[number % 2])
    return Case("allocation", instance, METHODS[number % 3], lambda result: against_roundings(instance, result))


def some_units(random: np.random.Generator, count: int) -> pd.DataFrame:
    """Return units of up to three sectors with reference allowances near their emissions."""
    units = random_units(int(random.integers(2**31)), max(count, 2)).head(count)
    spread = float(random.choice([0.0, 0.01, 0.05, 0.1]))
    reference = units["emissions_tco2e"] * (1 + random.uniform(-spread, spread, count))
    return units.assign(reference_t=np.round(reference) if random.random() < 0.7 else reference)


def some_levels(random: np.random.Generator) -> list[str]:
    return [str(name) for name in random.permutation(OBJECTIVES)[: int(random.integers(0, 5))]]


def some_sector(random: np.random.Generator) -> dict[str, Any]:
    """Return a band, and a target that is loose, tight, beyond the band, exact or absent."""
    lower, upper = (round(float(random.uniform(0.01, 0.06)), 4) for _ in range(2))
    change = float(
        random.choice([0.02, 0.0, -0.5 * lower, -0.999 * lower, -lower, -1.5 * lower], p=[0.2] * 4 + [0.1] * 2)
    )
    section: dict[str, Any] = {"band": {"lower": lower, "upper": upper}}
    if random.random() < 0.85:
        section["target_change"] = round(change, 6)
        section["target_sense"] = "exactly" if random.random() < 0.25 else "at_most"
    return section


def some_policy(random: np.random.Generator, units: pd.DataFrame, rule: str) -> dict[str, Any]:
    """Return a policy with a random choice of all keys."""
    parameters: dict[str, Any] = {"benchmarks": {"cement": 0.83, "steel": 2.1, "aluminium": 1.55}}
    named = {"name": rule, **(parameters if rule == "benchmark" else {})}
    if rule.startswith("cn-") and random.random() < 0.5:
        named["threshold_tco2e"] = float(random.choice([0.0, 50_000.0, 500_000.0]))
    policy: dict[str, Any] = {"year": int(random.integers(2024, 2029)), "rule": named}
    policy["sectors"] = {}
    for name, emissions in units.groupby("sector")["emissions_tco2e"].sum().items():
        section = some_sector(random)
        if "target_change" in section and random.random() < 0.3:
            section["target_t"] = round(emissions * (1 + section.pop("target_change")), 1)
        if random.random() < 0.1:
            section = {"band": section["band"], "target_sense": "none"}
        policy["sectors"][str(name)] = section
    fair, whole = bool(random.random() < 0.25), bool(random.random() < 0.3)
    exceptions = int(random.integers(1, 4)) if random.random() < 0.25 and not (fair and whole) else 0
    policy["allocation"] = {
        "objectives": some_levels(random),
        "band_on": str(random.choice(["unit", "unit", "enterprise"])),
        "intensity_order": fair,
        "integer_allowances": whole,
        "exceptions": {"units": exceptions, "lower": 0.1, "upper": 0.05},
    }
    share = float(random.choice([0.0, 0.002, 0.01, 0.03]))
    balance = random.choice(["none", "all", "one"])
    if balance != "none":
        policy["provinces"] = {"balance": share if balance == "all" else {str(units["province"].iloc[0]): share}}
    if random.random() < 0.4:
        sense = "exactly" if random.random() < 0.2 else "at_most"
        policy["national"] = {"target_change": float(random.choice([0.01, -0.005, -0.02])), "target_sense": sense}
    return policy


def lacking_t(instance: etsopt.Instance) -> float:
    """Return the least relaxation of targets, balances and the national total [t], by a linear program in scipy."""
    limits, size = oracle.limits_of(instance), float(instance.emissions_tco2e.max())
    without: dict[str, Any] = {f"sectors.{name}": {"band": band_of(instance, name)} for name in instance.sectors}
    firm = oracle.limits_of(instance.with_policy({**without, "provinces": {}, "national": None}))
    kept = {(row.tobytes(), limit) for row, limit in zip(firm.rows, firm.limits, strict=True)}
    gives = [(row.tobytes(), limit) not in kept for row, limit in zip(limits.rows, limits.limits, strict=True)]
    rows = np.hstack([limits.matrix, -np.eye(len(gives))[:, gives]])
    units, give = limits.matrix.shape[1], sum(gives)
    cost = np.array([0.0] * units + [1.0] * give)
    bounds = [(None, None)] * units + [(0, None)] * give
    found = linprog(cost, rows, limits.limit / size, bounds=bounds, method="highs-ds", options=EXACT)
    assert found.status == 0, found.message
    return float(found.fun) * size


def band_of(instance: etsopt.Instance, sector: str) -> dict[str, float]:
    band = instance.policy.sectors[sector].band
    return {"lower": band.lower, "upper": band.upper}  # type: ignore[union-attr]


def against_programs(instance: etsopt.Instance, result: Results) -> str | None:
    """Compare objectives with linear programs and a projection, or the infeasibility with the least relaxation."""
    if not result.certified:
        return None
    lacks = lacking_t(instance)
    if result.termination == "infeasible":
        stated = result.infeasible_by_t or 0.0
        near = abs(stated - lacks) <= 1e-6 * lacks + EDGE_T
        return "" if near else f"{stated:.10g} t lack, by an independent program {lacks:.10g} t"
    if lacks > EDGE_T:
        return f"there is an answer, and by an independent program {lacks:.10g} t lack"
    order = list(instance.policy.allocation.objectives)
    differs = ""
    for slack in SLACKS_T:
        values, answer = oracle.extrapolated(instance, order, slack)
        differs = difference(instance, result, [*values, nearness(instance, answer)])
        if not differs:
            return ""
    return differs


def nearness(instance: etsopt.Instance, allowance: Any) -> float:
    """Return the tie-break value of an allocation: squared changes over emissions, summed."""
    change = allowance - instance.units["reference_t"].to_numpy(dtype=float)
    return float((change**2 / instance.emissions_tco2e).sum())


def difference(instance: etsopt.Instance, result: Results, values: list[float]) -> str:
    """Return the first objective that differs from its expected value; empty without one."""
    for level, value in zip(result.levels, values, strict=True):
        near = 0.05 if level.unit == "t" else 0.05 / float(instance.emissions_tco2e.max()) + 1e-9
        if not abs(level.value - value) <= 1e-6 * abs(value) + near:
            return f"{level.name} is {level.value:.10g}, and an independent program finds {value:.10g}"
    return ""


def against_all(instance: etsopt.Instance, result: Results) -> str | None:
    """Compare exceptions, objectives and allowances with the best of all allocations in whole tonnes."""
    best = whole_oracle.answer(instance)
    if result.termination == "infeasible" or best is None:
        if (best is None) is (result.termination == "infeasible"):
            return ""
        return f"{result.status}, and trying all allocations finds {'none' if best is None else best.values}"
    if not result.certified:
        return None
    table = result.tables["allocation"]
    if "exceptional" in table and tuple(np.flatnonzero(table["exceptional"])) != best.exceptions:
        return f"other exceptions than {best.exceptions}"
    own = [level for level in result.levels if not level.name.startswith("exception")]
    for level, value in zip(own, best.values, strict=True):
        if not abs(level.value - value) <= 1e-9 * abs(value) + 1e-9:
            return f"{level.name} is {level.value:.10g}, and the best of all allocations has {value:.10g}"
    return "" if allowances(result).tolist() == best.allowances.tolist() else "other tonnes of an equal answer"


def against_roundings(instance: etsopt.Instance, result: Results) -> str | None:
    """Compare the rounding with the nearest of all whole allocations."""
    points = whole_oracle.every_allocation(instance, [])
    if result.status != "certified_rounded":
        # Integer allowances within the limits do not imply that real ones keep the order.
        return "" if result.certified and not len(points) else None
    if not len(points):
        return "no whole allocation keeps the limits"
    real = result.tables["allocation"].set_index("unit_id")["before_rounding_t"]
    value, whole = whole_oracle.nearest_rounding(instance, real)
    near = abs(result.levels[-1].value - value) <= 1e-9
    return "" if near and allowances(result).tolist() == whole else f"rounded to {value:.10g}, which is not the nearest"
