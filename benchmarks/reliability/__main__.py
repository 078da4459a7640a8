"""Run the trials of all rows, or of named ones, in separate processes, and write the outcomes."""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.reliability import rows
from benchmarks.reliability.row import Found, Row
from benchmarks.reliability.written import keep, write
from benchmarks.reporting import child

FAILURES_SHOWN = 20


def of_chunk(row: Row, numbers: range) -> Found:
    """Run the trials of a chunk in a separate process; a crash or hang is a failure."""
    chunk = f"{numbers.start}:{numbers.stop}"
    said = child("benchmarks.reliability", row.name, "--numbers", chunk, timeout_s=row.patience_s)
    return Found(failures=[f"{chunk}: {said['status']}"]) if "status" in said else Found.from_json(said)


def made(row: Row, count: int, processes: int) -> Found:
    """Run the trials of a row and report their progress."""
    chunks = [range(first, min(first + row.chunk, count)) for first in range(0, count, row.chunk)]
    found, began = Found(), time.monotonic()
    with ThreadPoolExecutor(1 if row.alone else processes) as pool:
        for done, part in enumerate(pool.map(partial(of_chunk, row), chunks), 1):
            found.add(part)
            told = (
                f"{row.name}: {done} of {len(chunks)}, {len(found.failures)} failed, {time.monotonic() - began:.0f} s"
            )
            print(told, file=sys.stderr, flush=True)
    return found


def main() -> int:
    known = rows()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(known)}; all without any")
    parser.add_argument("--processes", type=int, default=2, help="how many run beside each other")
    parser.add_argument("--part", type=float, default=1.0, help="part of the trials; less than all is not written")
    parser.add_argument("--numbers", help="first:last of one row, made here and printed as JSON")
    given = parser.parse_args()
    if unknown := set(given.rows) - set(known):
        parser.error(f"{', '.join(sorted(unknown))} is no row; they are {', '.join(known)}")
    if given.numbers:
        first, last = map(int, given.numbers.split(":"))
        print(json.dumps(known[given.rows[0]].work(range(first, last)).as_json()))
        return 0
    failed = 0
    for name in given.rows or known:
        row, began = known[name], time.monotonic()
        count = max(1, round(given.part * row.count))
        found = made(row, count, given.processes)
        failed += len(found.failures)
        for failure in found.failures[:FAILURES_SHOWN]:
            print(f"{name} {failure}", file=sys.stderr)
        if given.part == 1:
            keep(row, found, time.monotonic() - began)
            write(known)
            if row.publish is not None:
                row.publish(found)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
