"""Pages for developers: short, complete, and of files and names that there are."""

import re
from pathlib import Path

import pytest

from tests.test_docs import links

ROOT = Path(__file__).parents[2]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
RECIPES = sorted((ROOT / "docs" / "developing").glob("*.md"))
CONTENTS = ROOT / "docs" / "decisions" / "README.md"
DECISIONS = sorted(CONTENTS.parent.glob("[0-9]*.md"))
PAGES = [CONTRIBUTING, *RECIPES, CONTENTS, *DECISIONS]
CODE = [
    path for folder in ("etsopt", "models", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))
]

LONGEST, LONGEST_RECIPE = 150, 120
"""Lines of the contributing page and of a recipe, at most."""

ELSEWHERE = {"docs/_build", "etsopt/instances"}
"""Folders that a build of the site, and a wheel, have."""

FOLDERS = r"(?:etsopt|models|instances|tests|benchmarks|docs|\.github)/"


def text(path: Path) -> str:
    """Content of a page."""
    return path.read_text(encoding="utf-8")


def missing(page: str) -> list[str]:
    """Files and folders that a page names between backticks and that are not there."""
    named = re.findall(rf"`({FOLDERS}[\w./-]*)`", page)
    return [name for name in named if name not in ELSEWHERE and not (ROOT / name).exists()]


def unknown(page: str) -> list[str]:
    """Names that a page says a file has, as in ```NAME` of `etsopt/file.py```, and that it has not."""
    stated = re.findall(rf"`(\w+)` (?:in|of) `({FOLDERS}[\w./-]+\.py)`", page)
    return [f"{name} of {file}" for name, file in stated if not re.search(rf"\b{name}\b", text(ROOT / file))]


def test_the_contributing_page_is_one_page_and_recipes_are_short() -> None:
    assert len(text(CONTRIBUTING).splitlines()) <= LONGEST
    assert {path.name: lines for path in RECIPES if (lines := len(text(path).splitlines())) > LONGEST_RECIPE} == {}


def test_the_contributing_page_leads_to_every_recipe_and_names_every_room() -> None:
    page = text(CONTRIBUTING)
    assert {path.relative_to(ROOT).as_posix() for path in RECIPES} <= {*links(page)}
    rooms = {path.parent.name for path in (ROOT / "etsopt").glob("*/__init__.py")}
    assert {room for room in rooms if f"`etsopt/{room}`" not in page} == set()


def test_every_module_beside_the_rooms_is_named() -> None:
    pages = text(CONTRIBUTING) + text(ROOT / "docs" / "developing" / "rooms.md")
    modules = [path.name for path in (ROOT / "etsopt").glob("*.py") if not path.name.startswith("__")]
    assert [name for name in modules if f"`etsopt/{name}`" not in pages] == []


@pytest.mark.parametrize("page", [CONTRIBUTING, *RECIPES], ids=lambda page: page.name)
def test_files_names_and_links_of_a_page_for_developers_are_there(page: Path) -> None:
    assert missing(text(page)) == []
    assert unknown(text(page)) == []
    assert [link for link in links(text(page)) if not (page.parent / link).exists()] == []


def test_a_file_or_name_that_is_not_there_is_found() -> None:
    assert missing("`etsopt/cli`, `etsopt/cli/none.py`") == ["etsopt/cli/none.py"]
    assert unknown("`COMMANDS` in `etsopt/cli/__init__.py`, `NONE` of `etsopt/cli/__init__.py`") == [
        "NONE of etsopt/cli/__init__.py"
    ]


def test_files_and_links_of_decisions_are_there() -> None:
    gone = {path.name: names for path in DECISIONS if (names := missing(text(path)))}
    assert gone == {}
    dead = {
        path.name: found
        for path in [CONTENTS, *DECISIONS]
        if (found := [link for link in links(text(path)) if not (path.parent / link).exists()])
    }
    assert dead == {}


def test_decisions_are_numbered_and_each_is_listed_by_its_title() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == [*range(1, len(DECISIONS) + 1)]
    found = re.findall(r"^- \[(\d{4})\]\((\S+)\) (.+(?:\n  .+)*)$", text(CONTENTS), re.MULTILINE)
    listed = sorted((number, name, " ".join(title.split())) for number, name, title in found)
    titles = (text(path).splitlines()[0].removeprefix(f"# {path.name[:4]} ") for path in DECISIONS)
    assert listed == [(path.name[:4], path.name, title) for path, title in zip(DECISIONS, titles, strict=True)]


def test_a_decision_has_context_choice_consequence_and_modules() -> None:
    for path in DECISIONS:
        parts = [part for part in re.findall(r"^## (.+)$", text(path), re.MULTILINE) if part != "Alternatives"]
        assert parts == ["Context", "Choice", "Consequence", "Modules"], path.name


def test_a_decision_that_code_or_a_page_names_is_there() -> None:
    known = {path.name for path in DECISIONS}
    named = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in [*CODE, *PAGES, *(ROOT / "etsopt").rglob("README.md")]
        for name in re.findall(r"decisions/(\d{4}[\w-]*(?:\.md)?)", text(path))
    }
    assert {(place, name) for place, name in named if name not in known} == set()
    assert named
