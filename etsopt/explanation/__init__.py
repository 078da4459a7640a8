"""Why a unit got its number: the rule with the figures put in, what each limit moved, and what would give one more."""

from etsopt.explanation.explain import explain
from etsopt.explanation.near_optimal import NearOptimalRanges
from etsopt.explanation.remedies import Remedy, remedies
from etsopt.explanation.steps import Explanation, Step

__all__ = ["Explanation", "NearOptimalRanges", "Remedy", "Step", "explain", "remedies"]
