"""Index sets as arrays: their members, the position of each, and the groups that they form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import ModelError
from etsopt.common.language import _
from etsopt.data.groups import Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEMBERS = _("Give a set by its size or an array of whole numbers: one dimension, or one row for each tuple.")

DOMAIN = _("Take one of Pyomo's own, such as NonNegativeReals, Integers or Binary, and give bounds.")


def interval_of(domain: Any) -> tuple[Any, Any, bool] | None:
    """Return both ends of a domain, None for none, and True if it has whole numbers only; None if it has other gaps."""
    if domain.isdiscrete() and domain.isfinite() and not len(domain):
        return None
    least, most, step = domain.get_interval()
    whole = all(end is None or end == round(end) for end in (least, most))
    return (least, most, step == 1) if step == 0 or (step == 1 and whole) else None


@dataclass(frozen=True)
class IndexSet:
    """The members of a set in their order.

    Parameters
    ----------
    name
        Of the set, for messages.
    size
        Number of members.
    members
        Shape ``(size, dimensions)``; None where they are ``0..size - 1``, which costs no array.
    """

    name: str
    size: int
    members: NDArray[np.int64] | None = None

    @classmethod
    def from_data(cls, name: str, value: Any) -> IndexSet:
        """Return a set from its size or its members, shape ``(size,)`` or ``(size, dimensions)``.

        Raises
        ------
        ModelError
            If the value is neither, or has a member twice.
        """
        if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 0:
            return cls(name, int(value))
        array = np.asarray(None if isinstance(value, Groups) else value)
        if array.size == 0 and array.ndim <= 1:
            return cls(name, 0)
        if array.ndim not in (1, 2) or array.dtype.kind not in "iu":
            raise ModelError(
                _("The set {name} has wrong data: expected a size or members, got {value!r}.", name=name, value=value),
                MEMBERS,
            )
        if array.ndim == 1 and np.array_equal(array, np.arange(len(array))):
            return cls(name, len(array))
        listed = cls(name, len(array), (array if array.ndim == 2 else array[:, np.newaxis]).astype(np.int64))
        if (np.diff(listed._order_and_codes[1]) == 0).any():
            raise ModelError(_("The set {name} has a member twice.", name=name), _("Give every member once."))
        return listed

    @property
    def dimensions(self) -> int:
        """Number of indices of a member."""
        return 1 if self.members is None else self.members.shape[1]

    def column(self, number: int) -> NDArray[np.int64]:
        """Return one index of every member, shape ``(size,)``."""
        return np.arange(self.size) if self.members is None else self.members[:, number]

    def find(self, values: list[Any]) -> Any:
        """Return the positions of members, given by arrays or numbers, one for each dimension.

        Raises
        ------
        KeyError
            With the first index that is not a member.
        """
        if self.members is None:
            (named,) = values
            inside = np.all((np.asarray(named) >= 0) & (np.asarray(named) < self.size))
            if not inside:
                self._refuse(values, (np.asarray(named) < 0) | (np.asarray(named) >= self.size))
            return named
        order, codes = self._order_and_codes
        if not len(order):
            shape = np.broadcast_shapes(*(np.shape(value) for value in values))
            if np.prod(shape):
                self._refuse(values, np.True_)
            return np.zeros(shape, dtype=np.int64)
        wanted, outside = self._encode(values)
        place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        wrong = outside | (codes[place] != wanted)
        if np.any(wrong):
            self._refuse(values, wrong)
        return order[place]

    @cached_property
    def _order_and_codes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions in the order of their codes, and the codes in that order."""
        assert self.members is not None
        codes = self._encode(list(self.members.T))[0]
        order = np.argsort(codes, kind="stable")
        return order, codes[order]

    def _encode(self, values: list[Any]) -> tuple[Any, Any]:
        """Return a code for each tuple, in the mixed base of the largest members, and True if it is out of range."""
        assert self.members is not None
        least, most = self.members.min(axis=0, initial=0), self.members.max(axis=0, initial=0)
        code, outside = np.zeros(1, dtype=np.int64)[0], np.False_
        for value, low, high in zip(values, least, most, strict=True):
            outside = outside | (np.asarray(value) < low) | (np.asarray(value) > high)
            code = code * (high - low + 1) + (np.asarray(value) - low)
        return code, outside

    def _refuse(self, values: list[Any], wrong: Any) -> None:
        full = np.broadcast_arrays(*(np.asarray(value) for value in values), np.asarray(wrong))
        first = int(np.flatnonzero(full[-1].ravel())[0])
        name = ", ".join(str(part.ravel()[first]) for part in full[:-1])
        raise KeyError(f"the index {name} is not in {self.name}")


@dataclass(frozen=True)
class GroupedSet:
    """Groups of members, by the position of the group in the product of its index sets.

    Parameters
    ----------
    name
        Of the set, for messages.
    index
        Sets that index it.
    groups
        One group for each index, in row-major order.
    """

    name: str
    index: tuple[IndexSet, ...]
    groups: Groups

    @classmethod
    def from_data(cls, name: str, index: tuple[IndexSet, ...], value: Any) -> GroupedSet:
        """Return a grouped set from `Groups`.

        Raises
        ------
        ModelError
            If the value is not valid `Groups`, or their number differs from that of the index.
        """
        wanted = int(np.prod([part.size for part in index]))
        if not isinstance(value, Groups):
            what = _(
                "The grouped set {name} has the wrong type: expected Groups, got {kind}.",
                name=name,
                kind=type(value).__name__,
            )
            raise ModelError(what, _("Give `Groups`."))
        if len(value) != wanted:
            what = _(
                "The grouped set {name} has the wrong number of groups: expected {wanted}, got {count}.",
                name=name,
                wanted=wanted,
                count=len(value),
            )
            raise ModelError(what, _("Give one group for each index, an empty one if it has no members."))
        starts, members = np.asarray(value.starts), np.asarray(value.members)
        whole = (
            starts.dtype.kind in "iu" and (members.dtype.kind in "iu" or not members.size) and members.ndim in (1, 2)
        )
        if not whole or starts[0] != 0 or starts[-1] != len(members) or (np.diff(starts) < 0).any():
            what = _("The grouped set {name} has groups whose starts do not divide its members.", name=name)
            raise ModelError(
                what, _("Let starts grow from 0 to the number of members, and give members as whole numbers.")
            )
        grouped = cls(name, index, Groups(starts.astype(np.int64), members.astype(np.int64)))
        if not grouped.is_partition and grouped._has_a_member_twice():
            raise ModelError(
                _("The grouped set {name} has a member twice in a group.", name=name), _("Give every member once.")
            )
        return grouped

    def _has_a_member_twice(self) -> bool:
        """Return True if some group has the same member twice."""
        group = np.repeat(np.arange(len(self.groups)), np.diff(self.groups.starts))
        named = np.column_stack([group, self.groups.members])
        return len(np.unique(named, axis=0)) != len(named)

    @property
    def dimensions(self) -> int:
        """Number of indices of a member."""
        return 1 if self.groups.members.ndim == 1 else self.groups.members.shape[1]

    @cached_property
    def is_partition(self) -> bool:
        """True if no member is in two groups, or twice in one: then no sum over a group meets a variable twice."""
        members = self.groups.members
        if members.ndim == 1:
            return not len(members) or (int(members.min()) >= 0 and int(np.bincount(members).max()) <= 1)
        return len(np.unique(members, axis=0)) == len(members)


def shaped(component: Any, value: Any) -> Any:
    """Return the data of a set as members of its declared dimension; no members at all have any dimension."""
    wanted = component._init_dimen.constant() and component._init_dimen(None, None)
    members = value.members if isinstance(value, Groups) else value
    if not isinstance(wanted, int) or isinstance(wanted, bool) or np.ndim(members) > 2:
        return value
    if np.size(members) == 0 and np.ndim(members) == 1 and wanted > 1:
        members = np.zeros((0, wanted), dtype=np.int64)
        return Groups(value.starts, members) if isinstance(value, Groups) else members
    given = np.shape(members)[1] if np.ndim(members) == 2 else 1
    if given != wanted:
        what = _(
            "The set {local_name} has members of the wrong dimension: expected {wanted}, got {given}.",
            local_name=component.local_name,
            wanted=wanted,
            given=given,
        )
        raise ModelError(what, MEMBERS)
    return value


def dimensions_of(value: Any) -> int:
    """Return the number of indices of a member of a set that has these data."""
    array = value.members if isinstance(value, Groups) else np.asarray(value)
    return int(array.shape[1]) if array.ndim == 2 else 1
