"""Results: tables with provenance, run folders, and the claims that a saved run makes."""

from etsopt.results.results import LevelResult, Results, compare, load

__all__ = ["LevelResult", "Results", "compare", "load"]
