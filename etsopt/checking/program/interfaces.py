"""What the checker is given of a program: arrays as they are, whoever made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from etsopt.checking.arrays import Floats, Ints, Mask


class Matrix(Protocol):
    """Sparse rows: row ``r`` has ``data[indptr[r]:indptr[r + 1]]`` in the columns ``indices[...]``."""

    @property
    def data(self) -> Floats:
        """Coefficients."""

    @property
    def indices(self) -> NDArray[np.int32]:
        """Their columns."""

    @property
    def indptr(self) -> Ints:
        """Starts of rows, and the end of the last."""


class Objective(Protocol):
    """An objective to minimise: ``constant + linear @ x + x @ diag(quadratic) @ x``."""

    @property
    def linear(self) -> Floats:
        """Shape ``(columns,)``."""

    @property
    def quadratic(self) -> Floats | None:
        """Shape ``(columns,)``; None if it is linear."""

    @property
    def constant(self) -> float:
        """Constant term."""

    @property
    def unit(self) -> str:
        """Unit of its value."""


class Program(Protocol):
    """A program as arrays, with the places of the components of its model."""

    @property
    def matrix(self) -> Matrix:
        """Coefficients."""

    @property
    def row_lower(self) -> Floats:
        """Lower limits of rows, perhaps infinite."""

    @property
    def row_upper(self) -> Floats:
        """Upper limits of rows."""

    @property
    def column_lower(self) -> Floats:
        """Finite lower bounds of columns."""

    @property
    def column_upper(self) -> Floats:
        """Finite upper bounds of columns."""

    @property
    def integer(self) -> Mask:
        """True for columns of whole numbers."""

    @property
    def rows(self) -> Mapping[str, slice]:
        """Places of rows by component."""

    @property
    def columns(self) -> Mapping[str, slice]:
        """Places of columns by component."""

    @property
    def objectives(self) -> Mapping[str, Objective]:
        """Objectives by name."""


class Tree(Protocol):
    """Splits of columns, with multipliers at the leaves; node 0 is the whole program.

    Node ``n`` is a side of ``parent[n] < n``: ``column[n]`` is at most ``value[n]``, or, where ``above[n]``, at least.
    ``multipliers[n]`` has a number for each row and each earlier objective; None without any, as at an inner node.
    """

    @property
    def parent(self) -> Ints:
        """Shape ``(nodes,)``, as the others."""

    @property
    def column(self) -> Ints:
        """Position of the column that is split."""

    @property
    def above(self) -> Mask:
        """True on the upper side."""

    @property
    def value(self) -> Floats:
        """End of the side, a whole number."""

    @property
    def multipliers(self) -> Sequence[Floats | None]:
        """Multipliers of each leaf."""
