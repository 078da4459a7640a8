"""Certificates cannot be forged: a multiplier of any size proves nothing false, and what is told by hand is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation.duals import KEPT
from etsopt.running import run
from tests.builders import given, moved, random_instance
from tests.judging import check

if TYPE_CHECKING:
    from etsopt.checking import Verdict
    from etsopt.running.results.results import Results

MILLION = 1_000_000.0
ANY_SIZE = (1.0, -1.0, 1e9, -1e9, 1e16, -1e16, 1e22, -1e22, 1e300, -1e300)


@dataclass(frozen=True)
class Stated:
    """A level as a result states it."""

    name: str
    value: float


def with_duals(tables: dict[str, pd.DataFrame], *lines: tuple[str, str, str, float, str]) -> dict[str, pd.DataFrame]:
    """The tables with other multipliers, and prices that agree with them."""
    duals = pd.DataFrame(lines, columns=["level", "row", "index", "multiplier", "unit"])
    changed = tables | {"duals": duals}
    for name, key, row in (("sectors", "sector", "sector_target"), ("provinces", "province", "province_balance")):
        table = tables[name].drop(columns=[column for column in tables[name] if column.endswith("_shadow_price")])
        for level in dict.fromkeys(duals["level"]):
            here = duals[(duals["level"] == level) & (duals["row"] == row)]
            prices = table[key].map(dict(zip(here["index"], here["multiplier"], strict=True))).fillna(0.0)
            limit = table["target_t" if name == "sectors" else "balance_limit_t"]
            table[f"{level}_shadow_price"] = prices.where(limit.notna())
        changed[name] = table
    return changed


def restated(instance: etsopt.Instance, tables: dict[str, pd.DataFrame], names: list[str]) -> Verdict:
    """Check with every level stated as the allowances have it."""
    first = check(instance, tables, [Stated(name, 0.0) for name in names])
    return check(instance, tables, [Stated(level.name, level.value) for level in first.levels])


def two_cement_lines(sectors: dict[str, Any], rows: list[Any], **allocation: Any) -> etsopt.Instance:
    """Two lines that both want 2 % more, which their target allows, and units of steel."""
    cement = [(name, name, "cement", "p", MILLION, 1.02 * MILLION) for name in "ab"]
    target = {"cement": {"target_change": 0.02, "band": 0.03}}
    policy = {"sectors": target | sectors, "allocation": {"objectives": ["change"], **allocation}}
    return given([*cement, *rows], policy, output_t=[1.2 * MILLION, 1.3 * MILLION, *[1e4] * len(rows)])


def shifted(instance: etsopt.Instance) -> tuple[Results, dict[str, pd.DataFrame]]:
    """A right result, and its tables with 30,000 t moved away from where nothing had to change."""
    result = etsopt.solve(instance)
    assert result.certified
    return result, moved(instance, result, {"a": -20_000.0, "b": -10_000.0})


def in_order() -> etsopt.Instance:
    steel = [("s1", "s1", "steel", "p", 30_004.0, 30_004.0), ("s2", "s2", "steel", "p", 30_000.0, 30_000.0)]
    return two_cement_lines({"steel": {"band": 0.0}}, steel, intensity_order=True)


@pytest.mark.everyday("-1e+22")
@pytest.mark.parametrize("size", ANY_SIZE)
def test_a_multiplier_of_any_size_makes_no_change_the_least(size: float) -> None:
    """A rounded quotient times 1e22 is 30,000 t and more."""
    instance = in_order()
    _, tables = shifted(instance)
    order = [
        (level, "intensity_order", "s1", size, f"t/{unit}")
        for level, unit in (("change", "rate"), ("least_squares", "rate"))
    ]
    report = restated(instance, with_duals(tables, *order), ["change", "least_squares"])
    assert [level.certified for level in report.levels] == [False, False]
    assert report.levels[0].gap == pytest.approx(30_000.0)


@pytest.mark.parametrize("size", ANY_SIZE)
def test_a_multiplier_of_any_size_makes_no_feasible_instance_infeasible(size: float) -> None:
    lines = [("target_relaxation", "intensity_order", "s1", size, "t/rate")]
    duals = pd.DataFrame(lines, columns=["level", "row", "index", "multiplier", "unit"])
    report = check(in_order(), {"duals": duals}, ())
    assert report.tolerated
    assert not report.certified
    assert report.infeasible_by_t == 0


@pytest.mark.everyday("-1.0", "-1e+22", "-1e+300")
@pytest.mark.parametrize("size", ANY_SIZE)
def test_a_limit_that_is_missed_as_is_tolerated_proves_nothing(size: float) -> None:
    """The target of steel lies 8 kg below its band: no allocation keeps it, and one that is let off is no better."""
    steel = {"steel": {"target_t": 96_999.992, "band": 0.03}}
    instance = two_cement_lines(steel, [("s1", "s1", "steel", "p", 100_000.0, 100_000.0)])
    result, tables = shifted(instance)
    assert result.levels[0].value == pytest.approx(3_000.0, abs=2e-2)
    for multiplier in (size, -3_750_000.0026 * np.sign(size)):
        prices = [(level, "sector_target", "steel", multiplier, "t/t") for level in ("change", "least_squares")]
        report = restated(instance, with_duals(tables, *prices), ["change", "least_squares"])
        assert report.levels[0].value == pytest.approx(33_000.0, abs=2e-2)
        assert [level.certified for level in report.levels] == [False, False]
        # What is missed is told, within what is let off.
        assert report.misses_t is not None
        assert 8e-3 <= report.misses_t <= 2e-2


def test_no_instance_has_both_an_answer_and_a_proof_that_there_is_none() -> None:
    """Where less lacks than an answer is let off with, infeasibility is not certified; with far less, an answer is."""
    optimal, unproven, proven = "certified_optimal", "infeasible_unproven", "infeasible_certified"
    for lacks_t, status in (
        (0.0, optimal),
        (8e-3, optimal),
        (0.018, optimal),
        (0.0205, unproven),
        (0.03, proven),
        (10.0, proven),
    ):
        steel = {"steel": {"target_t": 97_000.0 - lacks_t, "band": 0.03}}
        instance = two_cement_lines(steel, [("s1", "s1", "steel", "p", 100_000.0, 100_000.0)])
        result = etsopt.solve(instance)
        assert result.status == status
        lines = [("target_relaxation", "sector_target", "steel", -1.0, "t/t")]
        duals = pd.DataFrame(lines, columns=["level", "row", "index", "multiplier", "unit"])
        report = check(instance, result.tables | {"duals": duals} if status == proven else {"duals": duals}, ())
        assert report.certified is (status == proven)
        assert report.tolerated is not (status == proven)


def test_an_answer_ten_tonnes_away_is_told_to_be_no_further() -> None:
    """With equal lines the last step loses 2 (10 t)²/E, so no line is further than the root of twice a hundred."""
    rows = [(name, name, "cement", "p", MILLION, MILLION) for name in "abc"]
    instance = given(
        rows, {"sectors": {"cement": {"band": 0.1, "target_change": -0.01}}, "allocation": {"objectives": []}}
    )
    result = etsopt.solve(instance)
    assert result.distance_t is not None
    assert result.distance_t < 1e-3
    report = restated(instance, moved(instance, result, {"a": -10.0, "b": 10.0}), ["least_squares"])
    assert report.levels[0].gap == pytest.approx(2 * 10.0**2 / MILLION)
    assert report.levels[0].distance_t == pytest.approx(sqrt(200.0))


@pytest.mark.parametrize("size", [1e9, 1e300, 1.7e308])
def test_multipliers_that_overflow_prove_no_number_of_exceptions(size: float) -> None:
    """One exception of four does; at infinite pulls nothing is proven of fewer than three."""
    rows = [(name, name, "cement", "p", MILLION, MILLION) for name in "abcd"]
    exceptions = {"units": 3, "lower": 0.5, "upper": 0.5}
    policy = {
        "sectors": {"cement": {"band": 0.03, "target_change": -0.035}},
        "provinces": {"balance": 0.5},
        "allocation": {"objectives": [], "exceptions": exceptions},
    }
    instance = given(rows, policy)
    result = etsopt.solve(instance)
    assert result.certified
    assert result.levels[0].value == 1
    tables = moved(instance, result, lambda allowance: allowance * 0.0 + [963_333.3, 963_333.3, 963_333.4, 970_000.0])
    tables["allocation"]["exceptional"] = [True, True, True, False]
    tables["allocation"]["at_bound"] = ["", "", "", "lower"]
    names = [level.name for level in result.levels]
    lines = [
        (name, row, index, -size, f"{unit}/t")
        for name, unit in (("exceptions", "units"), ("exception_size", "t"), ("exception_order", "places"))
        for row, index in (("sector_target", "cement"), ("province_balance", "p"))
    ]
    report = restated(instance, with_duals(tables, *lines), names)
    assert report.levels[0].value == 3
    assert not report.levels[0].certified


def test_a_total_that_rounding_brings_to_its_limit_is_looked_at_to_the_last_digit() -> None:
    """Half a last place of 2.5e9 t is 2e-7 t: what is let off counts the total itself, not the number next to it."""
    rows = [(name, name, "cement", "p", 5e8, 5e8) for name in "abcde"]
    for beyond in np.linspace(0.0199999, 0.0200004, 12):
        target = 5 * 5e8 - 5e-3 - float(beyond)
        instance = given(
            rows, {"sectors": {"cement": {"band": 0.0, "target_t": target}}, "allocation": {"objectives": []}}
        )
        allowances = np.full(5, 5e8 - 1e-3)
        free = {f"{name}": float(a - 5e8) for name, a in zip("abcde", allowances, strict=True)}
        result = etsopt.solve(instance.with_policy({"sectors.cement.target_t": 5 * 5e8}))
        tables = moved(instance, replace(result, tables=result.tables), free)
        answered = not restated(instance, with_duals(tables), ["least_squares"]).violations
        lines = [("target_relaxation", "sector_target", "cement", -1.0, "t/t")]
        duals = pd.DataFrame(lines, columns=["level", "row", "index", "multiplier", "unit"])
        assert not (answered and not check(instance, {"duals": duals}, ()).tolerated)


def test_what_a_run_says_of_misses_and_distance_is_compared() -> None:
    instance = given(
        [("a", "a", "cement", "p", MILLION, MILLION)],
        {"sectors": {"cement": {"band": 0.03, "target_t": 970_000.0 - 0.018}}, "allocation": {"objectives": []}},
    )
    result = etsopt.solve(instance)
    assert result.certified
    assert result.misses_t == pytest.approx(0.018, abs=2e-3)
    for name in ("misses_t", "distance_t"):
        false = replace(result, misses_t=0.0) if name == "misses_t" else replace(result, distance_t=5.0)
        found = run.check(instance, false).violations
        assert [violation.where for violation in found] == [name]


# Multipliers of held levels.


def solved() -> tuple[etsopt.Instance, Results]:
    instance = random_instance(0, 24, objectives=["deficit", "change", "spread"], band_on="unit")
    result = etsopt.solve(instance)
    assert result.certified
    return instance, result


def kept_of(result: Results) -> pd.DataFrame:
    duals = result.tables["duals"]
    return duals[duals["row"] == KEPT]


def test_what_holding_a_level_costs_is_stated_and_needed() -> None:
    instance, result = solved()
    kept = kept_of(result)
    assert len(kept)
    assert (kept["multiplier"] < 0).all()
    report = check(instance, result.tables, result.levels)
    assert report.kept == {}
    # One multiplier that is stated keeps the checker from looking for the others.
    duals = result.tables["duals"]
    without = duals.drop(index=kept.index[1:]) if len(kept) > 1 else duals.assign(multiplier=0.0)
    assert not check(instance, result.tables | {"duals": without}, result.levels).certified


def test_a_run_that_does_not_state_them_is_proven_all_the_same() -> None:
    instance, result = solved()
    duals = result.tables["duals"].drop(index=kept_of(result).index)
    report = check(instance, result.tables | {"duals": duals}, result.levels)
    assert report.certified
    assert report.kept is not None
    assert len(report.kept) == len(kept_of(result))


@pytest.mark.parametrize("times", [-1.0, 0.0, 1e3, 1e12, 1e300])
def test_a_false_multiplier_of_a_held_level_makes_the_gap_large_and_nothing_else(times: float) -> None:
    instance, result = solved()
    right = check(instance, result.tables, result.levels)
    duals = result.tables["duals"].copy()
    duals.loc[duals["row"] == KEPT, "multiplier"] *= times
    report = check(instance, result.tables | {"duals": duals}, result.levels)
    assert not report.certified
    for false, true in zip(report.levels, right.levels, strict=True):
        assert false.value == true.value
        assert false.bound <= true.bound + true.tolerance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda duals: pd.concat([duals, duals[duals["row"] == "sector_target"].head(1)]), "it is stated once"),
        (lambda duals: duals.assign(row=duals["row"].replace("sector_target", "nonsense")), "one of the program"),
        (lambda duals: duals.assign(index=duals["index"].replace("cement", "nonsense")), "one of the program"),
        (lambda duals: duals.assign(index=duals["index"].replace("deficit", "least_squares")), "one of the program"),
    ],
)
def test_a_multiplier_is_of_a_row_of_the_program_and_stated_once(change: Any, message: str) -> None:
    instance, result = solved()
    duals = change(result.tables["duals"]).reset_index(drop=True)
    report = check(instance, result.tables | {"duals": duals}, result.levels)
    assert any(violation.rule == "duals" and message in violation.message for violation in report.violations)


def test_numbers_are_rounded_as_the_proofs_take_for_granted() -> None:
    """To the nearest, ties to even, and what is small is not flushed to zero."""
    one, ulp = np.array([1.0]), 2.0**-52
    assert (one + ulp / 2)[0] == 1.0
    assert (one + 1.5 * ulp / 2)[0] == 1.0 + ulp
    assert (one * np.nextafter(0.0, 1.0))[0] > 0
    assert np.add.reduceat(np.array([1.0, ulp / 2, ulp / 2]), [0])[0] in (1.0, 1.0 + ulp)
