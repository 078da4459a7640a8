"""Run folders: ``result.json``, ``tables/<name>.csv`` or ``.parquet``, and the instance to check them against."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import from_json

from etsopt.checking.theorem import THEOREMS
from etsopt.common.characters import escaped
from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.common.progress import tell
from etsopt.common.provenance import FILE
from etsopt.data.files.atomic import file_in_errors
from etsopt.data.files.atomic_folder import finish, read_whole, replacing_folder
from etsopt.data.files.frames import as_written, read_table, types_of
from etsopt.data.files.write import FORMATS, check_format, instance_files, write_instance_files, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt.running.results.run_schema import Content

T = TypeVar("T")

TABLES, INSTANCE = "tables", "instance"
RUNS_SHOWN = 5

RUN_KEYS = (b'"model"', b'"termination"', b'"certified"')
"""Keys by which a result.json belongs to a run, even if it is damaged."""


def write_run(
    folder: Path,
    content: dict[str, Any],
    tables: Mapping[str, pd.DataFrame],
    instance: Instance | None,
    table_format: str,
) -> None:
    """Write a run in place of an earlier one, as a whole.

    Raises
    ------
    UsageError
        If the run would overwrite files that no run wrote, the format is unknown or needs a package that is not
        installed, or another process is writing to the folder.
    DataError
        If a table has two columns of one name, or an invalid string.
    OSError
        With the name of the file that cannot be written; the earlier run stays.
    """
    check_format(table_format)
    for name in tables:
        if not name or name.startswith(".") or Path(name).name != name or "\\" in name:
            raise UsageError(
                _("A table cannot be named {name!r}, as its file would be.", name=name), _("Choose a plain name.")
            )
    plain = {name: as_written(table, name) for name, table in tables.items()}
    names = [f"{name}.{table_format}" for name in tables]
    with replacing_folder(folder, lambda: files_of_run(folder, names)) as aside:
        (aside / TABLES).mkdir()
        for name, table in plain.items():
            tell(_("writing {name}: {count:,} rows", name=name, count=len(table)))
            write_table(table, aside / TABLES / f"{name}.{table_format}")
        if instance is not None:
            (aside / INSTANCE).mkdir()
            write_instance_files(instance, aside / INSTANCE, table_format)
        stated = content | {"tables": {name: types_of(table) for name, table in plain.items()}}
        with file_in_errors(aside / FILE):
            # The name of a folder may hold control sequences, and a terminal may show the file.
            text = escaped(json.dumps(stated, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"
            (aside / FILE).write_text(text, encoding="utf-8", newline="\n")


def require_writable(folder: Path) -> None:
    """Check, before a long solve, that a run may be written to a folder.

    Raises
    ------
    UsageError
        As `files_of_run` does.
    """
    finish(folder)
    files_of_run(folder)


def holds_run(folder: Path | None) -> bool:
    """Return True if a folder holds a run, even a damaged one."""
    return folder is not None and (folder / FILE).is_file()


def files_of_run(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Return the files of the run in a folder, which a new one replaces; other files stay.

    Parameters
    ----------
    names
        Files of the tables of the new run.

    Raises
    ------
    UsageError
        If there are tables, an instance or a ``result.json`` there that no run wrote.
    """
    path, tables = folder / FILE, folder / TABLES
    files = sorted(file for ending in FORMATS for file in tables.glob(f"*.{ending}") if file.is_file())
    content = path.read_bytes() if path.is_file() else b""
    is_run = all(key in content for key in RUN_KEYS)
    if is_run:
        listed = tables_listed(content)
        # Of a damaged run only a file with the name of a new table is known to be its own.
        known = {Path(name).stem for name in names} if listed is None else listed
        of_run = [file for file in files if file.stem in known]
        foreign = [file for file in files if file not in of_run and file.name in names]
    else:
        of_run, foreign = [], [*files, *instance_files(folder / INSTANCE), *([path] if content else [])]
    if foreign:
        what = _(
            "The folder {folder!r} holds {relative_to}, which no run wrote.",
            folder=str(folder),
            relative_to=foreign[0].relative_to(folder),
        )
        raise UsageError(what, _("Name another folder; a run would overwrite it."))
    return [*of_run, *instance_files(folder / INSTANCE), *([path] if path.is_file() else [])]


def tables_listed(content: bytes) -> set[str] | None:
    """Return the names of the tables that a file lists, whatever its other problems; None if it lists none."""
    try:
        parsed = from_json(content)
    except ValueError:
        return None
    listed = parsed.get("tables") if isinstance(parsed, dict) else None
    return set(listed) if isinstance(listed, dict) else None


def read_run(folder: Path) -> tuple[Content, dict[str, pd.DataFrame]]:
    """Read ``result.json`` and the tables in the folder, those that it lists, if it does.

    Raises
    ------
    UsageError
        If it is no run folder.
    DataError
        If a file of it is damaged.
    """
    path = folder / FILE
    if not path.is_file() and holds_run(beside := folder.with_suffix("")):
        what = _(
            "{folder!r} is a workbook for people; its run is in the folder {beside!r}.",
            folder=str(folder),
            beside=str(beside),
        )
        raise UsageError(what, _("Name that: {beside}", beside=beside))
    if not path.is_file():
        advice = _("Name a folder with a result.json, such as `etsopt solve --out` writes.")
        if (folder / "curve.json").is_file():
            advice = _(
                "It is a curve. Solve a value of it: etsopt solve INSTANCE --set KEY=VALUE --out RUN. Of a curve along "
                "one line `etsopt explain CURVE UNIT --at VALUE` explains a unit, and `etsopt.read_curve` has results."
            )
        elif inside := [str(one.parent) for one in sorted(folder.glob(f"*/{FILE}"))]:
            advice = _("Name one of its runs: {runs}.", runs=", ".join(inside[:RUNS_SHOWN]))
        raise UsageError(_("There is no run in {folder!r}.", folder=str(folder)), advice)
    # Who reads a run waits for its schema, and no solve does.
    from etsopt.running.results.run_schema import parse

    subject = f"The run {folder.name!r}"
    content = parse(path.read_bytes(), subject)
    stated = content.tables
    files = sorted(file for ending in FORMATS for file in (folder / TABLES).glob(f"*.{ending}") if file.is_file())
    files = [file for file in files if stated is None or file.stem in stated]
    repeated = [one for one, other in pairwise(files) if one.stem == other.stem]
    problems = [
        Problem(f"{TABLES}/{file.name}", _("is there in two formats"), _("Keep one of them.")) for file in repeated
    ]
    # The string columns of every library model are known; a user's own model may have others.
    own_model, tables = content.model not in THEOREMS, {}
    for file in files:
        try:
            tables[file.stem] = read_table(file, None if stated is None else stated[file.stem], own_model)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(subject, problems)
    return content, tables


def unlisted_files(folder: Path) -> list[str]:
    """Return the files of tables in a run folder that its ``result.json`` does not list."""
    listed = tables_listed((folder / FILE).read_bytes())
    files = sorted(file for ending in FORMATS for file in (folder / TABLES).glob(f"*.{ending}") if file.is_file())
    return [f"{TABLES}/{file.name}" for file in files if listed is not None and file.stem not in listed]


def read_together(folder: Path, read: Callable[[], T]) -> T:
    """Read files of a run, all from one save."""
    return read_whole(folder, FILE, read)
