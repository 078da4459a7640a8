"""Time and memory of a store of monthly reports, against reading the same files with pandas and DuckDB alone.

Run ``python -m benchmarks.store_at_scale``; it prints a table for ``benchmarks/README.md``. The reports are generated
once, and every step runs in a process of its own, of which the loading of packages is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.accounts_at_scale import MONTHS, UNITS
from benchmarks.reporting import child, machine

if TYPE_CHECKING:
    from collections.abc import Callable

ALONE = ("pandas alone", "DuckDB alone")
STEPS = (*ALONE, "import", "import again", "account", "screen", "export", "pass every item", "review")
"""Steps in their order; ``pandas alone`` reads the files, ``DuckDB alone`` reads them into a database file."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--months", type=int, default=MONTHS)
    parser.add_argument("--step", nargs=2, metavar=("NAME", "FOLDER"), help="only measure a step in a folder")
    options = parser.parse_args()
    if options.step:
        name, folder = options.step
        print(json.dumps(measured(name, Path(folder))))
        return
    size = ("--units", str(options.units), "--months", str(options.months))
    runs = []
    with tempfile.TemporaryDirectory() as generated:
        made = child("benchmarks.accounts_at_scale", "--write", f"{generated}/plants", *size)
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory() as place:
                (Path(place) / "plants").symlink_to(f"{generated}/plants")
                runs.append({name: child("benchmarks.store_at_scale", "--step", name, place) for name in STEPS})
    print(f"{made['rows']:,} rows of {options.units:,} units over {options.months} months; {machine()['cpu']}")
    print("| step | s | CPU s | GiB | of pandas | of DuckDB |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    middle = {
        name: {what: statistics.median(run[name][what] for run in runs) for what in runs[0][name]} for name in STEPS
    }
    for name in STEPS:
        own = middle[name]
        ratios = (f"{own['s'] / middle[other]['s']:.1f}" for other in ALONE)
        print(f"| {name} | {own['s']:.2f} | {own['cpu_s']:.2f} | {own['gib']:.2f} | {' | '.join(ratios)} |")
    total = sum(middle[name]["s"] for name in ("import", "account", "screen"))
    print(f"\nImport, account and screen together: {total:.1f} s.")


def measured(name: str, place: Path) -> dict[str, float]:
    """Return seconds, CPU seconds and the largest memory of a step."""
    import resource

    work = step(name, place)
    began, cpu = time.perf_counter(), time.process_time()
    work()
    taken = {"s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    # Linux counts in kB, macOS in bytes.
    return taken | {
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    }


def step(name: str, place: Path) -> Callable[[], object]:
    """Return the work of a step, with its packages loaded."""
    import duckdb
    import pandas as pd

    from etsopt import accounting

    store, files = place / "plants.duckdb", sorted((place / "plants" / "reports").glob("*.csv"))

    def by_duckdb() -> None:
        with duckdb.connect(str(place / "alone.duckdb")) as opened:
            names = ", ".join(f"'{file}'" for file in files)
            opened.execute(f"CREATE TABLE rows AS SELECT * FROM read_csv([{names}], sample_size = -1)")

    def pass_all() -> None:
        units = accounting.read_register(place / "plants")["unit_id"]
        accounting.decide(store, pd.DataFrame({"decision": "pass", "level": "municipal", "who": "A", "unit_id": units}))

    return {
        "pandas alone": lambda: [pd.read_csv(file) for file in files],
        "DuckDB alone": by_duckdb,
        "import": lambda: accounting.import_reports(store, place / "plants"),
        "import again": lambda: accounting.import_reports(store, place / "plants"),
        "account": lambda: accounting.account(accounting.read_reports(store)),
        "screen": lambda: accounting.screen(accounting.read_reports(store)),
        "export": lambda: accounting.export_reports(store, place / "back"),
        "pass every item": pass_all,
        "review": lambda: accounting.review(store),
    }[name]


if __name__ == "__main__":
    main()
