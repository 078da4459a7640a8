"""Check the tables of a reconciliation against the instance: evidence, gross errors, sums, and bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.cells import above, are_whole, distance, rows_are
from etsopt.checking.reconciliation import bounds
from etsopt.checking.reconciliation.evidence import Evidence, read_evidence
from etsopt.checking.theorem import OWN_STAGE, OWN_TABLES
from etsopt.checking.tolerances import (
    ADJUSTMENT_TOLERANCE,
    AS_REPORTED_OPEN_SHARE,
    AS_REPORTED_RELATIVE,
    EVIDENCE_MISS_RELATIVE,
    TOTAL_TOLERANCE_T,
    UNCERTAINTY_MARGIN_RELATIVE,
)
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.common.language import _
from etsopt.common.units import RELATIVE_TOLERANCE, tolerance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs

LEVELS = dict(zip(OWN_STAGE["reconciliation"], ("1", "1", "t"), strict=True))
AMOUNTS = ("least_adjusted", "reconciled", "at_lowest", "at_highest")
MULTIPLIERS = tuple(f"{name}_multiplier" for name in ("adjustment", "estimate", "value", "lowest", "highest"))
ENDS = ("reported", "reconciled", "lowest", "highest", "conservative")


def check(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame]) -> Verdict:
    """Check the tables of a reconciliation against the instance.

    Returns
    -------
    Verdict
        Violations, and every objective with its bound.
    """
    rows = (
        ("reconciliation", instance.units, ("unit_id", "sector", "province")),
        ("reconciled_quantities", instance.quantities, ("unit_id", "quantity_id")),
        ("reconciled_statements", instance.statements, ("unit_id", "statement_id", "kind")),
    )
    violations = are_whole(tables, OWN_TABLES["reconciliation"]) or [
        violation
        for name, own, keys in rows
        for violation in rows_are(name, tables[name], {key: [None] if own is None else own[key] for key in keys})
    ]
    if violations:
        return Verdict(tuple(violations), ())
    evidence = read_evidence(instance)
    quantities, statements = tables["reconciled_quantities"], tables["reconciled_statements"]
    amounts = {name: quantities[name].to_numpy(dtype=float) for name in AMOUNTS}
    gross = quantities["gross_error"].to_numpy(dtype=bool), statements["gross_error"].to_numpy(dtype=bool)
    violations = [
        *_gross_errors(evidence, instance, amounts["least_adjusted"], gross),
        *_quantities(evidence, quantities),
        *_excesses(evidence, statements, amounts),
        *_no_multipliers(statements, gross[1]),
        *_units(instance, evidence, tables["reconciliation"], amounts, gross),
        *_agreement(evidence, instance, amounts, gross),
    ]
    return Verdict(tuple(violations), tuple(_levels(evidence, amounts, gross, statements)))


def _names(table: pd.DataFrame | None, column: str) -> NDArray[np.object_]:
    assert table is not None
    return np.asarray((table["unit_id"] + " " + table[column]).to_numpy(dtype=object))


def _above(
    rule: str, names: NDArray[np.object_], off: Floats, message: str, unit: str, at_most: Floats | float = 0.0
) -> list[Violation]:
    """Return a violation for every amount above what it may be, the largest first; NaN is above everything."""
    excess = np.where(np.isnan(off), np.inf, np.abs(off)) - at_most
    return above(rule, names, np.maximum(excess, 0.0), 0.0, unit, message)


def _gross_errors(
    evidence: Evidence, instance: InstanceInputs, amount: Floats, gross: tuple[Mask, Mask]
) -> Iterator[Violation]:
    """Yield reports and statements that are marked as gross errors and are none, or the reverse."""
    reported = evidence.quantities["reported"].to_numpy()
    # A quantity without a report is nowhere beyond its uncertainty.
    off = np.nan_to_num((amount - reported) / evidence.quantities["uncertainty"].to_numpy())
    outside = evidence.outside(amount) / evidence.statements["uncertainty"].to_numpy()
    for away, marked, table, column in (
        (np.abs(off), gross[0], instance.quantities, "quantity_id"),
        (np.abs(outside), gross[1], instance.statements, "statement_id"),
    ):
        beyond = away - (1 + UNCERTAINTY_MARGIN_RELATIVE)
        # Rounding leaves open on which side of the limit a distance at it is.
        wrong = np.where(marked, -beyond, beyond) > RELATIVE_TOLERANCE
        message = _("a gross error is what the least adjustment moves by more than the uncertainty")
        yield from _above("gross_errors", _names(table, column), wrong.astype(float), message, "rows")


def _quantities(evidence: Evidence, table: pd.DataFrame) -> Iterator[Violation]:
    """Yield quantities whose report, basis or range is not that of the instance."""
    names = _names(table, "quantity_id")
    reported, most = evidence.quantities["reported"].to_numpy(), evidence.quantities["most"].to_numpy()
    differs = distance(table["reported"], reported)
    yield from _above("same_reports", names, differs, _("the report is that of the instance"), "")
    for name in AMOUNTS:
        amount = table[name].to_numpy(dtype=float)
        beyond = np.maximum(amount - most, -amount)
        message = _("{column} is between zero and the largest possible quantity", column=name)
        yield from _above("possible", names, np.maximum(beyond, 0.0), message, "", EVIDENCE_MISS_RELATIVE * most)
    reconciled, basis = table["reconciled"].to_numpy(dtype=float), table["basis"].to_numpy()
    size = AS_REPORTED_RELATIVE * reported
    away = np.abs(reconciled - reported)
    # Rounding leaves open on which side of the limit a distance at it is.
    right = {
        "substituted": np.isnan(reported),
        "reported": away <= (1 + AS_REPORTED_OPEN_SHARE) * size,
        "adjusted": away > (1 - AS_REPORTED_OPEN_SHARE) * size,
    }
    wrong = ~np.any([is_right & (basis == word) for word, is_right in right.items()], axis=0)
    message = _("the basis tells whether the quantity is as reported, adjusted, or substituted")
    yield from _above("basis", names, wrong.astype(float), message, "rows")


def _excesses(evidence: Evidence, table: pd.DataFrame, amounts: Mapping[str, Floats]) -> Iterator[Violation]:
    uncertainty = evidence.statements["uncertainty"].to_numpy()
    for name in ("least_adjusted", "reconciled"):
        off = table[f"{name}_excess"].to_numpy(dtype=float) - evidence.outside(amounts[name]) / uncertainty
        rounding = EVIDENCE_MISS_RELATIVE * evidence.reach / uncertainty
        message = _("the excess is the distance of the sum from its range, in uncertainties")
        yield from _above("excess", _names(table, "statement_id"), off, message, "", rounding + RELATIVE_TOLERANCE)


def _no_multipliers(table: pd.DataFrame, gross: Mask) -> Iterator[Violation]:
    """Yield gross errors with a multiplier of a program in which they are not."""
    for name in MULTIPLIERS[1:]:
        off = np.where(gross, table[name].to_numpy(dtype=float), 0.0)
        message = _("a gross error has no {multiplier}", multiplier=name)
        yield from _above("multipliers", _names(table, "statement_id"), off, message, "")


def _units(
    instance: InstanceInputs,
    evidence: Evidence,
    table: pd.DataFrame,
    amounts: Mapping[str, Floats],
    gross: tuple[Mask, Mask],
) -> Iterator[Violation]:
    """Yield units whose counts or emissions are not those of their quantities and statements."""
    count, names = len(instance.units), instance.units["unit_id"].to_numpy()
    quantities, unit = evidence.quantities, evidence.quantities["unit"].to_numpy()
    of_statement, absent = evidence.statements["unit"].to_numpy(), quantities["reported"].isna().to_numpy()
    counted = {
        "quantities": np.bincount(unit, minlength=count),
        "substituted": np.bincount(unit, absent, count),
        "gross_reports": np.bincount(unit, gross[0], count),
        "statements": np.bincount(of_statement, minlength=count),
        "gross_statements": np.bincount(of_statement, gross[1], count),
    }
    for name, expected in counted.items():
        off = table[name].to_numpy(dtype=float) - expected
        yield from _above("counts", names, off, _("{column} counts those of the unit", column=name), "rows")
    substitute = quantities["substitute"].to_numpy()
    conservative = np.where(absent & ~np.isnan(substitute), substitute, amounts["reconciled"])
    reported = quantities["reported"].fillna(0.0).to_numpy()
    of_end = (reported, amounts["reconciled"], amounts["at_lowest"], amounts["at_highest"], conservative)
    for name, amount in zip(ENDS, of_end, strict=True):
        parts = quantities["factor"].to_numpy() * amount
        column = f"{name}_tco2e"
        off = table[column].to_numpy(dtype=float) - np.bincount(unit, parts, count)
        size: Floats = np.bincount(unit, np.abs(parts), count).astype(float)
        tolerance = TOTAL_TOLERANCE_T + RELATIVE_TOLERANCE * size
        message = _("{column} is the sum over its quantities", column=column)
        yield from _above("emissions", names, off, message, "t", tolerance)


def _agreement(
    evidence: Evidence, instance: InstanceInputs, amounts: Mapping[str, Floats], gross: tuple[Mask, Mask]
) -> Iterator[Violation]:
    """Yield quantities and sums that are not within the uncertainty of a report or statement without a gross error."""
    kept = evidence.only(~gross[1])
    (least, largest), (lower, upper) = bounds.limits(kept, _counts(evidence, gross[0]))
    names = _names(instance.quantities, "quantity_id"), _names(instance.statements, "statement_id")[~gross[1]]
    room = EVIDENCE_MISS_RELATIVE * evidence.quantities["most"].to_numpy(), EVIDENCE_MISS_RELATIVE * kept.reach
    slack = UNCERTAINTY_MARGIN_RELATIVE * kept.statements["uncertainty"].to_numpy()
    for name in AMOUNTS[1:]:
        amount = amounts[name]
        total = kept.sums(amount)[0]
        off = np.maximum(np.maximum(least - amount, amount - largest), 0.0)
        yield from _above("agrees", names[0], off, _("{column} agrees with the report", column=name), "", room[0])
        off = np.maximum(np.maximum(lower - total, total - upper), 0.0)
        message = _("{column} agrees with the statement", column=name)
        yield from _above("agrees", names[1], off, message, "", room[1] + slack)


def _counts(evidence: Evidence, gross: Mask) -> Mask:
    """Return True for quantities whose report counts."""
    return np.asarray(evidence.quantities["reported"].notna().to_numpy() & ~gross)


def _levels(
    evidence: Evidence, amounts: Mapping[str, Floats], gross: tuple[Mask, Mask], table: pd.DataFrame
) -> Iterator[LevelCheck]:
    """Yield the value of each objective in the tables, with a bound from the stated multipliers."""
    nothing = np.zeros(len(table))
    multiplier = {name: table[name].to_numpy(dtype=float) for name in MULTIPLIERS}
    first = bounds.adjustment(
        evidence,
        amounts["least_adjusted"],
        evidence.quantities["reported"].notna().to_numpy(),
        None,
        (multiplier["adjustment_multiplier"], nothing),
    )
    kept, is_kept, counts = evidence.only(~gross[1]), ~gross[1], _counts(evidence, gross[0])
    second = bounds.adjustment(
        kept,
        amounts["reconciled"],
        counts,
        bounds.centred(kept, counts),
        (multiplier["estimate_multiplier"][is_kept], multiplier["value_multiplier"][is_kept]),
    )
    factor = evidence.quantities["factor"].to_numpy()
    ends = [
        bounds.end_of_interval(kept, amounts[name], counts, sign * factor, multiplier[dual][is_kept])
        for name, sign, dual in (("at_lowest", 1, "lowest_multiplier"), ("at_highest", -1, "highest_multiplier"))
    ]
    for name, (value, gap) in zip(LEVELS, (first, second, tuple(map(sum, zip(*ends, strict=True)))), strict=True):
        tolerance = tolerance_of(value, LEVELS[name])
        tolerance = max(tolerance, ADJUSTMENT_TOLERANCE) if LEVELS[name] == "1" else tolerance
        yield LevelCheck(name, LEVELS[name], value, value - gap, gap, tolerance)
