"""Runs that are killed, refused what they need, interrupted, damaged, raced for, and made over and over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.reliability.row import Row


def _rows() -> list[Row]:
    # Processes are forked, limited and signalled as Windows does not.
    if os.name == "nt":
        return []
    from benchmarks.reliability import damage, kills, races, refusals, signals, soak

    return [row for module in (kills, refusals, signals, damage, races, soak) for row in module.ROWS]


ROWS = _rows()
