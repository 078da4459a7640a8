r"""Prove the prices of a market at every value of a key between two, from the answers at both.

With divisible measures a market is a linear program over all plans and trades. Let the key be $k = (1-x) k_0 + x k_1$,
$v(x)$ the least cost, and $g(x, m) \le v(x)$ the bound of `etsopt.checking.market.bound` at multipliers $m$.

**Keys that move sides and limits alone.** Every side of a row and every limit is affine in $x$; what plans and trades
cost stays. With *one* $m$ each variable keeps the better of its limits, so that $g$ is affine. A mixture of the answers
at both ends meets the limits between them, and costs the mixture of their costs $c_0$ and $c_1$. So

$$v(x) - g(x, m) \le (1-x) \bigl[ c_0 - g(0, m) \bigr] + x \bigl[ c_1 - g(1, m) \bigr],$$

at most the larger gap of both ends: the multipliers of one answer clear the market everywhere between, so that its
prices hold there, and the mixture is an answer.

- `market.auctioned_t` adds to the volume on offer, which limits what is unsold.
- `market.external_demand_t` takes from it; a supply adds to the limits of holdings, a share for each account. So no
  year may change between demand and supply.
- `pathway.cap_t` lies on straight lines between stated years, and is rounded nowhere. Where it cuts, allowances are
  $A_{it} C_t / \sum_j A_{jt}$, lump sums whatever a unit does. They move limits of holdings and paid shares with them.
  So a year has to be cut at both ends, or at neither.

**The terminal price** $w$ enters the cost alone, by what is left at the end: an answer costs an affine function of it.
Reduced costs are linear in $m$ and $w$ together, so that $g$, a sum of minima of such functions, is concave along
$(1-x) m_0 + x m_1$. So *one* answer that the multipliers of both ends prove is proven between, at prices on the
straight line between theirs.

Nothing is trusted of how ends were found: each answer is judged under its own policy as any answer is. Both markets are
derived again and compared number by number; one that moves and is not in the list of its key refuses the segment.
Limits are widened by the misses of both answers, which are convex between.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.policy_box import LIMIT_ROUNDINGS, moved_keys
from etsopt.checking.arithmetic import gamma
from etsopt.checking.judge import judge
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.cost import cost_of, tolerance_of_cost
from etsopt.checking.market.derived import derive_market
from etsopt.checking.market.leeway import Leeway, leeway_of
from etsopt.checking.market.market import read_market
from etsopt.checking.readings.instance_inputs import InstanceInputs, by_year
from etsopt.checking.readings.path import caps
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.market import Read
    from etsopt.checking.verdict import Answer, Question, Verdict, Violation
    from etsopt.common.language import Text

MODELS = ("clearing", "pathway")
"""Models of a market, whose price is an answer."""

WORTH = "market.terminal_price_cny_per_t"
MOVE = {
    WORTH: {"terms.terminal_price"},
    "market.auctioned_t": {"terms.auctioned"},
    "market.external_demand_t": {"terms.demand", "accounts.external_supply"},
    "pathway.cap_t": {"baseline.given", "accounts.free_most", "terms.auctioned"},
}
"""Numbers of a market that may move with each key; a key may have a year behind it."""


@dataclass(frozen=True, eq=False)
class End:
    """An answer to a market at one policy, as the checker reads it.

    Parameters
    ----------
    given
        The instance.
    verdict
        The checker's verdict on the answer.
    violations
        All that is wrong with the answer.
    read
        Market, decisions and multipliers; None of an answer that is not proven.
    """

    given: InstanceInputs
    verdict: Verdict
    violations: tuple[Violation, ...]
    read: Read | None

    @classmethod
    def of(cls, question: Question, answer: Answer) -> End:
        """Judge an answer, and read it."""
        verdict, given = judge(question, answer), InstanceInputs.of(question.instance)
        if not (verdict.answered and verdict.certified):
            return cls(given, verdict, verdict.violations, None)
        read, violations = read_market(given, answer.tables, question.model)
        return cls(given, verdict, tuple(violations), read)

    @property
    def proven(self) -> Read:
        """What is read of an answer that is proven."""
        assert self.read is not None
        return self.read

    def bound(self, priced: End, leeway: Leeway, repaired: Floats | None = None) -> Bound:
        """Return the bound at this policy by the multipliers of an answer."""
        return Bound(self.proven.market.program, priced.proven.given, leeway, repaired=repaired)

    def cost(self, answered: End) -> tuple[float, float]:
        """Return what the decisions of an answer cost at this policy, and the rounding of that [CNY]."""
        of = answered.proven
        return cost_of(self.proven.market, of.answer.holdings, of.answer.units, of.years, self.verdict.theorem)[:2]

    def leeway(self, answered: End) -> Leeway:
        """Return what the decisions of an answer miss of the limits at this policy."""
        of = answered.proven
        return leeway_of(self.proven.market, of.answer.holdings, of.answer.units, of.years)


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
    prices: Floats | None = None

    @property
    def certified(self) -> bool:
        """True if every value between the ends is proven."""
        return not self.refused and self.gap <= self.tolerance


def certify(first: End, last: End, owner: End) -> PriceVerdict:
    """Prove the segment between two ends: by the multipliers of one of them, or of the terminal price by its answer.

    Parameters
    ----------
    owner
        The answer whose multipliers or decisions serve all of the segment, of an end or of a place between.
    """
    others = [] if owner in (first, last) else [owner]
    if refused := tuple(dict.fromkeys(text for end in (last, *others) for text in bends_of_ends(first, end))):
        return PriceVerdict(refused)
    ends, worth = (first, last), is_worth(first.given, last.given)
    answered, priced = ((owner, owner), ends) if worth else (ends, (owner, owner))
    costs = [end.cost(one) for end, one in zip(ends, answered, strict=True)]
    misses = [end.leeway(one) for end, one in zip(ends, answered, strict=True)]
    wide = Leeway(*(np.maximum(*(getattr(one, item.name) for one in misses)) for item in fields(Leeway)))
    gaps, repaired = [], None
    for end, one, (value, uncertain) in zip(ends, priced, costs, strict=True):
        # The same multipliers are repaired once, so that both ends have the same again.
        bound = end.bound(one, wide, None if worth else repaired)
        repaired = bound.repaired
        gaps.append(value - (bound.of_all() - uncertain - _rounding(bound)))
    values = costs[0][0], costs[1][0]
    least = 0.0 if values[0] * values[1] < 0 else min(map(abs, values))
    tolerance = tolerance_of_cost(least, first.proven.market)
    if not np.min(gaps) >= -tolerance:
        return PriceVerdict((_("the cost is not below its lower bound"),))
    prices = np.stack([one.proven.answer.price for one in priced])
    return PriceVerdict((), values, float(np.maximum(np.max(gaps), 0.0)), tolerance, prices)


def line_of(first: End, last: End, owner: End) -> tuple[float, float]:
    """Return both ends of a line that touches the least cost at the policy of an answer: of its bound, or cost [CNY].

    It is below the least cost everywhere if sides move, and above it if the terminal price does, but for rounding.
    """
    if is_worth(first.given, last.given):
        return first.cost(owner)[0], last.cost(owner)[0]
    program = owner.proven.market.program
    leeway = Leeway.none(len(program.accounts.labels), len(program.baseline.years))
    start = first.bound(owner, leeway)
    return start.of_all(), last.bound(owner, leeway, start.repaired).of_all()


def is_worth(first: InstanceInputs, last: InstanceInputs) -> bool:
    """Return True if the terminal price alone moves between two policies."""
    return [*moved_keys(first, last)] == [WORTH]


def _rounding(bound: Bound) -> float:
    """Return what the rounding of limits between the ends may change of a bound there [CNY]."""
    accounts, terms = bound.market.accounts, bound.market.terms
    sides = terms.auctioned, terms.demand, accounts.held_most, accounts.traded_most
    rate = 2 * np.abs(bound.repaired).max() + np.abs(terms.transaction_cost).max() + terms.terminal_price
    return float(gamma(LIMIT_ROUNDINGS) * rate * sum(np.abs(tonnes).sum() for tonnes in sides))


def bends_of_ends(first: End, last: End) -> Iterator[Text | str]:
    """Yield the reasons for which nothing is proven between two ends; none if everything is affine."""
    for end in (first, last):
        for violation in end.violations:
            yield _("{where}: {message}", where=violation.where or violation.rule, message=violation.message)
        if end.read is None and not end.violations:
            yield _("an end has no proven answer")
    yield from bends_of_policies(first.given, last.given)
    if first.read and last.read:
        yield from bends_of_markets(first.given, last.given, first.read.market, last.read.market)


def bends_of_policies(first: InstanceInputs, last: InstanceInputs) -> Iterator[Text]:
    """Yield what of two instances is not linear, or moves otherwise than in a straight line."""
    for item in fields(InstanceInputs):
        one, other = getattr(first, item.name), getattr(last, item.name)
        if item.init and item.name != "policy" and one is not other and not (one is not None and one.equals(other)):
            yield _("the ends have different tables {name}", name=item.name)
    if not first.policy.abatement.divisible_measures:
        yield _("measures are not divisible, and whole plans move in steps (abatement.divisible_measures)")
    if first.policy.coverage == "part":
        yield _("the policy states the price, at which a part of the nation trades (coverage)")
    moved = moved_keys(first, last)
    if not moved:
        yield _("no key of the policy differs between the ends")
    for key, both in moved.items():
        if _without_year(key) not in MOVE:
            yield _("{key} is no side of the market and no terminal price", key=key)
        elif not all(isinstance(value, int | float) for value in both):
            yield _("{key} is no number at both ends", key=key)
    if WORTH in moved and len(moved) > 1:
        yield _("{key} moves together with other keys", key=WORTH)
    demands = [by_year(given.policy.market.external_demand_t, given.years, 0.0) for given in (first, last)]
    for year in first.years[demands[0] * demands[1] < 0]:
        yield _("market.external_demand_t of {year} passes zero, from demand to supply", year=year)


def bends_before_answers(first: InstanceInputs, last: InstanceInputs, kind: str) -> Iterator[Text]:
    """Yield what is known to bend before anything is solved: of a path, which starts from no allocation, all of it."""
    found = [*bends_of_policies(first, last)]
    yield from found
    if kind == "pathway" and not found:
        yield from bends_of_markets(first, last, *(derive_market(one, {}, kind) for one in (first, last)))


def bends_of_markets(first: InstanceInputs, last: InstanceInputs, one: Market, other: Market) -> Iterator[Text]:
    """Yield what of two markets moves otherwise than in a straight line."""
    baseline = one.baseline
    for year in baseline.years[baseline.balances.any(axis=0)][-1:]:
        yield _("{year} is self-balancing: balance values move too (pathway.self_balancing_until)", year=year)
    moved = {
        f"{part}.{item.name}"
        for part in ("baseline", "offered", "accounts", "terms")
        for item in fields(getattr(one, part))
        if not _equal(*(getattr(getattr(market, part), item.name) for market in (one, other)))
    }
    keys = [*moved_keys(first, last)]
    if not moved:
        yield _("nothing in the market moves with {key}", key=", ".join(keys))
    if (baseline.given != other.baseline.given)[baseline.follows | baseline.follows_output].any():
        moved.add("baseline.follows_output")
    allowed = set[str]().union(*(MOVE.get(_without_year(key), ()) for key in keys))
    for name in sorted(moved - allowed):
        yield _("{name} of the market moves, which is no side of it", name=name)
    for year in baseline.years[_bent(first, last, one, other)] if "baseline.given" in moved & allowed else ():
        yield _("the cap of {year} cuts at one end alone (pathway.cap_t)", year=year)


def _bent(first: InstanceInputs, last: InstanceInputs, one: Market, other: Market) -> Mask:
    """Return the years in which allowances that move are no share of the cap, shape ``(years,)``.

    They are the same share at both ends if the cap cuts there, and a smaller one where it does not.
    """
    given = [market.baseline.given for market in (one, other)]
    limits = [caps(each, one.baseline.years, part.sum(axis=0)) for each, part in zip((first, last), given, strict=True)]
    crossed = given[0] * limits[1], given[1] * limits[0]
    with np.errstate(invalid="ignore"):
        same = np.abs(crossed[0] - crossed[1]) <= gamma(LIMIT_ROUNDINGS) * np.abs(crossed[0])
    return np.asarray(((given[0] != given[1]) & ~same).any(axis=0))


def _equal(one: object, other: object) -> bool:
    """Return True if two numbers, texts or arrays are the same."""
    values = np.asarray(one)
    return np.array_equal(values, np.asarray(other), equal_nan=values.dtype.kind == "f")


def _without_year(key: str) -> str:
    """Return the key without the year behind it."""
    above, _dot, last = key.rpartition(".")
    return above if last.isdigit() else key
