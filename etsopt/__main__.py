"""Run the command line with ``python -m etsopt``."""

import sys

from etsopt.cli import main

sys.exit(main())
