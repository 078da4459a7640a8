"""Code lines by room, and the table that bounds them; ``python -m tests.weights`` writes lower figures into the table.

A code line has code: blank lines, comments and docstrings do not count. Python, HTML, JavaScript and CSS do; a line of
the last three counts as one for every `LINE` characters.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_suffix(".toml")
FOLDERS = {"etsopt": 2, "models": 3}
"""Folders of the code, and how many parts the path of a room in them has at most."""

LINE = 120
"""Characters of a line."""

TEXT = r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|"""
COMMENTS = {
    ".html": r"()<!--.*?-->|\{#.*?#\}",
    ".css": TEXT + r"/\*.*?\*/",
    ".js": TEXT + r"/\*.*?\*/|^\s*//[^\n]*",
}
"""Endings of files that are no Python, and their comments, which none are within a text."""

NOT_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def code_lines(path: Path) -> int:
    """Return the number of code lines of a file, and 0 of one that is neither Python nor part of a page."""
    if path.suffix == ".py":
        return len(_lines_of_python(path.read_text(encoding="utf-8")))
    if path.suffix not in COMMENTS:
        return 0
    flags, text = re.DOTALL | re.MULTILINE, path.read_text(encoding="utf-8")
    without = re.sub(COMMENTS[path.suffix], lambda found: found[1] or "", text, flags=flags)
    return sum(-(-len(line.strip()) // LINE) for line in without.splitlines())


def _lines_of_python(text: str) -> set[int]:
    """Return the lines that have a token of code; a text that is a statement by itself is a docstring."""
    found = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in NOT_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def rooms(pattern: str = "*") -> dict[str, list[Path]]:
    """Return the files of every room: a folder of the package or of the models, or the files beside them."""
    found: dict[str, list[Path]] = {}
    for folder, depth in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                found.setdefault("/".join(path.relative_to(ROOT).parts[:-1][:depth]), []).append(path)
    return found


@cache
def weights() -> dict[str, int]:
    """Return the code lines of every room that has any."""
    found = {room: sum(map(code_lines, files)) for room, files in rooms().items()}
    return {room: lines for room, lines in sorted(found.items()) if lines}


def stated(what: str = "rooms") -> dict[str, int]:
    """Return the most code lines that each room may have, or the most lines of each list, by the table."""
    found: dict[str, int] = tomllib.loads(TABLE.read_text(encoding="utf-8"))[what]
    return found


def lists() -> dict[str, int]:
    """Return the lines of each list of what the finders of `tests/terminal` find."""
    files = (ROOT / "tests" / "terminal").glob("*.txt")
    return {path.name: len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in files}


def main() -> None:
    """Write the figure of every room or list that became lighter into the table, and drop rooms that are gone."""
    measured, lines = weights() | lists(), list[str]()
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        entry = re.match(r'"([^"]+)" = (\d+)', line)
        if entry is None:
            lines.append(line)
        elif entry[1] in measured:
            fewer = min(measured[entry[1]], int(entry[2]))
            lines.append(line.replace(f"= {entry[2]}", f"= {fewer}", 1))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    rooms = weights()
    print(f"{sum(rooms.values()):,} code lines in {len(rooms)} rooms; {sum(stated().values()):,} are allowed.")
    for room, number in rooms.items():
        if number > (most := stated().get(room, 0)):
            print(f"{room} has {number:,}, and {most:,} are allowed: raise its figure, with the reason behind it.")


if __name__ == "__main__":
    main()
