"""Write the data of one problem: ``python -m benchmarks.problems NAME FIRMS FILE``.

A separate process, so that the time and memory of generating data count for no tool.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from benchmarks.problems import PROBLEMS


def main() -> None:
    name, firms, path = sys.argv[1:]
    with Path(path).open("wb") as file:
        pickle.dump(PROBLEMS[name].parameters(int(firms)), file, protocol=5)


if __name__ == "__main__":
    main()
