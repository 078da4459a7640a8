"""Run folders: ``result.json``, ``tables/<name>.csv`` or ``.parquet``, and the instance to check them against."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from etsopt.characters import escaped
from etsopt.data.aside import finish, read_whole, written_aside
from etsopt.data.files import naming
from etsopt.data.frames import as_written, read_table, types_of
from etsopt.data.write import FORMATS, check_format, instance_files, write_instance_files, write_table
from etsopt.errors import DataError, Problem, UsageError
from etsopt.progress import tell
from etsopt.results.run_schema import FILE, parse, tables_listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from etsopt.data.instance import Instance

T = TypeVar("T")

TABLES, INSTANCE = "tables", "instance"

FORMER_PART = "result.json.part"
"""What a save that was killed left before saves were written aside."""

OF_A_RUN = (b'"model"', b'"termination"', b'"certified"')
"""Keys by which a result.json is a run's, even where it is damaged."""


def write_run(
    folder: Path,
    content: dict[str, Any],
    tables: Mapping[str, pd.DataFrame],
    instance: Instance | None,
    table_format: str,
) -> None:
    """Write a run in place of the one that was there, as a whole.

    Raises
    ------
    UsageError
        If the folder holds files that no run wrote where this one writes, the format is unknown or needs a package that
        is not installed, or another process is writing to the folder.
    DataError
        If a table has two columns of one name, or a text that is none.
    OSError
        With the name of the file that cannot be written; what was there stays.
    """
    check_format(table_format)
    for name in tables:
        if not name or name.startswith(".") or Path(name).name != name or "\\" in name:
            raise UsageError(
                f"A table cannot be named {name!r}.", "Its name becomes that of a file: choose a plain one."
            )
    plain = {name: as_written(table, name) for name, table in tables.items()}
    names = [f"{name}.{table_format}" for name in tables]
    with written_aside(folder, lambda: files_of_run(folder, names)) as aside:
        for part in (TABLES, INSTANCE):
            (aside / part).mkdir()
        for name, table in plain.items():
            tell(f"writing {name}: {len(table):,} rows")
            write_table(table, aside / TABLES / f"{name}.{table_format}")
        if instance is not None:
            write_instance_files(instance, aside / INSTANCE, table_format)
        stated = content | {"tables": {name: types_of(table) for name, table in plain.items()}}
        with naming(aside / FILE):
            # The name of a folder may hold what a terminal obeys, and a file may be shown on one.
            text = escaped(json.dumps(stated, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"
            (aside / FILE).write_text(text, encoding="utf-8", newline="\n")


def see_that_writable(folder: Path) -> None:
    """See, before a long solve, that a run may be written to a folder.

    Raises
    ------
    UsageError
        As `files_of_run` does.
    """
    finish(folder)
    files_of_run(folder)


def holds_run(folder: Path | None) -> bool:
    """Whether a run is in a folder, whatever it holds."""
    return folder is not None and (folder / FILE).is_file()


def files_of_run(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """The files of the run in a folder, which a new one replaces; everything else in it stays.

    Parameters
    ----------
    names
        Of the tables that the new run has.

    Raises
    ------
    UsageError
        If there are tables, an instance or a ``result.json`` there that no run wrote.
    """
    path, tables = folder / FILE, folder / TABLES
    found = sorted(file for ending in FORMATS for file in tables.glob(f"*.{ending}") if file.is_file())
    content = path.read_bytes() if path.is_file() else b""
    wrote = all(key in content for key in OF_A_RUN)
    if wrote:
        listed = tables_listed(content)
        # Of a damaged run only what has the name of a table to be written is known to be its own.
        known = {Path(name).stem for name in names} if listed is None else listed
        own = [file for file in found if file.stem in known]
        foreign = [file for file in found if file not in own and file.name in names]
    elif (folder / FORMER_PART).is_file():
        own, foreign = found, []
    else:
        own, foreign = [], [*found, *instance_files(folder / INSTANCE), *([path] if content else [])]
    if foreign:
        what = f"The folder {str(folder)!r} holds {foreign[0].relative_to(folder)}, which no run wrote."
        raise UsageError(what, "Name another folder; a run would write over it.")
    marks = [mark for mark in (path, folder / FORMER_PART) if mark.is_file()]
    return [*own, *instance_files(folder / INSTANCE), *marks]


def read_run(folder: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame], tuple[str, ...] | None]:
    """Read what ``result.json`` says, the tables that are there, and the names of those that it lists, if it does.

    Raises
    ------
    UsageError
        If it is no run folder.
    DataError
        If a file of it is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        advice = "A run folder has a result.json; `etsopt solve` makes one."
        raise UsageError(f"There is no run in {str(folder)!r}.", advice)
    content, problems = parse(path.read_bytes())
    subject = f"The run {folder.name!r}"
    if problems:
        raise DataError(subject, problems)
    stated = content.pop("tables", None)
    files = sorted(file for ending in FORMATS for file in (folder / TABLES).glob(f"*.{ending}") if file.is_file())
    files = [file for file in files if stated is None or file.stem in stated]
    twice = [one for one, other in pairwise(files) if one.stem == other.stem]
    problems = [Problem(f"{TABLES}/{file.name}", "is there in two formats", "Keep one of them.") for file in twice]
    # The columns of texts of every model here are known; a model of the user's own may have had others.
    own_model, tables = not content.get("checked", True), {}
    for file in files:
        try:
            tables[file.stem] = read_table(file, None if stated is None else stated[file.stem], own_model)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(subject, problems)
    return content, tables, None if stated is None else tuple(stated)


def read_together(folder: Path, read: Callable[[], T]) -> T:
    """Read files of a run that all come from one save."""
    return read_whole(folder, FILE, read)
