"""The allocation rules: each on a case by hand, what stands outside them, issuing, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.common.errors import DataError
from etsopt.common.units import whole_tonnes
from etsopt.data.instance import Instance
from etsopt.rules import RULES, Reference, fixed_units, issuance, parameters_of, reference_allowances

# The five lines of the worked example: output 1.0, 1.2, 0.8, 1.5 and 0.5 Mt.
FIVE_EMISSIONS = [780_000, 984_000, 672_000, 1_290_000, 540_000]
FIVE_OUTPUT = [1_000_000, 1_200_000, 800_000, 1_500_000, 500_000]
FIVE_ALLOWANCES = [790_117, 989_848, 673_632, 1_288_601, 523_800]


def units(emissions: Sequence[float], sector: str | list[str] = "cement", **columns: Any) -> pd.DataFrame:
    """Units u1, u2, ... of enterprises e1, e2, ... with these emissions."""
    numbers = range(1, len(emissions) + 1)
    frame = pd.DataFrame(
        {
            "unit_id": [f"u{number}" for number in numbers],
            "enterprise_id": [f"e{number}" for number in numbers],
            "sector": sector,
            "province": "Hebei",
            "emissions_tco2e": emissions,
        }
    )
    return frame.assign(**columns)


def instance(frame: pd.DataFrame, rule: str, **parameters: Any) -> Instance:
    return Instance.from_frames(frame, {"year": 2025, "rule": {"name": rule, **parameters}}, name="case")


def balance_values(found: Reference) -> dict[str, float]:
    """Balance value by sector [t/t]."""
    return {str(name): float(value) for name, value in found.sectors["balance_value"].items()}


def five(**columns: Any) -> pd.DataFrame:
    return units(FIVE_EMISSIONS, output_t=FIVE_OUTPUT, **columns)


@pytest.mark.parametrize("rule", ["cn-2025", "cn-2026"])
def test_the_intensity_rule_gives_the_plans_example_to_the_tonne(rule: str) -> None:
    found = reference_allowances(instance(five(), rule))
    assert found.reference_t.tolist() == FIVE_ALLOWANCES
    assert found.fixed.tolist() == [False] * 5
    assert (found.band, found.whole) == (0.03, True)
    assert {name: round(value, 6) for name, value in balance_values(found).items()} == {"cement": 0.853831}


def test_2026_has_the_method_of_2025(random_instance: Callable[..., Instance]) -> None:
    of_2025 = random_instance(7, 40)
    of_2026 = of_2025.with_policy({"rule.name": "cn-2026"})
    first, second = reference_allowances(of_2025), reference_allowances(of_2026)
    assert first.reference_t.tolist() == second.reference_t.tolist()
    pd.testing.assert_frame_equal(first.sectors, second.sectors)
    one, other = parameters_of(of_2025), parameters_of(of_2026)
    names = ("slope", "cap", "balance_value_decimals", "threshold_tco2e")
    assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]


def test_steel_is_measured_on_iron_and_allocated_on_the_whole_enterprise() -> None:
    # I = (3.3 + 1.1) / 5 = 0.88 and 6.0 / 5 = 1.2 on equal emissions: BP = (0.88 + 1.2) / 2 = 1.04, where X is
    # 15.38 % and -15.38 %, so nobody stands at the cap.
    frame = units(
        [10_500_000, 10_500_000],
        "steel",
        output_t=[5_300_000, 5_300_000],
        intensity_output_t=[5_000_000, 5_000_000],
        intensity_emissions_tco2e=[4_400_000, 6_000_000],
    )
    found = reference_allowances(instance(frame, "cn-2025"))
    assert balance_values(found) == pytest.approx({"steel": 1.04}, rel=1e-15)
    # 10.5 Mt x 0.15 x 0.16 / 1.04 = 242,307.69 t.
    assert found.reference_t.tolist() == [10_742_307, 10_257_692]


def test_each_sector_has_a_balance_value_of_its_own() -> None:
    frame = units([830_000, 157_000], ["cement", "aluminium"], output_t=[1_000_000, 100_000])
    found = reference_allowances(instance(frame, "cn-2025"))
    assert balance_values(found) == pytest.approx({"aluminium": 1.57, "cement": 0.83}, rel=1e-15)
    assert found.reference_t.tolist() == [830_000, 157_000]


KILNS, JOINED_IN_2026 = ("white_clinker", "carbide_slag", "gypsum_acid"), ("new", "closed", "hydrogen_furnace")


@pytest.mark.parametrize(
    ("rule", "case"),
    [
        *(("cn-2025", case) for case in KILNS),
        *(("cn-2026", case) for case in (*KILNS, *JOINED_IN_2026)),
    ],
)
def test_a_special_case_gets_its_emissions_and_leaves_both_sides_of_the_balance(rule: str, case: str) -> None:
    frame = units(
        [*FIVE_EMISSIONS, 900_000], output_t=[*FIVE_OUTPUT, 3_000_000], special_case=["", "", "", "", "", case]
    )
    found = reference_allowances(instance(frame, rule))
    assert found.reference_t.tolist() == [*FIVE_ALLOWANCES, 900_000]
    assert found.fixed.tolist() == [False] * 5 + [True]
    assert balance_values(found) == balance_values(reference_allowances(instance(five(), rule)))


def test_a_special_case_needs_no_output() -> None:
    frame = units([*FIVE_EMISSIONS, 900_000], output_t=[*FIVE_OUTPUT, None], special_case=["", "", "", "", "", "new"])
    assert reference_allowances(instance(frame, "cn-2026")).reference_t.tolist() == [*FIVE_ALLOWANCES, 900_000]


def test_an_enterprise_below_the_threshold_gets_its_emissions_and_leaves_both_sides_of_the_balance() -> None:
    frame = units([*FIVE_EMISSIONS, 25_999], output_t=[*FIVE_OUTPUT, 100_000])
    found = reference_allowances(instance(frame, "cn-2025"))
    assert found.reference_t.tolist() == [*FIVE_ALLOWANCES, 25_999]
    assert balance_values(found) == balance_values(reference_allowances(instance(five(), "cn-2025")))


def test_the_threshold_is_that_of_the_enterprise_and_itself_not_below() -> None:
    frame = units([13_000, 13_000, 25_999, 0], output_t=[20_000] * 4)
    frame.loc[1, "enterprise_id"] = "e1"
    # Units 1 and 2 have 26,000 t together; unit 4 has no emissions to allocate on.
    case = instance(frame, "cn-2025")
    assert fixed_units(case, parameters_of(case)).tolist() == [False, False, True, True]


def test_a_sector_of_special_cases_alone_has_no_balance_value() -> None:
    frame = units([*FIVE_EMISSIONS, 900_000], ["cement"] * 5 + ["steel"], output_t=[*FIVE_OUTPUT, 500_000])
    frame["special_case"] = ["", "", "", "", "", "hydrogen_furnace"]
    assert reference_allowances(instance(frame, "cn-2026")).sectors.index.tolist() == ["cement"]


def test_allowances_follow_the_rounded_balance_value() -> None:
    # BP = 0.8538 instead of 0.853831: line 1 gets 780,000 (1 + 0.15 (0.8538 - 0.78) / 0.8538) = 790,113.13 t,
    # line 2 984,000 + 5,843.01, line 3 672,000 + 1,629.23, line 4 1,290,000 - 1,405.13; line 5 stands at the cap.
    found = reference_allowances(instance(five(), "cn-2025", balance_value_decimals=4))
    assert balance_values(found) == {"cement": 0.8538}
    assert found.reference_t.tolist() == [790_113, 989_843, 673_629, 1_288_594, 523_800]
    assert found.sectors.loc["cement", "balance_value_lower"] == pytest.approx(0.853831, abs=5e-7)


def test_slope_and_cap_are_those_of_the_policy() -> None:
    # BP = (0.80 + 0.88) / 2 = 0.84 on equal emissions, X = +-4.7619 %; slope 0.3 gives 1.43 %, the cap of 1 % holds.
    frame = units([800_000, 800_000], output_t=[1_000_000, 800_000 / 0.88])
    steep = reference_allowances(instance(frame, "cn-2025", slope=0.3))
    assert steep.reference_t.tolist() == [811_428, 788_571]
    capped = reference_allowances(instance(frame, "cn-2025", slope=0.3, cap=0.01))
    assert capped.reference_t.tolist() == [808_000, 792_000]
    assert capped.band == 0.01


def test_a_flat_balance_is_reported_with_its_interval() -> None:
    # By hand in test_balance: from 1.25 to 5/3, midpoint 35/24.
    found = reference_allowances(instance(units([1e6, 1e6], output_t=[1e6, 5e5]), "cn-2025"))
    assert found.sectors.loc["cement"].to_dict() == pytest.approx(
        {"balance_value": 35 / 24, "balance_value_lower": 1.25, "balance_value_upper": 5 / 3}, rel=1e-15
    )
    assert found.reference_t.tolist() == [1_030_000, 970_000]


@pytest.mark.parametrize("seed", range(10))
def test_the_rule_gives_away_at_most_a_tonne_a_unit_less_than_emissions(
    random_instance: Callable[..., Instance], seed: int
) -> None:
    case = random_instance(seed, 50)
    found = reference_allowances(case)
    surplus = pd.Series(found.reference_t - case.emissions_tco2e).groupby(case.units["sector"]).agg(["sum", "size"])
    assert (surplus["sum"] <= 0).all()
    assert (surplus["sum"] > -surplus["size"]).all()
    rate = found.reference_t / case.emissions_tco2e - 1
    assert (rate <= 0.03).all()
    assert (rate >= -0.03 - 1 / case.emissions_tco2e).all()
    assert (found.reference_t == np.floor(found.reference_t)).all()


def test_in_2024_allowances_equal_emissions() -> None:
    found = reference_allowances(instance(units([780_000, 5_000]), "cn-2024"))
    assert found.reference_t.tolist() == [780_000, 5_000]
    # The threshold of 26,000 t is that of 2024 too; all get their emissions with or without it.
    assert found.fixed.tolist() == [False, True]
    assert (found.band, found.whole) == (0.0, True)
    assert found.sectors.empty


def test_grandfathering_follows_last_years_emissions() -> None:
    frame = units([800_000, 900_000], prior_emissions_tco2e=[790_001, 910_000])
    found = reference_allowances(instance(frame, "grandfathering", factor=0.98))
    # 0.98 x 790,001 = 774,200.98.
    assert found.reference_t.tolist() == [774_200, 891_800]
    assert (found.band, found.whole) == (None, True)


def test_the_benchmark_follows_output() -> None:
    frame = units([800_000, 160_000, 70_000], ["cement", "aluminium", "cement"], output_t=[1_000_001, 100_000, 90_000])
    frame["special_case"] = ["", "", "closed"]
    found = reference_allowances(instance(frame, "benchmark", benchmarks={"cement": 0.82, "aluminium": 1.5}))
    # 0.82 x 1,000,001 = 820,000.82; the closed line gets its emissions.
    assert found.reference_t.tolist() == [820_000, 150_000, 70_000]
    assert (found.band, found.whole) == (None, True)


def test_given_allowances_are_taken_as_they_are() -> None:
    frame = units([800_000, 900_000], reference_t=[810_000.25, 0])
    found = reference_allowances(instance(frame, "given"))
    assert found.reference_t.tolist() == [810_000.25, 0]
    assert (found.band, found.whole) == (None, False)


def test_whole_tonnes_are_rounded_down_but_noise_is_not_a_tonne() -> None:
    tonnes = np.array([1789.70, 790_117 - 1e-7, 790_116.99, 5.0])
    assert whole_tonnes(tonnes).tolist() == [1789, 790_117, 790_116, 5]


@pytest.mark.parametrize(
    ("year", "sector", "advance"),
    [
        # 3,579.40 / 2 = 1,789.70, the example of the plan; 70 % are 2,505.58.
        *((2024, sector, 0.0) for sector in ("aluminium", "cement", "steel")),
        *((2025, sector, 2505.0) for sector in ("aluminium", "cement", "steel")),
        *((year, sector, 1789.0) for year in (2026, 2027) for sector in ("aluminium", "cement", "steel", "power")),
        *((year, "power", 2505.0) for year in (2021, 2022, 2023, 2024)),
        (2025, "power", 1789.0),
    ],
)
def test_the_years_share_of_last_years_emissions_is_issued_in_advance_and_rounded_down(
    year: int, sector: str, advance: float
) -> None:
    frame = units([4_000], sector, prior_emissions_tco2e=[3_579.40], reference_t=[4_000.0])
    case = Instance.from_frames(frame, {"year": year, "rule": {"name": "given"}})
    found = issuance(case, np.array([4_000.0]))
    row = {"pre_allocated_t": advance, "top_up_t": 4_000 - advance, "return_t": 0.0}
    assert found.to_dict("records") == [row]


def test_more_issued_than_due_is_owed_and_never_a_negative_allowance() -> None:
    frame = units([1_000, 1_000, 1_000], pre_allocated_t=[1_200, None, None], prior_emissions_tco2e=[500, 3_000, None])
    found = issuance(instance(frame, "cn-2024"), np.array([1_000.0, 1_000.0, 1_000.0]))
    # What is stated goes before 70 % of last year, those of 2025; nothing in advance leaves all to be topped up.
    assert found["pre_allocated_t"].tolist() == [1_200, 2_100, 0]
    assert found["top_up_t"].tolist() == [0, 0, 1_000]
    assert found["return_t"].tolist() == [200, 1_100, 0]


def test_the_share_issued_in_advance_is_the_policys() -> None:
    case = instance(units([1_000], prior_emissions_tco2e=[1_001]), "cn-2024", pre_allocation_share=0.7)
    assert issuance(case, np.array([1_000.0]))["pre_allocated_t"].tolist() == [700]


COMMON = (
    "outside_scope, threshold_tco2e, special_cases, carbide_slag_limit, pre_allocation_share, carry_over_base_t, "
    "carry_over_factor"
)
CN_2025_PARAMETERS = f"The parameters of cn-2025 are {COMMON}, slope, cap, balance_value_decimals."


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        pytest.param(
            {"name": "cn2025"},
            "rule.name: there is no rule 'cn2025'.\n"
            "   Did you mean 'cn-2025'? The rules are benchmark, cn, cn-2024, cn-2025, cn-2026, given, grandfathering.",
            id="unknown rule",
        ),
        pytest.param(
            {"name": "cn-2025", "slop": 0.2},
            f"rule.slop: is not a parameter of the rule.\n   Did you mean 'slope'? {CN_2025_PARAMETERS}",
            id="unknown parameter",
        ),
        pytest.param(
            {"name": "cn-2025", "slope": "0.2"},
            f"rule.slope: is '0.2': expected a valid number.\n   {CN_2025_PARAMETERS}",
            id="text for a number",
        ),
        pytest.param(
            {"name": "cn-2025", "cap": 1.5},
            f"rule.cap: is 1.5: expected less than 1.\n   {CN_2025_PARAMETERS}",
            id="out of range",
        ),
        pytest.param(
            {"name": "cn-2025", "balance_value_decimals": "four"},
            f"rule.balance_value_decimals: is 'four': expected 'none' or a valid integer.\n   {CN_2025_PARAMETERS}",
            id="neither form",
        ),
        pytest.param(
            # Rounded to tens a balance value is zero, and every allowance lost.
            {"name": "cn-2025", "balance_value_decimals": -1},
            "rule.balance_value_decimals: is -1: expected 'none' or greater than or equal to 2.\n"
            f"   {CN_2025_PARAMETERS}",
            id="too few decimals",
        ),
        pytest.param(
            {"name": "benchmark"},
            f"rule.benchmarks: is missing.\n   The parameters of benchmark are {COMMON}, benchmarks.",
            id="missing parameter",
        ),
        pytest.param(
            {"name": "benchmark", "benchmarks": {"cement": -0.8}},
            "rule.benchmarks.cement: is -0.8: expected greater than 0.\n"
            f"   The parameters of benchmark are {COMMON}, benchmarks.",
            id="negative benchmark",
        ),
        pytest.param(
            {"name": "benchmark", "benchmarks": {"cement": 0.8}, "slope": 0.15},
            f"rule.slope: is not a parameter of the rule.\n   The parameters of benchmark are {COMMON}, benchmarks. "
            "`--set 'rule={name=\"benchmark\"}'` leaves out those of another rule.",
            id="parameter of another rule",
        ),
        pytest.param(
            {"name": "benchmark", "benchmarks": {"steel": 2.0}},
            "rule.benchmarks: has no benchmark for cement.\n   State one for each sector that has units [t/t].",
            id="sector without a benchmark",
        ),
    ],
)
def test_a_wrong_rule_of_the_policy_is_refused(rule: dict[str, Any], what: str) -> None:
    case = Instance.from_frames(five(), {"year": 2025, "rule": rule})
    with pytest.raises(DataError) as caught:
        reference_allowances(case)
    assert str(caught.value) == f"The policy has a problem.\n\n1. policy.toml, {what}"


@pytest.mark.parametrize(
    ("frame", "rule", "what"),
    [
        pytest.param(
            units([780_000]),
            "grandfathering",
            "prior_emissions_tco2e: the column is missing.\n"
            "   The rule grandfathering needs it for every unit that is not a special case.",
            id="missing column",
        ),
        pytest.param(
            units([780_000, 800_000, 810_000], reference_t=[780_000, None, None], special_case=["", "", "new"]),
            "given",
            "reference_t: 1 cell is empty: row of u2.\n"
            "   The rule given needs it for every unit that is not a special case.",
            id="empty cell",
        ),
        pytest.param(
            units([780_000, 800_000]),
            "cn-2025",
            "output_t: 2 units have no output or no emissions on which to measure intensity: row of u1, row of u2.\n"
            "   Fill output_t or intensity_output_t of every unit that is not a special case; the rule needs it. A "
            "unit that stood still all year needs emissions 0 or a special_case, such as closed.",
            id="no output at all",
        ),
        pytest.param(
            units([780_000, 800_000], output_t=[1_000_000, None]),
            "cn-2025",
            "output_t: 1 unit has no output or no emissions on which to measure intensity: row of u2.\n"
            "   Fill output_t or intensity_output_t of every unit that is not a special case; the rule needs it. A "
            "unit that stood still all year needs emissions 0 or a special_case, such as closed.",
            id="one unit without output",
        ),
    ],
)
def test_a_rule_says_which_figures_it_lacks(frame: pd.DataFrame, rule: str, what: str) -> None:
    with pytest.raises(DataError) as caught:
        reference_allowances(instance(frame, rule))
    assert str(caught.value) == f"The instance 'case' has a problem.\n\n1. units.csv, {what}"


def test_a_rule_of_the_package_that_returns_an_array_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_the_package(case: Instance, parameters: Any, fixed: Any) -> Any:
        return case.emissions_tco2e

    of_the_package.__module__ = "etsopt.rules.simple"
    monkeypatch.setitem(RULES, "given", replace(RULES["given"], function=of_the_package))
    with pytest.raises(DataError, match="the rule given: returns ndarray: expected Reference"):
        reference_allowances(instance(units([800_000], reference_t=[800_000.0]), "given"))


@pytest.mark.parametrize("name", ["benchmark", "cn-2024", "cn-2025", "cn-2026", "given", "grandfathering"])
def test_every_rule_says_what_it_does_and_where_that_is_written(name: str) -> None:
    rule = RULES[name]
    assert rule.summary.endswith(".")
    assert len(rule.source) > 20
    assert all(field.description for field in rule.parameters.model_fields.values())
