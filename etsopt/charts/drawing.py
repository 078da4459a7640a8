"""Charts drawn by matplotlib, as SVG or PNG. The extra ``plot`` brings it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.charts.allocations import province_names
from etsopt.data.files.atomic import naming, replaced
from etsopt.errors import UsageError
from etsopt.wording import message

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.charts.chart import Chart, Panel, Series

CHARACTERS_ACROSS, MARK = 76, 8
"""Characters of a legend that fit below one panel, and those that a mark is as wide as."""

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
    "axes.unicode_minus": False,
}
LARGEST, SMALLEST, PLAIN = 44.0, 4.0, 14.0
"""Area of the largest and the smallest point, and of points of one size [points²]."""


def load_matplotlib() -> Any:
    """Return matplotlib, without a display.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib import figure as figure
    except ImportError:
        what = "Drawing a chart needs matplotlib, which is not installed."
        raise UsageError(what, 'Install it: pip install "etsopt[plot]"') from None
    return mpl


def draw(chart: Chart, lang: str = "en") -> Any:
    """Return a chart as a figure of matplotlib.

    Parameters
    ----------
    lang
        ``en`` or ``zh``.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    mpl = load_matplotlib()
    in_chinese = lang == "zh"
    with mpl.rc_context(SETTINGS | {"font.family": [*_fonts(mpl, in_chinese), "sans-serif"]}):
        rows = max((len(one.y) for panel in chart.panels if panel.horizontal for one in panel.series), default=0)
        height = max(3.6, 0.9 + 0.19 * rows)
        figure = mpl.figure.Figure(figsize=(5.2 + 3.4 * (len(chart.panels) - 1), height), layout="constrained")
        axes = figure.subplots(1, len(chart.panels), squeeze=False)[0]
        for one, panel in zip(axes, chart.panels, strict=True):
            _draw_panel(one, panel, in_chinese)
        if names := [series.name[in_chinese] for panel in chart.panels for series in panel.series if series.name[0]]:
            columns = max(1, CHARACTERS_ACROSS // (max(map(len, names)) + MARK))
            figure.legend(loc="outside lower center", ncols=min(4, columns), frameon=False, fontsize=8)
        figure.suptitle(chart.title[in_chinese], x=0.01, ha="left", fontsize=10.5)
    return figure


def _fonts(mpl: Any, in_chinese: bool) -> list[str]:
    """Return the first installed font with Chinese characters, if they are asked for."""
    if not in_chinese:
        return []
    installed = sorted({font.name for font in mpl.font_manager.fontManager.ttflist})
    # Fonts of Noto and Source Han have the characters of all countries, whichever they are named after.
    others = [name for name in installed if name.startswith(("Noto Sans CJK", "Noto Serif CJK", "Source Han S"))]
    return [*(name for name in CHINESE_FONTS if name in installed), *others][:1]


def save(chart: Chart, path: Path, lang: str = "en") -> None:
    """Draw a chart and write it as the file's suffix says, SVG or PNG; the same chart is the same file.

    Raises
    ------
    UsageError
        If the suffix is another, matplotlib is not installed, or a PNG in Chinese finds no font for it.
    OSError
        With the name of the file that cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in (".svg", ".png"):
        raise UsageError(
            message("{path!r} is no SVG or PNG.", path=str(path)), "Name a file that ends in .svg or .png."
        )
    mpl = load_matplotlib()
    if lang == "zh" and suffix == ".png" and not _fonts(mpl, True):
        what = "No installed font has Chinese characters."
        raise UsageError(
            what,
            message(
                "Install one, such as {chinese_fonts}, or write an SVG, which keeps the text.",
                chinese_fonts=CHINESE_FONTS[0],
            ),
        )
    figure = draw(chart, lang)
    metadata = {"Date": None} if suffix == ".svg" else {"Software": None}
    with mpl.rc_context(SETTINGS), warnings.catch_warnings(), replaced(path) as part, naming(path):
        # An SVG keeps its texts for the fonts of its reader; only their widths are guessed here.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(part, format=suffix[1:], metadata=metadata, dpi=160)


def _draw_panel(axes: Any, panel: Panel, in_chinese: bool) -> None:
    for low, high in panel.shaded:
        (axes.axvspan if panel.shaded_axis == "x" else axes.axhspan)(low, high, color="#2f6690", alpha=0.08, lw=0)
    bottom: Any = 0.0
    for series in panel.series:
        if series.kind == "stack":
            axes.bar(series.x, series.y, bottom=bottom, color=series.colour, label=series.name[in_chinese], width=0.8)
            bottom = bottom + series.y
        else:
            _draw_series(axes, series, panel, in_chinese)
    axes.set(xlabel=panel.x_label[in_chinese], ylabel=panel.y_label[in_chinese])
    axes.set(xlim=panel.x_limits, ylim=panel.y_limits) if panel.x_limits or panel.y_limits else None
    axes.set_title(panel.title[in_chinese], loc="left", fontsize=9)
    if panel.horizontal:
        axes.tick_params(axis="y", labelsize=7)
    elif all(series.kind in ("line", "stack") for series in panel.series):
        axes.xaxis.get_major_locator().set_params(integer=True)


def _draw_series(axes: Any, series: Series, panel: Panel, in_chinese: bool) -> None:
    name = series.name[in_chinese] or None
    y = province_names(series.y, in_chinese) if panel.horizontal else series.y
    if series.kind == "points":
        sizes: Any = PLAIN if series.sizes is None else SMALLEST + (LARGEST - SMALLEST) * np.sqrt(series.sizes)
        # Thousands of points are one picture inside the SVG, and not as many elements.
        many = len(series.x) > 500
        alpha = 0.6 if many else 0.9
        axes.scatter(series.x, y, s=sizes, color=series.colour, alpha=alpha, lw=0, label=name, rasterized=many)
    elif series.kind == "line":
        style = {"ls": "--"} if series.dashed else {"marker": "o", "ms": 3}
        axes.plot(series.x, y, color=series.colour, label=name, **style)
    elif panel.horizontal:
        axes.barh(y, series.x, color=series.colour, label=name)
    else:
        width = float(series.x[1] - series.x[0]) if len(series.x) > 1 else 0.8
        axes.bar(series.x, series.y, width=width, color=series.colour, label=name)
