"""Objectives of a result: what each amounts to, and how far it is proven."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LevelResult:
    """An objective: value, lower bound recomputed by the checker, gap, unit and algorithm."""

    name: str
    value: float
    bound: float
    gap: float
    unit: str
    certified: bool
    algorithm: str


def read_level(level: dict[str, Any]) -> LevelResult:
    """Return an objective of ``result.json``; null on disk is a bound of minus infinity, with an infinite gap."""
    if level["bound"] is None:
        level = {**level, "bound": -math.inf, "gap": math.inf}
    return LevelResult(**{**level, **{part: float(level[part]) for part in ("value", "bound", "gap")}})
