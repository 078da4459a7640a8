"""Check an investment under uncertainty, and bound its cost."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.cells import above, are_whole
from etsopt.checking.investment import statements
from etsopt.checking.investment.bound import Bound, Enterprises
from etsopt.checking.investment.decisions import decision_is_admissible, read_decision
from etsopt.checking.investment.derived import derive
from etsopt.checking.investment.flows import flows_of
from etsopt.checking.investment.sets import set_costs
from etsopt.checking.theorem import BUDGETED, COST, OWN_TABLES, VALUES_STATED
from etsopt.checking.tolerances import BUDGET_EXCESS_RELATIVE, BUDGET_PRICE_MAX
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.common.language import _
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs


def check(  # long because each statement takes what the ones before it derived
    instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], gap: float
) -> Verdict:
    """Check the decision, all that follows from it in each scenario, and the cost with a bound.

    Parameters
    ----------
    tables
        Tables of the result, with the allocation from which it started.
    gap
        Largest relative gap that the reader accepts.
    """
    derived = derive(instance, tables["allocation"])
    # Values of information are stated without budgets, and multipliers of budgets with them.
    needless = BUDGETED if derived.values_are_stated else VALUES_STATED
    parts = (OWN_TABLES["investment"], VALUES_STATED, BUDGETED)
    columns = {name: [column for part in parts for column in part.get(name, ())] for name in parts[0]}
    violations = are_whole(tables, columns, ("step", *chain.from_iterable(needless.values())))
    if violations:
        return Verdict(tuple(violations), ())
    decision, violations = read_decision(derived, tables["investments"], tables["operations"])
    if decision is None:
        return Verdict(tuple(violations), ())
    violations += decision_is_admissible(derived, decision)
    violations += statements.rows_follow(derived, tables["investments"])
    flows, more = flows_of(derived, decision, tables)
    violations += more
    if flows is None:
        return Verdict(tuple(violations), ())
    owner = instance.labels("enterprise_id")
    invested = np.zeros(len(owner))
    np.add.at(invested, owner.code, (derived.investment * decision.installed).sum(axis=1))
    excess = BUDGET_EXCESS_RELATIVE * max(float(invested.max()), 1.0)
    message = _("investment is within the budget")
    violations += above("budget", owner.names, invested - derived.budget, excess, "CNY", message)
    value = derived.objective.value(flows.costs)
    stated = _stated_multipliers(tables, len(owner), len(derived.states.names))
    bound = Bound(
        derived.objective,
        Enterprises(owner.code, value, flows.least_account_cost, derived.budget),
        derived.objective.nearest_weights(stated[0]),
        np.where(np.isfinite(derived.budget), np.clip(np.nan_to_num(stated[1]), 0.0, BUDGET_PRICE_MAX), 0.0),
    )
    shape = (len(instance.units), len(derived.states.names))
    at_mean, least = np.zeros(shape), np.zeros(shape)
    for costs in set_costs(derived):
        bound.add(costs)
        least[costs.sets.units] = costs.cost.min(axis=1).T
        if decision.at_mean is not None:
            violations += statements.mean_is_least(instance, costs, decision.at_mean)
            numbers = costs.numbers(decision.at_mean), np.arange(len(costs.sets.units))
            at_mean[costs.sets.units] = costs.cost[:, *numbers].T
    others = [_totals(owner, part) + flows.least_account_cost for part in (at_mean, least)]
    violations += statements.costs_follow(derived, tables["scenario_costs"], flows.costs, others)
    if not any(violation.rule == "same_rows" for violation in violations):
        violations += statements.weights_are_possible(derived, tables["scenario_costs"])
    violations += statements.summary_follows(derived, tables["investment_summary"], flows.costs, others, invested)
    rows_are_there = not any(violation.rule == "same_rows" for violation in violations)
    if "budget_shadow_price" in tables["investment_summary"] and rows_are_there:
        violations += statements.budget_prices_are_possible(derived, tables["investment_summary"], bound.most_saved)
    proven = bound.total()
    level = _level(float(value.sum()), proven, gap, flows.spending)
    if not proven <= level.value + level.tolerance:
        violations.append(Violation("cost", "", proven - level.value, "CNY", _("the cost is not below its bound")))
    return Verdict(tuple(violations), (level,))


def _level(value: float, bound: float, gap: float, spending: float) -> LevelCheck:
    off = max(value - bound, 0.0)
    return LevelCheck(COST, "CNY", value, value - off, off, tolerance_of(value, "CNY"), gap * max(abs(value), spending))


def _totals(owner: Any, of_units: Floats) -> Floats:
    total = np.zeros((len(owner), of_units.shape[1]))
    np.add.at(total, owner.code, of_units)
    return total


def _stated_multipliers(tables: Mapping[str, pd.DataFrame], enterprises: int, scenarios: int) -> tuple[Floats, Floats]:
    """Return the weights of scenarios and the multipliers of budgets, which prove a bound whatever they are."""
    weights = tables["scenario_costs"]["weight"].to_numpy(dtype=float)
    summary = tables["investment_summary"]
    prices = np.zeros(enterprises)
    if "budget_shadow_price" in summary and len(summary) > enterprises:
        prices = summary["budget_shadow_price"].to_numpy(dtype=float)[:enterprises]
    fits = len(weights) == enterprises * scenarios
    return weights.reshape(enterprises, scenarios) if fits else np.zeros((enterprises, scenarios)), prices
