"""Power units in the checker: figures of each year, corrections of load, and what an enterprise has at least."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.power import (
    ELECTRICITY,
    HEAT,
    _benchmark,
    _with_least_share,
    allowances_of_power,
    load_correction,
)
from etsopt.data.policy.official import OFFICIAL


def of(year: int = 2025, rule: dict[str, Any] | None = None, **columns: Any) -> etsopt.Instance:
    """Three coal units and one of gas, of an enterprise each; cement beside them."""
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b", "c", "d", "e"],
            "enterprise_id": ["a", "b", "c", "d", "e"],
            "sector": ["power"] * 4 + ["cement"],
            "province": "Hebei",
            "emissions_tco2e": [800.0, 800.0, 900.0, 400.0, 500.0],
            "unit_class": ["I", "II", "III", "IV", ""],
            "capacity_mw": [600.0, 300.0, 300.0, 300.0, np.nan],
            "generation_mwh": [1000.0, 1000.0, 1000.0, 1000.0, np.nan],
            "supply_mwh": [900.0, 900.0, 900.0, 900.0, np.nan],
            "load_factor": [0.9, 0.9, 0.9, 0.9, np.nan],
            "output_t": [np.nan] * 4 + [600.0],
        }
    ).assign(**columns)
    return etsopt.Instance.from_frames(units, {"year": year, "rule": {"name": "cn", **(rule or {})}})


def allowances(instance: etsopt.Instance, year: int) -> list[float]:
    found = allowances_of_power(
        InstanceInputs.of(instance), np.zeros(5, dtype=bool), year, 1.0, instance.units["emissions_tco2e"].to_numpy()
    )
    assert np.isnan(found[4])
    return [float(one) for one in found[:4]]


@pytest.mark.parametrize("key", ["electricity_benchmarks", "heat_benchmarks"])
def test_the_figures_of_a_year_are_those_of_its_plan(key: str) -> None:
    instance = of()
    rows = [row for row in OFFICIAL if row.key.startswith(f"rule.{key}.")]
    assert len(rows) == 7 * (4 if key.startswith("electricity") else 2)
    official: Any = ELECTRICITY if key.startswith("electricity") else HEAT
    for row in rows:
        for year in range(row.first_year, (row.last_year or row.first_year) + 1):
            assert _benchmark(InstanceInputs.of(instance), year, key, official, row.key.rpartition(".")[2]) == row.value


def test_benchmarks_change_after_the_last_plan_as_is_stated() -> None:
    official = {2019: {"I": 1.0}, 2026: {"I": 0.5}}
    stated = of(2026, {"benchmark_change": {"2026": -0.5, "2027": 0.5, "2028": 1.0}})
    found = [
        _benchmark(InstanceInputs.of(stated), year, "electricity_benchmarks", official, "I")
        for year in range(2025, 2030)
    ]
    assert found == [1.0, 0.5, 0.75, 1.5, 3.0]
    assert _benchmark(InstanceInputs.of(of(2026)), 2029, "electricity_benchmarks", official, "I") == 0.5
    own = of(2026, {"electricity_benchmarks": {"I": {"2027": 0.25}}})
    assert [
        _benchmark(InstanceInputs.of(own), year, "electricity_benchmarks", official, "I") for year in (2026, 2027)
    ] == [
        0.5,
        0.25,
    ]


@pytest.mark.parametrize(
    ("year", "load", "correction"),
    [
        (2022, 0.85, 1.0),
        (2022, 0.84, 1.0014),
        (2022, 0.805, 1.0063),
        (2022, 0.80, 1.007),
        (2022, 0.79, 1.0086),
        (2022, 0.755, 1.0142),
        (2022, 0.75, 1.015),
        (2022, 0.74, round(1.015**1.2, 6)),
        (2023, 0.84, 1.0),
        (2023, 0.79, 1.0),
        (2023, 0.74, 1.0),
        (2023, 0.65, 1.0),
        (2024, 0.64, round(1.015**3.2, 6)),
        (2025, 0.64, 1.0),
        (2025, 0.5, 1.0),
        (2025, 0.49, round(0.978 + 0.633 * np.exp(-49 / 29.822) + 5.643 * np.exp(-49 / 6.871), 6)),
        (2026, 0.3, round(0.978 + 0.633 * np.exp(-30 / 29.822) + 5.643 * np.exp(-30 / 6.871), 6)),
    ],
)
def test_low_loads_are_corrected_as_the_plan_of_the_year_says(year: int, load: float, correction: float) -> None:
    assert load_correction(year, load) == correction


def test_up_to_2022_net_supply_counts_with_its_cooling_and_heat() -> None:
    plain = of(2022, supply_mwh=[900.0] * 4 + [np.nan])
    # Nine tenths of 0.8177, 0.8729 and 0.9303, and of gas at least its emissions.
    assert allowances(plain, 2022) == [735.0, 785.0, 837.0, 400.0]
    cooled = of(2022, cooling=["air", "water", "", "", ""], heat_supply_ratio=[0.0, 0.5, np.nan, 0.5, np.nan])
    # Air cooling adds a twentieth; coal has 0.22 of the ratio less, gas 0.6 of it: 0.7 of 351.
    assert allowances(cooled, 2022) == [772.0, 699.0, 837.0, 400.0]
    alone = {"gas_topped_up": False, "least_allowance_share": 0.0}
    without = of(2022, alone, heat_supply_ratio=[0.0, 0.0, 0.0, 0.5, np.nan])
    assert allowances(without, 2022)[3] == 245.0
    # In the next year it is gross generation, whatever cools it.
    later = of(2023, cooling=["air", "water", "", "", ""], heat_supply_ratio=[0.0, 0.5, np.nan, 0.5, np.nan])
    assert allowances(later, 2023) == [795.0, 809.0, 828.0, 400.0]


def test_heat_and_low_loads_add_and_only_conventional_coal_is_corrected() -> None:
    heated = of(2025, heat_gj=[1000.0, np.nan, 0.0, 1000.0, np.nan], load_factor=[0.49, 0.49, 0.49, 0.49, np.nan])
    factor = load_correction(2025, 0.49)
    expected = [np.floor(790.2 * factor) + 102, np.floor(801.7 * factor), 816.0, 328.0 + 53.0]
    assert allowances(heated, 2025) == [*expected[:3], 400.0]
    assert allowances(heated.with_policy({"rule.gas_topped_up": False}), 2025) == expected
    # Twice the electricity and heat.
    none, emissions = np.zeros(5, dtype=bool), heated.units["emissions_tco2e"].to_numpy()
    grown = allowances_of_power(InstanceInputs.of(heated), none, 2025, 2.0, emissions)
    assert grown[:4].tolist() == [np.floor(1580.4 * factor) + 205, np.floor(1603.4 * factor), 1632.0, 657.0 + 106.0]


def test_classes_reported_together_have_the_lower_benchmark() -> None:
    assert allowances(of(2025, unit_class=["I+II", "II+III", "I", "IV", ""]), 2025)[:2] == [790.0, 801.0]


@pytest.mark.parametrize(
    ("emissions", "allowances", "fixed", "raised"),
    [
        # Four fifths of 1500 t are 300 t more than 900 t, which go by the deficits of 500 and 100 t.
        ([1000.0, 500.0], [500.0, 400.0], [], [750.0, 450.0]),
        # A tonne that two equal deficits would halve goes to the first.
        ([1000.0, 1000.0], [800.0, 799.0], [], [800.0, 800.0]),
        ([1000.0, 1001.0], [800.0, 799.0], [], [800.0, 800.0]),
        # A unit with a surplus or at its emissions has nothing more.
        ([2000.0, 100.0], [500.0, 300.0], [], [1380.0, 300.0]),
        ([1000.0, 500.0], [500.0, 400.0], [1], [800.0, 400.0]),
        ([1000.0, 500.0], [800.0, 400.0], [], [800.0, 400.0]),
        ([1000.0, 500.0], [900.0, 400.0], [], [900.0, 400.0]),
    ],
)
def test_an_enterprise_has_at_least_its_share_of_its_emissions(
    emissions: list[float], allowances: list[float], fixed: list[int], raised: list[float]
) -> None:
    table = pd.DataFrame({"enterprise_id": ["P", "P"], "e": emissions, "a": allowances})
    table["fixed"] = [row in fixed for row in range(2)]
    other = pd.DataFrame({"enterprise_id": ["Q"], "e": [10.0], "a": [9.0], "fixed": [False]})
    both = pd.concat([table, other], ignore_index=True).astype({"enterprise_id": object})
    found = _with_least_share(both, 0.8)
    assert found.tolist() == [*raised, 9.0]


@pytest.mark.parametrize(("below", "tonnes"), [(0.9e-6, 791.0), (1.5e-6, 790.0)])
def test_a_whole_tonne_is_missed_by_rounding_alone_up_to_a_millionth_of_it(below: float, tonnes: float) -> None:
    generation = (791.0 - below) / 0.7902
    assert allowances(of(2025, generation_mwh=[generation, 1e3, 1e3, 1e3, np.nan]), 2025)[0] == tonnes


@pytest.mark.parametrize("heat", [{}, {"heat_gj": [np.nan] * 5}, {"heat_gj": [0.0] * 5}])
def test_up_to_2020_low_loads_are_corrected_where_no_heat_is_stated(heat: dict[str, Any]) -> None:
    low = of(2020, load_factor=[0.7] * 4 + [np.nan], **heat)
    # Of conventional coal 1.015^(16 - 14) of what a full load gets.
    full, factor = allowances(of(2020), 2020), round(1.015**2, 6)
    assert allowances(low, 2020)[:2] == pytest.approx([one * factor for one in full[:2]], abs=1.0)
    heated = low.units.assign(heat_gj=[1.0] * 5)
    assert allowances(etsopt.Instance.from_frames(heated, {"year": 2020, "rule": {"name": "cn"}}), 2020)[:2] == full[:2]
