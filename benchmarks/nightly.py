"""Everything there is to try, but of the reliability matrix a part: ``make nightly``, run before a change is closed.

Rows of the matrix that need hours or kill processes are left to ``make reliability``.

Each step runs to its end whatever became of the others, and one whose program is not installed is left out; its output
is in ``.cache/nightly``. The page ``nightly.md`` has counts, minutes, the slowest tests, what was left out and why, and
the hash of the tables of a small run of each kind: code that only moves leaves these hashes as they were. From Python
3.12 on, the tests leave the map of lines, with which mutants are tried (row E3 of the matrix,
`benchmarks.suite_mutants`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

from benchmarks import line_map
from benchmarks.reliability import rows
from benchmarks.reporting import FOLDER, ROOT, machine, provenance, table, versions

if TYPE_CHECKING:
    from pathlib import Path

PAGE = FOLDER / "nightly.md"
LOGS = ROOT / ".cache" / "nightly"
PACKAGES = ("highspy", "pyomo", "numpy", "pandas", "pytest")
PART = 0.02
"""Share of the trials of each row of the reliability matrix."""

SLOWEST = 30
PATIENCE_S = 900
"""Time after which a test of the night counts as hung, on a loaded machine as well [s]."""

PYTEST = (sys.executable, "-m", "pytest", "-q")
MAPPED = (*PYTEST, "--numprocesses=auto", "--dist=loadfile", "-p", "benchmarks.line_map")
COVERAGE = LOGS / "coverage.json"
EVERYDAY, NIGHT = "everyday tests, with coverage", "tests left to the night"
ELSEWHERE = "everyday tests elsewhere"
"""Two years ahead, in China, on one core, in a plain terminal, and with folders that list their files the other way."""

PLACE = {"TZ": "Asia/Shanghai", "LC_ALL": "C", "LANG": "C", "TERM": "dumb"}
FAKED = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
"""Of libfaketime: a process waits by the time that it measures, and files keep the times that the system gave them."""

STEPS: dict[str, tuple[str, ...]] = {
    "lint and types": ("make", "lint", "types"),
    EVERYDAY: (
        *MAPPED,
        "-m",
        "not nightly",
        "--cov",
        f"--cov-report=json:{COVERAGE}",
        f"--junitxml={LOGS / 'everyday.xml'}",
    ),
    ELSEWHERE: (
        *("faketime", "-f", "+730d", "taskset", "--cpu-list", "0", *PYTEST),
        *("-p", "benchmarks.reversed_folders", "-p", "no:cov", "-m", "not nightly"),
        f"--junitxml={LOGS / 'elsewhere.xml'}",
    ),
    NIGHT: (*MAPPED, "-m", "nightly", "-p", "no:cov", f"--timeout={PATIENCE_S}", f"--junitxml={LOGS / 'night.xml'}"),
    "documentation": ("make", "docs-check"),
    "wheel": ("make", "release-check"),
    "reliability, a fiftieth": (
        *(sys.executable, "-m", "benchmarks.reliability", "--part", str(PART)),
        *(row.name for row in rows().values() if row.share),
    ),
}
REPORTS = {EVERYDAY: "everyday.xml", ELSEWHERE: "elsewhere.xml", NIGHT: "night.xml"}


NO_TESTS = -1
"""Code of a step that should have run tests and reported none."""


class Step(NamedTuple):
    """Outcome of a step: its exit code and minutes, the tests that ran, if it ran tests, and why it was left out."""

    code: int
    minutes: float
    tests: tuple[Test, ...] = ()
    left_out: str = ""

    @property
    def result(self) -> str:
        """The outcome in words."""
        return self.left_out or ("passed" if self.code == 0 else f"failed ({self.code})")

    def number_of(self, outcome: str) -> str:
        """Return the number of tests of an outcome, nothing for a step without tests."""
        return f"{Counter(test.outcome for test in self.tests)[outcome]:,}" if self.tests else ""


class Test(NamedTuple):
    """Outcome of one test, why it was skipped, and its seconds."""

    name: str
    outcome: str
    reason: str
    seconds: float


def tests_of(report: Path) -> tuple[Test, ...]:
    """Return the tests of a JUnit report, none of one that is absent or was not written to its end."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return ()
    found = []
    for case in cases:
        outcome = next((how for how in ("failure", "error", "skipped") if case.find(how) is not None), "passed")
        outcome = "failed" if outcome in ("failure", "error") else outcome
        skipped = case.find("skipped")
        reason = "" if skipped is None else skipped.attrib.get("message", "")
        name = f"{case.attrib['classname'].removeprefix('tests.')}::{case.attrib['name']}"
        found.append(Test(name, outcome, reason, float(case.attrib["time"])))
    return tuple(found)


def run(name: str, command: tuple[str, ...], environment: dict[str, str]) -> Step:
    """Run a step and say on the terminal that it began and how it ended."""
    if shutil.which(command[0]) is None:
        left_out = Step(0, 0.0, left_out=f"left out: there is no `{command[0]}`")
        print(f"{name}: {left_out.result}", flush=True)
        return left_out
    print(f"{name} ...", flush=True)
    log, began = LOGS / f"{name.replace(' ', '-').replace(',', '')}.log", time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        stated = {"cwd": ROOT, "env": environment, "stdout": output, "stderr": subprocess.STDOUT}
        code = subprocess.run(command, check=False, **stated).returncode
    minutes = (time.monotonic() - began) / 60
    tests = tests_of(LOGS / REPORTS[name]) if name in REPORTS else ()
    code = NO_TESTS if name in REPORTS and code == 0 and not tests else code
    print(f"{name}: {'passed' if code == 0 else f'failed, see {log.relative_to(ROOT)}'}, {minutes:.1f} min", flush=True)
    return Step(code, minutes, tests)


def hashes() -> dict[str, str]:
    """Return the hash of the tables of a small run of each kind that the checker knows."""
    import etsopt
    from tests.checking.test_every_column import KINDS

    return {kind: etsopt.solve(make(), model).tables_hash for kind, (make, model) in KINDS.items()}


def commit() -> str:
    """Return the commit that was tried, and whether files differ from it."""
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    changes = ["git", "status", "--porcelain"]
    changed = subprocess.run(changes, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return told.stdout.strip() + (", with changes that are not committed" if changed else "")


def page(steps: dict[str, Step], tried: str, hashed: dict[str, str], about: dict[str, Any]) -> str:
    """Return the page on a run."""
    counted = ("passed", "failed", "skipped")
    lines = [(name, step.result, *map(step.number_of, counted), f"{step.minutes:.1f}") for name, step in steps.items()]
    tests = [(test, name) for name, step in steps.items() for test in step.tests]
    slowest = sorted(tests, key=lambda one: -one[0].seconds)[:SLOWEST]
    slow = [(f"`{test.name}`", name, f"{test.seconds:.1f}") for test, name in slowest]
    reasons = Counter(test.reason for test, _ in tests if test.outcome == "skipped")
    left_out = "\n".join(f"- {count} times: {reason}" for reason, count in reasons.items()) or "Nothing."
    return f"""# The last whole run of all tests

`make nightly` wrote this page. `make test` runs the first two steps, without coverage. Rows of the reliability matrix
without a share ({", ".join(row.name for row in rows().values() if not row.share)}) are left to `make reliability`.

Commit {tried}. {provenance(about, versions(PACKAGES))}

{table(("step", "result", *counted, "min"), lines, words=("result",))}

The everyday tests reach {covered()} of the lines and branches of the package.

## Skipped

{left_out}

## The slowest {SLOWEST}

{table(("test", "step", "s"), slow, words=("step",))}

## Hashes of tables

The first digits of `Results.tables_hash` of a small run of each kind. Another processor or other versions may give
other ones.

{table(("run", "hash"), [(kind, f"`{digest[:16]}`") for kind, digest in hashed.items()], words=("hash",))}
"""


def covered() -> str:
    """Return the share of lines and branches that coverage found."""
    if not COVERAGE.exists():
        return "an unknown share"
    return f"{json.loads(COVERAGE.read_text(encoding='utf-8'))['totals']['percent_covered']:.1f} %"


def main() -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    tried = commit()
    for file in (*(LOGS / name for name in REPORTS.values()), COVERAGE):
        file.unlink(missing_ok=True)
    # Before the steps, so that no failure here takes the page of a long run.
    hashed = hashes()
    lines = line_map.folder_of_suite()
    of_tests = line_map.recording(lines)
    environments = dict.fromkeys((EVERYDAY, NIGHT), of_tests) | {ELSEWHERE: os.environ | PLACE | FAKED}
    steps = {name: run(name, STEPS[name], environments.get(name, dict(os.environ))) for name in STEPS}
    if "LINE_MAP" in of_tests and all(steps[name].code in (0, 1) for name in (EVERYDAY, NIGHT)):
        (lines / line_map.WHOLE).touch()
    PAGE.write_text(page(steps, tried, hashed, machine()), encoding="utf-8")
    print(f"Written: {PAGE.relative_to(ROOT)}.")
    return int(any(step.code for step in steps.values()))


if __name__ == "__main__":
    sys.exit(main())
