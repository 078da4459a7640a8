"""Equilibria of every sector in every year, and their tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.measures import OUTPUT_CUT
from etsopt.data.policy.yearly import by_year
from etsopt.rules import parameters_of, reference_allowances
from etsopt_models._equilibrium.responses import (
    Pieces,
    Sector,
    SectorEquilibrium,
    Setting,
    pieces_of,
    ramps_of,
    sector_equilibrium,
)
from etsopt_models._market.accounts import expected_prices
from etsopt_models._market.baseline import IntensityRule, without_allowances
from etsopt_models._market.incentives import incentives_of_plans
from etsopt_models._market.measures import column
from etsopt_models._market.plans import Plans
from etsopt_models._tolerances import INTENSITY_LEFT_MIN_SHARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline

STATUS = {0: "cycle", 1: "fixed point"}
"""Status by the number of fixed points; with more it is `several`."""


@dataclass(frozen=True)
class Equilibria:
    """Equilibria by sector, and the sets of measures of all units.

    Parameters
    ----------
    by_sector
        Equilibrium of each sector; None if every unit gets A = E.
    sectors
        Responses of the units of each sector with an equilibrium.
    before
        Balance value of each sector without abatement.
    sets
        Set of measures of each unit, shape ``(units,)``.
    balance_value
        Balance value of each unit's sector, NaN if the unit gets A = E, shape ``(units,)``.
    """

    by_sector: dict[str, SectorEquilibrium | None]
    sectors: dict[str, Sector]
    before: dict[str, float]
    sets: NDArray[np.int64]
    balance_value: NDArray[np.float64]


def equilibrium_tables(instance: Instance) -> dict[str, pd.DataFrame]:
    """Return the tables ``equilibrium``, ``fixed_points``, ``cycles`` and ``units``, year by year."""
    baseline = without_allowances(instance)
    prices = expected_prices(instance, baseline.years)
    of_years = [_of_year(instance, baseline.of_year(t), float(price)) for t, price in enumerate(prices)]
    return {name: _joined([tables[name] for tables in of_years]) for name in of_years[0]}


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all years; tables without rows are left out, since they have no types."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def _of_year(instance: Instance, baseline: Baseline, price: float) -> dict[str, pd.DataFrame]:
    """Return the tables of a year, given its baseline and its price [CNY/t]."""
    parameters: Any = parameters_of(instance)
    setting = Setting(
        price,
        float(by_year(instance.policy.market.paid_share, baseline.years, 0.0)[0]),
        parameters.slope,
        parameters.cap,
        ~reference_allowances(instance).fixed,
    )
    plans = Plans.of(instance, baseline)
    decimals = parameters.balance_value_decimals
    equilibria = _equilibria_of_sectors(instance, plans, setting, None if decimals == "none" else decimals)
    at_equilibrium = replace(
        baseline,
        paid_share=np.array([setting.paid_share]),
        follows=np.ones_like(baseline.emissions, dtype=bool),
        rule=IntensityRule(np.array([setting.slope]), np.array([setting.cap]), equilibria.balance_value[:, None]),
    )
    units = _units(instance, Plans(at_equilibrium, plans.kinds), setting, equilibria)
    tables = {"fixed_points": _points(equilibria), "cycles": _cycles(equilibria), "units": units}
    for table in tables.values():
        table.insert(table.columns.get_loc("sector") + 1, "year", baseline.years[0])
    return {"equilibrium": _equilibrium(int(baseline.years[0]), units, setting, equilibria), **tables}


def _equilibria_of_sectors(instance: Instance, plans: Plans, setting: Setting, decimals: int | None) -> Equilibria:
    labels = instance.labels("sector")
    pieces, high = _pieces(plans, setting, labels.code, len(labels))
    quantities = plans.quantities(pieces.unit, pieces.sets[:, None].astype(np.int16))
    before = plans.baseline.emissions[:, 0], plans.baseline.intensity[:, 0]
    intensity = np.maximum(quantities.intensity[:, 0], INTENSITY_LEFT_MIN_SHARE * before[1][pieces.unit])
    first = np.flatnonzero(np.diff(pieces.unit, prepend=-1))
    equilibria = Equilibria(dict.fromkeys(labels.names), {}, {}, pieces.sets[first], np.full(len(first), np.nan))
    for number, name in enumerate(equilibria.by_sector):
        in_sector = (labels.code[pieces.unit] == number) & setting.free[pieces.unit]
        if not in_sector.any():
            continue
        own_pieces = Pieces(pieces.unit[in_sector], pieces.start[in_sector], pieces.sets[in_sector])
        emissions, cost = quantities.emissions[in_sector, 0], quantities.cost[in_sector, 0]
        sector = Sector(own_pieces, emissions, intensity[in_sector], cost, setting, decimals, float(high[number]))
        units = np.unique(own_pieces.unit)
        start = sector.balance(before[0][units], before[1][units])
        result = sector_equilibrium(sector, start)
        equilibria.by_sector[name], equilibria.sectors[name], equilibria.before[name] = result, sector, start
        equilibria.sets[units] = own_pieces.sets[result.chosen.pieces]
        equilibria.balance_value[units] = result.chosen.balance_value
    return equilibria


def _pieces(
    plans: Plans, setting: Setting, of_unit: NDArray[np.int64], sectors: int
) -> tuple[Pieces, NDArray[np.float64]]:
    """Return the best responses of all units, sorted by unit and start, and the end of those of each sector."""
    ramps = [ramps_of(plans, part, setting) for part in plans.parts()]
    least, most = np.full(sectors, np.inf), np.zeros(sectors)
    for part in ramps:
        ruled = setting.free[part.units]
        np.minimum.at(least, of_unit[part.units[ruled]], part.reach[0, ruled])
        np.maximum.at(most, of_unit[part.units[ruled]], part.reach[1, ruled])
    # Before the first of these values every unit has the full surplus, after the last the full deficit.
    ratio, there = setting.cap / setting.slope, most > 0
    low, high = np.ones(sectors), np.full(sectors, 2.0)
    low[there], high[there] = np.maximum((1 - ratio) / most[there], 1e-12), (1 + ratio) / least[there]
    parts = [pieces_of(part, low[of_unit[part.units]], high[of_unit[part.units]]) for part in ramps]
    unit, start, sets = (np.concatenate([getattr(part, name) for part in parts]) for name in ("unit", "start", "sets"))
    order = np.lexsort((start, unit))
    return Pieces(unit[order], start[order], sets[order]), high


def _units(instance: Instance, plans: Plans, setting: Setting, equilibria: Equilibria) -> pd.DataFrame:
    """Return a row for each unit: measures, emissions, allowances and costs."""
    all_units = np.arange(len(equilibria.sets))
    quantities = plans.quantities(all_units, equilibria.sets[:, None].astype(np.int16))
    baseline = plans.baseline
    emissions, free, cost = quantities.emissions[:, 0], quantities.allowance[:, 0], quantities.cost[:, 0]
    intensity = quantities.intensity[:, 0]
    given = emissions * (1 + baseline.rule.rates(all_units, 0, intensity))
    measured, elsewhere = incentives_of_plans(baseline, all_units, quantities, np.array([setting.price]))
    table = instance.units[["unit_id", "enterprise_id", "sector", "province"]].copy()
    table["emissions_before_tco2e"] = baseline.emissions[:, 0]
    table["emissions_tco2e"] = emissions
    table["intensity"] = intensity
    table["allowance_t"] = free
    table["auctioned_t"] = given - free
    table["surplus_t"] = free - emissions
    table["measures"] = _names(instance, plans, equilibria.sets)
    table["measures_cost_cny"] = cost
    table["allowances_cost_cny"] = setting.price * (emissions - free)
    table["total_cost_cny"] = cost + setting.price * (emissions - free)
    table["marginal_incentive_cny_per_t"] = measured[:, 0]
    table["marginal_incentive_elsewhere_cny_per_t"] = elsewhere[:, 0]
    return table


def _names(instance: Instance, plans: Plans, sets: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the measures of each unit's set, separated by spaces; empty if it takes none."""
    result = np.full(len(sets), "", dtype=object)
    every = column(instance, "measure_id") if instance.measures is not None else np.array([""])
    for kind in plans.kinds:
        for k in range(kind.row.shape[1]):
            takes = kind.family.has[sets[kind.units], k]
            row = kind.row[takes, k]
            names = np.where(row < 0, OUTPUT_CUT, every[row]).astype(object)
            units = kind.units[takes]
            result[units] = np.where(result[units] == "", names, result[units] + " " + names)
    return result


def _equilibrium(year: int, units: pd.DataFrame, setting: Setting, equilibria: Equilibria) -> pd.DataFrame:
    """Return a row for each sector."""
    rows = []
    for name, result in equilibria.by_sector.items():
        points = 0 if result is None else len(result.points)
        chosen = None if result is None else result.chosen
        rows.append(
            {
                "sector": name,
                "year": year,
                "status": "fixed point" if result is None else STATUS.get(points, "several"),
                "price_cny_per_t": setting.price,
                "balance_value_before": equilibria.before.get(name, np.nan),
                "balance_value": np.nan if chosen is None else chosen.balance_value,
                "residual_t": 0.0 if chosen is None else chosen.residual_t,
                "fixed_points": points,
                "cycle_length": 0 if result is None else len(result.cycle),
                "obtained": "every unit gets its emissions" if result is None else result.obtained,
            }
        )
    sums = ["emissions_before_tco2e", "emissions_tco2e", "allowance_t", "auctioned_t", "measures_cost_cny"]
    totals = units.groupby("sector")[sums].sum().reset_index()
    return pd.DataFrame(rows).merge(totals, on="sector")


def _points(equilibria: Equilibria) -> pd.DataFrame:
    rows = [
        {
            "sector": name,
            "number": number,
            "balance_value": point.balance_value,
            "residual_t": point.residual_t,
            "emissions_tco2e": one.emissions[point.pieces].sum(),
            "measures_cost_cny": one.cost[point.pieces].sum(),
        }
        for name, one in equilibria.sectors.items()
        for number, point in enumerate(equilibria.by_sector[name].points, 1)  # type: ignore[union-attr]
    ]
    columns = ["sector", "number", "balance_value", "residual_t", "emissions_tco2e", "measures_cost_cny"]
    return pd.DataFrame(rows, columns=columns)


def _cycles(equilibria: Equilibria) -> pd.DataFrame:
    rows = [
        {"sector": name, "step": step, "balance_value": value}
        for name, result in equilibria.by_sector.items()
        for step, value in enumerate(() if result is None else result.cycle, 1)
    ]
    return pd.DataFrame(rows, columns=["sector", "step", "balance_value"])
