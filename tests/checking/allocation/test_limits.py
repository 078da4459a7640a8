"""What the policy demands of allowances, against its definition, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation.limits import Demands, derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.targets import due_if_fixed, fixed_at_emissions
from tests.builders import given

ROWS = [
    ("a", "e", "cement", "Hebei", 1000.5, 1000.0),
    ("b", "e", "cement", "Hunan", 2000.0, 2000.0),
    ("c", "c", "steel", "Hebei", 500.0, 500.0),
    ("d", "d", "steel", "Hebei", 50.25, 50.0),
]
OUTPUT = [800.0, 1600.0, 400.0, 20.0]
"""The first three lines have 1.25 t/t; d is fixed, since its enterprise is small."""


def instance(
    sectors: dict[str, Any] | None = None, rule: str = "given", policy: dict[str, Any] | None = None, **allocation: Any
) -> etsopt.Instance:
    content: dict[str, Any] = {
        "rule": {"name": rule, "threshold_tco2e": 100.0},
        "sectors": sectors or {},
        "allocation": allocation,
    }
    return given(ROWS, content | (policy or {}), output_t=OUTPUT)


def row_of(own: Demands, rule: str, index: str) -> Any:
    rows = own.rows
    place = np.flatnonzero((rows.rule == rule) & (rows.index == index))
    assert len(place) == 1
    return float(rows.least[place[0]]), float(rows.most[place[0]]), rows.position[rows.row == place[0]].tolist()


def test_small_enterprises_units_without_emissions_and_special_cases_are_fixed() -> None:
    assert fixed_at_emissions(InstanceInputs.of(instance())).tolist() == [False, False, False, True]
    at_threshold = given(ROWS, {"rule": {"name": "given", "threshold_tco2e": 500.0}})
    assert fixed_at_emissions(InstanceInputs.of(at_threshold)).tolist() == [False, False, False, True]
    above = given(ROWS, {"rule": {"name": "given", "threshold_tco2e": 500.1}})
    assert fixed_at_emissions(InstanceInputs.of(above)).tolist() == [False, False, True, True]
    special = given(ROWS, {"rule": {"name": "given"}}, special_case=["", "new", "", ""])
    assert fixed_at_emissions(InstanceInputs.of(special)).tolist() == [False, True, False, False]
    outside = given(ROWS, {"rule": {"name": "given", "outside_scope": ["closed"]}}, special_case=["", "", "closed", ""])
    assert fixed_at_emissions(InstanceInputs.of(outside)).tolist() == [False, False, True, False]
    assert instance().emissions_tco2e[3] == 50.25


@pytest.mark.parametrize(
    ("section", "least", "most"),
    [
        ({"target_t": 2900.0}, 0.0, 2900.0),
        ({"target_t": 2900.0, "target_sense": "exactly"}, 2900.0, 2900.0),
        ({"target_change": -0.1}, 0.0, 3000.5 * 0.9),
        ({"target_change": 0.1, "target_sense": "exactly"}, 3000.5 * 1.1, 3000.5 * 1.1),
        ({"target_intensity": 1.5}, 0.0, 1.5 * 2400.0),
        ({"target_sense": "at_most"}, 0.0, 3000.5),
        ({"target_sense": "exactly"}, 3000.5, 3000.5),
    ],
)
def test_the_target_of_a_sector_is_as_it_is_stated(section: dict[str, Any], least: float, most: float) -> None:
    own = derive(InstanceInputs.of(instance({"cement": section})))
    found = row_of(own, "sector_target", "cement")
    assert found[:2] == pytest.approx((least, most), rel=1e-14)
    assert found[2] == [0, 1]
    assert (own.rows.rule == "sector_target").sum() == 1
    rate = most / 3000.5
    assert own.at_target_rate[:2] == pytest.approx([1000.5 * rate, 2000.0 * rate], rel=1e-14)
    assert np.isnan(own.at_target_rate[2])
    assert own.at_target_rate[3] == 50.25


def test_a_sector_has_no_target_unless_the_policy_or_the_plan_states_one() -> None:
    assert (derive(InstanceInputs.of(instance({"steel": {"band": 0.1}}))).rows.rule == "sector_target").sum() == 0
    # In 2024 each unit gets its emissions; at a balance value those of the sector are its target.
    assert (derive(InstanceInputs.of(instance(rule="cn-2024"))).rows.rule == "sector_target").sum() == 0
    planned = derive(
        InstanceInputs.of(instance(rule="cn-2025", policy={"rule": {"name": "cn-2025", "threshold_tco2e": 0.0}}))
    )
    assert row_of(planned, "sector_target", "cement")[:2] == (0.0, 3000.5)
    assert row_of(planned, "sector_target", "steel")[:2] == (0.0, 550.25)
    none = derive(InstanceInputs.of(instance({"cement": {"target_sense": "none"}}, rule="cn-2025")))
    assert none.rows.index[none.rows.rule == "sector_target"].tolist() == ["steel"]


def test_the_plan_gives_industry_its_emissions_and_power_no_target() -> None:
    units = pd.DataFrame(
        {
            "unit_id": ["c", "p"],
            "enterprise_id": ["c", "p"],
            "sector": ["cement", "power"],
            "province": "Hebei",
            "emissions_tco2e": [5e4, 8e4],
            "output_t": [6e4, np.nan],
            "unit_class": ["", "I"],
            "capacity_mw": [np.nan, 600.0],
            "generation_mwh": [np.nan, 1e5],
            "load_factor": [np.nan, 0.9],
        }
    )
    own = derive(InstanceInputs.of(etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn"}})))
    assert own.rows.index[own.rows.rule == "sector_target"].tolist() == ["cement"]
    assert row_of(own, "sector_target", "cement")[:2] == (0.0, 5e4)


def test_a_unit_at_its_emissions_has_no_part_in_the_band_of_its_enterprise() -> None:
    policy = {"rule": {"name": "given"}, "sectors": {"cement": {"band": 0.1}}, "allocation": {"band_on": "enterprise"}}
    own = derive(InstanceInputs.of(given(ROWS, policy, special_case=["", "new", "", ""])))
    assert own.enterprise.tolist() == [-1] * 4
    assert own.lower[0] == pytest.approx(900.45)
    # Nor is there a unit without emissions, however small the others are.
    nothing = given(
        [("a", "a", "cement", "Hebei", 0.0, 0.0), ("b", "b", "cement", "p", 0.5, 0.5)], {"rule": {"name": "given"}}
    )
    assert fixed_at_emissions(InstanceInputs.of(nothing)).tolist() == [True, False]


def test_targets_and_their_rates_are_whole_where_allowances_are() -> None:
    own = derive(InstanceInputs.of(instance({"cement": {"target_t": 2900.7}}, integer_allowances=True)))
    assert row_of(own, "sector_target", "cement")[:2] == (0.0, 2900.0)
    assert own.integer
    assert own.at_target_rate[:2].tolist() == [round(1000.5 * 2900 / 3000.5), round(2000 * 2900 / 3000.5)]


def test_a_balance_is_a_share_of_all_emissions_about_those_that_are_not_fixed() -> None:
    own = derive(InstanceInputs.of(instance(policy={"provinces": {"balance": 0.1}})))
    room = 0.1 * (1000.5 + 500 + 50.25)
    assert row_of(own, "province_balance", "Hebei") == (
        pytest.approx(1500.5 - room),
        pytest.approx(1500.5 + room),
        [0, 2],
    )
    assert row_of(own, "province_balance", "Hunan") == (1800.0, 2200.0, [1])
    one = derive(InstanceInputs.of(instance(policy={"provinces": {"balance": {"Hunan": 0.05}}})))
    assert (one.rows.rule == "province_balance").sum() == 1
    assert row_of(one, "province_balance", "Hunan")[:2] == (1900.0, 2100.0)
    assert (derive(InstanceInputs.of(instance())).rows.rule == "province_balance").sum() == 0


@pytest.mark.parametrize(
    ("section", "least", "most"),
    [
        # The fixed unit of 50.25 t owes and gets 50 t.
        ({"target_t": 3000.0}, 0.0, 2950.0),
        ({"target_t": 3000.0, "target_sense": "exactly"}, 2950.0, 2950.0),
        ({"target_change": -0.1}, 0.0, 3550.5 * 0.9 - 50.0),
        ({"target_t": 40.25}, -9.75, -9.75),
        ({"target_change": 0.0}, 0.0, 3500.5),
    ],
)
def test_the_national_total_leaves_what_fixed_units_do_not_have(
    section: dict[str, Any], least: float, most: float
) -> None:
    own = derive(InstanceInputs.of(instance(policy={"national": section})))
    assert row_of(own, "national_total", "") == (pytest.approx(least), pytest.approx(most), [0, 1, 2])


def test_emissions_are_owed_to_the_nearest_tonne_halves_up() -> None:
    for made in (instance(), instance(rule="cn-2024"), instance(integer_allowances=True)):
        assert due_if_fixed(InstanceInputs.of(made)).tolist() == [1001.0, 2000.0, 500.0, 50.0]
    edge = given(
        [(n, n, "cement", "Hebei", e, 100.0) for n, e in (("a", 99.5 - 0.9e-6), ("b", 99.5 - 1.1e-6))],
        {"rule": {"name": "cn-2024"}},
        output_t=[100.0, 100.0],
    )
    assert due_if_fixed(InstanceInputs.of(edge)).tolist() == [100.0, 99.0]
    whole = derive(InstanceInputs.of(instance(policy={"national": {"target_t": 3000.0}}, integer_allowances=True)))
    assert row_of(whole, "national_total", "")[:2] == (0.0, 2950.0)


def test_bands_are_those_of_units_or_of_enterprises_with_several() -> None:
    sectors = {"cement": {"band": {"lower": 0.1, "upper": 0.2}}, "steel": {"band": 0.03}}
    own = derive(InstanceInputs.of(instance(sectors)))
    assert own.lower[:3] == pytest.approx([900.45, 1800.0, 485.0])
    assert own.upper[:3] == pytest.approx([1200.6, 2400.0, 515.0])
    assert own.enterprise.tolist() == [-1] * 4
    shared = derive(InstanceInputs.of(instance(sectors, band_on="enterprise")))
    assert row_of(shared, "enterprise_band", "e") == (pytest.approx(2700.45), pytest.approx(3600.6), [0, 1])
    assert (shared.rows.rule == "enterprise_band").sum() == 1
    assert shared.enterprise.tolist() == [0, 0, -1, -1]
    assert shared.lower[:3] == pytest.approx([0.0, 0.0, 485.0])
    assert shared.upper[:3] == pytest.approx([3600.6, 3600.6, 515.0])


def test_exceptions_widen_their_own_band_or_that_of_their_enterprise() -> None:
    exceptions = {"units": 2, "lower": 0.3, "upper": 0.4}
    sectors = {"cement": {"band": {"lower": 0.1, "upper": 0.2}}, "steel": {"band": 0.03}}
    chosen = np.array([True, False, False, True])
    own = derive(InstanceInputs.of(instance(sectors, exceptions=exceptions)), chosen)
    assert own.lower[:3] == pytest.approx([700.35, 1800.0, 485.0])
    assert own.upper[:3] == pytest.approx([1400.7, 2400.0, 515.0])
    plain = derive(InstanceInputs.of(instance(sectors, exceptions=exceptions)))
    assert (own.lower[3], own.upper[3]) == (plain.lower[3], plain.upper[3])
    shared = derive(InstanceInputs.of(instance(sectors, exceptions=exceptions, band_on="enterprise")), chosen)
    least, most = 2700.45 - 200.1, 3600.6 + 200.1
    assert row_of(shared, "enterprise_band", "e")[:2] == (pytest.approx(least), pytest.approx(most))
    assert shared.upper[:2] == pytest.approx([most, most])
    assert shared.lower[:2].tolist() == [0.0, 0.0]
    both = derive(
        InstanceInputs.of(instance(sectors, exceptions=exceptions, band_on="enterprise")),
        np.array([True, True, True, False]),
    )
    assert row_of(both, "enterprise_band", "e")[:2] == (pytest.approx(2700.45 - 600.1), pytest.approx(3600.6 + 600.1))
    assert both.lower[2] == pytest.approx(350.0)


def test_an_order_holds_between_neighbours_by_intensity_inside_a_sector() -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    rows = [(name, name, "cement" if name < "f" else "steel", "Hebei", 1000.0, 1000.0) for name in names]
    output = [500.0, 800.0, 500.0, 1000.0, 800.0, 600.0]
    made = given(rows, {"allocation": {"intensity_order": True}}, output_t=output)
    own = derive(InstanceInputs.of(made))
    rows_of = own.rows
    pairs = {
        (rows_of.rule[row], rows_of.index[row]): (
            [names[k] for k in rows_of.position[rows_of.row == row]],
            rows_of.sign[rows_of.row == row].tolist(),
            rows_of.divisor[rows_of.row == row].tolist(),
            (float(rows_of.least[row]), float(rows_of.most[row])),
        )
        for row in range(len(rows_of))
    }
    open_, equal = (0.0, np.inf), (0.0, 0.0)
    assert pairs == {
        ("intensity_order", "d"): (["d", "b"], [1.0, -1.0], [1000.0] * 2, open_),
        ("intensity_order", "e"): (["e", "a"], [1.0, -1.0], [1000.0] * 2, open_),
        ("equal_rates", "b"): (["b", "e"], [1.0, -1.0], [1000.0] * 2, equal),
        ("equal_rates", "a"): (["a", "c"], [1.0, -1.0], [1000.0] * 2, equal),
    }
    assert len(derive(InstanceInputs.of(given(rows, {}, output_t=output))).rows) == 0


def test_how_far_units_miss_their_bounds_is_told() -> None:
    own = derive(InstanceInputs.of(instance({"cement": {"band": 0.1}, "steel": {"band": 0.1}})))
    at = own.lower.copy()
    assert own.unit_miss(at) == 0.0
    for change, known in (([-0.5, 0.0, 0.0, 0.0], 0.5), ([0.0, 0.0, 0.0, -9.0], 0.0), ([-0.5, 401.0, 0.0, 0.0], 1.0)):
        assert own.unit_miss(at + change) == pytest.approx(known, abs=1e-12)
    exact = replace(own, lower=np.ones(4))
    assert exact.unit_miss(np.array([0.5, 1.0, 1.0, 1.0])) == 0.5 * (1 + 1e-15)
    assert isinstance(own.unit_miss(at), float)
    assert pd.Series(own.fixed).tolist() == [False, False, False, True]
