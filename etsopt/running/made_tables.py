"""Whether tables that a model makes again of its values are those of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype, is_numeric_dtype

from etsopt.checking.verdict import Violation
from etsopt.common.language import _
from etsopt.data.files.frames import as_written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

AGAIN, ROUNDED = 1e-9, 1e-15
"""Difference of numbers of a table that is made again, on another machine perhaps: relative, and of the largest."""


def differences(
    made: Mapping[str, pd.DataFrame], stated: Mapping[str, pd.DataFrame], known: Sequence[str]
) -> Iterator[Violation]:
    """Yield the tables of a run that its model does not make of its values, but for those of the program."""
    for name in {**made, **stated}:
        if name in known:
            continue
        if name not in made or name not in stated:
            text = (
                _("the model makes no such table")
                if name in stated
                else _("the run has the table that the model makes")
            )
            yield Violation("tables", name, 1.0, "tables", text)
            continue
        one, other = as_written(made[name], name), as_written(stated[name], name)
        if [*one] != [*other] or len(one) != len(other):
            yield Violation("tables", name, 1.0, "tables", _("the table has the rows and columns that the model makes"))
            continue
        for column in one:
            apart = _apart(one[column], other[column])
            if apart.any():
                place = int(np.argmax(apart))
                text = _(
                    "row {number}: the model makes {made}, not {stated}",
                    number=place + 1,
                    made=one[column].iloc[place],
                    stated=other[column].iloc[place],
                )
                yield Violation("tables", f"{name}.{column}", float(apart.sum()), "rows", text)


def _apart(one: pd.Series[Any], other: pd.Series[Any]) -> NDArray[np.bool_]:
    """Return True for each cell that differs, numbers that are no integers by more than rounding on another machine.

    Parameters
    ----------
    one
        The column that the model makes.
    """
    same = ((one.astype(str) == other.astype(str)) | (one.isna() & other.isna())).to_numpy()
    # An integer may be an identifier, which has no rounding.
    if not all(map(is_numeric_dtype, (one.dtype, other.dtype))) or is_integer_dtype(one.dtype):
        return np.asarray(~same)
    numbers = [part.to_numpy(dtype=float, na_value=np.nan) for part in (one, other)]
    size = np.abs(numbers[0][np.isfinite(numbers[0])]).max(initial=0.0)
    return np.asarray(~(same | np.isclose(numbers[0], numbers[1], rtol=AGAIN, atol=ROUNDED * size)))
