"""Runs of HiGHS, also after another run in the same process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program

QUADRATIC_TOLERANCE = 1e-7
"""Tolerance of reduced costs, and regularization, with which a quadratic objective is tried again."""


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


def otherwise(highs: Any, program: Program, name: str) -> dict[str, Any]:
    """Return the options with which a run may succeed that this one did not; none if it did, or nothing helps.

    Presolve of HiGHS 1.16 errs on row sides within its tolerance of each other, and its active set may find no step at
    the tightest tolerance of reduced costs.
    """
    if program.objectives[name].quadratic is not None:
        failed = highs.getModelStatus().name == "kSolveError"
        wider = {"dual_feasibility_tolerance": QUADRATIC_TOLERANCE, "qp_regularization_value": QUADRATIC_TOLERANCE}
        return wider if failed else {}
    doubtful = not program.integer.any() and "Infeasible" in highs.getModelPresolveStatus().name
    return {"presolve": "off"} if doubtful else {}
