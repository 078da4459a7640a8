"""Every number of a compliance year by itself: right as it is, and wrong by a tonne or by more than its rounding."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation import statements as allocation
from etsopt.checking.cells import BOOLEANS, TEXTS
from etsopt.checking.compliance import compliance, limits, statements
from etsopt.checking.compliance.compliance import COLUMNS
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.tolerances import ROUNDING_EDGE_T
from tests.compliance_years import by_hand
from tests.judging import check

if TYPE_CHECKING:
    from etsopt.checking.verdict import Verdict

Tables = dict[str, pd.DataFrame]


@cache
def solved(shift: float = 0.0) -> tuple[etsopt.Instance, etsopt.Results]:
    """The year that is solved by hand, with more offsets at other prices if wanted."""
    instance = by_hand().with_policy({"market.ccer_supply_t": 100.0 + shift})
    result = etsopt.solve(instance, "compliance")
    assert result.certified
    return instance, result


def checked(table: str, column: str, row: int, by: float) -> Verdict:
    instance, result = solved()
    changed = result.tables[table].copy()
    changed[column] = changed[column].astype(float)
    changed.loc[row, column] += by
    return compliance.check(InstanceInputs.of(instance), result.tables | {table: changed})


NOT_ADDED = TEXTS | BOOLEANS | {"vintage", "year", "balance_value", "balance_value_lower", "balance_value_upper"}
PAID = ("purchases_cny", "offsets_cny", "transactions_cny", "penalty_cny", "fixed_fine_cny")
MONEY = (*PAID, "sales_cny", "cost_cny", "kept_worth_cny")


def cells() -> list[tuple[str, str]]:
    return [(table, column) for table, columns in COLUMNS.items() for column in columns if column not in NOT_ADDED]


def tolerance_of(table: str, column: str, row: int) -> float:
    """How far a number may be off; tonnes not at all."""
    _, result = solved()
    value = result.tables[table][column]
    if column in ("emissions_tco2e", "reference_t"):
        return 0.0 if table == "issuance" else 2e-2
    if column.endswith("_cny") and table == "compliance":
        line = result.tables[table].iloc[row]
        paid = sum(line[name] for name in PAID)
        return float(0.01 + 1e-9 * (paid + line["sales_cny"] + abs(line[column])))
    if column.endswith("_cny"):
        return float(0.01 + 1e-9 * value.abs().sum())
    return 0.0 if column.endswith("_t") or table == "compliance" else 2e-2


ALONE = [
    *(("compliance", column) for column in ("emissions_tco2e", *MONEY)),
    *(("compliance_provinces", column) for column in ("emissions_tco2e", "cost_cny", "enterprises")),
    *(("compliance_sectors", column) for column in ("reference_t", "units")),
    *(("shortfalls", column) for column in ("penalty_cny", "multiple")),
]
"""Numbers with a tolerance, one of each kind where tables have many."""


@pytest.mark.nightly
@pytest.mark.parametrize("table", COLUMNS)
def test_numbers_may_be_off_by_their_tolerance(table: str) -> None:
    instance, result = solved()
    for sign in (1.0, -1.0):
        changed = result.tables[table].copy()
        for column in (column for name, column in cells() if name == table):
            if tolerance := tolerance_of(table, column, 0):
                changed[column] = changed[column].astype(float)
                changed.loc[0, column] += sign * 0.999 * tolerance
        report = compliance.check(InstanceInputs.of(instance), result.tables | {table: changed})
        # Totals of enterprises, which are not changed with them, are let off with less.
        of_totals = {"totals"} if table == "compliance" else set()
        assert {violation.rule for violation in report.violations} <= of_totals


@pytest.mark.everyday("compliance-kept_worth_cny")
@pytest.mark.parametrize(("table", "column"), ALONE)
def test_a_number_is_off_by_no_more_than_its_tolerance(table: str, column: str) -> None:
    violations = checked(table, column, 0, 1.001 * tolerance_of(table, column, 0)).violations
    rule = {"compliance": "enterprise" if column == "emissions_tco2e" else "money", "shortfalls": "totals"}
    assert rule.get(table, "totals") in {violation.rule for violation in violations}


def test_levels_are_what_the_tables_come_to_and_the_least_that_they_can_be() -> None:
    instance, result = solved()
    report = compliance.check(InstanceInputs.of(instance), result.tables)
    assert report.violations == ()
    assert [level.name for level in report.levels] == ["cost", "effort", "older_first"]
    assert all(level.certified for level in report.levels)
    table = result.tables["compliance"]
    cost, effort, older = report.levels
    prices = {"bought_t": 81.0, "offset_t": 75.0, "sold_t": -79.0}
    usable = result.tables["holdings"].query("usable")
    penalty = instance.policy.penalty.multiple * 90.0 * table["shortfall_t"].sum()
    kept = 70.0 * usable["closing_t"].sum()
    assert cost.value == pytest.approx(sum(p * table[name].sum() for name, p in prices.items()) + penalty - kept)
    moved = table["offset_t"] + 2 * table["bought_t"] + 3 * table["shortfall_t"] + table["sold_t"]
    assert effort.value == moved.sum()
    own = (usable["surrendered_t"] - usable["bought_t"])[usable["vintage"] == 2026]
    assert older.value == own.sum()
    assert (cost.unit, effort.unit, older.unit) == ("CNY", "t", "t")
    assert cost.tolerance == pytest.approx(max(0.01, 1e-9 * 1e6), rel=1.0)
    assert (effort.tolerance, older.tolerance) == (2e-2, 0.0)


class Level:
    """A level as a result states it."""

    def __init__(self, name: str, value: float) -> None:
        self.name, self.value = name, value


@pytest.mark.parametrize(("turnover", "tolerance"), [(0.0, 0.01), (1e6, 0.01), (1e9, 1.0)])
def test_a_cost_is_proven_to_a_hundredth_or_a_billionth_of_the_turnover_with_the_newest_vintage_of_the_year(
    turnover: float, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, result = solved()
    asked: list[int] = []

    def best(_: object, held: np.ndarray, newest: int, __: object) -> limits.Best:
        asked.append(newest)
        assert held.shape == (4, 2)
        return limits.Best(0.0, 0.0, 0.0, turnover)

    monkeypatch.setattr(limits, "best", best)
    cost = compliance.check(InstanceInputs.of(instance), result.tables).levels[0]
    assert cost.tolerance == tolerance
    # Vintages of 2025 and 2026 are usable, and the year is 2025.
    assert asked == [0]


@pytest.mark.parametrize("place", [0, 2])
def test_a_level_is_stated_as_the_tables_have_it(place: int) -> None:
    instance, result = solved()
    report = compliance.check(InstanceInputs.of(instance), result.tables)
    unit = {"CNY": 1e-2, "t": 2e-2}[report.levels[place].unit]
    tolerance = report.levels[place].tolerance + max(unit, 1e-9 * abs(report.levels[place].value))
    for by, count in ((-0.999, 0), (1.001, 1)):
        levels = [Level(level.name, level.value) for level in report.levels]
        levels[place].value += by * tolerance
        found = check(instance, result.tables, levels, kind="compliance").violations
        assert [violation.rule for violation in found] == ["level_is_kept"] * count


def test_levels_stand_in_their_order_and_may_be_fewer() -> None:
    instance, result = solved()
    assert len(check(instance, result.tables, [Level("effort", 0.0)], kind="compliance").violations) == 1
    none = check(instance, result.tables, [], kind="compliance")
    assert (none.violations, none.certified) == ((), False)


def test_rows_are_those_of_enterprises_and_vintages_once() -> None:
    instance, result = solved()

    def rules(**tables: pd.DataFrame) -> list[tuple[str, float]]:
        found = compliance.check(InstanceInputs.of(instance), result.tables | tables).violations
        return [(violation.rule, violation.amount) for violation in found]

    table, held = result.tables["compliance"], result.tables["holdings"]
    same = [("same_enterprises", 1.0)]
    assert rules(compliance=table.iloc[::-1].reset_index(drop=True)) == same
    assert rules(holdings=pd.concat([held, held.tail(1)], ignore_index=True)) == same
    for column, cell in (("enterprise_id", "x"), ("vintage", 2018), ("vintage", 2027)):
        assert rules(holdings=held.assign(**{column: [*held[column][:-1], cell]})) == same
    nation = result.tables["nation"]
    assert rules(nation=pd.concat([nation, nation], ignore_index=True)) == same
    assert rules(issuance=result.tables["issuance"].iloc[::-1].reset_index(drop=True))[0][0] == "same_units"


@pytest.mark.parametrize(
    ("column", "rules"),
    [("deduction_t", {"cancelled_t", "province_account"}), ("outstanding_t", {"obligation", "obligation_met"})],
)
def test_tables_without_a_deduction_or_an_outstanding_obligation_are_refused(column: str, rules: set[str]) -> None:
    instance, result = solved()
    assert instance.enterprises is not None
    other = replace(instance, enterprises=instance.enterprises.assign(**{column: [0.0, 5.0, 0.0, 0.0]}))
    found = compliance.check(InstanceInputs.of(other), result.tables).violations
    assert found
    assert {violation.rule for violation in found} & rules
    assert any(violation.where == "b" and violation.amount == 5.0 for violation in found)


def test_rows_of_totals_a_usable_vintage_and_the_largest_shortfall_are_named() -> None:
    instance, result = solved()

    def found(table: str, changed: pd.DataFrame) -> list[tuple[str, str, float]]:
        report = compliance.check(InstanceInputs.of(instance), result.tables | {table: changed})
        return [(violation.rule, violation.where, violation.amount) for violation in report.violations]

    provinces, held = result.tables["compliance_provinces"], result.tables["holdings"]
    assert found("compliance_provinces", provinces.iloc[1:]) == [("totals", "compliance_provinces", 1.0)]
    flipped = found("holdings", held.assign(usable=~held["usable"].astype(bool)))
    assert {(rule, amount) for rule, _, amount in flipped} == {("vintages", 1.0)}
    table = result.tables["compliance"]
    more = found("compliance", table.assign(shortfall_t=table["shortfall_t"] + 1e6))
    assert {where for rule, where, _ in more if rule == "shortfall"} == set("abcd")
    half = found("compliance", table.assign(sold_t=table["sold_t"] + [0.5, 0.0, 0.0, 0.0]))
    assert half == [("whole_tonnes", "a", 0.5)]


def test_an_allowance_is_the_free_part_of_the_rule_in_whole_tonnes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter is sold: of 20 t of the rule 15 are free, which the last digits of a number may bring to 14."""
    market = SimpleNamespace(paid_share=0.25)
    instance: Any = SimpleNamespace(policy=SimpleNamespace(market=market, year=2025))
    for name in ("reference_follows_rule", "balance_value_balances"):
        monkeypatch.setattr(allocation, name, lambda *_: [])
    monkeypatch.setattr(allocation, "advance", lambda *_: np.array([4.5]))
    monkeypatch.setattr(statements, "fixed_at_emissions", lambda *_: np.zeros(1, dtype=bool))
    edge = ROUNDING_EDGE_T / 0.75
    for exact, allowance, off in (
        (20.0, 15.0, 0.0),
        (20.0, 14.0, 0.0),
        (20.0, 16.0, 1.0),
        (20.0, 13.0, 1.0),
        (20 + 2 * edge, 14.0, 1.0),
        (20 - edge / 2, 15.0, 0.0),
        (20 - 2 * edge, 15.0, 1.0),
    ):
        units = pd.DataFrame({"unit_id": ["u"], "reference_t": [exact], "allowance_t": [allowance]})
        units = units.assign(pre_allocated_t=4.0, top_up_t=allowance - 4, return_t=0.0)
        violations = statements.allowances(instance, units, units)
        assert [(v.rule, v.amount) for v in violations] == ([("allowances", off)] if off else [])


def test_tonnes_are_whole_and_none_but_a_conversion_is_negative() -> None:
    _, result = solved()
    for table, column in (("compliance", "sold_t"), ("nation", "bought_t"), ("holdings", "carried_over_t")):
        found = {violation.rule for violation in checked(table, column, 0, 0.5).violations}
        assert "whole_tonnes" in found
        found = {violation.rule for violation in checked(table, column, 0, -1e6).violations}
        assert ("not_negative" in found) is (column != "carried_over_t")
    for table, column in (("shortfalls", "reference_price_cny_per_t"), ("compliance_sectors", "reference_t")):
        if len(result.tables[table]):
            rules = {violation.rule for violation in checked(table, column, 0, 0.5).violations}
            assert "whole_tonnes" not in rules
    assert np.isfinite(result.tables["nation"]["bought_t"]).all()


@pytest.mark.parametrize(
    ("paid", "free"), [(0.25, 0.75), ({"2025": 0.25}, 0.75), ({"2024": 0.25, "2026": 0.5}, 0.75), ({"2026": 0.5}, 1.0)]
)
def test_units_have_the_free_share_of_the_year_in_whole_tonnes(paid: float | dict[str, float], free: float) -> None:
    instance, result = solved()
    own = InstanceInputs.of(instance.with_policy({"market.paid_share": paid}))
    units = result.tables["issuance"].copy()
    units["allowance_t"] = np.floor(free * units["reference_t"])
    for off, wrong in ((0.0, False), (1.0, True), (-1.0, True)):
        changed = units.assign(allowance_t=units["allowance_t"] + off)
        found = statements.allowances(own, changed, result.tables["compliance_sectors"])
        assert ("allowances" in {violation.rule for violation in found}) is wrong
