"""What the plans and the law say of each year, against their figures and against what a policy states instead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.data.tables.schema import SPECIAL_CASES

CASES = ["", "new", "closed", "white_clinker", "carbide_slag", "gypsum_acid", "hydrogen_furnace"]
RULES = ("cn-2024", "cn-2025", "cn-2026", "given")


def instance(
    rule: str = "cn-2025", year: int = 2025, policy: dict[str, Any] | None = None, **parameters: Any
) -> etsopt.Instance:
    """A cement line of each special case, and a power plant, under a rule with parameters of one's own."""
    units = pd.DataFrame(
        {
            "unit_id": [f"u{k}" for k in range(10)],
            "enterprise_id": ["a", "a", "b", "c", "d", "e", "f", "g", "h", "h"],
            "sector": ["cement"] * 7 + ["power", "power", "cement"],
            "province": "Hebei",
            "emissions_tco2e": [5e4, 6e4, 7e4, 8e4, 9e4, 10e4, 11e4, 12e4, 13e4, 13e4],
            "output_t": 6e4,
            "reference_t": 1e4,
            "special_case": [*CASES, "", "", ""],
            "carbide_slag_rate": [0.15, 0.16, 0.3, 0.31, 0.0, 0.0, 0.0, 0.31, 0.3, 0.16],
        }
    )
    content = {"year": year, "rule": {"name": rule, **parameters}} | (policy or {})
    return etsopt.Instance.from_frames(units, content)


def test_the_year_is_that_of_the_plan_else_that_of_the_tables() -> None:
    assert [plan.year_of(InstanceInputs.of(instance(rule, 2027))) for rule in RULES] == [2024, 2025, 2026, 2027]


def test_rates_and_the_threshold_are_those_of_the_plan_unless_they_are_stated() -> None:
    assert plan.slope(InstanceInputs.of(instance())) == 0.15
    assert plan.slope(InstanceInputs.of(instance(slope=0.2))) == 0.2
    assert [plan.cap(InstanceInputs.of(instance(rule))) for rule in RULES] == [0.0, 0.03, 0.03, np.inf]
    assert plan.cap(InstanceInputs.of(instance("cn-2026", cap=0.01))) == 0.01
    assert [plan.threshold(InstanceInputs.of(instance(rule)))[0] for rule in RULES] == [26_000.0] * 3 + [0.0]
    assert plan.threshold(InstanceInputs.of(instance("given", threshold_tco2e=5.0)))[0] == 5.0
    assert plan.threshold(InstanceInputs.of(instance(threshold_tco2e=0.0)))[0] == 0.0


def test_new_and_closed_lines_are_outside_the_scope_up_to_2025_or_as_is_stated() -> None:
    outside = [not case for case in np.isin([*CASES, "", "", ""], ["new", "closed"])]
    assert plan.inside(InstanceInputs.of(instance("cn-2024"))).tolist() == outside
    assert plan.inside(InstanceInputs.of(instance("cn-2025"))).tolist() == outside
    assert plan.inside(InstanceInputs.of(instance("cn-2026"))).all()
    assert plan.inside(InstanceInputs.of(instance("given"))).all()
    stated = plan.inside(InstanceInputs.of(instance("cn-2026", outside_scope=["new"])))
    assert np.flatnonzero(~stated).tolist() == [1]
    assert plan.emissions_inside(InstanceInputs.of(instance())).tolist() == [
        5e4,
        0.0,
        0.0,
        8e4,
        9e4,
        10e4,
        11e4,
        12e4,
        13e4,
        13e4,
    ]


def test_a_new_line_joins_a_year_later_and_a_closed_one_is_gone() -> None:
    for rule, first in (("cn-2025", [False, False]), ("cn-2026", [True, True])):
        there = plan.inside_in(InstanceInputs.of(instance(rule, horizon={"last_year": 2026})), [2025, 2026])
        assert there[0].tolist() == [True, True]
        assert there[1:3, 0].tolist() == first
        assert there[1:3, 1].tolist() == [True, False]


@pytest.mark.parametrize(
    ("rule", "year", "limit", "named"),
    [
        ("cn-2024", 2024, 0.15, plan.KILNS),
        ("cn-2025", 2025, 0.15, plan.KILNS),
        ("cn-2026", 2026, 0.30, plan.EVERY_CASE),
        ("given", 2025, 0.15, plan.EVERY_CASE),
        ("given", 2023, np.inf, plan.EVERY_CASE),
        ("given", 2027, 0.30, plan.EVERY_CASE),
    ],
)
def test_special_cases_are_those_of_the_plan_by_name_or_by_carbide_slag(
    rule: str, year: int, limit: float, named: tuple[str, ...]
) -> None:
    made = instance(rule, year)
    slag = made.units["carbide_slag_rate"].to_numpy(dtype=float) > limit
    assert (
        plan.is_special(InstanceInputs.of(made)).tolist()
        == (made.units["special_case"].isin(named).to_numpy() | slag).tolist()
    )
    assert (*plan.KILNS, "hydrogen_furnace", "new", "closed") == plan.OF_INDUSTRY
    assert {*plan.OF_INDUSTRY, *plan.OF_POWER} == set(plan.EVERY_CASE) == set(SPECIAL_CASES)


def test_special_cases_and_the_limit_of_carbide_slag_may_be_stated() -> None:
    stated = plan.is_special(InstanceInputs.of(instance(special_cases=["new", "carbide_slag"], carbide_slag_limit=0.3)))
    assert np.flatnonzero(stated).tolist() == [1, 3, 4, 7]
    without = plan.is_special(InstanceInputs.of(instance(special_cases=["new"])))
    assert np.flatnonzero(without).tolist() == [1]


def test_without_a_column_of_special_cases_there_are_none() -> None:
    made = instance()
    plain = etsopt.Instance.from_frames(
        made.units.drop(columns=["special_case", "carbide_slag_rate"]), {"year": 2025, "rule": {"name": "cn-2025"}}
    )
    assert not plan.is_case(InstanceInputs.of(plain), CASES).any()
    assert not plan.is_special(InstanceInputs.of(plain)).any()


def test_what_is_issued_in_advance_is_that_of_the_year_and_the_sector() -> None:
    years = [2020, 2021, 2024, 2025, 2026, 2027]
    shares = plan.advance_shares(InstanceInputs.of(instance("given")), years)
    assert shares[0].tolist() == [0.0, 0.0, 0.0, 0.7, 0.5, 0.5]
    assert shares[7].tolist() == [0.0, 0.7, 0.7, 0.5, 0.5, 0.5]
    stated = plan.advance_shares(InstanceInputs.of(instance(pre_allocation_share={"2025": 0.6})), [2025, 2026])
    assert stated[:, 0].tolist() == [0.6] * 10


@pytest.mark.parametrize(("year", "rule"), [(2024, "cn-2024"), (2025, "cn-2025"), (2026, "cn-2026")])
def test_what_may_be_carried_over_is_a_base_by_sector_and_1_5_t_for_each_tonne_sold(year: int, rule: str) -> None:
    owners, sales = np.array(["a", "g", "nobody"], dtype=object), np.array([10.0, -5.0, 2.0])
    carried = plan.most_carried_over(InstanceInputs.of(instance(rule, year)), owners, sales)
    assert carried.tolist() == ([100_015.0, 10_000.0, 10_003.0] if year == 2025 else [0.0] * 3)
    stated = instance(rule, year, carry_over_base_t=7.0, carry_over_factor=2.0)
    assert plan.most_carried_over(InstanceInputs.of(stated), owners, sales).tolist() == (
        [27.0, 7.0, 11.0] if year >= 2025 else [0.0] * 3
    )
    by_sector = instance(rule, year, carry_over_base_t={"cement": 7.0})
    expected = {2024: [0.0] * 3, 2025: [22.0, 10_000.0, 10_003.0], 2026: [7.0, 0.0, 0.0]}[year]
    assert plan.most_carried_over(InstanceInputs.of(by_sector), owners, sales).tolist() == expected


def test_the_sector_of_an_enterprise_is_that_of_its_unit_with_the_most_emissions() -> None:
    made = instance()
    units = made.units.drop(columns=["special_case", "carbide_slag_rate"]).head(8).assign(enterprise_id="a")
    both = etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn-2025"}})
    assert plan.most_carried_over(InstanceInputs.of(both), np.array(["a"], dtype=object), np.zeros(1)).tolist() == [
        10_000.0
    ]
    # Of two with as much it is the first by its name.
    assert plan.most_carried_over(InstanceInputs.of(made), np.array(["h"], dtype=object), np.zeros(1)).tolist() == [
        10_000.0
    ]


def test_fines_and_deductions_are_those_of_the_law_at_the_deadline_unless_they_are_stated() -> None:
    assert plan.fixed_fines(InstanceInputs.of(instance()), [2024, 2025, 2026]).tolist() == [0.0, 1e6, 1e6]
    stated = instance(policy={"penalty": {"fixed_fine_cny": 2e6}})
    assert plan.fixed_fines(InstanceInputs.of(stated), [2024, 2025]).tolist() == [2e6, 2e6]
    assert [plan.deducted_share(InstanceInputs.of(instance(year=year))) for year in (2024, 2025)] == [1.0, 0.0]
    assert plan.deducted_share(InstanceInputs.of(instance(policy={"penalty": {"deduction_share": 0.25}}))) == 0.25


def of_all_sectors(year: int, **policy: Any) -> etsopt.Instance:
    """Power of three kinds and cement of three, under the rule of all sectors."""
    units = pd.DataFrame(
        {
            "unit_id": ["c1", "c2", "c3", "p1", "p2", "p3"],
            "enterprise_id": ["c", "c", "c", "p", "p", "p"],
            "sector": ["cement"] * 3 + ["power"] * 3,
            "province": "Hebei",
            "emissions_tco2e": [5e4, 6e4, 7e4, 8e4, 9e4, 10e4],
            "output_t": [6e4] * 3 + [np.nan] * 3,
            "special_case": ["", "new", "white_clinker", "", "igcc", "new"],
            "unit_class": [""] * 3 + ["I"] * 3,
            "capacity_mw": [np.nan] * 3 + [600.0] * 3,
            "generation_mwh": [np.nan] * 3 + [1e5] * 3,
            "load_factor": [np.nan] * 3 + [0.9] * 3,
        }
    )
    return etsopt.Instance.from_frames(units, {"year": year, "rule": {"name": "cn"}} | policy)


@pytest.mark.parametrize(
    ("year", "outside", "special"),
    [
        # In 2024 special cases of power are outside, and new lines of industry; in 2025 only these are.
        (2024, ["c2", "p2", "p3"], ["c3"]),
        (2025, ["c2"], ["c3", "p2", "p3"]),
        (2026, [], ["c2", "c3", "p2", "p3"]),
    ],
)
def test_special_cases_of_power_and_industry_are_those_of_the_year(
    year: int, outside: list[str], special: list[str]
) -> None:
    made = of_all_sectors(year)
    names = made.units["unit_id"].to_numpy()
    assert names[~plan.inside(InstanceInputs.of(made))].tolist() == outside
    assert names[plan.is_special(InstanceInputs.of(made))].tolist() == special
    assert names[plan.of_power(InstanceInputs.of(made))].tolist() == ["p1", "p2", "p3"]
    # A later year of a horizon has the scope of its own plan; a rule for industry has that of its name.
    assert plan.inside(InstanceInputs.of(made), 2026).all()
    assert not plan.of_power(InstanceInputs.of(instance())).any()
    assert (
        plan.inside(InstanceInputs.of(instance("cn-2025")), 2026).tolist()
        == plan.inside(InstanceInputs.of(instance("cn-2025"))).tolist()
    )


def test_the_scope_of_a_later_year_is_that_of_its_plan() -> None:
    # From 2025 on special cases of power are in scope; the new line of cement joins a year later.
    there = plan.inside_in(InstanceInputs.of(of_all_sectors(2024)), [2024, 2025])
    assert there.tolist() == [[True, True], [False, True], [True, True], [True, True], [False, True], [False, True]]


def test_special_cases_of_all_sectors_may_be_stated_and_no_plan_of_industry_is_older_than_2024() -> None:
    stated = of_all_sectors(2025, rule={"name": "cn", "special_cases": ["new"]})
    names = stated.units["unit_id"].to_numpy()
    assert names[plan.is_special(InstanceInputs.of(stated))].tolist() == ["c2", "p3"]
    assert names[plan.is_special(InstanceInputs.of(of_all_sectors(2023)))].tolist() == []


def test_only_industry_from_2025_on_has_balance_values() -> None:
    assert [plan.has_balance_value(InstanceInputs.of(of_all_sectors(year))) for year in (2024, 2025, 2026)] == [
        False,
        True,
        True,
    ]
    assert [plan.has_balance_value(InstanceInputs.of(of_all_sectors(2025)), name) for name in ("cement", "power")] == [
        True,
        False,
    ]
    assert [plan.has_balance_value(InstanceInputs.of(instance(rule))) for rule in RULES] == [False, True, True, False]
    # Without one a plan gives industry its emissions.
    assert [plan.cap(InstanceInputs.of(of_all_sectors(year))) for year in (2024, 2025)] == [0.0, 0.03]
    assert [plan.follows_plan(InstanceInputs.of(instance(rule))) for rule in RULES] == [True, True, True, False]
    assert plan.follows_plan(InstanceInputs.of(of_all_sectors(2025)))


def test_sectors_balance_themselves_as_long_as_the_plan_or_the_policy_says() -> None:
    years = np.array([2025, 2026, 2027])
    made = of_all_sectors(2025)
    cement, power = (made.sectors.index(name) for name in ("cement", "power"))
    found = plan.self_balancing(InstanceInputs.of(made), years, None)
    assert found[cement].tolist() == [True, True, False]
    assert found[power].tolist() == [False] * 3
    assert not plan.self_balancing(InstanceInputs.of(instance("given")), years, None).any()
    stated = of_all_sectors(2025, pathway={"self_balancing_until": {"cement": 2025, "power": 2026}})
    found = plan.self_balancing(InstanceInputs.of(stated), years, None)
    assert (found[cement].tolist(), found[power].tolist()) == ([True, False, False], [True, True, False])
    # On a path only years of its first phase count.
    early = of_all_sectors(2025, pathway={"phase_2_from": 2026})
    assert plan.self_balancing(InstanceInputs.of(early), years, None)[cement].tolist() == [True, False, False]


@pytest.mark.parametrize(("off", "balanced"), [(0.0, True), (2.0, True), (-2.0, True), (2.1, False), (-2.1, False)])
def test_an_allocation_balances_a_sector_within_a_tonne_of_each_unit(off: float, balanced: bool) -> None:
    # The new line is outside, and has nothing: the two others may be off by a tonne each, or all three by three.
    made = of_all_sectors(2025)
    here = np.array([True, False, True, False, False, False])
    allocation = pd.DataFrame({"allowance_t": [5e4 + off, 0.0, 7e4, 1.0, 2.0, 3.0]})
    assert plan._gives_emissions(InstanceInputs.of(made), allocation, here) is balanced
    found = plan.self_balancing(InstanceInputs.of(made), np.array([2025, 2026, 2027]), allocation)
    assert found[made.sectors.index("cement")].tolist() == [abs(off) <= 3, abs(off) <= 3, False]


def test_allowances_at_a_value_from_outside_follow_emissions_in_the_first_phase_alone() -> None:
    years = np.array([2025, 2026, 2027, 2028])
    of_cement = {"cement": {"balance_value": {"2025": 0.83, "2027": 0.82}}}

    def found(**policy: Any) -> list[bool]:
        made = of_all_sectors(2025, coverage="part", sectors=of_cement, **policy)
        rows: list[list[bool]] = plan.at_value_from_outside(InstanceInputs.of(made), years, None).tolist()
        return rows[made.sectors.index("cement")]

    # Until the last year that a value is stated of, and before the second phase, whose first year is not of the first.
    assert found(pathway={"phase_2_from": 2030}) == [True, True, True, False]
    assert found(pathway={"phase_2_from": 2027}) == [True, True, False, False]
    assert found(pathway={"phase_2_from": 2026}) == [True, False, False, False]
