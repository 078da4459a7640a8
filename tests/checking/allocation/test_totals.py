"""What is derived from the table of allocations: its shape, its totals, targets and prices, each cell by itself."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation import totals
from etsopt.checking.allocation.duals import KEPT
from etsopt.checking.allocation.limits import derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.rules import reference_allowances
from etsopt_models._allocation.tables import allocation_tables
from tests.builders import given, random_instance

if TYPE_CHECKING:
    from etsopt.checking.verdict import Violation

Tables = dict[str, pd.DataFrame]
UNITS = {"exceptions": "units", "change": "t", "spread": "rate"}


@cache
def made() -> tuple[etsopt.Instance, Tables]:
    """A random instance with targets of several senses, and the tables of its reference allowances with duals."""
    instance = random_instance(0, 20).with_policy({"sectors.steel.target_sense": "exactly"})
    units = instance.units.assign(x_note=[f"n{k}" for k in range(20)], x_size=np.arange(20.0))
    policy = instance.policy.model_dump(mode="json", exclude_none=True)
    owners = sorted(set(units["enterprise_id"]))
    enterprises = pd.DataFrame({"enterprise_id": owners, "opening_2025_t": [np.nan, *range(1, len(owners))]})
    instance = etsopt.Instance.from_frames(units, policy, enterprises=enterprises)
    reference = reference_allowances(instance)
    tables = allocation_tables(instance, reference.reference_t[~reference.fixed])
    rows = [
        ("change", "sector_target", "cement", 0.25, "t/t"),
        ("change", "sector_target", "steel", -2.0, "t/t"),
        ("change", "province_balance", "North", 0.5, "t/t"),
        ("change", "intensity_order", "u000", 0.5, "t/rate"),
        ("change", "equal_rates", "u000", 0.5, "t/rate"),
        ("exceptions:2", "sector_target", "steel", 9.0, "units/t"),
        ("spread", KEPT, "change", -0.5, "rate/t"),
        ("spread", "sector_target", "steel", 1e-3, "rate/t"),
    ]
    tables["duals"] = pd.DataFrame(rows, columns=["level", "row", "index", "multiplier", "unit"])
    demands = derive(InstanceInputs.of(instance))
    for name, key, row in (("sectors", "sector", "sector_target"), ("provinces", "province", "province_balance")):
        limited = tables[name][key].isin(demands.rows.index[demands.rows.rule == row])
        for level in UNITS:
            own = tables["duals"].query("level == @level and row == @row").set_index("index")["multiplier"]
            tables[name][f"{level}_shadow_price"] = tables[name][key].map(own).fillna(0.0).where(limited)
    return instance, tables


def changed(name: str, column: str, row: int, cell: Any) -> Tables:
    """The tables with another cell; a number is added where the cell is a number."""
    _, tables = made()
    table = tables[name].copy()
    if isinstance(cell, float):
        table[column] = table[column].astype(float)
        table.loc[row, column] += cell
    else:
        table[column] = table[column].astype(object)
        table.loc[row, column] = cell
    return tables | {name: table}


def sums_of(tables: Tables) -> list[Violation]:
    return totals.totals_add_up(InstanceInputs.of(made()[0]), tables["allocation"], tables)


TOTALS = {
    name: {
        **dict.fromkeys((*totals.SUMS, *(totals.ISSUED if name == "enterprises" else ())), 2e-2),
        **dict.fromkeys(("units", "units_lower", "units_upper", "units_fixed", "surplus_rate"), 1e-9),
    }
    for name, _ in totals.TOTALS
}


@pytest.mark.everyday("enterprises-enterprise_id")
@pytest.mark.parametrize(("name", "key"), totals.TOTALS)
def test_every_total_is_that_of_its_units_within_its_tolerance(name: str, key: str) -> None:
    _, tables = made()
    assert sums_of(tables) == []
    row = int(np.flatnonzero(np.isfinite(tables[name]["surplus_rate"]))[-1])
    for column, tolerance in TOTALS[name].items():
        for sign in (1.0, -1.0):
            assert sums_of(changed(name, column, row, sign * tolerance * 0.99)) == []
            found = sums_of(changed(name, column, row, sign * tolerance * 1.01))
            assert [violation.where for violation in found] == [tables[name][key][row]]
            assert found[0].amount == pytest.approx(1.01 * tolerance, rel=1e-2)
            assert column in found[0].message


@pytest.mark.parametrize(("name", "key"), totals.TOTALS)
def test_rows_of_totals_may_stand_in_any_order_but_each_once(name: str, key: str) -> None:
    _, tables = made()
    back = tables | {name: tables[name].iloc[::-1].reset_index(drop=True)}
    assert sums_of(back) == []
    for rows in (tables[name].iloc[1:], pd.concat([tables[name].iloc[1:], tables[name].iloc[-1:]])):
        found = sums_of(tables | {name: rows.reset_index(drop=True)})
        assert [(violation.where, violation.amount) for violation in found] == [(name, 1.0)]
    # Totals of two groups that are exchanged are wrong however they are sorted.
    exchanged = tables[name].copy()
    exchanged[key] = exchanged[key].to_numpy()[::-1]
    assert sums_of(tables | {name: exchanged})


def test_a_group_without_emissions_has_no_rate() -> None:
    instance, tables = made()
    none = tables["enterprises"]["emissions_tco2e"] == 0
    assert none.any()
    assert tables["enterprises"]["surplus_rate"][none].isna().all()
    stated = tables["enterprises"].assign(surplus_rate=tables["enterprises"]["surplus_rate"].fillna(0.0))
    assert len(sums_of(tables | {"enterprises": stated})) == none.sum()
    assert instance.units["x_note"].is_unique


def shapes_of(tables: Tables, *names: str, instance: etsopt.Instance | None = None) -> list[str]:
    found = totals.tables_are_whole(InstanceInputs.of(instance or made()[0]), tables, names)
    assert all(violation.rule == "tables" and violation.amount == 1.0 for violation in found)
    return [violation.where for violation in found]


EVERY = ("allocation", "enterprises", "sectors", "provinces", "duals")


def test_a_group_with_less_than_a_tonne_has_a_rate() -> None:
    instance = given([("a", "a", "cement", "p", 0.5, 0.5)], {})
    tables = etsopt.solve(instance).tables
    assert totals.totals_add_up(InstanceInputs.of(instance), tables["allocation"], tables) == []
    without = {**tables, "sectors": tables["sectors"].assign(surplus_rate=np.nan)}
    assert len(totals.totals_add_up(InstanceInputs.of(instance), tables["allocation"], without)) == 1


def test_every_table_and_column_is_there() -> None:
    instance, tables = made()
    assert shapes_of(tables, *EVERY) == []
    for name in EVERY:
        assert shapes_of({other: table for other, table in tables.items() if other != name}, *EVERY) == [name]
        for column in set(totals.COLUMNS[name]) - {"in_scope"}:
            assert shapes_of(tables | {name: tables[name].drop(columns=column)}, *EVERY) == [f"{name}.{column}"]
    plain = instance.with_policy({"rule.name": "cn-2024"})
    without = tables | {"sectors": tables["sectors"].drop(columns=list(totals.BALANCE_VALUES))}
    assert shapes_of(without, *EVERY, instance=plain) == []
    later = instance.with_policy({"rule.name": "cn-2026"})
    assert len(shapes_of(without, *EVERY, instance=later)) == 3


def test_exceptions_and_real_allowances_have_columns_of_their_own() -> None:
    instance, tables = made()
    with_exceptions = instance.with_policy({"allocation.exceptions": {"units": 1, "lower": 0.1, "upper": 0.1}})
    for cells, wrong in ((None, 1), (False, 0), ("false", 1), (0.0, 1)):
        table = tables["allocation"] if cells is None else tables["allocation"].assign(exceptional=cells)
        found = shapes_of(tables | {"allocation": table}, *EVERY, instance=with_exceptions)
        assert found == ["allocation.exceptional"] * wrong
    rounds = instance.with_policy({"allocation.integer_allowances": True, "allocation.intensity_order": True})
    assert rounds.policy.allocation.rounds
    assert shapes_of(tables, *EVERY, instance=rounds) == ["allocation.before_rounding_t"]
    assert shapes_of(tables, *EVERY[:-1], instance=rounds) == []
    stated = tables["allocation"].assign(before_rounding_t=1.0)
    assert shapes_of(tables | {"allocation": stated}, *EVERY, instance=rounds) == []


def test_targets_and_what_they_leave_are_stated() -> None:
    instance, tables = made()
    demands = derive(InstanceInputs.of(instance))

    def found(tables: Tables) -> list[str]:
        held = totals.targets_are_stated(InstanceInputs.of(instance), demands, tables["allocation"], tables["sectors"])
        return [f"{violation.where}: {violation.message}" for violation in held]

    assert found(tables) == []
    names = tables["sectors"]["sector"].tolist()
    for column, words in (("target_t", "policy's [t]"), ("under_target_t", "is stated [t]")):
        for sign in (1.0, -1.0):
            assert found(changed("sectors", column, 1, sign * 0.0199)) == []
            wrong = found(changed("sectors", column, 1, sign * 0.0201))
            assert len(wrong) == 1
            assert wrong[0].startswith(f"{names[1]}: ")
            assert wrong[0].endswith(words)
    senses = dict(zip(names, tables["sectors"]["target_sense"], strict=True))
    assert senses == {"aluminium": "at_most", "cement": "at_most", "steel": "exactly"}
    for row in range(3):
        for sense in ("at_most", "exactly", "none", ""):
            wrong = found(changed("sectors", "target_sense", row, sense))
            assert (wrong == []) is (sense == senses[names[row]])


def test_a_sector_without_a_target_says_none_and_one_of_fixed_units_nothing() -> None:
    rows = [("a", "a", "cement", "p", 1000.0, 1000.0), ("b", "b", "steel", "p", 5.0, 5.0)]
    policy = {"rule": {"name": "given", "threshold_tco2e": 10.0}, "sectors": {"cement": {"band": 0.1}}}
    instance = given(rows, policy)
    table = pd.DataFrame({"unit_id": ["a", "b"], "allowance_t": [1000.0, 5.0]})
    for cement in ("none", "", "at_most"):
        for steel in ("none", ""):
            sectors = pd.DataFrame({"sector": ["cement", "steel"], "target_sense": [cement, steel]})
            sectors = sectors.assign(target_t=np.nan, under_target_t=np.nan)
            found = totals.targets_are_stated(
                InstanceInputs.of(instance), derive(InstanceInputs.of(instance)), table, sectors
            )
            assert len(found) == (cement != "none") + (steel != "")


def test_balances_are_half_the_room_between_the_limits() -> None:
    instance, tables = made()
    demands = derive(InstanceInputs.of(instance))
    assert totals.balances_are_stated(demands, tables["provinces"]) == []
    row = int(np.flatnonzero(tables["provinces"]["balance_limit_t"].notna())[0])
    for by, count in ((0.0199, 0), (-0.0199, 0), (0.0201, 1), (-0.0201, 1)):
        other = changed("provinces", "balance_limit_t", row, by)["provinces"]
        assert len(totals.balances_are_stated(demands, other)) == count


def test_the_users_own_columns_and_those_of_enterprises_are_as_they_were_given() -> None:
    instance, tables = made()

    def found(tables: Tables) -> list[str]:
        wrong = totals.own_columns_are_unchanged(
            InstanceInputs.of(instance), tables["allocation"], tables["enterprises"]
        )
        assert all(violation.amount == 1.0 for violation in wrong)
        return [violation.where for violation in wrong]

    assert found(tables) == []
    assert found(changed("allocation", "x_note", 3, "x")) == ["u003"]
    assert found(changed("allocation", "x_size", 3, 1.0)) == ["u003"]
    assert found(changed("allocation", "x_size", 3, "3")) == []
    assert found(changed("allocation", "x_size", 3, "3.0")) == []
    assert found(changed("allocation", "x_note", 3, None)) == ["u003"]
    assert found(tables | {"allocation": tables["allocation"].drop(columns="x_note")}) == ["allocation.x_note"]
    owner = tables["enterprises"]["enterprise_id"][2]
    assert found(changed("enterprises", "opening_2025_t", 2, 1.0)) == [owner]
    assert found(tables | {"enterprises": tables["enterprises"].drop(columns="opening_2025_t")}) == [
        "enterprises.opening_2025_t"
    ]
    first = tables["enterprises"]["enterprise_id"][0]
    assert found(changed("enterprises", "opening_2025_t", 0, "1.0")) == [first]
    alone = etsopt.Instance.from_frames(instance.units, instance.policy.model_dump(mode="json", exclude_none=True))
    assert (
        totals.own_columns_are_unchanged(InstanceInputs.of(alone), tables["allocation"], tables["enterprises"].head(0))
        == []
    )
