"""What is committed: nothing of the machine it was made on, no package host, no file that grew too long."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]

# Put together from pieces, or this file would find itself.
ROOTS = ("work", "farm", "opt", "root", "home", "tmp/bash_" + "jobs")
PLACES = re.compile(rf"(?<![\w.~-])/(?:{'|'.join(ROOTS)})/")
INDEX = re.compile("|".join(("find" + "-links", "(?:extra-)?index" + "-url", "trusted" + "-host")))
HOSTS = re.compile("|".join((r"pypi\." + "org", "python" + "hosted")))
REQUIREMENTS = {
    "requirements.txt": "build",
    "requirements-dev.txt": "dev",
    "requirements-docs.txt": "docs",
    "requirements-release.txt": "release",
}
"""Each file, and the group of dependencies that it holds beside those of the package."""
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

LONG: dict[str, str] = {}
"""Python files above 600 lines outside the tests, and why each is better in one piece."""


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


def locked(name: str) -> list[Requirement]:
    """Entries of a requirements file."""
    entries = re.split(r"\n(?=\S)", text(name))
    return [Requirement(entry.partition("\\")[0]) for entry in entries if not entry.startswith("#")]


def here() -> dict[str, str]:
    """What markers are evaluated in, of this Python and system."""
    return {name: str(value) for name, value in default_environment().items()}


def pins(name: str, python: str, system: str) -> dict[str, Requirement]:
    """Entries of a requirements file for a Python and a system, by package."""
    environment = here() | {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "os_name": "nt" if system == "win32" else "posix",
    }
    held = [entry for entry in locked(name) if entry.marker is None or entry.marker.evaluate(environment)]
    found = {entry.name: entry for entry in held}
    assert len(found) == len(held), "a package is pinned twice"
    return found


def test_no_file_names_a_package_host() -> None:
    hits = [f"{name}: {hit.group()}" for name in tracked() for hit in HOSTS.finditer(text(name))]
    assert hits == []
    for name in REQUIREMENTS:
        lines = [line for line in text(name).splitlines() if not line.lstrip().startswith("#")]
        assert [line for line in lines if re.search(r"://| @ |^-", line)] == []


@pytest.mark.nightly
def test_no_file_sends_an_installer_to_another_registry() -> None:
    hits = [f"{name}: {hit.group()}" for name in tracked() for hit in INDEX.finditer(text(name))]
    assert hits == []


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", REQUIREMENTS)
def test_the_requirements_are_those_of_the_project_file(name: str, python: str, system: str) -> None:
    asked = tomllib.loads(text("pyproject.toml"))
    groups = asked["dependency-groups"]
    lines = [*asked["project"]["dependencies"], *_of_group(groups, REQUIREMENTS[name])]
    held = pins(name, python, system)
    for line in lines:
        wanted = Requirement(line)
        (pin,) = held[wanted.name].specifier
        assert pin.version in wanted.specifier, f"{line}: run `make lock`"
        assert wanted.extras <= held[wanted.name].extras, f"{line}: run `make lock`"


def _of_group(groups: dict[str, list[Any]], name: str) -> Iterator[str]:
    for item in groups[name]:
        yield from [item] if isinstance(item, str) else _of_group(groups, item["include-group"])


def test_all_files_pin_the_same_versions() -> None:
    """Of a package under some marker the version is one, whichever file has it."""
    known: dict[tuple[str, str], str] = {}
    for name in REQUIREMENTS:
        for entry in locked(name):
            assert known.setdefault((entry.name, str(entry.marker)), str(entry.specifier)) == str(entry.specifier)
    every = {name: {entry.name for entry in locked(name)} for name in REQUIREMENTS}
    assert every["requirements.txt"] < every["requirements-dev.txt"] < every["requirements-docs.txt"]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_extra_that_a_pinned_package_asks_for_is_pinned_with_it(name: str) -> None:
    # Old releases of pip take a pin of `coverage` for none of `coverage[toml]`, and then want the newest of it.
    held = {entry.name: entry for entry in locked(name)}
    for entry in held.values():
        try:
            lines = requires(entry.name) or []
        except PackageNotFoundError:
            continue
        for needed in map(Requirement, lines):
            if needed.extras and (needed.marker is None or needed.marker.evaluate(here() | {"extra": ""})):
                assert needed.extras <= held[needed.name].extras, f"{entry.name} needs {needed}"


def test_every_requirement_has_one_version_and_hashes() -> None:
    for name in REQUIREMENTS:
        entries = [entry for entry in re.split(r"\n(?=\S)", text(name)) if not entry.startswith("#")]
        assert entries
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_a_long_file_has_a_reason() -> None:
    names = [name for name in tracked() if name.endswith(".py") and not name.startswith("tests/")]
    long = {name for name in names if len(text(name).splitlines()) > 600}
    assert long == set(LONG)
    assert all(reason.endswith(".") for reason in LONG.values())
