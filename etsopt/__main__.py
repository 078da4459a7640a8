"""Run the command line, as ``etsopt`` and as ``python -m etsopt``."""

import os
import signal
import sys

# With -m, Python looks for modules in the working folder first: a numpy.py there would run in place of numpy.
if not sys.flags.safe_path and sys.path[:1] in ([""], [os.getcwd()]):
    del sys.path[0]


def main() -> int:
    """Run one command; returns its exit code.

    While there is no command yet, and when it is over, Ctrl-C ends the process as it ends any other: in silence.
    """
    # One that is ignored, as in the background of a script, stays so.
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from etsopt.cli import main as command

    if heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code = command()
    if heard:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return code


if __name__ == "__main__":
    sys.exit(main())
