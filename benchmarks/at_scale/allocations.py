"""Measure `allocation` at one size: ``python -m benchmarks.at_scale.allocations UNITS [--highs LIMIT_S]``.

Prints one line of JSON. Every second province balance of the instance is narrow, so that sector and province
rows bind together.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from typing import Any

import pandas as pd

import etsopt
from benchmarks.at_scale import tight
from benchmarks.solver_settings import LINEAR
from etsopt.common.progress import watched
from etsopt.modelling.solving import highs
from etsopt.modelling.solving.levels import solve_levels
from etsopt.modelling.solving.options import SolveOptions
from etsopt.running import compiling, library
from etsopt_models import allocation

LEVELS = ("change", "largest_change", "deficit", "spread")
CHAIN = ("change", "largest_change")
WIDE, NARROW = 0.02, 0.001
SETTINGS = ("ipm, no crossover", "ipm, crossover")
"""Fastest settings at 50,000 units in ``solver_settings.json``. The faster of both counts; above `BOTH_UP_TO_UNITS`
the first, which is faster on every objective at 150,000."""

BOTH_UP_TO_UNITS = 150_000

REPETITIONS = 3
SAME = 1e-9


def instance_of(units: int, levels: tuple[str, ...]) -> etsopt.Instance:
    """Return a generated instance with the objectives."""
    made = etsopt.generate(units, seed=1)
    balance = {name: WIDE if number % 2 else NARROW for number, name in enumerate(made.provinces)}
    return made.with_policy({"allocation.objectives": list(levels), "provinces.balance": balance})


def timed(action: Callable[[], Any], repetitions: int = REPETITIONS) -> tuple[Any, float]:
    """Return the result of a call and its least CPU time [s]."""
    least = float("inf")
    for _ in range(repetitions):
        before = time.process_time()
        found = action()
        least = min(least, time.process_time() - before)
    return found, least


def run(parameters: dict[str, Any], names: list[str]) -> Any:
    """Solve the model's formulation with any parameters, as the engine does for a method."""
    return solve_levels(compiling.compiled_program(library.load("allocation"), parameters), names, SolveOptions(), {})


def by_method(units: int, level: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the method itself on one objective; return the parameters and the figures."""
    instance = instance_of(units, (level,))
    parameters = allocation.parameters(instance)
    method = library.model_method("allocation", "aggregation")
    found, seconds = timed(lambda: method.solve(instance, parameters, [level], run))
    solved = found.levels[0]
    return parameters, {"method_s": seconds, "value": solved.value, "algorithm": solved.algorithm}


def one_level(units: int, level: str, limit_s: float) -> dict[str, Any]:
    """Run the method on one objective, and HiGHS alone on the compiled program of the same parameters."""
    parameters, figures = by_method(units, level)
    return figures | alone(parameters, level, figures["value"], limit_s) if limit_s else figures


def beside_tight(units: int, limit_s: float) -> dict[str, Any]:
    """Run the method on `change`, and HiGHS on the tight form that a person writes by hand for it."""
    parameters, figures = by_method(units, "change")
    return figures | tight.solved(parameters, figures["value"], limit_s)


def alone(parameters: dict[str, Any], level: str, value: float, limit_s: float) -> dict[str, Any]:
    """CPU seconds of HiGHS at its best setting; loading and scaling do not count."""
    program, best = compiling.compiled_program(library.load("allocation"), parameters), {"highs_s": float("inf")}
    for setting in SETTINGS if parameters["UNITS"] <= BOTH_UP_TO_UNITS else SETTINGS[:1]:
        options = SolveOptions(solver_options=dict(LINEAR[setting]))
        loaded = highs.Loaded(program, level, options)
        with watched(limit_s):
            outcome, seconds = timed(loaded.solve, 1)
        ended = outcome.termination == "optimal"
        if ended and abs(program.objectives[level].value(outcome.x) - value) > 1e-6 * max(abs(value), 1e-9):
            raise SystemExit(f"{level}: HiGHS has {program.objectives[level].value(outcome.x)!r}, not {value!r}.")
        if seconds < best["highs_s"]:
            best = {"highs_s": seconds, "setting": setting, "status": outcome.termination.value}
        if seconds > limit_s / 2:
            # The second setting takes as long.
            break
    return best


def chain(units: int, limit_s: float) -> dict[str, Any]:
    """Measure the default objectives with the tie-break, from data frames to certified ones, against HiGHS."""
    made = instance_of(units, CHAIN)
    frame, policy = made.units, made.policy.model_dump(mode="json", exclude_none=True)

    def whole(method: str | None) -> Any:
        return etsopt.solve(etsopt.Instance.from_frames(frame, policy), method=method)

    found, seconds = timed(lambda: whole("aggregation"))
    if not found.certified:
        raise SystemExit(f"{units:,} units: not certified, {found.violations[:3]}.")
    figures = {"chain_s": seconds, "stages_s": found.provenance.seconds}
    if not limit_s:
        return figures
    spent, solve = [], highs.Loaded.solve

    def counted(self: Any) -> Any:
        outcome, seconds = timed(lambda: solve(self), 1)
        spent.append(seconds)
        return outcome

    highs.Loaded.solve = counted  # type: ignore[method-assign]
    other = whole("direct")
    highs.Loaded.solve = solve  # type: ignore[method-assign]
    apart = (found.tables["allocation"]["allowance_t"] - other.tables["allocation"]["allowance_t"]).abs().max()
    return figures | {"chain_highs_s": sum(spent), "apart_t": float(apart)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("units", type=int)
    parser.add_argument("--highs", type=float, default=0.0, metavar="S", help="limit of HiGHS on a level; 0: not run")
    parser.add_argument("--tight", action="store_true", help="beside the tight form alone")
    options = parser.parse_args()
    # Imports, once per process, are part of no figure.
    etsopt.solve(instance_of(3_000, CHAIN), method="aggregation")
    etsopt.solve(instance_of(300, CHAIN), method="direct")
    if options.tight:
        print(json.dumps({"units": options.units, **beside_tight(options.units, options.highs)}))
        return
    figures: dict[str, Any] = {"units": options.units, "pandas": pd.__version__}
    figures["levels"] = {level: one_level(options.units, level, options.highs) for level in LEVELS}
    # HiGHS takes more than an hour for the chain at a million units.
    figures |= chain(options.units, options.highs if options.units <= BOTH_UP_TO_UNITS else 0.0)
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
