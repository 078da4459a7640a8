"""A year of an equilibrium by hand: its data, its sectors, and amounts that are exactly at their tolerance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.equilibrium import equilibrium
from etsopt.checking.equilibrium.equilibrium import _balance, _is_without_abatement, _sectors, _units, _year
from etsopt.checking.market.plans import SelectedPlans
from etsopt.checking.readings.baseline import derive_baseline
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.tolerances import NUMBER_RELATIVE
from tests.models.test_equilibrium import TWO, sector

if TYPE_CHECKING:
    import etsopt
    from etsopt.checking.equilibrium.points import Year
    from etsopt.checking.verdict import Violation

COST = 1000.0


def made(**policy: Any) -> tuple[etsopt.Instance, Year]:
    instance = sector(TWO, [(1, 0.1, COST)], 100.0, **policy)
    return instance, _year(InstanceInputs.of(instance), derive_baseline(InstanceInputs.of(instance), None), 0)


def test_a_year_of_the_horizon_is_a_baseline_of_one_year_with_its_price() -> None:
    policy = {
        "horizon": {"last_year": 2027, "discount_rate": 0.1},
        "market": {
            "prices_cny_per_t": {"2025": 50.0, "2026": 60.0, "2027": 70.0},
            "paid_share": {"2027": 0.5},
        },
    }
    instance = sector(TWO, [], 0.0, **policy)
    baseline = derive_baseline(InstanceInputs.of(instance), None)
    year = _year(InstanceInputs.of(instance), baseline, 1)
    assert year.price == 60.0
    assert (year.baseline.years.tolist(), year.baseline.discount.tolist()) == ([2026], [1.0])
    assert (year.baseline.paid_share.tolist(), year.baseline.follows.tolist()) == ([0.0], [[True], [True]])
    assert (year.baseline.slope.tolist(), year.baseline.cap.tolist()) == ([year.slope], [year.cap]) == ([0.15], [0.03])
    for name in ("output", "emissions", "intensity", "measured_output", "given", "balance_value"):
        assert getattr(year.baseline, name).tolist() == getattr(baseline, name)[:, [1]].tolist()


def taking(year: Year, **parts: Any) -> list[Violation]:
    """The first unit takes nothing, the second its measure, although that gains nothing without a price."""
    instance, _ = made()
    taken = SelectedPlans(np.arange(2), np.ones(2), np.array([[[False]], [[True]]]))
    table = pd.DataFrame({"intensity": np.zeros(2)})
    free = replace(year, price=0.0, offered=replace(year.offered, **parts))
    broken = _units(InstanceInputs.of(instance), free, taken, table, np.ones(2))
    return [violation for violation in broken if violation.rule == "best_response"]


def test_a_best_response_costs_too_much_by_a_share_of_emissions_and_measures_and_of_a_yuan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A measure of 0.25 + 0.125 * 2 = 0.5 CNY, twice that in the second year, costs half of itself and of 1 CNY."""
    monkeypatch.setattr(equilibrium, "NUMBER_RELATIVE", 0.5)
    _, year = made()
    at = replace(year, baseline=replace(year.baseline, output=np.full((2, 1), 2.0)))
    costs = {"variable": np.array([[0.0], [0.125]]), "growth": np.full((2, 1), 2.0), "base_year": 2024}
    assert taking(at, fixed=np.array([[0.0], [0.25]]), **costs) == []
    (wrong,) = taking(at, fixed=np.array([[0.0], [0.25 + 2**-20]]), **costs)
    assert (wrong.where, wrong.amount, wrong.unit) == ("u1", 1.0 + 2**-19, "CNY")


def test_an_intensity_of_zero_is_right_if_it_is_stated() -> None:
    labels = np.array(["a"], dtype=object)
    assert list(equilibrium._intensities(labels, pd.DataFrame({"intensity": [0.0]}), np.zeros(1))) == []
    (wrong,) = equilibrium._intensities(labels, pd.DataFrame({"intensity": [3.0]}), np.array([1.0]))
    assert (wrong.where, wrong.amount) == ("a", 2.0)


@pytest.mark.parametrize("decimals", ["none", 1])
def test_the_balance_value_without_abatement_is_within_a_share_and_half_a_decimal(
    decimals: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equilibrium, "NUMBER_RELATIVE", 2.0**-8)
    instance, year = made(**({} if decimals == "none" else {"rule": {"balance_value_decimals": decimals}}))
    half = equilibrium._half_decimal(InstanceInputs.of(instance))
    assert half == (0.0 if decimals == "none" else 0.05)
    one = np.array([True, False])
    at = replace(year, baseline=replace(year.baseline, intensity=np.full((2, 1), 2.0)))
    for half_of in (0.0, 0.25):
        edge = 2.0**-7 + half_of
        assert _is_without_abatement(2.0 + edge, at, one, half_of)
        assert _is_without_abatement(2.0 - edge, at, one, half_of)
        assert not _is_without_abatement(2.0 + edge + 2**-20, at, one, half_of)
    nothing = np.array([False, False])
    assert _is_without_abatement(np.nan, at, nothing, 0.0)
    assert not _is_without_abatement(2.0, at, nothing, 0.0)


def balanced(
    value: float, emissions: float = 100.0, residual_t: float | None = None, *, decimals: int | None = None
) -> list[tuple[str, float]]:
    """Of a sector of one unit with an intensity of one."""
    instance, year = made(**({} if decimals is None else {"rule": {"balance_value_decimals": decimals}}))
    tonnes, intensity = np.array([emissions]), np.ones(1)
    residual = year.excess(value, tonnes, intensity) if residual_t is None else residual_t
    row = {"sector": "cement", "balance_value": value, "residual_t": residual, "status": "fixed point"}
    return [
        (violation.rule, violation.amount)
        for violation in _balance(InstanceInputs.of(instance), year, row, tonnes, intensity)
    ]


def test_a_residual_is_stated_to_20_kg_and_where_nothing_is_emitted_every_value_balances() -> None:
    assert balanced(1.0) == []
    assert balanced(1.5, 0.0, 2e-2) == balanced(0.5, 0.0, -2e-2) == []
    assert balanced(1.5, 0.0, 2.1e-2) == [("residual", 2.1e-2)]
    stated = 0.15 * 100 * (1.125 - 1) / 1.125
    assert balanced(1.125, 100.0, 1.0) == [("residual", stated - 1), ("balance_value", stated)]


def test_a_rounded_balance_value_is_within_half_a_decimal_of_the_root_and_has_no_more_decimals() -> None:
    assert balanced(1.0, decimals=1) == []
    for value in (0.9, 1.1):
        assert [rule for rule, _ in balanced(value, decimals=1)] == ["balance_value"]
    off = NUMBER_RELATIVE * 0.05
    assert balanced(off, 0.0, decimals=1) == []
    assert balanced(1.01 * off, 0.0, decimals=1) == [("balance_value", 0.05)]


def test_cells_of_a_sector_are_those_of_its_adjustable_units() -> None:
    """Of three units only the first is adjustable; the third is a sector by itself."""
    instance = sector([*TWO, (5e4, 1.0)], [], 100.0, rule={"balance_value_decimals": 1})
    instance = replace(instance, units=instance.units.assign(sector=["cement", "cement", "steel"]))
    year = _year(InstanceInputs.of(instance), derive_baseline(InstanceInputs.of(instance), None), 0)
    year = replace(year, free=np.array([True, False, False]))
    table = instance.units.assign(allowance_t=2e5, auctioned_t=0.0, measures_cost_cny=0.0)
    table = table.assign(emissions_before_tco2e=table["emissions_tco2e"], intensity=[0.9, 1.1, 1.0])
    sums = table.groupby("sector")[list(equilibrium.SUMMED)].sum().reset_index()
    rows = sums.assign(price_cny_per_t=100.0, cycle_length=0, residual_t=0.0, fixed_points=[2, 0]).assign(
        status=["several", "fixed point"],
        balance_value=[0.9, np.nan],
        balance_value_before=[0.9, np.nan],
        obtained=["of least cost", "every unit gets its emissions"],
    )
    points, none = pd.DataFrame({"sector": ["cement"] * 2}), pd.DataFrame({"sector": []})
    tables = {"units": table, "equilibrium": rows, "fixed_points": points, "cycles": none}
    assert _sectors(InstanceInputs.of(instance), year, tables) == []
    for column, cells, wrong in (
        ("balance_value_before", [0.97, 1.0], ["cement.balance_value_before", "steel.balance_value_before"]),
        ("fixed_points", [1, 1], ["cement.fixed_points", "steel.fixed_points"]),
        ("status", ["fixed point", "several"], ["cement.status", "steel.status"]),
        ("obtained", ["the only one", "of least cost"], ["cement.obtained", "steel.obtained"]),
        ("residual_t", [500.0, 500.0], ["cement", "steel.residual_t"]),
        ("balance_value", [0.9, 0.9], ["steel.balance_value"]),
    ):
        broken = _sectors(InstanceInputs.of(instance), year, tables | {"equilibrium": rows.assign(**{column: cells})})
        assert [violation.where for violation in broken] == wrong
        assert all(violation.amount == 1.0 for violation in broken if violation.unit == "cells")


def test_a_total_may_be_off_by_20_kg_and_a_billionth() -> None:
    instance, year = made()
    zeros = {column: [0.0, 0.0] for column in (*equilibrium.SUMMED, "intensity")}
    row = dict.fromkeys(equilibrium.SUMMED, 0.0) | {"sector": "cement", "balance_value": 1.0, "residual_t": 0.0}
    row |= {"status": "fixed point", "fixed_points": 1, "cycle_length": 0, "price_cny_per_t": 100.0}
    row |= {"balance_value_before": 1.0, "obtained": "the only one"}
    point, none = pd.DataFrame({"sector": ["cement"]}), pd.DataFrame({"sector": []})
    for off, broken in ((2e-2, []), (-2e-2, []), (2.1e-2, ["cement.allowance_t"])):
        rows = pd.DataFrame([row | {"allowance_t": off}])
        tables = {"units": pd.DataFrame(zeros), "equilibrium": rows, "fixed_points": point, "cycles": none}
        assert [violation.where for violation in _sectors(InstanceInputs.of(instance), year, tables)] == broken
