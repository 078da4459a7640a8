"""Holdings of enterprises before a year: columns of their table, and the vintages that last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.data.tables.schema import VINTAGES

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

LASTING_FROM = 2025
"""Allowances of this and later vintages count in every year from 2025 on; earlier ones before it, or by carry-over."""


FIRST_VINTAGES = range(2019, 2027)
"""Vintages of every table of holdings; later ones are those that an instance states, and that of its year."""


def vintages_of(instance: Instance) -> NDArray[np.int64]:
    """Return the vintages of the tables of holdings, oldest first."""
    columns = () if instance.enterprises is None else instance.enterprises.columns
    later = {vintage for vintage in VINTAGES if f"opening_{vintage}_t" in columns}
    return np.array(sorted({*FIRST_VINTAGES, *later, instance.policy.year}))


def enterprise_column(instance: Instance, enterprises: NDArray[Any], column: str) -> NDArray[np.float64]:
    """Return a column of ``enterprises.csv`` in the order of some enterprises; zero if it states nothing."""
    table = instance.enterprises
    if table is None or column not in table:
        return np.zeros(len(enterprises))
    return np.nan_to_num(table.set_index("enterprise_id")[column].reindex(enterprises).to_numpy(dtype=float))


def totals(values: NDArray[np.float64], group: NDArray[np.int64] | None, groups: int) -> NDArray[np.float64]:
    """Sum rows by group, shape ``(groups, years)``; all rows together if no group is given."""
    if group is None:
        return values.sum(axis=0, keepdims=True)
    return np.column_stack([np.bincount(group, of_year, groups) for of_year in values.T]).astype(float, copy=False)
