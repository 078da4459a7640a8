"""Thousands of solves of all models and methods in one process, which must not grow."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from random import Random
from statistics import median

import etsopt
from benchmarks.reliability.commands import WrongError, see
from benchmarks.reliability.row import Found, Row
from tests.builders import random_instance, random_units
from tests.compliance_years import random_compliance_year
from tests.markets import of_model, random_market

TARGET = "sectors.cement.target_change"
METHODS = ("direct", "aggregation", "pyomo")
MARKETS = (("abatement", "direct"), ("clearing", "direct"), ("pathway", "direct"), ("clearing", "decomposition"))

WARM, COMPARED = 25, 25
"""Turns of the warm-up, 500 solves; the median of as many turns after it is compared with that of the last."""

GROWTH = 0.10


def turn(number: int) -> None:
    """Solve twenty times: changed policies one by one and in sweeps, an infeasible one, and every model."""
    random, tiny = Random(number), etsopt.read("tiny")

    def targets(count: int) -> list[dict[str, float]]:
        return [{TARGET: round(random.uniform(-0.01, 0.0), 6)} for _ in range(count)]

    _expect(etsopt.sweep(tiny, targets(9), checked=False).statuses, "unchecked")
    _expect(etsopt.sweep(tiny, targets(2)).statuses, "certified_optimal")
    method = METHODS[number % len(METHODS)]
    for change in targets(2):
        _expect([etsopt.solve(tiny.with_policy(change), method=method).status], "certified_optimal")
    _expect([etsopt.solve(tiny.with_policy({TARGET: -0.04})).status], "infeasible_certified")
    for model in ("balance_value", "balance_value"):
        _expect([etsopt.solve(tiny, model).status], "calculated")
    market, rule = {"prices_cny_per_t": random.uniform(20, 150)}, {"name": "cn-2025", "threshold_tco2e": 5e4}
    units = random_units(number, 6)
    responding = etsopt.Instance.from_frames(units, {"year": 2025, "rule": rule, "market": market})
    model, method = MARKETS[number % len(MARKETS)]
    stated = {"market": market} if model == "abatement" else {}
    for results in (
        etsopt.solve(responding, "equilibrium"),
        etsopt.solve(random_compliance_year(number), "compliance"),
        etsopt.solve(random_instance(number, 8)),
        etsopt.solve(of_model(random_market(number, **stated), model), model, method=method),
    ):
        see(results.status != "refused", f"{results.provenance.model} was refused")


def _expect(statuses: Iterable[str], expected: str) -> None:
    see(set(statuses) == {expected}, f"{expected} is expected, not {sorted(set(statuses))}")


def held() -> tuple[float, float, float]:
    """Return memory [MiB], open files and threads of this process; known on Linux only."""
    process = Path("/proc/self")
    if not process.is_dir():
        return 0.0, 0.0, 0.0
    pages = int((process / "statm").read_text(encoding="ascii").split()[1])
    # The listed folder is an open file as well.
    files, threads = len(os.listdir(process / "fd")) - 1, len(os.listdir(process / "task"))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, files, threads


def soaked(numbers: Iterable[int]) -> Found:
    """Run all turns in this process, and compare its resources after the warm-up with those at the end."""
    found, seen = Found(), []
    for number in numbers:
        try:
            turn(number)
            found.saw("20 solves, each with the answer expected")
        except Exception as error:
            found.saw("failed")
            found.failed(number, str(error) if isinstance(error, WrongError) else f"{type(error).__name__}: {error}")
        seen.append(held())
    if len(seen) >= WARM + 2 * COMPARED:
        for position, what in enumerate(("MiB of memory", "open files", "threads")):
            first = median(one[position] for one in seen[WARM : WARM + COMPARED])
            last = median(one[position] for one in seen[-COMPARED:])
            found.measured(f"{what} after {20 * WARM} solves", first)
            found.measured(f"{what} at last", last)
            if last > first * (1 + GROWTH if position == 0 else 1):
                found.failed(len(seen), f"{what}: {first:.1f} after {20 * WARM} solves, {last:.1f} at last")
    return found


ROWS = [
    Row(
        "C10",
        "10,000 solves in one process, 20 a trial: changed policies one by one and in sweeps, infeasible ones, every "
        "model and method",
        "every answer as expected; memory grows by less than 10 % after the first 500, open files and threads do not",
        500,
        2,
        soaked,
        chunk=500,
        patience_s=3600,
    )
]
