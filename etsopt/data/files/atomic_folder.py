"""Atomic replacement of the files of a folder: after any interruption it has all old files or all new ones.

New files are first written into a hidden folder inside the folder, ``.etsopt-part``, and synchronised to the disk.
One rename, to ``.etsopt-next``, then commits them. They are moved to their places one by one; after an interruption
the next reader or writer moves the rest. Both hidden folders are inside the folder and not beside it, so that it may
be a mount point, a link or the working folder, its parent need not be writable, and other files in it never move.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from etsopt.common.errors import DataError, EtsoptError, Problem, UsageError
from etsopt.common.language import _
from etsopt.data.files import lock
from etsopt.data.files.atomic import file_in_errors, synchronise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

T = TypeVar("T")

PART, NEXT, LOCK = ".etsopt-part", ".etsopt-next", ".etsopt-lock"
HIDDEN_NAMES = frozenset((PART, NEXT, LOCK))
"""Names that a killed write may leave in a folder."""

SYNC_THREADS = 8
"""Files that are synchronised to the disk at the same time."""

REMOVED = "etsopt-removed.json"
"""File in the hidden folder that lists the old files without a successor."""


@contextmanager
def replacing_folder(folder: Path, replaced: Callable[[], Iterable[Path]]) -> Iterator[Path]:
    """Yield a hidden folder to write files into; at the end they replace the old ones in ``folder``.

    Parameters
    ----------
    folder
        Created if it does not exist.
    replaced
        Function that returns the old files, or raises an error if the folder may not be written to.

    Yields
    ------
    Path
        The hidden folder.

    Raises
    ------
    UsageError
        If another process is writing to the folder.
    OSError
        With the name of the file that could not be written; the folder is unchanged.
    """
    if not (folder / NEXT).is_dir():
        replaced()
    made: list[Path] = []
    try:
        with _naming_final_path(folder):
            _make_folders([*reversed(folder.parents), folder], made)
            with _locked(folder):
                _move(folder)
                old = list(replaced())
                with _empty_part(folder / PART) as part:
                    yield part
                    _prepare(part, folder, old, made)
                    part.rename(folder / NEXT)
                made.clear()
                synchronise(folder)
                _move(folder)
    finally:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir()


def _make_folders(paths: Iterable[Path], made: list[Path]) -> None:
    """Create missing folders, and add them to ``made``."""
    for path in paths:
        if not path.is_dir():
            path.mkdir(exist_ok=True)
            made.append(path)


@contextmanager
def _empty_part(part: Path) -> Iterator[Path]:
    """Create the hidden folder again, empty; at the end it is removed or has another name."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _naming_final_path(folder: Path) -> Iterator[None]:
    """Make an error of the operating system name the final file, not the hidden one."""
    try:
        yield
    except OSError as error:
        parts = Path(str(error.filename or folder)).parts
        error.filename = str(Path(*(part for part in parts if part not in HIDDEN_NAMES)))
        if error.filename2 is not None:
            del error.filename2
        raise


def _prepare(part: Path, folder: Path, old: list[Path], made: list[Path]) -> None:
    """Check that every file can be moved, list the old ones without a successor, and synchronise all to the disk."""
    names = [path.relative_to(folder) for path in old]
    removed = [name.as_posix() for name in names if not (part / name).exists()]
    with file_in_errors(part / REMOVED):
        (part / REMOVED).write_text(json.dumps(removed), encoding="utf-8")
    written, places = [], []
    for place, _other, files in os.walk(part):
        target = folder / Path(place).relative_to(part)
        _make_folders([target], made)
        device = target.stat().st_dev
        if target.resolve() != folder.resolve() / target.relative_to(folder) or device != folder.stat().st_dev:
            what = _(
                "The folder {target!r} is a link, or on another file system than {folder!r}.",
                target=str(target),
                folder=str(folder),
            )
            raise UsageError(what, _("Name another folder."))
        if taken := [name for name in files if (target / name).is_dir()]:
            raise UsageError(
                _("{target!r} is a folder.", target=str(target / taken[0])), _("Move it, or name another folder.")
            )
        written += [Path(place) / name for name in files]
        places.append(Path(place))
    # In parallel the disk needs a third of the time; where no thread can start, one file follows the other.
    try:
        with ThreadPoolExecutor(SYNC_THREADS) as pool:
            list(pool.map(synchronise, written))
    except RuntimeError:
        places = [*written, *places]
    for path in places:
        synchronise(path)


def finish(folder: Path) -> None:
    """Complete the moves of a killed write.

    Raises
    ------
    UsageError
        If another process still holds the lock after `lock.WAIT_S`.
    DataError
        If its hidden folder is damaged.
    """
    if (folder / NEXT).is_dir():
        with _locked(folder):
            _move(folder)


def _locked(folder: Path) -> AbstractContextManager[None]:
    return lock.locked(folder / LOCK, _("The folder {parent!r}", parent=str(folder)))


def _move(folder: Path) -> None:
    """Remove the old files and move the new ones; steps done before an interruption are skipped."""
    source = folder / NEXT
    if not source.is_dir():
        return
    for name in _names_to_remove(source):
        _inside(folder, name).unlink(missing_ok=True)
    places = [folder]
    for place, _other, files in os.walk(source):
        below = Path(place).relative_to(source)
        target = _inside(folder, below)
        target.mkdir(exist_ok=True)
        places.append(target)
        for file in files:
            if file != REMOVED:
                os.replace(Path(place) / file, target / file)
    for path in places:
        synchronise(path)
    shutil.rmtree(source)


def _names_to_remove(source: Path) -> list[Path]:
    path = source / REMOVED
    if not path.is_file():
        # All files were moved before the removal of the hidden folder was interrupted.
        return []
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
        return [Path(*map(str, name.split("/"))) for name in names]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _damaged(source, _("is damaged")) from None


def _inside(folder: Path, name: Path) -> Path:
    """Return a path in the folder; a path that leads out of it, by a link or dots, is an attack or damage."""
    path = folder / name
    nearest = path if path.is_dir() else path.parent
    if not nearest.resolve().is_relative_to(folder.resolve()):
        raise _damaged(folder / NEXT, _("names {name!r}, which leads out of it", name=str(name)))
    return path


def _damaged(source: Path, what: str) -> DataError:
    advice = _("Remove it, and create its content again.")
    return DataError(_("The folder {parent!r}", parent=str(source.parent)), [Problem(source.name, what, advice)])


def read_whole(folder: Path, mark: str, read: Callable[[], T]) -> T:
    """Read files of a folder that all come from one write, even while another process is writing.

    Parameters
    ----------
    mark
        Name of a file that every write replaces.
    read
        Function that reads the files; called again if they were replaced meanwhile.

    Raises
    ------
    UsageError
        If they are replaced repeatedly.
    """
    until = time.monotonic() + lock.WAIT_S
    while True:
        finish(folder)
        version, failed = _version_of(folder / mark), None
        try:
            content = read()
        except (EtsoptError, OSError) as error:
            failed = error
        if version == _version_of(folder / mark) and not (folder / NEXT).is_dir():
            if failed is not None:
                raise failed
            return content
        if time.monotonic() > until:
            raise UsageError(
                _("The folder {folder!r} is written to over and over.", folder=str(folder)),
                _("Read it after the writes."),
            )


def _version_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def is_empty(folder: Path) -> bool:
    """Return True if a folder is empty but for remnants of a killed write."""
    finish(folder)
    return all(path.name in HIDDEN_NAMES for path in folder.iterdir())


def require_empty(folder: Path) -> None:
    """Raise UsageError if a folder has files, which a new instance would be among."""
    if folder.is_dir() and not is_empty(folder):
        advice = _("Choose a new folder: existing files are not overwritten.")
        raise UsageError(_("The folder {folder!r} is not empty.", folder=str(folder)), advice)
