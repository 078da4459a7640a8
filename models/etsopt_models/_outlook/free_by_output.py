r"""Allowances under a cap whose free part follows output: a fixed point of the market's program.

At a share $\phi_t$ of the rule's allowances $S_t = \sum_k b_{kt} g_{kt}$ the rest of the cap is a fixed point,
$Y_t = C_t - \phi_t S_t(Y)$. Its slope is steep: a tonne more lets output grow that brings nearly as many itself. The
program moves in the limits of one row alone, so that the solver begins at its last vertex, and Anderson's method takes
about 20 steps. Then $\phi_t$ moves to $\min(1, (1 - a_t) C_t / S_t)$, and the rest is sought again.

The cap is met exactly, the auctioned share is not: the sources are a list, and a little more of $\phi_t$ may move a whole
one, which takes $S_t$ past the share that was aimed at. Of all rounds the one is kept whose auctioned shares are nearest
to those of the policy.

Reference: Walker and Ni (2011), Anderson acceleration for fixed-point iterations, SIAM J. Numer. Anal. 49.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.policy.yearly import by_year
from etsopt_models._effort import SHARE_ROUNDS, VOLUME_MEMORY, VOLUME_STEPS
from etsopt_models._tolerances import CAP_MISS_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from etsopt_models._outlook.inputs import Outlook

    Floats = NDArray[np.float64]
    Market = Callable[[Floats, Floats], Any]


def allowances_by_output(
    market: Market, outlook: Outlook, cap: Floats, fixed: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Return the share of the rule's allowances that follow output, and the allowances that do not [Mt].

    Parameters
    ----------
    market
        Loads the program at such shares and allowances into the solver, which begins at the last vertex.
    cap
        Cap by year, infinite without one [Mt].
    fixed
        Both under a cap without a part that follows output, from which the search begins.
    """
    paid = by_year(outlook.instance.policy.pathway.paid_share, outlook.years, 0.0)
    by_rule = _rule_of(outlook, market(*fixed), fixed[1])
    best, least = fixed, np.inf
    for _round in range(SHARE_ROUNDS):
        if by_rule is None:
            break
        given = (1 - paid) * np.where(np.isinf(cap), 0.0, cap)
        left = np.divide(given, by_rule, out=np.ones(len(cap)), where=by_rule > 0)
        free_share = np.where(np.isinf(cap), 1.0, np.minimum(1.0, left))
        volume, by_rule = _rest_of_cap(outlook, market, cap, free_share, by_rule)
        off = largest_distance(free_share, volume, cap, paid)
        if by_rule is not None and off < least:
            best, least = (free_share, volume), off
    return best


def largest_distance(free_share: Floats, volume: Floats, cap: Floats, paid: Floats) -> float:
    """Return the largest distance of auctioned shares from those of the policy, where benchmarks are cut for them."""
    # Of a cap of zero nothing is shared.
    counts = np.isfinite(cap) & (free_share < 1) & (cap > 0)
    return float(np.abs(volume[counts] / cap[counts] - paid[counts]).max(initial=0.0))


def _rest_of_cap(
    outlook: Outlook, market: Market, cap: Floats, free_share: Floats, by_rule: Floats
) -> tuple[Floats, Floats | None]:
    """Return the allowances that do not follow output, and the rule's at which they are the rest of the cap."""
    is_capped = np.isfinite(cap)
    volume = np.zeros(len(cap))
    volume[is_capped] = (cap - free_share * by_rule)[is_capped]
    program, tried, missed = market(free_share, volume), list[Any](), list[Any]()
    found: Floats | None = by_rule
    for _step in range(VOLUME_STEPS):
        found = _rule_of(outlook, program, volume)
        if found is None:
            break
        off = (cap - free_share * found - volume)[is_capped]
        if np.abs(off).max() <= CAP_MISS_RELATIVE * cap[is_capped].max():
            break
        tried, missed = [*tried, volume[is_capped]][-VOLUME_MEMORY:], [*missed, off][-VOLUME_MEMORY:]
        volume = volume.copy()
        volume[is_capped] += _step_of(tried, missed)
    return volume, found


def _step_of(tried: Sequence[Floats], missed: Sequence[Floats]) -> Floats:
    """Return the step from the last point that Anderson's method takes for what the last points missed."""
    off: Floats = missed[-1]
    if len(tried) == 1:
        return off
    points, rests = (np.diff(np.array(part), axis=0).T for part in (tried, missed))
    weights = np.linalg.lstsq(rests, off, rcond=1e-8)[0]
    step: Floats = off - (points + rests) @ weights
    return step


def _rule_of(outlook: Outlook, program: Any, volume: Floats) -> Floats | None:
    """Return the allowances of the rule by year [Mt] at the market's vertex; None if it has none."""
    rows = np.arange(program.program.rows["bank"].start, program.program.rows["bank"].stop)
    program.limit(rows, np.full(len(rows), -np.inf), volume)
    vertex = program.solve()
    if vertex is None:
        return None
    benchmark = outlook.columns["benchmark_tco2e_per_t"]
    found: Floats = (benchmark * vertex.x[program.program.columns["supply"]].reshape(benchmark.shape)).sum(axis=0)
    return found
