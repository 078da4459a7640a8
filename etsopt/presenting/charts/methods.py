"""Charts of ways to allocate: Lorenz curves, and who wins and loses against the rule by intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.vocabulary import word
from etsopt.presenting.charts.chart import PALETTE, RULE, Chart, Panel, Series
from etsopt.rules.inequality import Distribution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

POINTS, TENTHS = 101, 10
"""Points of a curve, and classes of units by intensity with the same emissions."""


def lorenz_chart(emissions: Floats, inside: Mapping[str, Floats], outside: Mapping[str, Floats]) -> Chart:
    """Return the Lorenz curves of allowances against emissions, as distances from the line of equal rates.

    Rates differ by few percent, so that the curves themselves could not be told from that line.
    """
    titles = ((_("inside all limits"), inside), (_("with sector totals alone"), outside))
    x_label = _("share of emissions, lowest surplus rate first [%]")
    panels = tuple(
        Panel(title, x_label, _("allowances below equal rates [% of all]"), tuple(_curves(emissions, of)))
        for title, of in titles
    )
    return Chart("lorenz", _("Lorenz curves: how far allowances are from equal rates"), panels)


def _curves(emissions: Floats, allowances: Mapping[str, Floats]) -> Iterator[Series]:
    some = emissions > 0
    shares = np.linspace(0.0, 1.0, POINTS)
    for (name, allowance), colour in zip(allowances.items(), _colours(len(allowances)), strict=True):
        weights, amounts = Distribution.of(allowance[some], emissions[some]).lorenz()
        below = np.interp(shares, weights, weights - amounts)
        yield Series("line", word("method", name), 100 * shares, 100 * below, colour, style="plain")


def winners_chart(
    emissions: Floats, relative_intensity: Floats, reference: Floats, allowances: Mapping[str, Floats]
) -> Chart:
    """Return the change against the rule by tenth of emissions, from the lowest intensity to the highest.

    Parameters
    ----------
    relative_intensity
        Intensity of each unit over that of its sector; units without any are left out.
    allowances
        Those of the rule, ``reference``, first, as in the other chart, which gives each the same colour.
    """
    known = np.flatnonzero((emissions > 0) & np.isfinite(relative_intensity))
    order = known[np.argsort(relative_intensity[known], kind="stable")]
    middle = np.cumsum(emissions[order]) - emissions[order] / 2
    tenth = np.minimum((TENTHS * middle / max(emissions[order].sum(), 1e-300)).astype(np.int64), TENTHS - 1)
    emitted = np.bincount(tenth, emissions[order], TENTHS)
    series = []
    for (name, allowance), colour in zip(allowances.items(), _colours(len(allowances)), strict=True):
        if allowance is reference:
            continue
        moved = np.bincount(tenth, (allowance - reference)[order], TENTHS)
        rate = np.divide(100 * moved, emitted, out=np.full(TENTHS, np.nan), where=emitted > 0)
        series.append(Series("line", word("method", name), np.arange(1.0, TENTHS + 1), rate, colour))
    label = _("tenth of emissions, lowest intensity first")
    panel = Panel("", label, _("change against the rule [% of emissions]"), tuple(series))
    return Chart("winners", _("Winners and losers by intensity"), (panel,))


def _colours(count: int) -> list[str]:
    """Return the colours of the rule and of what stands beside it."""
    return [RULE, *PALETTE][:count]
