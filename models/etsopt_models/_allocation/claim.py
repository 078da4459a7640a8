"""What is claimed of an allocation: columns of its units and multipliers, for a check without tables of units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._allocation.coupling import COUPLING
from etsopt_models._allocation.tables import row_labels, totals_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt_models._allocation.tables import UnitNumbers


def claim_of(units: UnitNumbers, levels: Sequence[Any], real: NDArray[np.float64] | None) -> dict[str, Any]:
    """Return what is claimed of an allocation, as `etsopt.modelling.ProgramModel.claim` states it.

    Parameters
    ----------
    real
        Allowances of the adjustable units before rounding [t]; None if nothing is rounded.
    """
    names = units.instance.cached("units as objects", lambda: units.instance.units["unit_id"].to_numpy(dtype=object))
    columns: dict[str, Any] = {"unit_id": names}
    columns |= {"reference_t": units.reference.reference_t, "allowance_t": units.allowance}
    columns |= {"exceptional": units.exceptional} if units.limits.margin.units else {}
    columns |= {} if real is None else {"before_rounding_t": units.with_free(real)}
    stated = {level.name: level.multipliers for level in levels}
    stated |= {f"{one.name}:{number}": own for one in levels for number, own in enumerate(one.proofs, 2)}
    # Rounding, which is solved after the others, has no rows of the order.
    sizes = {row: max((len(own.get(row, ())) for own in stated.values()), default=0) for row in COUPLING}
    rows: list[tuple[str, str]] = []
    for row, size in ((row, size) for row, size in sizes.items() if size):
        name = "enterprise_band" if row.startswith("enterprise_") else row
        rows += [(name, str(label)) for label in row_labels(units.instance, units.limits, row, np.arange(size))]
    starts = dict(zip(COUPLING, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    duals = {name: np.zeros(len(rows)) for name in stated}
    for name, own in stated.items():
        for row, start in starts.items():
            multipliers = own.get(row, np.zeros(0))
            duals[name][start : start + len(multipliers)] = multipliers
    weights = np.zeros(len(units.allowance))
    covers = stated.get("largest_change", {}).get("largest_change_covers", np.zeros(0))
    weights[units.limits.free[: len(covers)]] = -covers
    totals = totals_of(units, levels)
    return {"allocation": columns, "totals": totals, "rows": rows, "duals": duals, "weights": weights}
