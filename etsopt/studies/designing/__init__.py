"""Design search: what a policy may choose, what it is to reach, and the designs none of which beats another."""

from etsopt.studies.designing.front import front_of, hypervolume
from etsopt.studies.designing.plan import DesignPlan, design_of, read_design
from etsopt.studies.designing.search import designs_of, search

__all__ = ["DesignPlan", "design_of", "designs_of", "front_of", "hypervolume", "read_design", "search"]
