"""Messages: English texts that remember how they were made, so that a terminal may show them in another language.

An exception holds English, whatever the language of the terminal: programs and tests compare it. `message` returns that
text as a string that keeps its template and values; `etsopt.cli.language` looks the template up in the catalogue and
puts the values in.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Message(str):
    """An English text with the template and the values that it was made of."""

    __slots__ = ("template", "values")
    template: str
    values: dict[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (str(self), self.template, self.values)


def _made(text: str, template: str, values: dict[str, Any]) -> Message:
    made = Message(text)
    made.template, made.values = template, values
    return made


def message(template: str, /, **values: Any) -> str:
    """Return the text of a template with its values put in, which may be messages themselves.

    >>> found = message("{count:,} units of {sector}", count=1234, sector="cement")
    >>> found, isinstance(found, Message) and found.template
    ('1,234 units of cement', '{count:,} units of {sector}')
    """
    return _made(template.format(**values), template, values)


def literal(text: str) -> str:
    """Return a text without values, in which braces are braces, for a message of which it is a value."""
    return _made(text, text, {})


def listed(parts: Iterable[str], template: str) -> str:
    """Return messages one after the other, two at a time by a template with ``{first}`` and ``{second}``.

    >>> listed(["at least 0", "at most 1"], "{first} and {second}")
    'at least 0 and at most 1'
    """
    return reduce(lambda first, second: message(template, first=first, second=second), parts)
