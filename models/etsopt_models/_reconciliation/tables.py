"""Result tables of a reconciliation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.evidence import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._reconciliation.evidence import Evidence

    Floats = NDArray[np.float64]

SAME = 1e-9
"""Relative difference up to which a quantity counts as it was reported."""


def reconciled_tables(instance: Instance, evidence: Evidence, solution: Any) -> dict[str, pd.DataFrame]:
    """Return the tables of a solution.

    Returns
    -------
    dict
        ``reconciliation``: emissions of each unit as reported, reconciled, at both ends of the interval, and with
        conservative substitutes [tCO2e], with counts. ``reconciled_quantities``: each quantity as reported, at the least
        adjustment, reconciled, and at both ends. ``reconciled_statements``: the distance of each from its range, gross
        errors, and the multipliers that prove the objectives. Without a finished second program: no tables.
    """
    first, values = solution.before, solution.values
    if first is None or len(solution.levels) < 3:
        return {}
    amounts = {
        "least_adjusted": first.values["amount"],
        "reconciled": values["amount"],
        "at_lowest": values["at_lowest"],
        "at_highest": values["at_highest"],
    }
    gross = evidence.gross(amounts["least_adjusted"])
    return {
        "reconciliation": _units(instance, evidence, amounts, gross),
        "reconciled_quantities": _quantities(instance, evidence, amounts),
        "reconciled_statements": _statements(instance, evidence, amounts, gross, solution.levels),
    }


def _units(
    instance: Instance, evidence: Evidence, amounts: dict[str, Floats], gross: NDArray[np.bool_]
) -> pd.DataFrame:
    count = len(instance.units)
    absent = np.isnan(evidence.reported)
    substituted = np.where(absent & ~np.isnan(evidence.substitute), evidence.substitute, amounts["reconciled"])
    table = instance.units[["unit_id", "sector", "province"]].copy()
    table["quantities"] = np.bincount(evidence.unit, minlength=count).astype(float)
    table["substituted"] = np.bincount(evidence.unit, absent, count)
    table["statements"] = np.bincount(evidence.unit_of_statement, minlength=count).astype(float)
    table["gross_errors"] = np.bincount(evidence.unit_of_statement, gross, count)
    for name, quantities in (
        ("reported", np.where(absent, 0.0, evidence.reported)),
        ("reconciled", amounts["reconciled"]),
        ("lowest", amounts["at_lowest"]),
        ("highest", amounts["at_highest"]),
        ("conservative", substituted),
    ):
        table[f"{name}_tco2e"] = evidence.emissions(quantities, count)
    return table


def _quantities(instance: Instance, evidence: Evidence, amounts: dict[str, Floats]) -> pd.DataFrame:
    quantities, reconciled = instance.quantities, amounts["reconciled"]
    assert quantities is not None
    table = quantities[["unit_id", "quantity_id"]].copy()
    size = np.maximum(np.abs(evidence.reported), np.abs(reconciled))
    basis = np.where(np.abs(reconciled - evidence.reported) <= SAME * size, "reported", "adjusted")
    table["basis"] = np.where(np.isnan(evidence.reported), "substituted", basis).astype(object)
    return table.assign(reported=evidence.reported, substitute=numbers(quantities, "substitute"), **amounts)


def _statements(
    instance: Instance, evidence: Evidence, amounts: dict[str, Floats], gross: NDArray[np.bool_], levels: Any
) -> pd.DataFrame:
    statements = instance.statements
    assert statements is not None
    table = statements[["unit_id", "statement_id", "kind"]].copy()
    for name in ("least_adjusted", "reconciled"):
        table[f"{name}_excess"] = evidence.beyond(amounts[name]) / evidence.uncertainty
    table["gross_error"] = gross
    multipliers = {level.name: level.multipliers for level in levels}
    table["adjustment_multiplier"] = multipliers["adjustment"]["statement_holds"]
    for name, level, row in (
        ("estimate", "estimate", "statement_holds"),
        ("lowest", "interval", "lowest_agrees"),
        ("highest", "interval", "highest_agrees"),
    ):
        # A gross error is in none of these programs.
        found = np.zeros(len(table))
        found[~gross] = multipliers[level][row]
        table[f"{name}_multiplier"] = found
    return table
