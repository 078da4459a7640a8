"""Check what follows from a decision in each scenario: emissions, allowances, trades, holdings and costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.totals import distance, wrong_with
from etsopt.checking.cells import of_column
from etsopt.checking.market.accounts import derive_accounts
from etsopt.checking.tolerances import AMOUNT_TOLERANCE_CNY, TOTAL_TOLERANCE_T
from etsopt.checking.verdict import Violation
from etsopt.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.investment.decisions import Decision
    from etsopt.checking.investment.states import States
    from etsopt.checking.market.accounts import Accounts
    from etsopt.readings.baseline import Baseline
    from etsopt.readings.choices import Choices
    from etsopt.readings.instance_inputs import InstanceInputs

TEXTS = {
    "investments": ("unit_id", "enterprise_id", "sector", "measure_id"),
    "operations": ("unit_id", "measure_id", "scenario"),
    "scenario_years": ("enterprise_id", "scenario"),
    "scenario_costs": ("enterprise_id", "scenario"),
    "investment_summary": ("enterprise_id",),
}
TRUTHS = {"investments": ("installed",), "operations": ("runs",)}
NUMBERS = {
    "investments": (),
    "operations": ("year",),
    "scenario_years": ("year", "bought_t", "sold_t"),
    "scenario_costs": ("weight",),
    "investment_summary": (),
}


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

    costs: NDArray[np.float64]
    least_account_cost: NDArray[np.float64]
    spending: float


def shapes(tables: Mapping[str, pd.DataFrame], with_values: bool) -> Iterator[Violation]:
    """Check that tables and the columns that are read are present, and of their kinds."""
    truths = dict(TRUTHS) | ({"investments": ("installed", "installed_at_mean")} if with_values else {})
    for name, texts in TEXTS.items():
        if name not in tables:
            yield Violation("tables", name, 1.0, "tables", _("the table is present"))
            continue
        # That a budget has a multiplier is asked with the budgets.
        stated = [column for column in ("budget_shadow_price",) if column in tables[name]]
        for column in (*texts, *NUMBERS[name], *stated):
            if wrong := wrong_with(tables[name], column, column not in texts):
                yield Violation("tables", f"{name}.{column}", 1.0, "columns", of_column(wrong))
        for column in truths.get(name, ()):
            if column not in tables[name] or (len(tables[name]) and tables[name][column].dtype != bool):
                yield Violation("tables", f"{name}.{column}", 1.0, "columns", _("the column holds true or false"))


def flows_of(  # long because every number of a scenario follows from those before it
    instance: InstanceInputs,
    before: Baseline,
    baselines: Sequence[Baseline],
    states: States,
    offered: Choices,
    decision: Decision,
    first: NDArray[np.int64],
    tables: Mapping[str, pd.DataFrame],
) -> tuple[Flows | None, list[Violation]]:
    """Return the costs of the decision and the violations of the years of enterprises; None without their rows."""
    owner, years, table = instance.labels("enterprise_id"), before.years, tables["scenario_years"]
    shape = (len(owner), len(states.names), len(years))
    keys = {
        "enterprise_id": np.repeat(owner.names, shape[1] * shape[2]),
        "scenario": np.tile(np.repeat(np.array(states.names, dtype=object), shape[2]), shape[0]),
        "year": np.tile(years, shape[0] * shape[1]),
    }
    for column, cells in keys.items():
        if table[column].tolist() != cells.tolist():
            message = _("the rows are the years of each scenario of each enterprise")
            return None, [Violation("same_rows", f"scenario_years.{column}", 1.0, "rows", message)]
    bought, sold = (table[name].to_numpy(dtype=float).reshape(shape) for name in ("bought_t", "sold_t"))
    expected = {name: np.zeros(shape) for name in ("emissions_tco2e", "allowance_t", "measures_cost_cny", "banked_t")}
    terminal = before.discount[-1] * instance.policy.market.terminal_price_cny_per_t
    account, least = np.zeros(shape[:2]), np.zeros(shape[:2])
    violations: list[Violation] = []
    spending = 0.0
    for number in range(shape[1]):
        there = baselines[number]
        accounts = derive_accounts(instance, there, "abatement")
        of_units = _units(there, offered, decision, first, number)
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
        for rule, by in limits.items():
            for enterprise, year in np.argwhere(~(by <= size)):
                where = f"{owner.names[enterprise]} {states.names[number]} {years[year]}"
                message = _("trades are zero or more, and holdings within their limits")
                violations.append(Violation(rule, where, float(by[enterprise, year]), "t", message))
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
    return Flows(account, least, spending), violations + list(_follow(table, expected))


def _kept_most(accounts: Accounts, there: Baseline) -> NDArray[np.float64]:
    """Return the most that an account keeps at the end of each year: its opening and its surpluses before abatement."""
    units = np.arange(len(there.emissions))
    free = [there.free(units, t, there.emissions[:, t], np.ones(len(units))) for t in range(len(there.years))]
    surplus = np.maximum(accounts.total(np.column_stack(free)) - accounts.total(there.emissions), 0.0)
    most: NDArray[np.float64] = accounts.opening[:, None] + np.cumsum(surplus, axis=1)
    return most


def _units(
    there: Baseline, offered: Choices, decision: Decision, first: NDArray[np.int64], number: int
) -> tuple[NDArray[np.float64], ...]:
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


def _follow(table: pd.DataFrame, expected: Mapping[str, NDArray[np.float64]]) -> Iterator[Violation]:
    """Check that every column follows from the decision and the trades."""
    for column, values in expected.items():
        if wrong := wrong_with(table, column, True):
            yield Violation("tables", f"scenario_years.{column}", 1.0, "columns", of_column(wrong))
            continue
        flat = values.ravel()
        off = distance(table[column], flat)
        size = (
            {"cny": AMOUNT_TOLERANCE_CNY, "t": TOTAL_TOLERANCE_T, "tco2e": TOTAL_TOLERANCE_T}[column.rpartition("_")[2]]
            if "_per_" not in column
            else 1e-9
        )
        wrong_rows = ~(off <= size + 1e-9 * np.abs(flat))
        if wrong_rows.any():
            row = int(wrong_rows.argmax())
            keys = table.iloc[row]
            where = f"{keys['enterprise_id']} {keys['scenario']} {keys['year']}, {column}"
            message = _("it is {expected:.12g}", expected=flat[row])
            yield Violation("tables_follow", where, float(off[row]), column.rpartition("_")[2], message)
