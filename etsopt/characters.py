"""Characters that are not seen, or change how all after them is shown: refused in data, escaped in output."""

from __future__ import annotations

import json
import re

# A list and not `str.isprintable`, which differs by Python version and refuses rare Chinese characters that are new.
CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
"""C0, delete, C1, and halves of characters; without tab and line end, which lay out a text of several lines."""

UNSEEN = (
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # the direction of writing
    r"\u2028\u2029"  # line ends that no file format knows
    r"\xad\u034f\u180b-\u180f\u200b-\u200d\u2060-\u2065\ufeff\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f"
    r"\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters that are blank; above: characters without a width
)

HIDDEN = re.compile(f"[\t\n{CONTROLS}{UNSEEN}]")
"""What no name may hold."""

CONTROL = re.compile(f"[{CONTROLS}]")
"""What no text may hold."""


def escaped(text: str) -> str:
    r"""Write hidden characters other than line ends as JSON does, so that what is JSON stays so.

    >>> print(escaped('{"name": "a\x9b31m\u202e"}'))
    {"name": "a\u009b31m\u202e"}
    """
    return HIDDEN.sub(lambda found: found[0] if found[0] == "\n" else json.dumps(found[0])[1:-1], text)
