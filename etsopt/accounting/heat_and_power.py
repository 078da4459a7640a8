r"""What power units make of their fuels: electricity and heat by month, and the emissions of each.

$$K = \sum_i \mathrm{FC}_i\, \mathrm{NCV}_i, \qquad L = \frac{J/I - K}{J/I}, \qquad
E_h = \alpha E, \qquad E_e = E - E_h$$

with the heat of fossil fuels K [GJ], the share L of biomass, waste and sludge in the heat, by boiler heat J [GJ] and
boiler efficiency I, or without these by the measured calorific value of biomass, and the ratio of supplied heat
$\alpha$. These are auxiliary figures: they change no emissions.

Source: items and bases are those of the verification guideline, CETS-VG-01.01-V02-2026, tables 13 and 15 and annex 1,
read in full. The arrangement of L follows from its data codes H to L, and the split from its item C.6, confidence C:
the accounting guideline, CETS-AG-01.01-V04-2026, was not obtained. How it finds $\alpha$ is in its appendix E, so
that the ratio is a figure of the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.coded import ITEM, SECTOR, YEARS, joined
from etsopt.accounting.decimals import INTENSITY_DECIMALS, added, rounded
from etsopt.accounting.periods import period_text, worst
from etsopt.accounting.vocabulary import POWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.factors import Factors
    from etsopt.accounting.periods import Emissions

    Floats = NDArray[np.float64]


def heat_and_power(emissions: Emissions, factors: Factors) -> pd.DataFrame:
    """Return electricity [MWh], heat [GJ] and their emissions of every power unit and month; empty without any."""
    lines = emissions.lines
    of_power = lines.coded.sector == SECTOR[POWER]
    month = joined([(lines.coded.unit, 0), (lines.coded.month, 12 * (YEARS[1] + 1))])
    months, first, of_line = np.unique(month[of_power], return_index=True, return_inverse=True)
    first, count = np.flatnonzero(of_power)[first], len(months)
    group = np.full(len(lines), count)
    group[of_power] = of_line

    def stated(item: str) -> Floats:
        """Sum of an item, NaN in a month without it."""
        own = of_power & (lines.coded.item == ITEM[item])
        total = added(group[own], lines.hundredths[own], count) / 100.0
        return np.where(np.bincount(group[own], minlength=count) > 0, total, np.nan)

    fossil, biomass = _heat(emissions, factors, group, count)
    boiler, efficiency = stated("boiler_heat"), stated("boiler_efficiency") / 100
    own = group[emissions.line] < count
    tonnes = added(group[emissions.line][own], emissions.hundredths[own], count) / 100.0
    electricity, heat = stated("electricity"), stated("heat")
    ratio = np.where(np.nan_to_num(heat) > 0, stated("heat_supply_ratio") / 100, 0.0)
    of_heat = rounded(tonnes * ratio, 2)
    of_electricity = rounded(tonnes - of_heat, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_boiler = np.maximum((boiler / efficiency - fossil) / (boiler / efficiency), 0.0)
        share = np.where(np.isnan(boiler / efficiency), biomass / (biomass + fossil), by_boiler)
        per_mwh, per_gj = (
            rounded(np.where(made > 0, part / made, np.nan), INTENSITY_DECIMALS)
            for part, made in ((of_electricity, electricity), (of_heat, heat))
        )
    return pd.DataFrame(
        {
            "unit_id": lines.coded.units[lines.coded.unit[first]],
            "month": period_text(lines.coded.month[first], yearly=False),
            "generation_mwh": electricity,
            "heat_gj": heat,
            "emissions_tco2e": tonnes,
            "fuel_heat_gj": rounded(fossil, 2),
            "biomass_heat_rate": rounded(share, INTENSITY_DECIMALS),
            "heat_supply_ratio": ratio,
            "electricity_emissions_tco2e": of_electricity,
            "heat_emissions_tco2e": of_heat,
            "electricity_tco2_per_mwh": per_mwh,
            "heat_tco2_per_gj": per_gj,
            "confidence": worst(group[emissions.line][own], emissions.mark[own], count),
        }
    )


def _heat(emissions: Emissions, factors: Factors, group: NDArray[np.int64], count: int) -> tuple[Floats, Floats]:
    """Return the heat of fossil fuels and of biomass by month [GJ]; NaN if the calorific value of one is not known."""
    lines = emissions.lines
    ncv = np.where(np.isnan(lines.ncv), factors.fuels(POWER).ncv[lines.coded.item], lines.ncv)
    heat = np.where(lines.hundredths == 0, 0.0, lines.quantity * ncv)
    fuel, biomass = lines.coded.is_fuel & (group < count), lines.coded.item == ITEM["biomass"]
    fossil, other = (np.bincount(group[own], heat[own], count).astype(float) for own in (fuel, biomass))
    return fossil, other
