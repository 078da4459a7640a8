"""Plugin of pytest: the lines of the package that each test runs, by ``sys.monitoring``, which Python 3.12 brought.

``python -m pytest -p benchmarks.line_map`` with ``LINE_MAP`` naming a folder writes a file there for each process.
A line is recorded once a test, so that a suite takes little longer than without. Lines that run at import are no
test's, and a test that fails is left out: it would detect everything. ``make nightly`` makes the map of the whole suite
on the way; ``python -m benchmarks.line_map`` makes it alone, in half an hour.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import time
import zlib
from array import array
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

ROOT = f"{Path(__file__).parents[1]}{os.sep}"
PACKAGES = tuple(f"{ROOT}{package}{os.sep}" for package in ("etsopt", "models"))
TOOL = 3
SOURCES = ("etsopt", "models", "tests")
PROCESSES = 2
WHOLE = "whole"
"""File beside a map of which no test is missing."""


class Ran(NamedTuple):
    """A test, its seconds, and the lines that it ran, each a path below the root and a number."""

    test: str
    seconds: float
    lines: list[tuple[str, int]]


class Recorder:
    """What the running test has run, and the file that keeps it."""

    def __init__(self, folder: Path) -> None:
        self.ran: set[tuple[str, int]] = set()
        self.numbers: dict[tuple[str, int], int] = {}
        self.file = (folder / f"{os.getpid()}.lines").open("wb")

    def keep(self, test: str, seconds: float) -> None:
        """Write what a test ran: lines that no test ran before by name, and all by their numbers."""
        new = sorted(self.ran - self.numbers.keys())
        self.numbers |= {line: len(self.numbers) + place for place, line in enumerate(new)}
        numbers = array("I", sorted(self.numbers[line] for line in self.ran))
        pickle.dump((test, seconds, new, zlib.compress(numbers.tobytes(), 1)), self.file)
        self.file.flush()
        self.ran = set()


def read(folder: Path) -> Iterator[Ran]:
    """Yield every test of a folder that the plugin wrote."""
    for path in sorted(folder.glob("*.lines")):
        known: list[tuple[str, int]] = []
        with path.open("rb") as file:
            while file.peek(1):
                test, seconds, new, packed = pickle.load(file)
                known += new
                yield Ran(test, seconds, [known[number] for number in array("I", zlib.decompress(packed))])


def folder_of_suite() -> Path:
    """Return the folder for the map of the whole suite with these sources."""
    digest = hashlib.sha256()
    for file in sorted(file for folder in SOURCES for file in Path(ROOT, folder).rglob("*.py")):
        digest.update(str(file).removeprefix(ROOT).encode() + file.read_bytes())
    folder = Path(ROOT, ".cache", "line_map", digest.hexdigest()[:16])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def recording(folder: Path) -> dict[str, str]:
    """Return the environment in which tests record what they run, without what a broken run left in the folder.

    Before Python 3.12 nothing records.
    """
    known = (folder / WHOLE).exists() or sys.version_info < (3, 12)
    for former in () if known else folder.glob("*.lines"):
        former.unlink()
    return dict(os.environ) if known else os.environ | {"LINE_MAP": str(folder), "PYTHONPATH": ROOT}


def of_suite() -> Path:
    """Return the folder with the map of the whole suite for these sources, which is made where there is none."""
    folder = folder_of_suite()
    if not (folder / WHOLE).exists():
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(PROCESSES), "--dist=loadfile", "-p", "no:cov"]
        ended = subprocess.run([*command, "-p", "benchmarks.line_map"], cwd=ROOT, env=recording(folder), check=False)
        if ended.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            ended.check_returncode()
        (folder / WHOLE).touch()
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, in a process that runs tests."""
    folder = os.environ.get("LINE_MAP")
    if folder is None or (config.getoption("numprocesses", None) and not hasattr(config, "workerinput")):
        return
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    recorder = Recorder(Path(folder))
    original = SourceFileLoader.get_code

    def line(code: CodeType, number: int) -> Any:
        recorder.ran.add((code.co_filename.removeprefix(ROOT), number))
        return monitoring.DISABLE

    def watch(code: CodeType) -> None:
        monitoring.set_local_events(TOOL, code, monitoring.events.LINE)
        for part in code.co_consts:
            if hasattr(part, "co_consts"):
                watch(part)

    def get_code(self: SourceFileLoader, name: str) -> CodeType | None:
        code = original(self, name)
        if code is not None and code.co_filename.startswith(PACKAGES):
            watch(code)
        return code

    monitoring.use_tool_id(TOOL, "line map")
    monitoring.register_callback(TOOL, monitoring.events.LINE, line)
    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]
    config.pluginmanager.register(Hooks(recorder, monitoring))


class Hooks:
    """The hook around every test."""

    def __init__(self, recorder: Recorder, monitoring: Any) -> None:
        self.recorder, self.monitoring = recorder, monitoring

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.recorder.ran = set()
        self.monitoring.restart_events()
        failed, began = item.session.testsfailed, time.perf_counter()
        result = yield
        if item.session.testsfailed == failed:
            self.recorder.keep(item.nodeid, time.perf_counter() - began)
        return result


if __name__ == "__main__":
    of_suite()
