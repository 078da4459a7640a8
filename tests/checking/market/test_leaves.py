"""Leaves prove something only if they cover every choice: trees that do, and tables that do not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market.leaves import COLUMNS as EVERY_COLUMN
from etsopt.checking.market.leaves import Leaf, cover, read_leaves
from etsopt.checking.market.restricted import Branching
from tests.checking.market.small import baseline_of, choices_of

COLUMNS = tuple(name for name in EVERY_COLUMN if name != "step")
INSTANCE: Any = SimpleNamespace(units=pd.DataFrame({"unit_id": ["u", "v", "w"]}))
ROWS = [
    (1, 1, "cost:2", "u", "a", 2025, 1),
    (1, 2, "cost:2", "v", "c", 2026, 1),
    (2, 1, "", "u", "a", 2025, 1),
    (2, 2, "", "v", "c", 2026, 0),
    (3, 1, "unmet_demand:1", "u", "a", 2025, 0),
]


def read(rows: list[tuple[Any, ...]], **changes: Any) -> tuple[list[Leaf], list[tuple[str, str]]]:
    table = pd.DataFrame(rows, columns=list(COLUMNS)).assign(**changes)
    leaves, broken = read_leaves(INSTANCE, baseline_of(), choices_of(), table)
    assert all(violation.rule in ("leaves", "tables") and violation.amount == 1.0 for violation in broken)
    return leaves, [(violation.where, violation.unit) for violation in broken]


def test_leaves_are_read_in_their_order() -> None:
    leaves, broken = read(ROWS)
    assert broken == []
    first, second = Branching(0, 0, 0, True), Branching(1, 1, 1, True)
    assert leaves == [
        Leaf("cost:2", (first, second)),
        Leaf("", (first, second._replace(runs=False))),
        Leaf("unmet_demand:1", (first._replace(runs=False),)),
    ]
    assert read_leaves(INSTANCE, baseline_of(), choices_of(), None) == ([], [])


@pytest.mark.parametrize(
    ("row", "column", "cell", "where"),
    [
        (1, "unit_id", "x", "2"),
        (1, "measure_id", "b", "2"),
        (1, "measure_id", "nothing", "2"),
        (1, "year", 2027, "2"),
        (4, "runs", 2, "5"),
        (4, "runs", 0.5, "5"),
        (0, "leaf", 2, "1"),
        (4, "leaf", 4, "5"),
        (4, "leaf", 2, "5"),
        (1, "place", 3, "2"),
        (0, "place", 0, "1"),
        (4, "place", 2, "5"),
        (1, "level", "cost:3", "2"),
    ],
)
def test_a_row_holds_a_measure_on_offer_and_stands_in_order(row: int, column: str, cell: Any, where: str) -> None:
    rows = [list(line) for line in ROWS]
    rows[row][COLUMNS.index(column)] = cell
    leaves, broken = read([tuple(line) for line in rows])
    assert leaves == []
    assert broken == [(where, "rows")]


def test_of_several_wrong_rows_the_first_is_told() -> None:
    rows = [(*line[:3], "x", *line[4:]) for line in ROWS]
    assert read(rows)[1] == [("1", "rows")]


def test_a_table_has_its_columns_and_rows_and_holds_what_it_must() -> None:
    table = pd.DataFrame(ROWS, columns=list(COLUMNS))
    for wrong in (table.drop(columns="year"), table[list(COLUMNS[::-1])], table.head(0)):
        leaves, broken = read_leaves(INSTANCE, baseline_of(), choices_of(), wrong)
        assert (leaves, len(broken), broken[0].unit, broken[0].amount) == ([], 1, "tables", 1.0)
    for column in COLUMNS:
        cells: Any = "x" if column in ("leaf", "place", "year", "runs") else 7.0
        wanted = ("1", "rows") if column == "runs" else (f"leaves.{column}", "columns")
        assert read(ROWS, **{column: cells})[1] == [wanted]


def test_leaves_that_leave_a_choice_out_cover_nothing() -> None:
    leaves, broken = read(ROWS[:4])
    assert len(leaves) == 2
    assert broken == [("", "trees")]


ONE, OTHER = Branching(0, 0, 0, True), Branching(1, 1, 1, True)
NOT_ONE, NOT_OTHER = ONE._replace(runs=False), OTHER._replace(runs=False)


@pytest.mark.parametrize(
    ("leaves", "covered"),
    [
        ([()], True),
        ([(), ()], False),
        ([(ONE,), (NOT_ONE,)], True),
        ([(ONE,)], False),
        ([(NOT_ONE,)], False),
        ([(ONE,), (ONE,), (NOT_ONE,)], False),
        ([(ONE, OTHER), (ONE, NOT_OTHER), (NOT_ONE,)], True),
        ([(ONE, OTHER), (NOT_ONE,)], False),
        ([(ONE, OTHER), (ONE, NOT_OTHER), (NOT_ONE, OTHER), (NOT_ONE, NOT_OTHER)], True),
        ([(ONE,), (NOT_OTHER,)], False),
        ([(ONE,), (ONE, OTHER), (NOT_ONE,)], False),
        ([(ONE,), (NOT_ONE._replace(year=1),)], False),
        ([(ONE,), (NOT_ONE._replace(slot=1),)], False),
        ([(ONE, ONE), (ONE, NOT_ONE), (NOT_ONE,)], True),
    ],
)
def test_leaves_cover_everything_if_a_tree_has_them(leaves: list[tuple[Branching, ...]], covered: bool) -> None:
    assert cover([Leaf("", held) for held in leaves]) is covered


def test_a_leaf_of_measures_with_steps_names_the_step() -> None:
    offered = choices_of(
        code=np.array([[0, 0], [0, 2], [-1, -1]]),
        step=np.array([[1, 2], [1, 1], [1, 1]]),
        steps=np.array([[2, 2], [1, 1], [1, 1]]),
    )
    rows = [(1, 1, "", "u", "a", 2, 2026, 1), (2, 1, "", "u", "a", 2, 2026, 0)]
    table = pd.DataFrame(rows, columns=list(EVERY_COLUMN))
    leaves, broken = read_leaves(INSTANCE, baseline_of(), offered, table)
    assert broken == []
    assert leaves == [Leaf("", (Branching(0, 1, 1, True),)), Leaf("", (Branching(0, 1, 1, False),))]
    for wrong in (table.drop(columns="step"), table.assign(step=3), table.assign(step=1.5)):
        assert read_leaves(INSTANCE, baseline_of(), offered, wrong)[1]
