"""Rooms stay as light as the table of weights says: a change that makes one heavier raises its figure and says why."""

from pathlib import Path

import pytest

from tests.weights import ROOT, code_lines, stated, weights

SLACK = 20
"""Lines by which a room may be lighter than its figure, so that not every removal touches the table."""


def test_no_room_is_heavier_than_its_figure() -> None:
    most = stated()
    over = {room: (lines, most.get(room, 0)) for room, lines in weights().items() if lines > most.get(room, 0)}
    assert not over, "raise the figure in tests/weights.toml, and say behind it why: room: (lines, figure)"


def test_a_room_that_became_lighter_has_a_lower_figure() -> None:
    measured = weights()
    under = {room for room, most in stated().items() if measured.get(room, 0) < most - SLACK}
    assert not under, "`python -m tests.weights` writes the lower figures"


def test_every_kind_of_file_in_the_rooms_is_counted_or_known() -> None:
    known, written = (
        {".py", ".html", ".js", ".css", ".md", ".po", ".mo", ".typed", ".pyc", ".csv"},
        {".bash", ".fish", ""},
    )
    files = [path for room in ("etsopt", "models") for path in (ROOT / room).rglob("*") if path.is_file()]
    others = [path for path in files if path.suffix not in known]
    # What the builds of completions and of the schema write needs no weight.
    others = [path for path in others if path.name != "result.schema.json"]
    assert [path for path in others if path.suffix not in written or path.parent.name != "completions"] == []


def test_code_is_in_folders_that_are_known() -> None:
    folders = (path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    assert {folder.name for folder in folders if any(folder.rglob("*.py"))} <= {
        *("etsopt", "models", "instances", "tests", "benchmarks", "docs", "runs", "dist", "build"),
    }


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("one.py", '"""A docstring.\n\nof three lines."""\n\nX = 1  # with a comment\n"""What it is."""\n', 1),
        ("two.py", "# A comment.\n\nX = (\n    1,\n\n    2,  # beside\n)\n", 4),
        ("text.py", 'X = """a text\n\nof three lines"""\n', 3),
        ("def.py", 'def f():\n    """What."""\n    return 1\n', 2),
        ("page.html", "<p>\n<!-- one\ntwo -->\n{# three #}\n\n</p>\n", 2),
        ("style.css", "/* one */\na { b: c }\n", 1),
        ("code.js", "// one\n/* two\nthree */\nf('http://x')\n", 1),
        ("text.js", 'const a = "/*";\nf();\nconst b = "*/";\n', 3),
        ("long.css", "a { b: c }" * 36 + "\n", 3),
        ("data.json", "{}\n", 0),
    ],
)
def test_comments_docstrings_and_blanks_do_not_count(name: str, text: str, lines: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert code_lines(path) == lines
