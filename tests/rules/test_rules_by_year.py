"""Rules by year: official parameters, special cases, the scope, carry-over, the law, and the checker on all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.common.errors import DataError
from etsopt.data.content import Derived
from etsopt.data.instance import Instance
from etsopt.data.policy import plans
from etsopt.data.policy.official import CONFIDENCE, INDUSTRY, OFFICIAL, POWER, SOURCES, Official
from etsopt.data.policy.plans import of_year, official, official_value
from etsopt.rules import (
    carried_over,
    deduction_shares,
    fixed_fines,
    fixed_units,
    own_parameters,
    parameters_of,
    pre_allocation_shares,
    reference_allowances,
)
from etsopt.running.results.results import load, load_instance
from tests.builders import random_instance, random_policy, random_units
from tests.judging import check

YEARS = range(2019, 2036)
SECTORS = ("aluminium", "cement", "power", "steel")


def lines(**columns: Any) -> pd.DataFrame:
    """Three clinker lines of 0.8, 0.84 and 0.9 t/t, one enterprise each; more columns by keyword."""
    frame = pd.DataFrame(
        {
            "unit_id": ["a", "b", "c"],
            "enterprise_id": ["A", "B", "C"],
            "sector": "cement",
            "province": ["Hebei", "Hunan", "Hunan"],
            "emissions_tco2e": [800_000.0, 840_000.0, 900_000.0],
            "output_t": 1_000_000.0,
        }
    )
    return frame.assign(**columns)


def instance(frame: pd.DataFrame, rule: str = "cn-2025", year: int = 2025, **parameters: Any) -> Instance:
    return Instance.from_frames(frame, {"year": year, "rule": {"name": rule, **parameters}}, name="lines")


def problem_of(frame: pd.DataFrame, rule: str = "cn-2025", **parameters: Any) -> str:
    with pytest.raises(DataError) as caught:
        reference_allowances(instance(frame, rule, **parameters))
    return str(caught.value).partition("\n\n1. ")[2]


# The table of official parameters.


def test_every_official_figure_has_its_years_a_source_and_a_mark() -> None:
    for row in OFFICIAL:
        assert row.source in SOURCES
        assert row.confidence in CONFIDENCE
        assert row.status in ("draft", "final")
        # A text that was read has a place that states the figure.
        assert row.page or row.confidence != "A", row
        assert row.system == "cn"
        # A plan ends, a law does not.
        of_plan = row.key.startswith("rule.") and row.key not in plans.BY_COMPLIANCE_YEAR
        assert row.last_year is not None or not of_plan
        assert row.last_year is None or row.first_year <= row.last_year
    # No two rows say anything of the same sector and year.
    for key in {row.key for row in OFFICIAL}:
        for sector in SECTORS:
            for year in YEARS:
                rows = [row for row in of_year("cn", year) if row.key == key and sector in row.sectors]
                assert len(rows) <= 1, (key, sector, year)


@pytest.mark.parametrize(
    ("key", "sector", "year", "value"),
    [
        ("rule.pre_allocation_share", "steel", 2024, 0.0),
        ("rule.pre_allocation_share", "cement", 2025, 0.7),
        ("rule.pre_allocation_share", "aluminium", 2026, 0.5),
        ("rule.carbide_slag_limit", "cement", 2025, 0.15),
        ("rule.carbide_slag_limit", "cement", 2026, 0.30),
        ("rule.carry_over_base_t", "steel", 2025, 100_000.0),
        ("rule.carry_over_base_t", "power", 2025, 10_000.0),
        ("rule.carry_over_factor", "cement", 2025, 1.5),
        ("rule.carry_over_base_t", "steel", 2026, 0.0),
        ("rule.outside_scope", "steel", 2025, ("new", "closed")),
        ("rule.outside_scope", "steel", 2026, ()),
        ("penalty.fixed_fine_cny", "steel", 2024, 0.0),
        ("penalty.fixed_fine_cny", "steel", 2025, 1e6),
        ("penalty.deduction_share", "steel", 2024, 1.0),
        ("penalty.deduction_share", "steel", 2025, 0.0),
        ("market.ccer_share", "steel", 2025, 0.05),
    ],
)
def test_the_official_figures_are_those_of_the_texts(key: str, sector: str, year: int, value: Any) -> None:
    assert official_value(key, sector, year, None) == value


def test_a_figure_of_the_last_plan_is_no_official_one_of_a_later_year() -> None:
    """It counts there, by its row of 2026, and the rules ask for the assumption."""
    assert official("rule.slope", "steel", 2031) == official("rule.slope", "steel", 2026)
    assert official("rule.slope", "steel", 2025) != official("rule.slope", "steel", 2026)
    assert {row.last_year for row in of_year("cn", 2031) if row.key in ("rule.slope", "rule.cap")} == {2026}
    assert official("rule.threshold_tco2e", "power", 2024).value == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("year", YEARS)
def test_the_checkers_own_figures_agree_with_the_table(year: int) -> None:
    frame = pd.DataFrame(
        {
            "unit_id": SECTORS,
            "enterprise_id": SECTORS,
            "sector": SECTORS,
            "province": "Hebei",
            "emissions_tco2e": 1e6,
            "output_t": 1e6,
            "reference_t": 1e6,
            "special_case": ["", "new", "closed", ""],
        }
    )
    case = instance(frame, "given", year)
    years = [year, year + 1]
    np.testing.assert_array_equal(
        pre_allocation_shares(case, years), plan.advance_shares(InstanceInputs.of(case), years)
    )
    assert fixed_fines(case.policy, years).tolist() == plan.fixed_fines(InstanceInputs.of(case), years).tolist()
    assert deduction_shares(case.policy, [year]).tolist() == [plan.deducted_share(InstanceInputs.of(case))]
    owners, sold = np.array([*SECTORS, "nobody"], dtype=object), np.array([0.0, 10.0, -5.0, 7.0, 3.0])
    held = np.full(5, 1e9)
    most = plan.most_carried_over(InstanceInputs.of(case), owners, sold)
    assert carried_over(case, owners, held, sold).tolist() == np.floor(most + 1e-6).tolist()


@pytest.mark.parametrize("rule", ["cn-2024", "cn-2025", "cn-2026", "given", "benchmark", "grandfathering"])
def test_checker_and_rule_agree_on_who_is_in_the_scope_and_who_is_special(rule: str) -> None:
    named = [*plan.KILNS, "new", "closed", *(["hydrogen_furnace"] if rule not in ("cn-2024", "cn-2025") else [])]
    rates = [np.nan, 0.1, 0.15, 0.16, 0.3, 0.31, 1.0]
    count = len(named) + len(rates)
    frame = pd.DataFrame(
        {
            "unit_id": [f"u{number:02d}" for number in range(count)],
            "enterprise_id": [f"e{number:02d}" for number in range(count)],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": 1e6,
            "special_case": [*named, *[""] * len(rates)],
            "carbide_slag_rate": [*[np.nan] * len(named), *rates],
        }
    )
    case = instance(frame, rule, 2025, **({"benchmarks": {"cement": 0.8}} if rule == "benchmark" else {}))
    assert case.in_scope.tolist() == plan.inside(InstanceInputs.of(case)).tolist()
    assert (
        fixed_units(case, parameters_of(case)).tolist()
        == (plan.is_special(InstanceInputs.of(case)) | ~case.in_scope).tolist()
    )


# Special cases.


@pytest.mark.parametrize(
    ("rule", "rate", "special"),
    [
        ("cn-2025", 0.1499, False),
        ("cn-2025", 0.15, False),
        ("cn-2025", 0.1501, True),
        ("cn-2026", 0.1501, False),
        ("cn-2026", 0.30, False),
        ("cn-2026", 0.3001, True),
    ],
)
def test_a_line_above_the_years_limit_of_carbide_slag_gets_its_emissions(rule: str, rate: float, special: bool) -> None:
    case = instance(lines(carbide_slag_rate=[np.nan, rate, np.nan]), rule)
    found = reference_allowances(case)
    assert found.fixed.tolist() == [False, special, False]
    assert (found.reference_t[1] == 840_000) == special
    stated = reference_allowances(instance(lines(special_case=["", "carbide_slag" if special else "", ""]), rule))
    assert found.reference_t.tolist() == stated.reference_t.tolist()


def test_the_limit_may_be_the_policys_own() -> None:
    frame = lines(carbide_slag_rate=[np.nan, 0.2, np.nan])
    assert reference_allowances(instance(frame, carbide_slag_limit=0.25)).fixed.tolist() == [False] * 3


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        (
            {"special_case": ["", "hydrogen_furnace", ""], "sector": ["cement", "steel", "cement"]},
            "units.csv, special_case: 1 unit has a special case that the rule cn-2025 does not have: row of b "
            "'hydrogen_furnace'.\n"
            "   Leave the cell empty, so that the unit is treated as any other, or add the case to rule.special_cases. "
            "The rule has white_clinker, carbide_slag, gypsum_acid, new, closed.",
        ),
        (
            {"carbide_slag_rate": [0.2, 0.0, np.nan], "sector": ["cement", "steel", "cement"]},
            "units.csv, carbide_slag_rate: 1 unit is not a clinker line: row of b '0'.\n"
            "   Leave the cell empty: only lines of the sector cement burn carbide slag.",
        ),
        (
            {"carbide_slag_rate": [0.15, 0.2, np.nan], "special_case": ["carbide_slag", "carbide_slag", ""]},
            "units.csv, carbide_slag_rate: 1 line is carbide_slag with a rate that is not above the limit of 0.15: "
            "row of a '0.15'.\n   Correct the rate, or leave the special case empty.",
        ),
        (
            {"carbide_slag_rate": [0.15, 0.2, np.nan], "special_case": ["white_clinker", "white_clinker", ""]},
            "units.csv, carbide_slag_rate: 1 line has another special case and a rate above the limit of 0.15: "
            "row of b '0.2'.\n   Leave the rate or the special case empty: a unit has one case.",
        ),
    ],
    ids=["no such case in 2025", "no clinker line", "rate below the limit", "another case"],
)
def test_a_case_that_contradicts_the_plan_or_the_rate_is_refused(columns: dict[str, Any], what: str) -> None:
    assert problem_of(lines(**columns)) == what


def test_a_case_stands_in_one_list() -> None:
    what = problem_of(lines(), special_cases=["new"], outside_scope=["new", "closed"])
    assert what.startswith("policy.toml, rule.outside_scope: names new, to which rule.special_cases gives A = E.")


def test_a_hydrogen_furnace_may_be_added_to_the_plan_of_2025_by_the_user() -> None:
    frame = lines(special_case=["", "hydrogen_furnace", ""], sector=["cement", "steel", "cement"])
    found = reference_allowances(instance(frame, special_cases=["hydrogen_furnace"]))
    assert found.reference_t[1] == 840_000
    assert reference_allowances(instance(frame, "cn-2026")).reference_t[1] == 840_000


# The scope.


def test_new_and_closed_lines_of_2025_are_in_no_sum_and_in_2026_get_their_emissions() -> None:
    # A fourth and a fifth line; without them BP = (0.8^2 + 0.84^2 + 0.9^2) / 2.54 = 0.848504, and none is at its cap.
    frame = pd.concat(
        [lines(special_case=""), lines(special_case=["new", "closed", ""]).assign(unit_id=["d", "e", "f"])[:2]]
    )
    frame["enterprise_id"] = ["A", "B", "C", "A", "E"]
    frame["province"] = ["Hebei", "Hunan", "Hunan", "Hebei", "Anhui"]
    frame["pre_allocated_t"] = [np.nan, np.nan, np.nan, np.nan, 400_000.0]
    frame["prior_emissions_tco2e"] = [800_000.0, 800_000.0, 800_000.0, 800_000.0, np.nan]
    result = etsopt.solve(instance(frame), "allocation")
    assert (result.status, result.violations) == ("certified_optimal", ())
    table = result.tables["allocation"].set_index("unit_id")
    assert table["in_scope"].tolist() == [True, True, True, False, False]
    assert table.loc[["d", "e"], ["emissions_tco2e", "reference_t", "allowance_t", "surplus_t"]].to_numpy().max() == 0
    assert table.loc[["d", "e"], "at_bound"].tolist() == ["", ""]
    # What the closed line was issued in advance is owed back; a new line is issued nothing.
    assert table["pre_allocated_t"].tolist() == [560_000, 560_000, 560_000, 0, 400_000]
    assert table.loc["e", ["top_up_t", "return_t"]].tolist() == [0, 400_000]
    (sector,) = result.tables["sectors"].to_dict("records")
    assert (sector["units"], sector["emissions_tco2e"], sector["units_fixed"]) == (3, 2_540_000, 0)
    assert sector["balance_value"] == pytest.approx((0.64 + 0.7056 + 0.81) / 2.54, rel=1e-12)
    provinces = result.tables["provinces"].set_index("province")
    assert provinces.loc["Anhui", ["units", "emissions_tco2e", "allowance_t"]].tolist() == [0, 0, 0]
    assert result.tables["enterprises"].set_index("enterprise_id").loc["A", "units"] == 1
    of_2026 = reference_allowances(instance(frame, "cn-2026", 2026))
    assert of_2026.reference_t[3:].tolist() == [800_000, 840_000]
    assert instance(frame, "cn-2026", 2026).in_scope.all()


@pytest.mark.everyday("0-fair order", "0-exceptions")
@pytest.mark.parametrize(
    "allocation",
    [
        {},
        {"intensity_order": True},
        {"integer_allowances": True},
        {"band_on": "enterprise"},
        {"exceptions": {"units": 1, "lower": 0.1, "upper": 0.06}},
    ],
    ids=["as it is", "fair order", "whole tonnes", "bands of enterprises", "exceptions"],
)
@pytest.mark.parametrize("seed", range(6))
def test_an_allocation_is_that_without_the_units_outside_the_scope(seed: int, allocation: dict[str, Any]) -> None:
    units = random_units(seed, 14)
    inside = (units["special_case"] != "new").to_numpy()
    policy = random_policy(seed, units, **allocation)
    policy["sectors"] = {name: policy["sectors"][name] for name in set(units.loc[inside, "sector"])}
    if isinstance(policy.get("provinces", {}).get("balance"), dict):
        policy.pop("provinces")
    results = [etsopt.solve(Instance.from_frames(frame, policy)) for frame in (units, units[inside])]
    assert results[0].status == results[1].status
    assert not results[0].violations
    if "allocation" not in results[0].tables:
        assert results[0].infeasible_by_t == pytest.approx(results[1].infeasible_by_t, rel=1e-6)
        return
    tables = [result.tables["allocation"].set_index("unit_id")["allowance_t"] for result in results]
    np.testing.assert_allclose(tables[0][tables[1].index], tables[1], rtol=0, atol=1e-2)
    assert tables[0].drop(tables[1].index).eq(0).all()


MARKET = {
    "prices_cny_per_t": 80.0,
    "terminal_price_cny_per_t": 80.0,
    "external_demand_t": 50_000.0,
}


def market(frame: pd.DataFrame, last_year: int = 2025) -> Instance:
    measures = pd.DataFrame(
        {
            "measure_id": ["m"],
            "sector": ["cement"],
            "abatement_rate": [0.05],
            "lifetime_years": [10],
            "variable_opex_cny_per_t": [-1.0],
        }
    )
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2025"},
        "horizon": {"last_year": last_year},
        "market": MARKET,
        "penalty": {"reference_price_cny_per_t": 90.0},
    }
    return Instance.from_frames(frame, policy, measures=measures, name="market")


@pytest.mark.everyday("abatement")
@pytest.mark.parametrize("model", ["abatement", "clearing", "pathway"])
def test_a_market_of_one_year_is_that_without_the_units_outside_the_scope(model: str) -> None:
    frame = pd.concat(
        [lines(special_case=""), lines(special_case=["new", "closed", ""]).assign(unit_id=["d", "e", "f"])[:2]]
    )
    with_them, without = (etsopt.solve(market(part), model) for part in (frame, lines()))
    assert with_them.certified
    assert not with_them.violations
    assert with_them.levels[-1].value == pytest.approx(without.levels[-1].value, rel=1e-9)
    table = with_them.tables["unit_years"].set_index("unit_id")
    assert table["in_scope"].tolist() == [True, True, True, False, False]
    columns = ["emissions_before_tco2e", "emissions_tco2e", "allowance_t", "measures_cost_cny"]
    assert table.loc[["d", "e"], columns].abs().to_numpy().max() == 0
    years = [result.tables["years"].drop(columns=["price_obtained"]) for result in (with_them, without)]
    pd.testing.assert_frame_equal(*years, rtol=1e-9)


@pytest.mark.parametrize("model", ["clearing", "pathway"])
def test_a_line_that_is_new_in_2025_joins_in_2026_with_its_emissions_and_a_closed_one_never(model: str) -> None:
    frame = pd.concat(
        [lines(special_case=""), lines(special_case=["new", "closed", ""]).assign(unit_id=["d", "e", "f"])[:2]]
    )
    result = etsopt.solve(market(frame, 2026), model)
    assert result.certified
    assert not result.violations
    table = result.tables["unit_years"].set_index(["unit_id", "year"])
    assert table.loc["d", "in_scope"].tolist() == [False, True]
    assert table.loc["e", "in_scope"].tolist() == [False, False]
    assert table.loc["d", "emissions_before_tco2e"].tolist() == [0, 800_000]
    # It takes the measure that pays by itself, and gets what it emits then.
    assert table.loc["d", "allowance_t"].tolist() == [0, 0.95 * 800_000]
    assert table.loc["d", "emissions_tco2e"].tolist() == [0, 0.95 * 800_000]
    assert table.loc["e", "emissions_before_tco2e"].tolist() == [0, 0]


@pytest.mark.parametrize("model", ["clearing", "pathway"])
def test_a_line_that_has_closed_gets_a_last_time_what_it_emitted_and_is_gone_a_year_later(model: str) -> None:
    frame = lines(special_case=["", "", "closed"])
    policy = market(frame).policy.model_dump(exclude_unset=True)
    policy |= {"year": 2026, "rule": {"name": "cn-2026"}, "horizon": {"last_year": 2027}}
    result = etsopt.solve(Instance.from_frames(frame, policy), model)
    assert (result.certified, result.violations) == (True, ())
    table = result.tables["unit_years"].set_index(["unit_id", "year"]).loc["c"]
    assert table["in_scope"].tolist() == [True, False]
    assert table["emissions_before_tco2e"].tolist() == [900_000, 0]
    assert table["allowance_t"].tolist() == [900_000, 0]


def test_a_market_in_a_year_without_anybody_in_the_scope_keeps_what_it_holds() -> None:
    frame = lines(special_case="new")
    policy = market(frame).policy.model_dump(exclude_unset=True)
    policy["market"] = {"auctioned_t": {"2025": 10_000.0, "2026": 0.0}}
    policy["horizon"] = {"last_year": 2026}
    for cost in (0.0, 0.5):
        policy["market"]["transaction_cost_cny_per_t"] = cost
        result = etsopt.solve(Instance.from_frames(frame, policy), "clearing")
        assert (result.certified, result.violations) == (True, ())


def test_a_cap_on_no_allowances_cuts_nothing() -> None:
    frame = lines(special_case="closed")
    policy = market(frame).policy.model_dump(exclude_unset=True)
    policy |= {"pathway": {"cap_from": 2026}, "horizon": {"last_year": 2027}, "market": {}}
    result = etsopt.solve(Instance.from_frames(frame, policy), "pathway")
    assert (result.certified, result.violations) == (True, ())
    assert not result.tables["years"]["allowance_t"].any()


def test_a_rule_of_no_plan_goes_by_the_year_that_the_policy_is_changed_to() -> None:
    # 20 % of carbide slag is above the limit of 2025 and below that of 2026: A = E, or half of it.
    frame = lines(carbide_slag_rate=[0.2, np.nan, np.nan], prior_emissions_tco2e=400_000.0)
    of_2025 = instance(frame, "grandfathering")
    assert reference_allowances(of_2025).reference_t.tolist() == [800_000, 400_000, 400_000]
    assert reference_allowances(of_2025.with_policy({"year": 2026})).reference_t.tolist() == [400_000] * 3


def test_a_settlement_owes_nothing_for_a_unit_outside_the_scope_but_what_it_was_issued_in_advance() -> None:
    frame = lines(special_case=["", "", "closed"], pre_allocated_t=[np.nan, np.nan, 300_000.0])
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2025"},
        "market": MARKET,
        "penalty": {"reference_price_cny_per_t": 90.0},
    }
    result = etsopt.solve(Instance.from_frames(frame, policy), "compliance")
    assert (result.status, result.violations) == ("certified_optimal", ())
    row = result.tables["compliance"].set_index("enterprise_id").loc["C"]
    names = ["units", "obligation_t", "issued_t", "cancelled_t", "surrendered_t", "shortfall_t"]
    assert row[names].tolist() == [0, 0, 300_000, 300_000, 0, 0]
    assert result.tables["issuance"]["in_scope"].tolist() == [True, True, False]
    (sector,) = result.tables["compliance_sectors"].to_dict("records")
    assert (sector["units"], sector["enterprises"], sector["emissions_tco2e"]) == (2, 2, 1_640_000)


@pytest.mark.everyday("clearing")
@pytest.mark.parametrize("model", ["allocation", "clearing", "pathway", "compliance"])
def test_a_run_folder_with_units_outside_the_scope_is_read_back_and_checked(model: str, tmp_path: Path) -> None:
    case = market(lines(special_case=["", "new", "closed"]))
    result = etsopt.solve(case, model)
    assert result.certified
    result.save(tmp_path / "run", case)
    assert not etsopt.check(load_instance(tmp_path / "run"), load(tmp_path / "run")).violations


# Carry-over and the law.


@pytest.mark.parametrize(
    ("sector", "sold", "held", "carried"),
    [
        # 10,000 + 1.5 x 100,000 = 160,000 of 300,000; net purchases leave the base.
        ("power", 100_000.0, 300_000.0, 160_000),
        ("power", -5_000.0, 300_000.0, 10_000),
        ("steel", 100_000.0, 300_000.0, 250_000),
        ("cement", 0.0, 300_000.0, 100_000),
        ("aluminium", 0.0, 4_000.5, 4_000),
    ],
)
def test_what_is_carried_over_into_2025_by_sector(sector: str, sold: float, held: float, carried: int) -> None:
    case = instance(lines(sector=sector, reference_t=1e6), "given")
    owners = np.array(["A"], dtype=object)
    assert carried_over(case, owners, np.array([held]), np.array([sold])).tolist() == [carried]
    later = instance(lines(sector=sector, reference_t=1e6), "given", 2026)
    assert carried_over(later, owners, np.array([held]), np.array([sold])).tolist() == [0]


def test_an_enterprise_carries_over_by_the_sector_of_its_largest_unit() -> None:
    frame = lines(sector=["power", "power", "steel"], reference_t=1e6, enterprise_id=["A", "A", "A"])
    held, sold = np.array([1e6, 1e6]), np.zeros(2)
    owners = np.array(["A", "without units"], dtype=object)
    assert carried_over(instance(frame, "given"), owners, held, sold).tolist() == [100_000, 10_000]
    own = instance(frame, "given", carry_over_base_t={"steel": 20_000.0}, carry_over_factor=0.0)
    assert carried_over(own, owners, held, sold).tolist() == [20_000, 10_000]
    assert plan.most_carried_over(InstanceInputs.of(own), owners, sold).tolist() == [20_000, 10_000]


HELD = pd.DataFrame({"enterprise_id": ["A", "B", "C"], "opening_2024_t": [50_000.0, 0.0, 0.0]})


def before_conversion(last_year: int = 2024, **parameters: Any) -> Instance:
    """Compliance year 2024 of three lines, of which A holds 50,000 t, and others want 5,000 t."""
    policy = {
        "year": 2024,
        "rule": {"name": "cn-2024", **parameters},
        "horizon": {"last_year": last_year},
        "market": {"prices_cny_per_t": 80.0, "external_demand_t": {"2024": 5_000.0, "2025": 0.0}},
    }
    return Instance.from_frames(lines(), policy, HELD)


@pytest.mark.parametrize("parameters", [{}, {"carry_over_base_t": 30_000.0}], ids=["official", "own"])
def test_before_2025_allowances_of_2019_to_2024_are_used_in_full_and_none_are_converted(
    parameters: dict[str, Any],
) -> None:
    case = before_conversion(**parameters)
    assert carried_over(case, np.array(["A"], dtype=object), np.array([50_000.0]), np.zeros(1)).tolist() == [0]
    assert plan.most_carried_over(InstanceInputs.of(case), np.array(["A"], dtype=object), np.zeros(1)).tolist() == [0]
    cleared = etsopt.solve(case, "clearing")
    assert (cleared.status, cleared.violations) == ("certified_optimal", ())
    assert cleared.tables["enterprise_years"]["banked_before_t"].sum() == 50_000
    settled = etsopt.solve(case, "compliance")
    assert (settled.status, settled.violations) == ("certified_optimal", ())
    row = settled.tables["compliance"].set_index("enterprise_id").loc["A"]
    assert (row["carried_over_t"], row["bought_t"], row["sold_t"] + row["closing_t"]) == (0, 0, 50_000)


def test_a_horizon_that_passes_the_conversion_with_holdings_is_refused() -> None:
    with pytest.raises(DataError, match="the horizon passes from 2024 to 2025 with 50,000 t in enterprises"):
        etsopt.solve(before_conversion(2026), "clearing")


def test_the_law_at_the_deadline_counts() -> None:
    # Compliance 2024 was due on 31 December 2025, before 15 August 2026; 2025 is due on 31 December 2026.
    policy = instance(lines()).policy
    assert fixed_fines(policy, [2024, 2025]).tolist() == [0, 1e6]
    assert deduction_shares(policy, [2024, 2025]).tolist() == [1, 0]


# Parameters of the user's own.


def own_of(policy: dict[str, Any], rule: str = "cn-2025", last_year: int = 2025, **parameters: Any) -> dict[str, Any]:
    content = {"year": 2025, "rule": {"name": rule, **parameters}, "horizon": {"last_year": last_year}, **policy}
    found = own_parameters(Instance.from_frames(lines(sector=["cement", "steel", "steel"]), content))
    return {entry.key: (entry.official, entry.years, entry.sectors, entry.here) for entry in found}


def test_nothing_is_the_users_own_where_the_policy_is_silent_or_states_what_is_official() -> None:
    assert own_of({}) == {}
    official_ones: dict[str, Any] = {
        "slope": 0.15,
        "cap": 0.03,
        "pre_allocation_share": 0.7,
        "carbide_slag_limit": 0.15,
    }
    assert own_of({"penalty": {"multiple": 5, "fixed_fine_cny": 1_000_000}}, **official_ones) == {}
    assert own_of({}, outside_scope=["closed", "new"]) == {}


def test_each_parameter_that_differs_is_told_with_its_years_and_sectors() -> None:
    both = ["cement", "steel"]
    assert own_of({}, outside_scope=["new"], special_cases=["closed"]) == {
        "rule.special_cases": ("white_clinker, carbide_slag, gypsum_acid", [2025], both, ["closed"]),
        "rule.outside_scope": ("new, closed", [2025], both, ["new"]),
    }
    assert own_of({}, carry_over_base_t={"steel": 5.0}) == {
        "rule.carry_over_base_t": ("100,000", [2025], ["steel"], 5.0)
    }
    # Seventy per cent for 2025 is official, and is the user's own from 2026 on, where the market borrows by it.
    assert own_of({}, last_year=2028, pre_allocation_share=0.7) == {
        "rule.pre_allocation_share": ("at most 0.50", [2026, 2027, 2028], both, 0.7)
    }
    assert own_of({}, last_year=2028, pre_allocation_share={"2025": 0.7, "2026": 0.5}) == {}
    assert own_of({"market": {"ccer_share": 0.1}, "penalty": {"deduction_share": 1.0}}) == {
        "market.ccer_share": ("at most 0.05", [2025], both, 0.1),
        "penalty.deduction_share": ("none", [2025], both, 1.0),
    }
    assert own_of({"penalty": {"multiple": 6}}, "cn-2026")["penalty.multiple"] == ("5 to 10", [2025], both, 6)


# Forgeries, and an engine whose table is wrong.


def forged(change: Callable[[dict[str, pd.DataFrame]], Any]) -> set[str]:
    """Statements that an allocation with a closed line breaks after a change of its tables."""
    frame = lines(special_case=["", "", "closed"], prior_emissions_tco2e=[700_000.0, 800_000.0, 900_000.0])
    case = instance(frame)
    result = etsopt.solve(case)
    assert result.certified
    tables = {name: table.copy() for name, table in result.tables.items()}
    change(tables)
    return {violation.rule for violation in check(case, tables, result.levels).violations}


def test_half_issued_in_advance_in_2025_is_refused() -> None:
    def half(tables: dict[str, pd.DataFrame]) -> None:
        advance = np.array([350_000.0, 400_000.0, 0.0])
        table = tables["allocation"]
        table["pre_allocated_t"], table["top_up_t"] = advance, table["allowance_t"] - advance
        sums = tables["enterprises"]
        sums["pre_allocated_t"], sums["top_up_t"] = advance, table["allowance_t"] - advance

    assert forged(half) == {"pre_allocation"}


def test_a_closed_line_in_a_sum_is_refused() -> None:
    def in_sum(tables: dict[str, pd.DataFrame]) -> None:
        sector = tables["sectors"]
        sector["units"] += 1
        sector["emissions_tco2e"] += 900_000
        sector["allowance_t"] += 900_000
        sector["reference_t"] += 900_000

    assert "totals_add_up" in forged(in_sum)


def test_a_closed_line_with_emissions_or_an_allowance_is_refused() -> None:
    def emits(tables: dict[str, pd.DataFrame]) -> None:
        tables["allocation"].loc[2, ["emissions_tco2e", "reference_t", "allowance_t"]] = 900_000.0

    def gets(tables: dict[str, pd.DataFrame]) -> None:
        tables["allocation"].loc[2, ["reference_t", "allowance_t", "surplus_t", "top_up_t"]] = 900_000.0

    assert forged(emits) == {"same_units"}
    assert {"fixed_get_emissions", "reference_follows_rule"} <= forged(gets)


@pytest.mark.parametrize("mark", [True, None], ids=["said to be inside", "not marked"])
def test_a_closed_line_without_its_mark_is_refused(mark: bool | None) -> None:
    def unmark(tables: dict[str, pd.DataFrame]) -> None:
        if mark is None:
            del tables["allocation"]["in_scope"]
        else:
            tables["allocation"]["in_scope"] = True

    assert forged(unmark) == {"same_units"}


NO_SCOPE = {"rule.outside_scope": (), "rule.special_cases": ("closed", "new")}
HALF, STEEP = {"rule.pre_allocation_share": 0.5}, {"rule.slope": 0.2}
LITTLE, FINE = {"rule.carry_over_base_t": 10_000.0}, {"penalty.fixed_fine_cny": 2e6}


@pytest.mark.everyday("clearing-wrong1")
@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        *((model, NO_SCOPE) for model in ("allocation", "clearing", "pathway", "compliance")),
        *((model, HALF) for model in ("allocation", "compliance")),
        *((model, STEEP) for model in ("allocation", "pathway", "compliance")),
        *((model, LITTLE) for model in ("clearing", "pathway", "compliance")),
        ("compliance", FINE),
    ],
)
def test_a_wrong_figure_in_the_engines_table_is_refused(
    monkeypatch: pytest.MonkeyPatch, model: str, wrong: dict[str, Any]
) -> None:
    def misread(row: Official) -> Official:
        now = row.first_year <= 2025 and row.last_year in (2025, None)
        return replace(row, value=wrong[row.key]) if row.key in wrong and now else row

    case = market(lines(special_case=["", "", "closed"], prior_emissions_tco2e=800_000.0))
    if model == "compliance":
        case = case.with_policy({"compliance.without_purchases": ["B"]})
    enterprises = pd.DataFrame({"enterprise_id": ["A", "B", "C"], "opening_2024_t": [60_000.0, 0.0, 0.0]})
    case = replace(case, enterprises=enterprises)
    assert etsopt.solve(case, model).violations == ()
    monkeypatch.setattr(plans, "OFFICIAL", tuple(map(misread, OFFICIAL)))
    monkeypatch.setattr(plans, "OFFICIAL", tuple(map(misread, OFFICIAL)))
    assert etsopt.solve(replace(case, derived=Derived()), model).violations


def test_sectors_of_the_table_are_known() -> None:
    assert set(INDUSTRY) | set(POWER) == set(SECTORS)
    assert not random_instance(0).in_scope.all()
