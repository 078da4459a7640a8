"""Derive the demands of the policy on allowances again, from the instance alone.

This module is independent of the models, so that an error there is found here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking import plan
from etsopt.checking.allocation.bands import derive_bands, floored, rounded
from etsopt.checking.allocation.rows import RowBuilder
from etsopt.units import sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.allocation.bands import Bands
    from etsopt.checking.allocation.rows import CouplingRows
    from etsopt.data.instance import Instance
    from etsopt.data.tables.labels import Labels


WITH_ROUNDING = 1 + 1e-15
"""Factor that covers the rounding of a difference of two numbers."""


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

    def unit_miss(self, allowance: NDArray[np.float64]) -> float:
        """Return the largest amount by which a unit misses its bounds [t]."""
        outside = np.maximum(self.lower - allowance, allowance - self.upper)[~self.fixed]
        return float(np.max(outside, initial=0.0)) * WITH_ROUNDING


def derive(instance: Instance, exceptional: NDArray[np.bool_] | None = None) -> Demands:
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


def fixed_at_emissions(instance: Instance) -> NDArray[np.bool_]:
    """Return the units that get A = E: special cases, small enterprises, and units without emissions in scope."""
    owner, emissions = instance.labels("enterprise_id"), instance.emissions_tco2e
    small = owner.sums(emissions) < plan.threshold(instance)
    fixed: NDArray[np.bool_] = small[owner.code] | (emissions <= 0) | plan.is_special(instance)
    return fixed


def _add_sectors(rows: RowBuilder, instance: Instance, fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Add the sector targets and return the allowances at each unit's target rate [t], NaN without a target."""
    sector, emissions = instance.labels("sector"), instance.emissions_tco2e
    emitted = sums(sector.code[~fixed], emissions[~fixed], len(sector))
    # A sector has a target if the policy states one, or if the plan of industry makes allowances equal its emissions.
    power = sector.names == "power" if instance.policy.rule.name == plan.NATIONAL else np.zeros(len(sector), dtype=bool)
    balanced = ~power & plan.follows_plan(instance)
    least, most = np.zeros(len(sector)), np.where(balanced, emitted, np.nan)
    for place, name in enumerate(sector.names):
        section = instance.policy.sectors.get(name)
        if section is None:
            continue
        if section.target_t is not None:
            most[place] = section.target_t
        elif section.target_intensity is not None:
            here = sector.where(name) & ~fixed
            most[place] = section.target_intensity * float(instance.units["output_t"].to_numpy()[here].sum())
        elif section.target_change is not None:
            most[place] = emitted[place] + section.target_change * emitted[place]
        elif section.target_sense is not None:
            most[place] = emitted[place] if section.target_sense != "none" else np.nan
        least[place] = most[place] if section.target_sense == "exactly" else 0.0
    numbers = _add_groups(rows, "sector_target", sector, fixed, least, most)
    limited = numbers >= 0
    most[limited] = rows.upper_limits(numbers[limited])
    rate = np.divide(most, emitted, out=np.full(len(emitted), np.nan), where=limited)
    return np.where(fixed, emissions, emissions * rate[sector.code])


def _add_groups(
    rows: RowBuilder,
    rule: str,
    labels: Labels,
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


def _add_provinces(rows: RowBuilder, instance: Instance, fixed: NDArray[np.bool_]) -> None:
    balance = instance.policy.provinces.balance
    if balance is None:
        return
    province, emissions = instance.labels("province"), instance.emissions_tco2e
    shares = balance if isinstance(balance, dict) else dict.fromkeys(province.names, balance)
    width = np.array([shares.get(name, np.nan) for name in province.names], dtype=float) * province.sums(emissions)
    emitted = sums(province.code[~fixed], emissions[~fixed], len(province))
    _add_groups(rows, "province_balance", province, fixed, emitted - width, emitted + width)


def _add_nation(rows: RowBuilder, instance: Instance, fixed: NDArray[np.bool_]) -> None:
    section = instance.policy.national
    if section is None or (section.target_t is None and section.target_change is None):
        return
    emissions = instance.emissions_tco2e
    at_emissions = due_at_emissions(instance)[fixed]
    total = section.target_t
    if total is None:
        total = float(emissions.sum()) * (1 + (section.target_change or 0.0))
    most = total - float(at_emissions.sum())
    least = most if section.target_sense == "exactly" else min(0.0, most)
    position = np.flatnonzero(~fixed)
    limits = np.array([least]), np.array([most])
    rows.add("national_total", np.array([""], dtype=object), limits, 0 * position, position)


def due_at_emissions(instance: Instance, optimised: bool = True) -> NDArray[np.float64]:
    """Return A = E of every unit, in whole tonnes if the rule or the optimised policy says so [t]."""
    emissions = instance.emissions_tco2e
    if instance.policy.rule.name != "given":
        return np.floor(emissions + 1e-6)
    return floored(emissions) if optimised and instance.policy.allocation.integer_allowances else emissions


def _add_enterprises(
    rows: RowBuilder,
    instance: Instance,
    fixed: NDArray[np.bool_],
    bands: Bands,
    limits: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
) -> None:
    """Add the bands of enterprises with several units; each such unit is bounded by zero and the enterprise's limit."""
    owner = instance.labels("enterprise_id")
    lower, upper, enterprise = limits
    # Power without a stated band is bounded by itself.
    power = instance.policy.sectors.get("power")
    alone = fixed | (plan.of_power(instance) & (power is None or power.band is None))
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


def _add_order(rows: RowBuilder, instance: Instance, fixed: NDArray[np.bool_]) -> None:
    """Add a row for neighbours by intensity within a sector: the lower one has no lower surplus rate."""
    sector, intensity, emissions = instance.labels("sector").code, instance.intensity, instance.emissions_tco2e
    names = instance.units["unit_id"].to_numpy()
    free = np.flatnonzero(~fixed)
    order = free[np.lexsort((intensity[free], sector[free]))]
    first, second = order[:-1], order[1:]
    within = sector[first] == sector[second]
    first, second = first[within], second[within]
    equal = intensity[first] == intensity[second]
    for rule, here, end in (("intensity_order", ~equal, np.inf), ("equal_rates", equal, 0.0)):
        one, other = first[here], second[here]
        zero, row = np.zeros(len(one)), np.arange(len(one))
        sign, both = np.repeat([1.0, -1.0], len(one)), np.concatenate([one, other])
        rows.add(rule, names[one], (zero, zero + end), np.tile(row, 2), both, sign, emissions[both])
