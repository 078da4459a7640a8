"""Single changes to the source of every room, and the tests that detect them: those of every day or of the night.

``python -m benchmarks.suite_mutants`` needs Python 3.12 or later, half an hour for the map of lines and as long for
eighty mutants; it writes ``suite_mutants.md``. Each mutant is given to the tests that run its line, the fastest first:
to as many of ``make test`` as take `EVERYDAY_S` without it, then to as many of the night as take `NIGHT_S`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING

from benchmarks.forked_tests import ForkedTests, Mutant
from benchmarks.line_map import PROCESSES, of_suite, read
from benchmarks.reliability.reached import word_at
from benchmarks.reliability.source_mutants import Sites, copy_of_the_repository
from benchmarks.reporting import FOLDER, ROOT, machine, provenance, table, versions
from tests.weights import rooms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PAGE = FOLDER / "suite_mutants.md"
MUTANTS = 80
EVERYDAY_S, NIGHT_S = 45.0, 60.0
"""Time of the tests that a mutant is given to, by their time without it [s]."""

PATIENCE_CPU_S = 600
"""CPU time after which a mutant counts as hung [s]."""

Line = tuple[str, int]


def mutants(count: int, seed: int) -> list[Mutant]:
    """Draw mutants by seed, from each room in turn."""
    random = Random(seed)
    drawn: list[list[Mutant]] = []
    for files in rooms("*.py").values():
        found = [site for file in files for site in Sites(file.relative_to(ROOT).as_posix(), file.read_bytes()).found]
        drawn.append(random.sample(found, min(len(found), count)))
    return [one[place] for place in range(count) for one in drawn if place < len(one)][:count]


def lines_of(mutant: Mutant) -> set[Line]:
    """Return the lines whose tests a mutant is given to: its own, or, of a constant, those that use its name."""
    word = word_at(mutant.path, mutant.line)
    if word is None:
        return {(mutant.path, mutant.line)}
    return {
        (path.relative_to(ROOT).as_posix(), number)
        for files in rooms("*.py").values()
        for path in files
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if word.search(text)
    }


def everyday() -> set[str]:
    """Return the tests of ``make test``."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "not nightly", "-p", "no:cov"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {line for line in told.splitlines() if "::" in line}


def within(tests: Iterable[str], seconds: Mapping[str, float], most_s: float) -> list[str]:
    """Return the fastest tests, at least one, as many as fit a time."""
    fitting, spent = list[str](), 0.0
    for test in sorted(tests, key=lambda test: seconds[test]):
        spent += seconds[test]
        if fitting and spent > most_s:
            break
        fitting.append(test)
    return fitting


def tried(forked: ForkedTests, mutant: Mutant, tests: Sequence[str], night: Sequence[str]) -> str:
    """Return what detected a mutant: tests of every day, of the night alone, or nothing."""
    for when, given in (("every day", tests), ("by night alone", night)):
        if given and forked.outcome(mutant, given).startswith("killed"):
            return f"killed {when}"
    return "survived" if tests or night else "reached by no test"


def outcomes(drawn: Sequence[Mutant]) -> list[str]:
    """Try every mutant, two at a time, each in a copy of the repository."""
    wanted, of_every_day = [lines_of(mutant) for mutant in drawn], everyday()
    seconds: dict[str, float] = {}
    reached: dict[Line, set[str]] = defaultdict(set)
    needed = set[Line]().union(*wanted)
    for test, took, lines in read(of_suite()):
        seconds[test] = took
        for line in needed.intersection(lines):
            reached[line].add(test)
    given = [
        (within(tests & of_every_day, seconds, EVERYDAY_S), within(tests - of_every_day, seconds, NIGHT_S))
        for tests in (set[str]().union(*(reached[line] for line in lines)) for lines in wanted)
    ]
    files = sorted({test.partition("::")[0] for pair in given for some in pair for test in some})
    with ExitStack() as stack, ThreadPoolExecutor(PROCESSES) as pool:
        copies = [stack.enter_context(copy_of_the_repository()) for _ in range(PROCESSES)]
        free = [stack.enter_context(ForkedTests(copy, files, PATIENCE_CPU_S)) for copy in copies]

        def outcome(number: int) -> str:
            forked = free.pop()
            found = tried(forked, drawn[number], *given[number])
            free.append(forked)
            print(f"{number}: {found}: {words(drawn[number])}", file=sys.stderr, flush=True)
            return found

        return list(pool.map(outcome, range(len(drawn))))


def words(mutant: Mutant) -> str:
    return mutant.words((ROOT / mutant.path).read_bytes())


def page(drawn: Sequence[Mutant], found: Sequence[str]) -> str:
    """Return the page on mutants and what became of them."""
    counts = table(("outcome", "mutants"), [(outcome, str(count)) for outcome, count in Counter(found).most_common()])
    others = [f"- {outcome}: {words(mutant)}" for mutant, outcome in zip(drawn, found, strict=True)]
    listed = "\n".join(line for line in others if not line.startswith("- killed every day"))
    return f"""# Mutants of every room

{len(drawn)} single changes to the source, drawn by seed from each room in turn, each given to the tests that run its
line. `python -m benchmarks.suite_mutants` wrote this page. {provenance(machine(), versions(("pytest", "hypothesis")))}

{counts}

## Not killed every day

{listed or "None."}
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite_mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=MUTANTS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    drawn = mutants(given.count, given.seed)
    PAGE.write_text(page(drawn, outcomes(drawn)), encoding="utf-8")


if __name__ == "__main__":
    main()
