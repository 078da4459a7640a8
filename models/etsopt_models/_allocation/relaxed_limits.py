"""Lines of the table of relaxed limits, and the allocation that they follow from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._allocation.exceptions import bounds_with
from etsopt_models._tolerances import LIMIT_EXCESS_T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._allocation.limits import Limits

Line = tuple[str, str, str, float, float, float, str]


def outside_band(limits: Limits, allowance: NDArray[np.float64], wider: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return True for units outside their normal band, or outside that of the enterprise whose band they share."""
    room = limits.emissions * wider
    outside = (allowance < limits.lower - room - LIMIT_EXCESS_T) | (allowance > limits.upper + room + LIMIT_EXCESS_T)
    rows = limits.rows
    for number in range(rows["ENTERPRISES"]):
        units = rows["UNITS_OF_ENTERPRISE"][number]
        total, more = float(allowance[units].sum()), float(room[units].sum()) + LIMIT_EXCESS_T
        least, most = rows["enterprise_lower"][number], rows["enterprise_upper"][number]
        outside[units] = not least - more <= total <= most + more
    return outside


def of_units(
    limits: Limits, values: Mapping[str, Any], wider: NDArray[np.float64], part: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return allowances and exceptions by unit; units of an aggregated part take equal shares of their bands."""
    chosen = values["exceptional"] > 0.5 if limits.margin.units else np.zeros(len(values["allowance"]), dtype=bool)
    if part is None:
        return values["allowance"], chosen
    exceptional = chosen[part]
    lower, upper = bounds_with(limits, exceptional)
    lower, upper = lower - limits.emissions * wider, upper + limits.emissions * wider
    low, room = (np.bincount(part, side, len(chosen)) for side in (lower, upper - lower))
    share = np.clip(np.divide(values["allowance"] - low, room, out=np.zeros(len(low)), where=room > 0), 0.0, 1.0)
    # No unit of a part of several has a wider band, so none of them is an exception.
    alone = np.bincount(part, minlength=len(chosen))[part] == 1
    return lower + share[part] * (upper - lower), exceptional & alone


def targets_alone(limits: Limits) -> list[Line]:
    """Return the targets that the bands of their own sector exclude, whatever the other limits."""
    lines = []
    for number, name in enumerate(limits.sectors):
        units = limits.rows["UNITS_IN_SECTOR"][number]
        least, most = float(limits.rows["target_least"][number]), float(limits.rows["target_most"][number])
        # The exceptions that would help this target most.
        below, above = (
            np.sort(side[units])[::-1][: limits.margin.units].sum()
            for side in (limits.margin.lower, limits.margin.upper)
        )
        lowest, highest = float(limits.lower[units].sum() - below), float(limits.upper[units].sum() + above)
        if lowest - most > LIMIT_EXCESS_T:
            lines.append(("alone", "target", name, lowest - most, most, lowest, "t"))
        if least - highest > LIMIT_EXCESS_T:
            lines.append(("alone", "target", name, least - highest, least, highest, "t"))
    return lines


def relaxed_lines(way: str, limits: Limits, allowance: NDArray[np.float64]) -> list[Line]:
    """Return the relaxed limits, the largest relaxation first."""
    lines = []
    for limit, labels, groups, least, most in (
        ("target", limits.sectors, limits.rows["UNITS_IN_SECTOR"], "target_least", "target_most"),
        ("balance", limits.provinces, limits.rows["UNITS_IN_PROVINCE"], "balance_least", "balance_most"),
        ("nation", [""] * limits.rows["NATION"], [slice(None)], "nation_least", "nation_most"),
    ):
        for number, label in enumerate(labels):
            total = math.fsum(allowance[groups[number]].tolist())
            low, high = float(limits.rows[least][number]), float(limits.rows[most][number])
            if total - high > LIMIT_EXCESS_T:
                lines.append((way, limit, label, total - high, high, total, "t"))
            if low - total > LIMIT_EXCESS_T:
                lines.append((way, limit, label, low - total, low, total, "t"))
    return sorted(lines, key=lambda line: -line[3])
