"""Words of messages: counts with their grammar, the name that was probably meant, names of units."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_COMPARED = 10_000
"""Names that one is compared with, which takes a tenth of a second."""


def counted(count: int, one: str, many: str) -> str:
    """Write a count with the words that agree with it.

    >>> counted(1, "cell is", "cells are"), counted(2, "cell is", "cells are")
    ('1 cell is', '2 cells are')
    """
    return f"{count} {one if count == 1 else many}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Ask for the known name that is nearest, with a space after the question; empty where none is near, or too many.

    >>> did_you_mean("CEMNT", ["cement", "steel"]), did_you_mean("glass", ["cement", "steel"])
    ("Did you mean 'cement'? ", '')
    """
    by_folded = {one.casefold(): one for one in known}
    if len(by_folded) > MOST_COMPARED:
        return ""
    near = difflib.get_close_matches(name.casefold(), by_folded, 1)
    return f"Did you mean {by_folded[near[0]]!r}? " if near else ""


def cells_of(
    units: pd.DataFrame, where: NDArray[np.bool_], values: NDArray[np.float64] | None = None, form: str = "{}"
) -> tuple[tuple[str, str], ...]:
    """Name units instead of lines, since the rows are sorted by now, and write a value of each in a format."""
    names = units["unit_id"].to_numpy()
    return tuple((f"of {names[row]}", "" if values is None else form.format(values[row])) for row in where.nonzero()[0])
