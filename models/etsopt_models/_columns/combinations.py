r"""Combinations of near-optimal plans: a proof for units that are indifferent at the price, of which a tree has too many.

Which of many indifferent units move decides no more than how many tonnes are left over: every node of a tree has the
bound of the root. With a bound $L(y)$ at multipliers $y$, and $e_{ij}(y)$ the cost of plan $j$ above the best plan of
unit $i$ at them, a choice $j_i$ of all units costs at least

$$\max_v \Bigl[ L(y_v) + \sum_i e_{i j_i}(y_v) \Bigr].$$

Terms are not negative, so that a part of a choice is dropped as soon as one vector brings it to the best known cost; at
the root's, no plan outside the list is in a better answer. The choice of least bound is then solved as a market with
these plans. Its multipliers are one more vector, those of unmet demand if it cannot clear, or it is a better answer
(Geoffrion 1970, outer linearization and relaxation).

Near-optimal enumeration: the best choice among all plans of small reduced cost, by the solver's branch and bound.

With a bound $L$ and an answer of cost $U$, no better answer has a plan whose reduced cost exceeds $U - L$. Baldacci,
Christofides and Mingozzi (2008) enumerate the others; the model's own formulation over them is exact. If they are too
many, those with the least reduced cost can only improve the answer. Accounts without a choosing unit trade as in the
known answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import SolverError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._columns.master import COST, NO_MASKS
from etsopt_models._columns.tree import Tree, value_of
from etsopt_models._effort import (
    COMBINATION_SUMS_MAX,
    COMBINATION_VECTORS_MAX,
    COMBINATION_WORK_MAX,
    LISTED_PLANS_FAST_MAX,
    LISTED_PLANS_MAX,
    LISTED_PLANS_OF_ACCOUNTS_FAST_MAX,
    REDUCED_COST_LIMIT_FACTOR,
    RETRADING_MAX_ACCOUNT_YEARS,
)
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._market.plans import near_optimal_plans
from etsopt_models._tolerances import (
    CHOSEN_INTEGER_MIN,
    NOTICED_UNMET_SHARE,
    SUPPLY_WITHHELD_RELATIVE,
    UNMET_TOLERANCE_T,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._columns.master import Master, Priced
    from etsopt_models._columns.tree import Incumbent
    from etsopt_models._market.column_generation import Market


def improve_by_listing(master: Master, root: Priced, incumbent: Incumbent, gap: float, most: int) -> bool:
    """Choose among at most `most` enumerated plans, and take better ones; return True if no better answer is left.

    If plans are too many, those with the least reduced cost are tried first; a better incumbent then leaves fewer.
    """
    all_accounts = master.market.accounts.emissions.size <= RETRADING_MAX_ACCOUNT_YEARS
    few = LISTED_PLANS_FAST_MAX if len(master.market.accounts.labels) == 1 else LISTED_PLANS_OF_ACCOUNTS_FAST_MAX
    while True:
        before, complete = incumbent.value, all_accounts
        budget = max(incumbent.value - root.bound, 0.0)
        plans = listed_plans(master, root, budget, most if all_accounts else few)
        while most > few and plans is None and budget > gap * abs(incumbent.value) * REDUCED_COST_LIMIT_FACTOR**8:
            budget, complete = REDUCED_COST_LIMIT_FACTOR * budget, False
            plans = listed_plans(master, root, budget, few)
        if plans is None:
            return False
        ended = _choose_listed(master, plans.with_columns(*incumbent.arrays), gap, incumbent, all_accounts)
        if ended and complete:
            return True
        if not before - incumbent.value > incumbent.allowed(gap):
            return False


def listed_plans(master: Master, root: Priced, budget: float, most: int) -> ColumnPool | None:
    """Return all plans with a reduced cost within a budget; None if units with several have too many."""
    units, years = len(master.row), master.years
    need, emitted = (np.broadcast_to(prices, (units, years)) for prices in master.prices(root.multipliers))
    near, sets = near_optimal_plans(master.plans, need, emitted, np.full(units, budget))
    count = np.bincount(near.owner, minlength=units)
    if not count.all() or (count > 1) @ count > most:
        return None
    return ColumnPool.of(master.plans, near.owner, sets)


def _choose_listed(master: Master, plans: ColumnPool, gap: float, incumbent: Incumbent, all_accounts: bool) -> bool:
    """Run branch and bound among enumerated plans and return True if it ended; units with one plan are fixed."""
    market = master.market
    many = np.diff(np.append(plans.first, len(plans.unit)))
    choosing = np.flatnonzero(many > 1)
    if not len(choosing):
        return True
    alone, kept = plans.select(plans.first[many == 1]), plans.select(np.isin(plans.unit, choosing))
    small = _market_of(master, incumbent, alone, choosing, all_accounts)
    size = float(market.baseline.emissions.sum(axis=0).max())
    # With stated prices no market has to clear, so no supply is withheld.
    clears = "supply" in small.extra
    for margin in SUPPLY_WITHHELD_RELATIVE if clears else SUPPLY_WITHHELD_RELATIVE[:1]:
        changes = {"supply": small.extra["supply"] - margin * size} if clears else {}
        try:
            solution = market.relax.whole(small.parameters(kept.among(choosing), changes), "cost", gap)
        except SolverError:
            # Coefficients that span too many decades are not passed to the solver; the tree follows.
            return False
        if not solution.levels:
            return False
        taken = kept.select(solution.values["choice"] > CHOSEN_INTEGER_MIN)
        picked = master.picked(np.concatenate([taken.unit, alone.unit]), np.concatenate([taken.sets, alone.sets]))
        value = value_of(master, picked)
        incumbent.update(master, value, picked)
        if np.isfinite(value):
            return str(solution.termination) == "optimal"
    return False


def _market_of(
    master: Master, incumbent: Incumbent, alone: ColumnPool, choosing: NDArray[np.int64], all_accounts: bool
) -> Market:
    """Return the market of choosing units, with the others fixed; of all accounts, or of theirs alone."""
    market, accounts = master.market, master.market.accounts
    if all_accounts:
        rest = alone.columns.on_accounts(accounts.of_unit, len(accounts.labels))
        return market.of(choosing, rest)
    chosen = np.unique(accounts.of_unit[choosing])
    value_of(master, master.places(*incumbent.arrays))
    others = np.ones(len(accounts.labels), dtype=bool)
    others[chosen] = False
    flows = {
        name: master.flows[name].reshape(len(others), -1)[others].sum(axis=0) for name in ("bought", "sold", "offset")
    }
    extra = dict(market.extra)
    extra["offset_supply"] = np.maximum(extra["offset_supply"] - flows["offset"], 0.0)
    if "supply" in extra:
        extra["supply"] = extra["supply"] - flows["bought"] + flows["sold"]
    beside = alone.select(~others[accounts.of_unit[alone.unit]])
    place = np.minimum(np.searchsorted(chosen, accounts.of_unit), len(chosen) - 1)
    rest = beside.columns.on_accounts(place, len(chosen))
    return replace(market, accounts=accounts.some(chosen, choosing), extra=extra, rest=rest)


def prove_by_combinations(master: Master, root: Priced, incumbent: Incumbent, gap: float) -> Tree | None:
    """Return the vectors that prove the incumbent, which may improve, as a tree without leaves; None if too many."""
    budget = incumbent.value - root.bound
    listed = listed_plans(master, root, budget, LISTED_PLANS_MAX)
    if listed is None:
        return None
    prices = master.prices(root.multipliers)
    of_root = master.worth(listed.columns, prices, listed.unit)
    rest = root.bound - float(master.best(prices, NO_MASKS)[0].sum())
    tree = Tree(root.bound, vectors=[(COST, root.multipliers)])
    worth, rests = [of_root], [rest]
    charge = budget / (NOTICED_UNMET_SHARE * float(master.market.baseline.emissions.sum(axis=0).max()))
    for _time in range(COMBINATION_VECTORS_MAX):
        checkpoint(_("combinations of plans, vectors of multipliers"), len(worth))
        # The checker does not know the gap: it forms every combination below the value.
        found = least_combination(np.stack(worth, axis=1), np.array(rests), listed.first, incumbent.value)
        if found is None:
            return None
        tree.bound, chosen = found
        if tree.bound >= incumbent.value - incumbent.allowed(gap):
            return tree
        picked, vertex = _market_with(master, listed.unit[chosen], listed.sets[chosen])
        if vertex is not None:
            value, _prices, multipliers = vertex
            incumbent.update(master, value, picked)
            at = master.worth(listed.columns, master.prices(multipliers), listed.unit)
        else:
            _picked, unmet = _market_with(master.phase_one, listed.unit[chosen], listed.sets[chosen])
            if unmet is None or unmet[0] <= UNMET_TOLERANCE_T:
                return None
            # Unmet demand is charged beside the prices of the root, whose bound it raises.
            of_unmet = master.phase_one.worth(listed.columns, master.prices(unmet[2]), listed.unit)
            at, value = of_root + charge * of_unmet, rest + float(of_root[chosen].sum()) + charge * unmet[0]
            multipliers = {name: given + charge * unmet[2][name] for name, given in root.multipliers.items()}
        worth.append(at)
        rests.append(value - float(at[chosen].sum()))
        tree.vectors.append((COST, multipliers))
    return None


def _market_with(
    master: Master, unit: NDArray[np.int64], sets: NDArray[np.int16]
) -> tuple[dict[int, int], tuple[float, NDArray[np.float64], dict[str, NDArray[np.float64]]] | None]:
    """Return the positions of one plan for every unit, and the vertex of the market with them; None if infeasible."""
    picked = master.picked(unit, sets)
    master.close(NO_MASKS, picked)
    return picked, master.solve()


def least_combination(
    worth: NDArray[np.float64], rest: NDArray[np.float64], first: NDArray[np.int64], enough: float
) -> tuple[float, NDArray[np.int64]] | None:
    """Return the least bound of any combination, at most `enough`, and the plans of one that has it; None if too many.

    Parameters
    ----------
    worth
        Value of every plan at every vector, by unit, shape ``(plans, vectors)`` [CNY].
    rest
        Bound at every vector of all but plans, shape ``(vectors,)`` [CNY].
    first
        Position of the first plan of each unit.

    >>> plans = np.array([[0.0, 0.0], [0.0, 3.0], [0.0, 0.0], [0.0, 5.0]])
    >>> least_combination(plans, np.array([1.0, -2.0]), np.array([0, 2]), 9.0)
    (1.0, array([0, 2]))
    """
    least, count = np.minimum.reduceat(worth, first), np.diff(np.append(first, len(worth)))
    above = worth - np.repeat(least, count, axis=0)
    several = np.flatnonzero(count > 1)
    order = several[np.argsort(-np.maximum.reduceat(above.max(axis=1), first)[several], kind="stable")].tolist()
    sums, work = (rest + least.sum(axis=0))[None], 0
    steps: list[NDArray[np.int64]] = []
    for unit in order:
        mine = above[first[unit] : first[unit] + count[unit]]
        work += len(sums) * mine.size
        if len(sums) * mine.size > COMBINATION_SUMS_MAX or work > COMBINATION_WORK_MAX:
            return None
        checkpoint()
        sums = (sums[:, None] + mine).reshape(-1, len(rest))
        steps.append(np.flatnonzero((sums < enough).all(axis=1)))
        sums = sums[steps[-1]]
        if not len(sums):
            return enough, np.zeros(0, dtype=np.int64)
    bounds = sums.max(axis=1)
    place = int(np.argmin(bounds))
    bound, chosen = float(bounds[place]), first.copy()
    for unit, kept in zip(reversed(order), reversed(steps), strict=True):
        place, plan = divmod(int(kept[place]), int(count[unit]))
        chosen[unit] += plan
    return bound, chosen
