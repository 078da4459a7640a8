"""Allocation rules: functions from units to reference allowances, registered by name."""

from etsopt.rules import intensity, national, simple  # noqa: F401  imports register their rules
from etsopt.rules.carry_over import carried_over
from etsopt.rules.declared import Rule
from etsopt.rules.issuance import issuance, pre_allocation, pre_allocation_shares
from etsopt.rules.law import deduction_shares, fixed_fines
from etsopt.rules.national import power_allowances_of_years, steps_of_power
from etsopt.rules.own import own_parameters
from etsopt.rules.parameters import Parameters
from etsopt.rules.plugins import as_given
from etsopt.rules.reference import Reference, Term
from etsopt.rules.registry import (
    RULES,
    fixed_units,
    parameters_of,
    reference_allowances,
    rule,
)

__all__ = [
    "RULES",
    "Parameters",
    "Reference",
    "Rule",
    "Term",
    "as_given",
    "carried_over",
    "deduction_shares",
    "fixed_fines",
    "fixed_units",
    "issuance",
    "own_parameters",
    "parameters_of",
    "power_allowances_of_years",
    "pre_allocation",
    "pre_allocation_shares",
    "reference_allowances",
    "rule",
    "steps_of_power",
]
