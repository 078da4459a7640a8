r"""Plans of units without a list of them: the best one at any prices, and the quantities of any.

A unit's measures and steps $k = 1, \dots, m$ make $2^m$ sets, fewer if some exclude or require each other
(`etsopt_models._market.set_family`). A plan is a chain $S_1 \preceq S_2 \preceq \dots \preceq S_T$ of admissible sets, one
for each year: measures stay, unless they may stop, and those with steps grow by one at most. Cost and emissions of a
set in a year do not depend on the years before, so the best chain at given prices follows from

$$V_t(S) = \min_{S' \succeq S,\; S' \text{ admissible in } t} \bigl[ v_t(S') + V_{t+1}(S') \bigr], \qquad V_{T+1} = 0,$$

and a minimum over all sets that may follow takes $m$ passes, one for each measure: the superset transform. So all plans
of a unit are searched, without exception, in about $m n T$ operations for $n$ sets. Sets beyond what the last group of
measures can have reached by a year are left out of it.

Enumeration of near-optimal plans of units and accounts at some prices, if they are few.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt_models._effort import (
    CELLS_AT_ONCE,
    COMBINED_PLANS_FACTOR,
    ENUMERATED_PLANS_MAX,
    OWNER_PLANS_MAX,
    PLANS_AT_ONCE,
)
from etsopt_models._market.measures import known, measures_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.measures import Measures
    from etsopt_models._market.set_family import SetFamily


@dataclass(frozen=True)
class Quantities:
    """Quantities of plans in each year, shape ``(plans, years)``.

    Emissions [tCO2e], intensity as the rule measures it [t/t], remaining share of the output, free allowances [t], and
    cost of measures [CNY].
    """

    emissions: NDArray[np.float64]
    intensity: NDArray[np.float64]
    output_left: NDArray[np.float64]
    allowance: NDArray[np.float64]
    cost: NDArray[np.float64]

    def select(self, plans: NDArray[np.bool_] | NDArray[np.int64]) -> Quantities:
        """Return the quantities of some of the plans."""
        return Quantities(*(getattr(self, name)[plans] for name in self.__dataclass_fields__))

    def followed_by(self, other: Quantities) -> Quantities:
        """Return these quantities followed by those of other plans."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)
        return Quantities(*(np.concatenate(pair) for pair in pairs))


class Plans:
    """Every plan of every unit of an instance.

    Parameters
    ----------
    baseline
        Baseline of the units.
    kinds
        Their measures, grouped by structure.
    """

    def __init__(self, baseline: Baseline, kinds: list[Measures]) -> None:
        self.baseline = baseline
        self.kinds = kinds
        self._last: tuple[Any, tuple[NDArray[np.float64], NDArray[np.int16]]] | None = None
        self.kind = np.zeros(len(baseline.emissions), dtype=np.int64)
        self.place = np.zeros(len(baseline.emissions), dtype=np.int64)
        for number, kind in enumerate(kinds):
            self.kind[kind.units], self.place[kind.units] = number, np.arange(len(kind.units))

    @classmethod
    def of(cls, instance: Instance, baseline: Baseline) -> Plans:
        """Return the plans of all units of an instance."""
        return cls(baseline, measures_of(instance, baseline))

    def only(self, units: NDArray[np.int64], times: float | NDArray[np.float64] = 1.0) -> Plans:
        """Return the plans of some units, each scaled by a factor; positions are those in `units`."""
        kind, place, times = self.kind[units], self.place[units], np.broadcast_to(times, len(units))
        of_kind = (np.flatnonzero(kind == number) for number in range(len(self.kinds)))
        kinds = [
            replace(self.kinds[number].part(place[positions]).times(times[positions]), units=positions)
            for number, positions in enumerate(of_kind)
            if len(positions)
        ]
        return Plans(self.baseline.only(units).times(times), kinds)

    def best(
        self, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64], cost_weight: float = 1.0
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Return the best plan of every unit; among equally good ones that whose sets come first, year by year.

        Parameters
        ----------
        need_price, emissions_price
            Discounted cost to each unit of a tonne of emissions above allowances, and of a tonne of emissions, shape
            ``(units, years)``, or ``(1, years)`` if all pay the same [CNY/t].
        cost_weight
            Weight of the cost of measures; zero if only tonnes count.

        Returns
        -------
        value
            Discounted cost at these prices, shape ``(units,)`` [CNY].
        sets
            Chain of measure sets, shape ``(units, years)``.

        Notes
        -----
        The last answer at one row of prices is kept, read-only: what follows a search begins at its last prices.
        """
        if len(need_price) > 1:
            return self._best(need_price, emissions_price, cost_weight)
        asked = need_price.tobytes(), emissions_price.tobytes(), cost_weight
        if self._last is None or self._last[0] != asked:
            self._last = asked, self._best(need_price, emissions_price, cost_weight)
            for answer in self._last[1]:
                answer.setflags(write=False)
        return self._last[1]

    def _best(
        self, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64], cost_weight: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Return the answer of `best`, part by part."""
        value = np.zeros(len(self.kind))
        sets = np.zeros(self.baseline.emissions.shape, dtype=np.int16)
        room = np.empty((2, len(self.baseline.years), max(CELLS_AT_ONCE, self.most_sets)))
        for part in self.parts():
            need, emitted = (paid if len(paid) == 1 else paid[part.units] for paid in (need_price, emissions_price))
            value[part.units], sets[part.units] = best_chains(self, part, need, emitted, cost_weight, room)
        return value, sets

    def best_under(
        self,
        units: NDArray[np.int64],
        masks: NDArray[np.bool_],
        need_price: NDArray[np.float64],
        emissions_price: NDArray[np.float64],
        cost_weight: float = 1.0,
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Return the best plans of some units of which only some sets may run; infinite values if none is left.

        Parameters
        ----------
        masks
            Sets that may run, shape ``(units, years, sets)``, as wide as for the unit with most; prices as for `best`.
        """
        value, sets = np.zeros(len(units)), np.zeros((len(units), masks.shape[1]), dtype=np.int16)
        for number, kind in enumerate(self.kinds):
            of_kind = np.flatnonzero(self.kind[units] == number)
            if not len(of_kind):
                continue
            mine, width = units[of_kind], kind.admissible.shape[1]
            part = replace(kind.part(self.place[mine]), admissible=np.moveaxis(masks[of_kind, :, :width], 0, 2))
            need, emitted = (paid if len(paid) == 1 else paid[mine] for paid in (need_price, emissions_price))
            value[of_kind], sets[of_kind] = best_chains(self, part, need, emitted, cost_weight)
        return value, sets

    def family(self, unit: int) -> SetFamily:
        """Return the sets of measures of a unit."""
        return self.kinds[self.kind[unit]].family

    @property
    def most_sets(self) -> int:
        """Largest number of sets of measures of a unit."""
        return max((len(kind.family) for kind in self.kinds), default=1)

    def may_run(self, units: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True for sets that may run in a year, shape ``(units, years, sets)``, padded with False."""
        may = np.zeros((len(units), len(self.baseline.years), self.most_sets), dtype=bool)
        for number, kind in enumerate(self.kinds):
            of_kind = self.kind[units] == number
            may[of_kind, :, : kind.admissible.shape[1]] = kind.admissible
        return may

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Position of each measure and step of each unit in `offers_of`, -1 for a cut of output or none."""
        rows = np.full((len(self.kind), max(kind.row.shape[1] for kind in self.kinds)), -1)
        for kind in self.kinds:
            rows[kind.units, : kind.row.shape[1]] = kind.row
        return rows

    def parts(self) -> Iterator[Measures]:
        """Yield the measures of all units, in parts whose sets stay in the cache."""
        for kind in self.kinds:
            step = max(1, CELLS_AT_ONCE // kind.admissible.shape[1])
            for start in range(0, len(kind.units), step):
                checkpoint()
                yield kind.part(slice(start, start + step))

    def shares_left(self, part: Measures) -> tuple[NDArray[np.float64], ...]:
        """Return the shares of emissions, intensity and output that every set leaves, shape ``(sets, units)``.

        Intensity and output are those of emissions where no allowance follows them.
        """
        baseline, products = self.baseline, part.family.products
        left = products(part.emissions_left.T)
        intensity_left = products(part.intensity_left.T) if baseline.follows[part.units].any() else left
        cuts = baseline.follows_output.any() and (part.output_left != 1).any()
        return left, intensity_left, products(part.output_left.T) if cuts else np.ones(1)

    def allowance(
        self,
        units: NDArray[np.int64],
        t: int,
        left: NDArray[np.float64],
        intensity_left: NDArray[np.float64],
        output_left: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the free allowances in a year at some shares of emissions, intensity and output that are left [t].

        Shape ``(..., units)``, or ``(units,)`` if allowances follow none of them.
        """
        baseline, lump_sum = self.baseline, self.baseline.allowance_of(units, t)
        if baseline.follows_output[t]:
            lump_sum = lump_sum * output_left
        follows = baseline.follows[units, t]
        if not follows.any():
            return lump_sum
        rates = baseline.rule.rates(units, t, baseline.intensity[units, t] * intensity_left)
        emissions = baseline.emissions[units, t] * left
        return np.where(follows, emissions * (1 + rates) * baseline.free_share[t], lump_sum)

    def quantities(self, unit: NDArray[np.int64], sets: NDArray[np.int16]) -> Quantities:
        """Return the quantities of plans with given units, shape ``(plans,)``, and chains, shape ``(plans, years)``."""
        emissions, intensity, output, allowance, cost = (np.zeros(sets.shape) for _ in range(5))
        kind_of_plan = self.kind[unit]
        for number, kind in enumerate(self.kinds):
            of_kind = np.flatnonzero(kind_of_plan == number)
            for start in range(0, len(of_kind), PLANS_AT_ONCE):
                checkpoint()
                plans = of_kind[start : start + PLANS_AT_ONCE]
                part_values = self._quantities(kind.part(self.place[unit[plans]]), sets[plans])
                for into, values in zip((emissions, intensity, output, allowance, cost), part_values, strict=True):
                    into[plans] = values
        return Quantities(emissions, intensity, output, allowance, cost)

    def _quantities(self, part: Measures, sets: NDArray[np.int16]) -> tuple[NDArray[np.float64], ...]:
        """Return the columns of `Quantities` for one plan of each unit of a part."""
        baseline, units = self.baseline, part.units
        left, intensity_left, output_left = (np.ones(sets.shape) for _ in range(3))
        cost, output, numbers = np.zeros(sets.shape), known(baseline.output[units]), sets.astype(np.int64)
        for k in range(part.row.shape[1]):
            has = part.family.has[:, k][numbers]
            for total, factors in (
                (left, part.emissions_left),
                (intensity_left, part.intensity_left),
                (output_left, part.output_left),
            ):
                total *= np.where(has, factors[:, [k]], 1.0)
            each = part.fixed[:, [k]] + part.variable[:, [k]] * output
            cost += np.where(has, each * part.growth[:, [k]] ** part.elapsed, 0.0)
        emissions = baseline.emissions[units] * left
        allowance = np.empty(sets.shape)
        for t in range(sets.shape[1]):
            allowance[:, t] = self.allowance(units, t, left[:, t], intensity_left[:, t], output_left[:, t])
        return emissions, baseline.intensity[units] * intensity_left, output_left, allowance, cost


def best_chains(
    plans: Plans,
    part: Measures,
    need_price: NDArray[np.float64],
    emissions_price: NDArray[np.float64],
    cost_weight: float,
    room: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Return the best chains: backwards the least over sets that may follow, forwards the first that attains it.

    Parameters
    ----------
    room
        Memory for the values of all sets in all years, at least ``(2, years, sets times units)``; fresh memory costs
        as much as the arithmetic.
    """
    baseline, units, family = plans.baseline, part.units, part.family
    left, *of_rule = plans.shares_left(part)
    output, reached = known(baseline.output[units]), family.reached(part.admissible)
    room = np.empty((2, len(reached), left.size)) if room is None else room
    values, leasts = (
        [values[: sets * len(units)].reshape(sets, -1) for values, sets in zip(half, reached, strict=True)]
        for half in room
    )
    own, term = np.empty((2, *left.shape))
    ahead = np.zeros((1, 1))
    for t, sets in reversed(list(enumerate(reached))):
        value, emitted, need = own[:sets], baseline.emissions[units, t], need_price[:, t]
        given = need * plans.allowance(units, t, left[:sets], *(share[:sets] for share in of_rule))
        lump_sum = given.ndim == 1
        costs = cost_weight * baseline.discount[t] * part.costs(t, output[:, t])
        family.sums(costs, start=-given if lump_sum else 0.0, out=value)
        if not lump_sum:
            value -= given
        value += np.multiply(left[:sets], emitted * (need + emissions_price[:, t]), out=term[:sets])
        value[~part.admissible[t, :sets]] = np.inf
        np.add(value, ahead[:sets], out=values[t])
        ahead = family.least_of_next(values[t], out=leasts[t])
    return ahead[0].copy(), _first_chains(family, values, leasts)


def _first_chains(
    family: SetFamily, values: list[NDArray[np.float64]], leasts: list[NDArray[np.float64]]
) -> NDArray[np.int16]:
    """Return the chain of each unit that takes in every year the first set with the least value that may follow.

    Parameters
    ----------
    values, leasts
        Value of each set from a year on, and the least over the sets that may follow it, shape ``(sets, units)``.
    """
    units = values[0].shape[1]
    everyone, now = np.arange(units), np.zeros(units, dtype=np.int64)
    chains = np.empty((units, len(values)), dtype=np.int16)
    for t, (value, least) in enumerate(zip(values, leasts, strict=True)):
        target = least[now, everyone]
        # Unless a measure may stop, a set is the first of those that may follow it.
        moves = everyone if family.may_stop else np.flatnonzero(value[now, everyone] != target)
        # Few sets of a unit have the least value, and the first of them that may follow is the next.
        number, place = np.nonzero((value if len(moves) == units else value[:, moves]) == target[moves])
        fits = family.follows(number, now[moves[place]])
        # From the last to the first, so that the first is what is kept.
        now[moves[place[fits][::-1]]] = number[fits][::-1]
        chains[:, t] = now
    return chains


@dataclass(frozen=True)
class Listed:
    """Near-optimal plans: owner of each in order, excess over the best [CNY], and the plans of units in it.

    Parameters
    ----------
    owner
        Position of the unit, or of the account, shape ``(plans,)``.
    excess
        Cost above the best, shape ``(plans,)`` [CNY].
    parts
        Plans of units that it consists of, padded with -1, shape ``(plans, most units)``.
    """

    owner: NDArray[np.int64]
    excess: NDArray[np.float64]
    parts: NDArray[np.int64]


def near_optimal_plans(
    plans: Plans, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64], budget: NDArray[np.float64]
) -> tuple[Listed, NDArray[np.int16]]:
    """Enumerate the plans of every unit whose cost at some prices exceeds the best by at most its budget.

    Parameters
    ----------
    need_price, emissions_price
        As in `Plans.best`, shape ``(units, years)`` [CNY/t].
    budget
        Largest excess, shape ``(units,)`` [CNY].

    Returns
    -------
    listed, sets
        Plans by unit, and the chain of sets of each, shape ``(plans, years)``; none for a unit that has too many.
    """
    owners, excesses, chains = [], [], []
    for part in plans.parts():
        values = _set_values(plans, part, need_price[part.units], emissions_price[part.units])
        owner, excess, chain = _near_optimal_chains(part.family, values, budget[part.units])
        owners.append(part.units[owner])
        excesses.append(excess)
        chains.append(chain)
    owner, excess, chain = np.concatenate(owners), np.concatenate(excesses), np.concatenate(chains)
    order = np.argsort(owner, kind="stable")
    return Listed(owner[order], excess[order], np.arange(len(order))[:, None]), chain[order]


def _set_values(
    plans: Plans, part: Measures, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the value of running each set in each year, shape ``(sets, units)``; infinite if it may not run."""
    baseline, units = plans.baseline, part.units
    left, *of_rule = plans.shares_left(part)
    output = known(baseline.output[units])
    values = []
    for t in range(len(baseline.years)):
        emissions = left * baseline.emissions[units, t]
        value = part.family.sums(baseline.discount[t] * part.costs(t, output[:, t]))
        value += emissions * (need_price[:, t] + emissions_price[:, t])
        value -= need_price[:, t] * plans.allowance(units, t, left, *of_rule)
        value[~part.admissible[t]] = np.inf
        values.append(value)
    return values


def _near_optimal_chains(
    family: SetFamily, values: list[NDArray[np.float64]], budget: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int16]]:
    """Return the chains whose best continuation stays within the budget: unit, excess and chain."""
    ahead = [np.zeros(values[0].shape)]
    for value in reversed(values):
        ahead.insert(0, family.least_of_next(value + ahead[0]))
    least, names = ahead[0][0], np.arange(len(values[0]))
    unit, now, paid = np.arange(len(least)), np.zeros(len(least), dtype=np.int64), np.zeros(len(least))
    chain = np.zeros((len(least), 0), dtype=np.int16)
    for t, value in enumerate(values):
        checkpoint()
        total = paid[:, None] + (value + ahead[t + 1]).T[unit]
        within = (total <= (least + budget)[unit, None]) & family.follows(names, now[:, None])
        row, now = np.nonzero(within)
        few = are_few(np.bincount(unit[row], minlength=len(least)))
        row, now = row[few[unit[row]]], now[few[unit[row]]]
        paid, unit = paid[row] + value[now, unit[row]], unit[row]
        chain = np.column_stack([chain[row], now]).astype(np.int16)
    return unit, paid - least[unit], chain


def are_few(
    count: NDArray[np.int64] | NDArray[np.float64],
    each: float = OWNER_PLANS_MAX,
    together: float = ENUMERATED_PLANS_MAX,
) -> NDArray[np.bool_]:
    """Return True for owners with few plans: at most `each`, and `together` for the owners with fewest."""
    order = np.argsort(count, kind="stable")
    few = np.zeros(len(count), dtype=bool)
    few[order] = np.cumsum(count[order]) <= together
    result: NDArray[np.bool_] = few & (count <= each)
    return result


def combined(of_units: Listed, account: NDArray[np.int64], budget: NDArray[np.float64]) -> Listed:
    """Combine plans of units into plans of accounts, in every combination within the account's budget.

    Parameters
    ----------
    account
        Account of each unit, shape ``(units,)``.
    budget
        Largest excess, shape ``(accounts,)`` [CNY].

    Returns
    -------
    Listed
        Parts are positions in ``of_units``; none for an account that has too many.
    """
    count = np.bincount(of_units.owner, minlength=len(account))
    first = np.cumsum(count) - count
    order = np.argsort(account, kind="stable")
    units_of_account = np.bincount(account, minlength=len(budget))
    begins = np.cumsum(units_of_account) - units_of_account
    owner, excess = np.arange(len(budget)), np.zeros(len(budget))
    parts = np.zeros((len(budget), 0), dtype=np.int64)
    for place in range(int(units_of_account.max(initial=0))):
        checkpoint()
        has = units_of_account[owner] > place
        # Accounts with too many combinations are dropped before these are formed.
        grown = np.where(has, count[order[np.where(has, begins[owner] + place, 0)]], 1)
        kept = are_few(
            np.bincount(owner, grown, len(budget)),
            COMBINED_PLANS_FACTOR * OWNER_PLANS_MAX,
            COMBINED_PLANS_FACTOR * ENUMERATED_PLANS_MAX,
        )[owner]
        owner, excess, parts, has = owner[kept], excess[kept], parts[kept], has[kept]
        unit = order[np.where(has, begins[owner] + place, 0)]
        times = np.where(has, count[unit], 1)
        row = np.repeat(np.arange(len(owner)), times)
        step = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        plan = np.where(has[row], first[unit[row]] + step, -1)
        excess = excess[row] + np.where(has[row], of_units.excess[plan], 0.0)
        owner, parts = owner[row], np.column_stack([parts[row], plan])
        within = excess <= budget[owner]
        kept = within & are_few(np.bincount(owner[within], minlength=len(budget)))[owner]
        owner, excess, parts = owner[kept], excess[kept], parts[kept]
    return Listed(owner, excess, parts)
