"""Charts that one can hover: figures of plotly as plain data, one for each panel, made without its library.

A page needs the script of plotly alone: ``Plotly.newPlot(place, figure.data, figure.layout, config)``. Paper and plot
are transparent and the font is inherited; colours of texts and axes are left to `STYLE`, which takes them from the
page, so that a dark page, a light one and its print need no other figure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _, in_chinese
from etsopt.presenting.charts.chart import RULE, ink_on

if TYPE_CHECKING:
    from etsopt.presenting.charts.chart import Chart, Panel, Series

CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
}
"""Options of plotly: no link to its maker, and of its buttons those that send nothing away."""

BUTTONS = (
    *(_("Zoom"), _("Pan"), _("Reset axes"), _("Download plot as a PNG")),
    *(_("Preparing image - this may take a few seconds"), _("Image download succeeded")),
    *(_("Sorry, there was a problem downloading your image!"), _("Double-click to zoom back out")),
)
"""Texts of plotly's buttons."""

STYLE = """
.js-plotly-plot .plotly, .js-plotly-plot .plotly div { font-family: inherit !important; }
.js-plotly-plot .main-svg text:not(.bartext) { fill: currentColor !important; }
.js-plotly-plot .hoverlayer text, .js-plotly-plot .hoverlayer tspan { fill: #ffffff !important; }
.js-plotly-plot .hoverlayer .hovertext path { fill: #24292f !important; stroke: #ffffff !important; }
.js-plotly-plot .gridlayer path, .js-plotly-plot .zerolinelayer path {
  stroke: currentColor !important; stroke-opacity: 0.15 !important; }
.js-plotly-plot .modebar-btn { color: inherit !important; }
.js-plotly-plot .modebar-btn path { fill: currentColor !important; }
"""
"""Style sheet of a page with these figures: texts and axes in its colour, hover texts white on dark on every page."""

SHADE = "rgba(43, 140, 207, 0.13)"
HEIGHT, ROW_HEIGHT, CELL_HEIGHT, MARGIN_HEIGHT, LEGEND_HEIGHT = 360, 20, 26, 90, 24
"""Height of a figure, of a row of categories or cells, of what surrounds these, and of a row of the legend [px]."""

LIGHT = 0.3
"""Opacity of an area."""

LARGEST, SMALLEST, PLAIN = 18.0, 5.0, 7.0
"""Diameters of the largest and the smallest point, and of points of one size [px]."""

MOST_TICKS = 8
"""Years that each have a tick."""

MOST_CHARACTERS = 26
"""Width of the name of a category on an axis."""

DIGITS = 7
"""Significant digits of the numbers of a figure, which is more than a hover text shows."""


def config_of() -> dict[str, Any]:
    """Return `CONFIG` with the texts of buttons in the language of the moment."""
    if not in_chinese():
        return dict(CONFIG)
    words = {text.msgid: str(text) for text in BUTTONS}
    return CONFIG | {"locale": "zh-CN", "locales": {"zh-CN": {"dictionary": words, "format": {}}}}


def figures(chart: Chart) -> list[dict[str, Any]]:
    """Return the panels of a chart, each as ``data`` and ``layout`` in the JSON schema of plotly.

    Notes
    -----
    The title of the chart is text of the page. Traces are of the types ``scatter`` and ``bar``, which are drawn as SVG:
    those of WebGL compile functions from text, which a content security policy without ``unsafe-eval`` forbids.
    """
    return [_figure(panel) for panel in chart.panels]


def _figure(panel: Panel) -> dict[str, Any]:
    """Return one panel."""
    traces = [_trace(series, panel) for series in panel.series]
    named = sum(trace["showlegend"] for trace in traces)
    stacked = any(series.kind == "stack" for series in panel.series)
    rows = ROW_HEIGHT * panel.rows or CELL_HEIGHT * len(panel.y_ticks)
    layout: dict[str, Any] = {
        "template": {},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 12},
        # On a narrow page the legend has a row for each name, on a wide one fewer: half of them is a good guess.
        "height": max(HEIGHT, rows + MARGIN_HEIGHT) + LEGEND_HEIGHT * (named + 1) // 2,
        # Above the first row there is room for the buttons, which would cover the longest bar.
        "margin": {"l": 8, "r": 8, "t": 34 if panel.title or panel.horizontal else 12, "b": 8},
        "title": {"text": _text(panel.title), "font": {"size": 13}, "x": 0, "xanchor": "left"},
        "xaxis": _axis(panel.x_label, panel.x_limits, panel.years, panel.x_ticks),
        "yaxis": _axis(panel.y_label, panel.y_limits, [], panel.y_ticks),
        "barmode": "stack" if stacked else "overlay",
        "bargap": 0.2,
        "modebar": {"bgcolor": "rgba(0,0,0,0)"},
        "showlegend": named > 0,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"},
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "font": {"family": "inherit"}},
        "shapes": [_shade(panel, low, high) for low, high in panel.shaded],
    }
    if panel.horizontal:
        layout["yaxis"] |= {
            "type": "category",
            "range": list(panel.row_limits),
            "tickfont": {"size": 11},
            "showgrid": False,
        }
        # Hover texts have the names in full.
        names = sorted({name for series in panel.series for name in panel.categories(series)})
        layout["yaxis"] |= {"tickvals": [_text(name) for name in names], "ticktext": [_short(name) for name in names]}
        layout["legend"] |= {"y": -60 / layout["height"]}
    if panel.y_ticks:
        layout["legend"] |= {"y": -80 / layout["height"]}
    if panel.wide:
        layout["meta"] = "wide"
    return {"data": traces, "layout": layout}


def _axis(
    label: str,
    limits: tuple[float, float] | None,
    years: list[int],
    ticks: tuple[tuple[float, str], ...],
) -> dict[str, Any]:
    """Return an axis."""
    axis: dict[str, Any] = {"title": {"text": _text(label), "standoff": 12}, "automargin": True, "zeroline": True}
    # A figure of a unit is no thousands of it, such as 16k 万吨.
    axis |= {"exponentformat": "none", "separatethousands": True}
    if limits is not None:
        axis["range"] = list(limits)
    if ticks:
        places, texts = zip(*ticks, strict=True)
        axis |= {"tickvals": list(places), "ticktext": [_text(text) for text in texts], "tickangle": 0}
        axis |= {"ticklabeloverflow": "allow"}
        axis |= {"showgrid": False, "zeroline": False}
    if years:
        axis |= {"tickformat": "d", "showgrid": False, "range": [years[0] - 0.75, years[-1] + 0.75]}
        # Ticks of its own choice would stand between years if there are few.
        axis |= {"tickvals": years} if len(years) <= MOST_TICKS else {}
    return axis


def _shade(panel: Panel, low: float, high: float) -> dict[str, Any]:
    """Return a range of values, shaded from end to end of the other axis."""
    along, across = panel.shaded_axis, "y" if panel.shaded_axis == "x" else "x"
    shape = {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": SHADE}
    return shape | {
        f"{along}ref": along,
        f"{along}0": low,
        f"{along}1": high,
        f"{across}ref": f"{across} domain",
        f"{across}0": 0,
        f"{across}1": 1,
    }


def _trace(series: Series, panel: Panel) -> dict[str, Any]:
    """Return a series."""
    names = [_text(name) for name in panel.categories(series)] if panel.horizontal else []
    trace: dict[str, Any] = {
        "name": _text(series.name),
        "showlegend": bool(series.name),
        "x": _numbers(series.x),
        "y": names if panel.horizontal else _numbers(series.y),
        "hovertemplate": _hover(series, panel),
    }
    if panel.horizontal:
        # The place itself would show the short name of the axis.
        trace["hovertext"] = names
    if series.kind == "area":
        return trace | _area(series)
    if series.labels is not None:
        trace["customdata"] = [_text(label) for label in series.labels]
    if series.kind == "points":
        alpha = 0.6 if len(series.x) > 500 else 0.9
        marker: dict[str, Any] = {
            "color": series.colour,
            "size": _sizes(series),
            "opacity": alpha,
            "line": {"width": 0},
        }
        if series.style == "hollow":
            marker |= {"symbol": "circle-open", "line": {"width": 1.5}}
        return trace | {"type": "scatter", "mode": "markers", "marker": marker, "cliponaxis": False}
    if series.kind == "line":
        width = 1 if series.style == "thin" else 2
        line = {"color": series.colour, "width": width, "dash": "dash" if series.style == "dashed" else "solid"}
        mode = "lines+markers" if series.style == "marked" else "lines"
        return trace | {"type": "scatter", "mode": mode, "line": line}
    # An outline tells light bars from the page, and parts of a bar from each other.
    trace |= {"type": "bar", "marker": {"color": series.colour, "line": {"width": 0.5, "color": RULE}}}
    trace["orientation"] = "h" if panel.horizontal else "v"
    if series.style == "hatched":
        # Upright lines: browsers print slanted ones as images, which made a page of 260 cells six times as large.
        pattern = {"shape": "|", "fgcolor": series.colour, "bgcolor": "rgba(0,0,0,0)", "size": 6, "solidity": 0.2}
        trace["marker"] |= {"color": "rgba(0,0,0,0)", "pattern": pattern}
    if series.texts is not None:
        font = {"color": ink_on(series.colour), "size": 11}
        trace |= {"text": series.texts.tolist(), "textposition": "inside", "insidetextanchor": "middle"}
        trace |= {"textangle": 0, "insidetextfont": font}
    if series.base is not None:
        trace["base"] = _numbers(series.base)
    widths = panel.widths(series)
    return trace | {"width": widths if isinstance(widths, float) else _numbers(widths)}


def _area(series: Series) -> dict[str, Any]:
    """Return an area as its outline, there along the upper end and back along the lower one."""
    base = np.zeros(len(series.x)) if series.base is None else series.base
    outline = [*_numbers(series.x), *_numbers(series.x[::-1])], [*_numbers(series.y), *_numbers(base[::-1])]
    shown = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "fill": "toself", "hoverinfo": "skip"}
    red, green, blue = (int(series.colour[place : place + 2], 16) for place in (1, 3, 5))
    return shown | {"x": outline[0], "y": outline[1], "fillcolor": f"rgba({red}, {green}, {blue}, {LIGHT})"}


def _sizes(series: Series) -> Any:
    """Return the diameter of each point, its area in proportion to its weight."""
    if series.sizes is None:
        return PLAIN
    return np.round(np.maximum(SMALLEST, LARGEST * np.sqrt(series.sizes)), 1).tolist()


def _hover(series: Series, panel: Panel) -> str:
    """Return the hover text of a point: its label, and both values with their units."""
    colon = _(": ")
    lines = ["<b>%{hovertext}</b>"] if panel.horizontal else []
    if series.labels is not None:
        lines.append("%{customdata}" if panel.horizontal else "<b>%{customdata}</b>")
    if series.name:
        lines.append(_text(series.name))
    for axis, label, values in (("x", panel.x_label, series.x), ("y", panel.y_label, series.y)):
        # The place of a category is its name, and that of a block of some width says nothing.
        named = (axis == "y" and panel.horizontal) or (axis == "x" and series.widths is not None)
        if named or panel.y_ticks or series.style == "hatched":
            continue
        name, unit = re.fullmatch(r"(?s)(.*?)\s*(?:\[(.*)\])?", str(label)).groups()  # type: ignore[union-attr]
        lines.append(f"{_text(name)}{colon}%{{{axis}:{_format(values)}}}{' ' + _text(unit) if unit else ''}")
    return "<br>".join(lines) + "<extra></extra>"


def _format(values: Any) -> str:
    """Return the format of numbers with four digits of the largest, in the notation of d3."""
    numbers = np.abs(np.asarray(values, dtype=float))
    largest = float(np.max(numbers[np.isfinite(numbers)], initial=0.0))
    if (numbers == np.round(numbers)).all() and largest < 1e4:
        return "d"
    places = int(np.clip(3 - np.floor(np.log10(largest)), 0, 6)) if largest > 0 else 0
    return f",.{places}f"


def _numbers(values: Any) -> list[float | None]:
    """Return numbers with `DIGITS` digits, and None for one that is not finite."""
    numbers = np.asarray(values, dtype=float)
    finite = np.isfinite(numbers)
    size = np.floor(np.log10(np.where(finite & (numbers != 0), np.abs(numbers), 1.0)))
    factor = 10.0 ** (DIGITS - 1 - size)
    rounded = np.round(np.where(finite, numbers, 0.0) * factor) / factor
    return [value if kept else None for value, kept in zip(rounded.tolist(), finite.tolist(), strict=True)]


def _short(name: str) -> str:
    """Return the beginning of a name that is too long for an axis; Chinese characters are as wide as two others."""
    widths = np.cumsum([1 if character.isascii() else 2 for character in name])
    if not len(widths) or widths[-1] <= MOST_CHARACTERS:
        return _text(name)
    return _text(name[: int(np.searchsorted(widths, MOST_CHARACTERS - 1, side="right"))].rstrip()) + "…"


def _text(text: object) -> str:
    """Return a text that plotly shows as it is: it reads a few tags and entities in every text."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
