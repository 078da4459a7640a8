"""Relations between the results of an instance and of a changed one with a known effect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import etsopt
from benchmarks.reliability.fuzzed_allocations import some_levels, some_sector, some_units
from etsopt.common.units import tolerance_of
from tests.compliance_years import random_compliance_year
from tests.markets import of_model, some_market

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.running.results.results import LevelResult, Results

GAP = 1e-4
"""Relative gap of the markets."""

NEAR, NEAR_CNY = 1e-7, 1.0

NOT_COMPARED = ("exception_order",)
"""Objectives that depend on the order of names."""


@dataclass(frozen=True)
class Parts:
    """Parts of an instance, changed before it is built."""

    model: str
    units: pd.DataFrame
    policy: dict[str, Any]
    measures: pd.DataFrame | None = None
    enterprises: pd.DataFrame | None = None

    @classmethod
    def of(cls, model: str, instance: etsopt.Instance) -> Parts:
        policy: dict[str, Any] = instance.policy.model_dump(mode="json", exclude_unset=True)
        return cls(model, instance.units, policy, instance.measures, instance.enterprises)

    @property
    def instance(self) -> etsopt.Instance:
        return etsopt.Instance.from_frames(self.units, self.policy, self.enterprises, self.measures)

    def solved(self, **options: Any) -> Results:
        return etsopt.solve(self.instance, self.model, **options)

    def stating(self, changes: Mapping[str, Any]) -> Parts:
        """Return the parts with changed policy keys, each by its dotted path."""
        instance = self.instance.with_policy(changes)
        return replace(self, policy=instance.policy.model_dump(mode="json", exclude_unset=True))


def allocation(seed: int, *, whole: bool = True, first: tuple[str, ...] = ()) -> Parts:
    """Return an allocation of two to seven units of the rule ``given``, whose result scales.

    Parameters
    ----------
    whole
        True to allow whole tonnes and exceptions.
    first
        Required first objective; any if None.
    """
    random = np.random.default_rng(seed)
    units = some_units(random, int(random.integers(2, 8))).drop(columns=["special_case", "pre_allocated_t"])
    levels = some_levels(random)
    if first:
        chosen = str(random.choice(first))
        levels = [chosen, *(level for level in levels if level != chosen)]
    stated: dict[str, Any] = {
        "objectives": levels,
        "band_on": str(random.choice(["unit", "unit", "enterprise"])),
        "intensity_order": bool(random.random() < 0.2),
    }
    if whole and not stated["intensity_order"]:
        stated["integer_allowances"] = bool(random.random() < 0.3)
        stated["exceptions"] = {"units": int(random.choice([0, 0, 2])), "lower": 0.1, "upper": 0.05}
    policy: dict[str, Any] = {"year": 2025, "rule": {"name": "given"}, "allocation": stated}
    policy["sectors"] = {str(name): some_sector(random) for name in sorted(set(units["sector"]))}
    if random.random() < 0.5:
        policy["provinces"] = {"balance": float(random.choice([0.005, 0.02, 0.05]))}
    if random.random() < 0.4:
        policy["national"] = {"target_change": float(random.choice([0.01, -0.005, -0.02]))}
    return Parts("allocation", units, policy)


def market(seed: int, model: str = "clearing", **policy: Any) -> Parts:
    """Return a lump-sum market of one to three years."""
    parts = Parts.of(model, of_model(some_market(seed), model))
    if model == "abatement":
        parts.policy["market"]["prices_cny_per_t"] = 45.0
    for section, keys in policy.items():
        parts.policy[section] = {**parts.policy.get(section, {}), **keys}
    return parts


def compliance(seed: int) -> Parts:
    return Parts.of("compliance", random_compliance_year(seed, 3 + seed % 4))


def same(one: Results, other: Results, scale: Mapping[str, float] | None = None) -> str | None:
    """Compare the values of all objectives; return the difference as text, empty without one.

    Parameters
    ----------
    scale
        Factor by unit from a value of the first result to one of the other; 1 if not named.

    Returns
    -------
    str or None
        None if one of the two is not certified, so that the values may differ.
    """
    scale = scale or {}
    if not (one.certified and other.certified):
        return None
    if one.termination != other.termination:
        return f"{one.status} is now {other.status}"
    if one.termination == "infeasible":
        tonnes = scale.get("t", 1.0) * (one.infeasible_by_t or 0.0)
        now = other.infeasible_by_t or 0.0
        near = NEAR * tonnes + 0.05 * max(scale.get("t", 1.0), 1.0)
        return "" if abs(tonnes - now) <= near else f"{tonnes:.10g} t lacked, and now {now:.10g} t"
    for level, now in zip(one.levels, other.levels, strict=True):
        factor = scale.get(level.unit, 1.0)
        if level.name not in NOT_COMPARED and abs(factor * level.value - now.value) > near_to(level, now, factor):
            return f"{level.name} was {factor * level.value:.12g}, and is now {now.value:.12g} {now.unit}"
    return ""


def near_to(one: LevelResult, other: LevelResult, factor: float = 1.0) -> float:
    """Return the allowed difference of two values of an objective: their proven gaps, or the market's gap."""
    size = max(abs(factor * one.value), abs(other.value))
    if one.name == "cost" and one.algorithm.startswith("branch"):
        return GAP * size + NEAR_CNY
    own = [tolerance_of(value, one.unit) for value in (one.value, other.value)]
    # An objective inherits the tolerances of earlier ones.
    return NEAR * size + 3 * (factor * own[0] + own[1])


def no_better(one: Results, other: Results) -> str | None:
    """Compare the first objective of two results, of which the other may only be worse or infeasible."""
    if not (one.certified and other.certified):
        return None
    if "infeasible" in (one.termination, other.termination):
        before, now = (result.infeasible_by_t or 0.0 for result in (one, other))
        return "" if now >= before - NEAR * before - 0.05 else f"{before:.10g} t lacked, and now only {now:.10g} t"
    level, now = (level_of(result) for result in (one, other))
    if now.value < level.value - near_to(level, now):
        return f"{level.name} was {level.value:.12g}, and is now only {now.value:.12g} {level.unit}"
    return ""


def level_of(result: Results) -> LevelResult:
    """Return the objective that a smaller choice can only worsen: the cost of a market, else the first."""
    return result.levels[-1] if result.levels[-1].name == "cost" else result.levels[0]
