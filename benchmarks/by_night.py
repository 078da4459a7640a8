"""Tests whose lines others run: ``python -m benchmarks.by_night`` writes ``tests/by_night.txt``, which leaves them out.

The slowest everyday test is left out first, if every line of the package that it runs is run by `OTHERS` others that
stay, and so on. The command needs Python 3.12 or later, and the map of lines, which it makes where there is none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from benchmarks.line_map import of_suite, read
from benchmarks.reporting import ROOT
from benchmarks.suite_mutants import everyday
from tests.conftest import BY_NIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.line_map import Ran

OTHERS = 4
LEAST_S = 0.2
"""Time below which leaving a test out saves too little to lose it [s]."""

LEAST_LINES = 50
"""A test that runs fewer lines starts a process, or reads files: its own lines say little about it."""

STAY = tuple(
    f"tests/{name}"
    for name in (
        *("docs/", "locale/", "terminal/test_latin", "test_docs", "test_repository", "test_wheel", "test_benchmarks"),
        *("accounting/test_page", "running/results/test_kills", "cli/test_start_up"),
    )
)
"""How names of tests begin that guard texts, documents or processes, and no line."""


def function_of(test: str) -> str:
    """Return the test without its case."""
    return test.partition("[")[0]


def left_to_the_night(ran: Iterable[Ran], of_every_day: set[str]) -> list[str]:
    """Return tests that others make up for: a function of which all cases are, or single cases."""
    tests = {one.test: one for one in ran if one.test in of_every_day}
    times = Counter(line for one in tests.values() for line in one.lines)
    out: dict[str, set[str]] = defaultdict(set)
    for one in sorted(tests.values(), key=lambda one: (-one.seconds, one.test)):
        known = len(one.lines) >= LEAST_LINES and one.seconds >= LEAST_S and not one.test.startswith(STAY)
        if known and all(times[line] > OTHERS for line in one.lines):
            times.subtract(one.lines)
            out[function_of(one.test)].add(one.test)
    cases = Counter(map(function_of, of_every_day))
    return sorted(
        name for function, some in out.items() for name in ([function] if len(some) == cases[function] else some)
    )


def main() -> None:
    # Of what is left out now, some may be needed again.
    BY_NIGHT.write_text("", encoding="utf-8")
    listed = left_to_the_night(read(of_suite()), everyday())
    BY_NIGHT.write_text("".join(f"{name}\n" for name in listed), encoding="utf-8")
    print(f"Written: {BY_NIGHT.relative_to(ROOT)}, {len(listed):,} tests or cases.")


if __name__ == "__main__":
    main()
