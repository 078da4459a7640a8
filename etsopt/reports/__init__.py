"""What is told of results and monthly reports: documents, printable pages, official tables, and these read back."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etsopt.reports.compliance import compliance_page
    from etsopt.reports.monthly.notices import write_notices
    from etsopt.reports.monthly_sheets import write_monthly_sheets
    from etsopt.reports.official import official_tables, read_official_tables, write_official_tables

__all__ = [
    "compliance_page",
    "official_tables",
    "read_official_tables",
    "write_monthly_sheets",
    "write_notices",
    "write_official_tables",
]

_MODULES = {"compliance_page": "compliance", "write_monthly_sheets": "monthly_sheets"}
_MODULES |= {"write_notices": "monthly.notices"}


def __getattr__(name: str) -> Any:
    """Import a public name at first use, so that a command that needs one loads no other."""
    if name not in __all__:
        raise AttributeError(f"module 'etsopt.reports' has no attribute {name!r}")
    return getattr(import_module(f"etsopt.reports.{_MODULES.get(name, 'official')}"), name)
