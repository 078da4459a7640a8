"""Compile a model to a program: call every rule once, and evaluate it over all its indices in numpy.

The program equals that of the Pyomo build, and its cost hardly depends on Pyomo. No object represents a single row,
column or number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from etsopt.common.errors import ModelError
from etsopt.common.language import _
from etsopt.data.groups import Groups
from etsopt.modelling.compiler.components import Block, Body, Columns, Cost, Rows
from etsopt.modelling.compiler.evaluate import Evaluator
from etsopt.modelling.compiler.inputs import Inputs
from etsopt.modelling.compiler.templates import CompileError
from etsopt.modelling.program.program import Objectives, Program
from etsopt.modelling.program.sparse_rows import stacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def build_program(model: pyo.AbstractModel, parameters: Mapping[str, Any]) -> Program:
    """Compile a model on its data.

    Parameters
    ----------
    model
        The mathematics, as a model file's ``formulate`` returns it; it is not changed.
    parameters
        For a set, its size or its members; for a parameter, a number or an array over its sets; for a grouped set,
        `Groups`. By the name of the component.

    Raises
    ------
    CompileError
        If a component cannot be compiled, with reason and remedy.
    ModelError
        If a component has no data or data has no component, they do not fit, a row is not linear, or an objective is
        maximised.
    """
    return CompiledModel(model, parameters).program


@dataclass(frozen=True)
class Components:
    """Templates of the variables, constraints and objectives of a model."""

    columns: list[Columns]
    rows: list[Rows]
    costs: list[Cost]


class Templates:
    """A model whose rules are called once, for all the data that it is compiled on.

    Parameters
    ----------
    model
        As `build_program` takes it.
    """

    def __init__(self, model: pyo.AbstractModel) -> None:
        self.model = model
        self._inputs: Inputs | None = None

    def build_program(self, parameters: Mapping[str, Any]) -> Program:
        """Return the program of the model on data, with the errors of the function `build_program`."""
        return self.compile(parameters).program

    def compile(self, parameters: Mapping[str, Any]) -> CompiledModel:
        """Compile the model on data, to be updated later, with the errors of the function `build_program`."""
        inputs = self._inputs.with_data(parameters) if self._inputs is not None else None
        if inputs is None:
            compiled = CompiledModel(self.model, parameters)
            self._inputs, self._components = compiled.templates()
            return compiled
        return CompiledModel.of_templates(self.model, parameters, inputs, self._components)


class CompiledModel:
    """A compiled model that takes updates of its data.

    Attributes
    ----------
    program
        The program on the current data.

    Raises
    ------
    CompileError, ModelError
        As `build_program` does.
    """

    def __init__(self, model: pyo.AbstractModel, parameters: Mapping[str, Any]) -> None:
        self._model = model
        self._data = dict(parameters)
        self._call_rules()
        self.program = self._evaluated()

    def update(self, parameters: Mapping[str, Any], lazily: bool = False) -> Program:
        """Return the program on other data for some sets or parameters, and keep it.

        Only components that read a changed parameter are evaluated again. A changed set recompiles everything.

        Parameters
        ----------
        parameters
            New data by the name of the component. Arrays are not copied, and changes in place are not detected.
        lazily
            Evaluate an objective only once it is asked for; what is wrong with it is then found no sooner.

        Raises
        ------
        CompileError, ModelError
            As `build_program` does; the compiled model then stays unchanged.
        """
        changed = CompiledModel.__new__(CompiledModel)
        changed._model, changed._data = self._model, self._data | dict(parameters)
        if any(self._may_reshape(name) for name in parameters):
            changed._call_rules()
            changed.program = changed._evaluated()
        else:
            changed._inputs = self._inputs.with_parameters(parameters)
            changed._adopt(self)
            changed.program = changed._patched(self.program, set(parameters), lazily)
        self.__dict__ = changed.__dict__
        return self.program

    def renew(self, parameters: Mapping[str, Any]) -> Program | None:
        """Return the program on other data for everything; None, without any change, if a set differs.

        Parameters
        ----------
        parameters
            As `build_program` takes them, by the same names as before.

        Raises
        ------
        CompileError, ModelError
            As `build_program` does.
        """
        differing = {name: value for name, value in parameters.items() if not _is_same(value, self._data.get(name))}
        return None if any(self._may_reshape(name) for name in differing) else self.update(differing, lazily=True)

    def _call_rules(self) -> None:
        """Create the template of every component."""
        self._inputs = Inputs(self._model, self._data)
        prepared = self._inputs.model
        self._components = Components(
            [Columns(item) for item in prepared.component_objects(pyo.Var, active=True)],
            [Rows(item) for item in prepared.component_objects(pyo.Constraint, active=True)],
            [Cost(item) for item in prepared.component_objects(pyo.Objective, active=True)],
        )
        for columns in self._components.columns:
            self._inputs.number_columns(columns.variable)
        self._reads: dict[str, set[str]] = {}
        self._bodies: dict[str, Body] = {}

    @classmethod
    def of_templates(
        cls, model: pyo.AbstractModel, parameters: Mapping[str, Any], inputs: Inputs, components: Components
    ) -> CompiledModel:
        """Compile a model from its templates, without calling a rule again."""
        compiled = cls.__new__(cls)
        compiled._model, compiled._data, compiled._inputs = model, dict(parameters), inputs
        compiled._reads, compiled._bodies = {}, {}
        compiled._components = components
        for columns in components.columns:
            inputs.number_columns(columns.variable)
        compiled.program = compiled._evaluated(lazily=True)
        return compiled

    def templates(self) -> tuple[Inputs, Components]:
        """Return the templates of all rules, without the data."""
        return self._inputs.without_data(), self._components

    def _adopt(self, other: CompiledModel) -> None:
        """Adopt the templates of another compiled model with the same mathematics."""
        self._components, self._reads, self._bodies = other._components, dict(other._reads), dict(other._bodies)

    def _evaluate(self, part: Any, *, body: Body | None = None) -> Any:
        """Evaluate a component, rows with the body that they have, and record which parameters it read."""
        evaluator = Evaluator(self._inputs)
        # A division by zero gives a number that is not finite; the check before the solver names its row.
        with np.errstate(all="ignore"):
            try:
                evaluated = part.evaluated(evaluator) if body is None else part.evaluated(evaluator, body)
            except ModelError:
                raise
            except Exception as error:
                reason = _(
                    "it cannot be evaluated ({name}: {error})", name=type(error).__name__, error=str(error)[:200]
                )
                raise CompileError(part.title, reason, _("Write it in another form.")) from error
        self._reads[part.title] = evaluator.reads
        return evaluated

    def _rows(self, part: Rows, changed: set[str]) -> Block:
        """Evaluate rows, and of them the limits alone if no parameter of their body changed."""
        known = self._bodies.get(part.title)
        block: Block = self._evaluate(part, body=None if known is None or known.reads & changed else known)
        self._bodies[part.title] = block.body
        self._reads[part.title] |= block.body.reads
        return block

    def _evaluated(self, lazily: bool = False) -> Program:
        """Evaluate every component, objectives as `update` does."""
        bounds = [self._evaluate(part) for part in self._components.columns]
        rows = [self._rows(part, set()) for part in self._components.rows]
        ends = np.cumsum([0, *(len(block.lower) for block in rows)]).tolist()
        count = self._inputs.column_count
        return Program(
            stacked([block.body.matrix for block in rows], count),
            _joined([block.lower for block in rows]),
            _joined([block.upper for block in rows]),
            _joined([block.lower for block in bounds]),
            _joined([block.upper for block in bounds]),
            _joined([block.integer for block in bounds]).astype(bool),
            {part.name: slice(*ends[number : number + 2]) for number, part in enumerate(self._components.rows)},
            dict(self._inputs.columns),
            self._costs(Objectives({}), self._components.costs, lazily),
        )

    def _costs(self, objectives: Objectives, costs: Iterable[Cost], lazily: bool) -> Objectives:
        """Evaluate some objectives, or lazily once they are asked for: a solve needs some of them only."""
        for cost in costs:
            if lazily:
                objectives.find_later(cost.name, partial(self._evaluate, cost))
            else:
                objectives[cost.name] = self._evaluate(cost)
        return objectives

    def _patched(self, old: Program, changed: set[str], lazily: bool) -> Program:
        """Evaluate the components that read a changed parameter, and keep the rest of a program."""
        objectives = Objectives(old.objectives)
        new = replace(
            old,
            row_lower=old.row_lower.copy(),
            row_upper=old.row_upper.copy(),
            column_lower=old.column_lower.copy(),
            column_upper=old.column_upper.copy(),
            objectives=objectives,
        )
        for columns in self._components.columns:
            if self._reads[columns.title] & changed:
                place, bounds = old.columns[columns.name], self._evaluate(columns)
                new.column_lower[place], new.column_upper[place] = bounds.lower, bounds.upper
        matrices = {}
        for rows in self._components.rows:
            if self._reads[rows.title] & changed:
                place, body, block = old.rows[rows.name], self._bodies[rows.title], self._rows(rows, changed)
                new.row_lower[place], new.row_upper[place] = block.lower, block.upper
                if block.body is not body:
                    matrices[rows.name] = block.body.matrix
        # An objective that nobody has asked for has read nothing, and is still to be found.
        costs = [part for part in self._components.costs if self._reads.get(part.title, changed) & changed]
        self._costs(objectives, costs, lazily)
        if all(matrix.equals(old.matrix.part(old.rows[name])) for name, matrix in matrices.items()):
            return new
        parts = [matrices.get(name) or old.matrix.part(place) for name, place in old.rows.items()]
        return replace(new, matrix=stacked(parts, old.matrix.columns))

    def _may_reshape(self, name: str) -> bool:
        """Return True if other data of a component may change the rows and columns, or if it takes no data."""
        component = self._model.component(name)
        if component is None or component.ctype is not pyo.Param:
            return True
        return not component.is_indexed() and any(True for _ in self._model.component_objects(pyo.RangeSet))


def _is_same(one: Any, other: Any) -> bool:
    """Return True if two data of a component are equal."""
    if isinstance(one, Groups) and isinstance(other, Groups):
        return np.array_equal(one.starts, other.starts) and np.array_equal(one.members, other.members)
    return one is other or np.array_equal(one, other)


def _joined(parts: list[Any]) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0)
