"""Atomic writes of single files, and errors that name them."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.data.files.lock import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write_file(path: Path, text: str) -> None:
    """Write a text file in UTF-8, atomically.

    Raises
    ------
    UsageError
        If another process is writing it.
    OSError
        With the name of the file.
    """
    with replaced(path) as part, file_in_errors(path):
        part.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a hidden file beside a file, with its suffix, that replaces it after the write.

    A device or pipe is yielded itself.

    Raises
    ------
    UsageError
        If another process is writing it.
    OSError
        With the name of the final file.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    # A link remains a link: its target is replaced.
    real = path.resolve()
    part = real.with_name(f".{real.stem}.etsopt-part{real.suffix}")
    try:
        with _alone(path):
            try:
                yield part
                synchronise(part)
                os.replace(part, real)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            synchronise(real.parent)
    except OSError as error:
        error.filename = str(path)
        if error.filename2 is not None:
            del error.filename2
        raise


def require_writable(path: Path) -> None:
    """Require that a file can be written, before what goes into it is computed; its folder is made.

    Raises
    ------
    UsageError
        If it is a folder, or another process is writing it.
    OSError
        With the name of the file.
    """
    if path.is_dir():
        raise UsageError(_("{target!r} is a folder.", target=str(path)), _("Name a file in it."))
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() or not path.exists():
        with _alone(path):
            pass


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from writing a file; errors name it."""
    real = path.resolve()
    lock = real.with_name(f".{real.name}.etsopt-lock")
    with file_in_errors(path), locked(lock, _("The file {path!r}", path=str(path))):
        yield


@contextmanager
def file_in_errors(path: Path) -> Iterator[None]:
    """Add the name of the file to an error of the operating system, which a full disk leaves out.

    Raises
    ------
    DataError
        If a text cannot be written in UTF-8.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
    except UnicodeEncodeError as error:
        text = error.object[error.start : error.end]
        what = _("holds {text!a}, which is not a character and cannot be written", text=text)
        raise DataError(_("The file {name!r}", name=path.name), [Problem(path.name, what, _("Remove it."))]) from None


def synchronise(path: Path) -> None:
    """Synchronise a file or the entries of a folder to the disk; Windows does the latter by itself."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        with file_in_errors(path):
            os.fsync(handle)
    except OSError as error:
        # Some file systems do not synchronise folders.
        if not path.is_dir() or error.errno not in (errno.EINVAL, errno.EBADF):
            raise
    finally:
        os.close(handle)
