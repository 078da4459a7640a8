"""Grouped positions: the members of each group, as two arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Groups:
    """Groups of positions: group ``g`` has the members ``members[starts[g]:starts[g + 1]]``.

    Parameters
    ----------
    starts
        Shape ``(groups + 1,)``.
    members
        Positions, shape ``(starts[-1],)``; shape ``(starts[-1], d)`` if a member is a tuple of ``d`` positions.
    """

    starts: NDArray[np.int64]
    members: NDArray[np.int64]

    def __post_init__(self) -> None:
        # What is in the arrays is checked where the set that takes them is known.
        if not all(isinstance(one, np.ndarray) for one in (self.starts, self.members)):
            raise ValueError(_("Groups take two arrays of positions: make them by `Groups.from_labels`"))

    @classmethod
    def from_labels(cls, labels: NDArray[np.int64], count: int) -> Groups:
        """Group positions by their labels; a label outside ``0..count - 1`` is in no group.

        >>> Groups.from_labels(np.array([1, 0, 1, -1]), 2)[1]
        array([0, 2])
        """
        inside = np.where((labels >= 0) & (labels < count), labels, count)
        # Short integers are sorted in a few passes instead of by comparisons.
        order = np.argsort(inside.astype(np.min_scalar_type(count)), kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(inside, minlength=count + 1)[:count])])
        return cls(starts, order[: starts[-1]])

    def __getitem__(self, group: int) -> NDArray[np.int64]:
        return self.members[self.starts[group] : self.starts[group + 1]]

    def __len__(self) -> int:
        return len(self.starts) - 1
