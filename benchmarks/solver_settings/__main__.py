"""Settings of HiGHS by kind and size of the program: ``python -m benchmarks.solver_settings``.

Each setting runs once, in a separate process with a time limit. The program has the scaling of the product, and other
options are those of the product. Writes ``solver_settings.json`` and a section of ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import reporting
from benchmarks.problems import PROBLEMS
from benchmarks.solver_settings import LINEAR, WHOLE

FILE = "solver_settings.json"
DEFAULT = ("allocation-change", "allocation-largest_change", "allocation-all", "banking", "abatement")
HEAD = (
    "setting",
    "CPU s",
    "status",
    "iterations",
    "infeasibility",
    "objective error",
    "certified gap",
    "doubtful prices",
)
EXPLANATION = """
CPU seconds of HiGHS alone. *Infeasibility*: the most by which a limit is missed, against the limit where that is
above 1. *Objective error*: against the best that any setting certified. *Certified gap*: between the objective and the
bound that the duals prove (for whole numbers: that branch and bound proves), whatever the solver says. *Doubtful
prices*: reduced costs and duals between 1e-11 and 1e-7 after scaling, of which nobody can say whether they hold a
column or row at its side.
"""


def measure(name: str, firms: int, settings: list[str], limit_s: float) -> list[dict[str, Any]]:
    """Return the figures of every setting on one program."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "data")
        reporting.write_data(name, firms, path)
        for setting in settings:
            # HiGHS checks its time limit only occasionally.
            measured = reporting.child(
                "benchmarks.solver_settings.measure", name, setting, path, str(limit_s), timeout_s=2 * limit_s + 60
            )
            runs.append({"problem": name, "firms": firms, "setting": setting, "limit_s": limit_s, **measured})
            print(name, firms, setting, measured, flush=True)
    return runs


def rows(runs: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table of one program."""
    found = [run for run in runs if "bound" in run]
    # Reference: the feasible run with the smallest distance between objective and bound.
    feasible = [run for run in found if run["infeasibility"] < 1e-8] or found
    best = min(feasible, key=lambda run: abs(run["objective"] - run["bound"]), default={"objective": 1.0})["objective"]
    size = max(abs(best), 1e-12)
    lines = []
    for run in runs:
        line = [run["setting"], f"{run['cpu_s']:.2f}" if "cpu_s" in run else "", run["status"].lower()]
        if "objective" in run:
            error, gap = (run["objective"] - best) / size, (run["objective"] - run.get("bound", best)) / size
            line += [f"{run['iterations']:,}", f"{run['infeasibility']:.0e}", f"{error:.0e}", f"{gap:.0e}"]
            line += [f"{run['doubtful']:,}"] if "doubtful" in run else []
        lines.append(line + [""] * (len(HEAD) - len(line)))
    return lines


def report(figures: dict[str, Any]) -> str:
    """Return the section of the README."""
    parts = [EXPLANATION.strip(), reporting.provenance(figures["machine"], figures["versions"])]
    programs = dict.fromkeys((run["problem"], run["firms"]) for run in figures["runs"])
    for name, firms in programs:
        runs = [run for run in figures["runs"] if (run["problem"], run["firms"]) == (name, firms)]
        parts += [f"`{name}`, {firms:,} firms, at most {runs[0]['limit_s']:g} s:", reporting.table(HEAD, rows(runs))]
    return "\n\n".join(parts)


def earlier(measured_now: set[tuple[str, int]]) -> list[dict[str, Any]]:
    """Return the earlier figures of other programs."""
    runs = json.loads((reporting.FOLDER / FILE).read_text(encoding="utf-8"))["runs"]
    return [run for run in runs if (run["problem"], run["firms"]) not in measured_now]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", nargs="+", default=DEFAULT, choices=list(PROBLEMS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[1_500, 15_000])
    parser.add_argument("--settings", nargs="+", help="by name; all if not given")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each run")
    parser.add_argument("--keep", action="store_true", help="keep what stands in the file on other programs")
    parser.add_argument("--no-writing", action="store_true", help="print the tables only")
    options = parser.parse_args()
    runs = []
    for name in options.problems:
        known = WHOLE if PROBLEMS[name].whole else LINEAR
        settings = [setting for setting in known if options.settings is None or setting in options.settings]
        for firms in options.sizes:
            runs += measure(name, firms, settings, options.limit)
    kept = earlier({(run["problem"], run["firms"]) for run in runs}) if options.keep else []
    figures = {
        "machine": reporting.machine(),
        "versions": reporting.versions(["highspy", "numpy", "scipy"]),
        "runs": kept + runs,
    }
    print(report(figures))
    if not options.no_writing:
        reporting.write_json(FILE, figures)
        reporting.fill("solver settings", report(figures))


if __name__ == "__main__":
    main()
