"""The step to the next year: two cases solved by hand, chains of years, units that change, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, UsageError
from etsopt.data.files.read import read_units
from etsopt.data.files.write import write_instance
from etsopt.presenting.documents.document import Points, Table
from etsopt.reports import roll as told
from etsopt.rules import RULES
from etsopt.running.next_year import UnitChanges
from etsopt.running.results.results import load_both
from etsopt.running.roll import NextYear, roll_over
from tests.compliance_years import MARKET, by_hand, random_compliance_year

FLOWS_IN, FLOWS_OUT = (
    ["opening_t", "carried_over_t", "issued_t", "bought_t"],
    ["surrendered_t", "sold_t", "cancelled_t", "closing_t"],
)


def rolled(instance: etsopt.Instance, units: pd.DataFrame | None = None) -> NextYear:
    result = etsopt.solve(instance, "compliance")
    assert result.certified
    return roll_over(result, instance, units)


def settled(instance: etsopt.Instance) -> pd.DataFrame:
    """The table of enterprises of a compliance year, which has to be certified."""
    result = etsopt.solve(instance, "compliance")
    assert (result.status, result.violations) == ("certified_optimal", ())
    return result.tables["compliance"].set_index("enterprise_id")


def owned(instance: etsopt.Instance) -> pd.DataFrame:
    assert instance.enterprises is not None
    return instance.enterprises.set_index("enterprise_id")


def tiny(**changes: Any) -> etsopt.Instance:
    policy: dict[str, Any] = {"sectors": {}, "compliance.speculating": ["enterprise-a", "enterprise-b"]}
    policy |= {"market.prices_cny_per_t": 80.0, "market.terminal_price_cny_per_t": 90.0}
    return etsopt.read("tiny").with_policy(policy | changes)


# Solved by hand.


def test_2025_by_hand_becomes_2026() -> None:
    # Of 2025 a keeps 2,000 t of 2021 and 5,000 t of 2024, which the carry-over did not reach; b, c and d keep nothing.
    # c is 19 t short, which the law of 2026 does not deduct: they stay due. d1 is closed and leaves.
    found = rolled(by_hand())
    following = found.instance
    assert (following.policy.year, following.policy.rule.name) == (2026, "given")
    assert following.policy.rule.parameters == {}
    assert found.notes == ("rule.carry_over_base_t left out: the carry-over was in 2025 alone.",)
    expected = pd.DataFrame(
        {
            "province": ["", "West", "South", ""],
            "outstanding_t": [0.0, 0.0, 19.0, 0.0],
            "opening_2021_t": [2000.0, 0.0, 0.0, 0.0],
            "opening_2024_t": [5000.0, 0.0, 0.0, 0.0],
        },
        index=pd.Index(["a", "b", "c", "d"], name="enterprise_id"),
    )
    pd.testing.assert_frame_equal(owned(following), expected, check_index_type=False, check_dtype=False)
    units = following.units.set_index("unit_id")
    assert units.index.tolist() == ["a1", "b1", "c1", "d2"]
    assert units["prior_emissions_tco2e"].tolist() == units["emissions_tco2e"].tolist() == [1000, 2000.4, 3000.5, 600]
    assert "pre_allocated_t" not in units
    assert found.units == UnitChanges(left_out=("d1",))
    # Opening 20,240 + issued 7,030 + bought 42 = surrendered 6,998 + sold 13,194 + cancelled 50 + closing 7,000, of
    # which 2021 has 15,000 - 13,000 carried over, 2024 5,040 - 40, and 2026 the 30 t of b.
    assert found.total == {
        "opening_t": 20_170,
        "carried_over_t": 0,
        "issued_t": 7030,
        "bought_t": 42,
        "surrendered_t": 6998,
        "sold_t": 13_194,
        "cancelled_t": 50,
        "closing_t": 7000,
        "next_opening_t": 7000,
    }
    by_vintage = found.balance.set_index("vintage")
    assert by_vintage.index.tolist() == [2021, 2024, 2025, 2026]
    assert by_vintage["carried_over_t"].tolist() == [-13_000, -40, 13_040, 0]
    assert by_vintage["next_opening_t"].tolist() == [2000, 5000, 0, 0]


def test_the_balance_is_told_by_vintage_and_in_total() -> None:
    found = rolled(by_hand())
    table, points = told.rolled(found).sections[0].blocks
    assert isinstance(table, Table)
    assert [column.heading for column in table.columns] == ["", "2021", "2024", "2025", "2026", "total"]
    shown = {str(row[0]): list(row[1:]) for row in table.rows}
    assert shown["opening"] == [15_000, 5040, 100, 30, 20_170]
    assert shown["+ carried over"] == [-13_000, -40, 13_040, 0, 0]
    assert shown["opening, next year"] == [2000, 5000, 0, 0, 7000]
    assert isinstance(points, Points)
    # The README of the instance says the same.
    assert told.readme(found).endswith("".join(f"- {line}\n" for line in points.lines))


def test_what_is_outstanding_is_due_in_2026_without_offsets_of_its_own() -> None:
    # Of c 3,001 + 19 t are due. The 100 t of offsets are shared by 1,000, 2,000, 3,001 and 600 t: c gets 45, and with
    # 2,900 t issued 75 t are short. d has no closed line any more, so that it uses its 9 t and sells 59 of its own.
    # Half of last year's emissions is issued in advance. Nothing is carried over.
    following = rolled(by_hand()).instance
    result = etsopt.solve(following, "compliance")
    assert result.certified
    table = result.tables["compliance"].set_index("enterprise_id")
    assert table["obligation_t"].tolist() == [1000, 2000, 3020, 600]
    assert table["offset_t"].tolist() == [15, 30, 45, 9]
    assert table["sold_t"].tolist() == [45, 0, 0, 59]
    assert table["shortfall_t"].tolist() == [0, 0, 75, 0]
    assert table["carried_over_t"].tolist() == [0, 0, 0, 0]
    assert table.loc["a", "closing_t"] == 7000
    assert result.tables["issuance"]["pre_allocated_t"].tolist() == [500, 1000, 1500, 300]
    later = etsopt.roll(result, following)
    assert owned(later)["outstanding_t"].tolist() == [0, 0, 75, 0]
    assert later.policy.year == 2027


def test_2024_by_hand_deducts_the_shortfall_and_counts_net_sales() -> None:
    # As the test of the model derives: a keeps 15,000 - 986 t of 2021, 5,000 + 1,030 of 2024 and 100 of 2025; b buys 72
    # t, a net sale of -72; c is 19 t short, which are deducted; d keeps 50.
    changes = {"year": 2024, "rule.carry_over_base_t": 0.0, "market.terminal_price_cny_per_t": 80.0}
    found = rolled(by_hand().with_policy(changes))
    assert found.notes == ()
    table = owned(found.instance)
    assert table["net_sales_t"].tolist() == [2000, -72, -500, 0]
    assert table["deduction_t"].tolist() == [0, 0, 19, 0]
    assert "outstanding_t" not in table
    openings = table[[name for name in table if name.startswith("opening_")]]
    assert openings.to_dict("list") == {
        "opening_2021_t": [14_014, 0, 0, 0],
        "opening_2024_t": [6030, 0, 0, 50],
        "opening_2025_t": [100, 0, 0, 0],
        "opening_2026_t": [0, 30, 0, 0],
    }
    # In 2025 a carries over 1.5 x 2,000 t, and c gets 2,900 - 19 t: with 45 offsets 75 t are short of 3,001.
    after = settled(found.instance)
    assert after["carried_over_t"].tolist() == [3000, 0, 0, 0]
    assert after.loc["a", "opening_t"] == 20_144
    assert after.loc["c", ["issued_t", "cancelled_t", "surrendered_t", "shortfall_t"]].tolist() == [2900, 19, 2881, 75]
    later = owned(rolled(found.instance).instance)
    assert later.loc["a", ["opening_2021_t", "opening_2024_t"]].tolist() == [11_014, 6030]
    assert later["outstanding_t"].tolist() == [0, 0, 75, 0]
    assert "deduction_t" not in later
    assert "net_sales_t" not in later


def test_a_deduction_above_the_allowances_of_the_year_stays_due() -> None:
    made = by_hand()
    table = made.enterprises
    assert table is not None
    instance = etsopt.Instance.from_frames(
        made.units,
        made.policy.model_dump(mode="json", exclude_none=True),
        enterprises=table.assign(deduction_t=[np.nan, 100.7, 5000.0, np.nan]),
    )
    run = settled(instance)
    # b is at risk: the account of its province receives 1,900 - 100 t.
    assert run["cancelled_t"].tolist() == [0, 150, 2900, 0]
    assert run["province_received_t"].tolist() == [0, 1800, 0, 1150]
    after = owned(rolled(instance).instance)
    assert after["deduction_t"].tolist() == [0, 0, 2100, 0]


# Chains of years.


def test_two_years_of_tiny_by_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["--set", "market.prices_cny_per_t=80", "--set", "market.terminal_price_cny_per_t=90", "--set", "sectors={}"]
    base += ["--set", 'compliance.speculating=["enterprise-a", "enterprise-b"]']
    solve = ["--model", "compliance", "--out"]
    assert main(["solve", "tiny", *base, *solve, str(tmp_path / "run-2025")]) == 0
    for year, rule in ((2026, "cn-2026"), (2027, "cn-2026")):
        run, out = tmp_path / f"run-{year - 1}", tmp_path / str(year)
        capsys.readouterr()
        assert main(["roll", str(run), "--out", str(out)]) == 0
        shown = capsys.readouterr().out
        assert f"{year} written to" in shown
        assert f"Emissions and output of {year}: forecast, equal to this year's ({year - 1})." in shown
        assert ("The package has no plan of 2027: the rule stays cn-2026." in shown) == (year == 2027)
        held = etsopt.load(run).tables["nation"]["closing_t"][0]
        instance = etsopt.read(out)
        assert (instance.policy.year, instance.policy.rule.name) == (year, rule)
        assert (out / "README.md").read_text(encoding="utf-8").startswith(f"From the compliance year {year - 1}: ")
        assert main(["solve", str(out), *solve, str(tmp_path / f"run-{year}")]) == 0
        nation = etsopt.load(tmp_path / f"run-{year}").tables["nation"]
        assert nation["opening_t"][0] == held
    # An allowance kept is worth more than one bought: all that is issued stays, and 2027's is read as such in 2028.
    assert main(["roll", str(tmp_path / "run-2027"), "--out", str(tmp_path / "2028"), "--json"]) == 0
    stated = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["vintage"] for row in stated["balance"]] == [2025, 2026, 2027]
    assert stated["total"]["next_opening_t"] == stated["total"]["closing_t"] > 0
    assert stated["hash"] == etsopt.read(tmp_path / "2028").hash
    assert owned(etsopt.read(tmp_path / "2028"))["opening_2027_t"].sum() > 0


@pytest.mark.nightly
def test_two_years_of_china() -> None:
    instance = etsopt.read("cn-2025")
    for year in (2026, 2027):
        found = rolled(instance)
        instance = found.instance
        assert instance.policy.year == year
        assert instance.name == f"cn-{year}"
        assert instance.policy.horizon.first_year == instance.policy.horizon.last_year == year
        assert found.total["closing_t"] == owned(instance).filter(like="opening_").to_numpy().sum() > 0
    assert found.balance["vintage"].tolist() == [2025, 2026]
    pd.testing.assert_series_equal(instance.units["x_capacity_t"], etsopt.read("cn-2025").units["x_capacity_t"])
    assert instance.policy.price_year == 2024
    assert etsopt.solve(instance, "compliance").certified


@pytest.mark.parametrize("seed", range(16))
def test_nothing_is_lost_between_two_years(tmp_path: Path, seed: int) -> None:
    instance = random_compliance_year(seed)
    result = etsopt.solve(instance, "compliance")
    assert result.certified
    found = roll_over(result, instance)
    holdings, after = result.tables["holdings"], owned(found.instance)
    closing = holdings.groupby("vintage")["closing_t"].sum()
    for vintage, tonnes in closing.items():
        assert (after[f"opening_{vintage}_t"].sum() if tonnes else 0) == tonnes
    assert found.total["next_opening_t"] == closing.sum() == after.filter(like="opening_").to_numpy().sum()
    total = found.balance
    assert (total[FLOWS_IN].sum(axis=1) == total[FLOWS_OUT].sum(axis=1)).all()
    # Every tonne of a shortfall is deducted or stays due.
    due = [after[name].sum() if name in after else 0 for name in ("deduction_t", "outstanding_t")]
    assert sum(due) == result.tables["compliance"]["shortfall_t"].sum()
    write_instance(found.instance, tmp_path / "next")
    read = etsopt.read(tmp_path / "next")
    assert read == found.instance
    again = etsopt.solve(read, "compliance")
    assert again.certified
    assert again.tables["nation"]["opening_t"][0] == closing.sum()


# Units, tables and policy.


def test_units_of_the_next_year_are_compared_with_this_years(tmp_path: Path) -> None:
    instance = tiny()
    units = instance.units.iloc[1:].assign(enterprise_id=["enterprise-c", "enterprise-b"], emissions_tco2e=[2e5, 1e5])
    new = units.iloc[:1].assign(unit_id="west-1", enterprise_id="enterprise-d", prior_emissions_tco2e=7.0)
    units = pd.concat([units.assign(prior_emissions_tco2e=[1.0, 2.0]), new])
    found = rolled(instance, units)
    assert found.units == UnitChanges(("north-1",), ("west-1",), ("north-2 (enterprise-a to enterprise-c)",))
    assert not found.forecast
    after = found.instance.units.set_index("unit_id")
    assert after["emissions_tco2e"].tolist() == [2e5, 1e5, 2e5]
    # The run verified 300,000 and 160,000 t; only the new line states its own.
    assert after["prior_emissions_tco2e"].tolist() == [3e5, 1.6e5, 7.0]
    assert owned(found.instance).index.tolist() == [f"enterprise-{name}" for name in "abcd"]


def test_units_from_a_file_are_named_in_the_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instance = tiny()
    etsopt.solve(instance, "compliance").save(tmp_path / "run", instance)
    units = instance.units.assign(unit_id=["north-1", "north-2", "south-9"], enterprise_id="enterprise-b")
    units.to_csv(tmp_path / "next.csv", index=False)
    assert (
        main(["roll", str(tmp_path / "run"), "--out", str(tmp_path / "a"), "--units", str(tmp_path / "next.csv")]) == 0
    )
    shown = capsys.readouterr().out
    assert "Emissions and output of 2026 are those of the stated units." in shown
    assert "Units of 2025 that are missing in 2026: south-1." in shown
    assert "New units: south-9." in shown
    assert "New owner: north-1 (enterprise-a to enterprise-b), north-2 (enterprise-a to" in " ".join(shown.split())
    pytest.importorskip("pyarrow")
    units.to_parquet(tmp_path / "next.parquet", index=False)
    assert read_units(tmp_path / "next.parquet").equals(read_units(tmp_path / "next.csv"))


def test_new_units_are_existing_ones_a_year_later_and_closed_ones_are_gone() -> None:
    instance = tiny()
    policy = instance.policy.model_dump(mode="json", exclude_none=True)
    policy["compliance"] = {"at_risk": ["enterprise-b"], "without_purchases": ["enterprise-b"]}
    policy["penalty"] = {"reference_price_cny_per_t": 90.0}
    policy["provinces"] = {"names": "any", "balance": {"North": 0.01, "South": 0.01}}
    units = instance.units.assign(special_case=["new", "", "closed"])
    found = rolled(etsopt.Instance.from_frames(units, policy))
    assert found.instance.units["special_case"].tolist() == ["", ""]
    assert found.instance.units["prior_emissions_tco2e"].tolist() == [1e5, 3e5]
    assert found.notes == (
        "Left out of the policy, since no unit is left: provinces.balance.South, enterprise-b in compliance.at_risk, "
        "enterprise-b in compliance.without_purchases.",
    )
    assert owned(found.instance).index.tolist() == ["enterprise-a", "enterprise-b"]


def test_measures_and_forecasts_lose_past_years_and_units_that_are_left_out() -> None:
    instance = tiny()
    policy = instance.policy.model_dump(mode="json", exclude_none=True) | {"horizon": {"price_year": 2024}}
    measures = pd.DataFrame({"measure_id": ["m", "m"], "unit_id": ["north-1", "south-1"]})
    measures = measures.assign(abatement_rate=0.1, lifetime_years=5)
    forecast = pd.DataFrame({"sector": "cement", "year": [2026, 2030], "output_factor": [1.1, 1.2]})
    made = etsopt.Instance.from_frames(
        instance.units.assign(special_case=["closed", "", ""]), policy, measures=measures, forecast=forecast
    )
    found = rolled(made)
    assert found.instance.measures is not None
    assert found.instance.measures["unit_id"].tolist() == ["south-1"]
    assert found.instance.forecast is not None
    assert found.instance.forecast["year"].tolist() == [2030]
    assert found.instance.policy.horizon.price_year == 2024
    assert found.notes == (
        "1 of 2 rows of measures left out: past years, or units that are left out.",
        "1 of 2 rows of forecast left out: past years, or units that are left out.",
    )
    # Without rows there is no table.
    again = rolled(rolled(found.instance, found.instance.units.iloc[:1]).instance)
    assert again.instance.measures is None


def test_columns_of_enterprises_stay_as_they_are_beside_new_enterprises() -> None:
    instance = tiny()
    enterprises = pd.DataFrame({"enterprise_id": ["enterprise-a", "enterprise-b", "holder"], "city": ["A", "", "C"]})
    enterprises = enterprises.assign(x_rank=[1, 2, 3], x_code=["007", "8", ""], x_share=["1", "2.5", ""])
    policy = instance.policy.model_dump(mode="json", exclude_none=True)
    made = etsopt.Instance.from_frames(instance.units, policy, enterprises=enterprises)
    same = owned(rolled(made).instance)
    assert made.enterprises is not None
    before = made.enterprises.set_index("enterprise_id")
    pd.testing.assert_frame_equal(same[["city", "x_rank", "x_code", "x_share"]], before)
    units = made.units.assign(enterprise_id=["enterprise-a", "enterprise-0", "enterprise-b"])
    more = owned(rolled(made, units).instance)
    assert more.index.tolist() == ["enterprise-0", "enterprise-a", "enterprise-b", "holder"]
    assert more["x_code"].tolist() == ["", "007", "8", ""]
    assert more["x_rank"].tolist()[1:] == [1, 2, 3]
    assert more["x_share"].tolist()[1:3] == [1.0, 2.5]


@pytest.mark.everyday("rule3-2025-grandfathering")
@pytest.mark.parametrize(
    ("rule", "year", "after"),
    [
        ({"name": "cn"}, 2025, "cn"),
        ({"name": "cn-2025"}, 2026, "cn-2025"),
        ({"name": "cn-2024"}, 2024, "cn-2025"),
        ({"name": "grandfathering", "factor": 0.97}, 2025, "grandfathering"),
    ],
)
def test_a_rule_named_after_its_year_is_followed_by_the_next_plan(rule: dict[str, Any], year: int, after: str) -> None:
    made = tiny(rule={"name": "cn-2025"})
    units = made.units.assign(prior_emissions_tco2e=made.units["emissions_tco2e"])
    policy = made.policy.model_dump(mode="json", exclude_none=True) | {"rule": rule, "year": year}
    following = rolled(etsopt.Instance.from_frames(units, policy)).instance
    assert (following.policy.rule.name, following.policy.year) == (after, year + 1)
    assert following.policy.rule.parameters == {key: value for key, value in rule.items() if key != "name"}


def test_a_rule_of_ones_own_gives_its_reference_allowances(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from etsopt.rules import Parameters, rule\n"
        "@rule('mine-rolled', 'an example', Parameters)\n"
        "def mine(instance, parameters, fixed):\n"
        "    return 0.9 * instance.emissions_tco2e\n",
        encoding="utf-8",
    )
    write_instance(tiny(), tmp_path / "tiny")
    command = ["solve", str(tmp_path / "tiny"), "--rule", str(file), "--model", "compliance"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    del RULES["mine-rolled"]
    found = roll_over(*load_both(tmp_path / "run"))
    assert found.instance.policy.rule.name == "given"
    assert found.instance.units["reference_t"].tolist() == [90_000.0, 270_000.0, 144_000.0]
    assert found.notes == ("The rule was your own: reference_t is that of 2025. Solve with --rule to apply it.",)


# Refused.


def message_of(error: pytest.ExceptionInfo[Exception]) -> str:
    return str(error.value)


def test_runs_that_are_no_certified_compliance_year_are_refused() -> None:
    instance = tiny()
    result = etsopt.solve(instance, "compliance")
    with pytest.raises(UsageError) as error:
        etsopt.roll(etsopt.solve(etsopt.read("tiny")), etsopt.read("tiny"))
    assert message_of(error) == (
        "The run is of the model 'allocation': expected 'compliance'.\n\n"
        "Solve with --model compliance: only a compliance year ends with holdings."
    )
    with pytest.raises(UsageError) as error:
        etsopt.roll(result, tiny(year=2026))
    assert message_of(error) == (
        "The run is of another instance: its hash differs.\n\nGive the instance that was solved, or solve this one."
    )
    with pytest.raises(UsageError) as error:
        etsopt.roll(replace(result, status="feasible", certified=False), instance)
    assert message_of(error) == (
        "The run is not certified: its status is feasible.\n\nSolve it again; `etsopt check` lists what fails."
    )
    holdings = result.tables["holdings"].copy()
    holdings.loc[0, "closing_t"] += 1
    with pytest.raises(UsageError) as error:
        etsopt.roll(replace(result, tables=result.tables | {"holdings": holdings}), instance)
    assert message_of(error) == (
        "The run is not certified: opening plus inflows equals outflows plus closing, by vintage.\n\n"
        "Solve it again; `etsopt check` lists what fails."
    )


def test_a_balance_that_does_not_close_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from etsopt.running import next_year

    def short(*arguments: Any) -> pd.DataFrame:
        return enterprises(*arguments).assign(opening_2025_t=[404_799.0, 155_200.0])

    instance = tiny()
    result = etsopt.solve(instance, "compliance")
    enterprises = next_year.enterprises_of
    monkeypatch.setattr(next_year, "enterprises_of", short)
    with pytest.raises(DataError) as error:
        etsopt.roll(result, instance)
    assert message_of(error) == (
        "The balance of the run has a problem.\n\n1. tables/holdings: closing holdings differ from the next year's "
        "opening ones: row enterprise-a, 2025 '1 t'.\n   Solve the year again."
    )


def test_a_vintage_that_no_table_can_state_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        rolled(tiny(year=2037, rule={"name": "cn-2025"}))
    assert message_of(error) == (
        "The run ends with allowances of vintage 2037: expected one of 2019 to 2036.\n\n"
        "Roll over runs of these years only."
    )


def test_units_that_are_wrong_are_refused(tmp_path: Path) -> None:
    instance = tiny()
    result = etsopt.solve(instance, "compliance")
    with pytest.raises(UsageError, match=r"^`units` is 'next\.csv': expected a data frame\.\n\nPass a data frame, or"):
        etsopt.roll(result, instance, "next.csv")
    with pytest.raises(DataError, match=r"The units of 2026 has a problem\.\n\n1\. units, province: the column is"):
        etsopt.roll(result, instance, instance.units.drop(columns="province"))
    (tmp_path / "next.csv").write_text("unit_id\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"1\. next\.csv, enterprise_id: the column is missing\."):
        read_units(tmp_path / "next.csv")
    # The rule of the next year needs what that of this year did not.
    first = tiny(rule={"name": "cn-2024"}, year=2024)
    units = first.units.drop(columns="output_t")
    made = etsopt.Instance.from_frames(units, first.policy.model_dump(mode="json", exclude_none=True))
    with pytest.raises(DataError, match="output_t"):
        rolled(made)


def test_the_command_refuses_folders_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instance = tiny()
    run, out = tmp_path / "run", tmp_path / "out"
    etsopt.solve(instance, "compliance").save(run, instance)

    def refused(*arguments: str) -> str:
        assert main(["roll", *arguments]) == 2
        return capsys.readouterr().err.strip()

    assert refused(str(run), "--out", str(run)) == (
        f"The folder {str(run)!r} is not empty.\n\nChoose a new folder: existing files are not overwritten."
    )
    assert refused(str(run), "--out", str(out), "--units", "next.csv") == (
        "There is no file 'next.csv'.\n\nName a file of units in CSV or Parquet."
    )
    assert refused(str(tmp_path), "--out", str(out)).startswith(f"There is no run in {str(tmp_path)!r}.")
    etsopt.solve(etsopt.read("tiny")).save(tmp_path / "other", etsopt.read("tiny"))
    assert refused(str(tmp_path / "other"), "--out", str(out)).startswith("The run is of the model 'allocation'")
    assert not out.exists()


def test_the_market_counts_every_vintage_from_2025_on() -> None:
    instance = tiny()
    policy = instance.policy.model_dump(mode="json", exclude_none=True) | {"market": MARKET, "year": 2028}
    enterprises = pd.DataFrame({"enterprise_id": ["enterprise-a", "enterprise-b"]})
    made = [
        etsopt.Instance.from_frames(
            instance.units, policy, enterprises=enterprises.assign(**{f"opening_{year}_t": 9e3})
        )
        for year in (2026, 2027)
    ]
    one, other = (etsopt.solve(each, "abatement") for each in made)
    assert one.certified
    assert other.certified
    assert one.levels[0].value == other.levels[0].value
