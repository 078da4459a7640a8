"""Read the forecast: output and intensity of every unit in later years, relative to the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs


def factors(instance: InstanceInputs, years: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factors of output and of intensity, each of shape ``(units, years)``.

    They lie on straight lines from 1 in the year of the tables through the stated years, and stay after the last.
    A unit with rows of its own does not follow those of its sector; one without any stays as it is.
    """
    output, intensity = np.ones((2, len(instance.units), len(years)))
    if instance.forecast is None:
        return output, intensity
    rows, units = instance.forecast, instance.units
    moving = [name for name in ("output_t", "output_factor") if name in rows]
    rows = rows[rows[moving].notna().any(axis=1)]

    def cells(name: str) -> NDArray[np.float64]:
        return rows[name].to_numpy(dtype=float) if name in rows else np.full(len(rows), np.nan)

    stated = cells("output_factor")
    if "output_t" in rows:
        # Tonnes are stated of single units alone.
        unit = pd.Index(units["unit_id"]).get_indexer(rows["unit_id"])
        stated = np.where(np.isnan(stated), cells("output_t") / instance.first_stated("output_t")[unit], stated)
    for key in ("sector", "unit_id"):
        if key not in rows:
            continue
        paths = pd.Index(rows[key].unique()).drop("", errors="ignore")
        follows, path = paths.get_indexer(units[key]), paths.get_indexer(rows[key])
        points = path, cells("year").astype(np.int64), path >= 0
        for factor, value in ((output, stated), (intensity, np.nan_to_num(cells("intensity_factor"), nan=1.0))):
            factor[follows >= 0] = _lines(*points, value, instance.policy.year, years)[follows[follows >= 0]]
    return output, intensity


def _lines(
    path: NDArray[np.int64],
    year: NDArray[np.int64],
    where: NDArray[np.bool_],
    value: NDArray[np.float64],
    base: int,
    years: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the values of every path in some years, shape ``(paths, years)``, from rows that state some of them."""
    calendar = np.unique(np.concatenate([[base], year, years]))
    table = np.full((int(path.max(initial=-1)) + 1, len(calendar)), np.nan)
    table[path[where], np.searchsorted(calendar, year[where])] = value[where]
    table[:, calendar == base] = 1.0
    known, place, row = ~np.isnan(table), np.arange(len(calendar)), np.arange(len(table))[:, None]
    last = np.maximum.accumulate(np.where(known, place, -1), axis=1)
    following = np.minimum.accumulate(np.where(known, place, len(place))[:, ::-1], axis=1)[:, ::-1]
    # After the last stated year its value stays; years before that of the tables are as that one.
    right = np.where(following < len(place), following, last)
    left = np.where(last < 0, right, last)
    width = np.maximum(calendar[right] - calendar[left], 1)
    lines = table[row, left] + (table[row, right] - table[row, left]) * (calendar - calendar[left]) / width
    return np.asarray(lines[:, np.searchsorted(calendar, years)])
