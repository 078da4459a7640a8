r"""A box of policies in which every limit of an allocation is affine.

Axes lead from the policy of the origin to those of corners; at the point $t \in [0, 1]^n$ the keys of the policy that
differ along axis $k$ have the values $a + t_k\,(b - a)$, and all others stay. With one axis the box is a line. A limit
is affine in $t$ if it is a sum of constants and of constants times such values:

| key | limit |
| --- | --- |
| `sectors.*.target_change`, `target_t`, `target_intensity` | total of a sector: $E_s (1 + x)$, $x$, or $x$ per output |
| `provinces.balance` | total of a province: $E_p \pm x \sum E$ |
| `national.target_change`, `target_t` | total of adjustable units: $(1 + x) \sum E$, or $x$, less what the others get |
| `sectors.*.band`, `allocation.band` | ends of a band: $E_i - x E_i$ and $E_i + x E_i$ |

Some of these limits have a corner: the lower end of a band is rounded down where the rule is in whole tonnes, and never
negative; its upper end is at least what is due; a national total below zero has no lower side. On either side of a
corner a limit is affine, and it moves along one axis alone, so that two ends on one side prove it for all between.
Whole tonnes, exceptions and an order of intensities are no limits of this form. All demands are derived by
`limits.derive`, so that nothing is stated twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.allocation.bands import band_rates
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.measures import at_target_rate
from etsopt.checking.arithmetic import ROUNDOFF
from etsopt.checking.readings import plan
from etsopt.checking.readings.targets import due_at_emissions, national_target
from etsopt.checking.theorem import TIE_BREAKS
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.allocation.rows import CouplingRows
    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.common.language import Text

TARGETS = ("target_change", "target_t", "target_intensity")
SIDES = ("lower", "upper")
OWN_REFERENCES = ("given", "grandfathering", "benchmark")
"""Rules beside the plans whose references are derived again, from tables and parameters alone."""


LIMIT_ROUNDINGS = 8
"""Roundings that a limit passes where the policy of a place between the ends is evaluated."""


@dataclass(frozen=True)
class Limits:
    """Limits at one point of a box, and the tonnes from which objectives measure; arrays of adjustable units [t].

    Parameters
    ----------
    lower, upper
        Bounds, shape ``(units,)``.
    kinks
        Reference, emissions and allowances at the target rate, by the objective that measures from them.
    rows
        Rows that couple units, with the limits of this point.
    """

    lower: Floats
    upper: Floats
    kinks: Mapping[str, Floats]
    rows: CouplingRows


@dataclass(frozen=True)
class PolicyBox:
    """Policies between an origin and the corners next to it, with what the instance demands at each of these.

    Parameters
    ----------
    given
        The instance under the policies of the origin and of the corner of each axis.
    demands
        Demands there.
    reference
        Reference allowances of all units, which no limit moves, shape ``(units,)`` [t].
    """

    given: tuple[InstanceInputs, ...]
    demands: tuple[Demands, ...]
    reference: Floats

    @classmethod
    def of(cls, origin: InstanceInputs, corners: Sequence[InstanceInputs], reference: Floats) -> PolicyBox:
        """Derive the demands at the origin and at the corner of each axis."""
        given = (origin, *corners)
        return cls(given, tuple(map(derive, given)), reference)

    @cached_property
    def free(self) -> Mask:
        """Adjustable units, shape ``(all units,)``."""
        return ~self.demands[0].fixed

    @cached_property
    def all_emissions(self) -> Floats:
        """Emissions of all units, shape ``(all units,)`` [tCO2e]."""
        return plan.emissions_inside(self.given[0])

    @cached_property
    def emissions(self) -> Floats:
        """Emissions of adjustable units, shape ``(units,)`` [tCO2e]."""
        return self.all_emissions[self.free]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Objectives in lexicographic order."""
        return (*self.given[0].policy.allocation.objectives, TIE_BREAKS[self.given[0].policy.allocation.tie_break])

    @cached_property
    def rounding_t(self) -> Floats:
        """Rounding of the limits of rows where the policy of a point is evaluated, shape ``(rows,)``."""
        sides = [side for demands in self.demands for side in (demands.rows.least, demands.rows.most)]
        largest = np.max([np.where(np.isfinite(side), np.abs(side), 0.0) for side in sides], axis=0)
        nation = np.where(self.demands[0].rows.rule == "national_total", self.all_emissions.sum(), 0.0)
        return np.asarray(LIMIT_ROUNDINGS * ROUNDOFF * (largest + nation), dtype=np.float64)

    @cached_property
    def _targets(self) -> list[Floats]:
        """Allowances of all units at the target rate, at the origin and at each corner [t]."""
        both = zip(self.given, self.demands, strict=True)
        return [at_target_rate(given, demands, self.reference) for given, demands in both]

    def at(self, point: Floats) -> Limits:
        """Return the limits at a point of the unit box, shape ``(axes,)``."""
        demands, kinks = self.demands_at(point), {"change": self.reference[self.free], "deficit": self.emissions}
        kinks["spread"] = _between(point, self._targets)[self.free]
        return Limits(demands.lower[self.free], demands.upper[self.free], kinks, demands.rows)

    def demands_at(self, point: Floats) -> Demands:
        """Return the demands at a point of the unit box, shape ``(axes,)``."""
        rows = [demands.rows for demands in self.demands]
        least, most = (_between(point, [getattr(one, side) for one in rows]) for side in ("least", "most"))
        lower, upper = (_between(point, [getattr(one, side) for one in self.demands]) for side in SIDES)
        return replace(self.demands[0], lower=lower, upper=upper, rows=replace(rows[0], least=least, most=most))

    def bends(self) -> Iterator[Text]:
        """Yield the reasons for which limits are not affine in the box; none if they are."""
        allocation = self.given[0].policy.allocation
        if allocation.integer_allowances:
            yield _("whole tonnes move in steps (allocation.integer_allowances)")
        if allocation.exceptions.units:
            yield _("exceptions are chosen, not moved (allocation.exceptions)")
        if allocation.intensity_order:
            yield _("an order of intensities is no limit in tonnes (allocation.intensity_order)")
        if allocation.tie_break != "least_squares":
            yield _("another tie-break has no curve yet (allocation.tie_break)")
        rule = self.given[0].policy.rule.name
        if not plan.follows_plan(self.given[0]) and rule not in OWN_REFERENCES:
            yield _("the rule {rule} is not one of the package: its references may move with any key", rule=rule)
        moved_before: set[str] = set()
        for corner, demands in zip(self.given[1:], self.demands[1:], strict=True):
            moved = moved_keys(self.given[0], corner)
            if not moved:
                yield _("no key of the policy differs between the ends")
            for key, (start, end) in moved.items():
                if key in moved_before:
                    yield _("{key} moves along two axes", key=key)
                elif not _is_limit(key):
                    yield _("{key} is no limit of the allocation, which moves in a straight line", key=key)
                elif not (_is_number(start) and _is_number(end)):
                    yield _("{key} is no number at both ends", key=key)
            moved_before |= moved.keys()
            yield from self._corners(corner, demands, [key for key in moved if "band" in key.split(".")])

    def _corners(self, corner: InstanceInputs, other: Demands, bands: Sequence[str]) -> Iterator[Text]:
        """Yield the limits that pass a corner on an axis; `bands` are the moved keys of bands."""
        origin, one = self.given[0], self.demands[0]
        if bands:
            (down, up), (last_down, last_up) = band_rates(origin), band_rates(corner)
            if origin.policy.rule.name == "given":
                if _passes(1 - down, 1 - last_down, 0.0, self.free):
                    yield _("the lower end of a band reaches zero ({key})", key=bands[0])
            else:
                if (one.bands.lower != other.bands.lower)[self.free].any():
                    yield _("the rule rounds the lower end of a band down to whole tonnes ({key})", key=bands[0])
                first, last = (self.all_emissions + rate * self.all_emissions for rate in (up, last_up))
                if _passes(first, last, due_at_emissions(origin), self.free):
                    yield _("the upper end of a band reaches what is due ({key})", key=bands[0])
        totals = [national_target(given, one.fixed) for given in (origin, corner)]
        if len({total[1] < 0 for total in totals if total is not None}) > 1:
            yield _("the national total passes zero")
        if not _same_shape(one, other):
            yield _("other units or rows have limits at the two ends")


def _between(point: Floats, corners: Sequence[Floats]) -> Floats:
    """Return numbers at a point from those at the origin and at each corner; what stays is exactly itself."""
    origin, result = corners[0], corners[0]
    with np.errstate(invalid="ignore"):
        for place, corner in zip(point, corners[1:], strict=True):
            result = np.where(origin == corner, result, result + place * (corner - origin))
    return result


def moved_keys(first: InstanceInputs, last: InstanceInputs) -> dict[str, tuple[Any, Any]]:
    """Return the keys of the policy that differ between two instances, with both values; None where one states none."""
    one, other = (dict(_leaves(given.policy.model_dump(mode="json", exclude_none=True))) for given in (first, last))
    keys = dict.fromkeys((*one, *other))
    return {key: (one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)}


def _leaves(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _passes(one: Floats, other: Floats, corner: Floats | float, where: Mask) -> bool:
    """Return True if some numbers are below a corner at one end and above it at the other."""
    return bool((((one < corner) & (other > corner)) | ((one > corner) & (other < corner)))[where].any())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_limit(key: str) -> bool:
    """Return True for a key of the table of this module; names of sectors and provinces may have dots of their own."""
    parts = key.split(".")
    if parts[0] == "sectors":
        return parts[-1] in TARGETS or (parts[-2:-1] == ["band"] and parts[-1] in SIDES)
    if parts[0] == "national":
        return parts[-1] in TARGETS[:2]
    return parts[:2] == ["provinces", "balance"] or (parts[:2] == ["allocation", "band"] and parts[-1] in SIDES)


def _same_shape(one: Demands, other: Demands) -> bool:
    """Return True if two demands have the same adjustable units, rows and entries, and bounds in the same places."""
    pairs = [(one.fixed, other.fixed), (np.isnan(one.at_target_rate), np.isnan(other.at_target_rate))]
    names = ("row", "position", "rule", "index")
    pairs += [(getattr(one.rows, name), getattr(other.rows, name)) for name in names]
    for side in ("least", "most"):
        pairs.append((np.isfinite(getattr(one.rows, side)), np.isfinite(getattr(other.rows, side))))
    return all(np.array_equal(a, b) for a, b in pairs)
