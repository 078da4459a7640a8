"""Read values of columns and multipliers of rows from the tables of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.outlook.derived import BANKED, BUILT, OFFSET, STEP, SUPPLY
from etsopt.checking.readings.supply import DEMAND_STEPS, MILLION
from etsopt.checking.tolerances import BOUND_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.checking.arrays import Floats
    from etsopt.checking.outlook.derived import Derived, Model


def point_of(model: Model, program: Derived, tables: Mapping[str, pd.DataFrame]) -> Floats:
    """Return the values of all columns; one beyond its bound by rounding is at it."""
    years, x = len(model.years), np.zeros(len(program.column_lower))
    names, rows = pd.Index(model.sources.names), tables["outlook_sources"]
    place, year = names.get_indexer(rows["supply_id"]), (rows["year"] - model.years[0]).to_numpy(dtype=int)
    grid = np.zeros((len(names), years))
    grid[place, year] = rows["supply_t"].to_numpy(dtype=float)
    x[program.columns[SUPPLY]] = grid.ravel() / MILLION
    grid = np.zeros((len(names), years))
    grid[place, year] = rows["new_capacity_t"].fillna(0.0).to_numpy(dtype=float)
    x[program.columns[BUILT]] = grid[model.builders].ravel() / MILLION
    served = tables["outlook_sectors"]["demand_t"].to_numpy(dtype=float).reshape(-1, years) / MILLION
    # What is served beyond the firm part takes the steps in their order: each is worth less than the one before.
    steps = []
    for sector in model.demand.answers:
        size = model.demand.size(sector)
        before = np.arange(DEMAND_STEPS)[:, None] * size
        steps.append(np.clip(served[sector] - model.demand.firm[sector] - before, 0.0, size).ravel())
    x[program.columns[STEP]] = np.concatenate([np.zeros(0), *steps])
    x[program.columns[OFFSET]] = tables["outlook_years"]["offset_t"].to_numpy(dtype=float) / MILLION
    x[program.columns[BANKED]] = tables["outlook_years"]["banked_t"].to_numpy(dtype=float) / MILLION
    nearest = np.clip(x, program.column_lower, program.column_upper)
    rounding = BOUND_ROUNDING_RELATIVE * np.maximum(1.0, np.abs(nearest))
    return np.where(np.abs(x - nearest) <= rounding, nearest, x)


def multipliers_of(model: Model, program: Derived, duals: pd.DataFrame) -> Floats | None:
    """Return the multiplier of every row, 0 where none is stated; None if one is of no row, or stated twice."""
    names = np.array(model.sources.names, dtype=object)
    labels = {
        "served": model.instance.sectors,
        "capacity": names[model.builders],
        "build_rate": names[model.builders],
        "share_limit": names[model.limited],
    }
    found, seen = np.zeros(len(program.row_lower)), 0
    rows, index = (duals[column].to_numpy(dtype=object) for column in ("row", "index"))
    year, multiplier = (duals[column].to_numpy(dtype=float) for column in ("year", "multiplier"))
    of_year = pd.Index(model.years).get_indexer(year)
    for row, place in program.rows.items():
        here = rows == row
        of_label = pd.Index(labels.get(row, [""]), dtype=object).get_indexer(index[here])
        at = len(model.years) * of_label + of_year[here]
        if (of_label < 0).any() or (of_year[here] < 0).any() or len(np.unique(at)) < len(at):
            return None
        found[place.start + at] = multiplier[here]
        seen += len(at)
    return found if seen == len(duals) and np.isfinite(found).all() else None
