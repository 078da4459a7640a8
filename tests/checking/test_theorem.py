"""Theorems: the gap that proves an answer of whole numbers unless the reader asks for another."""

from __future__ import annotations

import pytest

from etsopt.checking.theorem import default_gap


@pytest.mark.parametrize(
    ("model", "gap"), [("allocation", 1e-4), ("clearing", 1e-4), ("pathway", 1e-4), ("review_plan", 1e-3)]
)
def test_whole_plans_are_proven_to_a_ten_thousandth_and_plans_of_reviews_to_a_thousandth(
    model: str, gap: float
) -> None:
    assert default_gap(model) == gap
