"""How output and intensity develop over the years, before any measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.data.row_scope import filled, problems_of_belonging, problems_of_rows, unit_positions
from etsopt.data.schema import FORECAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.content import Content
    from etsopt.data.policy import Policy
    from etsopt.errors import Problem


@dataclass(frozen=True)
class Development:
    """Output and intensity of every unit against the year of the tables.

    Parameters
    ----------
    output_factor, intensity_factor
        Shape ``(units, years)``; 1 is the year of the tables.
    """

    output_factor: NDArray[np.float64]
    intensity_factor: NDArray[np.float64]


def development(instance: Content, years: Sequence[int]) -> Development:
    """Output and intensity of every unit in each of these years, as the forecast states them.

    Linear between stated years, where the year of the tables counts as stated with factor 1; constant after the last.
    A unit with rows of its own follows them alone, any other the rows of its sector; without rows nothing changes.
    """
    ones = np.ones((len(instance.units), len(years)))
    if instance.forecast is None:
        return Development(ones, ones)
    rows = filled(instance.forecast, FORECAST)
    unit = unit_positions(rows, instance.units)
    output_t = instance.units["output_t"].to_numpy(dtype=float) if "output_t" in instance.units else ones[:, 0]
    factor = rows["output_factor"].to_numpy()
    factor = np.where(np.isnan(factor), rows["output_t"].to_numpy() / output_t[unit], factor)
    # A path is a unit's or a sector's; sectors come first, so that units without a path of their own find theirs.
    sectors = sorted(set(rows["sector"]) - {""})
    path = np.where(unit < 0, np.searchsorted(sectors, rows["sector"].to_numpy(dtype=str)), unit + len(sectors))
    position = {sector: number for number, sector in enumerate(sectors)}
    of_unit = np.array(instance.units["sector"].map(position).fillna(-1), dtype=np.int64)
    of_unit[unit[unit >= 0]] = unit[unit >= 0] + len(sectors)
    there = of_unit >= 0
    stated = (path, rows["year"].to_numpy(), instance.policy.year)
    output, intensity = ones.copy(), ones.copy()
    output[there] = _along_paths(*stated, factor, of_unit[there], years)
    intensity[there] = _along_paths(*stated, rows["intensity_factor"].to_numpy(), of_unit[there], years)
    return Development(output, intensity)


def _along_paths(
    path: NDArray[np.int64],
    year: NDArray[np.float64],
    base_year: int,
    factor: NDArray[np.float64],
    wanted: NDArray[np.int64],
    years: Sequence[int],
) -> NDArray[np.float64]:
    """Interpolate factors along the wanted paths, shape ``(wanted, years)``, all paths in one sorted array."""
    paths = np.unique(path)
    path = np.concatenate([paths, path])
    year = np.concatenate([np.full(len(paths), float(base_year)), year])
    factor = np.concatenate([np.ones(len(paths)), factor])
    order = np.lexsort((year, path))
    path, year, factor = path[order], year[order], factor[order]
    # Paths lie one after the other on one axis, a millennium apart.
    axis = path * 1000.0 + (year - base_year)
    asked = wanted[:, None] * 1000.0 + np.maximum(np.asarray(years) - base_year, 0)
    left = np.searchsorted(axis, asked, side="right") - 1
    right = np.minimum(left + 1, len(axis) - 1)
    right = np.where(path[right] == path[left], right, left)
    width = np.where(right > left, axis[right] - axis[left], 1.0)
    return factor[left] + (factor[right] - factor[left]) * (asked - axis[left]) / width


def problems_of_forecast(units: pd.DataFrame, stated: pd.DataFrame, policy: Policy) -> list[Problem]:
    """Problems of the forecast, each cell of which is right by itself."""
    rows = filled(stated, FORECAST)
    unit = unit_positions(rows, units)
    problems = problems_of_belonging(FORECAST, rows, unit)
    in_tonnes = rows["output_t"].notna().to_numpy()
    by_factor = rows["output_factor"].notna().to_numpy()
    of_sector = (rows["sector"] != "").to_numpy()
    output_t = units["output_t"].to_numpy(dtype=float) if "output_t" in units else np.full(len(units), np.nan)
    found: list[tuple[NDArray[np.bool_], str, tuple[str, str], str]] = [
        (
            in_tonnes == by_factor,
            "output_t, output_factor",
            ("row does not state exactly one of the two", "rows do not state exactly one of the two"),
            "State the output in tonnes, or against units.csv: 1 where it stays.",
        ),
        (
            in_tonnes & of_sector,
            "output_t",
            ("row of a sector states output in tonnes", "rows of a sector state output in tonnes"),
            "It would be every unit's: state output_factor.",
        ),
        (
            in_tonnes & (unit >= 0) & np.isnan(output_t[unit]),
            "output_t",
            ("row is of a unit without output in units.csv", "rows are of units without output in units.csv"),
            "Fill output_t there, or state output_factor.",
        ),
        (
            (rows["year"] <= policy.year).to_numpy(),
            "year",
            (f"row is not after {policy.year}", f"rows are not after {policy.year}"),
            "Remove it: output and emissions of the year that the policy states stand in units.csv.",
        ),
    ]
    return problems + [problem for check in found for problem in problems_of_rows(FORECAST, rows, *check)]
