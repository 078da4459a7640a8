"""From accounts to an instance: the units of an allocation with their emissions, outputs and intensities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.decimals import rounded
from etsopt.accounting.factors import MARKS
from etsopt.accounting.vocabulary import POWER, STEEL
from etsopt.errors import UsageError
from etsopt.language import _

if TYPE_CHECKING:
    from etsopt.accounting.accounts import Accounts

MADE = ("generation_mwh", "heat_gj")
"""What a power unit makes; its class, capacity and load factor are in no report, and belong to ``units.csv``."""

ADDED = ("emissions_tco2e", "output_t", "intensity_output_t", "intensity_emissions_tco2e")


def units_of(accounts: Accounts, year: int | None = None, whole_tonnes: bool = True) -> pd.DataFrame:
    """Return the units of a year as ``units.csv`` of an instance has them.

    A steel complex is one unit and one enterprise, as it reports. ``x_months`` is the least number of months with
    reports, and ``x_confidence`` the least confidence of the factors.

    Parameters
    ----------
    year
        Year of the emissions; None for the last one of the accounts.
    whole_tonnes
        True to round the emissions of steel to whole tonnes, as the summary of its guideline does. The emissions of
        clinker lines and electrolysis processes are those of their intensity, with two decimals.

    Raises
    ------
    UsageError
        If no unit has reports in that year.
    """
    years = accounts.unit_years
    year = int(years["year"].max()) if year is None else year
    own = years[years["year"] == year]
    if own.empty:
        known = ", ".join(map(str, sorted(set(years["year"].tolist()))))
        raise UsageError(_("No unit has reports of {year}.", year=year), _("Choose one of {known}.", known=known))
    register = accounts.register[["unit_id", "enterprise_id", "name", "province", "complex_id"]]
    units = own.merge(register, on="unit_id")
    # Of carbide slag and clinker the rate alone is known; lines form no complexes, so that it is never added up.
    for name in ("unit_id", "enterprise_id"):
        units[name] = id_in_instance(units, name)
    units["mark"] = units["confidence"].map(MARKS.index)
    totals = {name: (name, "sum") for name in ADDED}
    first = {name: (name, "first") for name in ("enterprise_id", "name", "sector", "province", "carbide_slag_rate")}
    found = units.groupby("unit_id", as_index=False).agg(
        **first, **totals, x_months=("months", "min"), mark=("mark", "max")
    )
    for name in ADDED:
        found[name] = rounded(found[name], 2)
    if whole_tonnes:
        whole = rounded(found["emissions_tco2e"], 0)
        found["emissions_tco2e"] = found["emissions_tco2e"].where(found["sector"] != STEEL, whole)
    for name in ("output_t", "intensity_output_t"):
        found[name] = found[name].where(found[name] > 0)
    # No plan measures the intensity of a power unit.
    found["intensity_emissions_tco2e"] = found["intensity_emissions_tco2e"].where(found["sector"] != POWER)
    found["x_confidence"] = np.array(MARKS, dtype=object)[found.pop("mark").to_numpy()]
    columns = ["unit_id", "enterprise_id", "name", "sector", "province", *ADDED, "carbide_slag_rate"]
    if (found["sector"] == POWER).any():
        made = accounts.power[accounts.power["month"].str.startswith(f"{year:04d}-")]
        made = made.groupby("unit_id")[[*MADE]].sum(min_count=1)
        found = found.join(made.round(2), on="unit_id")
        columns += MADE
    return found[[*columns, "x_months", "x_confidence"]]


def id_in_instance(register: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return an id of the units of a register as an instance has it: that of the complex, if a unit is part of one."""
    return register["complex_id"].where(register["complex_id"] != "", register[name])
