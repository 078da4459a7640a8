"""From data to a program in HiGHS, through several modelling layers: ``python -m benchmarks.modelling_layers``.

Each tool runs on each problem and size in a separate process; the tools alternate within each repetition. Writes
``modelling_layers.json``, ``modelling_layers.svg`` and a section of ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import reporting
from benchmarks.modelling_layers import TOOLS, importing, installed, summary
from benchmarks.problems import LEVELS, PROBLEMS, Problem

REPETITIONS = {1_500: 7, 15_000: 5, 150_000: 5, 1_000_000: 5}
DEFAULT = (*(f"allocation-{level}" for level in LEVELS), "abatement", "banking")

SIMPLEX_UP_TO = 15_000
SOLVED_EACH_TIME_UP_TO = 15_000
REFERENCE_SOLVED_UP_TO = 15_000
SOLVE_LIMIT_S = 300.0
PROCESS_LIMIT_S = 700.0
BUILD_LIMIT_S = 120.0

SAME_FOR_ALL = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "ipm_optimality_tolerance": 1e-10,
    "mip_rel_gap": summary.MILP_GAP,
    "time_limit": SOLVE_LIMIT_S,
}

EXPLANATION = f"""
CPU seconds, medians. *Build*: from the data to the tool's own model. *Hand-over*: until HiGHS holds the program.
*Ratio*: both together, against hand-made numpy arrays in the same repetition. *Scale and gate*: what the product also
does before it hands a program over, and no other tool does; *with it* includes that. *Check*: feasibility and
objective from the arrays. *Peak MB*: of the process at hand-over, imports and data included. `reference` is Pyomo row
by row; PyOptInterface hands over while it builds; what a layer does once in a process, such as linopy's 0.25 s before
its first variable, is part of its build.

All tools run HiGHS with the same options, PyOptInterface with the release in highsbox: simplex up to {SIMPLEX_UP_TO:,}
firms, above that interior point without crossover, in the first repetition only, for at most {SOLVE_LIMIT_S:g} s.
`abatement` is solved at 1,500 firms to a gap of {summary.MILP_GAP:g}, `banking` at 1,500 firms. Objectives that differ
by more than {summary.SAME_OBJECTIVE:g} (with whole numbers: by more than the gap) are marked.
"""


def main() -> None:
    options = _options()
    tools = [tool for tool in options.tools if installed(tool)]
    if options.tools != tools:
        print("not installed:", ", ".join(tool for tool in options.tools if tool not in tools))
    runs = []
    for name in options.problems:
        for firms in options.sizes:
            if firms <= PROBLEMS[name].largest:
                runs += measure(PROBLEMS[name], firms, tools, options)
    packages = dict.fromkeys(package for tool in tools for package in TOOLS[tool][1:])
    figures = {
        "machine": reporting.machine(),
        "versions": reporting.versions([*packages, "numpy", "scipy", "pandas"]),
        "options": SAME_FOR_ALL,
        "runs": runs,
    }
    if "stamped" in tools:
        figures["start"] = start(options.repetitions or 7)
    print(report(figures))
    if not options.smoke:
        from benchmarks.modelling_layers import picture

        reporting.write_json("modelling_layers.json", figures)
        picture.draw(summary.summaries(runs), reporting.FOLDER / "modelling_layers.svg")
        reporting.fill("modelling layers", report(figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--problems", nargs="+", default=list(DEFAULT), choices=list(PROBLEMS))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(REPETITIONS))
    parser.add_argument("--repetitions", type=int, help="by size if not given")
    parser.add_argument("--solve-up-to", type=int, default=150_000, help="firms")
    parser.add_argument("--smoke", action="store_true", help="tiny, once, without writing")
    options = parser.parse_args()
    if options.smoke:
        options.sizes, options.repetitions = [60], 1
    return options


def measure(problem: Problem, firms: int, tools: list[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the raw figures of all tools on one problem of one size."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "data")
        reporting.write_data(problem.name, firms, path)
        for repetition in range(options.repetitions or REPETITIONS.get(firms, 3)):
            # The order rotates, because a process inherits the state of memory from the one before it.
            first = repetition % len(tools)
            for tool in tools[first:] + tools[:first]:
                if tool == "reference" and firms > problem.row_by_row_up_to:
                    continue
                run = {"problem": problem.name, "firms": firms, "tool": tool, "repetition": repetition}
                run |= _measure_once(problem, firms, tool, path, repetition, options.solve_up_to)
                print(json.dumps(run), flush=True)
                runs.append(run)
    return runs


def _measure_once(
    problem: Problem, firms: int, tool: str, path: str, repetition: int, solve_up_to: int
) -> dict[str, Any]:
    solved = firms <= min(solve_up_to, problem.solved_up_to)
    solved &= repetition == 0 or firms <= SOLVED_EACH_TIME_UP_TO
    limit_s = PROCESS_LIMIT_S
    if tool == "reference" and firms > REFERENCE_SOLVED_UP_TO:
        solved, limit_s = False, BUILD_LIMIT_S
    chosen = {"solver": "simplex"} if firms <= SIMPLEX_UP_TO else {"solver": "ipm", "run_crossover": "off"}
    given = json.dumps(SAME_FOR_ALL | ({} if problem.whole else chosen) if solved else None)
    return reporting.child("benchmarks.modelling_layers.measure", tool, problem.name, path, given, timeout_s=limit_s)


def start(repetitions: int) -> dict[str, float]:
    """Measure imports and compilation of 1,500 units against imports of Pyomo."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("abatement", "allocation-change")]
        for path in paths:
            reporting.write_data(Path(path).name, 1_500, path)
        return importing.added_seconds(*paths, repetitions)


def report(figures: dict[str, Any]) -> str:
    """Return the section of the README."""
    lines = summary.summaries(figures["runs"])
    parts = [EXPLANATION.strip(), reporting.provenance(figures["machine"], figures["versions"])]
    parts.append("![Build and hand-over against hand-made arrays, by size](modelling_layers.svg)")
    if "start" in figures:
        start = figures["start"]
        parts.append(
            "CPU seconds of whole processes: importing Pyomo {pyomo:.3f}, Pyomo and numpy {pyomo_and_numpy:.3f}, "
            "importing and compiling 1,500 firms of `abatement` {stamping:.3f}; with pandas, in which instances are, "
            "{pyomo_numpy_and_pandas:.3f}, and importing and compiling 1,500 units of the library's `allocation` "
            "{stamping_of_the_library:.3f}.".format(**start)
        )
    for name in dict.fromkeys(line["problem"] for line in lines):
        own = [line for line in lines if line["problem"] == name]
        parts += [f"`{name}`:", summary.table(own)]
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
