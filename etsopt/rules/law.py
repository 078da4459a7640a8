"""Penalties of a shortfall under the law in force at the deadline, 31 December t + 1 for compliance year t."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.data.policy.plans import official_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.policy.policy import Policy

ANY_SECTOR, FIRST_YEAR = "cement", 2023
"""The law is the same for all sectors; years before its first year are treated as that year."""


def fixed_fines(policy: Policy, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the fixed fine of an enterprise with a shortfall by compliance year, shape ``(years,)`` [CNY]."""
    return _by_year("penalty.fixed_fine_cny", policy.penalty.fixed_fine_cny, years)


def deduction_shares(policy: Policy, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of a shortfall deducted from next year's allowances by compliance year, shape ``(years,)``."""
    return _by_year("penalty.deduction_share", policy.penalty.deduction_share, years)


def _by_year(key: str, stated: float | None, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    import numpy as np

    official = [official_value(key, ANY_SECTOR, max(int(year), FIRST_YEAR), 0.0) for year in years]
    return np.array(official if stated is None else [stated] * len(years), dtype=float)
