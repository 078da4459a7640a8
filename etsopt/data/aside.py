"""Files written aside and put in place: whatever ends a write, the old files or the new ones are there, whole.

What is to be in a folder is first written into a hidden folder in it, ``.etsopt-part``, and synchronised to the disk.
One rename, to ``.etsopt-next``, then decides that the new files hold. They are moved to their places one by one, and
where that is cut short, the next reader or writer moves the others. Both are inside the folder and not beside it, so
that it may be a mount point, a link or the working folder, its parent need not be writable, and files of others in it
never move.
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

from etsopt.data import lock
from etsopt.data.files import naming, synchronise
from etsopt.errors import DataError, EtsoptError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

T = TypeVar("T")

PART, NEXT, LOCK = ".etsopt-part", ".etsopt-next", ".etsopt-lock"
OWN = frozenset((PART, NEXT, LOCK))
"""What a write that was killed may leave in a folder."""

AT_ONCE = 8
"""Files that are brought to the disk at the same time."""

REMOVED = "etsopt-removed.json"
"""In the hidden folder: the names of the old files that have no successor."""


@contextmanager
def written_aside(folder: Path, replaced: Callable[[], Iterable[Path]]) -> Iterator[Path]:
    """Give a hidden folder to write files into; at the end they take the places of the old ones in ``folder``.

    Parameters
    ----------
    folder
        Made if it is not there.
    replaced
        Returns the old files, or raises an error if the folder may not be written to; then it stays as it is.

    Yields
    ------
    Path
        The hidden folder.

    Raises
    ------
    UsageError
        If another process is writing to the folder.
    OSError
        With the name of the file that could not be written; nothing is changed then.
    """
    if not (folder / NEXT).is_dir():
        replaced()
    made: list[Path] = []
    try:
        with _names_in_place(folder):
            _make([*reversed(folder.parents), folder], made)
            with _locked(folder):
                _move(folder)
                old = list(replaced())
                with _fresh(folder / PART) as part:
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


def _make(paths: Iterable[Path], made: list[Path]) -> None:
    """Make folders that are not there, and note which."""
    for path in paths:
        if not path.is_dir():
            path.mkdir(exist_ok=True)
            made.append(path)


@contextmanager
def _fresh(part: Path) -> Iterator[Path]:
    """Make the hidden folder anew; it is gone at the end, or has another name."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _names_in_place(folder: Path) -> Iterator[None]:
    """Let an error of the operating system name the file in its place, not its hidden precursor."""
    try:
        yield
    except OSError as error:
        parts = Path(str(error.filename or folder)).parts
        error.filename = str(Path(*(part for part in parts if part not in OWN)))
        if error.filename2 is not None:
            del error.filename2
        raise


def _prepare(part: Path, folder: Path, old: list[Path], made: list[Path]) -> None:
    """See that every file can be moved, note which old ones have no successor, and bring all of it to the disk."""
    names = [path.relative_to(folder) for path in old]
    gone = [name.as_posix() for name in names if not (part / name).exists()]
    with naming(part / REMOVED):
        (part / REMOVED).write_text(json.dumps(gone), encoding="utf-8")
    written, places = [], []
    for place, _, files in os.walk(part):
        target = folder / Path(place).relative_to(part)
        _make([target], made)
        device = target.stat().st_dev
        if target.resolve() != folder.resolve() / target.relative_to(folder) or device != folder.stat().st_dev:
            what = f"The folder {str(target)!r} is a link, or on another file system than {str(folder)!r}."
            raise UsageError(what, "Name another folder.")
        if taken := [name for name in files if (target / name).is_dir()]:
            raise UsageError(f"{str(target / taken[0])!r} is a folder.", "Move it, or name another folder.")
        written += [Path(place) / name for name in files]
        places.append(Path(place))
    # At once the disk takes them in a third of the time.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(synchronise, written))
    for path in places:
        synchronise(path)


def finish(folder: Path) -> None:
    """Move what a write that was killed left to be moved.

    Raises
    ------
    UsageError
        If another process is at it and does not end.
    DataError
        If what it left is damaged.
    """
    if (folder / NEXT).is_dir():
        with _locked(folder):
            _move(folder)


def _locked(folder: Path) -> AbstractContextManager[None]:
    return lock.locked(folder / LOCK, f"The folder {str(folder)!r}")


def _move(folder: Path) -> None:
    """Remove the old files and move the new ones; what was done before is not done again."""
    source = folder / NEXT
    if not source.is_dir():
        return
    for name in _removed(source):
        _inside(folder, name).unlink(missing_ok=True)
    places = [folder]
    for place, _, files in os.walk(source):
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


def _removed(source: Path) -> list[Path]:
    path = source / REMOVED
    if not path.is_file():
        # All has been moved, and the removal of the hidden folder was cut short.
        return []
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
        return [Path(*map(str, name.split("/"))) for name in names]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _damaged(source, "is damaged") from None


def _inside(folder: Path, name: Path) -> Path:
    """A place in the folder; one that leads out of it, by a link or by dots, is an attack or damage."""
    path = folder / name
    where = path if path.is_dir() else path.parent
    if not where.resolve().is_relative_to(folder.resolve()):
        raise _damaged(folder / NEXT, f"names {str(name)!r}, which leads out of it")
    return path


def _damaged(source: Path, what: str) -> DataError:
    advice = "Remove it; what was being written there has to be made again."
    return DataError(f"The folder {str(source.parent)!r}", [Problem(source.name, what, advice)])


def read_whole(folder: Path, mark: str, read: Callable[[], T]) -> T:
    """Read files of a folder that all come from one write, also while another process is writing.

    Parameters
    ----------
    mark
        Name of a file that every write replaces.
    read
        Reads the files; called again where they were replaced in the meantime.

    Raises
    ------
    UsageError
        If they are replaced over and over.
    """
    until = time.monotonic() + lock.WAIT_S
    while True:
        finish(folder)
        before, failed = _stamp(folder / mark), None
        try:
            found = read()
        except (EtsoptError, OSError) as error:
            failed = error
        if before == _stamp(folder / mark) and not (folder / NEXT).is_dir():
            if failed is not None:
                raise failed
            return found
        if time.monotonic() > until:
            raise UsageError(f"The folder {str(folder)!r} is written to over and over.", "Read it once that is done.")


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing, or only what a write that was killed left in it."""
    finish(folder)
    return all(path.name in OWN for path in folder.iterdir())
