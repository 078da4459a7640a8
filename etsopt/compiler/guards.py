"""What the components of a prepared model answer while a rule runs: placeholders, or a refusal."""

from __future__ import annotations

import builtins
import gc
from functools import cache
from typing import Any, NoReturn

import pyomo.environ as pyo
from pyomo.core.expr import template_expr
from pyomo.core.expr.template_expr import GetItemExpression, TemplateSumExpression


class RefusedError(Exception):
    """What a rule asks of a set or a component that a template has no answer for; it becomes a CompileError."""


class MembersOf:
    """One group of a grouped set, over which a rule may sum; its index may be placeholders."""

    def __init__(self, component: Any, arguments: tuple[Any, ...], dimensions: int) -> None:
        self.component, self.arguments, self.dimen = component, arguments, dimensions

    def is_expression_type(self) -> bool:
        """What Pyomo asks of a set before it makes placeholders for its members."""
        return False

    def getname(self, *_: Any) -> str:
        """Name for messages."""
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
    """Mixed into components: an index gives a placeholder, and what looks at stand-ins is refused."""

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
    """A component over which a rule cannot loop: Pyomo gives placeholders for members of sets only."""

    __slots__ = ()

    def __iter__(self) -> Any:
        _refuse(f"loops over {self.local_name}, which is no set")


@cache
def guarded(kind: Any, guard: Any) -> Any:
    """A class of Pyomo with the methods of a guard in front; as a second base they would change its layout."""
    methods: dict[str, Any] = {"__slots__": ()}
    for base in (Guard, guard):
        methods |= {name: value for name, value in vars(base).items() if callable(value) or name == "dimensions"}
    return type(f"Guarded{kind.__name__}", (kind,), methods)


def _flat(index: Any) -> tuple[Any, ...]:
    """The arguments of an index, with the parts of tuples in it one after the other."""
    return tuple(part for item in index for part in _flat(item)) if isinstance(index, tuple) else (index,)


def with_checked_sums(rule: Any, block: Any, indices: Any) -> Any:
    """Call a rule, and look through every sum that it makes.

    Pyomo asks a loop for its first item and takes it for a loop over all members, also where `zip`, `islice`, `chain`
    or a `map` over two things at once stands between the loop and its sets.
    """
    of_pyomo = builtins.sum

    def checked(items: Any, /, start: Any = 0) -> Any:
        found = of_pyomo(items)
        if isinstance(found, TemplateSumExpression) and not _loops_over_sets_alone(items, len(found.template_iters())):
            _refuse("loops over sets by way of zip, map, islice, chain or the like")
        return found if start.__class__ is int and start == 0 else start + found

    builtins.sum = checked
    try:
        return rule(block, indices)
    finally:
        builtins.sum = of_pyomo


def _loops_over_sets_alone(loop: Any, count: int) -> bool:
    """Whether all that a generator has asked for its next item are sets, as many as there are loops."""
    held = gc.get_referents(loop)
    if isinstance(loop, map):
        # It keeps what it goes through in a tuple, and goes through all of it at once.
        held, count = gc.get_referents(*held), 1
    iterators = {id(item): item for item in held if hasattr(item, "__next__")}
    over_sets = [isinstance(item, template_expr._set_iterator_template_generator) for item in iterators.values()]
    return all(over_sets) and len(iterators) == count
