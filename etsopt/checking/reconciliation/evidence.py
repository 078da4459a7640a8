"""Read the evidence of an instance again, independently of the models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.arithmetic import gamma

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs

CENTRAL = 0.1
"""Weight of the distance from a most likely value, in half-widths of the range."""


@dataclass(frozen=True)
class Evidence:
    """Evidence of an instance: ``q`` quantities, ``s`` statements, ``k`` terms.

    Parameters
    ----------
    quantities
        A row for each quantity: position of its unit, factor, report and its uncertainty, substitute, and largest one.
    statements
        A row for each statement: its unit's position, ``value``, ``lower``, ``upper`` (infinite without one) and
        ``uncertainty``.
    statement, quantity, coefficient
        Positions and coefficient of each term, shape ``(k,)``.
    """

    quantities: pd.DataFrame
    statements: pd.DataFrame
    statement: Ints
    quantity: Ints
    coefficient: Floats

    @property
    def terms(self) -> int:
        """Largest number of terms of a statement, or of statements of a quantity."""
        return max(int(np.bincount(places).max(initial=0)) for places in (self.statement, self.quantity))

    def sums(self, amount: Floats) -> tuple[Floats, Floats]:
        """Return the sum of the terms of each statement, and a bound of its rounding."""
        parts, count = self.coefficient * amount[self.quantity], len(self.statements)
        size: Floats = np.bincount(self.statement, np.abs(parts), count).astype(float)
        total: Floats = np.bincount(self.statement, parts, count).astype(float)
        return total, 1.01 * gamma(self.terms + 4) * size

    def pulls(self, multiplier: Floats) -> tuple[Floats, Floats]:
        """Return the sum of the multipliers over the terms of each quantity, and that of their absolute values."""
        parts, count = self.coefficient * multiplier[self.statement], len(self.quantities)
        pull: Floats = np.bincount(self.quantity, parts, count).astype(float)
        size: Floats = np.bincount(self.quantity, np.abs(parts), count).astype(float)
        return pull, size

    def outside(self, amount: Floats) -> Floats:
        """Return the distance of each sum from its range, negative below it."""
        total = self.sums(amount)[0]
        lower, upper = (self.statements[side].to_numpy() for side in ("lower", "upper"))
        return np.asarray(np.maximum(total - upper, 0.0) + np.minimum(total - lower, 0.0))

    @property
    def reach(self) -> Floats:
        """Largest absolute sum of each statement over all possible quantities, shape ``(s,)``."""
        parts = np.abs(self.coefficient) * self.quantities["most"].to_numpy()[self.quantity]
        return np.asarray(np.bincount(self.statement, parts, len(self.statements)).astype(float))

    def only(self, kept: Mask) -> Evidence:
        """Return the evidence with some of the statements."""
        place = np.cumsum(kept) - 1
        is_kept = kept[self.statement]
        return Evidence(
            self.quantities,
            self.statements[kept],
            place[self.statement[is_kept]],
            self.quantity[is_kept],
            self.coefficient[is_kept],
        )


def read_evidence(instance: InstanceInputs) -> Evidence:
    """Return the evidence of an instance that has some."""
    quantities, statements, terms = instance.quantities, instance.statements, instance.terms
    assert quantities is not None
    assert statements is not None
    assert terms is not None
    place = pd.Index(instance.units["unit_id"])
    names = ("reported", "uncertainty", "substitute", "most")
    read_quantities = pd.DataFrame(
        {
            "unit": place.get_indexer(quantities["unit_id"]),
            "factor": quantities["emissions_tco2e_per_unit"].to_numpy(dtype=float),
            **{name: quantities.get(name, pd.Series(np.nan, quantities.index)).to_numpy(dtype=float) for name in names},
        }
    )
    value, lower, upper = (
        statements.get(name, pd.Series(np.nan, statements.index)).to_numpy(dtype=float)
        for name in ("value", "lower", "upper")
    )
    # A missing side is the value, and without one there is no limit.
    lower, upper = np.where(np.isnan(lower), value, lower), np.where(np.isnan(upper), value, upper)
    read_statements = pd.DataFrame(
        {
            "unit": place.get_indexer(statements["unit_id"]),
            "value": value,
            "lower": np.where(np.isnan(lower), -np.inf, lower),
            "upper": np.where(np.isnan(upper), np.inf, upper),
            "uncertainty": statements["uncertainty"].to_numpy(dtype=float),
        }
    )
    statement, quantity = (
        pd.MultiIndex.from_frame(table[key]).get_indexer(pd.MultiIndex.from_frame(terms[key]))
        for table, key in ((statements, ["unit_id", "statement_id"]), (quantities, ["unit_id", "quantity_id"]))
    )
    return Evidence(read_quantities, read_statements, statement, quantity, terms["coefficient"].to_numpy(dtype=float))
