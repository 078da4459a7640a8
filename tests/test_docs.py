"""What the documentation shows is run: the README, the docstrings, the formulation book."""

import doctest
import importlib
import pkgutil
import re
import runpy
import shlex
from pathlib import Path

import pytest

import etsopt
from etsopt.cli import main

ROOT = Path(__file__).parents[1]
PACKAGES = ("etsopt", "etsopt_models")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Code blocks of the README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def modules() -> list[str]:
    """Every module of both packages."""
    found = [
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
        if not module.name.endswith("__main__")
    ]
    return [*PACKAGES, *found]


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = blocks("python")
    assert code
    exec(compile("\n".join(code), "README.md", "exec"), {"__name__": "readme"})


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("etsopt ")]
    assert lines
    for line in lines:
        command = shlex.split(line, comments=True)[1:]
        assert main(command) == 0, line


def test_the_two_commands_of_the_readme_are_targets() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    commands = [line.split()[1] for block in blocks("sh") for line in block.splitlines() if line.startswith("make ")]
    assert commands == ["run", "test"]
    assert set(commands) <= set(targets)


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_docstrings_run(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_the_formulation_book_is_that_of_the_docstrings() -> None:
    written = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    built = runpy.run_path(str(ROOT / "models" / "build_readme.py"))["readme"]()
    assert written == built, "models/README.md is stale; `make docs` writes it anew"


def test_the_page_on_instances_is_that_of_the_schema() -> None:
    written = (ROOT / "instances" / "README.md").read_text(encoding="utf-8")
    built = runpy.run_path(str(ROOT / "instances" / "build_readme.py"))["readme"]()
    assert written == built, "instances/README.md is stale; `make docs` writes it anew"


def test_the_example_model_of_the_contributing_page_solves(tmp_path: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    path = tmp_path / "my_model.py"
    path.write_text(text.split("```python\n")[1].split("```")[0], encoding="utf-8")
    result = etsopt.solve(etsopt.read("tiny"), str(path))
    assert result.termination == "optimal"
    assert result.tables["plan"]["allowance_t"].sum() == pytest.approx(0.95 * 560_000)


def test_pictures_and_links_of_the_readme_are_there() -> None:
    links = re.findall(r"\]\(([^)#]+?)\)", README)
    local = [link for link in links if not link.startswith("http")]
    assert local
    assert [link for link in local if not (ROOT / link).exists()] == []
