"""Dependencies between the measures of a unit, by their places at the unit and not by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.data.tables.row_scope import filled_column
from etsopt.data.tables.schema import MEASURES

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

NOTHING = -1


class Dependencies(NamedTuple):
    """Dependencies of the measure in one place at every unit, shape ``(units,)``; all -1 if there is no measure.

    Places that it excludes and places that it requires, bit by bit, with the bit beyond the last for measures that are
    not on offer; and its first year, 0 for any.
    """

    excluded: NDArray[np.int64]
    required: NDArray[np.int64]
    first_year: NDArray[np.int64]


def dependencies_of(instance: Instance, rows: NDArray[np.int64]) -> list[Dependencies]:
    """Return the dependencies of the measures in each place.

    Parameters
    ----------
    rows
        Row of the table of measures in each place of each unit, -1 for none, shape ``(units, places)``.
    """
    if instance.measures is None or not rows.shape[1]:
        return []
    table = _instance_codes(instance)
    there = rows >= 0
    name, group, first_year = (
        np.where(there, codes[rows], NOTHING) for codes in (table.name, table.group, table.first)
    )
    dependencies = []
    for place in range(rows.shape[1]):
        excluded = required = np.zeros(len(rows), dtype=np.int64)
        for other in range(rows.shape[1]):
            same = (group[:, place] == group[:, other]) & (group[:, place] != NOTHING) & (other != place)
            excluded = excluded | (same.astype(np.int64) << other)
        for code in table.required.T:
            wanted = np.where(there[:, place], code[rows[:, place]], NOTHING)
            if (wanted == NOTHING).all():
                continue
            provides = (name == wanted[:, None]) & (wanted != NOTHING)[:, None]
            required = required | (provides << np.arange(rows.shape[1])).sum(axis=1)
            required = required | (((wanted != NOTHING) & ~provides.any(axis=1)).astype(np.int64) << rows.shape[1])
        here = there[:, place]
        dependencies.append(
            Dependencies(*(np.where(here, part, NOTHING) for part in (excluded, required, first_year[:, place])))
        )
    return dependencies


class _Codes(NamedTuple):
    """Texts of the table as codes, shape ``(rows,)``; codes of required measures, shape ``(rows, most)``."""

    name: NDArray[np.int64]
    group: NDArray[np.int64]
    first: NDArray[np.int64]
    required: NDArray[np.int64]


def _instance_codes(instance: Instance) -> _Codes:
    codes: _Codes = instance.once("measure dependencies", lambda: _codes(instance.measures))
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
    return _Codes(name, group, first, table[which])
