"""An allocation as it is claimed: numbers of the units, and the multipliers that prove it.

Tables are one way to a claim, and the arrays of a solve another; the same statements judge both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.duals import Stated
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.checking.allocation.rows import CouplingRows
    from etsopt.checking.arrays import Floats
    from etsopt.checking.verdict import Columns

    Read = Callable[[CouplingRows, Sequence[str]], tuple[Stated, list[Violation]]]


@dataclass(frozen=True)
class Claim:
    """An allocation with its multipliers.

    Parameters
    ----------
    allocation
        Columns of all units in the order of the instance: ``unit_id``, ``reference_t``, ``allowance_t`` and, where they
        apply, ``before_rounding_t`` and ``exceptional``.
    sectors
        Balance values of each ``sector``.
    multipliers
        A function that returns the multipliers of objectives in their order by the rows of the checker, and violations
        of those of no row.
    """

    allocation: Columns
    sectors: Columns
    multipliers: Read


@dataclass(frozen=True)
class ArrayMultipliers:
    """Multipliers as a solve states them.

    Parameters
    ----------
    rows
        Name and index of each row that has a multiplier; several multipliers of one row are added.
    duals
        Multipliers by objective, or by objective and number if it has several, shape ``(rows,)``.
    weights
        Negated duals of `largest_change_covers`, shape ``(units,)``.
    """

    rows: Sequence[tuple[str, str]]
    duals: Mapping[str, Floats]
    weights: Floats

    def read(self, rows: CouplingRows, names: Sequence[str]) -> tuple[Stated, list[Violation]]:
        """Return them by the rows of the checker, as `Claim` takes them."""
        number = {pair: place for place, pair in enumerate(zip(rows.rule, rows.index, strict=True))}
        places = np.array([number.get(pair, -1) for pair in self.rows], dtype=np.int64)
        known, message = places >= 0, _("a multiplier: {statement}", statement=_("the row is one of the program"))
        violations, found = [], {}
        for name in dict.fromkeys([*names, *self.duals]):
            stated, found[name] = self.duals.get(name, np.zeros(len(places))), np.zeros(len(rows))
            np.add.at(found[name], places[known], stated[known])
            violations += [
                Violation("duals", f"{name}, {' '.join(pair)}".strip(), 1.0, "rows", message)
                for pair in compress(self.rows, ~known & (stated != 0))
            ]
        return Stated(found, self.weights, None), violations
