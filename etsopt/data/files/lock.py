"""A lock for one writer at a time, which the operating system releases when a process is killed."""

from __future__ import annotations

import errno
import os
import platform
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.clock import time_in_utc
from etsopt.common.errors import UsageError, shortened
from etsopt.common.language import _

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 10.0
"""Time that a second writer waits before it raises an error that names the holder [s]."""

POLL_S = 0.02

TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""Error numbers for a lock that has another holder."""

UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Error numbers for a file system without locks."""


WRITING = _("being written by")


@contextmanager
def locked(path: Path, what: str, use: str = WRITING, wait_s: float | None = None) -> Iterator[None]:
    """Hold the lock file ``path`` while ``what`` is in use; the file is removed at the end.

    On a file system without locks the write goes ahead, because a result of hours is worth more than protection from a
    second writer.

    Parameters
    ----------
    what
        Name of the protected folder or file in messages.
    use
        What its holder does with it, in messages.
    wait_s
        Time to wait for it [s]; None for `WAIT_S`.

    Raises
    ------
    UsageError
        If another process or thread still holds the lock after that time; it names process, host and command.
    OSError
        If the lock file cannot be created.
    """
    deadline = time.monotonic() + (WAIT_S if wait_s is None else wait_s)
    while (handle := _acquire(path)) is None:
        if time.monotonic() > deadline:
            holder = _holder(path) or _("another process")
            advice = _("Wait until it has finished, or name another place to write to.")
            raise UsageError(_("{what} is {use} {holder}.", what=what, use=use, holder=holder), advice)
        time.sleep(POLL_S)
    try:
        # The text is for users alone, so a full disk is no obstacle.
        with suppress(OSError):
            os.ftruncate(handle, 0)
            os.write(handle, _self().encode("utf-8", "replace"))
        yield
    finally:
        # Windows does not remove an open file; the next writer takes it over.
        with suppress(OSError):
            path.unlink()
        os.close(handle)


def _acquire(path: Path) -> int | None:
    """Open and lock the lock file; return its handle, or None if it has another holder."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    held = False
    try:
        _lock(handle)
        # The previous holder may have removed the file after it was opened here; then it protects nothing.
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
        # The locked byte is beyond the text, so that others can still read it.
        os.lseek(handle, 1 << 30, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _self() -> str:
    """Return process, host, command and time of this holder."""
    command = " ".join((Path(sys.argv[0]).name, *sys.argv[1:])) if sys.argv else "python"
    host, since = platform.node(), time_in_utc().strftime("%H:%M:%S")
    return f"process {os.getpid()} on {host} ({shortened(command)}) since {since} UTC"


def _holder(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")[:400]
    except OSError:
        return ""
    return "".join(sign for sign in text if sign.isprintable())
