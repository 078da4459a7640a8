"""Writer of instances: a folder of tables, in CSV or Parquet, and a policy file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.files.atomic import file_in_errors
from etsopt.data.files.atomic_folder import replacing_folder
from etsopt.data.files.parquet import SUFFIX, load_pyarrow, write_parquet
from etsopt.data.tables.raw import FORMULA_BEGINS
from etsopt.data.tables.schema import TABLES
from etsopt.data.tables.user_columns import as_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


RISKY = f"'*[{FORMULA_BEGINS}]"
PLAIN_NUMBER = r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?"

RISKY_BEGINNINGS = frozenset("'" + FORMULA_BEGINS)

PLAIN_TYPES = ("f8", "i8", "b1")
"""Number types whose text is that of the Python number."""

ROWS_AT_ONCE = 100_000

MANY_ROWS = 20_000
"""Rows from which pyarrow writes a table if it is installed, so that smaller ones have the same bytes everywhere."""

LIKE_PYTHON = 1e-4, 1e10
"""Sizes from and below which pyarrow writes a number as Python does."""

MOST_WHOLE = 1e15
"""Whole numbers below this are written with all their digits, as Python does."""

FORMATS = ("csv", "parquet")
"""Formats of a table; each is also the suffix of its file."""

INSTANCE_FILES = ("policy.toml", *(file for table in TABLES for file in table.files))
"""Possible files of an instance, beside its README."""


def write_instance(instance: Instance, folder: Path, readme: str = "", table_format: str = FORMATS[0]) -> None:
    """Write the tables, ``policy.toml`` and a ``README.md`` into a folder, which is created if missing.

    The instance read from the folder has the same hash, whatever the format. A previous instance is replaced as a
    whole, or remains as a whole if writing fails.

    Raises
    ------
    UsageError
        If the format is unknown, or needs a package that is not installed, or another process writes to the folder.
    OSError
        With the name of the file that could not be written.
    """
    check_format(table_format)
    with replacing_folder(folder, lambda: instance_files(folder)) as aside:
        write_instance_files(instance, aside, table_format)
        if readme:
            _write_text(readme, aside / "README.md")


def instance_files(folder: Path) -> list[Path]:
    """Return the files of an instance that are in a folder."""
    return [path for name in INSTANCE_FILES if (path := folder / name).is_file()]


def write_instance_files(instance: Instance, folder: Path, table_format: str) -> None:
    """Write the tables and ``policy.toml`` one by one."""
    for name, table in instance.tables.items():
        write_table(as_texts(table), folder / f"{name}.{table_format}")
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    _write_text(to_toml(policy), folder / "policy.toml")


def _write_text(text: str, path: Path) -> None:
    with file_in_errors(path):
        path.write_text(text, encoding="utf-8", newline="\n")


def check_format(table_format: str) -> None:
    """Raise UsageError if a format is not one of `FORMATS`, or needs pyarrow, which is missing."""
    if table_format not in FORMATS:
        raise UsageError(
            _("There is no format {table_format!r}.", table_format=table_format),
            _("Choose one of {formats}.", formats=", ".join(FORMATS)),
        )
    if table_format != FORMATS[0]:
        load_pyarrow()


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table in the format of its file's suffix, with numbers that are read back exactly.

    CSV is in UTF-8 with one kind of line end. A text that a spreadsheet would run as a formula gets a leading
    apostrophe there, which the reader removes in user columns.

    Raises
    ------
    OSError
        With the name of the file.
    """
    with file_in_errors(path):
        if path.suffix == SUFFIX:
            write_parquet(table, path)
        elif not _write_fast(table, path):
            _write_protected(table, path)


def _write_protected(table: pd.DataFrame, path: Path) -> None:
    """Write a table by pandas, with texts quoted if needed and protected from spreadsheets."""
    protected(table).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def protected(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which a text that a spreadsheet would run as a formula has a leading apostrophe."""
    safe = table.copy(deep=False)
    for name in safe.columns:
        if safe[name].dtype == object or str(safe[name].dtype).startswith("str"):
            texts = safe[name].astype(str)
            risky = texts.str.match(RISKY) & ~texts.str.fullmatch(PLAIN_NUMBER)
            if risky.any():
                safe[name] = safe[name].where(~risky, "'" + texts)
    return safe


def _write_fast(table: pd.DataFrame, path: Path) -> bool:
    """Write a table whose texts need neither quotation marks nor protection, three times as fast as pandas.

    Returns
    -------
    bool
        False, with nothing written, if a text needs either or a column has another type.
    """
    columns = [table[name].to_numpy() for name in table.columns]
    texts = [column for column in columns if column.dtype == object]
    known = all(column.dtype == object or column.dtype.str[1:] in PLAIN_TYPES for column in columns)
    if not known or len(columns) < 2 or not all(map(_is_plain, [[str(name) for name in table.columns], *texts])):
        return False
    if len(table) >= MANY_ROWS and (written := _arrow_writer()) is not None:
        written([str(name) for name in table.columns], columns, path)
        return True
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(table.columns) + "\n")
        for start in range(0, len(table), ROWS_AT_ONCE):
            parts = [_written(column[start : start + ROWS_AT_ONCE]) for column in columns]
            file.writelines(f"{line}\n" for line in map(",".join, zip(*parts, strict=True)))
    return True


def _arrow_writer() -> Callable[[list[str], list[NDArray[Any]], Path], None] | None:
    """Return a writer of plain columns by pyarrow; None if that is not installed."""
    try:
        import pyarrow as arrow
        from pyarrow import compute, csv
    except ImportError:
        return None

    def array(cells: NDArray[Any]) -> Any:
        """Return cells as pyarrow has to write them: whole numbers of a column of decimals keep their point."""
        if cells.dtype.kind == "b":
            return compute.if_else(arrow.array(cells), "True", "False")
        if cells.dtype.kind != "f":
            return arrow.array(cells, from_pandas=True)
        size = np.abs(cells)
        whole = (size < MOST_WHOLE) & (cells == np.floor(cells)) & ~((cells == 0) & np.signbit(cells))
        texts = arrow.array(cells, from_pandas=True).cast(arrow.string())
        integers = arrow.array(np.where(whole, cells, 0).astype(np.int64)).cast(arrow.string())
        texts = compute.if_else(arrow.array(whole), compute.binary_join_element_wise(integers, ".0", ""), texts)
        # Only of other sizes do pyarrow and Python write a number with different signs.
        apart = ~whole & ~((size >= LIKE_PYTHON[0]) & (size < LIKE_PYTHON[1])) & ~np.isnan(cells)
        if apart.any():
            texts = compute.replace_with_mask(texts, arrow.array(apart), arrow.array(_written(cells[apart])))
        return texts

    def write(names: list[str], columns: list[NDArray[Any]], path: Path) -> None:
        table = arrow.table([array(column) for column in columns], names)
        with path.open("wb") as file:
            file.write((",".join(names) + "\n").encode())
            csv.write_csv(table, file, csv.WriteOptions(include_header=False, quoting_style="none"))

    return write


def _is_plain(texts: Any) -> bool:
    """Return True if every cell is a text that needs no quotation marks, and no spreadsheet would run it."""
    try:
        text = "\n".join(texts)
    except TypeError:
        return False
    unquoted = text.count("\n") == len(texts) - 1 and not any(sign in text for sign in ',"\r')
    return unquoted and RISKY_BEGINNINGS.isdisjoint({cell[:1] for cell in texts})


def _written(cells: NDArray[Any]) -> list[str]:
    """Return cells as text: numbers that are read back exactly, absent ones empty."""
    if cells.dtype.kind == "f":
        return ["" if number != number else repr(number) for number in cells.tolist()]
    return cells.tolist() if cells.dtype == object else list(map(str, cells.tolist()))


def to_toml(content: dict[str, Any], prefix: str = "") -> str:
    """Write nested dictionaries of plain values as TOML, the values of a table before its tables."""
    lines = [f"{_key(key)} = {toml_value(value)}" for key, value in content.items() if not isinstance(value, dict)]
    blocks = ["\n".join(lines)] if lines else []
    for key, value in content.items():
        if isinstance(value, dict):
            path = f"{prefix}{_key(key)}"
            inner = to_toml(value, f"{path}.")
            blocks.append(inner if inner.startswith("[") else f"[{path}]\n{inner}")
    return "\n\n".join(block.rstrip("\n") for block in blocks) + "\n"


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else toml_value(key)


def toml_value(value: Any) -> str:
    """Return a plain value in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(str(key))} = {toml_value(item)}' for key, item in value.items())}}}"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
