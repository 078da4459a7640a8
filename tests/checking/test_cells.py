"""Tables in memory may hold anything: what can be read is made typed_columns, and what cannot is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.cells import above, are_whole, crossed, distance, rows_are, typed_columns, wrong_with


def made(cells: list[Any], dtype: Any = object) -> tuple[pd.Series[Any], int]:
    tables, found = typed_columns({"table": pd.DataFrame({"column": pd.Series(cells, dtype=dtype), "other": 1.5})})
    assert tables["table"]["other"].dtype == float
    assert all(v.rule == "tables" and v.where == "table.column" and v.amount == 1.0 for v in found)
    return tables["table"]["column"], len(found)


@pytest.mark.parametrize(
    ("cells", "dtype", "becomes"),
    [
        (["a", None, "b"], object, ["a", "", "b"]),
        (["a", None], "string", ["a", ""]),
        (["a", "b"], object, ["a", "b"]),
        ([None, None], object, ["", ""]),
        ([1, 2], object, [1.0, 2.0]),
        ([1.5, 2], object, [1.5, 2.0]),
        ([1.5, 2.5], object, [1.5, 2.5]),
        ([True, False], object, [True, False]),
        ([1, 2], "Int64", [1.0, 2.0]),
        ([True, False], "boolean", [True, False]),
        (["a", "b"], "category", ["a", "b"]),
    ],
)
def test_cells_of_one_kind_are_made_plain(cells: list[Any], dtype: Any, becomes: list[Any]) -> None:
    column, wrong = made(cells, dtype)
    assert wrong == 0
    assert column.tolist() == becomes
    assert isinstance(column.tolist()[0], type(becomes[0]))


@pytest.mark.parametrize("dtype", [object, "Float64"])
def test_numbers_with_absent_ones_stay_numbers(dtype: Any) -> None:
    column, wrong = made([1.5, None], dtype)
    assert wrong == 0
    assert column.dtype == float
    assert np.isnan(column.iloc[1])


@pytest.mark.parametrize("cells", [[True, None], ["a", 1], [1, "a", None], [(1,), (2,)]])
def test_cells_of_several_kinds_are_refused(cells: list[Any]) -> None:
    _, wrong = made(cells, "boolean" if cells[0] is True else object)
    assert wrong == 1


def test_a_table_that_is_plain_already_is_left_as_it_is() -> None:
    table = pd.DataFrame({"text": pd.Series(["a"], dtype=object), "number": [1.0], "truth": [True]})
    tables, found = typed_columns({"table": table})
    assert tables["table"] is table
    assert found == []


@pytest.mark.parametrize(
    ("column", "cells", "wrong"),
    [
        ("allowance_t", [1.0, 2.0], ""),
        ("allowance_t", [1.0, np.nan], "holds finite numbers"),
        ("allowance_t", [1.0, np.inf], "holds finite numbers"),
        ("surplus_rate", [1.0, np.nan], ""),
        ("allowance_t", ["1", "2"], "holds numbers"),
        ("sector", ["a", "b"], ""),
        ("sector", ["a", None], ""),
        ("sector", [None, None], ""),
        ("sector", ["a", 1], "holds strings"),
        ("sector", [1, 2], "holds strings"),
        ("at_risk", [True, False], ""),
        ("at_risk", ["a", "b"], "holds true or false"),
        ("usable", [1, 0], "holds true or false"),
        ("usable", [True, True], ""),
    ],
)
def test_a_column_holds_what_it_ought_to(column: str, cells: list[Any], wrong: str) -> None:
    assert wrong_with(pd.DataFrame({column: cells}), column) == wrong
    assert wrong_with(pd.DataFrame({"other": cells}), column) == "is present"
    assert wrong_with(pd.DataFrame({column: cells}).head(0), column) == ""


def test_what_is_absent_is_right_where_nothing_is_expected() -> None:
    nan = np.nan
    assert distance([1.0, nan, 2.0, nan], [3.0, nan, nan, 1.0])[:3].tolist() == [2.0, 0.0, np.inf]
    assert np.isnan(distance([nan], [1.0])[0])


def test_the_largest_violation_comes_first_and_what_is_no_number_before_it() -> None:
    names, by = np.array(list("abcd"), dtype=object), np.array([1.0, np.nan, 3.0, 2.0])
    found = above("rule", names, by, 1.0, "t", "words")
    assert [violation.where for violation in found] == ["b", "c", "d"]
    assert [violation.amount for violation in found][1:] == [3.0, 2.0]


def test_every_table_and_column_is_there_but_for_those_that_it_may_lack() -> None:
    columns = {"one": ("sector", "allowance_t", "in_scope"), "other": ("year",)}
    one, other = pd.DataFrame({"sector": ["a"], "allowance_t": 1.0}), pd.DataFrame({"year": [2025]})
    whole = {"one": one, "other": other}
    assert [v.where for v in are_whole(whole, columns)] == ["one.in_scope"]
    assert are_whole(whole, columns, ("in_scope",)) == []
    # What it may lack is of its kind where it is there.
    wrong = {"one": one.assign(in_scope=1.0, sector=2.0)}
    told = [(v.rule, v.where, v.amount) for v in are_whole(wrong, columns, ("in_scope",))]
    assert told == [("tables", "one.sector", 1.0), ("tables", "one.in_scope", 1.0), ("tables", "other", 1.0)]


def test_a_table_has_a_row_for_every_combination_of_keys_in_their_order() -> None:
    keys = crossed(sector=["x", "y"], year=np.array([2025, 2026]))
    right = pd.DataFrame({"sector": list("xxyy"), "year": [2025, 2026] * 2})
    assert rows_are("t", right, keys) == []
    assert rows_are("t", right.iloc[:2], crossed(year=[2025, 2026])) == []
    for column in right:
        for wrong in (right.drop(columns=column), right.assign(**{column: right[column].to_numpy()[::-1]})):
            found = rows_are("t", wrong, keys)
            assert [(v.where, v.rule, v.amount) for v in found] == [(f"t.{column}", "same_rows", 1.0)]
    assert len(rows_are("t", right.head(3), keys)) == 1
