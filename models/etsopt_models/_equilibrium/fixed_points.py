r"""All balance values that a sector's best responses reproduce, or the point where the map jumps over them.

With $z = 1/B$, let $g(z)$ be the surplus $\sum_i (A_i - E_i)$ of all units at their best responses to $B$. While no
response changes, $g$ is the excess whose root is the balance value, and falls; where one changes, it jumps. So the
balance values that reproduce themselves are the zeros of $g$. As $g$ is positive for small $z$ and negative for large,
it passes zero downwards at least once: continuously, at a fixed point, or by a jump, at which a unit is indifferent.
Running sums scan the pieces between jumps at once. Where $g$ does not have one sign at both ends of a piece, the exact
balance value of its responses confirms the fixed point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.rules.balance import balance_value, surplus_rates
from etsopt_models._tolerances import INTENSITY_LEFT_MIN_SHARE, RESPONSE_EDGE_RELATIVE, SURPLUS_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt_models._equilibrium.responses import Pieces, Setting


@dataclass(frozen=True)
class Point:
    """A balance value, the pieces of the responses, and the excess of allowances over emissions [t]."""

    balance_value: float
    pieces: NDArray[np.int64]
    residual_t: float


@dataclass(frozen=True)
class SectorEquilibrium:
    """The equilibrium of a sector.

    Parameters
    ----------
    points
        All balance values that reproduce themselves, in ascending order.
    chosen
        The point reported; without a fixed point, that where the surplus jumps over zero by the least tonnes.
    cycle
        Balance values among which repeated responses cycle, in order; empty if they converge.
    obtained
        Method by which the point reported was found.
    """

    points: Sequence[Point]
    chosen: Point
    cycle: Sequence[float]
    obtained: str


@dataclass(frozen=True)
class Sector:
    """Responses of the units of a sector, with their emissions, intensity and cost.

    Parameters
    ----------
    pieces
        Pieces sorted by unit and start.
    emissions, intensity, cost
        Quantities of the set of each piece, shape ``(pieces,)`` [tCO2e, t/t, CNY].
    setting
        Price and rule.
    decimals
        Decimals of a published balance value; None for no rounding.
    end
        Value of ``z`` at the end of the last pieces.
    """

    pieces: Pieces
    emissions: NDArray[np.float64]
    intensity: NDArray[np.float64]
    cost: NDArray[np.float64]
    setting: Setting
    decimals: int | None
    end: float
    edges: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", np.append(np.unique(self.pieces.start), self.end))

    def published(self, value: float) -> float:
        """Return a balance value as it is published."""
        return value if self.decimals is None else round(value, self.decimals)

    def balance(self, emissions: NDArray[np.float64], intensity: NDArray[np.float64]) -> float:
        """Return the balance value of some emissions and intensities."""
        # A unit without emissions gets a negligible weight, so that the value stays defined.
        weight = np.maximum(emissions, INTENSITY_LEFT_MIN_SHARE)
        return self.published(balance_value(weight, intensity, self.setting.slope, self.setting.cap).value)

    def responses(self, z: float) -> NDArray[np.int64]:
        """Return the piece with which each unit responds from ``z`` on."""
        first = np.flatnonzero(np.diff(self.pieces.unit, prepend=-1))
        started = np.add.reduceat((self.pieces.start <= z).astype(np.int64), first)
        return first + np.maximum(started, 1) - 1

    def point(self, balance: float, pieces: NDArray[np.int64]) -> Point:
        """Return the point of some responses at a balance value."""
        rates = surplus_rates(self.intensity[pieces], balance, self.setting.slope, self.setting.cap)
        return Point(balance, pieces, float(self.emissions[pieces] @ rates))

    def interval(self, balance: float) -> int:
        """Return the interval between edges in which a balance value lies."""
        place = int(np.searchsorted(self.edges, 1 / balance, side="right")) - 1
        return min(max(place, 0), len(self.edges) - 2)

    def own_point(self, interval: int) -> tuple[bool, Point]:
        """Return the responses in an interval at their own balance value, and True if that is in the interval."""
        low, high = self.edges[interval], self.edges[interval + 1]
        pieces = self.responses(low)
        value = self.balance(self.emissions[pieces], self.intensity[pieces])
        inside = low * (1 - RESPONSE_EDGE_RELATIVE) <= 1 / value <= high * (1 + RESPONSE_EDGE_RELATIVE)
        return inside, self.point(value, pieces)


def sector_equilibrium(sector: Sector, start: float) -> SectorEquilibrium:
    """Return all balance values of a sector that reproduce themselves, and the one reported.

    Parameters
    ----------
    start
        Balance value from which responses are repeated: the one without abatement.
    """
    left, right = _surplus_at_edges(sector)
    slack = SURPLUS_ROUNDING_RELATIVE * sector.emissions.max() * len(sector.emissions)
    if sector.decimals is not None:
        # Rounding may move a value into an interval: the surplus may miss zero by as much.
        weight = np.maximum.reduceat(
            sector.emissions * sector.intensity, np.flatnonzero(np.diff(sector.pieces.unit, prepend=-1))
        ).sum()
        moved = 0.5 * 10.0**-sector.decimals * (2 * sector.edges[1:]) ** 2
        slack = slack + sector.setting.slope * weight * moved
    may = np.flatnonzero((left >= -slack) & (right <= slack))
    points = {int(k): point for k in may for inside, point in [sector.own_point(int(k))] if inside}
    reached, cycle = _repeated(sector, start, points)
    ascending = sorted(points.values(), key=lambda point: point.balance_value)
    if not points:
        return SectorEquilibrium(
            (), _least_jump(sector, left, right), cycle, "where the surplus jumps over zero by the least"
        )
    if reached is not None:
        return SectorEquilibrium(ascending, reached, (), "reached from no abatement")
    cheapest = min(ascending, key=lambda point: float(sector.cost[point.pieces].sum()))
    return SectorEquilibrium(ascending, cheapest, cycle, "of least cost" if len(ascending) > 1 else "the only one")


def _repeated(sector: Sector, start: float, points: dict[int, Point]) -> tuple[Point | None, list[float]]:
    """Repeat the responses, and return the fixed point reached, or the balance values of the cycle."""
    values, seen = [start], {}
    while (interval := sector.interval(values[-1])) not in seen:
        checkpoint(_("fixed points, step"), len(values))
        if interval in points:
            return points[interval], []
        seen[interval] = len(values) - 1
        values.append(sector.own_point(interval)[1].balance_value)
    return None, values[seen[interval] + 1 :]


def _least_jump(sector: Sector, left: NDArray[np.float64], right: NDArray[np.float64]) -> Point:
    """Return the point where the surplus is closest to zero: without a fixed point, beside a jump."""
    at_left = np.abs(left).min() <= np.abs(right).min()
    k = int(np.abs(left if at_left else right).argmin())
    z = float(sector.edges[k if at_left else k + 1])
    value = sector.published(1 / z)
    pieces = sector.responses(float(sector.edges[k]) if sector.decimals is None else 1 / value)
    return sector.point(value, pieces)


def _surplus_at_edges(sector: Sector) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the surplus just after the left and before the right end of each interval, shapes ``(intervals,)`` [t]."""
    setting, start, unit = sector.setting, sector.pieces.start, sector.pieces.unit
    end = np.where(np.append(unit[1:] != unit[:-1], True), sector.end, np.append(start[1:], sector.end))
    ratio = setting.cap / setting.slope
    enter, leave = (np.clip((1 + side * ratio) / sector.intensity, start, end) for side in (-1, 1))
    capped, nothing = setting.cap * sector.emissions, np.zeros(len(start))
    linear = setting.slope * sector.emissions
    # Each piece is a constant, a line and a constant again.
    at = np.concatenate([start, enter, leave, enter, leave, end])
    constant = np.concatenate([capped, linear, -capped, -capped, -linear, capped])
    rise = -linear * sector.intensity
    per_z = np.concatenate([nothing, rise, nothing, nothing, -rise, nothing])
    order = np.argsort(at, kind="stable")
    at = at[order]
    sums = [np.concatenate([[0.0], np.cumsum(part[order])]) for part in (constant, per_z)]

    def surplus(z: NDArray[np.float64], side: str) -> NDArray[np.float64]:
        place = np.searchsorted(at, z, side=side)  # type: ignore[call-overload]
        result: NDArray[np.float64] = sums[0][place] + sums[1][place] * z
        return result

    return surplus(sector.edges[:-1], "right"), surplus(sector.edges[1:], "left")
