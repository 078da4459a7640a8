"""The certificate against rational arithmetic and full enumeration, with arbitrary multipliers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.reliability.row import Found, Row
from etsopt.checking.allocation import rational
from etsopt.checking.allocation.bands import Bands
from etsopt.checking.allocation.certificate import Intervals, Kinked, Square, units_gap, upward_each
from etsopt.checking.allocation.infeasibility import least_infeasibility
from etsopt.checking.allocation.integer import fixed_by_reduced_cost, gap_of_largest_change
from etsopt.checking.allocation.limits import Demands
from etsopt.checking.allocation.rows import CouplingRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXPONENTS = (0, 0, 0, 3, 9, 16, 22, 100, 300, 307.7)
"""Range of powers of ten of multipliers."""

LARGEST = 1.7e308
"""About the largest number that a file can hold."""


def some_multipliers(random: np.random.Generator, count: int) -> Array:
    """Return multipliers of either sign: whole, plain, tiny, huge, cancelling another to the last digit, or none."""
    with np.errstate(over="ignore"):
        values = np.clip(random.normal(size=count) * 10.0 ** random.choice(EXPONENTS, count), -LARGEST, LARGEST)
    values = np.where(random.random(count) < 0.3, np.sign(values), values)
    values = np.where(random.random(count) < 0.15, 0.0, values)
    if count > 1 and random.random() < 0.3:
        values[1] = np.nextafter(-values[0], random.choice([-np.inf, np.inf]))
    return values


def some_rows(random: np.random.Generator, units: int, emissions: Array, answer: Array, whole: bool) -> CouplingRows:
    """Return up to four rows of tonnes and, for real allowances, of rates; limits at, near and far from totals."""
    entries: list[tuple[int, int, float, float]] = []
    names, least, most = [], [], []
    for number in range(int(random.integers(0, 5))):
        in_rates = not whole and units > 1 and random.random() < 0.4
        if in_rates:
            one, other = random.choice(units, 2, replace=False)
            entries += [(number, int(one), 1.0, emissions[one]), (number, int(other), -1.0, emissions[other])]
            total = float(answer[one] / emissions[one] - answer[other] / emissions[other])
        else:
            members = np.flatnonzero(random.random(units) < 0.7)
            entries += [(number, int(unit), 1.0, 1.0) for unit in members]
            total = float(answer[members].sum())
        size = 1e-8 if in_rates else 1.0
        sides = np.sort(total + size * random.choice([0.0, 0.0, 1e-9, 1e-3, 1.0, 50.0], 2) * random.normal(size=2))
        sides = np.round(sides) if whole else sides
        names.append("intensity_order" if in_rates else "sector_target")
        least.append(-np.inf if random.random() < 0.2 else sides[0])
        most.append(np.inf if random.random() < 0.2 else sides[1])
    row, position, sign, divisor = (
        (np.array(part) for part in zip(*entries, strict=True)) if entries else [np.zeros(0)] * 4
    )
    index = np.array([str(number) for number in range(len(names))], dtype=object)
    return CouplingRows(
        row.astype(np.int64),
        position.astype(np.int64),
        sign.astype(float),
        divisor.astype(float),
        np.array(least),
        np.array(most),
        np.array(names, dtype=object),
        index,
    )


def some_tonnes(random: np.random.Generator, units: int, whole: bool) -> Array:
    tonnes = 10.0 ** random.uniform(0, 3 if whole else 8, units)
    return np.ceil(tonnes) if whole else tonnes


def near(random: np.random.Generator, tonnes: Array, whole: bool, most: float = 30.0) -> Array:
    """Return points equal to others, one ulp beside, or some tonnes away."""
    away = random.choice([0.0, 1e-3, 1.0, most], len(tonnes)) * random.normal(size=len(tonnes))
    found = tonnes + np.round(away) if whole else tonnes + away
    if not whole:
        found = np.where(random.random(len(tonnes)) < 0.2, np.nextafter(tonnes, np.inf), found)
    return np.maximum(found, 0.0)


def some_pieces(random: np.random.Generator, answer: Array, whole: bool, most: int = 3) -> list[Kinked]:
    """Return functions of objectives: equal or different kinks, common or individual slopes, factors of any size."""
    pieces: list[Kinked] = []
    for _ in range(int(random.integers(0, most + 1))):
        kink = pieces[0].kink if pieces and random.random() < 0.5 else near(random, answer, whole)
        slopes = np.sort(random.choice([-1.0, 0.0, 1.0, 0.3, -1e-9], (2, len(answer))), axis=0)
        times = abs(float(some_multipliers(random, 1)[0]))
        each = random.random() < 0.5
        left, right = slopes if each else (float(slopes[0, 0]), float(slopes[1, 0]))
        pieces.append(Kinked(kink, left, right, times))
    return pieces


def bound_of_real_numbers(number: int) -> tuple[str, str]:
    """Check that the floating-point bound of an objective is not less than the rational one."""
    random = np.random.default_rng(number)
    whole, units = bool(random.random() < 0.3), int(random.integers(1, 7))
    emissions = some_tonnes(random, units, whole)
    answer = near(random, emissions, whole)
    ends = np.sort(np.stack([near(random, answer, whole) for _ in range(2)]), axis=0)
    intervals = Intervals.around(answer, *ends)
    pieces = some_pieces(random, answer, whole)
    square = Square(emissions, near(random, answer, whole), whole) if random.random() < 0.5 else None
    rows = some_rows(random, units, emissions, answer, whole)
    price = rows.supported_duals(some_multipliers(random, len(rows)))
    with np.errstate(all="ignore"):
        pull = rows.dual_activity(price, units)
        found = units_gap(intervals, pieces, pull, square) + rows.gap(rows.totals(answer), price)
    levels = SimpleNamespace(rows=rows, units=units, free=np.ones(units, dtype=bool), intervals=intervals)
    exact = rational.exact_gap(levels, pieces, price, square)
    wrong = "" if not found < exact else f"the bound {found} is below {float(exact)}"
    return ("proves nothing" if not np.isfinite(found) else "a bound"), wrong


def whole_case(number: int) -> Any:
    """Return a few units in whole tonnes, and every allocation that keeps limits and objectives like the result."""
    random = np.random.default_rng(number)
    units = int(random.integers(1, 4))
    emissions = some_tonnes(random, units, whole=True)
    answer = near(random, emissions, whole=True, most=3.0)
    ends = np.sort(np.stack([near(random, answer, whole=True, most=3.0) for _ in range(2)]), axis=0)
    intervals = Intervals.around(answer, np.maximum(ends[0], answer - 4), np.minimum(ends[1], answer + 4))
    pieces = [replace(piece, times=min(piece.times, 1e6)) for piece in some_pieces(random, answer, whole=True)]
    rows = some_rows(random, units, emissions, answer, whole=True)
    price = rows.supported_duals(np.clip(some_multipliers(random, len(rows)), -1e9, 1e9))
    return SimpleNamespace(
        random=random, emissions=emissions, answer=answer, intervals=intervals, pieces=pieces, rows=rows, price=price
    )


def kept(case: Any) -> list[Array]:
    """Return the allocations that keep every limit and objective like the result, including the result."""
    found = []
    ranges = [np.arange(low, high + 1) for low, high in zip(case.intervals.lower, case.intervals.upper, strict=True)]
    own = [sum(map(Fraction, piece.at(case.answer).tolist())) for piece in (replace(p, times=1.0) for p in case.pieces)]
    totals = case.rows.totals(case.answer).value
    least, most = np.minimum(case.rows.least, totals), np.maximum(case.rows.most, totals)
    for point in product(*ranges):
        allowance = np.array(point, dtype=float)
        there = case.rows.totals(allowance).value
        if not ((there >= least) & (there <= most)).all():
            continue
        values = (replace(piece, times=1.0).at(allowance) for piece in case.pieces)
        if all(sum(map(Fraction, value.tolist())) <= limit for value, limit in zip(values, own, strict=True)):
            found.append(allowance)
    return found


def rates_ruled_out(number: int) -> tuple[str, str]:
    """Check that no integer allocation within limits and objectives has a rate below the proven bound."""
    case = whole_case(number)
    reference = near(case.random, case.answer, whole=True, most=3.0)
    rates = np.abs(case.answer - reference) / case.emissions
    value = float(np.max(rates))
    pull = case.rows.dual_activity(case.price, len(case.answer))
    of_rows = case.rows.gap(case.rows.totals(case.answer), case.price)
    gap = gap_of_largest_change(value, case.intervals, reference, case.emissions, case.pieces, pull, of_rows)
    best = min(
        max(
            abs(Fraction(a) - Fraction(r)) / Fraction(e)
            for a, r, e in zip(point, reference, case.emissions, strict=True)
        )
        for point in kept(case)
    )
    wrong = "" if best >= Fraction(value) - Fraction(gap) else f"{float(best)} is possible, {value - gap} claimed"
    return ("a rate is ruled out" if gap < value else "no rate is ruled out"), wrong


def units_that_stay(number: int) -> tuple[str, str]:
    """Check that no allocation within limits and objectives changes a unit that is stated as fixed."""
    case = whole_case(number)
    pull = case.rows.dual_activity(case.price, len(case.answer))
    gap = units_gap(case.intervals, case.pieces, pull)
    gap = float(upward_each(np.array(gap + case.rows.gap(case.rows.totals(case.answer), case.price))))
    no_less, no_more = fixed_by_reduced_cost(case.answer, case.pieces, pull, gap)
    points = kept(case)
    moved = [
        point for point in points if ((point < case.answer) & no_less).any() or ((point > case.answer) & no_more).any()
    ]
    wrong = "" if not moved else f"{case.answer} may be {moved[0]}"
    return ("a unit stays" if (no_less | no_more).any() else "none stays"), wrong


def what_lacks(number: int) -> tuple[str, str]:
    """Check that the proven infeasibility is at most the rational sum, and tolerances and gains at least theirs."""
    random = np.random.default_rng(number)
    units = int(random.integers(1, 7))
    emissions = some_tonnes(random, units, whole=False)
    answer = near(random, emissions, whole=False)
    lower, upper = np.sort(np.stack([near(random, answer, whole=False) for _ in range(2)]), axis=0)
    rows = some_rows(random, units, emissions, answer, whole=False)
    price = some_multipliers(random, len(rows))
    nothing = np.zeros(units)
    below, above = (np.round(random.random(units) * 10) for _ in range(2))
    bands = Bands(lower, upper, below, above, nothing, nothing, nothing, nothing)
    demands = Demands(nothing > 0, False, lower, upper, nothing, rows, bands, np.full(units, -1))
    misses, miss = random.random(len(rows)) * 1e-2, 1e-3
    proof = least_infeasibility(demands, price, misses, miss)
    if not np.isfinite(proof.least):
        return "proves nothing", ""
    price = rows.supported_duals(price)
    _, pull = rational.of_rows(rows, answer, price)
    exact = sum(
        (
            Fraction(y) * Fraction(low if y > 0 else high)
            for y, low, high in zip(price, rows.least, rows.most, strict=True)
            if y
        ),
        Fraction(0),
    )
    exact -= sum(max(p * Fraction(low), p * Fraction(high)) for p, low, high in zip(pull, lower, upper, strict=True))
    let_off = sum((abs(Fraction(y)) * Fraction(m) for y, m in zip(price, misses, strict=True)), Fraction(0))
    let_off += sum(abs(p) for p in pull) * Fraction(miss)
    gains = [max(p * Fraction(up), -p * Fraction(down)) for p, up, down in zip(pull, above, below, strict=True)]
    right = Fraction(proof.least) <= exact and not proof.tolerated < let_off
    right = right and all(not found < gain for found, gain in zip(proof.gains, gains, strict=True))
    wrong = "" if right else f"lacking {proof.least} of {float(exact)}, let off {proof.tolerated} of {float(let_off)}"
    return "a proof", wrong


KINDS: tuple[Callable[[int], tuple[str, str]], ...] = (
    bound_of_real_numbers,
    bound_of_real_numbers,
    rates_ruled_out,
    units_that_stay,
    what_lacks,
)


def against_rationals(numbers: Iterable[int]) -> Found:
    """Check each kind of proof in turn."""
    found = Found()
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        outcome, wrong = kind(number)
        found.tried(number, f"{kind.__name__.replace('_', ' ')}: {outcome}", wrong)
    return found


ROWS = (
    Row(
        "E1",
        "hostile multipliers, up to 1.7e308, given to every proof of the checker of allocations: bounds of levels, "
        "whole rates, units that stay, what lacks",
        "none is above what rational numbers say, or what trying every allocation of whole tonnes finds",
        1_000_000,
        1_000,
        against_rationals,
        chunk=2_500,
    ),
)
