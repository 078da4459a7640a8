"""Tests of the documentation: its code runs, and its output, links and twins are up to date."""

import contextlib
import doctest
import importlib
import importlib.util
import io
import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest

import etsopt
from docs.tools.examples import assert_shown, blocks
from etsopt.accounting.screening import RULES
from etsopt.cli import main

ROOT = Path(__file__).parents[1]
PACKAGES = ("etsopt", "etsopt_models")
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")
COMPILER = (ROOT / "etsopt" / "modelling" / "compiler" / "README.md").read_text(encoding="utf-8")
REPORTS = (ROOT / "etsopt" / "reports" / "README.md").read_text(encoding="utf-8")
ACCOUNTING = (ROOT / "etsopt" / "accounting" / "README.md").read_text(encoding="utf-8")
LONGEST = 250
"""Lines of the README at most."""


def headings(page: str) -> list[str]:
    """Headings of a page, without those inside code blocks."""
    return re.findall(r"^#+(?= )", re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE), flags=re.MULTILINE)


def links(page: str) -> list[str]:
    """Targets of the links and pictures of a page that are files of the repository."""
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page)
    return [target for target in targets if not target.startswith("http")]


def rows(page: str) -> list[list[str]]:
    """Code in each row of the tables of a page."""
    return [re.findall(r"`[^`]+`", line) for line in page.splitlines() if line.startswith("|")]


def modules_with_examples() -> list[str]:
    """Return the modules of both packages in which a docstring has an example."""
    folders = (Path(importlib.import_module(package).__path__[0]) for package in PACKAGES)
    found = [
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert len(found) > 50
    return found


def run_command(line: str) -> int:
    """Exit code of a line that calls `etsopt`."""
    return main(shlex.split(line, comments=True)[1:])


@pytest.mark.nightly
def test_the_code_of_the_readme_runs_and_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    names: dict[str, Any] = {"__name__": "readme"}
    printed = io.StringIO()
    commands = 0
    for language, code, row in re.findall(r"^(?:```(\w*)\n(.*?)^```|(\|[^\n]*))$", README, re.DOTALL | re.MULTILINE):
        if language == "text":
            assert_shown(code, printed.getvalue())
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if language == "python":
                exec(compile(code, "README.md", "exec"), names)
            # A row of a table may name a command; an infeasible one says so.
            for line in re.findall(r"`(etsopt [^`]+)`", row) or re.findall(r"^etsopt .*", code, re.MULTILINE):
                assert run_command(line) == (3 if "exit code 3" in row else 0), line
                commands += 1
    assert commands >= 20


def test_the_make_commands_of_the_readme_are_targets() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    commands = re.findall(r"\bmake (run|test)\b", README)
    assert {"run", "test"} == set(commands)
    assert set(commands) <= set(targets)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= LONGEST
    assert len(CHINESE.splitlines()) <= LONGEST


def test_the_chinese_readme_has_the_same_parts() -> None:
    assert headings(CHINESE) == headings(README)
    assert blocks(CHINESE) == blocks(README)
    assert rows(CHINESE) == rows(README)
    # Each leads to the other, and to pages and pictures in its own language.
    chinese = {link.replace("docs/zh/", "docs/en/").replace(".zh.svg", ".svg") for link in links(CHINESE)}
    assert sorted(chinese - {"README.md"}) == sorted({*links(README)} - {"README.zh.md"})


def test_the_code_of_the_page_on_the_compiler_runs() -> None:
    code = [text for language, text in blocks(COMPILER) if language == "python"]
    assert code
    exec(compile("\n".join(code), "etsopt/modelling/compiler/README.md", "exec"), {"__name__": "compiler"})


@pytest.mark.nightly
def test_the_code_of_the_page_on_official_tables_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "reports"}
    commands = 0
    for language, code in blocks(REPORTS):
        if language == "python":
            exec(compile(code, "etsopt/reports/README.md", "exec"), names)
        else:
            for line in code.splitlines():
                assert run_command(line) == 0, line
                commands += 1
    assert commands == 5
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "national", "shaanxi", "official", "shaanxi-2025"}


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore:reports. Months with open findings:etsopt.DoubtWarning")
@pytest.mark.filterwarnings("ignore:reports. Months without a report:etsopt.DoubtWarning")
def test_the_code_of_the_page_on_accounting_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "accounting"}
    for language, code in blocks(ACCOUNTING):
        if language == "python":
            exec(compile(code, "etsopt/accounting/README.md", "exec"), names)
        elif language != "none":
            assert {run_command(line) for line in code.splitlines()} == {0}
    RULES.pop("large_month")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("plants", "accounts", "findings", "plants.duckdb", "plants.ledger.jsonl", "folder_again", "tables"),
        *(
            "state",
            "notices",
            "verified",
            "decisions.csv",
            "monitors",
            "plan",
            "reconciled",
            "low",
            "high",
            "reports.xlsx",
        ),
    }


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_docstrings_run(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
    assert tried > 0


def test_the_formulation_book_is_that_of_the_docstrings() -> None:
    written = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    built = runpy.run_path(str(ROOT / "models" / "build_readme.py"))["readme"]()
    assert written == built, "models/README.md is stale; `make docs` writes it anew"


def test_the_page_on_instances_is_that_of_the_schema() -> None:
    written = (ROOT / "instances" / "README.md").read_text(encoding="utf-8")
    built = runpy.run_path(str(ROOT / "instances" / "build_readme.py"))["readme"]()
    assert written == built, "instances/README.md is stale; `make docs` writes it anew"


def test_the_example_of_a_declared_model_solves(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "developing" / "models.md").read_text(encoding="utf-8")
    path = tmp_path / "my_model.py"
    path.write_text(text.split("```python\n")[1].split("```")[0], encoding="utf-8")
    result = etsopt.solve(etsopt.read("tiny"), str(path))
    assert result.termination == "optimal"
    assert result.tables["sectors"]["total_shadow_price"].tolist() == [1.0]
    assert result.tables["plan"]["allowance_t"].sum() == pytest.approx(0.95 * 560_000)


@pytest.mark.parametrize(
    "name",
    ["README.md", "README.zh.md", "CONTRIBUTING.md", "models/README.md", "benchmarks/README.md", "instances/README.md"]
    + [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "etsopt").glob("*/README.md"))],
)
def test_pictures_and_links_of_a_page_are_there(name: str) -> None:
    page = ROOT / name
    assert [link for link in links(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()] == []
