"""A whole column of text looked at as one text: what is right in it is found without a look at each cell.

Where a cell is not plainly right nothing is said here, and `etsopt.data.validate` looks at the cells one by one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.characters import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NEWLINE, SPACE, DELETE = ord("\n"), ord(" "), 0x7F

FORMULA_START = re.compile("'*[=@+-]")
"""What a spreadsheet runs as a formula, or would without the apostrophes with which such a text is written."""

MAY_BE_FORMULA = [ord(sign) for sign in "'=@+-"]

MOST_SPELLINGS = 1000
"""A column of choices with more distinct texts than that is no such column."""


def tidy(text: str) -> str:
    """A cell after Unicode normalisation, without spaces around it; other white space is not tidied away.

    NFKC, which makes full-width letters and ideographic spaces plain ones, as ids are typed either way.
    """
    return unicodedata.normalize("NFKC", text).strip(" ")


def tidied(cells: NDArray[np.object_], required: bool, longest: int) -> NDArray[np.object_] | None:
    """A column whose cells are texts on one line, plainly without hidden characters or formulas, as `tidy` gives them.

    Parameters
    ----------
    required
        Whether no cell may be empty.
    longest
        Most bytes that a cell may have, written in UTF-8.

    Returns
    -------
    ndarray or None
        None where a cell is none of that, or has spaces around it.
    """
    text = "\n".join(cells.tolist())
    # Nothing combines with the end of a line, so that the whole is normalised cell by cell.
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if not normal.isascii() and HIDDEN.search(normal.replace("\n", "")):
        return None
    letters = np.frombuffer(f"\n{normal}\n".encode(), dtype=np.uint8)
    ends = np.flatnonzero(letters == NEWLINE)
    # Beyond ASCII the other control characters are ruled out already; of those within it none but line ends is left.
    if len(ends) != len(cells) + 1 or np.count_nonzero(letters < SPACE) > len(ends) or (letters == DELETE).any():
        return None
    lengths = np.diff(ends) - 1
    first, last = letters[ends[:-1] + 1], letters[ends[1:] - 1]
    if (required and not lengths.all()) or (lengths > longest).any():
        return None
    if np.isin(first, MAY_BE_FORMULA).any() or (first == SPACE).any() or (last == SPACE).any():
        return None
    return cells if normal is text else np.array(normal.split("\n"), dtype=object)


def chosen(cells: NDArray[np.object_], choices: Sequence[str], required: bool) -> NDArray[np.object_] | None:
    """A column whose cells are all among some texts, or absent where they may be; None where one is not."""
    code, names = pd.factorize(cells)
    if len(names) > MOST_SPELLINGS:
        return None
    known = np.array([tidy(name) for name in names], dtype=object)
    allowed = {*choices} if required else {*choices, ""}
    return known[code] if allowed.issuperset(known) else None
