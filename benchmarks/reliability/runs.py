"""Rows of runs that are killed, refused resources, interrupted, damaged, raced for, and repeated."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.reliability.row import Row


def _rows() -> list[Row]:
    # The trials fork, limit and signal processes, which Windows does not support.
    if os.name == "nt":
        return []
    from benchmarks.reliability import damage, kills, races, refusals, signals, soak, store_kills, sweep_kills

    return [
        row
        for module in (kills, store_kills, sweep_kills, refusals, signals, damage, races, soak)
        for row in module.ROWS
    ]


ROWS = _rows()
