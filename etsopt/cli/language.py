"""Language of what a command writes: that of ``--lang``, else of the terminal.

Texts are English in the code. Chinese ones come from the gettext catalogue of `etsopt.locale`: what a command writes
itself by `_`, messages of the package by `translated`, and the words of argparse, which asks gettext for them.
"""

from __future__ import annotations

import gettext
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.wording import Message, message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LANGUAGES = ("en", "zh")
DOMAIN, CATALOGUE = "etsopt", Path(__file__).parents[1] / "locale"
"""Domain and folder of the catalogue, for gettext."""


def is_chinese(lang: str | None) -> bool:
    """Return True for Chinese: ``--lang zh``, or a Chinese locale where the command states no language."""
    if lang is not None:
        return lang == "zh"
    stated = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return stated.casefold().startswith("zh")


def language_of(arguments: Sequence[str]) -> str:
    """Return the language that a command line asks for, before it is parsed: its help and errors are in it too.

    >>> language_of(["solve", "--lang", "zh"]), language_of(["solve", "--lang=en"])
    ('zh', 'en')
    """
    stated = None
    for position, argument in enumerate(arguments):
        if argument == "--lang":
            stated = arguments[position + 1] if position + 1 < len(arguments) else None
        elif argument.startswith("--lang="):
            stated = argument.partition("=")[2]
    return "zh" if is_chinese(stated) else "en"


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Write what is inside in a language, the words of argparse included."""
    before, domain = os.environ.get("LANGUAGE"), gettext.textdomain()
    os.environ["LANGUAGE"] = lang
    gettext.bindtextdomain(DOMAIN, str(CATALOGUE))
    gettext.textdomain(DOMAIN)
    try:
        yield
    finally:
        gettext.textdomain(domain)
        os.environ.pop("LANGUAGE")
        if before is not None:
            os.environ["LANGUAGE"] = before


def in_chinese() -> bool:
    """Return True if the command speaks Chinese."""
    return gettext.textdomain() == DOMAIN and os.environ.get("LANGUAGE") == "zh"


def translated(text: str) -> str:
    """Return a text of the package in the language of the command: a message, or a literal text; else as it is."""
    if not text or not in_chinese():
        return text
    if not isinstance(text, Message):
        return gettext.dgettext(DOMAIN, text)
    if not text.values:
        return gettext.dgettext(DOMAIN, text.template)
    values = {name: translated(value) if isinstance(value, Message) else value for name, value in text.values.items()}
    return gettext.dgettext(DOMAIN, text.template).format(**values)


def _(template: str, /, **values: Any) -> str:
    """Return a text that a command writes, in its language, with its values put in.

    >>> _("{count:,} units", count=1234)
    '1,234 units'
    """
    return translated(message(template, **values))


def joined(names: Iterable[object], separator: str = "、") -> str:
    """Return names one after the other: separated by commas, in Chinese by its own mark or a stated one."""
    return (separator if in_chinese() else ", ").join(map(str, names))


def in_brackets(note: object) -> str:
    """Return a note in brackets behind a text."""
    return f"（{note}）" if in_chinese() else f" ({note})"


def word(column: str, value: object) -> str:
    """Return a word in a cell of a column of results in the language of the command; a name stays as it is.

    >>> word("sector", "cement"), word("level", "change")
    ('cement', 'change')
    """
    if not in_chinese():
        return str(value)
    from etsopt.results.cell_words import WORDS, price_unit

    if column == "price_unit":
        return price_unit(str(value))
    return WORDS.get(column, {}).get(str(value), str(value))


def algorithm_of(text: str) -> str:
    """Return the algorithm of an objective in the language of the command."""
    if not in_chinese():
        return text
    from etsopt.results.cell_words import algorithm

    return algorithm(text)
