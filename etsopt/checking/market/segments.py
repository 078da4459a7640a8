r"""Prove the prices of a market at every value of a key between two, from the answers at both.

With divisible measures the market is a linear program over all plans and trades. The key is $k = (1-x) k_0 + x k_1$, the
least cost at it $v(x)$, and $g(x, m)$ the bound of `bound` at multipliers $m$: $g \le v$ for whatever $m$.

**Keys that move sides and limits alone.** Every limit and every right-hand side is affine in $x$, and prices of plans and
trades stay. With *one* $m$ each variable keeps the better of its bounds, so that $g(x, m)$ is affine. A mixture of the
answers at both ends meets the limits between them and costs the mixture of their costs. So everywhere

$$v(x) - g(x, m) \le (1-x) \bigl[ c_0 - g(0, m) \bigr] + x \bigl[ c_1 - g(1, m) \bigr],$$

at most the larger gap of both ends: the multipliers of one answer clear the market on the whole segment, and its prices
are constant there.

| key | what moves, and why it is affine |
| --- | --- |
| `market.auctioned_t` | volume on offer, which is a sum with it; limit of what is unsold |
| `market.external_demand_t` | the same; what it supplies is a share of the limits of holdings, as long as no year changes from demand to supply |
| `pathway.cap_t` | lump sums, a share $C_t / \sum_i A_{it}$ of themselves where the cap cuts, the same for every plan of a unit; limits of holdings; paid shares on offer. $C_t$ lies on straight lines between stated years and is rounded nowhere |

**The terminal price** $w$ enters the cost of what is left at the end alone. One answer costs an affine function of it.
Each reduced cost is linear in $(m, w)$ together, so $g(x, (1-x) m_0 + x m_1)$ is a sum of minima of affine functions and
concave. So *one* answer that both ends prove is proven between, at prices on the straight line between theirs.

A key that does both bends the cost both ways: $v$ is neither convex nor concave. Nothing is trusted of how ends were found. Each
answer is judged as any is, under its own policy; both markets are derived again and compared number by number, and one that
moves without being in the list refuses the segment. Limits are widened by the misses of both answers, which are convex
between the ends. Multipliers are repaired once, so that both ends have the same.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.allocation.policy_box import moved_keys
from etsopt.checking.arithmetic import gamma
from etsopt.checking.judge import judge
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.cost import cost_of
from etsopt.checking.market.derived import derive_market
from etsopt.checking.market.leeway import Leeway, leeway_of
from etsopt.checking.market.market import read_market
from etsopt.checking.tolerances import NO_COST_CNY_PER_T
from etsopt.checking.verdict import Violation
from etsopt.language import _
from etsopt.readings.given import Given, by_year
from etsopt.readings.path import caps
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.market import Read
    from etsopt.checking.verdict import Answer, Question
    from etsopt.language import Text

MODELS = ("clearing", "pathway")
"""Models of a market, whose price is an answer."""

WORTH = "market.terminal_price_cny_per_t"
SIDES = ("market.auctioned_t", "market.external_demand_t", "pathway.cap_t")
"""Keys that move sides and limits alone; each may have a year behind it."""

MOVE = {
    True: {"terms.terminal_price"},
    False: {"terms.auctioned", "terms.demand", "accounts.external_supply", "accounts.free_most", "baseline.given"},
}
"""Numbers of a market that may move: with the terminal price, and with any of the other keys."""

KEY_ROUNDINGS = 8
"""Roundings that a limit passes where the policy of a place between the ends is evaluated."""


@dataclass(frozen=True)
class End:
    """An answer to a market at one policy, as the checker reads it.

    Parameters
    ----------
    given
        The instance.
    kind
        Model of the market.
    violations
        All that is wrong with the answer, proven optimal or not.
    read
        Market, decisions and multipliers; None of tables that are not those of a market.
    years
        The table of the same name.
    """

    given: Given
    kind: str
    violations: tuple[Violation, ...]
    read: Read | None
    years: pd.DataFrame | None

    @classmethod
    def of(cls, question: Question, answer: Answer) -> End:
        """Judge an answer, and read it."""
        verdict, given = judge(question, answer), Given.of(question.instance)
        if verdict.violations or not verdict.answered:
            return cls(given, question.model, verdict.violations, None, None)
        read, violations = read_market(given, answer.tables, question.model)
        return cls(given, question.model, tuple(violations), read, answer.tables["years"])


class Line(NamedTuple):
    """Costs at both ends of a line of policies that one answer has, or that its multipliers prove [CNY]."""

    start: float
    end: float


@dataclass(frozen=True)
class PriceVerdict:
    """What is proven of a segment.

    Parameters
    ----------
    refused
        Reasons for which nothing is.
    values
        Cost at both ends [CNY].
    gap, tolerance
        Largest gap between them, and what it may be at the least cost of the segment [CNY].
    prices
        Prices at both ends, between which they lie on straight lines, shape ``(2, years)`` [CNY/t].
    """

    refused: tuple[Text | str, ...]
    values: tuple[float, float] = (np.nan, np.nan)
    gap: float = np.inf
    tolerance: float = 0.0
    prices: NDArray[np.float64] | None = None

    @property
    def certified(self) -> bool:
        """True if every value between the ends is proven."""
        return not self.refused and self.gap <= self.tolerance


def certify(first: End, last: End, owner: End) -> PriceVerdict:
    """Prove the segment between two ends: by the multipliers of one of them, or of the terminal price by its answer.

    Parameters
    ----------
    owner
        The end whose multipliers or answer serve all of the segment.
    """
    if refused := tuple(dict.fromkeys(bends_of_ends(first, last))):
        return PriceVerdict(refused)
    assert first.read and last.read and owner.read
    ends, worth = (first, last), is_worth(first.given, last.given)
    values, leeways, uncertain = [], [], []
    for end in ends:
        answered = owner if worth else end
        value, rounding = _cost(end, answered)
        values.append(value)
        uncertain.append(rounding)
        leeways.append(_leeway(end, answered))
    wide = Leeway(*(np.maximum(getattr(leeways[0], one.name), getattr(leeways[1], one.name)) for one in fields(Leeway)))
    gaps, repaired = [], None
    for end, value, rounding in zip(ends, values, uncertain, strict=True):
        bound = _bound(end, end if worth else owner, wide, None if worth else repaired)
        repaired = bound.repaired
        gaps.append(value - (bound.of_all() - rounding - _rounding(bound)))
    least = 0.0 if values[0] * values[1] < 0 else min(map(abs, values))
    tolerance = max(tolerance_of(least, "CNY"), NO_COST_CNY_PER_T * float(first.read.market.baseline.emissions.sum()))
    # A bound above the cost by more than rounding is no bound of it.
    if not min(gaps) >= -tolerance:
        return PriceVerdict((_("the cost is not below its lower bound"),))
    prices = np.stack([one.read.answer.price for one in (ends if worth else (owner, owner)) if one.read])
    return PriceVerdict((), (values[0], values[1]), max(*gaps, 0.0), tolerance, prices)


def line_of(first: End, last: End, owner: End) -> Line:
    """Return a line that touches the least cost at the policy of an answer: of its bound, or of its cost.

    It is below the least cost everywhere if sides move, and above it if the terminal price does, but for rounding.
    """
    if is_worth(first.given, last.given):
        return Line(*(_cost(end, owner)[0] for end in (first, last)))
    assert owner.read
    program = owner.read.market.program
    leeway = Leeway.none(len(program.accounts.labels), len(program.baseline.years))
    start = _bound(first, owner, leeway)
    return Line(start.of_all(), _bound(last, owner, leeway, start.repaired).of_all())


def is_worth(first: Given, last: Given) -> bool:
    """Return True if the terminal price alone moves between two policies."""
    return [*moved_keys(first, last)] == [WORTH]


def _cost(end: End, answered: End) -> tuple[float, float]:
    """Return what an answer costs at the policy of an end, and the rounding of that [CNY]."""
    assert end.read and answered.read and answered.years is not None
    value, uncertain, _spending = cost_of(
        end.read.market, answered.read.answer.holdings, answered.read.answer.units, answered.years, end.kind
    )
    return value, uncertain


def _leeway(end: End, answered: End) -> Leeway:
    """Return what an answer misses of the limits at an end."""
    assert end.read and answered.read and answered.years is not None
    return leeway_of(end.read.market, answered.read.answer.holdings, answered.read.answer.units, answered.years)


def _bound(end: End, priced: End, leeway: Leeway, repaired: NDArray[np.float64] | None = None) -> Bound:
    """Return the bound at the policy of an end by the multipliers of an answer."""
    assert end.read and priced.read
    return Bound(end.read.market.program, priced.read.given, leeway, repaired=repaired)


def _rounding(bound: Bound) -> float:
    """Return what the rounding of limits between the ends may change of a bound there [CNY]."""
    accounts, terms = bound.market.accounts, bound.market.terms
    tonnes = np.abs(terms.auctioned) + np.abs(terms.demand) + accounts.held_most.sum(axis=0)
    rate = 2 * np.abs(bound.repaired).max() + np.abs(terms.transaction_cost).max() + terms.terminal_price
    return float(gamma(KEY_ROUNDINGS) * rate * (tonnes + accounts.traded_most.sum(axis=0)).sum())


def bends_of_ends(first: End, last: End) -> Iterator[Text | str]:
    """Yield the reasons for which nothing is proven between two ends; none if everything is affine."""
    for end in (first, last):
        for violation in end.violations:
            yield _("{where}: {message}", where=violation.where or violation.rule, message=violation.message)
        if end.read is None and not end.violations:
            yield _("there is no answer")
    yield from bends_of_policies(first.given, last.given, first.kind)
    if first.read and last.read:
        yield from bends_of_markets(first.given, last.given, first.read.market, last.read.market)


def bends_of_policies(first: Given, last: Given, kind: str) -> Iterator[Text]:
    """Yield what of two policies is not linear, or moves otherwise than in a straight line; no answer is needed."""
    if not first.policy.abatement.divisible_measures:
        yield _("measures are not divisible, and whole plans move in steps (abatement.divisible_measures)")
    if first.policy.coverage == "part":
        yield _("the policy states the price, at which a part of the nation trades (coverage)")
    moved = moved_keys(first, last)
    if not moved:
        yield _("no key of the policy differs between the ends")
    for key, both in moved.items():
        if not (key == WORTH or _is_side(key)):
            yield _("{key} is no side of the market and no terminal price", key=key)
        elif not all(isinstance(value, int | float) for value in both):
            yield _("{key} is no number at both ends", key=key)
    if WORTH in moved and len(moved) > 1:
        yield _("{key} moves together with other keys", key=WORTH)
    demands = [by_year(given.policy.market.external_demand_t, given.years, 0.0) for given in (first, last)]
    for year in first.years[demands[0] * demands[1] < 0]:
        yield _("market.external_demand_t of {year} passes zero, from demand to supply", year=year)
    if kind == "pathway" and not list(_other_content(first, last)):
        yield from bends_of_markets(first, last, *(derive_market(one, {}, kind) for one in (first, last)))


def bends_of_markets(first: Given, last: Given, one: Market, other: Market) -> Iterator[Text]:
    """Yield what of two markets moves otherwise than in a straight line."""
    for text in _other_content(first, last):
        yield text
    baseline, worth = one.baseline, is_worth(first, last)
    if baseline.balances.any():
        years = baseline.years[baseline.balances.any(axis=0)]
        yield _(
            "{year} is a self-balancing year, whose balance values move with the answer (pathway.self_balancing_until)",
            year=years[-1],
        )
    parts = ("baseline", "offered", "accounts", "terms")
    moved = {
        f"{part}.{item.name}"
        for part in parts
        for item in fields(getattr(one, part))
        if not _equal(*(getattr(getattr(market, part), item.name) for market in (one, other)))
    }
    if not moved:
        yield _("nothing in the market moves with {key}", key=", ".join(moved_keys(first, last)))
    for name in sorted(moved - MOVE[worth]):
        yield _("{name} of the market moves, which is no side of it", name=name)
    cuts = [_cuts(*pair) for pair in ((first, one), (last, other))]
    for year in baseline.years[cuts[0] != cuts[1]]:
        yield _("the cap of {year} cuts at one end alone (pathway.cap_t)", year=year)


def _other_content(first: Given, last: Given) -> Iterator[Text]:
    """Yield the tables in which two instances differ."""
    for item in fields(Given):
        one, other = getattr(first, item.name), getattr(last, item.name)
        if item.init and item.name != "policy" and one is not other and not (one is not None and one.equals(other)):
            yield _("the ends have different tables {name}", name=item.name)


def _equal(one: object, other: object) -> bool:
    """Return True if two numbers, texts or arrays are the same."""
    return np.array_equal(one, other) or bool(  # type: ignore[arg-type]
        np.asarray(one).dtype.kind == "f" and np.array_equal(one, other, equal_nan=True)  # type: ignore[arg-type]
    )


def _cuts(given: Given, market: Market) -> NDArray[np.bool_]:
    """Return the years in which allowances are cut to a cap that is stated, shape ``(years,)``."""
    totals = market.baseline.given.sum(axis=0)
    limit = caps(given, market.baseline.years, totals)
    return totals >= limit * (1 - gamma(len(market.baseline.given) + KEY_ROUNDINGS))


def _is_side(key: str) -> bool:
    """Return True for a key of the table of this module, with or without a year."""
    return any(key == side or key.rpartition(".")[0] == side for side in SIDES)


__all__ = ["MODELS", "End", "Line", "PriceVerdict", "bends_of_ends", "bends_of_policies", "certify", "line_of"]
