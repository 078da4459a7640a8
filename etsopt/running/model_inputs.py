"""Inputs of a model before its program is solved: results of another model, and solutions of its own relaxation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import ModelError, StoppedError
from etsopt.common.language import _
from etsopt.common.progress import quietly
from etsopt.modelling import OptimisedModel, Prepared, PreparedModel, ProgramModel
from etsopt.modelling.solving.growing import Growing, without_rows
from etsopt.modelling.solving.levels import solve_levels
from etsopt.modelling.solving.options import DEFAULT_GAP
from etsopt.modelling.solving.solution import STOPPED
from etsopt.running.model import objectives_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.data.instance import Instance
    from etsopt.modelling import Model, Tables, TablesBefore
    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.options import SolveOptions
    from etsopt.modelling.solving.solution import Solution
    from etsopt.running.methods import Build, Method
    from etsopt.running.results.results import Results


@dataclass(frozen=True)
class Relaxation:
    """Solver of the linear relaxation of a model's program with any parameters, through the engine."""

    model: OptimisedModel
    instance: Instance
    build: Build
    options: SolveOptions

    def __call__(self, parameters: dict[str, Any], objective: str = "") -> Solution:
        """Return the solution of the relaxation for an objective, by default the model's first.

        Its level holds the multipliers of the rows.

        Raises
        ------
        StoppedError
            At the deadline: a stopped relaxation proves nothing of the market.
        """
        program = self.build(self.model, parameters).relaxed()
        names = [objective] if objective else objectives_of(self.model, self.instance, list(program.objectives))
        with quietly():
            solution = solve_levels(program, names, replace(self.options, mps=None), {})
        if solution.termination in STOPPED:
            raise StoppedError(solution.termination)
        return solution

    def whole(self, parameters: dict[str, Any], objective: str, gap: float, nodes: int | None = None) -> Solution:
        """Return the solution of the mixed-integer program for an objective, by branch and bound within a gap.

        Parameters
        ----------
        nodes
            Number of nodes after which it stops with its incumbent; None for no limit.

        Raises
        ------
        StoppedError
            At the deadline, if there is no incumbent.
        """
        program = self.build(self.model, parameters)
        most = {} if nodes is None else {"mip_max_nodes": nodes}
        options = replace(self.options, mps=None, gap=gap, solver_options=most | self.options.solver_options)
        with quietly():
            solution = solve_levels(program, [objective], options, {})
        if solution.termination in STOPPED and not solution.values:
            raise StoppedError(solution.termination)
        return solution

    def growing(
        self,
        parameters: dict[str, Any],
        objective: str,
        size: Mapping[str, float],
        worth: float,
        near: Growing | None = None,
    ) -> Growing:
        """Load the relaxation into the solver, where columns may join it; the rest as in `Growing`."""
        return Growing(self.build(self.model, parameters).relaxed(), objective, self.options, size, worth, near)

    def without_rows(self, lower: Any, upper: Any, size: float) -> Growing:
        """Load a linear program of columns of a typical size, without rows and costs as yet."""
        return Growing(without_rows(lower, upper), "cost", self.options, {"x": size}, size)


def with_own_options(model: Model, options: SolveOptions) -> SolveOptions:
    """Return the options with the model's own gap and options of the solver, where the caller sets none."""
    gap, own = (model.gap, model.solver_options) if isinstance(model, OptimisedModel) else (None, {})
    own_gap = DEFAULT_GAP if gap is None else gap
    own_options = {**own, **options.solver_options}
    return replace(options, gap=own_gap if options.gap is None else options.gap, solver_options=own_options)


def prepared_for(
    model: OptimisedModel, instance: Instance, options: SolveOptions, method: Method, before: TablesBefore
) -> Prepared:
    """Return the parameters of a model, with all else that it prepares; the ``prepare`` of its method takes precedence.

    Parameters
    ----------
    before
        Tables of the model that it starts from, and those with which it is solved again.
    """
    if isinstance(model, ProgramModel):
        return Prepared(model.parameters(instance))
    assert isinstance(model, PreparedModel)
    prepare = (method.model_method and method.model_method.prepare) or model.prepare
    return prepare(instance, before, Relaxation(model, instance, method.build, options))


def tables_of(model: OptimisedModel, instance: Instance, solution: Solution, prepared: Prepared) -> Tables:
    """Return the tables of a model from a solution of its program."""
    if isinstance(model, ProgramModel):
        return model.tables(instance, solution)
    assert isinstance(model, PreparedModel)
    return model.tables(instance, solution, prepared)


def program_of(model: OptimisedModel, instance: Instance, build: Build, parameters: dict[str, Any]) -> Program:
    """Return the program of a model with some parameters; relaxed if the model is divisible on the instance."""
    program = build(model, parameters)
    if unknown := sorted({name for names in model.fix_after.values() for name in names} - {*program.columns}):
        what = _(
            "The model {model} fixes {name!r} after an objective: there is no such variable.",
            model=model.name,
            name=unknown[0],
        )
        raise ModelError(what, _("Its variables are {names}.", names=", ".join(program.columns)))
    divisible = isinstance(model, PreparedModel) and model.is_divisible is not None and model.is_divisible(instance)
    return program.relaxed() if divisible else program.at_whole_bounds()


def with_tables_of(first: Results | None, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables of a model beside those of the one that it started from; both share one table of duals."""
    if first is None or not tables:
        return tables
    both = {**first.tables, **tables}
    if "duals" in first.tables and "duals" in tables:
        # An empty table has no types, and a table joined to it would lose its own.
        parts = [table for table in (first.tables["duals"], tables["duals"]) if len(table)]
        both["duals"] = pd.concat(parts, ignore_index=True) if parts else tables["duals"]
    return both
