"""A finder of numbers, codes and words that are cut over two lines.

A piece is a run of characters without a blank and without Chinese: a word, a number, a code, a key or a path, without
the marks at its ends. Each piece of a very wide terminal has to be in one piece at every width. So a piece of the
narrow output that is no piece of the wide one, and is a part of one, is a cut piece.

A line may end

- at a blank, and beside any Chinese character or mark;
- after a hyphen between two words of small letters, such as ``pre-allocation``, unless these are a command
  (``review-plan``): a name, option or code has a digit, a capital or a mark, and stays whole;
- inside a piece that is wider than the terminal, which cannot be whole.

It may not end at a slash: ``CNY/t`` and a path are one piece. Rules of a table are none. A line that is longer than the
terminal counts as it is written: a terminal folds it where it likes, and it is whole again when it is copied. Parts
that are pieces of the same output by themselves are not found.
"""

from __future__ import annotations

import re
from functools import cache

from tests.terminal.cases import paths

CHINESE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’…"
RULES = "\u2500-\u257f"
PIECE = re.compile(rf"[^\s{CHINESE}{RULES}]+")
MARKS = "\"'`.,:;!?()[]{}<>"
PROSE = re.compile(r"[A-Za-z]?[a-z]+(?:-[a-z]{2,})+")
COMMANDS = frozenset(part for path in paths().values() for part in path)


@cache
def pieces(text: str) -> frozenset[str]:
    """Return the pieces of a text.

    >>> sorted(pieces("see `etsopt check run`：47,904,437.40 吨，CNY/t."))
    ['47,904,437.40', 'CNY/t', 'check', 'etsopt', 'run', 'see']
    """
    return frozenset({found.strip(MARKS) for found in PIECE.findall(text)} - {""})


def cut(narrow: str, wide: str, width: int) -> set[str]:
    """Return the pieces of a narrow output that are parts of a piece of the wide one.

    >>> sorted(cut("47,904,4\\n37.40 of pre-\\nallocation", "47,904,437.40 of pre-allocation", 24))
    ['37.40', '47,904,4']
    """
    whole = pieces(wide)
    found = set(pieces(narrow) - whole)
    for piece in whole if found else ():
        if PROSE.fullmatch(piece) and piece not in COMMANDS:
            found -= _with_ends(piece)
    fitting = "\n".join(piece for piece in whole if len(piece) <= width)
    return {piece for piece in found if piece in fitting}


def _with_ends(words: str) -> set[str]:
    """Return the parts of words with hyphens, of which each but the last ends in one."""
    parts = words.split("-")
    places = range(1, len(parts))
    return {*("-".join(parts[:at]) + "-" for at in places), *("-".join(parts[at:]) for at in places)}
