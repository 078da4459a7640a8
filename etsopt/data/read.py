"""Read an instance from a folder of CSV tables and a policy file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from etsopt.data import shipped
from etsopt.data.instance import Instance
from etsopt.data.plain import read_plain_csv
from etsopt.data.policy import Policy, parse_policy
from etsopt.data.raw import RawTable, decode, read_csv
from etsopt.data.schema import TABLES, UNITS
from etsopt.errors import DataError, Problem, UsageError


def read_instance(source: str | Path) -> Instance:
    """Read an instance: a folder, or the name of one that comes with the package.

    Raises
    ------
    UsageError
        If there is no such folder and no instance of that name.
    DataError
        With every problem of every file.
    """
    folder = find_folder(source)
    policy, problems = _read_policy(folder / "policy.toml")
    try:
        return _read(folder, policy, problems, plainly=True)
    except DataError:
        # Whatever is wrong is told from the cells as they stand in the file.
        return _read(folder, policy, problems, plainly=False)


def _read(folder: Path, policy: Policy | None, of_policy: list[Problem], plainly: bool) -> Instance:
    """Read the tables beside a policy and its problems: plain files at once if wanted, others cell by cell."""
    problems: list[Problem] = []
    tables: dict[str, RawTable] = {}
    for table in TABLES:
        path = folder / table.file
        if path.is_file():
            content = path.read_bytes()
            raw = read_plain_csv(content, table) if plainly else None
            found: list[Problem] = []
            if raw is None:
                raw, found = read_csv(content, table.file)
            problems += found
            if raw is not None:
                tables[table.name] = raw
        elif table is UNITS:
            problems.append(Problem(table.file, "the file is missing", f"Add it; it holds {table.meaning}."))
    problems += of_policy
    if UNITS.name not in tables:
        raise DataError(f"The instance {folder.name!r}", problems)
    return Instance.from_raw(folder.name, tables, policy, problems)


def find_folder(source: str | Path) -> Path:
    """Find the folder of an instance by its path or its shipped name."""
    folder = Path(source)
    if folder.is_dir():
        return folder
    if str(source) in shipped.names():
        return shipped.folder(str(source))
    names = ", ".join(shipped.names())
    raise UsageError(
        f"There is no folder {str(source)!r}, and no shipped instance of that name.", f"Shipped are {names}."
    )


def _read_policy(path: Path) -> tuple[Policy | None, list[Problem]]:
    if not path.is_file():
        return None, [Problem(path.name, "the file is missing", "Add it; its least content is a year and a rule.")]
    text, problems = decode(path.read_bytes(), path.name)
    if problems:
        return None, problems
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [
            Problem(path.name, f"is not valid TOML ({error})", "Texts stand in quotes, tables in [brackets].")
        ]
    try:
        return parse_policy(content, path.name), []
    except DataError as error:
        return None, error.problems
