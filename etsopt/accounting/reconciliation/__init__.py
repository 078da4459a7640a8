"""Evidence on a year of monthly reports, as an instance of the model ``reconciliation``."""

from etsopt.accounting.reconciliation.assumptions import ASSUMPTIONS
from etsopt.accounting.reconciliation.bridge import evidence_of, series_of

__all__ = ["ASSUMPTIONS", "evidence_of", "series_of"]
