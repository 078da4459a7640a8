"""Results compared with independent programs, hand-solved cases, known relations, and shadow prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.reliability import (
    golden_allocations,
    golden_compliance_years,
    golden_markets,
    golden_rules,
    ordered_answers,
    same_answers,
)
from benchmarks.reliability.fuzzed import seen
from benchmarks.reliability.fuzzed_allocations import (
    any_allocation,
    known_allocation,
    rounded_allocation,
    whole_allocation,
)
from benchmarks.reliability.fuzzed_compliance_years import compliance
from benchmarks.reliability.fuzzed_markets import any_market, known_market
from benchmarks.reliability.fuzzed_reconciliations import reconciliation
from benchmarks.reliability.fuzzed_review_plans import review_plan
from benchmarks.reliability.fuzzed_rules import balance_value, equilibrium
from benchmarks.reliability.prices import priced
from benchmarks.reliability.row import Found, Row
from etsopt.common.errors import EtsoptError

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = (
    *((any_allocation, known_allocation, whole_allocation) * 4),
    *((any_allocation,) * 4),
    *(known_allocation, rounded_allocation, balance_value, balance_value),
    *(equilibrium, compliance, reconciliation, review_plan, known_market, known_market, any_market),
)
"""Kinds of instances; trial ``n`` has the kind ``n`` modulo their number."""


def fuzzed(numbers: Iterable[int]) -> Found:
    """Solve a random instance per number, check the result again, and compare it with an independent program."""
    # Interleaved, so that a few consecutive numbers cover several kinds.
    return seen(numbers, lambda number: KINDS[number * 7 % len(KINDS)](number))


RELATIONS = (
    same_answers.another_order_of_rows,
    same_answers.other_names,
    same_answers.a_unit_split_in_two,
    same_answers.an_idle_unit_more,
    same_answers.tonnes_times_a_power_of_two,
    same_answers.money_times_a_power_of_ten,
    same_answers.what_an_answer_has_made_a_target,
    same_answers.without_presolve,
    same_answers.by_another_method,
    ordered_answers.a_looser_band,
    ordered_answers.a_tighter_target,
    ordered_answers.a_measure_more,
    ordered_answers.more_free_allowances,
    ordered_answers.what_is_sold_is_bought,
    ordered_answers.a_price_of_zero,
)


def related(numbers: Iterable[int]) -> Found:
    """Compare the result of a random instance with that of a changed one, by the relation of each number."""
    found = Found()
    for number in numbers:
        relation = RELATIONS[number % len(RELATIONS)]
        name = relation.__name__.replace("_", " ")
        try:
            wrong = relation(number // len(RELATIONS))
        except EtsoptError as error:
            wrong = f"{type(error).__name__}: {error.failure}"
        found.saw(f"{name}, not certified" if wrong is None else name)
        if wrong:
            found.failed(number, f"{name}: {wrong}")
    return found


GOLDEN = (*golden_rules.CASES, *golden_allocations.CASES, *golden_markets.CASES, *golden_compliance_years.CASES)


def worked_by_hand(numbers: Iterable[int]) -> Found:
    """Compare the figures of the case of each number with those calculated by hand."""
    found = Found()
    for number in numbers:
        case = GOLDEN[number]
        found.saw(case.subject)
        if differs := case.differs:
            found.failed(number, f"{case.subject}, {case.name}: {differs}")
    return found


ROWS: list[Row] = [
    Row(
        "A1",
        "random instances of every model, of 1 to 12 units, feasible, tight and infeasible, by each method",
        "The package's own checker accepts every answer, and no certified one is disproved by an independent program "
        "(confirmed: there is one for the instance, and it agrees); each without a proof is "
        "listed with the reason.",
        count=10_000,
        share=50,
        work=fuzzed,
    ),
    Row(
        "A6",
        "cases worked by hand: rules, issuing, carry-over, allocations, markets and compliance years",
        "Every figure is the one that was worked by hand, to 0.01 t and 0.01 CNY.",
        count=len(GOLDEN),
        share=len(GOLDEN),
        work=worked_by_hand,
    ),
    Row(
        "A7",
        "15 relations between the answers to an instance and to a changed one, 400 instances each",
        "Every relation holds: the same levels, scaled ones, or a change to one side only; nothing is compared where "
        "one of the two answers is not certified.",
        count=6_000,
        share=30,
        work=related,
    ),
    Row(
        "A10",
        "prices of targets, balances and totals, and of markets of one year, against the level with the limit moved",
        "Every price is the slope of its level to a millionth, or lies between the slopes on both sides where these "
        "differ; the interval of a market's price is then from one slope to the other.",
        count=500,
        share=12,
        work=priced,
    ),
]
