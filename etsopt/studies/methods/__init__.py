"""Ways to allocate, compared on one instance: the rule, tie-breaks, objectives and the policy as it is stated."""

from __future__ import annotations

from etsopt.studies.methods.comparison import Comparison, compare_methods

__all__ = ["Comparison", "compare_methods"]
