"""The public function `etsopt.curve`: the answer for every value of a limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from etsopt.curves.axes import axes_of
from etsopt.curves.box import Box
from etsopt.curves.line import cover
from etsopt.curves.result import Curve
from etsopt.curves.solver import CurveSolver
from etsopt.language import _
from etsopt.progress import tell, unlimited, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etsopt.curves.line import Cover
    from etsopt.data.instance import Instance
    from etsopt.results.results import Results


def curve(
    instance: Instance,
    vary: Mapping[str, tuple[float, float]] | None = None,
    *,
    along: Mapping[str, tuple[float, float]] | None = None,
    time_limit_s: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Curve | Box:
    """Find the allocation for every value of a limit, with a proof for each piece of the range.

    Along a limit that moves in a straight line the allocation is piecewise affine. Each piece is found by one solve and
    proven as a whole by the checker, from the limits at both of its ends.

    Parameters
    ----------
    vary
        One key of the policy with both ends of its range, such as ``{"sectors.cement.target_change": (-0.01, 0.0)}``;
        or two, which make a box.
    along
        In place of that, several keys that move together from their first to their second value.
    time_limit_s
        Seconds for the search; what is found by then is kept.
    progress
        Function that receives a line on the current step.

    Returns
    -------
    Curve or Box
        Of one key, or of several along a line, a `Curve`. Of two a `Box`, which answers at points and keeps regions.

    Raises
    ------
    UsageError
        If a key is no limit that moves in a straight line, with the reason, or a range is empty.
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
    axes = axes_of(vary, along)
    began = time.perf_counter()
    with watched(time_limit_s, progress):
        solver = CurveSolver(instance, axes)
        if len(axes) > 1:
            return Box(solver)
        found = cover(solver)
        with unlimited():
            tell(_("anchor of the curve"))
            return Curve(solver, found, anchor_of(solver, found), time.perf_counter() - began)


def anchor_of(solver: CurveSolver, found: Cover) -> Results:
    """Return the checked answer in the middle of the widest proven piece; without one, of the line."""
    proven = [piece for piece in found.pieces if piece.certified]
    widest = max(proven, key=lambda piece: piece.end - piece.start, default=None)
    place = 0.5 if widest is None else (widest.start + widest.end) / 2
    return solver.results(np.array([place]))
