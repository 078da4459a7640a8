"""What a result states of itself, compared with what was recomputed from its instance and tables."""

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

NOT_ALWAYS_STATED = ("misses_t", "distance_t")
"""Tonnes that a run does not state which was saved before they were told."""

PROVEN = ("certified_optimal", "certified_gap", "certified_rounded", "infeasible_certified")


def is_checked(results: Results) -> bool:
    """Whether the checker knows the model; what a user's own claims is unknown."""
    return bool(results.provenance.get("checked", True))


def is_stopped(results: Results) -> bool:
    """Whether a limit or a failure ended the solve, so that the result need not be proven."""
    return results.termination not in ("optimal", "infeasible")


def status_of(results: Results, report: CheckReport) -> str:
    """The status that the recomputed report allows, where the checker knows the model."""
    if report.violations:
        return "refused"
    if MAIN[results.provenance.get("checked_as") or KINDS[0]] not in results.tables:
        if is_stopped(results) and not results.tables:
            return "none"
        return "infeasible_certified" if report.certified else "infeasible_unproven"
    # A calculation has nothing to optimise; of a program without levels nothing is proven.
    calculated = bool(results.provenance.get("calculated")) and not results.levels
    if not (report.certified or (calculated and not report.unproven)) or results.termination != "optimal":
        return "feasible"
    return "certified_optimal" if calculated else report.proves


def check_claims(results: Results, report: CheckReport) -> list[Violation]:
    """Statements of a result about itself that do not hold.

    Parameters
    ----------
    report
        What the checker found in the tables of the result.
    """
    found = [
        Violation("tables", f"tables/{name}", 1.0, "tables", "a table that result.json lists is not there")
        for name in results.stated_tables or ()
        if name not in results.tables
    ]
    if not is_checked(results):
        # Infeasibility and the like of a user's own model are the solver's word; only a proof cannot be claimed.
        if results.status in PROVEN or results.certified:
            found.append(_claim("status", f"{results.status} is claimed, but the checker does not know the model"))
        return found
    status = status_of(results, report)
    if results.status != status:
        found.append(_claim("status", f"{results.status} is claimed, and recomputed it is {status}"))
    if results.certified is not (status in PROVEN):
        found.append(_claim("certified", f"{results.certified} is claimed, and the status recomputed is {status}"))
    if status != "refused" and (results.termination == "infeasible") is not status.startswith("infeasible"):
        found.append(_claim("termination", f"{results.termination} is claimed, and the status recomputed is {status}"))
    return found + _tonnes(results, report) + _relief(results) + _levels(results, report) + _prices(results)


def check_parameters(instance: Instance, results: Results) -> list[Violation]:
    """The parameters that a result calls the user's own are those that its policy states differently.

    A result that is silent on them was saved before they were told.
    """
    own = own_parameters(instance)
    if results.provenance.get("own_parameters", own) == own:
        return []
    return [_claim("own_parameters", "the parameters of the user's own are those that the policy states differently")]


def _claim(where: str, message: str, rule: str = "claim", by: float = 1.0, unit: str = "claims") -> Violation:
    return Violation(rule, where, by, unit, message)


def _distance(stated: float, recomputed: float) -> float:
    """How far two numbers are apart; nothing where both are the same infinity."""
    return 0.0 if stated == recomputed else abs(stated - recomputed)


def _tonnes(results: Results, report: CheckReport) -> list[Violation]:
    """What lacks where nothing is feasible, and by how much allowances were rounded."""
    found = []
    for name in TONNES:
        if name in NOT_ALWAYS_STATED and getattr(results, name) is None:
            continue
        stated, recomputed = getattr(results, name) or 0.0, getattr(report, name) or 0.0
        by = _distance(stated, recomputed)
        # Of what is left by rounding alone, another machine may find another half.
        size = tolerance_of(recomputed, "t") if name not in NOT_ALWAYS_STATED else 1e-6 + recomputed / 2
        if not by <= size:
            found.append(_claim(name, f"recomputed it is {recomputed:.12g}", by=by, unit="t"))
    return found


def _relief(results: Results) -> list[Violation]:
    """The level of what gives way is what the limits of its table give way in all."""
    table = results.tables.get("relaxed_limits")
    stated = [level.value for level in results.levels if level.name == INFEASIBLE]
    if table is None or not {"way_out", "by"} <= set(table) or not stated:
        return []
    lines = table.loc[table["way_out"] == INFEASIBLE, "by"]
    total = float(pd.to_numeric(lines, errors="coerce").sum())
    # Limits that give way by a kilogram or less have no line.
    by, size = abs(total - stated[0]), 2e-2 + 1e-6 * abs(stated[0])
    if by <= size:
        return []
    return [_claim(INFEASIBLE, f"the lines of the table relief come to {total:.12g} t", "level_is_kept", by, "t")]


def _levels(results: Results, report: CheckReport) -> list[Violation]:
    """Bound, gap, unit and certificate of every level; its value is among the checker's own statements."""
    if report.infeasible_by_t is None:
        known = {level.name: level for level in report.levels}
    else:
        # The checker proves how many tonnes give way, at least; a value as large as that is the least.
        known = {level.name: _least(level, report.infeasible_by_t) for level in results.levels}
    found = []
    for level in results.levels:
        again = known.get(level.name)
        if again is None:
            if level.certified:
                found.append(_claim(level.name, "the level is claimed to be certified, and it cannot be recomputed"))
            continue
        for part in ("bound", "gap"):
            recomputed = getattr(again, part)
            by = _distance(getattr(level, part), recomputed)
            if not by <= again.tolerance + tolerance_of(again.value, again.unit):
                message = f"the {part} recomputed is {recomputed:.12g}"
                found.append(_claim(f"{level.name}, {part}", message, by=by, unit=again.unit))
        for part in ("unit", "certified"):
            if getattr(level, part) != getattr(again, part):
                message = f"{getattr(level, part)} is claimed, and recomputed it is {getattr(again, part)}"
                found.append(_claim(f"{level.name}, {part}", message))
    return found


def _least(level: LevelResult, proven_t: float) -> LevelCheck:
    # The solver's value and what is proven differ by the rounding of either.
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
