"""Annex tables read back as an instance (`etsopt/reports/README.md`)."""

from etsopt.reports.official.reading.read import OfficialReading, read_back, read_official_tables

__all__ = ["OfficialReading", "read_back", "read_official_tables"]
