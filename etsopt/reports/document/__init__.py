"""The report of a run as one HTML page: in one language, with charts one can hover, and for any model."""

from etsopt.reports.document.write import write_chart, write_comparison, write_letter, write_report

__all__ = ["write_chart", "write_comparison", "write_letter", "write_report"]
