"""Runs of HiGHS, whoever else has run it in the process before."""

from __future__ import annotations

from typing import Any


def run(highs: Any) -> Any:
    """Run the solver; its status.

    HiGHS keeps the threads of its first run in a process, such as one through Pyomo, and refuses any other number of
    them until these are gone.
    """
    status = highs.run()
    if status.name == "kError":
        highs.resetGlobalScheduler(True)
        status = highs.run()
    return status


def is_doubtful(highs: Any) -> bool:
    """Whether presolve found no solution; so does HiGHS 1.16 for sides of a row within its tolerance of each other."""
    return "Infeasible" in highs.getModelPresolveStatus().name
