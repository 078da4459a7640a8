"""Reading a CSV file of many rows: by columns if it is regular, else cell by cell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.data.files.csv_fast import read_csv_fast
from etsopt.data.tables.raw import RawTable, read_csv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from etsopt.common.errors import Problem
    from etsopt.data.tables.table import Table

Validated = tuple["pd.DataFrame | None", "list[Problem]"]


def read_rows(path: Path, place: str, table: Table, validated: Callable[[RawTable], Validated]) -> Validated:
    """Return what is validated of a file, whose rows are labelled with their lines.

    Parameters
    ----------
    place
        Name of the file in messages.
    validated
        Validates cells, and returns them, None if a required column is missing, and their problems.
    """
    content = path.read_bytes()
    raw = read_csv_fast(content, table)
    if raw is not None and content.count(b"\n") + (not content.endswith(b"\n")) == len(raw.rows) + 1:
        frame, problems = validated(replace(raw, place=place, rows=np.arange(2, len(raw.rows) + 2)))
        if not problems:
            return frame, []
    # Cells that are not plainly valid are reported as the file writes them.
    raw, problems = read_csv(content, place)
    return (None, problems) if raw is None else validated(raw)
