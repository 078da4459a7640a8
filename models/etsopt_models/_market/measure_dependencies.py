"""Dependencies between the measures of a unit, by their places at the unit and not by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.data.measure_steps import offers_of
from etsopt.data.tables.row_scope import filled_column
from etsopt.data.tables.schema import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

NOTHING = -1


class Dependencies(NamedTuple):
    """Dependencies of the measure in one place at every unit.

    Parameters
    ----------
    group
        First place of a measure of its exclusive group, its own if it has none; -1 without a measure, shape
        ``(units,)``.
    required
        True for places that it requires, and last for a measure that is not on offer, shape ``(units, places + 1)``.
    first_year
        Its first year, 0 for any; -1 without a measure, shape ``(units,)``.
    stops
        1 if it may stop, else 0; -1 without a measure, shape ``(units,)``.
    step
        Which step of its measure it is, from 1 on; -1 without a measure, shape ``(units,)``.
    """

    group: NDArray[np.int64]
    required: NDArray[np.bool_]
    first_year: NDArray[np.int64]
    stops: NDArray[np.int64]
    step: NDArray[np.int64]

    def codes(self) -> Iterator[NDArray[np.int64]]:
        """Yield codes that are equal at two units if all else is, each of shape ``(units,)``."""
        yield self.group
        yield self.first_year
        yield self.stops
        yield self.step
        if self.required.any():
            packed = np.packbits(self.required, axis=1)
            packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
            for word in packed.view(np.int64).T:
                yield pd.factorize(word)[0]


def dependencies_of(instance: Instance, rows: NDArray[np.int64]) -> Iterator[Dependencies]:
    """Yield the dependencies of the measures in each place.

    Parameters
    ----------
    rows
        Offer in each place of each unit, -1 for none, shape ``(units, places)``; `etsopt.data.measure_steps.offers_of`.
    """
    if instance.measures is None or not rows.shape[1]:
        return
    table = _instance_codes(instance)
    there = rows >= 0
    name, group, first_year, stops, step = (
        np.where(there, codes[rows], NOTHING)
        for codes in (table.name, table.group, table.first, table.stops, offers_of(instance).step)
    )
    for place in range(rows.shape[1]):
        has_measure = there[:, place]
        same = (group == group[:, [place]]) & (group[:, [place]] != NOTHING)
        first = np.where(same.any(axis=1), same.argmax(axis=1), place)
        required = np.zeros((len(rows), rows.shape[1] + 1), dtype=bool)
        for code in table.required.T:
            wanted = np.where(has_measure, code[rows[:, place]], NOTHING)
            if (wanted == NOTHING).all():
                continue
            provides = (name == wanted[:, None]) & (wanted != NOTHING)[:, None]
            required[:, :-1] |= provides
            required[:, -1] |= (wanted != NOTHING) & ~provides.any(axis=1)
        yield Dependencies(
            np.where(has_measure, first, NOTHING), required, first_year[:, place], stops[:, place], step[:, place]
        )


class _Codes(NamedTuple):
    """Texts of the table as codes, shape ``(offers,)``; codes of required measures, shape ``(offers, most)``."""

    name: NDArray[np.int64]
    group: NDArray[np.int64]
    first: NDArray[np.int64]
    stops: NDArray[np.int64]
    required: NDArray[np.int64]


def _instance_codes(instance: Instance) -> _Codes:
    row = offers_of(instance).row
    codes: _Codes = instance.cached(
        "measure dependencies", lambda: _Codes(*(part[row] for part in _codes(instance.measures)))
    )
    return codes


def _codes(measures: Any) -> _Codes:
    name, names = pd.factorize(measures["measure_id"].to_numpy())
    group, groups = pd.factorize(filled_column(measures, MEASURES, "exclusive_group"))
    group = np.where(groups[group] == "", NOTHING, group)
    first = np.nan_to_num(filled_column(measures, MEASURES, "first_year")).astype(np.int64)
    which, texts = pd.factorize(filled_column(measures, MEASURES, "requires"))
    words = pd.Series(texts, dtype=object).str.split().explode()
    place = words.groupby(level=0).cumcount().to_numpy()
    table = np.full((len(texts), int(place.max(initial=0)) + 1), NOTHING)
    stated = words.notna().to_numpy()
    code = pd.Index(names).get_indexer(words.to_numpy()[stated])
    # An unknown name is on offer nowhere: any code but those of measures marks it.
    table[words.index.to_numpy()[stated], place[stated]] = np.where(code < 0, len(names), code)
    stops = (filled_column(measures, MEASURES, "stops") == "yes").astype(np.int64)
    return _Codes(name, group, first, stops, table[which])
