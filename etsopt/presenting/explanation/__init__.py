"""Why a unit got its number: the rule with the figures put in, what each limit moved, and what would give one more."""

from etsopt.presenting.explanation.explain import explain
from etsopt.presenting.explanation.near_optimal import NearOptimalRanges
from etsopt.presenting.explanation.remedies import Remedy, remedies
from etsopt.presenting.explanation.steps import Explanation, Step

__all__ = ["Explanation", "NearOptimalRanges", "Remedy", "Step", "explain", "remedies"]
