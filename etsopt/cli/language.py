"""Language of what a command writes: that of ``--lang``, else of the terminal."""

from __future__ import annotations

import os

LANGUAGES = ("en", "zh")


def is_chinese(lang: str | None) -> bool:
    """Return True for Chinese: ``--lang zh``, or a Chinese locale where the command states no language."""
    if lang is not None:
        return lang == "zh"
    stated = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return stated.casefold().startswith("zh")
