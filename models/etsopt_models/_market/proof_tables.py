"""Result tables that prove the cost of a market: multipliers, leaves of integer plans, and uplift.

Result tables of measures: their units, and their effect in each year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.measure_steps import offers_of
from etsopt.data.measures import OUTPUT_CUT
from etsopt.data.tables.labels import Labels
from etsopt_models._market.column_generation import unit_prices
from etsopt_models._market.holdings import totals
from etsopt_models._market.measures import column, known
from etsopt_models._tolerances import UPLIFT_MIN_CNY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import PreparedMarket
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


def stated_of(
    prepared: PreparedMarket, multipliers: Mapping[str, NDArray[np.float64]]
) -> list[tuple[str, str, Mapping[str, NDArray[np.float64]]]]:
    """Return objective, unit and multipliers of the cost, of the ends of price intervals, and of the leaves."""
    stated = [("cost", "CNY", multipliers)]
    stated += [(f"cost:{number}", "CNY", end) for number, end in enumerate(prepared.ends, 2)]
    if prepared.tree is not None:
        units = {"cost": "CNY", "unmet_demand": "t"}
        tree = prepared.tree
        vectors = list(enumerate(tree.vectors))[1:]
        part = LEAF if tree.leaves else TOGETHER
        stated += [(level_of(kind, number, part), units[kind], given) for number, (kind, given) in vectors]
    return stated


def duals_table(
    prepared: PreparedMarket, stated: Sequence[tuple[str, str, Mapping[str, NDArray[np.float64]]]]
) -> pd.DataFrame:
    """Return the multipliers of the rows of accounts and of the market, discounted to the first year."""
    years, labels = prepared.baseline.years, prepared.accounts.labels
    of_account = np.repeat(labels, len(years))
    of_market = np.full(len(years), "", dtype=object)
    columns: dict[str, list[Any]] = {name: [] for name in ("level", "row", "index", "year", "multiplier", "unit")}
    for level, unit, multipliers in stated:
        for row, values in multipliers.items():
            # A price of zero is a price: those of balances are kept, whatever their value.
            kept = (values != 0) | (row in ("account_balance", "market_balance"))
            if row == "one_plan" or not kept.any():
                continue
            owner = of_account if row in OF_ACCOUNTS else of_market
            part = (level, row, owner[kept], np.resize(years, len(kept))[kept], values[kept], f"{unit}/t")
            for name, value in zip(columns, part, strict=True):
                columns[name].append(np.full(kept.sum(), value, dtype=object) if isinstance(value, str) else value)
    return pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()})


def uplift_table(
    instance: Instance, prepared: PreparedMarket, pool: ColumnPool, multipliers: Mapping[str, NDArray[np.float64]]
) -> dict[str, pd.DataFrame]:
    """Return the uplift of units that have a better plan at the prices, the largest first [CNY]."""
    if instance.policy.abatement.divisible_measures:
        return {}
    prices = unit_prices(instance, prepared.accounts, multipliers)
    uplift = pool.values(*prices) - pool.plans.best(*prices)[0]
    more = np.flatnonzero(uplift > UPLIFT_MIN_CNY)
    more = more[np.argsort(-uplift[more], kind="stable")]
    names = instance.units["unit_id"].to_numpy(dtype=object)[more]
    return {"uplift": pd.DataFrame({"unit_id": names, "uplift_cny": uplift[more]})}


LEAF, TOGETHER = "leaf", "together"
"""Parts of names of multipliers: one vector proves a leaf, or all of them together prove every choice."""


def level_of(kind: str, vector: int, part: str = LEAF) -> str:
    """Return the name under which multipliers of a proof are stated; the first are those of the prices."""
    return f"{kind}:{part}:{vector}" if vector else kind


def leaves_table(instance: Instance, prepared: PreparedMarket) -> dict[str, pd.DataFrame]:
    """Return the branches of the leaves that prove the cost of integer plans; no table if prices alone prove it."""
    tree = prepared.tree
    if tree is None or not any(leaf.branches for leaf in tree.leaves):
        return {}
    plans, years = (prepared.full_pool or prepared.pool).plans, prepared.baseline.years
    ids = column(instance, "measure_id")
    units, rows = instance.units["unit_id"].to_numpy(dtype=object), []
    for number, leaf in enumerate(tree.leaves, 1):
        level = "" if leaf.vector < 0 else level_of(tree.vectors[leaf.vector][0], leaf.vector)
        for place, (unit, year, measure, runs) in enumerate(leaf.branches, 1):
            row = plans.rows[unit, measure]
            name = OUTPUT_CUT if row < 0 else ids[row]
            rows.append((number, place, level, units[unit], name, row, years[year], int(runs)))
    names = ["leaf", "place", "level", "unit_id", "measure_id", "step", "year", "runs"]
    table = pd.DataFrame(rows, columns=names)
    steps = step_column(instance, table["step"].to_numpy())
    return {"leaves": table.assign(**steps) if steps else table.drop(columns="step")}


OF_ACCOUNTS = ("account_balance", "offset_limit", "newly_owed")
