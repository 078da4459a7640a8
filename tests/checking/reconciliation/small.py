"""Evidence of a few quantities and statements, as the checker reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from etsopt.checking.reconciliation.evidence import Evidence

QUANTITY = {"unit": 0, "factor": 1.0, "reported": np.nan, "uncertainty": np.nan, "substitute": np.nan, "most": 100.0}
STATEMENT = {"unit": 0, "value": np.nan, "lower": -np.inf, "upper": np.inf, "uncertainty": 1.0}


def evidence_of(
    quantities: Sequence[Mapping[str, float]],
    statements: Sequence[Mapping[str, float]],
    terms: Sequence[tuple[int, int, float]],
) -> Evidence:
    """Evidence of these rows, with absent figures where none is given; a term is (statement, quantity, coefficient)."""
    rows = pd.DataFrame([QUANTITY | dict(row) for row in quantities], columns=list(QUANTITY))
    limits = pd.DataFrame([STATEMENT | dict(row) for row in statements], columns=list(STATEMENT))
    statement, quantity, coefficient = np.array(terms, dtype=float).reshape(-1, 3).T
    return Evidence(rows, limits, statement.astype(np.int64), quantity.astype(np.int64), coefficient)
