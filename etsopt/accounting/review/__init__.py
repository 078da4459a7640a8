"""The three-level review of monthly reports in a store: municipal, provincial, national."""

from etsopt.accounting.review.annual import Verification, annual_emissions
from etsopt.accounting.review.deciding import Decided, decide
from etsopt.accounting.review.history import history
from etsopt.accounting.review.importing_findings import import_findings, review_with_causes
from etsopt.accounting.review.summary import Review, review

__all__ = [
    "Decided",
    "Review",
    "Verification",
    "annual_emissions",
    "decide",
    "history",
    "import_findings",
    "review",
    "review_with_causes",
]
