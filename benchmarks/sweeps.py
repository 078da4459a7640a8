"""Sweeps: one scenario against three other ways to solve it, ten thousand on two cores, and growth with workers.

Run ``python -m benchmarks.sweeps``, about an hour; it writes ``benchmarks/sweeps.md`` and ``sweeps.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import etsopt
from benchmarks.reporting import FOLDER, child, machine, provenance, table, versions, write_json
from benchmarks.waiting_model import COST_S
from etsopt.studies.sweeping import Record, plan_of, run_plan
from etsopt.studies.sweeping.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etsopt.data.instance import Instance

SAMPLE = 100
"""Scenarios that are solved in every way."""

MANY = {"allocation": 10_000, "clearing": 10_000}
"""Scenarios of the long runs."""

WORKERS, OF_GROWTH = (1, 2, 4, 8), 400
"""Numbers of workers, and scenarios of each."""

PARTS = ("ways", "growth", "many")
"""What is measured."""

WAITING = FOLDER / "waiting_model.py"
"""A model whose solve is a wait, so that more workers than cores can be had."""


def changes(count: int) -> list[dict[str, Any]]:
    """Return seeded changes of bands, targets and balances, which leave the coefficients of the program alone."""
    random = Random(20261128)
    return [
        {
            "sectors.cement.band": 0.03 + 0.02 * random.random(),
            "sectors.steel.band": 0.03 + 0.02 * random.random(),
            "sectors.steel.target_change": -0.004 * random.random(),
            "provinces.balance": 0.01 + 0.02 * random.random(),
        }
        for _ in range(count)
    ]


def timed(solves: Iterator[Any]) -> list[float]:
    """Return the CPU seconds of each solve after the first, which pays for what is loaded once."""
    seconds: list[float] = []
    while True:
        before = time.process_time()
        if next(solves, None) is None:
            return seconds[1:]
        seconds.append(time.process_time() - before)


def by_sweep(instance: Instance) -> Iterator[Any]:
    """Solve and check scenarios as the worker of a sweep does, which keeps what the tables alone decide."""
    named = {f"s{number}": one for number, one in enumerate(changes(SAMPLE + 1))}
    plan = plan_of({"instance": instance.name, "scenarios": named})
    return Engine.of(plan, instance).in_turn([*enumerate(plan.scenarios)])


def by_solve(instance: Instance) -> Iterator[Any]:
    """Solve and check each scenario from an instance of which nothing is known before."""
    for one in changes(SAMPLE + 1):
        yield etsopt.solve(pickle.loads(pickle.dumps(instance)).with_policy(one))


def by_pyomo(instance: Instance) -> Iterator[Any]:
    """Build the models with Pyomo, and solve without a check."""
    for one in changes(SAMPLE + 1):
        yield etsopt.sweep(instance, [one], method="pyomo", checked=False)


def by_hand(instance: Instance) -> Iterator[float]:
    """Pass the changed limits of one objective to HiGHS, which goes on at its last basis: no tie-break, no check."""
    import highspy
    import numpy as np

    from etsopt.running import compiling, library

    model = library.load("allocation")
    highs = None
    for one in changes(SAMPLE + 1):
        limited = instance.with_policy(one)
        program = compiling.compiled_program(model, model.parameters(limited))
        objective, matrix = program.objectives["change"], program.matrix
        # What a person writes by hand has these arrays without etsopt, so that they are not timed.
        before = time.process_time()
        if highs is None:
            highs = highspy.Highs()
            highs.setOptionValue("output_flag", False)
            lp = highspy.HighsLp()
            lp.num_col_, lp.num_row_ = matrix.columns, len(program.row_lower)
            lp.col_cost_, lp.col_lower_, lp.col_upper_ = objective.linear, program.column_lower, program.column_upper
            lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
            lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
            lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
            lp.a_matrix_.value_ = matrix.data
            highs.passModel(lp)
        columns = np.arange(matrix.columns, dtype=np.int32)
        rows = np.arange(len(program.row_lower), dtype=np.int32)
        highs.changeColsBounds(len(columns), columns, program.column_lower, program.column_upper)
        highs.changeRowsBounds(len(rows), rows, program.row_lower, program.row_upper)
        highs.run()
        yield time.process_time() - before


def by_check(instance: Instance) -> Iterator[float]:
    """Check answers that are there: the CPU seconds of `etsopt.check` alone."""
    for one in changes(SAMPLE + 1):
        limited = instance.with_policy(one)
        result = etsopt.solve(limited)
        before = time.process_time()
        etsopt.check(limited, result)
        yield time.process_time() - before


WAYS: dict[str, Callable[[Instance], Iterator[Any]]] = {"sweep": by_sweep, "solve": by_solve, "pyomo": by_pyomo}
TIMED_PARTS: dict[str, Callable[[Instance], Iterator[float]]] = {"highs": by_hand, "check": by_check}
"""Ways of which a part alone is timed."""

SAYS = {
    "sweep": "a scenario of a sweep, all objectives, checked",
    "solve": "`etsopt.solve` on an instance that is new each time, checked",
    "pyomo": "Pyomo built and solved, all objectives, without a check",
    "highs": "HiGHS by hand, warm, one objective of the three, without a check",
    "check": "the check of an answer alone, `etsopt.check`",
}


def seconds_of(way: str) -> dict[str, float]:
    """Return median and mean CPU seconds of a scenario one way."""
    instance = etsopt.read("cn-2025")
    seconds = list(TIMED_PARTS[way](instance))[1:] if way in TIMED_PARTS else timed(WAYS[way](instance))
    return {"median_s": statistics.median(seconds), "mean_s": statistics.fmean(seconds)}


def swept(model: str, number: int, workers: int) -> dict[str, Any]:
    """Run a sweep and return its wall time, its statuses, and the CPU seconds of the coordinator."""
    instance = etsopt.read("cn-2025")
    with tempfile.TemporaryDirectory() as folder:
        named = {f"s{place}": one for place, one in enumerate(changes(number))}
        plan = plan_of({"instance": instance.name, "model": model, "scenarios": named})
        statuses, ends, spent = dict[str, int](), list[float](), list[float]()

        def progress(now: Any) -> None:
            statuses[now.last.status] = statuses.get(now.last.status, 0) + 1
            ends.append(time.perf_counter())
            spent.append(time.process_time())

        with Record(Path(folder) / "sweep.sqlite") as record:
            began = time.perf_counter()
            run_plan(plan, instance, record, workers=workers, progress=progress)
            wall, kept = time.perf_counter() - began, len(record.known)
    # The first half pays for the start of processes.
    half = kept // 2
    rate = (kept - half) / (ends[-1] - ends[half - 1])
    each = (spent[-1] - spent[half - 1]) / (kept - half)
    about = {"wall_s": wall, "rate_per_s": rate, "coordinator_s_each": each}
    return {**about, "kept": kept, "statuses": statuses, "workers": workers}


def long_runs(many: dict[str, Any]) -> list[list[str]]:
    """Return a row for each long run."""
    return [
        [
            model,
            f"{run['kept']:,}",
            f"{run['wall_s']:,.0f}",
            f"{1e3 * run['wall_s'] * run['workers'] / run['kept']:.0f}",
            ", ".join(f"{status} {count:,}" for status, count in sorted(run["statuses"].items())),
        ]
        for model, run in many.items()
    ]


def grown(growth: list[dict[str, Any]]) -> list[list[str]]:
    """Return a row for each number of workers."""
    first = growth[0]["rate_per_s"]
    return [
        [
            str(run["workers"]),
            f"{run['wall_s']:.1f}",
            f"{run['rate_per_s']:.1f}",
            f"{run['rate_per_s'] / first:.2f}",
            f"{1e3 * run['coordinator_s_each']:.1f}",
        ]
        for run in growth
    ]


def page(found: dict[str, Any]) -> str:
    """Return the page of figures."""
    ways, growth = found["ways"], found["growth"]
    one = ways["sweep"]["median_s"]
    of = {way: seconds["median_s"] for way, seconds in ways.items()}
    goals = {
        "a tenth of a solve of a new instance": of["solve"] / 10,
        "a fifteenth of Pyomo": of["pyomo"] / 15,
        "twice HiGHS by hand and the check": 2 * of["highs"] + of["check"],
    }
    of_goals = [[goal, f"{1e3 * least:.1f}", "met" if one <= least else "missed"] for goal, least in goals.items()]
    rows = [[SAYS[way], f"{1e3 * seconds:.1f}", f"{seconds / one:.2f}"] for way, seconds in of.items()]
    many = table(
        ["model", "scenarios", "wall time [s]", "core ms a scenario", "statuses"],
        long_runs(found["many"]),
        ["statuses"],
    )
    head = ["workers", "wall time [s]", "scenarios a second", "times as many", "CPU of the coordinator [ms each]"]
    most = 1 / growth[-1]["coordinator_s_each"]
    return f"""# Sweeps

`python -m benchmarks.sweeps` writes this page. The figures of a section are of one run on one machine, which is named
below for the part that was measured last (`--parts`); ratios within a section count.

## One scenario

{SAMPLE} seeded scenarios of `cn-2025`, {found["units"]:,} units: other bands, targets and balances. Each way has a
process of its own with one thread; median CPU time of a scenario.

{table(["way", "ms", "ratio to a sweep"], rows)}

{table(["goal of a scenario", "ms", "here"], of_goals, ["here"])}

A scenario of a sweep has the same program, objectives, check and proof as a solve, on arrays; tables are made when
asked for, and of one sampled scenario a batch, which is read back whole. A sweep adds processes, a record, and outcomes
for failures.

## Ten thousand scenarios on two cores

{many}

## Growth with workers

{OF_GROWTH} scenarios of a model that waits {COST_S:g} s, so that eight workers fit on two cores. Rate and CPU time of
the coordinator are those of the second half, when every process has started. The coordinator sends scenarios, gathers
outcomes and writes the record; here it is the scheduler of the cluster too.

{table(head, grown(growth))}

At this cost of a scenario the coordinator could take {most:,.0f} scenarios a second. With scenarios of
{1e3 * one:.0f} ms it is the limit from about {most * one:,.0f} workers on.

{provenance(machine(), versions(["highspy", "pyomo", "numpy", "pandas", "distributed"]))}
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeps", description=__doc__)
    parser.add_argument("--way", choices=SAYS, help="measure one way here, and print JSON")
    parser.add_argument("--swept", nargs=3, metavar=("MODEL", "NUMBER", "WORKERS"), help="run one sweep here")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="parts to measure; others are kept")
    given = parser.parse_args()
    if given.way or given.swept:
        measured = seconds_of(given.way) if given.way else swept(given.swept[0], *map(int, given.swept[1:]))
        print(json.dumps(measured))
        return 0
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    kept = FOLDER / "sweeps.json"
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    found["units"] = len(etsopt.read("cn-2025").units)
    if "ways" in given.parts:
        found["ways"] = {way: told_of(way, "--way", way) for way in SAYS}
    if "growth" in given.parts:
        asked = ("--swept", str(WAITING), str(OF_GROWTH))
        found["growth"] = [told_of(f"{workers} workers", *asked, str(workers)) for workers in WORKERS]
    if "many" in given.parts:
        found["many"] = {model: told_of(model, "--swept", model, str(number), "2") for model, number in MANY.items()}
    write_json("sweeps.json", found)
    (FOLDER / "sweeps.md").write_text(page(found), encoding="utf-8")
    return 0


def told_of(what: str, *arguments: str) -> dict[str, Any]:
    """Return what a separate process measures; raise RuntimeError if it fails."""
    said = child("benchmarks.sweeps", *arguments)
    if "status" in said:
        raise RuntimeError(f"{what}: {said['status']}")
    print(what, said, file=sys.stderr, flush=True)
    return said


if __name__ == "__main__":
    sys.exit(main())
