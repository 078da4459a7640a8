"""Time and memory of reading monthly reports, accounting for them, and screening them.

Run ``python -m benchmarks.accounts_at_scale``; it prints a table for ``benchmarks/README.md``. The reports are
generated once and are read again from files by each run, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time

from benchmarks.reporting import child, machine

UNITS, MONTHS = 1_300, 36
"""About the entities of industry on the list, over three years."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--months", type=int, default=MONTHS)
    parser.add_argument("--write", metavar="FOLDER", help="only generate the reports")
    parser.add_argument("--folder", help="only measure one pass over the reports of this folder")
    options = parser.parse_args()
    if options.write:
        print(json.dumps({"rows": written(options.write, options.units, options.months)}))
        return
    if options.folder:
        print(json.dumps(measured(options.folder)))
        return
    size = ("--units", str(options.units), "--months", str(options.months))
    with tempfile.TemporaryDirectory() as folder:
        made = child("benchmarks.accounts_at_scale", "--write", folder, *size)
        runs = [child("benchmarks.accounts_at_scale", "--folder", folder) for _ in range(options.runs)]
    print(f"{made['rows']:,} rows of {options.units:,} units over {options.months} months; {machine()['cpu']}")
    print("| | median |\n| --- | ---: |")
    for name in runs[0]:
        print(f"| {name} | {statistics.median(run[name] for run in runs):.2f} |")


def written(folder: str, units: int, months: int) -> int:
    """Write generated reports, and return the number of rows."""
    from etsopt import accounting

    accounting.write_example(folder, units, months, seed=1)
    return len(accounting.read_reports(folder).rows)


def measured(folder: str) -> dict[str, float]:
    """Return seconds and memory of one pass from files to the units of an instance."""
    import resource

    from etsopt import accounting

    clocks = [(time.perf_counter(), time.process_time())]
    reports = accounting.read_reports(folder)
    clocks.append((time.perf_counter(), time.process_time()))
    accounts = accounting.account(reports)
    accounting.units_of(accounts)
    accounting.inclusion(accounts.register, accounts)
    clocks.append((time.perf_counter(), time.process_time()))
    accounting.screen(reports, accounts=accounts)
    clocks.append((time.perf_counter(), time.process_time()))
    # Linux counts in kB, macOS in bytes.
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    return {
        "reading, s": clocks[1][0] - clocks[0][0],
        "reading, CPU s": clocks[1][1] - clocks[0][1],
        "accounts, units and list, s": clocks[2][0] - clocks[1][0],
        "accounts, units and list, CPU s": clocks[2][1] - clocks[1][1],
        "screening, s": clocks[3][0] - clocks[2][0],
        "screening, CPU s": clocks[3][1] - clocks[2][1],
        "memory, GiB": memory,
    }


if __name__ == "__main__":
    main()
