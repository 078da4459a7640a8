"""Charts drawn by matplotlib, as SVG or PNG. The extra ``plot`` brings it."""

from __future__ import annotations

import contextlib
import textwrap
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import UsageError
from etsopt.common.language import _, in_chinese
from etsopt.common.modules import optional
from etsopt.data.files.atomic import file_in_errors, replaced
from etsopt.presenting.charts.chart import CHOSEN, RULE, ink_on

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.presenting.charts.chart import Chart, Panel, Series

CHARACTERS_ACROSS, MARK = 76, 8
"""Characters of a legend that fit below one panel, and those that a mark is as wide as."""

LEGEND_ROW, USUAL_ROWS = 0.19, 2
"""Height of a row of the legend [inch], and rows that a figure of usual height has room for."""

WIDE, CELL = 9.0, 0.27
"""Width of a panel that needs that of a page, and height of a cell [inch]."""

ROOM = 12
"""Characters of a category beside a panel of usual width."""

CHARACTERS_PER_INCH = 12.5
"""Characters of a title for each inch of the figure's width."""

CHINESE_FONTS = (
    *("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "SimHei"),
    *("WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Arial Unicode MS", "Droid Sans Fallback"),
)
"""Fonts with Chinese characters, the first that is installed is taken."""

SETTINGS = {
    "svg.hashsalt": "etsopt",
    # Texts stay texts, so that the reader's fonts show them and a search finds them.
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
LARGEST, SMALLEST, PLAIN = 90.0, 7.0, 14.0
"""Area of the largest point, which that of others is in proportion to, of the smallest, and of points of one size
[points²]."""


def load_matplotlib() -> Any:
    """Return matplotlib, without a display.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    optional(
        "matplotlib.figure",
        _("Drawing a chart needs matplotlib, which is not installed."),
        _('Install it: pip install "etsopt[plot]"'),
    )
    return import_module("matplotlib")


def _settings(mpl: Any) -> dict[str, Any]:
    """Return the settings of every chart, over the defaults and not over those of a ``matplotlibrc`` that is found."""
    return {name: value for name, value in mpl.rcParamsDefault.items() if "backend" not in name} | SETTINGS


def draw(chart: Chart) -> Any:
    """Return a chart as a figure of matplotlib, in the language of the moment.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    mpl = load_matplotlib()
    with mpl.rc_context(_settings(mpl) | {"font.family": [*_fonts(mpl), "sans-serif"]}):
        # A name that several panels have stands once in the legend.
        names = {str(series.name): None for panel in chart.panels for series in panel.series if series.name}
        columns = _columns(chart, list(names))
        height = max(3.6, 1.2 + 0.15 * max(panel.rows for panel in chart.panels))
        height = max(height, 1.2 + CELL * max(len(panel.y_ticks) for panel in chart.panels))
        height += LEGEND_ROW * max(0, -(-len(names) // columns) - USUAL_ROWS)
        widths = [WIDE if panel.wide else 3.4 + 0.06 * _longest(panel) for panel in chart.panels]
        figure = mpl.figure.Figure(figsize=(1.8 + sum(widths), height), layout="constrained")
        axes = figure.subplots(1, len(chart.panels), squeeze=False, width_ratios=widths)[0]
        for one, panel in zip(axes, chart.panels, strict=True):
            _draw_panel(one, panel)
        handles = {name: handle for one in axes for handle, name in zip(*one.get_legend_handles_labels(), strict=True)}
        if handles:
            place = {"loc": "outside lower center", "ncols": columns}
            figure.legend(handles.values(), handles.keys(), frameon=False, fontsize=8, **place)
        # A Chinese character is as wide as two others.
        characters = int(figure.get_figwidth() * CHARACTERS_PER_INCH) // (2 if in_chinese() else 1)
        figure.suptitle(textwrap.fill(str(chart.title), characters), x=0.01, ha="left", fontsize=10.5)
    return figure


def _columns(chart: Chart, names: list[str]) -> int:
    """Return the columns of a legend with these names."""
    across = CHARACTERS_ACROSS * len(chart.panels) // (max(map(len, names), default=0) + MARK)
    return max(1, min(4 * len(chart.panels), across))


def _longest(panel: Panel) -> int:
    """Return the characters of the longest category beyond those that the margin has room for anyway."""
    names = [name for series in panel.series for name in panel.categories(series)] if panel.rows else []
    return max(0, max(map(len, names), default=0) - ROOM)


def _fonts(mpl: Any) -> list[str]:
    """Return the first installed font with Chinese characters, if they are asked for."""
    if not in_chinese():
        return []
    manager = mpl.font_manager.fontManager
    if not (found := _chinese(manager)):
        # matplotlib keeps a list of fonts from its first start, which has none that was installed since.
        known = {font.fname for font in manager.ttflist}
        for path in sorted({*mpl.font_manager.findSystemFonts()} - known):
            # A font of a kind that matplotlib cannot read is none for it.
            with contextlib.suppress(RuntimeError, OSError):
                manager.addfont(path)
        found = _chinese(manager)
    return found[:1]


def _chinese(manager: Any) -> list[str]:
    """Return the known fonts that have Chinese characters, the best first."""
    installed = sorted({font.name for font in manager.ttflist})
    # Fonts of Noto and Source Han have the characters of all countries, whichever they are named after.
    others = [name for name in installed if name.startswith(("Noto Sans CJK", "Noto Serif CJK", "Source Han S"))]
    return [*(name for name in CHINESE_FONTS if name in installed), *others]


def require_drawable(path: Path, advice: str) -> Any:
    """Return matplotlib if it can write a chart to a file of this suffix.

    Raises
    ------
    UsageError
        If the suffix is neither SVG nor PNG, with the advice, or matplotlib is not installed.
    """
    if path.suffix.lower() not in (".svg", ".png"):
        raise UsageError(_("{path!r} is no SVG or PNG.", path=str(path)), advice)
    return load_matplotlib()


def save(chart: Chart, path: Path) -> None:
    """Draw a chart and write it as the file's suffix says, SVG or PNG; the same chart is the same file.

    Raises
    ------
    UsageError
        If the suffix is another, matplotlib is not installed, or a PNG in Chinese finds no font for it.
    OSError
        With the name of the file that cannot be written.
    """
    suffix = path.suffix.lower()
    mpl = require_drawable(path, _("Name a file that ends in .svg or .png; `etsopt plot` writes .html too."))
    if in_chinese() and suffix == ".png" and not _fonts(mpl):
        what = _("No installed font has Chinese characters.")
        advice = _("Install one, such as {font}, or write an SVG, which keeps the text.", font=CHINESE_FONTS[0])
        raise UsageError(what, advice)
    figure = draw(chart)
    metadata = {"Date": None} if suffix == ".svg" else {"Software": None}
    with mpl.rc_context(_settings(mpl)), warnings.catch_warnings(), replaced(path) as part, file_in_errors(path):
        # An SVG keeps its texts for the fonts of its reader; only their widths are guessed here.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(part, format=suffix[1:], metadata=metadata, dpi=160)


def _draw_panel(axes: Any, panel: Panel) -> None:
    for low, high in panel.shaded:
        (axes.axvspan if panel.shaded_axis == "x" else axes.axhspan)(low, high, color=CHOSEN, alpha=0.1, lw=0)
    # Bars that begin anywhere end within the axes, as points do; those from zero on begin at their edge.
    axes.use_sticky_edges = all(series.base is None for series in panel.series)
    bottom: Any = 0.0
    for series in panel.series:
        if series.kind in ("bars", "stack"):
            values = series.x if panel.horizontal else series.y
            base = bottom if series.kind == "stack" else 0.0 if series.base is None else series.base
            _draw_bars(axes, series, panel, base)
            bottom = bottom + values if series.kind == "stack" else bottom
        else:
            _draw_series(axes, series, panel)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label)
    axes.set(xlim=panel.x_limits, ylim=panel.y_limits) if panel.x_limits or panel.y_limits else None
    axes.set_title(panel.title, loc="left", fontsize=9)
    if panel.x_ticks:
        axes.set_xticks(*zip(*panel.x_ticks, strict=True), fontsize=8)
    if panel.y_ticks:
        axes.set_yticks(*zip(*panel.y_ticks, strict=True), fontsize=8)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    if panel.rows:
        axes.tick_params(axis="y", labelsize=7)
        axes.set_ylim(panel.row_limits)
    elif years := panel.years:
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.set_xlim(years[0] - 0.75, years[-1] + 0.75)


def _draw_bars(axes: Any, series: Series, panel: Panel, base: Any) -> None:
    # An outline tells light bars from the page, and parts of a bar from each other.
    style = {"color": series.colour, "label": str(series.name) or None, "ec": RULE, "lw": 0.4}
    if series.style == "hatched":
        style |= {"color": "none", "ec": series.colour, "hatch": "////"}
    widths = panel.widths(series)
    if panel.horizontal:
        axes.barh(panel.categories(series), series.x, height=widths, left=base, **style)
    else:
        drawn = axes.bar(series.x, series.y, width=widths, bottom=base, **style)
        if series.texts is not None:
            axes.bar_label(drawn, series.texts, label_type="center", fontsize=7, color=ink_on(series.colour))


def _draw_series(axes: Any, series: Series, panel: Panel) -> None:
    name = str(series.name) or None
    y = panel.categories(series) if panel.horizontal else series.y
    if series.kind == "points":
        sizes: Any = PLAIN if series.sizes is None else np.maximum(SMALLEST, LARGEST * series.sizes)
        # Hundreds of points are one picture inside the SVG, and not as many elements.
        many = len(series.x) > 200
        alpha = 0.6 if many else 0.9
        hollow = series.style == "hollow"
        colours = {"fc": "white" if hollow else series.colour, "ec": series.colour, "lw": 0.8 if hollow else 0}
        style = {"s": sizes, "alpha": alpha, "zorder": 3, "clip_on": False} | colours
        axes.scatter(series.x, y, label=name, rasterized=many, **style)
    elif series.kind == "area":
        base = 0.0 if series.base is None else series.base
        axes.fill_between(series.x, base, y, color=series.colour, alpha=0.3, lw=0, label=name)
    else:
        styles: Any = {"marked": {"marker": "o", "ms": 3}, "dashed": {"ls": "--"}, "plain": {}}
        styles["thin"] = {"lw": 0.8, "alpha": 0.8}
        axes.plot(series.x, y, color=series.colour, label=name, **styles[series.style])
