"""Charts of a page: those that the run has tables for, each with a summary in words for readers without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.charts.interactive import figures
from etsopt.reports.document.cells import signed
from etsopt.reports.document.content import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.charts.chart import Chart, Panel, Series
    from etsopt.reports.document.content import Run, Told


WITH_BANDS = ("surplus", "intensity", "rates")
"""Charts whose shaded ranges are bands of surplus rates."""

MANY = 5
"""Series from which a summary of curves is of some alone."""


def figure(run: Run, kind: str) -> Iterator[Figure]:
    """Yield the chart of a kind, if the run has the tables for it."""
    plots = run.results.plot
    if kind in plots.kinds:
        yield of_chart(run, plots.chart(kind))


def of_chart(run: Told, chart: Chart) -> Figure:
    """Return a chart with its summary."""
    # The page names the instance already.
    title = chart.title[run.zh].removeprefix(f"{run.about['instance']}{run.say(': ', '：')}")
    title = title[:1].upper() + title[1:]
    words = run.say(" ", "").join(_summary(run, chart))
    panels = tuple(figures(chart, "zh" if run.zh else "en"))
    return Figure(chart.kind, title, words, panels, not any(panel["layout"]["showlegend"] for panel in panels))


def _summary(run: Told, chart: Chart) -> Iterator[str]:
    """Yield a sentence on each panel: what its values are, and how far they reach in each series."""
    for panel in chart.panels:
        parts = [words for series in _told(panel) if (words := _series(run, panel, series))]
        if parts and chart.kind in WITH_BANDS:
            # Axes fit the figures, which may be far inside a band that is then not in view.
            ends = [(short(low), short(high)) for low, high in panel.shaded]
            parts += [run.say(f"band from {low} to {high}", f"限值为 {low} 至 {high}") for low, high in ends]
        if parts:
            label = panel.x_label if panel.horizontal or _is_distribution(panel) else panel.y_label
            heads = [text for text in (panel.title[run.zh], label[run.zh]) if text]
            joined = run.say("; ", "；").join(parts)
            yield run.say(", ", "，").join(heads) + run.say(": ", "：") + joined + run.say(".", "。")


def _told(panel: Panel) -> list[Series]:
    """Return the series that a summary tells; of a curve with much around it only what stands at one value."""
    # A series without a name beside named ones only joins them.
    named = [series for series in panel.series if series.name[0]] or list(panel.series)
    if panel.horizontal or panel.years or len(named) < MANY:
        return named
    return [series for series in named if len(series.y) and not np.ptp(np.asarray(series.y, dtype=float))]


def _is_distribution(panel: Panel) -> bool:
    """Return True for bars over classes of a quantity, of which the reader wants the reach."""
    return not panel.horizontal and panel.shaded_axis == "x"


def _series(run: Told, panel: Panel, series: Series) -> str:
    """Return the reach of a series in words; empty if it has no number."""
    values = np.asarray(series.x if panel.horizontal else series.y, dtype=float)
    places = series.y if panel.horizontal else series.x
    if _is_distribution(panel):
        values = np.asarray(series.x, dtype=float)[values > 0] if series.reach is None else np.asarray(series.reach)
    numbers = values[np.isfinite(values)]
    if not numbers.any():
        return ""
    name = series.name[run.zh]
    low, high = short(float(numbers.min())), short(float(numbers.max()))
    if panel.horizontal and series.kind == "bars" and series.base is not None:
        first, last = short(float(np.nanmin(series.base))), short(float(np.nanmax(series.base + values)))
        reach = run.say(f"from {first} to {last}", f"{first} 至 {last}")
    elif panel.horizontal and series.kind != "points":
        top = panel.categories(series, run.zh)[int(np.nanargmax(values))]
        reach = run.say(f"the most is {high}, of {top}", f"最大为 {top}，{high}")
    elif series.kind == "area" and series.base is not None:
        first, last, end = short(float(np.asarray(series.base)[-1])), short(float(values[-1])), f"{places[-1]:.0f}"
        reach = run.say(f"{first} to {last} in {end}", f"{end}年为 {first} 至 {last}")
    elif series.kind in ("line", "stack"):
        start, end = (f"{place:.0f}" if panel.years else short(float(place)) for place in (places[0], places[-1]))
        first, last = short(float(numbers[0])), short(float(numbers[-1]))
        at, of = ("in", "年") if "year" in panel.x_label[0] else ("at", " 处")
        reach = run.say(f"{first} {at} {start}, {last} {at} {end}", f"{start}{of}为 {first}，{end}{of}为 {last}")
        if start == end and len(numbers) > 1:
            # A line that stands upright marks a place.
            reach = run.say(f"at {start}", f"位于 {start}")
        elif start == end or low == high:
            reach = first
    else:
        reach = run.say(f"from {low} to {high}", f"{low} 至 {high}") if low != high else low
        if len(numbers) > 1 and series.kind == "points":
            reach = run.say(f"{len(numbers):,} points {reach}", f"{len(numbers):,} 个点，{reach}")
    return f"{name}{run.say(', ', '，')}{reach}" if name else reach


def short(value: float) -> str:
    """Return a number with four digits.

    >>> short(1234.56), short(-0.0123456), short(-1e-9)
    ('1,235', '−0.01235', '0')
    """
    return signed(f"{value:,.0f}" if abs(value) >= 1000 else f"{round(value, 6) + 0.0:.4g}")
