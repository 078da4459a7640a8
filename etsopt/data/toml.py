"""TOML that may be absurd: read in bounded time and depth, and looked through before anything else is done with it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from typing import Any

from etsopt.characters import HIDDEN
from etsopt.errors import DataError, Problem, brief

LARGEST_BYTES = 1_000_000
"""Of a policy file: the ids of all enterprises of China, listed twice, are less than a tenth of it."""

DEEPEST, MOST_VALUES, LONGEST_KEY, LARGEST_WHOLE = 8, 100_000, 200, 2**63
"""Tables inside each other, values in all, characters of a key, and the first whole number that TOML does not know."""

TEXT_OR_COMMENT = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?(?:"""|\Z)' r"|'''[\s\S]*?(?:'''|\Z)" r'|"(?:\\.|[^"\\\n])*"?' r"|'[^'\n]*'?" r"|\#[^\n]*"
)
"""One that has no end runs to that of its line, so that a search never tries the same characters twice."""

MANY_PARTS = re.compile(rf"(?:\.[^.=,\n\[\]{{}}]*){{{DEEPEST + 1}}}")
"""A key of more parts than tables lie inside each other; tomllib takes time with the square of their number."""


def parse_toml(text: str) -> dict[str, Any]:
    """Read a TOML text.

    Raises
    ------
    TOMLDecodeError
        If it is no TOML.
    ValueError
        If it is deeper or longer than any policy.
    """
    if MANY_PARTS.search(TEXT_OR_COMMENT.sub("''", text)):
        raise ValueError(f"a key has more than {DEEPEST} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError(f"lists or tables lie inside each other more than {DEEPEST} deep") from None
    except ValueError:
        raise ValueError("a whole number has thousands of digits") from None


def parse_value(text: str) -> Any:
    """Read one value on one line: TOML, else the text itself.

    Raises
    ------
    ValueError
        If the text says more than one value, or one that is deeper or longer than any in a policy.
    """
    if HIDDEN.search(text):
        raise ValueError("it holds a line end, or a control or invisible character")
    if any(part.startswith(("#", '"""', "'''")) for part in TEXT_OR_COMMENT.findall(text)):
        raise ValueError("it holds a comment, or a text of several lines")
    try:
        return parse_toml(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def checked_content(content: Mapping[Any, Any], place: str) -> dict[str, Any]:
    """Return the content of a policy with its texts normalised as those of tables are.

    Raises
    ------
    DataError
        Lists every key that is too deep, or with a value that no policy can hold; what these mean is judged later.
    """
    look = _Look(place)
    looked = dict(look.at_table(content, "", 1))
    if look.count > MOST_VALUES:
        what = f"holds more than {MOST_VALUES:,} values"
        look.problems.insert(0, Problem(place, what, "No policy has that many; see that it is the right file."))
    if look.problems:
        raise DataError("The policy", look.problems)
    return looked


class _Look:
    """A look at every key and value of a policy; ``count`` of them, and what is wrong with them."""

    def __init__(self, place: str) -> None:
        self.place, self.count = place, 0
        self.problems: list[Problem] = []

    def at(self, value: Any, key: str, depth: int) -> Any:
        """Look at a value, and at those inside; returns it with its texts normalised."""
        self.count += 1
        if getattr(value, "shape", None) == ():
            # A number of numpy: what is a truth there shall be one here.
            value = value.item()
        if isinstance(value, str):
            if HIDDEN.search(value):
                what = f"is {brief(value)}, with a control or invisible character in it"
                self._tell(key, what, "Type the value anew, on one line.")
            return unicodedata.normalize("NFKC", value)
        if isinstance(value, int) and not -LARGEST_WHOLE <= value < LARGEST_WHOLE:
            what = "is a whole number of more than 64 bits"
            self._tell(key, what, "Correct the value; TOML knows no longer ones.")
        if not isinstance(value, Mapping | list) or self.count > MOST_VALUES:
            return value
        if depth > DEEPEST:
            advice = "No key of a policy lies that deep; look for a bracket or a point too many."
            self._tell(key, f"holds lists or tables more than {DEEPEST} deep", advice)
            return None
        if isinstance(value, Mapping):
            return self.at_table(value, key, depth)
        return [self.at(item, key, depth + 1) for item in value]

    def at_table(self, table: Mapping[Any, Any], above: str, depth: int) -> dict[Any, Any]:
        """Look at the keys of a table and what they state."""
        found: dict[Any, Any] = {}
        for own, value in table.items():
            name = unicodedata.normalize("NFKC", own) if isinstance(own, str) else own
            key = f"{above}.{own}".strip(".")
            if isinstance(name, str) and (not 0 < len(name) <= LONGEST_KEY or HIDDEN.search(name)):
                what = "is a key that is empty, too long, or has a control or invisible character in it"
                self._tell(key or repr(own), what, "Type the key anew.")
            elif name in found:
                self._tell(key, "is stated twice, in two ways of writing", "Keep one of them.")
            else:
                found[name] = self.at(value, key, depth + 1)
        return found

    def _tell(self, key: str, what: str, advice: str) -> None:
        self.problems.append(Problem(self.place, what, advice, key))
