"""Evidence of reconciliation as arrays, and its result tables.

Quantities, statements and terms of an instance as arrays.

Result tables of a reconciliation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.evidence import numbers, positions, ranges
from etsopt.data.groups import Groups
from etsopt.data.tables.evidence import EVIDENCE
from etsopt_models._tolerances import AS_REPORTED_RELATIVE, UNCERTAINTY_MARGIN_RELATIVE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

    Floats = NDArray[np.float64]

    Positions = NDArray[np.int64]

    Mask = NDArray[np.bool_]


CENTRAL = 0.1
"""Weight of a distance within a range, in half-widths of the range, beside 1 for an uncertainty beyond it."""


@dataclass(frozen=True)
class Evidence:
    """Evidence of all units: ``q`` quantities, ``s`` statements, ``k`` terms.

    Parameters
    ----------
    unit
        Position of the unit of each quantity, shape ``(q,)``.
    factor, most
        Emissions per unit of the quantity [tCO2e/unit], and largest quantity, shape ``(q,)``.
    reported, tolerance
        Quantity as reported and its uncertainty, NaN without a report, shape ``(q,)``.
    unit_of_statement
        Position of the unit of each statement, shape ``(s,)``.
    value, lower, upper
        Most likely value, NaN without one, and range of each statement; an absent side is beyond what the largest
        quantities reach, shape ``(s,)``.
    uncertainty
        Distance from the range that is no gross error, shape ``(s,)``.
    statement, quantity, coefficient
        Positions and coefficient of each term, shape ``(k,)``, sorted by statement.
    """

    unit: Positions
    factor: Floats
    most: Floats
    reported: Floats
    tolerance: Floats
    unit_of_statement: Positions
    value: Floats
    lower: Floats
    upper: Floats
    uncertainty: Floats
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
        return instance.cached("evidence", lambda: _evidence(instance))

    def amount(self, values: dict[str, Floats]) -> Floats:
        """Return the quantities of a solution, shape ``(q,)``."""
        start = np.where(np.isnan(self.reported), 0.0, self.reported)
        # What is not moved stays as it was reported, to the last digit.
        return start + (values["raised"] - values["lowered"])

    def bound_violation(self, amount: Floats) -> Floats:
        """Return the distance of each statement from its range, below 0 under it, shape ``(s,)``."""
        terms = self.coefficient * amount[self.quantity]
        totals = np.bincount(self.statement, terms, len(self.value)).astype(float)
        found: Floats = totals - np.clip(totals, self.lower, self.upper)
        return found

    def gross(self, amount: Floats) -> tuple[Mask, Mask]:
        """Return True for reports and statements farther off than their uncertainty, shapes ``(q,)`` and ``(s,)``."""
        with np.errstate(invalid="ignore"):
            reports = np.abs(amount - self.reported) > self.tolerance * (1 + UNCERTAINTY_MARGIN_RELATIVE)
        return reports, np.abs(self.bound_violation(amount)) > self.uncertainty * (1 + UNCERTAINTY_MARGIN_RELATIVE)

    def emissions(self, amount: Floats, units: int) -> Floats:
        """Return the emissions of each unit, shape ``(units,)`` [tCO2e]."""
        return np.bincount(self.unit, self.factor * amount, units).astype(float)


def _evidence(instance: Instance) -> Evidence:
    quantities, statements, terms = (getattr(instance, table.name) for table in EVIDENCE)
    if quantities is None or statements is None or terms is None:
        advice = _(
            "Add quantities.csv, statements.csv and terms.csv, or make them of monthly reports: etsopt reconcile."
        )
        problem = Problem(EVIDENCE[0].file, _("the file is missing, and with it the evidence"), advice)
        raise DataError(_("The instance"), [problem])
    statement = positions(terms, "statement_id", statements)
    order = np.argsort(statement, kind="stable")
    statement, quantity = statement[order], positions(terms, "quantity_id", quantities)[order]
    coefficient, most = numbers(terms, "coefficient")[order], numbers(quantities, "most")
    lower, upper = ranges(statements)
    # Beyond what the largest quantities reach, a side limits nothing, and every number is finite.
    reach = np.bincount(statement, np.abs(coefficient) * most[quantity], len(statements))
    known = instance.units["unit_id"]
    unit, unit_of_statement = (known.searchsorted(table["unit_id"]) for table in (quantities, statements))
    return Evidence(
        unit=unit,
        factor=numbers(quantities, "emissions_tco2e_per_unit"),
        most=most,
        reported=numbers(quantities, "reported"),
        tolerance=numbers(quantities, "uncertainty"),
        unit_of_statement=unit_of_statement,
        value=numbers(statements, "value"),
        lower=np.where(np.isinf(lower), np.minimum(-reach, upper), lower),
        upper=np.where(np.isinf(upper), np.maximum(reach, lower), upper),
        uncertainty=numbers(statements, "uncertainty"),
        statement=statement,
        quantity=quantity,
        coefficient=coefficient,
    )


def arrays(  # long because each parameter has its line
    evidence: Evidence, found: tuple[Mask, Mask] | None
) -> dict[str, Any]:
    """Return the parameters of the program.

    Parameters
    ----------
    found
        True for reports and for statements that are gross errors and count no more; None before they are known, when
        there is neither an interval, nor a limit of distances, nor a weight within ranges.
    """
    count = len(evidence.value)
    gross = (np.zeros(len(evidence.factor), dtype=bool), np.zeros(count, dtype=bool)) if found is None else found
    kept = np.flatnonzero(~gross[1])
    place = np.full(count, -1)
    place[kept] = np.arange(len(kept))
    terms = np.flatnonzero(place[evidence.statement] >= 0)
    statement, quantity = place[evidence.statement[terms]], evidence.quantity[terms]
    lower, upper, value = evidence.lower[kept], evidence.upper[kept], evidence.value[kept]
    allowed = evidence.uncertainty[kept] * (1 + UNCERTAINTY_MARGIN_RELATIVE)
    reach = np.bincount(statement, np.abs(evidence.coefficient[terms]) * evidence.most[quantity], len(kept))
    witnessed = ~np.isnan(evidence.reported) & ~gross[0]
    tolerance = np.where(witnessed, evidence.tolerance * (1 + UNCERTAINTY_MARGIN_RELATIVE), np.inf)
    # A quantity without a report begins at zero, at no cost.
    start = np.where(np.isnan(evidence.reported), 0.0, evidence.reported)
    farthest = np.inf if found is None else tolerance
    everything = np.arange(len(start))
    return {
        "QUANTITIES": len(start),
        "STATEMENTS": len(kept),
        "TERMS": len(terms),
        "TERMS_OF_STATEMENT": Groups.from_labels(statement, len(kept)),
        "CENTRED": _centred(evidence, kept, witnessed) if found is not None else everything[:0],
        "BOUNDED": everything if found is not None else everything[:0],
        "AGREED": np.arange(len(kept) if found is not None else 0),
        "quantity": quantity,
        "coefficient": evidence.coefficient[terms],
        "factor": evidence.factor,
        "reported": start,
        "report_weight": np.where(witnessed, 1 / np.where(witnessed, evidence.tolerance, 1.0), 0.0),
        "raised_most": np.minimum(evidence.most - start, farthest),
        "lowered_most": np.minimum(start, farthest),
        "bounded_lower": np.maximum(0.0, start - tolerance),
        "bounded_upper": np.minimum(evidence.most, start + tolerance),
        "lower": lower,
        "upper": upper,
        "value": np.where(np.isnan(value), lower, value),
        "weight": 1 / evidence.uncertainty[kept],
        "central": CENTRAL / np.maximum((upper - lower) / 2, evidence.uncertainty[kept]),
        # No distance exceeds that from the range to what the largest quantities reach.
        "farthest": reach + np.maximum(np.abs(lower), np.abs(upper)),
        "beyond_most": reach + np.maximum(np.abs(lower), np.abs(upper)) if found is None else allowed,
        "agreed_lower": lower - allowed,
        "agreed_upper": upper + allowed,
    }


def _centred(evidence: Evidence, kept: Positions, witnessed: Mask) -> Positions:
    """Return the statements with a most likely value on a quantity of which no report tells, by their new positions."""
    unknown = np.zeros(len(evidence.value), dtype=bool)
    unknown[evidence.statement[~witnessed[evidence.quantity]]] = True
    return np.flatnonzero((unknown & ~np.isnan(evidence.value))[kept])


def reconciled_tables(instance: Instance, evidence: Evidence, solution: Any) -> dict[str, pd.DataFrame]:
    """Return the tables of a solution; none if its second program was not finished.

    Returns
    -------
    dict
        ``reconciliation``: emissions of each unit as reported, reconciled, at both ends of the interval, and with
        conservative substitutes [tCO2e], with counts. ``reconciled_quantities``: each as reported, at the least
        adjustment, reconciled, and at both ends. ``reconciled_statements``: the distance of each from its range in
        uncertainties, gross errors, and the multipliers that prove the objectives.
    """
    first, values = solution.before, solution.values
    if first is None or len(solution.levels) < 3:
        return {}
    amounts = {
        "least_adjusted": evidence.amount(first.values),
        "reconciled": evidence.amount(values),
        "at_lowest": values["at_lowest"],
        "at_highest": values["at_highest"],
    }
    gross = evidence.gross(amounts["least_adjusted"])
    return {
        "reconciliation": _units(instance, evidence, amounts, gross),
        "reconciled_quantities": _quantities(instance, evidence, amounts, gross[0]),
        "reconciled_statements": _statements(instance, evidence, amounts, gross, solution.levels),
    }


def _units(
    instance: Instance, evidence: Evidence, amounts: dict[str, Floats], gross: tuple[Mask, Mask]
) -> pd.DataFrame:
    assert instance.quantities is not None
    count, absent = len(instance.units), np.isnan(evidence.reported)
    stated = numbers(instance.quantities, "substitute")
    table = instance.units[["unit_id", "sector", "province"]].copy()
    for name, unit, which in (
        ("quantities", evidence.unit, np.ones(len(absent), dtype=bool)),
        ("substituted", evidence.unit, absent),
        ("gross_reports", evidence.unit, gross[0]),
        ("statements", evidence.unit_of_statement, np.ones(len(evidence.value), dtype=bool)),
        ("gross_statements", evidence.unit_of_statement, gross[1]),
    ):
        table[name] = np.bincount(unit[which], minlength=count)
    for name, quantities in (
        ("reported", np.where(absent, 0.0, evidence.reported)),
        ("reconciled", amounts["reconciled"]),
        ("lowest", amounts["at_lowest"]),
        ("highest", amounts["at_highest"]),
        ("conservative", np.where(absent & ~np.isnan(stated), stated, amounts["reconciled"])),
    ):
        table[f"{name}_tco2e"] = evidence.emissions(quantities, count)
    return table


def _quantities(instance: Instance, evidence: Evidence, amounts: dict[str, Floats], gross: Mask) -> pd.DataFrame:
    quantities, reconciled = instance.quantities, amounts["reconciled"]
    assert quantities is not None
    table = quantities[["unit_id", "quantity_id"]].copy()
    with np.errstate(invalid="ignore"):
        same = np.abs(reconciled - evidence.reported) <= AS_REPORTED_RELATIVE * np.maximum(
            evidence.reported, reconciled
        )
    basis = np.where(np.isnan(evidence.reported), "substituted", np.where(same, "reported", "adjusted"))
    table["basis"] = basis.astype(object)
    table["gross_error"] = gross
    return table.assign(reported=evidence.reported, **amounts)


def _statements(
    instance: Instance, evidence: Evidence, amounts: dict[str, Floats], both: tuple[Mask, Mask], levels: Any
) -> pd.DataFrame:
    statements = instance.statements
    assert statements is not None
    gross, centred = both[1], arrays(evidence, both)["CENTRED"]
    table = statements[["unit_id", "statement_id", "kind"]].copy()
    table["gross_error"] = gross
    for name in ("least_adjusted", "reconciled"):
        table[f"{name}_excess"] = evidence.bound_violation(amounts[name]) / evidence.uncertainty
    multipliers = {level.name: level.multipliers for level in levels}
    table["adjustment_multiplier"] = multipliers["adjustment"]["within_range"]
    kept = np.flatnonzero(~gross)
    for name, level, row in (
        ("estimate", "estimate", "within_range"),
        ("lowest", "interval", "lowest_agrees"),
        ("highest", "interval", "highest_agrees"),
    ):
        # A gross error is in none of these programs.
        found = np.zeros(len(table))
        found[kept] = multipliers[level][row]
        table[f"{name}_multiplier"] = found
    of_values = np.zeros(len(table))
    of_values[kept[centred]] = multipliers["estimate"]["near_value"]
    table["value_multiplier"] = of_values
    return table
