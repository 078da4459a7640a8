"""Reader of untrusted TOML in bounded time and depth, and checks of its content before validation."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from typing import Any

from etsopt.common.characters import HIDDEN
from etsopt.common.errors import DataError, Problem, brief
from etsopt.common.language import _

LARGEST_BYTES = 1_000_000
"""Largest size of a policy file; the ids of all enterprises of China, listed twice, are less than a tenth of it."""

DEEPEST, MOST_VALUES, LONGEST_KEY, LARGEST_WHOLE = 8, 100_000, 200, 2**63
"""Limits: depth of nested tables, number of values, characters of a key, and the first integer beyond TOML's range."""

TEXT_OR_COMMENT = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?(?:"""|\Z)' r"|'''[\s\S]*?(?:'''|\Z)" r'|"(?:\\.|[^"\\\n])*"?' r"|'[^'\n]*'?" r"|\#[^\n]*"
)
"""A text without an end runs to the end of its line, so that a search never tries the same characters twice."""

MANY_PARTS = re.compile(rf"(?:\.[^.=,\n\[\]{{}}]*){{{DEEPEST + 1}}}")
"""A key with more parts than the largest depth; tomllib's time is quadratic in their number."""


def parse_toml(text: str) -> dict[str, Any]:
    """Read a TOML text.

    Raises
    ------
    TOMLDecodeError
        If it is not TOML.
    ValueError
        If it is deeper or longer than any policy.
    """
    if MANY_PARTS.search(TEXT_OR_COMMENT.sub("''", text)):
        raise ValueError(_("a key has more than {deepest} parts", deepest=DEEPEST))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError(_("lists or tables are nested more than {deepest} deep", deepest=DEEPEST)) from None
    except ValueError:
        raise ValueError(_("a whole number has thousands of digits")) from None


def parse_value(text: str) -> Any:
    """Read a value on one line as TOML, else as the text itself.

    Raises
    ------
    ValueError
        If the text has more than one value, or one that is deeper or longer than any in a policy.
    """
    if HIDDEN.search(text):
        raise ValueError(_("it holds a line end, or a control or invisible character"))
    if any(part.startswith(("#", '"""', "'''")) for part in TEXT_OR_COMMENT.findall(text)):
        raise ValueError(_("it holds a comment, or a text of several lines"))
    try:
        return parse_toml(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def checked_content(content: Mapping[Any, Any], place: str) -> dict[str, Any]:
    """Return the content of a policy with texts normalised as in tables.

    Raises
    ------
    DataError
        Lists every key that is too deep, or has a value that no policy can hold; meanings are validated later.
    """
    check = _ContentCheck(place)
    checked = dict(check.table(content, "", 1))
    if check.count > MOST_VALUES:
        what = _("holds more than {most_values:,} values", most_values=MOST_VALUES)
        check.problems.insert(0, Problem(place, what, _("Check that it is the right file: no policy has that many.")))
    if check.problems:
        raise DataError(_("The policy"), check.problems)
    return checked


class _ContentCheck:
    """A check of every key and value of a policy: their ``count`` and ``problems``."""

    def __init__(self, place: str) -> None:
        self.place, self.count = place, 0
        self.problems: list[Problem] = []

    def value(self, value: Any, key: str, depth: int) -> Any:
        """Check a value and those inside it, and return it with its texts normalised."""
        self.count += 1
        if getattr(value, "shape", None) == ():
            # A numpy scalar: its booleans become Python ones.
            value = value.item()
        if isinstance(value, str):
            if HIDDEN.search(value):
                what = _("is {value}, with a control or invisible character in it", value=brief(value))
                self._add(key, what, _("Retype the value, on one line."))
            return unicodedata.normalize("NFKC", value)
        if isinstance(value, int) and not -LARGEST_WHOLE <= value < LARGEST_WHOLE:
            what = _("is a whole number of more than 64 bits")
            self._add(key, what, _("Correct the value: TOML has no longer ones."))
        if not isinstance(value, Mapping | list) or self.count > MOST_VALUES:
            return value
        if depth > DEEPEST:
            advice = _("Look for an extra bracket or point: no key of a policy is that deep.")
            self._add(key, _("holds lists or tables more than {deepest} deep", deepest=DEEPEST), advice)
            return None
        if isinstance(value, Mapping):
            return self.table(value, key, depth)
        return [self.value(item, key, depth + 1) for item in value]

    def table(self, content: Mapping[Any, Any], above: str, depth: int) -> dict[Any, Any]:
        """Check the keys of a table and their values."""
        checked: dict[Any, Any] = {}
        for stated, value in content.items():
            name = unicodedata.normalize("NFKC", stated) if isinstance(stated, str) else stated
            key = f"{above}.{stated}".strip(".")
            if isinstance(name, str) and (not 0 < len(name) <= LONGEST_KEY or HIDDEN.search(name)):
                what = _("is a key that is empty, too long, or has a control or invisible character in it")
                self._add(key or repr(stated), what, _("Retype the key."))
            elif name in checked:
                self._add(key, _("is stated twice, in two spellings"), _("Keep one of them."))
            else:
                checked[name] = self.value(value, key, depth + 1)
        return checked

    def _add(self, key: str, what: str, advice: str) -> None:
        self.problems.append(Problem(self.place, what, advice, key))
