"""Characters that are invisible or change the display of later ones: refused in data, escaped in output."""

from __future__ import annotations

import json
import re

# A list, because `str.isprintable` differs by Python version and refuses new rare Chinese characters.
CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
"""C0, delete, C1 and surrogates; without tab and line end, which a text of several lines needs."""

UNSEEN = (
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # direction of writing
    r"\u2028\u2029"  # line ends that no file format uses
    r"\xad\u034f\u180b-\u180f\u200b-\u200d\u2060-\u2065\ufeff\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f"
    r"\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # blank letters; above: characters without width
)

HIDDEN = re.compile(f"[\t\n{CONTROLS}{UNSEEN}]")
"""Characters that no name may contain."""

CONTROL = re.compile(f"[{CONTROLS}]")
"""Characters that no text may contain."""


def escaped(text: str) -> str:
    r"""Escape hidden characters other than line ends as JSON does, so that JSON remains valid.

    >>> print(escaped('{"name": "a\x9b31m\u202e"}'))
    {"name": "a\u009b31m\u202e"}
    """
    return HIDDEN.sub(lambda match: match[0] if match[0] == "\n" else json.dumps(match[0])[1:-1], text)
