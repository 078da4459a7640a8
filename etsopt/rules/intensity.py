"""The intensity-coefficient method of 2025 and 2026 (碳排放强度系数法) for steel, cement and aluminium."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.messages import cells_of, counted
from etsopt.data.policy.official import FIRST_YEAR_OF_INDUSTRY, POWER
from etsopt.data.policy.plans import NATIONAL
from etsopt.rules.parameters import Parameters
from etsopt.rules.reference import Reference
from etsopt.rules.registry import parameters_of, rule, with_fixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.policy.policy import Policy
    from etsopt.rules.balance import BalanceValue

DRAFT_2026 = (
    "MEE, 2025 and 2026 allocation plan (power) and 2026 plan (steel, cement, aluminium), consultation draft of "
    "27 July 2026, https://www.mee.gov.cn/xxgk2018/xxgk/xxgk06/202607/W020260727570784609523.pdf; it states that the "
    "method of 2025 is unchanged. The final plan of 1 September 2026 has not been compared."
)


class IntensityParameters(Parameters):
    """Parameters of the intensity-coefficient method."""

    slope: float = Field(0.15, gt=0, le=10, description=_("surplus rate per relative deviation from the balance value"))
    cap: float = Field(0.03, gt=0, lt=1, description=_("largest surplus or deficit rate under the rule"))
    # With fewer than two decimals a balance value could be rounded to zero.
    balance_value_decimals: Literal["none"] | Annotated[int, Field(ge=2, le=12)] = Field(
        "none", description=_("decimals of the published balance value; the plan prints none")
    )
    threshold_tco2e: float = Field(26_000.0, ge=0, description=_("enterprises with lower emissions get A = E [tCO2e]"))


@rule("cn-2025", DRAFT_2026, IntensityParameters)
@rule("cn-2026", DRAFT_2026, IntensityParameters)
def intensity_coefficient(instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Allowances A = E (1 + clip(slope (B - I)/B, ±cap)) with the sector's balance value B, in whole tonnes."""
    assert isinstance(parameters, IntensityParameters)
    return balanced_allowances(instance, parameters, fixed, instance.sectors)


def balanced_allowances(
    instance: Instance, parameters: IntensityParameters, fixed: NDArray[np.bool_], names: Sequence[str]
) -> Reference:
    """Return the allowances of some sectors by their balance values; units of others get their emissions."""
    import pandas as pd

    from etsopt.rules.balance import BalanceValue, balance_value

    emissions, intensity = instance.emissions_tco2e, instance.intensity
    sector = instance.labels("sector")
    balanced = sector.mapped(dict.fromkeys(names, 1.0), 0.0) > 0
    check_intensity(instance, ~(intensity > 0) & ~fixed & balanced)
    allowances = emissions.copy()
    balance_values: dict[str, BalanceValue] = {}
    for name in names:
        in_sector = sector.where(name) & ~fixed
        if not in_sector.any():
            continue
        stated = float(stated_balance_values(instance.policy, name, [instance.policy.year])[0])
        balance_values[name] = (
            published(
                balance_value(emissions[in_sector], intensity[in_sector], parameters.slope, parameters.cap), parameters
            )
            if math.isnan(stated)
            else BalanceValue(stated, stated, stated)
        )
        allowances[in_sector] = allowances_at(
            emissions[in_sector], intensity[in_sector], balance_values[name].value, parameters
        )
    sectors = pd.DataFrame(
        {
            "balance_value": [value.value for value in balance_values.values()],
            "balance_value_lower": [value.lower for value in balance_values.values()],
            "balance_value_upper": [value.upper for value in balance_values.values()],
        },
        index=pd.Index(list(balance_values), name="sector", dtype=object),
    )
    return Reference(with_fixed(instance, allowances, fixed), fixed, parameters.cap, True, sectors)


def stated_balance_values(policy: Policy, sector: str, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the balance value from outside of a sector in each year, shape ``(years,)`` [t/t]; NaN if none is stated.

    Raises
    ------
    DataError
        If an interval is stated, which is two problems, or the value of a year is not.
    """
    from etsopt.data.policy.allocation import UNSTATED, Interval
    from etsopt.data.policy.yearly import by_year

    stated, key = policy.sectors.get(sector, UNSTATED).balance_value, f"sectors.{sector}.balance_value"
    if isinstance(stated, Interval):
        what = _("is from {lower:g} to {upper:g}: expected one value", lower=stated.lower, upper=stated.upper)
        advice = _("State one, or sweep over both: `etsopt solve` does, and etsopt.sweep in Python.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, key)])
    values = by_year(stated, years)
    if stated is not None and math.isnan(values[0]):
        what = _("is stated for later years, but not for {year}", year=int(years[0]))
        raise DataError(_("The policy"), [Problem("policy.toml", what, _("State it from that year on."), key)])
    return values


def allowances_at(
    emissions: NDArray[np.float64], intensity: NDArray[np.float64], value: float, parameters: IntensityParameters
) -> NDArray[np.float64]:
    """Return the allowances of units at a balance value, before rounding, shape ``(units,)`` [t]."""
    from etsopt.rules.balance import surplus_rates

    return emissions * (1 + surplus_rates(intensity, value, parameters.slope, parameters.cap))


def check_intensity(instance: Instance, unknown: NDArray[np.bool_]) -> None:
    """Raise DataError if a unit has no intensity to compare with the balance value."""
    if unknown.any():
        cells = cells_of(instance.units, unknown)
        count = counted(int(unknown.sum()), _("unit has"), _("units have"))
        what = _("{count} no output or no emissions on which to measure intensity", count=count)
        advice = _(
            "Fill output_t or intensity_output_t of every unit that is not a special case; the rule needs it. A unit "
            "that stood still all year needs emissions 0 or a special_case, such as closed."
        )
        raise DataError(
            _("The instance {name!r}", name=instance.name),
            [Problem("units.csv", what, advice, "output_t", cells)],
        )


def published(value: BalanceValue, parameters: IntensityParameters) -> BalanceValue:
    """Round a balance value to the decimals of its publication."""
    if parameters.balance_value_decimals == "none":
        return value
    return replace(value, value=round(value.value, parameters.balance_value_decimals))


def balances_every_sector(instance: Instance) -> bool:
    """Return True if the rule of an instance is the intensity-coefficient method for all of its sectors."""
    national = instance.policy.rule.name == NATIONAL
    return isinstance(parameters_of(instance), IntensityParameters) and not national


def balanced_sectors(instance: Instance) -> list[str]:
    """Return the sectors of an instance that its rule balances by a balance value of their own."""
    if not isinstance(parameters_of(instance), IntensityParameters):
        return []
    if instance.policy.rule.name != NATIONAL:
        return instance.sectors
    joined = instance.policy.year > FIRST_YEAR_OF_INDUSTRY
    return [name for name in instance.sectors if name not in POWER and joined]
