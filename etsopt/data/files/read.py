"""Reader of instances: a folder of tables, in CSV or Parquet, and a policy file; or all of it in one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import DataError, Problem, UsageError, shortened
from etsopt.common.language import _
from etsopt.data.files import shipped
from etsopt.data.files.atomic_folder import finish
from etsopt.data.files.csv_fast import read_csv_fast
from etsopt.data.files.lenient.ignored_content import notes_of_policy
from etsopt.data.files.lenient.one_file import SUFFIXES, find_file, order_of_file, read_one_file, take_as_meant, tell
from etsopt.data.files.lenient.table_plausibility import columns_in, doubted
from etsopt.data.files.parquet import SUFFIX, read_parquet
from etsopt.data.files.problem_places import in_sheet, locate_problems
from etsopt.data.files.workbook import WORKBOOKS
from etsopt.data.instance import Instance
from etsopt.data.policy.parsing import parse_policy
from etsopt.data.policy.policy import Policy
from etsopt.data.policy.toml import LARGEST_BYTES, parse_toml
from etsopt.data.tables.headings import as_stated, in_schema
from etsopt.data.tables.raw import RawTable, decode, read_csv
from etsopt.data.tables.schema import TABLES, UNITS
from etsopt.data.tables.validate import validate_table

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from etsopt.data.files.lenient.found import OneFile
    from etsopt.data.tables.table import Table


POLICY = "policy.toml"
REGISTER, REPORTS, PARAMETERS, STORE = "register.csv", "reports", "accounting.toml", "reports.duckdb"
"""Where an instance has its monthly reports: a register, reports and parameters, or a store of all of them."""

Complete = Callable[[int, RawTable | None], tuple[dict[str, RawTable], list[Problem]]]
Wanted = Callable[[Policy], Policy]


DEFAULT_POLICY: dict[str, Any] = {"year": 2026, "rule": {"name": "cn"}}
"""Policy of a file without one: the newest plan of China's system."""


def read_instance(
    source: str | Path,
    complete: Complete | None = None,
    evaluate: Callable[[Instance], Any] | None = None,
    wanted: Wanted | None = None,
    given: Collection[str] = (),
    stated: Collection[str] = (),
) -> Instance:
    """Read an instance from a folder or from one file, or by the name of a shipped one.

    Parameters
    ----------
    complete
        A function that returns the units of the year of the policy from those that ``units.csv`` states, if it exists,
        and problems; None if that has them all.
    evaluate
        A function that raises DataError for an instance that its rule refuses; its problems name sheets and cells.
    wanted
        A function that returns the policy that is wanted in place of the one that is read, before anything is validated
        under it. DataError, if it refuses that, is reported beside the problems of the tables.
    given
        Keys of the policy that it changes, in the words of the schema.
    stated
        Further keys that are stated elsewhere, so that they are not assumed of a file.

    Raises
    ------
    UsageError
        If there is no such folder or file and no instance of that name.
    DataError
        With every problem of every file.
    """
    found = None
    if is_file(source):
        find_file(Path(source))
        found = read_one_file(Path(source))
        # What a change states is no longer what the sheet says.
        found.policy_cells = {key: cell for key, cell in found.policy_cells.items() if key not in given}
        instance = instance_of_file(Path(source), found, {*given, *stated}, wanted)
    else:
        instance = _read_folder(source, complete, wanted)
    instance = replace(instance, given=frozenset(given))
    if evaluate is not None:
        with locate_problems(found.tables if found else {}, found):
            evaluate(instance)
    return instance


def is_file(source: str | Path) -> bool:
    """Return True if an instance is in one file, by the suffix of its name."""
    return Path(source).suffix.lower() in SUFFIXES and not Path(source).is_dir()


def instance_of_file(
    path: Path, found: OneFile, elsewhere: Collection[str] = (), wanted: Wanted | None = None
) -> Instance:
    """Return the instance of a workbook, or of a file of units; keys that are stated elsewhere are not assumed."""
    content, problems, of_assumed = found.policy or {}, found.problems, tuple[str, ...]()
    assumed = {key: value for key, value in DEFAULT_POLICY.items() if key not in content}
    stated = {key.partition(".")[0] for key in elsewhere if key == "rule.name" or not key.startswith("rule.")}
    told = {key: value for key, value in assumed.items() if key not in stated}
    policy, of_policy = None, []
    try:
        policy = parse_policy(assumed | content, found.place_of_policy)
    except DataError as error:
        of_policy = [in_sheet(problem, found) for problem in error.problems]
    policy, of_change = _as_wanted(policy, wanted)
    of_policy += of_change
    year = policy.year if policy is not None else content.get("year")
    take_as_meant(found, None if "year" in told or not isinstance(year, int) else year)
    if {problem.place for problem in problems} <= {raw.place for raw in found.tables.values()}:
        of_assumed = tuple(notes_of_policy(path.name, told, found.years))
    tell((*found.sentences, *of_assumed))
    with locate_problems(found.tables, found):
        instance = Instance.from_raw(path.stem, found.tables, policy, problems, of_policy, True)
    raw = found.tables[UNITS.name]
    instance = doubted(instance, raw.place, columns_in(raw), tuple(found.sentences))
    told_of = {**instance.assumed, **({"policy": of_assumed} if of_assumed else {})}
    return replace(instance, order=order_of_file(instance, raw), assumed=told_of)


def _as_wanted(policy: Policy | None, wanted: Wanted | None) -> tuple[Policy | None, list[Problem]]:
    """Return the policy that is wanted in place of one that was read, or the problems of that."""
    try:
        return (policy if policy is None or wanted is None else wanted(policy)), []
    except DataError as error:
        return policy, error.problems


def _read_folder(source: str | Path, complete: Complete | None, wanted: Wanted | None) -> Instance:
    """Read an instance from a folder."""
    folder = find_folder(source)
    finish(folder)
    policy, problems = read_policy(folder / POLICY)
    policy, of_change = _as_wanted(policy, wanted)
    problems += of_change
    try:
        return _read(folder, policy, problems, complete, fast=True)
    except DataError:
        # Problems are reported from the raw cells of the file.
        return _read(folder, policy, problems, complete, fast=False)


def _read(
    folder: Path, policy: Policy | None, of_policy: list[Problem], complete: Complete | None, fast: bool
) -> Instance:
    """Read the tables beside a policy and its problems, fast if that is possible."""
    problems: list[Problem] = []
    tables: dict[str, RawTable] = {}
    readable = True
    for table in TABLES:
        raw, of_table = _read_table(folder, table, fast, needed=table is UNITS and complete is None)
        problems += of_table
        readable &= table is not UNITS or not of_table
        if raw is not None:
            tables[table.name] = raw
    if complete is not None:
        stated = tables.pop(UNITS.name, None)
        # Without the policy, or with a file of units that cannot be read, what is missing cannot be told.
        if policy is not None and readable:
            found, of_reports = complete(policy.year, stated)
            # A table of enterprises of the folder itself takes precedence.
            tables = found | tables
            problems += of_reports
    with locate_problems(tables):
        return Instance.from_raw(_name_of(folder), tables, policy, problems, of_policy)


def _name_of(folder: Path) -> str:
    """Return the name of an instance: that of its folder, or of the run or curve that keeps it inside."""
    path = folder.resolve() if ".." in folder.parts else folder.absolute()
    kept = {("instance",): path.parent, ("anchor", "instance"): path.parent.parent}
    names = (kept[own].name for own in (path.parts[-2:], path.parts[-1:]) if own in kept)
    return next(filter(None, names), path.name)


def read_units(path: Path) -> pd.DataFrame:
    """Read a table of units alone, in CSV or Parquet, validated by itself.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        With every problem of its cells.
    """
    if not path.is_file():
        raise UsageError(_("There is no file {path!r}.", path=str(path)), _("Name a file of units in CSV or Parquet."))
    raw, problems = read_parquet(path) if path.suffix == SUFFIX else read_csv(path.read_bytes(), path.name)
    if raw is not None:
        named, problems = in_schema(raw, UNITS)
        units, of_cells = validate_table(named, UNITS)
        problems += [as_stated(problem, named) for problem in of_cells]
        if not problems:
            return units
    raise DataError(_("The file {path!r}", path=str(path)), problems)


def _read_table(folder: Path, table: Table, fast: bool, needed: bool) -> tuple[RawTable | None, list[Problem]]:
    """Read the file of a table; return None if it has none, with a problem if it is needed."""
    paths = [path for name in table.files if (path := folder / name).is_file()]
    if len(paths) > 1:
        return None, [Problem(table.file, _("is present beside {name}", name=paths[1].name), _("Keep one of them."))]
    if not paths:
        missing = Problem(table.file, _("the file is missing"), _("Add it; it holds {meaning}.", meaning=table.meaning))
        return None, [missing] if needed else []
    if paths[0].suffix == SUFFIX:
        return read_parquet(paths[0])
    content = paths[0].read_bytes()
    raw = read_csv_fast(content, table) if fast else None
    return (raw, []) if raw is not None else read_csv(content, table.file, partly=True)


def reports_in(folder: Path) -> Path | None:
    """Return where an instance has its monthly reports: the folder itself, or its store; None without any.

    Reports that lie there are never passed over, and where ``units.csv`` is missing, a register alone is enough: what
    else is needed, their reader says.

    Raises
    ------
    DataError
        If it has both.
    """
    store = folder / STORE
    parts = [name for name in (REGISTER, REPORTS) if (folder / name).exists()]
    if store.is_file():
        beside = [*parts, *(name for name in (PARAMETERS,) if (folder / name).exists())]
        problems = [
            Problem(name, _("is present beside {store}, which has its own", store=STORE), KEEP_ONE) for name in beside
        ]
        if problems:
            raise DataError(_("The instance {name!r}", name=_name_of(folder)), problems)
        return store
    alone = not any((folder / name).is_file() for name in UNITS.files)
    files = (folder / REPORTS).iterdir() if REPORTS in parts and (folder / REPORTS).is_dir() else ()
    filed = any(path.suffix.lower() in (".csv", *WORKBOOKS) for path in files)
    return folder if len(parts) == 2 or filed or (parts and alone) else None


KEEP_ONE = _(
    "Keep one of them; to change the store, import the folder into it: etsopt store import DIR/{store} FOLDER",
    store=STORE,
)


def find_folder(source: str | Path) -> Path:
    """Return the folder of an instance or of monthly reports by its path, or by its shipped name.

    Raises
    ------
    UsageError
        If there is no such folder and no instance of that name.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder
    known = shipped.names()
    if str(source) in known:
        return shipped.folder(str(source))
    raise UsageError(
        _("There is no folder {source!r}, and no shipped instance of that name.", source=str(source)),
        _("Name a folder, or one of {known}.", known=", ".join(known)),
    )


def read_policy(path: Path) -> tuple[Policy | None, list[Problem]]:
    """Read a policy file, or return its problems."""
    if not path.is_file():
        return None, [Problem(path.name, _("the file is missing"), _("Add it, with at least a year and a rule."))]
    if (size := path.stat().st_size) > LARGEST_BYTES:
        what = _("has {size:,} bytes: expected at most {largest_bytes:,}", size=size, largest_bytes=LARGEST_BYTES)
        return None, [Problem(path.name, what, _("Check that it is the right file."))]
    text, problems = decode(path.read_bytes(), path.name)
    if problems:
        return None, problems
    try:
        return parse_policy(parse_toml(text), path.name), []
    except DataError as error:
        return None, error.problems
    except ValueError as error:
        advice = _("Write texts in quotes and names of tables in [brackets].")
        if "%" in text:
            advice = _("{advice} A share is a fraction: -0.01, not -1 %.", advice=advice)
        if not text.isascii():
            advice = _('{advice} A Chinese key needs quotes: "{key}" = 2026.', advice=advice, key="年度")
        return None, [Problem(path.name, _("is not valid TOML ({error})", error=shortened(str(error), 300)), advice)]
