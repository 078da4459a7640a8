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
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._aggregation.aggregation import Aggregated, Ranges, duals_of, program_over, side_terms
from etsopt_models._aggregation.largest_change import solve_largest_change
from etsopt_models._allocation.rates import is_above_zero, per_rate, rates_needed, tonnes_within
from etsopt_models._allocation.squares import square_of
from etsopt_models._effort import (
    MOVERS_FIRST_PER_CELL,
    MOVERS_JOINING_MAX,
    MOVERS_MAX,
    RATE_HALVINGS_MAX,
    RATE_STEPS_ENUMERATED_MAX,
    WHOLE_TONNES_ROUNDS_MAX,
)
from etsopt_models._tolerances import TONNE_GAIN_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._aggregation.aggregation import OptimalFace, Run
    from etsopt_models._aggregation.cells import Cells

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
