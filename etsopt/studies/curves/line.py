"""Cover a line of policies with pieces on which the answer is affine, each found by one solve inside and proven whole.

A solve in the middle of what is not covered gives a piece with both of its ends, wherever these are; what remains on
either side is covered in the same way. So pieces are found once each, whatever their lengths, and the last digit at
which two of them meet is settled at the end. Where no allocation exists, one proof holds up to a place at which its
bound is zero: the next solve is beyond.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from etsopt.common.errors import StoppedError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.studies.curves.solver import InfeasibleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.allocation.segments import SegmentVerdict
    from etsopt.studies.curves.solver import CurveSolver, Region

    Array = NDArray[np.float64]

SLIVER = 1e-9
"""Length, as a share of the line, that neighbours may leave between them: the rounding of their ends."""

NARROW = 1e-6
"""Share of the line below which nothing is searched further where a middle is degenerate or a piece not proven."""

FRUITLESS_MAX = 100
"""Solves in a row without a proven piece after which the rest of the line is left: where all multipliers are
degenerate, halving to `NARROW` would take a million."""

ALONG = np.ones(1)


class Part(Protocol):
    """A piece of any line."""

    @property
    def start(self) -> float:
        """Place of its first end, from 0 to 1."""

    @property
    def end(self) -> float:
        """Place of its last end."""

    @property
    def certified(self) -> bool:
        """True if every place of it is proven."""


P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Piece:
    """A stretch of a line on which the answer is affine.

    Parameters
    ----------
    start, end
        Its places, from 0 to 1.
    region
        What was found at a point inside.
    verdict
        What is proven of it, None before it is certified.
    """

    start: float
    end: float
    region: Region
    verdict: SegmentVerdict | None = None

    @property
    def certified(self) -> bool:
        """True if every place of it is proven."""
        return self.verdict is not None and self.verdict.certified

    @property
    def ends(self) -> tuple[Array, Array]:
        """Both ends as points of the box."""
        return np.array([self.start]), np.array([self.end])


@dataclass(frozen=True)
class Stretch:
    """A stretch of a line on which no allocation exists.

    Parameters
    ----------
    start, end
        Its places, from 0 to 1.
    proven_start, proven_end
        Places between which limits are proven to be missed by more than answers may miss them.
    dual
        Duals of the checker's rows that prove it.
    infeasible_by_t
        Tonnes that are missed at the place where most are [t].
    """

    start: float
    end: float
    proven_start: float
    proven_end: float
    dual: Array
    infeasible_by_t: float


@dataclass
class Cover(Generic[P]):
    """Pieces and infeasible stretches of a line, in their order, and why the search ended."""

    pieces: list[P] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    termination: str = "optimal"

    @property
    def feasible_length(self) -> float:
        """Share of the line that is not proven to be infeasible."""
        return 1.0 - sum(one.end - one.start for one in self.stretches)

    @property
    def certified_share(self) -> float:
        """Share of the feasible length that is proven."""
        proven = sum(piece.end - piece.start for piece in self.pieces if piece.certified)
        return min(proven / self.feasible_length, 1.0) if self.feasible_length > SLIVER else 1.0


def cover(solver: CurveSolver) -> Cover[Piece]:
    """Cover a line; at a deadline or Ctrl-C what is found by then is kept."""
    found = Cover[Piece]()
    try:
        _search(solver, found)
    except StoppedError as stopped:
        found.termination = stopped.termination
    found.pieces.sort(key=lambda piece: piece.start)
    _extend(solver, found.pieces)
    found.stretches = joined(found.stretches)
    return found


def _search(solver: CurveSolver, found: Cover[Piece]) -> None:
    """Find pieces and infeasible stretches until nothing is left but slivers."""
    holes, fruitless = [(0.0, 1.0)], 0
    while holes and fruitless < FRUITLESS_MAX:
        start, end = holes.pop()
        if end - start <= SLIVER:
            continue
        checkpoint(_("pieces of the curve:"), len(found.pieces))
        part = _inside(solver, start, end)
        if isinstance(part, Stretch):
            found.stretches.append(part)
            holes = [left for hole in (*holes, (start, end)) for left in _outside(hole, part)]
            continue
        fruitless = 0 if part is not None and part.certified else fruitless + 1
        if part is not None:
            found.pieces.append(part)
            holes += [(start, part.start), (part.end, end)]
        elif end - start > NARROW:
            holes += [(start, (start + end) / 2), ((start + end) / 2, end)]


def _inside(solver: CurveSolver, start: float, end: float) -> Piece | Stretch | None:
    """Return what is around the middle of a hole; None where its multipliers are degenerate, or prove nothing."""
    middle = (start + end) / 2
    try:
        region = solver.region(np.array([middle]))
    except InfeasibleError:
        dual = solver.missing(np.array([middle]))
        return None if dual is None else stretch_of(solver, dual, middle)
    if region is None:
        return None
    back, forth = region.steps(ALONG)
    own = Piece(max(start, middle - back), min(end, middle + forth), region)
    if own.end - own.start <= SLIVER:
        return None
    piece = _meeting(solver, own, start, end)
    if piece.certified or piece.end - piece.start <= NARROW:
        return piece
    # Another solve may give multipliers that serve; what these do not prove is searched more closely.
    return _closer(solver, piece)


def _meeting(solver: CurveSolver, own: Piece, start: float, end: float) -> Piece:
    """Return a piece that meets the ends of a hole where its own are equal but for rounding, if it is proven there.

    A limit that reaches a kink there may be on its other side by the last digit.
    """
    first, last = (start if own.start - start <= SLIVER else own.start), (end if end - own.end <= SLIVER else own.end)
    piece = piece_of(solver, first, last, own.region)
    if piece.certified or (first, last) == (own.start, own.end):
        return piece
    return piece_of(solver, own.start, own.end, own.region)


def piece_of(solver: CurveSolver, start: float, end: float, region: Region) -> Piece:
    """Return a piece with what is proven of it."""
    piece = Piece(start, end, region)
    return Piece(start, end, region, solver.certified(region, piece.ends))


def _closer(solver: CurveSolver, piece: Piece) -> Piece | None:
    """Return the widest part around the point of a piece, of those halved towards it, that is proven."""
    middle, width = float(piece.region.point[0]), 1.0
    while (width := width / 2) > NARROW:
        start, end = middle - width * (middle - piece.start), middle + width * (piece.end - middle)
        part = piece_of(solver, start, end, piece.region)
        if part.certified:
            return part
    return None


def stretch_of(solver: CurveSolver, dual: Array, place: float) -> Stretch | None:
    """Return the stretch around a place on which duals prove that no allocation exists; None if they do not there."""
    # The bound is affine in the place, so that two of its values show where it is zero.
    by = {at: solver.infeasible_by_t([at], dual) for at in (0.0, place, 1.0)}
    end = max((0.0, 1.0), key=by.__getitem__)
    if not (by[end] >= by[place] > 0):
        return None
    rise = (by[end] - by[place]) / (end - place)
    zero = min(max(place - by[place] / rise, 0.0), 1.0) if rise else 1.0 - end
    # Answers may miss limits by a little, so that their infeasibility is proven from a little beyond on.
    beyond = (zero + share * (end - zero) for share in (0.0, *10.0 ** np.arange(-12, 0)))
    proven = float(next((at for at in beyond if solver.infeasible_by_t([at, end], dual) > 0), place))
    return Stretch(min(zero, end), max(zero, end), min(proven, end), max(proven, end), dual, by[end])


def _outside(hole: tuple[float, float], stretch: Stretch) -> list[tuple[float, float]]:
    """Return what of a hole is outside a stretch."""
    parts = (hole[0], min(hole[1], stretch.start)), (max(hole[0], stretch.end), hole[1])
    return [part for part in parts if part[1] - part[0] > SLIVER]


def _extend(solver: CurveSolver, pieces: list[Piece]) -> None:
    """Let neighbours meet, and give a piece that is not proven to one whose multipliers serve there too.

    So close to the end of a piece a solve may find those of neither side.
    """
    place = 1
    while place < len(pieces):
        before, after = pieces[place - 1], pieces[place]
        if before.certified and not after.certified:
            wider = piece_of(solver, before.start, after.end, before.region)
        elif after.certified and not before.certified:
            wider = piece_of(solver, before.start, after.end, after.region)
        else:
            if 0 < after.start - before.end <= SLIVER:
                pieces[place - 1 : place + 1] = _joined_at_an_end(solver, before, after)
            place += 1
            continue
        if wider.certified:
            pieces[place - 1 : place + 1] = [wider]
        else:
            place += 1


def _joined_at_an_end(solver: CurveSolver, before: Piece, after: Piece) -> list[Piece]:
    """Return two pieces with a sliver between them, of which one reaches to the other if it is proven up to there."""
    longer = piece_of(solver, before.start, after.start, before.region)
    if longer.certified:
        return [longer, after]
    longer = piece_of(solver, before.end, after.end, after.region)
    return [before, longer if longer.certified else after]


def joined(stretches: list[Stretch]) -> list[Stretch]:
    """Return the longest stretch of each side: places with an allocation have no gap between them."""
    kept = []
    for side in (0.0, 1.0):
        reaching = [one for one in stretches if (one.start <= 0.0 if side == 0.0 else one.end >= 1.0)]
        if reaching:
            kept.append(max(reaching, key=lambda one: one.end - one.start))
    if len(kept) == 2 and kept[0] is kept[1]:
        kept = kept[:1]
    return kept
