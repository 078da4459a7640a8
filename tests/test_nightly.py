"""The page of the whole run, the mutants of every room, and what marks a test as one of the night."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import by_night, line_map, nightly, suite_mutants
from benchmarks.forked_tests import ForkedTests, Mutant
from benchmarks.reliability.source_mutants import Sites
from benchmarks.reporting import ROOT
from tests import weights
from tests.conftest import BY_NIGHT

REPORT = """<testsuites><testsuite>
<testcase classname="tests.models.test_one" name="test_a" time="1.5"/>
<testcase classname="tests.models.test_one" name="test_b" time="30.25"><failure>no</failure></testcase>
<testcase classname="tests.models.test_one" name="test_c" time="0"><skipped message="no browser">x</skipped></testcase>
</testsuite></testsuites>"""

SEEDED = """
import pytest

@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["a", "b"])
def test_one(seed, kind):
    pass
"""

SMALL = """
LIMIT = 2


def most(value):
    return min(value, LIMIT) + 0 * len("x")
"""

TESTS_OF_SMALL = """
import small


def test_what_fails_anyhow():
    assert small.most(1) == 5


def test_a_value_is_limited():
    assert [small.most(value) for value in (1, 3)] == [1, 2]
"""

NAMED = """
import pytest

@pytest.mark.everyday("a", "gone")
@pytest.mark.parametrize("kind", ["a", "b"])
def test_two(kind):
    pass

@pytest.mark.everyday("alone")
def test_three():
    pass
"""

SCALED = """
from etsopt.common.scales import scale_of

def test_a():
    scale_of(2.9e9)

def test_b():
    pass
"""


def test_the_page_has_counts_reasons_slow_tests_and_hashes(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT, encoding="utf-8")
    tests = nightly.tests_of(tmp_path / "report.xml")
    assert [test.outcome for test in tests] == ["passed", "failed", "skipped"]
    steps = {"wheel": nightly.Step(0, 0.5), nightly.EVERYDAY: nightly.Step(1, 7.25, tests)}
    about = {"cores": 2, "cpu": "CPU", "memory_gib": 24, "date": "2026-11-29"}
    page = nightly.page(steps, "abc1234", {"tiny": "0123456789abcdef" * 4}, about)
    assert "| wheel | passed |  |  |  | 0.5 |" in page
    assert f"| {nightly.EVERYDAY} | failed (1) | 1 | 1 | 1 | 7.2 |" in page
    assert "- 1 times: no browser" in page
    assert page.index("`models.test_one::test_b` | everyday") < page.index("`models.test_one::test_a`")
    assert "| tiny | `0123456789abcdef` |" in page
    assert "Commit abc1234. Machine: 2 shared cores CPU" in page


def test_every_step_of_make_test_is_a_step_of_the_night() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert '--dist=loadfile -m "not nightly"' in makefile
    assert {"--dist=loadfile", "not nightly"} <= set(nightly.STEPS[nightly.EVERYDAY])
    assert {"lint", "types"} <= set(nightly.STEPS["lint and types"])
    assert "not nightly" in nightly.STEPS[nightly.ELSEWHERE]


def test_a_step_without_its_program_is_left_out_and_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    step = nightly.run(nightly.ELSEWHERE, ("no-such-program", "-f"), {})
    assert (step.code, step.result) == (0, "left out: there is no `no-such-program`")
    assert capsys.readouterr().out == "everyday tests elsewhere: left out: there is no `no-such-program`\n"
    page = nightly.page(
        {nightly.ELSEWHERE: step}, "abc1234", {}, {**dict.fromkeys(("cores", "cpu", "date"), ""), "memory_gib": 1}
    )
    assert f"| {nightly.ELSEWHERE} | left out: there is no `no-such-program` |  |  |  | 0.0 |" in page


def test_folders_list_their_files_the_other_way(tmp_path: Path) -> None:
    plain = (
        "from pathlib import Path\n\n\ndef test_order(tmp_path):\n"
        '    for name in "abc":\n        (tmp_path / name).touch()\n'
        "    for names in (tmp_path.iterdir(), tmp_path.glob('*')):\n"
        "        assert [path.name for path in names] == ['c', 'b', 'a']\n"
    )
    assert "1 passed" in pytest_of(tmp_path, plain, "-p", "benchmarks.reversed_folders")


def pytest_of(folder: Path, tests: str, *options: str, listed: str = "") -> str:
    """What pytest prints of a file of tests beside the present conftest, with tests that a list leaves to the night."""
    (folder / "by_night.txt").write_text(listed, encoding="utf-8")
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "test_some.py").write_text(tests, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    markers = "markers=nightly: of the night\neveryday(case): of every day"
    command += ["-o", markers, "--rootdir", str(folder), str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.nightly
def test_a_case_of_every_day_that_a_test_does_not_have_fails_it_on_several_processes_too(tmp_path: Path) -> None:
    told = pytest_of(tmp_path, NAMED, "--numprocesses=1", "-m", "not nightly")
    assert "no such case of every day: gone; name one that the test has" in told
    assert "no such case of every day: alone; name one that the test has" in told
    assert "3 failed" in told


def test_all_seeds_but_the_first_are_of_the_night(tmp_path: Path) -> None:
    told = pytest_of(tmp_path, SEEDED, "--collect-only", "-m", "nightly")
    assert sorted(line.partition("::")[2] for line in told.splitlines() if "::" in line) == [
        f"test_one[{kind}-{seed}]" for kind in "ab" for seed in (1, 2)
    ]


def test_listed_tests_and_cases_are_of_the_night(tmp_path: Path) -> None:
    plain = TESTS_OF_SMALL.replace("import small", "import pytest")
    cases = '\n\n@pytest.mark.parametrize("kind", ["a", "b"])\ndef test_two(kind):\n    pass\n'
    listed = "test_some.py::test_what_fails_anyhow\ntest_some.py::test_two[b]\n"
    told = pytest_of(tmp_path, plain + cases, "--collect-only", "-m", "nightly", listed=listed)
    assert [line for line in told.splitlines() if "::" in line] == listed.splitlines()


def test_the_list_of_the_night_names_tests_that_are_there() -> None:
    for name in BY_NIGHT.read_text(encoding="utf-8").splitlines():
        file, _colons, test = by_night.function_of(name).rpartition("::")
        assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_the_slowest_of_tests_that_others_make_up_for_are_left_to_the_night() -> None:
    lines = [("etsopt/a.py", number) for number in range(60)]
    ran = [line_map.Ran(f"tests/test_a.py::test_{number}", float(number), lines) for number in range(1, 7)]
    ran.append(line_map.Ran("tests/test_a.py::test_alone[a]", 99.0, [*lines, ("etsopt/a.py", 61)]))
    ran.append(line_map.Ran("tests/test_a.py::test_of_few_lines", 98.0, lines[:9]))
    ran += [line_map.Ran(f"tests/test_a.py::test_cases[{case}]", 50.0, lines) for case in "ab"]
    known = {one.test for one in ran}
    # Nine tests run every line: five go, and four others stay.
    assert by_night.left_to_the_night(ran, known) == [
        "tests/test_a.py::test_4",
        "tests/test_a.py::test_5",
        "tests/test_a.py::test_6",
        "tests/test_a.py::test_cases",
    ]
    assert by_night.left_to_the_night(ran, known - {f"tests/test_a.py::test_{number}" for number in (1, 2)}) == [
        "tests/test_a.py::test_6",
        "tests/test_a.py::test_cases",
    ]


@pytest.mark.nightly
def test_mutants_are_of_every_room_and_change_the_source() -> None:
    drawn = suite_mutants.mutants(80, 0)
    assert len(drawn) == 80
    assert drawn == suite_mutants.mutants(80, 0)
    rooms = Counter(next(room for room, files in weights.rooms().items() if ROOT / one.path in files) for one in drawn)
    assert set(rooms) >= {"etsopt/checking", "etsopt/cli", "etsopt/data", "models/etsopt_models/_market"}
    assert max(rooms.values()) <= 4
    for mutant in drawn:
        source = (ROOT / mutant.path).read_bytes()
        assert mutant.applied(source) != source


@pytest.mark.nightly
def test_a_mutant_is_killed_by_a_test_that_passes_without_it(tmp_path: Path) -> None:
    (tmp_path / "benchmarks").mkdir()
    shutil.copy(ROOT / "benchmarks" / "forked_tests.py", tmp_path / "benchmarks")
    (tmp_path / "small.py").write_text(SMALL, encoding="utf-8")
    (tmp_path / "test_small.py").write_text(TESTS_OF_SMALL, encoding="utf-8")
    wrong, right = "test_small.py::test_what_fails_anyhow", "test_small.py::test_a_value_is_limited"
    by_text = {one.text: one for one in Sites("small.py", SMALL.encode()).found}
    with ForkedTests(tmp_path, ["test_small.py"], patience_cpu_s=60) as forked:

        def outcomes(mutant: Mutant) -> list[str]:
            return [forked.outcome(mutant, tests) for tests in ([wrong], [right], [wrong, right])]

        # Of a function, and of what runs at import.
        assert outcomes(by_text["max"]) == ["reached by no test", "killed", "killed"]
        assert outcomes(by_text["3"]) == ["reached by no test", "killed", "killed"]
        # Twice nothing is nothing, and so is nothing by one.
        assert outcomes(by_text["/"]) == ["reached by no test", "survived", "survived"]
    assert (tmp_path / "small.py").read_text(encoding="utf-8") == SMALL


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")
def test_the_map_has_the_lines_that_a_test_runs(tmp_path: Path) -> None:
    (tmp_path / "test_scales.py").write_text(SCALED, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "benchmarks.line_map",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:cov",
    ]
    environment = {"LINE_MAP": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, str(tmp_path)], cwd=ROOT, env=environment, check=True, capture_output=True)
    one, other = line_map.read(tmp_path)
    assert {path for path, _ in one.lines} == {"etsopt/common/scales.py"}
    assert other.lines == []
