"""Arrays of the program: extensive, with every trade of every scenario, or priced, with the cost of each set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt.data.groups import Groups
from etsopt_models._investment.risk import Risk
from etsopt_models._tolerances import SCENARIO_COST_MARGIN_SHARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._investment.accounts import ScenarioAccounts
    from etsopt_models._investment.alternatives import Alternatives
    from etsopt_models._investment.pricing import Pricing


class Operations(NamedTuple):
    """Ways to run the options of the extensive program.

    Position of the option; then of each scenario and year, shape ``(operations, scenarios, years)``, discounted
    variable cost [CNY], and net demand, emissions less free allowances [t]. Fixed cost of each option [CNY].
    """

    option: NDArray[np.int64]
    cost: NDArray[np.float64]
    net_demand: NDArray[np.float64]
    fixed_cost: NDArray[np.float64]


def extensive(instance: Instance, pricing: Pricing, accounts: ScenarioAccounts) -> dict[str, Any]:
    """Return the arrays of the extensive form: all options of all units, with operation and trade in each scenario."""
    everyone = np.arange(len(instance.labels("enterprise_id")))
    operations = _operations(pricing)
    return {
        **_choices(instance, pricing, everyone, np.arange(len(instance.units))),
        **_account_limits(accounts),
        **_cost_bounds(instance, pricing, everyone, accounts.holding_cost),
        "OPERATIONS": len(operations.option),
        "YEARS": accounts.price.shape[1],
        "TIMES": accounts.price.shape[1] + 1,
        "OPERATIONS_OF_OPTION": Groups.from_labels(operations.option, len(pricing.options.unit)),
        "OPERATIONS_OF_ENTERPRISE": _of_enterprise(instance, pricing.options.unit[operations.option], everyone),
        "fixed_cost": operations.fixed_cost,
        "operating_cost": operations.cost,
        "net_demand": operations.net_demand,
        "price": accounts.price,
        "banked_worth": np.append(np.zeros(accounts.price.shape[1]), accounts.terminal),
        "account_cost": np.zeros_like(accounts.holding_cost),
        "decided_cost": 0.0,
    }


def priced(instance: Instance, pricing: Pricing, accounts: ScenarioAccounts) -> dict[str, Any]:
    """Return the arrays of the same program over undecided enterprises, whose options have their least cost at once.

    A scenario counts as one year without trade: operation, trade and holdings are in the cost of an option and of the
    account already.
    """
    enterprise, options = instance.labels("enterprise_id").code, pricing.options
    undecided = np.flatnonzero(pricing.undecided)
    units = np.flatnonzero(pricing.undecided[enterprise])
    shape = (len(undecided), len(pricing.scenarios))
    nothing, every_option = np.zeros((*shape, 1)), np.arange(len(options.unit))
    costs = accounts.holding_cost.copy()
    np.add.at(costs, enterprise, pricing.cost)
    decided = Risk.of(instance, pricing.scenarios.probability).objective(costs[~pricing.undecided]).sum()
    return {
        **_choices(instance, pricing, undecided, units),
        **_cost_bounds(instance, pricing, undecided, accounts.holding_cost),
        "OPERATIONS": len(options.unit),
        "YEARS": 1,
        "TIMES": 2,
        "OPERATIONS_OF_OPTION": Groups.from_labels(every_option, len(options.unit)),
        "OPERATIONS_OF_ENTERPRISE": _of_enterprise(instance, options.unit, undecided),
        "fixed_cost": np.zeros(len(options.unit)),
        "operating_cost": options.cost[:, :, None],
        "net_demand": np.zeros((*options.cost.shape, 1)),
        "price": np.zeros((shape[1], 1)),
        "banked_worth": np.zeros(2),
        "traded_most": nothing,
        "banked_least": np.zeros((*shape, 2)),
        "banked_most": np.zeros((*shape, 2)),
        "account_cost": accounts.holding_cost[undecided],
        "decided_cost": float(decided),
    }


def cells_of(pricing: Pricing) -> int:
    """Return an estimate of the numbers in the extensive form."""
    sets = sum(len(part.units) * _pairs(part) for part in pricing.alternatives)
    return sets * pricing.scenarios.price.size


def _pairs(part: Alternatives) -> int:
    """Return the number of pairs of an installed set and one that may run, by the structure of the groups."""
    pairs = 1
    for group in part.measures.family.groups:
        size = len(group.places)
        of_stopping = 1 + 2 * size if not group.reach else (size + 1) * (size + 2) // 2
        pairs *= of_stopping if group.stops else size + 1
    return pairs


def _choices(
    instance: Instance, pricing: Pricing, enterprises: NDArray[np.int64], units: NDArray[np.int64]
) -> dict[str, Any]:
    """Return sets, investments and weights of the first stage of some enterprises and their units."""
    options, policy = pricing.options, instance.policy.investment
    limited = np.isfinite(pricing.budget[enterprises])
    return {
        "UNITS": len(units),
        "ENTERPRISES": len(enterprises),
        "OPTIONS": len(options.unit),
        "SCENARIOS": len(pricing.scenarios),
        "LIMITED": np.flatnonzero(limited),
        "OPTIONS_OF_UNIT": Groups.from_labels(np.searchsorted(units, options.unit), len(units)),
        "OPTIONS_OF_ENTERPRISE": _of_enterprise(instance, options.unit, enterprises),
        "investment": options.investment,
        "budget_limit": np.where(limited, pricing.budget[enterprises], 0.0),
        "probability": pricing.scenarios.probability,
        "expected_weight": 1 - policy.cvar_weight,
        "cvar_weight": policy.cvar_weight,
        "excess_weight": policy.cvar_weight / (1 - policy.cvar_level),
    }


def _of_enterprise(instance: Instance, unit: NDArray[np.int64], enterprises: NDArray[np.int64]) -> Groups:
    """Return options, or operations, by enterprise, from the unit of each."""
    return Groups.from_labels(
        np.searchsorted(enterprises, instance.labels("enterprise_id").code[unit]), len(enterprises)
    )


def _account_limits(accounts: ScenarioAccounts) -> dict[str, Any]:
    return {name: getattr(accounts, name) for name in ("traded_most", "banked_least", "banked_most")}


def _cost_bounds(
    instance: Instance, pricing: Pricing, enterprises: NDArray[np.int64], holding_cost: NDArray[np.float64]
) -> dict[str, Any]:
    """Return bounds of the cost of enterprises in each scenario, from the cheapest and dearest option of every unit."""
    options = pricing.options
    first = np.flatnonzero(np.diff(options.unit, prepend=-1))
    owner = np.searchsorted(enterprises, instance.labels("enterprise_id").code[options.unit[first]])
    bounds = []
    for ufunc in (np.minimum, np.maximum):
        total = holding_cost[enterprises].copy()
        if len(first):
            np.add.at(total, owner, ufunc.reduceat(options.cost, first, axis=0))
        bounds.append(total)
    least, most = bounds
    margin = SCENARIO_COST_MARGIN_SHARE * (most - least + 1e-3 * (np.abs(most) + np.abs(least)) + 1)
    least, most = least - margin, most + margin
    return {
        "cost_least": least,
        "cost_most": most,
        "quantile_least": least.min(axis=1),
        "quantile_most": most.max(axis=1),
    }


def _operations(pricing: Pricing) -> Operations:
    """Return every way to run every option in each scenario and year."""
    options, scenarios, years = pricing.options, pricing.scenarios, len(pricing.baseline.years)
    place = {key: row for row, key in enumerate(zip(options.unit.tolist(), options.number.tolist(), strict=True))}
    fixed, owner, columns = np.zeros(len(options.unit)), [], []
    for part in pricing.alternatives:
        installed = np.flatnonzero(part.installable)
        # Sets without a measure that one of theirs requires never run.
        may = part.measures.family.may_run(installed) & part.measures.admissible[-1][:, None]
        runs, column = np.nonzero(may)
        arrays = np.zeros((2, len(scenarios), years, len(runs), len(part.units)))
        for number in range(len(scenarios)):
            checkpoint()
            for t, amounts in enumerate(part.amounts(scenarios, number)):
                arrays[0, number, t] = part.baseline.discount[t] * amounts.variable_cost[runs]
                arrays[1, number, t] = (amounts.emissions - amounts.allowance)[runs]
        of_sets = part.fixed_cost()
        for unit, name in enumerate(part.units.tolist()):
            rows = np.array([place[name, one] for one in installed.tolist()], dtype=np.int64)
            fixed[rows] = of_sets[installed, unit]
            owner.append(rows[column])
            columns.append(np.moveaxis(arrays[..., unit], 3, 1))
    option = np.concatenate(owner)
    both = np.concatenate(columns, axis=1)
    order = np.argsort(option, kind="stable")
    return Operations(option[order], both[0][order], both[1][order], fixed)
