"""The systems of Newton's method are those of full matrices, for few rows and for many."""

from __future__ import annotations

import numpy as np
import pytest

from etsopt.modelling.program.sparse_rows import dense
from etsopt_models._projection import least_squares


@pytest.mark.parametrize("few_rows", [0, 300], ids=["many rows", "few rows"])
@pytest.mark.parametrize("seed", range(5))
def test_the_system_is_that_of_the_full_matrix(few_rows: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(least_squares, "DENSE_SYSTEM_ROWS_MAX", few_rows)
    random = np.random.default_rng(seed)
    # A column without rows, and one that stands in all of them.
    rows = np.where(random.random((12, 40)) < 0.3, random.normal(size=(12, 40)), 0.0)
    rows[:, 0], rows[:, 1] = 0.0, 1.0
    weight, active = random.random(40), np.array([0, 2, 3, 7, 9])
    scale, right = random.uniform(0.5, 1.5, 5), random.normal(size=5)
    found = least_squares.Curvature(least_squares.Entries.of(dense(rows))).solve(weight, active, scale, 1e-6, right)
    scaled = rows[active] * scale[:, np.newaxis]
    assert found == pytest.approx(np.linalg.solve(scaled * weight @ scaled.T + 1e-6 * np.eye(5), right), rel=1e-8)
