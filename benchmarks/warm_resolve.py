"""A changed target: updated and passed as a change, against a program compiled, loaded and solved from scratch.

Run ``python -m benchmarks.warm_resolve``; it fills a section of ``benchmarks/README.md``. Each figure is the median CPU
time over targets that fall step by step. The run stops if the two objectives differ.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks import reporting
from benchmarks.problems import allocation
from etsopt.modelling.compiler.compiled import CompiledModel, build_program
from etsopt.modelling.solving.highs import Loaded
from etsopt.modelling.solving.options import SolveOptions

SIZES = (1_500, 15_000)
TARGETS = 9
STEP = 0.0005
SAME = 1e-9

EXPLANATION = f"""
CPU seconds, medians over {TARGETS} targets, each {STEP:.2%} of emissions below the one before. *Cold* are `compile`,
`load` and `run`: every rule called and evaluated, the program scaled, loaded and solved. *Warm* are `update`,
`pass` and `run again`: `CompiledModel.update`, `Loaded.change`, and a run from the last basis. Objectives are the
same to {SAME:g}.
"""


def timed(action: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Return the result of an action, and its CPU seconds."""
    before = time.process_time()
    result = action(*arguments)
    return result, time.process_time() - before


def cold_program(data: dict[str, Any]) -> Any:
    """Return the program of the model on its data, every rule called."""
    return build_program(allocation.formulate(), data)


def measure(units: int, level: str) -> dict[str, float]:
    """Return the medians of each stage, both ways."""
    data = allocation.parameters(units, [level])
    first = data["target_most"]
    compiled = CompiledModel(allocation.formulate(), data)
    warm = Loaded(compiled.program, level, SolveOptions())
    warm.solve()
    runs = []
    for number in range(1, TARGETS + 1):
        changed = {"target_most": first * (1 - STEP * number)}
        run: dict[str, float] = {}
        program, run["update"] = timed(compiled.update, changed)
        _, run["pass"] = timed(warm.change, program)
        again, run["run again"] = timed(warm.solve)
        program, run["compile"] = timed(cold_program, data | changed)
        cold, run["load"] = timed(Loaded, program, level, SolveOptions())
        first_run, run["run"] = timed(cold.solve)
        if abs(again.bound - first_run.bound) > SAME * abs(first_run.bound):
            raise SystemExit(f"{units} units, {level}: {again.bound!r} warm, and {first_run.bound!r} cold.")
        runs.append(run)
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    stages = ("compile", "load", "run", "update", "pass", "run again")
    lines = [f"| level | units | {' | '.join(stages)} | cold / warm |", "| --- | ---: " + "| ---: " * 7 + "|"]
    for units in parser.parse_args().sizes:
        for level in ("change", "largest_change"):
            found = measure(units, level)
            ratio = sum(found[name] for name in stages[:3]) / sum(found[name] for name in stages[3:])
            figures = " | ".join(f"{found[name]:.4f}" for name in stages)
            lines.append(f"| `{level}` | {units:,} | {figures} | {ratio:.1f} |")
            print(lines[-1], flush=True)
    provenance = reporting.provenance(reporting.machine(), reporting.versions(["highspy", "numpy", "pyomo"]))
    reporting.fill("warm re-solve", "\n\n".join([EXPLANATION.strip(), provenance, "\n".join(lines)]))


if __name__ == "__main__":
    main()
