"""Annex tables of the allocation plan, made from a saved run and read back (`etsopt/reports/README.md`)."""

from etsopt.reports.official.files import write_official_tables
from etsopt.reports.official.reading import read_official_tables
from etsopt.reports.official.tables import official_tables

__all__ = ["official_tables", "read_official_tables", "write_official_tables"]
