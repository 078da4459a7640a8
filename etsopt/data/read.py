"""Read an instance from a folder of tables, in CSV or Parquet, and a policy file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.data import shipped
from etsopt.data.aside import finish
from etsopt.data.csv_fast import read_plain_csv
from etsopt.data.instance import Instance
from etsopt.data.parquet import SUFFIX, read_parquet
from etsopt.data.policy import Policy, parse_policy
from etsopt.data.raw import RawTable, decode, read_csv
from etsopt.data.schema import TABLES, UNITS
from etsopt.data.toml import LARGEST_BYTES, parse_toml
from etsopt.errors import DataError, Problem, UsageError, shortened

if TYPE_CHECKING:
    from etsopt.data.table import Table


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
    finish(folder)
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
        raw, found = _read_table(folder, table, plainly)
        problems += found
        if raw is not None:
            tables[table.name] = raw
    problems += of_policy
    if UNITS.name not in tables:
        raise DataError(f"The instance {folder.name!r}", problems)
    try:
        return Instance.from_raw(folder.name, tables, policy, problems)
    except DataError as error:
        # What tables say together is said of their files in CSV, whichever they came from.
        places = {table.file: tables[table.name].place for table in TABLES if table.name in tables}
        of_files = [replace(problem, place=places.get(problem.place, problem.place)) for problem in error.problems]
        raise DataError(error.subject, of_files) from None


def _read_table(folder: Path, table: Table, plainly: bool) -> tuple[RawTable | None, list[Problem]]:
    """Read the file of a table; nothing where it has none and needs none."""
    paths = [path for name in table.files if (path := folder / name).is_file()]
    if len(paths) > 1:
        return None, [Problem(table.file, f"is there beside {paths[1].name}", "Keep one of them.")]
    if not paths:
        missing = Problem(table.file, "the file is missing", f"Add it; it holds {table.meaning}.")
        return None, [missing] if table is UNITS else []
    if paths[0].suffix == SUFFIX:
        return read_parquet(paths[0])
    content = paths[0].read_bytes()
    raw = read_plain_csv(content, table) if plainly else None
    return (raw, []) if raw is not None else read_csv(content, table.file)


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
    if (size := path.stat().st_size) > LARGEST_BYTES:
        what = f"has {size:,} bytes, more than the {LARGEST_BYTES:,} that a policy can have"
        return None, [Problem(path.name, what, "See that it is the right file.")]
    text, problems = decode(path.read_bytes(), path.name)
    if problems:
        return None, problems
    try:
        return parse_policy(parse_toml(text), path.name), []
    except DataError as error:
        return None, error.problems
    except ValueError as error:
        advice = "Texts stand in quotes, tables in [brackets]."
        return None, [Problem(path.name, f"is not valid TOML ({shortened(str(error), 300)})", advice)]
