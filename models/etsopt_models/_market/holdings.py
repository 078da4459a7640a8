"""Holdings of enterprises before a year: columns of their table, and the vintages that last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

LASTING_FROM = 2025
"""Allowances of this and later vintages count in every year from 2025 on; earlier ones before it, or by carry-over."""


def stated(instance: Instance, enterprises: NDArray[Any], column: str) -> NDArray[np.float64]:
    """Return a column of ``enterprises.csv`` in the order of some enterprises; zero if it states nothing."""
    table = instance.enterprises
    if table is None or column not in table:
        return np.zeros(len(enterprises))
    return np.nan_to_num(table.set_index("enterprise_id")[column].reindex(enterprises).to_numpy(dtype=float))
