"""Emission accounting: from monthly reports to emissions by unit, and the list of covered entities.

See `etsopt/accounting/README.md`.
"""

from etsopt.accounting.accounts import Accounts, account
from etsopt.accounting.bridge import units_of
from etsopt.accounting.example import generate, write_example
from etsopt.accounting.inclusion import Inclusion, inclusion, register_of
from etsopt.accounting.monitoring import Monitoring, monitor, read_monitor, write_monitor_example
from etsopt.accounting.monthly import write_monthly_workbook
from etsopt.accounting.planning import review_plan_instance
from etsopt.accounting.reconciliation import evidence_of
from etsopt.accounting.review import (
    Decided,
    Review,
    Verification,
    annual_emissions,
    decide,
    history,
    import_findings,
    review,
    review_with_causes,
)
from etsopt.accounting.rows import Reports, read_register
from etsopt.accounting.screening import Screening, screen
from etsopt.accounting.sources import Source, read_parameters, read_reports, read_source
from etsopt.accounting.store import Imported, export_reports, import_reports, store_log, verify_store
from etsopt.accounting.verifying import verify

__all__ = [
    "Accounts",
    "Decided",
    "Imported",
    "Inclusion",
    "Monitoring",
    "Reports",
    "Review",
    "Screening",
    "Source",
    "Verification",
    "account",
    "annual_emissions",
    "decide",
    "evidence_of",
    "export_reports",
    "generate",
    "history",
    "import_findings",
    "import_reports",
    "inclusion",
    "monitor",
    "read_monitor",
    "read_parameters",
    "read_register",
    "read_reports",
    "read_source",
    "register_of",
    "review",
    "review_plan_instance",
    "review_with_causes",
    "screen",
    "store_log",
    "units_of",
    "verify",
    "verify_store",
    "write_example",
    "write_monitor_example",
    "write_monthly_workbook",
]
