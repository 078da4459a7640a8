"""The chart of a curve: what happens to its first objective, units and sectors along its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import UsageError
from etsopt.common.language import _, chain, joined
from etsopt.common.scales import in_unit, signed
from etsopt.common.vocabulary import word
from etsopt.presenting.charts.chart import CHOSEN, OTHER, PALETTE, RULE, SECTOR_COLOURS, SHADES, Chart, Panel, Series
from etsopt.presenting.charts.keys import INFEASIBLE, NO_ANSWER
from etsopt.presenting.charts.texts import SURPLUS_RATE, Number, title_of
from etsopt.presenting.documents.keys import key_scale, key_words
from etsopt.presenting.documents.quantities import SPACE
from etsopt.studies.curves.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.common.language import Text
    from etsopt.studies.curves.line_curve import LineCurve
    from etsopt.studies.curves.result import Curve

PIECE_GAP = 1e-9
"""Share of the line that may be between two pieces that meet."""


def chart_of(curve: Curve) -> Chart:
    """Return three panels along the key: the first objective, surplus rates of units, and totals of sectors.

    Raises
    ------
    UsageError
        If no piece was found.
    """
    if not curve.cover.pieces:
        raise UsageError(_("The curve has no piece to draw."), _("Vary the key over values that have an allocation."))
    text = _("the allocation along {key}", key=axis_words(curve.axis))
    return Chart("curve", title_of(curve.about.instance, text), tuple(_panels(curve)))


def unit_of(axis: Axis) -> tuple[float, str]:
    """Return the divisor of the values of a key, and their unit then; none of a place on a line."""
    return key_scale(axis.key, max(abs(axis.shown(0.0)), abs(axis.shown(1.0))))


def axis_words(axis: Axis) -> Text | str:
    """Return what moves, in words.

    >>> from etsopt.studies.curves.axes import Axis
    >>> axis_words(Axis({"sectors.cement.target_change": (-0.01, 0.0)}))
    'target of cement'
    """
    return chain(map(key_words, axis.ends), "{first}, {second}")


def value_of(axis: Axis, place: float) -> str:
    """Return the value of a key at a place, in words; of keys that move together the place."""
    divisor, unit = unit_of(axis)
    number = signed(f"{axis.shown(place) / divisor:.6g}")
    return f"{number}{SPACE}{unit}" if unit else number


def range_of(axis: Axis) -> str:
    """Return which key moves from where to where, in words."""
    alone = [Axis({key: ends}) for key, ends in axis.ends.items()]
    text = _("{key} from {start} to {end}")
    return joined(
        (_(text, key=axis_words(one), start=value_of(one, 0.0), end=value_of(one, 1.0)) for one in alone), "，"
    )


def label_of(axis: Axis) -> str:
    """Return the label of an axis of a chart: a key with its unit, or a line for each of those that move together."""
    if not axis.key:
        ranges = (range_of(Axis({key: both})) for key, both in axis.ends.items())
        return "\n".join((str(_("place on the line")), *ranges))
    unit = unit_of(axis)[1]
    return in_unit(axis_words(axis), unit) if unit else str(axis_words(axis))


def limits_of(axis: Axis) -> tuple[float, float]:
    """Return the ends of an axis of a chart, the lower one first."""
    divisor = unit_of(axis)[0]
    first, last = sorted(axis.shown(place) / divisor for place in (0.0, 1.0))
    return first, last


def open_stretches(curve: LineCurve[Any, Any]) -> list[tuple[float, float]]:
    """Return the stretches of the line that neither a proven piece nor a proof that nothing exists covers."""
    known = [(piece.start, piece.end) for piece in curve.cover.pieces if piece.certified]
    known = sorted([*known, *((one.start, one.end) for one in curve.cover.stretches), (1.0, 1.0)])
    found, reached = [], 0.0
    for start, end in known:
        if start - reached > PIECE_GAP:
            found.append((reached, start))
        reached = max(reached, end)
    return found


def hatched(curve: LineCurve[Any, Any], series: Sequence[Series]) -> tuple[tuple[Series, ...], tuple[float, float]]:
    """Return hatched stretches without an answer that reach as high as an axis of the series, and its ends."""
    values = np.concatenate([one for line in series for one in (line.y, line.base) if one is not None]).astype(float)
    values = values[np.isfinite(values)]
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    low, high, divisor, found = low - room, high + room, unit_of(curve.axis)[0], []
    infeasible = [(one.start, one.end) for one in curve.cover.stretches]
    for name, colour, stretches in ((INFEASIBLE, RULE, infeasible), (NO_ANSWER, OTHER, open_stretches(curve))):
        if not stretches:
            continue
        places = np.array([[curve.axis.shown(place) / divisor for place in one] for one in stretches])
        height, base = (np.full(len(places), one) for one in (high - low, low))
        widths = np.abs(np.diff(places)[:, 0])
        found.append(
            Series("bars", str(name), places.mean(1), height, colour, style="hatched", widths=widths, base=base)
        )
    return tuple(found), (low, high)


def _panels(curve: Curve) -> Iterator[Panel]:
    divisor = unit_of(curve.axis)[0]
    label, ends = label_of(curve.axis), limits_of(curve.axis)
    totals = np.concatenate([np.zeros((0, len(curve.units))), *_answers(curve)])
    for title, y_label, series in (
        _objective(curve, divisor),
        _units(curve, divisor, totals),
        _sectors(curve, divisor, totals),
    ):
        if series:
            without, y_limits = hatched(curve, series)
            yield Panel(title, label, y_label, (*without, *series), x_limits=ends, y_limits=y_limits)


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
    line = Series("line", "", _along(curve, divisor).ravel(), (values / size).ravel(), PALETTE[4], style="plain")
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
        Series("area", str(_("half of the units")), x, upper, SHADES[-1], base=lower),
        Series("line", str(_("median")), x, middle, SHADES[-1], style="plain"),
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
            # Sectors often have the same rate: dashes let the line below be seen.
            style="dashed" if number % 2 else "plain",
        )
        for number, (name, of_sector) in enumerate(zip(labels.names, np.array(rates).T, strict=False))
    )
    return str(_("Allowances of sectors")), in_unit(_("against emissions"), "%"), series
