"""Whole allowances in a fair order: by hand, against every rounding of tiny instances, and each way to spoil one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError
from etsopt.modelling.solving import levels
from etsopt.modelling.solving.solution import Solution, Termination
from etsopt.running import solve_task
from etsopt_models._allocation.tables import allocation_tables
from tests import oracle
from tests.builders import allowances, given, random_instance, random_policy, random_units
from tests.judging import check
from tests.whole_oracle import fair_tiny, nearest_rounding

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.running.results.results import Results

BOTH = {"allocation.intensity_order": True, "allocation.integer_allowances": True}


def solve(instance: etsopt.Instance) -> Results:
    result = etsopt.solve(instance)
    assert result.status == "certified_rounded", (result.status, result.violations, result.levels)
    assert result.certified
    whole = allowances(result)
    assert (whole == np.round(whole)).all()
    return result


def before(result: Results) -> pd.Series[float]:
    """Real allowances by unit."""
    return result.tables["allocation"].set_index("unit_id")["before_rounding_t"]


def two(target_t: float, sense: str = "at_most", **more: Any) -> etsopt.Instance:
    """The first unit is the better one and has the worse reference: 10 % below emissions, not 2.5 % above."""
    rows = [("a", "a", "cement", "North", 100.0, 90.0), ("b", "b", "cement", "North", 300.0, 307.6)]
    policy = {
        "sectors": {"cement": {"band": 0.15, "target_t": target_t, "target_sense": sense}},
        "allocation": {"intensity_order": True, "integer_allowances": True, "objectives": [], **more},
    }
    return given(rows, policy, output_t=[125.0, 333.0])


# By hand.


def test_the_order_is_exact_in_rates_and_then_each_unit_gets_the_nearest_tonne() -> None:
    # With one rate r for both, 100 (r - 0.9)² + 300 (r - 307.6/300)² is least at r = (90 + 307.6)/400 = 0.994.
    result = solve(two(420))
    assert before(result).tolist() == pytest.approx([99.4, 298.2], abs=1e-9)
    assert allowances(result).to_dict() == {"a": 99, "b": 298}
    assert result.rounded_by_t == pytest.approx(0.4)
    assert result.levels[-1].name == "rounding"
    assert result.levels[-1].value == pytest.approx(0.4**2 + 0.2**2)
    # The whole tonnes themselves are not in order any more: -1 % is below -0.67 %.
    rates = result.tables["allocation"]["surplus_rate"]
    assert rates[0] < rates[1]


def test_a_target_that_is_met_exactly_sends_the_tonne_to_the_largest_remainder() -> None:
    # 100 r + 300 r = 397 gives 99.25 and 297.75.
    result = solve(two(397, "exactly"))
    assert before(result).tolist() == pytest.approx([99.25, 297.75])
    assert allowances(result).to_dict() == {"a": 99, "b": 298}


def test_the_target_is_rounded_inward_for_the_whole_tonnes_alone() -> None:
    # Real: 400 r = 396.9, so 99.225 and 297.675. Whole: 396, as 99 and 297 for 0.225² + 0.675²; 98 and 298 cost more.
    result = solve(two(396.9))
    assert before(result).tolist() == pytest.approx([99.225, 297.675])
    assert allowances(result).to_dict() == {"a": 99, "b": 297}
    assert result.rounded_by_t == pytest.approx(0.675)


def test_a_band_is_rounded_inward_for_the_whole_tonnes_alone() -> None:
    # 10 % below 105 t are 94.5 t; the nearest whole tonnes below would leave the band.
    policy = {
        "sectors": {"cement": {"band": 0.1, "target_t": 97.0}},
        "allocation": {"intensity_order": True, "integer_allowances": True, "objectives": []},
    }
    result = solve(given([("a", "a", "cement", "North", 105.0, 90.0)], policy, output_t=[100.0]))
    assert before(result).tolist() == pytest.approx([94.5])
    assert allowances(result).tolist() == [95]
    assert result.tables["allocation"]["at_bound"].tolist() == ["lower"]


@pytest.mark.parametrize(("target_t", "lacks_t"), [(94.0, 0.5), (94.9, 1.0)])
def test_what_lacks_is_proven_whether_real_or_whole_allowances_lack(target_t: float, lacks_t: float) -> None:
    # Between 94.5 t, the end of the band, and 94.9 t there are real allowances and no whole ones.
    policy = {"sectors": {"cement": {"band": 0.1, "target_t": target_t}}, "allocation": {}}
    rows = [("a", "a", "cement", "North", 105.0, 105.0)]
    instance = given(rows, policy, output_t=[100.0]).with_policy(BOTH)
    result = etsopt.solve(instance)
    assert (result.status, result.rounded_by_t) == ("infeasible_certified", None)
    assert result.infeasible_by_t == pytest.approx(lacks_t)
    assert not etsopt.check(instance, result).violations


# Against every rounding.


@pytest.mark.nightly
@pytest.mark.parametrize("band_on", ["unit", "enterprise"])
def test_the_whole_tonnes_are_the_nearest_of_all_that_keep_every_limit(band_on: str) -> None:
    rounded = 0
    for seed in range(60 if band_on == "unit" else 40):
        instance = fair_tiny(seed, band_on)
        result = etsopt.solve(instance)
        if result.termination == "infeasible":
            assert result.status == "infeasible_certified"
            continue
        assert result.status == "certified_rounded"
        value, whole = nearest_rounding(instance, before(result))
        assert result.levels[-1].value == pytest.approx(value, abs=1e-9)
        assert result.levels[-1].certified
        assert allowances(result).tolist() == whole
        rounded += 1
    assert rounded > 15


@pytest.mark.nightly
def test_the_real_answer_is_that_of_an_independent_method() -> None:
    compared = 0
    for seed in range(20):
        instance = fair_tiny(seed)
        result = etsopt.solve(instance)
        if result.termination == "infeasible":
            continue
        order = instance.policy.allocation.objectives
        values, allowance = oracle.extrapolated(instance, list(order), 1e-4)
        for level, best in zip(result.levels, values, strict=False):
            assert level.value == pytest.approx(best, rel=1e-6, abs=1e-2 if level.unit == "t" else 1e-4)
        assert before(result).to_numpy() == pytest.approx(allowance, abs=0.1)
        compared += 1
    assert compared > 8


# What holds whatever the numbers.

WAYS: list[dict[str, Any]] = [
    {},
    {"objectives": ["largest_change", "deficit", "change", "spread"]},
    {"band_on": "enterprise"},
]


@pytest.mark.nightly
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_answer_before_rounding_is_that_without_whole_allowances(way: dict[str, Any]) -> None:
    for seed in range(6):
        instance = random_instance(seed, intensity_order=True, integer_allowances=True, **way)
        result, real = solve(instance), etsopt.solve(instance.with_policy({"allocation.integer_allowances": False}))
        assert before(result).to_numpy() == pytest.approx(allowances(real).to_numpy(), abs=0)
        assert [level.name for level in result.levels] == [*(level.name for level in real.levels), "rounding"]
        assert result.levels[:-1] == real.levels
        table = result.tables["allocation"]
        assert result.rounded_by_t == (table["allowance_t"] - table["before_rounding_t"]).abs().max() < 1
        # Units outside the scope of the year have no emissions and stand in no order.
        ordinary = (table["at_bound"] != "fixed") & (table["emissions_tco2e"] > 0)
        for _, group in table[ordinary].groupby("sector"):
            ordered = group.sort_values("intensity", kind="stable")
            rate = (ordered["before_rounding_t"] / ordered["emissions_tco2e"]).to_numpy()
            assert (rate[:-1] >= rate[1:] - 1e-8).all()


@pytest.mark.nightly
def test_another_order_of_rows_changes_nothing() -> None:
    for seed in range(6):
        units = random_units(seed, 14)
        policy = random_policy(seed, units, intensity_order=True, integer_allowances=True)
        one = solve(etsopt.Instance.from_frames(units, policy))
        shuffled = units.sample(frac=1, random_state=seed).reset_index(drop=True)
        other = solve(etsopt.Instance.from_frames(shuffled, policy))
        assert allowances(other).equals(allowances(one))


def test_the_rows_that_pyomo_builds_give_the_same_answer() -> None:
    instance = random_instance(1, intensity_order=True, integer_allowances=True)
    reference = etsopt.solve(instance, method="pyomo")
    assert reference.status == "certified_rounded"
    assert allowances(reference).equals(allowances(solve(instance)))


@pytest.mark.everyday("tiny")
@pytest.mark.parametrize("name", ["cn-2025", "tiny"])
def test_shipped_instances_are_solved_and_their_runs_checked(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_folder = str(tmp_path / "run")
    sets = [word for key in BOTH for word in ("--set", f"{key}=true")]
    assert main(["solve", name, *sets, "--out", run_folder]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "certified optimal before rounding to whole tonnes" in shown
    assert "no unit moves by more than" in shown
    assert main(["check", run_folder]) == 0
    loaded = etsopt.load(run_folder)
    assert loaded.status == "certified_rounded"
    assert loaded.rounded_by_t is not None
    assert loaded.rounded_by_t < 1


def test_a_solve_that_stops_before_it_rounds_holds_the_real_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    whole_solve = levels.solve_levels

    def stopping(program: Any, names: list[str], *more: Any) -> Solution:
        stops = names == ["rounding"]
        return Solution(Termination.TIME_LIMIT, {}, ()) if stops else whole_solve(program, names, *more)

    monkeypatch.setattr(solve_task, "solve_levels", stopping)
    instance = random_instance(2, intensity_order=True, integer_allowances=True)
    result = etsopt.solve(instance)
    assert (result.termination, result.status, result.certified) == ("time_limit", "feasible", False)
    assert not result.violations
    assert result.rounded_by_t is None
    assert (allowances(result) == before(result)).all()
    assert not etsopt.check(instance, result).violations


# What is spoilt is found.


def spoilt(instance: etsopt.Instance, result: Results, whole: dict[str, float], real: dict[str, float]) -> Results:
    """The result with some allowances moved after and before rounding, and all that follows from them."""
    moved, before_moved = allowances(result), before(result).copy()
    for table, moves in ((moved, whole), (before_moved, real)):
        for unit, tonnes in moves.items():
            table[unit] += tonnes
    tables = allocation_tables(instance, moved.to_numpy(), [], None, before_moved.to_numpy())
    for name, key in (("sectors", "sector"), ("provinces", "province")):
        prices = [column for column in result.tables[name] if column.endswith("_shadow_price")]
        tables[name] = tables[name].merge(result.tables[name][[key, *prices]], on=key)
    return replace(result, tables=tables | {"duals": result.tables["duals"]})


def without_column(result: Results) -> Results:
    table = result.tables["allocation"].drop(columns="before_rounding_t")
    return replace(result, tables=result.tables | {"allocation": table})


FAIR = two(397, "exactly")

WRONG: dict[str, tuple[Any, set[str]]] = {
    "other whole tonnes that keep every limit": (
        lambda result: spoilt(FAIR, result, {"a": 1, "b": -1}, {}),
        {"level_is_kept"},
    ),
    "a tonne too much": (lambda result: spoilt(FAIR, result, {"a": 1}, {}), {"sector_target", "level_is_kept"}),
    "a part of a tonne": (
        lambda result: spoilt(FAIR, result, {"a": 0.25, "b": -0.25}, {}),
        {"integer_allowances", "level_is_kept"},
    ),
    "real allowances out of order": (
        lambda result: spoilt(FAIR, result, {}, {"a": -0.1, "b": 0.1}),
        {"intensity_order", "level_is_kept"},
    ),
    "real allowances beyond the target": (
        lambda result: spoilt(FAIR, result, {}, {"a": 0.1}),
        {"sector_target", "level_is_kept"},
    ),
    "no real allowances": (without_column, {"tables"}),
    "a smaller move is claimed": (lambda result: replace(result, rounded_by_t=0.1), {"claim"}),
    "no move is claimed": (lambda result: replace(result, rounded_by_t=None), {"claim"}),
    "the whole tonnes are called optimal": (lambda result: replace(result, status="certified_optimal"), {"claim"}),
    "the rounding is left out": (lambda result: replace(result, levels=result.levels[:-1]), {"not_moved", "claim"}),
    "a nearer rounding is claimed": (
        lambda result: replace(result, levels=(*result.levels[:-1], replace(result.levels[-1], value=0.1))),
        {"level_is_kept"},
    ),
}


@pytest.mark.everyday("no real allowances")
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_rounded_result_is_found(what: str) -> None:
    result = solve(FAIR)
    change, rules = WRONG[what]
    report = etsopt.check(FAIR, change(result))
    assert rules <= {violation.rule for violation in report.violations}
    assert not report.certified


def test_whole_tonnes_that_are_not_proven_to_be_nearest_are_certified_by_their_moves() -> None:
    # Without its prices nothing proves the rounding; that it keeps the limits and how far it is are plain to see.
    instance = two(396.9)
    result = solve(instance)
    duals = result.tables["duals"]
    assert (duals["level"] == "rounding").any()
    sectors = result.tables["sectors"].assign(rounding_shadow_price=0.0)
    tables = result.tables | {"duals": duals[duals["level"] != "rounding"], "sectors": sectors}
    report = check(instance, tables, result.levels)
    assert [level.certified for level in report.levels] == [True, False]
    assert (report.violations, report.certified, report.status) == ((), True, "certified_rounded")
    assert report.rounded_by_t == pytest.approx(0.675)


def test_exceptions_beside_both_are_refused() -> None:
    with pytest.raises(
        DataError, match="states intensity_order, integer_allowances and exceptions, but rounding may need other"
    ):
        two(400, exceptions={"units": 1})
