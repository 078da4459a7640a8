"""An independent answer for small markets of lump sums: every plan of every unit listed, and one program in scipy.

Nothing of the models, the engine or the checker is used but the instance itself; the program is written down again from
the page of `clearing`. It is for rules and horizons without measures that need each other; of those that exclude each
other a plan has one at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    import etsopt

    Array: TypeAlias = NDArray[np.float64]

SCALE_T, SCALE_CNY = 1e3, 1e4
"""The solver's tolerances are absolute: the program is written in kt and in 10,000 CNY."""


@dataclass(frozen=True)
class Plan:
    """A plan of a unit: discounted cost [CNY], and emissions that it avoids in each year [tCO2e]."""

    unit: int
    cost: float
    avoided: Array


@dataclass(frozen=True)
class Answer:
    """Least cost [CNY]; infinite where the market cannot clear, and then the tonnes that are missing.

    The cost is that of the plans that were chosen, summed by hand; infinite as well where no market clears with them,
    for the solver takes some thousandth of a plan for none. ``bound`` is what, by its word, nothing is cheaper than.
    """

    cost: float
    unmet_t: float
    bound: float


class Columns:
    """Variables of a program by name, each an array of positions."""

    def __init__(self) -> None:
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.cost: list[float] = []
        self.integer: list[int] = []

    def add(self, lower: Array, upper: Array, cost: Any = 0.0, integer: bool = False) -> NDArray[np.int64]:
        shape = np.broadcast_shapes(np.shape(lower), np.shape(upper), np.shape(cost))
        start = len(self.lower)
        for into, values in ((self.lower, lower), (self.upper, upper), (self.cost, cost)):
            into += np.broadcast_to(values, shape).ravel().tolist()
        count = int(np.prod(shape))
        self.integer += [int(integer)] * count
        return start + np.arange(count).reshape(shape)


class Rows:
    """Rows of a program: entries and limits."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, float]] = []
        self.lower: list[float] = []
        self.upper: list[float] = []

    def add(self, terms: Mapping[int, float] | list[tuple[int, float]], lower: float, upper: float) -> None:
        pairs = terms.items() if hasattr(terms, "items") else terms
        self.entries += [(len(self.lower), int(column), float(value)) for column, value in pairs]
        self.lower.append(lower)
        self.upper.append(upper)


def plans_of(instance: etsopt.Instance, years: list[int], discount: Array) -> list[Plan]:
    """Every choice of years in which steps begin, for every measure of every unit; in each group of one at most."""
    table, rate = instance.measures, instance.policy.horizon.discount_rate
    found = []
    for place, unit in enumerate(instance.units.to_dict("records")):
        rows = [] if table is None else [
            row for row in table.to_dict("records")
            if row.get("unit_id") == unit["unit_id"] or (not row.get("unit_id") and row.get("sector") == unit["sector"])
        ]  # fmt: skip
        emissions, output = unit["emissions_tco2e"], unit.get("output_t", np.nan)
        nothing = np.ones(len(years)), np.zeros(len(years))
        ways: dict[object, list[tuple[Array, Array]]] = {}
        for number, row in enumerate(rows):
            group, first = row.get("exclusive_group"), row.get("first_year")
            same = ways.setdefault(group if isinstance(group, str) and group else number, [nothing])
            share = _value(row, "maximum_share", 1.0)
            life = row["lifetime_years"]
            annuity = 1 / life if rate == 0 else rate / (1 - (1 + rate) ** -life)
            each = _value(row, "capex_cny_per_t", 0.0) * annuity + _value(row, "fixed_opex_cny_per_t", 0.0)
            each += _value(row, "variable_opex_cny_per_t", 0.0) - _value(row, "fuel_saving_cny_per_t", 0.0)
            growth = (1 + _value(row, "cost_change_rate", 0.0)) ** (np.array(years) - instance.policy.year)
            steps = int(np.ceil(share / _value(row, "largest_new_share_a_year", share) - 1e-9))
            for begins in product([0, 1], repeat=len(years)):
                part = share * np.cumsum(begins) / steps
                early = first and first == first and any(begins[t] for t, year in enumerate(years) if year < first)
                if 1 <= sum(begins) <= steps and not early:
                    same.append((1 - part * row["abatement_rate"], part * each * np.nan_to_num(output) * growth))
        for way in product(*ways.values()):
            left = np.prod([nothing[0], *(one for one, _ in way)], axis=0)
            cost = np.sum([nothing[1], *(one for _, one in way)], axis=0)
            found.append(Plan(place, float(cost @ discount), emissions * (1 - left)))
    return found


def _value(row: Mapping[str, Any], name: str, default: float) -> float:
    value = row.get(name, default)
    return default if value is None or value != value else float(value)


def solve(
    instance: etsopt.Instance, allowance_t: Array, advance_share: float, price: Array | None, limit_s: float = np.inf
) -> Answer:
    """Least cost of a market whose lump sums are given, shape ``(units,)``, the same in every year, or of each year.

    Parameters
    ----------
    advance_share
        Share of a year's emissions that is issued in advance for the next.
    price
        Of every year where enterprises take it as given [CNY/t]; None where the market has to clear.
    limit_s
        Seconds after which the solver ends with what it holds.
    """
    short, (cost, bound) = (
        _solved(*_program(instance, allowance_t, advance_share, price, missing), scale, limit_s)
        for missing, scale in ((True, SCALE_T), (False, SCALE_CNY))
    )
    return Answer(cost, 0.0 if price is not None else short[0], bound)


def _program(  # long because it is one program on one screen
    instance: etsopt.Instance, allowance_t: Array, advance_share: float, price: Array | None, missing: bool
) -> tuple[Columns, Rows]:
    policy, years = instance.policy, list(instance.policy.years)
    market, count = policy.market, len(years)
    discount = (1 + policy.horizon.discount_rate) ** -np.arange(count, dtype=float)

    def yearly(stated: Any, default: float = 0.0) -> Array:
        if isinstance(stated, dict):
            of_year: dict[int, float] = {int(year): float(value) for year, value in stated.items()}
            return np.array([of_year.get(int(year), default) for year in years])
        return np.full(count, default if stated is None else float(stated))

    emissions = np.repeat(instance.emissions_tco2e[:, None], count, axis=1)
    given = np.broadcast_to(allowance_t.reshape(len(emissions), -1), emissions.shape)
    pooled = market.transaction_cost_cny_per_t == 0
    owner = instance.units["enterprise_id"].to_numpy()
    names = ["all"] if pooled else sorted(set(owner))
    account = np.zeros(len(owner), dtype=int) if pooled else np.array([names.index(name) for name in owner])

    def total(values: Array) -> Array:
        return np.array([values[account == a].sum(axis=0) for a in range(len(names))])

    e, a_t = total(emissions), total(given)
    opening = np.zeros(len(names))
    demand, auctioned = yearly(market.external_demand_t), yearly(market.auctioned_t)
    reference = policy.penalty.reference_price_cny_per_t
    owing = np.zeros(count) if reference is None else policy.penalty.multiple * yearly(reference)
    if reference is not None:
        owing[-1] += yearly(reference)[-1]
    borrow = advance_share * e * market.borrow_pre_allocation
    borrow[:, -1] = 0.0
    later, gained = e[:, ::-1].cumsum(axis=1)[:, ::-1], opening[:, None] + a_t.cumsum(axis=1)
    held = np.zeros(len(names))
    if price is None:
        held = (np.maximum(-demand, 0.0).sum() + market.reserve_t) * e.sum(axis=1) / e.sum()
    offered = yearly(market.ccer_supply_t)
    trade = 0 * discount if price is None else price
    columns, rows = Columns(), Rows()
    money, tonnes = float(not missing), 1 / SCALE_T
    per_t = money * SCALE_T / SCALE_CNY * discount
    plans = plans_of(instance, years, discount)
    whole = not policy.abatement.divisible_measures and not missing
    choice = columns.add(np.zeros(len(plans)), np.ones(len(plans)), [money * p.cost / SCALE_CNY for p in plans], whole)
    friction = market.transaction_cost_cny_per_t
    pressed = held[:, None]
    # What is held and borrowed is limited, and so what is bought and sold.
    bought = columns.add(0 * e, np.full_like(e, np.inf), per_t * (friction + trade))
    sold = columns.add(0 * e, np.full_like(e, np.inf), per_t * (friction - trade))
    offset = columns.add(
        0 * e, np.minimum(market.ccer_share * e, offered) * tonnes, per_t * yearly(market.ccer_price_cny_per_t)
    )
    worth = np.zeros(count)
    worth[-1] = market.terminal_price_cny_per_t
    banked = columns.add(-borrow * tonnes, (gained + later - e + pressed) * tonnes, -per_t * worth)
    owed = columns.add(0 * e, e.cumsum(axis=1) * (reference is not None) * tonnes, per_t * owing)
    for i in range(len(owner)):
        rows.add([(choice[j], 1.0) for j, plan in enumerate(plans) if plan.unit == i], 1.0, 1.0)
    of_account = [[(j, plan) for j, plan in enumerate(plans) if account[plan.unit] == a] for a in range(len(names))]
    for a, t in product(range(len(names)), range(count)):
        avoided = [(choice[j], plan.avoided[t] * tonnes) for j, plan in of_account[a]]
        before = [(banked[a, t - 1], 1.0), (owed[a, t - 1], -1.0)] if t else []
        own = [(banked[a, t], -1.0), (bought[a, t], 1.0), (sold[a, t], -1.0), (offset[a, t], 1.0), (owed[a, t], 1.0)]
        need = (e[a, t] - a_t[a, t] - (0.0 if t else opening[a])) * tonnes
        rows.add([*before, *own, *avoided], need, need)
        kappa = market.ccer_share
        rows.add([(offset[a, t], 1.0), *((j, kappa * v) for j, v in avoided)], -np.inf, kappa * e[a, t] * tonnes)
        if reference is not None:
            new = [(offset[a, t], 1.0), (owed[a, t], 1.0), *([(owed[a, t - 1], -1.0)] if t else []), *avoided]
            rows.add(new, -np.inf, e[a, t] * tonnes)
    for t in range(count):
        rows.add([(offset[a, t], 1.0) for a in range(len(names))], -np.inf, offered[t] * tonnes)
    if price is None:
        _market(instance, columns, rows, (bought, sold), (demand, auctioned), yearly, per_t, missing)
    return columns, rows


def _market(
    instance: etsopt.Instance,
    columns: Columns,
    rows: Rows,
    dealt: tuple[NDArray[np.int64], NDArray[np.int64]],
    outside: tuple[Array, Array],
    yearly: Any,
    per_t: Array,
    missing: bool,
) -> None:
    """Rows of the market: what accounts deal meets auctions, other sectors and the reserve in every year."""
    market, count = instance.policy.market, len(per_t)
    (bought, sold), (demand, auctioned) = dealt, outside
    most = (market.reserve_t + float(instance.emissions_tco2e.sum()) * count) / SCALE_T
    floor = yearly(market.floor_price_cny_per_t)
    sells = market.ceiling_price_cny_per_t is not None
    unsold = columns.add(np.zeros(count), auctioned / SCALE_T)
    released = columns.add(
        np.zeros(count), np.full(count, most * sells), per_t * yearly(market.ceiling_price_cny_per_t)
    )
    absorbed = columns.add(np.zeros(count), most * (floor > 0), -per_t * floor)
    reserve = columns.add(np.zeros(count), np.full(count, most))
    lacks = columns.add(np.zeros(count), np.full(count, 1e9 * missing), 1.0)
    for t in range(count):
        terms = [(int(b), 1.0) for b in bought[:, t]] + [(int(s), -1.0) for s in sold[:, t]]
        terms += [(absorbed[t], 1.0), (released[t], -1.0), (unsold[t], 1.0), (lacks[t], -1.0)]
        supply = (auctioned[t] - demand[t]) / SCALE_T
        rows.add(terms, supply, supply)
        stock = [(reserve[t], 1.0), (absorbed[t], -1.0), (released[t], 1.0), *([(reserve[t - 1], -1.0)] if t else [])]
        start = 0.0 if t else market.reserve_t / SCALE_T
        rows.add(stock, start, start)


def _solved(columns: Columns, rows: Rows, scale: float, limit_s: float) -> tuple[float, float]:
    """Least value, and what nothing is below, in tonnes or CNY; infinite where there is no solution."""
    row, column, value = (np.array(part) for part in zip(*rows.entries, strict=True))
    matrix = coo_array((value, (row, column)), shape=(len(rows.lower), len(columns.lower))).tocsr()
    limits = LinearConstraint(matrix, np.array(rows.lower), np.array(rows.upper))
    cost, whole = np.array(columns.cost), np.array(columns.integer)
    lower, upper = np.array(columns.lower), np.array(columns.upper)
    options = {"mip_rel_gap": 0.0} | ({"time_limit": limit_s} if np.isfinite(limit_s) else {})
    found = milp(cost, constraints=limits, bounds=Bounds(lower, upper), integrality=whole, options=options)
    if found.status == INFEASIBLE:
        return np.inf, np.inf
    assert found.status in (SOLVED, STOPPED), found.message
    bound = scale * float(found.fun if found.mip_dual_bound is None else found.mip_dual_bound)
    if found.x is None:
        return np.inf, bound
    x = found.x
    if whole.any():
        # What the solver takes for whole is whole only nearly: the plans are fixed, and all else is found once more.
        lower, upper = (np.where(whole, np.round(x), limit) for limit in (lower, upper))
        fixed = milp(cost, constraints=limits, bounds=Bounds(lower, upper))
        if fixed.x is None:
            return np.inf, bound
        x = fixed.x
    sums = np.bincount(row, value * x[column], len(rows.lower))
    beyond = np.maximum(np.array(rows.lower) - sums, sums - np.array(rows.upper)).max()
    assert max(beyond, (lower - x).max(), (x - upper).max()) <= KEPT
    return scale * float(sum(price * amount for price, amount in zip(columns.cost, x.tolist(), strict=True))), bound


SOLVED, STOPPED, INFEASIBLE = 0, 1, 2
"""What scipy calls how a program ended."""

KEPT = 1e-5
"""By what a limit may be missed: a hundredth of a tonne."""
