"""Printable pages made from the results of a run."""

from etsopt.reports.compliance import compliance_page

__all__ = ["compliance_page"]
