"""The three-level review of monthly reports in a store: municipal, provincial, national."""

from etsopt.accounting.review.annual import Verification, annual_emissions
from etsopt.accounting.review.deciding import Decided, decide
from etsopt.accounting.review.history import history
from etsopt.accounting.review.summary import Review, review
from etsopt.accounting.review.taking import take_findings

__all__ = [
    "Decided",
    "Review",
    "Verification",
    "annual_emissions",
    "decide",
    "history",
    "review",
    "take_findings",
]
