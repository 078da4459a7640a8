"""One path of ``cn-national-2025-2060``, solved and checked under a changed policy, other units or other costs."""

from __future__ import annotations

import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from benchmarks.reporting import ROOT

NAME = "cn-national-2025-2060"
FILES = ROOT / "instances" / NAME / "scenarios"


def path_figures(
    file: str | None, options: dict[str, Any], changes: dict[str, Any], cost_factor: float = 1.0
) -> dict[str, Any]:
    """Return the figures of one path, solved and checked.

    Parameters
    ----------
    file, changes
        Changes of the policy: name of a scenario file, and single keys.
    options
        Options of the build script.
    cost_factor
        Factor on the costs of all measures.
    """
    import resource

    import etsopt
    from etsopt.reports.market import closure

    if file is not None:
        changes = tomllib.loads((FILES / f"{file}.toml").read_text(encoding="utf-8")) | changes
    instance, before = path_instance(options, cost_factor)
    instance = instance.with_policy(changes)
    results = etsopt.solve(instance, "pathway")
    years, end = results.tables["years"].set_index("year"), results.tables["closure"].iloc[-1]
    limit = float(end["unchanged_up_to_cny_per_t"])
    return {
        "status": results.status,
        "violations": len(results.violations),
        "prices": {str(year): round(float(price), 4) + 0.0 for year, price in years["price_cny_per_t"].items()},
        "lines": closure(results.tables["closure"]),
        "unchanged_up_to_cny_per_t": round(limit, 4),
        "bank_mt": round(float(end["banked_t"]) / 1e6, 3),
        "cpu_s": round(time.process_time() - before, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def path_instance(options: dict[str, Any], cost_factor: float) -> tuple[Any, float]:
    """Return the instance of a path, and the CPU time at which building other tables ended, 0 for the shipped ones."""
    import etsopt
    from instances import build_cn_national_2025_2060 as build

    if not options and cost_factor == 1.0:
        return etsopt.read(NAME), 0.0
    with tempfile.TemporaryDirectory() as folder:
        build.write(Path(folder), **options)
        (Path(folder) / "README.md").write_text("Assumed: other units, output or costs.\n", encoding="utf-8")
        scale_costs(Path(folder) / "measures.csv", cost_factor)
        before = time.process_time()
        return etsopt.read(folder), before


def scale_costs(path: Path, factor: float) -> None:
    """Multiply costs and savings in a table of measures, which has no capital."""
    import pandas as pd

    table = pd.read_csv(path)
    table[["variable_opex_cny_per_t", "fuel_saving_cny_per_t"]] *= factor
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
