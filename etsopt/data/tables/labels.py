"""Text columns as positions among their distinct texts, so that sums and comparisons run over integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.units import sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Labels:
    """The distinct texts of a column, and the position of each row's text.

    Parameters
    ----------
    names
        Distinct texts in alphabetical order, shape ``(names,)``.
    code
        Position of every row's text among them, shape ``(rows,)``.
    """

    names: NDArray[np.object_]
    code: NDArray[np.int64]

    @classmethod
    def of(cls, texts: NDArray[np.object_]) -> Labels:
        """Number the texts of a column.

        >>> Labels.of(np.array(["steel", "cement", "steel"], dtype=object)).code
        array([1, 0, 1])
        """
        code, names = pd.factorize(texts)
        if not (names[:-1] < names[1:]).all():
            order = np.argsort(sortable(names), kind="stable")
            rank = np.empty(len(order), dtype=np.int64)
            rank[order] = np.arange(len(order))
            code, names = rank[code], names[order]
        return cls(names, code.astype(np.int64, copy=False))

    def __len__(self) -> int:
        return len(self.names)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the values of the rows of each text, shape ``(names,)``."""
        return sums(self.code, values, len(self.names))

    def mapped(self, values: Mapping[str, float], default: float = np.nan) -> NDArray[np.float64]:
        """Return the value of every row by its text, shape ``(rows,)``."""
        return np.array([values.get(name, default) for name in self.names], dtype=float)[self.code]

    def where(self, name: str) -> NDArray[np.bool_]:
        """Return True for rows with this text, shape ``(rows,)``."""
        position = int(np.searchsorted(self.names, name))
        present = position < len(self.names) and self.names[position] == name
        return self.code == position if present else np.zeros(len(self.code), dtype=bool)


def sortable(texts: NDArray[np.object_]) -> NDArray[np.bytes_] | NDArray[np.str_]:
    """Return texts as an array that sorts in the same order without comparing Python objects."""
    try:
        return texts.astype(np.bytes_)
    except UnicodeEncodeError:
        return texts.astype(np.str_)
