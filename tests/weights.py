"""Code lines by room, and the table that bounds them; ``python -m tests.weights`` writes lower figures into the table.

A code line has code: blank lines, comments and docstrings do not count. Python, HTML, JavaScript and CSS do.
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

COMMENTS = {
    ".html": r"<!--.*?-->|\{#.*?#\}|/\*.*?\*/",
    ".css": r"/\*.*?\*/",
    ".js": r"/\*.*?\*/|^\s*//[^\n]*",
}
"""Endings of files that are no Python, and their comments."""

NOT_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def code_lines(path: Path) -> int:
    """Return the number of code lines of a file, and 0 of one that is neither Python nor part of a page."""
    if path.suffix == ".py":
        return len(_lines_of_python(path.read_text(encoding="utf-8")))
    if path.suffix not in COMMENTS:
        return 0
    without = re.sub(COMMENTS[path.suffix], "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return sum(bool(line.strip()) for line in without.splitlines())


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


def stated() -> dict[str, int]:
    """Return the most code lines that each room may have, by the table."""
    rooms: dict[str, int] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["rooms"]
    return rooms


def main() -> None:
    """Write the figure of every room that became lighter into the table, and drop rooms that are gone."""
    measured, lines = weights(), list[str]()
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        entry = re.match(r'"([^"]+)" = (\d+)', line)
        if entry is None:
            lines.append(line)
        elif entry[1] in measured:
            fewer = min(measured[entry[1]], int(entry[2]))
            lines.append(line.replace(f"= {entry[2]}", f"= {fewer}", 1))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{sum(measured.values()):,} code lines in {len(measured)} rooms; {sum(stated().values()):,} are allowed.")


if __name__ == "__main__":
    main()
