"""Check results against their instance, with code that shares nothing with models and solvers."""

from etsopt.checking.checker import check
from etsopt.checking.report import CheckReport, LevelCheck, Violation

__all__ = ["CheckReport", "LevelCheck", "Violation", "check"]
