"""Activity projection: output and intensity over the years, before any measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.language import _
from etsopt.data.tables.row_scope import RowCheck, filled, problems_of_rows, problems_of_scope, unit_positions
from etsopt.data.tables.schema import FORECAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.common.errors import Problem
    from etsopt.data.content import Content
    from etsopt.data.policy.policy import Policy


@dataclass(frozen=True)
class Development:
    """Output and intensity of every unit relative to the year of the tables.

    Parameters
    ----------
    output_factor, intensity_factor
        Shape ``(units, years)``; 1 is the year of the tables.
    """

    output_factor: NDArray[np.float64]
    intensity_factor: NDArray[np.float64]


def development(instance: Content, years: Sequence[int]) -> Development:
    """Return output and intensity of every unit in each of these years, by the forecast.

    Factors are linear between stated years, of which the first is the year of the tables with factor 1, and constant
    after the last. A unit's own rows take precedence over those of its sector; without rows the factors are 1.
    """
    ones = np.ones((len(instance.units), len(years)))
    # Rows that state references alone are no part of a path.
    rows = None if instance.forecast is None else filled(instance.forecast, FORECAST)
    rows = None if rows is None else rows[rows["output_t"].notna() | rows["output_factor"].notna()]
    if rows is None or not len(rows):
        return Development(ones, ones)
    unit = unit_positions(rows, instance.units)
    output_t = instance.units["output_t"].to_numpy(dtype=float) if "output_t" in instance.units else ones[:, 0]
    factor = rows["output_factor"].to_numpy()
    factor = np.where(np.isnan(factor), rows["output_t"].to_numpy() / output_t[unit], factor)
    # A path belongs to a unit or a sector; paths of sectors come first.
    sectors = sorted(set(rows["sector"]) - {""})
    path = np.where(unit < 0, np.searchsorted(sectors, rows["sector"].to_numpy(dtype=str)), unit + len(sectors))
    position = {sector: number for number, sector in enumerate(sectors)}
    of_unit = np.array(instance.units["sector"].map(position).fillna(-1), dtype=np.int64)
    of_unit[unit[unit >= 0]] = unit[unit >= 0] + len(sectors)
    has_path = of_unit >= 0
    stated = (path, rows["year"].to_numpy(), instance.policy.year)
    output, intensity = ones.copy(), ones.copy()
    output[has_path] = _along_paths(*stated, factor, of_unit[has_path], years)
    intensity[has_path] = _along_paths(*stated, rows["intensity_factor"].to_numpy(), of_unit[has_path], years)
    return Development(output, intensity)


def _along_paths(
    path: NDArray[np.int64],
    year: NDArray[np.float64],
    base_year: int,
    factor: NDArray[np.float64],
    wanted: NDArray[np.int64],
    years: Sequence[int],
) -> NDArray[np.float64]:
    """Interpolate factors along the wanted paths, shape ``(wanted, years)``, with all paths in one sorted array."""
    paths = np.unique(path)
    path = np.concatenate([paths, path])
    year = np.concatenate([np.full(len(paths), float(base_year)), year])
    factor = np.concatenate([np.ones(len(paths)), factor])
    order = np.lexsort((year, path))
    path, year, factor = path[order], year[order], factor[order]
    # Paths are consecutive on one axis, 1000 years apart.
    axis = path * 1000.0 + (year - base_year)
    points = wanted[:, None] * 1000.0 + np.maximum(np.asarray(years) - base_year, 0)
    left = np.searchsorted(axis, points, side="right") - 1
    right = np.minimum(left + 1, len(axis) - 1)
    right = np.where(path[right] == path[left], right, left)
    width = np.where(right > left, axis[right] - axis[left], 1.0)
    return factor[left] + (factor[right] - factor[left]) * (points - axis[left]) / width


def problems_of_forecast(units: pd.DataFrame, stated: pd.DataFrame, policy: Policy) -> list[Problem]:
    """Find problems of the forecast, each cell of which is valid by itself."""
    rows = filled(stated, FORECAST)
    unit = unit_positions(rows, units)
    problems = problems_of_scope(FORECAST, rows, unit)
    in_tonnes = rows["output_t"].notna().to_numpy()
    by_factor = rows["output_factor"].notna().to_numpy()
    by_reference = rows["reference_t"].notna().to_numpy()
    alone = by_reference & ~in_tonnes & ~by_factor
    of_sector = (rows["sector"] != "").to_numpy()
    # The schema has a default for an absent factor.
    stated_intensity = stated["intensity_factor"].notna().to_numpy() if "intensity_factor" in stated else np.False_
    output_t = units["output_t"].to_numpy(dtype=float) if "output_t" in units else np.full(len(units), np.nan)
    checks = [
        RowCheck(
            (in_tonnes == by_factor) & ~alone,
            "output_t, output_factor",
            (_("row does not state exactly one of the two"), _("rows do not state exactly one of the two")),
            _("State output_t in tonnes, or output_factor relative to units.csv: 1 for no change."),
        ),
        RowCheck(
            in_tonnes & of_sector,
            "output_t",
            (_("row of a sector states output in tonnes"), _("rows of a sector state output in tonnes")),
            _("State output_factor: tonnes would apply to every unit."),
        ),
        RowCheck(
            by_reference & of_sector,
            "reference_t",
            (_("row of a sector states reference allowances"), _("rows of a sector state reference allowances")),
            _("State them of each unit."),
        ),
        RowCheck(
            alone & stated_intensity,
            "intensity_factor",
            (_("row states an intensity and no output"), _("rows state an intensity and no output")),
            _("State output_factor too: 1 for no change."),
        ),
        RowCheck(
            in_tonnes & (unit >= 0) & np.isnan(output_t[unit]),
            "output_t",
            (_("row is of a unit without output in units.csv"), _("rows are of units without output in units.csv")),
            _("Fill output_t there, or state output_factor."),
        ),
        RowCheck(
            (rows["year"] <= policy.year).to_numpy(),
            "year",
            (
                _("row is not after {year}", year=policy.year),
                _("rows are not after {year}", year=policy.year),
            ),
            _("Remove it: units.csv holds output and emissions of the policy's year."),
        ),
    ]
    return problems + problems_of_rows(FORECAST, rows, checks)
