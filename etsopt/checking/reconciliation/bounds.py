r"""Bound the distance of a reconciliation from its optimum in real numbers, for any multipliers.

The adjustment is $f(x) = \sum_i \phi_i(x_i) + \sum_s \psi_s(z_s)$ with $z = A x$, where every function is convex and
piecewise linear. For any multipliers $y$ of the statements

$$f(x) = \sum_i \bigl[\phi_i(x_i) - (A^T y)_i x_i\bigr] + \sum_s \bigl[\psi_s(z_s) + y_s z_s\bigr]$$

since the added terms cancel. Each bracket is at least its own minimum, which is at a kink or an end of its interval.
The gap of an answer is the sum, over all brackets, of their value above this minimum: terms of zero or more, formed by
`etsopt.checking.allocation.certificate`, with a bound of their rounding. Without gross errors, the quantities and sums
have the intervals that agree with reports and statements. The ends of an interval are bounded in the
same way: for $\min \sum_i c_i x_i$ over sums within limits, the gap is

$$\sum_i \Bigl[(c_i - (A^T y)_i)\, x_i - \min_x (c_i - (A^T y)_i)\, x\Bigr] + \sum_s |y_s|\, d_s$$

with the distance $d_s$ of the sum from the lower limit if $y_s > 0$, from the upper one if $y_s < 0$. A unit has
brackets of its own, and none is negative: the whole gap bounds that of every unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.certificate import DualActivity, Intervals, Kinked, units_gap, upward_each
from etsopt.checking.arithmetic import ROUNDOFF, gamma, sum_at_most, total
from etsopt.checking.reconciliation.evidence import CENTRAL
from etsopt.checking.tolerances import UNCERTAINTY_MARGIN_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.reconciliation.evidence import Evidence

CERTAINLY = 1 - 8 * ROUNDOFF
"""Part of a computed slope that the exact one has at least."""


def slopes(evidence: Evidence, counts: Mask) -> Floats:
    """Return the cost of a unit of distance from each report that counts, zero for the others."""
    return np.where(counts, 1 / evidence.quantities["uncertainty"].to_numpy(), 0.0)


def centred(evidence: Evidence, counts: Mask) -> Floats:
    """Return the cost of a unit of distance from most likely values: zero where a report tells of every quantity."""
    unknown = np.bincount(evidence.statement, ~counts[evidence.quantity], len(evidence.statements)) > 0
    rows = evidence.statements
    # A statement with a value has both sides.
    width = np.maximum((rows["upper"] - rows["lower"]) / 2, rows["uncertainty"]).to_numpy()
    return np.asarray(np.where(unknown & rows["value"].notna().to_numpy(), CENTRAL / width, 0.0))


def adjustment(
    evidence: Evidence, amount: Floats, counts: Mask, central: Floats | None, multipliers: Sequence[Floats]
) -> tuple[float, float]:
    """Return the adjustment at quantities, and an upper bound of what any others have less.

    Parameters
    ----------
    amount
        Quantities of the answer, shape ``(q,)``.
    counts
        True for quantities whose report counts, shape ``(q,)``.
    central
        What `centred` returns, for quantities that agree with all that counts; None before gross errors are known, when
        a figure may be off by any distance.
    multipliers
        Of the ranges and of the most likely values, shape ``(s,)`` each.
    """
    statements = evidence.statements
    nowhere = np.full(len(statements), np.inf)
    box, agreeing = limits(evidence, counts) if central is not None else (possible(evidence), (-nowhere, nowhere))
    central = np.zeros(len(statements)) if central is None else central
    weight = 1 / statements["uncertainty"].to_numpy()
    lower, upper, value = (statements[name].to_numpy() for name in ("lower", "upper", "value"))
    value = np.nan_to_num(value)
    sums, error = evidence.sums(amount)
    beyond = weight * np.abs(evidence.outside(amount)) + central * np.abs(sums - value)
    of_quantities, costs = _of_quantities(evidence, amount, slopes(evidence, counts), multipliers, box)
    far = 1.01 * evidence.reach
    ranges = _of_rows(sums, (lower, upper), weight, multipliers[0], agreeing, far)
    values = _of_rows(sums, (value, value), central, multipliers[1], agreeing, far)
    # Sums are rounded, which matters to their distance from the range as far as they may be outside of it.
    leaves = np.clip(error - np.minimum(sums - lower, upper - sums), 0.0, error)
    steep = central + np.abs(multipliers[0]) + np.abs(multipliers[1])
    value_of, rounding = sum_with_error(np.concatenate([costs, beyond]))
    return value_of, of_quantities + ranges + values + sum_at_most(1.01 * (weight * leaves + steep * error)) + rounding


def _of_quantities(
    evidence: Evidence, amount: Floats, slope: Floats, multipliers: Sequence[Floats], box: tuple[Floats, Floats]
) -> tuple[float, Floats]:
    """Return the gap of the brackets of quantities within a box, and the cost of each."""
    report = np.nan_to_num(evidence.quantities["reported"].to_numpy())
    first, second = (evidence.pulls(one) for one in multipliers)
    activity = DualActivity(first[0] + second[0], first[1] + second[1], 2 * evidence.terms + 2)
    # A pull that is weaker than the report's slope leaves the minimum at the report.
    held = np.abs(activity.at_unit) + 1.01 * activity.uncertain <= slope * CERTAINLY
    least, largest = np.where(held, report, box[0]), np.where(held, report, box[1])
    gap = units_gap(Intervals.around(amount, least, largest), [Kinked(report, -slope, slope)], activity)
    return gap, slope * np.abs(amount - report)


def _of_rows(
    sums: Floats,
    sides: tuple[Floats, Floats],
    weight: Floats,
    multiplier: Floats,
    agreeing: tuple[Floats, Floats],
    far: Floats,
) -> float:
    """Return the gap of the brackets of statements, whose functions rise by a weight beyond their sides.

    Parameters
    ----------
    sides
        Least and largest sum, infinite without one.
    agreeing
        Least and largest sum that agrees with the statement, infinite if all do.
    far
        Absolute value that no sum exceeds.
    """
    kinks, slopes, ends = [], [], []
    for side, sign in zip(sides, (-1.0, 1.0), strict=True):
        absent = np.isinf(side)
        kinks.append(np.where(absent, sums, side))
        slopes.append(np.where(absent, 0.0, weight))
        # Beyond the side the function falls no more unless the multiplier outweighs it.
        falls = -sign * multiplier > slopes[-1] * CERTAINLY
        ends.append(np.where(falls, np.clip(sign * far, *agreeing), kinks[-1]))
    pieces = [Kinked(kinks[0], -slopes[0], 0.0), Kinked(kinks[1], 0.0, slopes[1])]
    activity = DualActivity(-multiplier, np.abs(multiplier), 1)
    return units_gap(Intervals.around(sums, np.minimum(*ends), np.maximum(*ends)), pieces, activity)


def possible(evidence: Evidence) -> tuple[Floats, Floats]:
    """Return least and largest possible quantities."""
    most = evidence.quantities["most"].to_numpy()
    return np.zeros(len(most)), most


def limits(evidence: Evidence, counts: Mask) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return least and largest quantities, and least and largest sums, with which reports and statements agree."""
    quantities, statements = evidence.quantities, evidence.statements
    reported, most = quantities["reported"].to_numpy(), quantities["most"].to_numpy()
    off = quantities["uncertainty"].to_numpy() * (1 + UNCERTAINTY_MARGIN_RELATIVE)
    least = np.where(counts, np.maximum(reported - off, 0.0), 0.0)
    largest = np.where(counts, np.minimum(reported + off, most), most)
    off = statements["uncertainty"].to_numpy() * (1 + UNCERTAINTY_MARGIN_RELATIVE)
    return (least, largest), (statements["lower"].to_numpy() - off, statements["upper"].to_numpy() + off)


def end_of_interval(
    evidence: Evidence, amount: Floats, counts: Mask, factor: Floats, multiplier: Floats
) -> tuple[float, float]:
    """Return the sum of a factor times quantities, and an upper bound of what any agreeing ones have less."""
    (least, largest), (lower, upper) = limits(evidence, counts)
    sums, error = evidence.sums(amount)
    pull, size = evidence.pulls(multiplier)
    activity = DualActivity(pull - factor, size + np.abs(factor), evidence.terms + 2)
    of_quantities = units_gap(Intervals.around(amount, least, largest), [], activity)
    distance = np.select([multiplier > 0, multiplier < 0], [sums - lower, upper - sums])
    rows = sum_at_most(upward_each(np.abs(multiplier) * (np.maximum(distance, 0.0) + error)))
    value, rounding = sum_with_error(factor * amount)
    return value, of_quantities + rows + rounding


def sum_with_error(parts: Floats) -> tuple[float, float]:
    """Return the sum of computed products, and a bound of all their rounding."""
    value, error = total(parts)
    return value, error + gamma(8) * sum_at_most(np.abs(parts))
