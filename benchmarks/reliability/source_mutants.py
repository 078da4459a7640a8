"""Single changes to the source of the checker, and their detection by its tests.

A mutant swaps an operator, shifts a number, negates a condition or drops a statement. In a copy of the repository, the
tests that run its line, first those of its file, then of its room, then the fastest, run until one fails that passes
without the mutant, for 60 CPU seconds at most. Texts stay unchanged, because messages decide nothing.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.forked_tests import ForkedTests, Mutant
from benchmarks.reliability.reached import ROOMS, tests_of
from benchmarks.reliability.row import Found, Row
from benchmarks.reporting import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PATIENCE_CPU_S = 60
"""CPU time after which a mutant counts as hung; its tests take half of it without the mutant [s]."""

OPERATORS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">="),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<="),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.Add: ("-",),
    ast.Sub: ("+",),
    ast.Mult: ("/",),
    ast.Div: ("*",),
    ast.BitAnd: ("|",),
    ast.BitOr: ("&",),
    ast.And: ("or",),
    ast.Or: ("and",),
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum"}


class Sites(ast.NodeVisitor):
    """Visitor that collects every mutant of a file."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path, self.source, self.found = path, source, list[Mutant]()
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.visit(ast.parse(source))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset

    def put(self, node: ast.expr | ast.stmt, text: str) -> None:
        self.found.append(Mutant(self.path, node.lineno, *self.span(node), text))

    def between(self, left: ast.expr, right: ast.expr, operator: ast.AST) -> None:
        """Swap the operator between two expressions, whose brackets stay."""
        first, last = self.span(left)[1], self.span(right)[0]
        gap = self.source[first:last].decode()
        stands = gap.strip(" ()\n")
        place = first + gap.index(stands)
        assigned = "=" if stands.endswith("=") and isinstance(operator, ast.operator) else ""
        for swapped in OPERATORS.get(type(operator), ()):
            self.found.append(Mutant(self.path, left.lineno, place, place + len(stands), swapped + assigned))

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, operator, right in zip((node.left, *node.comparators), node.ops, node.comparators, strict=False):
            self.between(left, right, operator)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.between(node.left, node.right, node.op)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.between(node.values[0], node.values[1], node.op)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self.put(node, f"({ast.get_source_segment(self.source.decode(), node.operand)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self.put(node, str(not node.value))
        elif isinstance(node.value, int):
            self.put(node, str(node.value + 1))
        elif isinstance(node.value, float):
            self.put(node, repr(2.0 * node.value) if node.value else "1.0")

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in NAMES:
            self.put(node, NAMES[node.id])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in NAMES:
            last = self.span(node)[1]
            self.found.append(Mutant(self.path, node.lineno, last - len(node.attr), last, NAMES[node.attr]))
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.put(node.test, f"not ({ast.get_source_segment(self.source.decode(), node.test)})")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.dump(node.test):
            self.put(node.test, "True")
            self.put(node.test, "False")
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.put(node, "pass")
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.put(node, "pass")
        self.between(node.target, node.value, node.op)
        self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        self.put(node, "pass")

    def visit_Raise(self, node: ast.Raise) -> None:
        self.put(node, "pass")

    def visit_arg(self, node: ast.arg) -> None:
        """Skip annotations."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body):
            self.visit(part)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Skip texts, with their interpolated values."""

    def visit_keyword(self, node: ast.keyword) -> None:
        """Skip `strict=True` of zip: no correct program depends on it."""
        if node.arg != "strict":
            self.visit(node.value)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in node.body:
            self.visit(part)


@cache
def mutants() -> list[Mutant]:
    """Return all mutants of the checker, in a fixed random order."""
    found: list[Mutant] = []
    for file in sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        found += Sites(file.relative_to(ROOT).as_posix(), file.read_bytes()).found
    Random(0).shuffle(found)
    return found


def tracked() -> list[str]:
    """Return the files that git tracks."""
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


@contextmanager
def copy_of_the_repository() -> Iterator[Path]:
    """Yield the root of a copy, with documents and all: some tests read them."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for name in sorted({Path(name).parts[0] for name in tracked()}):
            place = Path(folder) / name
            if (ROOT / name).is_dir():
                # What is compiled comes along: of a mutant only its own file is compiled again.
                shutil.copytree(ROOT / name, place)
            else:
                shutil.copy(ROOT / name, place)
        yield Path(folder)


def mutated(numbers: Iterable[int]) -> Found:
    """Apply each mutant, run the tests of its line, and list undetected ones."""
    found = Found()
    tests = {number: tests_of(mutants()[number].path, mutants()[number].line) for number in numbers}
    files = sorted({test.partition("::")[0] for some in tests.values() for test in some})
    with copy_of_the_repository() as copy, ForkedTests(copy, files, PATIENCE_CPU_S) as forked:
        for number, some in tests.items():
            mutant = mutants()[number]
            outcome = forked.outcome(mutant, some)
            found.saw(outcome)
            if not outcome.startswith("killed"):
                found.named(number, f"{outcome}: {mutant.words((ROOT / mutant.path).read_bytes())}")
    return found


ROWS = (
    Row(
        "E3",
        "the source of the checker and its readings with one operator, number, condition or statement changed, each "
        "given to the tests that run through its line",
        "97 % are killed; the survivors are listed",
        1_500,
        0,
        mutated,
        chunk=25,
        patience_s=6_000.0,
    ),
)
