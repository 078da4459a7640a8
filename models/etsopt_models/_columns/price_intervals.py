r"""The least and the greatest price of every year at which the relaxation of a market clears.

Where a year's demand meets a step of the supply of abatement, more than one price clears it, and with banking the years'
prices move together or apart. The prices of all optimal multipliers are a face of a polyhedron: of any one optimum of the
relaxation, multipliers are optimal if and only if they are complementary to it. So

- the reduced cost of a flow that lies strictly between its bounds is zero, at its lower bound not below zero, at its upper
  not above;
- the multiplier of a row that has room is zero, of an inequality none above;
- a plan that is taken has the value of its unit's reference plan, every other at least that.

The price of each year is minimised and maximised over this face, two linear programs a year that begin where the last one
ended. Plans are cuts: all units answer the multipliers that are found, and whoever would rather have another plan adds its
row. The interval is that of the relaxation, also where plans are whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.progress import checkpoint
from etsopt_models._columns.branches import NO_MASKS
from etsopt_models._columns.master import FRACTIONAL
from etsopt_models._market.column_generation import TYPICAL_CNY_PER_T
from etsopt_models._market.column_pool import PlanColumns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._columns.master import Master, Priced

NO_PRICE = 1e5
"""A price of so much and more is none: nothing limits it [CNY/t]."""

MOST_ACCOUNT_YEARS = 2_000
"""Of more accounts and years together no interval is sought: two hundred enterprises over ten years take seconds."""

INSIDE = 1e-7
"""A flow lies between its bounds, and a row has room, by more than this against the emissions of a typical unit."""

APART = 1e-6
"""Prices that differ by less, against the known one, are the same: so closely do multipliers of the solver repeat."""

ROUNDS = 200


class Face:
    """Multipliers that are complementary to an optimum of the relaxation.

    Parameters
    ----------
    master
        At the vertex of the relaxation; its rows but `one_plan` have a multiplier each.
    share
        Of each plan at hand there.
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
        lower, upper = np.full(count, -NO_PRICE), np.full(count, NO_PRICE)
        typical = INSIDE * max(float(master.market.baseline.emissions.mean()), 1.0)
        program = master.grown.program
        for name, block in self.rows.items():
            if np.isinf(program.row_lower[block]).any():
                has_room = program_upper(master, name) - master.activity[name] > typical
                upper[self.blocks[name]] = 0.0
                lower[self.blocks[name]] = np.where(has_room, 0.0, -NO_PRICE)
        self.program = master.market.relax.without_rows(lower, upper, TYPICAL_CNY_PER_T)
        self.cost = np.zeros(count)
        self.cuts = {(unit, chain.tobytes()) for unit, chain in zip(master.unit.tolist(), master.sets, strict=True)}
        self._flows(typical)
        self._plans(share)

    def _flows(self, typical: float) -> None:
        """Rows of the reduced costs of flows."""
        master = self.master
        program, linear = master.grown.program, master.grown.program.objectives["cost"].linear
        x = np.zeros(len(linear))
        for name, values in master.flows.items():
            x[master.columns[name]] = values
        skipped = program.column_lower == program.column_upper
        for name in ("choice", "unmet"):
            if name in master.columns:
                skipped[master.columns[name]] = True
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
        # What a flow costs less its multipliers: at its lower bound not below zero, so these are not above the cost.
        self._add(
            places.astype(np.int64),
            values,
            np.where(at_lower[flows], -np.inf, linear[flows]),
            np.where(at_upper[flows], np.inf, linear[flows]),
        )

    def _plans(self, share: NDArray[np.float64]) -> None:
        """Rows of the plans at hand against that of which their unit takes most."""
        master, count = self.master, len(share)
        base = master.base.columns
        self.reference = PlanColumns(base.unit, base.cost.copy(), base.demand_reduction.copy(), base.abated.copy())
        top = master.most_taken(share)
        for name in ("cost", "demand_reduction", "abated"):
            getattr(self.reference, name)[master.unit[top]] = getattr(master.plan_columns, name)[top]
        others = np.ones(count, dtype=bool)
        others[top] = False
        places = np.flatnonzero(others)
        self._cut(master.unit[places], master.plan_columns.kept(places), share[places] > FRACTIONAL)

    def _cut(self, unit: NDArray[np.int64], columns: PlanColumns, taken: NDArray[np.bool_]) -> None:
        """Rows of plans: those that are taken are worth what the reference is, others not less."""
        if not len(unit):
            return
        than = self.reference.kept(unit)
        apart = PlanColumns(
            unit, *(getattr(columns, name) - getattr(than, name) for name in ("cost", "demand_reduction", "abated"))
        )
        places, values = self.master.entries(unit, apart)
        # The last entry is that of `one_plan`, in which both stand.
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
                *(part / TYPICAL_CNY_PER_T for part in (lower, upper)), places, values / TYPICAL_CNY_PER_T
            )

    def extreme(self, position: int, sign: float, known: float) -> dict[str, NDArray[np.float64]] | None:
        """Multipliers by row of which one is least, or greatest where the sign is negative.

        None where none is found, and where it is no other than a known one: plans only bring it nearer to that.
        """
        master = self.master
        everywhere = np.arange(len(self.cost))
        self.cost[:] = 0.0
        self.cost[position] = sign
        self.program.price(everywhere, self.cost)
        for _ in range(ROUNDS):
            checkpoint()
            vertex = self.program.solve()
            if vertex is None or abs(vertex.x[position] - known) <= APART * max(1.0, abs(known)):
                return None
            multipliers = {name: vertex.x[block] for name, block in self.blocks.items()}
            prices = master.prices(multipliers)
            best, sets = master.best(prices, NO_MASKS)
            here = master.worth(self.reference, prices)
            better = np.flatnonzero(here - best > CUT * (1 + np.abs(best)))
            # Who has the row already would have another plan by the solver's rounding alone.
            has_row = [(unit, sets[unit].tobytes()) in self.cuts for unit in better.tolist()]
            better = better[~np.array(has_row, dtype=bool)]
            if not len(better):
                return multipliers
            self.cuts.update((unit, sets[unit].tobytes()) for unit in better.tolist())
            pool = master.base.of(master.plans, better, sets[better])
            self._cut(better, pool.columns, np.zeros(len(better), dtype=bool))
        return None


CUT = 1e-9
"""By what a plan is better than the reference by rounding alone, against its value."""


def price_ends(master: Master, root: Priced) -> tuple[Mapping[str, NDArray[np.float64]], ...]:
    """Multipliers at the ends of the interval of each year's price, where these are not the price itself.

    Parameters
    ----------
    root
        The relaxation, at whose vertex the master stands.
    """
    if "supply" not in master.market.extra or master.market.accounts.emissions.size > MOST_ACCOUNT_YEARS:
        return ()
    assert root.share is not None
    face, price = Face(master, root.share), root.multipliers["market_balance"]
    first = face.blocks["market_balance"].start
    ends = (
        face.extreme(first + year, sign, float(price[year])) for year in range(master.years) for sign in (1.0, -1.0)
    )
    return tuple(end for end in ends if end is not None)


def program_upper(master: Master, name: str) -> NDArray[np.float64]:
    """Upper limits of the rows of a component, with what those leave who do not choose."""
    return master.limits[name] if name in master.limits else master.grown.program.row_upper[master.rows[name]]
