"""Derive the measures of every unit: exclusions, requirements, cost and abatement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.market.families import Family
from etsopt.data.measures import OUTPUT_CUT, applicable
from etsopt.data.tables.labels import Labels
from etsopt.data.tables.row_scope import filled_column
from etsopt.data.tables.schema import MEASURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.market.baseline import Baseline
    from etsopt.data.instance import Instance

NOT_ON_OFFER = -1


@dataclass(frozen=True)
class Choices:
    """Measures of every unit in slots, shape ``(units, slots)``; a unit's measures fill its first slots.

    Parameters
    ----------
    names
        Every measure by its code, the output cut last.
    code
        Position of each measure in ``names``, -1 in an empty slot.
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

        Units of a kind have measures in the same slots, and the same of them in a group and stopping.
        """
        slots, number = self.code.shape[1], np.zeros(len(self.code), dtype=np.int64)
        first = np.full(self.code.shape, NOT_ON_OFFER)
        for slot in range(slots):
            same = (self.group == self.group[:, [slot]]) & (self.group[:, [slot]] >= 0)
            first[:, slot] = np.where(same.any(axis=1), same.argmax(axis=1), slot)
        first[self.code < 0] = NOT_ON_OFFER
        for column, stops in zip(first.T, self.stops.T, strict=True):
            number = pd.factorize((number * (slots + 1) + column) * 2 + stops)[0].astype(np.int64)
        families = []
        for example in np.unique(number, return_index=True)[1].tolist():
            alike = first[example]
            firsts = np.unique(alike[alike >= 0])
            groups = (np.flatnonzero(alike == slot).tolist() for slot in firsts)
            families.append(Family(tuple(map(tuple, groups)), tuple(self.stops[example, firsts].tolist())))
        return number, families

    @property
    def count(self) -> NDArray[np.int64]:
        """Number of measures of each unit, shape ``(units,)``."""
        count: NDArray[np.int64] = (self.code >= 0).sum(axis=1)
        return count

    def slot_of(self, units: NDArray[np.int64], codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the slot of a measure at a unit, -1 if it is not on offer there, shape of ``units``."""
        if not self.code.shape[1]:
            return np.full(len(units), NOT_ON_OFFER)
        same = (self.code[units] == codes[:, None]) & (codes >= 0)[:, None]
        return np.where(same.any(axis=1), same.argmax(axis=1), NOT_ON_OFFER)


@dataclass(frozen=True)
class _MeasureTable:
    """The table of measures with the output cut in its last row, and costs per tonne [CNY/t]."""

    names: NDArray[np.object_]
    code: NDArray[np.int64]
    left: NDArray[np.float64]
    intensity_left: NDArray[np.float64]
    output_left: NDArray[np.float64]
    per_base_t: NDArray[np.float64]
    per_t: NDArray[np.float64]
    growth: NDArray[np.float64]
    first_year: NDArray[np.int64]
    group: NDArray[np.int64]
    stops: NDArray[np.bool_]
    required: NDArray[np.int64]


def derive_choices(instance: Instance, baseline: Baseline) -> Choices:
    """Return the measures on offer at every unit: applicable ones, without no-regret measures if these are excluded."""
    rows = _measure_table(instance)
    groups = applicable(instance)
    unit, row = np.repeat(np.arange(len(instance.units)), np.diff(groups.starts)), groups.members
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

    def placed(values: NDArray[Any], absent: float) -> NDArray[Any]:
        table = np.full((*shape, *values.shape[1:]), absent, dtype=values.dtype)
        table[unit, slot] = values[row]
        return table

    left, variable, code = placed(rows.left, 1.0), placed(rows.per_t, 0.0), placed(rows.code, NOT_ON_OFFER)
    share = np.array([cuts[name].share if name in cuts else 0.0 for name in sector])
    margin = np.array([cuts[name].margin_cny_per_t if name in cuts else 0.0 for name in sector])
    where = code == len(rows.names) - 1
    left, variable = np.where(where, 1 - share[:, None], left), np.where(where, (share * margin)[:, None], variable)
    required = placed(rows.required, -2)
    on_offer = (required[..., None] == code[:, None, None, :]).any(axis=3) | (required < 0)
    return Choices(
        rows.names,
        code,
        left,
        placed(rows.intensity_left, 1.0),
        np.where(where, left, placed(rows.output_left, 1.0)),
        placed(rows.per_base_t, 0.0) * baseline.base_output[:, None],
        variable,
        placed(rows.growth, 1.0),
        placed(rows.first_year, 0),
        placed(rows.group, -1),
        placed(rows.stops, False),
        np.where(on_offer, required, NOT_ON_OFFER),
        instance.policy.year,
    )


def _measure_table(instance: Instance) -> _MeasureTable:
    """Return the table of measures with its texts as codes."""
    if instance.measures is None:
        nothing, none = np.zeros(1), np.zeros(1, dtype=np.int64)
        return _MeasureTable(
            *(np.array([OUTPUT_CUT]), none, nothing, nothing + 1, nothing + 1, nothing, nothing, nothing + 1),
            *(none, none - 1, none > 0, none[:, None] - 2),
        )
    table = instance.measures

    def cells(name: str) -> NDArray[Any]:
        return filled_column(table, MEASURES, name)

    measure, group = Labels.of(cells("measure_id")), Labels.of(cells("exclusive_group"))
    share, rate, intensity_rate, output_rate, life, capex, fixed, variable, saving = (
        cells(name)
        for name in (
            *("maximum_share", "abatement_rate", "intensity_abatement_rate", "output_abatement_rate"),
            *("lifetime_years", "capex_cny_per_t"),
            *("fixed_opex_cny_per_t", "variable_opex_cny_per_t", "fuel_saving_cny_per_t"),
        )
    )
    interest = instance.policy.horizon.discount_rate
    # An annuity over the lifetime is worth the investment at its beginning.
    annuity = capex / life if interest == 0 else capex * interest / (1 - (1 + interest) ** -life)
    return _MeasureTable(
        np.append(measure.names, OUTPUT_CUT),
        np.append(measure.code, len(measure)),
        np.append(1 - share * rate, 1.0),
        np.append((1 - share * intensity_rate) / (1 - share * output_rate), 1.0),
        np.append(1 - share * output_rate, 1.0),
        np.append(share * (annuity + fixed), 0.0),
        np.append(share * (variable - saving), 0.0),
        np.append(1 + cells("cost_change_rate"), 1.0),
        np.append(np.nan_to_num(cells("first_year")), 0).astype(np.int64),
        np.append(np.where((group.names == "")[group.code], -1, group.code), -1),
        np.append(cells("stops") == "yes", False),
        _required(Labels.of(cells("requires")), measure.names),
    )


def _required(texts: Labels, names: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the codes that each row requires, shape ``(rows + 1, most)``, padded with -2; few texts are distinct."""
    words = pd.Series(texts.names, dtype=object).str.split().explode().dropna()
    text, place = words.index.to_numpy(), words.groupby(level=0).cumcount().to_numpy()
    table = np.full((len(texts) + 1, int(place.max(initial=0)) + 1), -2)
    table[text, place] = np.searchsorted(names, words.to_numpy())
    return table[np.append(texts.code, len(texts))]
