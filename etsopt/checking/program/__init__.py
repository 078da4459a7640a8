"""Programs of a user's own model, proven as arrays; nobody checks that their formulation is the right one."""

from etsopt.checking.program.proof import NO_POINT, ProgramAnswer, ProgramQuestion, judge_program, keeps_rows

__all__ = ["NO_POINT", "ProgramAnswer", "ProgramQuestion", "judge_program", "keeps_rows"]
