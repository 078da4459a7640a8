"""What the policy demands of allowances, derived again from the instance alone.

Written apart from the models on purpose: a slip there must not hide here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking import plan
from etsopt.checking.allocation.bands import bands, floored, rounded
from etsopt.checking.allocation.rows import Collected
from etsopt.units import sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.allocation.bands import Bands
    from etsopt.checking.allocation.rows import CouplingRows
    from etsopt.data.instance import Instance
    from etsopt.data.labels import Labels


WITH_ROUNDING = 1 + 1e-15
"""Times a difference of two numbers, which is rounded."""

RULES_THAT_BALANCE = ("cn-2024", "cn-2025", "cn-2026")
"""The plans of China: the allowances of a sector equal its emissions."""


@dataclass(frozen=True)
class Demands:
    """Bounds of every unit and the rows that couple them; positions in the order of the instance.

    Parameters
    ----------
    fixed
        Units at A = E.
    whole
        Whether allowances are whole tonnes.
    lower, upper
        Bounds of the allowances.
    at_target_rate
        Allowances at the target rate of the sector; NaN where it has no target.
    rows
        Rows over several units.
    bands
        Bands of the units.
    enterprise
        Row of the enterprise whose band the unit stands in, -1 where it has one of its own.
    """

    fixed: NDArray[np.bool_]
    whole: bool
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    at_target_rate: NDArray[np.float64]
    rows: CouplingRows
    bands: Bands
    enterprise: NDArray[np.int64]

    def unit_miss(self, allowance: NDArray[np.float64]) -> float:
        """By how much units miss their bounds at most [t]."""
        outside = np.maximum(self.lower - allowance, allowance - self.upper)[~self.fixed]
        return float(np.max(outside, initial=0.0)) * WITH_ROUNDING


def derive(instance: Instance, exceptional: NDArray[np.bool_] | None = None) -> Demands:
    """Everything that allowances must satisfy.

    Parameters
    ----------
    exceptional
        Units that use the wider band; None where there are none.
    """
    units, policy = instance.units, instance.policy
    fixed = fixed_at_emissions(instance)
    whole = policy.allocation.integer_allowances
    found = bands(instance)
    chosen = np.zeros(len(units), dtype=bool) if exceptional is None else exceptional & ~fixed
    lower, upper = found.lower - found.added_below * chosen, found.upper + found.added_above * chosen
    rows = Collected(whole)
    at_target_rate = _add_sectors(rows, instance, fixed)
    _add_provinces(rows, instance, fixed)
    _add_nation(rows, instance, fixed)
    enterprise = np.full(len(units), -1)
    if policy.allocation.band_on == "enterprise":
        _add_enterprises(rows, instance, fixed, found, (lower, upper, enterprise))
    if policy.allocation.intensity_order:
        _add_order(rows, instance, fixed)
    if whole:
        at_target_rate = rounded(at_target_rate)
    finished = rows.finish()
    if exceptional is not None:
        _widen_enterprises(finished, found, chosen, enterprise, upper)
    return Demands(fixed, whole, lower, upper, at_target_rate, finished, found, enterprise)


def fixed_at_emissions(instance: Instance) -> NDArray[np.bool_]:
    """Units that get A = E: special cases, small enterprises, and units without emissions in the scope."""
    owner, emissions = instance.labels("enterprise_id"), instance.emissions_tco2e
    small = owner.sums(emissions) < plan.threshold(instance)
    fixed: NDArray[np.bool_] = small[owner.code] | (emissions <= 0) | plan.is_special(instance)
    return fixed


def _add_sectors(rows: Collected, instance: Instance, fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Targets of the sectors; returns the allowances at the target rate of each unit's sector, NaN for no target."""
    sector, emissions = instance.labels("sector"), instance.emissions_tco2e
    own = sums(sector.code[~fixed], emissions[~fixed], len(sector))
    # A sector has no target unless the policy states one, or the rule makes its allowances equal its emissions.
    balanced = instance.policy.rule.name in RULES_THAT_BALANCE
    least, most = np.zeros(len(sector)), own.copy() if balanced else np.full(len(sector), np.nan)
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
            most[place] = own[place] + section.target_change * own[place]
        elif section.target_sense is not None:
            most[place] = own[place] if section.target_sense != "none" else np.nan
        least[place] = most[place] if section.target_sense == "exactly" else 0.0
    numbers = _add_groups(rows, "sector_target", sector, fixed, least, most)
    there = numbers >= 0
    most[there] = rows.most_of(numbers[there])
    rate = np.divide(most, own, out=np.full(len(own), np.nan), where=there)
    return np.where(fixed, emissions, emissions * rate[sector.code])


def _add_groups(
    rows: Collected,
    rule: str,
    labels: Labels,
    fixed: NDArray[np.bool_],
    least: NDArray[np.float64],
    most: NDArray[np.float64],
) -> NDArray[np.int64]:
    """One row for each text of a column with limits that are numbers and a unit that is not fixed.

    Returns the number of every text's row, -1 where it has none.
    """
    there = np.zeros(len(labels), dtype=bool)
    there[labels.code[~fixed]] = True
    there &= ~np.isnan(most)
    place = np.cumsum(there) - 1
    position = np.flatnonzero(~fixed & there[labels.code])
    row = place[labels.code[position]]
    numbers = np.full(len(labels), -1)
    numbers[there] = rows.add(rule, labels.names[there], (least[there], most[there]), row, position)
    return numbers


def _add_provinces(rows: Collected, instance: Instance, fixed: NDArray[np.bool_]) -> None:
    balance = instance.policy.provinces.balance
    if balance is None:
        return
    province, emissions = instance.labels("province"), instance.emissions_tco2e
    shares = balance if isinstance(balance, dict) else dict.fromkeys(province.names, balance)
    room = np.array([shares.get(name, np.nan) for name in province.names], dtype=float) * province.sums(emissions)
    own = sums(province.code[~fixed], emissions[~fixed], len(province))
    _add_groups(rows, "province_balance", province, fixed, own - room, own + room)


def _add_nation(rows: Collected, instance: Instance, fixed: NDArray[np.bool_]) -> None:
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
    """Allowances A = E of every unit, in whole tonnes where the rule says so, or the policy of what is optimised."""
    emissions = instance.emissions_tco2e
    if instance.policy.rule.name != "given":
        return np.floor(emissions + 1e-6)
    return floored(emissions) if optimised and instance.policy.allocation.integer_allowances else emissions


def _add_enterprises(
    rows: Collected,
    instance: Instance,
    fixed: NDArray[np.bool_],
    found: Bands,
    into: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
) -> None:
    """Bands of enterprises with several units; their units may then hold anything from nothing to the whole."""
    owner = instance.labels("enterprise_id")
    lower, upper, enterprise = into
    several = np.bincount(owner.code[~fixed], minlength=len(owner)) > 1
    alone = fixed | ~several[owner.code]
    least, most = (
        sums(owner.code[~alone], end[~alone], len(owner)) for end in (found.shared_lower, found.shared_upper)
    )
    numbers = _add_groups(rows, "enterprise_band", owner, alone, least, most)
    enterprise[~alone] = numbers[owner.code[~alone]]
    lower[~alone], upper[~alone] = 0.0, rows.most_of(enterprise[~alone])


def _widen_enterprises(
    rows: CouplingRows,
    found: Bands,
    chosen: NDArray[np.bool_],
    enterprise: NDArray[np.int64],
    upper: NDArray[np.float64],
) -> None:
    """Add what exceptions add; it is whole where allowances are, so the rounded limits move by it."""
    inside = enterprise >= 0
    shared = chosen & inside
    rows.least[:] -= sums(enterprise[shared], found.shared_below[shared], len(rows))
    rows.most[:] += sums(enterprise[shared], found.shared_above[shared], len(rows))
    upper[inside] = rows.most[enterprise[inside]]


def _add_order(rows: Collected, instance: Instance, fixed: NDArray[np.bool_]) -> None:
    """Neighbours by intensity inside a sector: the lower one has no lower surplus rate."""
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
