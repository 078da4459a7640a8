"""Result tables of a reconciliation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.evidence import numbers
from etsopt_models._reconciliation.evidence import arrays
from etsopt_models._tolerances import AS_REPORTED_RELATIVE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._reconciliation.evidence import Evidence

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]


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
