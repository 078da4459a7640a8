"""Changes of the policy that make an infeasible allocation feasible, by key and value.

The table ``relaxed_limits`` states two ways out in tonnes: relax targets and balances, or bands and balances. Here
each becomes changes of the keys of the policy, rounded outwards, so that a solve under them has an allocation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt.data.policy.allocation import Target

WAYS = {
    "target_relaxation": _("relax targets and balances"),
    "band_relaxation": _("relax bands and balances"),
}
DECIMALS = 7
"""Decimals of rates in a remedy."""

SPARE_T = 1.0
"""What a target in tonnes is given beyond the least relaxation, whose own figure is rounded [t]."""


@dataclass(frozen=True)
class Remedy:
    """Changes of a policy that make it feasible.

    Parameters
    ----------
    number
        From 1 on, for ``--apply-remedy``.
    way
        What is relaxed.
    changes
        Value by key of the policy, as `Instance.with_policy` takes them.
    """

    number: int
    way: str
    changes: dict[str, Any]

    @property
    def text(self) -> str:
        """The changes as ``key=value``, separated by commas."""
        return ", ".join(f"{key}={value:.12g}" for key, value in self.changes.items())


def remedies(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> tuple[Remedy, ...]:
    """Return the remedies of an infeasible allocation; none of any other run."""
    if not {"relaxed_limits", "relaxed_units"} <= {*tables}:
        return ()
    limits = tables["relaxed_limits"]
    found: list[Remedy] = []
    for way, words in WAYS.items():
        rows = limits[limits["way_out"] == way]
        if not len(rows) or f"{way}_allowance_t" not in tables["relaxed_units"]:
            continue
        relaxed = tables["relaxed_units"].set_index("unit_id")[f"{way}_allowance_t"]
        relaxed = relaxed.reindex(instance.units["unit_id"])
        # Fixed units have no row there; their surplus is zero.
        given = relaxed.where(relaxed.notna(), instance.emissions_tco2e).to_numpy()
        changes = dict(_changes(instance, rows, given))
        if changes:
            found.append(Remedy(len(found) + 1, words, changes))
    return tuple(found)


def _changes(instance: Instance, rows: pd.DataFrame, given: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield the keys and values of one way out, in which the units are given these allowances."""
    policy = instance.policy
    for row in rows[rows["limit"] == "target"].to_dict("records"):
        sector = str(row["index"])
        yield from _target(f"sectors.{sector}", policy.sectors.get(sector), float(row["from"]), float(row["to"]))
    for row in rows[rows["limit"] == "nation"].to_dict("records"):
        yield from _target("national", policy.national, float(row["from"]), float(row["to"]))
    for row in rows[rows["limit"] == "band"].to_dict("records"):
        yield from _band(instance, str(row["index"]), float(row["from"]), given)
    balances = rows[rows["limit"] == "balance"]
    if len(balances):
        yield from _balances(instance, [str(name) for name in balances["index"]], given)


def _target(key: str, stated: Target | None, old: float, new: float) -> Iterator[tuple[str, float]]:
    """Yield the target that the tonnes are, by the key that the policy states."""
    new += math.copysign(SPARE_T, new - old)
    if stated is not None and stated.target_t is not None:
        yield f"{key}.target_t", new
        return
    intensity = getattr(stated, "target_intensity", None)
    if intensity is not None:
        yield f"{key}.target_intensity", intensity * new / old
        return
    change = 0.0 if stated is None or stated.target_change is None else stated.target_change
    yield f"{key}.target_change", _outwards((1 + change) * new / old - 1, new > old)


def _outwards(rate: float, up: bool) -> float:
    """Return a rate rounded up or down to `DECIMALS`."""
    rounded = (math.ceil if up else math.floor)(rate * 10**DECIMALS) / 10**DECIMALS
    return rounded + 0.0


def _band(instance: Instance, sector: str, old: float, given: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield the sides of a sector's band that its units leave, as wide as the farthest of them needs."""
    emissions = instance.emissions_tco2e
    in_sector = instance.labels("sector").where(sector) & (emissions > 0)
    rates = (given[in_sector] - emissions[in_sector]) / emissions[in_sector]
    stated = instance.policy.band_of(sector)
    own = sector in instance.policy.sectors and instance.policy.sectors[sector].band is not None
    lower, upper = (old, old) if stated is None else (stated.lower, stated.upper)
    widest = {"lower": (lower, float(-rates.min())), "upper": (upper, float(rates.max()))}
    for side, (now, needed) in widest.items():
        value = _outwards(needed, True)
        # A band that the sector does not state itself needs both of its sides.
        if value > now + 1e-9 or not own:
            yield f"sectors.{sector}.band.{side}", max(value, now)


def _balances(instance: Instance, names: list[str], given: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield the balance that the provinces need: one for all, or that of each, as the policy states it."""
    emissions, provinces = instance.emissions_tco2e, instance.labels("province")
    needed = {}
    for name in names:
        in_province = provinces.where(name)
        needed[name] = _outwards(
            abs(float((given - emissions)[in_province].sum())) / float(emissions[in_province].sum()), True
        )
    if isinstance(instance.policy.provinces.balance, dict):
        yield from ((f"provinces.balance.{name}", value) for name, value in needed.items())
    else:
        yield "provinces.balance", max(needed.values())
