"""The examples of a page: its commands and code run, and print the lines that the page shows.

`python -m docs.tools.examples` runs those of every page of `docs/en`, `docs/zh` and `docs/developing`. A block `sh`
holds commands, of which those that begin with `etsopt` run; a block `python` runs; a block `text` shows lines that the
blocks since the last one printed, in this order, where `...` is any number of lines. A comment such as `# exit code 3`
states another exit code than 0. Blocks of other languages, such as `bash` and `py`, do not run.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

from etsopt.cli import main as etsopt

DOCS = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def pages() -> list[Path]:
    """Return the pages by hand that have examples: in both languages, and those for developers."""
    found = [path for folder in ("en", "zh", "developing") for path in sorted((DOCS / folder).rglob("*.md"))]
    return [page for page in found if re.search(r"^```(sh|python)$", page.read_text(encoding="utf-8"), re.MULTILINE)]


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the code blocks of a page in their order: language and text."""
    return [(language, code) for language, code in BLOCK.findall(page)]


def comparable(line: str) -> str:
    """Return a line of output without its spacing and seconds."""
    return re.sub(r"\d+\.\d+ s\b", "... s", " ".join(line.split()))


def assert_shown(shown: str, printed: str) -> None:
    """Raise `AssertionError` unless the lines of a block are printed, in this order; ``...`` is any number of lines."""
    found = iter([comparable(line) for line in printed.splitlines()])
    for line in map(comparable, shown.splitlines()):
        assert line in ("", "...") or line in found, f"not printed, or not in this order: {line}"


def run_page(page: Path) -> int:
    """Run the examples of a page in the current folder, and return their number.

    Raises
    ------
    AssertionError
        If a command ends with another exit code than the page states, or a shown line is not printed.
    """
    names: dict[str, Any] = {"__name__": page.stem}
    printed, count = "", 0
    for language, code in blocks(page.read_text(encoding="utf-8")):
        if language == "text":
            try:
                assert_shown(code, printed)
            except AssertionError as error:
                raise AssertionError(f"{page}: {error}\n\nPrinted:\n{printed}") from None
            printed = ""
        elif language in ("sh", "python"):
            printed += _run(language, code, names, page)
            count += 1
    return count


def _run(language: str, code: str, names: dict[str, Any], page: Path) -> str:
    """Run one block and return its output."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        if language == "python":
            exec(compile(code, str(page), "exec"), names)
        else:
            for line in re.findall(r"^etsopt .*", code, re.MULTILINE):
                expected = re.search(r"# exit code (\d+)", line)
                status = etsopt(shlex.split(line, comments=True)[1:])
                message = f"{page}: {line} ended with {status}\n\n{output.getvalue()}"
                assert status == int(expected[1] if expected else 0), message
    return output.getvalue()


def main() -> int:
    """Run the examples of every page, each in a folder of its own, and return 0 if all hold."""
    # Pages show what a terminal of 80 columns prints in English.
    os.environ.update(COLUMNS="80", LC_ALL="C.UTF-8")
    failed = 0
    for page in pages():
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            try:
                count = run_page(page)
            except AssertionError as error:
                print(error, file=sys.stderr)
                failed += 1
            else:
                print(f"{page.relative_to(DOCS)}: {count} examples run")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
