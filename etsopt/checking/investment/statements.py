"""Check the tables of an investment that state decisions, costs in scenarios and values of information."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.cells import above, crossed, distance, rows_are
from etsopt.checking.market.statements import unit_of
from etsopt.checking.tolerances import AMOUNT_TOLERANCE_CNY, CELL_TOLERANCE, MULTIPLIER_TOLERANCE, NUMBER_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.investment.derived import Derived
    from etsopt.checking.investment.sets import SetCosts
    from etsopt.checking.readings.instance_inputs import InstanceInputs


def rows_follow(derived: Derived, table: pd.DataFrame) -> Iterator[Violation]:
    """Check the columns of the decision that follow from the measures."""
    instance, offered = derived.instance, derived.offered
    units = instance.units.set_index("unit_id")
    for column in ("enterprise_id", "sector"):
        wanted = units[column].reindex(table["unit_id"]).to_numpy(dtype=object)
        if (table[column].to_numpy(dtype=object) != wanted).any():
            yield Violation("tables_follow", f"investments.{column}", 1.0, "cells", _("the column is that of the unit"))
    unit = instance.units["unit_id"].searchsorted(table["unit_id"]) if len(table) else np.zeros(0, dtype=np.int64)
    slot = offered.slots_in(table, unit)
    years = np.append(derived.before.years.astype(float), np.nan)
    expected = {"first_year": years[derived.first[unit, slot]], "investment_cny": derived.investment[unit, slot]}
    yield from cells_follow("investments", table, expected)


def cells_follow(
    name: str, table: pd.DataFrame, expected: Mapping[str, Any], keys: Sequence[str] = ()
) -> Iterator[Violation]:
    """Check numbers of a table; of each column the first row that is off is named.

    Parameters
    ----------
    keys
        Columns that name a row, of which the last word of a column tells the unit; without them its number does.
    """
    for column, values in expected.items():
        flat, unit = np.asarray(values, dtype=float).ravel(), unit_of(column)
        off = distance(table[column], flat)
        size = CELL_TOLERANCE[unit] if unit in ("t", "CNY") else NUMBER_RELATIVE * (unit == "CNY/t")
        missed = ~(off <= size + NUMBER_RELATIVE * np.abs(np.nan_to_num(flat)))
        if missed.any():
            row = int(missed.argmax())
            where, message = f"{name}.{column}, row {row}", _("it is {expected:.12g}", expected=flat[row])
            if keys:
                where, unit = (
                    f"{' '.join(str(table[key].iloc[row]) for key in keys)}, {column}",
                    column.rpartition("_")[2],
                )
            yield Violation("tables_follow", where, float(off[row]), unit, message)


def mean_is_least(instance: InstanceInputs, costs: SetCosts, at_mean: Mask) -> list[Violation]:
    """Check that what would be installed at expected values costs least there."""
    everyone = np.arange(len(costs.sets.units))
    chosen = costs.at_mean[costs.numbers(at_mean), everyone]
    off = chosen - costs.at_mean.min(axis=0)
    labels, size = instance.units["unit_id"].to_numpy()[costs.sets.units], AMOUNT_TOLERANCE_CNY + 1e-9 * np.abs(chosen)
    return above("at_mean", labels, off, size, "CNY", _("it costs least at the expected values"))


def weights_are_possible(derived: Derived, table: pd.DataFrame) -> list[Violation]:
    """Check that the weights of the scenarios of every enterprise add up to one within the limits of CVaR."""
    objective = derived.objective
    weights = table["weight"].to_numpy(dtype=float).reshape(-1, len(objective.probability))
    lower = (1 - objective.weight) * objective.probability
    upper = lower + objective.weight * objective.probability / objective.tail
    off = np.maximum(np.maximum(lower - weights, weights - upper).max(axis=1), np.abs(weights.sum(axis=1) - 1))
    message = _("the weights of the scenarios add up to one, and CVaR allows them")
    return above("weights", derived.instance.labels("enterprise_id").names, off, MULTIPLIER_TOLERANCE, "1", message)


def budget_prices_are_possible(derived: Derived, table: pd.DataFrame, most: Floats) -> Iterator[Violation]:
    """Check that a multiplier of a budget is from zero to what a CNY may save at most, and zero without a budget."""
    prices = table["budget_shadow_price"].to_numpy(dtype=float)
    if not np.isnan(prices[-1]):
        yield Violation("budget_prices", "all", 1.0, "CNY/CNY", _("all enterprises together have no budget"))
    names = derived.instance.labels("enterprise_id").names
    for name, price, limit in zip(names, prices, np.where(np.isfinite(derived.budget), most, 0.0), strict=False):
        if not -MULTIPLIER_TOLERANCE <= price <= limit * (1 + MULTIPLIER_TOLERANCE) + MULTIPLIER_TOLERANCE:
            message = _("it is from 0 to {most:.6g}, which a CNY of investment saves at most", most=limit)
            yield Violation("budget_prices", str(name), float(abs(price)), "CNY/CNY", message)


def costs_follow(derived: Derived, table: pd.DataFrame, costs: Floats, others: list[Floats]) -> Iterator[Violation]:
    """Check costs and regret in every scenario."""
    names = derived.instance.labels("enterprise_id").names
    keys = crossed(enterprise_id=names, scenario=derived.states.names)
    if violations := rows_are("scenario_costs", table, keys):
        yield from violations
        return
    expected = {"probability": np.broadcast_to(derived.states.probability, costs.shape), "cost_cny": costs}
    if derived.values_are_stated:
        at_mean, least = others
        expected |= {"cost_at_mean_cny": at_mean, "least_cost_cny": least, "regret_cny": costs - least}
    yield from cells_follow("scenario_costs", table, expected)


def summary_follows(
    derived: Derived, table: pd.DataFrame, costs: Floats, others: list[Floats], invested: Floats
) -> Iterator[Violation]:
    """Check the objective of every enterprise, the values of information, and the sums in the last row."""
    names = [*derived.instance.labels("enterprise_id").names, ""]
    if violations := rows_are("investment_summary", table, {"enterprise_id": names}):
        yield from violations
        return
    objective = derived.objective
    columns = {
        "investment_cny": invested,
        "expected_cost_cny": costs @ objective.probability,
        "cvar_cny": objective.cvar(costs),
        "objective_cny": objective.value(costs),
    }
    if derived.values_are_stated:
        at_mean, known = (objective.value(part) for part in others)
        columns |= {
            "objective_at_mean_cny": at_mean,
            "objective_perfect_information_cny": known,
            "value_of_stochastic_solution_cny": at_mean - columns["objective_cny"],
            "value_of_perfect_information_cny": columns["objective_cny"] - known,
        }
    expected = {name: np.append(values, values.sum()) for name, values in columns.items()}
    expected["price_year"] = np.full(len(names), float(derived.instance.price_year))
    if not derived.values_are_stated:
        limit = np.where(np.isfinite(derived.budget), derived.budget, np.nan)
        expected["budget_cny"] = np.append(limit, np.nan)
    yield from cells_follow("investment_summary", table, expected)
