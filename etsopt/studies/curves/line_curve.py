"""What every curve along a line of policies has: its pieces in order, what of it is proven, and where an answer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import pandas as pd

from etsopt.common.offered import offered
from etsopt.studies.curves.line import P

if TYPE_CHECKING:
    from etsopt.common.provenance import Provenance
    from etsopt.data.instance import Instance
    from etsopt.presenting.charts.chart import Chart
    from etsopt.running.results.results import Results
    from etsopt.studies.curves.axes import Axis
    from etsopt.studies.curves.line import Cover

ALL = 1 - 1e-9
"""Certified share from which on every value is proven, but for the rounding of ends."""


class Solver(Protocol):
    """What answers at places of a line."""

    instance: Instance
    solves: int


S = TypeVar("S", bound=Solver)


@dataclass(frozen=True, repr=False)
class LineCurve(ABC, Generic[S, P]):
    """The answer along a line of policies, by pieces.

    Parameters
    ----------
    solver
        What answers at places of the line, with the instance and its keys.
    cover
        Pieces of the line, and stretches without an answer.
    anchor
        One of the answers with all its tables, solved and checked by itself.
    seconds
        Time that the search took [s].
    """

    solver: S
    cover: Cover[P]
    anchor: Results
    seconds: float = field(default=0.0, compare=False)

    @property
    @abstractmethod
    def axis(self) -> Axis:
        """The keys that move."""

    @property
    @abstractmethod
    def pieces(self) -> pd.DataFrame:
        """Every piece by its number, with ``from``, ``to``, ``certified`` and what is proven of it."""

    @abstractmethod
    def chart(self) -> Chart:
        """Return the chart of the curve."""

    @property
    def about(self) -> Provenance:
        """Provenance of the anchor: instance, policy, versions."""
        return self.anchor.provenance

    @property
    def instance(self) -> Instance:
        """The instance whose policy the keys move."""
        return self.solver.instance

    @property
    def certified_share(self) -> float:
        """Share of the feasible length whose every value is proven."""
        return self.cover.certified_share

    @property
    def proven(self) -> bool:
        """True if every value with an answer is proven, but for the rounding of ends."""
        return self.certified_share >= ALL

    @property
    def termination(self) -> str:
        """``optimal`` if the whole line was searched, else why the search ended."""
        return self.cover.termination

    @cached_property
    def infeasible(self) -> pd.DataFrame:
        """Stretches on which no allocation exists, with what limits are missed by where that is most.

        Columns: ``from, to, proven_from, proven_to, infeasible_by_t``; between ``proven_from`` and ``proven_to`` limits
        are missed by more than the tolerances of an answer. A curve of prices has none: a range in which the market
        does not clear is refused.
        """
        shown = self.axis.shown
        rows = [
            (*(shown(at) for at in (one.start, one.end, one.proven_start, one.proven_end)), one.infeasible_by_t)
            for one in self.cover.stretches
        ]
        return pd.DataFrame(rows, columns=["from", "to", "proven_from", "proven_to", "infeasible_by_t"])

    def _piece_at(self, place: float) -> P | None:
        number = bisect_right(self._starts, place) - 1
        piece = self.cover.pieces[number] if number >= 0 else None
        return piece if piece is not None and place <= piece.end else None

    @cached_property
    def _starts(self) -> list[float]:
        return [piece.start for piece in self.cover.pieces]

    def plot(self) -> Any:
        """Return the chart of the curve as a figure of matplotlib.

        Raises
        ------
        UsageError
            If matplotlib is not installed, or there is nothing to draw.
        """
        from etsopt.presenting.charts.drawing import draw

        return draw(self.chart())

    def __repr__(self) -> str:
        about = f"{len(self.cover.pieces)} pieces, {100 * self.certified_share:.6g} % certified"
        return f"<{type(self).__name__} of {self.about.instance} over {self.axis.name}: {about}>"

    def _repr_html_(self) -> str:
        """Return the summary for a notebook."""
        from etsopt.presenting.documents.notebook import output

        return output(offered("LineCurve.document")(self))
