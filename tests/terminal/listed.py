"""Lists of what a finder finds today: they may only become shorter.

A list is a file of sorted lines, the first of which is a summary. A test refuses what is found and not listed, and
what is listed and no longer found. ``UPDATE_GOLDEN=1`` removes lines of the latter kind, and adds none. The table of
weights has the most lines that each may have.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

HERE = Path(__file__).parent
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
REMEDY = "Keep a piece whole, translate a word, or add a name that Chinese keeps to `known` in latin.py."


class Listed:
    """The lines of a list.

    Parameters
    ----------
    path
        File of the list.
    summary
        Returns the first line of the file from the others.
    """

    def __init__(self, path: Path, summary: Callable[[list[str]], str]) -> None:
        self.path, self.summary = path, summary
        self.first, *lines = path.read_text(encoding="utf-8").splitlines()
        self.lines = set(lines)

    def compare(self, found: Iterable[str], concerned: Callable[[str], bool]) -> None:
        """See that the lines a test is concerned with are those that it found, or update them."""
        found = set(found)
        listed = {line for line in self.lines if concerned(line)}
        if UPDATE:
            self.lines -= listed - found
            lines = sorted(self.lines)
            self.path.write_text("\n".join([self.summary(lines), *lines, ""]), encoding="utf-8")
            listed &= found
        more, less = sorted(found - listed), sorted(listed - found)
        assert not more, "\n".join([f"found, and not in {self.path.name}, which only shrinks:", *more, REMEDY])
        assert not less, "\n".join(
            [f"in {self.path.name}, and no longer found:", *less, "UPDATE_GOLDEN=1 removes them."]
        )


def _of_widths(lines: list[str]) -> str:
    """The number of listed pieces by width."""
    counts = Counter(int(line.split(" ")[2]) for line in lines)
    return f"{len(lines)} cut pieces, by width: " + ", ".join(f"{width}: {counts[width]}" for width in sorted(counts))


def _of_places(lines: list[str]) -> str:
    return f"{len(lines)} Latin words in {len({line.split(' ')[0] for line in lines})} Chinese texts"


CUT = Listed(HERE / "cut.txt", _of_widths)
"""Case, language, width and piece."""
LATIN = Listed(HERE / "latin.txt", _of_places)
"""Case or place, and word."""
