"""The search for multipliers of earlier objectives: which are tried, and which of them count."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from etsopt.checking.allocation.levels import Bounded, Levels
from etsopt.checking.effort import LEAST_MULTIPLIERS_TRIED

if TYPE_CHECKING:
    from etsopt.checking.allocation.certificate import DualActivity


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
        own._is_integer_rate = partial(Levels._is_integer_rate, own)
        level: Any = SimpleNamespace(name=name, value=9.0, scale=1.0, dual=nothing, square=None, piece=None)
        self.best: Any = Levels._searched(own, level).pieces
        self.found = own.found_multipliers

    def multipliers(self, _: object, at_least: float) -> list[float]:
        self.tried.append(at_least)
        return [self.times + at_least]

    def bound(self, _: object, multipliers: Any) -> Bounded:
        self.bounded.append(multipliers)
        # What is returned is known by its multipliers.
        gap = self.gaps[len(self.bounded) - 1]
        return Bounded(gap, gap, cast("DualActivity", None), multipliers, np.zeros(1))


def test_multipliers_are_sought_until_the_gap_is_a_thousandth_of_its_tolerance() -> None:
    enough = Search([1e-3], "change", integer=False)
    assert (enough.tried, enough.best, enough.found) == ([], [0.0], {})
    once = Search([1.5e-3, 1.2e-3], "change", integer=False)
    assert (once.tried, once.best) == ([0.0], [2.0])
    assert once.found == {("change", "earlier"): 2.0}
    # A multiplier that proves no more does not count.
    worse = Search([1.5e-3, 1.5e-3], "change", integer=False)
    assert (worse.best, worse.found) == ([0.0], {})
    # None is sought for the first objective, and none that is zero is found.
    first = Search([5.0], "change", integer=False, earlier=0)
    assert (first.tried, first.best, first.bounded) == ([], [], [[]])
    assert Search([1.5e-3, 1.2e-3], "change", integer=False, times=0.0).found == {}


def test_least_multipliers_are_tried_for_integer_rates_alone() -> None:
    gaps = [5.0, 7.0, 3.0, 3.0, 4.0, 1e-3]
    search = Search(gaps, "largest_change", integer=True)
    assert search.tried == pytest.approx([0.0, 1e-6, 1e-5, 1e-4, 1e-3])
    assert search.best == pytest.approx([2.001])
    # The first of the best counts, if none is good enough.
    assert Search([5.0, 7.0, 3.0, 3.0, *[4.0] * 11], "largest_change", integer=True).best == pytest.approx([2 + 1e-6])
    for name, integer in (("largest_change", False), ("change", True)):
        assert Search(gaps, name, integer).tried == [0.0]


def test_least_multipliers_are_tried_from_none_to_a_million() -> None:
    assert (
        pytest.approx((0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6))
        == LEAST_MULTIPLIERS_TRIED
    )
