"""Pages for people, made from the results of a run."""

from etsopt.reports.compliance import settlement_page

__all__ = ["settlement_page"]
