"""Lines of the table of what gives way, and the allocation that they are read from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._allocation.exceptions import bounds_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._allocation.limits import Limits

GIVES_WAY_T = 1e-3
"""A limit that is missed by less is kept."""


Line = tuple[str, str, str, float, float, float, str]


def needed(found: Limits, allowance: NDArray[np.float64], wider: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which units, or the enterprises whose bands they share, are outside the band that is no exception's."""
    room = found.emissions * wider
    outside = (allowance < found.lower - room - GIVES_WAY_T) | (allowance > found.upper + room + GIVES_WAY_T)
    rows = found.rows
    for number in range(rows["ENTERPRISES"]):
        here = rows["UNITS_OF_ENTERPRISE"][number]
        total, more = float(allowance[here].sum()), float(room[here].sum()) + GIVES_WAY_T
        least, most = rows["enterprise_lower"][number], rows["enterprise_upper"][number]
        outside[here] = not least - more <= total <= most + more
    return outside


def of_units(
    found: Limits, values: Mapping[str, Any], wider: NDArray[np.float64], part: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Allowances of units and which are exceptions; of a merged part each has the same share of what bands leave."""
    chosen = values["exceptional"] > 0.5 if found.widening.units else np.zeros(len(values["allowance"]), dtype=bool)
    if part is None:
        return values["allowance"], chosen
    exceptional = chosen[part]
    lower, upper = bounds_with(found, exceptional)
    lower, upper = lower - found.emissions * wider, upper + found.emissions * wider
    low, room = (np.bincount(part, side, len(chosen)) for side in (lower, upper - lower))
    share = np.clip(np.divide(values["allowance"] - low, room, out=np.zeros(len(low)), where=room > 0), 0.0, 1.0)
    # Of several units of a part none has a wider band, so none of them is an exception.
    alone = np.bincount(part, minlength=len(chosen))[part] == 1
    return lower + share[part] * (upper - lower), exceptional & alone


def targets_alone(found: Limits) -> list[Line]:
    """Targets that the bands of their own sector already rule out, whatever the other limits are."""
    lines = []
    for number, name in enumerate(found.sectors):
        here = found.rows["UNITS_IN_SECTOR"][number]
        least, most = float(found.rows["target_least"][number]), float(found.rows["target_most"][number])
        # The exceptions that would help this target most.
        below, above = (
            np.sort(side[here])[::-1][: found.widening.units].sum()
            for side in (found.widening.lower, found.widening.upper)
        )
        lowest, highest = float(found.lower[here].sum() - below), float(found.upper[here].sum() + above)
        if lowest - most > GIVES_WAY_T:
            lines.append(("alone", "target", name, lowest - most, most, lowest, "t"))
        if least - highest > GIVES_WAY_T:
            lines.append(("alone", "target", name, least - highest, least, highest, "t"))
    return lines


def limits_give_way(way: str, found: Limits, allowance: NDArray[np.float64]) -> list[Line]:
    """The limits that give way, the largest first."""
    lines = []
    for limit, labels, groups, least, most in (
        ("target", found.sectors, found.rows["UNITS_IN_SECTOR"], "target_least", "target_most"),
        ("balance", found.provinces, found.rows["UNITS_IN_PROVINCE"], "balance_least", "balance_most"),
        ("nation", [""] * found.rows["NATION"], [slice(None)], "nation_least", "nation_most"),
    ):
        for number, label in enumerate(labels):
            total = math.fsum(allowance[groups[number]].tolist())
            low, high = float(found.rows[least][number]), float(found.rows[most][number])
            if total - high > GIVES_WAY_T:
                lines.append((way, limit, label, total - high, high, total, "t"))
            if low - total > GIVES_WAY_T:
                lines.append((way, limit, label, low - total, low, total, "t"))
    return sorted(lines, key=lambda line: -line[3])
