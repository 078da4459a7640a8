"""Apply every statement to a result, without Pyomo or any model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation import rounding, statements, totals
from etsopt.checking.allocation.duals import read_duals
from etsopt.checking.allocation.exceptions import LEVELS, exceptional_units
from etsopt.checking.allocation.infeasibility import multipliers_are_within_one, proven_infeasibility
from etsopt.checking.allocation.levels import check_levels
from etsopt.checking.allocation.limits import derive, fixed_at_emissions
from etsopt.checking.allocation.relaxed_limits import check_relaxed_limits
from etsopt.checking.cells import typed_columns
from etsopt.checking.compliance import compliance
from etsopt.checking.equilibrium.equilibrium import NO_FIXED_POINT, check_equilibrium
from etsopt.checking.investment import investment
from etsopt.checking.market import COST, MARKETS, UNMET, check_market, check_unmet_demand
from etsopt.checking.market.self_balancing import NO_FIXED_POINT as NO_BALANCE
from etsopt.checking.reconciliation import reconciliation
from etsopt.checking.report import CheckReport, LevelCheck, LevelStated, Violation
from etsopt.checking.review_plan import review_plan
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from etsopt.checking.allocation.limits import Demands
    from etsopt.data.instance import Instance

TABLES = ("allocation", "enterprises", "sectors", "provinces")

STANDALONE = ("compliance", "equilibrium", "reconciliation", "review_plan")
"""Kinds of results without an allocation or a market, each checked by itself."""

INVESTMENT = "investment"
"""Kind of results that start from an allocation, as markets do."""

KINDS = ("allocation", *MARKETS, *STANDALONE, INVESTMENT)
"""Kinds of results that the checker recomputes; the first is the default."""

MAIN = {
    **{name: name for name in ("allocation", *STANDALONE)},
    **dict.fromkeys(MARKETS, "unit_years"),
    "review_plan": "plan",
    INVESTMENT: "investments",
}
"""Main table of each kind of result, absent if the result has no answer."""

PREREQUISITES = ("tables", "same_units")
"""Rules whose violation ends the check."""

REAL_GAP = 1e-8
"""Largest relative gap of an objective of real allowances that sizes over many decades leave to 64-bit numbers."""

UNPROVEN = ("", np.nan, -np.inf, np.inf, 0.0)
"""Unit, value, bound, gap and tolerance of an objective of which nothing is proven."""

INFEASIBLE = "target_relaxation"
"""Objective whose duals prove that no allocation exists."""


def check(
    instance: Instance,
    tables: Mapping[str, pd.DataFrame],
    levels: Sequence[LevelStated],
    gap: float = 0.0,
    kind: str = KINDS[0],
) -> CheckReport:
    """Check tables and objectives against the instance.

    Parameters
    ----------
    tables
        ``allocation`` and its totals with ``duals``, or ``relaxed_limits`` and its proof if no allocation is feasible.
    levels
        Name and value of each objective as the result states them, in lexicographic order.
    gap
        Relative gap of the solve; for real allowances without exceptions at most `REAL_GAP` of it counts.
    kind
        Kind of the result, one of `KINDS`.

    Returns
    -------
    CheckReport
        Violations, every objective with its bound, and for an infeasible instance the tonnes by which limits are proven
        to be missed.
    """
    if violations := statements.scope_is_that_of_the_plan(instance):
        return CheckReport(tuple(violations), ())
    tables, violations = typed_columns(tables)
    if violations:
        return CheckReport(tuple(violations), ())
    if kind == "compliance":
        return compliance.check(instance, tables, levels)
    if kind == "review_plan":
        return review_plan.check(instance, tables, levels, gap)
    if kind == "reconciliation":
        return reconciliation.check(instance, tables, levels)
    if kind == "equilibrium":
        broken = check_equilibrium(instance, tables)
        # A sector without a fixed point is an answer, but not a proven one.
        violations = [violation for violation in broken if violation.rule != NO_FIXED_POINT]
        return CheckReport(tuple(violations), (), unproven=len(violations) < len(broken))
    if kind == INVESTMENT:
        return _investment(instance, tables, levels, gap)
    if kind in MARKETS:
        return _market(instance, tables, levels, gap, kind)
    return _allocation(instance, tables, levels, gap)


def _allocation(  # long because each missing table ends the check with its own report
    instance: Instance, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated], gap: float
) -> CheckReport:
    """Check an allocation, whose columns each hold cells of one kind."""
    if "allocation" not in tables:
        return _infeasible(instance, tables)
    # An optimised allocation comes with duals, at least an empty table of them; the rule alone does not.
    optimised = "duals" in tables or bool(levels)
    violations = totals.tables_are_whole(instance, tables, (*TABLES, "duals") if optimised else TABLES)
    tables = tables if violations else _strings_as_objects(tables)
    violations = violations or statements.same_units(instance, tables["allocation"])
    if violations:
        return CheckReport(tuple(violations), ())
    allocation, policy, names = tables["allocation"], instance.policy.allocation, [level.name for level in levels]
    rounds = optimised and policy.rounds
    # If a market cannot clear, its result states no objective of the allocation that it starts from.
    rounded = rounding.ROUNDING in names or (rounds and not names and rounding.largest_move(allocation) > 0)
    # A solve that stopped before rounding has real allowances, which must meet the limits of real ones.
    real = rounding.before(instance) if rounds else instance
    final = rounding.after(instance) if rounds and rounded else real
    chosen = exceptional_units(instance, allocation)
    demands = derive(final, chosen)
    violations = _allocation_statements(final, demands, tables, optimised)
    real_demands, real_allocation, move = demands, allocation, None
    if rounds:
        real_demands, real_allocation = derive(real, chosen), rounding.real_table(allocation)
        violations += rounding.before_rounding(real, real_demands, fixed_at_emissions(real), allocation, rounded)
        move = rounding.largest_move(allocation) if rounded else None
    expected = [*(LEVELS if policy.exceptions.units else ()), *policy.objectives, "least_squares"]
    expected += [rounding.ROUNDING] if rounds else []
    if names != expected[: len(names)]:
        message = "the objectives are those of the policy, in order"
        violations.append(Violation("levels", ", ".join(names), 1.0, "levels", message))
        return CheckReport(tuple(violations), ())
    if not levels:
        return CheckReport(tuple(violations), ())
    reference, allowance = allocation["reference_t"].to_numpy(), real_allocation["allowance_t"].to_numpy()
    final_t = allocation["allowance_t"].to_numpy()
    real_objectives = [name for name in names if name != rounding.ROUNDING]
    stated, broken = read_duals(instance, real_demands.rows, tables["duals"], names)
    checks, kept = check_levels(real, real_demands, reference, allowance, chosen, stated, real_objectives)
    violations += broken
    branched = real.policy.allocation.integer_allowances or policy.exceptions.units
    gap_asked = gap if branched else min(gap, REAL_GAP)
    checks = [replace(level, asked=gap_asked * abs(level.value)) for level in checks]
    if rounds and rounded:
        checks.append(rounding.check_rounding(demands, allocation, tables["duals"]))
    violations += _levels_are_kept(levels, checks)
    violations += totals.prices_are_stated(real_demands, tables, {level.name: level.unit for level in checks})
    # An objective that was not solved has no bound and cannot be certified.
    checks += [LevelCheck(name, *UNPROVEN) for name in expected[len(names) :]]
    misses = max(demands.rows.misses_t(demands.rows.totals(final_t)), demands.unit_miss(final_t))
    return CheckReport(tuple(violations), tuple(checks), None, move, misses_t=misses, kept=kept)


def _strings_as_objects(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables with string columns as objects, which compare without a conversion each time."""
    converted = {}
    for name, table in tables.items():
        texts = [column for column in totals.TEXTS.get(name, ()) if table[column].dtype != object]
        converted[name] = table.assign(**{column: table[column].astype(object) for column in texts})
    return converted


def _market(
    instance: Instance, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated], gap: float, kind: str
) -> CheckReport:
    """Check the allocation from which a market started, if any, and then the market."""
    start = CheckReport((), ())
    if kind != "pathway":
        own = dict(tables)
        if "duals" in own and "level" in own["duals"]:
            # The market may have further proofs of its price, such as "cost:2".
            of_market = own["duals"]["level"].astype(str).str.split(":").str[0].isin((COST, UNMET))
            own["duals"] = own["duals"][~of_market].reset_index(drop=True)
        start = _allocation(instance, own, [level for level in levels if level.name not in (COST, UNMET)], gap)
        if "allocation" not in tables or any(violation.rule in PREREQUISITES for violation in start.violations):
            return start
    if MAIN[kind] not in tables:
        return _unmet_demand(instance, tables, levels, kind, start)
    violations, cost = check_market(instance, tables, kind, gap)
    stated = [level for level in levels if level.name == COST]
    if len(stated) != 1 or levels[-1] is not stated[0]:
        violations.append(Violation("levels", kind, 1.0, "levels", "the last objective is the cost"))
    if cost is None or len(stated) != 1:
        return CheckReport((*start.violations, *violations), (*start.levels, LevelCheck(COST, *UNPROVEN)))
    violations += _levels_are_kept(stated, [cost])
    # A market whose balance values do not repeat is an answer, but not a proven one.
    broken = [violation for violation in violations if violation.rule != NO_BALANCE]
    unproven = len(broken) < len(violations)
    return CheckReport((*start.violations, *broken), (*start.levels, cost), unproven=unproven)


def _investment(
    instance: Instance, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated], gap: float
) -> CheckReport:
    """Check the allocation from which an investment started, and then the investment."""
    start = _allocation(instance, tables, [level for level in levels if level.name != COST], gap)
    if MAIN[INVESTMENT] not in tables or any(violation.rule in PREREQUISITES for violation in start.violations):
        return start
    found = investment.check(instance, tables, [level for level in levels if level.name == COST], gap)
    return CheckReport((*start.violations, *found.violations), (*start.levels, *found.levels))


def _unmet_demand(
    instance: Instance, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated], kind: str, start: CheckReport
) -> CheckReport:
    """Check the proof that a market cannot clear, and the allocation from which it started."""
    if "unmet_demand" not in tables or "duals" not in tables:
        return CheckReport(start.violations, ())
    violations, proven, tolerated = check_unmet_demand(instance, tables, kind)
    unmet = 0.0 if proven is None else float(tables["unmet_demand"]["unmet_t"].sum())
    for level in levels:
        by = abs(level.value - unmet)
        if level.name == UNMET and proven is not None and not by <= tolerance_of(unmet, "t"):
            violations.append(
                Violation("level_is_kept", UNMET, by, "t", f"the table unmet_demand totals {unmet:.12g} t")
            )
    return CheckReport((*start.violations, *violations), (), proven, tolerated=tolerated)


def _infeasible(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> CheckReport:
    """Check the proof that no allocation exists."""
    violations = totals.tables_are_whole(instance, tables, ("duals",))
    if violations:
        return CheckReport(tuple(violations), ())
    # Either no real allocation exists, or a real one does and no integer one: the tables state the one or the other.
    rounds = instance.policy.allocation.rounds
    reports = []
    for stage in [rounding.before(instance), rounding.after(instance)] if rounds else [instance]:
        reports.append(_infeasible_at(stage, tables))
        if reports[-1].certified:
            return reports[-1]
    return next((report for report in reports if not report.violations), reports[-1])


def _infeasible_at(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> CheckReport:
    """Check the proof that an instance has no allocation, before or after rounding."""
    demands, exceptions = derive(instance), instance.policy.allocation.exceptions.units
    proven, tolerated = proven_infeasibility(demands, exceptions, tables["duals"], INFEASIBLE)
    stated, violations = read_duals(instance, demands.rows, tables["duals"], [INFEASIBLE])
    violations += totals.units_of_multipliers(tables["duals"], {INFEASIBLE: "t"})
    violations += multipliers_are_within_one(demands.rows, stated.duals[INFEASIBLE])
    violations += check_relaxed_limits(instance, demands, tables, None if tolerated else proven)
    return CheckReport(tuple(violations), (), proven, tolerated=tolerated)


def _allocation_statements(
    instance: Instance, demands: Demands, tables: Mapping[str, pd.DataFrame], optimised: bool
) -> list[Violation]:
    """Return the violations of all statements on the tables; limits apply only to an optimised allocation."""
    allocation, sectors, fixed = tables["allocation"], tables["sectors"], fixed_at_emissions(instance)
    violations = [
        *statements.columns_agree(instance, allocation),
        *statements.pre_allocation(instance, allocation),
        *statements.reference_follows_rule(instance, allocation, sectors, fixed),
        *statements.balance_value_balances(instance, sectors, fixed),
        *statements.fixed_get_emissions(instance, allocation, fixed, optimised),
        *statements.exceptions_are_allowed(instance, fixed, allocation, optimised),
        *statements.bounds_are_named(instance, demands, allocation),
        *totals.totals_add_up(instance, allocation, tables),
        *totals.own_columns_are_unchanged(instance, allocation, tables["enterprises"]),
        *totals.targets_are_stated(instance, demands, allocation, sectors),
        *totals.balances_are_stated(demands, tables["provinces"]),
    ]
    if not optimised:
        return violations + statements.allowances_follow_rule(allocation)
    return [
        *violations,
        *statements.integer_allowances(demands, allocation),
        *statements.inside_band(demands, allocation),
        *statements.rows_are_met(demands, allocation),
    ]


def _levels_are_kept(levels: Sequence[LevelStated], checks: Sequence[LevelCheck]) -> list[Violation]:
    """Return the objectives whose stated value differs from that of the final allowances."""
    violations = []
    for stated, recomputed in zip(levels, checks, strict=True):
        by = abs(recomputed.value - stated.value)
        if not by <= tolerance_of(recomputed.value, recomputed.unit) + recomputed.tolerance:
            message = f"the objective recomputed from the allowances is {recomputed.value:.12g}"
            violations.append(Violation("level_is_kept", stated.name, by, recomputed.unit, message))
    return violations
