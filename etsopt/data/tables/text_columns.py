"""Fast validation of a text column as one joined text.

If a cell is not clearly valid these functions return None, and `etsopt.data.tables.validate` checks each cell.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.characters import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NEWLINE, SPACE, DELETE = ord("\n"), ord(" "), 0x7F

FORMULA_START = re.compile("'*[=@+-]")
"""Beginning of a text that a spreadsheet runs as a formula, or would without its protecting apostrophes."""

MAY_BE_FORMULA = [ord(sign) for sign in "'=@+-"]

MOST_SPELLINGS = 1000
"""Largest number of distinct texts in a column of choices for the fast validation."""


def normalise(text: str) -> str:
    """Return a cell after Unicode normalisation, without surrounding spaces; other white space is kept.

    NFKC maps full-width letters and ideographic spaces to plain ones, because ids are typed either way.
    """
    return unicodedata.normalize("NFKC", text).strip(" ")


def normalised_column(cells: NDArray[np.object_], required: bool, longest: int) -> NDArray[np.object_] | None:
    """Return a column as `normalise` does if all cells are single lines clearly free of hidden characters and formulas.

    Parameters
    ----------
    required
        True if no cell may be empty.
    longest
        Largest number of bytes of a cell in UTF-8.

    Returns
    -------
    ndarray or None
        None if a cell does not qualify, or has surrounding spaces.
    """
    text = "\n".join(cells.tolist())
    # No character combines with a line end, so that normalising the joined text normalises each cell.
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if not normal.isascii() and HIDDEN.search(normal.replace("\n", "")):
        return None
    letters = np.frombuffer(f"\n{normal}\n".encode(), dtype=np.uint8)
    ends = np.flatnonzero(letters == NEWLINE)
    # Control characters beyond ASCII are excluded above; of those within it only line ends may remain.
    if len(ends) != len(cells) + 1 or np.count_nonzero(letters < SPACE) > len(ends) or (letters == DELETE).any():
        return None
    lengths = np.diff(ends) - 1
    first, last = letters[ends[:-1] + 1], letters[ends[1:] - 1]
    if (required and not lengths.all()) or (lengths > longest).any():
        return None
    if np.isin(first, MAY_BE_FORMULA).any() or (first == SPACE).any() or (last == SPACE).any():
        return None
    return cells if normal is text else np.array(normal.split("\n"), dtype=object)


def matched_choices(cells: NDArray[np.object_], choices: Sequence[str], required: bool) -> NDArray[np.object_] | None:
    """Return a normalised column if all cells are among the choices, or empty if not required; else None."""
    code, names = pd.factorize(cells)
    if len(names) > MOST_SPELLINGS:
        return None
    known = np.array([normalise(name) for name in names], dtype=object)
    allowed = {*choices} if required else {*choices, ""}
    return known[code] if allowed.issuperset(known) else None
