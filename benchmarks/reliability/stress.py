"""Numbers of every size, near ties and degenerate instances: certified results equal those of a benign scale."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import etsopt
from benchmarks.reliability.row import Found, Row
from etsopt.common.units import tolerance_of
from tests.builders import given, random_instance
from tests.markets import some_market
from tests.oracle import least, least_relief, limits_of
from tests.whole_oracle import OBJECTIVES

COUNT = 2_000
ROUNDING_T = 0.05
WIDEST_OF_PROGRAM = 1e7
"""Ratio of emissions above which the tolerances of the independent program reach the size of a unit."""

WIDEST = 12
"""Largest absolute power of ten of the scaling."""


@dataclass(frozen=True)
class Trial:
    """A hard instance, and a benign one with equal values up to a factor."""

    make: Callable[[], etsopt.Instance]
    model: str
    benign: etsopt.Instance
    factor: float = 1.0
    near: float = 1e-8
    """Relative difference of values that the relation of the two allows."""
    scaled: tuple[str, ...] = ("t", "CNY")
    """Units of the objectives whose values have the factor; rates never have."""


Units = dict[str, Any]


def some_units(random: np.random.Generator) -> tuple[Units, dict[str, Any]]:
    """Return units of the rule 'given', and a binding policy."""
    count = int(random.integers(3, 11))
    emissions = np.round(10 ** random.uniform(4.5, 6.5, count))
    units: Units = {
        "sector": random.choice(["cement", "steel"], count).tolist(),
        "province": random.choice(["North", "South"], count).tolist(),
        "emissions": emissions,
        "reference": np.round(emissions * random.uniform(0.96, 1.04, count)),
        "output": np.round(emissions / random.uniform(0.5, 1.5, count)),
    }
    policy: dict[str, Any] = {
        "sectors": {
            name: {"band": round(float(random.uniform(0.02, 0.06)), 4), "target_change": -0.01}
            for name in sorted(set(units["sector"]))
        },
        "provinces": {"balance": 0.03},
        "allocation": {
            "objectives": random.permutation(OBJECTIVES)[: int(random.integers(1, 4))].tolist(),
            "intensity_order": bool(random.integers(2)),
        },
    }
    return units, policy


def made(units: Units, policy: dict[str, Any], factor: float = 1.0) -> etsopt.Instance:
    rows = [
        (f"u{number:02d}", f"e{number:02d}", sector, province, float(emissions) * factor, float(reference) * factor)
        for number, (sector, province, emissions, reference) in enumerate(
            zip(units["sector"], units["province"], units["emissions"], units["reference"], strict=True)
        )
    ]
    return given(rows, policy, output_t=(np.asarray(units["output"]) * factor).tolist())


def power(random: np.random.Generator, widest: int = WIDEST) -> float:
    return float(10.0 ** int(random.integers(-widest, widest + 1)))


def tonnes(number: int, random: np.random.Generator) -> Trial:
    """Scale all tonnes of an allocation."""
    units, policy = some_units(random)
    factor = power(random)
    return Trial(lambda: made(units, policy, factor), "allocation", made(units, policy), factor)


def outputs(number: int, random: np.random.Generator) -> Trial:
    """Scale all outputs under the rule of 2025, which uses relative intensities only."""
    # Beyond a factor of 300 an intensity is refused as a unit error, so half of the factors are small.
    benign, factor = random_instance(number, cases=False), power(random, 2 if random.integers(2) else WIDEST)
    policy = benign.policy.model_dump(mode="json", exclude_none=True)
    units = benign.units.assign(output_t=benign.units["output_t"] * factor)
    # The rule may round a whole tonne to the other side.
    near = 1e-4
    return Trial(partial(etsopt.Instance.from_frames, units, policy), "allocation", benign, near=near)


def money(number: int, random: np.random.Generator) -> Trial:
    """Scale all prices and costs of a market."""
    benign, factor = some_market(number).with_policy({"abatement.divisible_measures": True}), power(random)
    assert benign.measures is not None
    policy: dict[str, Any] = benign.policy.model_dump(mode="json", exclude_none=True)
    for section in ("market", "penalty"):
        priced = {name: value for name, value in policy[section].items() if name.endswith("_cny_per_t")}
        policy[section] |= {name: value * factor for name, value in priced.items()}
    columns = [name for name in benign.measures if name.endswith("_cny_per_t")]
    measures = benign.measures.assign(**{name: benign.measures[name] * factor for name in columns})
    make = partial(etsopt.Instance.from_frames, benign.units, policy, measures=measures)
    return Trial(make, "clearing", benign, factor, 1e-6, ("CNY",))


def market_tonnes(number: int, random: np.random.Generator) -> Trial:
    """Scale all tonnes of a market."""
    benign, factor = some_market(number).with_policy({"abatement.divisible_measures": True}), power(random)
    policy: dict[str, Any] = benign.policy.model_dump(mode="json", exclude_none=True)
    amounts = {name: value for name, value in policy["market"].items() if name.endswith("_t") and "per_t" not in name}
    policy["market"] |= {name: value * factor for name, value in amounts.items()}
    columns = [name for name in benign.units if name.endswith(("_t", "_tco2e"))]
    units = benign.units.assign(**{name: benign.units[name] * factor for name in columns})
    make = partial(etsopt.Instance.from_frames, units, policy, measures=benign.measures)
    return Trial(make, "clearing", benign, factor, 1e-6)


def near_ties(number: int, random: np.random.Generator) -> Trial:
    """Return units that differ in their last digits, beside equal ones; an intensity order distinguishes them."""
    units, policy = some_units(random)
    for name in ("emissions", "reference", "output"):
        units[name] = np.full(len(units[name]), units[name][0])
    apart = float(random.choice([2**-52, 1e-14, 1e-12, 1e-10]))
    other = {
        name: units[name] * (1 + apart * random.integers(-2, 3, len(units[name])))
        for name in ("emissions", "reference", "output")
    }
    near = made({**units, **other}, policy)
    benign = near if policy["allocation"]["intensity_order"] else made(units, policy)
    return Trial(lambda: near, "allocation", benign, near=1e-6)


def degenerate(number: int, random: np.random.Generator) -> Trial:
    """Return units without emissions or reference, bands and balances of zero, and targets met exactly."""
    units, policy = some_units(random)
    policy["allocation"]["intensity_order"] = False
    nothing = random.random(len(units["sector"])) < 0.3
    nothing[0] = False
    units["emissions"] = np.where(nothing, 0.0, units["emissions"])
    units["reference"] = np.where(nothing | (random.random(len(nothing)) < 0.1), 0.0, units["reference"])
    for sector in policy["sectors"].values():
        sector |= {"band": float(random.choice([0.0, 0.01, 1.0])), "target_change": float(random.choice([0.0, -0.01]))}
    policy["provinces"] = {"balance": float(random.choice([0.0, 0.01, 0.03]))}
    hard = made(units, policy)
    return Trial(lambda: hard, "allocation", hard)


def widely_spread(number: int, random: np.random.Generator) -> Trial:
    """Return units of very different sizes in one instance."""
    units, policy = some_units(random)
    units["emissions"] = 10 ** random.uniform(-6, 11, len(units["emissions"]))
    units["reference"] = units["emissions"] * random.uniform(0.96, 1.04, len(units["emissions"]))
    units["output"] = units["emissions"] / random.uniform(0.5, 1.5, len(units["emissions"]))
    hard = made(units, policy)
    return Trial(lambda: hard, "allocation", hard)


KINDS = (tonnes, outputs, money, market_tonnes, near_ties, degenerate, widely_spread, tonnes)


def outcome(number: int) -> tuple[str, str]:
    """Return the outcome of a trial, and its error, if any."""
    kind = KINDS[number % len(KINDS)]
    trial = kind(number, np.random.default_rng(number))
    try:
        instance = trial.make()
        found = etsopt.solve(instance, trial.model)
    except etsopt.EtsoptError as error:
        said = str(error)
        return "refused with a message", "" if "\n\n" in said else f"{kind.__name__}: {said!r}"
    if found.status == "refused":
        return "refused by the checker", ""
    if broken := etsopt.check(instance, found).violations:
        return "broken", f"{kind.__name__}: {found.status}, {broken[0]}"
    if found.status in ("feasible", "infeasible_unproven"):
        return found.status, ""
    if not found.certified:
        return found.status, f"{kind.__name__}: {found.status}, {found.termination}"
    wrong, compared = disagreement(trial, instance, found)
    return ("certified, as it must be" if compared else "certified"), wrong and f"{kind.__name__}: {wrong}"


def disagreement(trial: Trial, instance: etsopt.Instance, found: etsopt.Results) -> tuple[str, bool]:
    """Return the difference from the benign result or the independent program, and a flag of a comparison."""
    if trial.benign is instance:
        return against_a_program(instance, found)
    benign = etsopt.solve(trial.benign, trial.model)
    if not benign.certified:
        return "", False
    if (found.termination, benign.termination) != ("optimal", "optimal"):
        lacks, there = (result.infeasible_by_t or 0.0 for result in (found, benign))
        off = abs(lacks - there * trial.factor)
        # An infeasibility within rounding is accepted, so only one of the two may be infeasible.
        return (
            "" if off <= 1e-6 * lacks + ROUNDING_T * max(1.0, trial.factor) else f"{lacks!r} t lack, {there!r} t there"
        ), True
    for one, other in zip(found.levels, benign.levels, strict=True):
        factor = trial.factor if one.unit in trial.scaled else 1.0
        open_ = tolerance_of(one.value, one.unit) + factor * tolerance_of(other.value, one.unit)
        open_ += trial.near * max(abs(one.value), abs(other.value) * factor)
        if not abs(one.value - factor * other.value) <= 2 * open_:
            return f"{one.name} is {one.value!r}, and {other.value!r} times {factor:g} in a benign scale", True
    return "", True


def against_a_program(instance: etsopt.Instance, found: etsopt.Results) -> tuple[str, bool]:
    """Compare the first objective with an independent linear program, if that has a solution."""
    level = found.levels[0]
    if found.termination != "optimal" or level.name not in OBJECTIVES:
        return "", False
    emissions = instance.emissions_tco2e
    if (
        level.name == "spread"
        and min(emissions[instance.units["sector"] == name].sum() for name in instance.sectors) == 0
    ):
        # A sector without emissions has no rate.
        return "", False
    if emissions.max() > WIDEST_OF_PROGRAM * emissions[emissions > 0].min(initial=np.inf):
        return "", False
    lacking = least_relief(instance)
    if lacking > 0:
        # The package accepts an infeasibility within rounding.
        return ("" if lacking <= ROUNDING_T else f"{lacking!r} t lack by a program"), False
    best = least(instance, limits_of(instance), level.name)
    open_ = 2 * tolerance_of(best, level.unit) + 1e-7 * max(abs(best), 1e-6 * float(np.max(emissions)))
    return ("" if abs(level.value - best) <= open_ else f"{level.name} is {level.value!r}, by a program {best!r}"), True


def stress(numbers: Iterable[int]) -> Found:
    found = Found()
    for number in numbers:
        found.tried(number, *outcome(number))
    return found


ROWS: list[Row] = [
    Row(
        "A8",
        "Tonnes, outputs, prices and costs scaled by powers of ten from 1e-12 to 1e12, units that differ in their last "
        "digits, are equal, emit nothing, or are of very different sizes",
        "Each is certified with the values of a benign scale or of an independent program, feasible, or refused with a "
        "message.",
        COUNT,
        20,
        stress,
    )
]
