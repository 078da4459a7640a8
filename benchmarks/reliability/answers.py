"""Answers held against independent programs, cases worked by hand, relations that must hold, and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.reliability.fuzzed import tried
from benchmarks.reliability.fuzzed_allocations import (
    any_allocation,
    known_allocation,
    rounded_allocation,
    whole_allocation,
)
from benchmarks.reliability.fuzzed_markets import any_market, known_market
from benchmarks.reliability.fuzzed_rules import balance_value, equilibrium
from benchmarks.reliability.fuzzed_settlements import settlement
from benchmarks.reliability.row import Found, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = (
    *((any_allocation, known_allocation, whole_allocation) * 4),
    *((any_allocation,) * 4),
    *(known_allocation, rounded_allocation, balance_value, balance_value),
    *(equilibrium, settlement, known_market, known_market, any_market),
)
"""Kinds of instances: a trial is of the kind at its number, over and over."""


def fuzzed(numbers: Iterable[int]) -> Found:
    """Solve a random instance for each number, check the answer again, and compare it with an independent program."""
    found = Found()
    for number in numbers:
        # Spread, so that any few numbers that follow each other are of several kinds.
        outcome, wrong = tried(KINDS[number * 7 % len(KINDS)](number))
        found.saw(outcome)
        if wrong:
            found.failed(number, wrong)
    return found


ROWS: list[Row] = [
    Row(
        "A1",
        "random instances of every model, of 1 to 12 units, feasible, tight and infeasible, by each method",
        "The package's own checker accepts every answer, and no certified one is disproved by an independent program "
        "(confirmed: there is one for the instance, and it agrees); at most 10 are neither certified nor proven "
        "infeasible.",
        count=10_000,
        share=50,
        work=fuzzed,
    ),
]
