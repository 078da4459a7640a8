"""Apply every statement to a result; knows neither Pyomo nor any model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation import rounding, statements, totals
from etsopt.checking.allocation.duals import read_duals
from etsopt.checking.allocation.exceptions import LEVELS, exceptional_units
from etsopt.checking.allocation.infeasibility import multipliers_are_within_one, proven_shortfall
from etsopt.checking.allocation.levels import check_levels
from etsopt.checking.allocation.limits import derive, fixed_at_emissions
from etsopt.checking.allocation.relaxed_limits import check_relief
from etsopt.checking.cells import plain
from etsopt.checking.compliance import compliance
from etsopt.checking.equilibrium.equilibrium import NO_FIXED_POINT, check_equilibrium
from etsopt.checking.market import COST, MARKETS, UNMET, check_market, check_shortage
from etsopt.checking.report import CheckReport, LevelCheck, LevelStated, Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from etsopt.checking.allocation.limits import Demands
    from etsopt.data.instance import Instance

TABLES = ("allocation", "enterprises", "sectors", "provinces")

OF_THEIR_OWN = ("compliance", "equilibrium")
"""Results that stand on no allocation and no market, each with a table of its name."""

KINDS = ("allocation", *MARKETS, *OF_THEIR_OWN)
"""What the checker knows to recompute; the first is that of a result which does not say."""

MAIN = {**{name: name for name in ("allocation", *OF_THEIR_OWN)}, **dict.fromkeys(MARKETS, "unit_years")}
"""The table that a result of each kind has if it has an answer at all."""

BROKEN = ("tables", "same_units")
"""Statements without which nothing else can be looked at."""

NEARLY = 1e-8
"""Gap of a level of real allowances, against its value, that sizes over many decades leave to 64-bit numbers."""

NOTHING = ("", np.nan, -np.inf, np.inf, 0.0)
"""What a level is of which nothing is proven."""

INFEASIBLE = "target_relaxation"
"""Level whose multipliers prove that no allocation exists."""


def check(  # long because each table that is missing ends it in its own way
    instance: Instance,
    tables: Mapping[str, pd.DataFrame],
    levels: Sequence[LevelStated],
    gap: float = 0.0,
    kind: str = KINDS[0],
) -> CheckReport:
    """Check tables and levels against the instance.

    Parameters
    ----------
    tables
        Of the result: ``allocation`` and its totals with ``duals``, or ``relaxed_limits`` and what proves it where
        nothing is feasible.
    levels
        Name and value of each level as the result states them, in their order.
    gap
        Relative gap that was asked for; of real allowances without exceptions it counts up to `NEARLY`.
    kind
        What the tables claim to be, one of `KINDS`.

    Returns
    -------
    CheckReport
        Every statement that is broken, every level with its own bound, and for an infeasible instance the tonnes that
        are proven to be missing.
    """
    if found := statements.scope_is_that_of_the_plan(instance):
        return CheckReport(tuple(found), ())
    tables, found = plain(tables)
    if found:
        return CheckReport(tuple(found), ())
    if kind == "compliance":
        return compliance.check(instance, tables, levels)
    if kind == "equilibrium":
        broken = check_equilibrium(instance, tables)
        # That there is no fixed point is an answer, but none that is proven.
        found = [violation for violation in broken if violation.rule != NO_FIXED_POINT]
        return CheckReport(tuple(found), (), unproven=len(found) < len(broken))
    if kind in MARKETS:
        return _market(instance, tables, levels, gap, kind)
    if "allocation" not in tables:
        return _infeasible(instance, tables)
    # An allocation comes with duals, if only an empty table of them; the rule alone does not.
    optimised = "duals" in tables or bool(levels)
    found = totals.tables_are_whole(instance, tables, (*TABLES, "duals") if optimised else TABLES)
    tables = tables if found else _with_plain_texts(tables)
    found = found or statements.same_units(instance, tables["allocation"])
    if found:
        return CheckReport(tuple(found), ())
    allocation, policy, names = tables["allocation"], instance.policy.allocation, [level.name for level in levels]
    rounds = optimised and policy.rounds
    # A market that cannot clear states no level of the allocation that it starts from.
    rounded = rounding.ROUNDING in names or (rounds and not names and rounding.largest_move(allocation) > 0)
    # A solve that was stopped before it rounded holds real allowances, and is held to their limits.
    real = rounding.before(instance) if rounds else instance
    final = rounding.after(instance) if rounds and rounded else real
    chosen = exceptional_units(instance, allocation)
    demands = derive(final, chosen)
    found = _statements(final, demands, tables, optimised)
    first, before, move = demands, allocation, None
    if rounds:
        first, before = derive(real, chosen), rounding.real_table(allocation)
        found += rounding.before_rounding(real, first, fixed_at_emissions(real), allocation, rounded)
        move = rounding.largest_move(allocation) if rounded else None
    wanted = [*(LEVELS if policy.exceptions.units else ()), *policy.objectives, "least_squares"]
    wanted += [rounding.ROUNDING] if rounds else []
    if names != wanted[: len(names)]:
        message = "the levels are those of the policy, in order"
        found.append(Violation("levels", ", ".join(names), 1.0, "levels", message))
        return CheckReport(tuple(found), ())
    if not levels:
        return CheckReport(tuple(found), ())
    reference, allowance = allocation["reference_t"].to_numpy(), before["allowance_t"].to_numpy()
    final_t = allocation["allowance_t"].to_numpy()
    chain = [name for name in names if name != rounding.ROUNDING]
    stated, broken = read_duals(instance, first.rows, tables["duals"], names)
    checks, kept = check_levels(real, first, reference, allowance, chosen, stated, chain)
    found += broken
    branched = real.policy.allocation.integer_allowances or policy.exceptions.units
    counts = gap if branched else min(gap, NEARLY)
    checks = [replace(level, asked=counts * abs(level.value)) for level in checks]
    if rounds and rounded:
        checks.append(rounding.check_rounding(demands, allocation, tables["duals"]))
    found += _levels_are_kept(levels, checks)
    found += totals.prices_are_stated(first, tables, {level.name: level.unit for level in checks})
    # Only what was solved can be certified; the rest has no bound.
    checks += [LevelCheck(name, *NOTHING) for name in wanted[len(names) :]]
    misses = max(demands.rows.misses_t(demands.rows.totals(final_t)), demands.unit_miss(final_t))
    return CheckReport(tuple(found), tuple(checks), None, move, misses_t=misses, kept=kept)


def _with_plain_texts(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The same tables with texts as plain ones, which are compared without being converted each time."""
    plain = {}
    for name, table in tables.items():
        texts = [column for column in totals.TEXTS.get(name, ()) if table[column].dtype != object]
        plain[name] = table.astype(dict.fromkeys(texts, object)) if texts else table
    return plain


def _market(
    instance: Instance, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated], gap: float, kind: str
) -> CheckReport:
    """The allocation from which a market started, if it did, and then the market."""
    first = CheckReport((), ())
    if kind != "pathway":
        own = dict(tables)
        if "duals" in own and "level" in own["duals"]:
            # The market's price may have further proofs, such as "cost:2".
            of_market = own["duals"]["level"].astype(str).str.split(":").str[0].isin((COST, UNMET))
            own["duals"] = own["duals"][~of_market].reset_index(drop=True)
        first = check(instance, own, [level for level in levels if level.name not in (COST, UNMET)], gap)
        if "allocation" not in tables or any(violation.rule in BROKEN for violation in first.violations):
            return first
    if MAIN[kind] not in tables:
        return _market_short(instance, tables, levels, kind, first)
    found, cost = check_market(instance, tables, kind, gap)
    stated = [level for level in levels if level.name == COST]
    if len(stated) != 1 or levels[-1] is not stated[0]:
        found.append(Violation("levels", kind, 1.0, "levels", "the last level is the cost"))
    if cost is None or len(stated) != 1:
        return CheckReport((*first.violations, *found), (*first.levels, LevelCheck(COST, *NOTHING)))
    found += _levels_are_kept(stated, [cost])
    return CheckReport((*first.violations, *found), (*first.levels, cost))


def _market_short(
    instance: Instance, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated], kind: str, first: CheckReport
) -> CheckReport:
    """Prove that a market cannot clear, beside the allocation from which it started."""
    if "unmet_demand" not in tables or "duals" not in tables:
        return CheckReport(first.violations, ())
    found, proven, tolerated = check_shortage(instance, tables, kind)
    missing = 0.0 if proven is None else float(tables["unmet_demand"]["unmet_t"].sum())
    for level in levels:
        by = abs(level.value - missing)
        if level.name == UNMET and proven is not None and not by <= tolerance_of(missing, "t"):
            found.append(
                Violation("level_is_kept", UNMET, by, "t", f"the table unmet_demand adds up to {missing:.12g} t")
            )
    return CheckReport((*first.violations, *found), (), proven, tolerated=tolerated)


def _infeasible(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> CheckReport:
    """Prove that no allocation exists."""
    found = totals.tables_are_whole(instance, tables, ("duals",))
    if found:
        return CheckReport(tuple(found), ())
    policy = instance.policy.allocation
    # Real allowances lack, or there are such and the whole ones lack.
    stages = [rounding.before(instance), rounding.after(instance)] if policy.rounds else [instance]
    derived = [derive(stage) for stage in stages]
    proofs = [proven_shortfall(one, policy.exceptions.units, tables["duals"], INFEASIBLE) for one in derived]
    place = next((place for place, (_, tolerated) in enumerate(proofs) if not tolerated), len(proofs) - 1)
    stage, demands, (proven, tolerated) = stages[place], derived[place], proofs[place]
    stated, found = read_duals(stage, demands.rows, tables["duals"], [INFEASIBLE])
    found += totals.units_of_multipliers(tables["duals"], {INFEASIBLE: "t"})
    found += multipliers_are_within_one(demands.rows, stated.prices[INFEASIBLE])
    known = None if tolerated else proven
    return CheckReport((*found, *check_relief(stage, demands, tables, known)), (), proven, tolerated=tolerated)


def _statements(
    instance: Instance, demands: Demands, tables: Mapping[str, pd.DataFrame], optimised: bool
) -> list[Violation]:
    """Every statement on the tables; those on limits only where something was optimised."""
    allocation, sectors, fixed = tables["allocation"], tables["sectors"], fixed_at_emissions(instance)
    found = [
        *statements.columns_agree(instance, allocation),
        *statements.pre_allocation(instance, allocation),
        *statements.reference_follows_rule(instance, allocation, sectors, fixed),
        *statements.balance_value_balances(instance, sectors, fixed),
        *statements.fixed_get_emissions(instance, allocation, fixed, optimised),
        *statements.exceptions_are_allowed(instance, fixed, allocation, optimised),
        *statements.bounds_are_named(instance, demands, allocation),
        *totals.totals_add_up(instance, allocation, tables),
        *totals.own_columns_stand(instance, allocation, tables["enterprises"]),
        *totals.targets_are_stated(instance, demands, allocation, sectors),
        *totals.balances_are_stated(demands, tables["provinces"]),
    ]
    if not optimised:
        return found + statements.allowances_follow_rule(allocation)
    return [
        *found,
        *statements.integer_allowances(demands, allocation),
        *statements.inside_band(demands, allocation),
        *statements.rows_are_met(demands, allocation),
    ]


def _levels_are_kept(levels: Sequence[LevelStated], checks: Sequence[LevelCheck]) -> list[Violation]:
    """The final allowances have every level at the value that the result states."""
    found = []
    for stated, recomputed in zip(levels, checks, strict=True):
        by = abs(recomputed.value - stated.value)
        if not by <= tolerance_of(recomputed.value, recomputed.unit) + recomputed.tolerance:
            message = f"the level recomputed from the allowances is {recomputed.value:.12g}"
            found.append(Violation("level_is_kept", stated.name, by, recomputed.unit, message))
    return found
