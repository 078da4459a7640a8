"""Power under the rule cn: the official worked units, corrections, special cases, years, and wrong cells."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.power import allowances_of_power
from etsopt.checking.readings.power import load_correction as again
from etsopt.common.errors import DataError
from etsopt.data.content import Derived
from etsopt.data.instance import Instance
from etsopt.data.policy import plans
from etsopt.data.policy.official import OFFICIAL, POWER
from etsopt.data.policy.plans import BY_COMPLIANCE_YEAR
from etsopt.data.tables.power_columns import COOLING, UNIT_CLASSES
from etsopt.data.tables.schema import POWER_CASES
from etsopt.rules import own_parameters, reference_allowances
from etsopt.rules.power import LOAD_CORRECTIONS, load_correction
from tests.judging import check

CONDENSING, STEPS, POWER_OF_1015, EXPONENTIALS = LOAD_CORRECTIONS

POWER_PLANS = [row for row in OFFICIAL if row.sectors == POWER and row.key not in BY_COMPLIANCE_YEAR]


def one(year: int = 2025, **cells: Any) -> Instance:
    """A unit of 600 MW: 2.7 TWh, 1.5 PJ of heat, load factor 62 %, 2.33 Mt; or other cells."""
    row = {
        "unit_id": "p",
        "enterprise_id": "P",
        "sector": "power",
        "province": "Fujian",
        "unit_class": "I",
        "capacity_mw": 600.0,
        "generation_mwh": 2.7e6,
        "heat_gj": 1.5e6,
        "load_factor": 0.62,
        "emissions_tco2e": 2.33e6,
    }
    return of(pd.DataFrame([row | cells]), year)


def of(units: pd.DataFrame, year: int = 2025, **parameters: Any) -> Instance:
    return Instance.from_frames(units, {"year": year, "rule": {"name": "cn", **parameters}}, name="power")


def allowances(instance: Instance) -> list[float]:
    """The allowances of the rule, which the checker derives again."""
    results = etsopt.solve(instance)
    assert results.certified
    assert results.violations == ()
    return [float(value) for value in results.tables["allocation"]["allowance_t"]]


@pytest.mark.parametrize(
    ("year", "tonnes"), [(2023, 2_420_388), (2024, 2_408_243), (2025, 2_287_590), (2026, 2_284_530)]
)
def test_the_worked_unit_of_600_mw_gets_what_the_plan_of_the_year_gives(year: int, tonnes: int) -> None:
    assert allowances(one(year)) == [tonnes]


def test_a_gas_unit_gets_at_least_its_emissions() -> None:
    gas = {"unit_class": "IV", "generation_mwh": 1e6, "heat_gj": 0.0, "emissions_tco2e": 340_000.0}
    assert allowances(one(2024, **gas)) == [340_000]
    assert allowances(one(2024, **gas | {"emissions_tco2e": 320_000.0})) == [328_800]
    assert allowances(one(2024, **gas).with_policy({"rule.gas_topped_up": False})) == [328_800]


def test_an_enterprise_gets_at_least_four_fifths_of_its_emissions() -> None:
    short = {"generation_mwh": 1.5e6 / 0.7902 + 1e-3, "heat_gj": 0.0, "emissions_tco2e": 2e6, "load_factor": 0.7}
    assert allowances(one(2025, **short)) == [1_600_000]
    assert allowances(one(2025, **short).with_policy({"rule.least_allowance_share": 0.7})) == [1_500_000]


def test_what_an_enterprise_lacks_goes_to_its_units_by_their_deficits() -> None:
    """A million MWh give 790,200 t; of 3.6 Mt the enterprise gets 2,880,000 t, which is 89,801 t more."""
    units = pd.concat([one(2025).units] * 4, ignore_index=True).assign(
        unit_id=["a", "b", "c", "d"],
        generation_mwh=[1e6, 1e6, 1e6, np.nan],
        heat_gj=0.0,
        load_factor=0.7,
        emissions_tco2e=[1_190_200.0, 1_190_201.0, 800_000.0, 419_599.0],
        special_case=["", "", "", "igcc"],
    )
    plain = np.array([790_200.0, 790_200.0, 790_200.0, 419_599.0])
    lacking = 2_880_000 - plain.sum()
    assert lacking == 89_801
    deficits = [400_000, 400_001, 9_800]
    shares = [math.floor(lacking * part / sum(deficits)) for part in deficits]
    shares[1] += int(lacking - sum(shares))
    assert allowances(of(units)) == np.add(plain, [*shares, 0]).tolist()


@pytest.mark.parametrize(
    ("form", "year", "load", "correction"),
    [
        (EXPONENTIALS, 2025, 0.3, 1.281146),
        (EXPONENTIALS, 2026, 0.4, 1.160254),
        (EXPONENTIALS, 2025, 0.45, 1.126059),
        (EXPONENTIALS, 2025, 0.4999, 1.100321),
        (EXPONENTIALS, 2025, 0.5, 1.0),
        (EXPONENTIALS, 2025, 1.0, 1.0),
        (POWER_OF_1015, 2023, 0.6499, round(1.015**3.002, 6)),
        (POWER_OF_1015, 2024, 0.65, 1.0),
        (POWER_OF_1015, 2024, 0.5, round(1.015**6, 6)),
        (STEPS, 2019, 0.74, round(1.015**1.2, 6)),
        (STEPS, 2020, 0.75, 1.015),
        (STEPS, 2021, 0.78, 1.0102),
        (STEPS, 2022, 0.80, 1.007),
        (STEPS, 2022, 0.84, 1.0014),
        (STEPS, 2022, 0.85, 1.0),
    ],
)
def test_low_loads_are_corrected_to_six_decimals(form: str, year: int, load: float, correction: float) -> None:
    assert load_correction(form, np.array([load])).tolist() == [correction]
    assert again(year, load) == correction


def test_the_load_correction_jumps_where_it_ends() -> None:
    below, at = load_correction(EXPONENTIALS, np.array([0.499999999, 0.5])).tolist()
    assert (below, at) == (1.100318, 1.0) or below == pytest.approx(1.1003, abs=1e-4)
    assert at == 1.0


def test_classes_reported_together_have_the_least_favourable_benchmark() -> None:
    plain = {"generation_mwh": 1e6, "heat_gj": 0.0, "load_factor": 0.7, "emissions_tco2e": 820_000.0}
    for classes, benchmark in (("I+II", 790_200), ("II+III", 801_700), ("I+II+III", 790_200), ("III", 816_200)):
        assert allowances(one(2025, unit_class=classes, capacity_mw=900.0, **plain)) == [benchmark]


def test_only_conventional_coal_is_corrected_for_its_load() -> None:
    low = {
        "generation_mwh": 1e6,
        "heat_gj": 0.0,
        "load_factor": 0.4,
        "emissions_tco2e": 900_000.0,
        "capacity_mw": 300.0,
    }
    assert allowances(one(2025, unit_class="II", **low)) == [math.floor(801_700 * 1.160254)]
    assert allowances(one(2025, unit_class="III", **low)) == [816_200]
    assert allowances(one(2025, unit_class="II+III", **low)) == [801_700]


def test_up_to_2022_net_supply_is_corrected_for_cooling_and_heat() -> None:
    cells = {"supply_mwh": 1e6, "generation_mwh": np.nan, "heat_gj": 1e5, "load_factor": 0.9, "emissions_tco2e": 9e5}
    air = {"cooling": "air", "heat_supply_ratio": 0.2}
    assert allowances(one(2022, **cells)) == [817_700 + 11_050]
    assert allowances(one(2022, **cells, **air)) == [math.floor(817_700 * 1.05 * (1 - 0.22 * 0.2)) + 11_050]
    assert allowances(one(2022, **cells, cooling="none")) == [817_700 + 11_050]
    gas = one(2021, **cells, **air | {"cooling": ""}).units.assign(unit_class="IV", emissions_tco2e=30_000.0)
    assert allowances(of(gas, 2021)) == [math.floor(392_000 * (1 - 0.6 * 0.2)) + 5_600]


@pytest.mark.everyday("new")
@pytest.mark.parametrize("case", ["new", "closed", *POWER_CASES])
def test_special_cases_of_power_get_their_emissions_from_2025_on_and_were_outside_before(case: str) -> None:
    special = {"special_case": case, "unit_class": "", "generation_mwh": np.nan}
    assert allowances(one(2025, **special)) == [2_330_000]
    if case in ("reserve", "hydrogen_ammonia"):
        # The lists up to 2024 do not have them: they are units as any other.
        with pytest.raises(DataError, match="1 unit has a special case that the rule cn does not have"):
            allowances(one(2024, **special))
        assert one(2024, **special).in_scope.all()
        return
    assert allowances(one(2024, **special)) == [0]
    assert not one(2024, **special).in_scope.any()


@pytest.mark.everyday("2024-False", "2025-True")
@pytest.mark.parametrize(("year", "fixed"), [(2019, False), (2021, False), (2024, False), (2025, True), (2026, True)])
def test_a_small_enterprise_of_power_gets_its_emissions_from_2025_on_alone(year: int, fixed: bool) -> None:
    """25,000 t at 20,000 MWh: up to 2024 the benchmark holds, raised to four fifths of the emissions."""
    small = {"generation_mwh": 2e4, "supply_mwh": 2e4, "heat_gj": 0.0, "load_factor": 0.9, "emissions_tco2e": 25_000.0}
    assert allowances(one(year, **small)) == [25_000.0 if fixed else 20_000.0]
    assert allowances(one(year, **small).with_policy({"rule.threshold_tco2e": 26_000.0})) == [25_000.0]


def test_in_2019_and_2020_the_load_of_condensing_units_alone_was_corrected() -> None:
    """Of a million MWh at a load of 78 %, 877,000 t are corrected by 1.0102; a unit that supplies heat is not."""
    low = {"supply_mwh": 1e6, "generation_mwh": np.nan, "load_factor": 0.78, "emissions_tco2e": 9e5, "heat_gj": 0.0}
    assert allowances(one(2020, **low)) == [math.floor(877_000 * 1.0102)]
    assert allowances(one(2020, **low | {"heat_gj": 1e4})) == [877_000 + 1_260]
    assert allowances(one(2021, **low | {"heat_gj": 1e4})) == [math.floor(821_800 * 1.0102) + 1_111]


def test_new_lines_of_industry_are_outside_where_new_units_of_power_are_not() -> None:
    units = pd.DataFrame(
        {
            "unit_id": ["p", "s", "t"],
            "enterprise_id": ["P", "S", "T"],
            "sector": ["power", "steel", "steel"],
            "province": "Fujian",
            "emissions_tco2e": 1e6,
            "output_t": [np.nan, 1e6, 1e6],
            "special_case": ["new", "new", ""],
        }
    )
    assert of(units, 2025).in_scope.tolist() == [True, False, True]
    assert of(units, 2026).in_scope.all()
    assert allowances(of(units, 2025)) == [1e6, 0, 1e6]


def test_years_after_the_last_plan_continue_by_a_stated_change() -> None:
    cells = {"generation_mwh": 1e6, "heat_gj": 0.0, "load_factor": 0.7, "emissions_tco2e": 800_000.0}
    later = of(one(2026, **cells).units, 2028, benchmark_change={"2027": -0.01, "2028": -0.02})
    assert allowances(later) == [math.floor(789_400 * 0.99 * 0.98)]
    entry = own_parameters(later)[0]
    assert (entry.key, entry.years, entry.official) == ("rule.benchmark_change", [2027, 2028], "no plan")
    assert own_parameters(one(2026)) == []


def test_industry_in_a_year_after_the_last_plan_keeps_it_if_the_policy_says_so() -> None:
    assert allowances(of(industry(), 2031, continues_plan_of=2026)) == allowances(of(industry(), 2026))
    (entry,) = own_parameters(of(industry(), 2031, continues_plan_of=2026))
    assert (entry.key, entry.here, entry.years) == ("rule.continues_plan_of", 2026, [2031])
    assert (entry.sectors, entry.official) == (["steel"], "no plan")
    assert own_parameters(of(industry(), 2026, continues_plan_of=2026)) == []
    with pytest.raises(DataError, match=r"rule\.continues_plan_of: is 2025: expected 2026"):
        reference_allowances(of(industry(), 2031, continues_plan_of=2025))


def test_benchmarks_of_ones_own_replace_official_ones_and_are_reported() -> None:
    own = of(one().units, electricity_benchmarks={"I": 0.7}, heat_benchmarks={"coal": {"2025": 0.1}})
    assert allowances(own) == [2_040_000]  # 0.8 of 2.33 Mt is less
    assert {entry.key: entry.here for entry in own_parameters(own)} == {
        "rule.electricity_benchmarks.I": 0.7,
        "rule.heat_benchmarks.coal": 0.1,
    }


def industry(**cells: Any) -> pd.DataFrame:
    line = {"unit_id": "s", "enterprise_id": "S", "sector": "steel", "province": "Fujian"}
    return pd.DataFrame([line | {"emissions_tco2e": 1e6, "output_t": 1e6} | cells])


@pytest.mark.parametrize(
    ("units", "year", "message"),
    [
        (one(unit_class="").units, 2025, "units.csv, unit_class: 1 power unit has no class: row of p."),
        (
            one(generation_mwh=np.nan).units,
            2025,
            "units.csv, generation_mwh: 1 power unit has no electricity: row of p.",
        ),
        (one(2022).units, 2022, "units.csv, supply_mwh: 1 power unit has no electricity: row of p."),
        (
            one(load_factor=np.nan).units,
            2025,
            "units.csv, load_factor: 1 unit of conventional coal has no load factor: row of p.",
        ),
        (
            one(capacity_mw=399.0).units,
            2025,
            "units.csv, capacity_mw: 1 unit of class I has less than 400 MW: row of p.",
        ),
        (
            one(capacity_mw=400.0, unit_class="II").units,
            2025,
            "units.csv, capacity_mw: 1 unit of class II has 400 MW or more: row of p.",
        ),
        (one(output_t=1e6).units, 2025, "units.csv, output_t: 1 power unit states output_t: row of p."),
        (
            one(special_case="carbide_slag").units,
            2025,
            "units.csv, special_case: 1 unit has a special case that the rule cn does not have: row of p "
            "'carbide_slag'.",
        ),
        (
            one().units,
            2027,
            "policy.toml, rule.benchmark_change: is missing, but no plan for power is enacted for 2027.",
        ),
        (
            industry(),
            2031,
            "policy.toml, rule.continues_plan_of: is missing, but no plan for steel is enacted for 2031.",
        ),
        (one().units, 2018, "policy.toml, year: is 2018, but power joined the system in compliance year 2019."),
        (industry(), 2023, "policy.toml, year: is 2023, but steel joined the system in compliance year 2024."),
    ],
)
def test_what_the_rule_lacks_is_told_with_its_cell(units: pd.DataFrame, year: int, message: str) -> None:
    with pytest.raises(DataError) as caught:
        reference_allowances(of(units, year))
    first, _, advice = str(caught.value).partition("\n\n1. ")[2].partition("\n")
    assert first == message
    assert advice.strip()


def test_a_load_above_one_is_refused_where_it_is_read() -> None:
    with pytest.raises(DataError, match=r"load_factor: 1 value is out of range: row 0 '1.2'"):
        one(load_factor=1.2)


def many(seed: int, count: int = 60, year: int = 2025) -> pd.DataFrame:
    """Random power units of all classes, cases of the year and loads, and some of industry."""
    random = np.random.default_rng(seed)
    industry = random.random(count) < 0.2
    classes = random.choice(UNIT_CLASSES, count)
    capacity = np.where(classes == "I", 600.0, np.where(classes == "II", 300.0, np.nan))
    generation = random.uniform(0.05e6, 4e6, count).round(int(random.integers(0, 4)))
    emissions = (generation * random.uniform(0.3, 1.4, count)).round(int(random.integers(0, 3)))
    cases = random.choice(["", "", "", "", "new", "closed", *POWER_CASES[: None if year > 2024 else -2]], count)
    return pd.DataFrame(
        {
            "unit_id": [f"u{number:03}" for number in range(count)],
            "enterprise_id": [f"e{number:02}" for number in random.integers(0, count // 3, count)],
            "sector": np.where(industry, "cement", "power"),
            "province": "Fujian",
            "emissions_tco2e": emissions,
            "output_t": np.where(industry, generation, np.nan),
            "special_case": np.where(industry, "", cases),
            "unit_class": np.where(industry, "", classes),
            "capacity_mw": np.where(industry, np.nan, capacity),
            "generation_mwh": np.where(industry, np.nan, generation),
            "supply_mwh": np.where(industry, np.nan, 0.94 * generation),
            "heat_gj": np.where(industry | (random.random(count) < 0.5), np.nan, random.uniform(0, 4e6, count)),
            "load_factor": np.where(industry, np.nan, random.uniform(0.05, 1.0, count).round(4)),
            "heat_supply_ratio": np.where(industry, np.nan, random.uniform(0, 0.5, count)),
            "cooling": np.where(industry, "", random.choice(["", *COOLING], count)),
        }
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_rule_and_the_checker_agree_to_the_tonne(seed: int) -> None:
    year = 2019 + seed % 10
    units = many(seed, year=year)
    if year < 2024:
        units = units[units["sector"] == "power"]
    own = {"benchmark_change": -0.005, "continues_plan_of": 2026} if year > 2026 else {}
    instance = of(units, year, **own, threshold_tco2e=50_000.0)
    reference = reference_allowances(instance)
    power = (instance.units["sector"] == "power").to_numpy()
    emissions = instance.emissions_tco2e
    derived = allowances_of_power(InstanceInputs.of(instance), reference.fixed, year, 1.0, emissions)
    assert derived[power].tolist() == reference.reference_t[power].tolist()
    results = etsopt.solve(instance)
    assert results.certified
    assert results.violations == ()


def test_the_plans_have_a_figure_of_every_parameter_in_every_year() -> None:
    for key in sorted({row.key for row in POWER_PLANS}):
        for year in range(2019, 2027):
            rows = [row for row in POWER_PLANS if row.key == key and row.holds(year)]
            first = year >= 2023 and ("cooling" in key or "heat_correction" in key)
            assert len(rows) == (0 if first else 1), (key, year)


@pytest.mark.everyday("rule.heat_benchmarks.coal 2022")
@pytest.mark.parametrize(
    "row",
    [row for row in POWER_PLANS if isinstance(row.value, float) and "threshold" not in row.key],
    ids=lambda row: f"{row.key} {row.first_year}",
)
def test_a_wrong_figure_of_the_plans_is_refused(monkeypatch: pytest.MonkeyPatch, row: Any) -> None:
    """Units of every class, fuel, cooling and need, one of which every figure moves."""
    year, classes = row.first_year, ["I", "II", "III", "IV", "IV", "I", "I"]
    electricity = [1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 0.5e6]
    units = pd.DataFrame(
        {
            "unit_id": list("abcdefg"),
            "enterprise_id": list("ABCDEFG"),
            "sector": "power",
            "province": "Fujian",
            "unit_class": classes,
            "generation_mwh": electricity,
            "supply_mwh": electricity,
            "heat_gj": [1e6, 0, 0, 1e6, 1e6, 0, 0],
            "heat_supply_ratio": [0.3, 0, 0, 0.3, 0.3, 0, 0],
            "cooling": ["water", "water", "water", "water", "water", "air", "water"],
            "load_factor": 0.9,
            "emissions_tco2e": [9e5, 9e5, 9e5, 1e5, 1e5, 9e5, 9e5],
        }
    )
    wrong = tuple(replace(one, value=1.01 * one.value) if one is row else one for one in OFFICIAL)
    right = etsopt.solve(of(units, year))
    assert right.violations == ()
    monkeypatch.setattr(plans, "OFFICIAL", wrong)
    found = etsopt.solve(replace(of(units, year), derived=Derived())).violations
    assert {violation["rule"] for violation in found} >= {"reference_follows_rule"}


def test_a_damaged_allowance_of_power_is_refused() -> None:
    instance = of(many(3), 2025)
    results = etsopt.solve(instance)
    allocation = results.tables["allocation"].copy()
    power = allocation.index[allocation["sector"] == "power"][0]
    for column in ("reference_t", "allowance_t"):
        damaged = allocation.copy()
        damaged.loc[power, column] += 1
        tables = dict(results.tables) | {"allocation": damaged}
        assert check(instance, tables, results.levels).violations


@pytest.mark.everyday("2026-abatement")
@pytest.mark.parametrize("model", ["balance_value", "allocation", "abatement", "compliance"])
@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_models_of_one_year_are_certified_with_power_and_industry(model: str, year: int) -> None:
    instance = of(many(year, year=year), year)
    if model in ("abatement", "compliance"):
        instance = instance.with_policy({"market.prices_cny_per_t": 80.0})
    results = etsopt.solve(instance, model)
    assert results.certified
    assert results.violations == ()


def test_a_unit_that_supplied_heat_alone_is_allocated_for_its_heat() -> None:
    heat = {"unit_class": "III", "generation_mwh": 0.0, "heat_gj": 5e6, "emissions_tco2e": 520_000.0}
    assert allowances(one(2025, **heat)) == [513_500]
    assert allowances(one(2025, **heat | {"special_case": "igcc"})) == [520_000]
    nothing = heat | {"heat_gj": 0.0, "emissions_tco2e": 0.0}
    assert allowances(one(2025, **nothing)) == [0]


def test_power_has_no_part_in_the_band_of_its_enterprise() -> None:
    """With two clinker lines of 1 Mt in one enterprise, 3 % of 2 Mt bound them, whatever its power unit emits."""
    lines = pd.DataFrame(
        {
            "unit_id": ["a", "b", "c"],
            "enterprise_id": ["P", "P", "C"],
            "sector": "cement",
            "province": "Fujian",
            "emissions_tco2e": 1e6,
            "output_t": [1.2e6, 1.2e6, 1e6],
        }
    )
    instance = of(pd.concat([one().units, lines]))
    instance = instance.with_policy({"allocation.band_on": "enterprise", "sectors.cement.target_change": -0.025})
    results = etsopt.solve(instance)
    assert results.certified
    table = results.tables["allocation"].set_index("unit_id")["allowance_t"]
    assert table["a"] + table["b"] >= 0.97 * 2e6 - 1
    assert table["p"] == 2_287_590
    lower = instance.with_policy({"sectors.cement.target_change": -0.2})
    assert etsopt.solve(lower).status == "infeasible_certified"
    with_band = lower.with_policy({"sectors.power.band": 0.5})
    assert etsopt.solve(with_band).certified


def test_parameters_of_later_years_are_reported() -> None:
    own = of(one().units, electricity_benchmarks={"I": {"2026": 0.6}}).with_policy({"horizon.last_year": 2026})
    assert [(entry.key, entry.years) for entry in own_parameters(own)] == [("rule.electricity_benchmarks.I", [2026])]


def test_a_year_without_a_plan_needs_no_change_if_every_benchmark_is_stated() -> None:
    stated = {
        "electricity_benchmarks": dict.fromkeys(("I", "II", "III", "IV"), 0.8),
        "heat_benchmarks": {"coal": 0.1, "gas": 0.05},
    }
    assert allowances(of(one().units, 2027, **stated)) == [2_160_000 + 150_000]
    with pytest.raises(DataError, match="is missing, but no plan for power is enacted"):
        reference_allowances(
            of(one().units, 2027, **stated | {"heat_benchmarks": {"coal": {"2028": 0.1}, "gas": 0.05}})
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"rule.electricity_benchmarks": {"V": 0.8}},
            "policy.toml, rule.electricity_benchmarks.V: 'V' is not known.\n   Use 'I', 'II', 'III' or 'IV'.",
        ),
        (
            {"sectors.power.target_intensity": 0.8},
            "units.csv, output_t: 1 unit of power has no output, but the sector's target is an intensity: row of p.\n"
            "   State target_change or target_t: the output of power is no tonnes.",
        ),
    ],
)
def test_remedies_of_wrong_policies_work(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        etsopt.solve(one().with_policy(changes))
    assert message in str(caught.value)
