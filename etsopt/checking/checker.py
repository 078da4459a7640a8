"""Apply every statement to a result; knows neither Pyomo nor any model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from etsopt.checking import statements
from etsopt.checking.bounds import check_levels, proven_shortfall, tolerance_of
from etsopt.checking.limits import derive, fixed_at_emissions
from etsopt.checking.report import CheckReport, LevelCheck, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from etsopt.data.instance import Instance

INFEASIBLE = "targets_give_way"
"""Level whose multipliers prove that no allocation exists."""


class LevelStated(Protocol):
    """A level as the result states it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def value(self) -> float:
        """Its value."""


def check(
    instance: Instance, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated]
) -> CheckReport:
    """Check tables and levels against the instance.

    Parameters
    ----------
    tables
        Of the result: ``allocation`` and its totals with ``duals``, or ``duals`` alone where nothing is feasible.
    levels
        Name and value of each level as the result states them, in their order.

    Returns
    -------
    CheckReport
        Every statement that is broken, every level with its own bound, and for an infeasible instance the tonnes that
        are proven to be missing.
    """
    if "allocation" not in tables:
        if "duals" not in tables:
            return CheckReport(
                (Violation("tables", "allocation", 1.0, "tables", "there is something to check"),), ()
            )
        return CheckReport((), (), proven_shortfall(derive(instance), tables["duals"], INFEASIBLE))
    allocation = tables["allocation"]
    found = statements.same_units(instance, allocation)
    if found:
        return CheckReport(tuple(found), ())
    fixed = fixed_at_emissions(instance)
    found += statements.columns_agree(instance, allocation)
    found += statements.pre_allocation(instance, allocation)
    found += statements.reference_follows_rule(instance, allocation, tables["sectors"], fixed)
    found += statements.balance_value_balances(instance, tables["sectors"], fixed)
    found += statements.fixed_get_emissions(instance, allocation, fixed)
    found += statements.totals_add_up(allocation, dict(tables))
    if not levels:
        return CheckReport(tuple(found), ())
    demands = derive(instance)
    found += statements.inside_band(demands, allocation)
    found += statements.bounds_are_named(demands, allocation)
    found += statements.rows_are_met(demands, allocation)
    found += statements.targets_are_stated(demands, tables["sectors"])
    wanted = [*instance.policy.allocation.objectives, "closest"]
    names = [level.name for level in levels]
    if names != wanted[: len(names)]:
        found.append(
            Violation(
                "levels", ", ".join(names), 1.0, "levels", "the levels are those of the policy, in order"
            )
        )
        return CheckReport(tuple(found), ())
    checks = check_levels(
        instance,
        demands,
        allocation["reference_t"].to_numpy(),
        allocation["allowance_t"].to_numpy(),
        tables["duals"],
        names,
    )
    found += _levels_are_kept(levels, checks)
    if len(names) < len(wanted):
        # Only what was solved can be certified; the rest has no bound.
        checks += [LevelCheck(name, "", np.nan, -np.inf, np.inf, 0.0) for name in wanted[len(names) :]]
    return CheckReport(tuple(found), tuple(checks))


def _levels_are_kept(levels: Sequence[LevelStated], checks: Sequence[LevelCheck]) -> list[Violation]:
    """The final allowances have every level at the value that the result states."""
    found = []
    for stated, recomputed in zip(levels, checks, strict=True):
        by = abs(recomputed.value - stated.value)
        if not by <= tolerance_of(stated.value, recomputed.unit) + recomputed.tolerance:
            message = f"the level recomputed from the allowances is {recomputed.value:.12g}"
            found.append(Violation("level_is_kept", stated.name, by, recomputed.unit, message))
    return found
