"""Options of a solve, and the options of HiGHS that follow from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _, chain

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.scaling import Scaled

METHODS = {
    "direct": _("the solver takes the whole program"),
    "pyomo": _("Pyomo builds every row, and the solver takes the whole program"),
    "aggregation": _("units alike in every coupling row form one cell, and the answer is disaggregated to each"),
    "decomposition": _("every plan of every unit is priced, and few units are branched on"),
}
"""Methods and their descriptions; the first is the default of a model without a quicker method of its own."""

OWN_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    # The tightest tolerances of HiGHS, because the program is scaled so that 1 is a typical value.
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
"""String options of HiGHS that take a keyword. Every other string option names a file, to read or to write; so may
those of later releases."""

PRINTING = ("output_flag", "log_to_console", "log_file")
CHOSEN = ("threads", "parallel")
"""Reserved options; every ``write_...`` is reserved too, because it writes a file of the scaled program."""

LARGE_COLUMNS = 20_000
"""Columns from which a linear program takes interior point with crossover, which ends at a vertex as simplex does:
`docs/decisions/0043-interior-point-from-20000-columns.md`."""

QUADRATIC_ROUNDS = 4
"""Iterations of the active set per row and column; where it ended it had taken less than one."""

QUADRATIC_REGULARIZATION = 1e-12
"""Share of one that the solver adds to the squares, so that they are positive."""

Progress = Callable[[str], None]


DEFAULT_GAP = 1e-6

OWN_PART = 0.25
"""Share of the gap that branch and bound may leave to its own bound; the rest is between that and the relaxation's."""


@dataclass(frozen=True)
class SolveOptions:
    """Options of a solve.

    Parameters
    ----------
    time_limit_s
        Seconds for the whole solve without tables and checks; None for no limit.
    gap
        Relative gap at which a mixed-integer program may stop; None leaves it to the model.
    seed
        Seed of the solver's random choices.
    method
        One of `METHODS`; None chooses the quickest at the size of the instance.
    solver_options
        Options of HiGHS by name; an unknown name or a value of the wrong type is an error.
    mps
        File to which the program of the first objective is written in MPS format.
    progress
        Function that receives a line of text on the current step.
    """

    time_limit_s: float | None = None
    gap: float | None = None
    seed: int = 0
    method: str | None = None
    solver_options: dict[str, bool | int | float | str] = field(default_factory=dict)
    mps: str | Path | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        self._check_types()
        check_time_limit(self.time_limit_s)
        if self.gap is not None and not 0 <= self.gap < 1:
            raise UsageError(
                _("The gap is {gap}: expected a fraction from 0 up to 1.", gap=self.gap), _("Change --gap.")
            )
        if not 0 <= self.seed < 2**31:
            what = _("The seed is {seed}: expected a whole number from 0 to 2147483647.", seed=self.seed)
            raise UsageError(what, _("Change --seed."))
        if self.method is not None and self.method not in METHODS:
            advice = chain(
                (_("{name!r}: {what}", name=name, what=what) for name, what in METHODS.items()), _("{first}; {second}")
            )
            raise UsageError(
                _("There is no method {method!r}.", method=self.method),
                _("Choose one of {advice}.", advice=advice),
            )

    def _check_types(self) -> None:
        """Raise UsageError for options of another type, which only a caller in Python can pass."""
        numbers = {"time_limit_s": self.time_limit_s, "gap": self.gap}
        for name, value in numbers.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | np.number)):
                raise UsageError(
                    _("`{name}` is {value}: expected a number.", name=name, value=brief(value)),
                    _("Pass a number, or None."),
                )
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer):
            raise UsageError(
                _("`seed` is {seed}: expected a whole number.", seed=brief(self.seed)), _("Pass one, such as 0.")
            )
        if self.method is not None and not isinstance(self.method, str):
            raise UsageError(
                _("`method` is {method}: expected a name.", method=brief(self.method)),
                _("One of {methods}.", methods=", ".join(METHODS)),
            )
        if self.progress is not None and not callable(self.progress):
            raise UsageError(
                _("`progress` is {progress}: expected a function of one line.", progress=brief(self.progress)),
                _("Pass `print`."),
            )

    @property
    def gap_or_default(self) -> float:
        """Relative gap of the caller, or the default."""
        return DEFAULT_GAP if self.gap is None else self.gap


def check_time_limit(seconds: float | None) -> None:
    """Refuse a time limit that leaves no time.

    Raises
    ------
    UsageError
        If it is not above zero.
    """
    if seconds is not None and not seconds > 0:
        what = _("The time limit is {time_limit_s} s: expected more than 0 s.", time_limit_s=seconds)
        raise UsageError(what, _("Increase --time-limit."))


def refuse_own(options: Mapping[str, Any]) -> None:
    """Refuse options that would print among the results, or make answers irreproducible."""
    for key in options:
        if key in PRINTING or key.startswith("write_"):
            what = _(
                "The option {key} of HiGHS cannot be chosen: it writes among the results, or beside them.", key=key
            )
            raise UsageError(what, _("Leave it out; --mps writes the program to a file."))
        if key in CHOSEN:
            what = _(
                "The option {key} of HiGHS cannot be chosen: in one thread the same input gives the same answer.",
                key=key,
            )
            raise UsageError(what, _("Leave it out."))


def algorithm_for(program: Program, name: str) -> dict[str, Any]:
    """Return the options that choose HiGHS's algorithm by size and kind, as measured in benchmarks/README.md."""
    columns = len(program.column_lower)
    if program.objectives[name].quadratic is not None:
        # Its active set may turn in circles for ever where limits meet, of 12 rows and 10 columns too. What it adds to
        # the squares by itself, 1e-7, would be missing in a proof.
        rounds = QUADRATIC_ROUNDS * (columns + len(program.row_lower)) + 1_000
        return {"qp_iteration_limit": rounds, "qp_regularization_value": QUADRATIC_REGULARIZATION}
    return {"solver": "ipm"} if not program.integer.any() and columns >= LARGE_COLUMNS else {}


def algorithm_of(info: Any, integer: bool, quadratic: bool) -> str:
    """Return the algorithm that HiGHS ran by its own information, and its nodes or iterations."""
    if integer:
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
    """Return True if an objective can only be a whole number."""
    objective = program.objectives[name]
    costs = objective.linear[program.integer]
    return (
        objective.quadratic is None
        and not objective.linear[~program.integer].any()
        and bool((costs == np.round(costs)).all())
        and objective.constant == round(objective.constant)
    )


def gaps_for(program: Program, name: str, scaled: Scaled, gap: float, bound: float = -math.inf) -> dict[str, float]:
    """Return the options for the gap at which a program with integer columns may stop.

    Parameters
    ----------
    bound
        A known bound that proves the value: branch and bound stops within the gap of it, or, because its own bound is
        better, at a share of the gap alone.
    """
    objective = program.objectives[name]
    # In an objective that counts, a small gap may be one whole number: stop at none unless a large gap is asked for.
    relative = gap if not counts(program, name) or gap > DEFAULT_GAP else 0.0
    known = math.isfinite(bound)
    return {
        "mip_rel_gap": OWN_PART * relative if known else relative,
        "mip_abs_gap": objective.tolerance(0.0) * scaled.objective,
        "objective_target": (bound + relative * abs(bound)) * scaled.objective if known and relative else -math.inf,
    }
