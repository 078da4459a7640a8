"""Measure a sweep: 1,000 targets over 15,000 units, against as many cold solves by HiGHS.

``python -m benchmarks.at_scale.sweeps``; prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import etsopt
from benchmarks.at_scale.allocations import CHAIN, alone, instance_of
from etsopt_models import allocation

UNITS = 15_000
DEEPEST = -0.01
"""Largest change of the cement target relative to emissions."""

COLD = 10
"""Number of targets at which HiGHS is timed, evenly spaced."""


def measure(levels: tuple[str, ...], targets: int) -> dict[str, Any]:
    """Return the CPU time per target of the sweep, and of cold solves of the objectives [s]."""
    instance = instance_of(UNITS, levels)
    changes = [{"sectors.cement.target_change": DEEPEST * number / targets} for number in range(targets)]
    etsopt.sweep(instance, changes[:3])
    figures = {"levels": list(levels), "targets": targets}
    for name, checked in (("sweep_s", False), ("checked_s", True)):
        part = changes if not checked else changes[:: max(1, targets // 50)]
        before = time.process_time()
        found = etsopt.sweep(instance, part, checked=checked)
        figures[name] = (time.process_time() - before) / len(part)
        if found.answers.isna().any(axis=None):
            raise SystemExit("A target has no solution.")
        if checked and set(found.statuses) != {"certified_optimal"}:
            raise SystemExit("An answer is not certified.")
    cold = 0.0
    for change in changes[:: max(1, targets // COLD)]:
        limited = instance.with_policy(change)
        for level in levels:
            alone_ = allocation.parameters(limited.with_policy({"allocation.objectives": [level]}))
            cold += alone(alone_, level, float("nan"), 60.0)["highs_s"]
    return figures | {"cold_s": cold / len(changes[:: max(1, targets // COLD)])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=1_000)
    targets = parser.parse_args().targets
    found = [measure(levels, targets) for levels in (("change",), CHAIN)]
    texts = [
        f"{1000 * one['sweep_s']:.1f} ms a target for {' and '.join(f'`{level}`' for level in one['levels'])} with the "
        f"last step, 1/{one['cold_s'] / one['sweep_s']:.0f} of HiGHS's cold {1000 * one['cold_s']:.0f} ms "
        f"({1000 * one['checked_s']:.0f} ms where every answer is checked too)"
        for one in found
    ]
    sentence = f"A sweep of {targets:,} targets over {UNITS:,} units, every unit's allowances for each (goal 1/50): "
    print(json.dumps({"runs": found, "sentence": sentence + "; ".join(texts) + "."}))


if __name__ == "__main__":
    main()
