"""A plugin of pytest, ``-p benchmarks.reversed_folders``: folders list their files from the last name to the first.

A file system lists them in any order, and always in the same one on one machine: code that takes it for the order of
the names is right there and wrong elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

listed, scanned = os.listdir, os.scandir


class Scanned:
    """The entries of a folder, as `os.scandir` gives them."""

    def __init__(self, *folder: Any) -> None:
        with scanned(*folder) as entries:
            self.entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=True))

    def __iter__(self) -> Scanned:
        return self

    def __next__(self) -> os.DirEntry[Any]:
        return next(self.entries)

    def __enter__(self) -> Scanned:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave out the entries that are left."""
        self.entries = iter(())


def of_paths(found: Callable[..., Iterator[Path]]) -> Callable[..., Iterator[Path]]:
    """Return a method of `Path` that gives what one finds from the last name to the first.

    Some of them keep the function `os.scandir` that was there when their module was imported.
    """
    return lambda *given, **named: iter(sorted(found(*given, **named), reverse=True))


def pytest_configure() -> None:
    for name in ("glob", "iterdir", "rglob"):
        setattr(Path, name, of_paths(getattr(Path, name)))
    os.scandir = Scanned  # type: ignore[assignment,misc]
    os.listdir = lambda *folder: sorted(listed(*folder), reverse=True)  # type: ignore[assignment]
