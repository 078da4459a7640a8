"""Printable pages and official tables made from the results of a run."""

from etsopt.reports.compliance import compliance_page
from etsopt.reports.official import official_tables, write_official_tables

__all__ = ["compliance_page", "official_tables", "write_official_tables"]
