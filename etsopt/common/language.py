"""The one language mechanism: English texts in the code, translated when they are shown.

A `Text` is its English, so that programs and tests compare it, whatever anybody speaks. Where it is shown, by `str`,
`print`, `+` or in an f-string, it is in the language of the moment, which is a context variable: a module may declare a
heading once, and an exception carries its text without knowing who will read it. All Chinese is in the gettext
catalogue in `locale`, which Babel fills by its default keywords: `_` and `gettext`, `pgettext`, `ngettext`.

What takes the characters of a text stays English: ``", ".join``, ``replace``, ``json.dumps``. Join by `joined`, or put
values into a text.
"""

from __future__ import annotations

import gettext as catalogues
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LANGUAGES = ("en", "zh")
LANGUAGE: ContextVar[str] = ContextVar("language", default="en")
"""Language in which texts are shown."""

DOMAIN, CATALOGUE = "etsopt", Path(__file__).with_name("locale")
"""Domain and folder of the catalogue."""


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, CATALOGUE, [language])


class Text(str):
    """A text in English that is shown in the language of the moment.

    Parameters
    ----------
    msgid
        The English text; with values a template for `str.format`. Without values, braces are braces.
    context
        Where it stands, if its translation depends on that, such as ``column``.
    plural
        The template for any other count than one; ``values["count"]`` is the count.
    values
        Values of the template, which may be texts.

    >>> found = Text("{count:,} units of {sector}", values={"count": 1234, "sector": Text("cement")})
    >>> found == "1,234 units of cement", found.msgid
    (True, '{count:,} units of {sector}')
    """

    __slots__ = ("context", "msgid", "plural", "values")
    context: str
    msgid: str
    plural: str
    values: Mapping[str, Any]

    def __new__(cls, msgid: str, context: str = "", plural: str = "", values: Mapping[str, Any] | None = None) -> Self:
        """Put the values into the template, in English."""
        if isinstance(msgid, cls):
            if not values:
                return msgid
            context = msgid.context
        template = plural if plural and values and values["count"] != 1 else msgid
        if values:
            with speaking("en"):
                template = template.format(**values)
        made = super().__new__(cls, template)
        made.msgid, made.context, made.plural, made.values = str.__str__(msgid), context, plural, values or {}
        return made

    def __str__(self) -> str:
        """Return the text in the language of the moment."""
        language = LANGUAGE.get()
        if language == "en":
            return str.__str__(self)
        found = _catalogue(language)
        if self.plural:
            template = found.ngettext(self.msgid, self.plural, self.values["count"])
        else:
            template = found.pgettext(self.context, self.msgid) if self.context else found.gettext(self.msgid)
        return template.format(**self.values) if self.values else template

    def __format__(self, form: str) -> str:
        return format(str(self), form)

    def __add__(self, other: str) -> str:
        return str(self) + str(other)

    def __radd__(self, other: str) -> str:
        return str(other) + str(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return Text, (self.msgid, self.context, self.plural, self.values)


def gettext(msgid: str, /, **values: Any) -> Text:
    """Return a sentence: ``_("{count:,} units", count=1234)``."""
    return Text(msgid, values=values)


def pgettext(context: str, msgid: str, /, **values: Any) -> Text:
    """Return a word or heading whose translation depends on where it stands: ``pgettext("column", "surplus")``."""
    return Text(msgid, context, values=values)


def ngettext(one: str, many: str, count: int, /, **values: Any) -> Text:
    """Return a text with a count, which is the value ``count`` too."""
    return Text(one, plural=many, values={"count": count, **values})


_ = gettext


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Show texts in a language, ``en`` or ``zh``, in this thread or task alone."""
    if language not in LANGUAGES:
        raise ValueError(f"There is no language {language!r}: choose one of {', '.join(LANGUAGES)}.")
    before = LANGUAGE.set(language)
    try:
        yield
    finally:
        LANGUAGE.reset(before)


class Translated(Text):
    """A text that is kept as it is shown in every language, because what it was made of is not kept.

    Parameters
    ----------
    texts
        The text by language, as `in_both` returns it.
    """

    __slots__ = ()

    def __new__(cls, texts: Mapping[str, str]) -> Self:
        """Keep the texts."""
        made = super().__new__(cls, texts["en"])
        made.values = texts
        return made

    def __str__(self) -> str:
        shown: str = self.values[LANGUAGE.get()]
        return shown

    def __reduce__(self) -> tuple[Any, ...]:
        return Translated, (self.values,)


def in_both(text: object, form: Callable[[object], str] = str) -> dict[str, str]:
    """Return a text in every language, and in some form."""
    found = {}
    for language in LANGUAGES:
        with speaking(language):
            found[language] = form(text)
    return found


def in_chinese() -> bool:
    """Return True if texts are shown in Chinese."""
    return LANGUAGE.get() == "zh"


def joined(names: Iterable[object], separator: str = "、") -> str:
    """Return names one after the other: separated by commas, in Chinese by its own mark or a stated one."""
    return (separator if in_chinese() else ", ").join(map(str, names))


def chain(parts: Iterable[str], template: str) -> str:
    """Return texts one after the other, two at a time by a template with ``{first}`` and ``{second}``.

    >>> chain(["at least 0", "at most 1"], "{first} and {second}")
    'at least 0 and at most 1'
    """
    return reduce(lambda first, second: gettext(template, first=first, second=second), parts)


def in_brackets(note: object) -> str:
    """Return a note in brackets behind a text."""
    return f"（{note}）" if in_chinese() else f" ({note})"


def capitalised(words: object) -> str:
    """Return words as an English sentence begins with them."""
    shown = str(words)
    return shown if in_chinese() else f"{shown[:1].upper()}{shown[1:]}"
