"""Columns of text as positions among their distinct texts, so that sums and comparisons run over whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.units import sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Labels:
    """The distinct texts of a column, and which of them each row has.

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
            place = np.empty(len(order), dtype=np.int64)
            place[order] = np.arange(len(order))
            code, names = place[code], names[order]
        return cls(names, code.astype(np.int64, copy=False))

    def __len__(self) -> int:
        return len(self.names)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the values of the rows of each text, shape ``(names,)``."""
        return sums(self.code, values, len(self.names))

    def mapped(self, values: Mapping[str, float], default: float = np.nan) -> NDArray[np.float64]:
        """Value of every row by its text, shape ``(rows,)``."""
        return np.array([values.get(name, default) for name in self.names], dtype=float)[self.code]

    def where(self, name: str) -> NDArray[np.bool_]:
        """Rows that have this text, shape ``(rows,)``."""
        position = int(np.searchsorted(self.names, name))
        there = position < len(self.names) and self.names[position] == name
        return self.code == position if there else np.zeros(len(self.code), dtype=bool)


def sortable(texts: NDArray[np.object_]) -> NDArray[np.bytes_] | NDArray[np.str_]:
    """Texts as an array that sorts without a Python object for each comparison, in the same order."""
    try:
        return texts.astype(np.bytes_)
    except UnicodeEncodeError:
        return texts.astype(np.str_)
