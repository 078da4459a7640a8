"""The same input gives the same bytes each time, and the same values with other Pythons and another release of HiGHS.

``python -m benchmarks.reliability.same_again FIRST LAST TIMES`` solves instances and prints the result of each.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import etsopt
from benchmarks.reliability.environments import environment, python_named
from benchmarks.reliability.row import Found, Row
from benchmarks.reporting import child
from etsopt.common.units import tolerance_of
from tests.builders import random_instance
from tests.compliance_years import random_compliance_year
from tests.markets import of_model, some_market

INSTANCES, RUNS, PROCESSES = 50, 10, 2

OTHER_SOLVER = "1.15.1"
OTHERS: dict[str, tuple[str, str]] = {
    "Python 3.12": ("3.12", ""),
    "Python 3.13": ("3.13", ""),
    "Python 3.14": ("3.14", ""),
    f"highspy {OTHER_SOLVER}": ("", OTHER_SOLVER),
}
"""Versions of Python and of the solver; None for those of this process."""

Case = tuple[str, Callable[[int], etsopt.Instance], str, dict[str, Any]]


def generated(seed: int, **policy: Any) -> etsopt.Instance:
    instance = etsopt.generate(60, seed=seed, measures=3, own=True)
    return instance.with_policy({f"market.{name}": value for name, value in policy.items()})


CASES: tuple[Case, ...] = (
    ("allocation", random_instance, "allocation", {}),
    (
        "fair order in whole tonnes",
        partial(random_instance, intensity_order=True, integer_allowances=True),
        "allocation",
        {},
    ),
    ("exceptions", partial(random_instance, exceptions={"units": 2, "lower": 0.1, "upper": 0.1}), "allocation", {}),
    ("aggregation", partial(random_instance, integer_allowances=True), "allocation", {"method": "aggregation"}),
    ("clearing", some_market, "clearing", {}),
    ("pathway", lambda number: of_model(some_market(number), "pathway"), "pathway", {}),
    ("prices", generated, "clearing", {"method": "decomposition"}),
    ("abatement", partial(generated, prices_cny_per_t=60.0, transaction_cost_cny_per_t=2.0), "abatement", {}),
    ("equilibrium", partial(generated, prices_cny_per_t=60.0), "equilibrium", {}),
    ("compliance", random_compliance_year, "compliance", {}),
)


def solved(number: int) -> tuple[etsopt.Instance, etsopt.Results]:
    _, make, model, options = CASES[number % len(CASES)]
    instance = make(number)
    return instance, etsopt.solve(instance, model, **options)


def bytes_of(instance: etsopt.Instance, found: etsopt.Results) -> str:
    """Return the digest of every file of a run folder, without the seconds of its result."""
    with tempfile.TemporaryDirectory() as folder:
        found.save(folder, instance)
        digest = hashlib.sha256()
        for path in sorted(Path(folder).rglob("*")):
            if not path.is_file():
                continue
            content = path.read_bytes()
            if path.name == "result.json":
                stated = json.loads(content)
                stated["seconds"] = dict.fromkeys(stated["seconds"])
                content = json.dumps(stated).encode()
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + content + b"\0")
        return digest.hexdigest()


def report(numbers: range, times: int) -> dict[str, Any]:
    """Return digests of the runs of each instance, and status and objectives of the last."""
    told: dict[str, Any] = {}
    for number in numbers:
        digests = []
        for _ in range(times):
            instance, found = solved(number)
            digests.append(bytes_of(instance, found))
        gap = found.provenance.options.gap
        levels = [(level.name, level.value, level.unit) for level in found.levels]
        told[str(number)] = {"digests": digests, "status": found.status, "levels": levels, "gap": gap}
    return told


def told_by(numbers: list[int], times: int, python: str = sys.executable, hash_seed: str = "random") -> dict[str, Any]:
    """Return the report of a separate process with a hash seed of its own."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = hash_seed
    try:
        limits = (str(min(numbers)), str(max(numbers) + 1), str(times))
        return child("benchmarks.reliability.same_again", *limits, python=python, timeout_s=1_500)
    finally:
        os.environ.pop("PYTHONHASHSEED")
        if before is not None:
            os.environ["PYTHONHASHSEED"] = before


def same_bytes(found: Found, numbers: list[int], place: int) -> None:
    """Compare ten runs of each instance in two processes."""
    told = [told_by(numbers, RUNS // PROCESSES, hash_seed=str(seed)) for seed in range(1, PROCESSES + 1)]
    for number in numbers:
        digests = {digest for one in told for digest in one.get(str(number), {"digests": [one]})["digests"]}
        found.saw("identical bytes in ten runs" if len(digests) == 1 else "different bytes")
        if len(digests) != 1:
            found.failed(
                place + number, f"{CASES[number % len(CASES)][0]}: {len(digests)} different results in ten runs"
            )


def same_values(found: Found, numbers: list[int], place: int, name: str) -> None:
    """Compare one run of each instance in another environment with one here."""
    wanted, solver = OTHERS[name]
    python = python_named(wanted) if wanted else sys.executable
    elsewhere = environment(python, highspy=solver or version("highspy")) if python else None
    if elsewhere is None:
        found.saw(f"not tried: {name} cannot be had here", len(numbers))
        return
    here, there = told_by(numbers, 1), told_by(numbers, 1, str(elsewhere))
    for number in numbers:
        one, other = here.get(str(number), here), there.get(str(number), there)
        wrong = difference(one, other) if "levels" in one and "levels" in other else f"{one} and {other}"
        # A result that is only feasible need not be unique.
        open_ = bool(wrong) and {one.get("status"), other.get("status")} == {"feasible"}
        found.saw(f"{name}: {'other values' if wrong else 'same values'}{', not certified' if open_ else ''}")
        if wrong and not open_:
            found.failed(place + number, f"{name}, {CASES[number % len(CASES)][0]}: {wrong}")


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Return the difference of two results beyond a relative 1e-9 or their certified gaps; empty without one."""
    if one["status"] != other["status"]:
        return f"{one['status']} and {other['status']}"
    if [level[0] for level in one["levels"]] != [level[0] for level in other["levels"]]:
        return f"levels {one['levels']} and {other['levels']}"
    # If only the requested gap is proven, two results may differ by it.
    gap = one["gap"] if one["status"] == "certified_gap" else 0.0
    for (name, value, unit), (_, also, _) in zip(one["levels"], other["levels"], strict=True):
        if not abs(value - also) <= max(tolerance_of(value, unit), gap * abs(value)):
            return f"{name} is {value!r} and {also!r}"
    return ""


def again(numbers: Iterable[int]) -> Found:
    """Run the first fifty trials here, and each further fifty with another Python or solver."""
    found, parts = Found(), dict[int, list[int]]()
    for number in numbers:
        parts.setdefault(number // INSTANCES, []).append(number % INSTANCES)
    for part, instances in parts.items():
        if part == 0:
            same_bytes(found, instances, 0)
        else:
            same_values(found, instances, part * INSTANCES, list(OTHERS)[part - 1])
    return found


ROWS: list[Row] = [
    Row(
        "A11",
        f"{INSTANCES} instances of every model: {RUNS} runs of each in {PROCESSES} processes, and one with every other "
        f"Python and with HiGHS {OTHER_SOLVER}",
        "All files of a run are identical but for the seconds; elsewhere the status is the same, and levels that are "
        "certified agree to 1e-9.",
        INSTANCES * (1 + len(OTHERS)),
        3,
        again,
        chunk=INSTANCES,
        patience_s=3_600.0,
    )
]


if __name__ == "__main__":
    first, last, often = map(int, sys.argv[1:])
    print(json.dumps(report(range(first, last), often)))
