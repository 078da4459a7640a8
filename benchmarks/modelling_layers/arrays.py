"""The programs as an expert writes them by hand: numpy arrays in rows, no modelling layer.

Rows and columns stand in the order in which the models declare them, so that the result equals the product's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.modelling_layers.handing import extract, hand_over, solve
from etsopt.stamp.program import Objective, Program
from etsopt.stamp.rows import SparseRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.problems import Problem
    from etsopt.data.groups import Groups

__all__ = ["build", "extract", "hand_over", "solve"]

Rows = tuple[Any, Any, Any, Any, Any]
"""Entries of each row, columns, coefficients, lower and upper limits of the rows."""


def build(problem: Problem, data: Mapping[str, Any]) -> Program:
    """Make the program of a problem from its data."""
    return FAMILIES[problem.family](data, problem.objective)


COSTED = {
    "change": ("increase", "decrease"),
    "worst": ("worst_rate",),
    "deficit": ("shortfall",),
    "spread": ("above", "below"),
}


def allocation(data: Mapping[str, Any], level: str) -> Program:
    """Allocation; the sets of the levels hold every unit or none."""
    changed, short, spread = (slice(len(data[name])) for name in ("CHANGED", "SHORT", "SPREAD"))
    most = {
        "allowance": data["upper"],
        "increase": data["increase_most"][changed],
        "decrease": data["decrease_most"][changed],
        "worst_rate": np.array([data["worst_most"]]),
        "shortfall": data["emissions"][short],
        "above": data["upper"][spread],
        "below": data["at_target_rate"][spread],
    }
    columns = _slices({name: len(block) for name, block in most.items()})
    upper = np.concatenate(list(most.values()))
    lower, cost = np.zeros(len(upper)), np.zeros(len(upper))
    lower[columns["allowance"]] = data["lower"]
    for name in COSTED[level]:
        cost[columns[name]] = data["per_total_emissions"] if level == "spread" else 1.0
    rows = {
        "sector_target": _totals(data["UNITS_IN_SECTOR"], data["target_least"], data["target_most"]),
        "province_balance": _totals(data["UNITS_IN_PROVINCE"], data["balance_least"], data["balance_most"]),
        **_level_rows(data, {name: part.start for name, part in columns.items()}),
    }
    return _program(rows, columns, lower, upper, {level: cost})


def _level_rows(data: Mapping[str, Any], first: Mapping[str, int]) -> dict[str, Rows]:
    """Rows of the levels that the program has; `first` has the first column of each variable."""
    units = np.arange(data["UNITS"], dtype=np.int32)
    emissions, reference, target = data["emissions"], data["reference"], data["at_target_rate"]
    allowance, increase, decrease = units, first["increase"] + units, first["decrease"] + units
    shortfall, above, below = (first[name] + units for name in ("shortfall", "above", "below"))
    rows = {}
    if len(data["CHANGED"]):
        terms = (allowance, 1.0), (increase, -1.0), (decrease, 1.0)
        rows["change_from_reference"] = _alike(terms, reference, reference)
    if len(data["WORST"]):
        terms = (increase, 1.0), (decrease, 1.0), (first["worst_rate"], -emissions)
        rows["worst_covers"] = _alike(terms, np.full(len(units), -np.inf), np.zeros(len(units)))
    if len(data["SHORT"]):
        rows["shortfall_covers"] = _alike(((allowance, 1.0), (shortfall, 1.0)), emissions, np.full(len(units), np.inf))
    if len(data["SPREAD"]):
        terms = (allowance, 1.0), (above, -1.0), (below, 1.0)
        rows["distance_from_target_rate"] = _alike(terms, target, target)
    return rows


def abatement(data: Mapping[str, Any], objective: str) -> Program:
    """Abatement; the columns of a firm's plans stand side by side, the first plan reduces nothing."""
    firms, plans, groups = data["FIRMS"], data["PLANS"], data["FIRMS_IN_SECTOR"]
    count = firms * plans
    every = np.arange(count, dtype=np.int32)
    reducing = every.reshape(firms, plans)[groups.members, 1:].ravel()
    sizes = (plans - 1) * np.diff(groups.starts)
    least, endless = data["reduction_least"], np.full(len(groups), np.inf)
    one = np.ones(firms)
    rows = {
        "one_plan": (np.full(firms, plans), every, np.ones(count), one, one),
        "market": ([count], every, data["position"].ravel(), [-np.inf], [0.0]),
        "sector_cap": (sizes, reducing, data["reduction"].ravel()[reducing], least, endless),
    }
    cost = {objective: data["plan_cost"].ravel()}
    return _program(rows, {"pick": slice(0, count)}, np.zeros(count), np.ones(count), cost, whole=True)


def banking(data: Mapping[str, Any], objective: str) -> Program:
    """Banking; the columns of a firm's years stand side by side, the bank has one more."""
    firms, years = data["need"].shape
    count = firms * years
    every = np.arange(count, dtype=np.int32)
    sizes = {"cheap": count, "dear": count, "bank": firms * (years + 1), "buy": count, "sell": count}
    columns = _slices(sizes)
    cheap, dear, bank, buy, sell = (part.start for part in columns.values())
    opens = bank + every + np.repeat(np.arange(firms, dtype=np.int32), years)
    terms = (cheap + every, 1.0), (dear + every, 1.0), (buy + every, 1.0), (sell + every, -1.0), (opens, 1.0)
    by_year = every.reshape(firms, years).T
    traded = np.stack([buy + by_year, sell + by_year], axis=2).ravel()
    signs = np.tile([1.0, -1.0], count)
    need = data["need"].ravel()
    rows = {
        "balance": _alike((*terms, (opens + 1, -1.0)), need, need),
        "market": (np.full(years, 2 * firms), traded, signs, np.zeros(years), np.zeros(years)),
    }
    fee = np.tile(data["fee"] * data["discount"], firms)
    costs = [np.outer(data[name], data["discount"]).ravel() for name in ("cheap_cost", "dear_cost")]
    most = [data[name].ravel() for name in ("cheap_most", "dear_most", "bank_most")]
    most += [np.repeat(data[name], years) for name in ("buy_most", "sell_most")]
    cost = np.concatenate([*costs, np.zeros(sizes["bank"]), fee, fee])
    return _program(rows, columns, np.zeros(len(cost)), np.concatenate(most), {objective: cost})


FAMILIES = {"allocation": allocation, "abatement": abatement, "banking": banking}


def _slices(sizes: Mapping[str, int]) -> dict[str, slice]:
    ends = np.cumsum(list(sizes.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}


def _alike(terms: tuple[tuple[Any, Any], ...], lower: Any, upper: Any) -> Rows:
    """Rows with one entry from each term: the columns of a term, and its coefficients."""
    indices = np.empty((len(lower), len(terms)), dtype=np.int32)
    values = np.empty(indices.shape)
    for number, (column, coefficient) in enumerate(terms):
        indices[:, number] = column
        values[:, number] = coefficient
    return np.full(len(lower), len(terms)), indices.ravel(), values.ravel(), lower, upper


def _totals(groups: Groups, lower: Any, upper: Any) -> Rows:
    """A row for each group that adds its members, which are the first columns."""
    return np.diff(groups.starts), groups.members, np.ones(len(groups.members)), lower, upper


def _program(
    rows: Mapping[str, Rows],
    columns: dict[str, slice],
    lower: Any,
    upper: Any,
    costs: Mapping[str, Any],
    whole: bool = False,
) -> Program:
    counts, indices, values, least, most = (
        np.concatenate(parts, dtype=kind)
        for parts, kind in zip(zip(*rows.values(), strict=True), (np.int32, np.int32, float, float, float), strict=True)
    )
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    matrix = SparseRows(values, indices, starts, len(lower))
    objectives = {name: Objective(cost, None, 0.0, "") for name, cost in costs.items()}
    parts = _slices({name: len(block[0]) for name, block in rows.items()})
    return Program(matrix, least, most, lower, upper, np.full(len(lower), whole), parts, columns, objectives)
