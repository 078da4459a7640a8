"""Exports: the folder that a store could have been imported from, or its tables as Parquet files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.accounting.schema import REGISTER, ROWS
from etsopt.accounting.store.journal import look_back
from etsopt.accounting.store.ledger import JOURNALLED
from etsopt.accounting.store.opening import open_store
from etsopt.accounting.store.reading import parameters_text, reports_of
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.progress import tell
from etsopt.data.files.atomic_folder import replacing_folder, require_empty
from etsopt.data.files.read import PARAMETERS, REPORTS
from etsopt.data.files.write import FORMATS, write_table
from etsopt.data.tables.user_columns import as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.accounting.store.schema import Connection

PLAIN_NAME = re.compile(rf"{REPORTS}/(?!\.)[\w .-]{{1,100}}(?<![ .])\.csv")
"""Names of files that are kept; those of other rows are their years."""


def export_reports(
    path: str | Path,
    folder: str | Path,
    table_format: str = "csv",
    as_of: int | str | None = None,
    wait_s: float | None = None,
) -> list[str]:
    """Write a store into a new or empty folder, and return the names of the files.

    Parameters
    ----------
    table_format
        ``csv`` for ``register.csv``, ``reports/*.csv`` with every version of every row, and ``accounting.toml``, which
        are read and imported as any folder of reports. ``parquet`` for all tables of the store, the journal and review
        included, a file each.
    as_of
        Number of an entry of the journal, or a day such as 2026-01-31; None for the present.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.

    Raises
    ------
    UsageError
        As `open_store` does, if there is no such entry or format, or the folder is not empty.
    OSError
        With the name of the file that could not be written.
    """
    if table_format not in FORMATS:
        raise UsageError(
            _("There is no format {table_format!r}.", table_format=table_format),
            _("Choose one of {formats}.", formats=", ".join(FORMATS)),
        )
    folder = Path(folder)
    require_empty(folder)
    with replacing_folder(folder, lambda: []) as aside, open_store(path, wait_s=wait_s, reach=aside) as opened:
        look_back(opened, as_of)
        names = list(_parquet(opened, aside) if table_format == "parquet" else _csv(opened, aside))
    return sorted(names)


def _parquet(opened: Connection, aside: Path) -> Iterator[str]:
    """Write every table by DuckDB itself."""
    for name in JOURNALLED:
        target = str(aside / f"{name}.parquet").replace("'", "''")
        opened.execute(f"COPY (SELECT * FROM \"seen_{name}\") TO '{target}' (FORMAT parquet)")
        yield f"{name}.parquet"


def _csv(opened: Connection, aside: Path) -> Iterator[str]:
    reports = reports_of(opened)
    write_table(_shown(as_texts(reports.register), REGISTER), aside / REGISTER.file)
    yield REGISTER.file
    if text := parameters_text(opened):
        (aside / PARAMETERS).write_text(text, encoding="utf-8", newline="\n")
        yield PARAMETERS
    (aside / REPORTS).mkdir()
    rows = as_texts(reports.rows)
    year = REPORTS + "/" + rows["month"].str[:4] + ".csv"
    plain = rows["file"].map({name: bool(PLAIN_NAME.fullmatch(name)) for name in pd.unique(rows["file"])})
    file = rows["file"].where(plain, year)
    rows = rows.drop(columns=["file", "line"]).assign(version=rows["version"].astype(int))
    for name in pd.unique(file):
        tell(_("writing {name}", name=name))
        write_table(_shown(rows[(file == name).to_numpy()], ROWS), aside / name)
        yield str(name)


def _shown(table: pd.DataFrame, schema: Any) -> pd.DataFrame:
    """Return a table without optional columns, and columns of the user, that are empty."""
    needed = {column.name for column in schema.columns if column.required}
    return table[[name for name in table if name in needed or not (table[name].isna() | (table[name] == "")).all()]]
