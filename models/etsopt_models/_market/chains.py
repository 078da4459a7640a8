r"""The best chain of measure sets of each unit at given prices.

A unit's measures and steps $k = 1, \dots, m$ make $2^m$ sets, fewer if some exclude or require each other
(`etsopt_models._market.set_family`). A plan is a chain $S_1 \preceq S_2 \preceq \dots \preceq S_T$ of admissible sets, one
for each year: measures stay, unless they may stop, and those with steps grow by one at most. Cost and emissions of a
set in a year do not depend on the years before, so the best chain at given prices follows from

$$V_t(S) = \min_{S' \succeq S,\; S' \text{ admissible in } t} \bigl[ v_t(S') + V_{t+1}(S') \bigr], \qquad V_{T+1} = 0,$$

and a minimum over all sets that may follow takes $m$ passes, one for each measure: the superset transform. So all plans
of a unit are searched, without exception, in about $m n T$ operations for $n$ sets. Sets beyond what the last group of
measures can have reached by a year are left out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt_models._market.measures import known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._market.measures import Measures
    from etsopt_models._market.plans import Plans
    from etsopt_models._market.set_family import SetFamily


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
