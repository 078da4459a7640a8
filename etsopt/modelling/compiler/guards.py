"""Guards of the components of a prepared model: while a rule runs they answer with placeholders, or refuse."""

from __future__ import annotations

import builtins
import gc
from functools import cache
from typing import Any, NoReturn

import pyomo.environ as pyo
from pyomo.core.expr import template_expr
from pyomo.core.expr.template_expr import GetItemExpression, TemplateSumExpression


class RefusedError(Exception):
    """A request of a rule to a set or a component that a template cannot answer; it becomes a CompileError."""


class MembersOf:
    """One group of a grouped set, over which a rule may sum; its index may be placeholders."""

    def __init__(self, component: Any, arguments: tuple[Any, ...], dimensions: int) -> None:
        self.component, self.arguments, self.dimen = component, arguments, dimensions

    def is_expression_type(self) -> bool:
        """Return False; Pyomo asks this of a set before it creates placeholders for its members."""
        return False

    def getname(self, *_: Any) -> str:
        """Return the name for messages."""
        return f"{self.component.local_name}[...]"

    def __iter__(self) -> Any:
        context = template_expr._TemplateIterManager.context
        if context is None:
            _refuse(f"loops over {self.component.local_name} outside of a rule")
        return context.get_iter(self)

    def __len__(self) -> int:
        _refuse(f"asks for the number of members of {self.component.local_name}")

    def __contains__(self, _: object) -> bool:
        _refuse(f"asks whether something is in {self.component.local_name}")


def _refuse(reason: str) -> NoReturn:
    raise RefusedError(reason)


class Guard:
    """A mixin of components: an index gives a placeholder, and any look at members is refused."""

    __slots__ = ()
    local_name: str
    ctype: Any
    dimensions = 1

    def __getitem__(self, index: Any) -> Any:
        if not self.is_indexed():  # type: ignore[attr-defined]
            if self.ctype is not pyo.Set and index is None:
                return self
            _refuse(f"takes a member of {self.local_name} by its position")
        arguments = _flat(index)
        if self.ctype is pyo.Set:
            return MembersOf(self, arguments, self.dimensions)
        return GetItemExpression((self, *arguments))

    def _looks(self, *_: Any, **__: Any) -> NoReturn:
        _refuse(f"looks at the members of {self.local_name}")

    def __len__(self) -> int:
        _refuse(f"asks for the number of members of {self.local_name}")

    def __contains__(self, _: object) -> bool:
        _refuse(f"asks whether something is in {self.local_name}")

    first = last = at = ord = next = prev = nextw = prevw = keys = values = items = _looks
    data = sorted_data = ordered_data = sorted_iter = ordered_iter = ranges = bounds = card = get = _looks
    value = value_list = get_interval = issubset = issuperset = isdisjoint = __reversed__ = _looks
    iterkeys = itervalues = iteritems = id_index_map = get_values = extract_values = extract_values_sparse = _looks
    sparse_keys = sparse_values = sparse_items = sparse_iterkeys = sparse_itervalues = sparse_iteritems = _looks


class GuardWithoutLoop(Guard):
    """A component over which a rule cannot loop: Pyomo creates placeholders for members of sets only."""

    __slots__ = ()

    def __iter__(self) -> Any:
        _refuse(f"loops over {self.local_name}, which is not a set")


@cache
def guarded(kind: Any, guard: Any) -> Any:
    """Return a subclass of a Pyomo class with the methods of a guard; a second base would change its layout."""
    methods: dict[str, Any] = {"__slots__": ()}
    for base in (Guard, guard):
        methods |= {name: value for name, value in vars(base).items() if callable(value) or name == "dimensions"}
    return type(f"Guarded{kind.__name__}", (kind,), methods)


def _flat(index: Any) -> tuple[Any, ...]:
    """Return the arguments of an index, with tuples flattened."""
    return tuple(part for item in index for part in _flat(item)) if isinstance(index, tuple) else (index,)


def with_checked_sums(rule: Any, block: Any, indices: Any) -> Any:
    """Call a rule, and check every sum that it computes.

    Pyomo asks a loop for its first item and takes it for a loop over all members, even if `zip`, `islice`, `chain` or a
    `map` over two iterables separates the loop from its sets.
    """
    pyomo_sum = builtins.sum

    def checked_sum(items: Any, /, start: Any = 0) -> Any:
        total = pyomo_sum(items)
        if isinstance(total, TemplateSumExpression) and not _loops_over_sets_alone(items, len(total.template_iters())):
            _refuse("loops over sets by way of zip, map, islice, chain or the like")
        return total if start.__class__ is int and start == 0 else start + total

    builtins.sum = checked_sum
    try:
        return rule(block, indices)
    finally:
        builtins.sum = pyomo_sum


def _loops_over_sets_alone(loop: Any, count: int) -> bool:
    """Return True if the iterators that a generator holds are all over sets, one per loop."""
    referents = gc.get_referents(loop)
    if isinstance(loop, map):
        # A map keeps its iterators in a tuple, and advances all of them at once.
        referents, count = gc.get_referents(*referents), 1
    iterators = {id(item): item for item in referents if hasattr(item, "__next__")}
    over_sets = [isinstance(item, template_expr._set_iterator_template_generator) for item in iterators.values()]
    return all(over_sets) and len(iterators) == count
