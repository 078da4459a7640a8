"""Derive the measures of every unit: exclusions, requirements, cost and abatement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.readings.families import Family, SlotGroup
from etsopt.checking.readings.offers import offers_in, on_offer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.instance_inputs import InstanceInputs

NOT_ON_OFFER = -1


@dataclass(frozen=True)
class Choices:
    """Measures of every unit in slots, shape ``(units, slots)``; a unit's measures fill its first slots.

    A measure that is built in steps has neighbouring slots, one for each.

    Parameters
    ----------
    names
        Every measure by its code, the output cut last.
    code
        Position of each measure in ``names``, -1 in an empty slot.
    step, steps
        Which step of its measure a slot is, from 1 on, and how many there are.
    alone
        Share of emissions that a slot abates by itself.
    left, intensity_left, output_left
        Share of emissions, of intensity, and of output, that a measure leaves.
    fixed
        Yearly cost, whatever the output [CNY].
    variable
        Cost per tonne of the year's output [CNY/t].
    growth, base_year
        Factor of both costs from year to year, and the year in which they are stated.
    first_year
        Earliest compliance year.
    group
        Code of the exclusive group, -1 without one.
    stops
        True for a measure that may stop.
    required
        Codes of the required measures, padded with -2; -1 for one that the unit is not offered,
        shape ``(units, slots, most required)``.
    """

    names: NDArray[np.object_]
    code: NDArray[np.int64]
    step: NDArray[np.int64]
    steps: NDArray[np.int64]
    alone: NDArray[np.float64]
    left: NDArray[np.float64]
    intensity_left: NDArray[np.float64]
    output_left: NDArray[np.float64]
    fixed: NDArray[np.float64]
    variable: NDArray[np.float64]
    growth: NDArray[np.float64]
    first_year: NDArray[np.int64]
    group: NDArray[np.int64]
    stops: NDArray[np.bool_]
    required: NDArray[np.int64]
    base_year: int

    def factor(self, year: int) -> NDArray[np.float64]:
        """Return the factor of the costs in a compliance year, shape ``(units, slots)``."""
        factor: NDArray[np.float64] = self.growth ** (int(year) - self.base_year)
        return factor

    @cached_property
    def kinds(self) -> tuple[NDArray[np.int64], list[Family]]:
        """Kind of each unit, shape ``(units,)``, and the sets of measures of each kind.

        Units of a kind have measures in the same slots, and the same of them in a group, in a line and stopping.
        """
        first = np.full(self.code.shape, NOT_ON_OFFER)
        for slot in range(self.code.shape[1]):
            same = (self.group == self.group[:, [slot]]) & (self.group[:, [slot]] >= 0)
            first[:, slot] = np.where(same.any(axis=1), same.argmax(axis=1), slot)
        first[self.code < 0] = NOT_ON_OFFER
        before = self._before()
        table = pd.DataFrame(np.column_stack([first, before, self.stops, self.step > 1]))
        number = table.groupby(list(table), sort=False).ngroup().to_numpy(dtype=np.int64)
        families = [
            Family(_groups(first[one], before[one], self.stops[one], self.step[one]))
            for one in np.unique(number, return_index=True)[1].tolist()
        ]
        return number, families

    def _before(self) -> NDArray[np.int64]:
        """Return the slot before each in its line, -1 for none, shape ``(units, slots)``.

        It is the step before, or the last step of a required measure, if neither measure has alternatives or stops.
        """
        before, followed = np.full(self.code.shape, NOT_ON_OFFER), np.zeros(self.code.shape, dtype=bool)
        lasting = (self.code >= 0) & (self.group < 0) & ~self.stops
        begins, ends = lasting & (self.step == 1), lasting & (self.step == self.steps)
        for slot in range(1, self.code.shape[1]):
            before[self.step[:, slot] > 1, slot] = slot - 1
        for slot in range(self.code.shape[1]):
            for needed in self.required[:, slot].T:
                for other in range(self.code.shape[1]) if (needed >= 0).any() else ():
                    fits = (needed == self.code[:, other]) & (needed >= 0) & begins[:, slot] & ends[:, other]
                    fits &= (before[:, slot] < 0) & ~followed[:, other]
                    before[fits, slot], followed[fits, other] = other, True
        return before

    @property
    def count(self) -> NDArray[np.int64]:
        """Number of measures of each unit, shape ``(units,)``."""
        count: NDArray[np.int64] = (self.code >= 0).sum(axis=1)
        return count

    def slot_of(self, units: NDArray[np.int64], codes: NDArray[np.int64], step: Any = 1) -> NDArray[np.int64]:
        """Return the slot of a step of a measure at a unit, -1 if it is not on offer there, shape of ``units``."""
        if not self.code.shape[1]:
            return np.full(len(units), NOT_ON_OFFER)
        same = (self.code[units] == codes[:, None]) & (codes >= 0)[:, None]
        same &= self.step[units] == np.broadcast_to(step, len(units))[:, None]
        return np.where(same.any(axis=1), same.argmax(axis=1), NOT_ON_OFFER)

    def slots_in(self, table: pd.DataFrame, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the slot that each row of a table names by measure and step, at units of which -1 is none."""
        codes = pd.Index(self.names).get_indexer(table["measure_id"]).astype(np.int64)
        return self.slot_of(np.maximum(units, 0), codes, table["step"].to_numpy() if "step" in table else 1)

    @property
    def in_steps(self) -> bool:
        """True if some measure is built in steps."""
        return bool((self.steps > 1).any())

    @property
    def numbers_of_plans(self) -> list[str]:
        """Columns of the table of plans that tell when measures run."""
        return [*(["step"] if self.in_steps else []), "start_year", *(["last_year"] if self.stops.any() else [])]


def _groups(
    first: NDArray[np.int64], before: NDArray[np.int64], stops: NDArray[np.bool_], step: NDArray[np.int64]
) -> tuple[SlotGroup, ...]:
    """Return the groups of one unit's slots, in the order of their first slots."""
    after = {one: slot for slot, one in enumerate(before.tolist()) if one >= 0}
    groups = []
    for slot in np.flatnonzero(first >= 0).tolist():
        if first[slot] != slot or before[slot] >= 0:
            continue
        alike = np.flatnonzero(first == slot).tolist()
        line = [slot]
        while line[-1] in after:
            line.append(after[line[-1]])
        # The steps of a measure have the slot of the first of them.
        measures = tuple(int(one - step[one]) for one in line) if len(line) > 1 else ()
        groups.append(SlotGroup(tuple(line if measures else alike), measures, bool(stops[slot])))
    return tuple(groups)


def derive_choices(instance: InstanceInputs, baseline: Baseline) -> Choices:
    """Return the measures on offer at every unit: applicable ones, without no-regret measures if these are excluded."""
    rows = offers_in(instance)
    unit, row = on_offer(instance)
    if instance.policy.abatement.no_regret == "exclude":
        dear = (rows.per_base_t + rows.per_t)[row] >= 0
        unit, row = unit[dear], row[dear]
    cuts = instance.policy.abatement.output_cut
    sector = instance.units["sector"].to_numpy()
    cut = np.flatnonzero(np.isin(sector, list(cuts)))
    unit, row = np.append(unit, cut), np.append(row, np.full(len(cut), len(rows.left) - 1))
    order = np.argsort(unit, kind="stable")
    unit, row = unit[order], row[order]
    count = np.bincount(unit, minlength=len(sector))
    slot = np.arange(len(unit)) - np.repeat(np.cumsum(count) - count, count)
    shape = (len(sector), int(count.max(initial=1)))

    def aligned(values: NDArray[Any], absent: float) -> NDArray[Any]:
        table = np.full((*shape, *values.shape[1:]), absent, dtype=values.dtype)
        table[unit, slot] = values[row]
        return table

    left, variable, code = aligned(rows.left, 1.0), aligned(rows.per_t, 0.0), aligned(rows.code, NOT_ON_OFFER)
    share = np.array([cuts[name].share if name in cuts else np.nan for name in sector])
    margin = np.array([cuts[name].margin_cny_per_t if name in cuts else np.nan for name in sector])
    where = code == len(rows.names) - 1
    left, variable = np.where(where, 1 - share[:, None], left), np.where(where, (share * margin)[:, None], variable)
    required = aligned(rows.required, -2)
    met = required < 0
    # Slot by slot, because a square of them for every unit is more than memory holds.
    for column in code.T:
        met |= required == column[:, None, None]
    return Choices(
        rows.names,
        code,
        aligned(rows.step, 1),
        aligned(rows.steps, 1),
        np.where(where, 1 - left, aligned(rows.alone, 0.0)),
        left,
        aligned(rows.intensity_left, 1.0),
        np.where(where, left, aligned(rows.output_left, 1.0)),
        aligned(rows.per_base_t, 0.0) * baseline.base_output[:, None],
        variable,
        aligned(rows.growth, 1.0),
        aligned(rows.first_year, 0),
        aligned(rows.group, -1),
        aligned(rows.stops, False),
        np.where(met, required, NOT_ON_OFFER),
        instance.policy.year,
    )
