"""Figures that stand in for a missing measurement, each with the clause of its guideline.

Booked is only what a clause that was read replaces. Liquids and gases of steel have a test each month, and the default
in a month without one (CETS-AG-03.01-V01-2024, 6.2.2.4). For a solid that was measured the guideline names no figure
but the rule of the data-quality control plan (6.2.2.2; 9.1 d 5): such a month is refused, with these clauses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.clauses import default_by_clause
from etsopt.accounting.figures import STEEL_GUIDELINE
from etsopt.accounting.periods import period_text
from etsopt.accounting.tables import words_of
from etsopt.accounting.vocabulary import STEEL

if TYPE_CHECKING:
    from etsopt.accounting.factors import Factors
    from etsopt.accounting.lines import Lines

CALORIFIC = "calorific_value"


def substitutes(lines: Lines, factors: Factors) -> pd.DataFrame:
    """Return every figure that a clause puts in place of a measurement: its line, what it is, value and clause."""
    line = np.flatnonzero(default_by_clause(lines.coded, ~np.isnan(lines.ncv)))
    words = words_of(lines.coded, line)
    return pd.DataFrame(
        {
            "figure": line,
            "unit_id": words.pop("unit_id"),
            "month": period_text(lines.coded.month[line], yearly=False),
            **words,
            "substituted": np.full(len(line), CALORIFIC, dtype=object),
            "value": factors.fuels(STEEL).ncv[lines.coded.item[line]],
            "clause": np.full(len(line), f"{STEEL_GUIDELINE}, 6.2.2.4", dtype=object),
        }
    )
