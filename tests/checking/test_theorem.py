"""Theorems: the gap that proves whole numbers unless the reader asks for another, and what no statement covers."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.theorem import UNMET, default_gap, theorem_of


@pytest.mark.parametrize(
    ("model", "gap"), [("allocation", 1e-4), ("clearing", 1e-4), ("pathway", 1e-4), ("review_plan", 1e-3)]
)
def test_whole_plans_are_proven_to_a_ten_thousandth_and_plans_of_reviews_to_a_thousandth(
    model: str, gap: float
) -> None:
    assert default_gap(model) == gap


def test_a_table_or_a_column_that_no_statement_covers_is_named_but_for_ones_own() -> None:
    theorem = theorem_of(InstanceInputs.of(etsopt.read("tiny")), "allocation", ["allocation"])
    allocation = pd.DataFrame({"unit_id": ["a"], "x_note": ["b"], "note": ["c"]})
    found = theorem.misfits({"allocation": allocation, "years": allocation}, theorem.levels)
    assert [(one.where, one.unit) for one in found] == [("allocation.note", "columns"), ("years", "tables")]


@pytest.mark.parametrize(
    ("infeasibility", "years", "open_columns"), [(UNMET, 1, []), (UNMET, 2, [f"{UNMET}: years"]), ("", 2, [])]
)
def test_of_what_is_unmet_in_several_years_only_the_total_is_proven(
    infeasibility: str, years: int, open_columns: list[str]
) -> None:
    theorem = theorem_of(InstanceInputs.of(etsopt.read("tiny")), "allocation", ["allocation"])
    unmet = pd.DataFrame({"year": range(2025, 2025 + years), "unmet_t": 1.0})
    asked = replace(theorem, infeasibility=infeasibility, tables={**theorem.tables, UNMET: ("year", "unmet_t")})
    assert [*asked.not_proven({UNMET: unmet})] == open_columns
