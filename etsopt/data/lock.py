"""One writer at a time: a lock that the operating system takes back from a process that is killed."""

from __future__ import annotations

import errno
import os
import platform
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from etsopt.errors import UsageError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 10.0
"""Seconds that a second writer waits before it names the holder."""

POLL_S = 0.02

TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""Error numbers for a lock that has another holder."""

UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Error numbers for a file system without locks."""


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file ``path`` while ``what`` is being written; the file is removed at the end.

    A file system without locks is written to all the same: a result that took hours is worth more than the protection
    against a second writer.

    Parameters
    ----------
    what
        The folder or file that the lock protects, for messages.

    Raises
    ------
    UsageError
        If another process or thread still holds the lock after `WAIT_S`.
    OSError
        If the lock file cannot be made.
    """
    until = time.monotonic() + WAIT_S
    while (handle := _take(path)) is None:
        if time.monotonic() > until:
            holder = _holder(path) or "another process"
            advice = "Wait until that is done, or name another place to write to."
            raise UsageError(f"{what} is being written by {holder}.", advice)
        time.sleep(POLL_S)
    try:
        # The text is for people alone: a disk too full to hold it is no obstacle.
        with suppress(OSError):
            os.ftruncate(handle, 0)
            os.write(handle, f"process {os.getpid()} on {platform.node()} since {time.strftime('%H:%M:%S')}".encode())
        yield
    finally:
        # Windows removes no open file; what is left there is taken over by the next writer.
        with suppress(OSError):
            path.unlink()
        os.close(handle)


def _take(path: Path) -> int | None:
    """Open the lock file and lock it; its handle, or None where it has another holder."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    held = False
    try:
        _lock(handle)
        # The holder before may have removed the file after it was opened here: then it protects nothing any more.
        held = os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        pass
    except OSError as error:
        held = error.errno in UNSUPPORTED
        if not held and error.errno not in TAKEN:
            raise
    finally:
        if not held:
            os.close(handle)
    return handle if held else None


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        # Beyond the text in the file, which others may then still read.
        os.lseek(handle, 1 << 30, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")[:200]
    except OSError:
        return ""
    return "".join(sign for sign in text if sign.isprintable())
