r"""The least and the greatest price of every year at which the relaxation of a market clears.

If a year's demand meets a step of the supply of abatement, several prices clear it, and with banking the prices of the
years move together or apart. The prices of all optimal multipliers are a face of a polyhedron: multipliers are optimal
if and only if they are complementary to any one optimum of the relaxation. So

- the reduced cost of a flow is zero strictly between its bounds, at least zero at its lower bound, and at most zero at
  its upper bound;
- the multiplier of a row with slack is zero, and that of an inequality at most zero;
- a chosen plan has the value of its unit's reference plan, every other plan at least that.

The price of each year is minimised and maximised over this face, by two linear programs a year that start where the
last one ended. Plans are cuts: all units respond to the multipliers, and a better plan adds its row. The interval is
that of the relaxation, also with integer plans.

Flows within a little of their bounds count as there, so an end may lie beyond the face. At any multipliers, what the
optimum costs beyond their bound is the sum of each flow's distance from its best bound times its reduced cost, of each
slack times its multiplier, and of each unit's loss against its best plan. An end is stated only if that is no more than
the certificate of the price allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt.common.units import tolerance_of
from etsopt_models._columns.master import NO_MASKS
from etsopt_models._effort import PRICE_END_ROUNDS_MAX, PRICE_INTERVALS_MAX_ACCOUNT_YEARS
from etsopt_models._market.column_pool import PlanColumns
from etsopt_models._tolerances import (
    FLOW_AT_BOUND_RELATIVE,
    FRACTIONAL_SHARE_MIN,
    PRICE_BOUND_CNY_PER_T,
    PRICE_END_GAIN_RELATIVE,
    PRICE_EQUALITY_RELATIVE,
    PRICE_PROOF_RELATIVE,
    TYPICAL_PRICE_CNY_PER_T,
    UNLIMITED_PRICE_MIN_CNY_PER_T,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._columns.master import Master, Priced

BALANCES = ("account_balance", "market_balance")
"""Rows whose multipliers are prices; those of other rows may be free of any limit from this size on [CNY/t]."""


class Face:
    """The face of multipliers that are complementary to an optimum of the relaxation.

    Parameters
    ----------
    master
        Master at the vertex of the relaxation; its rows but `one_plan` have a multiplier each.
    share
        Share of each plan at hand at that vertex.
    """

    def __init__(self, master: Master, share: NDArray[np.float64]) -> None:
        self.master = master
        self.rows = {name: block for name, block in master.rows.items() if name != "one_plan"}
        self.position = np.full(max(block.stop for block in master.rows.values()), -1)
        count = 0
        self.blocks: dict[str, slice] = {}
        for name, block in self.rows.items():
            self.blocks[name] = slice(count, count + block.stop - block.start)
            self.position[block] = np.arange(count, self.blocks[name].stop)
            count = self.blocks[name].stop
        lower, upper = np.full(count, -PRICE_BOUND_CNY_PER_T), np.full(count, PRICE_BOUND_CNY_PER_T)
        typical = FLOW_AT_BOUND_RELATIVE * max(float(master.market.baseline.emissions.mean()), 1.0)
        program = master.grown.program
        for name, block in self.rows.items():
            if np.isinf(program.row_lower[block]).any():
                has_room = program_upper(master, name) - master.activity[name] > typical
                upper[self.blocks[name]] = 0.0
                lower[self.blocks[name]] = np.where(has_room, 0.0, -PRICE_BOUND_CNY_PER_T)
        self.program = master.market.relax.without_rows(lower, upper, TYPICAL_PRICE_CNY_PER_T)
        self.cost = np.zeros(count)
        # Slices of all bytes: to ask each row for its own takes four times as long.
        held, size = master.sets.tobytes(), master.sets[:1].nbytes
        self.cuts = {(unit, held[place * size : (place + 1) * size]) for place, unit in enumerate(master.unit.tolist())}
        self._flows(typical)
        self._plans(share)

    def _flows(self, typical: float) -> None:
        """Add the rows of the reduced costs of flows."""
        master = self.master
        program, linear = master.grown.program, master.grown.program.objectives["cost"].linear
        x = self.x = np.zeros(len(linear))
        for name, values in master.flows.items():
            x[master.columns[name]] = values
        skipped = program.column_lower == program.column_upper
        for name in ("choice", "unmet"):
            if name in master.columns:
                skipped[master.columns[name]] = True
        self.flows = np.flatnonzero(~skipped)
        at_lower, at_upper = x - program.column_lower <= typical, program.column_upper - x <= typical
        skipped |= at_lower & at_upper
        matrix = program.matrix
        entry = np.flatnonzero(~skipped[matrix.indices])
        entry = entry[np.argsort(matrix.indices[entry], kind="stable")]
        column, row = matrix.indices[entry], matrix.row_of_each()[entry]
        flows, first = np.unique(column, return_index=True)
        count = np.diff(np.append(first, len(column)))
        place = np.arange(len(column)) - np.repeat(first, count)
        places, values = (np.zeros((len(flows), int(count.max(initial=0)))) for _ in range(2))
        of = np.repeat(np.arange(len(flows)), count)
        places[of, place], values[of, place] = self.position[row], matrix.data[entry]
        # At its lower bound a flow has a reduced cost of at least zero: its multipliers do not exceed its cost.
        self._add(
            places.astype(np.int64),
            values,
            np.where(at_lower[flows], -np.inf, linear[flows]),
            np.where(at_upper[flows], np.inf, linear[flows]),
        )

    def _plans(self, share: NDArray[np.float64]) -> None:
        """Add the rows of the plans at hand relative to the plan of largest share of their unit."""
        master, count = self.master, len(share)
        base = master.base.columns
        self.reference = PlanColumns(base.unit, base.cost.copy(), base.demand_reduction.copy(), base.abated.copy())
        top = master.most_taken(share)
        for name in ("cost", "demand_reduction", "abated"):
            getattr(self.reference, name)[master.unit[top]] = getattr(master.plan_columns, name)[top]
        others = np.ones(count, dtype=bool)
        others[top] = False
        places = np.flatnonzero(others)
        self._cut(master.unit[places], master.plan_columns.select(places), share[places] > FRACTIONAL_SHARE_MIN)

    def _cut(self, unit: NDArray[np.int64], columns: PlanColumns, taken: NDArray[np.bool_]) -> None:
        """Add the rows of plans: chosen ones have the value of the reference, others at least that."""
        if not len(unit):
            return
        than = self.reference.select(unit)
        apart = PlanColumns(
            unit, *(getattr(columns, name) - getattr(than, name) for name in ("cost", "demand_reduction", "abated"))
        )
        places, values = self.master.entries(unit, apart)
        # The last entry is that of `one_plan`, which both have.
        places, values = self.position[places[:, :-1]], values[:, :-1]
        size = np.maximum(np.abs(values).max(axis=1), 1e-9)
        cost = apart.cost / size
        self._add(places, values / size[:, None], np.where(taken, cost, -np.inf), cost)

    def _add(
        self,
        places: NDArray[np.int64],
        values: NDArray[np.float64],
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
    ) -> None:
        if len(places):
            self.program.add_rows(
                *(part / TYPICAL_PRICE_CNY_PER_T for part in (lower, upper)), places, values / TYPICAL_PRICE_CNY_PER_T
            )

    def extreme(self, position: int, sign: float, known: float) -> dict[str, NDArray[np.float64]] | None:
        """Return multipliers by row of which one is least, or greatest if the sign is negative.

        None if none is found, or if it equals the known one: further plans only bring it nearer to that.
        """
        master = self.master
        everywhere = np.arange(len(self.cost))
        self.cost[:] = 0.0
        self.cost[position] = sign
        self.program.price(everywhere, self.cost)
        for _ in range(PRICE_END_ROUNDS_MAX):
            checkpoint()
            vertex = self.program.solve()
            if vertex is None or abs(vertex.x[position] - known) <= PRICE_EQUALITY_RELATIVE * max(1.0, abs(known)):
                return None
            multipliers = {name: vertex.x[block] for name, block in self.blocks.items()}
            prices = master.prices(multipliers)
            best, sets = master.best(prices, NO_MASKS)
            worth = master.worth(self.reference, prices)
            better = np.flatnonzero(worth - best > PRICE_END_GAIN_RELATIVE * (1 + np.abs(best)))
            # A plan that has its row already is better by the solver's rounding alone.
            has_row = [(unit, sets[unit].tobytes()) in self.cuts for unit in better.tolist()]
            better = better[~np.array(has_row, dtype=bool)]
            if not len(better):
                return multipliers
            self.cuts.update((unit, sets[unit].tobytes()) for unit in better.tolist())
            pool = master.base.of(master.plans, better, sets[better])
            self._cut(better, pool.columns, np.zeros(len(better), dtype=bool))
        return None

    def lost_at(self, multipliers: Mapping[str, NDArray[np.float64]]) -> float:
        """Return what the optimum costs beyond the bound at some multipliers [CNY]."""
        master, program = self.master, self.master.grown.program
        dual, lost = np.zeros(len(program.row_lower)), 0.0
        for name, block in self.rows.items():
            dual[block] = multipliers[name]
            if np.isinf(program.row_lower[block]).any():
                lost -= float(multipliers[name] @ np.maximum(program_upper(master, name) - master.activity[name], 0.0))
        matrix, flows = program.matrix, self.flows
        spent = np.bincount(matrix.indices, matrix.data * dual[matrix.row_of_each()], len(self.x))
        reduced = (program.objectives["cost"].linear - spent)[flows]
        above, below = self.x[flows] - program.column_lower[flows], program.column_upper[flows] - self.x[flows]
        # A flow without an upper bound has no cheaper end than the solver's rounding makes of it.
        lost += float(np.maximum(reduced, 0.0) @ above) - float(
            np.minimum(reduced, 0.0) @ np.where(below < np.inf, below, 0.0)
        )
        prices = master.prices(multipliers)
        return lost + float(
            np.maximum(master.worth(self.reference, prices) - master.best(prices, NO_MASKS)[0], 0.0).sum()
        )


def price_ends(master: Master, root: Priced) -> tuple[Mapping[str, NDArray[np.float64]], ...]:
    """Return the multipliers at the ends of each year's price interval that differ from the price itself.

    Parameters
    ----------
    root
        The relaxation, with the master at its vertex.
    """
    if "supply" not in master.market.extra or master.market.accounts.emissions.size > PRICE_INTERVALS_MAX_ACCOUNT_YEARS:
        return ()
    assert root.share is not None
    face, price = Face(master, root.share), root.multipliers["market_balance"]
    first = face.blocks["market_balance"].start
    # Half of what the certificate allows: a little demand at the distance of both prices, and rounding of the cost.
    demand = PRICE_PROOF_RELATIVE * float(master.market.baseline.emissions.mean(axis=1).sum())
    rounding = tolerance_of(root.value, "CNY") / 2 + PRICE_PROOF_RELATIVE * abs(root.value)
    ends = (
        face.extreme(first + year, sign, float(price[year])) for year in range(master.years) for sign in (1.0, -1.0)
    )
    # A multiplier of another row that nothing limits stays as at the price: one so large makes the certificate round.
    calm = (
        {
            name: part
            if name in BALANCES
            else np.where(np.abs(part) < UNLIMITED_PRICE_MIN_CNY_PER_T, part, root.multipliers[name])
            for name, part in end.items()
        }
        for end in ends
        if end is not None
    )
    return tuple(
        end
        for end in calm
        if face.lost_at(end) <= demand * float(np.abs(end["market_balance"] - price).sum()) + rounding
    )


def program_upper(master: Master, name: str) -> NDArray[np.float64]:
    """Return the upper limits of the rows of a component, with the fixed units subtracted."""
    return master.limits[name] if name in master.limits else master.grown.program.row_upper[master.rows[name]]
