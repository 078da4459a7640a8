r"""Objectives of `allocation` in whole tonnes over cells that need more than aggregation: `largest_change`, tie-break.

Sums of whole tonnes are integer, and rows of sectors, provinces and the nation over cells are a network. So integer
totals of the cells exist if real ones do, and any such total of a cell can be shared in whole tonnes.

`largest_change` uses duals as `_methods/allocation_largest_change.py` does: they exclude rates. If they exclude none, a
linear program over cells finds whole tonnes within the rate, or new duals.

For the tie-break each unit takes the whole tonne next to its best response to the duals of the closest real point. Then
the rows are missed by a few tonnes, and only nearly indifferent units have to move: in each cell those for which a
tonne more or less costs least. They form a small instance of the same tie-break, over the remainder of the rows. A unit
that gains from a move at its duals joins them. If there is none, each unit has its best whole tonne at the duals and
the rows are met, so the answer is that of all units.

The objective `largest_change` of `allocation` over cells.

A rate $w$ leaves unit $i$ the allowances from $\max(l_i, R_i - w E_i)$ to $\min(u_i, R_i + w E_i)$. At a given $w$
either its own end or the rate binds, below and above. Units of a cell with the same binding ends are aggregated: their
sums of ends, $R$ and $E$ form a unit of the formulation. As a largest sum is at most the sum of the largest, that is a
relaxation for every $w$, and exact at the $w$ for which it was made. So its least rate is a lower bound; the units are
aggregated again at that rate, and so on: Newton's method on the rows, whose rates rise to the least rate of all units.

A unit whose interval excludes $R$ needs a rate of its own; the one that needs the largest is not aggregated.

The duals of the rows, with those of `largest_change_covers` that each unit takes from its part, prove the rate. It
follows from them: the demand of the rows on the units at rate zero, over the supply added by a rate of one,

$$w = \Bigl(\sum_r y_r d_r - \sum_i |\pi_i| (\text{end of } i \text{ at } 0)\Bigr) \Big/ \sum_{i \text{ with a rate}} |\pi_i| E_i.$$
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._aggregation.aggregation import (
    Aggregated,
    Ranges,
    duals_of,
    numbered,
    program_over,
    side_terms,
    side_value,
    significant,
)
from etsopt_models._allocation.coupling import is_above_zero, per_rate, rates_needed, square_of, tonnes_within
from etsopt_models._effort import (
    CELL_RATE_ROUNDS_MAX,
    MOVERS_FIRST_PER_CELL,
    MOVERS_JOINING_MAX,
    MOVERS_MAX,
    RATE_HALVINGS_MAX,
    RATE_STEPS_ENUMERATED_MAX,
    WHOLE_TONNES_ROUNDS_MAX,
)
from etsopt_models._tolerances import LARGEST_RATE_RISE_RELATIVE, PART_CHANGE_MIN_RATE, TONNE_GAIN_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._aggregation.aggregation import Cells, OptimalFace, Run


@dataclass(frozen=True)
class _Parts:
    """Units aggregated by cell and binding ends: part of every unit, and cell, ends and sums of every part [t].

    Parameters
    ----------
    own_lower, own_upper
        True if the part's own end binds and not the rate.
    reference, room
        Sums of R and of the upper ends, both from the lower ends on.
    """

    of_unit: NDArray[np.int64]
    cell: NDArray[np.int64]
    own_lower: NDArray[np.bool_]
    own_upper: NDArray[np.bool_]
    reference: NDArray[np.float64]
    room: NDArray[np.float64]
    emissions: NDArray[np.float64]

    def ends(self, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of every part within a rate, from the lower ends on."""
        lower = np.where(self.own_lower, 0.0, self.reference - rate * self.emissions)
        return lower, np.where(self.own_upper, self.room, self.reference + rate * self.emissions)


def solve_largest_change(
    parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, run: Run
) -> tuple[Aggregated, NDArray[np.float64]] | Any:
    """Return the objective and each unit's multiplier of `largest_change_covers`; else a solution without optimum."""
    units = _Units(parameters["emissions"], parameters["reference"] - face.lower, face.upper - face.lower)
    low = cells.sums(face.lower)
    base = cells.totals(low)
    rate, first = units.forced(), units.needs_most()
    for number in range(CELL_RATE_ROUNDS_MAX):
        checkpoint(_("largest rate over cells, round"), number + 1)
        parts = units.aggregated(cells, rate, first)
        solution = run(_program(parameters, cells, parts, face, base), ["largest_change"])
        if not solution.levels or solution.termination != "optimal":
            return solution
        duals = duals_of(cells, solution)
        # The rate that follows from the duals is exact; the solver's own has its tolerance.
        reached = max(rate, _rate(cells, parts, duals, side_value(duals, face, base)))
        done = reached <= rate * (1 + LARGEST_RATE_RISE_RELATIVE) or _within(
            cells, parts, units.aggregated(cells, reached, first), solution, reached
        )
        rate = reached
        if done:
            break
    covers = solution.levels[-1].multipliers["largest_change_covers"][parts.of_unit]
    room = rate * units.emissions
    lower = np.maximum(face.lower, np.minimum(parameters["reference"] - room, face.upper))
    upper = np.minimum(face.upper, np.maximum(parameters["reference"] + room, face.lower))
    dual_activity = significant(cells.dual_activity(duals))[cells.of_unit]
    optimal = replace(
        face, lower=np.where(dual_activity > 0, upper, lower), upper=np.where(dual_activity < 0, lower, upper)
    )
    totals = low + np.bincount(parts.cell, solution.values["allowance"], len(cells))
    return Aggregated(rate, duals, optimal.with_duals(duals), solution, totals), covers


@dataclass(frozen=True)
class _Units:
    """Units with their references and upper ends, both from their lower ends on [t]."""

    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    room: NDArray[np.float64]

    def needs(self) -> NDArray[np.float64]:
        """Return the rate that each unit alone needs."""
        return rates_needed(-self.reference, self.reference - self.room, self.emissions)

    def forced(self) -> float:
        """Return the largest rate that a unit alone needs."""
        return float(np.max(self.needs(), initial=0.0))

    def needs_most(self) -> int:
        """Return the unit that needs it; -1 if none needs any."""
        needs = self.needs()
        return int(np.argmax(needs)) if np.max(needs, initial=0.0) > 0 else -1

    def aggregated(self, cells: Cells, rate: float, apart: int) -> _Parts:
        """Aggregate the units, all but one, by cell and by the ends that bind at a rate."""
        room = rate * self.emissions
        own_lower, own_upper = self.reference <= room, self.room - self.reference <= room
        code = 4 * cells.of_unit + 2 * own_lower + own_upper
        if apart >= 0:
            code[apart] += 4 * len(cells)
        of_unit, codes = numbered(code, 8 * len(cells))
        sums = [
            np.bincount(of_unit, values, len(codes)).astype(float)
            for values in (self.reference, self.room, self.emissions)
        ]
        return _Parts(of_unit, codes // 4 % len(cells), codes & 2 > 0, codes & 1 > 0, *sums)


def _program(
    parameters: Mapping[str, Any], cells: Cells, parts: _Parts, face: OptimalFace, base: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the parameters of `allocation` over the parts."""
    all_parts, least = np.arange(len(parts.cell)), PART_CHANGE_MIN_RATE * parts.emissions
    return program_over(parameters, cells, face, Ranges(parts.cell, parts.room, base)) | {
        "CHANGE_MEASURED": all_parts,
        "LARGEST_CHANGE_MEASURED": all_parts,
        "emissions": parts.emissions,
        "reference": parts.reference,
        "increase_most": np.maximum(parts.room - parts.reference, least),
        "decrease_most": np.maximum(parts.reference, least),
    }


def _rate(cells: Cells, parts: _Parts, duals: NDArray[np.float64], sides: float) -> float:
    """Return the least rate that the duals do not exclude; minus infinity if they exclude none."""
    dual_activity = cells.dual_activity(duals)[parts.cell]
    lower, upper = parts.ends(0.0)
    adds = np.where(dual_activity > 0, ~parts.own_upper, ~parts.own_lower) * np.abs(dual_activity) * parts.emissions
    asked = sides - float(np.sum(dual_activity * np.where(dual_activity > 0, upper, lower)))
    return asked / float(np.sum(adds)) if np.any(adds > 0) else -np.inf


def _within(cells: Cells, parts: _Parts, updated: _Parts, solution: Any, rate: float) -> bool:
    """Return True if the totals of the cells are within a rate, with parts updated to it: the rate is then optimal."""
    totals = np.bincount(parts.cell, solution.values["allowance"], len(cells))
    lower, upper = (np.bincount(updated.cell, end, len(cells)) for end in updated.ends(rate))
    return bool(np.all(totals >= lower) and np.all(totals <= upper))


OF_SQUARES = ("emissions", "per_emission", "per_reference", "reference", "at_target_rate", "place")
"""Parameters of units from which a tie-break measures, and their places."""


@dataclass(frozen=True)
class _Rates:
    """Units with integer intervals around their references, and the limits of the rows, to exclude rates by duals."""

    cells: Cells
    emissions: NDArray[np.float64]
    below: NDArray[np.float64]
    above: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]

    def first(self) -> float:
        """Return the least rate at which every unit alone has an integer."""
        return float(np.max(rates_needed(-self.below, -self.above, self.emissions), initial=0.0))

    def least_unproven(self, duals: NDArray[np.float64], low: float, high: float) -> float:
        """Return the least rate from ``low`` on that the duals do not exclude."""
        dual_activity = self.cells.dual_activity(duals)
        asked = side_terms(duals, self.least, self.most)
        pulled = np.flatnonzero(dual_activity[self.cells.of_unit])
        up = dual_activity[self.cells.of_unit[pulled]] > 0
        # The largest move of each unit along the duals, of which a part is within a rate.
        far, cell = np.where(up, self.above[pulled], self.below[pulled]), self.cells.of_unit[pulled]

        def within(rate: float) -> NDArray[np.float64]:
            tonnes: NDArray[np.float64] = np.minimum(far, tonnes_within(rate, self.emissions)[pulled])
            return tonnes

        def proves(rate: float) -> bool:
            moved = np.bincount(cell, within(rate), len(dual_activity))
            return is_above_zero(np.concatenate([asked, -np.abs(dual_activity) * moved]))

        if not proves(low):
            return low
        for _time in range(RATE_HALVINGS_MAX):
            lower, upper = within(low), within(high)
            if np.sum(upper - lower) <= RATE_STEPS_ENUMERATED_MAX:
                break
            middle = (low + high) / 2
            low, high = (middle, high) if proves(middle) else (low, middle)
        # The rates at which some unit gets a tonne more.
        count = np.round(upper - lower).astype(np.int64)
        owner = np.repeat(np.arange(len(pulled)), count)
        number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        steps = np.unique((lower[owner] + number + 1) / self.emissions[pulled][owner])
        first, last = 0, len(steps) - 1
        while first < last:
            middle_step = (first + last) // 2
            first, last = (middle_step + 1, last) if proves(float(steps[middle_step])) else (first, middle_step)
        return float(steps[last]) if len(steps) else high

    def per_rate(self, duals: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
        """Return the duals in rate per tonne, scaled by the dual activity that units add per rate."""
        dual_activity = self.cells.dual_activity(duals)[self.cells.of_unit]
        moves = tonnes_within(rate, self.emissions) < np.where(dual_activity > 0, self.above, self.below)
        return per_rate(duals, dual_activity, self.emissions, moves)


def solve_largest_change_in_tonnes(
    parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, run: Run
) -> Aggregated | Any:
    """Minimise the largest rate of whole tonnes; return a solution without an optimum as it is."""
    relaxed = solve_largest_change(parameters, cells, face, run)
    if not isinstance(relaxed, tuple):
        return relaxed
    reference, duals, solution = parameters["reference"], relaxed[0].duals, relaxed[0].solution
    at_reference = cells.totals(cells.sums(reference))
    rates = _Rates(
        cells,
        parameters["emissions"],
        reference - face.lower,
        face.upper - reference,
        face.least - at_reference,
        face.most - at_reference,
    )
    rate = rates.first()
    for number in range(WHOLE_TONNES_ROUNDS_MAX):
        checkpoint(_("whole tonnes over cells, round"), number + 1)
        rate = rates.least_unproven(duals, rate, parameters["largest_rate_most"])
        room = tonnes_within(rate, rates.emissions)
        lower, upper = np.maximum(face.lower, reference - room), np.minimum(face.upper, reference + room)
        within = replace(face, lower=lower, upper=upper)
        infeasibility = _least_infeasibility(parameters, cells, within, run)
        if not infeasibility.levels or infeasibility.termination != "optimal":
            return infeasibility
        if infeasibility.levels[-1].value < 0.5:
            totals = cells.sums(lower) + infeasibility.values["allowance"][: len(cells)]
            return Aggregated(rate, rates.per_rate(duals, rate), within, solution, totals)
        duals = duals_of(cells, infeasibility)
    return replace(solution, termination=type(solution.termination)("solver_error"))


def _least_infeasibility(parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, run: Run) -> Any:
    """Solve for the least tonnes by which cells have to leave their intervals so that the rows are met."""
    low = cells.sums(face.lower)
    base, room = cells.totals(low), cells.sums(face.upper) - low
    limits = np.abs(np.concatenate([face.least, face.most]))
    most = 1.0 + float(np.sum(room)) + float(np.max(limits, initial=0.0))
    count = len(cells)
    twice, beyond = np.tile(np.arange(count), 2), np.repeat([0.0, most], count)
    ranges = Ranges(twice, np.concatenate([room, beyond[count:]]), base)
    program = program_over(parameters, cells, face, ranges) | {
        "CHANGE_MEASURED": np.arange(count, 2 * count),
        "lower": -beyond,
        "increase_most": beyond,
        "decrease_most": beyond,
    }
    return run(program, ["change"])


def closest_whole(
    name: str, parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, duals: NDArray[np.float64], run: Run
) -> tuple[NDArray[np.float64], NDArray[np.float64], str] | Any:
    """Return the closest whole tonnes, their duals and the algorithm; else a solution without an optimum.

    Parameters
    ----------
    name
        Objective of the tie-break.
    duals
        Duals of the rows for the closest point in real numbers.
    """
    units = _Movers(cells, *square_of(name, parameters), face)
    allowance = units.best(duals)
    movers, first = np.zeros(len(allowance), dtype=bool), MOVERS_FIRST_PER_CELL
    movers |= units.nearly_indifferent(allowance, duals, first)
    for rounds in range(1, WHOLE_TONNES_ROUNDS_MAX + 1):
        checkpoint(_("largest whole rate over cells, round"), rounds)
        where = np.flatnonzero(movers)
        solution = run(units.program(parameters, where, allowance), [name], by_solver=False)
        if solution.termination == "infeasible" and not movers.all():
            first *= 4
            movers |= units.nearly_indifferent(allowance, duals, first)
            continue
        if not solution.levels or solution.termination != "optimal":
            return solution
        allowance[where] = np.round(solution.values["allowance"])
        if not solution.levels[-1].multipliers:
            # The time limit has passed, or the closest point is out of reach.
            return allowance, duals, "any whole point of the levels"
        duals = duals_of(cells, solution)
        more = units.would_move(allowance, duals) & ~movers
        if not more.any() or len(where) > MOVERS_MAX:
            return allowance, duals, f"whole tonnes in {rounds} rounds"
        if np.count_nonzero(more) > MOVERS_JOINING_MAX:
            # Of very many units that are alike only the first are needed.
            first *= 4
            more = units.nearly_indifferent(allowance, duals, first)
        movers |= more
    return replace(solution, termination=type(solution.termination)("solver_error"))


@dataclass(frozen=True)
class _Movers:
    """Units in whole tonnes, to find those that the rows may move."""

    cells: Cells
    weight: NDArray[np.float64]
    centre: NDArray[np.float64]
    face: OptimalFace

    def dual_activity(self, duals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the dual activity of every unit."""
        return self.cells.dual_activity(duals)[self.cells.of_unit]

    def best(self, duals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the best whole tonne of every unit."""
        wish = np.floor(self.centre + self.weight / 2 * self.dual_activity(duals) + 0.5)
        best: NDArray[np.float64] = np.clip(wish, self.face.lower, self.face.upper)
        return best

    def costs(
        self, allowance: NDArray[np.float64], duals: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the cost of a tonne more and of a tonne less to every unit; infinite at its bound."""
        dual_activity, slope = self.dual_activity(duals), 2 * (allowance - self.centre)
        more = np.where(allowance < self.face.upper, (slope + 1) / self.weight - dual_activity, np.inf)
        return more, np.where(allowance > self.face.lower, dual_activity - (slope - 1) / self.weight, np.inf)

    def nearly_indifferent(
        self, allowance: NDArray[np.float64], duals: NDArray[np.float64], count: int
    ) -> NDArray[np.bool_]:
        """Return True for the units of each cell, and so of each row, with the least cost of a tonne more, or less."""
        chosen, position = np.zeros(len(allowance), dtype=bool), np.arange(len(allowance))
        starts = np.concatenate([[0], np.cumsum(np.bincount(self.cells.of_unit, minlength=len(self.cells)))[:-1]])
        # Among equal units the first get tonnes, and the last lose them.
        for cost, sign in zip(self.costs(allowance, duals), (1, -1), strict=True):
            order = np.lexsort((sign * position, cost, self.cells.of_unit))
            place = np.arange(len(order)) - starts[self.cells.of_unit[order]]
            chosen[order[place < count]] = True
        return chosen

    def would_move(self, allowance: NDArray[np.float64], duals: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return True for units that gain from a tonne more or less, and for indifferent ones if they are few."""
        enough = TONNE_GAIN_RELATIVE / float(np.min(self.weight))
        least = np.minimum(*self.costs(allowance, duals))
        tied = least <= enough
        gains: NDArray[np.bool_] = tied if np.count_nonzero(tied) <= MOVERS_JOINING_MAX else least < -enough
        return gains

    def program(
        self, parameters: Mapping[str, Any], where: NDArray[np.int64], allowance: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return the parameters of `allocation` over some units, with the remainder of the rows."""
        others = allowance.copy()
        others[where] = 0.0
        base = self.cells.totals(self.cells.sums(others))
        ranges = Ranges(self.cells.of_unit[where], self.face.upper[where], base)
        return program_over(parameters, self.cells, self.face, ranges) | {
            "WHOLE": np.arange(len(where)),
            "lower": self.face.lower[where],
            "upper": self.face.upper[where],
            **{name: parameters[name][where] for name in OF_SQUARES},
        }
