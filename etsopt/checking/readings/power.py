"""Derive the allowances of power units again, from the texts of the plans.

The figures are written again, so that a wrong one in `etsopt.data.policy.official` is found here. A figure of the
policy replaces the official one. Electricity is net supply up to 2022 and gross generation since.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import by_year, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs

LAST_PLAN = 2026
ELECTRICITY = {
    2019: {"I": 0.877, "II": 0.979, "III": 1.146, "IV": 0.392},
    2021: {"I": 0.8218, "II": 0.8773, "III": 0.935, "IV": 0.392},
    2022: {"I": 0.8177, "II": 0.8729, "III": 0.9303, "IV": 0.3901},
    2023: {"I": 0.795, "II": 0.809, "III": 0.8285, "IV": 0.3305},
    2024: {"I": 0.791, "II": 0.8049, "III": 0.8244, "IV": 0.3288},
    2025: {"I": 0.7902, "II": 0.8017, "III": 0.8162, "IV": 0.3288},
    2026: {"I": 0.7894, "II": 0.7985, "III": 0.808, "IV": 0.3288},
}
"""Benchmarks of electricity from a year on, by class [t/MWh]."""

HEAT = {
    2019: {"coal": 0.126, "gas": 0.059},
    2021: {"coal": 0.1111, "gas": 0.056},
    2022: {"coal": 0.1105, "gas": 0.0557},
    2023: {"coal": 0.1038, "gas": 0.0536},
    2024: {"coal": 0.1033, "gas": 0.0533},
    2025: {"coal": 0.1027, "gas": 0.0533},
    2026: {"coal": 0.1021, "gas": 0.0533},
}
"""Benchmarks of heat from a year on [t/GJ]."""


def allowances_of_power(
    instance: InstanceInputs,
    fixed: NDArray[np.bool_],
    year: int,
    grown: float | NDArray[np.float64],
    emissions: NDArray[Any],
) -> NDArray[np.float64]:
    """Return the allowances of power units in whole tonnes, and NaN for all other units, shape ``(units,)`` [t].

    Parameters
    ----------
    year
        Year whose plan applies.
    grown, emissions
        Electricity and heat relative to the tables, and emissions in that year [tCO2e].
    """
    table = instance.units.assign(e=emissions, fixed=fixed, grown=grown)
    table = table[table["sector"] == "power"].copy()
    electric = {
        name: _benchmark(instance, year, "electricity_benchmarks", ELECTRICITY, name) for name in ELECTRICITY[2019]
    }
    heat = {fuel: _benchmark(instance, year, "heat_benchmarks", HEAT, fuel) for fuel in HEAT[2019]}
    classes = _column(table, "unit_class", "").astype(str)
    gas = classes == "IV"
    least = {name: min((electric[one] for one in name.split("+")), default=np.nan) for name in set(classes) - {""}}
    rate = classes.map(least).astype(float)
    load = _column(table, "load_factor", np.nan)
    corrections = load.map({number: load_correction(year, number) for number in load.dropna().unique()}).astype(float)
    # One reader has the correction of 2019 and 2020 for condensing units alone, which sell no heat.
    heats = _column(table, "heat_gj", 0.0).fillna(0.0) > 0
    rate = rate * corrections.where(classes.isin(["I", "II", "I+II"]) & ~(heats & (year <= 2020)), 1.0)
    if year <= 2022:
        air = _column(table, "cooling", "") == "air"
        reduced = np.where(gas, 0.6, 0.22) * _column(table, "heat_supply_ratio", 0.0).fillna(0.0)
        rate = rate * np.where(air, 1.05, 1.0) * (1 - reduced)
    electricity = _column(table, "supply_mwh" if year <= 2022 else "generation_mwh", np.nan)
    electricity = electricity * table["grown"]
    steam = (
        table["grown"] * _column(table, "heat_gj", 0.0).fillna(0.0) * gas.map({True: heat["gas"], False: heat["coal"]})
    )
    table["a"] = whole(electricity * rate) + whole(steam)
    due = whole(table["e"] + 0.5)
    if plan.parameter(instance, "gas_topped_up", True):
        table["a"] = table["a"].where(~gas, np.maximum(table["a"], due))
    table["a"] = table["a"].where(~table["fixed"], due)
    result = pd.Series(np.nan, index=instance.units.index)
    result[table.index] = _with_least_share(table, float(plan.parameter(instance, "least_allowance_share", 0.8)))
    return result.to_numpy(dtype=float)


def _benchmark(
    instance: InstanceInputs, year: int, key: str, official: dict[int, dict[str, float]], name: str
) -> float:
    """Return a benchmark of a year: stated, else official; after the last plan it changes as the policy states."""
    own = by_year((plan.parameter(instance, key, None) or {}).get(name), [year])[0]
    if not math.isnan(own):
        return float(own)
    value = official[max(first for first in official if first <= year)][name]
    for later in range(LAST_PLAN + 1, year + 1):
        value *= 1 + float(by_year(plan.parameter(instance, "benchmark_change", None), [later], 0.0)[0])
    return value


def load_correction(year: int, load_factor: float) -> float:
    """Return the load correction of conventional coal in a year, rounded to six decimals."""
    percent = round(100 * load_factor, 9)
    value = 1.0
    if year >= 2025 and percent < 50:
        first, second = math.exp(-percent / 29.822), math.exp(-percent / 6.871)
        value = 7.254 - 0.633 + 0.633 * first - 5.643 + 5.643 * second
    elif year <= 2024 and percent < (65 if year >= 2023 else 75):
        value = math.pow(1.015, 16 - 20 * percent / 100)
    elif year <= 2022 and percent < 80:
        value = 1.007 + 0.0016 * (80 - percent)
    elif year <= 2022 and percent < 85:
        value = 1 + 0.0014 * (85 - percent)
    return math.floor(value * 1_000_000 + 0.5) / 1_000_000


def _with_least_share(table: pd.DataFrame, share: float) -> pd.Series[Any]:
    """Return allowances raised to the least share of each enterprise's emissions, by the deficits of its units."""
    owner = table["enterprise_id"]
    totals = table.groupby(owner, sort=False)[["e", "a"]].sum()
    lacking = whole(share * totals["e"]) - totals["a"]
    short = owner.map(lacking > 0)
    deficit = (table["e"] - table["a"]).clip(lower=0).where(~table["fixed"], 0.0)[short]
    by = deficit.groupby(owner[short])
    added = np.floor(owner[short].map(lacking) * deficit / by.transform("sum"))
    # What rounding leaves goes to the unit with the largest deficit.
    added[by.idxmax()] += (lacking[lacking > 0] - added.groupby(owner[short]).sum()).loc[by.idxmax().index].to_numpy()
    return table["a"].add(added, fill_value=0.0)


def _column(table: pd.DataFrame, name: str, absent: Any) -> pd.Series[Any]:
    """Return a column, or one of a single value if the table does not have it."""
    return table[name] if name in table else pd.Series(absent, index=table.index)
