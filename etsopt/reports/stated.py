"""Tables of a run for people: without figures of which the instance states nothing, or that are outside the scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.language import _, joined
from etsopt.rules import pre_allocation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.common.language import Text
    from etsopt.data.instance import Instance

OF_PRE_ALLOCATION = ("pre_allocated_t", "top_up_t", "return_t")
"""Columns that follow from a pre-allocation; a run has 0, or all allowances, where none is stated."""

OF_SCOPE = ("emissions_tco2e", "reference_t", "allowance_t", "change_t", "surplus_t", "before_rounding_t")
"""Columns in which a run has 0 for a unit outside the scope of the year, whatever it emits."""


def as_stated(table: pd.DataFrame, instance: Instance, by: str) -> pd.DataFrame:
    """Return a table with NaN for what follows from a pre-allocation where that of some unit of a row is not known.

    Units outside the scope, which get none, count only if one is stated of them.

    Parameters
    ----------
    by
        Column of the table and of the units that names the row, such as ``unit_id`` or ``sector``.
    """
    stated = ~np.isnan(pre_allocation(instance))
    units = pd.DataFrame({"stated": stated, "open": instance.in_scope & ~stated}, instance.units[by].astype(str))
    found = units.groupby(level=0).any()
    stated = table[by].astype(str).map(found["stated"] & ~found["open"]).fillna(True).astype(bool)
    return table.assign(**{name: table[name].where(stated) for name in OF_PRE_ALLOCATION if name in table})


def within_scope(units: pd.DataFrame, instance: Instance) -> pd.DataFrame:
    """Return a table of units with NaN for what is in no total of units outside the scope of the year."""
    outside = units["unit_id"].isin(outside_scope(instance))
    return units.assign(**{name: units[name].mask(outside) for name in OF_SCOPE if name in units})


def outside_scope(instance: Instance) -> list[str]:
    """Return the units outside the scope of the year."""
    names: list[str] = instance.units.loc[~instance.in_scope, "unit_id"].tolist()
    return names


CONFIDENCE = {
    "C": _("Emissions of {names} rest on factors that one secondary source has (confidence C)."),
    "stated": _("Emissions of {names} rest on factors that a user stated in place of official ones."),
}
"""What the emissions of units from monthly reports rest on, by their mark."""


def confidence_of(units: pd.DataFrame, most: int) -> Iterator[Text]:
    """Yield a sentence for each mark that emissions of units have from the factors of their monthly reports.

    Parameters
    ----------
    units
        Units as an instance has them.
    most
        Units that a sentence names.
    """
    if not {"x_confidence", "emissions_status"} <= set(units):
        return
    reported = units[units["emissions_status"].fillna("") != ""]
    for mark, text in CONFIDENCE.items():
        names = reported.loc[reported["x_confidence"] == mark, "unit_id"].astype(str).tolist()
        if names:
            yield _(text, names=joined(names[:most]) + ("…" if len(names) > most else ""))
