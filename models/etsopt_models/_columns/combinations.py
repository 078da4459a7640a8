r"""Combinations of near-optimal plans: a proof for units that are indifferent at the price, of which a tree has too many.

Which of many indifferent units move decides no more than how many tonnes are left over: every node of a tree has the
bound of the root. With a bound $L(y)$ at multipliers $y$, and $e_{ij}(y)$ the cost of plan $j$ above the best plan of
unit $i$ at them, a choice $j_i$ of all units costs at least

$$\max_v \Bigl[ L(y_v) + \sum_i e_{i j_i}(y_v) \Bigr].$$

Terms are not negative, so that a part of a choice is dropped as soon as one vector brings it to the best known cost; at
the root's, no plan outside the list is in a better answer. The choice of least bound is then solved as a market with
these plans. Its multipliers are one more vector, those of unmet demand if it cannot clear, or it is a better answer
(Geoffrion 1970, outer linearization and relaxation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._columns.branches import NO_MASKS
from etsopt_models._columns.plan_enumeration import listed_plans
from etsopt_models._columns.plans_at_hand import COST
from etsopt_models._columns.tree import Tree
from etsopt_models._effort import COMBINATION_SUMS_MAX, COMBINATION_VECTORS_MAX, COMBINATION_WORK_MAX, LISTED_PLANS_MAX
from etsopt_models._tolerances import NOTICED_UNMET_SHARE, UNMET_TOLERANCE_T

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._columns.incumbents import Incumbent
    from etsopt_models._columns.master import Master, Priced


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
