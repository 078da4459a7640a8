"""Tests that run each line of the checker, by the map of lines of the suite, which needs Python 3.12 or later."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.line_map import of_suite, read
from benchmarks.reporting import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOMS = ("etsopt/checking/",)
"""Rooms of the checker: what it proves, and how it reads an instance."""

BUDGET_S = 30.0
"""Time budget of the tests of a mutant, by their time without it [s]."""

WITHOUT = tuple(
    f"tests/{name}.py"
    for name in (
        "test_wheel",
        "test_repository",
        "test_benchmarks",
        "test_docs",
        "running/results/test_kills",
        "cli/test_start_up",
    )
)
"""Tests of separate processes and of the repository, which identify no line."""


@cache
def known() -> dict[str, Any]:
    """Return the tests of the suite and their seconds, and by file and line of the checker those that run it."""
    ran = sorted((one for one in read(of_suite()) if not one.test.startswith(WITHOUT)), key=lambda one: one.seconds)
    tests, seconds = [one.test for one in ran], [one.seconds for one in ran]
    lines: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, one in enumerate(ran):
        for path, line in one.lines:
            if path.startswith(ROOMS):
                lines[path][line].add(number)
    return {"tests": tests, "seconds": seconds, "lines": lines}


def tests_for(path: str) -> tuple[str, tuple[str, ...]]:
    """Return how tests of a file of the checker begin, and how those of its room do, whether they exist or not."""
    inside = Path("tests", *Path(path).parts[1:])
    room = inside.parent
    own = inside.with_name(f"test_{inside.stem}")
    return own.as_posix(), (f"{room.as_posix()}/", room.with_name(f"test_{room.name}").as_posix())


def chosen(numbers: Iterable[int], seconds: Sequence[float]) -> list[int]:
    """Return the first tests, at least one, that fit the time budget together."""
    fitting, spent = list[int](), 0.0
    for number in numbers:
        spent += seconds[number]
        if fitting and spent > BUDGET_S:
            break
        fitting.append(number)
    return fitting


def tests_of(path: str, line: int) -> list[str]:
    """Return the tests that run a line, as many as fit the budget: of its file, of its room, and then the fastest.

    A line that runs at import, such as a constant, has no test of its own. It gets the tests of the lines that use
    its name, or of its whole file.
    """
    lines: dict[str, dict[int, set[int]]] = known()["lines"]
    own = lines.get(path, {})
    numbers = set(own.get(line, ())) or named_in(path, line, lines) or set[int]().union(*own.values())
    tests, seconds = known()["tests"], known()["seconds"]
    of_file, of_room = tests_for(path)
    far = {number: (not tests[number].startswith(of_file), not tests[number].startswith(of_room)) for number in numbers}
    return [tests[number] for number in chosen(sorted(numbers, key=lambda number: (far[number], number)), seconds)]


def named_in(path: str, line: int, lines: Mapping[str, Mapping[int, Iterable[int]]]) -> set[int]:
    """Return the tests of all lines of the checker that use the name defined at a line of a module."""
    word = word_at(path, line)
    if word is None:
        return set()
    return {
        number
        for file, by_line in lines.items()
        for place, text in enumerate((ROOT / file).read_text(encoding="utf-8").splitlines(), start=1)
        if word.search(text)
        for number in by_line.get(place, ())
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
