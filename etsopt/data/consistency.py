"""Check what no table can show alone: references, quantities that belong together, slips of units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.data.content import intensity_base
from etsopt.data.measures import problems_of_measures
from etsopt.data.messages import cells_of, counted
from etsopt.data.policy_consistency import problems_of_policy
from etsopt.data.projection import problems_of_forecast
from etsopt.data.schema import ENTERPRISES, PLAUSIBLE_INTENSITY, UNITS
from etsopt.errors import ROWS_SHOWN, Problem

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.content import Content

SLIP = 100.0
"""An intensity this many times its sector's typical one, or this fraction of it, is a slip of units."""


def validate_together(instance: Content) -> list[Problem]:
    """Problems of tables and policy taken together, each of them being right by itself."""
    # What does not depend on the policy is looked at once.
    problems = list(instance.once("problems of the tables", lambda: _problems_of_tables(instance)))
    problems += problems_of_policy(instance)
    problems += _problems_of_further(instance)
    return problems


def _problems_of_further(instance: Content) -> list[Problem]:
    """Problems of measures and forecast, which depend on nothing of the policy but two of its years."""
    units, measures, forecast, policy = instance.units, instance.measures, instance.forecast, instance.policy

    def find() -> list[Problem]:
        found = [] if measures is None else problems_of_measures(instance, measures)
        return found + ([] if forecast is None else problems_of_forecast(units, forecast, policy))

    return list(instance.once("problems of further tables", find, given=f"{policy.year}, CNY of {policy.price_year}"))


def _problems_of_tables(instance: Content) -> list[Problem]:
    return _problems_of_references(instance) + _problems_of_quantities(instance.units) + _problems_of_slips(instance)


def _problems_of_references(instance: Content) -> list[Problem]:
    if instance.enterprises is None:
        return []
    missing = sorted(set(instance.labels("enterprise_id").names) - set(instance.enterprises["enterprise_id"]))
    if not missing:
        return []
    shown = ", ".join(missing[:ROWS_SHOWN])
    left = f" and {len(missing) - ROWS_SHOWN} more" if len(missing) > ROWS_SHOWN else ""
    count = counted(len(missing), "enterprise of units.csv has no row", "enterprises of units.csv have no row")
    advice = "Add what is missing, or leave the table out."
    return [Problem(ENTERPRISES.file, f"{count}: {shown}{left}", advice, "enterprise_id")]


def _problems_of_quantities(units: pd.DataFrame) -> list[Problem]:
    problems = []
    emissions = units["emissions_tco2e"].to_numpy()
    if "intensity_emissions_tco2e" in units:
        part = units["intensity_emissions_tco2e"].to_numpy()
        above = part > emissions * (1 + 1e-9)
        if above.any():
            count = counted(int(above.sum()), "value exceeds", "values exceed")
            what = f"{count} the unit's whole emissions"
            advice = "It is a part of emissions_tco2e: ironmaking and sintering of a steel enterprise."
            cells = cells_of(units, above, part, "{:.12g}")
            problems.append(Problem(UNITS.file, what, advice, "intensity_emissions_tco2e", cells))
    return problems


def _problems_of_slips(instance: Content) -> list[Problem]:
    """Find slips of units, in the figures of the whole unit and in those on which the rule measures intensity."""
    units = instance.units
    whole = units.drop(columns=["intensity_output_t", "intensity_emissions_tco2e"], errors="ignore")
    typical = instance.labels("sector").mapped(PLAUSIBLE_INTENSITY)
    seen = np.zeros(len(units), dtype=bool)
    problems = []
    for base, columns in (
        (intensity_base(whole), "emissions_tco2e or output_t"),
        (intensity_base(units), "intensity_emissions_tco2e or intensity_output_t"),
    ):
        intensity = base[1] / base[0]
        ratio = intensity / typical
        slip = ((ratio > SLIP) | ((ratio < 1 / SLIP) & (ratio > 0))) & ~seen
        seen |= slip
        powers = np.rint(np.log10(ratio, out=np.zeros(len(ratio)), where=slip))
        for power in np.unique(powers[slip]):
            here = slip & (powers == power)
            times = f"{10**power:g} times" if power > 0 else f"1/{10**-power:g} of"
            count = counted(int(here.sum()), "unit has", "units have")
            what = f"{count} about {times} the plausible intensity of {'its' if here.sum() == 1 else 'their'} sector"
            advice = "Emissions and output are in tonnes: check for kt, 10 000 t (万吨) or kg in one of them."
            problems.append(Problem(UNITS.file, what, advice, columns, cells_of(units, here, intensity, "{:.6g} t/t")))
    return problems
