"""A model reads the keys it declares: others are refused where they were given to it or would bind, else ignored."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, EtsoptError
from etsopt.data.policy.allocation import NationalPolicy, SectorPolicy
from etsopt.data.policy.policy import Policy
from etsopt.data.policy.rule import RulePolicy
from etsopt.modelling.solving.options import SolveOptions
from etsopt.rules import RULES
from etsopt.running import library, solve_model
from etsopt.running.policy_reads import covered, keys_read
from tests.reconciliations import with_evidence

MODELS = [name for name in library.names() if not library.explains(name)]

UNITS = pd.DataFrame(
    {
        "unit_id": ["a1", "a2", "b1", "c1", "d1", "e1", "e2"],
        "enterprise_id": ["a", "a", "b", "c", "d", "e", "e"],
        "sector": ["cement", "cement", "cement", "steel", "steel", "cement", "cement"],
        "province": ["Fujian", "Fujian", "Gansu", "Gansu", "Fujian", "Fujian", "Fujian"],
        "emissions_tco2e": [100_000.0, 150_000.0, 80_000.0, 200_000.0, 120_000.0, 60_000.0, 90_000.0],
        "output_t": [125_000.0, 170_000.0, 140_000.0, 100_000.0, 52_000.0, 80_000.0, 100_000.0],
        "prior_emissions_tco2e": [90_000.0, 160_000.0, 85_000.0, 190_000.0, 125_000.0, 60_000.0, 90_000.0],
        "special_case": ["", "", "", "", "", "closed", ""],
        "carbide_slag_rate": [np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, 0.2],
    }
)
ENTERPRISES = pd.DataFrame(
    {
        "enterprise_id": ["a", "b", "c", "d", "e"],
        "opening_2024_t": [5_000.0, 120_000.0, 0.0, 0.0, 0.0],
        "opening_2025_t": [0.0, 100.0, 0.0, 0.0, 0.0],
        "net_sales_t": [0.0, 2_000.0, 0.0, 0.0, 0.0],
    }
)
MEASURES = pd.DataFrame(
    {
        "measure_id": ["cheap", "dear", "free"],
        "sector": ["cement", "steel", "cement"],
        "abatement_rate": [0.04, 0.08, 0.01],
        "capex_cny_per_t": [3.0, 40.0, 0.0],
        "variable_opex_cny_per_t": [2.0, 2.0, -1.0],
        "lifetime_years": [5, 8, 1],
    }
)
POLICY: dict[str, Any] = {
    "year": 2025,
    "rule": {"name": "cn-2025", "threshold_tco2e": 26_000.0},
    "sectors": {
        "cement": {"band": 0.02, "target_change": -0.01, "target_sense": "at_most"},
        "steel": {"target_t": 317_000.5},
    },
    "provinces": {"balance": 0.02},
    "national": {"target_change": 0.0},
    "allocation": {"objectives": ["change", "largest_change"], "band": 0.05},
    "horizon": {"first_year": 2025, "last_year": 2027, "discount_rate": 0.05},
    "market": {
        "prices_cny_per_t": {"2025": 80.0, "2026": 90.0},
        "transaction_cost_cny_per_t": 1.0,
        "external_demand_t": -5_000.0,
        "auctioned_t": 2_000.0,
        "paid_share": 0.01,
        "floor_price_cny_per_t": 10.0,
        "ceiling_price_cny_per_t": 150.0,
        "reserve_t": 3_000.0,
        "ccer_price_cny_per_t": 30.0,
        "ccer_supply_t": 3_000.0,
        "terminal_price_cny_per_t": 40.0,
    },
    "penalty": {"reference_price_cny_per_t": 90.0},
    "compliance": {"at_risk": ["b"], "without_purchases": ["d"]},
    "pathway": {"phase_2_from": 2026, "band": 0.04, "slope": 0.2, "cap_from": 2027, "cap_change": -0.02},
    "review_plan": {
        "seed": 2,
        "municipal": {"days": 9.0},
        "provincial": {"days": 3.0, "travel_days": 1.0, "drawn": 1},
        "national": {"days": 2.5, "travel_days": 0.5, "drawn": 1},
    },
    "investment": {"cvar_level": 0.4, "cvar_weight": 0.5},
}
SCENARIOS = pd.DataFrame(
    {
        "scenario": ["calm", "dear"],
        "year": [2025, 2026],
        "probability": [0.6, 0.4],
        "price_cny_per_t": [np.nan, 160.0],
        "output_factor": [1.0, 1.1],
    }
)
SUPPLY = pd.DataFrame(
    {
        "supply_id": ["kiln", "furnace", "capture"],
        "year": 2025,
        "supplies": ["output", "output", "abatement"],
        "sector": ["cement", "steel", "cement"],
        "existing_t": [2e6, 1e6, 1e5],
        "cost_cny_per_t": [300.0, 3_000.0, 50.0],
        "emissions_tco2e_per_t": [0.8, 2.0, np.nan],
        "benchmark_tco2e_per_t": [0.75, 1.9, np.nan],
    }
)
DEMAND = pd.DataFrame({"sector": ["cement", "steel"], "year": 2027, "output_factor": [1.1, 0.95], "elasticity": 0.0})
ALONE: dict[str, dict[str, Any]] = {
    "equilibrium": {"horizon.last_year": 2025},
    "outlook": {"outlook.free_part": "fixed", "pathway.cap_from": None},
}
"""What a model needs otherwise."""

OTHER: dict[str, Any] = {
    "year": 2024,
    "rule.name": "cn-2024",
    "rule.slope": 0.2,
    "rule.cap": 0.02,
    "rule.balance_value_decimals": 2,
    "rule.threshold_tco2e": 90_000.0,
    "rule.pre_allocation_share": 0.01,
    "rule.special_cases": ["white_clinker"],
    "rule.carbide_slag_limit": 0.3,
    "rule.outside_scope": [],
    "rule.carry_over_base_t": 1_000.0,
    "rule.carry_over_factor": 0.5,
    "sectors.cement.band": 0.015,
    "sectors.cement.target_change": -0.015,
    "sectors.cement.target_intensity": 0.75,
    "sectors.cement.target_t": 326_000.0,
    "sectors.cement.target_sense": "exactly",
    "sectors.cement.balance_value": 0.75,
    "coverage": "nation",
    "provinces.balance": 0.015,
    "national.target_change": -0.012,
    "national.target_t": 642_000.0,
    "national.target_sense": "exactly",
    "allocation.objectives": ["largest_change", "spread"],
    "allocation.tie_break": "equal_losses",
    "allocation.band": 0.015,
    "allocation.band_on": "enterprise",
    "allocation.intensity_order": True,
    "allocation.integer_allowances": True,
    "allocation.exceptions.units": 1,
    "allocation.exceptions.lower": 0.2,
    "allocation.exceptions.upper": 0.07,
    "horizon.first_year": 2026,
    "horizon.last_year": 2025,
    "horizon.discount_rate": 0.3,
    "horizon.price_year": 2024,
    "abatement.no_regret": "exclude",
    "abatement.divisible_measures": True,
    "pathway.self_balancing_until": {"cement": 2024, "steel": 2025},
    "abatement.output_cut": {"cement": {"share": 0.1, "margin_cny_per_t": 2.0}},
    "market.prices_cny_per_t": 120.0,
    "market.transaction_cost_cny_per_t": 5.0,
    "market.external_demand_t": 2_000.0,
    "market.auctioned_t": 4_000.0,
    "market.paid_share": 0.03,
    "market.floor_price_cny_per_t": 60.0,
    "market.ceiling_price_cny_per_t": 61.0,
    "market.reserve_t": 9_000.0,
    "market.borrow_pre_allocation": False,
    "market.ccer_price_cny_per_t": 20.0,
    "market.ccer_supply_t": 9_000.0,
    "market.ccer_share": 0.001,
    "market.terminal_price_cny_per_t": 200.0,
    "penalty.multiple": 6.0,
    "penalty.reference_price_cny_per_t": 200.0,
    "penalty.fixed_fine_cny": 2_000_000.0,
    "penalty.deduction_share": 0.5,
    "compliance.at_risk": ["d"],
    "compliance.without_purchases": ["a"],
    "compliance.speculating": ["a"],
    "provinces.names": "any",
    "pathway.phase_2_from": 2027,
    "pathway.tightening": 0.02,
    "pathway.band": 0.01,
    "pathway.slope": 0.05,
    "pathway.paid_share": 0.1,
    "pathway.cap_from": 2026,
    "pathway.cap_change": -0.05,
    "pathway.cap_t": {"2026": 500_000.0},
    "pathway.no_bank_from": 2027,
    "outlook.free_part": "output",
    "outlook.report_until": 2025,
    "outlook.highest_terminal_price_cny_per_t": 90.0,
    "outlook.observed_price_cny_per_t": {"2025": 84.0},
    "review_plan.days_per_review": 0.5,
    "review_plan.seed": 33,
    "review_plan.drawn_by": "equal",
    "investment.budget_cny": 100_000.0,
    "investment.cvar_level": 0.2,
    "investment.cvar_weight": 0.2,
    **{f"review_plan.{level}.days": 5.0 for level in ("municipal", "provincial", "national")},
    **{f"review_plan.{level}.effort": 0.5 for level in ("municipal", "provincial", "national")},
    **{f"review_plan.{level}.travel_days": 0.25 for level in ("municipal", "provincial", "national")},
    **{f"review_plan.{level}.least": 2 for level in ("provincial", "national")},
    **{f"review_plan.{level}.least_share": 0.4 for level in ("provincial", "national")},
    **{f"review_plan.{level}.drawn": 2 for level in ("provincial", "national")},
    **{f"review_plan.{level}.drawn_share": 0.4 for level in ("provincial", "national")},
}
"""Another value of every key."""

BY_THEMSELVES = {
    "sectors.cement.balance_value",
    "sectors.cement.target_intensity",
    "sectors.cement.target_t",
    "national.target_t",
    "allocation.intensity_order",
    "horizon.first_year",
    "pathway.cap_t",
}
"""Keys whose other value contradicts that of another key, or removes it."""


# No unit needs an exception, the order of the rule is fair already, and nothing falls short in a market.
OF_ALLOCATION = ("allocation.exceptions.lower", "allocation.exceptions.upper", "allocation.intensity_order")
OF_MARKETS = (
    "abatement.divisible_measures",
    "penalty.fixed_fine_cny",
    "penalty.multiple",
    "penalty.reference_price_cny_per_t",
)
UNSEEN: dict[str, tuple[str, ...]] = {
    # Before a cap a cut of output takes its allowances with it, and earns less than it costs.
    "abatement": (*OF_ALLOCATION, *OF_MARKETS, "abatement.output_cut"),
    "allocation": (*OF_ALLOCATION, "year"),
    "balance_value": ("allocation.band", "allocation.band_on", "year"),
    "clearing": (*OF_ALLOCATION, *OF_MARKETS, "abatement.output_cut", "market.ceiling_price_cny_per_t"),
    "investment": (*OF_ALLOCATION, "abatement.output_cut"),
    "equilibrium": (
        "abatement.output_cut",
        "horizon.discount_rate",
        "horizon.last_year",
        "horizon.price_year",
        "year",
    ),
    "pathway": (
        *OF_MARKETS,
        "market.borrow_pre_allocation",
        "market.ceiling_price_cny_per_t",
        "rule.pre_allocation_share",
    ),
    # Without a cap nothing is auctioned, and offsets below the terminal price are bought at any of their own.
    "outlook": ("horizon.price_year", "pathway.paid_share", "market.ccer_price_cny_per_t"),
    "compliance": ("compliance.speculating", "horizon.first_year", "market.terminal_price_cny_per_t"),
}
"""Keys that a model reads, and that make no difference on this instance; a model without such keys needs no entry."""


def every_key(section: type[BaseModel] = Policy, path: str = "") -> set[str]:
    """Every key that a policy may state under the rule cn-2025, with cement for a sector."""
    keys = set()
    for name, field in section.model_fields.items():
        below = BELOW.get(f"{path}{name}", type(field.default))
        if issubclass(below, BaseModel):
            keys |= every_key(below, f"{path}{name}.{'cement.' if name == 'sectors' else ''}")
        else:
            keys.add(f"{path}{name}")
    return keys | ({f"rule.{key}" for key in RULES["cn-2025"].parameters.model_fields} if not path else set())


BELOW: dict[str, type[BaseModel]] = {"rule": RulePolicy, "sectors": SectorPolicy, "national": NationalPolicy}
"""Sections without a default."""


def instance_for(model: str) -> etsopt.Instance:
    scenarios = SCENARIOS if model == "investment" else None
    # What is left at the end is worth the terminal price, so offsets are bought.
    supply, forecast = (SUPPLY, DEMAND) if model == "outlook" else (None, None)
    found = etsopt.Instance.from_frames(
        UNITS, POLICY, ENTERPRISES, MEASURES, forecast, scenarios=scenarios, supply=supply
    )
    found = found.with_policy(ALONE.get(model, {}))
    return with_evidence(found) if model == "reconciliation" else found


def tables(instance: etsopt.Instance, model: str) -> dict[str, pd.DataFrame]:
    """Result tables of a model, whatever keys it does not read."""
    return solve_model.solve_model(library.choose(model), instance, model, SolveOptions()).tables


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> bool:
    return one.keys() == other.keys() and all(one[name].equals(other[name]) for name in one)


def read_by(model: str) -> tuple[str, ...]:
    keys = keys_read(library.load(model))
    assert keys is not None
    return keys


def test_another_value_of_every_key_is_tried() -> None:
    # Words on a balance value are stated with it, and no figure follows from them.
    words = {"sectors.cement.balance_value_source", "sectors.cement.balance_value_mark"}
    assert every_key() - words == OTHER.keys()


@pytest.mark.parametrize("model", MODELS)
def test_a_model_declares_keys_that_there_are(model: str) -> None:
    rules = ("cn", "benchmark", "grandfathering")
    known = [*OTHER, *(f"rule.{key}" for name in rules for key in RULES[name].parameters.model_fields)]
    assert [
        pattern for pattern in read_by(model) if not any(covered(key, [pattern.removeprefix("!")]) for key in known)
    ] == []


@pytest.mark.everyday("allocation", "equilibrium")
@pytest.mark.parametrize("model", MODELS)
def test_a_key_that_is_not_declared_changes_nothing(model: str) -> None:
    instance, read = instance_for(model), read_by(model)
    unread = {key: value for key, value in OTHER.items() if not covered(key, read)}
    together = {key: value for key, value in unread.items() if key not in BY_THEMSELVES}
    before = tables(instance, model)
    assert before
    for changes in (together, *({key: unread[key]} for key in unread.keys() & BY_THEMSELVES)):
        if not same(tables(instance.with_policy(changes), model), before):
            alone = [
                key for key in changes if not same(tables(instance.with_policy({key: changes[key]}), model), before)
            ]
            raise AssertionError(f"{model} reads one of {alone or list(changes)}: expected it in `reads`")


@pytest.mark.everyday("balance_value", "equilibrium", "reconciliation")
@pytest.mark.parametrize("model", MODELS)
def test_a_key_that_is_declared_can_change_the_answer(model: str) -> None:
    instance, read = instance_for(model), read_by(model)
    before, unseen = tables(instance, model), []
    for key in sorted(key for key in OTHER if covered(key, read)):
        try:
            if same(tables(instance.with_policy({key: OTHER[key]}), model), before):
                unseen.append(key)
        except EtsoptError:
            # What is refused with another value has been read.
            continue
    # On other numbers more may be seen, and never less.
    more = set(unseen) - set(UNSEEN.get(model, ()))
    assert more == set(), f"in `reads` of {model}, without effect here: take them out, or enter them in UNSEEN"


PENALTIES = ("penalty.fixed_fine_cny", "penalty.multiple", "penalty.reference_price_cny_per_t")


@pytest.mark.everyday("pathway")
@pytest.mark.parametrize("model", ["clearing", "pathway"])
def test_where_obligations_stay_open_every_penalty_that_a_market_declares_is_seen(model: str) -> None:
    short = {"market.external_demand_t": 90_000.0, "horizon.last_year": 2025}
    with_nothing = etsopt.Instance.from_frames(UNITS, POLICY, None, MEASURES)
    instance = with_nothing.with_policy({**short, "market.ceiling_price_cny_per_t": None, "market.reserve_t": 0.0})
    before = tables(instance, model)
    assert before["enterprise_years"]["outstanding_t"].sum() > 10_000
    assert all(covered(key, read_by(model)) for key in PENALTIES)
    for key in PENALTIES:
        assert not same(tables(instance.with_policy({key: OTHER[key]}), model), before), key


@pytest.mark.parametrize("model", ["abatement", "clearing", "pathway"])
def test_no_market_declares_what_only_a_settlement_deducts(model: str) -> None:
    assert not covered("penalty.deduction_share", read_by(model))
    with pytest.raises(DataError, match=r"penalty\.deduction_share: the model .* does not read it"):
        etsopt.solve(instance_for(model).with_policy({"penalty.deduction_share": 1.0}), model)


def test_a_path_starts_from_a_rule_of_each_year_and_not_from_references_of_one() -> None:
    frame = UNITS.assign(special_case="", reference_t=1e5).drop(columns="carbide_slag_rate")
    cement = frame[frame["sector"] == "cement"]
    for rule in ({"name": "grandfathering", "factor": 0.5}, {"name": "benchmark", "benchmarks": {"cement": 0.5}}):
        assert etsopt.solve(etsopt.Instance.from_frames(cement, {"year": 2025, "rule": rule}), "pathway").certified
    given = etsopt.Instance.from_frames(cement, {"year": 2025, "rule": {"name": "given"}})
    assert etsopt.solve(given, "pathway").certified
    given = given.with_policy({"horizon.last_year": 2026})
    with pytest.raises(DataError, match="the path needs the rule of each year, and 'given' has references of one year"):
        etsopt.solve(given, "pathway")


def rounded(decimals: int | str) -> etsopt.Instance:
    """The instance tiny, in which every line deviates a little, and a balance value of some decimals."""
    tiny = etsopt.read("tiny")
    policy = tiny.policy.model_dump(exclude_unset=True)
    policy["rule"]["balance_value_decimals"] = decimals
    policy["sectors"]["cement"]["target_change"] = 0.0
    policy["market"] = {"prices_cny_per_t": 80.0}
    return etsopt.Instance.from_frames(tiny.units.assign(output_t=[163_000.0, 397_000.0, 151_000.0]), policy)


@pytest.mark.parametrize("model", ["compliance", "equilibrium"])
def test_a_rounded_balance_value_breaks_a_target_that_the_exact_one_keeps(model: str) -> None:
    with pytest.raises(DataError, match="allocates 560,155 t by the rule alone: expected 560,000 t as stated"):
        etsopt.solve(rounded(2), model)
    assert etsopt.solve(rounded("none"), model).certified


def test_the_path_rounds_no_balance_value() -> None:
    found = etsopt.solve(rounded(2), "pathway")
    assert found.tables["years"]["allowance_t"][0] == pytest.approx(560_000)
    assert {"rule.balance_value_decimals", "sectors.cement.target_change"} <= set(found.provenance.ignored)


def test_totals_of_each_kind_are_looked_at_by_themselves() -> None:
    policy = {"year": 2025, "rule": {"name": "cn-2025"}, "national": {"target_change": -0.02}}
    frame = UNITS[UNITS["sector"] == "cement"]
    for model in ("balance_value", "compliance"):
        instance = etsopt.Instance.from_frames(frame, {**policy, "market": {"prices_cny_per_t": 80.0}})
        with pytest.raises(
            DataError, match=r"national\.target_change: the model .* by the rule alone: expected .* t as stated"
        ):
            etsopt.solve(instance, model)


def test_a_key_that_was_meant_for_another_model_is_refused_with_what_to_do() -> None:
    changed = etsopt.read("tiny").with_policy({"market.reserve_t": 5.0, "sectors.cement.target_change": -0.01})
    with pytest.raises(DataError) as caught:
        etsopt.solve(changed)
    assert str(caught.value) == (
        "The policy has a problem.\n\n1. the changed policy, market.reserve_t: the model allocation does not read it.\n"
        "   Leave it out, or solve a model that reads it: clearing, pathway."
    )


def test_all_of_them_are_told_at_once_and_a_table_by_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    changes = ["sectors.cement.target_change=-0.1", "compliance={at_risk=['enterprise-a']}", "market.ccer_share=0.05"]
    arguments = [part for change in changes for part in ("--set", change)]
    assert main(["solve", "tiny", "--model", "pathway", *arguments, "--json"]) == 2
    told = [problem["column"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    assert told == ["compliance.at_risk", "sectors.cement.target_change"]


def test_a_year_of_a_key_and_a_side_of_a_band_are_that_key() -> None:
    tiny = etsopt.read("tiny")
    for changes, key in (
        ({"market.paid_share.2026": 0.1}, "market.paid_share"),
        ({"pathway": {"band": 0.02}}, "pathway.band"),
    ):
        with pytest.raises(DataError) as caught:
            etsopt.solve(tiny.with_policy(changes))
        assert [problem.column for problem in caught.value.problems] == [key]
    assert etsopt.solve(tiny.with_policy({"sectors.cement.band": {"lower": 0.04, "upper": 0.03}})).certified


def test_what_was_given_and_taken_back_is_not_refused() -> None:
    tiny = etsopt.read("tiny")
    changed = tiny.with_policy({"market.reserve_t": 5.0}).with_policy({"market": {}})
    assert etsopt.solve(changed).certified


def test_what_is_given_changes_neither_hash_nor_equality_and_travels() -> None:
    tiny = etsopt.read("tiny")
    same_again = tiny.with_policy({"year": 2025})
    assert same_again.hash == tiny.hash
    assert same_again.given == {"year"}
    assert pickle.loads(pickle.dumps(tiny.with_policy({"market.reserve_t": 5.0}))).given == {"market.reserve_t"}


def with_file(text: str, folder: Path) -> etsopt.Instance:
    """The instance tiny with more in its policy file, its target apart."""
    tiny = etsopt.read("tiny")
    policy = (Path(etsopt.__file__).parents[1] / "instances" / "tiny" / "policy.toml").read_text(encoding="utf-8")
    folder.mkdir()
    tiny.units.to_csv(folder / "units.csv", index=False)
    (folder / "policy.toml").write_text(policy.replace("target_change = -0.005", text), encoding="utf-8")
    return etsopt.read(folder)


def test_a_target_of_the_file_that_a_model_would_break_is_refused(tmp_path: Path) -> None:
    for number, text in enumerate(
        ("target_change = -0.1", "target_t = 500000", 'target_change = 0.1\ntarget_sense = "exactly"')
    ):
        with pytest.raises(DataError) as caught:
            etsopt.solve(with_file(text, tmp_path / str(number)), "pathway")
        assert caught.value.problems[0].column == f"sectors.cement.{text.partition(' ')[0]}"
    assert str(caught.value) == (
        "The policy has a problem.\n\n1. policy.toml, sectors.cement.target_change: the model pathway allocates "
        "560,000 t by the rule alone: expected 616,000 t as stated.\n"
        "   Leave it out, or solve a model that reads it: abatement, allocation, balance_value, clearing, investment. "
        "`--set sectors={}` leaves out all of its section."
    )
    without = with_file("target_change = -0.1", tmp_path / "without").with_policy({"sectors": {}})
    assert etsopt.solve(without, "pathway").certified


def test_a_target_of_the_file_that_says_what_the_rule_does_is_ignored(tmp_path: Path) -> None:
    for number, text in enumerate(("target_change = 0.0", "target_t = 560000", "target_change = 0.1", "")):
        found = etsopt.solve(with_file(text, tmp_path / str(number)), "pathway")
        stated = [f"sectors.cement.{text.partition(' ')[0]}"] if text else []
        targets = [key for key in found.provenance.ignored if "target" in key]
        assert found.certified
        assert targets == stated


def test_what_a_file_says_for_other_models_is_listed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_file(
        "target_change = 0.0\n\n[market]\nccer_share = 0.05\nreserve_t = 7.0\n[compliance]\nat_risk = []",
        tmp_path / "i",
    )
    assert main(["solve", str(tmp_path / "i"), "--out", str(tmp_path / "run")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count("does not use") == 1
    assert "Policy keys that allocation does not use: compliance.at_risk, market (2 keys)." in shown
    content = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert content["ignored"] == ["compliance.at_risk", "market.ccer_share", "market.reserve_t"]
    assert main(["check", str(tmp_path / "run")]) == 0


def test_a_sweep_refuses_as_a_solve_does() -> None:
    with pytest.raises(DataError, match=r"market\.paid_share: the model allocation does not read it"):
        etsopt.sweep(etsopt.read("tiny"), [{"sectors.cement.band": 0.04}, {"market.paid_share": 0.1}])


OWN = """
from etsopt.modelling import CalculationModel

MODEL = CalculationModel(calculate=lambda instance: {"units": instance.units[["unit_id"]]}, reads=READS)
"""


def test_a_model_of_ones_own_reads_everything_unless_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    changed = etsopt.read("tiny").with_policy({"market.reserve_t": 5.0})
    path.write_text(OWN.replace("READS", "None"), encoding="utf-8")
    assert etsopt.solve(changed, str(path)).provenance.ignored == []
    path.write_text(OWN.replace("READS", "('sectors',)"), encoding="utf-8")
    with pytest.raises(DataError, match=r"market\.reserve_t: the model own does not read it"):
        etsopt.solve(changed, str(path))


def test_a_target_of_the_file_binds_no_model_of_ones_own_that_reads_no_rule(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN.replace("READS", "('national',)"), encoding="utf-8")
    assert "sectors.cement.target_change" in etsopt.solve(etsopt.read("tiny"), str(path)).provenance.ignored
    path.write_text(OWN.replace("READS", "('rule',)"), encoding="utf-8")
    with pytest.raises(DataError, match=r"the model own allocates 560,000 t by the rule alone"):
        etsopt.solve(etsopt.read("tiny"), str(path))
