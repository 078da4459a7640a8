"""CPU time of commands that only list names, beside that of their necessary imports.

Run ``python -m benchmarks.start_up``; it writes nothing and prints a table for ``benchmarks/README.md``. Each figure is
the median over alternating runs in separate processes, user plus system time, bytecode cached.
"""

from __future__ import annotations

import argparse
import platform
import statistics
from importlib.metadata import version

from benchmarks.command_against_imports import cpu_seconds

CASES = {
    "Python alone": ("-c", "pass"),
    "with rich": ("-c", "import rich.console, rich.table"),
    "with pydantic": ("-c", "import pydantic\nclass Model(pydantic.BaseModel):\n    number: float"),
    "with numpy": ("-c", "import numpy"),
    "with pandas": ("-c", "import pandas"),
    "`etsopt --help`": ("-m", "etsopt", "--help"),
    "`etsopt instances`": ("-m", "etsopt", "instances"),
    "`etsopt models`": ("-m", "etsopt", "models"),
    "`etsopt rules`": ("-m", "etsopt", "rules"),
    "`etsopt rules --json`": ("-m", "etsopt", "rules", "--json"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    seconds = [{name: cpu_seconds(*command) for name, command in CASES.items()} for _ in range(runs)]
    names = ("rich", "pydantic", "numpy", "pandas")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in names))
    print("| | CPU ms, median | least |\n| --- | ---: | ---: |")
    for name in CASES:
        times = [1000 * one[name] for one in seconds]
        print(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} |")


if __name__ == "__main__":
    main()
