"""Write an instance as a folder of CSV tables and a policy file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from etsopt.data.instance import Instance


RISKY = r"'*[=+@\t\r-]"
PLAIN_NUMBER = r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?"


def write_instance(instance: Instance, folder: Path, readme: str = "") -> None:
    """Write the tables, ``policy.toml`` and a ``README.md`` into a folder, made if it is not there.

    Reading the folder again gives an instance with the same hash.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in instance.tables.items():
        write_table(table, folder / f"{name}.csv")
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    (folder / "policy.toml").write_text(to_toml(policy), encoding="utf-8", newline="\n")
    if readme:
        (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV: UTF-8, one line end, every number so that it reads back as itself.

    A text that a spreadsheet would run as a formula gets a leading apostrophe, which reading a column of the user's
    own takes away.
    """
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
