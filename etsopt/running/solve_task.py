"""Solve and check one program of a model; if it is infeasible, find the smallest relaxation of its limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.checking import Answer, Question, judge, judge_claim
from etsopt.checking.allocation.claim import ArrayMultipliers, Claim
from etsopt.checking.allocation.duals import table_of_kept
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.theorem import INFEASIBLE, THEOREMS
from etsopt.checking.verdict import PROVEN
from etsopt.common.errors import StoppedError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint, quietly, tell, unlimited
from etsopt.common.units import tolerance_of
from etsopt.modelling import PreparedModel, ProgramModel
from etsopt.modelling.solving.levels import as_answered, settled, solve_levels
from etsopt.modelling.solving.solution import STOPPED, Solution, Termination
from etsopt.modelling.solving.tolerances import RELAXED_T, fixed_at_lower
from etsopt.running import library, methods, model_inputs, own_program
from etsopt.running.compared import is_as_pyomo_builds
from etsopt.running.model import objectives_of
from etsopt.running.results.claims import violations_of
from etsopt.running.results.results import LevelResult, Results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etsopt.checking import Verdict
    from etsopt.checking.verdict import LevelStated
    from etsopt.common.provenance import Provenance
    from etsopt.data.instance import Instance
    from etsopt.modelling import ElasticModel, OptimisedModel, Prepared, Tables
    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.options import SolveOptions
    from etsopt.modelling.solving.solution import Level
    from etsopt.running.methods import Method
    from etsopt.running.provenance import StageTimes


REPORTED = ("rounded_by_t", "misses_t", "distance_t")
"""Tonnes of an answer that the checker reports."""

WITHOUT_PRESOLVE = 500
"""Most columns of a program of parts, such as cells, that simplex solves in half of the time without presolve:
`docs/decisions/0133-small-programs.md`."""


@dataclass(frozen=True)
class SolveTask:
    """One program of a model to solve, or to explain if it is infeasible."""

    model: OptimisedModel
    name: str
    instance: Instance
    options: SolveOptions
    method: Method
    about: Provenance
    times: StageTimes
    prepared: Prepared
    first: Results | None = None
    """Results of the model that this one starts from."""
    readings: InstanceInputs | None = None
    """The instance as the checker reads it, if it has read the tables before; else it reads them for each answer."""

    @property
    def has_theorem(self) -> bool:
        """True if the checker proves what the model claims; it knows none of a user's own."""
        return self.about.model in THEOREMS

    def _judged(self, answer: Tables | Claim, levels: Sequence[LevelStated], stopped: bool = False) -> Verdict:
        """Return the checker's verdict on an answer, with the levels of the model that this one starts from."""
        before = self.first.levels if self.first else ()
        question = Question(self.readings or self.instance, self.about.model, self.about.options.gap)
        if isinstance(answer, Claim):
            return judge_claim(question, answer, levels, stopped)
        return judge(question, Answer(answer, (*before, *levels), stopped))

    def solve_all(self) -> Solution | Results:
        """Solve the model, and its second program: return a solution, or results that explain infeasibility."""
        solution = self.solve(self.instance, self.prepared.parameters)
        if isinstance(solution, Solution) and solution.termination is Termination.OPTIMAL:
            return self.solve_second(solution)
        return solution

    def checked(self, solution: Solution) -> Results:
        """Return the results of a solution, checked if the checker knows the model, even after the deadline."""
        with unlimited():
            tell(_("tables"))
            given = own_program.copied(solution)
            tables = model_inputs.tables_of(self.model, self.instance, given, self.prepared) if solution.values else {}
            self.times.lap("tables")
            return self._results(solution, tables)

    def claimed(self, solution: Solution, readings: InstanceInputs) -> Results:
        """Return the results of a solution with columns of totals alone, if the model states arrays that prove it.

        Parameters
        ----------
        readings
            What the checker has read of the same tables, or of others.
        """
        claim = self.model.claim if isinstance(self.model, ProgramModel) else None
        if claim is None or not self.has_theorem or not solution.values:
            return self.checked(solution)
        with unlimited():
            stated = claim(self.instance, solution)
            totals, multipliers = stated["totals"], (stated[name] for name in ("rows", "duals", "weights"))
            self.times.lap("tables")
            held = Claim(stated["allocation"], totals["sectors"], ArrayMultipliers(*multipliers).read)
            own = replace(self, readings=InstanceInputs.of(self.instance, readings))
            results = own._results(solution, totals, held)
        # What arrays do not prove is looked at whole.
        return results if results.certified else self.checked(solution)

    def solve(
        self, limited: Instance, parameters: dict[str, Any], names: list[str] | None = None
    ) -> Solution | Results:
        """Solve the model with some parameters: return a solution, or results that explain infeasibility.

        Parameters
        ----------
        limited
            The instance whose limits the parameters state.
        names
            Objectives in their order; None for the model's own.
        """
        solution = self.minimise_all(parameters, names)
        self.times.lap("solve")
        # A point found before any objective does not make up for one that finds none.
        if solution.termination is not Termination.INFEASIBLE or solution.levels:
            return solution
        if isinstance(self.model, PreparedModel) and self.model.explain is not None:
            return self._explained(*self.model.explain(self.instance, self.prepared))
        if solution.proof is not None:
            return own_program.without_point(self.model, solution.proof, self.options, self.about, self.times)
        elastic = library.elastic(self.name)
        if elastic is None:
            return Results({}, "infeasible", "infeasible_unproven", False, (), None, self.about)
        explained = self._relaxed_limits(limited, elastic)
        if not explained.levels or explained.levels[0].value > RELAXED_T:
            return explained
        # The infeasibility is within the checker's tolerance: sums of limits that meet exactly differ by rounding.
        solution = self.minimise_all(elastic.relaxed_parameters(parameters, RELAXED_T), names)
        self.times.lap("solve_eased")
        return solution if solution.levels or solution.termination is not Termination.INFEASIBLE else explained

    def _explained(self, tables: dict[str, pd.DataFrame], level: Level | None) -> Results:
        """Return results on the unmet demand that the model itself states, as far as the checker proves it."""
        with unlimited():
            tell(_("check"))
            return self._infeasible_results(model_inputs.with_tables_of(self.first, tables), level)

    def minimise_all(self, parameters: dict[str, Any], names: list[str] | None = None) -> Solution:
        """Minimise the objectives in their order, by the model's own method or over the whole program."""
        own_method = self.method.model_method
        if own_method is not None and own_method.solve is not None:
            names = names or objectives_of(self.model, self.instance, None)
            return own_method.solve(self.instance, parameters, names, self._run)
        program = self._program(parameters)
        names = names or objectives_of(self.model, self.instance, list(program.objectives))
        program = program if self.has_theorem else program.with_reach()
        compared = (
            self.has_theorem
            or self.method.name == "pyomo"
            or is_as_pyomo_builds(self.model, self.instance, program, parameters)
        )
        solution = self._minimise(program, parameters, names, self.options)
        if self.has_theorem or not own_program.has_one_program(self.model):
            return solution
        if own_program.misses_rows(program, solution):
            # Presolve takes rows apart, and puts what it rounded together again.
            without = {"presolve": "off"} | self.options.solver_options
            again = self._minimise(program, parameters, names, replace(self.options, mps=None, solver_options=without))
            solution = solution if own_program.misses_rows(program, again) or not again.values else again
        return own_program.proven(self.model, program, names, solution, self.options, self.times, compared)

    def _minimise(
        self, program: Program, parameters: dict[str, Any], names: list[str], options: SolveOptions
    ) -> Solution:
        """Minimise objectives of a program in their order, each by the model's faster method if it has one."""
        faster = {name: partial(method, parameters) for name in names if (method := library.method(self.name, name))}
        solution = solve_levels(program, names, options, faster, self.model.fix_after)
        return solution if self.has_theorem else settled(program, solution, options, self.model.fix_after)

    def _program(self, parameters: dict[str, Any]) -> Program:
        program = model_inputs.program_of(self.model, self.instance, self.method.build, parameters)
        self.times.lap("build")
        return program

    def _run(self, parameters: dict[str, Any], names: list[str], by_solver: bool = True) -> Solution:
        """Solve the model's own formulation with other parameters.

        Parameters
        ----------
        by_solver
            Leave every objective to the solver, without the model's faster methods.

        Raises
        ------
        StoppedError
            At the deadline: the model's method returns its incumbent.
        """
        program = model_inputs.program_of(self.model, self.instance, self.method.build, parameters)
        own: dict[str, Any] = {"presolve": "off"} if program.matrix.columns <= WITHOUT_PRESOLVE else {}
        options = replace(self.options, mps=None, solver_options=own | self.options.solver_options)
        with quietly():
            if by_solver:
                solution = solve_levels(program, names, options, {})
            else:
                solution = self._minimise(program, parameters, names, options)
        if solution.termination in STOPPED:
            raise StoppedError(solution.termination)
        return solution

    def solve_second(self, first: Solution) -> Solution | Results:
        """Solve the second program of the model, if it has one after a solution."""
        program = self.model.second_program if isinstance(self.model, ProgramModel) else None
        stated = program(self.instance, first) if program else None
        if stated is None:
            return first
        second = replace(self, options=replace(self.options, mps=None)).solve(*stated)
        if isinstance(second, Results):
            return second
        if not second.levels:
            # The first solution is kept, even if another feasible point is known.
            return replace(first, termination=second.termination)
        return replace(second, levels=(*first.levels, *second.levels), before=first)

    def _results(self, solution: Solution, tables: Any, claim: Claim | None = None) -> Results:
        """Return the results of a program, with the bounds that the checker recomputed if it knows the model.

        Parameters
        ----------
        claim
            What is judged in place of the tables.
        """
        if solution.proof is not None and solution.values:
            return own_program.results_of(self.model, solution, tables, self.about)
        verdict, first = None, self.first
        tables = model_inputs.with_tables_of(first, tables)
        if tables and self.has_theorem:
            tell(_("check"))
            stopped = solution.termination is not Termination.OPTIMAL
            answer = tables if claim is None else claim
            verdict = self._judged(answer, solution.levels, stopped)
            if verdict.violations and all(violation.rule == "level_is_kept" for violation in verdict.violations):
                # Later objectives may move an earlier one by rounding: its value at the answer is stated.
                values = {level.name: level.value for level in verdict.levels}
                solution = replace(solution, levels=as_answered(solution.levels, values))
                verdict = self._judged(answer, solution.levels, stopped)
            tables = _with_kept(tables, verdict) if claim is None else tables
            self.times.lap("check")
        checks = {level.name: level for level in verdict.levels if level.known} if verdict else {}
        levels = list(first.levels) if first and tables else []
        for level in solution.levels if tables else ():
            known = checks.get(level.name)
            bound, gap = (known.bound, known.gap) if known else (level.bound, level.value - level.bound)
            proven = known is not None and known.certified
            spending = known.spending if known else None
            levels.append(
                LevelResult(level.name, level.value, bound, gap, level.unit, proven, level.algorithm, spending)
            )
        status = verdict.status if verdict else "feasible" if tables else "none"
        reported = {name: getattr(verdict, name) for name in REPORTED} if verdict else {}
        held = tuple(levels), None, self.about, violations_of(verdict)
        return Results(tables, solution.termination.value, status, status in PROVEN, *held, **reported)

    def _relaxed_limits(self, limited: Instance, elastic: ElasticModel) -> Results:
        """Find the smallest relaxation of the limits of an instance, and prove it.

        Raises
        ------
        StoppedError
            At the deadline: the infeasibility is then neither explained nor proven.
        """
        checkpoint("relaxed_limits")
        parameters = elastic.parameters(limited)
        part = None
        own_method = self.method.model_method
        # Among relaxations of equally many tonnes, one of the whole program is stated in fewer keys of the policy.
        apart = self.options.method is None and len(limited.units) < methods.RELAXED_WHOLE
        if own_method is not None and own_method.elastic is not None and not apart:
            parameters, part = own_method.elastic(parameters)
        program = self.method.build(elastic, parameters)
        options = replace(self.options, mps=None)
        ways = {}
        for way, at_zero in elastic.ways_out.items():
            faster = {way: partial(own, parameters)} if (own := library.method(elastic.name, way)) else {}
            solution = solve_levels(fixed_at_lower(program, at_zero), [way], options, faster)
            if solution.termination in STOPPED:
                raise StoppedError(solution.termination)
            if solution.termination is Termination.OPTIMAL:
                ways[way] = solution
        self.times.lap("explain")
        results = self._relaxed_results(elastic.tables(limited, ways, part), ways)
        if results.certified or INFEASIBLE not in ways or not program.integer.any():
            return results
        # Parts of exceptions may meet every limit, so that no limit has a dual. Without exceptions some have.
        whole = tuple(name for name, block in program.columns.items() if program.integer[block].any())
        firm = fixed_at_lower(program, (*elastic.ways_out[INFEASIBLE], *whole))
        alone = solve_levels(firm, [INFEASIBLE], options, {})
        if alone.termination is not Termination.OPTIMAL:
            return results
        level = replace(ways[INFEASIBLE].levels[0], multipliers=alone.levels[0].multipliers)
        ways[INFEASIBLE] = replace(ways[INFEASIBLE], levels=(level,))
        proven = self._relaxed_results(elastic.tables(limited, ways, part), ways)
        return proven if proven.certified else results

    def _relaxed_results(self, tables: Any, ways: Mapping[str, Solution]) -> Results:
        """Return the results of an infeasible program from its relaxations, checked even after the deadline."""
        with unlimited():
            tell(_("check"))
            return self._infeasible_results(tables, ways[INFEASIBLE].levels[0] if INFEASIBLE in ways else None)

    def _infeasible_results(self, tables: Any, stated: Level | None) -> Results:
        """Return the results of the program if it is infeasible, with the tonnes, or the days, that are proven to lack.

        Parameters
        ----------
        tables
            Tables of the infeasibility, with the multipliers that prove it.
        stated
            The least infeasibility by the solver; None if it is unknown.
        """
        verdict = self._judged(tables, () if stated is None else (stated,)) if tables and self.has_theorem else None
        self.times.lap("check")
        tonnes = verdict.infeasible_by_t if verdict else None
        proven = verdict.missing_days if verdict and verdict.missing_days is not None else tonnes
        levels = list(self.first.levels) if self.first and tables else []
        if stated is not None:
            gap = stated.value - (proven or 0.0)
            least = proven is not None and abs(gap) <= tolerance_of(stated.value, stated.unit)
            levels.append(
                LevelResult(stated.name, stated.value, proven or 0.0, gap, stated.unit, least, stated.algorithm)
            )
        status = verdict.status if verdict else "infeasible_unproven"
        reported = {name: getattr(verdict, name) for name in REPORTED} if verdict else {}
        held = tonnes if status in PROVEN else None, self.about, violations_of(verdict)
        return Results(tables, "infeasible", status, status in PROVEN, tuple(levels), *held, **reported)


def _with_kept(tables: Any, verdict: Verdict) -> Any:
    """Return the tables with the multipliers of earlier objectives, so that a later check need not find them again."""
    if not verdict.kept:
        return tables
    kept = table_of_kept(verdict.kept, {level.name: level.unit for level in verdict.levels})
    # An empty table has no types to keep.
    parts = [part for part in (tables["duals"], kept) if len(part)]
    return {**tables, "duals": pd.concat(parts, ignore_index=True)}
