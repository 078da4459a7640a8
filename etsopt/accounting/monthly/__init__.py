"""The monthly workbook that an enterprise fills in: its sheets, its colours for mistakes, and its writer."""

from etsopt.accounting.monthly.workbook import write_monthly_workbook

__all__ = ["write_monthly_workbook"]
