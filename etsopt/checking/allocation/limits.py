"""Derive the demands of the policy on allowances again, from the instance alone.

This module is independent of the models, so that an error there is found here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.bands import band_rates, derive_bands, rounded
from etsopt.checking.allocation.rows import RowBuilder
from etsopt.checking.readings import plan
from etsopt.checking.readings.targets import fixed_at_emissions, national_target, sector_targets
from etsopt.checking.tolerances import DIFFERENCE_ROUNDING_FACTOR
from etsopt.common.units import sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.allocation.bands import Bands
    from etsopt.checking.allocation.rows import CouplingRows
    from etsopt.checking.readings.instance_inputs import InstanceInputs, Names


@dataclass(frozen=True)
class Demands:
    """Bounds of every unit and the rows that couple them; positions in the order of the instance.

    Parameters
    ----------
    fixed
        Units at A = E.
    integer
        True if allowances are whole tonnes.
    lower, upper
        Bounds of the allowances.
    at_target_rate
        Allowances at the target rate of the sector; NaN where it has no target.
    rows
        Rows over several units.
    bands
        Bands of the units.
    enterprise
        Row of the enterprise whose band contains the unit, -1 if the unit has a band of its own.
    """

    fixed: NDArray[np.bool_]
    integer: bool
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    at_target_rate: NDArray[np.float64]
    rows: CouplingRows
    bands: Bands
    enterprise: NDArray[np.int64]

    @property
    def in_enterprise(self) -> NDArray[np.bool_]:
        """Units whose band is that of their enterprise."""
        inside: NDArray[np.bool_] = self.enterprise >= 0
        return inside

    def unit_miss(self, allowance: NDArray[np.float64]) -> float:
        """Return the largest amount by which a unit misses its bounds [t]."""
        outside = np.maximum(self.lower - allowance, allowance - self.upper)[~self.fixed]
        return float(np.max(outside, initial=0.0)) * DIFFERENCE_ROUNDING_FACTOR


def derive(instance: InstanceInputs, exceptional: NDArray[np.bool_] | None = None) -> Demands:
    """Derive everything that allowances must satisfy.

    Parameters
    ----------
    exceptional
        Units that use the wider band; None if there are none.
    """
    units, policy = instance.units, instance.policy
    fixed = fixed_at_emissions(instance)
    integer = policy.allocation.integer_allowances
    bands = derive_bands(instance)
    chosen = np.zeros(len(units), dtype=bool) if exceptional is None else exceptional & ~fixed
    lower, upper = bands.lower - bands.added_below * chosen, bands.upper + bands.added_above * chosen
    rows = RowBuilder(integer)
    at_target_rate = _add_sectors(rows, instance, fixed)
    _add_provinces(rows, instance, fixed)
    _add_nation(rows, instance, fixed)
    enterprise = np.full(len(units), -1)
    if policy.allocation.band_on == "enterprise":
        _add_enterprises(rows, instance, fixed, bands, (lower, upper, enterprise))
    if policy.allocation.intensity_order:
        _add_order(rows, instance, fixed)
    if integer:
        at_target_rate = rounded(at_target_rate)
    finished = rows.finish()
    if exceptional is not None:
        _widen_enterprises(finished, bands, chosen, enterprise, upper)
    return Demands(fixed, integer, lower, upper, at_target_rate, finished, bands, enterprise)


def _add_sectors(rows: RowBuilder, instance: InstanceInputs, fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Add the sector targets and return the allowances at each unit's target rate [t], NaN without a target."""
    sector, emissions = instance.labels("sector"), plan.emissions_inside(instance)
    emitted, least, most = sector_targets(instance, fixed)
    numbers = _add_groups(rows, "sector_target", sector, fixed, least, most)
    limited = numbers >= 0
    most[limited] = rows.upper_limits(numbers[limited])
    rate = np.divide(most, emitted, out=np.full(len(emitted), np.nan), where=limited)
    return np.where(fixed, emissions, emissions * rate[sector.code])


def _add_groups(
    rows: RowBuilder,
    rule: str,
    labels: Names,
    fixed: NDArray[np.bool_],
    least: NDArray[np.float64],
    most: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Add one row for each label that has a limit and an adjustable unit.

    Return the row number of every label, -1 if it has none.
    """
    limited = np.zeros(len(labels), dtype=bool)
    limited[labels.code[~fixed]] = True
    limited &= ~np.isnan(most)
    place = np.cumsum(limited) - 1
    position = np.flatnonzero(~fixed & limited[labels.code])
    row = place[labels.code[position]]
    numbers = np.full(len(labels), -1)
    numbers[limited] = rows.add(rule, labels.names[limited], (least[limited], most[limited]), row, position)
    return numbers


def _add_provinces(rows: RowBuilder, instance: InstanceInputs, fixed: NDArray[np.bool_]) -> None:
    balance = instance.policy.provinces.balance
    if balance is None:
        return
    province, emissions = instance.labels("province"), plan.emissions_inside(instance)
    shares = balance if isinstance(balance, dict) else dict.fromkeys(province.names, balance)
    width = np.array([shares.get(name, np.nan) for name in province.names], dtype=float) * province.sums(emissions)
    emitted = sums(province.code[~fixed], emissions[~fixed], len(province))
    _add_groups(rows, "province_balance", province, fixed, emitted - width, emitted + width)


def _add_nation(rows: RowBuilder, instance: InstanceInputs, fixed: NDArray[np.bool_]) -> None:
    target = national_target(instance, fixed)
    if target is None:
        return
    position = np.flatnonzero(~fixed)
    limits = np.array([target[0]]), np.array([target[1]])
    rows.add("national_total", np.array([""], dtype=object), limits, 0 * position, position)


def _add_enterprises(
    rows: RowBuilder,
    instance: InstanceInputs,
    fixed: NDArray[np.bool_],
    bands: Bands,
    limits: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
) -> None:
    """Add the bands of enterprises with several units; each such unit is bounded by zero and the enterprise's limit."""
    owner = instance.labels("enterprise_id")
    lower, upper, enterprise = limits
    # Power without a stated band is bounded by itself, and so is a unit without any.
    power, every = instance.policy.sectors.get("power"), instance.policy.allocation.band
    alone = (
        fixed
        | (plan.of_power(instance) & (every is None) & (power is None or power.band is None))
        | ~np.isfinite(band_rates(instance)[0])
    )
    several = np.bincount(owner.code[~alone], minlength=len(owner)) > 1
    single = alone | ~several[owner.code]
    least, most = (
        sums(owner.code[~single], end[~single], len(owner)) for end in (bands.shared_lower, bands.shared_upper)
    )
    numbers = _add_groups(rows, "enterprise_band", owner, single, least, most)
    enterprise[~single] = numbers[owner.code[~single]]
    lower[~single], upper[~single] = 0.0, rows.upper_limits(enterprise[~single])


def _widen_enterprises(
    rows: CouplingRows,
    bands: Bands,
    chosen: NDArray[np.bool_],
    enterprise: NDArray[np.int64],
    upper: NDArray[np.float64],
) -> None:
    """Widen the bands of enterprises by their exceptions; integer additions keep rounded limits whole."""
    inside = enterprise >= 0
    shared = chosen & inside
    rows.least[:] -= sums(enterprise[shared], bands.shared_below[shared], len(rows))
    rows.most[:] += sums(enterprise[shared], bands.shared_above[shared], len(rows))
    upper[inside] = rows.most[enterprise[inside]]


def _add_order(rows: RowBuilder, instance: InstanceInputs, fixed: NDArray[np.bool_]) -> None:
    """Add a row for neighbours by intensity within a sector: the lower one has no lower surplus rate."""
    sector, intensity, emissions = instance.labels("sector").code, instance.intensity, plan.emissions_inside(instance)
    names = instance.units["unit_id"].to_numpy()
    free = np.flatnonzero(~fixed)
    order = free[np.lexsort((intensity[free], sector[free]))]
    first, second = order[:-1], order[1:]
    within = sector[first] == sector[second]
    first, second = first[within], second[within]
    equal = intensity[first] == intensity[second]
    for rule, pairs, end in (("intensity_order", ~equal, np.inf), ("equal_rates", equal, 0.0)):
        one, other = first[pairs], second[pairs]
        zero, row = np.zeros(len(one)), np.arange(len(one))
        sign, both = np.repeat([1.0, -1.0], len(one)), np.concatenate([one, other])
        rows.add(rule, names[one], (zero, zero + end), np.tile(row, 2), both, sign, emissions[both])
