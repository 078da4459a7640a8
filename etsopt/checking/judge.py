"""Judge an answer to a question, without Pyomo or any model: one entry for every theorem."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation import rounding, statements, totals
from etsopt.checking.allocation.claim import Claim
from etsopt.checking.allocation.duals import read_duals
from etsopt.checking.allocation.exceptions import exceptional_units
from etsopt.checking.allocation.fairness import fairness_is_stated
from etsopt.checking.allocation.infeasibility import multipliers_are_within_one, proven_infeasibility
from etsopt.checking.allocation.levels import check_levels
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.relaxed_limits import check_relaxed_limits
from etsopt.checking.cells import typed_columns
from etsopt.checking.readings.instance_inputs import InstanceInputs, by_year
from etsopt.checking.readings.targets import fixed_at_emissions
from etsopt.checking.theorem import COST, INFEASIBLE, MAIN, ROUNDING, UNMET, default_gap, theorem_of
from etsopt.checking.tolerances import REAL_GAP_RELATIVE
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.common.language import _
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.theorem import Theorem
    from etsopt.checking.verdict import Answer, LevelStated, Question

TABLES = ("allocation", "enterprises", "sectors", "provinces")

PREREQUISITES = ("tables", "same_units")
"""Rules whose violation ends the check."""

AT_PRICES = ("abatement", "equilibrium")
"""Models in which enterprises take the price of every year as given."""

UNPROVEN = ("", np.nan, -np.inf, np.inf, 0.0)
"""Unit, value, bound, gap and tolerance of an objective of which nothing is proven."""


def judge(question: Question, answer: Answer) -> Verdict:
    """Judge an answer: prove every part of the theorem from the instance alone, or say which part fails.

    Returns
    -------
    Verdict
        Violations, every objective of the theorem with its bound, for an infeasible instance the tonnes by which limits
        are proven to be missed, and the status that all this allows.

    Raises
    ------
    KeyError
        If the checker proves nothing of the model.
    """
    instance = InstanceInputs.of(question.instance)
    theorem = theorem_of(instance, question.model, answer.tables)
    found = _found(instance, question, answer, theorem) if answer.tables else Verdict((), ())
    found = replace(found, not_proven=tuple(theorem.not_proven(answer.tables)))
    return _of_theorem(theorem, found, answer.levels, MAIN[question.model] in answer.tables, answer.stopped)


def judge_claim(question: Question, claim: Claim, levels: Sequence[LevelStated], stopped: bool = False) -> Verdict:
    """Judge an allocation that no table states yet: the verdict of its tables, but for what these add.

    Parameters
    ----------
    levels
        Name and value of each objective that is solved, in lexicographic order.
    stopped
        True if a limit or a failure ended the solve.
    """
    instance = InstanceInputs.of(question.instance)
    theorem = theorem_of(instance, question.model, [MAIN[question.model]])
    names = [level.name for level in levels]
    broken = tuple(theorem.wrong_levels(names))
    gap = default_gap(question.model) if question.gap is None else question.gap
    found = Verdict(broken, ()) if broken else _proven(instance, claim, names, gap)[1]
    return _of_theorem(theorem, found, levels, answered=True, stopped=stopped)


def _of_theorem(
    theorem: Theorem, found: Verdict, levels: Sequence[LevelStated], answered: bool, stopped: bool
) -> Verdict:
    """Return the verdict with every objective of the theorem, proven or not."""
    stated, proven = {level.name for level in levels}, {level.name: level for level in found.levels}
    # An objective that the answer does not state is not proven.
    known = {name: proven[name] for name in theorem.levels if name in stated and name in proven}
    checks = [known.get(name, LevelCheck(name, *UNPROVEN)) for name in theorem.levels]
    return replace(
        found,
        violations=(*found.violations, *_values_are_kept(levels, known)),
        levels=(*checks, *(level for name, level in proven.items() if name == theorem.infeasibility)),
        unproven_prices=(*found.unproven_prices, *(level.name for level in checks if not level.prices_prove)),
        theorem=theorem.model,
        calculated=theorem.calculated,
        answered=answered,
        stopped=stopped,
    )


def _found(  # long because every theorem has its branch
    instance: InstanceInputs, question: Question, answer: Answer, theorem: Theorem
) -> Verdict:
    """Return violations and bounds of the parts of a theorem, from the start to its own.

    Each branch imports its own room: an allocation is judged without those of markets and reviews.
    """
    model = question.model
    gap = default_gap(model) if question.gap is None else question.gap
    tables, violations = typed_columns(answer.tables)
    names = [level.name for level in answer.levels]
    violations += theorem.misfits(tables, names)
    if model in AT_PRICES and np.isnan(by_year(instance.policy.market.prices_cny_per_t, instance.years)).any():
        # Without it there is no question, and a market that cannot clear would be none of its answers.
        message = _("the policy states the price of every year, which enterprises take as given")
        violations.append(Violation("prices", "market.prices_cny_per_t", 1.0, "keys", message))
    if violations:
        return Verdict(tuple(violations), ())
    tables = theorem.covered(tables)
    if model == "compliance":
        from etsopt.checking.compliance import compliance

        return compliance.check(instance, tables)
    if model == "review_plan":
        from etsopt.checking.review_plan import review_plan

        return review_plan.check(instance, tables, gap)
    if model == "outlook":
        from etsopt.checking.outlook import outlook

        return outlook.check(instance, tables, gap)
    if model == "reconciliation":
        from etsopt.checking.reconciliation import reconciliation

        return reconciliation.check(instance, tables)
    if model == "equilibrium":
        from etsopt.checking.equilibrium.equilibrium import NO_FIXED_POINT, check_equilibrium

        # A sector without a fixed point is an answer, but not a proven one.
        return _open(check_equilibrium(instance, tables), NO_FIXED_POINT)
    if theorem.infeasibility == INFEASIBLE:
        return _infeasible(instance, tables)
    start = Verdict((), ())
    if "allocation" in theorem.tables:
        start = _allocation(instance, _of_start(tables), theorem, names, gap)
        if MAIN[model] == "allocation" or any(violation.rule in PREREQUISITES for violation in start.violations):
            return start
    if theorem.infeasibility == UNMET:
        own = _unmet_demand(instance, tables, answer.levels, model)
    elif model == "investment":
        from etsopt.checking.investment import investment

        own = investment.check(instance, tables, gap)
    else:
        from etsopt.checking.market import check_market
        from etsopt.checking.market.self_balancing import NO_FIXED_POINT as NO_BALANCE

        broken, cost = check_market(instance, tables, model, gap)
        # A market whose balance values do not repeat is an answer, but not a proven one.
        own = _open(broken, NO_BALANCE, () if cost is None else (cost,))
    return replace(own, violations=(*start.violations, *own.violations), levels=(*start.levels, *own.levels))


def _of_start(tables: Mapping[str, pd.DataFrame]) -> Mapping[str, pd.DataFrame]:
    """Return the tables with the multipliers of the allocation alone; those of a market have a year."""
    duals = tables.get("duals")
    if duals is None or "level" not in duals:
        return tables
    # A market may have further proofs of its price, such as "cost:2".
    of_market = [name for name in duals["level"].unique() if str(name).partition(":")[0] in (COST, UNMET)]
    if not of_market:
        return tables
    return {**tables, "duals": duals[~duals["level"].isin(of_market)].reset_index(drop=True)}


def _allocation(
    instance: InstanceInputs,
    tables: Mapping[str, pd.DataFrame],
    theorem: Theorem,
    stated_names: Sequence[str],
    gap: float,
) -> Verdict:
    """Check an allocation, whose columns each hold cells of one kind."""
    optimised = not theorem.calculated
    # The table of fairness follows from the others: runs of many units, and of earlier versions, state none.
    needed = [*TABLES, *(["fairness"] if "fairness" in tables else []), *(["duals"] if optimised else [])]
    violations = totals.tables_are_whole(instance, tables, needed)
    tables = tables if violations else _strings_as_objects(tables)
    violations = violations or statements.same_units(instance, tables["allocation"])
    if violations:
        return Verdict(tuple(violations), ())
    names = [name for name in stated_names if name not in (COST, UNMET)]
    read = partial(read_duals, instance, tables.get("duals"))
    demands, verdict = _proven(instance, Claim(tables["allocation"], tables["sectors"], read), names, gap, optimised)
    violations = [*_table_statements(_stage(instance, names, optimised), demands, tables), *verdict.violations]
    if names:
        violations += totals.prices_are_stated(demands, tables, {level.name: level.unit for level in verdict.levels})
    return replace(verdict, violations=tuple(violations))


def _stage(instance: InstanceInputs, names: Sequence[str], optimised: bool) -> InstanceInputs:
    """Return the instance with the limits that the final allowances meet."""
    if not (optimised and instance.rounds):
        return instance
    return rounding.after(instance) if ROUNDING in names else rounding.before(instance)


def _proven(
    instance: InstanceInputs, claim: Claim, names: Sequence[str], gap: float, optimised: bool = True
) -> tuple[Demands, Verdict]:
    """Return the demands on an allocation, and the verdict on everything that is claimed of it."""
    allocation, final = claim.allocation, _stage(instance, names, optimised)
    rounds, rounded = optimised and instance.rounds, ROUNDING in names
    # A solve that stopped before rounding has real allowances, which must meet the limits of real ones.
    real = rounding.before(instance) if rounds else instance
    chosen = exceptional_units(instance, allocation)
    demands = derive(final, chosen)
    violations = _allowance_statements(final, demands, claim, optimised)
    real_demands, real_allocation, move = demands, allocation, None
    if rounds:
        real_demands, real_allocation = derive(real, chosen), rounding.real_table(allocation)
        violations += rounding.before_rounding(real, real_demands, fixed_at_emissions(real), allocation, rounded)
        move = rounding.largest_move(allocation) if rounded else None
    if not names:
        return demands, Verdict(tuple(violations), ())
    reference, allowance = np.asarray(allocation["reference_t"]), np.asarray(real_allocation["allowance_t"])
    final_t = np.asarray(allocation["allowance_t"])
    real_objectives = [name for name in names if name != ROUNDING]
    stated, broken = claim.multipliers(real_demands.rows, names)
    checks, kept = check_levels(real, real_demands, reference, allowance, chosen, stated, real_objectives)
    branched = real.policy.allocation.integer_allowances or real.policy.allocation.exceptions.units
    accepted = gap if branched else min(gap, REAL_GAP_RELATIVE)
    checks = [replace(level, asked=accepted * abs(level.value)) for level in checks]
    if rounded:
        of_rounding = claim.multipliers(demands.rows, [ROUNDING])[0].duals[ROUNDING]
        checks.append(rounding.check_rounding(demands, allocation, of_rounding))
    misses = max(demands.rows.misses_t(demands.rows.totals(final_t)), demands.unit_miss(final_t))
    return demands, Verdict((*violations, *broken), tuple(checks), None, move, misses_t=misses, kept=kept)


def _strings_as_objects(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables with string columns as objects, which compare without a conversion each time."""
    converted = {}
    for name, table in tables.items():
        texts = [column for column in totals.TEXTS.get(name, ()) if table[column].dtype != object]
        converted[name] = table.assign(**{column: table[column].astype(object) for column in texts}) if texts else table
    return converted


def _open(broken: Sequence[Violation], rule: str, levels: tuple[LevelCheck, ...] = ()) -> Verdict:
    """Return the verdict on statements of which one, if it does not hold, leaves an answer that is not proven."""
    violations = tuple(violation for violation in broken if violation.rule != rule)
    return Verdict(violations, levels, unproven=len(violations) < len(broken))


def _unmet_demand(
    instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated], model: str
) -> Verdict:
    """Check the proof that a market cannot clear."""
    from etsopt.checking.market import check_unmet_demand

    for name in ("unmet_demand", "duals"):
        if name not in tables:
            return Verdict((Violation("tables", name, 1.0, "tables", _("the table is present")),), ())
    violations, proven, tolerated = check_unmet_demand(instance, tables, model)
    unmet = 0.0 if proven is None else float(tables["unmet_demand"]["unmet_t"].sum())
    for level in levels:
        by = abs(level.value - unmet)
        if level.name == UNMET and proven is not None and not by <= tolerance_of(unmet, "t"):
            message = _("the table unmet_demand totals {unmet:.12g} t", unmet=unmet)
            violations.append(Violation("level_is_kept", UNMET, by, "t", message))
    return Verdict(tuple(violations), (), proven, tolerated=tolerated)


def _infeasible(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame]) -> Verdict:
    """Check the proof that no allocation exists."""
    violations = totals.tables_are_whole(instance, tables, ("duals",))
    if violations:
        return Verdict(tuple(violations), ())
    # Either no real allocation exists, or a real one does and no integer one: the tables state the one or the other.
    rounds = instance.rounds
    reports = []
    for stage in [rounding.before(instance), rounding.after(instance)] if rounds else [instance]:
        reports.append(_infeasible_at(stage, tables))
        if replace(reports[-1], answered=False).certified:
            return reports[-1]
    return next((report for report in reports if not report.violations), reports[-1])


def _infeasible_at(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame]) -> Verdict:
    """Check the proof that an instance has no allocation, before or after rounding."""
    demands, exceptions = derive(instance), instance.policy.allocation.exceptions.units
    proven, tolerated = proven_infeasibility(demands, exceptions, tables["duals"], INFEASIBLE)
    stated, violations = read_duals(instance, tables["duals"], demands.rows, [INFEASIBLE])
    violations += totals.units_of_multipliers(tables["duals"], {INFEASIBLE: "t"})
    violations += multipliers_are_within_one(demands.rows, stated.duals[INFEASIBLE])
    violations += check_relaxed_limits(instance, demands, tables, None if tolerated else proven)
    return Verdict(tuple(violations), (), proven, tolerated=tolerated)


def _allowance_statements(instance: InstanceInputs, demands: Demands, claim: Claim, optimised: bool) -> list[Violation]:
    """Return the violations of all statements on allowances; limits apply only to an optimised allocation."""
    allocation, sectors, fixed = claim.allocation, claim.sectors, fixed_at_emissions(instance)
    violations = [
        *statements.reference_follows_rule(instance, allocation, sectors, fixed),
        *statements.balance_value_balances(instance, sectors, fixed),
        *statements.fixed_get_emissions(instance, allocation, fixed, optimised),
        *statements.exceptions_are_allowed(instance, fixed, allocation, optimised),
        *statements.not_negative(allocation),
    ]
    if not optimised:
        return violations + statements.allowances_follow_rule(allocation)
    return [
        *violations,
        *statements.integer_allowances(demands, allocation),
        *statements.inside_band(demands, allocation),
        *statements.rows_are_met(demands, allocation),
    ]


def _table_statements(
    instance: InstanceInputs, demands: Demands, tables: Mapping[str, pd.DataFrame]
) -> list[Violation]:
    """Return the violations of all statements on what tables derive from the allowances."""
    allocation, sectors = tables["allocation"], tables["sectors"]
    return [
        *statements.columns_agree(instance, allocation),
        *statements.pre_allocation(instance, allocation),
        *statements.bounds_are_named(instance, demands, allocation),
        *totals.totals_add_up(instance, allocation, tables),
        *totals.own_columns_are_unchanged(instance, allocation, tables["enterprises"]),
        *totals.targets_are_stated(instance, demands, allocation, sectors),
        *totals.balances_are_stated(demands, tables["provinces"]),
        *(fairness_is_stated(instance, allocation, tables["fairness"]) if "fairness" in tables else ()),
    ]


def _values_are_kept(levels: Sequence[LevelStated], proven: Mapping[str, LevelCheck]) -> list[Violation]:
    """Return the objectives whose stated value differs from the one recomputed from the tables."""
    violations = []
    for stated in levels:
        recomputed = proven.get(stated.name)
        if recomputed is None:
            continue
        by = abs(recomputed.value - stated.value)
        if not by <= tolerance_of(recomputed.value, recomputed.unit) + recomputed.tolerance:
            message = _("the objective recomputed from the tables is {value:.12g}", value=recomputed.value)
            violations.append(Violation("level_is_kept", stated.name, by, recomputed.unit, message))
    return violations
