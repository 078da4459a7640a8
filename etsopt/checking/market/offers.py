"""Derive what the table of measures offers: measures, and the steps of those that are built over years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.measure_steps import offers_of
from etsopt.data.measures import OUTPUT_CUT
from etsopt.data.tables.labels import Labels
from etsopt.data.tables.row_scope import filled_column
from etsopt.data.tables.schema import MEASURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


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


def offers_in(instance: Instance) -> OfferTable:
    """Return what the table of measures offers, with its texts as codes."""
    if instance.measures is None:
        nothing, none = np.zeros(1), np.zeros(1, dtype=np.int64)
        return OfferTable(
            *(np.array([OUTPUT_CUT]), none, none + 1, none + 1),
            *(nothing, nothing + 1, nothing + 1, nothing + 1, nothing, nothing, nothing + 1),
            *(none, none - 1, none.astype(bool), none[:, None] - 2),
        )
    table, (row, step, steps) = instance.measures, offers_of(instance)

    def cells(name: str) -> NDArray[Any]:
        return filled_column(table, MEASURES, name)[row]

    def left(rate: str) -> NDArray[np.float64]:
        """What remains after a step of what is there before it: the steps before have each taken as much."""
        taken = share * cells(rate)
        remains: NDArray[np.float64] = (steps - taken * step) / (steps - taken * (step - 1))
        return remains

    measure, group = Labels.of(cells("measure_id")), Labels.of(cells("exclusive_group"))
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
        _required(Labels.of(cells("requires")), measure.names),
    )


def _required(texts: Labels, names: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the codes that each row requires, shape ``(rows + 1, most)``, padded with -2; few texts are distinct."""
    words = pd.Series(texts.names, dtype=object).str.split().explode().dropna()
    text, place = words.index.to_numpy(), words.groupby(level=0).cumcount().to_numpy()
    table = np.full((len(texts) + 1, int(place.max(initial=0)) + 1), -2)
    table[text, place] = np.searchsorted(names, words.to_numpy())
    return table[np.append(texts.code, len(texts))]
