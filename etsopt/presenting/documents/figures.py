"""Charts of a page, each with a summary in words for readers without it, and numbers as short as those of charts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, chain, in_chinese
from etsopt.common.scales import scaled
from etsopt.presenting.charts.texts import short
from etsopt.presenting.documents.document import Figure, clauses
from etsopt.presenting.documents.quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.presenting.charts.chart import Chart, Panel, Series

WITH_BANDS = ("surplus", "intensity", "rates")
"""Charts whose shaded ranges are bands of surplus rates."""

MANY = 5
"""Series from which a summary of curves is of some alone."""


def of_chart(instance: str, chart: Chart) -> Figure:
    """Return a chart with its summary, of an instance by its name."""
    # What shows no chart loads none.
    from etsopt.presenting.charts.interactive import figures

    # The page names the instance already.
    title = str(chart.title).removeprefix(str(_("{instance}: ", instance=instance)))
    title = title if in_chinese() else title[:1].upper() + title[1:]
    sentences = [*_summary(chart)]
    summary = chain(sentences, _("{first} {second}")) if sentences else ""
    panels = tuple(figures(chart))
    return Figure(chart.kind, title, summary, panels, not any(panel["layout"]["showlegend"] for panel in panels))


def _summary(chart: Chart) -> Iterator[str]:
    """Yield a sentence on each panel: what its values are, and how far they reach in each series."""
    for panel in chart.panels:
        parts = [words for series in _told(panel) if (words := _series(panel, series))]
        if parts and chart.kind in WITH_BANDS:
            # Axes fit the figures, which may be far inside a band that is then not in view.
            parts += [_("band from {low} to {high}", low=short(low), high=short(high)) for low, high in panel.shaded]
        if parts:
            label = panel.x_label if panel.horizontal or _is_distribution(panel) else panel.y_label
            both = panel.title and label
            name = _("{name}, {text}", name=panel.title, text=label) if both else panel.title or label
            yield _("{name}: {text}.", name=name, text=clauses(parts))


def _told(panel: Panel) -> list[Series]:
    """Return the series that a summary tells; of a curve with much around it only what stands at one value."""
    # A series without a name beside named ones only joins them.
    named = [series for series in panel.series if series.name] or list(panel.series)
    if panel.horizontal or panel.years or len(named) < MANY:
        return named
    return [series for series in named if len(series.y) and not np.ptp(np.asarray(series.y, dtype=float))]


def _is_distribution(panel: Panel) -> bool:
    """Return True for bars over classes of a quantity, of which the reader wants the reach."""
    bars = any(series.kind == "bars" for series in panel.series)
    return bars and not panel.horizontal and panel.shaded_axis == "x"


def _series(panel: Panel, series: Series) -> str:
    """Return the reach of a series in words, on axes of places its number; empty if it has none."""
    if panel.y_ticks or series.style == "hatched":
        count = len(series.x) if series.kind == "bars" else int(np.isnan(series.x).sum())
        return _("{name}, {count:,}", name=series.name, count=count) if series.name else ""
    values = np.asarray(series.x if panel.horizontal else series.y, dtype=float)
    places = series.y if panel.horizontal else series.x
    if _is_distribution(panel):
        values = np.asarray(series.x, dtype=float)[values > 0] if series.reach is None else np.asarray(series.reach)
    numbers = values[np.isfinite(values)]
    if not numbers.any():
        return ""
    low, high = short(float(numbers.min())), short(float(numbers.max()))
    if panel.horizontal and series.kind == "bars" and series.base is not None:
        first, last = short(float(np.nanmin(series.base))), short(float(np.nanmax(series.base + values)))
        reach: str = _("from {low} to {high}", low=first, high=last)
    elif panel.horizontal and series.kind != "points":
        top = panel.categories(series)[int(np.nanargmax(values))]
        reach = _("the most is {high}, of {top}", high=high, top=top)
    elif series.kind == "area" and series.base is not None:
        first, last = short(float(np.asarray(series.base)[-1])), short(float(values[-1]))
        in_year, at_place = _("{first} to {last} in {end}"), _("{first} to {last} at {end}")
        end = f"{places[-1]:.0f}" if panel.years else short(float(places[-1]))
        reach = _(in_year if panel.years else at_place, first=first, last=last, end=end)
    elif series.kind in ("line", "stack"):
        start, end = (f"{place:.0f}" if panel.years else short(float(place)) for place in (places[0], places[-1]))
        first, last = short(float(numbers[0])), short(float(numbers[-1]))
        reach = _("{first} at {start}, {last} at {end}", first=first, start=start, last=last, end=end)
        if panel.years:
            reach = _("{first} in {start}, {last} in {end}", first=first, start=start, last=last, end=end)
        if start == end and len(numbers) > 1:
            # A line that stands upright marks a place.
            reach = _("at {start}", start=start)
        elif start == end or low == high:
            reach = first
    else:
        reach = _("from {low} to {high}", low=low, high=high) if low != high else low
        if len(numbers) > 1 and series.kind == "points":
            reach = _("{count:,} points {reach}", count=len(numbers), reach=reach)
    return _("{name}, {text}", name=series.name, text=reach) if series.name else reach


SHORT = Quantity(lambda value: short(value) if math.isfinite(value) else "–")
"""Numbers with four digits."""


def short_in(largest: float, unit: str) -> Quantity:
    """Return the quantity of numbers with four digits, in the scale of the largest of them.

    >>> quantity = short_in(2.5e6, "t")
    >>> quantity.shown(1_234_567.0), quantity.unit
    ('1,235', 'kt')
    """
    divisor, scale = scaled(largest if math.isfinite(largest) else 0.0, unit)
    return SHORT._replace(text=lambda value: SHORT.shown(value / divisor), unit=scale)
