"""Carry-over (结转): allowances of 2019-2024 that became ones of 2025, once, by what their holder sold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.data.official import official_value
from etsopt.rules.registry import parameters_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

CONVERTED_IN = 2025
"""Compliance year to which conversion belongs."""

WITHOUT_UNITS = "power"
"""An enterprise that owns no unit of the instance has the smaller base, that of power."""


def carried_over(
    instance: Instance, owners: NDArray[np.object_], held_t: NDArray[np.float64], net_sales_t: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Allowances of 2019-2024 that become ones of 2025: base + factor x net sales, at most what is held [t].

    Base and factor are those of the sector of the enterprise's largest unit, in the year of the tables: conversion
    ended on 10 June 2026, so it belongs to compliance year 2025 alone. Before it nothing is converted, whatever is
    stated: these allowances settle their own years.

    Parameters
    ----------
    owners
        Enterprises, shape ``(f,)``.
    held_t, net_sales_t
        What each holds of these vintages, and sold net of them, shape ``(f,)``.
    """
    import numpy as np

    from etsopt.units import whole_tonnes

    if instance.policy.year < CONVERTED_IN or not held_t.any():
        return np.zeros(len(owners))
    sectors = _sectors_of(instance, owners)
    parameters, year = parameters_of(instance), instance.policy.year
    base = _by_sector("rule.carry_over_base_t", parameters.carry_over_base_t, sectors, year)
    factor = _by_sector("rule.carry_over_factor", parameters.carry_over_factor, sectors, year)
    return whole_tonnes(np.minimum(held_t, base + factor * np.maximum(net_sales_t, 0.0)))


def _by_sector(
    key: str, stated: float | dict[str, float] | None, sectors: NDArray[np.object_], year: int
) -> NDArray[np.float64]:
    """A parameter of each enterprise: what is stated, for all or for its sector, else the official one."""
    import numpy as np

    if isinstance(stated, int | float):
        return np.full(len(sectors), float(stated))
    own = stated or {}
    values = {name: own.get(name, official_value(key, name, year, 0.0)) for name in sorted(set(sectors))}
    return np.array([values[name] for name in sectors], dtype=float)


def _sectors_of(instance: Instance, owners: NDArray[np.object_]) -> NDArray[np.object_]:
    """The sector of each enterprise's unit with the most verified emissions, the first of equal ones."""
    import numpy as np

    units = instance.units
    order = np.lexsort((np.arange(len(units)), -units["emissions_tco2e"].to_numpy(dtype=float)))
    # Written from the least emissions to the most, so that the largest unit stays.
    largest = dict(
        zip(units["enterprise_id"].to_numpy()[order[::-1]], units["sector"].to_numpy()[order[::-1]], strict=True)
    )
    return np.array([largest.get(name, WITHOUT_UNITS) for name in owners], dtype=object)
