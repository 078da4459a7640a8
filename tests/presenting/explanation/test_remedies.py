"""Remedies: policies that make an infeasible one feasible, by key and value, and the command that applies them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.cli import main

POLICIES: list[dict[str, Any]] = [
    {"sectors.cement.target_change": -0.05},
    {"sectors.cement.target_t": 1e6, "sectors.steel.target_change": -0.06},
    {"sectors.cement.target_change": 0.08, "sectors.cement.target_sense": "exactly"},
    {"sectors.cement.target_change": -0.02, "sectors.cement.band": 0.01, "provinces.balance": 0.001},
    {"sectors.steel.target_intensity": 1.9, "sectors.steel.band": {"lower": 0.02, "upper": 0.01}},
    {"sectors.cement.target_change": -0.045, "provinces.balance": {"Anhui": 0.01, "Hebei": 0.0}},
    {"national.target_change": -0.06, "sectors.cement.target_change": -0.01},
    {"sectors.cement.target_change": -0.05, "allocation.integer_allowances": True},
]


@pytest.mark.everyday("0-2", "0-4", "0-6")
@pytest.mark.parametrize("policy", POLICIES, ids=range(len(POLICIES)))
@pytest.mark.parametrize("seed", range(2))
def test_every_remedy_is_a_policy_with_an_allocation(
    seed: int, policy: dict[str, Any], random_instance: Callable[..., etsopt.Instance]
) -> None:
    instance = random_instance(seed, 20).with_policy(policy)
    result = etsopt.solve(instance)
    assert result.status == "infeasible_certified"
    assert [remedy.number for remedy in result.remedies] == list(range(1, len(result.remedies) + 1))
    assert result.remedies
    for remedy in result.remedies:
        assert etsopt.solve(instance.with_policy(remedy.changes)).certified, remedy.text


def test_a_remedy_is_no_wider_than_it_has_to_be(random_instance: Callable[..., etsopt.Instance]) -> None:
    instance = random_instance(0, 20).with_policy({"sectors.cement.target_change": -0.05})
    target, band = etsopt.solve(instance).remedies
    for remedy, key in ((target, "sectors.cement.target_change"), (band, "sectors.cement.band.lower")):
        tighter = instance.with_policy(remedy.changes | {key: remedy.changes[key] - 1e-4})
        assert etsopt.solve(tighter).status == "infeasible_certified"


def test_a_feasible_policy_needs_no_remedy() -> None:
    assert etsopt.solve(etsopt.read("tiny")).remedies == ()


def test_the_command_lists_and_applies_remedies(capsys: pytest.CaptureFixture[str]) -> None:
    cut = ["solve", "tiny", "--set", "sectors.cement.target_change=-0.05"]
    assert main(cut) == 3
    shown = capsys.readouterr().out
    assert "Each of these changes makes the policy feasible:" in shown
    assert "remedy 1: relax targets and balances: sectors.cement.target_change=" in " ".join(shown.split())
    assert "Add `--apply-remedy 1` to the command" in shown
    assert main([*cut, "--json"]) == 3
    listed = json.loads(capsys.readouterr().out)["remedies"]
    assert [remedy["number"] for remedy in listed] == [1, 2]
    assert main([*cut, "--apply-remedy", "2"]) == 0
    shown = capsys.readouterr().out
    assert "Infeasible as stated; remedy 2 was applied: sectors.cement.band.lower=0.05" in shown
    assert "certified optimal" in shown
    assert main([*cut, "--apply-remedy", "3"]) == 2
    assert "There is no remedy 3; there are: 1, 2." in capsys.readouterr().err
    assert main(["solve", "tiny", "--apply-remedy", "1"]) == 0
    assert "No remedy was needed" in capsys.readouterr().out


def test_a_fixed_unit_in_a_relaxed_province_has_no_surplus() -> None:
    tiny = etsopt.read("tiny")
    small = tiny.units.iloc[[0]].assign(
        unit_id="small", enterprise_id="enterprise-c", emissions_tco2e=1000.0, output_t=1600.0
    )
    policy = tiny.policy.model_dump(exclude_none=True)
    own = etsopt.Instance.from_frames(pd.concat([tiny.units, small]), policy)
    own = own.with_policy({"sectors.cement.target_change": -0.02})
    result = etsopt.solve(own)
    assert result.status == "infeasible_certified"
    assert [etsopt.solve(own.with_policy(one.changes)).certified for one in result.remedies] == [True, True]
