"""Comparison of a result's claims about itself with the checker's recomputation from its instance and tables."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.checking.checker import INFEASIBLE, KINDS, MAIN
from etsopt.checking.report import CheckReport, LevelCheck, Violation
from etsopt.results.results import TONNES, finite
from etsopt.rules import own_parameters
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.results.results import LevelResult, Results

RESIDUES = ("misses_t", "distance_t")
"""Tonnes that are a residue of rounding, which may differ by half between machines."""

PROVEN = ("certified_optimal", "certified_gap", "certified_rounded", "infeasible_certified")


def is_checked(results: Results) -> bool:
    """Return True if the checker knows the model; claims of a user's own model cannot be checked."""
    return bool(results.provenance.get("checked", True))


def is_stopped(results: Results) -> bool:
    """Return True if a limit or a failure ended the solve, so that the result need not be proven."""
    return results.termination not in ("optimal", "infeasible")


def status_of(results: Results, report: CheckReport) -> str:
    """Return the status that the recomputed report allows, if the checker knows the model."""
    if report.violations:
        return "refused"
    if MAIN[results.provenance.get("checked_as") or KINDS[0]] not in results.tables:
        if is_stopped(results) and not results.tables:
            return "none"
        return "infeasible_certified" if report.certified else "infeasible_unproven"
    # A calculation has nothing to optimise; a program without objectives has nothing proven.
    calculated = bool(results.provenance.get("calculated")) and not results.levels
    if not (report.certified or (calculated and not report.unproven)) or results.termination != "optimal":
        return "feasible"
    return "certified_optimal" if calculated else report.proves


def check_claims(results: Results, report: CheckReport) -> list[Violation]:
    """Return the claims of a result about itself that do not hold.

    Parameters
    ----------
    report
        The checker's report on the tables of the result.
    """
    violations = [
        Violation("tables", f"tables/{name}", 1.0, "tables", "a table that result.json lists is missing")
        for name in results.stated_tables or ()
        if name not in results.tables
    ]
    if not is_checked(results):
        # For a user's own model the solver's termination is accepted, and no proof may be claimed.
        if results.status in PROVEN or results.certified:
            violations.append(_claim("status", f"{results.status} is claimed, but the checker does not know the model"))
        return violations
    status = status_of(results, report)
    if results.status != status:
        violations.append(_claim("status", f"{results.status} is claimed, but {status} is recomputed"))
    if results.certified is not (status in PROVEN):
        violations.append(_claim("certified", f"{results.certified} is claimed, but status {status} is recomputed"))
    if status != "refused" and (results.termination == "infeasible") is not status.startswith("infeasible"):
        violations.append(_claim("termination", f"{results.termination} is claimed, but status {status} is recomputed"))
    violations += _tonnes(results, report) + _relaxed_limits(results) + _levels(results, report)
    return violations + _prices(results)


def check_parameters(instance: Instance, results: Results) -> list[Violation]:
    """Check that the parameters that a result lists as the user's own are those that its policy changes."""
    if results.provenance.get("own_parameters") == own_parameters(instance):
        return []
    return [_claim("own_parameters", "the user's own parameters are those that the policy changes")]


def _claim(where: str, message: str, rule: str = "claim", by: float = 1.0, unit: str = "claims") -> Violation:
    return Violation(rule, where, by, unit, message)


def _distance(stated: float, recomputed: float) -> float:
    """Return the distance of two numbers; zero if both are the same infinity."""
    return 0.0 if stated == recomputed else abs(stated - recomputed)


def _tonnes(results: Results, report: CheckReport) -> list[Violation]:
    """Check the claims in tonnes: infeasibility, rounding, violation of limits, distance."""
    violations = []
    for name in TONNES:
        stated, recomputed = getattr(results, name), getattr(report, name)
        if name in RESIDUES and stated is None and recomputed is not None:
            violations.append(_claim(name, f"{recomputed:.12g} is recomputed, and nothing is stated", unit="t"))
        stated, recomputed = stated or 0.0, recomputed or 0.0
        if name == "infeasible_by_t" and report.tolerated:
            recomputed = 0.0  # What an answer may miss proves no infeasibility, so none is stated.
        by = _distance(stated, recomputed)
        size = 1e-6 + recomputed / 2 if name in RESIDUES else tolerance_of(recomputed, "t")
        if not by <= size:
            violations.append(_claim(name, f"{recomputed:.12g} is recomputed", by=by, unit="t"))
    return violations


def _relaxed_limits(results: Results) -> list[Violation]:
    """Check that the objective of the elastic program is the total of its table of relaxed limits."""
    table = results.tables.get("relaxed_limits")
    stated = [level.value for level in results.levels if level.name == INFEASIBLE]
    if table is None or not {"way_out", "by"} <= set(table) or not stated:
        return []
    lines = table.loc[table["way_out"] == INFEASIBLE, "by"]
    total = float(pd.to_numeric(lines, errors="coerce").sum())
    # Limits that are relaxed by a kilogram or less have no line.
    by, size = abs(total - stated[0]), 2e-2 + 1e-6 * abs(stated[0])
    if by <= size:
        return []
    return [_claim(INFEASIBLE, f"the lines of the table relaxed_limits total {total:.12g} t", "level_is_kept", by, "t")]


def _levels(results: Results, report: CheckReport) -> list[Violation]:
    """Check bound, gap, unit and certificate of every objective; the checker itself checks its value."""
    if report.infeasible_by_t is None:
        known = {level.name: level for level in report.levels}
    else:
        # The checker proves a lower bound of the relaxation in tonnes; a value equal to it is the least.
        known = {level.name: _least(level, report.infeasible_by_t) for level in results.levels}
    violations = []
    for level in results.levels:
        check = known.get(level.name)
        if check is None:
            if level.certified:
                violations.append(_claim(level.name, "the objective is claimed to be certified, but not recomputable"))
            continue
        for part in ("bound", "gap"):
            recomputed = getattr(check, part)
            by = _distance(getattr(level, part), recomputed)
            if not by <= check.tolerance + tolerance_of(check.value, check.unit):
                message = f"the recomputed {part} is {recomputed:.12g}"
                violations.append(_claim(f"{level.name}, {part}", message, by=by, unit=check.unit))
        for part in ("unit", "certified"):
            if getattr(level, part) != getattr(check, part):
                message = f"{getattr(level, part)} is claimed, but {getattr(check, part)} is recomputed"
                violations.append(_claim(f"{level.name}, {part}", message))
    return violations


def _least(level: LevelResult, proven_t: float) -> LevelCheck:
    # The solver's value and the proven bound differ by the rounding of either.
    gap = abs(level.value - proven_t)
    return LevelCheck(level.name, "t", level.value, proven_t, gap, tolerance_of(level.value, "t"))


def _prices(results: Results) -> list[Violation]:
    if results.stated_prices is None:
        return []
    pairs = zip_longest(results.stated_prices, finite(results.prices.to_dict("records")))
    wrong = sum(stated != recomputed for stated, recomputed in pairs)
    if not wrong:
        return []
    return [_claim("prices", "the prices are the multipliers of the table of duals", by=float(wrong), unit="prices")]
