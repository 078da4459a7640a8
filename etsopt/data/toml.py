"""TOML that may be absurd: read in bounded time and depth, and looked through before anything else is done with it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from typing import Any

from etsopt.characters import HIDDEN
from etsopt.errors import DataError, Problem, brief, shortened

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
    ValueError
        With what is wrong in words, whichever way it is wrong.
    """
    if MANY_PARTS.search(TEXT_OR_COMMENT.sub("''", text)):
        raise ValueError(f"a key has more than {DEEPEST} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = shortened(str(error))
    except RecursionError:
        reason = f"lists or tables lie inside each other more than {DEEPEST} deep"
    except ValueError:
        reason = "a whole number has thousands of digits"
    raise ValueError(reason)


def parse_value(text: str) -> Any:
    """Read one value on one line: TOML, else the text itself.

    Raises
    ------
    ValueError
        With what is wrong in words, where the text says more than one value.
    """
    if HIDDEN.search(text):
        raise ValueError("it holds a line end, or a control or invisible character")
    if any(part.startswith(("#", '"""', "'''")) for part in TEXT_OR_COMMENT.findall(text)):
        raise ValueError("it holds a comment, or a text of several lines")
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    except (RecursionError, ValueError):
        raise ValueError("it is too deep or too long") from None


def checked_content(content: Mapping[Any, Any], place: str) -> dict[str, Any]:
    """Return the content of a policy with its texts normalised as those of tables are.

    Raises
    ------
    DataError
        Lists every key that is too deep, or with a value that no policy can hold; what these mean is judged later.
    """
    problems: list[Problem] = []
    count = 0

    def look(value: Any, key: str, depth: int) -> Any:
        nonlocal count
        count += 1
        if isinstance(value, str):
            if HIDDEN.search(value):
                what = f"is {brief(value)}, with a control or invisible character in it"
                problems.append(Problem(place, what, "Type the value anew, on one line.", key))
            return unicodedata.normalize("NFKC", value)
        if isinstance(value, int) and not -LARGEST_WHOLE <= value < LARGEST_WHOLE:
            advice = "Correct the value; TOML knows whole numbers of 64 bits."
            problems.append(Problem(place, "is a whole number of more than 64 bits", advice, key))
        if not isinstance(value, Mapping | list | tuple) or count > MOST_VALUES:
            return value
        if depth > DEEPEST:
            advice = "No key of a policy lies that deep; look for a bracket or a point too many."
            problems.append(Problem(place, f"holds lists or tables more than {DEEPEST} deep", advice, key))
            return None
        if isinstance(value, Mapping):
            return {name: look(below, f"{key}.{name}".strip("."), depth + 1) for name, below in named(value, key)}
        return type(value)(look(item, key, depth + 1) for item in value)

    def named(table: Mapping[Any, Any], above: str) -> list[tuple[Any, Any]]:
        found: dict[Any, Any] = {}
        for own, below in table.items():
            name = unicodedata.normalize("NFKC", own) if isinstance(own, str) else own
            key = f"{above}.{own}".strip(".")
            if isinstance(name, str) and (not 0 < len(name) <= LONGEST_KEY or HIDDEN.search(name)):
                what = "is a key that is empty, too long, or has a control or invisible character in it"
                problems.append(Problem(place, what, "Type the key anew.", key))
            elif name in found:
                problems.append(Problem(place, "is stated twice, in two ways of writing", "Keep one of them.", key))
            else:
                found[name] = below
        return list(found.items())

    looked = look(content, "", 1)
    if count > MOST_VALUES:
        what = f"holds more than {MOST_VALUES:,} values"
        problems = [Problem(place, what, "No policy has that many; see that it is the right file."), *problems]
    if problems:
        raise DataError("The policy", problems)
    return dict(looked)
