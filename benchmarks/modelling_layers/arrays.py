"""The programs written by hand as numpy arrays in rows, without a modelling layer.

Rows and columns have the order in which the models declare them, so that the result equals that of the product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.modelling_layers.handing import extract, hand_over, solve
from etsopt.modelling.program.program import Objective, Program
from etsopt.modelling.program.sparse_rows import SparseRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.problems import Problem
    from etsopt.data.groups import Groups

__all__ = ["build", "extract", "hand_over", "solve"]

Rows = tuple[Any, Any, Any, Callable[[Any, Any], None]]
"""Entries per row, limits of the rows, and a function that writes columns and coefficients of the entries.

It writes in place: at a million firms, first access to memory dominates the time.
"""


def build(problem: Problem, data: Mapping[str, Any]) -> Program:
    """Return the program of a problem from its data."""
    return FAMILIES[problem.family](data, problem.objective)


COSTED = {
    "change": ("increase", "decrease"),
    "largest_change": ("largest_rate",),
    "deficit": ("shortfall",),
    "spread": ("above", "below"),
}


def allocation(data: Mapping[str, Any], level: str) -> Program:
    """Return the allocation program; the sets of the objectives hold every unit or none."""
    changed, short, spread = (
        slice(len(data[name])) for name in ("CHANGE_MEASURED", "DEFICIT_MEASURED", "SPREAD_MEASURED")
    )
    most = {
        "allowance": data["upper"],
        "increase": data["increase_most"][changed],
        "decrease": data["decrease_most"][changed],
        "largest_rate": np.array([data["largest_rate_most"]]),
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
    """Return the rows of the objectives present; `first` is the first column of each variable."""
    units = np.arange(data["UNITS"], dtype=np.int32)
    emissions, reference, target = data["emissions"], data["reference"], data["at_target_rate"]
    allowance, increase, decrease = units, first["increase"] + units, first["decrease"] + units
    shortfall, above, below = (first[name] + units for name in ("shortfall", "above", "below"))
    rows = {}
    if len(data["CHANGE_MEASURED"]):
        terms = (allowance, 1.0), (increase, -1.0), (decrease, 1.0)
        rows["change_from_reference"] = _alike(terms, reference, reference)
    if len(data["LARGEST_CHANGE_MEASURED"]):
        terms = (increase, 1.0), (decrease, 1.0), (first["largest_rate"], -emissions)
        rows["largest_change_covers"] = _alike(terms, np.full(len(units), -np.inf), np.zeros(len(units)))
    if len(data["DEFICIT_MEASURED"]):
        rows["shortfall_covers"] = _alike(((allowance, 1.0), (shortfall, 1.0)), emissions, np.full(len(units), np.inf))
    if len(data["SPREAD_MEASURED"]):
        terms = (allowance, 1.0), (above, -1.0), (below, 1.0)
        rows["distance_from_target_rate"] = _alike(terms, target, target)
    return rows


def abatement(data: Mapping[str, Any], objective: str) -> Program:
    """Return the abatement program; the plans of a firm are adjacent columns, the first plan reduces nothing."""
    firms, plans, groups = data["FIRMS"], data["PLANS"], data["FIRMS_IN_SECTOR"]
    count = firms * plans

    def pick(indices: Any, values: Any) -> None:
        indices[:], values[:] = np.arange(count, dtype=np.int32), 1.0

    def trade(indices: Any, values: Any) -> None:
        indices[:], values[:] = np.arange(count, dtype=np.int32), data["position"].ravel()

    def reduce(indices: Any, values: Any) -> None:
        shape = len(groups.members), plans - 1
        first = (plans * groups.members).astype(np.int32)
        np.add(first[:, np.newaxis], np.arange(1, plans, dtype=np.int32), out=indices.reshape(shape))
        values.reshape(shape)[:] = data["reduction"][groups.members, 1:]

    one, endless = np.ones(firms), np.full(len(groups), np.inf)
    rows = {
        "one_plan": (np.full(firms, plans), one, one, pick),
        "market": ([count], [-np.inf], [0.0], trade),
        "sector_cap": ((plans - 1) * np.diff(groups.starts), data["reduction_least"], endless, reduce),
    }
    cost = {objective: data["plan_cost"].ravel()}
    return _program(rows, {"pick": slice(0, count)}, np.zeros(count), np.ones(count), cost, whole=True)


def banking(data: Mapping[str, Any], objective: str) -> Program:
    """Return the banking program; the years of a firm are adjacent columns, the bank has one more."""
    firms, years = data["need"].shape
    count = firms * years
    every = np.arange(count, dtype=np.int32)
    sizes = {"cheap": count, "dear": count, "bank": firms * (years + 1), "buy": count, "sell": count}
    columns = _slices(sizes)
    cheap, dear, bank, buy, sell = (part.start for part in columns.values())
    opens = bank + every + np.repeat(np.arange(firms, dtype=np.int32), years)
    terms = (cheap + every, 1.0), (dear + every, 1.0), (buy + every, 1.0), (sell + every, -1.0), (opens, 1.0)

    def trade(indices: Any, values: Any) -> None:
        by_year = every.reshape(firms, years).T
        pairs = indices.reshape(years, firms, 2)
        pairs[:, :, 0], pairs[:, :, 1] = buy + by_year, sell + by_year
        values[0::2], values[1::2] = 1.0, -1.0

    need, nothing = data["need"].ravel(), np.zeros(years)
    rows = {
        "balance": _alike((*terms, (opens + 1, -1.0)), need, need),
        "market": (np.full(years, 2 * firms), nothing, nothing, trade),
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
    """Return rows with one entry per term: the columns of a term, and its coefficients."""

    def write(indices: Any, values: Any) -> None:
        shape = len(lower), len(terms)
        for number, (column, coefficient) in enumerate(terms):
            indices.reshape(shape)[:, number] = column
            values.reshape(shape)[:, number] = coefficient

    return np.full(len(lower), len(terms)), lower, upper, write


def _totals(groups: Groups, lower: Any, upper: Any) -> Rows:
    """Return one row per group that adds its members, the first columns."""

    def write(indices: Any, values: Any) -> None:
        indices[:], values[:] = groups.members, 1.0

    return np.diff(groups.starts), lower, upper, write


def _program(
    rows: Mapping[str, Rows],
    columns: dict[str, slice],
    lower: Any,
    upper: Any,
    costs: Mapping[str, Any],
    whole: bool = False,
) -> Program:
    counts = np.concatenate([block[0] for block in rows.values()])
    least, most = (np.concatenate([block[side] for block in rows.values()]) for side in (1, 2))
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    indices, values = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1])
    parts = _slices({name: len(block[0]) for name, block in rows.items()})
    for name, (*_, write) in rows.items():
        own = slice(starts[parts[name].start], starts[parts[name].stop])
        write(indices[own], values[own])
    matrix = SparseRows(values, indices, starts, len(lower))
    objectives = {name: Objective(cost, None, 0.0, "") for name, cost in costs.items()}
    return Program(matrix, least, most, lower, upper, np.full(len(lower), whole), parts, columns, objectives)
