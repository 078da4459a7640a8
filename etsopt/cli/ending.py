"""How a command ends: what went wrong in two parts, and the exit code; also where a stream takes no more."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from etsopt.errors import DataError, EtsoptError, StoppedError, UsageError
from etsopt.progress import ask_to_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BAD_INPUT, STOPPED, INTERRUPTED, TERMINATED = 2, 4, 130, 143
"""Exit codes; the last two tell the signal, as shells do."""

NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", None))
"""What systems say of a full disk, a limit on the size of files, and a quota."""

NOT_LOADED = ("failed to map segment", "annot allocate memory")
"""What the system says where there is no memory for a native module."""

LEAST_ROOM = 1 << 24
"""With fewer bytes left memory is short."""

RESERVE = 1 << 22
"""Bytes that are kept to tell that memory is short; no system gives room to them before they are written to."""

NO_MEMORY = EtsoptError("There is not enough memory.", "Make room or raise its limit; a smaller instance takes less.")


def ended(run: Callable[[], int], as_json: Callable[[], bool]) -> int:
    """Run a command; returns its exit code whatever happens.

    Parameters
    ----------
    as_json
        Whether what went wrong is told to a machine.
    """
    try:
        try:
            with _terminated() as signals:
                code = _told(run, as_json)
                # What was held when the signal came has been told and written.
                return TERMINATED if signals and code in (0, STOPPED, INTERRUPTED) else code
        finally:
            # What is held back until now may not fit either.
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has gone.
        _silence(sys.stdout)
        return 0
    except KeyboardInterrupt:
        # The work is done, and a signal came between it and the end.
        return INTERRUPTED
    except OSError as error:
        _silence(sys.stdout)
        what = f"The standard output could not be written: {error.strerror or error}."
        try:
            print(UsageError(what, "Make room where it is sent to; `--out` writes a run to a folder."), file=sys.stderr)
        except OSError:
            _silence(sys.stderr)
        return BAD_INPUT


def _told(run: Callable[[], int], as_json: Callable[[], bool]) -> int:
    """Run a command and tell its errors; one of the operating system that leaves here is one of the standard output."""
    reserve = bytearray(RESERVE)
    try:
        return run()
    except StoppedError as error:
        _report(error, as_json())
        return STOPPED if error.termination == "time_limit" else INTERRUPTED
    except (Exception, KeyboardInterrupt) as error:
        # Where memory is short, telling so takes some.
        del reserve
        causes = list(_causes(error))
        if any(isinstance(cause, KeyboardInterrupt) for cause in causes):
            print("Interrupted.", file=sys.stderr)
            return INTERRUPTED
        if any(map(_is_want_of_memory, causes)):
            _report(NO_MEMORY, as_json())
            return STOPPED
        # Every file has its name in such an error; the standard output has none.
        of_output = isinstance(error, OSError) and error.filename is None and error.errno in NO_ROOM
        if of_output or isinstance(error, BrokenPipeError) or not isinstance(error, EtsoptError | OSError):
            raise
        _report(error if isinstance(error, EtsoptError) else _unusable(error), as_json())
        return BAD_INPUT


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it comes from: native modules raise errors of their own where they are interrupted."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_want_of_memory(error: BaseException) -> bool:
    """Whether there was not enough memory for an object, or to load a native module."""
    if isinstance(error, ImportError):
        return any(words in str(error) for words in NOT_LOADED)
    if isinstance(error, SystemError):
        # So Python ends a call that failed and does not say why, as it does where an error takes memory as well.
        try:
            bytearray(LEAST_ROOM)
        except MemoryError:
            return True
    return isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM


@contextlib.contextmanager
def _terminated() -> Iterator[list[int]]:
    """Let the system's signal to end ask first, as Ctrl-C does; the list holds each that came."""
    signals: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return

    def asked(number: int, frame: object) -> None:
        signals.append(number)
        if not ask_to_stop():
            # Nothing runs that can be asked, or it was asked before.
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, asked)
    try:
        yield signals
    finally:
        signal.signal(signal.SIGTERM, before)


def _silence(stream: TextIO | None) -> None:
    """Let a stream that takes no more lead nowhere: Python must not complain again when it flushes at its end."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _unusable(error: OSError) -> UsageError:
    """Say in two parts which file or folder the operating system refused, and why."""
    reason = str(error.strerror or next(iter(error.args), "without a reason")).rstrip(".")
    if error.filename is None:
        return UsageError(f"A file could not be read or written: {reason}.", "See that there is room, and a folder.")
    what = f"{str(error.filename)!r} could not be read or written: {reason}."
    if error.errno in NO_ROOM:
        return UsageError(what, "Make room, or name another place; what was there before is still there.")
    return UsageError(what, "Name a file or folder that is there, or can be made, and that you may use.")


def _report(error: EtsoptError, as_json: bool) -> None:
    """Say what failed and what to do, for people on stderr or for machines on stdout."""
    if not as_json:
        print(error, file=sys.stderr)
        return
    content: dict[str, object] = {"error": error.failure, "advice": error.advice}
    if isinstance(error, DataError):
        content["problems"] = [vars(problem) for problem in error.problems]
    if isinstance(error, StoppedError):
        content |= {"status": "none", "termination": error.termination}
    print(json.dumps(content, ensure_ascii=False))
