"""Figures that stand in for a missing measurement, each with the clause of its guideline.

Booked is only what a clause that was read replaces. Coal and gas of power units have defaults in a month without a
valid test (CETS-VG-01.01-V02-2026, tables 8, 9, 11 and 12). Liquids and gases of steel have a test each month, and
the default in a month without one (CETS-AG-03.01-V01-2024, 6.2.2.4). For a solid that was measured the guideline
names no figure but the rule of the data-quality control plan (6.2.2.2; 9.1 d 5): such a month is refused, with these
clauses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.clauses import default_by_clause
from etsopt.accounting.coded import SECTOR
from etsopt.accounting.figures import POWER_VERIFICATION, STEEL_GUIDELINE
from etsopt.accounting.periods import period_text
from etsopt.accounting.power import carbon_of
from etsopt.accounting.tables import words_of
from etsopt.accounting.vocabulary import ITEMS, POWER, STEEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.factors import Factors
    from etsopt.accounting.lines import Lines

CALORIFIC, CARBON = SUBSTITUTED = ("calorific_value", "carbon_by_heat")
TABLES = {"solid": {CARBON: 8, CALORIFIC: 9}, "gas": {CARBON: 11, CALORIFIC: 12}}
"""Tables of the verification guideline of power by which a fuel of a phase has its default."""


def substitutes(lines: Lines, factors: Factors) -> pd.DataFrame:
    """Return every figure that a clause puts in place of a measurement: its line, what it is, value and clause."""
    untested = np.isnan(lines.ncv)
    by_clause = default_by_clause(lines.coded, ~untested)
    parts = [_part(lines, by_clause, CALORIFIC, factors.fuels(STEEL).ncv, f"{STEEL_GUIDELINE}, 6.2.2.4")]
    of_power = (lines.coded.sector == SECTOR[POWER]) & np.isnan(carbon_of(lines)) & (lines.hundredths > 0)
    for phase, tables in TABLES.items():
        burnt = of_power & lines.coded.is_fuel & OF_PHASE[phase][lines.coded.item]
        for what, which, value in (
            (CARBON, burnt, factors.fuels(POWER).carbon),
            (CALORIFIC, burnt & untested, factors.fuels(POWER).ncv),
        ):
            parts.append(_part(lines, which, what, value, f"{POWER_VERIFICATION}, table {tables[what]}"))
    return pd.concat(parts, ignore_index=True).sort_values("figure", kind="stable", ignore_index=True)


OF_PHASE = {phase: np.array([item.phase == phase for item in ITEMS.values()]) for phase in TABLES}


def _part(lines: Lines, which: NDArray[np.bool_], what: str, value: NDArray[np.float64], clause: str) -> pd.DataFrame:
    """Return the figures of some lines by one clause; ``value`` is by item."""
    line = np.flatnonzero(which)
    words = words_of(lines.coded, line)
    return pd.DataFrame(
        {
            "figure": line,
            "unit_id": words.pop("unit_id"),
            "month": period_text(lines.coded.month[line], yearly=False),
            **words,
            "substituted": np.full(len(line), what, dtype=object),
            "value": value[lines.coded.item[line]],
            "clause": np.full(len(line), clause, dtype=object),
        }
    )
