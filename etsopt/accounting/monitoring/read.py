"""Reader of stack monitors: every CSV file in ``monitor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.coded import UNKNOWN, days
from etsopt.accounting.monitoring.schema import LEAST_PERCENT, MONITOR
from etsopt.accounting.reading import read_rows
from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.data.files.read import find_folder
from etsopt.data.messages import counted
from etsopt.data.tables.validate import validate_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from etsopt.data.tables.raw import RawTable

FOLDER = "monitor"
TEXTS = ("unit_id", "stack", "day")


def read_monitor(source: str | Path, register: pd.DataFrame) -> pd.DataFrame:
    """Read the daily values of all stacks, with their ``file`` and ``line``.

    Parameters
    ----------
    register
        The units, as `read_reports` or `read_register` returns them.

    Raises
    ------
    UsageError
        If there is no such folder.
    DataError
        With every problem of every file: file, line, column and value, and what to do.
    """
    folder = find_folder(source)
    paths = sorted((folder / FOLDER).glob("*.csv"))
    problems: list[Problem] = []
    if not paths:
        names = ", ".join(column.name for column in MONITOR.columns)
        problems.append(
            Problem(
                f"{FOLDER}/*.csv",
                _("no file is there"),
                _("Add {folder}/2025.csv, with columns {names}.", folder=FOLDER, names=names),
            )
        )
    frames = []
    for number, path in enumerate(paths):
        checkpoint(_("reading monitors"), number, len(paths))
        frame, of_file = read_rows(path, f"{FOLDER}/{path.name}", MONITOR, _validated)
        problems += of_file
        if frame is not None:
            frames.append(frame)
    if frames:
        table = pd.concat(frames, ignore_index=True)
        problems += _problems_of_rows(table, register)
    if problems:
        raise DataError(_("The monitors of {name!r}", name=folder.name), problems)
    return table.assign(day=days(table["day"].to_numpy()))


def _validated(raw: RawTable) -> tuple[pd.DataFrame | None, list[Problem]]:
    frame, problems = validate_table(raw, MONITOR)
    if not all(column.name in frame for column in MONITOR.columns if column.required):
        return None, problems
    for column in MONITOR.columns:
        if column.name not in frame:
            frame[column.name] = np.nan if column.number else ""
    return frame.assign(file=raw.place, line=raw.rows), problems


def _problems_of_rows(table: pd.DataFrame, register: pd.DataFrame) -> list[Problem]:
    """Find unknown units, days that are none, days stated twice, and concentrations in fractions."""
    found = [*table[list(TEXTS)].to_numpy().T]
    unit, day = found[0], found[2]
    checks: tuple[tuple[NDArray[np.bool_], str, tuple[str, str], str], ...] = (
        (
            ~np.isin(unit, register["unit_id"].to_numpy()) & (unit != ""),
            "unit_id",
            (_("unit is not in the register"), _("rows have units that are not in the register")),
            _("Correct it, or add the unit to register.csv."),
        ),
        (
            (days(day) == UNKNOWN) & (day != ""),
            "day",
            (_("cell is not a day"), _("cells are not days")),
            _("Write year, month and day with dashes, such as 2025-01-31."),
        ),
        (
            table.duplicated(list(TEXTS), keep=False).to_numpy(),
            "day",
            (_("day of a stack is stated twice"), _("rows state a day of a stack twice")),
            _("Keep one of them, or tell the stacks of the unit apart."),
        ),
    )
    problems = [one for bad, column, what, advice in checks for one in _by_file(table, bad, column, what, advice)]
    median = table.groupby(["unit_id", "stack"])["co2_percent"].transform("median").to_numpy()
    low = (median > 0) & (median < LEAST_PERCENT) & table["co2_percent"].notna().to_numpy()
    what = (_("concentration looks like a fraction"), _("concentrations look like fractions"))
    advice = _(
        "State percent by volume, 12 and not 0.12: the median of a stack is below {least_percent} %.",
        least_percent=LEAST_PERCENT,
    )
    return problems + _by_file(table, low, "co2_percent", what, advice)


def _by_file(
    table: pd.DataFrame, bad: NDArray[np.bool_], column: str, what: tuple[str, str], advice: str
) -> list[Problem]:
    """Return a problem for every file with bad rows."""
    problems = []
    for file, rows in table[bad].groupby("file", sort=True):
        cells = tuple((str(line), _shown(cell)) for line, cell in zip(rows["line"], rows[column], strict=True))
        problems.append(Problem(str(file), counted(len(cells), *what), advice, column, cells))
    return problems


def _shown(cell: Any) -> str:
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
