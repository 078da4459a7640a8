"""Columns of the user's own: numbers if these write the same cells again, else texts.

A cell such as ``007``, ``1.50``, ``1e5`` or an identifier of 20 digits would come back as another text, so its column
stays text. A column has one of two styles: that of Python (``1.0``, ``1e-07``), or whole numbers without a point
(``1``, ``2.5``), as people and spreadsheets write them. Files and hashes hold the written cells, so the style of a
column of floats is kept with its frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

WITHOUT_POINT = "etsopt_without_point"
"""Attribute of a frame that lists its columns of floats whose whole numbers are written without a point."""

CHARACTERS = frozenset("0123456789.+-e")
"""Characters of finite numbers as Python writes them."""

LARGEST_WHOLE = 1e15
"""Whole numbers from here on are identifiers, of which a float may lose digits."""


def numbers_of(cells: NDArray[np.object_]) -> tuple[NDArray[Any] | None, bool]:
    """Convert texts into numbers that write every cell again, shape as ``cells``.

    Returns
    -------
    ndarray or None
        Integers if all cells are whole numbers without a point; else floats, NaN where a cell is empty. None if a cell
        is not a number, would be written otherwise, or all are empty.
    bool
        True for floats whose whole numbers are written without a point.
    """
    texts = cells.tolist()
    characters = set("".join(texts))
    if not characters or not characters <= CHARACTERS:
        return None, False
    try:
        values = np.array([float(text) if text else np.nan for text in texts])
    except ValueError:
        return None, False
    if (np.abs(values) < LARGEST_WHOLE).all():
        whole = values.astype(np.int64)
        if texts == list(map(str, whole.tolist())):
            return whole, False
    for without_point in (False, True):
        if texts == written_numbers(values, without_point):
            return values, without_point
    return None, False


def written_numbers(values: NDArray[np.float64], without_point: bool) -> list[str]:
    """Return the texts of floats as Python writes them, or whole numbers without a point; absent ones are empty."""
    texts = ["" if value != value else repr(value) for value in values.tolist()]
    if not without_point:
        return texts
    # Larger whole numbers keep their point, so that none loses digits.
    small = np.abs(values) < LARGEST_WHOLE
    return [text.removesuffix(".0") if cut else text for text, cut in zip(texts, small.tolist(), strict=True)]


def mark(frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """State the columns of a frame whose whole numbers are written without a point."""
    if names := sorted(columns):
        frame.attrs[WITHOUT_POINT] = names


def without_point(frame: pd.DataFrame) -> list[str]:
    """Return the columns of floats of a frame whose whole numbers are written without a point."""
    marked = frame.attrs.get(WITHOUT_POINT, ())
    return [name for name in marked if name in frame and frame[name].dtype == np.float64]


def as_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose marked columns are texts as they are written; unmarked frames are returned as they are."""
    texts = {
        name: np.array(written_numbers(frame[name].to_numpy(), True), dtype=object) for name in without_point(frame)
    }
    return frame.assign(**texts).astype(dict.fromkeys(texts, object)) if texts else frame
