"""The data of a model as arrays, checked against the sets and domains that the model declares."""

from __future__ import annotations

from copy import copy
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.base.set import IndexedSet, OrderedScalarSet, SetOperator, SetProduct, SortedScalarSet

from etsopt.common.errors import ModelError
from etsopt.common.language import _
from etsopt.modelling.compiler.sets import MEMBERS, GroupedSet, IndexSet, dimensions_of, shaped
from etsopt.modelling.compiler.templates import CompileError, Template, needs_data, prepare, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def check_names(model: Any, parameters: Mapping[str, Any]) -> None:
    """Check that every set and parameter that takes data has one entry.

    Raises
    ------
    ModelError
        If an entry is missing or unknown.
    """
    if not isinstance(model, pyo.AbstractModel):
        what = _(
            "The function formulate returned a wrong type: expected an AbstractModel, got {name}.",
            name=type(model).__name__,
        )
        raise ModelError(what, _("Return the mathematics without data; `parameters` returns the data."))
    wanted = {
        component.local_name for component in model.component_objects(descend_into=False) if needs_data(component)
    }
    missing, unknown = sorted(wanted - set(parameters)), sorted(set(parameters) - wanted)
    if missing or unknown:
        parts = [f"no data for {', '.join(missing)}"] if missing else []
        parts += [f"data for {', '.join(unknown)}, which it does not declare"] if unknown else []
        advice = _("Make `parameters` return one entry for each Set and Param of `formulate`.")
        raise ModelError(_("The model {name!r} has {names}.", name=model.name, names=" and ".join(parts)), advice)


class Inputs:
    """Sets and parameters of a model as arrays, and its components prepared for templates.

    Parameters
    ----------
    model
        The mathematics, as a model file's ``formulate`` returns it; it is not changed.
    data
        For a set, its size or its members; for a parameter, a number or an array over its sets; for a grouped set,
        `Groups`. By the name of the component.

    Raises
    ------
    ModelError
        If data do not fit what the model declares.
    CompileError
        If a component of the model cannot be compiled.
    """

    def __init__(self, model: Any, data: Mapping[str, Any]) -> None:
        check_names(model, data)
        self._sources: list[Any] = []
        self._expressions: dict[str, Template] = {}
        for component in _sets(model):
            _check_that_data_are_its_members(component)
        data = {**data, **{item.local_name: shaped(item, data[item.local_name]) for item in _sets(model)}}
        scalars = {name: _scalar(name, data[name]) for name in _scalar_names(model)}
        self._dimensions = {name: dimensions_of(value) for name, value in data.items()}
        self.model = prepare(model, scalars, self._dimensions)
        self._take(data)

    def _take(self, data: Mapping[str, Any]) -> None:
        """Read sets first, and then the parameters over them."""
        self._known: dict[int, tuple[IndexSet, ...]] = {}
        self.grouped: dict[str, GroupedSet] = {}
        self.parameters: dict[str, NDArray[Any]] = {}
        self.columns: dict[str, slice] = {}
        sets = _sets(self.model)
        for component in sets:
            if not component.is_indexed():
                members = IndexSet.from_data(component.local_name, data[component.local_name])
                self._known[id(component)] = (members,)
        for component in sets:
            self._check_set(component, data[component.local_name])
        for component in self.model.component_objects(pyo.Param):
            self.parameters[component.local_name] = self.checked_data(component, data[component.local_name])

    def with_data(self, data: Mapping[str, Any]) -> Inputs | None:
        """Return the same templates on other data for everything; None if the templates may differ.

        A range may depend on a number, and a set on how many indices name its members.

        Raises
        ------
        ModelError
            As for the first data.
        """
        check_names(self.model, data)
        data = {**data, **{item.local_name: shaped(item, data[item.local_name]) for item in _sets(self.model)}}
        ranges = any(True for _ in self.model.component_objects(pyo.RangeSet))
        if ranges or {name: dimensions_of(value) for name, value in data.items()} != self._dimensions:
            return None
        for name in _scalar_names(self.model):
            _scalar(name, data[name])
        other = copy(self)
        other._take(data)
        return other

    def without_data(self) -> Inputs:
        """Return the same templates without data."""
        other = copy(self)
        other._known, other.grouped, other.parameters, other.columns = {}, {}, {}, {}
        return other

    def sets_of(self, source: Any) -> tuple[IndexSet, ...]:
        """Return the sets whose product a set of Pyomo is."""
        if id(source) not in self._known:
            # Kept alive, or another set could reuse its identity.
            self._sources.append(source)
            self._known[id(source)] = self._derived(source)
        return self._known[id(source)]

    def index_of(self, component: Any) -> tuple[IndexSet, ...]:
        """Return the sets whose product indexes a component."""
        return self.sets_of(component.index_set()) if component.is_indexed() else ()

    def _derived(self, source: Any) -> tuple[IndexSet, ...]:
        if isinstance(source, SetProduct):
            return tuple(part for factor in source.subsets(False) for part in self.sets_of(factor))
        name = getattr(source, "local_name", "") or str(source)
        try:
            members = np.array([item if isinstance(item, tuple) else (item,) for item in source])
        except Exception as error:
            raise CompileError(f"The set {name}", f"its members are not known ({error})", MEMBERS) from error
        if members.size and members.dtype.kind not in "iu":
            raise CompileError(f"The set {name}", _("its members are not whole numbers"), MEMBERS)
        return (IndexSet.from_data(name, members if members.ndim == 2 and members.shape[1] > 1 else members.ravel()),)

    @property
    def column_count(self) -> int:
        """Number of columns of all variables."""
        return max((place.stop for place in self.columns.values()), default=0)

    def number_columns(self, variable: Any) -> None:
        """Assign the next columns to a variable, one for each index."""
        sets = self.index_of(variable)
        first = self.column_count
        self.columns[variable.local_name] = slice(first, first + prod(part.size for part in sets))

    def with_parameters(self, data: Mapping[str, Any]) -> Inputs:
        """Return the inputs with other data for some parameters; sets and templates are shared."""
        other = copy(self)
        other.parameters = dict(self.parameters)
        for name, value in data.items():
            other.parameters[name] = self.checked_data(self.model.component(name), value)
        return other

    def expression(self, component: Any) -> Template:
        """Return the template of a named expression; its rule is called once."""
        name = component.local_name
        if name not in self._expressions:
            self._expressions[name] = template_of(self.model.component(name))
        return self._expressions[name]

    def _check_set(self, component: Any, value: Any) -> None:
        """Check members against the set that they are declared to be within."""
        name = component.local_name
        if component.is_indexed():
            index = self.index_of(component)
            self.grouped[name] = GroupedSet.from_data(name, index, value)
            members = self.grouped[name].groups.members
        else:
            (listed,) = self.sets_of(component)
            members = np.arange(listed.size) if listed.members is None else listed.members
        within = component.declared_within(self.model, None, component)
        columns = [members] if members.ndim == 1 else list(members.T)
        self._check_within(f"The set {name}", within, columns)

    def _is_of_model(self, source: Any) -> bool:
        """Return True if the members of a set are data; Pyomo's own sets of numbers list none."""
        return id(source) in self._known or isinstance(source, SetProduct)

    def _check_within(self, title: str, within: Any, columns: list[NDArray[np.int64]]) -> None:
        """Check members, one array for each of their indices, against the set that they are declared to be within."""
        if not self._is_of_model(within):
            if not all(self._is_inside(title, within, column) for column in columns):
                raise ModelError(
                    _("{title} has a member outside of {local_name}.", title=title, local_name=within.local_name),
                    WITHIN,
                )
            return
        if len(columns) != (wanted := sum(part.dimensions for part in self.sets_of(within))):
            what = _(
                "{title} has members of the wrong dimension: expected {wanted}, as in its superset",
                title=title,
                wanted=wanted,
            )
            raise ModelError(_("{what}, got {count}.", what=what, count=len(columns)), WITHIN)
        first = 0
        for part in self.sets_of(within):
            last = first + part.dimensions
            try:
                part.find([_positions(column) for column in columns[first:last]])
            except KeyError as error:
                what = _(
                    "{title} is declared to be within {name}, and {cause}.",
                    title=title,
                    name=part.name,
                    cause=error.args[0],
                )
                raise ModelError(what, WITHIN) from None
            first = last

    def _is_inside(self, title: str, domain: Any, array: NDArray[Any]) -> bool:
        try:
            return _inside(domain, array)
        except Exception as error:
            raise CompileError(title, f"the set {domain} that it is within is not known", MEMBERS) from error

    def checked_data(self, component: Any, value: Any) -> NDArray[Any]:
        """Return the data of a parameter, checked against its sets and its domain.

        Raises
        ------
        ModelError
            If they do not fit.
        """
        name = component.local_name
        if not component.is_indexed():
            array = np.asarray(_scalar(name, value))
        else:
            array = np.asarray(value)
            shape = tuple(part.size for part in self.index_of(component))
            if array.shape != shape:
                what = _(
                    "The parameter {name} has the wrong shape: expected {shape}, got {given}.",
                    name=name,
                    shape=shape,
                    given=array.shape,
                )
                raise ModelError(what, _("Give one number for each index."))
            if array.dtype.kind not in "iufb":
                what = _(
                    "The parameter {name} has the wrong type: expected numbers, got {dtype}.",
                    name=name,
                    dtype=array.dtype,
                )
                raise ModelError(what, _("Give numbers."))
        # Small number types would overflow or round; those of Python do not.
        array = array.astype(
            np.float64 if array.dtype.kind == "f" or array.dtype == np.uint64 else np.int64, copy=False
        )
        if component._validate is not None:
            raise CompileError(f"The parameter {name}", _("it has a validation"), _("Check the data in `parameters`."))
        domain = component.domain
        if self._is_of_model(domain):
            self._check_within(f"The parameter {name}", domain, [array.reshape(-1)])
        elif not self._is_inside(f"The parameter {name}", domain, array):
            raise ModelError(
                _("The parameter {name} has a value outside of {local_name}.", name=name, local_name=domain.local_name),
                WITHIN,
            )
        return array


WITHIN = _("Correct the data, or what the model declares.")


def _inside(domain: Any, array: NDArray[Any]) -> bool:
    """Return True if all values are in a set of numbers."""
    # NaN is left to the check before the solver, which names the row.
    values = array[~np.isnan(array)]
    if domain.local_name == "Any" or not values.size:
        return True
    interval = None if isinstance(domain, SetOperator) else domain.get_interval()
    if interval is None or interval[2] not in (0, 1):
        return all(value in domain for value in np.unique(values).tolist())
    ends = values.min().item(), values.max().item()
    return all(end in domain for end in ends) and not (interval[2] and not np.array_equal(values, np.rint(values)))


def _scalar_names(model: Any) -> list[str]:
    return [item.local_name for item in model.component_objects(pyo.Param, descend_into=False) if not item.is_indexed()]


def _scalar(name: str, value: Any) -> Any:
    if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "iufb":
        raise ModelError(
            _("The parameter {name} has a wrong value: expected one number, got {value!r}.", name=name, value=value),
            _("Give one number."),
        )
    return np.asarray(value).item()


def _sets(model: Any) -> list[Any]:
    return [component for component in model.component_objects(pyo.Set, descend_into=False) if needs_data(component)]


def _check_that_data_are_its_members(component: Any) -> None:
    title = f"The set {component.local_name}"
    if not isinstance(component, OrderedScalarSet | IndexedSet) or isinstance(component, SortedScalarSet):
        raise CompileError(title, _("it is sorted or has no order"), _("Keep the order of the data."))
    if component._filter is not None or component._validate is not None:
        raise CompileError(title, _("it has a filter or a validation"), _("Give the members alone."))


def _positions(array: NDArray[Any]) -> NDArray[np.int64]:
    if array.dtype.kind == "f" and not np.array_equal(array, np.rint(array)):
        first = array[array != np.rint(array)][0]
        raise KeyError(f"the index {first} is not in a set of whole numbers")
    return array.astype(np.int64)
