"""The registry of allocation rules: what a rule takes and gives, and how it is found by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etsopt.data.policy import problems_of
from etsopt.data.words import cells_of, counted, did_you_mean
from etsopt.errors import DataError, Problem
from etsopt.units import whole_tonnes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


class Parameters(BaseModel):
    """What every rule's section of the policy may state."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    threshold_tco2e: float = Field(0.0, ge=0, description="enterprises below it get A = E [tCO2e]")
    pre_allocation_share: float = Field(
        0.5, ge=0, le=1, description="share of last year's verified emissions issued in advance"
    )


@dataclass(frozen=True)
class Reference:
    """What a rule gives each unit.

    Parameters
    ----------
    exact_t
        Allowances before rounding, shape ``(units,)`` [t].
    fixed
        Units that get A = E and stand outside bands, targets and the balance value, shape ``(units,)``.
    band
        The rule's own band, where the policy states none.
    whole
        Whether the rule rounds allowances down to whole tonnes.
    sectors
        What the rule found for a sector, indexed by it: balance value and its interval; may have no column.
    """

    exact_t: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    band: float
    whole: bool
    sectors: pd.DataFrame

    @cached_property
    def reference_t(self) -> NDArray[np.float64]:
        """Reference allowances R, in whole tonnes where the rule rounds down, shape ``(units,)`` [t]."""
        return whole_tonnes(self.exact_t) if self.whole else self.exact_t


RuleFunction = Callable[["Instance", Parameters, "NDArray[np.bool_]"], Reference]


@dataclass(frozen=True)
class Rule:
    """A rule of the registry: a function from units to reference allowances, its parameters and its source."""

    name: str
    summary: str
    source: str
    parameters: type[Parameters]
    columns: tuple[str, ...]
    function: RuleFunction


RULES: dict[str, Rule] = {}


def rule(
    name: str, source: str, parameters: type[Parameters] = Parameters, columns: tuple[str, ...] = ()
) -> Callable[[RuleFunction], RuleFunction]:
    """Enter a function as the rule of that name; the first line of its docstring is its summary.

    The function gets the instance, the rule's parameters, and which units are fixed at A = E; ``columns`` must be
    there and filled in every row that is not fixed.
    """

    def enter(function: RuleFunction) -> RuleFunction:
        summary = (function.__doc__ or "").strip().split("\n")[0]
        RULES[name] = Rule(name, summary, source, parameters, columns, function)
        return function

    return enter


def parameters_of(instance: Instance) -> Parameters:
    """Parameters of the instance's rule: those its policy states, and the rule's defaults.

    Raises
    ------
    DataError
        Where the policy names no rule of the registry, or states a parameter wrongly.
    """
    policy = instance.policy.rule
    if policy.name not in RULES:
        advice = f"{did_you_mean(policy.name, RULES)}The rules are {', '.join(sorted(RULES))}."
        raise DataError(
            "The policy", [Problem("policy.toml", f"there is no rule {policy.name!r}", advice, "rule.name")]
        )
    wanted = RULES[policy.name].parameters
    try:
        return wanted.model_validate(policy.parameters)
    except ValidationError as error:
        problems = []
        for found in problems_of(error, "policy.toml", "rule"):
            what = found.what.replace("key of the policy", "parameter of the rule")
            guess = did_you_mean(found.column.removeprefix("rule."), wanted.model_fields) if what != found.what else ""
            advice = f"{guess}The parameters of {policy.name} are {', '.join(wanted.model_fields)}."
            problems.append(Problem(found.place, what, advice, found.column))
        raise DataError("The policy", problems) from None


def reference_allowances(instance: Instance) -> Reference:
    """Reference allowances of every unit under the rule of the instance's policy.

    They are found once for instances that differ neither in tables nor in their rule, so nobody may write to them.

    Raises
    ------
    DataError
        Where a parameter is wrong, or a column that the rule or a target needs is absent.
    """
    parameters = parameters_of(instance)
    found = RULES[instance.policy.rule.name]
    fixed = fixed_units(instance, parameters.threshold_tco2e)
    problems = _problems_of_needs(instance, found, fixed) + _problems_of_target_intensity(instance, fixed)
    if problems:
        raise DataError(f"The instance {instance.name!r}", problems)
    return instance.once(
        "reference", lambda: _kept(found, instance, parameters, fixed), given=repr(instance.policy.rule)
    )


def _kept(found: Rule, instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """What a rule gives each unit, in arrays that cannot be written to."""
    reference = found.function(instance, parameters, fixed)
    for array in (reference.exact_t, reference.reference_t, reference.fixed):
        array.flags.writeable = False
    return reference


def fixed_units(instance: Instance, threshold_tco2e: float) -> NDArray[np.bool_]:
    """Units that get A = E: special cases, enterprises below the threshold, and units without emissions."""
    units = instance.units
    owner = instance.labels("enterprise_id")
    small = owner.sums(instance.emissions_tco2e) < threshold_tco2e
    fixed: NDArray[np.bool_] = small[owner.code] | (instance.emissions_tco2e == 0)
    if "case" in units:
        fixed |= (units["case"] != "").to_numpy()
    return fixed


def with_fixed(instance: Instance, allowances_t: NDArray[np.float64], fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Allowances with A = E where fixed, before rounding."""
    return np.where(fixed, instance.emissions_tco2e, allowances_t)


def _problems_of_needs(instance: Instance, rule: Rule, fixed: NDArray[np.bool_]) -> list[Problem]:
    problems = []
    for column in rule.columns:
        advice = f"The rule {rule.name} needs it for every unit that is not a special case."
        if column not in instance.units:
            problems.append(Problem("units.csv", "the column is missing", advice, column))
            continue
        absent = np.isnan(instance.units[column].to_numpy(dtype=float)) & ~fixed
        if absent.any():
            cells = cells_of(instance.units, absent)
            what = counted(int(absent.sum()), "cell is empty", "cells are empty")
            problems.append(Problem("units.csv", what, advice, column, cells))
    return problems


def _problems_of_target_intensity(instance: Instance, fixed: NDArray[np.bool_]) -> list[Problem]:
    """Demand output where a sector's target is an intensity; the target is over the units that are not fixed."""
    units, problems = instance.units, []
    output = units["output_t"].to_numpy(dtype=float) if "output_t" in units else np.full(len(units), np.nan)
    for sector, policy in instance.policy.sectors.items():
        if policy.target_intensity is None:
            continue
        absent = instance.labels("sector").where(sector) & np.isnan(output) & ~fixed
        if not absent.any():
            continue
        count = counted(int(absent.sum()), f"unit of {sector} has", f"units of {sector} have")
        what = f"{count} no output, but the sector's target is an intensity"
        advice = "Fill the column, or state target_change or target_t."
        problems.append(Problem("units.csv", what, advice, "output_t", cells_of(units, absent)))
    return problems
