"""Lookups of indexed components at arrays of indices: parameters, column numbers, groups."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import Expr_ifExpression
from pyomo.core.expr.numvalue import native_numeric_types
from pyomo.core.expr.template_expr import GetItemExpression, IndexTemplate, TemplateSumExpression

from etsopt.common.language import _
from etsopt.modelling.compiler.mistakes import RuleError
from etsopt.modelling.compiler.spaces import AxisIndex, Space, ValueIndex, all_aligned, plus, times
from etsopt.modelling.compiler.templates import CompileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from etsopt.modelling.compiler.inputs import Inputs
    from etsopt.modelling.compiler.sets import IndexSet


class Lookups:
    """Lookup of data by the arguments of a template; records which parameters were read.

    Parameters
    ----------
    inputs
        The data of the model.
    """

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.title = ""
        self.reads: set[str] = set()

    def parameter(self, component: Any) -> NDArray[Any]:
        """Return the data of a parameter."""
        self.reads.add(component.local_name)
        return self.inputs.parameters[component.local_name]

    def index(self, placeholder: Any, space: Space) -> Any:
        """Return the values of an index."""
        try:
            return space.value(placeholder)
        except LookupError:
            reason = _("its rule sums over a set and over plain numbers in one loop")
            raise self.not_compilable(reason, _("Let both loops run over sets of the model.")) from None

    def lookup(
        self,
        component: Any,
        data: NDArray[Any],
        arguments: Any,
        space: Space,
        number: Callable[[Any, Space], Any],
    ) -> Any:
        """Return the items of an indexed component at its arguments.

        Arguments that follow the axes in order give a view instead of a copy.

        Parameters
        ----------
        data
            One item for each index in row-major order.
        number
            Evaluates an argument.
        """
        sets = self.inputs.index_of(component)
        parts = self._by_set(component, sets, arguments)
        places = [
            _same_axis(members, part, space) or self._find(component, members, part, space, number)
            for members, part in zip(sets, parts, strict=True)
        ]
        lengths = [members.size for members in sets]
        axes = [place.axis for place in places if isinstance(place, AxisIndex)]
        if len(axes) == len(places) and axes == sorted(set(axes)):
            return _view(data.reshape(lengths), axes, space)
        position: Any = 0
        for place, length in zip(places, lengths, strict=True):
            position = plus(times(position, length), place.position() if isinstance(place, AxisIndex) else place)
        return data.reshape(-1)[position]

    def check_index(self, component: Any, arguments: Any, space: Space, number: Callable[[Any, Space], Any]) -> None:
        """Check that an indexed component has the indices of its arguments."""
        sets = self.inputs.index_of(component)
        for members, part in zip(sets, self._by_set(component, sets, arguments), strict=True):
            if _same_axis(members, part, space) is None:
                self._find(component, members, part, space, number)

    def _by_set(self, component: Any, sets: tuple[IndexSet, ...], arguments: Any) -> list[Any]:
        """Return the arguments of each index set."""
        if len(arguments) != (wanted := sum(members.dimensions for members in sets)):
            what = _(
                "{title} has the wrong number of indices for {local_name}: expected {wanted}, got {given}.",
                title=self.title,
                local_name=component.local_name,
                wanted=wanted,
                given=len(arguments),
            )
            raise RuleError(what, _("Give one for each of its sets."))
        parts, first = [], 0
        for members in sets:
            parts.append(arguments[first : first + members.dimensions])
            first += members.dimensions
        return parts

    def _find(
        self, component: Any, members: IndexSet, part: Any, space: Space, number: Callable[[Any, Space], Any]
    ) -> Any:
        values = [self._integers(number(item, space), component) for item in part]
        try:
            return members.find(all_aligned(values))
        except KeyError as error:
            reason = _(
                "its rule looks up {local_name}, and {cause}", local_name=component.local_name, cause=error.args[0]
            )
            raise self.not_compilable(reason, _("Correct the array that gives the index.")) from None

    def _integers(self, value: Any, component: Any) -> Any:
        array = np.asarray(value)
        if array.dtype.kind in "iu":
            return value
        if array.dtype.kind != "f" or not np.array_equal(array, np.rint(array)):
            reason = _("its rule looks up {local_name} at a fractional index", local_name=component.local_name)
            raise self.not_compilable(reason, _("An index is a position; give it as whole numbers."))
        return array.astype(np.int64)

    def not_compilable(self, reason: str, way_round: str, by_pyomo: bool = True) -> CompileError:
        """Return the error of the component that is being evaluated."""
        return CompileError(self.title, reason, way_round, by_pyomo)


def _bound(argument: Any, space: Space) -> AxisIndex | ValueIndex | None:
    """Return the binding of an argument in the space itself, if it is a bare index."""
    return space.bound.get(id(argument)) if isinstance(argument, IndexTemplate) else None


def _same_axis(members: IndexSet, part: Any, space: Space) -> AxisIndex | None:
    """Return the axis that indices follow in order, if it runs over members of that set from its beginning."""
    bound = [_bound(item, space) for item in part]
    first = bound[0]
    if not isinstance(first, AxisIndex):
        return None
    same = first.members is members
    counted = first.members.members is None and members.members is None and first.members.size <= members.size
    in_order = all(
        isinstance(item, AxisIndex) and item.axis == first.axis and item.column == column
        for column, item in enumerate(bound)
    )
    return first if (same or counted) and in_order else None


def _view(data: NDArray[Any], axes: list[int], space: Space) -> Any:
    """Return the data along axes of the space, with one dimension for each axis up to the last of them."""
    if not axes:
        return data[()]
    shape = [1] * (axes[-1] + 1)
    for axis in axes:
        shape[axis] = space.shape[axis]
    return data[tuple(slice(0, space.shape[axis]) for axis in axes)].reshape(shape)


def is_distinct(arguments: Any, space: Space) -> bool:
    """Return True if the arguments name every summed axis, so that no two elements of a row share them."""
    bound = [_bound(item, space) for item in arguments]
    along = {(item.axis, item.column): item.members for item in bound if isinstance(item, AxisIndex)}
    named = Counter(axis for axis, _ in along)
    followed = {axis for (axis, _), members in along.items() if named[axis] == members.dimensions}
    summed = range(1 if space.rows is not None else space.row_axes, len(space.shape))
    members = {id(item): item.distinct for item in bound if isinstance(item, ValueIndex) and item.distinct}
    in_group = space.rows is None or len(members) in members.values()
    return in_group and all(axis in followed or space.shape[axis] == 1 for axis in summed)


def is_expression(node: Any) -> bool:
    """Return True if a rule's result is a number or an expression."""
    return node.__class__ in native_numeric_types or hasattr(node, "is_potentially_variable")


def is_number(node: Any) -> bool:
    """Return True if an expression has no variables."""
    if not hasattr(node, "is_expression_type"):
        return True
    if not node.is_expression_type():
        return not node.is_potentially_variable()
    # Named expressions and cases count as variable, so that a row has the same sides as in the Pyomo build.
    if node.is_named_expression_type() or isinstance(node, Expr_ifExpression):
        return False
    if isinstance(node, GetItemExpression) and node.arg(0).ctype is not pyo.Param:
        return False
    # Pyomo itself is no guide: it takes all sums over sets for numbers, or none, as it took the first one.
    parts = node._local_args_ if isinstance(node, TemplateSumExpression) else node.args
    return all(is_number(part) for part in parts[isinstance(node, GetItemExpression) :])
