"""Seeded random instances of any size, with the schema and the orders of magnitude of the real system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.data.instance import Instance

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Profile:
    """Distribution of the quantities of a sector.

    Parameters
    ----------
    share
        Share of the units: entities of 2024 by the Development Report 2026 (steel 232, cement 962, aluminium 97).
    mean_emissions_t
        Mean emissions of a unit [tCO2e]: obligation of 2024 over entities, same source.
    emissions_spread
        Standard deviation of the logarithm of emissions; an assumption, as no public table has emissions by firm.
    intensity, intensity_spread
        Mean intensity [t/t] and its relative standard deviation: derived figures and suggested spreads (3-8 %).
    output_per_intensity_output
        Tonnes of product per tonne of the output that the rule measures (steel: crude steel per tonne of iron).
    whole_intensity
        Emissions of the whole unit per tonne of product [t/t]; None if the rule measures the whole unit.
    """

    share: float
    mean_emissions_t: float
    emissions_spread: float
    intensity: float
    intensity_spread: float
    output_per_intensity_output: float = 1.0
    whole_intensity: float | None = None


PROFILES = {
    "aluminium": Profile(97 / 1291, 0.711e6, 0.8, 1.57, 0.035),
    "cement": Profile(962 / 1291, 0.994e6, 0.7, 0.83, 0.05),
    "steel": Profile(232 / 1291, 8.028e6, 0.9, 0.88, 0.07, 1.06, 2.06),
}

PROVINCES = [
    "Anhui",
    "Beijing",
    "Chongqing",
    "Fujian",
    "Gansu",
    "Guangdong",
    "Guangxi",
    "Guizhou",
    "Hainan",
    "Hebei",
    "Heilongjiang",
    "Henan",
    "Hubei",
    "Hunan",
    "Inner Mongolia",
    "Jiangsu",
    "Jiangxi",
    "Jilin",
    "Liaoning",
    "Ningxia",
    "Qinghai",
    "Shaanxi",
    "Shandong",
    "Shanghai",
    "Shanxi",
    "Sichuan",
    "Tianjin",
    "Tibet",
    "Xinjiang",
    "Yunnan",
    "Zhejiang",
]

MOST_UNITS = 10_000_000
"""Ten times the largest measured size; the tables take about ten gigabytes."""

OUTLIER_SHARE = 0.01
"""Share of units far from their sector's intensity, so that the cap of the rule binds; an assumption."""

POLICY: dict[str, Any] = {
    "year": 2025,
    "coverage": "nation",
    "rule": {"name": "cn-2025"},
    "sectors": {name: {"band": 0.03, "target_change": -0.002} for name in sorted(PROFILES)},
    "provinces": {"balance": 0.01},
    "allocation": {"objectives": ["change", "largest_change"]},
}
"""A target slightly below emissions and a balance that binds in some provinces."""

MULTI_YEAR_POLICY: dict[str, Any] = {
    "sectors": {name: {"band": 0.03, "target_change": 0.0} for name in sorted(PROFILES)},
    "horizon": {"last_year": 2034},
    "pathway": {
        "tightening": 0.006,
        "band": {"2027": 0.04, "2030": 0.05},
        "slope": {"2027": 0.20, "2030": 0.25},
        "paid_share": {"2028": 0.02, "2030": 0.05, "2033": 0.10},
        "cap_from": 2030,
        "cap_change": -0.01,
    },
    "market": {"prices_cny_per_t": 84.0},
}
"""Policy beside `POLICY` for instances with measures: ten years, the pathway of the instance cn-2025-2035 with its
assumptions, and in each year the average price of January to August 2026, the year of surrender for 2025.
Targets are those of the rule itself, because a pathway allocates by the rule and has no tighter targets."""

MOST_MEASURES = 12
"""Most measures at a unit, which make 3,072 sets: the first two exclude each other."""

OWN_SPREAD = 0.25
"""Standard deviation of the logarithm of a unit's own costs, and twice that of its abatement; an assumption."""


def generate(units: int, seed: int = 0, measures: int = 0, own: bool = False) -> Instance:
    """Generate an instance with seeded random units under the rule of 2025.

    Parameters
    ----------
    units
        Number of allocation units, from 3 to 10 million.
    seed
        The same seed gives the same instance.
    measures
        Abatement measures at every unit, 0 to 12; the units are the same with and without them.
    own
        If True, each unit has measures of its own, with figures around those of its sector.

    Raises
    ------
    UsageError
        If there are fewer units than sectors, or too many, the seed is negative, or there are too many measures.

    Examples
    --------
    >>> generate(6, seed=1).units["sector"].tolist()
    ['cement', 'steel', 'cement', 'aluminium', 'cement', 'steel']
    """
    if units < len(PROFILES):
        raise UsageError(
            _("`units` is {units}: expected at least {count}, one per sector.", units=units, count=len(PROFILES)),
            _("Increase it."),
        )
    if units > MOST_UNITS:
        raise UsageError(
            _("`units` is {units}: expected at most {most_units:,}.", units=brief(units), most_units=MOST_UNITS),
            _("Decrease it."),
        )
    if seed < 0:
        raise UsageError(
            _("`seed` is {seed}: expected a whole number from 0 on.", seed=seed), _("Choose another seed.")
        )
    if not 0 <= measures <= MOST_MEASURES:
        raise UsageError(
            _(
                "`measures` is {measures}: expected 0 to {most_measures} for a unit.",
                measures=measures,
                most_measures=MOST_MEASURES,
            ),
            _("Correct it."),
        )
    if own and not measures:
        raise UsageError(_("`measures` is 0, but `own` is True: expected 1 to 12."), _("Increase it."))
    random = np.random.default_rng(seed)
    sectors = np.array(sorted(PROFILES), dtype=object)
    shares = np.array([PROFILES[name].share for name in sectors])
    # Each sector has at least one unit; the others are drawn by share.
    sector = np.concatenate([np.arange(len(sectors)), random.choice(len(sectors), units - len(sectors), p=shares)])
    sector = random.permutation(sector)
    frame = _quantities(sectors, sector, random)
    width = len(str(units))
    frame.insert(0, "unit_id", np.array([f"U{number:0{width}d}" for number in range(1, units + 1)], dtype=object))
    # Neighbouring units share an enterprise with probability 0.2.
    first = np.cumsum(np.concatenate([[1], (random.random(units - 1) < 0.8).astype(int)]))
    frame.insert(1, "enterprise_id", np.array([f"E{number:0{width}d}" for number in first], dtype=object))
    weights = 1 / np.arange(1, len(PROVINCES) + 1) ** 0.5
    province = random.choice(random.permutation(len(PROVINCES)), units, p=weights / weights.sum())
    frame.insert(4, "province", np.array(PROVINCES, dtype=object)[province])
    if not measures:
        return Instance.from_frames(frame, POLICY, name=f"generated-{units}-{seed}")
    # Measures have their own generator, so that the units are the same with and without them.
    random = np.random.default_rng([seed, measures])
    tables = [_measures_of_sector(name, measures, random) for name in sectors]
    if own:
        ids = frame["unit_id"].to_numpy()
        tables = [_measures_of_units(table, ids[sector == position], random) for position, table in enumerate(tables)]
    table = pd.concat(tables, ignore_index=True)
    name = f"generated-{units}-{seed}-{measures}" + ("-own" if own else "")
    return Instance.from_frames(frame, POLICY | MULTI_YEAR_POLICY, measures=table, name=name)


def _measures_of_sector(sector: str, count: int, random: np.random.Generator) -> pd.DataFrame:
    """Draw measures for every unit of a sector, from no-regret ones to ones above any price of today.

    All figures are assumed: 1 to 20 % of emissions, 0 to 260 CNY a tonne at a typical unit, half of it an investment
    before interest, less fuel savings of up to 40 CNY a tonne. The second excludes the first, the fourth requires the
    third.
    """
    profile = PROFILES[sector]
    rate = np.round(np.exp(random.uniform(np.log(0.01), np.log(0.2), count)), 4)
    abated_t = rate * (profile.whole_intensity or profile.intensity)
    lifetime = random.choice([10.0, 15.0, 20.0, 25.0], count)
    saving = random.uniform(0, 40, count) * abated_t
    gross = random.uniform(0, 260, count) * abated_t
    names = np.array([f"{sector}-{number:02d}" for number in range(1, count + 1)], dtype=object)
    number = np.arange(count)
    return pd.DataFrame(
        {
            "measure_id": names,
            "sector": sector,
            "abatement_rate": rate,
            "maximum_share": np.round(random.uniform(0.3, 1.0, count), 2),
            "lifetime_years": lifetime,
            "capex_cny_per_t": np.round(gross / 2 * lifetime, 2),
            "variable_opex_cny_per_t": np.round(gross / 2, 2),
            "fuel_saving_cny_per_t": np.round(saving, 2),
            "exclusive_group": np.where(number < 2, f"{sector}-fuel", ""),
            "requires": np.where(number == 3, names[min(2, count - 1)], ""),
            "price_year": float(POLICY["year"]),
        }
    )


def _measures_of_units(table: pd.DataFrame, unit_ids: NDArray[np.object_], random: np.random.Generator) -> pd.DataFrame:
    """Draw the measures of a sector at each of its units, with costs and abatement around the sector's.

    Costs are proportional to the abatement, so that the cost of a tonne varies by about a quarter. Names, groups and
    requirements are the sector's.
    """
    shape = (len(table), len(unit_ids))
    rows = table.loc[np.repeat(np.arange(len(table)), len(unit_ids))].reset_index(drop=True)
    stated = table["abatement_rate"].to_numpy()[:, None]
    rate = np.round(np.clip(stated * np.exp(OWN_SPREAD / 2 * random.normal(size=shape)), 0.01, 0.2), 4)
    costs = rate / stated * np.exp(OWN_SPREAD * random.normal(size=shape))
    saving = rate / stated * np.exp(OWN_SPREAD * random.normal(size=shape))
    rows["abatement_rate"] = rate.ravel()
    for name, factor in (
        ("capex_cny_per_t", costs),
        ("variable_opex_cny_per_t", costs),
        ("fuel_saving_cny_per_t", saving),
    ):
        rows[name] = np.round(rows[name].to_numpy() * factor.ravel(), 2)
    rows.insert(1, "unit_id", np.tile(unit_ids, len(table)))
    return rows.drop(columns="sector")


def _quantities(names: NDArray[np.object_], sector: NDArray[np.int64], random: np.random.Generator) -> pd.DataFrame:
    """Draw emissions, output and the part of both on which the rule measures intensity, for units by sector."""
    profiles = [PROFILES[name] for name in names]

    def of(attribute: str) -> NDArray[np.float64]:
        return np.array([getattr(profile, attribute) or np.nan for profile in profiles], dtype=float)[sector]

    spread = of("emissions_spread")
    size = random.normal(size=len(sector))
    emissions = np.maximum(np.rint(of("mean_emissions_t") * np.exp(spread * size - spread**2 / 2)), 30_000.0)
    intensity = of("intensity") * np.exp(of("intensity_spread") * random.normal(size=len(sector)))
    outlier = random.random(len(sector)) < OUTLIER_SHARE
    intensity = np.where(outlier, intensity * np.where(random.random(len(sector)) < 0.5, 0.75, 1.35), intensity)
    whole = of("whole_intensity")
    steel = ~np.isnan(whole)
    output = np.where(steel, emissions / np.where(steel, whole, 1.0), emissions / intensity)
    part = np.rint(output / of("output_per_intensity_output"))
    titles = np.array([f"Generated {name} unit" for name in names], dtype=object)
    return pd.DataFrame(
        {
            "name": titles[sector],
            "sector": names[sector],
            "emissions_tco2e": emissions,
            "output_t": np.rint(output),
            "intensity_output_t": np.where(steel, part, np.nan),
            "intensity_emissions_tco2e": np.where(steel, np.rint(part * intensity), np.nan),
        }
    )
