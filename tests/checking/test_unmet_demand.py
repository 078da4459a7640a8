"""A market that cannot clear: the tonnes that are missing are proven from multipliers, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from benchmarks.reliability.self_balancing import compared, short_market
from benchmarks.reliability.self_balancing import random_market as random_market_of_a_year
from etsopt.cli import main
from etsopt_models._columns import enterprise_decomposition, whole_plans
from tests.builders import random_instance
from tests.markets import market, of_model, random_market
from tests.self_balancing_oracle import Market


def short(cost: float = 0.0, **more: Any) -> etsopt.Instance:
    """Two units lack 100 kt each of 1 Mt; their measures save 50 kt at one of them, and 30 kt are auctioned."""
    units = {"emissions_tco2e": [1e6, 1e6], "reference_t": [0.9e6, 0.9e6]}
    cut = {"measure_id": "cut", "unit_id": "u0", "abatement_rate": 0.05, "variable_opex_cny_per_t": 1.0}
    return market(units, [cut], market={"transaction_cost_cny_per_t": cost, "auctioned_t": 30_000.0, **more})


@pytest.mark.parametrize("cost", [0.0, 2.0])
def test_what_is_missing_is_what_nobody_can_save_or_buy(cost: float) -> None:
    # 200 kt lack, 50 kt are saved and 30 kt auctioned: 120 kt are missing.
    result = etsopt.solve(short(cost), "clearing")
    assert (result.status, result.termination) == ("infeasible_certified", "infeasible")
    assert result.infeasible_by_t == pytest.approx(120_000)
    assert result.tables["unmet_demand"]["unmet_t"].sum() == pytest.approx(120_000)
    # The allocation from which it starts is proven too.
    assert [level.name for level in result.levels][-2:] == ["least_squares", "unmet_demand"]
    assert all(level.certified for level in result.levels)
    assert etsopt.check(short(cost), result).violations == ()


@pytest.mark.everyday("0-pathway-2.0", "3-pathway-2.0")
@pytest.mark.parametrize("cost", [0.0, 2.0])
@pytest.mark.parametrize("model", ["clearing", "pathway"])
@pytest.mark.parametrize("seed", range(6))
def test_random_markets_are_proven_to_be_short_of_what_the_relaxation_lacks(seed: int, model: str, cost: float) -> None:
    instance = random_market(seed, years=2, penalty={"reference_price_cny_per_t": None})
    demand = 0.5 * float(instance.emissions_tco2e.sum())
    changes = {"market.external_demand_t": demand, "market.transaction_cost_cny_per_t": cost}
    instance = of_model(instance.with_policy(changes), model)
    result = etsopt.solve(instance, model)
    assert result.status == "infeasible_certified"
    missing = float(result.tables["unmet_demand"]["unmet_t"].sum())
    assert result.infeasible_by_t == pytest.approx(missing, rel=1e-9, abs=2e-2)
    assert etsopt.check(instance, result).violations == ()
    # Somewhat less demand than what is proven to be missing still cannot be met, and all of it less can.
    proven = result.infeasible_by_t or 0.0
    assert etsopt.solve(instance.with_policy({"market.auctioned_t": proven}), model).termination == "optimal"


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("a price is sought")


@pytest.mark.parametrize("method", ["direct", "decomposition"])
def test_nothing_is_priced_in_a_market_that_cannot_clear(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_plans, "master_of", never)
    monkeypatch.setattr(enterprise_decomposition, "PriceSearch", never)
    monkeypatch.setattr(enterprise_decomposition, "TREE_AT_ONCE_MAX_ACCOUNT_YEARS", 0)
    result = etsopt.solve(short(2.0), "clearing", method=method)
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(120_000)


def test_the_multipliers_are_of_one_account_and_those_of_each_enterprise_prove_the_same() -> None:
    instance = short(2.0)
    result = etsopt.solve(instance, "clearing")
    duals = result.tables["duals"]
    unmet = duals["level"] == "unmet_demand"
    assert set(duals.loc[unmet, "index"]) == {""}
    of_accounts = unmet & (duals["row"] == "account_balance")
    owned = [duals[of_accounts].assign(index=owner) for owner in ("u0", "u1")]
    stated = pd.concat([duals[~of_accounts], *owned], ignore_index=True)
    assert etsopt.check(instance, replace(result, tables={**result.tables, "duals": stated})).certified
    one = pd.concat([duals[~of_accounts], owned[0]], ignore_index=True)
    assert not etsopt.check(instance, replace(result, tables={**result.tables, "duals": one})).certified


@pytest.mark.parametrize("seed", range(12))
def test_a_trading_cost_changes_nothing_in_what_is_missing(seed: int) -> None:
    instance, unmet = short_market(seed)
    for cost in (0.0, 1.0, 1e4):
        result = etsopt.solve(instance.with_policy({"market.transaction_cost_cny_per_t": cost}), "clearing")
        assert (result.status, result.violations) == ("infeasible_certified", ())
        assert result.infeasible_by_t == pytest.approx(unmet, rel=1e-6, abs=0.02)
    # The other program has an account for every enterprise.
    assert Market(instance).unmet_t() == pytest.approx(unmet, rel=1e-6, abs=0.02)


@pytest.mark.parametrize("seed", range(12))
def test_an_answer_of_a_self_balancing_market_is_a_fixed_point_of_another_program(seed: int) -> None:
    instance = random_market_of_a_year(seed)
    assert compared(instance, etsopt.solve(instance, "clearing"))[1] == ""


@pytest.mark.everyday("574")
@pytest.mark.parametrize("number", [320, 574])
def test_a_fixed_point_that_only_a_lower_start_reaches_is_found(number: int) -> None:
    """From the balance values before abatement the passes of both programs come back in a cycle."""
    instance = random_market_of_a_year(number)
    assert Market(instance).repeated() is None
    result = etsopt.solve(instance, "clearing")
    assert result.status == "certified_optimal"
    assert result.tables["balance_values"]["residual_t"].abs().max() < 0.02
    assert compared(instance, result)[1] == ""


def test_what_is_missing_is_a_hundred_thousandth_of_what_thousands_emit() -> None:
    instance = etsopt.generate(3_000, seed=1)
    stated = {"market.transaction_cost_cny_per_t": 1.0, "pathway.self_balancing_until": 2025}
    result = etsopt.solve(instance.with_policy({**stated, "market.external_demand_t": 10_000.0}), "clearing")
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(10_000.0, rel=1e-6)


def changed(result: etsopt.Results, name: str, **columns: Any) -> etsopt.Results:
    table: pd.DataFrame = result.tables[name].assign(**columns)
    return replace(result, tables={**result.tables, name: table})


FORGED: dict[str, Any] = {
    "half of it": lambda result: changed(result, "unmet_demand", unmet_t=result.tables["unmet_demand"]["unmet_t"] / 2),
    "twice of it": lambda result: changed(result, "unmet_demand", unmet_t=result.tables["unmet_demand"]["unmet_t"] * 2),
    "less than nothing": lambda result: changed(result, "unmet_demand", unmet_t=-1.0),
    "no multipliers": lambda result: changed(result, "duals", multiplier=0.0),
    "large multipliers": lambda result: changed(result, "duals", multiplier=result.tables["duals"]["multiplier"] * 1e9),
    "another unit": lambda result: changed(result, "duals", unit="CNY/t"),
    "more tonnes": lambda result: replace(result, infeasible_by_t=2 * result.infeasible_by_t),
    "another level": lambda result: replace(result, levels=(replace(result.levels[0], value=5.0),)),
    "no table": lambda result: replace(
        result, tables={name: table for name, table in result.tables.items() if name != "unmet_demand"}
    ),
}


@pytest.mark.everyday("no table")
@pytest.mark.parametrize("name", FORGED)
def test_a_shortage_that_is_not_proven_is_refused(name: str) -> None:
    instance = short()
    assert etsopt.check(instance, FORGED[name](etsopt.solve(instance, "clearing"))).violations


def test_a_market_that_clears_cannot_be_said_to_be_short() -> None:
    result = etsopt.solve(short(), "clearing")
    clears = short(auctioned_t=200_000.0)
    assert etsopt.check(clears, result).violations


def test_an_honest_run_of_a_market_that_cannot_clear_passes_its_own_check(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    assert main(["solve", "tiny", "--model", "clearing", "--set", "market.external_demand_t=1e7", "--out", run]) == 3
    assert main(["check", run]) == 0


def test_a_market_that_starts_from_whole_tonnes_in_a_fair_order_and_cannot_clear_is_proven_to(tmp_path: Path) -> None:
    instance = random_instance(0, intensity_order=True, integer_allowances=True)
    result = etsopt.solve(instance, "clearing")
    assert (result.status, result.violations) == ("infeasible_certified", ())
    assert etsopt.check(instance, result).violations == ()
    moved = changed(result, "allocation", allowance_t=result.tables["allocation"]["allowance_t"] + 1.0)
    assert etsopt.check(instance, moved).violations


def test_the_split_of_an_unmet_demand_by_year_is_named_as_not_checked(tmp_path: Path, capsys: Any) -> None:
    instance = random_market(7, 2, market={"external_demand_t": 3e7})
    result = etsopt.solve(instance, "clearing")
    table = result.tables["unmet_demand"]
    moved = table.assign(unmet_t=[table["unmet_t"].sum(), 0.0])
    for unmet in (table, moved):
        report = etsopt.check(instance, replace(result, tables={**result.tables, "unmet_demand": unmet}))
        assert (report.violations, report.not_proven) == ((), ("unmet_demand: years",))
    result.save(tmp_path / "run")
    capsys.readouterr()
    assert main(["check", str(tmp_path / "run")]) == 0
    assert "unmet_demand: years" in " ".join(capsys.readouterr().out.split())
    result.report(tmp_path / "page.html")
    assert "The total is proven, and its split by year is not." in (tmp_path / "page.html").read_text("utf-8")
    # Of one year the total is all that there is.
    assert etsopt.check(short(), etsopt.solve(short(), "clearing")).not_proven == ()
