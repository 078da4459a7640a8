"""Tables of a run without figures of a pre-allocation of which the instance states nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.rules import pre_allocation

if TYPE_CHECKING:
    from etsopt.data.instance import Instance

OF_PRE_ALLOCATION = ("pre_allocated_t", "top_up_t", "return_t")
"""Columns that follow from a pre-allocation; a run has 0, or all allowances, where none is stated."""


def as_stated(table: pd.DataFrame, instance: Instance, by: str) -> pd.DataFrame:
    """Return a table with NaN for what follows from a pre-allocation where no unit of a row has one stated.

    Parameters
    ----------
    by
        Column of the table and of the units that names the row, such as ``unit_id`` or ``sector``.
    """
    known = pd.Series(~np.isnan(pre_allocation(instance)), instance.units[by].astype(str)).groupby(level=0).any()
    stated = table[by].astype(str).map(known).fillna(True).astype(bool)
    return table.assign(**{name: table[name].where(stated) for name in OF_PRE_ALLOCATION if name in table})
