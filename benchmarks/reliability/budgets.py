"""Cost of start-up, installation and checking, and that `etsopt --help` loads no heavy package."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

import etsopt
from benchmarks.command_against_imports import cpu_seconds
from benchmarks.reliability.row import Found
from benchmarks.reliability.supply_chain import needs
from tests.cli.test_start_up import HEAVY, loaded

if TYPE_CHECKING:
    from collections.abc import Iterable

STARTS, UNITS = 10, 60_000
COUNT = STARTS + 2


def installed_mib() -> float:
    """Return the size of the package and its dependencies [MiB], with the sources of an editable install."""
    wanted, total = needs("etsopt"), 0
    for one in distributions():
        if canonicalize_name(one.name) in wanted:
            files = [Path(str(file.locate())) for file in one.files or []]
            total += sum(file.stat().st_size for file in files if file.is_file())
    return total / 2**20


def check_and_solve_s() -> tuple[float, float]:
    """Return the seconds of the check and of the whole solve, for an allocation with over one column per unit."""
    seconds = etsopt.solve(etsopt.generate(UNITS, seed=1)).provenance.seconds
    return float(seconds["check"]), float(sum(seconds.values()))


def budgets(numbers: Iterable[int]) -> Found:
    """Measure start-up several times, and the size and the share of the check once."""
    found = Found()
    for number in numbers:
        if number < STARTS:
            found.measured("CPU ms of `etsopt --help`", 1000 * cpu_seconds("-m", "etsopt", "--help"))
            found.saw("start")
            if heavy := loaded("--help") & set(HEAVY):
                found.failed(number, f"`etsopt --help` loads {', '.join(sorted(heavy))}")
        elif number == STARTS:
            found.measured("MiB installed with all that is needed", installed_mib())
            found.saw("size")
        else:
            check, whole = check_and_solve_s()
            found.measured(f"s of the check at {UNITS:,} units", check)
            found.measured("% of the solve that it is", 100 * check / whole)
            found.saw("check")
    return found
