"""Write an instance as a folder of tables, in CSV or Parquet, and a policy file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.data.parquet import SUFFIX, load_pyarrow, write_parquet
from etsopt.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from etsopt.data.instance import Instance


RISKY = r"'*[=+@\t\r-]"
PLAIN_NUMBER = r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?"

FORMATS = ("csv", "parquet")
"""In what a table may be written; each is also the ending of its file's name."""


def write_instance(instance: Instance, folder: Path, readme: str = "", table_format: str = FORMATS[0]) -> None:
    """Write the tables, ``policy.toml`` and a ``README.md`` into a folder, made if it is not there.

    Reading the folder again gives an instance with the same hash, whatever the format.

    Raises
    ------
    UsageError
        If the format is unknown, or needs a package that is not installed.
    """
    check_format(table_format)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in instance.tables.items():
        write_table(table, folder / f"{name}.{table_format}")
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    (folder / "policy.toml").write_text(to_toml(policy), encoding="utf-8", newline="\n")
    if readme:
        (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")


def check_format(table_format: str) -> None:
    """Refuse a format that is not one of `FORMATS`, or for which pyarrow is missing, before anything else is done."""
    if table_format not in FORMATS:
        raise UsageError(f"There is no format {table_format!r}.", f"Choose one of {', '.join(FORMATS)}.")
    if table_format != FORMATS[0]:
        load_pyarrow()


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table in the format that its file's name ends in: every number so that it reads back as itself.

    CSV is in UTF-8 with one line end. A text that a spreadsheet would run as a formula gets a leading apostrophe there,
    which reading a column of the user's own takes away.
    """
    if path.suffix == SUFFIX:
        write_parquet(table, path)
        return
    safe = table.copy(deep=False)
    for name in safe.columns:
        if safe[name].dtype == object or str(safe[name].dtype).startswith("str"):
            texts = safe[name].astype(str)
            risky = texts.str.match(RISKY) & ~texts.str.fullmatch(PLAIN_NUMBER)
            if risky.any():
                safe[name] = safe[name].where(~risky, "'" + texts)
    safe.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def to_toml(content: dict[str, Any], prefix: str = "") -> str:
    """Write nested dictionaries of plain values as TOML, the values of a table before its tables."""
    lines = [f"{_key(key)} = {_value(value)}" for key, value in content.items() if not isinstance(value, dict)]
    blocks = ["\n".join(lines)] if lines else []
    for key, value in content.items():
        if isinstance(value, dict) and value:
            path = f"{prefix}{_key(key)}"
            inner = to_toml(value, f"{path}.")
            blocks.append(inner if inner.startswith("[") else f"[{path}]\n{inner}")
    return "\n\n".join(block.rstrip("\n") for block in blocks) + "\n"


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
