"""Comparison of a result's claims about itself with the checker's verdict on its instance and tables."""

from __future__ import annotations

from dataclasses import asdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.checking.cells import misshapen
from etsopt.checking.theorem import INFEASIBLE, THEOREMS, default_gap
from etsopt.checking.tolerances import REAL_GAP_RELATIVE as REAL_GAP_RELATIVE
from etsopt.checking.tolerances import WHOLE_GAP_RELATIVE
from etsopt.checking.verdict import OF_PROGRAM, PROVEN, LevelCheck, Verdict, Violation
from etsopt.common.errors import DataError
from etsopt.common.language import _
from etsopt.common.units import tolerance_of
from etsopt.data.policy.parsing import parse_policy
from etsopt.modelling.solving.options import DEFAULT_GAP
from etsopt.rules import own_parameters
from etsopt.rules.bands import moved_by_bands
from etsopt.running.results.notices import Facts, facts_of
from etsopt.running.results.prices import has_price
from etsopt.running.results.results import TONNES, finite

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.running.results.results import LevelResult, Results

RESIDUES = ("misses_t", "distance_t")
"""Tonnes that are a residue of rounding, which may differ by half between machines."""

PROGRAM = "program_"
"""Beginning of the names of the tables that prove the program of a user's own model."""

PROGRAM_VALUES = f"{PROGRAM}values"
"""The one of the values of all variables."""

UNDER_BANDS = ("abatement", "allocation", "clearing", "investment")
"""Models whose allowances bands limit, so that they say what these move."""

COMPARED = ("model", "instance_hash", "policy", "own_parameters", "moved_by_band", *Facts._fields)
"""Words of a result beside its claims that are compared with the instance; `own_rule` is taken as given."""


def is_checked(results: Results) -> bool:
    """Return True if the checker has a theorem of the model that a result claims to be of; none of a user's own."""
    return results.provenance.model in THEOREMS


def is_program(results: Results) -> bool:
    """Return True if a result is one of a user's own model whose program was judged."""
    return not is_checked(results) and (PROGRAM_VALUES in results.tables or results.status in OF_PROGRAM)


def is_judged(results: Results) -> bool:
    """Return True if the checker judged a result, as one of a model that it knows or as a program."""
    return is_checked(results) or is_program(results)


def is_stopped(results: Results) -> bool:
    """Return True if a limit or a failure ended the solve, so that the result need not be proven."""
    return results.termination not in ("optimal", "infeasible")


def accepted_gap(results: Results) -> float:
    """Return the relative gap that a solve accepted."""
    asked = results.provenance.options.gap
    return gap_of_program(asked) if is_program(results) else asked


def gap_of_program(asked: float) -> float:
    """Return the relative gap to which a program of a user's own model is proven, by the gap of its solve.

    Nobody asked for the default of solves, so that of the checker counts instead.
    """
    return WHOLE_GAP_RELATIVE if asked == DEFAULT_GAP else asked


def violations_of(verdict: Verdict | None) -> tuple[dict[str, Any], ...]:
    """Return the violations in the form of a result."""
    return tuple(asdict(violation) for violation in verdict.violations) if verdict else ()


def check_claims(instance: Instance, results: Results, verdict: Verdict) -> list[Violation]:
    """Return the claims of a result about itself that do not hold.

    Parameters
    ----------
    verdict
        The checker's verdict on the tables of the result.
    """
    violations = [
        Violation("tables", f"tables/{name}", 1.0, "tables", _("a table that result.json lists is missing"))
        for name in results.stated_tables or ()
        if name not in results.tables
    ]
    violations += _words(instance, results)
    if not verdict.theorem:
        # For a user's own model the solver's termination is accepted, and no proof may be claimed but of its program.
        if results.status in PROVEN and results.status not in OF_PROGRAM:
            text = _("{claimed} is claimed, but the checker does not know the model", claimed=results.status)
            violations.append(_claim("status", text))
        return violations
    if misshapen(results.tables):
        # The verdict names such columns, from which nothing follows.
        return violations
    if results.violations and not verdict.violations:
        text = _("the run states violations, and none is found")
        violations.append(_claim("violations", text, by=float(len(results.violations))))
    claimed = results.provenance.model
    if verdict.of_program and claimed != verdict.theorem:
        text = _("{claimed} is claimed, but {model} is named", claimed=claimed, model=verdict.theorem)
        violations.append(_claim("model", text))
    status = verdict.status
    if results.status != status:
        text = _("{claimed} is claimed, but {recomputed} is recomputed", claimed=results.status, recomputed=status)
        asked = results.provenance.options.gap
        if status == "feasible" and results.status in PROVEN and asked > default_gap(claimed):
            text = _(
                "{text}; the solve accepted a gap of {gap:g}, and the check does with --gap {gap:g}",
                text=text,
                gap=asked,
            )
        violations.append(_claim("status", text))
    recomputed = _("{claimed} is claimed, but status {status} is recomputed")
    if results.certified is not (status in PROVEN):
        violations.append(_claim("certified", _(recomputed, claimed=results.certified, status=status)))
    if status != "refused" and (results.termination == "infeasible") is not status.startswith("infeasible"):
        violations.append(_claim("termination", _(recomputed, claimed=results.termination, status=status)))
    violations += _tonnes(results, verdict) + _relaxed_limits(results) + _levels(results, verdict)
    return violations + _prices(results)


def check_instance(instance: Instance, results: Results) -> list[Violation]:
    """Check that the instance is the one that was solved."""
    if instance.hash == results.provenance.instance_hash:
        return []
    return [_claim("instance_hash", _("another was solved: its hash differs"))]


def _words(instance: Instance, results: Results) -> list[Violation]:
    """Check the policy that a result states, and the parameters that it lists as the user's own."""
    stated = results.provenance
    violations = []
    if _as_policy(stated.policy) != instance.policy.model_dump(mode="json", exclude_none=True):
        violations.append(_claim("policy", _("the policy is that of the instance")))
    if stated.own_parameters != own_parameters(instance):
        violations.append(_claim("own_parameters", _("the user's own parameters are those that the policy changes")))
    facts = facts_of(instance, stated.model)
    violations += [
        _claim(name, _("what notices say follows from the instance"))
        for name in Facts._fields
        if getattr(stated, name) != getattr(facts, name)
    ]
    moved = stated.moved_by_band
    if (moved is not None or stated.model in UNDER_BANDS) and (moved or []) != moved_by_bands(instance):
        violations.append(_claim("moved_by_band", _("the tonnes that bands move are those of the instance")))
    return violations


def unchecked_words(results: Results) -> list[str]:
    """Return the words of a result beside its tables and claims that nothing confirms, such as its method."""
    words = [name for name in results.provenance.as_json() if name not in COMPARED]
    return [*words, *(["levels: algorithm"] if results.levels else [])]


def _as_policy(stated: dict[str, Any]) -> dict[str, Any] | None:
    """Return a stated policy, with the default of every key that it does not have; None if it is none."""
    try:
        return parse_policy(stated, _("policy")).model_dump(mode="json", exclude_none=True)
    except DataError:
        return None


def _claim(where: str, message: str, rule: str = "claim", by: float = 1.0, unit: str = "claims") -> Violation:
    return Violation(rule, where, by, unit, message)


def _distance(stated: float, recomputed: float) -> float:
    """Return the distance of two numbers; zero if both are the same infinity."""
    return 0.0 if stated == recomputed else abs(stated - recomputed)


def _tonnes(results: Results, verdict: Verdict) -> list[Violation]:
    """Check the claims in tonnes: infeasibility, rounding, violation of limits, distance."""
    violations = []
    for name in TONNES:
        stated, recomputed = getattr(results, name), getattr(verdict, name)
        if name in RESIDUES and stated is None and recomputed is not None:
            text = _("{recomputed:.12g} is recomputed, and nothing is stated", recomputed=recomputed)
            violations.append(_claim(name, text, unit="t"))
        stated, recomputed = stated or 0.0, recomputed or 0.0
        if name == "infeasible_by_t" and verdict.tolerated:
            recomputed = 0.0  # What an answer may miss proves no infeasibility, so none is stated.
        by = _distance(stated, recomputed)
        size = 1e-6 + recomputed / 2 if name in RESIDUES else tolerance_of(recomputed, "t")
        if not by <= size:
            text = _("{recomputed:.12g} is recomputed", recomputed=recomputed)
            violations.append(_claim(name, text, by=by, unit="t"))
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
    text = _("the lines of the table relaxed_limits total {total:.12g} t", total=total)
    return [_claim(INFEASIBLE, text, "level_is_kept", by, "t")]


def _levels(results: Results, verdict: Verdict) -> list[Violation]:
    """Check bound, gap, unit and certificate of every objective; the checker itself checks its value."""
    known, violations = {level.name: level for level in verdict.levels if level.known}, []
    for level in results.levels:
        check = known.get(level.name)
        if check is None and verdict.infeasible_by_t is not None:
            # The checker proves a lower bound of the relaxation in tonnes; a value equal to it is the least.
            check = _least(level, verdict.infeasible_by_t)
        if check is None:
            if level.certified:
                text = _("the objective is claimed to be certified, but not recomputable")
                violations.append(_claim(level.name, text))
            continue
        for part in ("bound", "gap"):
            recomputed = getattr(check, part)
            by = _distance(getattr(level, part), recomputed)
            if not by <= check.tolerance + tolerance_of(check.value, check.unit):
                text = _("the recomputed {part} is {recomputed:.12g}", part=part, recomputed=recomputed)
                violations.append(_claim(f"{level.name}, {part}", text, by=by, unit=check.unit))
        spent = check.spending or 0.0
        if level.spending is not None and not abs(level.spending - spent) <= tolerance_of(spent, check.unit):
            text = _("the recomputed {part} is {recomputed:.12g}", part="spending", recomputed=spent)
            violations.append(_claim(f"{level.name}, spending", text))
        for part in ("unit", "certified"):
            if getattr(level, part) != getattr(check, part):
                parts = {"claimed": getattr(level, part), "recomputed": getattr(check, part)}
                text = _("{claimed} is claimed, but {recomputed} is recomputed", **parts)
                violations.append(_claim(f"{level.name}, {part}", text))
    return violations


def _least(level: LevelResult, proven_t: float) -> LevelCheck:
    # The solver's value and the proven bound differ by the rounding of either.
    gap = abs(level.value - proven_t)
    return LevelCheck(level.name, "t", level.value, proven_t, gap, tolerance_of(level.value, "t"))


def _prices(results: Results) -> list[Violation]:
    if results.stated_prices is None or ("years" in results.tables and not has_price(results.tables)):
        # Earlier versions stated a price of a market whose balance values do not repeat.
        return []
    pairs = zip_longest(results.stated_prices, finite(results.prices.to_dict("records")))
    wrong = sum(stated != recomputed for stated, recomputed in pairs)
    if not wrong:
        return []
    return [_claim("prices", _("the prices are the multipliers of the table of duals"), by=float(wrong), unit="prices")]
