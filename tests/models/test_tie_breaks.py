"""Tie-breaks: the rule that each is with one total, limits, proofs, and what splitting a unit changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.tolerances import LEAST_REFERENCE_SHARE
from etsopt.presenting.explanation.explain import explain
from etsopt.running import run
from tests import forging
from tests.builders import random_instance

SQUARES = {
    "least_squares": "least_squares",
    "equal_rates": "squared_rates",
    "proportional": "squared_shares",
    "equal_losses": "squared_losses",
}
OTHERS = tuple(SQUARES)[1:]
ALONE: dict[str, Any] = {"allocation.objectives": []}


def one_sector(reference: list[float], emissions: list[float], target: float, **keys: Any) -> etsopt.Instance:
    """Units of one sector in a wide band, whose allowances are 0.95 of emissions in all or another target."""
    units = pd.DataFrame(
        {
            "unit_id": [f"u{k}" for k in range(len(reference))],
            "enterprise_id": [f"e{k}" for k in range(len(reference))],
            "sector": "cement",
            "province": "North",
            "emissions_tco2e": emissions,
            "reference_t": reference,
        }
    )
    sector = {"band": 0.9, "target_t": target, "target_sense": "exactly"}
    policy = {"year": 2025, "rule": {"name": "given"}, "sectors": {"cement": sector}}
    return etsopt.Instance.from_frames(units, policy | {"allocation": {"objectives": [], **keys}})


def allowances(instance: etsopt.Instance) -> np.ndarray:
    result = etsopt.solve(instance)
    assert result.status == "certified_optimal"
    assert [level.name for level in result.levels][-1] == SQUARES[instance.policy.allocation.tie_break]
    return result.tables["allocation"]["allowance_t"].to_numpy()


@pytest.mark.parametrize(
    ("tie_break", "expected"),
    [
        # 1,200 t of reference are cut by 120: by 30, 30, 60 in proportion to emissions of 300, 300, 600;
        ("least_squares", [270.0, 370.0, 440.0]),
        # to 0.9 t for each of these 1,200 t;
        ("equal_rates", [270.0, 270.0, 540.0]),
        # by a tenth of each reference; by 40 t of each.
        ("proportional", [270.0, 360.0, 450.0]),
        ("equal_losses", [260.0, 360.0, 460.0]),
    ],
)
def test_with_one_total_each_tie_break_is_its_rule(tie_break: str, expected: list[float]) -> None:
    instance = one_sector([300.0, 400.0, 500.0], [300.0, 300.0, 600.0], 1080.0, tie_break=tie_break)
    assert allowances(instance) == pytest.approx(expected, abs=1e-6)


def test_equal_losses_end_at_the_band_of_a_small_unit() -> None:
    """A unit of 10 t keeps a tenth of its emissions, and the others lose 40.5 t each."""
    instance = one_sector([10.0, 400.0, 500.0], [10.0, 300.0, 600.0], 820.0, tie_break="equal_losses")
    assert allowances(instance) == pytest.approx([1.0, 359.5, 459.5], abs=1e-6)


def test_a_unit_without_reference_counts_as_a_thousandth_of_its_emissions() -> None:
    """Weights are 0.3, 400 and 500: the target adds 90.03 t, a tenth of each; the second is down to it from below."""
    instance = one_sector([0.0, 400.0, 500.0], [300.0, 300.0, 600.0], 990.03, tie_break="proportional")
    sector = instance.policy.model_dump(mode="json", exclude_none=True)
    sector["sectors"]["cement"]["band"] = 1.0
    loose = etsopt.Instance.from_frames(instance.units, sector)
    assert LEAST_REFERENCE_SHARE == 1e-3
    assert allowances(loose) == pytest.approx([0.03, 440.0, 550.0], abs=1e-6)


@pytest.mark.everyday(
    "{}-equal_rates",
    "{'allocation.objectives': []}-proportional",
    "{'allocation.objectives': [], 'allocation.integer_allowances': True}-equal_losses",
)
@pytest.mark.parametrize("tie_break", OTHERS)
@pytest.mark.parametrize("keys", [{}, ALONE, {**ALONE, "allocation.integer_allowances": True}], ids=str)
def test_each_tie_break_is_certified_on_the_nation(tie_break: str, keys: dict[str, Any]) -> None:
    instance = etsopt.read("cn-2025").with_policy({"allocation.tie_break": tie_break, **keys})
    result = etsopt.solve(instance)
    assert result.status == "certified_optimal"
    report = run.check(instance, result)
    assert report.levels[-1].name == SQUARES[tie_break]
    if "allocation.integer_allowances" not in keys:
        distance = report.levels[-1].distance_t
        assert distance is not None
        assert distance < 0.5


@pytest.mark.everyday(
    "{}-equal_rates",
    "{'integer_allowances': True}-proportional",
    "{'intensity_order': True}-equal_losses",
    "{'intensity_order': True, 'integer_allowances': True}-equal_rates",
    "{'band_on': 'enterprise', 'objectives': ['spread']}-proportional",
    "{'exceptions': {'units': 2, 'lower': 0.1, 'upper': 0.1}}-equal_losses",
)
@pytest.mark.parametrize("tie_break", OTHERS)
@pytest.mark.parametrize(
    "way",
    [
        {},
        {"integer_allowances": True},
        {"intensity_order": True},
        {"intensity_order": True, "integer_allowances": True},
        {"band_on": "enterprise", "objectives": ["spread"]},
        {"exceptions": {"units": 2, "lower": 0.1, "upper": 0.1}},
    ],
    ids=str,
)
def test_random_instances_are_certified(tie_break: str, way: dict[str, Any]) -> None:
    for seed in range(3):
        result = etsopt.solve(random_instance(seed, 24, tie_break=tie_break, **way))
        assert result.status in ("certified_optimal", "certified_rounded"), (seed, result.status)


@pytest.mark.everyday("{}-equal_rates", "{'integer_allowances': True}-proportional")
@pytest.mark.parametrize("tie_break", OTHERS)
@pytest.mark.parametrize("way", [{}, {"integer_allowances": True}], ids=str)
def test_cells_and_units_agree(tie_break: str, way: dict[str, Any]) -> None:
    for seed in range(3):
        instance = random_instance(seed, 40, tie_break=tie_break, **way)
        direct, cells = (
            etsopt.solve(instance, method=method).tables["allocation"]["allowance_t"].to_numpy()
            for method in ("direct", "aggregation")
        )
        assert cells == pytest.approx(direct, abs=1e-3)


@pytest.mark.parametrize("tie_break", SQUARES)
def test_no_allocation_inside_the_limits_has_a_smaller_sum(tie_break: str) -> None:
    """Tonnes that move between two units of a province and sector, inside their bands, never lessen the sum."""
    instance = etsopt.read("cn-2025").with_policy({"allocation.tie_break": tie_break, **ALONE})
    table = etsopt.solve(instance).tables["allocation"]
    table = table[table["at_bound"] == ""].reset_index(drop=True)
    e, r, a = (table[name].to_numpy() for name in ("emissions_tco2e", "reference_t", "allowance_t"))
    weight = {"proportional": r, "equal_losses": np.full(len(e), e.mean())}.get(tie_break, e)
    steepness = 2 * (a - (e if tie_break == "equal_rates" else r)) / weight
    # All units of a sector and province that no band holds share one multiplier.
    for rows in table.groupby(["sector", "province"]).groups.values():
        assert np.ptp(steepness[rows]) < 1e-6


@pytest.mark.everyday("equal_rates")
@pytest.mark.everyday("equal_rates")
@pytest.mark.parametrize("tie_break", OTHERS)
def test_forged_multipliers_only_widen_the_gap(tie_break: str) -> None:
    instance = etsopt.read("tiny").with_policy({"allocation.tie_break": tie_break})
    result, rng = etsopt.solve(instance), np.random.default_rng(1)
    level, duals = SQUARES[tie_break], result.tables["duals"]
    honest = run.check(instance, result).levels[-1]
    assert honest.certified
    own = duals["level"] == level
    assert own.any()
    for _ in range(50):
        factor = np.where(own, rng.uniform(-2, 3, len(duals)), 1.0)
        forged = duals.assign(multiplier=duals["multiplier"] * factor)
        found = run.check(instance, replace(result, tables=result.tables | {"duals": forged})).levels[-1]
        assert found.gap >= honest.gap
        assert not found.certified
        assert found.value == honest.value


@pytest.mark.parametrize("tie_break", OTHERS)
def test_the_tie_break_of_another_policy_proves_nothing(tie_break: str) -> None:
    """Neither its objective nor its allowances pass under a policy that asks for another one."""
    instance = etsopt.read("tiny")
    other = etsopt.solve(instance.with_policy({"allocation.tie_break": tie_break, **ALONE}))
    report = run.check(instance.with_policy(ALONE), other)
    assert "levels" in {broken.rule for broken in report.violations}
    assert not report.certified


@pytest.mark.parametrize(
    ("tie_break", "ignores_owners"), [("proportional", True), ("equal_rates", True), ("equal_losses", False)]
)
def test_only_equal_losses_reward_who_splits_a_unit(tie_break: str, ignores_owners: bool) -> None:
    whole = one_sector([300.0, 400.0, 500.0], [300.0, 300.0, 600.0], 1080.0, tie_break=tie_break)
    halves = one_sector([300.0, 400.0, 250.0, 250.0], [300.0, 300.0, 300.0, 300.0], 1080.0, tie_break=tie_break)
    before, after = allowances(whole), allowances(halves)
    assert (abs(after[2:].sum() - before[2]) < 1e-6) == (tie_break != "equal_losses")


def test_a_curve_is_refused_by_name() -> None:
    instance = etsopt.read("tiny").with_policy({"allocation.tie_break": "proportional"})
    with pytest.raises(etsopt.UsageError, match="another tie-break"):
        etsopt.curve(instance, {"sectors.cement.target_change": (-0.01, 0.0)})


@pytest.mark.parametrize("tie_break", SQUARES)
def test_an_explanation_adds_up_to_the_move(tie_break: str) -> None:
    instance = etsopt.read("tiny").with_policy({"allocation.tie_break": tie_break, **ALONE})
    result = etsopt.solve(instance)
    row = result.tables["allocation"].set_index("unit_id").loc["south-1"]
    steps = {step.key: step.value for _name, part in explain(instance, result.tables, "south-1").parts for step in part}
    moved = [steps.get(key) or 0.0 for key in ("sector_target", "province_balance", "held_back")]
    assert sum(moved) == pytest.approx(row["allowance_t"] - row["reference_t"], abs=0.02)
    if tie_break != "equal_rates":
        # Without earlier objectives limits alone move it; equal rates move it before any limit does.
        assert steps.get("held_back") is None


def test_the_default_leaves_the_hash_of_an_instance_as_it_was() -> None:
    instance = etsopt.read("tiny")
    stated = instance.with_policy({"allocation.tie_break": "least_squares"})
    assert stated.hash == instance.hash
    assert len({instance.with_policy({"allocation.tie_break": name}).hash for name in SQUARES}) == 4


@pytest.mark.everyday("equal_rates")
@pytest.mark.parametrize("tie_break", OTHERS)
def test_no_forgery_is_certified_beyond_the_truth(tie_break: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of the other tie-breaks, in the words of any, with each claim deleted, swapped or made to agree."""
    others = tuple({"allocation.tie_break": name} for name in SQUARES if name != tie_break)
    case = forging.Case(lambda: random_instance(2, 24, tie_break=tie_break), "allocation", others)
    monkeypatch.setitem(forging.CASES, tie_break, case)
    for number in range(60):
        results = forging.forged(tie_break, np.random.default_rng([37, number]))
        verdict = forging.passes(tie_break, results)
        assert verdict is None or not forging.untrue(tie_break, results, verdict), number
