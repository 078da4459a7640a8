"""Allocation rules: functions from units to reference allowances, found by name."""

from etsopt.rules import intensity, simple  # noqa: F401  entering their rules in the registry
from etsopt.rules.issuance import issuance
from etsopt.rules.registry import (
    RULES,
    Reference,
    Rule,
    fixed_units,
    parameters_of,
    reference_allowances,
)

__all__ = [
    "RULES",
    "Reference",
    "Rule",
    "fixed_units",
    "issuance",
    "parameters_of",
    "reference_allowances",
]
