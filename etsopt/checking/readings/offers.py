"""Derive what the table of measures offers: measures, and the steps of those that are built over years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.readings.instance_inputs import Names, cached

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs

OUTPUT_CUT = "output_cut"
"""Name of the measure that a policy adds by its table ``abatement.output_cut``."""

TEXTS = ("measure_id", "unit_id", "sector", "stops", "exclusive_group", "requires", "electricity_only")
EMPTY = {"maximum_share": 1.0} | dict.fromkeys(
    (
        *("output_abatement_rate", "capex_cny_per_t", "fixed_opex_cny_per_t", "variable_opex_cny_per_t"),
        *("fuel_saving_cny_per_t", "cost_change_rate"),
    ),
    0.0,
)
"""What an empty cell stands for, by column; a number without an entry is not stated."""

STEP_COUNT_ROUNDING = 1e-9
"""A quotient of shares this much above a whole number is that number: 0.3 / 0.1 is 3 steps."""


@dataclass(frozen=True)
class OfferTable:
    """What is on offer, with the output cut last, and costs per tonne [CNY/t]."""

    names: NDArray[np.object_]
    code: NDArray[np.int64]
    step: NDArray[np.int64]
    steps: NDArray[np.int64]
    alone: NDArray[np.float64]
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


def cells_of(instance: InstanceInputs, name: str) -> NDArray[Any]:
    """Return a column of the table of measures, with what an empty cell stands for, shape ``(rows,)``."""
    assert instance.measures is not None
    table, number = instance.measures, name not in TEXTS
    empty: Any = np.nan if number else ""
    cells = table[name].to_numpy() if name in table else np.full(len(table), empty, float if number else object)
    if name == "intensity_abatement_rate":
        return np.where(np.isnan(cells), cells_of(instance, "abatement_rate"), cells)
    if name in ("stops", "electricity_only"):
        return np.where(cells == "", "no", cells)
    return np.where(np.isnan(cells), EMPTY[name], cells) if name in EMPTY else cells


@cached
def steps_of(instance: InstanceInputs) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return row, step and number of steps of everything on offer, in the order of the table of measures.

    A measure is built in equal steps, as few as its largest new share of a year allows.
    """
    share, largest = cells_of(instance, "maximum_share"), cells_of(instance, "largest_new_share_a_year")
    many = np.maximum(np.ceil(np.nan_to_num(share / largest, nan=1.0) - STEP_COUNT_ROUNDING), 1).astype(np.int64)
    row = np.repeat(np.arange(len(many)), many)
    return row, _within(many) + 1, many[row]


def _within(many: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places 0, 1, ... within each of some runs, one run after the other."""
    return np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)


@cached
def on_offer(instance: InstanceInputs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the unit and the place among `steps_of` of every step on offer, by unit, measure and step.

    A unit's own row of a measure replaces that of its sector; one that saves electricity alone is not on offer.
    """
    if instance.measures is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    table, units = instance.measures, instance.units
    rows = pd.DataFrame({"measure": table["measure_id"].to_numpy(), "row": np.arange(len(table))})
    own = rows.assign(unit=pd.Index(units["unit_id"]).get_indexer(cells_of(instance, "unit_id")))
    own = own[own["unit"] >= 0]
    places = pd.DataFrame({"sector": units["sector"].to_numpy(), "unit": np.arange(len(units))})
    of_sector = rows.assign(sector=cells_of(instance, "sector"))[cells_of(instance, "unit_id") == ""]
    pairs = pd.concat([own, of_sector.merge(places, on="sector")])
    if len(own):
        pairs = pairs.drop_duplicates(["unit", "measure"])
    pairs = pairs[(cells_of(instance, "electricity_only") != "yes")[pairs["row"].to_numpy()]]
    pairs = pairs.sort_values(["unit", "row"])
    unit, row = pairs["unit"].to_numpy(), pairs["row"].to_numpy()
    many = np.bincount(steps_of(instance)[0], minlength=len(table))
    first = (np.cumsum(many) - many)[row]
    return np.repeat(unit, many[row]), np.repeat(first, many[row]) + _within(many[row])


def offers_in(instance: InstanceInputs) -> OfferTable:
    """Return what the table of measures offers, with its texts as codes."""
    if instance.measures is None:
        nothing, none = np.zeros(1), np.zeros(1, dtype=np.int64)
        return OfferTable(
            *(np.array([OUTPUT_CUT]), none, none + 1, none + 1),
            *(nothing, nothing + 1, nothing + 1, nothing + 1, nothing, nothing, nothing + 1),
            *(none, none - 1, none.astype(bool), none[:, None] - 2),
        )
    row, step, steps = steps_of(instance)

    def cells(name: str) -> NDArray[Any]:
        return cells_of(instance, name)[row]

    def left(rate: str) -> NDArray[np.float64]:
        """What remains after a step of what is there before it: the steps before have each taken as much."""
        taken = share * cells(rate)
        remains: NDArray[np.float64] = (steps - taken * step) / (steps - taken * (step - 1))
        return remains

    measure, group = Names.of(cells("measure_id")), Names.of(cells("exclusive_group"))
    share, life, capex, fixed, variable, saving = (
        cells(name)
        for name in (
            *("maximum_share", "lifetime_years", "capex_cny_per_t"),
            *("fixed_opex_cny_per_t", "variable_opex_cny_per_t", "fuel_saving_cny_per_t"),
        )
    )
    interest = instance.policy.horizon.discount_rate
    # An annuity over the lifetime is worth the investment at its beginning.
    annuity = capex / life if interest == 0 else capex * interest / (1 - (1 + interest) ** -life)
    output_left = left("output_abatement_rate")
    return OfferTable(
        np.append(measure.names, OUTPUT_CUT),
        np.append(measure.code, len(measure)),
        np.append(step, 1),
        np.append(steps, 1),
        np.append(share * cells("abatement_rate") / steps, 0.0),
        np.append(left("abatement_rate"), 1.0),
        np.append(left("intensity_abatement_rate") / output_left, 1.0),
        np.append(output_left, 1.0),
        np.append(share * (annuity + fixed) / steps, 0.0),
        np.append(share * (variable - saving) / steps, 0.0),
        np.append(1 + cells("cost_change_rate"), 1.0),
        np.append(np.nan_to_num(cells("first_year")), 0).astype(np.int64),
        np.append(np.where((group.names == "")[group.code], -1, group.code), -1),
        np.append(cells("stops") == "yes", False),
        _required(Names.of(cells("requires")), measure.names),
    )


def _required(texts: Names, names: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the codes that each row requires, shape ``(rows + 1, most)``, padded with -2; few texts are distinct."""
    words = pd.Series(texts.names, dtype=object).str.split().explode().dropna()
    text, place = words.index.to_numpy(), words.groupby(level=0).cumcount().to_numpy()
    table = np.full((len(texts) + 1, int(place.max(initial=0)) + 1), -2)
    table[text, place] = np.searchsorted(names, words.to_numpy())
    return table[np.append(texts.code, len(texts))]
