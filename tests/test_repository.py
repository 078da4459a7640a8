"""What is committed: nothing of the machine it was made on, no other registry than PyPI, no file that grew too long."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]

# Put together from pieces, or this file would find itself.
ROOTS = ("work", "farm", "opt", "root", "home", "tmp/bash_" + "jobs")
PLACES = re.compile(rf"(?<![\w.~-])/(?:{'|'.join(ROOTS)})/")
INDEX = re.compile("|".join(("find" + "-links", "(?:extra-)?index" + "-url", "trusted" + "-host")))
HOSTS = {"pypi.org", "files.pythonhosted.org"}

LONG: dict[str, str] = {
    "models/etsopt_models/allocation.py": "The mathematics, the formulation and its data are one page.",
}
"""Python files above 300 lines outside the tests, and why each is better in one piece."""


def tracked() -> list[str]:
    """Names of the files that git tracks."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def text(name: str) -> str:
    """Content of a tracked file."""
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def test_no_file_names_a_place_on_some_machine() -> None:
    hits = [f"{name}: {hit.group()}" for name in tracked() for hit in PLACES.finditer(text(name))]
    assert hits == []


def test_the_lock_and_the_requirements_name_pypi_alone() -> None:
    locked = text("uv.lock")
    hosts = set(re.findall(r'https?://([^/"]+)', locked))
    assert hosts == HOSTS
    assert set(re.findall(r"registry = \"([^\"]+)\"", locked)) == {"https://pypi.org/simple"}
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in text(name).splitlines() if not line.lstrip().startswith("#")]
        assert [line for line in lines if re.search(r"://| @ |^-", line)] == []


def test_no_file_sends_an_installer_to_another_registry() -> None:
    hits = [f"{name}: {hit.group()}" for name in tracked() for hit in INDEX.finditer(text(name))]
    assert hits == []


def test_the_lock_is_that_of_the_project_file() -> None:
    asked = tomllib.loads(text("pyproject.toml"))
    (entry,) = (package for package in tomllib.loads(text("uv.lock"))["package"] if package["name"] == "etsopt")
    wanted = {(line, "") for line in asked["project"]["dependencies"]}
    wanted |= {(line, name) for name, lines in asked["project"]["optional-dependencies"].items() for line in lines}
    found = {
        (Requirement(item["name"] + item.get("specifier", "")), item.get("marker", ""))
        for item in entry["metadata"]["requires-dist"]
    }
    expected = {(Requirement(line), f"extra == '{name}'" if name else "") for line, name in wanted}
    assert found == expected, "run `make lock`"
    groups = asked["dependency-groups"]
    for name, items in entry["metadata"]["requires-dev"].items():
        lines = {line for line in groups[name] if isinstance(line, str)}
        lines |= {line for item in groups[name] if isinstance(item, dict) for line in groups[item["include-group"]]}
        locked = {Requirement(item["name"] + item.get("specifier", "")) for item in items}
        assert locked == {Requirement(line) for line in lines}, "run `make lock`"


def test_every_locked_requirement_has_a_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        entries = re.split(r"\n(?=\S)", text(name))
        pinned = [entry for entry in entries if not entry.startswith("#")]
        assert pinned
        assert [entry for entry in pinned if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_a_long_file_has_a_reason() -> None:
    names = [name for name in tracked() if name.endswith(".py") and not name.startswith("tests/")]
    long = {name for name in names if len(text(name).splitlines()) > 300}
    assert long == set(LONG)
    assert all(reason.endswith(".") for reason in LONG.values())
