"""Objectives of a result: what each amounts to, and how far it is proven."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etsopt.running.results.run_schema import Level


@dataclass(frozen=True)
class LevelResult:
    """An objective: value, lower bound recomputed by the checker, gap, unit and algorithm.

    ``spending`` is that in the cost of whole plans [CNY], of which a gap is a share if it exceeds the cost; None of any
    other objective.
    """

    name: str
    value: float
    bound: float
    gap: float
    unit: str
    certified: bool
    algorithm: str
    spending: float | None = None

    @property
    def relative_gap(self) -> float:
        """Gap as a share of value or spending, whichever is larger; infinite if both are zero or there is no bound."""
        size = max(abs(self.value), self.spending or 0.0)
        return abs(self.gap / size) if size and math.isfinite(self.gap) else math.inf


def read_level(level: Level) -> LevelResult:
    """Return an objective of ``result.json``; null on disk is a bound of minus infinity, with an infinite gap."""
    unbounded = {"bound": -math.inf, "gap": math.inf} if level.bound is None else {}
    return LevelResult(**{**dict(level), **unbounded})
