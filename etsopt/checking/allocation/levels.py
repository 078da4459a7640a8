"""Bound every objective of an allocation, in lexicographic order."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.allocation import rational
from etsopt.checking.allocation.certificate import Intervals, Kinked, units_gap
from etsopt.checking.allocation.exceptions import LEVELS, check_exceptions
from etsopt.checking.allocation.integer import fixed_by_reduced_cost, gap_of_largest_change, within_rate
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.measures import UNITS, Measures
from etsopt.checking.allocation.prover import OptimalFace
from etsopt.checking.arithmetic import upward
from etsopt.checking.effort import LEAST_MULTIPLIERS_TRIED, RATIONAL_UNITS_MAX
from etsopt.checking.readings import plan
from etsopt.checking.tolerances import ROUNDING_GAP_RELATIVE
from etsopt.checking.verdict import LevelCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.checking.allocation.certificate import DualActivity
    from etsopt.checking.allocation.duals import Stated
    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.allocation.measures import Level
    from etsopt.checking.readings.instance_inputs import InstanceInputs


@dataclass(frozen=True)
class EarlierLevel:
    """An earlier objective: its functions, None if intervals keep it; duals of the rows; divisor of its sum."""

    name: str
    piece: Kinked | None
    dual: NDArray[np.float64]
    scale: float


class Bounded(NamedTuple):
    """Gap of an objective and of its sum, activity of all row duals, the functions added up, and these duals."""

    gap: float
    of_sum: float
    activity: DualActivity
    pieces: list[Kinked]
    dual: NDArray[np.float64]


def check_levels(
    instance: InstanceInputs,
    demands: Demands,
    reference: NDArray[np.float64],
    allowance: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    stated: Stated,
    names: Sequence[str],
) -> tuple[list[LevelCheck], dict[tuple[str, str], float]]:
    """Bound every objective in order; arrays cover all units of the instance, the demands include the exceptions.

    Returns
    -------
    checks, kept
        Bound of every objective, and the multipliers of earlier objectives that were found, as `Verdict` has them.
    """
    levels = Levels(instance, demands, reference, allowance, stated)
    first = [name for name in names if name in LEVELS]
    checks = []
    if first:
        proofs = {name: dual for name, dual in stated.duals.items() if str(name).partition(":")[0] in first}
        misses = demands.rows.misses(levels.totals), demands.unit_miss(allowance)
        emissions, free = plan.emissions_inside(instance), ~demands.fixed
        checks = check_exceptions(derive(instance), emissions[free], chosen[free], first, proofs, misses)
    # Overflow proves nothing, and compares as such.
    with np.errstate(over="ignore", invalid="ignore"):
        checks += [levels.check(name, stated.duals[name]) for name in names if name not in LEVELS]
    return checks, levels.found_multipliers


class Levels:
    """Objectives over allowances, each restricted to the optimal face of the earlier ones.

    Parameters
    ----------
    demands
        Demands with the chosen exceptions, for all units of the instance.
    reference, allowance
        Shape ``(units,)`` [t].
    stated
        Multipliers of the table; those of earlier objectives are searched for if it states none.
    """

    def __init__(
        self,
        instance: InstanceInputs,
        demands: Demands,
        reference: NDArray[np.float64],
        allowance: NDArray[np.float64],
        stated: Stated,
    ) -> None:
        emissions = plan.emissions_inside(instance)
        self.rows, self.integer, self.units = demands.rows, demands.integer, len(emissions)
        self.free = ~demands.fixed
        self.totals = self.rows.totals(allowance)
        self.measures = Measures.of(instance, demands, reference, allowance, stated.weights)
        self.e, self.r, answer = self.measures.e, self.measures.r, self.measures.answer
        lower, upper = demands.lower[self.free], demands.upper[self.free]
        self.intervals = Intervals.around(answer, lower, upper)
        # An integer rate is no sum over units.
        self.no_sum = Kinked(self.r, 0.0, 0.0)
        self.earlier: list[EarlierLevel] = []
        self.kept = stated.kept
        self.found_multipliers: dict[tuple[str, str], float] = {}
        self.face = None
        if self.kept is None:
            reach = self.rows.reach(emissions)
            self.face = OptimalFace(lower, upper, self.rows.least, self.rows.most, reach, self.e)

    def check(self, name: str, dual: NDArray[np.float64]) -> LevelCheck:
        """Bound an objective, and fix it at its value for the later ones."""
        level, uncertain = self.measures.level(name, dual)
        bounded = self._searched(level) if self.face else self._bounded(level, self._stated_multipliers(level))
        gap, of_sum = self._without_rounding(level, bounded)
        # No objective is below zero.
        gap = gap if gap < level.value else upward(level.value + uncertain, 4)
        self._fix_at_optimum(level, of_sum, bounded.activity, bounded.pieces)
        distance = None
        if level.square is not None and not self.integer and len(self.e):
            # The objective is 2/W-strongly convex, and its feasible set is convex and contains the answer.
            distance = upward(math.sqrt(float(np.max(level.square.weight)) * gap), 6)
        # The value itself is rounded too.
        gap = min(upward(gap + uncertain, 4), level.value)
        tolerance = self.measures.tolerance(name, level.value)
        return LevelCheck(name, UNITS[name], level.value, level.value - gap, gap, tolerance, distance_t=distance)

    def _stated_multipliers(self, level: Level) -> list[float]:
        """Return the stated multipliers of the earlier objectives; keeping one costs nothing or something."""
        assert self.kept is not None
        stated = [max(self.kept.get((level.name, earlier.name), 0.0), 0.0) for earlier in self.earlier]
        return [
            times * level.scale / earlier.scale if times < math.inf else 0.0
            for times, earlier in zip(stated, self.earlier, strict=True)
        ]

    def _searched(self, level: Level) -> Bounded:
        """Return the bound by the best multipliers of the earlier objectives among those tried."""
        assert self.face is not None
        kept = [0.0] * len(self.earlier)
        best = self._bounded(level, kept)
        enough = self.measures.tolerance(level.name, level.value) / 1e3
        if not self.earlier or best.gap <= enough:
            return best
        activity = self.rows.dual_activity(level.dual, self.units).at_unit[self.free]
        if level.square is not None:
            slopes = self.face.slopes_of_square(level.square, activity, level.dual)
        else:
            slopes = self.face.slopes(level.piece or self.no_sum, activity, level.dual)
        for at_least in LEAST_MULTIPLIERS_TRIED if self._is_integer_rate(level) else LEAST_MULTIPLIERS_TRIED[:1]:
            # Rounded as they are when stated and read again.
            tried = [
                times * earlier.scale / level.scale * level.scale / earlier.scale
                for times, earlier in zip(self.face.multipliers(slopes, at_least), self.earlier, strict=True)
            ]
            bounded = self._bounded(level, tried)
            if bounded.gap < best.gap:
                best, kept = bounded, tried
            if best.gap <= enough:
                break
        for times, earlier in zip(kept, self.earlier, strict=True):
            if times:
                self.found_multipliers[level.name, earlier.name] = times * earlier.scale / level.scale
        return best

    def _bounded(self, level: Level, multipliers: Sequence[float]) -> Bounded:
        """Bound an objective with multipliers of the earlier ones."""
        dual = level.dual
        pieces = [] if level.piece is None else [level.piece]
        for times, earlier in zip(multipliers, self.earlier, strict=True):
            if times > 0:
                dual = dual + times * earlier.dual
                pieces += [] if earlier.piece is None else [replace(earlier.piece, times=times)]
        dual = self.rows.supported_duals(dual)
        activity = self.rows.dual_activity(dual, self.units).of(self.free)
        of_rows = self.rows.gap(self.totals, dual)
        if self._is_integer_rate(level):
            gap = gap_of_largest_change(level.value, self.intervals, self.r, self.e, pieces, activity, of_rows)
            return Bounded(gap, gap, activity, pieces, dual)
        of_sum = upward(units_gap(self.intervals, pieces, activity, level.square) + of_rows, 4)
        return Bounded(self.measures.gap_of_value(level, of_sum), of_sum, activity, pieces, dual)

    def _without_rounding(self, level: Level, bounded: Bounded) -> tuple[float, float]:
        """Return the gaps of an objective and of its sum, by fractions where they may be those of rounding."""
        gap, of_sum = bounded.gap, bounded.of_sum
        if self._may_be_rounding(level, gap) and not self._is_integer_rate(level):
            of_sum = min(of_sum, rational.gap(self, bounded.pieces, bounded.dual, level.square))
            gap = self.measures.gap_of_value(level, of_sum)
        return gap, of_sum

    def _is_integer_rate(self, level: Level) -> bool:
        """Return True for the largest change of whole tonnes, which is no sum over units."""
        return level.name == "largest_change" and self.integer

    def _may_be_rounding(self, level: Level, gap: float) -> bool:
        return (
            self.measures.tolerance(level.name, level.value)
            < gap
            < ROUNDING_GAP_RELATIVE * max(level.value, 1.0 / level.scale)
            and level.value > self.measures.tolerance(level.name, level.value)
            and len(self.e) <= RATIONAL_UNITS_MAX
        )

    def _fix_at_optimum(self, level: Level, of_sum: float, activity: DualActivity, pieces: Sequence[Kinked]) -> None:
        """Fix an objective: `largest_change` by intervals, whole tonnes that cannot move, others by their functions."""
        if level.square is not None:
            return
        answer, lower, upper = self.intervals.answer, self.intervals.lower, self.intervals.upper
        if level.name == "largest_change":
            least, most = within_rate(level.value, self.r, self.e, self.integer)
            lower, upper = np.maximum(lower, least), np.minimum(upper, most)
        elif self.integer:
            no_less, no_more = fixed_by_reduced_cost(answer, pieces, activity, of_sum)
            lower, upper = np.where(no_less, answer, lower), np.where(no_more, answer, upper)
        self.intervals = Intervals.around(answer, lower, upper)
        piece = None if level.name == "largest_change" else level.piece
        self.earlier.append(EarlierLevel(level.name, piece, level.dual, level.scale))
        if self.face:
            own = self.rows.dual_activity(level.dual, self.units).at_unit[self.free]
            if level.name == "largest_change":
                self.face.restrict(self.r - level.value * self.e, self.r + level.value * self.e)
            # Multipliers that rule out integer rates imply nothing for a single unit or row.
            counts = 0.0 if self._is_integer_rate(level) else 1.0
            self.face.fix_at_optimum(piece or self.no_sum, counts * own, counts * level.dual)
