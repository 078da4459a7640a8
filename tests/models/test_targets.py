"""Sectors without a target, and bands wider than all emissions: by hand, by every method, and forged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from tests.builders import allowances, given, random_policy, random_units
from tests.judging import check
from tests.oracle import extrapolated
from tests.whole_oracle import OBJECTIVES

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

METHODS = ("direct", "aggregation", "pyomo")


def checked(instance: etsopt.Instance, **options: Any) -> Results:
    """A result whose every statement holds."""
    found = etsopt.solve(instance, **options)
    assert etsopt.check(instance, found).violations == ()
    return found


def two_sectors(rule: str = "given", **policy: Any) -> etsopt.Instance:
    """Two lines of cement and a steel works, each with reference allowances of its own."""
    rows = [
        ("a", "a", "cement", "Fujian", 100_000.0, 104_000.0),
        ("b", "b", "cement", "Fujian", 200_000.0, 199_000.0),
        ("c", "c", "steel", "Gansu", 400_000.0, 406_000.0),
    ]
    return given(
        rows, {"rule": {"name": rule}, **policy}, output_t=[1e5, 2e5, 2e5], prior_emissions_tco2e=[1e5, 2e5, 4e5]
    )


def target_of(found: Results, sector: str) -> tuple[float, str]:
    row = found.tables["sectors"].set_index("sector").loc[sector]
    return float(row["target_t"]), str(row["target_sense"])


@pytest.mark.parametrize("method", METHODS)
def test_tiny_without_its_target_by_hand(method: str) -> None:
    # The rule gives North 404,800 t, which may have 404,000 t, and South 155,200 t, which must have 158,400 t: a change
    # of 800 + 3,200 t, and no target to lower North any further. South moves by 3,200/160,000 = 0.02 at least. The
    # 800 t are least felt in proportion to emissions: 200 and 600 t, so the last level is 0.4 + 1.2 + 64.
    found = checked(etsopt.read("tiny").with_policy({"sectors.cement.target_sense": "none"}), method=method)
    assert found.status == "certified_optimal"
    assert allowances(found).tolist() == pytest.approx([102_800.0, 301_200.0, 158_400.0])
    assert [level.value for level in found.levels] == pytest.approx([4_000.0, 0.02, 65.6])
    sector = found.tables["sectors"].iloc[0]
    assert sector["target_sense"] == "none"
    assert np.isnan([sector[name] for name in ("target_t", "under_target_t", "change_shadow_price")]).all()
    assert "sector_target" not in set(found.tables["duals"]["row"])


@pytest.mark.everyday("aggregation")
@pytest.mark.parametrize("method", METHODS)
def test_spread_measures_from_the_reference_rate_of_a_sector_without_a_target(method: str) -> None:
    # Cement has 303,000 t of reference on 300,000 t of emissions, steel 406,000 t on 400,000 t: 1 % and 1.5 %.
    alone = checked(two_sectors(allocation={"objectives": ["spread"]}), method=method)
    assert alone.levels[0].value == pytest.approx(0.0, abs=1e-12)
    assert allowances(alone).tolist() == pytest.approx([101_000.0, 202_000.0, 406_000.0])
    # A nation at its emissions of 700,000 t takes 9,000 t off these rates, whoever loses them.
    nation = checked(two_sectors(allocation={"objectives": ["spread"]}, national={"target_change": 0.0}), method=method)
    assert nation.levels[0].value == pytest.approx(9_000 / 700_000)
    # With a target of its own steel is measured from that.
    sectors = {"steel": {"target_t": 396_000.0}}
    both = checked(two_sectors(allocation={"objectives": ["spread"]}, sectors=sectors), method=method)
    assert allowances(both).tolist() == pytest.approx([101_000.0, 202_000.0, 396_000.0])


@pytest.mark.parametrize("rule", ["cn-2025", "cn-2026"])
def test_a_rule_that_balances_a_sector_gives_it_a_target_at_emissions(rule: str) -> None:
    for sectors in ({}, {"cement": {"band": 0.03}}):
        found = checked(two_sectors(rule, sectors=sectors))
        assert target_of(found, "cement") == (300_000.0, "at_most")
        assert target_of(found, "steel") == (400_000.0, "at_most")
    found = checked(two_sectors(rule, sectors={"steel": {"target_sense": "none"}}))
    assert target_of(found, "cement") == (300_000.0, "at_most")
    assert target_of(found, "steel")[1] == "none"


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "cn-2024"},
        {"name": "given"},
        {"name": "grandfathering"},
        {"name": "benchmark", "benchmarks": {"cement": 1, "steel": 2}},
    ],
)
def test_any_other_rule_gives_none(rule: dict[str, Any]) -> None:
    found = checked(two_sectors().with_policy({"rule": rule}))
    for sector in ("cement", "steel"):
        target, sense = target_of(found, sector)
        assert np.isnan(target)
        assert sense == "none"


def test_a_sense_without_a_figure_stands_at_emissions() -> None:
    found = checked(two_sectors(sectors={"cement": {"target_sense": "exactly"}}))
    assert target_of(found, "cement") == (300_000.0, "exactly")
    assert found.tables["sectors"].set_index("sector").loc["cement", "allowance_t"] == pytest.approx(300_000.0)


def test_no_target_and_a_target_contradict_each_other() -> None:
    with pytest.raises(DataError) as caught:
        two_sectors(sectors={"steel": {"target_sense": "none", "target_t": 5.0}})
    assert str(caught.value).endswith(
        "policy, sectors.steel: states target_t, but target_sense is 'none', which removes the target.\n"
        "   Remove one of the two."
    )
    with pytest.raises(DataError, match="which removes the target"):
        two_sectors().with_policy({"sectors.steel.target_sense": "none", "sectors.steel.target_t": 5.0})
    with pytest.raises(DataError, match=r"states target_change and target_t: expected one of them\."):
        two_sectors().with_policy({"sectors.steel.target_change": 0.1, "sectors.steel.target_t": 5.0})


def test_a_change_takes_the_place_of_what_was_there() -> None:
    stated = two_sectors(sectors={"steel": {"target_t": 396_000.0}})
    none = stated.with_policy({"sectors.steel.target_sense": "none"})
    assert target_of(checked(none), "steel")[1] == "none"
    again = none.with_policy({"sectors.steel.target_change": -0.01})
    assert target_of(checked(again), "steel") == (396_000.0, "at_most")


def test_the_hash_changes_where_the_meaning_does() -> None:
    tiny, plain = etsopt.read("tiny"), two_sectors()
    assert tiny.with_policy({"sectors.cement.target_sense": "at_most"}).hash == tiny.hash
    assert tiny.with_policy({"sectors.cement.target_sense": "none"}).hash != tiny.hash
    # Without a table too: what had a target at emissions once has another hash.
    assert plain.with_policy({"sectors.cement.target_sense": "at_most"}).hash != plain.hash
    assert two_sectors("cn-2025").with_policy({"sectors": {}}).hash == two_sectors("cn-2025").hash


def mixed(seed: int, **allocation: Any) -> etsopt.Instance:
    """Random units under rule ``given``, of which some sectors have a target and some have none."""
    units = random_units(seed, 30)
    rate = np.random.default_rng(seed).uniform(0.9, 1.08, len(units))
    units["reference_t"] = np.round(units["emissions_tco2e"] * rate)
    policy = random_policy(seed, units, **allocation) | {"rule": {"name": "given"}}
    for number, (name, section) in enumerate(sorted(policy["sectors"].items())):
        if (seed >> number) % 2 == 0:
            policy["sectors"][name] = {"band": section["band"]}
    return etsopt.Instance.from_frames(units, policy, name=f"mixed {seed}")


@pytest.mark.everyday("exceptions-0")
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "allocation",
    [
        {"objectives": list(OBJECTIVES)},
        {"objectives": ["spread", "largest_change"], "integer_allowances": True},
        {"objectives": ["change"], "exceptions": {"units": 2, "lower": 0.1, "upper": 0.1}},
    ],
    ids=["real", "whole", "exceptions"],
)
def test_merged_units_have_the_same_answer(seed: int, allocation: dict[str, Any]) -> None:
    instance = mixed(seed, **allocation)
    whole, merged = checked(instance, method="direct"), checked(instance, method="aggregation")
    assert merged.status == whole.status
    assert merged.termination == whole.termination
    if whole.termination == "optimal":
        assert whole.certified
        assert allowances(merged).tolist() == pytest.approx(allowances(whole).tolist(), abs=1e-3)
    else:
        assert merged.infeasible_by_t == pytest.approx(whole.infeasible_by_t)


@pytest.mark.parametrize("seed", range(6))
def test_an_independent_program_finds_the_same(seed: int) -> None:
    # Nothing of the models or the engine: plain linear programs and a projection.
    units = random_units(seed, 9, cases=False)
    units["reference_t"] = np.round(units["emissions_tco2e"] * np.random.default_rng(seed).uniform(0.95, 1.05, 9))
    sectors = {name: {"band": 0.06} for name in sorted(set(units["sector"]))}
    sectors["cement"] |= {"target_change": -0.01} if seed % 2 else {}
    order = ["spread", "change"] if seed % 3 else ["change", "spread"]
    policy = {"year": 2025, "rule": {"name": "given"}, "sectors": sectors, "allocation": {"objectives": order}}
    instance = etsopt.Instance.from_frames(units, policy | {"national": {"target_change": -0.004}})
    found = checked(instance)
    values, answer = extrapolated(instance, order)
    assert found.certified
    for level, value in zip(found.levels, values, strict=False):
        assert level.value == pytest.approx(value, rel=1e-6, abs=1e-6 if level.unit == "rate" else 1.0)
    assert allowances(found).to_numpy() == pytest.approx(answer, abs=5.0)


@pytest.mark.everyday("direct")
@pytest.mark.parametrize("method", METHODS)
def test_the_band_of_a_sector_without_a_target_can_give_way(method: str) -> None:
    # Gansu has steel alone, whose band of 1 % around 400,000 t cannot reach the 7.2 % that the nation asks of all.
    policy: dict[str, Any] = {
        "sectors": {"cement": {"band": 0.03}, "steel": {"band": 0.01}},
        "national": {"target_t": 735_000.0, "target_sense": "exactly"},
    }
    found = checked(two_sectors(**policy), method=method)
    assert found.status == "infeasible_certified"
    # Cement ends at 309,000 t and steel at 404,000 t.
    assert found.infeasible_by_t == pytest.approx(22_000.0)
    bands = found.tables["relaxed_limits"].query("way_out == 'band_relaxation'")
    assert set(bands["index"]) <= {"cement", "steel"}
    assert (bands["by"] * bands["index"].map({"cement": 300_000.0, "steel": 400_000.0})).sum() == pytest.approx(
        22_000.0
    )


FORGED = {
    "a target that is none": ("sectors", "target_t", 406_000.0),
    "a target that is no limit": ("sectors", "target_t", np.inf),
    "what it leaves": ("sectors", "under_target_t", 0.0),
    "its sense": ("sectors", "target_sense", "at_most"),
    "its shadow price": ("sectors", "change_shadow_price", 0.0),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_target_stated_though_there_is_none_is_refused(what: str) -> None:
    instance = two_sectors(sectors={"cement": {"target_t": 299_000.0}})
    found = checked(instance)
    name, column, value = FORGED[what]
    table = found.tables[name].copy()
    table.loc[table["sector"] == "steel", column] = value
    report = check(instance, found.tables | {name: table}, found.levels)
    assert {violation.where for violation in report.violations} == {"steel"}


def test_a_multiplier_of_a_target_that_is_none_is_refused() -> None:
    instance = two_sectors(sectors={"cement": {"target_t": 299_000.0}})
    found = checked(instance)
    row = {"level": "change", "row": "sector_target", "index": "steel", "multiplier": -1.0, "unit": "t/t"}
    duals = pd.concat([found.tables["duals"], pd.DataFrame([row])], ignore_index=True)
    report = check(instance, found.tables | {"duals": duals}, found.levels)
    assert [violation.rule for violation in report.violations] == ["duals"]


@pytest.mark.everyday("True-aggregation")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("whole", [False, True])
def test_a_band_wider_than_all_emissions_by_hand(method: str, whole: bool) -> None:
    # A works that hardly ran got 9,000 t for 1 t; another got nothing. A band of 150 % up reaches 2.5 t, one of 9,000
    # of them would be needed; down it reaches nothing at all, as a deficit of all emissions does.
    rows = [("a", "a", "cement", "Fujian", 1.0, 9_000.0), ("b", "b", "cement", "Fujian", 200_000.0, 0.0)]
    allocation = {"integer_allowances": whole}
    found = checked(given(rows, {"sectors": {"cement": {"band": 1.5}}, "allocation": allocation}), method=method)
    assert allowances(found).tolist() == [2.0 if whole else 2.5, 0.0]
    assert found.tables["allocation"]["at_bound"].tolist() == ["upper", "lower"]
    assert found.certified
    wide = {"lower": 0.03, "upper": 100.0}
    found = checked(given(rows, {"sectors": {"cement": {"band": wide}}, "allocation": allocation}), method=method)
    assert allowances(found).tolist() == [101.0, 194_000.0]
    exceptions = {"units": 1, "lower": 2.0, "upper": 0.5}
    narrow = {"sectors": {"cement": {"band": 0.03, "target_t": 5_000.0}}, "allocation": {"exceptions": exceptions}}
    found = checked(given(rows, narrow), method=method)
    assert allowances(found).tolist() == pytest.approx([1.03, 0.0])
    assert found.tables["allocation"]["exceptional"].tolist() == [False, True]


def test_whatever_a_band_allows_a_negative_allowance_is_refused() -> None:
    rows = [("a", "a", "cement", "Fujian", 1_000.0, 0.0), ("b", "b", "cement", "Fujian", 2_000.0, 500.0)]
    instance = given(rows, {"sectors": {"cement": {"band": 2.0}}})
    found = checked(instance)
    assert allowances(found).tolist() == [0.0, 500.0]
    table = found.tables["allocation"].copy()
    table.loc[0, "allowance_t"] = -1.0
    report = check(instance, found.tables | {"allocation": table}, found.levels)
    assert {"not_negative", "inside_band"} <= {violation.rule for violation in report.violations}


@pytest.mark.parametrize("method", ["direct", "pyomo"])
def test_the_band_of_an_enterprise_is_that_of_its_units(method: str) -> None:
    # Line a may have nothing, line b no less than 97 % of 200,000 t: together 194,000 t, for nothing is the least.
    rows = [("a", "e", "cement", "Fujian", 100_000.0, 0.0), ("b", "e", "steel", "Fujian", 200_000.0, 0.0)]
    sectors = {"cement": {"band": 1.5}, "steel": {"band": 0.03}}
    found = checked(given(rows, {"sectors": sectors, "allocation": {"band_on": "enterprise"}}), method=method)
    assert allowances(found).sum() == pytest.approx(194_000.0)
