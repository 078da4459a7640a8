"""The limits of a policy on allowances, as arrays over the adjustable units.

Margins by which exceptions widen their bands; limits are built from them, so this file does not import limits.

Bands of units and of enterprises, as arrays over the adjustable units.

Bounds and rows of units that are exceptions to their band.

Limits in whole tonnes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.units import ROUNDING_NOISE_T
from etsopt.data.groups import Groups
from etsopt.data.policy.allocation import UNSTATED, NationalPolicy
from etsopt.rules import reference_allowances
from etsopt.rules.bands import band_ends, band_rates, shares_band
from etsopt_models._tolerances import LIMIT_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.tables.labels import Labels
    from etsopt.rules import Reference


@dataclass(frozen=True)
class ExceptionMargin:
    """Tonnes by which an exception widens its band on each side; arrays over the adjustable units.

    Parameters
    ----------
    units
        Number of units that may be exceptions.
    lower, upper
        Margins of the unit's band, or of its enterprise's if the band applies to that.
    """

    units: int
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def wider_rates(
    instance: Instance, lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the band rates of exceptions; a side no wider than the unit's own band leaves that unchanged."""
    exceptions = instance.policy.allocation.exceptions
    if not exceptions.units:
        return lower, upper
    return np.maximum(lower, exceptions.lower), np.maximum(upper, exceptions.upper)


def in_whole_tonnes(tonnes: NDArray[np.float64], whole: bool) -> NDArray[np.float64]:
    """Return the margin, rounded down to whole tonnes if allowances are integer."""
    return down(tonnes) if whole else tonnes


@dataclass(frozen=True)
class Bands:
    """Bounds of the units, True for units with a band of their own, and the rows of the enterprises."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    unit_band: NDArray[np.bool_]
    margin: ExceptionMargin
    enterprises: list[str]
    rows: dict[str, Any]


def bands_of(instance: Instance, reference: Reference, free: NDArray[np.int64]) -> Bands:
    """Return the bands; that of an enterprise with one unit becomes a bound of the unit."""
    emissions, allocation = instance.emissions_tco2e[free], instance.policy.allocation
    whole, units = allocation.integer_allowances, allocation.exceptions.units
    rates = [rate[free] for rate in band_rates(instance, reference)]
    exact = reference.exact_t[free]
    lower, upper = wide_lower, wide_upper = band_ends(reference, emissions, exact, rates)
    if units:
        wide_lower, wide_upper = band_ends(reference, emissions, exact, wider_rates(instance, *rates))
    names, label = _owners(instance, reference, free)
    inside = label >= 0
    least, most = (np.bincount(label[inside], side[inside], len(names)).astype(float) for side in (lower, upper))
    margin = [in_whole_tonnes(tonnes, whole) for tonnes in (lower - wide_lower, wide_upper - upper)]
    if whole:
        least, most = inward(least, most)
        lower, upper = inward(lower, upper)
        # A band without a whole tonne becomes the tonne below it, which no exception may lose.
        wide_lower, wide_upper = inward(wide_lower, wide_upper)
        wide_lower, wide_upper = np.minimum(wide_lower, lower), np.maximum(wide_upper, upper)
        margin = [
            np.where(inside, tonnes, plain)
            for tonnes, plain in zip(margin, (lower - wide_lower, wide_upper - upper), strict=True)
        ]
    lower[inside], upper[inside] = 0.0, most[label[inside]]
    rows = {
        "ENTERPRISES": len(names),
        "UNITS_OF_ENTERPRISE": Groups.from_labels(label, len(names)),
        "enterprise_lower": least,
        "enterprise_upper": most,
    }
    return Bands(lower, upper, ~inside, ExceptionMargin(units, *margin), names, rows)


def _owners(instance: Instance, reference: Reference, free: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the enterprises with a band over several units, and that of each unit; -1 for none."""
    owner, shares = instance.labels("enterprise_id"), shares_band(instance, reference)[free]
    several = np.flatnonzero(np.bincount(owner.code[free[shares]], minlength=len(owner)) > 1)
    number = np.full(len(owner), -1)
    number[several] = np.arange(len(several))
    return [str(name) for name in owner.names[several]], np.where(shares, number[owner.code[free]], -1)


def bounds_with(limits: Limits, exceptional: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of the allowances if some units are exceptions.

    Parameters
    ----------
    exceptional
        True for exceptions among the adjustable units.
    """
    lower = np.where(exceptional & limits.unit_band, limits.margin.lower, 0.0)
    upper = np.where(exceptional, limits.margin.upper, 0.0)
    for group in range(len(limits.enterprises)):
        units = limits.rows["UNITS_OF_ENTERPRISE"][group]
        # A unit of an enterprise with a band may hold all allowances of the enterprise.
        upper[units] = upper[units].sum()
    return limits.lower - lower, limits.upper + upper


def exception_rows(limits: Limits) -> dict[str, Any]:
    """Return the sets and parameters of the rows of exceptions, by the names of the models."""
    all_units, no_units = np.arange(len(limits.free)), np.arange(0)
    allowed, enterprises = limits.margin.units > 0, len(limits.enterprises)
    return {
        "MAY_BE_EXCEPTIONAL": all_units if allowed else no_units,
        "WITH_OWN_BAND": np.flatnonzero(limits.unit_band) if allowed else no_units,
        "WIDENED": np.arange(enterprises if allowed else 0),
        "LIMITED": int(allowed and len(limits.free) > 0),
        "exceptions_most": limits.margin.units,
        "band_lower": limits.lower,
        "band_upper": limits.upper,
        "widening_lower": limits.margin.lower,
        "widening_upper": limits.margin.upper,
    }


def down(tonnes: ArrayLike) -> NDArray[np.float64]:
    """Round down to whole tonnes, within the noise.

    >>> down([3.0, 2.9999999, 2.99])
    array([3., 3., 2.])
    """
    size = np.asarray(tonnes, dtype=float)
    whole: NDArray[np.float64] = np.floor(size + _noise(size))
    return whole


def nearest(tonnes: ArrayLike) -> NDArray[np.float64]:
    """Round to the nearest whole tonne; a half goes up.

    >>> nearest([2.4, 2.5, 3.5])
    array([2., 3., 4.])
    """
    return down(np.asarray(tonnes, dtype=float) + 0.5)


def inward(least: ArrayLike, most: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and most whole tonnes between two limits.

    If there are none, as for an exact target that is not whole, both are the whole tonne below, since the rules round
    down.

    >>> inward([1.2, 1.2], [3.9, 1.2])
    (array([2., 1.]), array([3., 1.]))
    """
    upper = down(most)
    return np.minimum(-down(-np.asarray(least, dtype=float)), upper), upper


def _noise(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = np.where(np.isfinite(tonnes), tonnes, 0.0)
    noise: NDArray[np.float64] = ROUNDING_NOISE_T + LIMIT_ROUNDING_RELATIVE * np.abs(finite)
    return noise


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
