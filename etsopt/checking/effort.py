"""Effort of the checker: numbers that bound its work.

None of them makes a wrong answer pass: beyond a bound nothing is proven, and the verdict says so.
"""

from __future__ import annotations

import numpy as np

# Allocations

UNITS_AT_ONCE = 1 << 15
"""Number of units evaluated together, so that their data stay in the cache."""

RATIONAL_UNITS_MAX = 20_000
"""Largest number of units for which a bound that floating-point numbers do not prove is repeated in rational ones."""

LEAST_MULTIPLIERS_TRIED = (0.0, *10.0 ** np.arange(-6, 7))
"""Least multipliers tried for integer rates: a whole tonne costs an earlier objective at least its slope."""

RATE_BISECTIONS = 50
"""Bisections of the rates below that of the answer for the largest one that is ruled out: they leave 1e-15 of the
rate."""

EXCEPTION_PARTS_MAX = 20_000
"""Most parts of all choices of exceptions that are looked at; beyond them nothing is proven."""

EXCEPTION_CHOICES_MAX = 100_000
"""Most choices of exceptions that are looked at one by one; of more nothing is proven."""

# Programs of models of one's own

NARROWING_ROUNDS = 3
"""Rounds in which rows narrow the bounds of columns: from a column to its neighbours, on, and back."""

# Markets

REPAIRED_MULTIPLIERS_MAX = 200_000
"""Largest number of multipliers repaired together; of more accounts, each pays for the rounding of its own tonnes."""

REPAIR_SWEEPS_MAX = 200
"""Most sweeps of this repair along chains of variables, which end once nothing moves. Multipliers that are not repaired
prove a bound as well, less what their rounding costs."""

OWNER_PLANS_MAX = 20_000
"""Largest number of listed plans of a unit or an enterprise; owners with more plans are bounded by multipliers
alone."""

ENUMERATED_PLANS_MAX = 2_000_000
"""Largest number of listed plans in total; owners with most are bounded by multipliers alone."""

COMBINED_PLANS_FACTOR = 4
"""Factor on both while plans are combined."""

COMBINATION_VECTORS_MAX = 32
"""Most vectors of multipliers that bound choices together; beyond them nothing is proven."""

COMBINATION_PLANS_MAX = 500_000
"""Most plans listed for this; beyond them nothing is proven."""

COMBINATION_SUMS_MAX = 30_000_000
"""Most sums of parts of choices at a time; beyond them nothing is proven."""

COMBINATION_WORK_MAX = 60_000_000
"""Most sums of parts of choices in all; beyond them nothing is proven."""

# Investments

INVESTMENT_COMBINATIONS_MAX = 2_000_000
"""Combinations of the sets of an enterprise, times scenarios, that are computed at most."""

# Plans of reviews

DAY_PARTS = (1, 2, 4, 5, 8, 10, 20, 40, 50, 100)
"""Parts of a day, of which the first is taken that all days are multiples of; else the last, which rounds days down."""

DAY_STATES_MAX = 20_000
"""Days of one level, in their parts; more are kept in coarser ones."""

REVIEW_CELLS_MAX = 1e9
"""Cells of states times enterprises that are examined, about two seconds; beyond them this bound is left out."""
