"""Independent answers in whole tonnes, by trying every allocation of a tiny instance of the rule ``given``.

Nothing of the models, the engine or the checker is used; limits are written down again from the policy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tests.builders import given

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    import etsopt

    Array: TypeAlias = NDArray[np.float64]
    Row: TypeAlias = tuple[Array, float, float]

NOISE = 1e-7

OBJECTIVES = ("change", "largest_change", "deficit", "spread")


@dataclass(frozen=True)
class Answer:
    """The exceptions, the values of the levels, and the allowances."""

    exceptions: tuple[int, ...]
    values: list[float]
    allowances: Array


def answer(instance: etsopt.Instance) -> Answer | None:
    """The one answer: fewest exceptions, then the largest, then the first; None where there is no allocation."""
    e, allocation = instance.emissions_tco2e, instance.policy.allocation
    units, size = range(len(e)), nearest(e)
    choices = [chosen for count in range(allocation.exceptions.units + 1) for chosen in combinations(units, count)]
    choices.sort(key=lambda chosen: (len(chosen), -size[list(chosen)].sum(), sum(chosen)))
    for chosen in choices:
        points = every_allocation(instance, chosen)
        if not len(points):
            continue
        values = []
        for level in (*allocation.objectives, "least_squares"):
            value = level_at(instance, level, points)
            values.append(float(value.min()))
            points = points[value <= value.min() + 1e-12]
        # Equal answers: the tonnes go to the first.
        first = points[np.argmin(points @ np.arange(1, len(e) + 1))]
        return Answer(chosen, values, first)
    return None


def nearest(tonnes: Array) -> Array:
    whole: Array = np.floor(tonnes + 0.5 + NOISE)
    return whole


def inward(least: float, most: float) -> tuple[float, float]:
    top = float(np.floor(most + NOISE))
    return min(float(np.ceil(least - NOISE)), top), top


def every_allocation(instance: etsopt.Instance, chosen: Sequence[int]) -> Array:
    """All whole allowances that meet every limit, one row each."""
    rows = [*totals(instance)]
    bounds = band_of_each(instance, chosen, rows)
    grid = np.meshgrid(*(np.arange(low, high + 1) for low, high in bounds), indexing="ij")
    points = np.stack(grid, axis=-1).reshape(-1, len(bounds))
    for row, least, most in rows:
        total = points @ row
        points = points[(total >= least - 1e-9) & (total <= most + 1e-9)]
    return points


def totals(instance: etsopt.Instance) -> list[Row]:
    """Targets, balances and the national total."""
    e, units, policy = instance.emissions_tco2e, instance.units, instance.policy
    rows: list[Row] = []
    for name in sorted(set(units["sector"])):
        here, section = (units["sector"] == name).to_numpy(dtype=float), policy.sectors[name]
        target = float(here @ e) * (1 + (section.target_change or 0.0))
        rows.append((here, *inward(target if section.target_sense == "exactly" else 0.0, target)))
    share: Any = policy.provinces.balance
    for name in sorted(set(units["province"])) if share is not None else []:
        here = (units["province"] == name).to_numpy(dtype=float)
        own = float(here @ e)
        rows.append((here, *inward(own * (1 - share), own * (1 + share))))
    if policy.national is not None:
        total = float(e.sum()) * (1 + (policy.national.target_change or 0.0))
        rows.append((np.ones(len(e)), *inward(0.0, total)))
    return rows


def band_of_each(instance: etsopt.Instance, chosen: Sequence[int], rows: list[Row]) -> list[tuple[float, float]]:
    """Bounds of every unit; the bands of enterprises with several units are added to the rows."""
    e, units, allocation = instance.emissions_tco2e, instance.units, instance.policy.allocation
    bands: Any = [instance.policy.sectors[name].band for name in units["sector"]]
    down, up = np.array([band.lower for band in bands]), np.array([band.upper for band in bands])
    wide_down, wide_up = down.copy(), up.copy()
    for unit in list(chosen):
        wide_down[unit] = max(down[unit], allocation.exceptions.lower)
        wide_up[unit] = max(up[unit], allocation.exceptions.upper)
    narrow, wide = (
        [inward((1 - d) * tonnes, (1 + u) * tonnes) for d, u, tonnes in zip(*rates, e, strict=True)]
        for rates in ((down, up), (wide_down, wide_up))
    )
    # A narrow band without a whole tonne is the tonne below it, which the wide one may not know.
    bounds = [(min(a, c), max(b, d)) for (a, b), (c, d) in zip(narrow, wide, strict=True)]
    owner = units["enterprise_id"].to_numpy()
    for name in sorted(set(owner)) if allocation.band_on == "enterprise" else []:
        here = np.flatnonzero(owner == name)
        if len(here) > 1:
            least, most = inward(float(((1 - down) * e)[here].sum()), float(((1 + up) * e)[here].sum()))
            least -= float(np.floor(((wide_down - down) * e)[here] + NOISE).sum())
            most += float(np.floor(((wide_up - up) * e)[here] + NOISE).sum())
            rows.append((np.isin(np.arange(len(e)), here).astype(float), least, most))
            for inside in here.tolist():
                bounds[inside] = (0.0, most)
    return bounds


def level_at(instance: etsopt.Instance, level: str, points: Array) -> Array:
    """A level at many allocations."""
    e, units = instance.emissions_tco2e, instance.units
    change = points - nearest(units["reference_t"].to_numpy(dtype=float))
    result: Array
    if level == "change":
        result = np.abs(change).sum(axis=1)
    elif level == "largest_change":
        result = (np.abs(change) / e).max(axis=1)
    elif level == "deficit":
        result = np.maximum(nearest(e) - points, 0.0).sum(axis=1)
    elif level == "spread":
        target = np.zeros(len(e))
        for row, _, most in totals(instance)[: len(set(units["sector"]))]:
            here = row > 0
            target[here] = e[here] * most / e[here].sum()
        result = np.abs(points - nearest(target)).sum(axis=1) / e.sum()
    else:
        result = (change * change / e).sum(axis=1)
    return result


def tiny_instance(seed: int, objectives: Sequence[str], exceptions: int, band_on: str = "unit") -> etsopt.Instance:
    """Three to five units of 20 to 60 tonnes, with equal ones among them, in two sectors and two provinces."""
    random = np.random.default_rng(seed)
    # Inside an enterprise a unit may hold anything, which is much to try.
    few = band_on == "enterprise"
    count = 3 if few else int(random.integers(3, 5 if exceptions else 6))
    e = np.round(random.uniform(10 if few else 20, 40 if few else 60, count), int(random.integers(0, 2)))
    e[1] = e[0] if random.random() < 0.3 else e[1]
    reference = e * (1 + random.uniform(-0.1, 0.1, count))
    reference = np.round(reference) if random.random() < 0.5 else reference
    reference[1] = reference[0] if random.random() < 0.3 else reference[1]
    names = [["cement", "steel"][place] for place in random.integers(0, 2, count)]
    owners, provinces = random.integers(0, 3, count), random.integers(0, 2, count)
    rows = [
        (f"u{unit}", f"e{owners[unit]}", names[unit], "NS"[provinces[unit]], float(e[unit]), float(reference[unit]))
        for unit in range(count)
    ]
    band = 0.05 if exceptions else 0.1
    policy: dict[str, Any] = {
        "sectors": {
            name: {
                "band": band,
                "target_change": round(random.uniform(-0.09, 0.05), 3),
                "target_sense": "exactly" if random.random() < 0.3 else "at_most",
            }
            for name in sorted(set(names))
        },
        "allocation": {
            "objectives": list(objectives),
            "integer_allowances": True,
            "band_on": band_on,
            "exceptions": {"units": exceptions, "lower": 0.15, "upper": 0.12},
        },
    }
    if random.random() < 0.6:
        policy["provinces"] = {"balance": round(random.uniform(0.02, 0.1), 3)}
    if random.random() < 0.3:
        policy["national"] = {"target_change": round(random.uniform(-0.05, 0.02), 3)}
    return given(rows, policy)


def fair_tiny(seed: int, band_on: str = "unit") -> etsopt.Instance:
    """A tiny instance with an intensity for each unit, two of them often equal."""
    random = np.random.default_rng(seed + 500)
    instance = tiny_instance(seed, random.permutation(OBJECTIVES)[: seed % 4].tolist(), 0, band_on)
    intensity = 0.8 + 0.05 * random.integers(0, 5, len(instance.units))
    units = instance.units.assign(output_t=instance.emissions_tco2e / intensity)
    return replace(instance, units=units).with_policy({"allocation.intensity_order": True})


def nearest_rounding(instance: etsopt.Instance, real: pd.Series[float]) -> tuple[float, list[float]]:
    """Least sum of squared moves of all whole allowances, and the first of them by the places of the units."""
    points = every_allocation(instance, [])
    moves = np.sum((points - real.to_numpy().round(3)) ** 2, axis=1)
    best = points[moves <= moves.min() + 1e-9]
    return float(moves.min()), best[np.argmin(best @ np.arange(1, points.shape[1] + 1))].tolist()
