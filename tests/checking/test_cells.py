"""Tables in memory may hold anything: what can be read is made typed_columns, and what cannot is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.cells import typed_columns


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
    ],
)
def test_cells_of_one_kind_are_made_plain(cells: list[Any], dtype: Any, becomes: list[Any]) -> None:
    column, wrong = made(cells, dtype)
    assert wrong == 0
    assert column.tolist() == becomes
    assert isinstance(column.tolist()[0], type(becomes[0]))


def test_numbers_with_absent_ones_stay_numbers() -> None:
    column, wrong = made([1.5, None])
    assert wrong == 0
    assert column.dtype == float
    assert np.isnan(column.iloc[1])


@pytest.mark.parametrize("cells", [[True, None], ["a", 1], [1, "a", None], [(1,), (2,)]])
def test_cells_of_several_kinds_are_refused(cells: list[Any]) -> None:
    _, wrong = made(cells)
    assert wrong == 1


def test_a_table_that_is_plain_already_is_left_as_it_is() -> None:
    table = pd.DataFrame({"text": pd.Series(["a"], dtype=object), "number": [1.0], "truth": [True]})
    tables, found = typed_columns({"table": table})
    assert tables["table"] is table
    assert found == []
