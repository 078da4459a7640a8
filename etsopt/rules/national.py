"""The rule ``cn``: every sector of China's system by the plan of the year of the tables."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.policy.official import CLASSES, FIRST_YEAR, FIRST_YEAR_OF_INDUSTRY, FUELS, LAST_YEAR
from etsopt.data.policy.plans import official_value
from etsopt.data.policy.section import (  # noqa: TC001  pydantic evaluates annotations
    Fraction,
    YearlyAmount,
    YearlyChange,
)
from etsopt.data.tables.schema import SPECIAL_CASES  # noqa: TC001  pydantic evaluates annotations
from etsopt.rules.intensity import IntensityParameters, balanced_allowances
from etsopt.rules.reference import Reference
from etsopt.rules.registry import parameters_of, reference_allowances, rule, with_fixed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.parameters import Parameters
    from etsopt.rules.power import PowerPlan, PowerSteps

POWER = "power"

BAND_OF_POWER = 99.0
"""Band of power units, which have none: a rate that no allowance of the rule exceeds."""

NATIONAL_SOURCES = (
    "the plans of each sector and year, which `etsopt rules cn --year YEAR` lists with their sources: power 2019-2020, "
    "2021-2022, 2023-2024 and the consultation draft of 27 July 2026 for 2025-2026; steel, cement and aluminium from "
    "2024 on"
)


class NationalParameters(IntensityParameters):
    """Parameters of the plans of industry and of power; those of power default to the official ones of the year."""

    special_cases: tuple[Literal[SPECIAL_CASES], ...] | None = Field(  # type: ignore[valid-type]
        None, strict=False, description=_("cases with A = E; default those of the plan of the sector and the year")
    )
    electricity_benchmarks: dict[Literal[CLASSES], YearlyAmount] = Field(  # type: ignore[valid-type]
        {}, description=_("allowances per MWh by class of power unit [t/MWh]; default the official ones of the year")
    )
    heat_benchmarks: dict[Literal[FUELS], YearlyAmount] = Field(  # type: ignore[valid-type]
        {},
        description=_("allowances per GJ of heat from coal and from gas [t/GJ]; default the official ones of the year"),
    )
    benchmark_change: YearlyChange | None = Field(
        None,
        description=_(
            "yearly change of the benchmarks of power in years after the last plan, 2026: -0.005 is 0.5 % less "
            "each year; without a default"
        ),
    )
    continues_plan_of: Literal[LAST_YEAR] | None = Field(  # type: ignore[valid-type]
        None, description=_("plan that industry keeps in tables of a year after the last plan: 2026; without a default")
    )
    least_allowance_share: Fraction | None = Field(
        None,
        description=_("least allowances of an enterprise's power units, as a share of their emissions; official 0.8"),
    )
    gas_topped_up: bool | None = Field(None, description=_("a gas unit gets at least its emissions; official true"))


@rule("cn", NATIONAL_SOURCES, NationalParameters)
def national(instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Allowances of all sectors by the plan of the year: power by benchmarks, industry by its balance value."""
    from etsopt.rules.power import power_allowances
    from etsopt.rules.power_units import power_units

    assert isinstance(parameters, NationalParameters)
    year = instance.policy.year
    problems = _problems_of_year(instance, parameters, year)
    if problems:
        raise DataError(_("The instance {name!r}", name=instance.name), problems)
    industry = [name for name in instance.sectors if name != POWER]
    reference = Reference(instance.emissions_tco2e, fixed, 0.0, True, equal=True)
    if year > FIRST_YEAR_OF_INDUSTRY:
        reference = balanced_allowances(instance, parameters, fixed, industry)
    if POWER not in instance.sectors:
        return reference
    allowances = reference.exact_t.copy()
    in_sector = instance.labels("sector").where(POWER)
    allowances[in_sector] = power_allowances(plan_of_power(parameters, year), power_units(instance, fixed, year))
    return replace(reference, exact_t=with_fixed(instance, allowances, fixed), bands={POWER: BAND_OF_POWER})


def steps_of_power(instance: Instance) -> PowerSteps | None:
    """Return the allowances of the power units step by step, in the order of the instance; None under another rule."""
    from etsopt.rules.power import power_steps
    from etsopt.rules.power_units import power_units

    parameters, year = parameters_of(instance), instance.policy.year
    if not isinstance(parameters, NationalParameters):
        return None
    fixed = reference_allowances(instance).fixed
    return power_steps(plan_of_power(parameters, year), power_units(instance, fixed, year))


def power_allowances_of_years(
    instance: Instance, years: NDArray[np.int64], emissions_tco2e: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return allowances of power units by the plan of each year on the forecast output, shape ``(units, years)`` [t].

    Other units have NaN.

    Parameters
    ----------
    emissions_tco2e
        Emissions of every unit in each year, shape ``(units, years)``.

    Raises
    ------
    DataError
        If a year has no plan, or a unit lacks what the rule needs.
    """
    import numpy as np

    from etsopt.data.projection import development
    from etsopt.rules.power import power_allowances
    from etsopt.rules.power_units import power_units

    parameters, fixed = parameters_of(instance), reference_allowances(instance).fixed
    assert isinstance(parameters, NationalParameters)
    problems = _problems_of_year(instance, parameters, int(years[-1]))
    if problems:
        raise DataError(_("The instance {name!r}", name=instance.name), problems)
    of_power = np.flatnonzero(instance.labels("sector").where(POWER))
    growth, allowances = (
        development(instance, years.tolist()).output_factor[of_power],
        np.full(emissions_tco2e.shape, np.nan),
    )
    growth = np.where(emissions_tco2e[of_power] > 0, growth, 0.0)
    for t, year in enumerate(years.tolist()) if len(of_power) else ():
        units = power_units(instance, fixed, year)
        grown = replace(
            units,
            electricity=units.electricity * growth[:, t],
            heat=units.heat * growth[:, t],
            emissions=emissions_tco2e[of_power, t],
        )
        allowances[of_power, t] = power_allowances(plan_of_power(parameters, year), grown)
    return allowances


def plan_of_power(parameters: NationalParameters, year: int) -> PowerPlan:
    """Return the plan of power of a year: stated parameters, else official ones, continued after the last plan."""
    from etsopt.data.policy.yearly import by_year
    from etsopt.rules.power import PowerPlan

    enacted, factor = min(year, LAST_YEAR), 1.0
    if year > LAST_YEAR:
        changes = by_year(parameters.benchmark_change, list(range(LAST_YEAR + 1, year + 1)), 0.0)
        factor = float((1 + changes).prod())

    def value(key: str, stated: float | dict[str, float] | None) -> float:
        """Return a stated number of the year, else the official one, which changes after the last plan."""
        number = float(by_year(stated, [year])[0])
        official = official_value(f"rule.{key}", POWER, enacted, float("nan"))
        return float(official) * factor if number != number else number

    electricity, heat = parameters.electricity_benchmarks, parameters.heat_benchmarks
    share, topped_up = parameters.least_allowance_share, parameters.gas_topped_up
    return PowerPlan(
        {name: value(f"electricity_benchmarks.{name}", electricity.get(name)) for name in CLASSES},
        {fuel: value(f"heat_benchmarks.{fuel}", heat.get(fuel)) for fuel in FUELS},
        official_value("rule.load_correction", POWER, enacted, ""),
        official_value("rule.cooling_correction", POWER, enacted, 1.0),
        {fuel: official_value(f"rule.heat_correction.{fuel}", POWER, enacted, 0.0) for fuel in FUELS},
        official_value("rule.least_allowance_share", POWER, enacted, 0.0) if share is None else share,
        official_value("rule.gas_topped_up", POWER, enacted, False) if topped_up is None else topped_up,
    )


def _problems_of_year(instance: Instance, parameters: NationalParameters, year: int) -> list[Problem]:
    """Find what keeps a sector of the instance from having a plan of a year."""
    problems = []
    industry = [name for name in instance.sectors if name != POWER]
    first = FIRST_YEAR_OF_INDUSTRY if industry else FIRST_YEAR
    if year < first:
        which = ", ".join(industry) or POWER
        what = _(
            "is {year}, but {which} joined the system in compliance year {first}", year=year, which=which, first=first
        )
        advice = _(
            "Use a year from {first} on{grammar}.",
            first=first,
            grammar=", or leave these units out" if industry else "",
        )
        problems.append(Problem("policy.toml", what, advice, "year"))
    if POWER in instance.sectors and parameters.benchmark_change is None and _continues(parameters, year):
        what = _("is missing, but no plan for power is enacted for {year}", year=year)
        advice = _(
            "State the yearly change of the benchmarks after {last_year}, which is an "
            "assumption: 0 to keep them, -0.005 for 0.5 % less each year.",
            last_year=LAST_YEAR,
        )
        problems.append(Problem("policy.toml", what, advice, "rule.benchmark_change"))
    # Later years of a path follow its second phase, which is an assumption itself.
    year = instance.policy.year
    if industry and parameters.continues_plan_of is None and year > LAST_YEAR:
        what = _("is missing, but no plan for {which} is enacted for {year}", which=", ".join(industry), year=year)
        advice = _(
            "State {last_year}, which is an assumption: the plan of {last_year} holds in {year}.",
            last_year=LAST_YEAR,
            year=year,
        )
        problems.append(Problem("policy.toml", what, advice, "rule.continues_plan_of"))
    return problems


def _continues(parameters: NationalParameters, year: int) -> bool:
    """Return True if a year after the last plan takes a benchmark from it."""
    from etsopt.data.policy.yearly import by_year

    stated = [parameters.electricity_benchmarks.get(name) for name in CLASSES]
    stated += [parameters.heat_benchmarks.get(fuel) for fuel in FUELS]
    numbers = [float(by_year(value, [year])[0]) for value in stated]
    return year > LAST_YEAR and any(math.isnan(number) for number in numbers)
