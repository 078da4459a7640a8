"""Independent answers for small instances of the rule ``given``: plain linear programs, and an exact projection.

Nothing of the models, the engine or the checker is used; limits are written down again from the policy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from etsopt import Instance

    Array: TypeAlias = NDArray[np.float64]


@dataclass
class Polytope:
    """Rows ``matrix @ A <= limit`` over the allowances of all units [t]."""

    rows: list[Array] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    gives: list[bool] = field(default_factory=list)
    """Whether a row may give way where there is no allocation: targets, balances and the national total."""

    def at_most(self, row: Array, limit: float, gives: bool = False) -> None:
        self.rows.append(np.asarray(row, dtype=float))
        self.limits.append(float(limit))
        self.gives.append(gives)

    def at_least(self, row: Array, limit: float, gives: bool = False) -> None:
        self.at_most(-np.asarray(row, dtype=float), -limit, gives)

    @property
    def matrix(self) -> Array:
        return np.array(self.rows)

    @property
    def limit(self) -> Array:
        return np.array(self.limits)


def extrapolated(instance: Instance, order: list[str], slack: float = 0.2) -> tuple[list[float], Array]:
    """Values of the levels and the one answer, where nothing had any slack.

    A polytope without an inner point is beyond any method with tolerances. With a little slack everywhere it has one,
    and answers are piecewise linear in the slack, so two of them tell the answer without.
    """
    (near, a), (far, b) = answer(instance, order, slack), answer(instance, order, 2 * slack)
    return [2 * x - y for x, y in zip(near, far, strict=True)], 2 * a - b


def answer(instance: Instance, order: list[str], slack: float) -> tuple[list[float], Array]:
    """Values of the levels in their order, and the allowances of the last step, with some slack [t] in every row."""
    held, values = limits_of(instance), []
    held.limits = [limit + slack for limit in held.limits]
    for level in order:
        values.append(least(instance, held, level))
        unit = 1.0 if level in ("change", "deficit") else 1.0 / float(instance.emissions_tco2e.max())
        hold(instance, held, level, values[-1] + slack * unit)
    return values, closest(instance, held)


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
        if sector.target_change is None and sector.target_sense is None:
            # The rule ``given`` balances no sector.
            continue
        here = (units["sector"] == name).to_numpy(dtype=float)
        target = here @ e * (1 + (sector.target_change or 0.0))
        found.at_most(here, target, gives=True)
        if sector.target_sense == "exactly":
            found.at_least(here, target, gives=True)
    balance = policy.provinces.balance
    for name in sorted(set(units["province"])):
        here = (units["province"] == name).to_numpy(dtype=float)
        share = balance.get(name) if isinstance(balance, dict) else balance
        if share is not None:
            found.at_most(here, here @ e * (1 + share), gives=True)
            found.at_least(here, here @ e * (1 - share), gives=True)
    if policy.national is not None:
        found.at_most(np.ones(len(e)), e.sum() * (1 + (policy.national.target_change or 0.0)), gives=True)
    for first, second in permutations(range(len(e)), 2) if policy.allocation.intensity_order else ():
        if (
            units["sector"][first] == units["sector"][second]
            and instance.intensity[first] <= instance.intensity[second]
        ):
            row = np.zeros(len(e))
            row[first], row[second] = 1 / e[first], -1 / e[second]
            # In tonnes of the smaller unit, so that no row is tiny beside the others.
            found.at_least(row * min(e[first], e[second]), 0.0)
    return found


def least_relief(instance: Instance) -> float:
    """Tonnes by which targets, balances and the national total have to give way, at least; bands and order stand."""
    held, size = limits_of(instance), float(instance.emissions_tco2e.max())
    soft = np.flatnonzero(held.gives)
    matrix = np.hstack([held.matrix, np.zeros((len(held.rows), len(soft)))])
    matrix[soft, len(instance.units) + np.arange(len(soft))] = -1.0
    cost = np.concatenate([np.zeros(len(instance.units)), np.ones(len(soft))])
    exact = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10, "presolve": False}
    solution = linprog(cost, matrix, held.limit / size, method="highs-ds", options=exact)
    assert solution.status == 0, solution.message
    return float(solution.fun) * size


def kinks(instance: Instance, level: str) -> tuple[Array, Array, Array]:
    """Slopes left and right of each unit's kink, and the kink; the level is the sum of these functions of A."""
    e, r = instance.emissions_tco2e, instance.units["reference_t"].to_numpy(dtype=float)
    one = np.ones(len(e))
    if level == "change":
        return -one, one, r
    if level == "deficit":
        return -one, 0 * one, e
    sector = instance.units["sector"]
    stated = {name: policy.target_change for name, policy in instance.policy.sectors.items()}
    own = {name: r[sector == name].sum() / e[sector == name].sum() - 1 for name in stated}
    rate = sector.map({name: own[name] if change is None else change for name, change in stated.items()})
    return -one / e.sum(), one / e.sum(), e * (1 + rate.to_numpy(dtype=float))


def least(instance: Instance, held: Polytope, level: str) -> float:
    """Least value of a level over a polytope."""
    e, r = instance.emissions_tco2e, instance.units["reference_t"].to_numpy(dtype=float)
    count, size = len(e), float(e.max())
    if level == "largest_change":
        # Variables: A / size and the rate.
        rows = [np.hstack([held.matrix, np.zeros((len(held.rows), 1))])]
        limits = [held.limit / size]
        for sign in (1, -1):
            rows.append(np.hstack([sign * np.eye(count), -(e / size)[:, np.newaxis]]))
            limits.append(sign * r / size)
        cost = np.array([0.0] * count + [1.0])
    else:
        left, right, kink = kinks(instance, level)
        # In tonnes, whatever the level's unit, for the solver's absolute tolerances.
        unit = float(np.abs(left).max())
        left, right = left / unit, right / unit
        rows = [np.hstack([held.matrix, np.zeros((len(held.rows), count))])]
        limits = [held.limit / size]
        for slope in (left, right):
            rows.append(np.hstack([np.diag(slope), -np.eye(count)]))
            limits.append(slope * kink / size)
        cost = np.array([0.0] * count + [1.0] * count)
    exact = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10, "presolve": False}
    solution = linprog(
        cost, np.vstack(rows), np.concatenate(limits), bounds=(None, None), method="highs-ds", options=exact
    )
    assert solution.status == 0, solution.message
    return float(solution.fun) * (1.0 if level == "largest_change" else size * unit)


def hold(instance: Instance, held: Polytope, level: str, value: float) -> None:
    """Add what says that a level is at most a value: a sum of kinks is so where each choice of its sides is."""
    e, r = instance.emissions_tco2e, instance.units["reference_t"].to_numpy(dtype=float)
    if level == "largest_change":
        for unit, reference, room in zip(np.eye(len(e)), r.tolist(), (value * e).tolist(), strict=True):
            held.at_most(unit, reference + room)
            held.at_least(unit, reference - room)
        return
    left, right, kink = kinks(instance, level)
    # In tonnes, so that no row is tiny beside the others.
    size = 1 / float(np.abs(left).max())
    for sides in product((False, True), repeat=len(e)):
        slopes = np.where(sides, right, left) * size
        if slopes.any():
            held.at_most(slopes, value * size + float(slopes @ kink))


def closest(instance: Instance, held: Polytope) -> Array:
    """The point of a polytope with the least sum of (A - R)²/E, by the dual active-set method of Goldfarb and Idnani.

    With z = (A - R)/sqrt(E) it is the point of {G z >= h} nearest to zero. Rows enter one at a time, the most violated
    first; the way is finite and every step is a small least-squares problem.
    """
    e, r = instance.emissions_tco2e, instance.units["reference_t"].to_numpy(dtype=float)
    g = -held.matrix * np.sqrt(e)
    h = held.matrix @ r - held.limit
    size = np.linalg.norm(g, axis=1)
    g, h = g / size[:, np.newaxis], h / size
    z, active, prices = np.zeros(len(e)), list[int](), np.zeros(0)
    for _ in range(10_000):
        missing = h - g @ z
        entering = int(np.argmax(missing))
        if missing[entering] <= 1e-9:
            return r + np.sqrt(e) * z
        price = 0.0
        while True:
            z, active, prices, price, entered = _step(g, h, z, active, prices, entering, price)
            if entered:
                break
    raise AssertionError("the projection does not end")


def _step(
    g: Array, h: Array, z: Array, active: list[int], prices: Array, entering: int, price: float
) -> tuple[Array, list[int], Array, float, bool]:
    """One step towards an entering row: to it, or until the price of an active row is zero, which then leaves."""
    normal = g[entering]
    share = np.linalg.lstsq(g[active].T, normal, rcond=None)[0] if active else np.zeros(0)
    way = normal - g[active].T @ share if active else normal
    room = float(way @ normal)
    full = float(h[entering] - normal @ z) / room if room > 1e-12 else np.inf
    falls = share > 1e-12
    partial = float(np.min(prices[falls] / share[falls], initial=np.inf))
    length = min(full, partial)
    assert np.isfinite(length), "the polytope is empty"
    z = z + length * way if room > 1e-12 else z
    prices, price = prices - length * share, price + length
    if full <= partial:
        return z, [*active, entering], np.append(prices, price), price, True
    leaving = int(np.flatnonzero(falls)[np.argmin(prices[falls])])
    return z, active[:leaving] + active[leaving + 1 :], np.delete(prices, leaving), price, False
