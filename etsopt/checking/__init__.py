"""Check results against their instance, with code that shares nothing with models and solvers."""

from etsopt.checking.judge import judge, judge_claim
from etsopt.checking.verdict import Answer, LevelCheck, Question, Verdict, Violation

__all__ = ["Answer", "LevelCheck", "Question", "Verdict", "Violation", "judge", "judge_claim"]
