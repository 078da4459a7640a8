"""Fixed points of a sector: best responses to a balance value by hand, and what each point comes to in all."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.equilibrium.equilibrium import _year
from etsopt.checking.equilibrium.points import Year, _in_order, fixed_points
from etsopt.checking.market.baseline import derive_baseline
from tests.models.test_equilibrium import TWO, sector

PRICE, COST = 100.0, 170e3


@cache
def made(paid_share: float = 0.0) -> tuple[etsopt.Instance, Year, dict[str, pd.DataFrame]]:
    instance = sector(TWO, [(1, 0.1, COST)], PRICE, market={"paid_share": paid_share})
    tables = dict(etsopt.solve(instance, "equilibrium").tables)
    return instance, _year(instance, derive_baseline(instance, None), 0), tables


def rate(value: float, intensity: float) -> float:
    return float(np.clip(0.15 * (1 - intensity / value), -0.03, 0.03))


@pytest.mark.parametrize("value", [0.9, 0.95, 1.0, 1.05])
@pytest.mark.parametrize("paid_share", [0.0, 0.25])
def test_best_responses_cost_the_least_of_all_sets(value: float, paid_share: float) -> None:
    _, year, _ = made(paid_share)
    (first, clean), (second, dirty) = TWO

    def cost(emissions: float, intensity: float, measures: float) -> float:
        return measures + PRICE * emissions * (1 - (1 - paid_share) * (1 + rate(value, intensity)))

    known = [cost(first, clean, 0.0), min(cost(second, dirty, 0.0), cost(0.9 * second, 0.9 * dirty, COST))]
    balance = np.full(2, value)
    assert year.least(balance) == pytest.approx(known)
    least, cleanest, dirtiest = year.best(balance)
    assert least == pytest.approx(known)
    takes = cost(0.9 * second, 0.9 * dirty, COST) < cost(second, dirty, 0.0)
    assert cleanest.tolist() == dirtiest.tolist() == [first, pytest.approx(0.9 * second if takes else second)]
    emissions, intensity = np.array([first, second]), np.array([clean, dirty])
    excess = first * rate(value, clean) + second * rate(value, dirty)
    assert year.excess(value, emissions, intensity) == pytest.approx(excess, abs=1e-9)


def test_an_indifferent_unit_may_emit_either_amount() -> None:
    """A billionth of what is paid and spent tells two sets apart."""
    second, dirty = TWO[1]
    value = 1.0

    def cost(emissions: float, intensity: float) -> float:
        return PRICE * emissions * -rate(value, intensity)

    even = cost(second, dirty) - cost(0.9 * second, 0.9 * dirty)
    scale = PRICE * second + 1
    for by, both in (
        (0.9e-9 * scale, True),
        (-0.9e-9 * scale, True),
        (1.1e-9 * scale, False),
        (-1.1e-9 * scale, False),
    ):
        instance = sector(TWO, [(1, 0.1, even + by)], PRICE)
        own = _year(instance, derive_baseline(instance, None), 0)
        _, cleanest, dirtiest = own.best(np.full(2, value))
        assert bool(cleanest[1] < dirtiest[1]) is both


def found(paid_share: float = 0.0, **changes: tuple[int, float]) -> list[str]:
    instance, year, tables = made(paid_share)
    points = tables["fixed_points"].copy()
    for column, (row, by) in changes.items():
        points[column] = points[column].astype(float)
        points.loc[row, column] += by
    return [v.unit for v in fixed_points(instance, year, tables | {"fixed_points": points})]


@pytest.mark.parametrize("paid_share", [0.0, 0.25])
def test_what_a_fixed_point_comes_to_is_what_the_best_responses_to_it_cost(paid_share: float) -> None:
    _, year, tables = made(paid_share)
    points = tables["fixed_points"]
    assert found(paid_share) == []
    for row in range(len(points)):
        emissions = points["emissions_tco2e"][row]
        least, _, dirtiest = year.best(np.full(2, points["balance_value"][row]))
        room = 1.0 + 1e-9 * (np.abs(least).sum() + PRICE * emissions)
        for sign in (1.0, -1.0):
            assert found(paid_share, measures_cost_cny=(row, sign * 0.99 * room)) == []
            assert found(paid_share, measures_cost_cny=(row, sign * 1.01 * room)) == ["CNY"]
            kept = PRICE * (1 - paid_share)
            assert found(paid_share, residual_t=(row, sign * 0.99 * room / kept)) == []
            assert found(paid_share, residual_t=(row, sign * 1.01 * room / kept)) == ["CNY"]
            tonnes = 2e-2 + 1e-9 * dirtiest.sum()
            assert "t" not in found(paid_share, emissions_tco2e=(row, sign * 0.99 * tonnes))
            assert "t" in found(paid_share, emissions_tco2e=(row, sign * 1.01 * tonnes))


def test_what_is_told_is_one_of_the_points_and_they_are_numbered_by_their_values() -> None:
    instance, year, tables = made()
    points, told = tables["fixed_points"], tables["equilibrium"]
    assert len(points) == 2
    for by, count in ((0.5e-9, 0), (2e-9, 1)):
        other = told.assign(balance_value=told["balance_value"] * (1 + by))
        wrong = fixed_points(instance, year, tables | {"equilibrium": other})
        assert [(violation.where, violation.amount) for violation in wrong] == [("cement", 1.0)] * count
    assert _in_order("cement", points) == []
    for wrong_points in (
        points.iloc[::-1],
        points.assign(number=[0, 1]),
        points.assign(number=[1, 3]),
        points.assign(balance_value=1.0),
    ):
        assert [violation.amount for violation in _in_order("cement", wrong_points)] == [1.0]
    assert len(_in_order("cement", points.iloc[::-1].assign(number=[1, 2]))) == 1
