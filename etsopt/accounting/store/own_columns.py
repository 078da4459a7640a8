"""Columns of the user (``x_...``) in the store, and of the register since: cells as JSON, empty without any."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.schema import ADDED_TO_REGISTER, REGISTER
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.tables.schema import USER_COLUMN_PREFIX
from etsopt.data.tables.user_columns import as_texts, mark, numbers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTS_OF_REGISTER = frozenset(column.name for column in REGISTER.columns if not column.number)


def packed(frame: pd.DataFrame) -> NDArray[np.object_]:
    """Return the cells of every row that no column of a table has as JSON, shape ``(rows,)``."""
    names = [str(name) for name in frame if _belongs(str(name))]
    if not names:
        return np.full(len(frame), "", dtype=object)
    texts = as_texts(frame[names])
    columns = {name: [_text(cell) for cell in texts[name].tolist()] for name in names}
    records = (
        {name: cell for name, cell in zip(names, row, strict=True) if cell}
        for row in zip(*columns.values(), strict=True)
    )
    return np.array([json.dumps(record, ensure_ascii=False) if record else "" for record in records], dtype=object)


def _belongs(name: str) -> bool:
    return name.startswith(USER_COLUMN_PREFIX) or name in ADDED_TO_REGISTER


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return "" if cell != cell else repr(cell)
    return str(cell)


def unpacked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the user's columns in place of the column ``own``.

    Raises
    ------
    UsageError
        If a cell is not the JSON that `packed` writes.
    """
    cells = frame["own"].to_numpy()
    frame = frame.drop(columns="own")
    code, texts = pd.factorize(cells)
    try:
        records = [json.loads(text) if text else {} for text in texts]
        names = list(dict.fromkeys(name for record in records for name in record))
        plain = all(isinstance(cell, str) for record in records for cell in record.values())
    except (ValueError, AttributeError, RecursionError):
        plain = False
    if not plain or not all(map(_belongs, names)):
        raise UsageError(_("The store is damaged: columns of the user are not as written."), _("Restore a copy of it."))
    without_point = []
    for name in names:
        column = np.array([record.get(name, "") for record in records], dtype=object)[code]
        # A name of digits stays a text.
        numbers, whole = (None, False) if name in TEXTS_OF_REGISTER else numbers_of(column)
        frame[name] = column if numbers is None else numbers
        without_point += [name] * whole
    mark(frame, without_point)
    return frame
