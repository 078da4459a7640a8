"""Make instances of any size: same schema, same bytes for the same seed, figures like those of the real system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.instance import Instance
from etsopt.data.measures import MOST_MEASURES
from etsopt.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Profile:
    """What a sector looks like.

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
        Tonnes of product per tonne of what the rule measures (steel: crude steel per tonne of iron).
    whole_intensity
        Emissions of the whole unit per tonne of product [t/t]; None where the rule measures the whole unit.
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

OUTLIER_SHARE = 0.01
"""Share of units far off their sector's intensity, so that the cap of the rule is exercised; an assumption."""

POLICY: dict[str, Any] = {
    "year": 2025,
    "rule": {"name": "cn-2025"},
    "sectors": {name: {"band": 0.03, "target_change": -0.002} for name in sorted(PROFILES)},
    "provinces": {"balance": 0.01},
    "allocation": {"objectives": ["change", "worst"]},
}
"""A target slightly below emissions and a balance that some provinces must work for."""

BEYOND_ONE_YEAR: dict[str, Any] = {"horizon": {"last_year": 2030}, "market": {"prices_cny_per_t": 62.36}}
"""What the policy says beside `POLICY` where there are measures: six years, and the average price of 2025 in each."""


def generate(units: int, seed: int = 0, measures: int = 0) -> Instance:
    """Make an instance with seeded random units under the rule of 2025.

    Parameters
    ----------
    units
        Number of allocation units, at least 3.
    seed
        The same seed gives the same instance.
    measures
        Abatement measures at every unit, 0 to 12; the units are the same with and without them.

    Raises
    ------
    UsageError
        If there are fewer units than sectors, the seed is negative, or there are too many measures.

    Examples
    --------
    >>> generate(6, seed=1).units["sector"].tolist()
    ['cement', 'steel', 'cement', 'aluminium', 'cement', 'steel']
    """
    if units < len(PROFILES):
        raise UsageError(f"{units} units are too few.", f"Ask for at least {len(PROFILES)}, one for each sector.")
    if seed < 0:
        raise UsageError(f"The seed is {seed}.", "It is a whole number from 0 on.")
    if not 0 <= measures <= MOST_MEASURES:
        raise UsageError(f"{measures} measures are asked for.", f"A unit can have 0 to {MOST_MEASURES}.")
    random = np.random.default_rng(seed)
    sectors = np.array(sorted(PROFILES))
    shares = np.array([PROFILES[name].share for name in sectors])
    # One unit of each sector for certain, the rest by their shares.
    sector = np.concatenate([np.arange(len(sectors)), random.choice(len(sectors), units - len(sectors), p=shares)])
    sector = random.permutation(sector)
    frame = _quantities(sectors[sector], random)
    width = len(str(units))
    frame.insert(0, "unit_id", np.array([f"U{number:0{width}d}" for number in range(1, units + 1)], dtype=object))
    # Three quarters of the enterprises own one unit, the others two: neighbours share an owner now and then.
    first = np.cumsum(np.concatenate([[1], (random.random(units - 1) < 0.8).astype(int)]))
    frame.insert(1, "enterprise_id", np.array([f"E{number:0{width}d}" for number in first], dtype=object))
    weights = 1 / np.arange(1, len(PROVINCES) + 1) ** 0.5
    province = random.choice(random.permutation(len(PROVINCES)), units, p=weights / weights.sum())
    frame.insert(4, "province", np.array(PROVINCES, dtype=object)[province])
    if not measures:
        return Instance.from_frames(frame, POLICY, name=f"generated-{units}-{seed}")
    # A generator of their own, so that the units are the same with and without them.
    random = np.random.default_rng([seed, measures])
    table = pd.concat([_measures(name, measures, random) for name in sorted(PROFILES)])
    name = f"generated-{units}-{seed}-{measures}"
    return Instance.from_frames(frame, POLICY | BEYOND_ONE_YEAR, measures=table, name=name)


def _measures(sector: str, count: int, random: np.random.Generator) -> pd.DataFrame:
    """Measures at every unit of a sector, from some that pay by themselves to some that no price of today pays for.

    Everything is assumed: 1 to 20 % of emissions, 0 to 260 CNY a tonne at a typical unit, half of it an investment
    before interest, less fuel saved for up to 40 CNY a tonne. The second excludes the first, the fourth requires the
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


def _quantities(sector: NDArray[Any], random: np.random.Generator) -> pd.DataFrame:
    """Emissions, output and the part of both on which the rule measures intensity."""
    profiles = [PROFILES[name] for name in sector]

    def of(attribute: str) -> NDArray[np.float64]:
        return np.array([getattr(profile, attribute) for profile in profiles], dtype=float)

    spread = of("emissions_spread")
    size = random.normal(size=len(sector))
    emissions = np.maximum(np.rint(of("mean_emissions_t") * np.exp(spread * size - spread**2 / 2)), 30_000.0)
    intensity = of("intensity") * np.exp(of("intensity_spread") * random.normal(size=len(sector)))
    outlier = random.random(len(sector)) < OUTLIER_SHARE
    intensity = np.where(outlier, intensity * np.where(random.random(len(sector)) < 0.5, 0.75, 1.35), intensity)
    whole = np.array([profile.whole_intensity or np.nan for profile in profiles])
    steel = ~np.isnan(whole)
    output = np.where(steel, emissions / np.where(steel, whole, 1.0), emissions / intensity)
    part = np.rint(output / of("output_per_intensity_output"))
    return pd.DataFrame(
        {
            "name": np.array([f"Generated {name} unit" for name in sector], dtype=object),
            "sector": sector.astype(object),
            "emissions_tco2e": emissions,
            "output_t": np.rint(output),
            "intensity_output_t": np.where(steel, part, np.nan),
            "intensity_emissions_tco2e": np.where(steel, np.rint(part * intensity), np.nan),
        }
    )
