"""Picture: CPU time by size, each method beside HiGHS alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator, StrMethodFormatter

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

OURS, THEIRS = "#0b6e4f", "#b03a2e"
MARKERS = {
    "change": "o",
    "largest_change": "s",
    "deficit": "^",
    "spread": "D",
    "chain": "P",
    "clearing": "o",
    "pathway": "s",
}

# A fixed salt and no date: the same figures give the same file.
plt.rcParams |= {"svg.hashsalt": "etsopt", "svg.fonttype": "none", "font.size": 9}


def draw(runs: dict[str, Any], path: Path) -> None:
    """Draw the runs: allocation on the left, markets on the right."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.4), sharex=True, layout="constrained")
    allocations = [run for run in runs.values() if "levels" in run and "chain_s" in run]
    for level in ("change", "largest_change", "chain"):
        whole = level == "chain"
        ours = {run["units"]: run["chain_s"] if whole else run["levels"][level]["method_s"] for run in allocations}
        theirs = {
            run["units"]: run["chain_highs_s"] if whole else run["levels"][level]["highs_s"]
            for run in allocations
            if ("chain_highs_s" in run if whole else "highs_s" in run["levels"][level])
        }
        name = "change and largest_change, frame to certified frame" if whole else level
        _line(left, ours, name, OURS, MARKERS[level])
        _line(left, theirs, f"HiGHS alone, {'both levels' if whole else level}", THEIRS, MARKERS[level])
    for model, name in (("clearing", "clearing, one year"), ("pathway", "pathway, ten years, transaction cost")):
        found = {run["units"]: run["cpu_s"] for run in runs.values() if run.get("model") == model and "cpu_s" in run}
        _line(right, found, name, OURS, MARKERS[model])
    left.set(title="allocation", ylabel="CPU time [s]")
    right.set(title="markets, to a certified gap")
    for panel in (left, right):
        panel.set(xlabel="units", xscale="log", yscale="log")
        panel.set_xticks(sorted({run["units"] for run in runs.values() if "units" in run}))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        panel.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _line(panel: Axes, seconds: dict[int, float], name: str, color: str, marker: str) -> None:
    units = sorted(seconds)
    style = "--" if color == THEIRS else "-"
    panel.plot(units, [seconds[size] for size in units], style, color=color, marker=marker, markersize=4, label=name)
