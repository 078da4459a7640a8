"""Results: tables with provenance, run folders, and the claims of a saved run."""

from etsopt.results.comparison import compare
from etsopt.results.results import LevelResult, Results, load

__all__ = ["LevelResult", "Results", "compare", "load"]
