"""Files of the annex tables: a CSV file for each, and one Excel workbook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _, in_chinese
from etsopt.common.progress import tell
from etsopt.data.files.atomic import file_in_errors
from etsopt.data.files.atomic_folder import replacing_folder
from etsopt.data.files.write import protected
from etsopt.reports.official import printing
from etsopt.reports.official.gaps import columns_to_fill
from etsopt.reports.official.headings import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKBOOK, NOTE = "official-tables.xlsx", "official-note.txt"
CSV_FILES = {name: f"official-{name}.csv" for name in BY_NAME}

MOST_ROWS, MOST_CHARACTERS = 1_048_576, 32_767
"""Rows of a sheet and characters of a cell that Excel takes."""

AROUND = printing.FIRST_ROW + 1
"""Rows of a sheet around those of a table: title, headings, and the line to sign."""


def write_official_tables(
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    province: str,
    year: int,
    note: tuple[str, str] | None = None,
    stamp: str = "",
) -> tuple[list[str], str]:
    """Write the tables into a folder, all of them or none; those of an earlier export are replaced.

    Parameters
    ----------
    tables
        As `official_tables` returns them.
    province
        Province in the titles; empty for several.
    note
        Remark on all tables in English and Chinese: below each of them in Chinese, and in the file that also lists the
        columns to fill.
    stamp
        Words in the foot of every page of the workbook, such as the head of a store's ledger.

    Returns
    -------
    tuple
        Names of the files, and a message why there is no workbook, else empty.

    Raises
    ------
    UsageError
        If a table does not fit into a sheet, or another process is writing to the folder.
    OSError
        With the name of the file that cannot be written; the folder is unchanged.
    """
    folder = Path(folder)
    try:
        import xlsxwriter
    except ImportError:
        xlsxwriter = None
    if xlsxwriter is not None:
        _check_size(tables)
    lines = _note(tables, note)
    names = [*CSV_FILES.values(), WORKBOOK, NOTE]
    with replacing_folder(folder, lambda: [path for name in names if (path := folder / name).is_file()]) as aside:
        for name, table in tables.items():
            path = aside / CSV_FILES[name]
            with file_in_errors(path):
                # Excel takes a file without the mark at its beginning for one in the code page of the system.
                protected(table).to_csv(path, index=False, lineterminator="\n", encoding="utf-8-sig")
        if lines:
            with file_in_errors(aside / NOTE):
                (aside / NOTE).write_text("\n".join((*lines, "")), encoding="utf-8-sig")
        if xlsxwriter is not None:
            tell(_("writing {name}", name=WORKBOOK))
            with file_in_errors(aside / WORKBOOK):
                printing.write_printable(tables, aside / WORKBOOK, province, year, note, stamp)
    files = [*(CSV_FILES[name] for name in tables), *([NOTE] if lines else [])]
    return (files, NO_WORKBOOK) if xlsxwriter is None else ([*files, WORKBOOK], "")


def _note(tables: Mapping[str, pd.DataFrame], note: tuple[str, str] | None) -> list[str]:
    """Return the lines of the note in the language of the moment: the remark on all tables, and the columns to fill."""
    place = int(in_chinese())
    lines = [note[place]] if note is not None else []
    if "2-1" in tables:
        lines.append(CAPACITY[place])
    open_ = [f"- {words[place]}" for words in columns_to_fill(tables)]
    return lines + ([TO_FILL[place], *open_] if open_ else [])


CAPACITY = (
    "Table 2-1 prints the rated power under the heading of the draft, 装机容量(MWh); its figures are in MW.",
    "表 2-1 的装机容量栏按征求意见稿印作 MWh，所列数值的单位为 MW。",
)
"""Note of a unit of measure in which the annex errs."""


TO_FILL = (
    "Columns to fill, in the instance and then exported again, or in the tables by hand:",
    "待填写的列（在算例中填写后重新导出，或直接填入各表）：",
)
"""Heading of the columns of the note."""

NO_WORKBOOK = _(
    "The workbook needs xlsxwriter, which is not installed: only CSV files are written.\n\n"
    'Install it, `pip install "etsopt[excel]"`, and export again.'
)


def _check_size(tables: Mapping[str, pd.DataFrame]) -> None:
    """Raise UsageError if a table has more rows, or a text more characters, than a sheet takes."""
    for name, table in tables.items():
        if len(table) > MOST_ROWS - AROUND:
            most = MOST_ROWS - AROUND
            text = _("Table {name} has {rows:,} rows: a sheet of Excel takes {most:,}.")
            what = _(text, name=name, rows=len(table), most=most)
            raise UsageError(what, _("Export province by province with --province."))
        for heading in table.select_dtypes(object):
            long = table[heading].str.len() > MOST_CHARACTERS
            if long.any():
                row = int(long.to_numpy().argmax()) + 1
                text = _("Table {name}, row {row}, {heading}: the text has more than {most:,} characters.")
                what = _(text, name=name, row=row, heading=heading, most=MOST_CHARACTERS)
                raise UsageError(what, _("Shorten it in the instance, and solve again: a cell of Excel takes no more."))
