"""One statement at a time: what is right passes, and what is wrong by more than its tolerance does not."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation import statements
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.targets import fixed_at_emissions
from etsopt.rules import RULES, reference_allowances
from etsopt_models._allocation.tables import allocation_tables
from tests.builders import given, random_instance

if TYPE_CHECKING:
    from etsopt.checking.verdict import Violation

JUST = 1e-3
"""Inside or outside a tolerance by so much of it."""


@cache
def made(rule: str = "cn-2025") -> tuple[etsopt.Instance, dict[str, pd.DataFrame]]:
    """A random instance of a rule, and the tables of its reference allowances."""
    instance = random_instance(0, 20).with_policy({"rule.name": rule})
    reference = reference_allowances(instance)
    return instance, allocation_tables(instance, reference.reference_t[~reference.fixed])


def free_of(instance: etsopt.Instance) -> int:
    """Position of a unit that is not fixed and has emissions inside the scope."""
    return int(np.flatnonzero(~fixed_at_emissions(InstanceInputs.of(instance)) & (instance.emissions_tco2e > 0))[3])


def changed(table: pd.DataFrame, place: int, column: str, by: float) -> pd.DataFrame:
    table = table.copy()
    table[column] = table[column].astype(float)
    table.loc[place, column] += by
    return table


def wrong(found: list[Violation]) -> list[tuple[str, str]]:
    return [(violation.rule, violation.where) for violation in found]


@pytest.mark.parametrize(
    ("column", "tolerance", "rule"),
    [
        ("surplus_t", 1e-3, "surplus"),
        ("surplus_rate", 1e-9, "surplus_rate"),
        ("intensity", 1e-9, "intensity"),
        ("top_up_t", 1e-3, "issuance"),
        ("return_t", 1e-3, "issuance"),
    ],
)
def test_columns_that_follow_may_be_off_by_their_tolerance(column: str, tolerance: float, rule: str) -> None:
    instance, tables = made()
    table, place = tables["allocation"], free_of(instance)
    assert statements.columns_agree(InstanceInputs.of(instance), table) == []
    for sign in (1, -1):
        inside = changed(table, place, column, sign * tolerance * (1 - JUST))
        assert statements.columns_agree(InstanceInputs.of(instance), inside) == []
        found = statements.columns_agree(
            InstanceInputs.of(instance), changed(table, place, column, sign * tolerance * (1 + JUST))
        )
        assert wrong(found) == [(rule, table["unit_id"][place])]
        assert found[0].amount == pytest.approx(tolerance, rel=0.01)


def test_allowances_are_not_negative_and_what_is_issued_beyond_them_is_owed() -> None:
    instance, tables = made()
    place = free_of(instance)
    emissions, issued = instance.emissions_tco2e[place], 50.0
    for allowance, broken in ((-0.9e-3, []), (-1.1e-3, ["not_negative"])):
        table = tables["allocation"].copy()
        row = {
            "allowance_t": allowance,
            "change_t": allowance - tables["allocation"]["reference_t"][place],
            "surplus_t": allowance - emissions,
            "surplus_rate": (allowance - emissions) / emissions,
            "pre_allocated_t": issued,
            "top_up_t": 0.0,
            "return_t": issued - allowance,
        }
        table.loc[place, list(row)] = list(row.values())
        assert statements.columns_agree(InstanceInputs.of(instance), table) == []
        assert [rule for rule, _ in wrong(statements.not_negative(table))] == broken


def test_a_unit_without_emissions_has_no_rate() -> None:
    instance, tables = made()
    outside = int(np.flatnonzero(instance.emissions_tco2e == 0)[0])
    table = tables["allocation"]
    assert np.isnan(table["surplus_rate"][outside])
    stated = table.assign(surplus_rate=table["surplus_rate"].fillna(0.0))
    assert ("surplus_rate", table["unit_id"][outside]) in wrong(
        statements.columns_agree(InstanceInputs.of(instance), stated)
    )


def test_a_unit_with_less_than_a_tonne_has_a_rate() -> None:
    instance = given([("a", "a", "cement", "p", 0.5, 0.5)], {})
    tables = etsopt.solve(instance).tables["allocation"]
    assert tables["surplus_rate"].tolist() == [0.0]
    assert wrong(statements.columns_agree(InstanceInputs.of(instance), tables)) == []
    assert wrong(statements.columns_agree(InstanceInputs.of(instance), tables.assign(surplus_rate=np.nan))) == [
        ("surplus_rate", "a")
    ]


def test_the_table_is_of_the_units_of_the_instance() -> None:
    instance, tables = made()
    table, place = tables["allocation"], free_of(instance)
    assert statements.same_units(InstanceInputs.of(instance), table) == []
    fewer = statements.same_units(InstanceInputs.of(instance), table.drop(index=[2, 5]))
    assert wrong(fewer) == [("same_units", "u002")]
    assert fewer[0].amount == 2.0
    assert statements.same_units(InstanceInputs.of(instance), table.iloc[::-1])[0].where == "order of rows"
    for column, cell in (("enterprise_id", "x"), ("sector", "x"), ("province", "x"), ("emissions_tco2e", 1.0)):
        other = table.copy()
        other.loc[place, column] = cell
        assert wrong(statements.same_units(InstanceInputs.of(instance), other)) == [
            ("same_units", table["unit_id"][place])
        ]
    scope = table["in_scope"].to_numpy(dtype=bool)
    assert not scope.all()
    assert len(statements.same_units(InstanceInputs.of(instance), table.assign(in_scope=~scope))) == len(table)
    without = statements.same_units(InstanceInputs.of(instance), table.drop(columns="in_scope"))
    assert len(without) == (~scope).sum()


def test_what_is_issued_in_advance_is_stated_or_a_share_of_last_years_emissions_rounded_down() -> None:
    instance, tables = made()
    units = instance.units
    share = 0.7 * instance.in_scope
    issued = np.floor(units["prior_emissions_tco2e"].to_numpy() * share + 1e-6)
    stated = units["pre_allocated_t"].to_numpy()
    known = np.where(np.isnan(stated), issued, stated)
    assert statements.advance(InstanceInputs.of(instance)).tolist() == known.tolist()
    assert (issued != known).any()
    edge = given(
        [(name, name, "cement", "p", 150.0, 150.0) for name in "abc"],
        {},
        prior_emissions_tco2e=[(100 - 0.9e-6) / 0.7, (100 - 1.1e-6) / 0.7, None],
    )
    assert statements.advance(InstanceInputs.of(edge)).tolist() == [100.0, 99.0, 0.0]
    nothing = given([("a", "a", "cement", "p", 150.0, 150.0)], {})
    assert statements.advance(InstanceInputs.of(nothing)).tolist() == [0.0]
    table, place = tables["allocation"], free_of(instance)
    assert statements.pre_allocation(InstanceInputs.of(instance), table) == []
    for by, count in ((0.999e-3, 0), (-0.999e-3, 0), (1.001e-3, 1), (-1.001e-3, 1)):
        assert (
            len(statements.pre_allocation(InstanceInputs.of(instance), changed(table, place, "pre_allocated_t", by)))
            == count
        )


def of_rule(name: str, exact: float, **parameters: Any) -> etsopt.Instance:
    """A unit to which a rule gives a quantity before rounding."""
    units = pd.DataFrame(
        {
            "unit_id": ["a"],
            "enterprise_id": "a",
            "sector": "cement",
            "province": "p",
            "emissions_tco2e": 150.0,
            "output_t": exact / 0.5,
            "prior_emissions_tco2e": exact / 0.5,
            "reference_t": exact,
        }
    )
    return etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": name, **parameters}})


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("grandfathering", {"factor": 0.5}), ("benchmark", {"benchmarks": {"cement": 0.5}}), ("given", {})],
)
def test_reference_allowances_are_whole_with_either_side_of_an_edge_of_rounding(
    name: str, parameters: dict[str, Any]
) -> None:
    none = np.array([False])
    sectors = pd.DataFrame({"sector": ["cement"]})
    for exact, right in (
        (100.0 - 2e-5, [99]),
        (100.0 - 0.5e-5, [99, 100]),
        (100.0 + 0.5e-5, [99, 100]),
        (100.5, [100]),
    ):
        instance = of_rule(name, exact, **parameters)
        before = statements.before_rounding(InstanceInputs.of(instance), sectors, none)
        assert before == pytest.approx([exact], rel=1e-15)
        for given_t in (99.0, 100.0, 101.0) if name != "given" else (exact - 0.5, exact, exact + 0.5):
            good = given_t == exact if name == "given" else given_t in right
            for by, inside in ((0.0, True), (0.999e-3, True), (-0.999e-3, True), (1.1e-3, False), (-1.1e-3, False)):
                table = pd.DataFrame({"unit_id": ["a"], "reference_t": [given_t + by]})
                found = statements.reference_follows_rule(InstanceInputs.of(instance), table, sectors, none)
                either = not inside and given_t == 99 and right == [99, 100] and by > 0
                either |= not inside and given_t == 100 and right == [99, 100] and by < 0
                assert (found == []) is ((good and inside) or either)
        fixed = statements.before_rounding(InstanceInputs.of(instance), sectors, ~none)
        assert fixed.tolist() == [150.0]


def test_the_rules_of_the_plans_are_evaluated_from_the_balance_values() -> None:
    for rule in ("cn-2024", "cn-2025", "cn-2026"):
        instance, tables = made(rule)
        fixed, sectors = fixed_at_emissions(InstanceInputs.of(instance)), tables["sectors"]
        exact = statements.before_rounding(InstanceInputs.of(instance), sectors, fixed)
        emissions = instance.emissions_tco2e
        for k in np.flatnonzero(~fixed):
            rate = 0.0
            if rule != "cn-2024":
                value = float(sectors.set_index("sector").loc[instance.units["sector"][k], "balance_value"])
                rate = max(-0.03, min(0.03, 0.15 * (1 - instance.intensity[k] / value)))
            assert exact[k] == pytest.approx(emissions[k] * (1 + rate), rel=1e-14)
        assert exact[fixed].tolist() == emissions[fixed].tolist()
        assert (
            statements.reference_follows_rule(InstanceInputs.of(instance), tables["allocation"], sectors, fixed) == []
        )


def test_no_number_is_right_under_a_rule_that_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "x", RULES["given"])
    unknown = of_rule("x", 100.0)
    assert np.isnan(statements.before_rounding(InstanceInputs.of(unknown), pd.DataFrame(), np.array([False]))).all()
    table = pd.DataFrame({"unit_id": ["a"], "reference_t": [100.0]})
    [violation] = statements.reference_follows_rule(
        InstanceInputs.of(unknown), table, pd.DataFrame(), np.array([False])
    )
    assert violation.message == "the checker has no derivation of the rule x"


def balance_of(sectors: pd.DataFrame, column: str, by: float) -> list[Violation]:
    instance, _ = made()
    table = sectors.copy()
    table.loc[0, column] += by
    return statements.balance_value_balances(
        InstanceInputs.of(instance), table, fixed_at_emissions(InstanceInputs.of(instance))
    )


def test_at_both_ends_of_the_balance_value_the_sector_balances_to_a_billionth() -> None:
    instance, tables = made()
    sectors, fixed = tables["sectors"], fixed_at_emissions(InstanceInputs.of(instance))
    assert statements.balance_value_balances(InstanceInputs.of(instance), sectors, fixed) == []
    here = (instance.units["sector"] == sectors["sector"][0]).to_numpy() & ~fixed
    emissions, value = instance.emissions_tco2e[here], sectors["balance_value"][0]
    rates = 0.15 * (1 - instance.intensity[here] / value)
    inner = np.abs(rates) < 0.03
    per_value = float((emissions * 0.15 * instance.intensity[here])[inner].sum()) / value**2
    for column in ("balance_value_lower", "balance_value_upper"):
        for sign in (1.0, -1.0):
            step = sign * 1e-9 * emissions.sum() / per_value
            assert [v.unit for v in balance_of(sectors, column, step * 0.99)] == (
                [] if abs(step) / 2 * 0.99 <= 1e-9 * value else ["t/t"]
            )
            assert balance_of(sectors, column, step * 1.01)[0].unit == "t"
    for by, count in ((0.99e-9, 0), (-0.99e-9, 0), (1.01e-9, 1), (-1.01e-9, 1)):
        assert len(balance_of(sectors, "balance_value", by * value)) == count


def test_a_balance_value_has_the_decimals_of_the_rule_and_a_sector_of_fixed_units_has_none() -> None:
    instance, tables = made()
    sectors, fixed = tables["sectors"], fixed_at_emissions(InstanceInputs.of(instance))
    rough = instance.with_policy({"rule.balance_value_decimals": 4})
    assert statements.balance_value_balances(InstanceInputs.of(rough), sectors, fixed)
    assert (
        statements.balance_value_balances(
            InstanceInputs.of(rough), sectors.assign(balance_value=sectors["balance_value"].round(4)), fixed
        )
        == []
    )
    everyone = np.ones(len(fixed), dtype=bool)
    columns = ["balance_value", "balance_value_lower", "balance_value_upper"]
    assert len(statements.balance_value_balances(InstanceInputs.of(instance), sectors, everyone)) == len(sectors)
    assert (
        statements.balance_value_balances(
            InstanceInputs.of(instance), sectors.assign(**dict.fromkeys(columns, np.nan)), everyone
        )
        == []
    )
    # Where the rule has none, none may be stated, and the columns may be absent.
    without = made("cn-2024")[0]
    assert len(statements.balance_value_balances(InstanceInputs.of(without), sectors, everyone)) == len(sectors)
    assert (
        statements.balance_value_balances(
            InstanceInputs.of(without), sectors.assign(**dict.fromkeys(columns, np.nan)), everyone
        )
        == []
    )
    assert statements.balance_value_balances(InstanceInputs.of(without), sectors.drop(columns=columns), everyone) == []
    alone = sectors.assign(**dict.fromkeys(columns[1:], np.nan))
    assert len(statements.balance_value_balances(InstanceInputs.of(without), alone, everyone)) == len(sectors)
