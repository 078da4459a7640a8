"""Charts of a sweep: numbers over the draws by decision and year, and what moves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _, pgettext
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.chart import CHOSEN, OTHER, PALETTE, RULE, Chart, Panel, Series
from etsopt.presenting.charts.texts import YEAR, array_of, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.presenting.charts.texts import Number

    Floats = NDArray[np.float64]

MOST_PANELS, MOST_LINES, MOST_ROWS = 4, len(PALETTE) - 1, 40
"""Panels side by side, lines in a panel, and categories, of which the first are drawn."""

BINS = 30
"""Bars of a distribution, at most."""

NINE_TENTHS = _("9 of 10 draws")
HALF = _("half of the draws")
MEDIAN = _("median")


def fan(number: Number, table: pd.DataFrame, about: Mapping[str, Any]) -> Chart:
    """Median and ranges of a number over the draws by year, a panel for each decision.

    Parameters
    ----------
    table
        Rows of `etsopt.sweeping.summary` of one number, one for each decision and year.
    """
    divisor, label = number.label(float(table[["p05", "p95"]].abs().max(axis=None)))
    limits = _limits(table[["p05", "p95"]].to_numpy() / divisor)
    panels = []
    for decision, rows in list(table.groupby("decision", sort=False))[:MOST_PANELS]:
        part = rows.sort_values("year")
        year = part["year"].to_numpy(dtype=float)
        low, lower, middle, upper, high = (
            part[name].to_numpy(dtype=float) / divisor for name in ("p05", "p25", "median", "p75", "p95")
        )
        series = (
            Series("area", NINE_TENTHS, year, high, CHOSEN, base=low),
            Series("area", HALF, year, upper, CHOSEN, base=lower),
            Series("line", MEDIAN, year, middle, CHOSEN, _reach(low, high)),
        )
        panels.append(Panel(str(decision), YEAR, label, series, y_limits=limits))
    text = _("{number} by year over the draws", number=number.words)
    return Chart(f"fan-{number.key}", title_of(about["instance"], text), tuple(panels))


def lines(number: Number, table: pd.DataFrame, about: Mapping[str, Any]) -> Chart:
    """A number by year, a line for each scenario; `table` has ``decision, year, mean``."""
    divisor, label = number.label(float(table["mean"].abs().max()))
    parts = list(table.groupby("decision", sort=False))[:MOST_LINES]
    series = tuple(
        Series(
            "line",
            str(name),
            part["year"].to_numpy(dtype=float),
            part["mean"].to_numpy(dtype=float) / divisor,
            PALETTE[place],
        )
        for place, (name, part) in enumerate(parts)
    )
    text = _("{number} by year in each scenario", number=number.words)
    return Chart(f"lines-{number.key}", title_of(about["instance"], text), (Panel("", YEAR, label, series),))


def spread(number: Number, table: pd.DataFrame, about: Mapping[str, Any]) -> Chart:
    """Ranges of a number by decision, a panel for each sector."""
    panels = []
    for sector, rows in list(table.groupby("sector", sort=False))[:MOST_PANELS]:
        # The first decision is at the top.
        part = rows.head(MOST_ROWS).iloc[::-1]
        divisor, label = number.label(float(part[["least", "largest"]].abs().max(axis=None)))
        names = part["decision"].to_numpy(dtype=object)
        low, lower, middle, upper, high = (
            part[name].to_numpy(dtype=float) / divisor for name in ("p05", "p25", "median", "p75", "p95")
        )
        wide, thin = np.full(len(names), 0.5), np.full(len(names), 0.12)
        series = (
            Series("bars", NINE_TENTHS, high - low, names, RULE, _reach(low, high), widths=thin, base=low),
            Series("bars", HALF, upper - lower, names, CHOSEN, _reach(lower, upper), widths=wide, base=lower),
            Series("points", MEDIAN, middle, names, OTHER, _reach(low, high)),
        )
        panels.append(Panel(name_of(sector), label, "", series, horizontal=True))
    text = _("{number} by decision over the draws", number=number.words)
    return Chart(f"spread-{number.key}", title_of(about["instance"], text), tuple(panels))


def distribution(number: Number, table: pd.DataFrame, about: Mapping[str, Any]) -> Chart:
    """Draws by classes of a number, a panel for each sector; `table` has ``sector, value``, a row a draw."""
    panels = []
    for sector, rows in list(table.groupby("sector", sort=False))[:MOST_PANELS]:
        values = rows["value"].to_numpy(dtype=float)
        divisor, label = number.label(float(np.abs(values).max()))
        count, edges = np.histogram(values / divisor, bins=min(BINS, max(5, int(np.sqrt(len(values))))))
        middle = (edges[:-1] + edges[1:]) / 2
        series = Series("bars", "", middle, count.astype(float), CHOSEN)
        low, high = np.quantile(values / divisor, [0.05, 0.95])
        shaded = ((float(low), float(high)),)
        panels.append(Panel(name_of(sector), label, pgettext("sweeping", "draws"), (series,), shaded, "x"))
    text = _("{number} over the draws, 9 of 10 of which are in the shaded range", number=number.words)
    return Chart(f"distribution-{number.key}", title_of(about["instance"], text), tuple(panels))


def indices(number: Number, table: pd.DataFrame, about: Mapping[str, Any]) -> Chart:
    """Share of the variance of a number that each input is the cause of: alone, and with its interactions.

    Of several decisions there is a panel each, with interactions alone.

    Parameters
    ----------
    table
        Rows of `etsopt.studies.sweeping.sensitivity` of one number.
    """
    parts = list(table.groupby("decision", sort=False))[:MOST_PANELS]
    if len(parts) > 1:
        panels = [_shares(part, "total_order", str(name)) for name, part in parts]
        text = _("{number} and what moves it, with interactions")
    else:
        kinds = (("total_order", _("with interactions")), ("first_order", _("alone")))
        panels = [_shares(table, index, words) for index, words in kinds]
        text = _("{number} and what moves it")
    return Chart(f"indices-{number.key}", title_of(about["instance"], _(text, number=number.words)), tuple(panels))


def _shares(table: pd.DataFrame, index: str, title: str) -> Panel:
    """Return the indices of one decision, the largest at the top."""
    ordered = table.sort_values("total_order", kind="stable").tail(MOST_ROWS)
    inputs = ordered["input"].tolist()
    # The table of a column is left out where the rest tells it apart.
    short = [name.partition(".")[2] for name in inputs]
    names = np.array(short if len({*short, ""}) == len(inputs) + 1 else inputs, dtype=object)
    value, low, high = (100 * ordered[f"{index}{end}"].to_numpy(dtype=float) for end in ("", "_lower", "_upper"))
    interval = _("95 % interval")
    labels, thin = _reach(low, high, interval), np.full(len(names), 0.12)
    series = (
        Series("bars", _("estimate"), value, names, CHOSEN, labels),
        Series("bars", interval, high - low, names, OTHER, labels, widths=thin, base=low),
    )
    return Panel(title, _("share of the variance [%]"), "", series, horizontal=True)


def _reach(low: Floats, high: Floats, words: str = NINE_TENTHS) -> NDArray[np.object_]:
    """Return the labels of a range."""
    text, ends = _("{range}: {low:,.4g} to {high:,.4g}"), zip(low, high, strict=True)
    return array_of(_(text, range=words, low=one, high=other) for one, other in ends)


def _limits(values: Floats) -> tuple[float, float] | None:
    """Return limits with room around numbers, so that panels have the same axis; None if all are the same."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return (low - 0.06 * (high - low), high + 0.06 * (high - low)) if high > low else None
