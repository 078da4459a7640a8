"""A solver with known wrong results, HiGHS 1.14.0, behind etsopt: none of the wrong results is certified.

Its presolve may move a continuous column of one row too far if integer columns share the row; 1.15.0 fixes it.
``python -m benchmarks.reliability.canary FIRST LAST`` runs trials with the installed HiGHS.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations
from typing import Any

import etsopt
from benchmarks.reliability import hostile
from benchmarks.reliability.environments import environment
from benchmarks.reliability.programs import is_wrong, least_by_another_program, random_program
from benchmarks.reliability.row import Found, Row
from benchmarks.reporting import child
from tests.markets import known, some_market
from tests.whole_oracle import answer, tiny_instance

CANARY = "1.14.0"
LEVELS = [
    list(order) for count in (1, 2) for order in permutations(("change", "largest_change", "deficit", "spread"), count)
]
PART = 15
"""Trials per cycle: twelve user models, two allocations, and a market."""


def of_a_model(number: int) -> tuple[bool | None, bool]:
    """Return two flags of a random program as a user model: right, and certified."""
    program = random_program(number)
    best = least_by_another_program(program)
    found = etsopt.solve(hostile.carrying(program), hostile.MODEL)
    if found.termination not in ("optimal", "infeasible"):
        return None, found.certified
    point = found.tables["columns"]["value"].tolist() if found.termination == "optimal" else None
    return not is_wrong(program, point, None if best is None else Fraction(best)), found.certified


def of_an_allocation(number: int) -> tuple[bool | None, bool]:
    """Return the same of an allocation in whole tonnes with exceptions, against all possible allocations."""
    instance = tiny_instance(number, LEVELS[number % len(LEVELS)], number // 3 % 3)
    best, found = answer(instance), etsopt.solve(instance, method="direct")
    if found.termination not in ("optimal", "infeasible"):
        return None, found.certified
    if best is None or found.termination == "infeasible":
        return best is None and found.termination == "infeasible", found.certified
    values = [level.value for level in found.levels][-len(best.values) :]
    near = all(abs(a - b) <= 1e-6 * max(1.0, abs(b)) for a, b in zip(values, best.values, strict=True))
    return near, found.certified


def of_a_market(number: int) -> tuple[bool | None, bool]:
    """Return the same of a market of whole plans, against one program over all plans of all units.

    With any solver, a small market may cost more than the optimum and is then not certified.
    """
    drawn = some_market(number)
    policy: dict[str, Any] = drawn.policy.model_dump(mode="json", exclude_none=True)
    policy["abatement"]["divisible_measures"] = False
    instance = etsopt.Instance.from_frames(drawn.units, policy, measures=drawn.measures)
    found = etsopt.solve(instance, "clearing")
    best = known(instance, found).cost if "allocation" in found.tables else float("nan")
    if found.termination == "infeasible":
        return best == float("inf"), found.certified
    if found.termination != "optimal":
        return None, found.certified
    value = found.levels[-1].value
    return abs(value - best) <= 1e-4 * abs(value) + 1.0, found.certified


def trials(numbers: Iterable[int]) -> Found:
    """Run trials with the HiGHS of this process."""
    found = Found()
    for number in numbers:
        place = number % PART
        what, way = ("own model", of_a_model) if place < 12 else ("allocation", of_an_allocation)
        if place == PART - 1:
            what, way = "market", of_a_market
        right, certified = way(number)
        wrong = "dearer than the least" if what == "market" else "wrong"
        outcome = {None: "stopped", True: "right", False: wrong}[right]
        found.saw(f"{what} {outcome}, {'certified' if certified else 'not certified'}")
        if certified and right is not True:
            found.failed(number, f"{what} {outcome}, and certified")
    return found


def in_the_canary(numbers: Iterable[int]) -> Found:
    """Run trials in an environment with the wrong solver, if one can be created."""
    listed, found = list(numbers), Found()
    interpreter = environment(highspy=CANARY)
    if interpreter is None:
        found.saw(f"not tried: highspy {CANARY} could not be installed", len(listed))
        return found
    said = child(
        "benchmarks.reliability.canary", str(listed[0]), str(listed[-1] + 1), python=str(interpreter), timeout_s=1_700
    )
    return Found(failures=[f"{listed[0]}: {said['status']}"]) if "status" in said else Found.from_json(said)


ROWS: list[Row] = [
    Row(
        "A3",
        f"HiGHS {CANARY}, which is known to answer wrongly, behind etsopt: random mixed-integer programs as models of "
        "one's own, allocations in whole tonnes with exceptions, markets of whole plans, against independent programs",
        "At least 40 wrong answers are found, and none of them is certified.",
        3_000,
        0,
        in_the_canary,
        chunk=600,
        patience_s=1_800.0,
        alone=True,
    )
]


if __name__ == "__main__":
    print(json.dumps(trials(range(int(sys.argv[1]), int(sys.argv[2]))).as_json()))
