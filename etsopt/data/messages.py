"""Parts of messages: counts, suggestions of similar names, and names of units."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import ROWS_SHOWN, brief
from etsopt.common.language import Text, _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

ONE_COMMA = re.compile(r"([+-]?[1-9][0-9]{0,2})[,，]([0-9]{3})")
"""A number whose comma may separate thousands, or be that of a decimal fraction."""

MOST_COMPARED = 10_000
"""Largest number of names to compare with, which takes a tenth of a second."""


def counted(count: int, one: str, many: str) -> str:
    """Return a count followed by the singular or plural words.

    >>> counted(1, "cell is", "cells are"), counted(2, "cell is", "cells are")
    ('1 cell is', '2 cells are')
    """
    what = one if count == 1 else many
    return _("{count} {what}", count=count, what=what if isinstance(what, Text) else Text(what))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question for the nearest known name, ending in a space; empty if none is near or too many are known.

    >>> did_you_mean("CEMNT", ["cement", "steel"]), did_you_mean("glass", ["cement", "steel"])
    ("Did you mean 'cement'? ", '')
    """
    near = nearest(name, known)
    return _("Did you mean {name!r}? ", name=near) if near else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the nearest known name; empty if none is near or too many are known."""
    by_folded = {one.casefold(): one for one in known}
    if len(by_folded) > MOST_COMPARED:
        return ""
    near = difflib.get_close_matches(name.casefold(), by_folded, 1)
    return by_folded[near[0]] if near else ""


def first_of(names: Sequence[object] | NDArray[Any]) -> str:
    """Return the first names, and how many more there are.

    >>> first_of(["a", "b"]), first_of(range(7))
    ('a, b', '0, 1, 2, 3, 4 and 2 more')
    """
    shown = ", ".join(map(str, names[:ROWS_SHOWN]))
    hidden = len(names) - ROWS_SHOWN
    return _("{shown} and {count} more", shown=shown, count=hidden) if hidden > 0 else shown


def of_one_comma(cells: Iterable[object]) -> str:
    """Return a sentence on the first number with a comma before its last three digits, if there is one.

    >>> of_one_comma(["many", "1,234", "5,678"])
    "'1,234' may mean 1234 or 1.234."
    """
    found = next(filter(None, (ONE_COMMA.fullmatch(str(cell).strip()) for cell in cells)), None)
    if found is None:
        return ""
    whole, broken = (sign.join(found.groups()) for sign in ("", "."))
    return _("{cell} may mean {whole} or {broken}.", cell=brief(found[0]), whole=whole, broken=broken)


def cells_of(
    units: pd.DataFrame, where: NDArray[np.bool_], values: NDArray[np.float64] | None = None, form: str = "{}"
) -> tuple[tuple[str, str], ...]:
    """Return labels and formatted values of units; units are named, not lines, because the rows are sorted by now."""
    names = units["unit_id"].to_numpy()
    return tuple((f"of {names[row]}", "" if values is None else form.format(values[row])) for row in where.nonzero()[0])
