"""The bound of a market under branchings: a unit without a plan leaves nothing, else the least of each unit counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from etsopt.checking.market.bound import Bound


def bound_of(least: list[float]) -> float:
    """The bound of three units and one value, of which two units have branchings with such least costs."""
    given: Any = SimpleNamespace(
        plans=np.array([10.0, 20.0, 30.0]),
        market=SimpleNamespace(baseline=None, accounts=SimpleNamespace(of_unit=np.zeros(3, dtype=np.int64))),
        demand_dual=np.zeros((1, 2)),
        emission_dual=np.zeros((1, 2)),
        values=np.array([5.0]),
        errors=np.array([0.5]),
        _sum=lambda parts, errors: float(sum(part.sum() for part in parts) - sum(part.sum() for part in errors)),
    )
    restricted: Any = SimpleNamespace(least=lambda *_: (np.array([0, 2]), np.array(least)))
    return Bound.under(given, [], restricted)


def test_the_least_costs_under_branchings_replace_those_of_their_units() -> None:
    assert bound_of([12.0, 33.0]) == pytest.approx(12 + 20 + 33 + 5 - 0.5)


@pytest.mark.parametrize("least", [[np.inf, 33.0], [12.0, np.inf], [np.inf, np.inf]])
def test_one_unit_without_a_plan_is_enough_to_leave_nothing(least: list[float]) -> None:
    assert bound_of(least) == np.inf
