"""Programs of an investment: accounts in every scenario, arrays, and the decision that a solution means.

Arrays of the program: extensive, with every trade of every scenario, or priced, with the cost of each set.

Accounts of enterprises in every scenario: limits of holdings, and the gain from holding allowances.

Coupled enterprises whose options combine in few ways: the best of all combinations.

The program of an investment, ready to be solved, and the decision that its solution means.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt.data.groups import Groups
from etsopt.modelling import Prepared
from etsopt_models._effort import EXTENSIVE_FORM_CELLS_MAX, INVESTMENT_COMBINATIONS_MAX
from etsopt_models._investment.alternatives import Options, pricing_of
from etsopt_models._investment.scenarios import Risk
from etsopt_models._market.accounts import accounts_of
from etsopt_models._tolerances import SCENARIO_COST_MARGIN_SHARE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._investment.alternatives import Alternatives, Pricing
    from etsopt_models._investment.scenarios import Scenarios
    from etsopt_models._market.baseline import Baseline


@dataclass(frozen=True)
class ScenarioAccounts:
    """Accounts of the enterprises in every scenario.

    Parameters
    ----------
    traded_most
        Most that is bought, and most that is sold, in a year, shape ``(enterprises, scenarios, years)`` [t].
    banked_least, banked_most
        Limits of the balance at each point in time, shape ``(enterprises, scenarios, times)`` [t].
    price
        Discounted allowance price, shape ``(scenarios, years)`` [CNY/t].
    terminal
        Discounted worth of an allowance that is left after the last year [CNY/t].
    """

    traded_most: NDArray[np.float64]
    banked_least: NDArray[np.float64]
    banked_most: NDArray[np.float64]
    price: NDArray[np.float64]
    terminal: float

    @property
    def banked(self) -> NDArray[np.float64]:
        """Balance at each point in time that costs least, whatever is emitted: the price alone decides [t].

        The least one where nothing depends on it.
        """
        worth = np.column_stack([self.price[:, 1:], np.full(len(self.price), self.terminal)])
        gains = np.column_stack([np.zeros(len(self.price)), worth - self.price]) > 0
        return np.where(gains, self.banked_most, self.banked_least)

    @property
    def holding_cost(self) -> NDArray[np.float64]:
        """Discounted cost of these balances, shape ``(enterprises, scenarios)`` [CNY]; negative is a gain."""
        banked = self.banked
        bought = (self.price * np.diff(banked, axis=2)).sum(axis=2)
        cost: NDArray[np.float64] = bought - self.terminal * banked[:, :, -1]
        return cost


def accounts_in(instance: Instance, baseline: Baseline, scenarios: Scenarios) -> ScenarioAccounts:
    """Return the accounts of all enterprises in every scenario.

    An account keeps at most what it holds at the start and the surpluses of its years before abatement. It neither
    borrows nor buys to hold: that would be a bet on the path of a scenario, which nobody knows.
    """
    sector, traded, limits = instance.labels("sector").code, [], []
    for number in range(len(scenarios)):
        there = scenarios.applied(baseline, sector, number)
        accounts = accounts_of(instance, there, pooled=False, market=False)
        surplus = np.maximum(accounts.allowance - accounts.emissions, 0.0)
        most = np.column_stack([accounts.opening, accounts.opening[:, None] + np.cumsum(surplus, axis=1)])
        limits.append(most)
        traded.append(accounts.emissions + accounts.allowance_most + most[:, :-1] + most[:, 1:])
    most = np.stack(limits, axis=1)
    least = most.copy()
    least[:, :, 1:] = 0.0
    terminal = baseline.discount[-1] * instance.policy.market.terminal_price_cny_per_t
    return ScenarioAccounts(np.stack(traded, axis=1), least, most, baseline.discount * scenarios.price, float(terminal))


def decided_by_combination(instance: Instance, pricing: Pricing, accounts: ScenarioAccounts) -> Pricing:
    """Return the pricing in which enterprises with few combinations of options are decided, and coupled no more."""
    options, risk = pricing.options, Risk.of(instance, pricing.scenarios.probability)
    best, cost, still = pricing.best.copy(), pricing.cost.copy(), pricing.coupled.copy()
    first = np.append(np.flatnonzero(np.diff(options.unit, prepend=-1)), len(options.unit))
    owner = instance.labels("enterprise_id").code[options.unit[first[:-1]]]
    for enterprise in np.flatnonzero(pricing.coupled).tolist():
        checkpoint()
        rows = [np.arange(first[k], first[k + 1]) for k in np.flatnonzero(owner == enterprise)]
        if np.prod([float(len(row)) for row in rows]) * len(pricing.scenarios) > INVESTMENT_COMBINATIONS_MAX:
            continue
        chosen = _best(options, rows, accounts.holding_cost[enterprise], pricing.budget[enterprise], risk)
        best[options.unit[chosen]], cost[options.unit[chosen]] = options.number[chosen], options.cost[chosen]
        still[enterprise] = False
    left = still[instance.labels("enterprise_id").code[options.unit]]
    open_ones = Options(options.unit[left], options.number[left], options.cost[left], options.investment[left])
    return replace(pricing, best=best, cost=cost, undecided=still, options=open_ones)


def _best(
    options: Options,
    rows: list[NDArray[np.int64]],
    account_cost: NDArray[np.float64],
    budget: float,
    risk: Risk,
) -> NDArray[np.int64]:
    """Return the option of each unit of an enterprise of least objective within the budget, shape ``(units,)``."""
    cost, invested = account_cost[None], np.zeros(1)
    for row in rows:
        cost = (cost[:, None] + options.cost[row][None]).reshape(-1, cost.shape[1])
        invested = (invested[:, None] + options.investment[row][None]).ravel()
    value = np.where(invested <= budget, risk.objective(cost), np.inf)
    places = np.unravel_index(int(value.argmin()), tuple(len(row) for row in rows))
    return np.array([row[place] for row, place in zip(rows, places, strict=True)], dtype=np.int64)


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


@dataclass(frozen=True)
class PreparedInvestment(Prepared):
    """A program and the alternatives behind it.

    Parameters
    ----------
    pricing, accounts
        Every unit at the prices of the scenarios, and the accounts of enterprises in these.
    relax
        Solver of the program: `etsopt.running.model_inputs.Relaxation`.
    """

    pricing: Pricing
    accounts: ScenarioAccounts
    relax: Any

    def installed(self, install: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the set that every unit installs, from the values of the options, shape ``(units,)``."""
        chosen, options = self.pricing.best.copy(), self.pricing.options
        for option in np.flatnonzero(install[: len(options.unit)] > 1 / 2):
            chosen[options.unit[option]] = options.number[option]
        return chosen

    def multipliers(self, instance: Instance, costs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Return weights of scenarios and multipliers of budgets that bound the cost.

        Those of enterprises in the program come from its linear relaxation, the weights of others from their answer.

        Parameters
        ----------
        costs
            Cost of the answer, shape ``(enterprises, scenarios)`` [CNY].

        Returns
        -------
        weights, prices
            Shapes ``(enterprises, scenarios)`` and ``(enterprises,)``.
        """
        pricing = self.pricing
        weights, prices = Risk.of(instance, pricing.scenarios.probability).weights(costs), np.zeros(len(costs))
        within = (
            np.arange(len(costs)) if self.parameters["ENTERPRISES"] == len(costs) else np.flatnonzero(pricing.undecided)
        )
        if pricing.undecided.any():
            found = self.relax(self.parameters).levels[0].multipliers
            weights[within] = found["cost_of_scenario"].reshape(len(within), -1)
            prices[within[self.parameters["LIMITED"]]] = np.maximum(-found["budget"], 0.0)
        return weights, prices


def prepare_extensive(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any) -> PreparedInvestment:
    """Return the extensive form while it is small, else the priced program."""
    pricing = pricing_of(instance, before)
    if cells_of(pricing) > EXTENSIVE_FORM_CELLS_MAX:
        return _of_program(instance, pricing, relax)
    pricing = pricing_of(instance, before, every=True)
    accounts = accounts_in(instance, pricing.baseline, pricing.scenarios)
    return PreparedInvestment(extensive(instance, pricing, accounts), pricing, accounts, relax)


def prepare_priced(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any) -> PreparedInvestment:
    """Return the program over undecided enterprises alone, with the cost of each option in each scenario."""
    return _of_program(instance, pricing_of(instance, before), relax)


def _of_program(instance: Instance, pricing: Pricing, relax: Any) -> PreparedInvestment:
    accounts = accounts_in(instance, pricing.baseline, pricing.scenarios)
    pricing = decided_by_combination(instance, pricing, accounts)
    return PreparedInvestment(priced(instance, pricing, accounts), pricing, accounts, relax)
