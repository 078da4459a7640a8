"""Consistency checks across tables and policy: references, related quantities, wrong units of measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import ROWS_SHOWN, Problem
from etsopt.common.language import Text, _, chain
from etsopt.data.content import intensity_base, output_of
from etsopt.data.evidence import problems_of_evidence
from etsopt.data.measures import problems_of_measures
from etsopt.data.messages import cells_of, counted
from etsopt.data.policy_consistency import problems_of_policy
from etsopt.data.projection import problems_of_forecast
from etsopt.data.scenarios import problems_of_scenarios
from etsopt.data.supply import problems_of_supply
from etsopt.data.tables.schema import ENTERPRISES, PLAUSIBLE_INTENSITY, UNITS

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.content import Content

HEAT_MWH_PER_GJ = 0.13
"""Electricity of the same emissions as a gigajoule of heat: 0.10 t/GJ beside 0.80 t/MWh."""

MAGNITUDE_RATIO = 100.0
"""An intensity above this multiple of its sector's typical one, or below its inverse, has a wrong unit of measure."""


PAIR = ("intensity_output_t", "intensity_emissions_tco2e")
"""Output and emissions on which a rule measures intensity, which belong together."""


def validate_consistency(instance: Content, informal: bool = False, with_policy: bool = True) -> list[Problem]:
    """Return the inconsistencies of tables and policy, each of which is valid by itself.

    Parameters
    ----------
    informal
        True to refuse what is a slip in a table that a person wrote: half of what measures intensity.
    with_policy
        False if the policy is not known: keys of its own are not compared with the tables.
    """
    # Checks that do not depend on the policy run once.
    problems = list(instance.cached("problems of the tables", lambda: _problems_of_tables(instance)))
    problems += _problems_of_pairs(instance) if informal else []
    problems += problems_of_policy(instance) if with_policy else []
    problems += _problems_of_measures_and_forecast(instance)
    return problems


def _problems_of_measures_and_forecast(instance: Content) -> list[Problem]:
    """Find problems of measures and forecast, which depend on two years of the policy and no other key."""
    units, measures, forecast, policy = instance.units, instance.measures, instance.forecast, instance.policy

    def find() -> list[Problem]:
        problems = [] if measures is None else problems_of_measures(instance, measures)
        problems += [] if forecast is None else problems_of_forecast(units, forecast, policy)
        problems += [] if instance.scenarios is None else problems_of_scenarios(instance.scenarios)
        return problems + problems_of_supply(instance)

    return list(instance.cached("problems of further tables", find, key=f"{policy.year}, CNY of {policy.price_year}"))


def _problems_of_tables(instance: Content) -> list[Problem]:
    problems = _problems_of_references(instance) + _problems_of_quantities(instance.units)
    return problems + _problems_of_scale(instance) + problems_of_evidence(instance)


def _problems_of_references(instance: Content) -> list[Problem]:
    if instance.enterprises is None:
        return []
    missing = sorted(set(instance.labels("enterprise_id").names) - set(instance.enterprises["enterprise_id"]))
    if not missing:
        return []
    shown, hidden = ", ".join(missing[:ROWS_SHOWN]), len(missing) - ROWS_SHOWN
    if hidden > 0:
        shown = _("{shown} and {count} more", shown=shown, count=hidden)
    count = counted(len(missing), _("enterprise of units.csv has no row"), _("enterprises of units.csv have no row"))
    what = _("{count}: {shown}", count=count, shown=shown)
    return [Problem(ENTERPRISES.file, what, _("Add the rows, or leave the table out."), "enterprise_id")]


def _problems_of_quantities(units: pd.DataFrame) -> list[Problem]:
    problems = []
    emissions = units["emissions_tco2e"].to_numpy()
    if "intensity_emissions_tco2e" in units:
        part = units["intensity_emissions_tco2e"].to_numpy()
        above = part > emissions * (1 + 1e-9)
        if above.any():
            count = counted(int(above.sum()), _("value exceeds"), _("values exceed"))
            what = _("{count} the unit's whole emissions", count=count)
            advice = _("State a part of emissions_tco2e: ironmaking and sintering of a steel enterprise.")
            cells = cells_of(units, above, part, "{:.12g}")
            problems.append(Problem(UNITS.file, what, advice, "intensity_emissions_tco2e", cells))
    return problems


def _problems_of_scale(instance: Content) -> list[Problem]:
    """Find intensities with a wrong unit of measure, of the whole unit and of the part that the rule measures."""
    units = instance.units
    typical = instance.labels("sector").mapped(PLAUSIBLE_INTENSITY)
    seen = np.zeros(len(units), dtype=bool)
    # The heat of a power unit counts as electricity of the same emissions.
    heat = HEAT_MWH_PER_GJ * units["heat_gj"].fillna(0.0).to_numpy(dtype=float) if "heat_gj" in units else 0.0
    problems = []
    for base, columns in (
        ((output_of(units), units["emissions_tco2e"].to_numpy(dtype=float)), ("emissions_tco2e", "output_t")),
        (intensity_base(units), ("intensity_emissions_tco2e", "intensity_output_t")),
    ):
        output = base[0] + heat
        intensity = np.divide(base[1], output, out=np.full(len(units), np.nan), where=output > 0)
        ratio = intensity / typical
        wrong = ((ratio > MAGNITUDE_RATIO) | ((ratio < 1 / MAGNITUDE_RATIO) & (ratio > 0))) & ~seen
        seen |= wrong
        powers = np.rint(np.log10(ratio, out=np.zeros(len(ratio)), where=wrong))
        for power in np.unique(powers[wrong]):
            of_power = wrong & (powers == power)
            factor = f"{10 ** abs(power):g}"
            times = _("{factor} times", factor=factor) if power > 0 else _("1/{factor} of", factor=factor)
            count = counted(int(of_power.sum()), _("unit has"), _("units have"))
            what = _(
                "{count} about {times} the plausible intensity of {grammar} sector",
                count=count,
                times=times,
                grammar="its" if of_power.sum() == 1 else "their",
            )
            advice = _(
                "One of the two figures of each row is {factor} times too large or too small. Check for kt, "
                "10 000 t (万吨) or kg: emissions and output are in tonnes.",
                factor=factor,
            )
            column = chain(columns, _("{first} or {second}"))
            problems.append(
                Problem(UNITS.file, what, advice, column, cells_of(units, of_power, intensity, "{:.6g} t/t"))
            )
    return problems


def _problems_of_pairs(instance: Content) -> list[Problem]:
    """Find units whose intensity would be measured otherwise than that of others in their sector."""
    units = instance.units
    output, emissions = (
        units[name].notna().to_numpy() if name in units else np.zeros(len(units), dtype=bool) for name in PAIR
    )
    half = output != emissions
    problems = []
    if half.any():
        what = _(
            "{total} units state one of {first} and {second} and not the other",
            total=int(half.sum()),
            first=PAIR[0],
            second=PAIR[1],
        )
        advice = _("Fill both, or neither: their ratio is the intensity. A column of your own may be the missing one.")
        problems.append(Problem(UNITS.file, what, advice, chain(PAIR, _("{first} or {second}")), cells_of(units, half)))
    for sector in instance.sectors:
        in_sector = instance.labels("sector").where(sector) & ~half
        filled = output & in_sector
        if filled.any() and (in_sector & ~filled).any():
            what = _(
                "{total} units of {sector} state no {pair}, but others do",
                total=int((in_sector & ~filled).sum()),
                sector=Text(sector),
                pair=PAIR[0],
            )
            advice = _("Fill it, with its emissions, for every unit of the sector, or for none.")
            problems.append(Problem(UNITS.file, what, advice, PAIR[0], cells_of(units, in_sector & ~filled)))
    return problems
