"""Charts of a page: those that the run has tables for, each with a summary in words for readers without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.charts.interactive import figures
from etsopt.charts.kinds import chart_of, kinds_of
from etsopt.reports.document.cells import rate, signed
from etsopt.reports.document.content import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.charts.chart import Chart, Panel, Series
    from etsopt.reports.document.content import Run

MOST_POINTS = 3_000
"""Units in a chart that has a point for each; of more the largest are drawn, and the page says so."""

POINT_FOR_EACH_UNIT = ("surplus",)


def figure(run: Run, kind: str) -> Iterator[Figure]:
    """Yield the chart of a kind, if the run has the tables for it."""
    if kind not in kinds_of(run.tables):
        return
    tables: Mapping[str, pd.DataFrame] = run.tables
    note = ""
    if kind in POINT_FOR_EACH_UNIT and len(run.tables["allocation"]) > MOST_POINTS:
        units = run.tables["allocation"]
        largest = units.nlargest(MOST_POINTS, "emissions_tco2e").sort_index()
        share = rate(float(largest["emissions_tco2e"].sum() / units["emissions_tco2e"].sum()))
        tables = {**run.tables, "allocation": largest}
        note = run.say(
            f"The {MOST_POINTS:,} largest of {len(units):,} units are drawn, with {share} of emissions.",
            f"图中为 {len(units):,} 个单元中最大的 {MOST_POINTS:,} 个,占排放量的 {share}。",
        )
    yield of_chart(run, chart_of(kind, tables, run.about), note)


def of_chart(run: Run, chart: Chart, note: str = "") -> Figure:
    """Return a chart with its summary.

    Parameters
    ----------
    note
        A sentence to put before the summary.
    """
    # The page names the instance already.
    title = chart.title[run.zh].removeprefix(f"{run.about['instance']}{run.say(': ', ':')}")
    title = title[:1].upper() + title[1:]
    words = run.say(" ", "").join([*([note] if note else []), *_summary(run, chart)])
    return Figure(chart.kind, title, words, tuple(figures(chart, "zh" if run.zh else "en")))


def _summary(run: Run, chart: Chart) -> Iterator[str]:
    """Yield a sentence on each named series, or on each panel with one series without a name."""
    for panel in chart.panels:
        parts = [words for series in panel.series if (words := _series(run, panel, series))]
        if parts:
            head = panel.title[run.zh]
            text = run.say("; ", ";").join(parts)
            yield (f"{head}{run.say(': ', ':')}" if head else "") + text + run.say(".", "。")


def _series(run: Run, panel: Panel, series: Series) -> str:
    """Return the ends of a series in words."""
    values = series.x if panel.horizontal else series.y
    places = series.y if panel.horizontal else series.x
    if panel.shaded_axis == "x" and panel.shaded and not panel.horizontal:
        # Bars of a distribution: what counts is how far it reaches.
        values = np.asarray(series.x, dtype=float)[np.asarray(series.y, dtype=float) > 0]
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return ""
    name = f"{series.name[run.zh]} " if series.name[run.zh] else ""
    low, high = _short(float(numbers.min())), _short(float(numbers.max()))
    if series.kind in ("line", "stack"):
        first, last = _short(float(numbers[0])), _short(float(numbers[-1]))
        start, end = (f"{float(place):.6g}" for place in (places[0], places[-1]))
        if start == end:
            return f"{name}{first} ({start})"
        return f"{name}{first} ({start}) {run.say('to', '至')} {last} ({end})"
    if panel.horizontal and len(places) and series.kind == "bars":
        top = int(np.argmax(np.asarray(values, dtype=float)))
        return f"{name}{run.say('most', '最大')}: {places[top]}, {high}"
    count = f"{len(numbers):,}"
    if panel.shaded_axis == "x" and not panel.horizontal:
        return f"{name}{low} {run.say('to', '至')} {high}"
    return f"{name}({count}) {low} {run.say('to', '至')} {high}"


def _short(value: float) -> str:
    """Return a number with four digits."""
    return signed(f"{value:,.0f}" if abs(value) >= 1000 else f"{round(value, 6) + 0.0:.4g}")
