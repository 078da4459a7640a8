"""Power units of 2021 and 2022, whose plans measure net supply, at the official balance values of 2021.

The source of the units has neither net supply nor cooling nor the ratio of heat supply. Own use is assumed, and cooling
and heat supply are not corrected. By the definition of a balance value, allowances at the balance values of 2021 add up
to the emissions of each class in 2021, whatever the corrections are, so that neither moves the gap of a class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import etsopt
from instances.build_cn_2025 import whole
from instances.draw_power import BASE_YEAR, power_of_year

if TYPE_CHECKING:
    from instances.draw_power import Assumptions

FIRST_YEAR = 2021

TOTALS = {2021: 5_094_000_000, 2022: 5_091_000_000}
"""Verified emissions of power [tCO2e] [B]."""

BALANCE = {"I": 0.8210, "II": 0.8920, "III": 0.9627, "IV": 0.3930}
"""Balance values of 2021 by class [t/MWh of net supply], plan of 2021-2022 [B]."""

BALANCE_OF_HEAT = {"coal": 0.1110, "gas": 0.0560}
"""Balance values of 2021 of heat [t/GJ], the same plan [B]."""

OWN_USE = 0.05
"""Share of its generation that a unit uses itself [C]; 7 % moves the gaps by less than 0.003 points."""

AMOUNTS = ("supply_mwh", "heat_gj")


def instance_of_year(plants: pd.DataFrame, year: int, assumed: Assumptions) -> etsopt.Instance:
    """Return the power units of 2021 or 2022 as an instance under the rule ``cn``."""
    units = _at_balance(plants, assumed)
    # Output makes up the difference to the official total, as in 2024.
    emissions = units["emissions_tco2e"] * (1 + assumed.intensity_trend) ** (year - FIRST_YEAR)
    factor = TOTALS[year] / emissions.sum()
    units["emissions_tco2e"] = whole((emissions * factor).to_numpy(), TOTALS[year])
    for name in AMOUNTS:
        units[name] = _rounded(units[name] * factor)
    return _instance(units, year, {})


def _at_balance(plants: pd.DataFrame, assumed: Assumptions) -> pd.DataFrame:
    """Return the units of 2023, each class with the emissions that the balance values of 2021 allocate to it."""
    units = power_of_year(plants, BASE_YEAR, assumed)
    units["supply_mwh"] = _rounded(units["generation_mwh"] * (1 - OWN_USE))
    values = {"electricity_benchmarks": BALANCE, "heat_benchmarks": BALANCE_OF_HEAT}
    instance = _instance(units, FIRST_YEAR, values | {"gas_topped_up": False, "least_allowance_share": 0.0})
    allowances = etsopt.solve(instance).tables["allocation"].set_index("unit_id")["allowance_t"]
    classes = units["unit_class"].fillna("")
    allocated = units["unit_id"].map(allowances).groupby(classes).transform("sum")
    emitted = units["emissions_tco2e"].groupby(classes).transform("sum")
    # Units without a class are outside the scope of these years, and keep their emissions.
    units["emissions_tco2e"] *= np.where(classes == "", 1.0, allocated / emitted)
    return units


def _instance(units: pd.DataFrame, year: int, rule: dict[str, Any]) -> etsopt.Instance:
    units = units.assign(emissions_tco2e=whole(units["emissions_tco2e"].to_numpy(dtype=float)))
    policy = {"year": year, "rule": {"name": "cn"} | rule}
    return etsopt.Instance.from_frames(units, policy, name=f"power {year}")


def _rounded(amounts: pd.Series) -> pd.Series:
    """Return whole amounts, absent where they were."""
    rounded = whole(amounts.fillna(0).to_numpy(dtype=float))
    return pd.Series(rounded, index=amounts.index, dtype="Int64").mask(amounts.isna())
