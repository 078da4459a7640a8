"""Quantities, statements and terms of an instance as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.evidence import numbers, positions, ranges
from etsopt.data.groups import Groups
from etsopt.data.tables.evidence import EVIDENCE
from etsopt.errors import DataError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

    Floats = NDArray[np.float64]
    Positions = NDArray[np.int64]

CENTRAL = 0.01
"""Weight of a distance within a range, relative to its half-width, beside 1 for that beyond it, in uncertainties."""

ROUNDING = 1e-6
"""Part of an uncertainty by which a statement may exceed it through rounding."""


@dataclass(frozen=True)
class Evidence:
    """Evidence of all units: ``q`` quantities, ``s`` statements, ``k`` terms.

    Parameters
    ----------
    unit
        Position of the unit of each quantity, shape ``(q,)``.
    factor, reported, substitute, most
        Emissions per unit of the quantity [tCO2e/unit]; quantity as reported, conservative substitute (NaN without
        one), and largest quantity, shape ``(q,)``.
    unit_of_statement
        Position of the unit of each statement, shape ``(s,)``.
    value, lower, upper
        Most likely, least and largest value of each statement; a missing side is that of the largest quantities.
    uncertainty, central
        Distance that is no gross error, and weight of a distance within the range per unit of it, shape ``(s,)``.
    statement, quantity, coefficient
        Positions and coefficient of each term, shape ``(k,)``, sorted by statement.
    """

    unit: Positions
    factor: Floats
    reported: Floats
    substitute: Floats
    most: Floats
    unit_of_statement: Positions
    value: Floats
    lower: Floats
    upper: Floats
    uncertainty: Floats
    central: Floats
    statement: Positions
    quantity: Positions
    coefficient: Floats

    @classmethod
    def of(cls, instance: Instance) -> Evidence:
        """Return the evidence of an instance.

        Raises
        ------
        DataError
            If it has none.
        """
        return instance.once("evidence", lambda: _evidence(instance))

    def totals(self, values: Floats) -> Floats:
        """Return the sum of the terms of each statement, shape ``(s,)``."""
        terms = self.coefficient * values[self.quantity]
        return np.bincount(self.statement, terms, len(self.value))

    def beyond(self, values: Floats) -> Floats:
        """Return the distance of each statement from its range, below 0 under it, shape ``(s,)``."""
        totals = self.totals(values)
        return totals - np.clip(totals, self.lower, self.upper)

    def gross(self, values: Floats) -> NDArray[np.bool_]:
        """Return True for statements farther from their range than their uncertainty, shape ``(s,)``."""
        return np.abs(self.beyond(values)) > self.uncertainty * (1 + ROUNDING)

    def emissions(self, values: Floats, units: int) -> Floats:
        """Return the emissions of each unit, shape ``(units,)`` [tCO2e]."""
        return np.bincount(self.unit, self.factor * values, units)


def _evidence(instance: Instance) -> Evidence:
    quantities, statements, terms = (getattr(instance, table.name) for table in EVIDENCE)
    if quantities is None or statements is None or terms is None:
        advice = "Add quantities.csv, statements.csv and terms.csv, or make them of monthly reports: etsopt reconcile."
        raise DataError(
            "The instance", [Problem(EVIDENCE[0].file, "the file is missing, and with it the evidence", advice)]
        )
    statement = positions(terms, "statement_id", statements)
    order = np.argsort(statement, kind="stable")
    statement, quantity = statement[order], positions(terms, "quantity_id", quantities)[order]
    coefficient = numbers(terms, "coefficient")[order]
    most = numbers(quantities, "most")
    lower, upper = ranges(statements)
    # The sums that quantities between zero and their largest value have stand for a missing side.
    reach = coefficient * most[quantity]
    least, largest = (np.bincount(statement, side(reach, 0.0), len(statements)) for side in (np.minimum, np.maximum))
    value = numbers(statements, "value")
    central = np.where(np.isnan(value), 0.0, CENTRAL)
    lower, upper = np.where(np.isinf(lower), np.minimum(least, upper), lower), np.where(
        np.isinf(upper), np.maximum(largest, lower), upper
    )
    width, uncertainty = (upper - lower) / 2, numbers(statements, "uncertainty")
    known = instance.units["unit_id"]
    unit, unit_of_statement = (known.searchsorted(table["unit_id"]) for table in (quantities, statements))
    return Evidence(
        unit=unit,
        factor=numbers(quantities, "emissions_tco2e_per_unit"),
        reported=numbers(quantities, "reported"),
        substitute=numbers(quantities, "substitute"),
        most=most,
        unit_of_statement=unit_of_statement,
        # A limit has no most likely value, and no weight within.
        value=np.where(np.isnan(value), np.where(np.isinf(ranges(statements)[0]), upper, lower), value),
        lower=lower,
        upper=upper,
        uncertainty=uncertainty,
        central=np.divide(central, width, out=np.zeros(len(width)), where=width > 0),
        statement=statement,
        quantity=quantity,
        coefficient=coefficient,
    )


def arrays(evidence: Evidence, gross: NDArray[np.bool_] | None) -> dict[str, Any]:
    """Return the parameters of the program.

    Parameters
    ----------
    gross
        True for statements that are gross errors and count no more; None before they are known, when there are neither
        quantities for the interval nor limits of distances.
    """
    known = gross is not None
    kept = np.arange(len(evidence.value)) if gross is None else np.flatnonzero(~gross)
    place = np.full(len(evidence.value), -1)
    place[kept] = np.arange(len(kept))
    terms = np.flatnonzero(place[evidence.statement] >= 0)
    quantity, coefficient = evidence.quantity[terms], evidence.coefficient[terms]
    reach = np.bincount(place[evidence.statement[terms]], np.abs(coefficient) * evidence.most[quantity], len(kept))
    lower, upper, uncertainty = evidence.lower[kept], evidence.upper[kept], evidence.uncertainty[kept]
    # No distance exceeds that from the range to what the largest quantities reach.
    farthest = reach + np.maximum(np.abs(lower), np.abs(upper))
    allowed = uncertainty * (1 + ROUNDING)
    return {
        "QUANTITIES": len(evidence.factor),
        "STATEMENTS": len(kept),
        "TERMS": len(terms),
        "TERMS_OF_STATEMENT": Groups.from_labels(place[evidence.statement[terms]], len(kept)),
        "BOUNDED": np.arange(len(evidence.factor) if known else 0),
        "AGREED": np.arange(len(kept) if known else 0),
        "quantity": quantity,
        "coefficient": coefficient,
        "factor": evidence.factor,
        "most": evidence.most,
        "value": evidence.value[kept],
        "within_lower": evidence.value[kept] - lower,
        "within_upper": upper - evidence.value[kept],
        "central": evidence.central[kept],
        "beyond_weight": 1 / uncertainty + evidence.central[kept],
        "beyond_most": allowed if known else farthest,
        "agreed_lower": lower - allowed,
        "agreed_upper": upper + allowed,
    }
