"""From raw figures to medians, ratios and tables."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from benchmarks import reporting
from benchmarks.problems import PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BASE = "arrays"
SAME_OBJECTIVE = 1e-7
MILP_GAP = 1e-4

HEAD = (
    *("firms", "tool", "build", "hand-over", "ratio", "scale and gate", "ratio with it"),
    *("solve", "extract", "check", "peak MB", "ratio", "peak MB with it", "objective"),
)

Run = dict[str, Any]


def summaries(runs: list[Run]) -> list[dict[str, Any]]:
    """Return one line per problem, size and tool, in the order of the first repetition."""
    keys = dict.fromkeys((run["problem"], run["firms"], run["tool"]) for run in runs)
    return [_summary(runs, *key) for key in keys]


def _summary(runs: list[Run], problem: str, firms: int, tool: str) -> dict[str, Any]:
    here = [run for run in runs if (run["problem"], run["firms"]) == (problem, firms)]
    base = {run["repetition"]: run for run in here if run["tool"] == BASE and "seconds" in run}
    all_own = [run for run in here if run["tool"] == tool]
    own = [run for run in all_own if "seconds" in run]
    if not own:
        return {"problem": problem, "firms": firms, "tool": tool, "status": all_own[0]["status"]}
    stages = dict.fromkeys(stage for run in own for stage in run["seconds"])
    # An unsolved run states its reason; otherwise one word describes all repetitions.
    status = next((run["status"] for run in own if run["status"] not in ("optimal", "not solved")), own[0]["status"])

    def over_base(figure: Callable[[Run], float]) -> float | None:
        pairs = [(run, base[run["repetition"]]) for run in own if run["repetition"] in base]
        return _median(figure(run) / _handed_s(other) for run, other in pairs)

    line: dict[str, Any] = {"problem": problem, "firms": firms, "tool": tool, "status": status}
    times = {stage: [run["seconds"][stage] for run in own if stage in run["seconds"]] for stage in stages}
    line["seconds"] = {stage: statistics.median(found) for stage, found in times.items()}
    line["ratio"] = over_base(_handed_s)
    if "scale_and_gate" in stages:
        line["ratio_with_gate"] = over_base(lambda run: _handed_s(run) + run["seconds"]["scale_and_gate"])
    line["peak_mb"] = _median(run["peak_mb"] for run in own)
    if "scale_and_gate" in stages:
        line["peak_gated_mb"] = _median(run["peak_gated_mb"] for run in own)
    if base:
        line["peak_ratio"] = line["peak_mb"] / statistics.median(run["peak_mb"] for run in base.values())
    solved = [run for run in own if "objective" in run]
    if solved:
        line["objective"] = solved[0]["objective"]
        line["infeasibility"] = max(run["infeasibility"] for run in solved)
        line["peak_solved_mb"] = _median(run["peak_solved_mb"] for run in solved)
        line["same"] = _same(problem, [run["objective"] for run in solved], here)
    return line


def _handed_s(run: Run) -> float:
    return run["seconds"]["build"] + run["seconds"]["hand_over"]


def _median(figures: Iterable[float]) -> float | None:
    listed = list(figures)
    return statistics.median(listed) if listed else None


def _same(problem: str, objectives: list[float], here: list[Run]) -> bool:
    """Return True if the objectives equal those of the hand-made arrays, or of the first tool with an optimum."""
    ordered = sorted((run for run in here if "objective" in run), key=lambda run: run["tool"] != BASE)
    expected = ordered[0]["objective"]
    # Branch and bound may stop anywhere within its gap.
    allowed = MILP_GAP if PROBLEMS[problem].whole else SAME_OBJECTIVE
    return all(abs(value - expected) <= allowed * max(abs(expected), 1e-12) for value in objectives)


def table(lines: list[dict[str, Any]]) -> str:
    """Return the table of one problem, with differing objectives marked."""
    rows = []
    for line in lines:
        row = [f"{line['firms']:,}", line["tool"]]
        if "seconds" not in line:
            rows.append([*row, *[""] * (len(HEAD) - 3), line["status"]])
            continue
        seconds = line["seconds"]
        row += [_number(seconds["build"]), _number(seconds["hand_over"]), _number(line["ratio"])]
        row += [_number(seconds.get("scale_and_gate")), _number(line.get("ratio_with_gate"))]
        row += [_number(seconds.get(stage)) for stage in ("solve", "extract", "check")]
        row += [f"{line['peak_mb']:,.0f}", _number(line.get("peak_ratio"))]
        row += [f"{line['peak_gated_mb']:,.0f}" if "peak_gated_mb" in line else ""]
        objective = f"{line['objective']:.10g}" if "objective" in line else line["status"]
        rows.append([*row, objective if line.get("same", True) else f"**{objective} differs**"])
    return reporting.table(HEAD, rows)


def _number(figure: float | None) -> str:
    """Format a number with two significant digits, as plain decimals."""
    if figure is None:
        return ""
    if figure >= 10:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 1 else f"{figure:.2g}" if figure >= 1e-4 else f"{figure:.5f}"
