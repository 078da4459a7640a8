"""Pyomo with HiGHS as its documentation shows it, with both interfaces and their default options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.solver.common.factory import SolverFactory

if TYPE_CHECKING:
    from benchmarks.reliability.programs import Written


def as_written(program: Written, mutable: bool) -> Any:
    """Return the program as a concrete model, with numbers in its rows or in mutable parameters."""
    m = pyo.ConcreteModel()
    columns, rows = range(len(program.cost)), range(len(program.least))
    m.x = pyo.Var(columns, domain=lambda m, j: pyo.Integers if program.whole[j] else pyo.Reals)
    for j in columns:
        m.x[j].setlb(program.lower[j])
        m.x[j].setub(program.upper[j])
    matrix = {(r, j): program.matrix[r][j] for r in rows for j in columns if program.matrix[r][j]}
    cost: Any = dict(enumerate(program.cost))
    if mutable:
        m.coefficient = pyo.Param(list(matrix), initialize=matrix, within=pyo.Any, mutable=True)
        m.cost_of = pyo.Param(columns, initialize=cost, within=pyo.Any, mutable=True)
        matrix, cost = m.coefficient, m.cost_of
    m.limits = pyo.ConstraintList()
    for r in rows:
        total = sum(matrix[place] * m.x[place[1]] for place in matrix if place[0] == r)
        least, most = program.least[r], program.most[r]
        if least == most:
            m.limits.add(total == least)
            continue
        # An absent limit is left out, as any user would.
        if not np.isneginf(least):
            m.limits.add(total >= least)
        if not np.isposinf(most):
            m.limits.add(total <= most)
    m.cost = pyo.Objective(expr=sum(cost[j] * m.x[j] for j in columns))
    return m


def by_contrib(model: Any, options: dict[str, Any]) -> str:
    """Solve by `pyomo.contrib.solver`; return its answer."""
    found = SolverFactory("highs").solve(
        model, solver_options=options, load_solutions=False, raise_exception_on_nonoptimal_result=False
    )
    said = found.termination_condition.name
    if said == "convergenceCriteriaSatisfied":
        found.solution_loader.load_vars()
        return OPTIMAL
    return INFEASIBLE if said == "provenInfeasible" else said


def by_appsi(model: Any, options: dict[str, Any]) -> str:
    """Solve by the interface `appsi_highs`; return its answer."""
    solver = pyo.SolverFactory("appsi_highs")
    solver.options.update(options)
    found = solver.solve(model, load_solutions=False)
    said = found.solver.termination_condition
    if said == pyo.TerminationCondition.optimal:
        solver.load_vars()
        return OPTIMAL
    return INFEASIBLE if said == pyo.TerminationCondition.infeasible else str(said)


OPTIMAL, INFEASIBLE = "optimal", "infeasible"
INTERFACES: dict[str, Callable[[Any, dict[str, Any]], str]] = {"highs": by_contrib, "appsi_highs": by_appsi}


def answer(program: Written, interface: str, options: dict[str, Any], mutable: bool) -> list[float] | str | None:
    """Return the answer of Pyomo: a point reported as optimal, None for infeasible, or the text of a refusal."""
    try:
        model = as_written(program, mutable)
        said = INTERFACES[interface](model, options)
    except Exception as error:  # any error reaches the user, so it is no silent answer
        return f"{type(error).__name__}: {error}"
    if said == OPTIMAL:
        return [0.0 if part.value is None else float(part.value) for part in model.x.values()]
    return None if said == INFEASIBLE else said
