"""An independent answer for markets of one self-balancing year: the balance value is repeated around a plain program.

Nothing of the models, the engine or the checker is used but the instance itself. Every plan of every unit is listed,
parts of plans are allowed, and the linear program of scipy is written down again from the page of `clearing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.optimize import brentq, linprog

from tests.market_oracle import SCALE_CNY, SCALE_T, Columns, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    import etsopt

    Array: TypeAlias = NDArray[np.float64]

SLOPE, CAP = 0.15, 0.03
"""Slope and cap of the surplus rate in the plan of 2025."""

PASSES, SAME = 60, 1e-11
"""Most passes, and the relative change of balance values that counts as none."""

KEPT = 1e-9
"""By what a row of a fixed point may be missed, relative to the emissions of its sector."""


@dataclass(frozen=True)
class Plans:
    """All plans of all units: unit, sector, cost [CNY], emissions [tCO2e], intensity [t/t]."""

    unit: NDArray[np.int64]
    sector: NDArray[np.int64]
    cost: Array
    emissions: Array
    intensity: Array


@dataclass(frozen=True)
class Solved:
    """Least cost [CNY], and emissions of the chosen parts of plans [tCO2e]."""

    cost: float
    emitted: Array


class Market:
    """A market of 2025 under the plan of that year, whose units emit more than its threshold."""

    def __init__(self, instance: etsopt.Instance) -> None:
        self.instance, units = instance, instance.units
        self.names, sector = np.unique(units["sector"].to_numpy(dtype=str), return_inverse=True)
        self.owners, self.owner = np.unique(units["enterprise_id"].to_numpy(dtype=str), return_inverse=True)
        self.emissions = units["emissions_tco2e"].to_numpy(dtype=float)
        self.plans = _plans_of(instance, sector)
        self.unabated = np.bincount(sector, self.emissions)

    def balance_values(self, emitted: Array) -> Array:
        """Balance value of each sector at which allowances equal emissions, by root finding [t/t]."""
        found = []
        for number in range(len(self.names)):
            here = (self.plans.sector == number) & (emitted > 1e-9 * self.unabated[number])
            weight, intensity = emitted[here], self.plans.intensity[here]

            def excess(value: float, weight: Array = weight, intensity: Array = intensity) -> float:
                return float(weight @ np.clip(SLOPE * (1 - intensity / value), -CAP, CAP))

            low, high = 0.8 * intensity.min(), 1.3 * intensity.max()
            found.append(float(brentq(excess, low, high, xtol=1e-300, rtol=1e-14)))
        return np.array(found)

    def surplus(self, value: Array) -> Array:
        """Surplus rate of each plan at a balance value of every sector, zero at NaN: a plan then gets its emissions."""
        rate = np.clip(SLOPE * (1 - self.plans.intensity / value[self.plans.sector]), -CAP, CAP)
        return np.nan_to_num(rate)

    def unmet_t(self) -> float:
        """Least unmet demand if every plan gets its emissions, as sectors do at every balance value [t]."""
        nothing = np.full(len(self.names), np.nan)
        columns, rows = self._program(nothing, None, unmet=True)
        return SCALE_T * _least(columns, rows)[0]

    def at(self, value: Array, held: NDArray[Any], fixed: bool = False) -> Solved | None:
        """Solve the market at balance values and emissions held; None if it does not clear.

        Parameters
        ----------
        fixed
            Ask as well for allowances equal to emissions, and emissions equal to those held if shares are paid.
        """
        columns, rows = self._program(value, held, unmet=False)
        if fixed:
            for number in range(len(self.names)):
                here = np.flatnonzero(self.plans.sector == number)
                near, emitted = KEPT * self.unabated[number] / SCALE_T, self.plans.emissions[here] / SCALE_T
                rows.add(list(zip(here, emitted * self.surplus(value)[here], strict=True)), -near, near)
                if _number(self.instance.policy.market.paid_share):
                    own = held[number] / SCALE_T
                    rows.add(list(zip(here, emitted, strict=True)), own - near, own + near)
        least, x = _least(columns, rows)
        return Solved(SCALE_CNY * least, x[: len(self.plans.unit)] * self.plans.emissions) if len(x) else None

    def repeated(self, start: float = 1.0) -> tuple[Array, float] | None:
        """Balance values that repeat, and the cost there; None if the passes do not end.

        Parameters
        ----------
        start
            First balance values, as a share of those before abatement.
        """
        before = np.where(np.isin(np.arange(len(self.plans.unit)), self._idle), self.plans.emissions, 0.0)
        value, held = start * self.balance_values(before), self.unabated
        for _ in range(PASSES):
            found = self.at(value, held)
            if found is None:
                return None
            own, emitted = self.balance_values(found.emitted), np.bincount(self.plans.sector, found.emitted)
            if np.allclose(own, value, rtol=SAME, atol=0) and np.allclose(emitted, held, rtol=SAME, atol=0):
                return value, found.cost
            value, held = own, emitted
        return None

    @property
    def _idle(self) -> NDArray[Any]:
        """First plan of every unit, without measures."""
        return np.searchsorted(self.plans.unit, np.arange(len(self.emissions)))

    def _program(self, value: Array, held: Array | None, unmet: bool) -> tuple[Columns, Rows]:
        """Write the program of the page down: plans, accounts of enterprises, and the market."""
        market, plans, columns, rows = self.instance.policy.market, self.plans, Columns(), Rows()
        priced, paid = not unmet, 0.0 if held is None else _number(market.paid_share)
        none = np.zeros(len(self.owners))
        share = columns.add(np.zeros(len(plans.unit)), np.ones(len(plans.unit)), priced * plans.cost / SCALE_CNY)
        per_t = priced * SCALE_T / SCALE_CNY
        most = (3 * self.emissions.sum() + abs(_number(market.external_demand_t)) + market.reserve_t) / SCALE_T
        bought, sold = (columns.add(none, none + most, per_t * market.transaction_cost_cny_per_t) for _ in range(2))
        offsets = columns.add(none, none + most, per_t * _number(market.ccer_price_cny_per_t))
        kept = columns.add(none, none + most, -per_t * market.terminal_price_cny_per_t)
        for unit in range(len(self.emissions)):
            rows.add([(int(j), 1.0) for j in np.flatnonzero(plans.unit == unit)], 1.0, 1.0)
        free = plans.emissions * (1 + self.surplus(value)) * (1 - paid)
        for account in range(len(self.owners)):
            here = np.flatnonzero(self.owner[plans.unit] == account)
            need = list(zip(share[here], (free - plans.emissions)[here] / SCALE_T, strict=True))
            trades = [(bought[account], 1.0), (sold[account], -1.0), (offsets[account], 1.0), (kept[account], -1.0)]
            rows.add([*trades, *need], 0.0, 0.0)
            due = list(zip(share[here], -market.ccer_share * plans.emissions[here] / SCALE_T, strict=True))
            rows.add([(offsets[account], 1.0), *due], -np.inf, 0.0)
        rows.add([(int(j), 1.0) for j in offsets], -np.inf, _number(market.ccer_supply_t) / SCALE_T)
        auctioned = _number(market.auctioned_t) + paid * (0.0 if held is None else float(held.sum()))
        unsold = columns.add(np.zeros(1), np.full(1, auctioned / SCALE_T))
        ceiling = _number(market.ceiling_price_cny_per_t)
        released = columns.add(np.zeros(1), np.full(1, market.reserve_t * (ceiling > 0) / SCALE_T), per_t * ceiling)
        lacking = columns.add(np.zeros(1), np.full(1, most * unmet), 1.0)
        traded = [(int(j), 1.0) for j in bought] + [(int(j), -1.0) for j in sold]
        supply = (auctioned - _number(market.external_demand_t)) / SCALE_T
        last = [(int(unsold[0]), 1.0), (int(released[0]), -1.0), (int(lacking[0]), -1.0)]
        rows.add([*traded, *last], supply, supply)
        return columns, rows


def _plans_of(instance: etsopt.Instance, sector: NDArray[np.int64]) -> Plans:
    """List every set of the measures of every unit, the empty one first."""
    table, found = instance.measures, []
    for place, unit in enumerate(instance.units.to_dict("records")):
        rows = [] if table is None else [row for row in table.to_dict("records") if row["unit_id"] == unit["unit_id"]]
        for taken in product([False, True], repeat=len(rows)):
            own = [row for row, takes in zip(rows, taken, strict=True) if takes]
            left = float(np.prod([1 - row["abatement_rate"] for row in own]))
            cost = sum(row["variable_opex_cny_per_t"] for row in own) * unit["output_t"]
            emitted = unit["emissions_tco2e"] * left
            found.append((place, sector[place], cost, emitted, emitted / unit["output_t"]))
    unit_, sector_, *rest = (np.array(part) for part in zip(*found, strict=True))
    return Plans(unit_, sector_, *rest)


def _number(stated: Any) -> float:
    return 0.0 if stated is None else float(stated)


def _least(columns: Columns, rows: Rows) -> tuple[float, Array]:
    """Least value of a linear program, in its own scale, and its solution; no solution if it is infeasible."""
    matrix = np.zeros((len(rows.lower), len(columns.lower)))
    for row, column, entry in rows.entries:
        matrix[row, column] += entry
    lower, upper = np.array(rows.lower), np.array(rows.upper)
    equal = lower == upper
    bounded = [(matrix[~equal], upper[~equal]), (-matrix[~equal], -lower[~equal])]
    above = np.concatenate([part[np.isfinite(limit)] for part, limit in bounded])
    limits = np.concatenate([limit[np.isfinite(limit)] for _, limit in bounded])
    found = linprog(
        columns.cost, above, limits, matrix[equal], lower[equal],
        np.column_stack([columns.lower, columns.upper]),
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    assert found.status in (SOLVED, INFEASIBLE), found.message
    return (float(found.fun), found.x) if found.status == SOLVED else (np.inf, np.zeros(0))


SOLVED, INFEASIBLE = 0, 2
"""What scipy calls how a program ended."""
