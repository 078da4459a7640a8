"""Read the multipliers of the table ``duals``, each of a row of the program and stated once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.allocation.rows import CouplingRows
    from etsopt.checking.readings.instance_inputs import InstanceInputs

KEPT = "level_is_kept"
"""Row that keeps the earlier objective of its index; its multiplier is the cost to the later objective."""

LARGEST_CHANGE_COVERS = "largest_change_covers"
"""Row that keeps each unit under the largest rate."""

KEYS = ["level", "row", "index"]


@dataclass(frozen=True)
class Stated:
    """Duals and multipliers of an allocation.

    Parameters
    ----------
    duals
        Duals of the coupling rows by objective, or by objective and number if it has several, shape ``(rows,)``.
    weights
        Negated duals of `largest_change_covers` in the objective `largest_change`, shape ``(units,)``.
    kept
        Negated multipliers of earlier objectives, by objective and earlier one; None if the table states none.
    """

    duals: Mapping[str, NDArray[np.float64]]
    weights: NDArray[np.float64]
    kept: Mapping[tuple[str, str], float] | None


def read_duals(
    instance: InstanceInputs, duals: pd.DataFrame, rows: CouplingRows, names: Sequence[str]
) -> tuple[Stated, list[Violation]]:
    """Read the duals of the objectives in their order, and report those of no row or stated twice."""
    level, row = duals["level"].to_numpy(), duals["row"].to_numpy()
    place = {name: number for number, name in enumerate(names)}
    unit = _of_units(instance, duals)
    places = rows.place_of(duals)
    known = places >= 0
    known |= (row == LARGEST_CHANGE_COVERS) & (unit >= 0)
    kept = np.flatnonzero(row == KEPT)
    earlier = duals["index"].to_numpy()[kept]
    known[kept] = [
        place.get(before, len(place)) < place.get(after, 0) for before, after in zip(earlier, level[kept], strict=True)
    ]
    violations = [_wrong(duals, row, _("the row is one of the program")) for row in np.flatnonzero(~known).tolist()]
    twice = duals.duplicated(KEYS).to_numpy()
    violations += [_wrong(duals, row, _("it is stated once")) for row in np.flatnonzero(twice).tolist()]
    multiplier = duals["multiplier"].to_numpy(dtype=float)
    row_duals = {
        name: rows.duals_at(places[level == name], multiplier[level == name])
        for name in dict.fromkeys([*names, *pd.unique(level)])
    }
    weights, covers = (
        np.zeros(len(instance.units)),
        (row == LARGEST_CHANGE_COVERS) & (level == "largest_change") & (unit >= 0),
    )
    weights[unit[covers]] = -multiplier[covers]
    by_level = {
        (after, before): -float(multiplier[entry])
        for entry, before, after in zip(kept, earlier, level[kept], strict=True)
    }
    return Stated(row_duals, weights, by_level or None), violations


def _of_units(instance: InstanceInputs, duals: pd.DataFrame) -> NDArray[np.int64]:
    """Return the position of the unit that each index names, -1 if it names none."""
    if not len(instance.units):
        return np.full(len(duals), -1)
    # Units are sorted by name, so each name is found by binary search.
    names, wanted = instance.units["unit_id"].to_numpy(), duals["index"].fillna("").to_numpy()
    position = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return np.where(names[position] == wanted, position, -1)


def _wrong(duals: pd.DataFrame, place: int, message: str) -> Violation:
    level, row, index = (duals[key].iloc[place] for key in KEYS)
    text = _("a multiplier: {statement}", statement=message)
    return Violation("duals", f"{level}, {row} {index}".strip(), 1.0, "rows", text)


def table_of_kept(kept: Mapping[tuple[str, str], float], units: Mapping[str, str]) -> pd.DataFrame:
    """Return multipliers of earlier objectives as rows of ``duals``; keeping one is a cost, so none is positive.

    Parameters
    ----------
    units
        Unit of every objective.
    """
    lines = [
        (after, KEPT, before, -times, f"{units[after]}/{units[before]}") for (after, before), times in kept.items()
    ]
    return pd.DataFrame(lines, columns=[*KEYS, "multiplier", "unit"])
