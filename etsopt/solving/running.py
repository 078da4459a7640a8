"""Runs of HiGHS, also after another run in the same process."""

from __future__ import annotations

from typing import Any


def run(highs: Any) -> Any:
    """Run the solver, and return its status.

    HiGHS keeps the threads of its first run in a process, such as one through Pyomo, and refuses any other number of
    threads until a reset.
    """
    status = highs.run()
    if status.name == "kError":
        highs.resetGlobalScheduler(True)
        status = highs.run()
    return status


def is_doubtful(highs: Any) -> bool:
    """Return True if presolve found no solution; HiGHS 1.16 errs so on row sides within its tolerance of each other."""
    return "Infeasible" in highs.getModelPresolveStatus().name
