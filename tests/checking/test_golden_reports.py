"""What the checker says of saved runs, honest and changed, compared with what it once said and was found right.

After a change that is meant, ``UPDATE_GOLDEN=1 pytest tests/checking/test_golden_reports.py`` writes the reports again,
and the runs that are missing; read what differs then. Amounts and gaps are compared to a millionth, rounding is not.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking import arithmetic
from etsopt.checking.allocation import certificate, integer
from etsopt.running import run
from etsopt.running.results.results import load_both
from tests.checking.test_every_column import KINDS
from tests.market_of_everything import a_market
from tests.markets import market, of_model, random_market
from tests.models.test_whole_plans import short

if TYPE_CHECKING:
    from etsopt.checking import Verdict

GOLDEN = Path(__file__).parents[1] / "golden_reports"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
NEAR, ROUNDING = 1e-6, 1e-9
"""Up to which share numbers agree, and up to which share of a level a gap is rounding."""


COARSE, ONE_IN = 1e-7, 12
"""A roundoff at which rounding is seen, and one in how many changes is looked at with it."""


def small_equilibrium() -> etsopt.Instance:
    """Three units of the balance value, of which two have a measure, over two years."""
    units = {"emissions_tco2e": [3e5, 5e5, 9e5], "reference_t": [3e5, 5e5, 9e5], "output_t": [4e5, 5e5, 8e5]}
    measures = [
        {"measure_id": f"m{k}", "unit_id": f"u{k}", "abatement_rate": 0.1 + 0.1 * k, "variable_opex_cny_per_t": 4.0}
        for k in range(2)
    ]
    rule = {"name": "cn-2025", "threshold_tco2e": 0.0}
    stated = {"prices_cny_per_t": 80.0, "paid_share": 0.1}
    return market(units, measures, rule=rule, market=stated, horizon={"last_year": 2026})


RUNS = {
    **KINDS,
    "equilibrium": (small_equilibrium, "equilibrium"),
    "accounts": (lambda: a_market({"transaction_cost_cny_per_t": 2.0}), "clearing"),
    "parts": (lambda: a_market().with_policy({"abatement.divisible_measures": True}), "clearing"),
    "leaves": (lambda: short(21), "clearing"),
    "taker": (lambda: of_model(random_market(11, 3, market={"prices_cny_per_t": 60.0}), "abatement"), "abatement"),
}


@cache
def saved(name: str) -> tuple[etsopt.Instance, etsopt.Results]:
    folder = GOLDEN / name.replace(" ", "_") / "run"
    if UPDATE and not folder.exists():
        make, model = RUNS[name]
        instance = make()
        etsopt.solve(instance, model).save(folder, instance)
    result, instance = load_both(folder)
    return instance, result


def changes(result: etsopt.Results) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """The tables as they are, and with each column of numbers a thousandth larger; multipliers also turned and huge."""
    yield "honest", {}
    for name, table in result.tables.items():
        for column in table.columns if len(table) else ():
            cells = table[column]
            if pd.api.types.is_bool_dtype(cells):
                yield f"{name}.{column}", {name: table.assign(**{column: ~cells})}
            elif pd.api.types.is_numeric_dtype(cells):
                values = cells.astype(float)
                larger = np.where(values == 0, 0.25, 1.001 * values)
                yield f"{name}.{column}", {name: table.assign(**{column: larger})}
    for factor in (-1.0, 1e9):
        if "duals" in result.tables and len(duals := result.tables["duals"]):
            yield f"duals times {factor:g}", {"duals": duals.assign(multiplier=factor * duals["multiplier"])}


def told(report: Verdict) -> dict[str, Any]:
    """A report in numbers: how often each statement is broken and by how much in all, and every level."""
    broken: dict[str, list[float]] = {}
    for violation in report.violations:
        amount = abs(violation.amount) if math.isfinite(violation.amount) else 0.0
        counted = broken.setdefault(f"{violation.rule} [{violation.unit}]", [0.0, 0.0])
        counted[0] += 1
        counted[1] += amount
    levels = {
        level.name: [level.value, level.gap, level.tolerance, level.asked] for level in report.levels if level.unit
    }
    of_all = [report.infeasible_by_t, report.rounded_by_t, float(report.unproven), float(report.tolerated)]
    return {"broken": broken, "levels": levels, "tonnes": [math.nan if part is None else part for part in of_all]}


def agree(one: float, other: float, size: float = 0.0) -> bool:
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or (math.isnan(one) and math.isnan(other))
    return abs(one - other) <= NEAR * max(abs(one), abs(other)) + ROUNDING * max(size, 1.0)


def differs(found: dict[str, Any], known: dict[str, Any]) -> list[str]:
    """What two reports do not have in common."""
    words = []
    for part in ("broken", "levels"):
        if list(found[part]) != list(known[part]):
            words.append(f"{list(found[part])} instead of {list(known[part])}")
            continue
        for name, numbers in found[part].items():
            # A gap is a difference of values, and one of rounding where it is a billionth of them.
            size = abs(numbers[0]) if part == "levels" and math.isfinite(numbers[0]) else 0.0
            if not all(agree(*pair, size) for pair in zip(numbers, known[part][name], strict=True)):
                words.append(f"{name}: {numbers} instead of {known[part][name]}")
    if not all(agree(*pair) for pair in zip(found["tonnes"], known["tonnes"], strict=True)):
        words.append(f"{found['tonnes']} instead of {known['tonnes']}")
    return words


def told_of(name: str, every: int = 1) -> dict[str, Any]:
    """What the checker says of a run and of its changes, or of one in so many of these."""
    instance, result = saved(name)
    some = list(changes(result))[::every]
    return {
        change: told(run.check(instance, replace(result, tables=result.tables | tables))) for change, tables in some
    }


@pytest.mark.everyday("tiny", "infeasible", "the rule")
@pytest.mark.parametrize("name", RUNS)
def test_the_checker_says_what_it_said(name: str) -> None:
    compare(name, "report", told_of(name))


@pytest.mark.everyday("missing", "reconciliation", "tiny")
@pytest.mark.parametrize("name", RUNS)
def test_what_rounding_may_do_is_what_it_was(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # In arithmetic that knows seven digits, what is uncertain of sums is a part of every gap that one can see.
    for module in (arithmetic, certificate, integer):
        monkeypatch.setattr(module, "ROUNDOFF", COARSE)
    compare(name, "coarse", told_of(name, every=ONE_IN))


def compare(name: str, kind: str, found: dict[str, Any]) -> None:
    """Compare what is told of a run and its changes with what was told once, or keep it."""
    file = GOLDEN / name.replace(" ", "_") / f"{kind}.json"
    if UPDATE:
        lines = [f"{json.dumps(change)}: {json.dumps(report)}" for change, report in found.items()]
        file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", newline="\n")
    known = json.loads(file.read_text(encoding="utf-8"))
    assert list(found) == list(known)
    assert {change: words for change, report in found.items() if (words := differs(report, known[change]))} == {}
