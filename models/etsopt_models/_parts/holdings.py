"""What enterprises hold before a year: columns of their table, and the one conversion of old vintages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.units import whole_tonnes

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

LASTING_FROM = 2025
"""From this vintage on allowances settle every year from 2025 on; earlier ones settle years before, or are converted."""

FREELY_CONVERTED_T, CONVERTED_PER_NET_SALE = 10_000.0, 1.5
"""The one conversion of vintages 2019-2024 (annex 5 of the 2023-2024 power plan): this many tonnes, and this many for
each tonne sold net [t, t/t]."""


def stated(instance: Instance, enterprises: NDArray[Any], column: str) -> NDArray[np.float64]:
    """A column of ``enterprises.csv`` in the order of some enterprises; zero where it states nothing."""
    table = instance.enterprises
    if table is None or column not in table:
        return np.zeros(len(enterprises))
    return np.nan_to_num(table.set_index("enterprise_id")[column].reindex(enterprises).to_numpy(dtype=float))


def carried_over(held_t: NDArray[np.float64], net_sales_t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Allowances of vintages 2019-2024 that become ones of 2025, of what is held of them and was sold net [t].

    >>> carried_over(np.array([300_000.0, 300_000.0, 4_000.0]), np.array([100_000.0, -5_000.0, 0.0]))
    array([160000.,  10000.,   4000.])
    """
    most = FREELY_CONVERTED_T + CONVERTED_PER_NET_SALE * np.maximum(net_sales_t, 0.0)
    return whole_tonnes(np.minimum(held_t, most))
