"""Self-balancing years: a sector's allowances equal its emissions after abatement, by hand and against every choice."""

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
from etsopt.cli.solving import show_summary
from etsopt.common.errors import DataError, StoppedError
from etsopt.data.policy.parsing import parse_policy
from etsopt.data.policy.self_balancing import self_balancing_until
from etsopt.reports.market import closure
from etsopt_models._market import balance_values
from tests.models.test_equilibrium import CYCLE, by_every_choice, random_sector, sector

UNITS = pd.DataFrame(
    {
        "unit_id": ["a", "b"],
        "enterprise_id": ["a", "b"],
        "sector": "cement",
        "province": "Hebei",
        "emissions_tco2e": [90_000.0, 100_000.0],
        "output_t": 100_000.0,
    }
)
MEASURES = pd.DataFrame(
    {
        "measure_id": ["kiln", "mill"],
        "sector": "cement",
        "abatement_rate": [0.1, 0.05],
        "variable_opex_cny_per_t": [1.0, 0.2],
        "lifetime_years": 1,
    }
)
UNABATED = (90 * 0.9 + 100 * 1.0) / 190
RESERVE = {"ceiling_price_cny_per_t": 100.0, "reserve_t": 1e5}


def plants(**policy: Any) -> etsopt.Instance:
    """Two lines under the rule of 2025, each with a measure of 10 CNY/t and one of 4 CNY/t that they may mix."""
    content = {
        "year": 2025,
        "rule": {"name": "cn-2025", "threshold_tco2e": 0.0},
        "abatement": {"divisible_measures": True},
        **policy,
    }
    return etsopt.Instance.from_frames(UNITS, content, None, MEASURES)


def solved(instance: etsopt.Instance, model: str = "clearing", **options: Any) -> etsopt.Results:
    result = etsopt.solve(instance, model, **options)
    assert result.violations == ()
    return result


@pytest.mark.everyday("clearing-10.0-0.0")
@pytest.mark.parametrize("transaction_cost", [0.0, 1.0])
@pytest.mark.parametrize("demand", [10.0, 1_000.0, 5_000.0])
@pytest.mark.parametrize("model", ["clearing", "pathway"])
def test_others_get_nothing_from_what_a_self_balancing_sector_abates(
    model: str, demand: float, transaction_cost: float
) -> None:
    market = {"external_demand_t": demand, "transaction_cost_cny_per_t": transaction_cost, **RESERVE}
    result = solved(plants(market=market), model)
    # A tonne abated at 10 CNY leaves a fifth of it to its owner, so at 100 CNY both lines abate all they can. The
    # demand from outside is met by the reserve alone, at its price.
    assert result.status == "certified_optimal"
    years, table = result.tables["years"].iloc[0], result.tables["balance_values"].iloc[0]
    assert years["price_cny_per_t"] == pytest.approx(100)
    assert years["released_t"] == pytest.approx(demand)
    assert years["emissions_tco2e"] == pytest.approx(190_000 * 0.9 * 0.95)
    assert table["balance_value_before"] == pytest.approx(UNABATED, rel=1e-12)
    assert table["balance_value"] == pytest.approx(UNABATED * 0.9 * 0.95, rel=1e-9)
    assert table["allowance_t"] == pytest.approx(table["emissions_tco2e"], abs=1e-3)
    assert abs(table["residual_t"]) < 1e-3
    # As lump sums the sector would have met it with what it abates for 4 CNY, or for 10.
    lump = solved(plants(market=market, pathway={"self_balancing_until": 2024}), model)
    assert lump.tables["years"]["price_cny_per_t"].item() < 15
    assert "balance_values" not in lump.tables


@pytest.mark.parametrize("transaction_cost", [0.0, 1.0])
def test_a_market_that_only_the_sector_could_clear_is_proven_not_to(transaction_cost: float) -> None:
    market = {"external_demand_t": 1_000.0, "transaction_cost_cny_per_t": transaction_cost}
    result = solved(plants(market=market))
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(1_000.0)
    assert "balance_values" not in result.tables
    assert solved(plants(market=market, pathway={"self_balancing_until": 2024})).status == "certified_optimal"


@pytest.mark.everyday("5000.0-True-0.05")
@pytest.mark.parametrize("paid_share", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("divisible", [False, True])
@pytest.mark.parametrize("demand", [1.0, 60.0, 5_000.0])
def test_what_nobody_can_serve_is_proven_in_tonnes_however_little(
    demand: float, divisible: bool, paid_share: float
) -> None:
    market = {"external_demand_t": demand, "paid_share": paid_share}
    result = solved(plants(market=market, abatement={"divisible_measures": divisible}))
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(demand, rel=1e-6)


def test_where_a_later_pass_cannot_clear_the_answer_of_the_one_before_is_kept() -> None:
    result = solved(without_fixed_point())
    assert result.status == "feasible"
    assert abs(result.tables["balance_values"]["residual_t"].item()) > 100


def test_at_the_deadline_the_answer_of_the_last_pass_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def stop(phase: str, passes: int) -> None:
        done.append(passes)
        if len(done) == 2:
            raise StoppedError("time_limit")

    monkeypatch.setattr(balance_values, "checkpoint", stop)
    result = solved(plants(market={"external_demand_t": 1_000.0, **RESERVE}))
    assert (result.status, result.termination) == ("feasible", "time_limit")
    assert result.tables["balance_values"]["balance_value"].item() < UNABATED


def test_a_paid_share_auctions_what_the_emissions_after_abatement_leave() -> None:
    result = solved(plants(market={"external_demand_t": 1_000.0, "paid_share": 0.1, **RESERVE}))
    years = result.tables["years"].iloc[0]
    # Of A = E in sum 90 % are free and 10 % auctioned: a tonne abated also saves its share of the purchase.
    assert result.status == "certified_optimal"
    assert years["allowance_t"] == pytest.approx(0.9 * years["emissions_tco2e"])
    assert years["auctioned_t"] == pytest.approx(0.1 * years["emissions_tco2e"])
    assert years["released_t"] == pytest.approx(1_000.0)


def test_without_scarcity_every_price_clears_and_none_is_found() -> None:
    result = solved(etsopt.read("cn-2025"))
    assert result.tables["closure"]["set_by"].tolist() == ["self-balancing"]
    assert result.tables["years"]["banked_t"].abs().max() < 1
    lines = closure(result.tables["closure"])
    assert lines[0] == "Prices are set by: self-balancing (2025)."
    assert lines[1].startswith("No scarcity: every price clears from the terminal price of 84.00 CNY/t up")
    table = result.tables["balance_values"]
    assert table["sector"].tolist() == ["aluminium", "cement", "steel"]
    assert (table["residual_t"].abs() < 1e-2).all()


@pytest.mark.nightly
def test_on_a_path_the_years_of_the_plans_balance_themselves() -> None:
    result = solved(etsopt.read("cn-2025-2035"), "pathway")
    table, years = result.tables["balance_values"], result.tables["years"].set_index("year")
    assert sorted(set(table["year"])) == [2025, 2026]
    assert years.loc[[2025, 2026], "banked_t"].abs().max() < 1
    assert years.loc[2027, "banked_t"] > 1e6
    assert result.tables["closure"]["set_by"].tolist() == ["self-balancing"] * 2 + ["terminal price"] * 9
    assert "discounted price of the next year" in closure(result.tables["closure"])[2]


@pytest.mark.parametrize("seed", range(25))
def test_at_a_stated_price_the_balance_value_is_one_that_best_responses_have(seed: int) -> None:
    units, measures, price = random_sector(seed)
    instance = sector(units, measures, price)
    result = solved(instance, "abatement")
    known, table = by_every_choice(units, measures, price), result.tables["balance_values"].iloc[0]
    if result.certified:
        assert min(abs(table["balance_value"] / value - 1) for value in known) < 1e-9
        assert table["allowance_t"] == pytest.approx(table["emissions_tco2e"], abs=0.02)
    else:
        # Repeated responses cycle, though there may be a balance value that they do not reach.
        assert result.status == "feasible"
        assert abs(table["residual_t"]) > 1


@pytest.mark.nightly
def test_most_random_sectors_are_certified() -> None:
    random = [etsopt.solve(sector(*random_sector(seed)), "abatement") for seed in range(25)]
    assert sum(result.certified for result in random) >= 20


@pytest.mark.everyday("0.001")
@pytest.mark.parametrize("paid_share", [0.0, 0.001])
def test_balance_values_that_come_back_are_an_answer_without_a_proof(
    paid_share: float, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    instance = sector(*CYCLE).with_policy({"market.paid_share": paid_share})
    result = solved(instance, "abatement")
    assert (result.status, result.certified) == ("feasible", False)
    residual = result.tables["balance_values"]["residual_t"].item()
    assert abs(residual) > 100
    # A saved run is what it says it is, and a claim of a proof is refused.
    assert etsopt.check(instance, result).violations == ()
    claimed = replace(result, status="certified_optimal", certified=True)
    assert etsopt.check(instance, claimed).violations
    result.save(tmp_path, instance)
    assert main(["check", str(tmp_path)]) == 0
    show_summary(result)
    printed = " ".join(capsys.readouterr().out.split())
    assert "feasible, balance values do not repeat: allowances less emissions of cement in 2025 are" in printed


def without_fixed_point() -> etsopt.Instance:
    """A market in which offsets meet 5 % of what is emitted, and the more is abated the fewer: nothing repeats."""
    market = {"external_demand_t": 9_000.0, "ccer_price_cny_per_t": 30.0, "ccer_supply_t": 1e6}
    cheap = MEASURES.assign(variable_opex_cny_per_t=0.2)
    content = plants(market=market).policy.model_dump(mode="json", exclude_unset=True)
    return etsopt.Instance.from_frames(UNITS, content, None, cheap)


def test_a_market_without_a_fixed_point_says_so_first_and_shows_no_price(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    instance = without_fixed_point()
    result = solved(instance)
    row = result.tables["balance_values"].iloc[0]
    assert result.status == "feasible"
    show_summary(result)
    printed = " ".join(capsys.readouterr().out.split())
    said = f"allowances less emissions of cement in 2025 are {row['residual_t']:,.0f} t"
    assert printed.startswith(
        f"from frames · clearing · compliance year 2025: feasible, balance values do not repeat: {said}"
    )
    assert "Balance values do not repeat, so there is no price, which at others would be another" in printed
    assert "Price of an allowance" not in printed
    assert "Prices are set by" not in printed
    # Neither does anything else that is made of the result.
    price = f"{result.tables['years']['price_cny_per_t'].item():,.2f}"
    assert len(result.prices) == 0
    assert result.summary()["prices"] == []
    assert "Price|Carbon" not in result.to_iamc()["variable"].tolist()
    notebook = result._repr_html_()
    assert "Balance values do not repeat, so there is no price" in notebook
    assert price not in notebook
    assert "Price of an allowance" not in notebook
    result.save(tmp_path / "run", instance)
    text = result.report(tmp_path / "page.html")[0].read_text("utf-8")
    assert "Balance values do not repeat, so there is no price" in text
    assert 'id="prices"' not in text
    assert price not in printed
    # A run of an earlier version states the price, which is no false claim.
    assert main(["check", str(tmp_path / "run")]) == 0
    file = tmp_path / "run" / "result.json"
    content = json.loads(file.read_text("utf-8"))
    content["prices"] = [{"year": 2025, "price": 1.0}]
    file.write_text(json.dumps(content), "utf-8")
    assert main(["check", str(tmp_path / "run")]) == 0


def test_a_market_whose_balance_values_repeat_has_its_price_without_a_proof_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = solved(plants(market={"external_demand_t": 1_000.0, **RESERVE}))
    open_gap = replace(result.levels[-1], gap=1e5, certified=False)
    open_ = replace(result, status="feasible", certified=False, levels=(*result.levels[:-1], open_gap))
    show_summary(open_)
    printed = " ".join(capsys.readouterr().out.split())
    assert "feasible, optimality not proven" in printed
    assert "do not repeat" not in printed
    assert "Price of an allowance" in printed
    assert len(open_.prices) == 1


BALANCED = {"year": 2025, "rule": {"name": "cn-2025"}}


@pytest.mark.parametrize(
    ("policy", "known"),
    [
        (BALANCED, {"cement": 2026, "steel": 2026}),
        ({"year": 2025, "rule": {"name": "cn"}}, {"cement": 2026, "power": None}),
        ({"year": 2025, "rule": {"name": "cn-2024"}}, {"cement": None}),
        ({"year": 2025, "rule": {"name": "given"}}, {"cement": None}),
        ({**BALANCED, "pathway": {"self_balancing_until": 2024}}, {"cement": 2024}),
        ({**BALANCED, "pathway": {"self_balancing_until": {"steel": 2028}}}, {"cement": 2026, "steel": 2028}),
    ],
)
def test_the_years_are_those_of_the_plan_unless_the_policy_states_others(
    policy: dict[str, Any], known: dict[str, int | None]
) -> None:
    parsed = parse_policy(policy)
    assert {name: self_balancing_until(parsed, name) for name in known} == known


def test_a_sector_with_a_target_has_lump_sums_unless_its_years_are_stated() -> None:
    tight = {"sectors": {"cement": {"band": 0.03, "target_change": -0.01}}, "market": RESERVE}
    assert "balance_values" not in solved(plants(**tight)).tables
    stated = solved(plants(**tight, pathway={"self_balancing_until": {"cement": 2025}}))
    assert stated.tables["balance_values"]["residual_t"].abs().max() < 1e-3


def test_a_rule_that_does_not_balance_the_sector_has_no_such_years() -> None:
    with pytest.raises(DataError, match="does not make the allowances of cement equal its emissions") as error:
        etsopt.solve(
            etsopt.Instance.from_frames(
                UNITS.assign(reference_t=90_000.0),
                {"year": 2025, "rule": {"name": "given"}, "pathway": {"self_balancing_until": 2026}},
                None,
                MEASURES,
            ),
            "clearing",
        )
    assert "pathway.self_balancing_until" in str(error.value)


def test_phase_2_of_a_path_has_no_such_years() -> None:
    pathway = {"phase_2_from": 2026, "self_balancing_until": 2027}
    result = solved(plants(horizon={"last_year": 2027}, pathway=pathway, market=RESERVE), "pathway")
    assert result.tables["balance_values"]["year"].tolist() == [2025]
    # The later balance value is that after abatement, tightened.
    assert result.certified


@pytest.mark.everyday("balance_value--1e-06")
@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("balance_value", 1e-6),
        ("balance_value", -1e-6),
        ("balance_value_before", 1e-6),
        ("emissions_held_tco2e", 1e-6),
        ("emissions_before_tco2e", 1e-6),
        ("emissions_tco2e", 1e-6),
        ("allowance_t", 1e-6),
        ("residual_t", None),
        ("balance_value", np.nan),
        ("emissions_held_tco2e", np.inf),
    ],
)
def test_a_changed_table_is_not_certified(column: str, change: float | None) -> None:
    instance = plants(market={"external_demand_t": 1_000.0, "paid_share": 0.1, **RESERVE})
    result = solved(instance)
    table = result.tables["balance_values"].copy()
    table[column] = table[column] * (1 + change) if change is not None else table[column] + 1
    report = etsopt.check(instance, replace(result, tables={**result.tables, "balance_values": table}))
    assert not report.certified
    assert report.violations


@pytest.mark.parametrize("value", [0.9, 1.05])
def test_another_balance_value_of_an_interval_is_no_answer(value: float) -> None:
    # Both lines are at their caps from 0.875 to 1.0833, and the middle, as published, is 0.979.
    far = UNITS.assign(output_t=[1e5 / 0.7, 1e5 / 1.3], emissions_tco2e=1e5)
    content = {"year": 2025, "rule": {"name": "cn-2025", "threshold_tco2e": 0.0}, "horizon": {"last_year": 2027}}
    instance = etsopt.Instance.from_frames(far, content)
    result = solved(instance, "pathway")
    table = result.tables["balance_values"]
    assert table["balance_value"].tolist() == pytest.approx([(0.875 + 1.3 / 1.2) / 2] * 2)
    forged = {**result.tables, "balance_values": table.assign(balance_value=value)}
    assert result.certified
    assert not etsopt.check(instance, replace(result, tables=forged)).certified


def test_what_is_abated_in_phase_1_takes_no_allowances_from_phase_2() -> None:
    # The clean line stops in 2025, so that the balance value of the year is that of the other, 1.2.
    lines = UNITS.assign(emissions_tco2e=1e5, output_t=[1e5 / 0.8, 1e5 / 1.2])
    stop = pd.DataFrame([{"measure_id": "stop", "unit_id": "a", "abatement_rate": 1.0, "lifetime_years": 1}])
    content = {"year": 2025, "rule": {"name": "cn-2025", "threshold_tco2e": 0.0}, "horizon": {"last_year": 2027}}
    content["abatement"] = {"divisible_measures": True}
    for demand, status in ((98_000.0, "certified_optimal"), (101_000.0, "infeasible_certified")):
        market = {"external_demand_t": {"2025": 0.0, "2027": demand}}
        table = stop.assign(variable_opex_cny_per_t=-1.0)
        instance = etsopt.Instance.from_frames(lines, {**content, "market": market}, None, table)
        result = solved(instance, "pathway")
        assert result.status == status
        if result.certified and status == "certified_optimal":
            assert result.tables["balance_values"]["balance_value"].tolist() == pytest.approx([1.2, 1.2])
            later = result.tables["unit_years"].set_index(["unit_id", "year"])["allowance_t"]
            assert later[("a", 2027)] + later[("b", 2027)] == pytest.approx(200_000.0)


@pytest.mark.nightly
@pytest.mark.parametrize("rows", [0, 2])
def test_a_table_without_its_rows_or_none_at_all_is_refused(rows: int) -> None:
    instance = plants(market=RESERVE)
    result = solved(instance)
    table = result.tables["balance_values"]
    others = {name: one for name, one in result.tables.items() if name != "balance_values"}
    wrong = replace(result, tables={**others, "balance_values": pd.concat([table] * rows) if rows else table[:0]})
    assert etsopt.check(instance, wrong).violations
    assert etsopt.check(instance, replace(result, tables=others)).violations
    # Where no year balances itself there is no table.
    lump = instance.with_policy({"pathway.self_balancing_until": 2024})
    without = solved(lump)
    assert etsopt.check(lump, replace(without, tables={**without.tables, "balance_values": table})).violations
