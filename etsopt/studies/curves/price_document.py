"""What is told and drawn of a curve of prices: its pieces, and the price of every year along its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import UsageError
from etsopt.common.language import Text, _, ngettext
from etsopt.common.scales import in_unit
from etsopt.presenting.charts.chart import PALETTE, Chart, Panel, Series, shades
from etsopt.presenting.charts.texts import title_of
from etsopt.presenting.documents.columns import heading
from etsopt.presenting.documents.document import Column, Table
from etsopt.presenting.documents.quantities import DIGITS, GAP, PRICE, YES_NO, digits
from etsopt.studies.curves.curve_chart import axis_words, hatched, label_of, limits_of, unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.studies.curves.price_curve import PriceCurve


def pieces_of(count: int, what: Mapping[str, Any]) -> Text | str:
    """Return how many pieces there are between which values of which key, in a sentence."""
    return ngettext(
        "{range}: {count:,} piece, on which the price of every year is a straight line.",
        "{range}: {count:,} pieces, on each of which the price of every year is a straight line.",
        count,
        **what,
    )


def chart_of(curve: PriceCurve) -> Chart:
    """Return the price by the key, a line for each year: a staircase along what is on offer.

    Raises
    ------
    UsageError
        If no piece is proven.
    """
    table = curve.prices.merge(curve.pieces[["piece", "from", "to"]], on="piece")
    if not len(table):
        raise UsageError(_("The curve has no proven piece to draw."), _("Give the search more time: --time-limit."))
    divisor, years = unit_of(curve.axis)[0], table.groupby("year")
    # Many years are shades from early to late: no palette has as many colours.
    colours = PALETTE if len(years) < len(PALETTE) else shades(len(years))
    series = tuple(
        Series(
            "line",
            str(year),
            rows[["from", "to"]].to_numpy(dtype=float).ravel() / divisor,
            rows[["price_from_cny_per_t", "price_to_cny_per_t"]].to_numpy(dtype=float).ravel(),
            colour,
            style="plain",
        )
        for colour, (year, rows) in zip(colours, years, strict=False)
    )
    without, y_limits = hatched(curve, series)
    price = in_unit(_("price"), curve.price_unit)
    ends = limits_of(curve.axis)
    panel = Panel("", label_of(curve.axis), price, (*without, *series), x_limits=ends, y_limits=y_limits)
    text = _("price of an allowance along {key}", key=axis_words(curve.axis))
    return Chart("curve", title_of(curve.about.instance, text), (panel,))


def table_of(curve: PriceCurve) -> Table:
    """Return the pieces with the prices of all years at their ends, of which narrow tables show the outer ones."""
    divisor, unit = unit_of(curve.axis)
    place = DIGITS._replace(text=digits(".7g"), unit=unit)
    outer = (curve.years[0], curve.years[-1])
    columns = [
        Column(_("piece"), DIGITS._replace(text=digits(".0f")), 1),
        Column(_("from"), place, 1),
        Column(_("to"), place, 1),
        *(Column(_("price of {year} at the end", year=year), PRICE, 1 if year in outer else 3) for year in curve.years),
        Column(_("largest gap / tolerance"), GAP, 3),
        Column(heading("certified"), YES_NO, 1),
    ]
    rows = []
    for number, piece in enumerate(curve.cover.pieces, 1):
        ends = (curve.axis.shown(at) / divisor for at in (piece.start, piece.end))
        found, verdict = np.full(len(curve.years), np.nan), piece.verdict
        if piece.certified and verdict.prices is not None:
            found = verdict.prices[1]
        worst = verdict.gap / verdict.tolerance if piece.certified else np.nan
        rows.append((number, *ends, *found.tolist(), worst, piece.certified))
    return Table("", tuple(columns), tuple(rows), key="pieces")
