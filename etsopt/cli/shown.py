"""Texts that rich lays out: rich takes the characters of a text as they are, so that they are translated before."""

from __future__ import annotations

from typing import Any

from rich import text


class Text(text.Text):
    """A text of rich in the language of the moment."""

    def __init__(self, shown: object = "", *style: Any, **options: Any) -> None:
        super().__init__(str(shown), *style, **options)
