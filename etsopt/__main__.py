"""Run the command line with ``python -m etsopt``."""

import os
import sys

# With -m, Python looks for modules in the working folder first: a numpy.py there would run in place of numpy.
if not sys.flags.safe_path and sys.path[:1] in ([""], [os.getcwd()]):
    del sys.path[0]

from etsopt.cli import main

sys.exit(main())
