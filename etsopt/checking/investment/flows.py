"""Check what follows from a decision in each scenario: emissions, allowances, trades, holdings and costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.cells import crossed, rows_are
from etsopt.checking.investment.statements import cells_follow
from etsopt.checking.market.accounts import derive_accounts
from etsopt.checking.market.statements import violations_above
from etsopt.checking.tolerances import TOTAL_TOLERANCE_T
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.arrays import Floats, Ints
    from etsopt.checking.investment.decisions import Decision
    from etsopt.checking.investment.derived import Derived
    from etsopt.checking.market.accounts import Accounts
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.verdict import Violation


@dataclass(frozen=True)
class Flows:
    """Costs of the decision, shape ``(enterprises, scenarios)`` [CNY].

    Parameters
    ----------
    costs
        Discounted cost of each enterprise in each scenario.
    least_account_cost
        Least discounted cost of its account in each scenario, if it neither emitted nor got anything.
    spending
        Expected discounted cost of measures and turnover of trades, of all enterprises, each above zero [CNY]: a gap
        is measured against it where costs and gains nearly cancel.
    """

    costs: Floats
    least_account_cost: Floats
    spending: float


def flows_of(  # long because every number of a scenario follows from those before it
    derived: Derived, decision: Decision, tables: Mapping[str, pd.DataFrame]
) -> tuple[Flows | None, list[Violation]]:
    """Return the costs of the decision and the violations of the years of enterprises; None without their rows."""
    instance, before, states, table = derived.instance, derived.before, derived.states, tables["scenario_years"]
    owner, years = instance.labels("enterprise_id"), before.years
    shape = (len(owner), len(states.names), len(years))
    keys = crossed(enterprise_id=owner.names, scenario=states.names, year=years)
    if violations := rows_are("scenario_years", table, keys):
        return None, violations
    bought, sold = (table[name].to_numpy(dtype=float).reshape(shape) for name in ("bought_t", "sold_t"))
    expected = {name: np.zeros(shape) for name in ("emissions_tco2e", "allowance_t", "measures_cost_cny", "banked_t")}
    terminal = before.discount[-1] * instance.policy.market.terminal_price_cny_per_t
    account, least = np.zeros(shape[:2]), np.zeros(shape[:2])
    spending = 0.0
    for number in range(shape[1]):
        there = derived.baselines[number]
        accounts = derive_accounts(instance, there, "abatement")
        of_units = _units(there, derived.offered, decision, derived.first, number)
        totals = [accounts.total(part) for part in of_units]
        traded = bought[:, number] - sold[:, number]
        banked = accounts.opening[:, None] + np.cumsum(totals[1] + traded - totals[0], axis=1)
        for name, values in zip(expected, (*totals, banked), strict=True):
            expected[name][:, number] = values
        most = _kept_most(accounts, there)
        size = TOTAL_TOLERANCE_T + 1e-9 * (accounts.emissions + most)
        limits = {
            "not_negative": -np.minimum(bought[:, number], sold[:, number]),
            "borrowing": -banked,
            "held": banked - most,
        }
        labels = owner.names + f" {states.names[number]}"
        message = _("trades are zero or more, and holdings within their limits")
        for rule, by in limits.items():
            violations += violations_above(rule, labels, years, message, by, size, "t")
        price = before.discount * states.price[number]
        account[:, number] = (before.discount * totals[2] + price * traded).sum(axis=1) - terminal * banked[:, -1]
        turnover = price * (bought[:, number] + sold[:, number])
        spending += states.probability[number] * float((before.discount * np.abs(totals[2]) + turnover).sum())
        # What is kept to the next year was bought at this year's price, and is worth that of the next.
        gain = np.maximum(np.append(price[1:], terminal) - price, 0.0)
        least[:, number] = -price[0] * accounts.opening - most @ gain
    expected["price_cny_per_t"] = np.broadcast_to(states.price, shape)
    expected["allowances_cost_cny"] = states.price * (bought - sold)
    expected["total_cost_cny"] = expected["measures_cost_cny"] + expected["allowances_cost_cny"]
    violations += cells_follow("scenario_years", table, expected, [*keys])
    return Flows(account, least, spending), violations


def _kept_most(accounts: Accounts, there: Baseline) -> Floats:
    """Return the most that an account keeps at the end of each year: its opening and its surpluses before abatement."""
    units = np.arange(len(there.emissions))
    free = [there.free(units, t, there.emissions[:, t], np.ones(len(units))) for t in range(len(there.years))]
    surplus = np.maximum(accounts.total(np.column_stack(free)) - accounts.total(there.emissions), 0.0)
    return np.asarray(accounts.opening[:, None] + np.cumsum(surplus, axis=1))


def _units(there: Baseline, offered: Choices, decision: Decision, first: Ints, number: int) -> tuple[Floats, ...]:
    """Return emissions, free allowances and cost of measures of units in each year of a scenario."""
    emissions, free, cost = np.zeros((3, *there.emissions.shape))
    everyone = np.arange(len(emissions))
    for t, year in enumerate(there.years):
        runs, factor = decision.runs[:, :, number, t], offered.factor(year)
        left, kept, produced = (
            np.where(runs, part, 1.0).prod(axis=1)
            for part in (offered.left, offered.intensity_left, offered.output_left)
        )
        emissions[:, t] = there.emissions[:, t] * left
        free[:, t] = there.free(everyone, t, emissions[:, t], kept, produced)
        paid = np.where(decision.installed & (first <= t), offered.fixed * factor, 0.0).sum(axis=1)
        cost[:, t] = paid + np.where(runs, offered.variable * factor, 0.0).sum(axis=1) * there.output[:, t]
    return emissions, free, cost
