"""Results: tables with provenance, run folders, and the claims of a saved run."""

from etsopt.results.results import LevelResult, Results, compare, load

__all__ = ["LevelResult", "Results", "compare", "load"]
