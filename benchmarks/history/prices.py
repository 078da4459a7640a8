"""Prices to 2060 with one assumption changed at a time, and over load share and stock.

Each is a solve of ``cn-national-2025-2060`` in a process of its own: ``python -m benchmarks.history.prices KEY``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

from benchmarks.history.path import path_figures
from benchmarks.reporting import child

LOAD_SHARES, STOCKS_MT = (0.0, 0.1, 0.3, 0.5), (170, 240, 315)
SHIPPED_GRID = (0.3, 240)
BASE, BOTH = "base", "load share and opening stock"

MARKET = {"average of January to August 2026": 84.0, "31 August 2026": 97.9}
"""The market's own price of compliance year 2025, which is surrendered in 2026 [CNY/t] [A, the average D]."""

BIOMASS_FROM = 200.0
"""Price above which biomass sets it before 2030: nothing else of the list acts then between it and offsets [CNY/t]."""

BIOMASS_COST = 350.0
"""Mean cost of biomass, above which all burns that the assumed speed allows [CNY/t]."""


@dataclass(frozen=True)
class Case:
    """A changed assumption: what it is about, its value, and the arguments of `path_figures`."""

    about: str
    value: str
    file: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    cost_factor: float = 1.0


def _benchmarks(until: float, after: float) -> dict[str, Any]:
    return {"rule.benchmark_change": {"2027": until, "2031": after}}


def _grid() -> dict[str, Case]:
    """Return the cases of load share and stock but the shipped one."""
    pairs = [(s, stock) for s in LOAD_SHARES for stock in STOCKS_MT if (s, stock) != SHIPPED_GRID]
    return {grid_key(*pair): _of_grid(*pair) for pair in pairs}


def _of_grid(load_share: float, stock_mt: int) -> Case:
    options = {"load_share": load_share, "opening_t": stock_mt * 1_000_000}
    if stock_mt == SHIPPED_GRID[1]:
        return Case("load share (0.3)", f"{load_share:.1f}", options=options)
    if load_share == SHIPPED_GRID[0]:
        return Case("opening stock (240 Mt)", f"{stock_mt} Mt", options=options)
    return Case(BOTH, f"{load_share:.1f}, {stock_mt} Mt", options=options)


def grid_key(load_share: float, stock_mt: int) -> str:
    """Return the key of a load share and an opening stock."""
    if (load_share, stock_mt) == SHIPPED_GRID:
        return BASE
    return f"s {load_share:.1f}, {stock_mt} Mt"


TREND, BENCHMARKS = (
    "intensity trend of power, a year (-0.7 %)",
    "benchmarks after 2026 below the trend, a year (0.5 points)",
)
CAP, OUTPUT = "cap (2 % below emissions in 2030, then to 10 %)", "output of power (central path)"
COSTS, OFFSETS, DISCOUNT = "costs of all measures (x 1)", "price of offsets (80 CNY)", "discount rate (8 %)"

CASES = {
    BASE: Case("", "the shipped policy"),
    **_grid(),
    "trend -1.2": Case(TREND, "-1.2 %", options={"intensity_trend": -0.012}),
    "trend 0": Case(TREND, "0 %", options={"intensity_trend": 0.0}),
    "costs 0.5": Case(COSTS, "x 0.5", cost_factor=0.5),
    "costs 2": Case(COSTS, "x 2", cost_factor=2.0),
    "offsets 50": Case(OFFSETS, "50 CNY", changes={"market.ccer_price_cny_per_t": 50.0}),
    "offsets 105": Case(OFFSETS, "105 CNY", changes={"market.ccer_price_cny_per_t": 105.0}),
    "discount 5": Case(DISCOUNT, "5 %", changes={"horizon.discount_rate": 0.05}),
    "discount 12": Case(DISCOUNT, "12 %", changes={"horizon.discount_rate": 0.12}),
    "benchmarks 0": Case(BENCHMARKS, "0 points", changes=_benchmarks(-0.007, 0.0)),
    "benchmarks -1": Case(BENCHMARKS, "1 point", changes=_benchmarks(-0.017, -0.01)),
    "cap loose": Case(CAP, "loose (D)", "d-loose"),
    "cap tight": Case(CAP, "tight (C)", "c-tight"),
    "cap 2028": Case(CAP, "from 2028 (C2)", "c2-early"),
    "output low": Case(OUTPUT, "low (G)", options={"power": "low"}),
    "output high": Case(OUTPUT, "high (F)", options={"power": "high"}),
}
"""All cases by key; the shipped value is in brackets after each assumption."""


def bars(found: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return each assumption with the keys of its cases from the lowest price of 2025 to the highest, widest first."""
    of_about: dict[str, list[str]] = {}
    for key, case in CASES.items():
        if key != BASE and case.about != BOTH:
            of_about.setdefault(case.about, []).append(key)
    price = {key: found[key]["prices"]["2025"] for key in CASES}
    ordered = [(about, sorted(keys, key=lambda key: price[key])) for about, keys in of_about.items()]
    return sorted(ordered, key=lambda row: width(found, row[1]), reverse=True)


def width(found: dict[str, Any], keys: list[str]) -> float:
    """Return the ratio of the highest price of 2025 to the lowest, the shipped one included."""
    prices = [found[key]["prices"]["2025"] for key in (BASE, *keys)]
    return float(max(prices) / max(min(prices), 1.0))


def one(key: str) -> dict[str, Any]:
    """Return the figures of a case, solved and checked."""
    case = CASES[key]
    return path_figures(case.file, case.options, case.changes, case.cost_factor)


def solved() -> dict[str, dict[str, Any]]:
    """Return the figures of all cases, each solved in a process of its own."""
    found = {}
    for key in CASES:
        found[key] = child("benchmarks.history.prices", key)
        print(key, json.dumps(found[key].get("lines", found[key]["status"])), flush=True)
    return found


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[1])))
