"""The files that every folder of a curve has: ``curve.json``, which says what moves, and tables beside it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.data.files.atomic import file_in_errors
from etsopt.data.files.atomic_folder import finish, replacing_folder
from etsopt.data.files.frames import as_written, read_table, types_of
from etsopt.data.files.write import FORMATS, check_format, write_table
from etsopt.running.provenance import versions
from etsopt.running.reading import instance_checked
from etsopt.running.results.claims import unchecked_words
from etsopt.running.results.run_folder import holds_run, unlisted_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from etsopt.checking.verdict import Violation
    from etsopt.data.instance import Instance
    from etsopt.running.reading import InstanceChecked
    from etsopt.running.results.results import Results
    from etsopt.studies.curves.axes import Axis
    from etsopt.studies.curves.line_curve import LineCurve

FILE = "curve.json"
POINTS = "points"
"""Name of the table of a box."""

TABLES = ("pieces", "multipliers", "infeasible", "prices", POINTS, "regions")
"""Tables of curves and boxes of any kind."""

ANCHOR, RUNS, PAGE = "anchor", "runs", "report.html"
"""Folders of the run of a curve of allocations and of those of a curve of prices, and the page that reports write."""

TEXTS = ("level", "row", "index", "price_unit", "status")
"""Columns of texts."""

TRUTHS = ("certified", "solved")
"""Columns of true or false; the others hold numbers."""

OPEN = ("cost_from_cny", "cost_to_cny", "gap_cny", "tolerance_cny")
"""Columns of numbers that a piece without a proof need not have, as a point need not have tonnes."""

VALUES_AGREE = 1e-6
"""Relative difference of a stated value of an objective from the one that is recomputed."""

ADVICE = _("Make the curve again; a curve is not changed by hand.")


class StatedCurve(BaseModel):
    """What ``curve.json`` states of any curve."""

    model_config = ConfigDict(strict=True, extra="forbid")

    instance: str = Field(description="name of the instance")
    keys: dict[str, tuple[FiniteFloat, FiniteFloat]] = Field(description="both values of every key that moves")
    termination: str = Field(description="optimal, or why the search ended")
    certified_share: FiniteFloat = Field(description="share of the feasible length that is proven")
    solves: int = Field(description="solves of the search")
    seconds: FiniteFloat = Field(description="time of the search [s]")
    versions: dict[str, str] = Field(
        default_factory=lambda: versions().model_dump(), description="versions that decide an answer"
    )
    tables: dict[str, dict[str, str]] = Field(default_factory=dict, description="types of the columns of every table")

    @classmethod
    def of(cls, curve: LineCurve[Any, Any], **own: Any) -> Self:
        """Return what a curve states, with what its kind adds."""
        return cls(
            instance=curve.about.instance,
            keys=dict(curve.axis.ends),
            termination=curve.termination,
            certified_share=curve.certified_share,
            solves=curve.solver.solves,
            seconds=curve.seconds,
            **own,
        )

    def refused(self, instance: str, certified_share: float) -> Iterator[str]:
        """Yield what these say of any curve, and the curve does not have."""
        if self.instance != instance:
            yield str(_("the instance is {name}, not {stated}", name=instance, stated=self.instance))
        if abs(certified_share - self.certified_share) > VALUES_AGREE:
            text = _("certified_share is {found:.9g}, not {stated:.9g}")
            yield str(_(text, found=certified_share, stated=self.certified_share))


S = TypeVar("S", bound=StatedCurve)


@dataclass(frozen=True)
class CurveCheck:
    """What the check of a curve proved.

    Parameters
    ----------
    pieces, proven
        Number of pieces, and of those that are proven.
    certified_share
        Share of the feasible length that is proven.
    refused
        What does not hold, in words.
    not_checked
        What the folder says beside its answer, and files in it that are not read.
    of_points
        True of a box of two keys, of which points are proven in place of pieces.
    instance
        The instance of which it proves something.
    """

    pieces: int
    proven: int
    certified_share: float
    refused: tuple[str, ...]
    not_checked: tuple[str, ...] = ()
    of_points: bool = False
    instance: InstanceChecked | None = None

    @classmethod
    def of(
        cls, curve: LineCurve[Any, Any], refused: Iterable[str], beside: Iterable[str], about: InstanceChecked
    ) -> CurveCheck:
        """Return the check of a curve of which some statements are refused, and others not checked."""
        pieces = curve.cover.pieces
        proven = sum(piece.certified for piece in pieces)
        return cls(len(pieces), proven, curve.certified_share, tuple(refused), tuple(beside), instance=about)

    @property
    def holds(self) -> bool:
        """True if everything that the curve states is proven."""
        return not self.refused


def write_files(
    folder: Path,
    stated: StatedCurve,
    tables: Mapping[str, pd.DataFrame],
    table_format: str,
    runs: Mapping[str, Results],
) -> None:
    """Write the files of a curve in place of those of an earlier one of any kind, after its runs by their places.

    Tables and runs that only the earlier one has are removed, and so is its page.

    Raises
    ------
    UsageError
        If the folder holds something else, or the format is unknown.
    """
    check_format(table_format)
    require_free(folder)
    for place, run in runs.items():
        run.save(folder / place, table_format=table_format)
    plain = {name: as_written(table, name) for name, table in tables.items()}
    stated = stated.model_copy(update={"tables": {name: types_of(table) for name, table in plain.items()}})
    with replacing_folder(folder, lambda: _files(folder, tables)) as aside:
        for name, table in plain.items():
            write_table(table, aside / f"{name}.{table_format}")
        with file_in_errors(aside / FILE):
            text = json.dumps(stated.model_dump(), indent=1, ensure_ascii=False) + "\n"
            (aside / FILE).write_text(text, encoding="utf-8", newline="\n")
    for held in (*folder.glob(ANCHOR), *folder.glob(f"{RUNS}/*")):
        if held.relative_to(folder).as_posix() not in runs and holds_run(held):
            shutil.rmtree(held)


def _files(folder: Path, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Return the files of an earlier curve, whose tables may be others, and of its page."""
    try:
        earlier = [*json.loads((folder / FILE).read_bytes())["tables"]]
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        earlier = []
    of_curves = [name for name in earlier if name in TABLES]
    names = (FILE, PAGE, *(f"{name}.{ending}" for name in {*tables, *of_curves} for ending in FORMATS))
    return [folder / name for name in names if (folder / name).is_file()]


def require_free(folder: Path) -> bool:
    """Require that a folder is new or empty, or holds a curve or a box, and return True if it holds one.

    Raises
    ------
    UsageError
        If it holds something else.
    """
    held = [folder] if folder.is_file() else [*folder.iterdir()] if folder.is_dir() else []
    if held and not (folder / FILE).is_file():
        what = _("{folder!r} is there, and holds no curve.", folder=str(folder))
        raise UsageError(what, _("Name another folder by --out."))
    return bool(held)


def kind_of(folder: Path) -> str:
    """Return what a folder holds: ``prices``, whose file states a model, a ``box`` with points, or else ``curve``."""
    finish(folder)
    if not (folder / FILE).is_file():
        what = _("{folder!r} holds no curve: {name} is missing.", folder=str(folder), name=FILE)
        raise UsageError(what, _("Name a folder that `etsopt curve --out` wrote."))
    try:
        stated = json.loads((folder / FILE).read_bytes())
        return "prices" if "model" in stated else "box" if POINTS in stated["tables"] else "curve"
    except (ValueError, TypeError, LookupError, RecursionError):
        return "curve"


def read_files(
    folder: Path, kind: type[S], columns: Mapping[str, tuple[str, ...]]
) -> tuple[S, dict[str, pd.DataFrame]]:
    """Read ``curve.json`` and the tables beside it.

    Parameters
    ----------
    columns
        Columns that each table needs.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    try:
        stated = kind.model_validate_json((folder / FILE).read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        what = _("is no curve: {place}: {text}", place=".".join(map(str, first["loc"])), text=first["msg"])
        raise DataError(_("The curve"), [Problem(FILE, what, ADVICE)]) from None
    tables: dict[str, pd.DataFrame] = {}
    problems = [
        Problem(FILE, _("lists the table {table}, which no curve has", table=name), ADVICE)
        for name in stated.tables
        if name not in columns
    ]
    for name, needed in columns.items():
        found = [path for path in _tables(folder) if path.stem == name]
        if not found or name not in stated.tables:
            raise DataError(_("The curve"), [Problem(f"{name}.csv", _("is missing"), ADVICE)])
        path = found[0]
        problems += [Problem(one.name, _("is there in two formats"), _("Keep one of them.")) for one in found[1:]]
        tables[name] = read_table(path, stated.tables[name])
        wrong = {column: _("is missing") for column in needed if column not in tables[name]}
        wrong |= {column: said for column in tables[name] if (said := _wrong_with(tables[name][column], str(column)))}
        problems += [Problem(path.name, what, ADVICE, column) for column, what in wrong.items()]
    if problems:
        raise DataError(_("The curve"), problems)
    return stated, tables


def _tables(folder: Path) -> list[Path]:
    """Return the files of tables in a folder, by name."""
    return sorted(file for ending in FORMATS for file in folder.glob(f"*.{ending}") if file.is_file())


def of_run(place: str, violations: Iterable[Violation]) -> Iterator[str]:
    """Yield what does not hold of a run in the folder of a curve."""
    for one in violations:
        yield str(_("{place}: {where}: {message}", place=place, where=one.where, message=one.message))


def instance_in(folder: Path, instance: Instance, axes: Iterable[Axis], stated: str) -> InstanceChecked:
    """Return what identifies the instance of the folder of a curve that names it."""
    first = {key: value for axis in axes for key, value in axis.values(0.0).items()}
    about = instance_checked(instance, stated, first)
    return about if about.shipped else about._replace(name=folder.resolve().name)


def unread(
    folder: Path, tables: Mapping[str, Any], runs: str, results: Sequence[Results], about: InstanceChecked
) -> Iterator[str]:
    """Yield the words of a folder and its runs that nothing confirms, and files of tables that are not read."""
    yield from ("termination", "solves", "seconds", "versions")
    words = dict.fromkeys(word for one in results for word in unchecked_words(one))
    yield from (f"{runs}: {word}" for word in words if word != "instance" or not about.shipped)
    yield from (path.name for path in _tables(folder) if path.stem not in tables)
    for path in sorted((folder / runs).rglob("result.json")):
        place = path.parent
        yield from (f"{place.relative_to(folder).as_posix()}/{name}" for name in unlisted_files(place))


def columns_added(name: str, table: pd.DataFrame, known: pd.DataFrame) -> Iterator[str]:
    """Yield the columns that nobody derives, which are no part of a curve."""
    file = f"{name}.csv"
    for column in table:
        if column not in known:
            yield str(_("{table} has the column {column}", table=file, column=column))


def _wrong_with(cells: pd.Series, column: str) -> str:
    """Return what is wrong with the cells of a column, empty if nothing is."""
    if column in TEXTS or not len(cells):
        return ""
    if column in TRUTHS:
        return "" if is_bool_dtype(cells) and not cells.isna().any() else _("holds true or false")
    numbers = is_numeric_dtype(cells) and not is_complex_dtype(cells)
    may_lack = column in OPEN or column.endswith("_t")
    whole = numbers and (may_lack or np.isfinite(cells.to_numpy(dtype=float, na_value=np.nan)).all())
    return "" if whole else _("holds no numbers")
