"""Fixed points of a sector: best responses to a balance value by hand, and what each point comes to in all."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.equilibrium import points as of_points
from etsopt.checking.equilibrium.equilibrium import _year
from etsopt.checking.equilibrium.points import Year, _in_order, fixed_points
from etsopt.checking.readings.baseline import derive_baseline
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.models.test_equilibrium import TWO, sector

PRICE, COST = 100.0, 170e3


@cache
def made(paid_share: float = 0.0) -> tuple[etsopt.Instance, Year, dict[str, pd.DataFrame]]:
    instance = sector(TWO, [(1, 0.1, COST)], PRICE, market={"paid_share": paid_share})
    tables = dict(etsopt.solve(instance, "equilibrium").tables)
    return instance, _year(InstanceInputs.of(instance), derive_baseline(InstanceInputs.of(instance), None), 0), tables


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
        own = _year(InstanceInputs.of(instance), derive_baseline(InstanceInputs.of(instance), None), 0)
        _, cleanest, dirtiest = own.best(np.full(2, value))
        assert bool(cleanest[1] < dirtiest[1]) is both


def costing(fixed: float) -> Year:
    """The second unit has a measure at a yearly cost, and its allowances have no price."""
    instance = sector(TWO, [(1, 0.1, COST)], PRICE)
    year = _year(InstanceInputs.of(instance), derive_baseline(InstanceInputs.of(instance), None), 0)
    offered = replace(year.offered, fixed=np.array([[0.0], [fixed]]), variable=np.zeros((2, 1)))
    return replace(year, price=0.0, offered=offered)


def test_sets_tie_within_a_share_of_the_dearest_set_of_the_emissions_and_a_yuan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(of_points, "NUMBER_RELATIVE", 0.5)
    # Of half of 1 CNY and the cost of the measure, the measure may cost 1 CNY.
    for cost, tie in ((1.0, True), (1.0 + 2**-20, False)):
        _, cleanest, dirtiest = costing(cost).best(np.ones(2))
        assert bool(cleanest[1] < dirtiest[1]) is tie


def test_a_point_may_be_off_by_its_tolerance_and_no_more() -> None:
    """Nothing is emitted, so 20 kg and 1 CNY are left of the tolerances."""
    instance, year, _ = made()
    idle = replace(costing(0.0), baseline=replace(year.baseline, emissions=np.zeros((2, 1))))
    row = {"sector": "cement", "number": 1, "balance_value": 1.0, "residual_t": 0.0}
    reported = pd.DataFrame({"sector": ["cement"], "balance_value": [1.0]})
    for tonnes, cost, units in ((2e-2, 1.0, []), (2.1e-2, 1.0, ["t"]), (2e-2, 1.1, ["CNY"])):
        points = pd.DataFrame([row | {"emissions_tco2e": tonnes, "measures_cost_cny": cost}])
        broken = fixed_points(InstanceInputs.of(instance), idle, {"fixed_points": points, "equilibrium": reported})
        assert [violation.unit for violation in broken] == units


def test_emissions_of_a_point_may_be_off_by_a_share_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_points, "NUMBER_RELATIVE", 2.0**-10)
    _, _, tables = made()
    largest = float(tables["fixed_points"]["emissions_tco2e"][0])
    for by, off in ((0.999, False), (1.001, True)):
        assert ("t" in found(emissions_tco2e=(0, by * (2e-2 + largest / 1024)))) is off


def test_a_point_costs_what_its_residual_leaves_to_buy_in_its_sector_alone() -> None:
    """At a balance value of 1.05 the allowances of the best responses are not their emissions."""
    instance, year, _ = made()
    others = instance.units.assign(unit_id=["v0", "v1"])
    units = pd.concat([others, instance.units.assign(sector="steel")], ignore_index=True)
    both = replace(instance, units=units)
    twice = _year(InstanceInputs.of(both), derive_baseline(InstanceInputs.of(both), None), 0)
    least, _, dirtiest = year.best(np.full(2, 1.05))
    emissions = float(dirtiest.sum())
    residual = year.excess(1.05, dirtiest, year.baseline.intensity[:, 0] * dirtiest / year.baseline.emissions[:, 0])
    assert abs(residual) > 100
    cost = float(least.sum()) + PRICE * residual
    row = {"number": 1, "balance_value": 1.05, "emissions_tco2e": emissions, "residual_t": residual}
    points = pd.DataFrame([row | {"sector": "steel", "measures_cost_cny": cost}])
    reported = pd.DataFrame({"sector": ["steel"], "balance_value": [1.05]})
    tables = {"fixed_points": points, "equilibrium": reported}
    assert fixed_points(InstanceInputs.of(both), twice, tables) == []
    (wrong,) = fixed_points(InstanceInputs.of(both), twice, tables | {"fixed_points": points.assign(number=2)})
    assert (wrong.where, wrong.unit) == ("steel", "rows")


def found(paid_share: float = 0.0, **changes: tuple[int, float]) -> list[str]:
    instance, year, tables = made(paid_share)
    points = tables["fixed_points"].copy()
    for column, (row, by) in changes.items():
        points[column] = points[column].astype(float)
        points.loc[row, column] += by
    return [v.unit for v in fixed_points(InstanceInputs.of(instance), year, tables | {"fixed_points": points})]


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
        wrong = fixed_points(InstanceInputs.of(instance), year, tables | {"equilibrium": other})
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
