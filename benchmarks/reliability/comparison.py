"""Pyomo with HiGHS beside etsopt: frequency of wrong results reported as optimal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from benchmarks.reliability import hostile, pyomo_route
from benchmarks.reliability.programs import (
    CAUSES,
    Written,
    exact_least,
    is_wrong,
    least_by_another_program,
    random_program,
)
from benchmarks.reliability.row import Found, Row
from benchmarks.reporting import fill, table, versions

HOSTILE, RANDOM = 200, 3_000
HARMLESS = "random mixed-integer program, nothing hostile"
WAYS = (*pyomo_route.INTERFACES, "etsopt")
WRONG, INFEASIBLE, IGNORED, REFUSED, RIGHT = WORTH = (
    "silently wrong",
    "wrongly infeasible",
    "silently ignored",
    "refused",
    "right",
)

HEAD = """Of the same {count:,} models, by {told} ({versions}, default options). *Silently wrong* is an answer
without an error that breaks a constraint of the model as written or misses its optimum, by more than the default
tolerances of HiGHS, or belongs to a model with a NaN or infinite number, which has no answer; *wrongly infeasible*
comes with an error. The optima of the hostile models are exact, those of the random ones by scipy.
`python -m benchmarks.reliability D5` makes the table again."""


def verdict(said: list[float] | str | None, program: Written, best: Fraction | None, misspelt: bool) -> str:
    """Judge an answer: a point, None for infeasible, or the text of a refusal."""
    if isinstance(said, str):
        return REFUSED
    if is_wrong(program, said, best):
        return INFEASIBLE if said is None else WRONG
    return IGNORED if misspelt else RIGHT


def compare(numbers: Iterable[int]) -> Found:
    """Solve each program by each interface; hostile programs have the first numbers."""
    found = Found()
    for number in numbers:
        if number < HOSTILE:
            cause, program, options = hostile.hostile(number)
            best = exact_least(program) if program.is_meant else None
        else:
            cause, program, options = HARMLESS, random_program(number - HOSTILE), {}
            least = least_by_another_program(program)
            best = None if least is None else Fraction(least)
        # Numbers are in the rows or in mutable parameters, in turn.
        mutable = bool(number // len(CAUSES) % 2)
        answers = {name: pyomo_route.answer(program, name, options, mutable) for name in pyomo_route.INTERFACES}
        answers["etsopt"] = hostile.answer(program, options)
        worth = [verdict(answers[way], program, best, bool(options)) for way in WAYS]
        found.saw(f"{cause}: {', '.join(worth)}")
        if worth[-1] in (WRONG, INFEASIBLE, IGNORED):
            found.failed(number, f"{cause}: etsopt {worth[-1]}")
        if cause == HARMLESS and worth[-1] == REFUSED:
            found.failed(number, f"etsopt refuses what is harmless: {answers['etsopt']}")
    return found


def published(found: Found) -> str:
    """Return the table of the README: causes, and the outcome of each interface."""
    counted: dict[str, dict[str, Counter[str]]] = {
        cause: {way: Counter() for way in WAYS} for cause in (*CAUSES, HARMLESS)
    }
    for outcome, times in found.outcomes.items():
        cause, _, verdicts = outcome.rpartition(": ")
        for way, worth in zip(WAYS, verdicts.split(", "), strict=True):
            counted[cause][way][worth] += times
    totals = {way: sum(ways[way][WRONG] for ways in counted.values()) for way in WAYS}
    words = [f"{name_of(way)} {times:,}" for way, times in totals.items()]
    shown = ", ".join(f"{name} {number}" for name, number in versions(("pyomo", "highspy")).items())
    count = sum(found.outcomes.values())
    told = f"{', '.join(words[:-1])} and {words[-1]} answers are silently wrong"
    head = "\n".join(textwrap.wrap(HEAD.format(count=count, told=told, versions=shown), 120, break_on_hyphens=False))
    lines = [(cause, *(cell(ways[way]) for way in WAYS)) for cause, ways in counted.items() if any(ways.values())]
    return f"{head}\n\n{table(('in the model', *map(name_of, WAYS)), lines)}"


def name_of(way: str) -> str:
    return way if way == "etsopt" else f"Pyomo `{way}`"


def cell(seen: Counter[str]) -> str:
    return ", ".join(f"{seen[worth]:,} {worth}" for worth in WORTH if seen[worth])


def publish(found: Found) -> None:
    fill("silent wrong answers", published(found))


ROWS: list[Row] = [
    Row(
        "D5",
        f"{HOSTILE} hostile and {RANDOM:,} random programs by Pyomo's interfaces `highs` and `appsi_highs` and by "
        "etsopt, in this order; benchmarks/README.md has the table",
        "etsopt is never silently wrong: it refuses, or answers rightly.",
        HOSTILE + RANDOM,
        HOSTILE // 2,
        compare,
        chunk=400,
        publish=publish,
    )
]
