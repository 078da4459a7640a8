"""The Pyomo build of a program: Pyomo builds every row, and this module reads each.

It is slow and plain: for tests, small cases, and models that cannot be compiled.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from pyomo.repn.standard_repn import generate_standard_repn

from etsopt.common.errors import ModelError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint, stopped_anywhere
from etsopt.data.groups import Groups
from etsopt.modelling.compiler.cancelled import coefficients_and_limits
from etsopt.modelling.compiler.inputs import check_names
from etsopt.modelling.compiler.mistakes import RuleError, mistake_in, quietly
from etsopt.modelling.compiler.sets import DOMAIN, interval_of
from etsopt.modelling.program.program import Objective, Program, refuse_to_maximise, unit_of
from etsopt.modelling.program.sparse_rows import from_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.modelling.program.sparse_rows import SparseRows


NOTHING = "_nothing"
"""Name of an expression that is zero, but not a number to Pyomo."""

READ = (
    *(pyo.Var, pyo.Constraint, pyo.Objective, pyo.Expression, pyo.Set, pyo.RangeSet, pyo.Param),
    *(pyo.Block, pyo.BuildAction, pyo.BuildCheck, pyo.Suffix),
)
"""Kinds of components that are read, that rows are read from, or that leave rows as they are."""


def build_program(model: pyo.AbstractModel, parameters: Mapping[str, Any]) -> Program:
    """Let Pyomo create the model on its data, and read every row of it.

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
        maximised.
    """
    check_names(model, parameters)
    # Pyomo has no callback between rows, and prints the errors that it raises among the results.
    with stopped_anywhere(_("rows by Pyomo")), quietly():
        return _read(_created(model, parameters))


class _KeepingNumbers:
    """A rule whose two limits around an empty sum stay a row: Pyomo would evaluate them, and refuse a false one."""

    def __init__(self, rule: Any) -> None:
        self._rule = rule

    def __call__(self, block: Any, index: Any) -> Any:
        row = self._rule(block, index)
        if not (isinstance(row, tuple) and len(row) == 3 and pyo.is_fixed(row[1])):
            return row
        if block.component(NOTHING) is None:
            block.add_component(NOTHING, pyo.Expression(expr=0.0))
        return row[0], row[1] + block.component(NOTHING), row[2]

    def constant(self) -> bool:
        """Return True if the rule is one expression for every index; Pyomo asks this."""
        return bool(self._rule.constant())

    def contains_indices(self) -> bool:
        """Return True if the rule brings its own indices; Pyomo asks this."""
        return bool(self._rule.contains_indices())

    def indices(self) -> Any:
        """Return these indices."""
        return self._rule.indices()


def written(model: Any) -> Iterator[Any]:
    """Yield the components of a model without its data; those of a block over a set come with the data alone."""
    for component in model.component_objects(descend_into=False):
        yield component
        if component.ctype is pyo.Block and not component.is_indexed():
            yield from written(component)


def _created(model: pyo.AbstractModel, parameters: Mapping[str, Any]) -> pyo.ConcreteModel:
    """Create the model on its data."""
    rules = [(one, one._rule) for one in written(model) if one.ctype is pyo.Constraint]
    try:
        for constraint, rule in rules:
            constraint._rule = _KeepingNumbers(rule)
        return model.create_instance(data={None: _pyomo_data(model, parameters)})
    except Exception as error:
        # Pyomo may convert the error at the deadline to another one.
        checkpoint()
        if mistake := mistake_in(error):
            raise RuleError(f"A rule of the model {model.name!r} fails: {mistake}", _("Correct the rule.")) from error
        # An assertion may fail without a message. The last line of Pyomo's message names the component.
        reason = " ".join(str(error).split()) or type(error).__name__
        what = _("The model {name!r} cannot be created on its data: {reason}", name=model.name, reason=reason)
        raise ModelError(what, _advice_on(parameters)) from error
    finally:
        # The model belongs to its author, and its next use needs the original rules.
        for constraint, rule in rules:
            constraint._rule = rule


def _advice_on(parameters: Mapping[str, Any]) -> str:
    """Return the remedy if Pyomo refuses the data; it names NaN among them, which Pyomo may report as False."""
    numbers = {name: np.asarray(value) for name, value in parameters.items() if not isinstance(value, Groups)}
    absent = [name for name, value in numbers.items() if value.dtype.kind == "f" and np.isnan(value).any()]
    if absent:
        text = _("Give a number for each index of {names}, in which `parameters` returns NaN.")
        return _(text, names=", ".join(absent))
    return _("Compare the shapes of the arrays of `parameters` with the sets of `formulate`.")


class Places(dict[int, int]):
    """Position of each variable among the columns, by its identity."""

    def of(self, variable: Any) -> int:
        """Return the position of a variable.

        Raises
        ------
        ModelError
            If it stands in a block that is switched off, and so in no column.
        """
        if id(variable) not in self:
            what = _("The variable {name} stands in a row and in a block that is switched off.", name=variable.name)
            raise ModelError(what, _("Switch off its rows too, or none of both."))
        return self[id(variable)]


def _read(instance: pyo.ConcreteModel) -> Program:
    """Read every row, column and objective of a model that Pyomo created."""
    for component in instance.component_objects(active=True):
        kind = "Reference" if component.is_reference() else component.ctype.__name__
        if component.ctype not in READ or kind == "Reference":
            what = _("{name} is a {kind}, of which no row is read.", name=component.name, kind=kind)
            raise ModelError(what, _("Write it as rows over sets."))
    columns, variables = _slices(instance, pyo.Var)
    position = Places((id(variable), number) for number, variable in enumerate(variables))
    rows, constraints = _slices(instance, pyo.Constraint)
    matrix, row_lower, row_upper = _read_rows(constraints, position)
    column_lower, column_upper = (
        # A variable that is fixed is a number in rows, and no other value may be stated of it.
        np.array([_number(one.value if one.fixed else getattr(one, side), sign) for one in variables])
        for side, sign in (("lower", -math.inf), ("upper", math.inf))
    )
    integer = np.array([_is_integer(one) and not one.fixed for one in variables], dtype=bool)
    objectives = {
        objective.name: _read_objective(objective, position)
        for objective in instance.component_data_objects(pyo.Objective, active=True)
    }
    return Program(matrix, row_lower, row_upper, column_lower, column_upper, integer, rows, columns, objectives)


def _pyomo_data(model: Any, parameters: Mapping[str, Any]) -> dict[str, dict[Any, Any]]:
    """Return the data of every component in Pyomo's form: by the members of its sets."""
    scratch = model.clone()
    for component in scratch.component_objects(pyo.Param, descend_into=False):
        if not component.is_indexed():
            component.domain = pyo.Any
            component.construct({None: parameters[component.local_name]})
    for component in scratch.component_objects(pyo.RangeSet, descend_into=False):
        component.construct()

    def members(part: Any) -> list[Any]:
        return _members(parameters[part.local_name]) if part.local_name in parameters else list(part)

    def indices(component: Any) -> list[Any]:
        factors = [members(part) for part in component.index_set().subsets()]
        return factors[0] if len(factors) == 1 else [_flat(index) for index in product(*factors)]

    data: dict[str, dict[Any, Any]] = {}
    for name, value in parameters.items():
        component = scratch.component(name)
        if not component.is_indexed():
            data[name] = {None: _members(value) if component.ctype is pyo.Set else _number_of_python(value)}
        elif isinstance(value, Groups):
            data[name] = {index: _members(value[group]) for group, index in enumerate(indices(component))}
        else:
            wanted = tuple(len(members(part)) for part in component.index_set().subsets())
            if np.shape(value) != wanted:
                raise ValueError(
                    _(
                        "{name} has the wrong shape: expected {wanted}, got {shape}",
                        name=name,
                        wanted=wanted,
                        shape=np.shape(value),
                    )
                )
            # Integers in place of bools, by which Pyomo does not multiply.
            array = np.asarray(value) if np.asarray(value).dtype != bool else np.asarray(value, dtype=int)
            data[name] = dict(zip(indices(component), array.reshape(-1).tolist(), strict=True))
    return data


def _number_of_python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) or (np.ndim(value) == 0 and hasattr(value, "item")) else value


def _members(value: Any) -> Any:
    if isinstance(value, int | np.integer):
        return range(int(value))
    listed = value.tolist()
    return [tuple(item) for item in listed] if value.ndim == 2 else listed


def _flat(index: Any) -> tuple[Any, ...]:
    return tuple(part for item in index for part in (item if isinstance(item, tuple) else (item,)))


def _slices(instance: Any, kind: Any) -> tuple[dict[str, slice], list[Any]]:
    """Number the data of every component of a kind, in order of declaration and index."""
    slices: dict[str, slice] = {}
    items: list[Any] = []
    for component in instance.component_objects(kind, active=True):
        start = len(items)
        # Of a constraint, single rows may be switched off.
        items += [one for one in component.values() if kind is pyo.Var or one.active]
        slices[component.name] = slice(start, len(items))
    return slices, items


def _is_integer(variable: Any) -> bool:
    """Return True if a variable takes the whole numbers between its bounds."""
    interval = interval_of(variable.domain)
    if interval is None:
        name = variable.domain.local_name
        what = _(
            "The variable {name} has the domain {domain}, which is not an interval.", name=variable.name, domain=name
        )
        raise ModelError(what, DOMAIN)
    return interval[2]


def _number(value: Any, absent: float) -> float:
    return absent if value is None else float(pyo.value(value))


def _read_rows(constraints: list[Any], position: Places) -> tuple[SparseRows, Any, Any]:
    rows, columns, values = [], [], []
    lower, upper = np.empty(len(constraints)), np.empty(len(constraints))
    for number, constraint in enumerate(constraints):
        form = generate_standard_repn(constraint.body, compute_values=True)
        if not form.is_linear():
            raise ModelError(
                _("The constraint {name} is not linear.", name=constraint.name), _("Write it with linear terms only.")
            )
        limits = _number(constraint.lower, -math.inf), _number(constraint.upper, math.inf)
        coefficients, (lower[number], upper[number]) = coefficients_and_limits(constraint.body, form, limits)
        columns += [position.of(variable) for variable in form.linear_vars]
        values += coefficients
        rows += [number] * len(form.linear_vars)
    shape = (len(constraints), len(position))
    entries = np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), np.array(values, dtype=float)
    return from_entries(*entries, shape), lower, upper


def _read_objective(objective: Any, position: Places) -> Objective:
    refuse_to_maximise(objective.name, objective.sense)
    form = generate_standard_repn(objective.expr, compute_values=True, quadratic=True)
    if form.nonlinear_expr is not None or any(one is not other for one, other in form.quadratic_vars):
        advice = _("Write it with linear terms, or squares of single variables.")
        raise ModelError(
            _("The objective {name} has terms that the solver does not support.", name=objective.name), advice
        )
    linear = np.zeros(len(position))
    for variable, coefficient in zip(form.linear_vars, form.linear_coefs, strict=True):
        linear[position.of(variable)] += coefficient
    quadratic = None
    if form.quadratic_vars:
        quadratic = np.zeros(len(position))
        for (variable, _same), coefficient in zip(form.quadratic_vars, form.quadratic_coefs, strict=True):
            quadratic[position.of(variable)] += coefficient
    quadratic = None if quadratic is None or not quadratic.any() else quadratic
    return Objective(linear, quadratic, form.constant, unit_of(objective.parent_component()))
