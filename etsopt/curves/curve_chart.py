"""The chart of a curve: what happens to its first objective, units and sectors along its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.charts.chart import CHOSEN, PALETTE, SECTOR_COLOURS, Chart, Panel, Series
from etsopt.charts.texts import SURPLUS_RATE, Number, title_of
from etsopt.documents.keys import key_scale
from etsopt.errors import UsageError
from etsopt.language import _
from etsopt.scales import in_unit
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.curves.axes import Axis
    from etsopt.curves.result import Curve


def chart_of(curve: Curve) -> Chart:
    """Return three panels along the key: the first objective, surplus rates of units, and totals of sectors.

    Raises
    ------
    UsageError
        If no piece was found.
    """
    if not curve.cover.pieces:
        raise UsageError(_("The curve has no piece to draw."), _("Vary the key over values that have an allocation."))
    text = _("the allocation along {key}", key=curve.axis.name)
    return Chart("curve", title_of(curve.about.instance, text), tuple(_panels(curve)))


def unit_of(axis: Axis) -> tuple[float, str]:
    """Return the divisor of the values of a key, and their unit then; none of a place on a line."""
    return key_scale(axis.key, max(abs(axis.shown(0.0)), abs(axis.shown(1.0))))


def _panels(curve: Curve) -> Iterator[Panel]:
    divisor, unit = unit_of(curve.axis)
    name = curve.axis.key or _("place on the line")
    label = f"{name} [{unit}]" if unit else str(name)
    limits = sorted(curve.axis.shown(place) / divisor for place in (0.0, 1.0))
    ends = (limits[0], limits[1])
    shaded = tuple(
        tuple(sorted((row["from"] / divisor, row["to"] / divisor))) for row in curve.infeasible.to_dict("records")
    )
    totals = np.concatenate([np.zeros((0, len(curve.units))), *_answers(curve)])
    for title, y_label, series in (
        _objective(curve, divisor),
        _units(curve, divisor, totals),
        _sectors(curve, divisor, totals),
    ):
        if series:
            yield Panel(title, label, y_label, series, shaded, "x", x_limits=ends)


def _answers(curve: Curve) -> list[np.ndarray]:
    """Return the allowances of all units at both ends of every piece [t]."""
    return [curve.solver.allowances(piece.region, piece.ends) for piece in curve.cover.pieces]


def _along(curve: Curve, divisor: float) -> np.ndarray:
    """Return values of the key at both ends of every piece, shape ``(pieces, 2)``."""
    return curve.pieces[["from", "to"]].to_numpy(dtype=float) / divisor


def _objective(curve: Curve, divisor: float) -> tuple[str, str, tuple[Series, ...]]:
    """Return the first objective, which is affine on every piece."""
    name = curve.solver.box.names[0]
    if f"{name}_from" not in curve.pieces:
        return "", "", ()
    values = curve.pieces[[f"{name}_from", f"{name}_to"]].to_numpy(dtype=float)
    unit = next(
        level.unit
        for piece in curve.cover.pieces
        if piece.verdict
        for level in piece.verdict.levels
        if level.name == name
    )
    size, y_label = Number(name, word("level", name), unit).label(float(np.max(np.abs(values), initial=0.0)))
    line = Series("line", "", _along(curve, divisor).ravel(), (values / size).ravel(), PALETTE[0], style="plain")
    return str(_("Objective")), y_label, (line,)


def _units(curve: Curve, divisor: float, allowances: np.ndarray) -> tuple[str, str, tuple[Series, ...]]:
    """Return how surplus rates of adjustable units are spread: of 9 in 10, of half, and the median."""
    free = curve.solver.box.free
    emissions = curve.solver.box.emissions
    if not len(allowances):
        return "", "", ()
    least, lower, middle, upper, most = np.percentile(
        100 * (allowances[:, free] / emissions - 1), (5, 25, 50, 75, 95), axis=1
    )
    x = _along(curve, divisor).ravel()
    series = (
        Series("area", str(_("9 of 10 units")), x, most, CHOSEN, base=least),
        Series("area", str(_("half of the units")), x, upper, CHOSEN, base=lower),
        Series("line", str(_("median")), x, middle, CHOSEN, style="plain"),
    )
    return str(_("Surplus rates of units")), str(SURPLUS_RATE), series


def _sectors(curve: Curve, divisor: float, allowances: np.ndarray) -> tuple[str, str, tuple[Series, ...]]:
    """Return the allowances of each sector against its emissions."""
    labels = curve.instance.labels("sector")
    emitted = labels.sums(curve.instance.emissions_tco2e)
    rates = [100 * (labels.sums(of_place) / emitted - 1) for of_place in allowances]
    x = _along(curve, divisor).ravel()
    series = tuple(
        Series(
            "line",
            str(word("sector", str(name))),
            x,
            of_sector,
            SECTOR_COLOURS.get(str(name), PALETTE[4]),
            style="plain",
        )
        for name, of_sector in zip(labels.names, np.array(rates).T, strict=False)
    )
    return str(_("Allowances of sectors")), in_unit(_("against emissions"), "%"), series
