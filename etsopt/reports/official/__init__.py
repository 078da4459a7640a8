"""Annex tables of the allocation plan, made from a saved run (`etsopt/reports/README.md`)."""

from etsopt.reports.official.files import write_official_tables
from etsopt.reports.official.tables import official_tables

__all__ = ["official_tables", "write_official_tables"]
