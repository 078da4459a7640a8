"""Emission accounting: from monthly reports to emissions by unit, and the list of covered entities.

See `etsopt/accounting/README.md`.
"""

from etsopt.accounting.accounts import Accounts, account
from etsopt.accounting.bridge import units_of
from etsopt.accounting.example import generate, write_example
from etsopt.accounting.factors import read_parameters
from etsopt.accounting.inclusion import Inclusion, inclusion, register_of
from etsopt.accounting.reconciliation import evidence_of
from etsopt.accounting.rows import Reports, read_register, read_reports
from etsopt.accounting.screening import Screening, screen

__all__ = [
    "Accounts",
    "Inclusion",
    "Reports",
    "Screening",
    "account",
    "evidence_of",
    "generate",
    "inclusion",
    "read_parameters",
    "read_register",
    "read_reports",
    "register_of",
    "screen",
    "units_of",
    "write_example",
]
