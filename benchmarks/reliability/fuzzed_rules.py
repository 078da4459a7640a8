"""Rules, balance values and equilibria of random instances, against plain formulas and full enumeration."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

import etsopt
from benchmarks.reliability.fuzzed import Case
from benchmarks.reliability.fuzzed_allocations import some_units
from tests.markets import market

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from etsopt.running.results.results import Results

SLOPE, CAP, THRESHOLD_T = 0.15, 0.03, 26_000.0
HALVINGS = 200
NEAR_WHOLE_T = 1e-4
"""Distance from a whole tonne within which an allowance may be rounded to either side [t]."""


def balance_value(number: int) -> Case:
    """Return a case of the rule alone, with one to twelve units."""
    random = np.random.default_rng(number)
    units = some_units(random, int(random.integers(1, 13)))
    name = str(random.choice(["cn-2025", "cn-2026", "cn-2025", "cn-2024", "grandfathering", "benchmark"]))
    rule: dict[str, Any] = {"name": name}
    if name == "benchmark":
        rule["benchmarks"] = {"cement": 0.83, "steel": 2.1, "aluminium": 1.55}
    if name == "grandfathering":
        rule["factor"] = round(float(random.uniform(0.9, 1.0)), 3)
    if name in ("cn-2025", "cn-2026") and random.random() < 0.3:
        rule |= {
            "slope": round(float(random.uniform(0.05, 0.5)), 2),
            "cap": round(float(random.uniform(0.01, 0.05)), 3),
        }
    instance = etsopt.Instance.from_frames(units, {"year": 2025, "rule": rule})
    return Case("balance_value", instance, known=lambda result: against_formula(units, rule, result))


def against_formula(units: Any, rule: dict[str, Any], result: Results) -> str:
    """Compare reference allowances and balance values with the formula of the rule."""
    table = result.tables["allocation"].set_index("unit_id")["reference_t"]
    values: dict[str, float] = {}
    expected = by_formula(units.to_dict("records"), rule, values)
    for unit, tonnes in expected.items():
        near_whole = abs(tonnes - round(tonnes)) < NEAR_WHOLE_T
        if not abs(table[unit] - math.floor(tonnes + 1e-6)) <= float(near_whole):
            return f"{unit} gets {table[unit]:.10g} t, by the formula {tonnes:.10g} t rounded down"
    sectors = result.tables["sectors"].set_index("sector")
    for sector, value in values.items():
        low, high = (float(sectors.loc[sector, f"balance_value_{side}"]) for side in ("lower", "upper"))
        if not low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
            return f"{sector} has the balance value {low:.12g}, by halving {value:.12g}"
    return ""


def by_formula(units: list[dict[str, Any]], rule: dict[str, Any], values: dict[str, float]) -> dict[str, float]:
    """Return allowances before rounding by unit [t]; add balance values to ``values``."""
    name, outside = rule["name"], rule["name"] in ("cn-2024", "cn-2025")
    owned: dict[str, float] = {}
    for unit in units:
        counts = not (outside and unit.get("special_case") in ("new", "closed"))
        owned[unit["enterprise_id"]] = owned.get(unit["enterprise_id"], 0.0) + counts * unit["emissions_tco2e"]
    found = {}
    adjustable: dict[str, list[dict[str, Any]]] = {}
    for unit in units:
        case, own = unit.get("special_case") or "", unit["emissions_tco2e"]
        small = name.startswith("cn-") and owned[unit["enterprise_id"]] < THRESHOLD_T
        if case and outside:
            found[unit["unit_id"]] = 0.0
        elif case or small or name == "cn-2024":
            found[unit["unit_id"]] = own
        elif name == "grandfathering":
            found[unit["unit_id"]] = rule["factor"] * unit["prior_emissions_tco2e"]
        elif name == "benchmark":
            found[unit["unit_id"]] = rule["benchmarks"][unit["sector"]] * unit["output_t"]
        else:
            adjustable.setdefault(unit["sector"], []).append(unit)
    slope, cap = rule.get("slope", SLOPE), rule.get("cap", CAP)
    for sector, lines in adjustable.items():
        pairs = [(line["emissions_tco2e"], line["emissions_tco2e"] / line["output_t"]) for line in lines]
        values[sector] = value = halved(lambda at, pairs=pairs: surplus(pairs, at, slope, cap), pairs)
        for line, (own, intensity) in zip(lines, pairs, strict=True):
            found[line["unit_id"]] = own * (1 + min(max(slope * (value - intensity) / value, -cap), cap))
    return found


def surplus(pairs: Sequence[tuple[float, float]], value: float, slope: float, cap: float) -> float:
    """Return allowances minus emissions of a sector at a balance value [t]."""
    return math.fsum(own * min(max(slope * (value - i) / value, -cap), cap) for own, i in pairs)


def halved(of: Callable[[float], float], pairs: Sequence[tuple[float, float]]) -> float:
    """Return the midpoint of all balance values, between a negative and a positive surplus, by bisection."""
    ends = []
    for strict in (False, True):
        low, high = 0.1 * min(i for _, i in pairs), 10 * max(i for _, i in pairs)
        near = 1e-12 * math.fsum(own for own, _ in pairs)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            above = of(middle) > near if strict else of(middle) >= -near
            low, high = (low, middle) if above else (middle, high)
        ends.append(0.5 * (low + high))
    return 0.5 * (ends[0] + ends[1])


def equilibrium(number: int) -> Case:
    """Return a sector of two to four units with up to three measures each, for enumeration of all choices."""
    random = np.random.default_rng(number)
    count, price = int(random.integers(1, 5)), round(float(random.uniform(20, 150)), 2)
    emissions, intensity = 10 ** random.uniform(5, 6.3, count), random.uniform(0.6, 1.3, count)
    measures = [
        {
            "measure_id": f"m{unit}{number_of}",
            "unit_id": f"u{unit}",
            "abatement_rate": float(random.uniform(0.02, 0.5)),
            "variable_opex_cny_per_t": float(random.uniform(-1, 14)) * 0.2 * intensity[unit],
        }
        for unit in range(count)
        for number_of in range(int(random.integers(0, 4)))
    ]
    paid = float(random.choice([0.0, 0.0, 0.3]))
    units = {
        "emissions_tco2e": list(emissions),
        "reference_t": list(emissions),
        "output_t": list(emissions / intensity),
    }
    rule = {"name": "cn-2025", "threshold_tco2e": 0.0}
    instance = market(units, measures, rule=rule, market={"prices_cny_per_t": price, "paid_share": paid})
    return Case("equilibrium", instance, known=lambda result: by_every_choice(instance, price, paid, result))


def by_every_choice(instance: etsopt.Instance, price: float, paid: float, result: Results) -> str:
    """Compare all fixed points with the joint choices that are best responses to their own balance value."""
    sets = [options(instance, unit) for unit in instance.units.to_dict("records")]
    chosen = np.array(list(product(*(range(len(own)) for own in sets))))
    emitted, intensity = (
        np.stack([own[chosen[:, unit], part] for unit, own in enumerate(sets)], axis=1) for part in (1, 2)
    )
    values = halved_of_each(emitted, intensity)
    best = np.ones(len(chosen), dtype=bool)
    for unit, own in enumerate(sets):
        rate = np.clip(SLOPE * (1 - own[None, :, 2] / values[:, None]), -CAP, CAP)
        pays = own[None, :, 0] + price * own[None, :, 1] * (1 - (1 - paid) * (1 + rate))
        mine = pays[np.arange(len(chosen)), chosen[:, unit]]
        best &= mine <= pays.min(axis=1) + 1e-9 * np.abs(price * own[chosen[:, unit], 1])
    expected = np.sort(values[best])
    found = np.sort(result.tables["fixed_points"]["balance_value"].to_numpy(dtype=float))
    if len(found) != len(expected) or not np.allclose(found, expected, rtol=1e-9, atol=0):
        return f"balance values {found.tolist()}, of every choice of every unit {expected.tolist()}"
    return ""


def options(instance: etsopt.Instance, unit: dict[str, Any]) -> NDArray[np.float64]:
    """Return cost [CNY], emissions [tCO2e] and intensity of every set of a unit's measures, one row each."""
    table = instance.measures
    own = [] if table is None else table[table["unit_id"] == unit["unit_id"]].to_dict("records")
    rows = []
    for taken in product((False, True), repeat=len(own)):
        measures = [measure for measure, takes in zip(own, taken, strict=True) if takes]
        left = math.prod(1 - measure["abatement_rate"] for measure in measures)
        cost = sum(measure["variable_opex_cny_per_t"] * unit["output_t"] for measure in measures)
        emitted = unit["emissions_tco2e"] * left
        rows.append((cost, emitted, emitted / unit["output_t"]))
    return np.array(rows)


def halved_of_each(emissions: NDArray[np.float64], intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the balance value of every row of units, by bisection."""
    low, high = 0.5 * intensity.min(axis=1), 2 * intensity.max(axis=1)
    for _ in range(HALVINGS // 2):
        middle = 0.5 * (low + high)
        rate = np.clip(SLOPE * (1 - intensity / middle[:, None]), -CAP, CAP)
        above = (emissions * rate).sum(axis=1) >= 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return 0.5 * (low + high)
