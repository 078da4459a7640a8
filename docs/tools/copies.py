"""Copies of folders that may be written to, whatever the permissions of what they are copied from."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def copied(source: Path, target: Path) -> None:
    """Copy the files of a folder, with their content and without their permissions."""
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
