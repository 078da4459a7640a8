"""Decisions as a table: their columns, the reader of files, and the checks that need no store."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.coded import UNKNOWN, days, month_number, months_of
from etsopt.accounting.review.words import (
    ACTORS,
    CLOSE,
    CORRECT,
    DECISIONS,
    ENTERPRISE,
    FIND,
    PASS,
    RESTORE,
    SHORT,
    by_chinese,
)
from etsopt.accounting.schema import LARGEST_NCV
from etsopt.accounting.vocabulary import FLOW_WORDS, FLOWS, ITEM_WORDS, ITEMS, PROCESS_WORDS, PROCESSES, folded
from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.raw import RawTable, read_csv
from etsopt.data.tables.table import Column, Table
from etsopt.data.tables.validate import validate_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

TABLE = Table(
    "decisions",
    _("a decision on items of a month"),
    (),
    (
        Column("decision", _("what is decided"), required=True, choices=DECISIONS),
        Column("level", _("who decides: a level of the review, or the enterprise"), required=True, choices=ACTORS),
        Column("who", _("person or department that decides"), required=True, identifier=True),
        Column("decided_on", _("day of the decision in China, such as 2026-03-01; empty: today"), identifier=True),
        Column("unit_id", _("unit; needed but for close"), identifier=True),
        Column("month", _("month, such as 2025-01; empty: all of a pass"), identifier=True),
        Column("process", _("boundary of the item; empty: all"), choices=tuple(PROCESSES)),
        Column("item", _("fuel, material or product; empty: all"), choices=tuple(ITEMS)),
        Column("flow", _("direction of the item; empty: all"), choices=tuple(FLOWS)),
        Column("batch", _("batch or meter of the item; empty: all"), identifier=True),
        Column(
            "version",
            _("of a pass: the version that was reviewed; of restore: the one that comes back"),
            number=True,
            whole=True,
            at_least=1,
        ),
        Column("quantity", _("corrected quantity; empty: as it is"), number=True, at_least=0),
        Column(
            "ncv_gj_per_unit",
            _("corrected calorific value; empty: as it is"),
            "GJ/t or GJ/1e4 Nm3",
            number=True,
            above=0,
            at_most=LARGEST_NCV,
        ),
        Column("finding", _("number of the finding that is closed"), number=True, whole=True, at_least=1),
        Column("rule", _("rule of screening that found it"), identifier=True),
        Column("size_t", _("emissions concerned by a finding"), "tCO2e", number=True, at_least=0),
        Column("reason", _("why; needed but for pass"), verbatim=True),
        Column("reason_zh", _("why, in Chinese"), verbatim=True),
    ),
)
"""Columns of a table of decisions. An empty cell of the item stands for all."""

NAMES = tuple(column.name for column in TABLE.columns)
OF_ITEMS = ("enterprise_id", "province", "city", "name", "sector", "unit", "status", "open_findings")
"""Columns of the table of items that are left out, so that this table with decisions beside it can be applied."""

WORDS: dict[str, Mapping[str, str]] = {"process": PROCESS_WORDS, "item": ITEM_WORDS, "flow": FLOW_WORDS}
"""Codes by the words of items in either language."""


def read_decisions(path: str | Path, headings: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read a CSV file of decisions, in English or Chinese; rows are labelled with their lines.

    Parameters
    ----------
    headings
        Other headings of the columns.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        With every problem of the file.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(_("There is no file {path!r} of decisions.", path=str(path)), _("Name a CSV file."))
    raw, problems = read_csv(path.read_bytes(), path.name)
    if raw is None:
        raise DataError(_("The table of decisions"), problems)
    known = headings or {}
    return validated(replace(raw, columns={known.get(name, name): cells for name, cells in raw.columns.items()}))


def validated(raw: RawTable) -> pd.DataFrame:
    """Validate the cells of decisions, and that each has what it needs; return them with all columns.

    Raises
    ------
    DataError
        With every problem.
    """
    columns = dict(raw.columns)
    of_review = {
        name: SHORT[name] | by_chinese(name, codes) for name, codes in (("decision", DECISIONS), ("level", ACTORS))
    }
    for name, words in {**of_review, **WORDS}.items():
        if name in columns and columns[name].dtype == object:
            own = [words.get(folded(str(cell)), words.get(str(cell).strip(), cell)) for cell in columns[name]]
            columns[name] = np.array(own, dtype=object)
    if "month" in columns and columns["month"].dtype == object:
        columns["month"] = months_of(columns["month"])
    columns = {name: cells for name, cells in columns.items() if name not in OF_ITEMS}
    unknown = [name for name in columns if name not in NAMES and not str(name).startswith("x_")]
    problems = [
        Problem(
            raw.place,
            _("is not a column of decisions"),
            _("Choose from {names}.", names=", ".join(NAMES)),
            str(name),
        )
        for name in unknown
    ]
    frame, of_cells = validate_table(replace(raw, columns=columns), TABLE)
    problems += of_cells
    if not problems:
        frame = _complete(frame)
        frame.index = pd.Index(raw.rows)
        problems = _problems(frame, raw.place)
    if problems:
        raise DataError(_("The table of decisions"), problems)
    return frame


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    """Return decisions with all columns in order."""
    columns = {}
    for column in TABLE.columns:
        kind = float if column.number else object
        absent = np.nan if column.number else ""
        cells = frame[column.name] if column.name in frame else np.full(len(frame), absent)
        columns[column.name] = pd.Series(np.asarray(cells, dtype=kind), dtype=kind)
    return pd.DataFrame(columns)


def _problems(frame: pd.DataFrame, place: str) -> list[Problem]:
    """Return what is missing or wrong in each kind of decision."""
    problems: list[Problem] = []
    kind = frame["decision"]

    def see(bad: pd.Series[bool], column: str, what: tuple[str, str], advice: str) -> None:
        if bad.any():
            # An empty cell is named by the decision without it.
            shown = frame[column].astype(str).where(~empty(column), kind)[bad]
            cells = tuple((str(line), cell) for line, cell in zip(frame.index[bad], shown, strict=True))
            problems.append(Problem(place, counted(int(bad.sum()), *what), advice, column, cells))

    def empty(column: str) -> pd.Series[bool]:
        return frame[column].isna() | (frame[column] == "")

    lacks = (_("decision lacks a cell"), _("decisions lack a cell"))
    see((kind != CLOSE) & empty("unit_id"), "unit_id", lacks, _("Name the unit."))
    see(kind.isin([FIND, CORRECT, RESTORE]) & empty("month"), "month", lacks, _("Name the month."))
    see(kind.isin([CORRECT, RESTORE]) & empty("item"), "item", lacks, _("Name the item."))
    see((kind != PASS) & empty("reason"), "reason", lacks, _("State the reason."))
    see((kind == CLOSE) & empty("finding"), "finding", lacks, _("Name the number of the finding."))
    see((kind == RESTORE) & empty("version"), "version", lacks, _("Name the version that comes back."))
    nothing = (kind == CORRECT) & empty("quantity") & empty("ncv_gj_per_unit")
    see(nothing, "quantity", lacks, _("State the corrected quantity or calorific value."))
    own = (frame["level"] == ENTERPRISE) & kind.isin([PASS, FIND, CLOSE])
    what = (_("decision is not the enterprise's"), _("decisions are not the enterprise's"))
    see(own, "level", what, _("Name a level of the review: an enterprise corrects and restores only."))
    wrong = pd.Series(days(frame["decided_on"].to_numpy()) == UNKNOWN, index=frame.index) & ~empty("decided_on")
    see(wrong, "decided_on", (_("value is not a day"), _("values are not days")), _("Write it as 2026-03-01."))
    wrong = frame["month"].map(month_number).eq(UNKNOWN) & ~empty("month")
    see(wrong, "month", (_("value is not a month"), _("values are not months")), _("Write it as 2025-01."))
    return problems


def digests(frame: pd.DataFrame) -> NDArray[np.object_]:
    """Return the SHA-256 of the cells of every decision, by which one that was applied is known again."""
    texts = frame.astype(object).where(frame.notna(), "").astype(str)
    joined = ("\x1f".join(row) for row in texts.itertuples(index=False, name=None))
    return np.array([hashlib.sha256(text.encode()).hexdigest() for text in joined], dtype=object)


def dated(frame: pd.DataFrame, today: date) -> pd.DataFrame:
    """Return decisions with a day each: that of one that states none is that of its entry, in China."""
    stated = frame["decided_on"]
    return frame.assign(decided_on=stated.where(stated != "", today.isoformat()))
