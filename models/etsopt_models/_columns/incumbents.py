"""Incumbents: integer plans that clear the market, found by rounding the relaxation and by diving."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._columns.branches import NO_MASKS
from etsopt_models._effort import (
    DIVE_FIXES_ONE_IN,
    DIVE_ROUNDS_MAX,
    ROUNDED_PLANS_MAX,
    ROUNDED_UNITS_MAX,
    ROUNDING_TURNS_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._columns.branches import Masks
    from etsopt_models._columns.master import Master, Priced


@dataclass
class Incumbent:
    """The best integer plans so far: cost, gross spending, and chains of the units that choose.

    Parameters
    ----------
    value, spent
        Cost of all, and its positive parts, the measure of a gap if the cost is near zero [CNY].
    chosen
        Chain of every unit that may choose; the others keep their fixed plan.
    """

    value: float = np.inf
    spent: float = 0.0
    chosen: dict[int, NDArray[np.int16]] = field(default_factory=dict)

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """The units that may choose, and their chains."""
        return np.array(list(self.chosen), dtype=np.int64), np.stack(list(self.chosen.values()))

    def allowed(self, gap: float) -> float:
        """Return a relative gap in CNY; zero without an answer."""
        return gap * max(abs(self.value), self.spent) if np.isfinite(self.value) else 0.0

    def update(self, master: Master, value: float, picked: Mapping[int, int]) -> None:
        """Take other plans, given by position in the pool, if they cost less."""
        if not value < self.value:
            return
        costs = np.maximum(master.plan_columns.cost[list(picked.values())], 0.0).sum()
        self.value, self.spent = value, float(costs) + master.other_spending(np.array(list(picked), dtype=np.int64))
        self.chosen = {unit: master.sets[plan].copy() for unit, plan in picked.items()}


def round_relaxation(master: Master, priced: Priced, masks: Masks, incumbent: Incumbent) -> None:
    """Give every unit its plan of largest share; let fractional units try their other plans, the largest first.

    A plan whose reduced cost exceeds the distance to the incumbent cannot improve it, for the bound rises by as much.
    """
    share = priced.share
    assert share is not None
    first = master.most_taken(share)
    picked = dict(zip(master.unit[first].tolist(), first.tolist(), strict=True))
    value = value_of(master, picked)
    incumbent.update(master, value, picked)
    fractional, allowed = master.fractional(share)[:ROUNDED_UNITS_MAX].tolist(), master.allowed(masks)
    prices = master.prices(priced.multipliers)
    dearer = master.values(prices) - master.best(prices, masks)[0][master.unit]
    spent = priced.bound + float(dearer[list(picked.values())].sum())
    for _time in range(ROUNDING_TURNS_MAX):
        moved = False
        for unit in fractional:
            checkpoint()
            mine = np.flatnonzero((master.unit == unit) & allowed)
            for plan in mine[np.argsort(dearer[mine], kind="stable")][:ROUNDED_PLANS_MAX].tolist():
                now = picked[unit]
                least = spent + dearer[plan] - dearer[now]
                if plan == now or least >= min(value, incumbent.value):
                    continue
                other = picked | {unit: plan}
                trial = value_of(master, other)
                if trial < value:
                    value, picked, spent, moved = trial, other, least, True
                    incumbent.update(master, value, picked)
        if not moved:
            return


def dive(master: Master, priced: Priced, incumbent: Incumbent, gap: float) -> None:
    """Dive: fix the largest fractional units at their plan of largest share and price again, until few are fractional.

    Smaller units balance the excess of the fixed ones; the last are rounded.
    """
    share, only = priced.share, dict[int, int]()
    assert share is not None
    for number in range(DIVE_ROUNDS_MAX):
        checkpoint(_("plans for all, round"), number + 1)
        fractional = master.fractional(share)
        if len(fractional) <= ROUNDED_UNITS_MAX:
            current = priced._replace(share=share)
            round_relaxation(master, current, NO_MASKS, incumbent)
        if not len(fractional) or incumbent.value - priced.bound <= incumbent.allowed(gap):
            return
        first = master.most_taken(share)
        to_fix = np.isin(master.unit[first], fractional[: max(1, len(fractional) // DIVE_FIXES_ONE_IN)])
        only |= dict(zip(master.unit[first[to_fix]].tolist(), first[to_fix].tolist(), strict=True))
        master.close(NO_MASKS, only)
        vertex = master.solve()
        if vertex is not None:
            # The others have the plan that they had, and pricing them all would take most of the time.
            units = master.fractional(vertex[1])
            gain, sets = master.gains_of(units, master.prices(vertex[2]))
            if master.add(units[gain > 0], sets[gain > 0]):
                master.close(NO_MASKS, only)
                vertex = master.solve()
        if vertex is None or vertex[0] >= incumbent.value:
            return
        share = vertex[1]


def value_of(master: Master, picked: Mapping[int, int]) -> float:
    """Return the cost with one plan for every unit; infinite if the market does not clear with them."""
    master.close(NO_MASKS, picked)
    vertex = master.solve(again=False)
    return np.inf if vertex is None else vertex[0]
