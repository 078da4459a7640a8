"""Printable pages and official tables made from the results of a run, and tables read back as an instance."""

from etsopt.reports.compliance import compliance_page
from etsopt.reports.monthly_sheets import write_monthly_sheets
from etsopt.reports.official import official_tables, read_official_tables, write_official_tables

__all__ = [
    "compliance_page",
    "official_tables",
    "read_official_tables",
    "write_monthly_sheets",
    "write_official_tables",
]
