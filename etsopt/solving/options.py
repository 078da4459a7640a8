"""What a caller may say about how to solve."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.errors import UsageError
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from etsopt.program.program import Program
    from etsopt.solving.scaling import Scaled

METHODS = {
    "direct": "the whole program goes to HiGHS",
    "pyomo": "the same, with every row built by Pyomo",
    "aggregation": "units that are alike in every coupling row are one cell, and the answer is handed back to each",
    "decomposition": "column generation prices every plan of every unit, and few units are branched on",
}
"""Methods, and what each does; the first is taken where a model has no quicker one of its own."""

OWN_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    # The tightest that HiGHS takes, because the program is scaled so that 1 is a typical value.
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
    "mip_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
}

WORDS = (
    "hipo_ordering",
    "hipo_parallel_type",
    "hipo_system",
    "mip_ipm_solver",
    "mip_lp_solver",
    "parallel",
    "presolve",
    "ranging",
    "run_crossover",
    "solver",
)
"""Options of HiGHS that take a word. Every other one that takes a text takes the name of a file, to read or to write:
that of a release to come too, for all that is known."""

PRINTING = ("output_flag", "log_to_console", "log_file")
CHOSEN = ("threads", "parallel")
"""Options that a caller may not choose; so is every ``write_...``, which writes a file of the scaled program."""

LARGE_COLUMNS = 20_000
"""From here on a linear program goes to interior point with crossover, which ends at a vertex as simplex does."""

Progress = Callable[[str], None]


DEFAULT_GAP = 1e-6

OWN_PART = 0.25
"""Part of the gap that branch and bound may leave to its own bound; the rest is between that and the relaxation's."""


@dataclass(frozen=True)
class SolveOptions:
    """Options of a solve.

    Parameters
    ----------
    time_limit_s
        Seconds for the whole solve but its tables and checks; None for no limit.
    gap
        Relative gap at which a program with whole numbers may stop; None leaves it to the model.
    seed
        Of the solver's random choices.
    method
        One of `METHODS`; None chooses the one that is quickest at the size of the instance.
    solver_options
        Options of HiGHS by name; an unknown name or a value of the wrong type is an error.
    mps
        File to which the program of the first level is written in MPS format.
    progress
        Called with a line of text that says what is being done.
    """

    time_limit_s: float | None = None
    gap: float | None = None
    seed: int = 0
    method: str | None = None
    solver_options: dict[str, bool | int | float | str] = field(default_factory=dict)
    mps: str | Path | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.time_limit_s is not None and not self.time_limit_s > 0:
            raise UsageError(f"The time limit is {self.time_limit_s} s.", "It is above zero.")
        if self.gap is not None and not 0 <= self.gap < 1:
            raise UsageError(f"The gap is {self.gap}.", "It is a fraction from 0 up to 1.")
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"The seed is {self.seed}.", "It is a whole number from 0 to 2147483647.")
        if self.method is not None and self.method not in METHODS:
            advice = "; ".join(f"{name!r}: {what}" for name, what in METHODS.items())
            raise UsageError(f"There is no method {self.method!r}.", f"There are {advice}.")

    @property
    def gap_or_default(self) -> float:
        """The relative gap that counts where nobody names one."""
        return DEFAULT_GAP if self.gap is None else self.gap


def refuse_own(options: Mapping[str, Any]) -> None:
    """Refuse options that would print among the results, or undo what makes an answer the same each time."""
    for key in options:
        if key in PRINTING or key.startswith("write_"):
            what = f"The option {key} of HiGHS cannot be chosen: it writes among the results, or beside them."
            raise UsageError(what, "Leave it out; --mps writes the program to a file.")
        if key in CHOSEN:
            what = f"The option {key} of HiGHS cannot be chosen: in one thread the same input gives the same answer."
            raise UsageError(what, "Leave it out.")


def algorithm_for(program: Program, name: str) -> dict[str, Any]:
    """Options that choose HiGHS's algorithm by size and kind, as measured in benchmarks/README.md."""
    linear = program.objectives[name].quadratic is None and not program.integer.any()
    return {"solver": "ipm"} if linear and len(program.column_lower) >= LARGE_COLUMNS else {}


def algorithm_of(info: Any, whole: bool, quadratic: bool) -> str:
    """Which algorithm of HiGHS ran by its own information, and how long it was."""
    if whole:
        return f"branch and bound, {max(info.mip_node_count, 0)} nodes"
    if quadratic:
        return f"active set, {max(info.qp_iteration_count, 0)} iterations"
    if info.pdlp_iteration_count > 0:
        return f"first order, {info.pdlp_iteration_count} iterations"
    if info.ipm_iteration_count > 0:
        crossed = "with" if info.basis_validity else "without"
        return f"interior point, {info.ipm_iteration_count} iterations, {crossed} crossover"
    return f"simplex, {max(info.simplex_iteration_count, 0)} iterations"


def counts(program: Program, name: str) -> bool:
    """Whether an objective can only be a whole number."""
    objective = program.objectives[name]
    costs = objective.linear[program.integer]
    return (
        objective.quadratic is None
        and not objective.linear[~program.integer].any()
        and bool((costs == np.round(costs)).all())
        and objective.constant == round(objective.constant)
    )


def gaps_for(program: Program, name: str, scaled: Scaled, gap: float, bound: float = -math.inf) -> dict[str, float]:
    """Options that say how near to its bound a value must be where some columns are whole numbers.

    Parameters
    ----------
    bound
        A bound that is known and proves the value: within the gap of it nothing better is looked for, and branch and
        bound, whose own bound is better, may stop at a part of the gap alone.
    """
    objective = program.objectives[name]
    # Where only whole numbers are counted a small gap may be one of them: stop at none unless a large one is asked.
    relative = gap if not counts(program, name) or gap > DEFAULT_GAP else 0.0
    known = math.isfinite(bound)
    return {
        "mip_rel_gap": OWN_PART * relative if known else relative,
        "mip_abs_gap": tolerance_of(0.0, objective.unit) * scaled.objective,
        "objective_target": (bound + relative * abs(bound)) * scaled.objective if known and relative else -math.inf,
    }
