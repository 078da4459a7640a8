"""Entry point of ``etsopt`` and ``python -m etsopt``."""

import contextlib
import os
import signal
import sys

# With -m, Python searches the working folder first: a numpy.py there would replace numpy. One that is gone has none.
with contextlib.suppress(FileNotFoundError):
    if not sys.flags.safe_path and sys.path[:1] in ([""], [os.getcwd()]):
        del sys.path[0]


def main() -> int:
    """Run one command and return its exit code.

    Before and after the command, Ctrl-C ends the process silently, like any other process.
    """
    # A script in the background ignores SIGINT; it stays ignored.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from etsopt.cli import main as command

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code = command()
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return code


if __name__ == "__main__":
    sys.exit(main())
