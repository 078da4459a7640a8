"""Tests of mutants, each in a fork of one process that has collected them, so that a mutant waits for no import.

The process runs in a copy of the repository and answers a line of JSON with another. In a fork the functions that a
mutant changes get their new code; what runs at import, such as a constant, is given to a process of its own instead.
A mutant is killed by a test that passes without it, which is tried as well: a test that fails in the copy anyhow
detects nothing.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov")
FIRST = 20
"""Tests that are tried first: most mutants are killed by one of them, and to find hundreds takes seconds."""

PATIENCE_S = 900
"""Time after which a mutant counts as hung if it uses no CPU, on a loaded machine as well [s]."""

HUNG = "killed: it hangs"
SURVIVED = "survived"


class Mutant(NamedTuple):
    """A byte range of a file, and its replacement."""

    path: str
    line: int
    first: int
    last: int
    text: str

    def applied(self, source: bytes) -> bytes:
        return source[: self.first] + self.text.encode() + source[self.last :]

    def words(self, source: bytes) -> str:
        old = source[self.first : self.last].decode()
        return f"{self.path}:{self.line}: `{' '.join(old.split())}` made `{self.text}`"


class ForkedTests(AbstractContextManager["ForkedTests"]):
    """Tests in a copy of the repository.

    Parameters
    ----------
    copy
        Root of the copy.
    files
        Files of the tests, which are collected at once.
    patience_cpu_s
        CPU time after which a mutant counts as hung [s].
    """

    def __init__(self, copy: Path, files: Sequence[str], patience_cpu_s: int) -> None:
        self.copy, self.patience_cpu_s = copy, patience_cpu_s
        self.passes: dict[str, bool] = {}
        self.process = self._started(files)

    def _started(self, files: Sequence[str]) -> subprocess.Popen[str]:
        # A process with one thread is the only one that may be forked.
        alone = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"), "1")
        environment = os.environ | alone | {"PYTHONPATH": f"{self.copy}{os.pathsep}{self.copy / 'models'}"}
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "benchmarks.forked_tests", *files]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=self.copy, env=environment, text=True, **pipes)
        # Until it has collected the tests, it imports files, which must be whole.
        if process.stdout is None or not process.stdout.readline():
            msg = f"pytest cannot collect the tests of the copy {self.copy}"
            raise RuntimeError(msg)
        return process

    def __exit__(self, *_: object) -> None:
        self.process.__exit__(None, None, None)

    def outcome(self, mutant: Mutant, tests: Sequence[str]) -> str:
        """Return what became of a mutant that is given to some tests."""
        if not tests:
            return "reached by no test"
        file = self.copy / mutant.path
        source = file.read_bytes()
        changed = mutant.applied(source)
        file.write_bytes(changed)
        try:
            parts = {"path": str(file), "source": source.decode(), "changed": changed.decode()}
            outcome, killer = self._asked(self.process, tests, **parts)
            if outcome == "runs at import":
                with self._started(()) as own:
                    outcome, killer = self._asked(own, tests)
        finally:
            file.write_bytes(source)
        if killer and not self._passes(killer):
            return self.outcome(mutant, [test for test in tests if test != killer])
        return outcome

    def _passes(self, test: str) -> bool:
        """Return True if a test passes without a mutant."""
        if test not in self.passes:
            self.passes[test] = self._asked(self.process, [test])[0] == SURVIVED
        return self.passes[test]

    def _asked(self, process: subprocess.Popen[str], tests: Sequence[str], **changed: str) -> tuple[str, str]:
        """Return the outcome of tests and the first one that failed."""
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"tests": tests, "patience_cpu_s": self.patience_cpu_s, **changed}) + "\n")
        process.stdin.flush()
        outcome, killer = json.loads(process.stdout.readline())
        return outcome, killer


class FirstFailure:
    """Plugin that keeps the first test that failed."""

    test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid


def functions(code: CodeType) -> Iterator[CodeType]:
    """Yield the functions and methods of a module."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            if part.co_flags & 1:  # CO_OPTIMIZED: a function, and not the body of a class
                yield part
            else:
                yield from functions(part)


def at_import(code: CodeType) -> list[Any]:
    """Return what runs when a module is imported, without its places in the file."""
    parts = [part for part in code.co_consts if isinstance(part, CodeType)]
    values = [repr(part) for part in code.co_consts if not isinstance(part, CodeType)]
    bodies = [at_import(part) for part in parts if not part.co_flags & 1]
    return [code.co_code, code.co_names, values, len(parts), bodies]


def patched(path: str, source: str, changed: str) -> bool:
    """Give the functions of a module their changed code; return False if what runs at import changes."""
    before, after = (compile(text, path, "exec", dont_inherit=True) for text in (source, changed))
    if at_import(before) != at_import(after):
        return False
    codes = {
        (old.co_qualname, old.co_firstlineno): new for old, new in zip(functions(before), functions(after), strict=True)
    }
    # What the tests leave out of the collector's rounds is not among its objects.
    gc.unfreeze()
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__.co_filename == path:
            code = codes.get((function.__code__.co_qualname, function.__code__.co_firstlineno))
            if code is not None:
                if len(code.co_freevars) != len(function.__code__.co_freevars):
                    return False
                function.__code__ = code
    return True


def run(tests: Sequence[str], patience_cpu_s: int) -> tuple[str, str]:
    """Return the outcome of tests in a fork, and the first one that failed."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (patience_cpu_s, patience_cpu_s))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE_S)
        seen = FirstFailure()
        code = pytest.main([*OPTIONS, *tests], plugins=[seen])
        os.write(writes, seen.test.encode())
        os._exit(code)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        killer = pipe.read()
    status = os.waitpid(child, 0)[1]
    with suppress(ProcessLookupError):
        # A test may leave processes behind.
        os.killpg(child, signal.SIGKILL)
    if os.WIFSIGNALED(status):
        return HUNG, ""
    return (SURVIVED if os.WEXITSTATUS(status) == 0 else "killed"), killer


def answer(request: dict[str, Any]) -> tuple[str, str]:
    """Return the outcome of tests with a changed source, in a fork that has the change."""
    if "changed" in request and not patched(request["path"], request["source"], request["changed"]):
        return "runs at import", ""
    tests, patience = request["tests"], request["patience_cpu_s"]
    found = run(tests[:FIRST], patience)
    return run(tests, patience) if found[0] == SURVIVED and len(tests) > FIRST else found


def main() -> None:
    """Collect tests, and answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if sys.argv[1:] and (code := pytest.main([*OPTIONS, "--collect-only", *sys.argv[1:]])):
        sys.exit(code)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            answers.write(json.dumps(answer(json.loads(line))) + "\n")
            answers.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
