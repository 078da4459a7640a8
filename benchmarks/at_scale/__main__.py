"""Many units against HiGHS alone: ``python -m benchmarks.at_scale``; writes ``at_scale.json`` and fills the README.

Each size and model runs in a separate process. ``--parts`` and ``--sizes`` repeat some measurements and keep the rest.
"""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

from benchmarks import reporting

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = "at_scale.json"
SIZES = (15_000, 150_000, 1_000_000)
PARTS = ("allocation", "tight", "clearing", "pathway", "sweep")
HIGHS_LIMIT_S = 300.0
PROCESS_LIMIT_S = 5400.0
LEVELS = ("change", "largest_change", "deficit", "spread")
GOALS = {("change", 150_000): 300, ("change", 1_000_000): 1000, ("chain", 150_000): 50, ("chain", 1_000_000): 100} | {
    (level, size): goal for level in LEVELS[1:] for size, goal in ((150_000, 90), (1_000_000, 100))
}

EXPLANATION = f"""
CPU seconds of one process, the least of three runs where they are short. *Level*: `allocation` with one level alone,
the method `aggregation` from the parameters to every unit's allowances, its last step included, against HiGHS alone on
the compiled program of the same parameters at the better of two settings (interior point without and with crossover,
which `solver_settings` found to be the quickest; at a million units without, which was the quicker at 150,000 on every
level; building, scaling and loading do not count for HiGHS), for at most {HIGHS_LIMIT_S:g} s. *Tight form*: HiGHS at
the better of simplex and interior point on rows of sectors and provinces alone, with two columns a unit, as one writes
it by hand for `change`. *Chain*: `change`,
`largest_change` and the last step, from a data frame to a certified one, reading, tables and checker included, against
HiGHS on the two levels alone. Clearing: four measures of its own at every unit, one year, from the instance to the
certified result, its allocation included, beside `pandas.read_csv` of the same units and measures. Pathway: ten years
with banking, four measures at every unit, a quarter of them from 2028 on only, and a transaction cost. The gap is the
checker's, at full size; a part of it is real: where one large unit stands between two plans, no whole choice of the
others quite makes up for it, and the bound mixes its plans.
"""


def measure(part: str, size: int, highs: float) -> dict[str, Any]:
    """Return the raw figures of one part at one size."""
    if part == "allocation":
        arguments = ["benchmarks.at_scale.allocations", str(size), "--highs", str(highs)]
    elif part == "tight":
        arguments = ["benchmarks.at_scale.allocations", str(size), "--tight", "--highs", str(highs)]
    elif part == "sweep":
        arguments = ["benchmarks.at_scale.sweeps"]
    else:
        arguments = ["benchmarks.at_scale.markets", part, str(size)]
    return reporting.child(*arguments, timeout_s=PROCESS_LIMIT_S)


def earlier() -> dict[str, Any]:
    """Return the figures of the file, by part and size."""
    path = reporting.FOLDER / FILE
    return json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else {}


def ratio(ours: float, theirs: float, ended: bool, goal: int | None) -> str:
    """Return the ratio of the CPU time of HiGHS, and the goal beside it."""
    text = f"{'' if ended else 'over '}{theirs / ours:,.0f}"
    return text if goal is None else f"{text} (goal {goal:,})"


def in_order(runs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the runs sorted by model and size."""
    return sorted(runs, key=lambda run: (run.get("model", ""), run["units"]))


def allocation_rows(runs: dict[str, Any]) -> list[list[str]]:
    """Return one row per objective and size, and the rows of the chain."""
    rows = []
    for run in in_order(run for run in runs.values() if "tight_s" in run):
        by_hand = [f"{run['tight_s']:.2f}", ratio(run["method_s"], run["tight_s"], True, None)]
        rows.append(["`change`, tight form", f"{run['units']:,}", f"{run['method_s']:.4f}", *by_hand])
    for run in in_order(run for run in runs.values() if "levels" in run):
        size = run["units"]
        for level, found in run["levels"].items():
            row = [f"`{level}`", f"{size:,}", f"{found['method_s']:.4f}"]
            if "highs_s" in found:
                ended = found["status"] == "optimal"
                goal = GOALS.get((level, size))
                row += [f"{found['highs_s']:.2f}", ratio(found["method_s"], found["highs_s"], ended, goal)]
            rows.append(row + [""] * (5 - len(row)))
        row = ["chain", f"{size:,}", f"{run['chain_s']:.3f}"]
        if "chain_highs_s" in run:
            goal = GOALS.get(("chain", size))
            row += [f"{run['chain_highs_s']:.2f}", ratio(run["chain_s"], run["chain_highs_s"], True, goal)]
        rows.append(row + [""] * (5 - len(row)))
    return rows


def market_rows(runs: dict[str, Any]) -> list[list[str]]:
    """Return one row per market and size."""
    rows = []
    for run in in_order(run for run in runs.values() if "cpu_s" in run):
        beside = f"{run['cpu_s'] / run['read_csv_s']:.1f}" if "read_csv_s" in run else ""
        cost = f"{run['cost_cny_per_t']:g}"
        figures = [f"{run['units']:,}", cost, f"{run['cpu_s']:.1f}", beside, f"{run['relative_gap']:.1e}"]
        rows.append([run["model"], *figures, run["status"].replace("_", " "), f"{run['peak_mb']:,.0f}"])
    return rows


def growth(runs: dict[str, Any]) -> str:
    """Return the exponent of time over units, from the smallest to the largest measured size."""
    lines = []
    for part, key in (("allocation", "chain_s"), ("clearing", "cpu_s"), ("pathway", "cpu_s")):
        of_part = [(run["units"], run[key]) for name, run in runs.items() if name.startswith(part) and key in run]
        (few, short), (many, long) = min(of_part, default=(1, 1.0)), max(of_part, default=(1, 1.0))
        if many > few:
            exponent = math.log(long / short) / math.log(many / few)
            lines.append(f"{part} {exponent:.2f} ({few:,} to {many:,})")
    return f"Growth of time with units, exponent: {', '.join(lines)}."


def machines(runs: dict[str, Any]) -> str:
    """Return the machines and versions of the runs; ratios of one row are of one run."""
    names = dict[str, list[str]]()
    for name, run in runs.items():
        part, size = name.split()
        names.setdefault(run["provenance"], []).append(f"{part} {int(size):,}")
    if len(names) == 1:
        return "".join(names)
    return "\n".join(f"- {', '.join(sorted(of))}. {said}" for said, of in names.items())


def report(runs: dict[str, Any]) -> str:
    """Return the section of the README."""
    parts = [EXPLANATION.strip(), machines(runs)]
    parts.append("![CPU time by size, each method beside HiGHS alone](at_scale.svg)")
    head = ("level", "units", "aggregation, CPU s", "HiGHS, CPU s", "HiGHS / aggregation")
    parts.append(reporting.table(head, allocation_rows(runs)))
    head = ("model", "units", "CNY/t", "CPU s", "against read_csv", "relative gap", "status", "peak MB")
    parts.append(reporting.table(head, market_rows(runs)))
    parts.append(growth(runs))
    if sweep := runs.get("sweep 15000"):
        parts.append(sweep["sentence"])
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--highs", type=float, default=HIGHS_LIMIT_S, help="limit of HiGHS on a level; 0: not run")
    options = parser.parse_args()
    for part in options.parts:
        for size in [15_000] if part == "sweep" else options.sizes:
            run = measure(part, size, options.highs)
            print(part, size, json.dumps(run), flush=True)
            # Another process may have measured other parts in the meantime.
            names = reporting.versions(["highspy", "numpy", "pandas", "pyomo"])
            run["provenance"] = reporting.provenance(reporting.machine(), names)
            runs = earlier() | {f"{part} {size}": run}
            reporting.write_json(FILE, {"runs": runs})
            reporting.fill("at scale", report(runs))
    from benchmarks.at_scale import picture

    picture.draw(earlier(), reporting.FOLDER / "at_scale.svg")


if __name__ == "__main__":
    main()
