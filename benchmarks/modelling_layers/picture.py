"""Picture: build and hand-over relative to hand-made arrays, by size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator, StrMethodFormatter

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

LOOKS = {
    "stamped": {"color": "#0b6e4f", "marker": "o", "linewidth": 2.4},
    "linopy": {"color": "#3d6fb4", "marker": "s"},
    "pyoptinterface": {"color": "#c8811a", "marker": "^"},
    "cvxpy": {"color": "#8a4fa3", "marker": "D"},
    "reference": {"color": "#b03a2e", "marker": "v"},
}
NAMES = {"reference": "Pyomo, row by row", "stamped": "compiled"}
COLUMNS = 3

# A fixed salt and no date: the same figures give the same file.
plt.rcParams |= {"svg.hashsalt": "etsopt", "svg.fonttype": "none", "font.size": 9}


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """Draw the summaries: one panel per problem, one line per tool."""
    problems = list(dict.fromkeys(line["problem"] for line in lines))
    rows = -(-len(problems) // COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(9, 2.8 * rows + 0.6), sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for panel, problem in zip(axes.flat, problems, strict=False):
        _draw_panel(panel, problem, [line for line in lines if line["problem"] == problem and line.get("ratio")])
    # The panels share their axes, so this applies to all.
    axes[0, 0].set_xticks(sorted({line["firms"] for line in lines}))
    axes[0, 0].xaxis.set_minor_locator(NullLocator())
    for panel in axes.flat[len(problems) :]:
        panel.axis("off")
    pairs = [pair for panel in axes.flat for pair in zip(*panel.get_legend_handles_labels(), strict=True)]
    handles = {label: handle for handle, label in pairs}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, frameon=False)
    figure.supylabel("build and hand-over: CPU time\nagainst hand-made arrays")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _draw_panel(panel: Axes, problem: str, lines: list[dict[str, Any]]) -> None:
    for tool, look in LOOKS.items():
        own = [line for line in lines if line["tool"] == tool]
        if own:
            firms = [line["firms"] for line in own]
            panel.plot(firms, [line["ratio"] for line in own], label=NAMES.get(tool, tool), markersize=4, **look)
        if own and "ratio_with_gate" in own[0]:
            ratios = [line["ratio_with_gate"] for line in own]
            panel.plot(firms, ratios, label="compiled, with scaling and checks", linestyle="--", color=look["color"])
    panel.axhline(1, color="black", linewidth=0.8)
    panel.set(title=problem, xscale="log", yscale="log", xlabel="firms")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
