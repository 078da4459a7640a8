"""Result tables of measures: their units, and their effect in each year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.measure_steps import offers_of
from etsopt.data.tables.labels import Labels
from etsopt_models._market.holdings import totals
from etsopt_models._market.measures import OUTPUT_CUT, column, known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_pool import ColumnPool


def by_year_table(
    years: NDArray[np.int64], keys: dict[str, NDArray[Any]], columns: dict[str, NDArray[np.float64]]
) -> pd.DataFrame:
    """Return a table with a row for each key and year from arrays of shape ``(keys, years)``."""
    count = len(next(iter(keys.values())))
    table = {name: np.repeat(labels, len(years)) for name, labels in keys.items()}
    table["year"] = np.tile(years, count)
    return pd.DataFrame(table | {name: values.ravel() for name, values in columns.items()})


@dataclass(frozen=True)
class _ChosenMeasures:
    """Every spell of every measure of every chosen plan, plan by plan, shape ``(spells,)``.

    Position of the plan, place of the measure at its unit, position in `offers_of`, and positions of the first year and
    of that after the last.
    """

    plan: NDArray[np.int64]
    place: NDArray[np.int64]
    row: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def _chosen_measures(pool: ColumnPool) -> _ChosenMeasures:
    sets, kind_of_plan, nothing = pool.sets, pool.plans.kind[pool.unit], np.zeros(0, dtype=np.int64)
    chosen, years = [(nothing, nothing, nothing, nothing)], pool.sets.shape[1]
    for number, kind in enumerate(pool.plans.kinds):
        of_kind, has = np.flatnonzero(kind_of_plan == number), kind.family.has
        if any(group.stops for group in kind.family.groups):
            runs = np.pad(has[sets[of_kind]], ((0, 0), (1, 1), (0, 0))).astype(np.int8)
            steps = np.diff(runs, axis=1).transpose(0, 2, 1)
            plan, place, start = np.nonzero(steps > 0)
            end = np.nonzero(steps < 0)[2]
        else:
            # Every measure runs to the end: the last year's set names them, and the number of years their starts.
            plan, place = np.nonzero(has[sets[of_kind, -1]])
            start = years - has[sets[of_kind[plan]], place[:, None]].sum(axis=1)
            end = np.full(len(plan), years)
        chosen.append((of_kind[plan], place, start, end))
    plan, place, start, end = (np.concatenate(parts) for parts in zip(*chosen, strict=True))
    order = np.argsort(plan, kind="stable")
    plan, place = plan[order], place[order]
    return _ChosenMeasures(plan, place, pool.plans.rows[pool.unit[plan], place], start[order], end[order])


def plan_table(instance: Instance, pool: ColumnPool, share: NDArray[np.float64]) -> pd.DataFrame:
    """Return the measures of the chosen plans; a unit that mixes plans has several, one without measures no row."""
    chosen = _chosen_measures(pool)
    unit = pool.unit[chosen.plan]
    # Plans of a unit are numbered from zero on; one without measures has no rows and no number.
    plans, number = np.unique(chosen.plan, return_inverse=True)
    first = np.searchsorted(pool.unit[plans], pool.unit[plans])
    years = pool.plans.baseline.years
    table = {
        "unit_id": instance.units["unit_id"].to_numpy(dtype=object)[unit],
        "plan": number - first[number],
        "share": share[chosen.plan],
        "measure_id": _names(instance, chosen.row),
        **step_column(instance, chosen.row),
        "start_year": years[chosen.start],
    }
    if any(group.stops for kind in pool.plans.kinds for group in kind.family.groups):
        table["last_year"] = years[chosen.end - 1]
    return pd.DataFrame(table)


def _names(instance: Instance, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    if instance.measures is None:
        return np.full(len(rows), OUTPUT_CUT, dtype=object)
    names = np.append(column(instance, "measure_id").astype(object), OUTPUT_CUT)
    return names[rows]


def step_column(instance: Instance, offers: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return the column of steps of some offers, where an instance has measures with several; a cut of output is 1."""
    step, steps = offers_of(instance)[1:]
    return {"step": np.append(step, 1)[offers]} if (steps > 1).any() else {}


def measure_table(instance: Instance, pool: ColumnPool, share: NDArray[np.float64]) -> pd.DataFrame:
    """Return the effect of each measure by sector and year; measures share a plan's abatement by that of each alone."""
    chosen, plans = _chosen_measures(pool), pool.plans
    baseline, years = plans.baseline, plans.baseline.years
    plan, place = chosen.plan, chosen.place
    unit = pool.unit[plan]
    runs = (np.arange(len(years)) >= chosen.start[:, None]) & (np.arange(len(years)) < chosen.end[:, None])
    left, growth, fixed, variable = np.ones(len(plan)), np.ones(len(plan)), np.zeros(len(plan)), np.zeros(len(plan))
    for number, kind in enumerate(plans.kinds):
        of_kind = np.flatnonzero(plans.kind[unit] == number)
        cell = plans.place[unit[of_kind]], place[of_kind]
        left[of_kind], growth[of_kind] = kind.emissions_left[cell], kind.growth[cell]
        fixed[of_kind], variable[of_kind] = kind.fixed[cell], kind.variable[cell]
    part, rate = _parts(instance, chosen.row, left)
    alone = runs * rate[:, None]
    total = totals(alone, plan, len(pool.unit))
    avoided = pool.abated * share[:, None]
    abated = alone * np.divide(avoided, total, out=np.zeros_like(total), where=total > 0)[plan]
    cost = runs * share[plan, None] * (fixed[:, None] + variable[:, None] * known(baseline.output[unit]))
    cost *= growth[:, None] ** (years - instance.policy.year)
    names, sector = Labels.of(_names(instance, chosen.row)), instance.labels("sector")
    pair = names.code * len(sector) + sector.code[unit]
    there = np.flatnonzero(np.bincount(pair, minlength=len(names) * len(sector)))
    group = np.searchsorted(there, pair)
    columns = {"units": runs * (share[plan] * part)[:, None], "abated_tco2e": abated, "measures_cost_cny": cost}
    keys = {"measure_id": names.names[there // len(sector)], "sector": sector.names[there % len(sector)]}
    return by_year_table(years, keys, {name: totals(part, group, len(there)) for name, part in columns.items()})


def _parts(
    instance: Instance, offers: NDArray[np.int64], left: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the part of its measure that each offer is, and the share of emissions that it abates alone."""
    steps = np.append(offers_of(instance).steps, 1)[offers]
    if (steps == 1).all():
        return np.ones(len(offers)), 1 - left
    whole = np.append(column(instance, "abatement_rate") * column(instance, "maximum_share"), 0.0)[offers]
    return 1 / steps, np.where(steps > 1, whole / steps, 1 - left)
