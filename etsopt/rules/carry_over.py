"""Carry-over (结转): the single conversion of 2019-2024 allowances into 2025 ones, by their holder's net sales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.provenance import CarryOverBase, Holders
from etsopt.data.policy.plans import official_value
from etsopt.rules.registry import parameters_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

CARRY_OVER_YEAR = 2025
"""Compliance year of the carry-over."""

OLD_VINTAGES = frozenset(f"opening_{vintage}_t" for vintage in range(2019, CARRY_OVER_YEAR))
"""Columns of the holdings that are carried over."""

SECTOR_WITHOUT_UNITS = "power"
"""Sector of an enterprise without a unit in the instance: power, which has the smaller base."""


def carried_over(
    instance: Instance, owners: NDArray[np.object_], held_t: NDArray[np.float64], net_sales_t: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the 2019-2024 allowances carried over into 2025: base + factor x net sales, at most the holdings [t].

    Base and factor are those of the sector of the enterprise's largest unit, in the year of the tables: carry-over
    ended on 10 June 2026, so it belongs to compliance year 2025 alone. Before 2025 nothing is carried over, whatever is
    stated, because these allowances are surrendered for their own years.

    Parameters
    ----------
    owners
        Enterprises, shape ``(f,)``.
    held_t, net_sales_t
        Holdings and net sales of these vintages, shape ``(f,)`` [t].
    """
    import numpy as np

    from etsopt.common.units import whole_tonnes

    if instance.policy.year < CARRY_OVER_YEAR or not held_t.any():
        return np.zeros(len(owners))
    sectors = _sectors_of(instance, owners)
    parameters, year = parameters_of(instance), instance.policy.year
    base = _by_sector("rule.carry_over_base_t", parameters.carry_over_base_t, sectors, year)
    factor = _by_sector("rule.carry_over_factor", parameters.carry_over_factor, sectors, year)
    return whole_tonnes(np.minimum(held_t, base + factor * np.maximum(net_sales_t, 0.0)))


def holders_of(instance: Instance) -> Holders | None:
    """Return enterprises whose holdings are counted by a choice; None if there are none.

    A base of carry-over is chosen for those that hold allowances of 2019-2024 in their carry-over year and own units of
    several sectors.
    """
    enterprises, units = instance.enterprises, instance.units
    if enterprises is None:
        return None
    owners = enterprises["enterprise_id"].to_numpy()
    idle = sorted(set(owners) - set(instance.labels("enterprise_id").names))
    old = [name for name in enterprises if name in OLD_VINTAGES]
    held = owners[enterprises[old].fillna(0.0).to_numpy(dtype=float).sum(axis=1) > 0]
    bases = []
    if instance.policy.year == CARRY_OVER_YEAR and len(held) and len(instance.sectors) > 1:
        several = units.groupby("enterprise_id")["sector"].nunique()
        mixed = held[[several.get(name, 0) > 1 for name in held]]
        found = zip(mixed, _sectors_of(instance, mixed), strict=True)
        bases = [CarryOverBase(enterprise=str(name), sector=str(sector)) for name, sector in found]
    facts: dict[str, Any] = {"without_units": list(map(str, idle)), "carry_over": bases}
    stated = {name: fact for name, fact in facts.items() if fact}
    return Holders(**stated) if stated else None


def _by_sector(
    key: str, stated: float | dict[str, float] | None, sectors: NDArray[np.object_], year: int
) -> NDArray[np.float64]:
    """Return a parameter by enterprise: the stated one, for all or for its sector, else the official one."""
    import numpy as np

    if isinstance(stated, int | float):
        return np.full(len(sectors), float(stated))
    by_sector = stated or {}
    values = {name: by_sector.get(name, official_value(key, name, year, 0.0)) for name in sorted(set(sectors))}
    return np.array([values[name] for name in sectors], dtype=float)


def _sectors_of(instance: Instance, owners: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the sector of each enterprise's unit with the most verified emissions; of equal units the first."""
    import numpy as np

    units = instance.units
    order = np.lexsort((np.arange(len(units)), -units["emissions_tco2e"].to_numpy(dtype=float)))
    # Entered by rising emissions, so that the entry of the largest unit remains.
    largest = dict(
        zip(units["enterprise_id"].to_numpy()[order[::-1]], units["sector"].to_numpy()[order[::-1]], strict=True)
    )
    return np.array([largest.get(name, SECTOR_WITHOUT_UNITS) for name in owners], dtype=object)
