"""Clauses by which a month without a measurement has the default of the guideline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import SECTOR, joined
from etsopt.accounting.vocabulary import ITEMS, STEEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.coded import Coded

    Mask = NDArray[np.bool_]

TESTED_MONTHLY = np.array([item.phase in ("liquid", "gas") for item in ITEMS.values()])
"""True for items whose calorific value is tested each month."""


def default_by_clause(coded: Coded, measured: Mask) -> Mask:
    """Return True for liquids and gases of steel without a measured value, of a year in which they have one.

    Parameters
    ----------
    measured
        True where the calorific value is measured in the month, shape ``(rows,)``.
    """
    key = joined([(coded.unit, 0), (coded.item, len(ITEMS)), (coded.month // 12, 10_000)])
    tested = (coded.sector == SECTOR[STEEL]) & TESTED_MONTHLY[coded.item]
    found: Mask = tested & ~measured & np.isin(key, key[tested & measured])
    return found
