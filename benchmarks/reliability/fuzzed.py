"""Random instances of every model: result, repeated check, and comparison with independent programs."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import etsopt
from benchmarks.reliability.row import Found
from etsopt.common.errors import EtsoptError
from etsopt.running import library
from etsopt.running.results.claims import PROVEN
from etsopt_models._columns import variable_fixing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from etsopt.checking import Verdict
    from etsopt.running.results.results import Results


@dataclass(frozen=True)
class Case:
    """An instance to solve.

    Parameters
    ----------
    model, instance
        Model to solve, and its instance.
    method
        Requested method; ``direct`` if the model does not support it.
    known
        Compares the result with that of an independent program: the difference as text, empty if they agree, None if
        that program cannot tell. None without such a program.
    """

    model: str
    instance: etsopt.Instance
    method: str = "direct"
    known: Callable[[Results], str | None] | None = None


def solve(case: Case, **options: Any) -> Results:
    """Solve a case by its method; by decomposition also if the whole program would be faster."""
    method = case.method
    if method in ("aggregation", "decomposition"):
        own = library.model_method(case.model, method)
        method = "direct" if own is None or own.declines(case.instance) else method
    with patch.object(variable_fixing, "SAMPLE_UNITS_MAX", 1) if method == "decomposition" else nullcontext():
        return etsopt.solve(case.instance, case.model, method=method, **options)


class Tried(NamedTuple):
    """The outcome of a case, its error, and the reason of a missing proof; each empty if not applicable."""

    outcome: str
    wrong: str
    unproven: str = ""


def tried(case: Case) -> Tried:
    """Solve a case, check it again, and compare it."""
    try:
        result = solve(case)
    except EtsoptError as error:
        # Every instance is valid, so every refusal is wrong.
        return Tried(f"{case.model} no answer", f"{case.method}: {type(error).__name__}: {error.failure}")
    status, wrong = result.status, []
    if status == "refused":
        wrong.append(f"refused: {brief(result.violations)}")
    report = etsopt.check(case.instance, result)
    violations = report.violations
    if violations and status != "refused":
        wrong.append(f"the checker alone finds {brief(violations)}")
    if status == "none":
        wrong.append(f"ended with nothing, {result.termination}")
    differs = case.known(result) if case.known else None
    if differs:
        wrong.append(differs)
    confirmed = ", confirmed" if differs == "" and status in PROVEN else ""
    unproven = "" if status in PROVEN else f"{case.model} {status}, {why(report)}"
    return Tried(f"{case.model} {status}{confirmed}", "; ".join(wrong), unproven)


def seen(numbers: Iterable[int], case_of: Callable[[int], Case]) -> Found:
    """Run the case of each number, and list results without proof."""
    found = Found()
    for number in numbers:
        case = tried(case_of(number))
        found.tried(number, case.outcome, case.wrong)
        if case.unproven:
            found.named(number, case.unproven)
    return found


def why(report: Verdict) -> str:
    """Return the reason that a result has no proof."""
    if report.unproven:
        return "there is no fixed point"
    if report.infeasible_by_t is not None:
        within = ", which the limits together may be missed by" if report.tolerated else ""
        return f"proven to lack {report.infeasible_by_t:.3g} t{within}"
    gaps = (
        f"{level.name} {level.value:.6g} {level.unit} within {level.gap:.2g}"
        for level in report.levels
        if level.needed and not level.certified
    )
    return ", ".join(gaps)


def brief(violations: Any) -> str:
    """Return the names of the violated statements with their counts."""
    rules = Counter(item["rule"] if isinstance(item, dict) else item.rule for item in violations)
    return ", ".join(f"{rule} {count}x" for rule, count in rules.items())
