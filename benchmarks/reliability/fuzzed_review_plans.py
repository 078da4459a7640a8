"""Random plans of reviews, and the best of all subsets of reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.reliability.fuzzed import Case
from tests.review_plans import best_by_brute_force, random_reviews

if TYPE_CHECKING:
    import etsopt
    from etsopt.running.results.results import Results


def review_plan(number: int) -> Case:
    """Return a plan of reviews for one to seven enterprises, half of them with least numbers."""
    random = np.random.default_rng(number)
    instance = random_reviews(number, int(random.integers(1, 8)), least=bool(number % 2))
    method = ("direct", "pyomo")[number // 2 % 2]
    return Case("review_plan", instance, method, lambda result: by_subsets(instance, result))


def by_subsets(instance: etsopt.Instance, result: Results) -> str:
    """Compare the uncovered tonnes with the least over every subset of reviews, which may have none."""
    best = best_by_brute_force(instance)
    if best is None or result.termination == "infeasible":
        return "" if best is None and result.termination == "infeasible" else f"{best} t, and {result.status}"
    (level,) = result.levels
    # A certified plan may be within its gap; its bound never is above the best.
    if not level.bound - 0.02 <= best <= level.value + 0.02:
        return f"{best} t are left by the best subset, outside {level.bound} to {level.value}"
    return ""
