"""Emission accounting: from monthly reports to emissions by unit, and the list of covered entities.

See `etsopt/accounting/README.md`.
"""

from etsopt.accounting.accounts import Accounts, account
from etsopt.accounting.bridge import units_of
from etsopt.accounting.example import generate, write_example
from etsopt.accounting.inclusion import Inclusion, inclusion, register_of
from etsopt.accounting.rows import Reports, read_register
from etsopt.accounting.screening import Screening, screen
from etsopt.accounting.sources import Source, read_parameters, read_reports, read_source
from etsopt.accounting.store import Imported, export_reports, import_reports, store_log

__all__ = [
    "Accounts",
    "Imported",
    "Inclusion",
    "Reports",
    "Screening",
    "Source",
    "account",
    "export_reports",
    "generate",
    "import_reports",
    "inclusion",
    "read_parameters",
    "read_register",
    "read_reports",
    "read_source",
    "register_of",
    "screen",
    "store_log",
    "units_of",
    "write_example",
]
