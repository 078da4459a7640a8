"""Columns of the user (``x_...``) in the store: the cells of a row as JSON, empty without any."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.tables.schema import USER_COLUMN_PREFIX
from etsopt.data.tables.user_columns import as_texts, mark, numbers_of
from etsopt.errors import UsageError
from etsopt.language import _

if TYPE_CHECKING:
    from numpy.typing import NDArray


def packed(frame: pd.DataFrame) -> NDArray[np.object_]:
    """Return the user's cells of every row as JSON, shape ``(rows,)``."""
    names = [name for name in frame if str(name).startswith(USER_COLUMN_PREFIX)]
    if not names:
        return np.full(len(frame), "", dtype=object)
    texts = as_texts(frame[names])
    columns = {name: [_text(cell) for cell in texts[name].tolist()] for name in names}
    records = (
        {name: cell for name, cell in zip(names, row, strict=True) if cell}
        for row in zip(*columns.values(), strict=True)
    )
    return np.array([json.dumps(record, ensure_ascii=False) if record else "" for record in records], dtype=object)


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
    if not plain or not all(name.startswith(USER_COLUMN_PREFIX) for name in names):
        raise UsageError(_("The store is damaged: columns of the user are not as written."), _("Restore a copy of it."))
    without_point = []
    for name in names:
        column = np.array([record.get(name, "") for record in records], dtype=object)[code]
        numbers, whole = numbers_of(column)
        frame[name] = column if numbers is None else numbers
        without_point += [name] * whole
    mark(frame, without_point)
    return frame
