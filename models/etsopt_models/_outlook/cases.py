"""Cases of an outlook: the policy's own, the other form of the free part, no cap, and other terminal prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.modelling import Prepared
from etsopt_models._outlook.arrays import program_arrays
from etsopt_models._outlook.free_by_output import allowances_by_output
from etsopt_models._outlook.inputs import Outlook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

    Floats = NDArray[np.float64]

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
