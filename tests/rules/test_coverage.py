"""A part of a nation takes its balance values and prices from outside, or every surface says that it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt as ets
from etsopt.cli import main
from etsopt.common.provenance import Coverage
from etsopt.data.policy.plausibility import doubtful_values
from etsopt.reports import official_tables
from etsopt.rules import reference_allowances
from etsopt.running.ends import at_ends
from etsopt.running.results.notices import covers_nation, facts_of, notices

VALUE = 0.8315

KILNS = pd.DataFrame(
    [
        {
            "unit_id": f"K{k:02}",
            "enterprise_id": f"e{k}",
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": 800_000.0 + 9_000 * k,
            "output_t": 1_000_000.0 + 2_000 * k,
        }
        for k in range(15)
    ]
)
"""Fifteen kilns of one province, 1.4 % of the cement of the nation, from 0.80 to 0.90 t/t."""


def kilns(**policy: Any) -> ets.Instance:
    return ets.Instance.from_frames(KILNS, {"year": 2025, "rule": {"name": "cn"}, **policy})


def part(value: Any = VALUE, **policy: Any) -> ets.Instance:
    return kilns(coverage="part", sectors={"cement": {"balance_value": value}}, **policy)


def by_hand(value: float) -> np.ndarray:
    """Return A = floor(E (1 + clip(0.15 (B - I)/B, -3 %, +3 %))) of each kiln."""
    emissions, intensity = KILNS["emissions_tco2e"], KILNS["emissions_tco2e"] / KILNS["output_t"]
    return np.floor(emissions * (1 + np.clip(0.15 * (value - intensity) / value, -0.03, 0.03))).to_numpy()


@pytest.mark.parametrize("model", ["allocation", "balance_value"])
def test_a_part_gets_what_the_stated_balance_value_gives_and_better_plants_keep_their_surplus(model: str) -> None:
    instance = part()
    found = ets.solve(instance, model)
    table, sectors = found.tables["allocation"], found.tables["sectors"].iloc[0]
    assert table["allowance_t"].tolist() == by_hand(VALUE).tolist()
    assert table["allowance_t"].sum() == 12_896_605  # 48,395 t less than the kilns emit.
    assert (table["surplus_rate"] > 0).sum() == 5
    assert (sectors["balance_value"], sectors["target_sense"]) == (VALUE, "none")
    assert not ets.check(instance, found).violations
    # Without the value the kilns are balanced among themselves.
    alone = ets.solve(kilns(), model).tables["sectors"].iloc[0]
    assert abs(alone["surplus_t"]) < len(KILNS)
    assert alone["balance_value"] == pytest.approx(0.852221, abs=1e-6)


def test_a_value_by_year_is_that_of_the_year_and_a_year_before_the_first_is_refused() -> None:
    by_year = part({"2025": VALUE, "2026": 0.80})
    assert ets.solve(by_year).tables_hash == ets.solve(part()).tables_hash
    later = by_year.with_policy({"year": 2026})
    assert ets.solve(later).tables["allocation"]["allowance_t"].tolist() == by_hand(0.80).tolist()
    with pytest.raises(ets.DataError, match="is stated for later years, but not for 2025"):
        ets.solve(part({"2026": VALUE}))


def test_an_interval_is_solved_at_both_ends_with_a_status_each(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = at_ends(part({"lower": 0.82, "upper": 0.84}))
    allowances = {end: reference_allowances(one).reference_t.tolist() for end, one in ends.items()}
    assert allowances == {"lower": by_hand(0.82).tolist(), "upper": by_hand(0.84).tolist()}
    with pytest.raises(ets.DataError, match=r"is from 0.82 to 0.84: expected one value"):
        ets.solve(part({"lower": 0.82, "upper": 0.84}))
    file = tmp_path / "kilns.csv"
    KILNS.to_csv(file, index=False)
    value = "sectors.cement.balance_value={lower=0.82,upper=0.84}"
    asked = ["solve", str(file), *("--set", "year=2025"), *("--set", "rule.name=cn"), *("--set", "coverage=part")]
    assert main([*asked, "--set", value, "--out", str(tmp_path / "run")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "0.820000 12.945 12.869 −76.310 −0.59 %" in shown
    assert "0.840000 12.945 12.917 −28.258 −0.22 %" in shown
    assert shown.count("optimal") == 2
    for end, figure in (("lower", 0.82), ("upper", 0.84)):
        assert main(["check", str(tmp_path / "run" / end)]) == 0
        assert ets.load(tmp_path / "run" / end).tables["sectors"]["balance_value"].item() == figure
    # The notice has the interval, and the folder of both says which runs it has.
    assert "The balance value of cement, 0.82-0.84 t/t, is from outside" in shown
    capsys.readouterr()
    assert main(["check", str(tmp_path / "run")]) == 2
    assert f"Name one of its runs: {tmp_path / 'run' / 'lower'}, " in capsys.readouterr().err
    # A run stays where a limit of time leaves no result; an end before the other is one problem.
    assert main([*asked, "--set", value, "--out", str(tmp_path / "run"), "--time-limit", "1e-9"]) != 0
    assert main(["check", str(tmp_path / "run" / "lower")]) == 0
    capsys.readouterr()
    for wrong, word in (("{lower=-1,upper=0.8}", "lower: is -1"), ("{lower=0.8}", "upper: is missing")):
        assert main([*asked, "--set", f"sectors.cement.balance_value={wrong}"]) == 2
        problems = capsys.readouterr().err.partition("has a problem.\n\n1. the changed policy, ")[2]
        assert problems.startswith(f"sectors.cement.balance_value.{word}")
    assert main([*asked, "--set", "sectors.cement.balance_value={lower=0.9,upper=0.8}"]) == 2
    wrong = "sectors.cement.balance_value: is from 0.9 to 0.8.\n   State the lower end first.\n"
    assert capsys.readouterr().err.endswith(f"has a problem.\n\n1. the changed policy, {wrong}")
    assert main([*asked, "--set", value, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["ends"]
    assert {end: one["status"] for end, one in told.items()} == dict.fromkeys(("lower", "upper"), "certified_optimal")


def test_runs_at_both_ends_replace_nothing_that_is_not_theirs(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file, value = tmp_path / "kilns.csv", "sectors.cement.balance_value={lower=0.82,upper=0.84}"
    KILNS.to_csv(file, index=False)
    asked = ["solve", str(file), *("--set", "year=2025"), *("--set", "rule.name=cn"), *("--set", "coverage=part")]
    both = [*asked, "--set", value]
    (tmp_path / "a-lower.xlsx").write_text("mine")
    assert main([*both, "--out", str(tmp_path / "a.xlsx")]) == 2
    assert (tmp_path / "a-lower.xlsx").read_text() == "mine"
    assert not (tmp_path / "a").exists()
    # A single run and runs at both ends do not lie beside each other.
    assert main([*asked, "--out", str(tmp_path / "one")]) == 0
    assert main([*both, "--out", str(tmp_path / "one")]) == 2
    assert "holds a run that would lie beside what is written" in capsys.readouterr().err
    assert main([*both, "--out", str(tmp_path / "two"), "--mps", str(tmp_path / "a.mps")]) == 0
    assert (tmp_path / "a-lower.mps").read_bytes() != (tmp_path / "a-upper.mps").read_bytes()
    assert main([*asked, "--out", str(tmp_path / "two")]) == 2
    capsys.readouterr()
    # What an infeasible end lacks is told as that of a single run, in text and JSON.
    tight = [*both, *("--set", "sectors.cement.band=0.001"), *("--set", "sectors.cement.target_change=-0.1")]
    assert main(tight) == 3
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count("Each of these changes makes the policy feasible:") == 2
    assert main([*tight, "--json"]) == 3
    ends = json.loads(capsys.readouterr().out)["ends"]
    assert all(one["remedies"] for one in ends.values())
    assert main(["validate", *both[1:]]) == 0


@pytest.mark.parametrize("model", ["allocation", "balance_value", "compliance"])
def test_another_balance_value_than_the_stated_one_is_refused(model: str) -> None:
    instance = part(market={"prices_cny_per_t": 80.0} if model == "compliance" else {})
    found, other = (
        ets.solve(instance, model),
        ets.solve(part(0.8316, market=dict(instance.policy.model_dump(exclude_unset=True).get("market", {}))), model),
    )
    assert found.certified
    assert not ets.check(instance, found).violations
    rules = {violation.rule for violation in ets.check(instance, replace(found, tables=other.tables)).violations}
    assert "balance_value" in rules


def test_a_market_of_a_part_needs_a_price_from_outside_and_trades_at_it() -> None:
    for model in ("clearing", "pathway"):
        with pytest.raises(ets.DataError, match=r"market.prices_cny_per_t: is missing: [\s\S]* solve abatement"):
            ets.solve(part(), model)
        open_ = part().with_policy({"market.price_cny_per_t": 80.0})
        found = ets.solve(open_, model)
        year = found.tables["years"].iloc[0]
        assert found.certified
        assert year["price_cny_per_t"] == 80
        assert year["price_obtained"] == "stated by the policy"
        assert found.tables["closure"]["set_by"].tolist() == ["outside"]
        # The kilns lack 48,395 t in whole tonnes; what rounding took is on offer, and a path does not round.
        assert year["released_t"] == pytest.approx(12_945_000 - 12_896_605, abs=15)
        assert not ets.check(open_, found).violations
        dearer = replace(found, tables=ets.solve(open_.with_policy({"market.price_cny_per_t": 81.0}), model).tables)
        assert ets.check(open_, dearer).violations
    with pytest.raises(ets.DataError, match=r"market.floor_price_cny_per_t: is stated, but a part"):
        ets.solve(open_.with_policy({"market.floor_price_cny_per_t": 50.0}), "clearing")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"coverage": "part", "national": {"target_change": -0.01}}, "national.target_change: is of the nation"),
        ({"coverage": "half"}, "coverage"),
        (
            {"rule": {"name": "cn-2024"}, "sectors": {"cement": {"balance_value": VALUE}}},
            "has no balance value of cement",
        ),
        (
            {"rule": {"name": "given"}, "sectors": {"cement": {"balance_value": VALUE}}},
            "has no balance value of cement",
        ),
        ({"sectors": {"cement": {"balance_value": {"lower": 0.9, "upper": 0.8}}}}, "is from 0.9 to 0.8"),
        ({"sectors": {"cement": {"balance_value": 0.0}}}, "greater than 0"),
        ({"sectors": {"cement": {"balance_value_source": "a letter"}}}, "but no balance_value"),
    ],
)
def test_what_contradicts_itself_is_refused(policy: dict[str, Any], said: str) -> None:
    with pytest.raises(ets.DataError) as refused:
        kilns(**policy)
    assert said in str(refused.value)


def test_a_sector_with_a_stated_balance_value_does_not_balance_itself() -> None:
    stated = part(
        market={"prices_cny_per_t": 80.0}, horizon={"last_year": 2027}, pathway={"self_balancing_until": 2026}
    )
    assert "balance_values" not in ets.solve(stated, "abatement").tables
    named = stated.with_policy({"pathway.self_balancing_until": {"cement": 2026}})
    with pytest.raises(ets.DataError, match="does not make the allowances of cement equal its emissions"):
        ets.solve(named, "abatement")
    with pytest.raises(ets.DataError, match="responses of these units do not move it"):
        ets.solve(part(rule={"name": "cn-2025"}, market={"prices_cny_per_t": 80.0}), "equilibrium")


MEASURES = pd.DataFrame(
    {
        "measure_id": ["cheap", "dear"],
        "sector": ["cement"] * 2,
        "abatement_rate": [0.05, 0.1],
        "capex_cny_per_t": [10.0, 40.0],
        "variable_opex_cny_per_t": [1.0, 2.0],
        "lifetime_years": [10, 10],
    }
)


def years_of(model: str, **of_sector: Any) -> pd.DataFrame:
    """Return what the kilns do with measures from 2025 to 2027, at 80 CNY/t, by unit and year."""
    policy = {"horizon": {"last_year": 2027}, "market": {"prices_cny_per_t": 80.0}}
    of_sector = {"balance_value": {"2025": VALUE, "2026": 0.82}, **of_sector}
    stated = {"year": 2025, "rule": {"name": "cn"}, "coverage": "part", "sectors": {"cement": of_sector}, **policy}
    instance = ets.Instance.from_frames(KILNS, stated, measures=MEASURES)
    found = ets.solve(instance, model)
    assert found.certified
    assert not ets.check(instance, found).violations
    return found.tables["unit_years"]


@pytest.mark.everyday("pathway")
@pytest.mark.parametrize("model", ["abatement", "clearing", "pathway"])
def test_while_the_plan_gives_by_verified_emissions_a_tonne_abated_takes_its_allowance_with_it(model: str) -> None:
    """At a value that no unit moves the gain is p (0.15 (2 I/B - 1)) between the caps, 12 CNY/t of 80 at I = B."""
    units = years_of(model)
    for year, value in ((2025, VALUE), (2026, 0.82)):
        here = units[units["year"] == year]
        intensity = (KILNS["emissions_tco2e"] / KILNS["output_t"]).to_numpy()
        assert here["marginal_incentive_cny_per_t"].to_numpy() == pytest.approx(
            80 * 0.15 * (2 * intensity / value - 1), rel=1e-9
        )
        assert here["allowance_t"].to_numpy() == pytest.approx(by_hand(value), abs=1)
    # After the last plan allowances are lump sums, and a tonne abated earns the price.
    later = units[units["year"] == 2027]
    assert (later["marginal_incentive_cny_per_t"] == 80).all()
    assert later["emissions_tco2e"].sum() < KILNS["emissions_tco2e"].sum() - 1


def test_under_a_target_of_the_regulator_allowances_are_lump_sums_in_every_year() -> None:
    units = years_of("abatement", target_change=-0.01)
    assert (units["marginal_incentive_cny_per_t"] == 80).all()


def test_notices_say_of_whom_values_and_totals_are() -> None:
    def told(instance: ets.Instance) -> list[str]:
        return [*notices(facts_of(instance))]

    silent = told(kilns())
    assert len(silent) == 1
    assert silent[0].startswith(
        "Balance values and totals are of this table alone: its cement emits 12,945,000 t, 1.35 %"
    )
    assert told(kilns(coverage="nation")) == []
    assert "state sectors.cement.balance_value of the nation" in told(kilns(coverage="part"))[0]
    assert told(part())[1:] == ["The balance value of cement, 0.8315 t/t, is from outside: no source stated."]
    sourced = {"balance_value": VALUE, "balance_value_source": "letter of the ministry", "balance_value_mark": "C"}
    assert told(part().with_policy({"sectors.cement": sourced}))[1].endswith("letter of the ministry [C].")
    # A table within a fifth of the official total counts as that of the nation, and another rule speaks of none.
    whole = KILNS.assign(emissions_tco2e=KILNS["emissions_tco2e"] * 73, output_t=KILNS["output_t"] * 73)
    assert told(ets.Instance.from_frames(whole, {"year": 2025, "rule": {"name": "cn"}})) == []
    assert (
        told(ets.Instance.from_frames(KILNS.assign(reference_t=1.0), {"year": 2025, "rule": {"name": "given"}})) == []
    )


@pytest.mark.parametrize("name", ["tiny", "cn-2025", "cn-national-2025", "cn-2025-2035", "cn-national-2025-2060"])
def test_shipped_and_generated_instances_have_no_notice_of_coverage(name: str) -> None:
    shipped = facts_of(ets.read(name))
    assert covers_nation(shipped)
    assert notices(shipped) == []
    assert covers_nation(facts_of(ets.generate(30)))


def test_every_surface_shows_the_notice(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = ets.solve(kilns(market={"prices_cny_per_t": 80.0}), "compliance")
    assert found.provenance.as_json()["coverage"]["covers"] == "unknown"
    found.save(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "result.json").read_text("utf-8"))["coverage"]["alone"] == ["cement"]
    for language, of_table, notice in (
        ("en", "Surrender of the year (this table)", "of this table alone"),
        ("zh", "年度清缴（本表）", "仅针对本表"),
    ):
        assert main(["solve", str(tmp_path / "run" / "instance"), "--model", "compliance", "--lang", language]) == 0
        shown = "".join(capsys.readouterr().out.split())
        assert of_table.replace(" ", "") in shown
        assert notice.replace(" ", "") in shown
        page = tmp_path / f"{language}.html"
        found.report(page, language)
        assert notice in page.read_text("utf-8")
    for option, file in (("--letter", "letter.html"), ("--sheets", "sheets.html")):
        letter = tmp_path / file
        of = ["e1"] if option == "--letter" else []
        assert main(["report", str(tmp_path / "run"), option, *of, "--out", str(letter)]) == 0
        assert "of this table alone" in letter.read_text("utf-8")
    sheets = (tmp_path / "sheets.html").read_text("utf-8")
    assert "Surrender of the year (this table)" in sheets
    assert "年度清缴（本表）" in sheets
    assert "nation 全国" not in sheets


def test_a_forged_coverage_is_refused() -> None:
    instance = kilns()
    found = ets.solve(instance)
    words = found.provenance.model_copy(update={"coverage": Coverage(covers="nation")})
    forged = replace(found, provenance=words)
    assert [violation.where for violation in ets.check(instance, forged).violations] == ["coverage"]


def test_official_tables_of_a_part_need_its_balance_value() -> None:
    whole = {"integer_allowances": True}
    alone = kilns(coverage="part", allocation=whole)
    with pytest.raises(ets.UsageError, match="The balance value of cement is not known: the table is a part"):
        official_tables(alone, ets.solve(alone))
    stated = part(allocation=whole)
    assert official_tables(stated, ets.solve(stated))


@pytest.mark.everyday("market1-1.0", "market2-0.0")
@pytest.mark.parametrize("cost", [0.0, 1.0])
@pytest.mark.parametrize(
    "market",
    [
        {},
        {"prices_cny_per_t": 60.0, "terminal_price_cny_per_t": 100.0},
        {"prices_cny_per_t": 60.0, "external_demand_t": -3e6},
        {"prices_cny_per_t": 60.0, "external_demand_t": 3e6},
    ],
)
def test_whatever_a_part_holds_and_trades_its_price_is_the_stated_one(cost: float, market: dict[str, Any]) -> None:
    """Prices that rise faster than the discount rate, holdings and other sectors exhausted a smaller outside."""
    prices = {"2025": 60.0, "2026": 70.0, "2027": 80.0, "2028": 90.0}
    stated = {"prices_cny_per_t": prices, "transaction_cost_cny_per_t": cost, **market}
    holders = pd.DataFrame({"enterprise_id": KILNS["enterprise_id"], "opening_2025_t": [0.0] * 14 + [6e6]})
    policy = {"year": 2025, "rule": {"name": "cn"}, "coverage": "part", "horizon": {"last_year": 2028}}
    policy |= {"market": stated, "sectors": {"cement": {"balance_value": VALUE}}}
    instance = ets.Instance.from_frames(KILNS, policy, holders, MEASURES)
    wanted = list(prices.values()) if isinstance(stated["prices_cny_per_t"], dict) else [60.0] * 4
    emitted = []
    for model in ("clearing", "pathway"):
        found = ets.solve(instance, model)
        assert found.certified
        assert not ets.check(instance, found).violations
        assert found.tables["years"]["price_cny_per_t"].to_numpy() == pytest.approx(wanted, abs=1e-6)
        emitted.append(found.tables["years"]["emissions_tco2e"].to_numpy())
    # What enterprises do is what price takers do.
    others = {key: value for key, value in stated.items() if key != "external_demand_t"}
    takers = ets.Instance.from_frames(KILNS, policy | {"market": others}, holders, MEASURES)
    alone = ets.solve(takers, "abatement").tables["years"]
    for one in emitted:
        assert one == pytest.approx(alone["emissions_tco2e"].to_numpy(), rel=1e-9)


def test_values_that_are_stated_after_the_last_plan_are_used_or_refused() -> None:
    units = years_of("abatement", balance_value={"2025": VALUE, "2026": 0.82, "2027": 0.80})
    assert units[units["year"] == 2027]["allowance_t"].to_numpy() == pytest.approx(by_hand(0.80), abs=1)
    with pytest.raises(ets.DataError, match="is stated for 2027, in which the path tightens that of the year before"):
        years_of("pathway", balance_value={"2025": VALUE, "2027": 0.80})


def test_a_balance_value_in_other_units_is_doubted() -> None:
    assert any("balance values are in tonnes" in text for text in doubtful_values(part(840.0).policy.content))


def test_a_part_whose_values_are_stated_says_that_totals_are_its_own() -> None:
    stated = notices(facts_of(part()))
    assert stated[0] == "The table is a part of the nation: its totals are not the nation's."
