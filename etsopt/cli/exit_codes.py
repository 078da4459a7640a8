"""Errors in two parts and exit codes, also when a stream accepts no more output."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from etsopt.common.errors import DataError, EtsoptError, StoppedError, UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etsopt.running.results.results import Results

BAD_INPUT, STOPPED, REFUSED, INTERRUPTED, TERMINATED = 2, 4, 5, 130, 143
"""Exit codes; the last two are 128 plus the signal, as in shells."""

DISK_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", None))
"""Error numbers of a full disk, a limit on file size, and a quota."""

NOT_LOADED = frozenset(("failed to map segment", "annot allocate memory"))
"""Messages of the system if a native module does not fit into memory."""

LEAST_MEMORY = 1 << 24
"""Least free memory [bytes] for which a failed call is not attributed to memory."""

RESERVE = 1 << 22
"""Memory [bytes] reserved for reporting that memory is short; the system commits it only when written to:
`docs/decisions/0109-lack-of-memory.md`."""

NO_MEMORY = EtsoptError(
    _("There is not enough memory."), _("Free memory, raise its limit, or solve a smaller instance.")
)


def run_to_exit_code(run: Callable[[], int], as_json: Callable[[], bool]) -> int:
    """Run a command and return its exit code, also if it fails.

    Parameters
    ----------
    as_json
        Returns True if errors are printed as JSON.
    """
    try:
        try:
            with _termination_signals() as signals:
                code = _run_reporting_errors(run, as_json)
                # The best result at the time of the signal is already printed and written.
                return TERMINATED if signals and code in (0, STOPPED, INTERRUPTED) else code
        finally:
            # Buffered output may not fit either.
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe.
        _silence(sys.stdout)
        return 0
    except KeyboardInterrupt:
        # The signal arrived after the command and before the exit.
        return INTERRUPTED
    except OSError as error:
        _silence(sys.stdout)
        failure = _("The standard output could not be written: {reason}.", reason=error.strerror or error)
        advice = _("Free space at its destination, or name a run folder by `--out`.")
        try:
            print(UsageError(failure, advice), file=sys.stderr)
        except OSError:
            _silence(sys.stderr)
        return BAD_INPUT


def _run_reporting_errors(run: Callable[[], int], as_json: Callable[[], bool]) -> int:
    """Run a command and print its errors; an OSError raised from here concerns the standard output."""
    reserve = bytearray(RESERVE)
    try:
        return run()
    except StoppedError as error:
        _print_error(error, as_json())
        return STOPPED if error.termination == "time_limit" else INTERRUPTED
    except (Exception, KeyboardInterrupt) as error:
        # Reporting the error takes memory.
        del reserve
        causes = list(_causes(error))
        if any(isinstance(cause, KeyboardInterrupt) for cause in causes):
            print(_("Interrupted."), file=sys.stderr)
            return INTERRUPTED
        if any(map(_is_out_of_memory, causes)):
            _print_error(NO_MEMORY, as_json())
            return STOPPED
        # An OSError of a file names it; one of the standard output has no name.
        on_output = isinstance(error, OSError) and error.filename is None and error.errno in DISK_FULL
        if on_output or isinstance(error, BrokenPipeError) or not isinstance(error, EtsoptError | OSError):
            raise
        _print_error(error if isinstance(error, EtsoptError) else _file_error(error), as_json())
        return BAD_INPUT


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes: an interrupted native module raises an error of its own."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_out_of_memory(error: BaseException) -> bool:
    """Return True if memory did not suffice for an object or for loading a native module."""
    if isinstance(error, ImportError):
        return any(words in str(error) for words in NOT_LOADED)
    if isinstance(error, SystemError):
        # Python raises this if a call fails without a reason, as when its error did not fit into memory.
        try:
            bytearray(LEAST_MEMORY)
        except MemoryError:
            return True
    return isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM


@contextlib.contextmanager
def _termination_signals() -> Iterator[list[int]]:
    """Let SIGTERM request a stop, as Ctrl-C does; the list collects the signals received."""
    signals: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return

    def request_stop(number: int, frame: object) -> None:
        signals.append(number)
        # Without the module of progress nothing that can stop is running.
        progress = sys.modules.get("etsopt.common.progress")
        if progress is None or not progress.ask_to_stop():
            # Nothing that can stop is running, or a stop was requested before.
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, request_stop)
    try:
        yield signals
    finally:
        signal.signal(signal.SIGTERM, before)


def _silence(stream: TextIO | None) -> None:
    """Redirect a broken stream to the null device: Python must not fail again when it flushes at exit."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _file_error(error: OSError) -> UsageError:
    """Return a two-part error: the file or folder that the operating system refused, and its reason."""
    reason = str(error.strerror or next(iter(error.args), _("without a reason"))).rstrip(".")
    if error.filename is None:
        return UsageError(
            _("A file could not be read or written: {reason}.", reason=reason),
            _("Check free disk space, and that the folder exists."),
        )
    failure = _("{file!r} could not be read or written: {reason}.", file=str(error.filename), reason=reason)
    if error.errno in DISK_FULL:
        return UsageError(failure, _("Free disk space or choose another path; existing files are unchanged."))
    return UsageError(failure, _("Choose a path that exists or can be created, and that you may read and write."))


def _print_error(error: EtsoptError, as_json: bool) -> None:
    """Print failure and remedy, as text on stderr or as JSON on stdout."""
    if not as_json:
        print(error, file=sys.stderr)
        return
    content: dict[str, object] = {"error": error.failure, "advice": error.advice}
    if isinstance(error, DataError):
        content["problems"] = [vars(problem) for problem in error.problems]
    if isinstance(error, StoppedError):
        content |= {"status": "none", "termination": error.termination}
    print(json.dumps(content, ensure_ascii=False))


def exit_code(result: Results) -> int:
    """Return the exit code of a result, as `etsopt --help` lists them."""
    from etsopt.running.results.claims import is_judged

    if result.status == "refused":
        return REFUSED
    if result.termination == "interrupted":
        return 130
    if result.status.startswith("infeasible"):
        return 3
    # Some models of a user's own have no program that the checker could prove; the summary says so.
    solved = result.certified or (not is_judged(result) and result.termination == "optimal")
    return 0 if solved else 4
