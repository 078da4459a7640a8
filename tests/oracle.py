"""Independent answers for small instances of the rule ``given``: plain linear programs, and an exact projection.

Nothing of the models, the engine or the checker is used; limits are written down again from the policy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog, nnls

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt import Instance

Array = "NDArray[np.float64]"


@dataclass
class Polytope:
    """Rows ``matrix @ A <= limit`` over the allowances of all units [t]."""

    rows: list[Array] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)

    def at_most(self, row: Array, limit: float) -> None:
        self.rows.append(np.asarray(row, dtype=float))
        self.limits.append(float(limit))

    def at_least(self, row: Array, limit: float) -> None:
        self.at_most(-np.asarray(row, dtype=float), -limit)

    @property
    def matrix(self) -> Array:
        return np.array(self.rows)

    @property
    def limit(self) -> Array:
        return np.array(self.limits)


def limits_of(instance: Instance) -> Polytope:
    """Bands, targets, balances, the national total and the order of rates of an instance without fixed units."""
    units, policy, e = instance.units, instance.policy, instance.emissions_tco2e
    found = Polytope()
    down = np.array([policy.sectors[name].band.lower for name in units["sector"]])  # type: ignore[union-attr]
    up = np.array([policy.sectors[name].band.upper for name in units["sector"]])  # type: ignore[union-attr]
    by = "unit_id" if policy.allocation.band_on == "unit" else "enterprise_id"
    for name in sorted(set(units[by])):
        here = (units[by] == name).to_numpy(dtype=float)
        found.at_least(here, here @ (e * (1 - down)))
        found.at_most(here, here @ (e * (1 + up)))
    for unit in np.eye(len(e)):
        found.at_least(unit, 0.0)
    for name, sector in policy.sectors.items():
        here = (units["sector"] == name).to_numpy(dtype=float)
        target = here @ e * (1 + (sector.target_change or 0.0))
        found.at_most(here, target)
        if sector.target_sense == "exactly":
            found.at_least(here, target)
    balance = policy.provinces.balance
    for name in sorted(set(units["province"])):
        here = (units["province"] == name).to_numpy(dtype=float)
        share = balance.get(name) if isinstance(balance, dict) else balance
        if share is not None:
            found.at_most(here, here @ e * (1 + share))
            found.at_least(here, here @ e * (1 - share))
    if policy.national is not None:
        found.at_most(np.ones(len(e)), e.sum() * (1 + (policy.national.target_change or 0.0)))
    for first, second in product(range(len(e)), repeat=2) if policy.allocation.fair_order else ():
        if units["sector"][first] == units["sector"][second] and instance.intensity[first] <= instance.intensity[second]:
            row = np.zeros(len(e))
            row[first], row[second] = 1 / e[first], -1 / e[second]
            # In tonnes of the smaller unit, so that no row is tiny beside the others.
            found.at_least(row * min(e[first], e[second]), 0.0)
    return found


def kinks(instance: Instance, level: str) -> tuple[Array, Array, Array]:
    """Slopes left and right of each unit's kink, and the kink; the level is the sum of these functions of A."""
    e, r = instance.emissions_tco2e, instance.units["reference_t"].to_numpy(dtype=float)
    one = np.ones(len(e))
    if level == "change":
        return -one, one, r
    if level == "deficit":
        return -one, 0 * one, e
    sector = instance.units["sector"]
    rate = sector.map({name: policy.target_change or 0.0 for name, policy in instance.policy.sectors.items()})
    return -one / e.sum(), one / e.sum(), e * (1 + rate.to_numpy(dtype=float))


def least(instance: Instance, held: Polytope, level: str) -> float:
    """Least value of a level over a polytope."""
    e, r = instance.emissions_tco2e, instance.units["reference_t"].to_numpy(dtype=float)
    count, size = len(e), float(e.max())
    if level == "worst":
        # Variables: A / size and the rate.
        rows = [np.hstack([held.matrix, np.zeros((len(held.rows), 1))])]
        limits = [held.limit / size]
        for sign in (1, -1):
            rows.append(np.hstack([sign * np.eye(count), -(e / size)[:, np.newaxis]]))
            limits.append(sign * r / size)
        cost = np.array([0.0] * count + [1.0])
    else:
        left, right, kink = kinks(instance, level)
        rows = [np.hstack([held.matrix, np.zeros((len(held.rows), count))])]
        limits = [held.limit / size]
        for slope in (left, right):
            rows.append(np.hstack([np.diag(slope), -np.eye(count)]))
            limits.append(slope * kink / size)
        cost = np.array([0.0] * count + [1.0] * count)
    solution = linprog(cost, np.vstack(rows), np.concatenate(limits), bounds=(None, None), method="highs-ds")
    assert solution.status == 0, solution.message
    return float(solution.fun) * (1.0 if level == "worst" else size)


def hold(instance: Instance, held: Polytope, level: str, value: float) -> None:
    """Add what says that a level is at most a value: a sum of kinks is so where each choice of its sides is."""
    e, r = instance.emissions_tco2e, instance.units["reference_t"].to_numpy(dtype=float)
    if level == "worst":
        for unit, reference, room in zip(np.eye(len(e)), r, value * e, strict=True):
            held.at_most(unit, reference + room)
            held.at_least(unit, reference - room)
        return
    left, right, kink = kinks(instance, level)
    # In tonnes, so that no row is tiny beside the others.
    unit = 1 / float(np.abs(left).max())
    for sides in product((False, True), repeat=len(e)):
        slopes = np.where(sides, right, left) * unit
        held.at_most(slopes, value * unit + slopes @ kink)


def closest(instance: Instance, held: Polytope) -> Array:
    """The point of a polytope with the least sum of (A - R)²/E: least distance programming by Lawson and Hanson.

    With z = (A - R)/sqrt(E) it is the point of {G z >= h} nearest to zero, which a non-negative least-squares problem
    gives in finitely many exact steps.
    """
    e, r = instance.emissions_tco2e, instance.units["reference_t"].to_numpy(dtype=float)
    size = float(np.sqrt(e.max()))
    g = -held.matrix * np.sqrt(e) / size
    h = (held.matrix @ r - held.limit) / size
    scale = np.maximum(np.linalg.norm(g, axis=1), 1e-12)
    g, h = g / scale[:, np.newaxis], h / scale
    reach = max(float(np.abs(h).max()), 1e-9)
    left = np.vstack([g.T, h / reach])
    right = np.zeros(len(e) + 1)
    right[-1] = 1.0
    weights, _ = nnls(left, right, maxiter=100 * left.shape[1])
    rest = right - left @ weights
    # Only directions matter: rest[-1] is positive where the polytope is not empty.
    assert rest[-1] > 0
    z = -rest[:-1] / rest[-1] * reach
    return r + np.sqrt(e) * z
