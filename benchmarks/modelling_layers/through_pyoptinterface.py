"""The programs through PyOptInterface, row by row; building a model passes it to HiGHS at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyoptinterface as poi
from pyoptinterface import highs

from benchmarks.modelling_layers import NotSolvedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.problems import Problem

Built = tuple[highs.Model, dict[str, list[Any]]]


def build(problem: Problem, data: Mapping[str, Any]) -> Built:
    """Return the model of a problem."""
    model = highs.Model()
    return model, FAMILIES[problem.family](model, data, problem.objective)


def hand_over(built: Built, problem: Problem, options: Mapping[str, Any]) -> Any:
    """Set the options; HiGHS already has the program."""
    for name, value in options.items():
        built[0].set_raw_parameter(name, value)
    return built[0]


def solve(model: Any) -> Any:
    """Run HiGHS."""
    model.optimize()
    status = model.get_model_attribute(poi.ModelAttribute.TerminationStatus)
    if status != poi.TerminationStatusCode.OPTIMAL:
        raise NotSolvedError(status.name)
    return model


def extract(built: Built, model: Any) -> dict[str, Any]:
    """Return the values of every variable."""
    return {name: np.array([model.get_value(one) for one in block]) for name, block in built[1].items()}


def allocation(model: Any, data: Mapping[str, Any], level: str) -> dict[str, list[Any]]:
    """Return the allocation model; the sets of the objectives hold every unit or none."""
    units = range(data["UNITS"])
    lists = {name: data[name].tolist() for name in ("emissions", "reference", "at_target_rate", "lower", "upper")}
    emissions, reference, target = lists["emissions"], lists["reference"], lists["at_target_rate"]
    allowance = [model.add_variable(lb=low, ub=high) for low, high in zip(lists["lower"], lists["upper"], strict=True)]
    increase, decrease, shortfall, above, below = ([] for _ in range(5))
    rate = model.add_variable(lb=0.0, ub=data["largest_rate_most"])
    for groups, least, most in (
        ("SECTOR", "target_least", "target_most"),
        ("PROVINCE", "balance_least", "balance_most"),
    ):
        for group, low, high in zip(range(len(data[least])), data[least].tolist(), data[most].tolist(), strict=True):
            members = data[f"UNITS_IN_{groups}"][group].tolist()
            model.add_linear_constraint(poi.quicksum(allowance[i] for i in members), (low, high))
    if len(data["CHANGE_MEASURED"]):
        increase, decrease = _columns(model, data["increase_most"]), _columns(model, data["decrease_most"])
        for i in units:
            model.add_linear_constraint(allowance[i] - increase[i] + decrease[i], poi.Eq, reference[i])
    if len(data["LARGEST_CHANGE_MEASURED"]):
        for i in units:
            model.add_linear_constraint(increase[i] + decrease[i] - emissions[i] * rate, poi.Leq, 0.0)
    if len(data["DEFICIT_MEASURED"]):
        shortfall = _columns(model, data["emissions"])
        for i in units:
            model.add_linear_constraint(allowance[i] + shortfall[i], poi.Geq, emissions[i])
    if len(data["SPREAD_MEASURED"]):
        above, below = _columns(model, data["upper"]), _columns(model, data["at_target_rate"])
        for i in units:
            model.add_linear_constraint(allowance[i] - above[i] + below[i], poi.Eq, target[i])
    costed = {"change": increase + decrease, "largest_change": [rate], "deficit": shortfall, "spread": above + below}[
        level
    ]
    weight = data["per_total_emissions"] if level == "spread" else 1.0
    _minimise(model, costed, [weight] * len(costed))
    names = {"allowance": allowance, "increase": increase, "decrease": decrease, "largest_rate": [rate]}
    return names | {"shortfall": shortfall, "above": above, "below": below}


def abatement(model: Any, data: Mapping[str, Any], objective: str) -> dict[str, list[Any]]:
    """Return the abatement model; the plans of a firm are adjacent columns."""
    firms, plans, groups = data["FIRMS"], data["PLANS"], data["FIRMS_IN_SECTOR"]
    pick = [[model.add_variable(domain=poi.VariableDomain.Binary) for _ in range(plans)] for _ in range(firms)]
    flat = [one for row in pick for one in row]
    for i in range(firms):
        model.add_linear_constraint(poi.quicksum(pick[i]), poi.Eq, 1.0)
    model.add_linear_constraint(_total(flat, data["position"].ravel()), poi.Leq, 0.0)
    for group, least in enumerate(data["reduction_least"].tolist()):
        members = groups[group]
        chosen = [one for i in members.tolist() for one in pick[i]]
        model.add_linear_constraint(_total(chosen, data["reduction"][members].ravel()), poi.Geq, least)
    _minimise(model, flat, data["plan_cost"].ravel())
    return {"pick": flat}


def banking(model: Any, data: Mapping[str, Any], objective: str) -> dict[str, list[Any]]:
    """Return the banking model; the years of a firm are adjacent columns, the bank has one more."""
    firms, years = data["need"].shape
    cheap, dear, bank = (_columns(model, data[name].ravel()) for name in ("cheap_most", "dear_most", "bank_most"))
    buy, sell = (_columns(model, np.repeat(data[name], years)) for name in ("buy_most", "sell_most"))
    for number, need in enumerate(data["need"].ravel().tolist()):
        opens = number + number // years
        kept = bank[opens] - bank[opens + 1]
        traded = buy[number] - sell[number]
        model.add_linear_constraint(cheap[number] + dear[number] + traded + kept, poi.Eq, need)
    signs = np.repeat([1.0, -1.0], firms)
    for year in range(years):
        model.add_linear_constraint(_total(buy[year::years] + sell[year::years], signs), poi.Eq, 0.0)
    costs = [np.outer(data[name], data["discount"]).ravel() for name in ("cheap_cost", "dear_cost")]
    fee = np.tile(data["fee"] * data["discount"], firms)
    _minimise(model, cheap + dear + buy + sell, np.concatenate([*costs, fee, fee]))
    return {"cheap": cheap, "dear": dear, "bank": bank, "buy": buy, "sell": sell}


FAMILIES = {"allocation": allocation, "abatement": abatement, "banking": banking}


def _columns(model: Any, most: Any) -> list[Any]:
    return [model.add_variable(lb=0.0, ub=high) for high in most.tolist()]


def _total(columns: list[Any], coefficients: Any) -> Any:
    """Return a long sum from arrays, the fastest way of this tool."""
    numbers = np.array([one.index for one in columns], dtype=np.int32)
    return poi.ScalarAffineFunction.from_numpy(np.asarray(coefficients, dtype=float), numbers)


def _minimise(model: Any, columns: list[Any], costs: Any) -> None:
    model.set_objective(_total(columns, costs), poi.ObjectiveSense.Minimize)
