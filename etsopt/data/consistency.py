"""Consistency checks across tables and policy: references, related quantities, wrong units of measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.data.content import intensity_base
from etsopt.data.evidence import problems_of_evidence
from etsopt.data.measures import problems_of_measures
from etsopt.data.messages import cells_of, counted
from etsopt.data.policy_consistency import problems_of_policy
from etsopt.data.projection import problems_of_forecast
from etsopt.data.scenarios import problems_of_scenarios
from etsopt.data.tables.schema import ENTERPRISES, PLAUSIBLE_INTENSITY, UNITS
from etsopt.errors import ROWS_SHOWN, Problem
from etsopt.wording import message

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.content import Content

HEAT_MWH_PER_GJ = 0.13
"""Electricity of the same emissions as a gigajoule of heat: 0.10 t/GJ beside 0.80 t/MWh."""

MAGNITUDE_RATIO = 100.0
"""An intensity above this multiple of its sector's typical one, or below its inverse, has a wrong unit of measure."""


def validate_consistency(instance: Content) -> list[Problem]:
    """Return the inconsistencies of tables and policy, each of which is valid by itself."""
    # Checks that do not depend on the policy run once.
    problems = list(instance.once("problems of the tables", lambda: _problems_of_tables(instance)))
    problems += problems_of_policy(instance)
    problems += _problems_of_measures_and_forecast(instance)
    return problems


def _problems_of_measures_and_forecast(instance: Content) -> list[Problem]:
    """Find problems of measures and forecast, which depend on two years of the policy and no other key."""
    units, measures, forecast, policy = instance.units, instance.measures, instance.forecast, instance.policy

    def find() -> list[Problem]:
        problems = [] if measures is None else problems_of_measures(instance, measures)
        problems += [] if forecast is None else problems_of_forecast(units, forecast, policy)
        return problems + ([] if instance.scenarios is None else problems_of_scenarios(instance.scenarios))

    return list(instance.once("problems of further tables", find, given=f"{policy.year}, CNY of {policy.price_year}"))


def _problems_of_tables(instance: Content) -> list[Problem]:
    problems = _problems_of_references(instance) + _problems_of_quantities(instance.units)
    return problems + _problems_of_scale(instance) + problems_of_evidence(instance)


def _problems_of_references(instance: Content) -> list[Problem]:
    if instance.enterprises is None:
        return []
    missing = sorted(set(instance.labels("enterprise_id").names) - set(instance.enterprises["enterprise_id"]))
    if not missing:
        return []
    shown = ", ".join(missing[:ROWS_SHOWN])
    hidden = f" and {len(missing) - ROWS_SHOWN} more" if len(missing) > ROWS_SHOWN else ""
    count = counted(len(missing), "enterprise of units.csv has no row", "enterprises of units.csv have no row")
    advice = "Add the rows, or leave the table out."
    return [Problem(ENTERPRISES.file, f"{count}: {shown}{hidden}", advice, "enterprise_id")]


def _problems_of_quantities(units: pd.DataFrame) -> list[Problem]:
    problems = []
    emissions = units["emissions_tco2e"].to_numpy()
    if "intensity_emissions_tco2e" in units:
        part = units["intensity_emissions_tco2e"].to_numpy()
        above = part > emissions * (1 + 1e-9)
        if above.any():
            count = counted(int(above.sum()), "value exceeds", "values exceed")
            what = message("{count} the unit's whole emissions", count=count)
            advice = "State a part of emissions_tco2e: ironmaking and sintering of a steel enterprise."
            cells = cells_of(units, above, part, "{:.12g}")
            problems.append(Problem(UNITS.file, what, advice, "intensity_emissions_tco2e", cells))
    return problems


def _problems_of_scale(instance: Content) -> list[Problem]:
    """Find intensities with a wrong unit of measure, of the whole unit and of the part that the rule measures."""
    units = instance.units
    whole = units.drop(columns=["intensity_output_t", "intensity_emissions_tco2e"], errors="ignore")
    typical = instance.labels("sector").mapped(PLAUSIBLE_INTENSITY)
    seen = np.zeros(len(units), dtype=bool)
    # The heat of a power unit counts as electricity of the same emissions.
    heat = HEAT_MWH_PER_GJ * units.reindex(columns=["heat_gj"])["heat_gj"].fillna(0.0).to_numpy(dtype=float)
    problems = []
    for base, columns in (
        (intensity_base(whole), "emissions_tco2e or output_t"),
        (intensity_base(units), "intensity_emissions_tco2e or intensity_output_t"),
    ):
        output = base[0] + heat
        intensity = np.divide(base[1], output, out=np.full(len(units), np.nan), where=output > 0)
        ratio = intensity / typical
        wrong = ((ratio > MAGNITUDE_RATIO) | ((ratio < 1 / MAGNITUDE_RATIO) & (ratio > 0))) & ~seen
        seen |= wrong
        powers = np.rint(np.log10(ratio, out=np.zeros(len(ratio)), where=wrong))
        for power in np.unique(powers[wrong]):
            here = wrong & (powers == power)
            times = f"{10**power:g} times" if power > 0 else f"1/{10**-power:g} of"
            count = counted(int(here.sum()), "unit has", "units have")
            what = message(
                "{count} about {times} the plausible intensity of {grammar} sector",
                count=count,
                times=times,
                grammar="its" if here.sum() == 1 else "their",
            )
            advice = "Check for kt, 10 000 t (万吨) or kg: emissions and output are in tonnes."
            problems.append(Problem(UNITS.file, what, advice, columns, cells_of(units, here, intensity, "{:.6g} t/t")))
    return problems
