"""Emission accounting: from monthly reports to emissions by unit, and the list of covered entities.

See `etsopt/accounting/README.md`.
"""

from etsopt.accounting.accounts import Accounts, account
from etsopt.accounting.bridge import units_of
from etsopt.accounting.example import generate, write_example
from etsopt.accounting.factors import read_parameters
from etsopt.accounting.inclusion import Inclusion, inclusion, register_of
from etsopt.accounting.monitoring import Monitoring, monitor, read_monitor, write_monitor_example
from etsopt.accounting.planning import review_plan_instance
from etsopt.accounting.rows import Reports, read_register, read_reports
from etsopt.accounting.screening import Screening, screen

__all__ = [
    "Accounts",
    "Inclusion",
    "Monitoring",
    "Reports",
    "Screening",
    "account",
    "generate",
    "inclusion",
    "monitor",
    "read_monitor",
    "read_parameters",
    "read_register",
    "read_reports",
    "register_of",
    "review_plan_instance",
    "screen",
    "units_of",
    "write_example",
    "write_monitor_example",
]
