"""Draw output, heat, load and emissions of power units: plants are observed, all that is drawn is assumed.

`Assumptions` is the one place of every figure. Confidence of a figure: [A] official text; [B] a secondary source that
was read, or computed from one; [C] recalled or assumed, or computed from such a figure; [D] computed from several of
these.

The intensity of a class is not fitted to any gap: by the definition of a balance value, allowances at the balance
values of 2023 add up to the emissions of the class in 2023. The sector is scaled to its official emissions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import etsopt
from etsopt.rules.national import NationalParameters, plan_of_power
from etsopt.rules.power import load_correction
from instances.build_cn_2025 import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

BASE_YEAR = 2023
"""Year of the balance values, from which other years are computed."""

TOTALS = {2023: 5_244_000_000, 2024: 5_306_350_000}
"""Verified emissions of power [tCO2e], Ministry of Ecology and Environment, Development Reports 2025 and 2026 [A]."""

BALANCE = {"I": 0.7982, "II": 0.8155, "III": 0.8352, "IV": 0.3239}
"""Balance values of 2023 by class [t/MWh], plan of 2023-2024 [A]."""

BALANCE_OF_HEAT = 0.1041
"""Balance value of 2023 of heat from coal [t/GJ], the same plan [A]."""

DRAWN = ("emissions_tco2e", "generation_mwh", "heat_gj", "load_factor", "prior_emissions_tco2e")
"""Columns of the table of units that this file draws."""


def _by_class(*values: float) -> Any:
    return field(default_factory=lambda: dict(zip(("I", "II", "III", "IV"), values, strict=False)))


@dataclass(frozen=True)
class Assumptions:
    """Every assumption about power; shares and changes are fractions."""

    # Share of the generation of conventional coal (classes I and II) at a load between 50 and 65 %, corrected until
    # 2024 and not since. Not public: a scenario, 0 to 0.7 [C].
    load_share: float = 0.3
    # Share below 50 %, and the range of loads; within a range loads are spread evenly [C].
    deep_share: float = 0.02
    loads: tuple[float, float, float, float] = (0.42, 0.50, 0.65, 0.82)
    # Change of emissions per output a year: 0.8762 t/MWh in 2020, 0.8446 in 2025, heat included, is -0.73 % [A].
    intensity_trend: float = -0.007
    # Change of output: 2024 follows from the totals and the trend [D]; 2025 thermal generation [A]; 2026 assumed [C].
    output_changes: Mapping[int, float] = field(default_factory=lambda: {2025: -0.007, 2026: -0.01})
    # Standard deviation of the logarithm of a unit's intensity, I to IV [C], and a factor on those of coal. In
    # 2019-2020, 847 of 2,011 entities (42 %) were short by 188 Mt, 94 Mt a year [B]. A factor of 1 gives 57 Mt and
    # 47 %, 2.5 gives 102 Mt and 45 %, other seeds 93 to 100 Mt and 43 to 44 %; the sector's gap is the same [D]. Gas,
    # which is topped up to its emissions, is never short, so that nothing is known of its spread.
    intensity_spread: Mapping[str, float] = _by_class(0.025, 0.035, 0.05, 0.05)
    spread_factor: float = 2.5
    # Heat: share of the emissions of coal units, sd of the logarithm of its intensity, share of units with heat [C].
    heat_share: float = 0.13
    heat_spread: float = 0.03
    heat_units: Mapping[str, float] = _by_class(0.35, 0.75, 0.5)
    # Hours of coal units relative to their mean, which the totals give, and sd of their logarithm over plants [C].
    relative_hours: Mapping[str, float] = _by_class(1.03, 0.96, 0.98)
    hours_spread: float = 0.12
    # Full-load hours of gas units (class IV) and of special cases, and the intensity of the latter [t/MWh] [C].
    gas_hours: float = 2500.0
    special_hours: float = 5000.0
    special_intensity: float = 0.85
    seed: int = 2025


SHIPPED = Assumptions()
"""Assumptions of the shipped instance."""


def power_of_year(plants: pd.DataFrame, year: int, assumed: Assumptions = SHIPPED) -> pd.DataFrame:
    """Return the power units of a year from 2023 to 2026: the columns of the plants, and those of `DRAWN`.

    Parameters
    ----------
    plants
        A row for each unit, with ``unit_id``, ``unit_class`` (empty for a special case), ``capacity_mw``,
        ``special_case`` and, for coal, ``x_plant_id``. The order of rows does not matter.
    """
    plants = plants.sort_values("unit_id", ignore_index=True)
    fleet = _fleet(plants, assumed)
    columns: dict[str, Any] = {"load_factor": fleet["load_factor"]}
    for name, rate in (("generation_mwh", "per_mwh"), ("heat_gj", "per_gj")):
        amount = whole(fleet[name] * _output(year, assumed))
        columns[name] = pd.Series(amount, dtype="Int64").mask(fleet[rate].isna().to_numpy())
    columns["emissions_tco2e"] = _emissions(fleet, year, assumed)
    if year > BASE_YEAR:
        columns["prior_emissions_tco2e"] = _emissions(fleet, year - 1, assumed)
    return plants.assign(**columns)


def instance_of_year(plants: pd.DataFrame, year: int, assumed: Assumptions = SHIPPED) -> etsopt.Instance:
    """Return the power units of a year as an instance under the rule ``cn``."""
    policy = {"year": year, "rule": {"name": "cn"}}
    return etsopt.Instance.from_frames(power_of_year(plants, year, assumed), policy, name=f"power {year}")


def plants_of(units: pd.DataFrame) -> pd.DataFrame:
    """Return the plants of a table of units: its power units, without what is drawn."""
    return units[units["sector"] == "power"].drop(columns=[name for name in DRAWN if name in units])


def _output(year: int, assumed: Assumptions) -> float:
    """Return the output of a year relative to 2023."""
    if year == BASE_YEAR:
        return 1.0
    # In 2024 the emissions are official, so that a faster fall of the intensity means more output.
    first = TOTALS[2024] / TOTALS[BASE_YEAR] / (1 + assumed.intensity_trend)
    return first * float(np.prod([1 + assumed.output_changes[later] for later in range(2025, year + 1)]))


def _emissions(fleet: pd.DataFrame, year: int, assumed: Assumptions) -> NDArray[np.int64]:
    """Return verified emissions in whole tonnes; those of a year with an official total add up to it [tCO2e]."""
    by_unit = fleet["generation_mwh"] * fleet["per_mwh"] + fleet["heat_gj"] * fleet["per_gj"].fillna(0.0)
    by_unit = by_unit * _output(year, assumed) * (1 + assumed.intensity_trend) ** (year - BASE_YEAR)
    return whole(by_unit.to_numpy(), TOTALS.get(year))


def _fleet(plants: pd.DataFrame, assumed: Assumptions) -> pd.DataFrame:
    """Return load, output, heat and intensities of 2023; heat is 0 and its intensity NaN for a unit without heat."""
    classes = plants["unit_class"].fillna("").to_numpy(dtype=str)
    capacity = plants["capacity_mw"].to_numpy(dtype=float)
    coal, gas = np.isin(classes, ["I", "II", "III"]), classes == "IV"
    busy = _busy(plants["x_plant_id"].fillna("").to_numpy(dtype=str), assumed)
    weight = capacity * _of_class(classes, assumed.relative_hours) * np.exp(assumed.hours_spread * busy)
    load = _loads(busy, np.where(np.isin(classes, ["I", "II"]), weight, 0.0), assumed)
    weight = np.where(coal, weight, capacity)
    per_mwh = _intensities(classes, weight, load, assumed)
    heat, per_gj = _heat(classes, weight, assumed)

    generation = weight * np.where(gas, assumed.gas_hours, assumed.special_hours)
    from_coal = TOTALS[BASE_YEAR] - (generation * per_mwh)[~coal].sum()
    hours = from_coal * (1 - assumed.heat_share) / (weight * per_mwh)[coal].sum()
    heat *= from_coal * assumed.heat_share / np.nansum(heat * per_gj)
    return pd.DataFrame(
        {
            "load_factor": load,
            "generation_mwh": np.where(coal, weight * hours, generation),
            "per_mwh": per_mwh,
            "heat_gj": heat,
            "per_gj": per_gj,
        }
    )


def _random(assumed: Assumptions, draw: int) -> np.random.Generator:
    """Return the generator of one draw, so that a changed assumption leaves the others' random numbers alone."""
    return np.random.default_rng([assumed.seed, draw])


def _of_class(classes: NDArray[np.str_], values: Mapping[str, float]) -> Floats:
    """Return the value of each unit's class, 0 for one without."""
    return np.array([values.get(name, 0.0) for name in classes])


def _busy(plant: NDArray[np.str_], assumed: Assumptions) -> Floats:
    """Return a standard normal number for each plant, which all its units share."""
    names, code = np.unique(plant, return_inverse=True)
    return _random(assumed, 1).standard_normal(len(names))[code]


def _loads(busy: Floats, weight: Floats, assumed: Assumptions) -> Floats:
    """Return the load factor of conventional coal, NaN for other units.

    Plants with fewer hours run at a lower load. Loads drawn apart from hours would ask some units for more hours than a
    year has: below 50 % of its capacity a unit makes at most the output of 4,380 hours at full load.
    """
    conventional = np.flatnonzero(weight > 0)
    order = conventional[np.argsort(busy[conventional], kind="stable")]
    share = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    bounds = (0.0, assumed.deep_share, assumed.deep_share + assumed.load_share, 1.0)
    load = np.full(len(weight), np.nan)
    # Rounded down, so that none is moved over a limit of the correction.
    load[order] = np.floor(1e4 * np.interp(share, bounds, assumed.loads)) / 1e4
    return load


def _intensities(classes: NDArray[np.str_], weight: Floats, load: Floats, assumed: Assumptions) -> Floats:
    """Return emissions per output [t/MWh], such that the plan of 2023 at its balance values allocates the emissions."""
    plan = plan_of_power(NationalParameters(), BASE_YEAR)
    conventional = ~np.isnan(load)
    # The correction follows the fuel use of a unit, which goes on falling up to 80 % load.
    curve = np.where(conventional, 1.015 ** (16 - 20 * np.minimum(load, 0.8)), 1.0)
    factor = np.where(classes == "IV", 1.0, assumed.spread_factor)
    spread = factor * _of_class(classes, assumed.intensity_spread)
    drawn = curve * np.exp(spread * _random(assumed, 2).standard_normal(len(classes)))
    corrected = np.where(conventional, load_correction(plan.load_form, np.nan_to_num(load, nan=1.0)), 1.0)
    per_mwh = np.full(len(classes), assumed.special_intensity)
    for name, balance in BALANCE.items():
        of = classes == name
        scale = (weight * corrected)[of].sum() / max((weight * drawn)[of].sum(), 1e-300)
        per_mwh[of] = balance * drawn[of] * scale
    return per_mwh


def _heat(classes: NDArray[np.str_], weight: Floats, assumed: Assumptions) -> tuple[Floats, Floats]:
    """Return relative heat, and emissions per heat [t/GJ], NaN for a unit without heat."""
    random, count = _random(assumed, 3), len(classes)
    chosen = random.random(count) < _of_class(classes, assumed.heat_units)
    heat = np.where(chosen, weight * random.uniform(0.5, 1.5, count), 0.0)
    per_gj = np.where(chosen, np.exp(assumed.heat_spread * random.standard_normal(count)), np.nan)
    return heat, per_gj * BALANCE_OF_HEAT * heat.sum() / np.nansum(heat * per_gj)
