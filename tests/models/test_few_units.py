"""Instances with one unit to a sector, to an enterprise or at all, and with none that is not fixed."""

from __future__ import annotations

from typing import Any

import pytest

import etsopt
from tests.builders import allowances, given
from tests.whole_oracle import OBJECTIVES

ORDERS = [*([level] for level in OBJECTIVES), [], list(OBJECTIVES), list(OBJECTIVES)[::-1]]

Row = tuple[str, str, str, str, float, float]


def unit(name: str, sector: str, emissions: float, reference: float, enterprise: str = "") -> Row:
    return (name, enterprise or name, sector, "North", emissions, reference)


# Sectors lose 2 %, the nation 2 % of all: one unit of 100 t gets 98, one of 50 t gets 49 and one of 70 t 68.6 or 68.
ALONE = [unit("a", "cement", 100.0, 101.0)]
EACH = [*ALONE, unit("b", "steel", 50.0, 49.0), unit("c", "aluminium", 70.0, 70.0)]
TOGETHER = [unit("a", "cement", 100.0, 101.0, "x"), unit("b", "steel", 50.0, 49.0, "x")]
FIXED = [unit("a", "cement", 100.0, 100.0), unit("b", "steel", 50.0, 50.0)]
NOTHING = [unit("a", "cement", 0.0, 0.0), unit("b", "cement", 50.0, 50.0)]

KINDS: dict[str, tuple[list[Row], dict[str, list[Any]], dict[str, float], dict[str, float]]] = {
    "one at all": (ALONE, {}, {"a": 98}, {"a": 98}),
    "one to a sector": (EACH, {}, {"a": 98, "b": 49, "c": 68.6}, {"a": 98, "b": 49, "c": 68}),
    "one to a sector of an enterprise": (TOGETHER, {}, {"a": 98, "b": 49}, {"a": 98, "b": 49}),
    "one with emissions": (NOTHING, {}, {"a": 0, "b": 49}, {"a": 0, "b": 49}),
}


def instance_of(rows: list[Row], columns: dict[str, list[Any]], *, exceptions: int = 0, **allocation: Any) -> Any:
    policy = {
        "sectors": {name: {"band": 0.05, "target_change": -0.02} for name in sorted({row[2] for row in rows})},
        "provinces": {"balance": 0.06},
        "national": {"target_change": -0.02},
        "allocation": {"exceptions": {"units": exceptions, "lower": 0.12, "upper": 0.06}, **allocation},
    }
    return given(rows, policy, **columns)


@pytest.mark.everyday("one with emissions-0-real")
@pytest.mark.parametrize("whole", [False, True], ids=["real", "whole"])
@pytest.mark.parametrize("exceptions", [0, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_each_order_of_levels_is_certified(kind: str, exceptions: int, whole: bool) -> None:
    rows, columns, real, rounded = KINDS[kind]
    for order in ORDERS:
        for band_on in ("unit", "enterprise") if kind.endswith("enterprise") else ("unit",):
            changes = {"objectives": order, "band_on": band_on, "integer_allowances": whole}
            result = etsopt.solve(instance_of(rows, columns, exceptions=exceptions, **changes))
            assert result.status == "certified_optimal", (order, result.violations, result.levels)
            assert allowances(result).to_dict() == pytest.approx(rounded if whole else real, abs=1e-6)


@pytest.mark.everyday("[]")
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_one_unit_that_must_be_an_exception_is_certified(order: list[str]) -> None:
    # The nation loses 3 t and a is fixed, so b loses all of them, which is 6 %.
    for whole in (False, True):
        for kind in ([*FIXED], [unit(*row[:1], *row[2:3], *row[4:6], "x") for row in FIXED]):
            columns = {"special_case": ["new", ""]}
            for band_on in ("unit", "enterprise"):
                changes: dict[str, Any] = {"objectives": order, "band_on": band_on, "integer_allowances": whole}
                result = etsopt.solve(instance_of(kind, columns, exceptions=1, **changes))
                assert result.status == "certified_optimal", (whole, result.violations, result.levels)
                assert allowances(result).to_dict() == pytest.approx({"a": 100, "b": 47}, abs=1e-6)
                without = etsopt.solve(instance_of(kind, columns, **changes))
                assert without.status == "infeasible_certified"
                # The band leaves 47.5 t, or in whole tonnes 48.
                assert without.infeasible_by_t == pytest.approx(1.0 if whole else 0.5)


@pytest.mark.nightly
@pytest.mark.parametrize("method", ["direct", "pyomo"])
@pytest.mark.parametrize("exceptions", [0, 2])
def test_where_every_unit_is_fixed_there_is_nothing_to_choose(exceptions: int, method: str) -> None:
    for whole in (False, True):
        for order in ORDERS:
            instance = instance_of(
                FIXED,
                {"special_case": ["new", "closed"]},
                exceptions=exceptions,
                objectives=order,
                integer_allowances=whole,
            )
            result = etsopt.solve(instance.with_policy({"national": {}}), method=method)
            assert result.status == "certified_optimal", (order, result.violations)
            assert allowances(result).to_dict() == {"a": 100, "b": 50}
            met = instance.with_policy({"national.target_change": 0.01})
            assert etsopt.solve(met, method=method).status == "certified_optimal"


@pytest.mark.parametrize("method", ["direct", "pyomo"])
@pytest.mark.parametrize("exceptions", [0, 2])
def test_a_national_total_that_fixed_units_alone_exceed_is_proven_infeasible(exceptions: int, method: str) -> None:
    for whole in (False, True):
        instance = instance_of(
            FIXED, {"special_case": ["new", "closed"]}, exceptions=exceptions, integer_allowances=whole
        )
        result = etsopt.solve(instance, method=method)
        assert result.status == "infeasible_certified"
        assert result.infeasible_by_t == pytest.approx(3.0)
        assert result.tables["relaxed_limits"]["limit"].tolist() == ["nation"]


def test_the_rows_of_a_lone_unit_keep_their_prices_after_a_level_that_counts_it_alone() -> None:
    # Its rows hold the unit at 98 t where it wants 101: one tonne more would lower the last level by 2 * 3 / 100.
    result = etsopt.solve(instance_of(ALONE, {}, objectives=["deficit"]))
    prices = result.tables["duals"].query("level == 'least_squares'")["multiplier"]
    assert prices.sum() == pytest.approx(-0.06)


def test_a_limit_that_rounding_puts_above_all_emissions_is_explained() -> None:
    # 0.9 t within a balance of a fifth is one whole tonne, and the target of 0.8 t is none.
    policy = {
        "sectors": {"cement": {"band": 0.05, "target_t": 0.8}},
        "provinces": {"balance": 0.2},
        "allocation": {"integer_allowances": True},
    }
    result = etsopt.solve(given([unit("a", "cement", 0.9, 0.9)], policy))
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(1.0, rel=1e-12)


def test_units_of_a_few_grams_are_no_infeasible_policy() -> None:
    # As in tonnes: 2 % of 100 go from a unit whose reference is 101. What may change was less than rounding in tonnes,
    # so that no allowance could leave its reference.
    grams = given(
        [unit("a", "cement", 100e-7, 101e-7)], {"sectors": {"cement": {"band": 0.05, "target_change": -0.02}}}
    )
    result = etsopt.solve(grams)
    assert result.status == "certified_optimal"
    assert allowances(result).tolist() == pytest.approx([98e-7], rel=1e-9)
