"""The rows that couple units, and the interval that all other rows leave to each allowance.

A program fixed at the optimum of some objectives has columns and rows that only measure; for the allowances alone it
reduces to these intervals and rows.

Rates of change against emissions, for `largest_change`: rates that units need, and whole tonnes within a rate.

Tie-breaks of an allocation: sums of squared distances from a centre over a weight.

Whole tonnes near real allowances: the order of rates applies before rounding, so it is solved in real numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._allocation.limits import IN_RATES
from etsopt_models._tolerances import DUAL_PROOF_ROUNDING_RELATIVE, MOVE_START_DECIMALS, RATE_TONNES_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


COUPLING = (
    "sector_target",
    "province_balance",
    "national_total",
    "enterprise_band",
    "enterprise_least",
    "enterprise_most",
    *IN_RATES,
)


def fixed_by_rows(program: Any) -> bool:
    """Return True if a row over free columns fixes some objective at its optimum, which no interval expresses."""
    moves = program.column_lower < program.column_upper
    fixed = np.zeros(program.matrix.shape[0], dtype=bool)
    for name, block in program.rows.items():
        fixed[block] = name.endswith("_stays_optimal")
    return bool(np.any(fixed[program.matrix.row_of_each()] & moves[program.matrix.indices]))


def intervals(program: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the interval of each allowance that the rows of its own unit allow, by bound propagation.

    Each such row links one allowance to columns that only measure it, so three rounds reach every bound: from a common
    rate to the measures, from the measures to the allowance, and back.
    """
    unit_rows = _unit_rows(program)
    matrix = program.matrix.select(unit_rows, slice(0, program.matrix.columns))
    limits, bounds = (
        (program.row_lower[unit_rows], program.row_upper[unit_rows]),
        (program.column_lower, program.column_upper),
    )
    lower, upper = matrix.propagated(limits, bounds)
    block = program.columns["allowance"]
    return lower[block], upper[block]


def _unit_rows(program: Any) -> NDArray[np.int64]:
    """Return the rows with at most one allowance."""
    block = program.columns["allowance"]
    matrix = program.matrix
    held = matrix.sums(((matrix.indices >= block.start) & (matrix.indices < block.stop)).astype(float))
    return np.flatnonzero((held <= 1) & ~_is_coupling(program))


def _is_coupling(program: Any) -> NDArray[np.bool_]:
    """Return True for rows of the components that couple units, even if such a row has a single unit."""
    coupling = np.zeros(program.matrix.shape[0], dtype=bool)
    for name in COUPLING:
        coupling[program.rows[name]] = True
    return coupling


@dataclass(frozen=True)
class Coupling:
    r"""Coupling rows $G A \ge d$: True for equalities, and the component, position and sign of each row."""

    matrix: Any
    least: NDArray[np.float64]
    is_equality: NDArray[np.bool_]
    source: list[tuple[str, int, float]]

    def multipliers(self, program: Any, duals: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the duals of the sides as multipliers by row of the model."""
        multipliers = {name: np.zeros(block.stop - block.start) for name, block in program.rows.items()}
        for (name, position, sign), dual in zip(self.source, duals, strict=True):
            multipliers[name][position] += sign * dual
        return multipliers


def coupling(program: Any, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> Coupling:
    """Return every side of a coupling row that the intervals alone do not guarantee."""
    where = np.flatnonzero(_is_coupling(program))
    block = program.columns["allowance"]
    everything = program.matrix.select(where, slice(0, program.matrix.columns))
    matrix = everything.select(np.arange(len(where)), block)
    # Exceptions are fixed by now: their contribution is a constant.
    others = program.column_lower.copy()
    others[block] = 0.0
    added = everything @ others
    low, high = program.row_lower[where] - added, program.row_upper[where] - added
    ends = matrix.data * lower[matrix.indices], matrix.data * upper[matrix.indices]
    smallest, largest = matrix.sums(np.minimum(*ends)), matrix.sums(np.maximum(*ends))
    equal = low == high
    at_least, at_most = np.flatnonzero(equal | (low > smallest)), np.flatnonzero(~equal & (high < largest))
    names = [
        (name, row - block.start)
        for name, block in program.rows.items()
        for row in range(block.start, block.stop)
        if name in COUPLING
    ]
    names = [names[position] for position in np.argsort([program.rows[name].start + row for name, row in names])]
    sides, signs = np.concatenate([at_least, at_most]), np.repeat([1.0, -1.0], [len(at_least), len(at_most)])
    return Coupling(
        matrix.select(sides, slice(0, len(lower))).times_rows(signs),
        np.concatenate([low[at_least], -high[at_most]]),
        np.concatenate([equal[at_least], np.zeros(len(at_most), dtype=bool)]),
        [(*names[row], 1.0) for row in at_least] + [(*names[row], -1.0) for row in at_most],
    )


@dataclass(frozen=True)
class Infeasibility:
    """Allowances of least infeasibility, the total infeasibility [t], and the duals that prove it least."""

    allowance: NDArray[np.float64]
    infeasibility_t: float
    duals: NDArray[np.float64]


def least_infeasibility(
    program: Any, solve: Any, rows: Coupling, lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> Infeasibility | None:
    """Return the least infeasibility of the coupling rows within bounds; None if the solver finds none.

    A row in rates counts in tonnes of the smaller of its units.

    Parameters
    ----------
    program
        Program whose type and integrality the small program takes.
    solve
        Solver of a program through the engine.
    """
    # Loaded beside Pyomo, scipy loads scipy.stats; only whole tonnes and exceptions are worth that.
    from scipy.sparse import eye_array, hstack

    sides, units = rows.matrix.shape
    # Allowances are counted from their lower bounds, so that no number of the program exceeds a band.
    size = 1 / np.maximum(rows.matrix.largest(), 1e-300)
    matrix = rows.matrix.times_rows(size)
    shift = size * rows.least - matrix @ lower
    # An equality may be missed on both sides.
    exact = np.flatnonzero(rows.is_equality)
    most = np.full(sides + len(exact), 1.0 + np.sum(np.abs(shift)) + np.sum(np.abs(upper - lower)))
    block = program.columns["whole_allowance"]
    part = small_program(
        program,
        {"above_lower": (0 * lower, upper - lower, block.stop > block.start), "infeasibility": (0 * most, most, False)},
        hstack([matrix.toscipy(), eye_array(sides), -eye_array(sides).tocsc()[:, exact]], format="csr"),
        (shift, np.where(rows.is_equality, shift, np.inf)),
        {"infeasibility": np.concatenate([np.zeros(units), np.ones(len(most))])},
    )
    outcome = solve(part, "infeasibility")
    if outcome.x is None or outcome.multipliers is None:
        return None
    infeasibility_t = float(part.objectives["infeasibility"].linear @ outcome.x)
    return Infeasibility(lower + outcome.x[:units], infeasibility_t, size * outcome.multipliers)


def small_program(
    program: Any,
    columns: Mapping[str, tuple[Any, Any, bool]],
    matrix: Any,
    row_limits: tuple[Any, Any],
    costs: Mapping[str, Any],
) -> Any:
    """Return a separate program of the type of another, to be solved through the engine.

    Parameters
    ----------
    columns
        Lower and upper bounds of each block, and True if its columns are integer.
    costs
        Linear objectives by name, over all columns; numbers without a unit.
    """
    starts = np.cumsum([0, *(len(lower) for lower, _, _ in columns.values())]).tolist()
    objective = type(next(iter(program.objectives.values())))
    return type(program)(
        type(program.matrix).fromscipy(matrix),
        *row_limits,
        np.concatenate([lower for lower, _, _ in columns.values()]),
        np.concatenate([upper for _, upper, _ in columns.values()]),
        np.concatenate([np.full(len(lower), whole) for lower, _, whole in columns.values()]),
        {"coupling": slice(0, matrix.shape[0])},
        {name: slice(*ends) for name, ends in zip(columns, pairwise(starts), strict=True)},
        {name: objective(cost, None, 0.0, "") for name, cost in costs.items()},
    )


def rates_needed(
    below: NDArray[np.float64], above: NDArray[np.float64], emissions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the rate that each unit alone needs to reach its interval, shape ``(units,)``.

    Parameters
    ----------
    below, above
        Tonnes by which its reference is below the interval, and above it; negative if it is not [t].
    """
    rates: NDArray[np.float64] = np.maximum(np.maximum(below, above), 0.0) / emissions
    return rates


def tonnes_within(rate: float, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the most whole tonnes that each unit may change within a rate, shape ``(units,)`` [t]."""
    tonnes: NDArray[np.float64] = np.floor(rate * emissions * (1 + RATE_TONNES_ROUNDING_RELATIVE))
    return tonnes


def is_above_zero(terms: NDArray[np.float64]) -> bool:
    """Return True if a sum of terms is above zero by more than its rounding."""
    return float(np.sum(terms)) > DUAL_PROOF_ROUNDING_RELATIVE * float(np.sum(np.abs(terms)))


def per_rate(
    duals: NDArray[np.float64],
    dual_activity: NDArray[np.float64],
    emissions: NDArray[np.float64],
    moves: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the duals of the rows in rate per tonne, scaled by the dual activity that units add per rate.

    Parameters
    ----------
    dual_activity, emissions
        Shape ``(units,)``.
    moves
        True for units that a larger rate lets change more, shape ``(units,)``.
    """
    adds = float(np.sum(np.abs(dual_activity) * emissions * moves))
    scaled: NDArray[np.float64] = duals / adds if adds > 0 else duals
    return scaled


SQUARES = {
    "least_squares": "least_squares",
    "equal_rates": "squared_rates",
    "proportional": "squared_shares",
    "equal_losses": "squared_losses",
}
"""Objective of each tie-break of the policy."""


def square_of(name: str, parameters: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights and centres of the squares of an objective, shape ``(units,)`` [t].

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    """
    emissions = parameters["emissions"]
    centre = parameters["at_target_rate" if name == "squared_rates" else "reference"]
    if name == "squared_shares":
        return 1 / parameters["per_reference"], centre
    if name == "squared_losses" and len(emissions):
        return np.full(len(emissions), 1 / parameters["per_mean_emissions"]), centre
    return emissions, centre


def before_rounding(instance: Instance) -> Instance:
    """Return the instance with real allowances if these are rounded later; else the same instance."""
    if not instance.policy.allocation.rounds:
        return instance
    return instance.with_policy({"allocation.integer_allowances": False})


def to_round(instance: Instance) -> Instance:
    """Return the instance for whole tonnes, with every limit but the order of rates."""
    return instance.with_policy({"allocation.intensity_order": False, "allocation.objectives": []})


def nearest_to(allowance: NDArray[np.float64]) -> dict[str, Any]:
    """Return the parameters of `allocation` that differ for whole tonnes near real allowances."""
    return {"ROUNDING_MEASURED": np.arange(len(allowance)), "reference": np.round(allowance, MOVE_START_DECIMALS)}
