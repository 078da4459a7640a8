"""Mutants of files: bytes flipped, cut, repeated and put elsewhere, cells and values replaced, lines moved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Mutation = Callable[[bytes, Random], bytes]

TOKENS = (
    *(b"0", b"-0", b"-1", b"1e5", b"1e400", b"9" * 40, b"1_000", b"0x10", b"007", b"5e-324", b"1.7976931348623157e308"),
    *(b"0.1", b"1.", b".5", b"+5", b"1e", b"nan", b"NaN", b"inf", b"-Infinity", b"true", b"TRUE", b"null", b"None"),
    *(
        b" ",
        b"",
        b"''",
        b'"',
        b'""',
        b'"""',
        b"'",
        b"=1",
        b"'=1",
        b"@",
        b"+",
        b"-",
        b"#",
        b"\\",
        b"\\u0041",
        b"\\ud800",
    ),
    *(b"\0", b"\x1a", b"\x1b[31m", b"\x7f", b"\x85", b"\t", b"\r", b"\n", b"\r\n", b"\n\n", b"\xa0", b"\xff", b"\x80"),
    *(
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"\xe3\x80\x80",
        b"\xb0\xb2",
        b"\xc4\xea",
    ),
    *(
        "水泥".encode(),
        "５".encode(),
        "＝".encode(),
        "，".encode(),
        b"[" * 50,
        b"{" * 50,
        b"a." * 20,
        b"a" * 70,
        b"x_note",
    ),
    *(b",", b",,", b";", b":", b"[", b"]", b"{", b"}", b"[]", b"{}", b"[rule]", b"year = 2026", b"cement", b"unit-1"),
)
"""Texts inserted into files, replacing content or beside it."""

VALUE = re.compile(rb"[^,\n\r\[\]{}=: \"]+")


def mutated(content: bytes, random: Random) -> bytes:
    """Return a file after one to three mutations."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        content = random.choice(MUTATIONS)(content, random)
    return content


def _place(content: bytes, random: Random) -> int:
    return random.randrange(len(content) + 1)


def _slice(content: bytes, random: Random) -> tuple[int, int]:
    first = _place(content, random)
    return first, min(len(content), first + random.choice((1, 1, 2, 4, 16, 100)))


def _flip(content: bytes, random: Random) -> bytes:
    if not content:
        return content
    place = random.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << random.randrange(8))]) + content[place + 1 :]


def _byte(content: bytes, random: Random) -> bytes:
    place = _place(content, random)
    return content[:place] + bytes([random.randrange(256)]) + content[place + 1 :]


def _remove(content: bytes, random: Random) -> bytes:
    first, last = _slice(content, random)
    return content[:first] + content[last:]


def _repeat(content: bytes, random: Random) -> bytes:
    first, last = _slice(content, random)
    return content[:last] + content[first:last] * random.choice((1, 1, 2, 50)) + content[last:]


def _move(content: bytes, random: Random) -> bytes:
    first, last = _slice(content, random)
    part, rest = content[first:last], content[:first] + content[last:]
    place = _place(rest, random)
    return rest[:place] + part + rest[place:]


def _cut(content: bytes, random: Random) -> bytes:
    return content[: _place(content, random)]


def _insert(content: bytes, random: Random) -> bytes:
    place = _place(content, random)
    return content[:place] + random.choice(TOKENS) + content[place:]


def _replace(content: bytes, random: Random) -> bytes:
    """Replace a whole cell or value by another, of the file or of `TOKENS`."""
    values = list(VALUE.finditer(content))
    if not values:
        return content
    one, other = random.choice(values), random.choice(values)
    new = random.choice((random.choice(TOKENS), other[0]))
    return content[: one.start()] + new + content[one.end() :]


def _digit(content: bytes, random: Random) -> bytes:
    """Replace a number by another one, which may be valid."""
    numbers = list(re.finditer(rb"[0-9]+", content))
    if not numbers:
        return content
    one = random.choice(numbers)
    new = random.choice((str(random.randrange(10**7)).encode(), one[0] + b".25", one[0] + b"e1", b"0" + one[0]))
    return content[: one.start()] + new + content[one.end() :]


def _lines(content: bytes, random: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        return content
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(3)
    if kind == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 1:
        del lines[one]
    else:
        lines.insert(other, lines[one])
    return b"".join(lines)


def _quote(content: bytes, random: Random) -> bytes:
    """Quote a cell or value, which changes nothing in CSV and the type in TOML and JSON."""
    values = list(VALUE.finditer(content))
    if not values:
        return content
    one = random.choice(values)
    return content[: one.start()] + b'"' + one[0] + b'"' + content[one.end() :]


def _line_ends(content: bytes, random: Random) -> bytes:
    return content.replace(b"\n", random.choice((b"\r\n", b"\r", b"\n\n", b"\n ")))


def _encoding(content: bytes, random: Random) -> bytes:
    return content.decode("utf-8", "replace").encode(
        random.choice(("gb18030", "utf-8-sig", "utf-16", "big5")), "replace"
    )


MUTATIONS: tuple[Mutation, ...] = (
    *(_flip, _byte, _remove, _repeat, _move, _cut, _insert, _insert, _replace, _replace, _replace, _digit, _digit),
    *(_lines, _lines, _quote, _line_ends, _encoding),
)
