r"""Cases of an outlook: the policy's own, the other form of the free part, no cap, and other terminal prices.

Allowances under a cap whose free part follows output: a fixed point of the market's program.

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

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.policy.yearly import by_year
from etsopt.modelling import Prepared
from etsopt_models._effort import SHARE_ROUNDS, VOLUME_MEMORY, VOLUME_STEPS
from etsopt_models._outlook.inputs import Outlook, program_arrays
from etsopt_models._tolerances import CAP_MISS_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

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


POLICY, OTHER_FORM, NO_CAP, LOW_END, HIGH_END = (
    "policy",
    "other form",
    "no cap",
    "terminal price 0",
    "high terminal price",
)
"""Names of the cases; the first is the answer."""

FIXED, OUTPUT = "fixed", "output"

PROGRAM_SIZE = 1e6
"""Typical size of the cost, by which the solver scales it [CNY million]."""


@dataclass(frozen=True)
class Case:
    """A program of the outlook.

    Parameters
    ----------
    name, free_part
        One of the names above, and the form of the free part under a cap.
    capped
        True if the cap holds.
    terminal_price
        Worth of an allowance kept after the last year [CNY/t].
    """

    name: str
    free_part: str
    capped: bool
    terminal_price: float


@dataclass(frozen=True)
class Solved:
    """A case with its solution.

    Parameters
    ----------
    case
        The case.
    free_share, volume
        Share of the rule's allowances that follow output, and those that do not [Mt], shape ``(years,)``.
    values, multipliers
        Of variables and rows of the program, in the order of their index.
    """

    case: Case
    free_share: Floats
    volume: Floats
    values: Mapping[str, Floats]
    multipliers: Mapping[str, Floats]


@dataclass(frozen=True)
class PreparedOutlook(Prepared):
    """An outlook with the case of its policy, not yet solved, and the other cases, solved."""

    outlook: Outlook
    main: Solved
    others: tuple[Solved, ...]


def prepare(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any) -> PreparedOutlook:
    """Return the program of the policy's own case, and the other cases solved."""
    outlook = Outlook.of(instance)
    arrays = program_arrays(outlook)
    first, *further = cases_of(outlook, arrays)

    def solved(case: Case) -> Solved:
        free_share, volume = allowances_of(outlook, arrays, case, relax)
        solution = relax(arrays | case_arrays(outlook, case, free_share, volume))
        if not solution.values:
            # The other cases of a program without a point have none, and the program itself is solved next.
            return Solved(case, free_share, volume, {}, {})
        return Solved(case, free_share, volume, solution.values, solution.levels[0].multipliers)

    free_share, volume = allowances_of(outlook, arrays, first, relax)
    others = tuple(one for one in map(solved, further) if one.values)
    parameters = arrays | case_arrays(outlook, first, free_share, volume)
    return PreparedOutlook(parameters, outlook, Solved(first, free_share, volume, {}, {}), others)


def cases_of(outlook: Outlook, arrays: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the cases, that of the policy first; other terminal prices only where a bank may be left at the end."""
    policy, market = outlook.instance.policy.outlook, outlook.instance.policy.market
    capped, stated = bool(np.isfinite(outlook.cap).any()), float(market.terminal_price_cny_per_t)
    assert policy.free_part is not None
    first = Case(POLICY, policy.free_part, capped, stated)
    yield first
    if capped:
        yield replace(first, name=OTHER_FORM, free_part=OUTPUT if policy.free_part == FIXED else FIXED)
        yield replace(first, name=NO_CAP, capped=False)
    if arrays["banked_most"][-1] > 0:
        for name, price in ((LOW_END, 0.0), (HIGH_END, policy.highest_terminal_price_cny_per_t)):
            if price is not None and price != stated:
                yield replace(first, name=name, terminal_price=price)


def allowances_of(outlook: Outlook, arrays: dict[str, Any], case: Case, relax: Any) -> tuple[Floats, Floats]:
    """Return the share of the rule's allowances that follow output, and the allowances that do not [Mt]."""
    cap = outlook.cap if case.capped else np.full(len(outlook.cap), np.inf)
    fixed = np.where(np.isinf(cap), 1.0, 0.0), np.where(np.isinf(cap), 0.0, cap)
    if case.free_part == FIXED or np.isinf(cap).all():
        return fixed

    last = None

    def market(free_share: Floats, volume: Floats) -> Any:
        nonlocal last
        last = relax.growing(arrays | case_arrays(outlook, case, free_share, volume), "cost", {}, PROGRAM_SIZE, last)
        return last

    return allowances_by_output(market, outlook, cap, fixed)


def case_arrays(outlook: Outlook, case: Case, free_share: Floats, volume: Floats) -> dict[str, Any]:
    """Return the arrays of the program that a case states."""
    worth = np.zeros(len(outlook.years) + 1)
    worth[-1] = outlook.discount[-1] * case.terminal_price
    return {"free_share": free_share, "volume": volume, "banked_worth": worth}
