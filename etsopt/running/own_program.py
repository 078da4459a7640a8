"""The program of a user's own model: what proves its solution, as tables of the run, and the check that reads them.

A run of such a model holds the values of all variables and the multipliers that prove each objective, from which its
own tables are made. The check compiles the model again, from the file that the reader names, and makes these tables
again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
import pandas as pd

from etsopt.checking.cells import misshapen
from etsopt.checking.program import NO_POINT, ProgramAnswer, ProgramQuestion, judge_program, keeps_rows
from etsopt.checking.verdict import PROVEN, Verdict, Violation
from etsopt.common.errors import EtsoptError, ModelError, StoppedError
from etsopt.common.language import _, chain
from etsopt.common.progress import tell
from etsopt.modelling import PreparedModel, ProgramModel
from etsopt.modelling.solving.conflict import conflicting_rows, with_rows
from etsopt.modelling.solving.levels import as_answered
from etsopt.modelling.solving.proving import alone, prove, refute
from etsopt.modelling.solving.solution import Level, Proof, Solution, Termination
from etsopt.running import model_inputs
from etsopt.running.compared import compiled_again
from etsopt.running.compiling import documented
from etsopt.running.made_tables import differences
from etsopt.running.model import objectives_of
from etsopt.running.program_tables import (
    CONFLICT,
    DUALS,
    NODES,
    VALUES,
    Reading,
    conflict_table,
    rows_by_narrowing,
    rows_of,
    tables_of_trees,
    values_table,
)
from etsopt.running.results.claims import PROGRAM, gap_of_program, violations_of
from etsopt.running.results.results import LevelResult, Results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.common.provenance import Provenance
    from etsopt.data.instance import Instance
    from etsopt.modelling import Model, OptimisedModel, Tables
    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.options import SolveOptions
    from etsopt.modelling.solving.solution import Tree
    from etsopt.running.provenance import StageTimes


def has_one_program(model: Model) -> TypeGuard[OptimisedModel]:
    """Return True if the answer of a model is that of one program, which can be compiled again."""
    if isinstance(model, PreparedModel):
        return model.next_pass is None and not model.starts_from
    return isinstance(model, ProgramModel) and model.second_program is None


def proven(
    model: OptimisedModel,
    program: Program,
    names: Sequence[str],
    solution: Solution,
    options: SolveOptions,
    times: StageTimes,
    compared: bool,
) -> Solution:
    """Return a solution with its program and what proves it, as far as the time suffices.

    Parameters
    ----------
    compared
        True if the program was seen to be the one that Pyomo builds.
    """
    tell(_("proof"))
    times.lap("solve")
    accepted = gap_of_program(options.gap_or_default)
    if not solution.values:
        return replace(solution, proof=Proof(program, tuple(names), accepted, {}, compared))
    x = _within_bounds(program, solution)
    trees = prove(program, solution.levels, x, model.fix_after, replace(options, gap=accepted))
    times.lap("proof")
    # Tables show the multipliers that prove, which a check finds in the run, and not those of the solver.
    levels = tuple(
        replace(level, multipliers=_by_row(program, names[:place], trees[level.name]))
        for place, level in enumerate(solution.levels)
    )
    values = {name: x[block] for name, block in program.columns.items()}
    return replace(
        solution, values=values, levels=levels, proof=Proof(program, tuple(names), accepted, trees, compared)
    )


def misses_rows(program: Program, solution: Solution) -> bool:
    """Return True if a solution misses rows by more than a certificate allows."""
    return bool(solution.values) and not keeps_rows(program, _within_bounds(program, solution))


def copied(solution: Solution) -> Solution:
    """Return a solution, of a user's own model as a copy, which its `tables` may change as it likes."""
    if solution.proof is None:
        return solution
    values = {name: array.copy() for name, array in solution.values.items()}
    levels = tuple(
        replace(level, multipliers={row: array.copy() for row, array in level.multipliers.items()})
        for level in solution.levels
    )
    return replace(solution, values=values, levels=levels)


def results_of(model: OptimisedModel, solution: Solution, tables: Tables, about: Provenance) -> Results:
    """Return the results of a solution, with its program checked.

    Raises
    ------
    ModelError
        If the model makes a table of a name that tables of its program have.
    """
    assert solution.proof is not None
    if taken := [name for name in tables if name.startswith(PROGRAM) or name == CONFLICT]:
        what = _("The model {model} makes a table {name!r}.", model=model.name, name=taken[0])
        raise ModelError(what, _("Choose another name: such tables hold its program."))
    program, trees = solution.proof.program, solution.proof.trees
    stopped = solution.termination is not Termination.OPTIMAL
    x = program.point_of(solution.values)
    question = ProgramQuestion(program, solution.proof.names, solution.proof.gap, model.fix_after)
    # Each objective has the value of the answer, in which later ones may have moved it by rounding.
    stated = as_answered(solution.levels, {name: program.objectives[name].value(x) for name in solution.proof.names})
    answer = ProgramAnswer(x, stated, trees, stopped)
    verdict = _as_compared(judge_program(question, answer, about.model), solution.proof.compared)
    by_name = {level.name: level for level in verdict.levels}
    levels = [
        LevelResult(known.name, known.value, known.bound, known.gap, known.unit, known.certified, level.algorithm)
        for level in solution.levels
        if (known := by_name.get(level.name))
    ]
    about.formulation = documented(model)
    own = tables_of_trees(program, solution.proof.names, trees)
    return _results(
        {**tables, VALUES: values_table(program, x), **own}, solution.termination.value, verdict, levels, about
    )


def without_point(
    model: OptimisedModel, proof: Proof, options: SolveOptions, about: Provenance, times: StageTimes
) -> Results:
    """Return the results of a program without a point: rows that conflict, and the proof that they do."""
    tell(_("conflicting rows"))
    about.formulation = documented(model)
    rows, least = conflicting_rows(proof.program, options)
    program = with_rows(proof.program, rows)
    about.conflict_is_least = least
    times.lap("conflict")
    try:
        trees = {NO_POINT: refute(program, options)}
    except StoppedError:
        trees = {NO_POINT: alone(np.zeros(len(program.row_lower)))}
    if len(used := rows_of(trees[NO_POINT])):
        # Fewer rows than were left may be in the proof.
        rows, program = used, with_rows(program, used)
    else:
        rows = rows_by_narrowing(program, rows)
        program = with_rows(program, rows)
    times.lap("proof")
    answer = ProgramAnswer(None, (), trees)
    question = ProgramQuestion(program, proof.names, proof.gap)
    verdict = _as_compared(judge_program(question, answer, about.model), proof.compared)
    tables = {CONFLICT: conflict_table(program, rows, trees[NO_POINT]), **tables_of_trees(program, (), trees)}
    return _results(tables, "infeasible", verdict, [], about)


def check_again(model: Model, theorem: str, instance: Instance, results: Results, gap: float) -> Verdict:
    """Return the verdict on results of a model file: its program is compiled again, and its tables are made again.

    Parameters
    ----------
    theorem
        Name of the theorem in the verdict.
    gap
        Largest relative gap that proves an objective beside whole numbers.
    """
    if not has_one_program(model):
        return Verdict((), ())
    if wrong := misshapen(results.tables):
        return Verdict(tuple(wrong), (), theorem=theorem, of_program=True)
    if not results.tables and results.termination != "infeasible":
        # Without an answer nothing is claimed.
        return Verdict((), (), theorem=theorem, of_program=True, answered=False, stopped=True)
    prepared, program, compared = compiled_again(model, instance)
    names = objectives_of(model, instance, list(program.objectives))
    made: dict[str, pd.DataFrame] = {}
    reading = Reading(results.tables, program, names)
    x, trees = reading.values(), reading.trees()
    reading.see_levels(results.levels, results.termination)
    if x is None and CONFLICT in results.tables and not reading.problems:
        # The rows that are said to conflict have to do so alone, and those of the table are those of the proof.
        rows = reading.conflict(trees[NO_POINT])
        program = with_rows(program, rows)
        made = {CONFLICT: conflict_table(program, rows, trees[NO_POINT])}
    if reading.problems or (x is None and results.termination != "infeasible"):
        what = chain(
            dict.fromkeys(reading.problems) or [_("there is a table {table}", table=VALUES)], _("{first}; {second}")
        )
        broken = Violation("tables", "program", 1.0, "tables", what)
        return Verdict((broken,), (), theorem=theorem, of_program=True)
    stopped = results.termination not in ("optimal", "infeasible")
    answer = ProgramAnswer(x, results.levels, trees, stopped)
    verdict = judge_program(ProgramQuestion(program, names, gap, model.fix_after), answer, theorem)
    verdict = _as_compared(verdict, compared)
    if x is None:
        return replace(verdict, violations=tuple(differences(made, results.tables, (DUALS, NODES))))
    if verdict.violations:
        return verdict
    levels = tuple(
        Level(one.name, one.unit, one.value, one.bound, 0.0, by_row, one.algorithm)
        for at, one in enumerate(results.levels)
        if one.name in names
        for by_row in [_by_row(program, names[:at], trees[one.name])]
    )
    values = {name: x[block].copy() for name, block in program.columns.items()}
    try:
        answered = Solution(Termination(results.termination), values, levels)
        made = model_inputs.tables_of(model, instance, answered, prepared)
    except EtsoptError as error:
        return replace(verdict, violations=(Violation("tables", "tables", 1.0, "tables", error.failure),))
    return replace(verdict, violations=tuple(differences(made, results.tables, (VALUES, DUALS, NODES))))


def _by_row(program: Program, earlier: Sequence[str], tree: Tree) -> dict[str, NDArray[np.float64]]:
    """Return the multipliers of the whole program by component, with those of earlier objectives."""
    multipliers = tree.multipliers[0]
    assert multipliers is not None
    count = len(program.row_lower)
    by_row = {row: multipliers[block] for row, block in program.rows.items()}
    return by_row | {f"{name}_stays_optimal": multipliers[[count + at]] for at, name in enumerate(earlier)} | by_row


def _as_compared(verdict: Verdict, compared: bool) -> Verdict:
    """Return a verdict; of a program that may be another than that of the model nothing is proven."""
    return verdict if compared else replace(verdict, unproven=True, infeasible=False)


def _results(
    tables: dict[str, pd.DataFrame],
    termination: str,
    verdict: Verdict,
    levels: list[LevelResult],
    about: Provenance,
) -> Results:
    status = verdict.status
    held = tuple(levels), None, about, violations_of(verdict)
    return Results(tables, termination, status, status in PROVEN, *held)


def _within_bounds(program: Program, solution: Solution) -> NDArray[np.float64]:
    """Return the values of columns, which a solver may leave beyond a bound by its tolerance."""
    found: NDArray[np.float64] = np.clip(program.point_of(solution.values), program.column_lower, program.column_upper)
    return found
