"""The search for multipliers of earlier objectives: which are tried, and which of them count."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from etsopt.checking.allocation.levels import TRIED, Levels


class Search:
    """A search for multipliers among scripted gaps: the first without any, then one for each that is tried."""

    def __init__(self, gaps: list[float], name: str, integer: bool, earlier: int = 1, times: float = 2.0) -> None:
        self.gaps, self.tried, self.bounded = gaps, list[float](), list[list[float]]()
        self.times, nothing = times, np.zeros(1)
        face = SimpleNamespace(slopes=lambda *_: None, multipliers=self.multipliers)
        own: Any = SimpleNamespace(
            face=face,
            rows=SimpleNamespace(dual_activity=lambda *_: SimpleNamespace(at_unit=nothing)),
            measures=SimpleNamespace(tolerance=lambda *_: 1.0),
            earlier=[SimpleNamespace(name="earlier", scale=1.0)] * earlier,
            found_multipliers={},
            _bounded=self.bound,
            **{"free": nothing > 1, "units": 1, "integer": integer, "no_sum": None},
        )
        level: Any = SimpleNamespace(name=name, value=9.0, scale=1.0, dual=nothing, square=None, piece=None)
        self.best, self.found = Levels._search_multipliers(own, level), own.found_multipliers

    def multipliers(self, _: object, at_least: float) -> list[float]:
        self.tried.append(at_least)
        return [self.times + at_least]

    def bound(self, _: object, multipliers: list[float]) -> tuple[float]:
        self.bounded.append(multipliers)
        return (self.gaps[len(self.bounded) - 1],)


def test_least_multipliers_are_tried_from_none_to_a_million() -> None:
    assert pytest.approx((0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6)) == TRIED
