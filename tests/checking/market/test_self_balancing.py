"""Self-balancing years by hand: what is held, what is derived again, and where an answer has no fixed point."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market import self_balancing
from etsopt.checking.market.plans import SelectedPlans
from etsopt.checking.market.self_balancing import (
    DERIVED,
    NO_FIXED_POINT,
    _balance,
    _chosen,
    _no_fixed_point,
    answer_balances,
    read_held,
)
from etsopt.checking.readings import plan
from etsopt.checking.readings.baseline import NO_BALANCE, Held
from tests.checking.market.small import baseline_of, choices_of, market_of, table

INSTANCE: Any = SimpleNamespace(
    sectors=["cement", "steel"],
    years=np.array([2025, 2026]),
    labels=lambda _: SimpleNamespace(where=lambda name: np.full(3, name == "cement")),
)
HERE = np.array([[False, True], [True, True]])
"""Cement balances itself in 2026, steel in both years."""


def read(
    monkeypatch: pytest.MonkeyPatch, stated: pd.DataFrame | None, here: Any = HERE, kind: str = "pathway"
) -> tuple[Held | None, list[tuple[str, str, float]]]:
    asked: list[Any] = []

    def self_balancing_years(*given: Any) -> Any:
        asked.append(given[2])
        return here

    monkeypatch.setattr(plan, "self_balancing", self_balancing_years)
    tables: dict[str, Any] = {"allocation": "an allocation"} | ({} if stated is None else {"balance_values": stated})
    held, violations = read_held(INSTANCE, tables, kind)
    assert asked == [None if kind == "pathway" else "an allocation"]
    return held, [(violation.rule, violation.where, violation.amount) for violation in violations]


def rows_of(**changes: Any) -> pd.DataFrame:
    cells: dict[str, Any] = {"sector": ["cement", "steel", "steel"], "year": [2026, 2025, 2026]}
    cells |= {"balance_value": [1.5, 0.5, np.nan], "emissions_held_tco2e": [9.0, 0.0, np.nan]}
    return pd.DataFrame(cells | dict.fromkeys(DERIVED, 0.0) | changes)


def test_what_is_held_is_read_by_sector_and_year(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("pathway", "clearing"):
        held, wrong = read(monkeypatch, rows_of(), kind=kind)
        assert wrong == []
        assert held is not None
        assert held.balance_value == pytest.approx(table((np.nan, 1.5), (0.5, np.nan)), nan_ok=True)
        assert held.emissions == pytest.approx(table((np.nan, 9), (0, np.nan)), nan_ok=True)
    nowhere = np.zeros((2, 2), dtype=bool)
    assert read(monkeypatch, None, nowhere) == (None, [])
    assert read(monkeypatch, rows_of(), nowhere) == (None, [("tables", "balance_values", 1.0)])


@pytest.mark.parametrize(
    ("stated", "wrong"),
    [
        (None, ("tables", "balance_values", 1.0)),
        (rows_of(residual_t="x"), ("tables", "balance_values.residual_t", 1.0)),
        (rows_of().drop(columns="sector"), ("same_rows", "balance_values.sector", 1.0)),
        (rows_of(sector=["steel", "cement", "steel"]), ("same_rows", "balance_values.sector", 1.0)),
        (rows_of(year=[2026, 2026, 2025]), ("same_rows", "balance_values.year", 1.0)),
        (rows_of(balance_value=[1.5, 0.0, 1.0]), ("balance_values", "balance_value", 1.0)),
        (rows_of(balance_value=[1.5, np.inf, 1.0]), ("balance_values", "balance_value", 1.0)),
        (rows_of(emissions_held_tco2e=[9.0, -1e-300, 1.0]), ("balance_values", "emissions_held_tco2e", 1.0)),
        (rows_of(emissions_held_tco2e=[9.0, np.inf, 1.0]), ("balance_values", "emissions_held_tco2e", 1.0)),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(
    stated: pd.DataFrame | None, wrong: tuple[str, str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(monkeypatch, stated) == (None, [wrong])


def test_the_least_balance_value_that_is_held_is_the_least_number(monkeypatch: pytest.MonkeyPatch) -> None:
    least = float(np.finfo(float).tiny)
    assert read(monkeypatch, rows_of(balance_value=[least] * 3))[1] == []
    assert read(monkeypatch, rows_of(balance_value=[least / 2] * 3))[1] == [("balance_values", "balance_value", 1.0)]


TAKEN = SelectedPlans(np.array([1]), np.array([0.5]), np.array([[[False, True], [False, False]]]))
"""Half of the second unit runs its first measure in 2026."""

BEFORE, AFTER = 344 / 316, (88 * 0.8 + 114 * 1.2 + 85.5 * 0.84) / 287.5
"""Of the units in 2026 all rates are inside their caps, so the balance value is their mean intensity."""

ALLOWANCE = 88 * 1.1 + 114 * 0.9 + 85.5 * 1.08
"""At a balance value of one, free and paid."""


def balances(kind: str = "", by: float = 0.0, **parts: Any) -> list[tuple[str, str]]:
    cells: dict[str, Any] = dict(zip(DERIVED, (BEFORE, 316.0, 287.5, ALLOWANCE, ALLOWANCE - 287.5), strict=True))
    cells |= {"sector": "cement", "year": 2026, "balance_value": AFTER, "emissions_held_tco2e": 287.5}
    if kind:
        cells[kind] += by
    answer: Any = SimpleNamespace(taken=parts.pop("taken", TAKEN), price=np.zeros(2))
    market = market_of(baseline=baseline_of(**parts))
    violations = answer_balances(INSTANCE, market, answer, pd.DataFrame([cells]))
    assert all(violation.amount == 1.0 for violation in violations if violation.unit == "cells")
    return [(violation.rule, violation.where) for violation in violations]


OPEN = [(NO_FIXED_POINT, "cement 2026")]


def test_sums_of_a_sector_are_derived_from_its_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its allowances at a balance value of one exceed its emissions by 4 t, so the answer is no fixed point."""
    monkeypatch.setattr(self_balancing, "NUMBER_RELATIVE", 2.0**-10)
    assert balances() == OPEN
    for name in DERIVED[1:]:
        size = 2e-2 + 316 / 1024
        for sign in (1, -1):
            assert balances(name, sign * 0.999 * size) == OPEN
            assert balances(name, sign * 1.001 * size) == [("balance_values", name), *OPEN]
    for sign in (1, -1):
        assert balances(DERIVED[0], sign * 0.999e-7 * BEFORE) == OPEN
        assert balances(DERIVED[0], sign * 1.001e-7 * BEFORE) == [("balance_values", DERIVED[0]), *OPEN]
    for name in DERIVED:
        assert ("balance_values", name) in balances(name, np.nan)
    never = np.zeros((3, 2), dtype=bool)
    assert balances(follows=never) == []
    answer: Any = SimpleNamespace(taken=TAKEN, price=np.zeros(2))
    assert answer_balances(INSTANCE, market_of(), answer, None) == []


def test_at_its_own_balance_value_a_sector_balances() -> None:
    value = table((1, AFTER), (1, AFTER), (np.nan, np.nan))
    rate = 88 * 0.5 * (1 - 0.8 / AFTER) + 114 * 0.5 * (1 - 1.2 / AFTER) + 85.5 * 0.5 * (1 - 0.84 / AFTER)
    assert rate == pytest.approx(0, abs=1e-12)
    off = ALLOWANCE - 287.5
    wrong = [("balance_values", "allowance_t"), ("balance_values", "residual_t")]
    assert balances(balance_value=value) == wrong
    assert balances("allowance_t", -off, balance_value=value) == wrong[1:]
    for sign in (1, -1):
        near = sign * 1e-8 * AFTER
        assert balances("balance_value", 0.999 * near, balance_value=value) == wrong
        assert balances("balance_value", 1.001 * near, balance_value=value) == wrong + OPEN


def test_every_row_is_derived_and_without_emissions_20_kg_are_left() -> None:
    """Steel has no units, and cement emits nothing."""
    market = market_of(baseline=baseline_of(emissions=table((80, 0), (240, 0), (50, 0))))
    answer: Any = SimpleNamespace(taken=TAKEN, price=np.zeros(2))
    rows = pd.DataFrame({"sector": ["cement", "steel"], "year": 2026, "balance_value": np.nan})
    rows = rows.assign(emissions_held_tco2e=0.0, **dict.fromkeys(DERIVED[1:], 2e-2), **{DERIVED[0]: np.nan})
    assert answer_balances(INSTANCE, market, answer, rows) == []
    for name in DERIVED[1:]:
        for cells in ([2e-2, 2.1e-2], [2.1e-2, 2e-2]):
            (wrong,) = answer_balances(INSTANCE, market, answer, rows.assign(**{name: cells}))
            assert (wrong.where, wrong.amount) == (name, 1.0)


def test_a_sector_that_emits_nothing_any_more_keeps_its_balance_value_before() -> None:
    left = choices_of(left=table((0.9, 0.8), (0.75, 0.0), (1, 1)))
    both = SelectedPlans(np.array([1]), np.ones(1), np.array([[[False, False], [False, True]]]))
    cells: dict[str, Any] = dict(zip(DERIVED, (1.2, 228.0, 0.0, 0.0, 0.0), strict=True))
    cells |= {"sector": "cement", "year": 2026, "balance_value": 1.2, "emissions_held_tco2e": 0.0}
    one = baseline_of(emissions=table((80, 0), (240, 228), (50, 0)))
    answer: Any = SimpleNamespace(taken=both, price=np.zeros(2))
    market = market_of(baseline=one, offered=left)
    assert answer_balances(INSTANCE, market, answer, pd.DataFrame([cells])) == []
    moved = answer_balances(INSTANCE, market, answer, pd.DataFrame([cells | {"balance_value": 1.0}]))
    assert [violation.rule for violation in moved] == [NO_FIXED_POINT]


def open_rows(
    residual: float = 0.0, apart: float = 0.0, held: float = 1.0, own: float = 1.0, *, tonnes: float = 0.0
) -> list[Any]:
    """Of a row of 2025, with a slope of four in that year alone."""
    stated = pd.DataFrame({"sector": ["cement"], "year": [2025], "balance_value": [held]})
    stated["emissions_held_tco2e"] = tonnes + apart
    derived = {"emissions_tco2e": np.array([tonnes]), "residual_t": np.array([residual])}
    found = _no_fixed_point(baseline_of(slope=np.array([4.0, 0.5])), stated, derived, np.array([own]))
    return [(violation.where, violation.amount) for violation in found]


def test_a_fixed_point_keeps_its_balance_value_and_balances_in_emissions_and_allowances() -> None:
    wrong = "cement 2025"
    for sign in (1, -1):
        # Allowances may be off by four times as much, since the slope of the rule multiplies every change.
        assert open_rows(residual=sign * 8e-2) == open_rows(apart=sign * 2e-2) == []
        assert open_rows(residual=sign * 8.4e-2) == [(wrong, 2.1e-2)]
        assert open_rows(apart=sign * 2.1e-2) == [(wrong, 2.1e-2)]
        large = 2e-2 + 1e-9 * 2.0**30
        assert open_rows(apart=sign * 0.999 * large, tonnes=2.0**30) == []
        assert open_rows(apart=sign * 1.001 * large, tonnes=2.0**30) == [(wrong, pytest.approx(1.001 * large))]
    assert open_rows(residual=np.nan) == [(wrong, pytest.approx(np.nan, nan_ok=True))]
    assert open_rows(held=np.nan, own=np.nan) == open_rows(held=0.0, own=0.0) == []
    assert open_rows(held=np.nan) == open_rows(own=np.nan) == [(wrong, 0.0)]


def test_a_slope_below_one_multiplies_nothing() -> None:
    stated = pd.DataFrame({"sector": ["cement"], "year": [2026], "balance_value": [1.0], "emissions_held_tco2e": [0.0]})
    for residual, count in ((2e-2, 0), (2.1e-2, 1)):
        derived = {"emissions_tco2e": np.zeros(1), "residual_t": np.array([residual])}
        assert len(_no_fixed_point(baseline_of(), stated, derived, np.ones(1))) == count


def test_plans_are_weighted_by_their_shares_and_the_rest_of_a_unit_is_without_measures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(self_balancing, "SHARE_EXCESS", 2.0**-20)
    runs = np.array([[[True, True], [False, False]], [[False, True], [False, False]], [[False, False], [True, True]]])
    for share, idle in ((1 - 2.0**-20, [2]), (1 - 2.0**-19, [0, 2])):
        taken = SelectedPlans(np.array([0, 1, 1]), np.array([share, 0.25, 0.75]), runs)
        chosen = _chosen(baseline_of(), choices_of(), taken)
        assert chosen.unit.tolist() == [*idle, 0, 1, 1]
        count = len(idle)
        assert chosen.emissions[:count] == pytest.approx(
            np.array([[50.0, 0.0]]) if count == 1 else table((80 * 2.0**-19, 88 * 2.0**-19), (50, 0))
        )
        assert chosen.emissions[count:] == pytest.approx(table((share * 72, share * 79.2), (60, 42.75), (90, 85.5)))
        assert chosen.intensity[count:] == pytest.approx(table((0.76, 0.76), (1.2, 0.84), (0.72, 0.72)))


def test_a_balance_value_is_that_of_units_that_have_one_and_emit() -> None:
    market, every = baseline_of(), np.arange(3)

    def value(emissions: Any, intensity: Any, of: Any = market) -> float:
        return _balance(of, every, 1, np.array(emissions, float), np.array(intensity, float))

    assert value([88, 228, 50], [0.8, 1.2, 9.0]) == pytest.approx(BEFORE)
    assert value([0.5, 0, 0], [0.8, 9.0, 9.0]) == pytest.approx(0.8)
    assert np.isnan(value([0, 0, 50], [0.8, 1.2, 9.0]))
    # An intensity of zero counts as a very small one; without an intensity there is no balance value.
    steep = baseline_of(slope=np.array([0.15, 0.1]))
    assert value([1.0, 1.0, 0], [0.0, 2.0, 9.0], steep) == 1 + 1e-12
    assert value([1.0, 1.0, 0], [np.nan, 1.0, 9.0]) == NO_BALANCE
