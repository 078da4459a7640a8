"""Measure a market at one size: ``python -m benchmarks.at_scale.markets clearing|pathway UNITS [--cost CNY_PER_T]``.

Each unit has four measures with figures of its own. `clearing` is one year with external demand, timed beside
`pandas.read_csv` of the same units and measures; `pathway` is ten years with banking, later first years for some
measures, and a transaction cost. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import etsopt

MEASURES = 4
DEMAND_SHARE = 0.01
"""Yearly purchases of other sectors relative to emissions; without them allowances equal emissions."""

LATER_SHARE, LATER_YEAR = 0.25, 2028
"""Share of the measures with a later first year, and these years."""


def instance_of(model: str, units: int, cost_cny_per_t: float) -> etsopt.Instance:
    """Return a generated instance for a model."""
    made = etsopt.generate(units, seed=1, measures=MEASURES, own=True)
    if model == "clearing":
        demand = DEMAND_SHARE * float(made.emissions_tco2e.sum())
        return made.with_policy({"horizon.last_year": made.policy.year, "market.external_demand_t": round(demand)})
    assert made.measures is not None
    later = np.random.default_rng(units).random(len(made.measures)) < LATER_SHARE
    measures = made.measures.assign(first_year=np.where(later, float(LATER_YEAR), np.nan))
    policy = made.policy.model_dump(mode="json", exclude_none=True)
    policy["market"]["transaction_cost_cny_per_t"] = cost_cny_per_t
    return etsopt.Instance.from_frames(made.units, policy, measures=measures, name=made.name)


def reading_s(instance: etsopt.Instance) -> float:
    """Return the CPU time of `pandas.read_csv` on the units and measures of an instance [s]."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("units.csv", "measures.csv")]
        for path, table in zip(paths, (instance.units, instance.measures), strict=True):
            table.to_csv(path, index=False)
        before = time.process_time()
        for path in paths:
            pd.read_csv(path)
        return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=("clearing", "pathway"))
    parser.add_argument("units", type=int)
    parser.add_argument("--cost", type=float, default=1.0, help="transaction cost of the pathway [CNY/t]")
    parser.add_argument("--method", default="decomposition")
    options = parser.parse_args()
    # Imports, once per process, are part of no figure.
    etsopt.solve(instance_of("clearing", 300, 0.0), "clearing", method="decomposition")
    instance = instance_of(options.model, options.units, options.cost)
    before = time.process_time()
    found = etsopt.solve(instance, options.model, method=options.method)
    seconds = time.process_time() - before
    level = found.levels[-1]
    figures: dict[str, Any] = {
        "model": options.model,
        "units": options.units,
        "method": found.provenance.method,
        "cpu_s": seconds,
        "stages_s": found.provenance.seconds,
        "status": found.status,
        "certified": found.certified,
        "cost_cny": level.value,
        "relative_gap": level.gap / abs(level.value),
        "cost_cny_per_t": options.cost if options.model == "pathway" else 0.0,
        "algorithm": level.algorithm,
        "prices": found.tables["years"]["price_cny_per_t"].tolist(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if options.model == "clearing":
        figures["read_csv_s"] = reading_s(instance)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
