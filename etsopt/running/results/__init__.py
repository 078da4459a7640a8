"""Results: tables with provenance, run folders, and the claims of a saved run."""

from etsopt.running.results.comparison import compare
from etsopt.running.results.results import LevelResult, Results, load

__all__ = ["LevelResult", "Results", "compare", "load"]
