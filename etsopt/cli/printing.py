"""What commands on monthly reports print beside their tables: JSON, and the files that they wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from etsopt.common.language import _, joined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd


SHOWN = 20
"""Files that are named; of more than these the first, and how many there are."""


def print_json(content: Any) -> None:
    """Print plain values on one line, Chinese as it is."""
    print(json.dumps(content, ensure_ascii=False, allow_nan=False))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values; absent numbers become null."""
    from etsopt.running.results.results import finite

    rows: list[dict[str, Any]] = finite(table.to_dict("records"))
    return rows


def print_files(files: Sequence[str], folder: Path) -> None:
    """Name the files that were written into a folder, if there are any."""
    if files:
        shown = files if len(files) <= SHOWN else [*files[:SHOWN], f"... ({len(files):,})"]
        print(_("Written to {folder}: {files}.", folder=folder, files=joined(shown)))
