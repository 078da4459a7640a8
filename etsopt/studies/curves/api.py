"""The public function `etsopt.curve`: the answer for every value of a limit, or the price of a market."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.price_segments import MODELS
from etsopt.common.clock import stopwatch
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.common.progress import tell, unlimited, watched
from etsopt.modelling.solving.options import check_time_limit
from etsopt.running.run import require_instance
from etsopt.studies.curves.axes import axes_of
from etsopt.studies.curves.box import Box
from etsopt.studies.curves.line import cover
from etsopt.studies.curves.price_curve import PriceCurve
from etsopt.studies.curves.price_search import PriceSolver, cover_prices
from etsopt.studies.curves.result import Curve
from etsopt.studies.curves.solver import MODEL, CurveSolver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results
    from etsopt.studies.curves.line import Cover, Piece


def curve(
    instance: Instance,
    vary: Mapping[str, tuple[float, float]] | None = None,
    *,
    along: Mapping[str, tuple[float, float]] | None = None,
    model: str = MODEL,
    time_limit_s: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Curve | Box | PriceCurve:
    """Find the answer for every value of a limit, with a proof for each piece of the range.

    Along a limit that moves in a straight line the allocation is piecewise affine. Each piece is found by one solve and
    proven as a whole by the checker, from the limits at both of its ends. With divisible measures the price of a market
    is a staircase along what is on offer, and piecewise affine along the terminal price.

    Parameters
    ----------
    vary
        One key of the policy with both ends of its range, such as ``{"sectors.cement.target_change": (-0.01, 0.0)}``;
        or two, which make a box.
    along
        In place of that, several keys that move together from their first to their second value.
    model
        ``allocation``, or the market ``clearing`` or ``pathway``, of which the prices are found.
    time_limit_s
        Seconds for the search; what is found by then is kept.
    progress
        Function that receives a line on the current step.

    Returns
    -------
    Curve, Box or PriceCurve
        Of one key, or of several along a line, a `Curve`. Of two a `Box`, which answers at points and keeps regions. Of
        a market a `PriceCurve`.

    Raises
    ------
    UsageError
        If a key is no limit that moves in a straight line, with the reason, or a range is empty; or the model has no
        curves.
    DataError
        If an end is outside the range of its key.

    Examples
    --------
    >>> import etsopt
    >>> found = etsopt.curve(etsopt.read("tiny"), {"sectors.cement.target_change": (-0.01, 0.0)})
    >>> found.certified_share
    1.0
    >>> found.pieces[["piece", "from", "to", "certified"]].round(4).to_dict("records")[0]["certified"]
    True
    >>> found.at(-0.005).allowance_t.round().tolist()
    [101500.0, 297300.0, 158400.0]
    """
    require_instance(instance)
    check_time_limit(time_limit_s)
    axes = axes_of(vary, along)
    require_curves(model, len(axes))
    passed = stopwatch()
    with watched(time_limit_s, progress):
        if model != MODEL:
            prices = PriceSolver(instance, axes[0], model)
            pieces = cover_prices(prices)
            with unlimited():
                first = pieces.pieces[0].first.results if pieces.pieces else prices.results(0.0)
                return PriceCurve(prices, pieces, first, passed())
        solver = CurveSolver(instance, axes)
        if len(axes) > 1:
            return Box(solver)
        found = cover(solver)
        with unlimited():
            tell(_("anchor of the curve"))
            return Curve(solver, found, anchor_of(solver, found), passed())


def require_curves(model: str, axes: int) -> None:
    """Require that a model has curves along so many axes.

    Raises
    ------
    UsageError
        If it has none.
    """
    if model not in (MODEL, *MODELS):
        what = _("The model {model} has no curves.", model=brief(model))
        raise UsageError(what, _("Choose one of {known}.", known=", ".join((MODEL, *MODELS))))
    if model != MODEL and axes > 1:
        what = _("Prices have a curve along one line, not over a box of two keys.")
        raise UsageError(what, _("Move both together on one line: `along` in Python, --along on the command line."))


def anchor_of(solver: CurveSolver, found: Cover[Piece]) -> Results:
    """Return the checked answer in the middle of the widest proven piece; without one, of the line."""
    proven = [piece for piece in found.pieces if piece.certified]
    widest = max(proven, key=lambda piece: piece.end - piece.start, default=None)
    place = 0.5 if widest is None else (widest.start + widest.end) / 2
    return solver.results(np.array([place]))
