"""The reference way from a model to a program: Pyomo builds every row, and each is read.

Slow and plain: for tests, small cases, and models that cannot be stamped.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from pyomo.repn.standard_repn import generate_standard_repn

from etsopt.data.groups import Groups
from etsopt.errors import ModelError
from etsopt.stamp.program import Objective, Program
from etsopt.stamp.rows import from_entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.stamp.rows import SparseRows


def build_program(model: pyo.AbstractModel, parameters: Mapping[str, Any]) -> Program:
    """Create the model on its data and read it row by row.

    Parameters
    ----------
    model
        The mathematics, as a model file's ``formulate`` returns it.
    parameters
        For a set, its size or its members; for a parameter, a number or an array over its sets; for a grouped set,
        `Groups`. By the name of the component.

    Raises
    ------
    ModelError
        If a component has no data or data has no component, they do not fit, a row is not linear, or an objective is
        to be maximised.
    """
    if not isinstance(model, pyo.AbstractModel):
        what = f"The function formulate returned {type(model).__name__}, not an AbstractModel of Pyomo."
        raise ModelError(what, "Return the mathematics without data; `parameters` returns the data.")
    _check_names(model, parameters)
    try:
        data = {name: _data(model.component(name), value) for name, value in parameters.items()}
        instance = model.create_instance(data={None: data})
    except Exception as error:
        # An assertion may fail without a word.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        what = f"The model {model.name!r} cannot be created on its data: {reason}"
        raise ModelError(
            what, "Compare the shapes of what `parameters` returns with the sets of `formulate`."
        ) from error
    columns, variables = _slices(instance, pyo.Var)
    position = {id(variable): number for number, variable in enumerate(variables)}
    rows, constraints = _slices(instance, pyo.Constraint)
    matrix, row_lower, row_upper = _read_rows(constraints, position)
    column_lower, column_upper = (
        np.array([_number(getattr(variable, side), sign) for variable in variables])
        for side, sign in (("lower", -math.inf), ("upper", math.inf))
    )
    integer = np.array([not variable.is_continuous() for variable in variables], dtype=bool)
    objectives = {
        objective.local_name: _read_objective(objective, position)
        for objective in instance.component_data_objects(pyo.Objective, active=True)
    }
    return Program(matrix, row_lower, row_upper, column_lower, column_upper, integer, rows, columns, objectives)


def _check_names(model: pyo.AbstractModel, parameters: Mapping[str, Any]) -> None:
    wanted = {component.local_name for component in model.component_objects((pyo.Set, pyo.Param))}
    wanted = {name for name in wanted if not name.startswith("_") and "_index" not in name and "_domain" not in name}
    missing, unknown = sorted(wanted - set(parameters)), sorted(set(parameters) - wanted)
    if missing or unknown:
        parts = [f"no data for {', '.join(missing)}"] if missing else []
        parts += [f"data for {', '.join(unknown)}, which it does not declare"] if unknown else []
        advice = "Make `parameters` return one entry for each Set and Param of `formulate`."
        raise ModelError(f"The model {model.name!r} has {' and '.join(parts)}.", advice)


def _data(component: Any, value: Any) -> dict[Any, Any]:
    """The data of one component in the form in which Pyomo takes it."""
    if component.ctype is pyo.Set:
        if isinstance(value, Groups):
            return {group: value[group].tolist() for group in range(len(value))}
        return {None: range(value) if isinstance(value, int) else value.tolist()}
    if isinstance(value, np.ndarray):
        return {index if value.ndim > 1 else index[0]: item.item() for index, item in np.ndenumerate(value)}
    return {None: value}


def _slices(instance: Any, kind: Any) -> tuple[dict[str, slice], list[Any]]:
    """Number the data of every component of a kind, in the order of declaration and of the index."""
    slices: dict[str, slice] = {}
    items: list[Any] = []
    for component in instance.component_objects(kind, active=True):
        start = len(items)
        items += list(component.values())
        slices[component.local_name] = slice(start, len(items))
    return slices, items


def _number(value: Any, absent: float) -> float:
    return absent if value is None else float(pyo.value(value))


def _read_rows(constraints: list[Any], position: dict[int, int]) -> tuple[SparseRows, Any, Any]:
    rows, columns, values = [], [], []
    lower, upper = np.empty(len(constraints)), np.empty(len(constraints))
    for number, constraint in enumerate(constraints):
        form = generate_standard_repn(constraint.body, compute_values=True)
        if not form.is_linear():
            raise ModelError(f"The constraint {constraint.name} is not linear.", "Write it with linear terms only.")
        columns += [position[id(variable)] for variable in form.linear_vars]
        values += form.linear_coefs
        rows += [number] * len(form.linear_vars)
        lower[number] = _number(constraint.lower, -math.inf) - form.constant
        upper[number] = _number(constraint.upper, math.inf) - form.constant
    shape = (len(constraints), len(position))
    entries = np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), np.array(values, dtype=float)
    return from_entries(*entries, shape), lower, upper


def _read_objective(objective: Any, position: dict[int, int]) -> Objective:
    if objective.sense != pyo.minimize:
        advice = "Minimise its negative; values and bounds are then those of the negative."
        raise ModelError(f"The objective {objective.name} is to be maximised, and levels are minimised.", advice)
    form = generate_standard_repn(objective.expr, compute_values=True, quadratic=True)
    if form.nonlinear_expr is not None or any(one is not other for one, other in form.quadratic_vars):
        advice = "An objective is linear, or has squares of single variables."
        raise ModelError(f"The objective {objective.name} has terms that no solver here takes.", advice)
    linear = np.zeros(len(position))
    for variable, coefficient in zip(form.linear_vars, form.linear_coefs, strict=True):
        linear[position[id(variable)]] += coefficient
    quadratic = None
    if form.quadratic_vars:
        quadratic = np.zeros(len(position))
        for (variable, _), coefficient in zip(form.quadratic_vars, form.quadratic_coefs, strict=True):
            quadratic[position[id(variable)]] += coefficient
    unit = (objective.parent_component().doc or "").rpartition("[")[2].rstrip("]")
    return Objective(linear, quadratic, form.constant, unit)
