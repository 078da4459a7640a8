"""The limits of a policy on allowances, as arrays over the adjustable units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.units import ROUNDING_NOISE_T
from etsopt.data.groups import Groups
from etsopt.data.policy.allocation import UNSTATED, NationalPolicy
from etsopt.rules import reference_allowances
from etsopt_models._allocation.bands import bands_of
from etsopt_models._allocation.integer import down, inward, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.tables.labels import Labels
    from etsopt.rules import Reference
    from etsopt_models._allocation.exception_margin import ExceptionMargin


IN_RATES = ("intensity_order", "equal_rates")
"""Rows whose limits are rates; all others are in tonnes."""


IN_TONNES = {
    "sector_target": ("target_least", "target_most"),
    "province_balance": ("balance_least", "balance_most"),
    "national_total": ("nation_least", "nation_most"),
}
"""Rows over units of any enterprise, whose limits may be relaxed, and the parameters of these limits."""


@dataclass(frozen=True)
class Limits:
    """Limits on allowances, all in tonnes; arrays over the adjustable units, in the order of the instance.

    With integer allowances the limits are integer too, rounded inward, as are the points from which objectives measure.

    Parameters
    ----------
    free
        Positions of these units in the instance.
    emissions, reference, obligation
        E, R, and E as the deficit counts it, in whole tonnes if allowances are integer.
    lower, upper
        Bounds of A without exceptions.
    unit_band
        True if the band applies to the unit itself, not to an enterprise of several.
    margin
        Margins of exceptions.
    at_target_rate
        Allowances at which the unit has its sector's target rate, or, without a target, the rate of the sector's
        reference allowances.
    all_sectors, sector_of
        Sectors with an adjustable unit, in alphabetical order, and the position of each unit's among them.
    sectors, provinces, enterprises
        Labels of the coupling rows, in their order: sectors with a target, provinces with a balance, enterprises with a
        band of their own.
    rows
        Sets and parameters of the coupling rows, by the names of the model.
    """

    free: NDArray[np.int64]
    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    obligation: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    unit_band: NDArray[np.bool_]
    margin: ExceptionMargin
    at_target_rate: NDArray[np.float64]
    all_sectors: list[str]
    sector_of: NDArray[np.int64]
    sectors: list[str]
    provinces: list[str]
    enterprises: list[str]
    rows: dict[str, Any]


def limits_of(instance: Instance) -> Limits:
    """Return the limits of the policy of an instance, found once for program and tables; the arrays are read-only."""
    policy, reference = instance.policy, reference_allowances(instance)

    def find() -> tuple[Any, ...]:
        limits = _limits(instance, reference)
        for array in (*vars(limits).values(), *vars(limits.margin).values(), *limits.rows.values()):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        return policy, reference, limits

    # What is cached keeps both alive, so that nothing else has their identity.
    held = instance.cached("limits", find, key=f"{id(policy)} {id(reference)}")
    limits: Limits = held[2]
    return limits


def writable(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with arrays of their own: those of limits are shared, and a user's model may change its own."""
    return {
        name: value.copy() if isinstance(value, np.ndarray) and not value.flags.writeable else value
        for name, value in parameters.items()
    }


def _limits(instance: Instance, reference: Reference) -> Limits:  # long because it names every limit once
    free = np.flatnonzero(~reference.fixed)
    emissions = instance.emissions_tco2e[free]
    whole = instance.policy.allocation.integer_allowances
    labels, sector_of = _occurring(instance.labels("sector"), free)
    targeted, least, most = sector_targets(instance, free, labels, sector_of)
    if whole:
        least, most = inward(least, most)
    row_of = np.full(len(labels), -1)
    row_of[targeted] = np.arange(len(targeted))
    # Without a target, rates are measured from that of the sector's reference allowances.
    wanted = np.bincount(sector_of, reference.reference_t[free], len(labels)).astype(float)
    wanted[targeted] = most
    at_target_rate = emissions * (wanted / np.bincount(sector_of, emissions, len(labels)))[sector_of]
    bands = bands_of(instance, reference, free)
    provinces, province_rows = _provinces(instance, free)
    rows: dict[str, Any] = {
        "SECTORS": len(targeted),
        "UNITS_IN_SECTOR": Groups.from_labels(row_of[sector_of], len(targeted)),
        "target_least": least,
        "target_most": most,
        **_nation(instance, reference),
        **province_rows,
        **bands.rows,
        **_order(instance, free, sector_of),
    }
    kinks = [reference.reference_t[free], emissions, at_target_rate]
    if whole:
        kinks = [nearest(kink) for kink in kinks]
    given, obligation, at_target_rate = kinks
    return Limits(
        free,
        emissions,
        given,
        obligation,
        bands.lower,
        bands.upper,
        bands.unit_band,
        bands.margin,
        at_target_rate,
        labels,
        sector_of,
        [labels[position] for position in targeted],
        provinces,
        bands.enterprises,
        rows,
    )


def _occurring(labels: Labels, free: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the labels of the adjustable units, in alphabetical order, and the position of each unit's among them."""
    code = labels.code[free]
    there = np.flatnonzero(np.bincount(code, minlength=len(labels)))
    number = np.zeros(len(labels), dtype=np.int64)
    number[there] = np.arange(len(there))
    return [str(name) for name in labels.names[there]], number[code]


def sector_targets(
    instance: Instance, free: NDArray[np.int64], sectors: list[str], sector_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the positions of the sectors with a target, and the least and most allowances of their free units [t]."""
    emissions = np.bincount(sector_of, instance.emissions_tco2e[free], len(sectors)).astype(float)
    output = np.full(len(free), np.nan)
    if "output_t" in instance.units:
        output = instance.units["output_t"].to_numpy(dtype=float)[free]
    outputs = np.bincount(sector_of, output, len(sectors))
    most = emissions.copy()
    senses = np.array([instance.policy.target_sense_of(name) for name in sectors], dtype=object)
    for position, name in enumerate(sectors):
        policy = instance.policy.sectors.get(name, UNSTATED)
        if policy.target_change is not None:
            most[position] *= 1 + policy.target_change
        elif policy.target_intensity is not None:
            most[position] = policy.target_intensity * outputs[position]
        elif policy.target_t is not None:
            most[position] = policy.target_t
    targeted = np.flatnonzero(senses != "none")
    return targeted, np.where(senses == "exactly", most, 0.0)[targeted], most[targeted]


def _nation(instance: Instance, reference: Reference) -> dict[str, Any]:
    """Return the national total, less the allowances of fixed units."""
    policy: NationalPolicy | None = instance.policy.national
    stated = policy is not None and (policy.target_change is not None or policy.target_t is not None)
    nothing = {"NATION": 0, "nation_least": np.zeros(0), "nation_most": np.zeros(0)}
    if policy is None or not stated:
        return nothing
    # Fixed units count with the tonnes that they owe and get, so that no change leaves the others theirs.
    emissions = float(np.where(reference.fixed, reference.reference_t, instance.emissions_tco2e).sum())
    total = policy.target_t if policy.target_t is not None else emissions * (1 + (policy.target_change or 0.0))
    most = np.array([total - float(fixed_allowances(instance, reference)[reference.fixed].sum())])
    least = most if policy.target_sense == "exactly" else np.minimum(0.0, most)
    if instance.policy.allocation.integer_allowances:
        least, most = inward(least, most)
    if reference.fixed.all() and least[0] <= ROUNDING_NOISE_T and most[0] >= -ROUNDING_NOISE_T:
        # A total that fixed units alone meet needs no row; one that they miss becomes an infeasible row.
        return nothing
    return {"NATION": 1, "nation_least": least, "nation_most": most}


def fixed_allowances(instance: Instance, reference: Reference) -> NDArray[np.float64]:
    """Return the allowances of all units by the rule, which fixed units get; whole tonnes if allowances are integer."""
    tonnes: NDArray[np.float64] = reference.reference_t
    return down(tonnes) if instance.policy.allocation.integer_allowances else tonnes


def _provinces(instance: Instance, free: NDArray[np.int64]) -> tuple[list[str], dict[str, Any]]:
    """Return the provinces with a balance; fixed units count with their emissions and a surplus of zero."""
    balance = instance.policy.provinces.balance
    if balance is None:
        shares: dict[str, float] = {}
    elif isinstance(balance, dict):
        shares = dict(balance)
    else:
        shares = dict.fromkeys(instance.provinces, balance)
    if not shares:
        nothing = np.zeros(0)
        groups = Groups.from_labels(np.arange(0), 0)
        return [], {"PROVINCES": 0, "UNITS_IN_PROVINCE": groups, "balance_least": nothing, "balance_most": nothing}
    province = instance.labels("province")
    of_free = np.bincount(province.code[free], instance.emissions_tco2e[free], len(province)).astype(float)
    with_units = np.bincount(province.code[free], minlength=len(province)) > 0
    counted = np.flatnonzero(with_units & np.array([name in shares for name in province.names], dtype=bool))
    names = [str(name) for name in province.names[counted]]
    number = np.full(len(province), -1)
    number[counted] = np.arange(len(counted))
    room = np.array([shares[name] for name in names]) * province.sums(instance.emissions_tco2e)[counted]
    least, most = of_free[counted] - room, of_free[counted] + room
    if instance.policy.allocation.integer_allowances:
        least, most = inward(least, most)
    return names, {
        "PROVINCES": len(names),
        "UNITS_IN_PROVINCE": Groups.from_labels(number[province.code[free]], len(names)),
        "balance_least": least,
        "balance_most": most,
    }


def _order(instance: Instance, free: NDArray[np.int64], sector_of: NDArray[np.int64]) -> dict[str, Any]:
    """Return the pairs of neighbours in the order of intensity, sector by sector."""
    empty = np.arange(0)
    lower = higher = one = other = empty
    if instance.policy.allocation.intensity_order:
        intensity = instance.intensity[free]
        order = np.lexsort((np.arange(len(free)), intensity, sector_of))
        first, second = order[:-1], order[1:]
        linked = sector_of[first] == sector_of[second]
        equal = linked & (intensity[first] == intensity[second])
        lower, higher = first[linked & ~equal], second[linked & ~equal]
        one, other = first[equal], second[equal]
    return {
        "LINKS": len(lower),
        "lower_intensity": lower,
        "higher_intensity": higher,
        "EQUAL_LINKS": len(one),
        "first_equal": one,
        "second_equal": other,
    }
