"""Result tables of measures: which units take which, and what each does in each year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt_models._parts.measures import OUTPUT_CUT, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._parts.search import Found


def by_year_table(
    years: NDArray[np.int64], keys: dict[str, NDArray[Any]], columns: dict[str, NDArray[np.float64]]
) -> pd.DataFrame:
    """A table with a row for each key and year from arrays of shape ``(keys, years)``."""
    count = len(next(iter(keys.values())))
    table = {name: np.repeat(labels, len(years)) for name, labels in keys.items()}
    table["year"] = np.tile(years, count)
    return pd.DataFrame(table | {name: values.ravel() for name, values in columns.items()})


def _chosen(instance: Instance, found: Found, choice: NDArray[np.float64]) -> pd.DataFrame:
    """Every measure of every plan that is chosen: unit, plan, row of the table of measures, first year's position."""
    portfolio = found.portfolio
    plans = np.flatnonzero(choice > 0)
    frames = [np.zeros((0, 4), dtype=np.int64)]
    for number, kind in enumerate(portfolio.plans.kinds):
        here = plans[portfolio.plans.kind[portfolio.unit[plans]] == number]
        place = portfolio.plans.place[portfolio.unit[here]]
        for k in range(kind.row.shape[1]):
            runs = (portfolio.sets[here] >> k) & 1 > 0
            takes = runs.any(axis=1)
            start = runs.argmax(axis=1)
            frames.append(np.column_stack([here, kind.row[place, k], start, np.full(len(here), k)])[takes])
    table = pd.DataFrame(np.concatenate(frames), columns=["choice", "row", "start", "bit"])
    return table.sort_values(["choice", "bit"], ignore_index=True)


def plan_table(instance: Instance, found: Found, choice: NDArray[np.float64]) -> pd.DataFrame:
    """Measures of the chosen plans; a unit without one has no row, and one whose plans are mixed has several plans."""
    chosen = _chosen(instance, found, choice)
    portfolio = found.portfolio
    number = np.arange(len(portfolio.unit)) - portfolio.first[portfolio.unit]
    plan = chosen["choice"].to_numpy()
    return pd.DataFrame(
        {
            "unit_id": instance.units["unit_id"].to_numpy(dtype=object)[portfolio.unit[plan]],
            "plan": number[plan],
            "share": choice[plan],
            "measure_id": _names(instance, chosen["row"].to_numpy()),
            "start_year": found.prospects.years[chosen["start"].to_numpy()],
        }
    )


def _names(instance: Instance, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    if instance.measures is None:
        return np.full(len(rows), OUTPUT_CUT, dtype=object)
    return np.where(rows < 0, OUTPUT_CUT, texts(instance, "measure_id")[rows]).astype(object)


def measure_table(instance: Instance, found: Found, choice: NDArray[np.float64]) -> pd.DataFrame:
    """What each measure does in each sector and year: a plan's abatement is divided by what each would do alone."""
    chosen = _chosen(instance, found, choice)
    portfolio, years = found.portfolio, found.prospects.years
    plan, start, bit = (chosen[name].to_numpy() for name in ("choice", "start", "bit"))
    unit = portfolio.unit[plan]
    alone, cost = np.zeros((len(plan), len(years))), np.zeros((len(plan), len(years)))
    for number, kind in enumerate(portfolio.plans.kinds):
        here = np.flatnonzero(portfolio.plans.kind[unit] == number)
        place = portfolio.plans.place[unit[here]]
        runs = np.arange(len(years)) >= start[here, None]
        alone[here] = runs * (1 - kind.emissions_left[place, bit[here]])[:, None]
        output = np.nan_to_num(found.prospects.output[unit[here]])
        cost[here] = runs * (kind.fixed[place, bit[here], None] + kind.variable[place, bit[here], None] * output)
    total = np.zeros((len(portfolio.unit), len(years)))
    np.add.at(total, plan, alone)
    weight = np.divide(alone, total[plan], out=np.zeros_like(alone), where=total[plan] > 0)
    abated = weight * portfolio.abated[plan] * choice[plan, None]
    sector = instance.units["sector"].to_numpy(dtype=object)[unit]
    frame = by_year_table(
        years,
        {"measure_id": _names(instance, chosen["row"].to_numpy()), "sector": sector},
        {
            "units": (np.arange(len(years)) >= start[:, None]) * choice[plan, None],
            "abated_tco2e": abated,
            "measures_cost_cny": cost * choice[plan, None],
        },
    )
    return frame.groupby(["measure_id", "sector", "year"], as_index=False).sum()
