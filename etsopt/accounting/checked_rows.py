"""Rows of reports that are being checked, and their problems by file, line and column."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.versions import latest
from etsopt.accounting.vocabulary import FLOWS, ITEMS, PROCESSES
from etsopt.common.errors import Problem
from etsopt.common.language import pgettext
from etsopt.data.messages import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from etsopt.accounting.coded import Coded

    Mask = NDArray[np.bool_]


WORDS: dict[str, Collection[str]] = {"process": PROCESSES, "item": ITEMS, "flow": FLOWS}
"""Codes by column, which are shown as the language of the moment writes them."""


class CheckedRows:
    """The rows of all files with their codes, and a problem for each file with wrong rows."""

    def __init__(self, rows: pd.DataFrame, coded: Coded) -> None:
        self.rows, self.coded = rows, coded
        self.measured: Mask = rows["ncv_gj_per_unit"].notna().to_numpy()

    @cached_property
    def current(self) -> Mask:
        """True for rows of the highest version, shape ``(rows,)``."""
        return latest(self.rows, self.coded)

    def problems(
        self, bad: Mask, column: str, what: tuple[str, str], advice: str | Callable[[int], str]
    ) -> list[Problem]:
        """Return a problem for every file with bad rows; ``advice`` may depend on the first of them."""
        where = np.flatnonzero(bad)
        if not len(where):
            return []
        files, lines = self.rows["file"].to_numpy(), self.rows["line"].to_numpy()
        cells = self.rows[column.split(", ")[-1]].to_numpy()
        problems = []
        for file in pd.unique(files[where]):
            own = where[files[where] == file]
            # A row of a sheet may be the rows of several flows.
            shown = tuple(dict.fromkeys((str(lines[row]), _shown(cells[row], column)) for row in own))
            text = advice if isinstance(advice, str) else advice(int(own[0]))
            problems.append(Problem(file, counted(len(shown), *what), text, column, shown))
        return problems


def _shown(cell: Any, column: str) -> str:
    """Return a cell as a file may write it: absent numbers are empty, whole ones have no point, words in a language."""
    if column in WORDS and cell in WORDS[column]:
        return pgettext(column, str(cell))
    if isinstance(cell, float):
        return "" if cell != cell else repr(float(cell)).removesuffix(".0")
    return str(cell)
