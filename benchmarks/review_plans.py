"""Seconds and proven gap of plans of reviews for the 2,661 enterprises of ``cn-national-2025``.

Run ``python -m benchmarks.review_plans``; it prints a table for ``benchmarks/README.md``. Tonnes at risk and days are
drawn, since none are public. The cities are those known, of 530 enterprises, or eight drawn ones in each province.
"""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np

import etsopt
from benchmarks.reporting import machine
from etsopt.running import run

LEVEL = {"travel_days": 1.0, "effort": 0.5, "least_share": 0.2, "drawn_share": 0.05}
NATIONAL = {"days": 150.0, "travel_days": 2.0, "effort": 0.5, "least": 50, "drawn": 20}
MUNICIPAL = {"days": 1500.0, "travel_days": 0.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"Machine: {machine()['cpu']}")
    print(
        "| cities | seed | status | solve, s | check again, s | covered | gap, of the covered | gap, of the uncovered |"
    )
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for drawn in (False, True):
        for seed in range(1, options.seeds + 1):
            print(f"| {'drawn' if drawn else 'known'} | {seed} | {' | '.join(measured(drawn, seed))} |", flush=True)


def instance_of(drawn: bool, seed: int) -> etsopt.Instance:
    """Return the national instance with drawn tonnes at risk, days, and perhaps cities."""
    national, random = etsopt.read("cn-national-2025"), np.random.default_rng(seed)
    assert national.enterprises is not None
    enterprises = national.enterprises.copy()
    count = len(enterprises)
    if drawn:
        cities = zip(enterprises["city"], random.integers(0, 8, count), strict=True)
        enterprises["city"] = [city or f"city {number}" for city, number in cities]
    enterprises["at_risk_tco2e"] = np.round(10 ** random.normal(3.5, 0.8, count), 2)
    enterprises["review_days"] = random.choice([1.0, 1.5, 2.0, 3.0, 4.0], count)
    provincial = LEVEL | {"days": 70.0 if drawn else 110.0}
    plan = {"seed": seed, "municipal": MUNICIPAL, "provincial": provincial, "national": NATIONAL}
    policy = national.policy.model_dump(exclude_none=True) | {"review_plan": plan}
    return etsopt.Instance.from_frames(national.units, policy, enterprises=enterprises, name="reviews")


def measured(drawn: bool, seed: int) -> list[str]:
    """Return status, seconds, share covered and proven gap of one plan."""
    instance = instance_of(drawn, seed)
    clocks = [time.perf_counter()]
    result = etsopt.solve(instance, "review_plan")
    clocks.append(time.perf_counter())
    report = run.check(instance, result)
    clocks.append(time.perf_counter())
    assert not report.violations
    summary, (level,) = result.tables["review_summary"].iloc[0], result.levels
    covered = float(summary["covered_tco2e"])
    return [
        result.status,
        *(f"{after - before:.1f}" for before, after in itertools.pairwise(clocks)),
        f"{100 * covered / float(summary['at_risk_tco2e']):.1f} %",
        f"{level.gap / covered:.1e}",
        f"{level.gap / level.value:.1e}",
    ]


if __name__ == "__main__":
    main()
