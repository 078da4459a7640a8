"""Screening of monthly reports: rules of the four official kinds, and the findings of each."""

from etsopt.accounting.screening import calendar, copies, digits, extremes, likely, rates, records  # noqa: F401  they register rules
from etsopt.accounting.screening.material import Material
from etsopt.accounting.screening.registry import KINDS, RULES, Rule, load_file, rule
from etsopt.accounting.screening.screen import Screening, rules_table, screen

__all__ = ["KINDS", "RULES", "Material", "Rule", "Screening", "load_file", "rule", "rules_table", "screen"]
