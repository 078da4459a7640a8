"""Tests that run each line of the checker, determined by ``python -m benchmarks.reliability.reached``.

It runs the test suite once with coverage by test, most of an hour, and caches the result for these sources.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from benchmarks.reporting import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCES = ("etsopt", "models", "tests")
ROOMS = ("etsopt/checking/", "etsopt/readings/")
"""Rooms of the checker: what it proves, and how it reads an instance."""

BUDGET_S = 30.0
"""Time budget of the tests of a mutant, by their time without it [s]."""

WITHOUT = (
    *("test_wheel", "test_repository", "test_benchmarks", "test_docs"),
    *("results/test_kills", "cli/test_start_up"),
)
"""Tests of separate processes and of the repository, which identify no line."""


PASSED, FAILED = 0, 1
"""Accepted exit codes of pytest; a test that fails because coverage takes memory is left out."""


def place() -> Path:
    """Return the cache file of this state of the sources."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            digest.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return Path(tempfile.gettempdir()) / f"etsopt-reached-{digest.hexdigest()[:16]}.json"


def find(folder: Path) -> dict[str, Any]:
    """Run the suite; return tests by file and line, as indices of the list of all."""
    ignored = [f"--ignore=tests/{name}.py" for name in WITHOUT]
    data, report = folder / "coverage", folder / "tests.xml"
    rooms = (f"--cov={room.strip('/').replace('/', '.')}" for room in ROOMS)
    measured = (*rooms, "--cov-context=test", "--cov-report=", f"--junitxml={report}")
    options = ("-q", "-p", "no:cacheprovider", "-n", "2", *measured, *ignored)
    command = [sys.executable, "-m", "pytest", *options]
    ended = subprocess.run(command, cwd=ROOT, check=False, env=os.environ | {"COVERAGE_FILE": str(data)})
    if ended.returncode not in (PASSED, FAILED):
        ended.check_returncode()
    return read(data, report)


def read(data: Path, report: Path) -> dict[str, Any]:
    """Return the cached coverage by test and the seconds of every test."""
    from coverage import CoverageData

    took = seconds_of(report)
    tests = sorted(took, key=lambda test: took[test])
    number = {test: place for place, test in enumerate(tests)}
    seconds = [took[test] for test in tests]
    covered, lines = CoverageData(str(data)), dict[str, dict[str, list[int]]]()
    covered.read()
    for file in covered.measured_files():
        path = Path(file).relative_to(ROOT).as_posix()
        if not path.startswith(ROOMS):
            continue
        own = {place for test, place in number.items() if test.startswith(tests_for(path))}
        lines[path] = {
            str(line): chosen({number.get(context.partition("|")[0], -1) for context in contexts}, seconds, own)
            for line, contexts in covered.contexts_by_lineno(file).items()
        }
    return {"tests": tests, "seconds": seconds, "lines": lines}


def tests_for(path: str) -> str:
    """Return the file of tests that has the name of a file of the checker, whether it exists or not."""
    inside = Path(path).relative_to("etsopt")
    return (Path("tests") / inside.with_name(f"test_{inside.name}")).as_posix()


def chosen(numbers: set[int], seconds: Sequence[float], own: set[int]) -> list[int]:
    """Return tests that fit the time budget, at least one: those of the file's own first, and then the fastest."""
    fitting, spent = list[int](), 0.0
    for number in sorted(numbers - {-1}, key=lambda number: (number not in own, number)):
        spent += seconds[number]
        if fitting and spent > BUDGET_S:
            break
        fitting.append(number)
    return fitting


def seconds_of(file: Path) -> dict[str, float]:
    """Return the seconds of every passed test, by name."""
    return {
        f"{case.attrib['classname'].replace('.', '/')}.py::{case.attrib['name']}": float(case.attrib["time"])
        for case in ElementTree.parse(file).iter("testcase")
        if all(case.find(how) is None for how in ("failure", "error", "skipped"))
    }


@cache
def known() -> dict[str, Any]:
    """Return the cached result of this state of the sources."""
    if not place().exists():
        raise FileNotFoundError("Nothing is known of this state of the sources: run benchmarks.reliability.reached.")
    found: dict[str, Any] = json.loads(place().read_text(encoding="utf-8"))
    return found


def tests_of(path: str, line: int) -> list[str]:
    """Return the tests that run a line, as many as fit the budget: first those of its file's own, then the fastest.

    A line that runs at import, such as a constant, has no test of its own. It gets the tests of the lines that use
    its name, or of its whole file.
    """
    lines: dict[str, dict[str, list[int]]] = known()["lines"]
    own = lines.get(path, {})
    numbers = set(own.get(str(line), ())) or named_in(path, line, lines) or set[int]().union(*own.values())
    tests, seconds = known()["tests"], known()["seconds"]
    of_file = {number for number in numbers if tests[number].startswith(tests_for(path))}
    return [tests[number] for number in chosen(numbers, seconds, of_file)]


def named_in(path: str, line: int, lines: Mapping[str, Mapping[str, Sequence[int]]]) -> set[int]:
    """Return the tests of all lines of the checker that use the name defined at a line of a module."""
    word = word_at(path, line)
    if word is None:
        return set()
    return {
        number
        for file, by_line in lines.items()
        for place, text in enumerate((ROOT / file).read_text(encoding="utf-8").splitlines(), start=1)
        if word.search(text)
        for number in by_line.get(str(place), ())
    }


def word_at(path: str, line: int) -> re.Pattern[str] | None:
    """Return a pattern of the names that a module defines at a line, such as of a constant; None if it defines none."""
    names = {
        target.id
        for statement in ast.parse((ROOT / path).read_bytes()).body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.lineno <= line <= (statement.end_lineno or 0)
        for target in (statement.targets if isinstance(statement, ast.Assign) else (statement.target,))
        if isinstance(target, ast.Name)
    }
    return re.compile(rf"\b({'|'.join(names)})\b") if names else None


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place().write_text(json.dumps(find(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
