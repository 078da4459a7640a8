"""Forged runs of every model: multipliers, allowances, limits, cells; none is certified beyond the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import etsopt
from benchmarks.reliability.certificates import some_multipliers
from benchmarks.reliability.fuzzed_allocations import some_policy, some_units
from benchmarks.reliability.row import Found, Row
from etsopt.checking.allocation.limits import derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.common.units import tolerance_of
from etsopt.running import run
from tests import markets
from tests.builders import moved
from tests.compliance_years import random_compliance_year
from tests.investments import random_investment
from tests.judging import check
from tests.reconciliations import random_reconciliation
from tests.review_plans import random_reviews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from etsopt.checking import Verdict

EACH = 10
"""Number of forgeries of each solved instance."""

MARKETS = ("abatement", "clearing", "pathway")
MODELS = (
    *("allocation", "allocation", "allocation", *MARKETS),
    *("compliance", "equilibrium", "balance_value", "reconciliation", "review_plan", "investment"),
)


@dataclass(frozen=True)
class Stated:
    """An objective as a result states it."""

    name: str
    value: float


@dataclass(frozen=True)
class Case:
    """An instance with its honest result."""

    model: str
    instance: etsopt.Instance
    result: etsopt.Results

    def checked(self, tables: dict[str, pd.DataFrame]) -> Verdict:
        """Check other tables, with every objective stated as recomputed from them."""
        levels: list[Any] = [Stated(level.name, level.value) for level in self.result.levels]
        kind = self.result.provenance.model
        first = check(self.instance, tables, levels, 0.0, kind)
        known = {level.name: level.value for level in first.levels}
        return check(self.instance, tables, [Stated(s.name, known.get(s.name, s.value)) for s in levels], 0.0, kind)


@lru_cache(maxsize=4)
def case_of(number: int) -> Case | None:
    """Return a solved random instance of one of the models, or None without an honest certified result."""
    random, model = np.random.default_rng(number), MODELS[number % len(MODELS)]
    if model in ("allocation", "balance_value"):
        units = some_units(random, int(random.integers(2, 13)))
        instance = etsopt.Instance.from_frames(
            units, some_policy(random, units, str(random.choice(["given", "cn-2025"])))
        )
    elif model == "compliance":
        instance = random_compliance_year(number)
    elif model == "review_plan":
        instance = random_reviews(number, int(random.integers(2, 9)), least=bool(random.random() < 0.5))
    elif model == "reconciliation":
        instance = random_reconciliation(number)
    elif model == "investment":
        policy = {"cvar_weight": float(random.choice([0.0, 0.5]))}
        policy |= {"budget_cny": 10.0 ** random.uniform(5.5, 7)} if random.random() < 0.5 else {}
        instance = random_investment(number, investment=policy)
    elif model == "equilibrium":
        units = some_units(random, int(random.integers(2, 13)))
        policy = {"year": 2025, "rule": {"name": "cn-2025"}, "market": {"prices_cny_per_t": 80.0}}
        instance = etsopt.Instance.from_frames(units, policy)
    else:
        instance = markets.of_model(markets.some_market(number), model)
        instance = markets.as_filed(instance, {"market.prices_cny_per_t": 80.0}) if model == "abatement" else instance
    try:
        result = etsopt.solve(instance, model)
    except etsopt.EtsoptError:
        return None
    return Case(model, instance, result) if result.certified else None


def is_true(case: Case, report: Verdict) -> str:
    """Return the certified statement that the honest result rules out; empty without one."""
    if not report.certified:
        return ""
    if report.infeasible_by_t is not None and case.result.termination == "optimal":
        return f"infeasible by {report.infeasible_by_t} t, and there is an answer"
    honest = {level.name: level.value for level in case.result.levels}
    for level in report.levels:
        known = honest[level.name]
        size = tolerance_of(known, level.unit) + level.tolerance
        if level.bound > known + size:
            return f"{level.name}: {level.bound} is claimed to be the least, and {known} is possible"
        if level.value < known - size:
            # A better value of one objective may make later ones worse.
            break
    return ""


def with_other_multipliers(case: Case, random: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Replace some multipliers by others of any size."""
    duals = case.result.tables["duals"].copy()
    here = random.random(len(duals)) < random.choice([0.2, 1.0])
    values = duals["multiplier"].to_numpy(dtype=float)
    factor = random.choice([-1.0, 1e3, 1e9, 1e16, 1e22])
    duals["multiplier"] = np.where(
        here, values * factor if random.random() < 0.5 else some_multipliers(random, len(duals)), values
    )
    return case.result.tables | {"duals": duals}


def with_other_weights(case: Case, random: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Replace weights of scenarios, and prices of budgets, by numbers of any size, or mix those that are there."""
    tables = dict(case.result.tables)
    for name, column in (("scenario_costs", "weight"), ("investment_summary", "budget_shadow_price")):
        if column in tables[name]:
            values = tables[name][column].to_numpy(dtype=float)
            mixed = random.random() < 0.5
            others = random.permutation(values) if mixed else some_multipliers(random, len(values))
            tables[name] = tables[name].assign(**{column: others})
    return tables


def with_more_multipliers(
    case: Case, random: np.random.Generator, tables: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Add a multiplier in every objective to a row without one."""
    rows = derive(InstanceInputs.of(case.instance)).rows
    if not len(rows):
        return tables
    row, value = int(random.integers(len(rows))), float(some_multipliers(random, 1)[0])
    by = "rate" if rows.in_rates[row] else "t"
    units = {level.name: level.unit for level in case.result.levels}
    lines = [
        {"level": name, "row": rows.rule[row], "index": rows.index[row], "multiplier": value, "unit": f"{unit}/{by}"}
        for name, unit in units.items()
    ]
    duals = pd.concat([part for part in (tables["duals"], pd.DataFrame(lines)) if len(part)], ignore_index=True)
    return tables | {"duals": duals.drop_duplicates(["level", "row", "index"], keep="last")}


def of_allocation(case: Case, random: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Change allowances and every table with them; multipliers are honest, others, or more."""
    tables = case.result.tables
    if "allocation" not in tables:
        return with_other_multipliers(case, random)
    free = tables["allocation"].loc[tables["allocation"]["at_bound"] != "fixed", "unit_id"].to_numpy()
    if len(free) > 1 and random.random() < 0.8 and "before_rounding_t" not in tables["allocation"]:
        one, other = random.choice(free, 2, replace=False)
        tonnes = float(np.ceil(10.0 ** random.uniform(0, 5)))
        tables = {**moved(case.instance, case.result, {one: tonnes, other: -tonnes}), "duals": tables["duals"]}
    changed = replace(case, result=replace(case.result, tables=tables))
    tables = with_other_multipliers(changed, random) if random.random() < 0.7 else tables
    return with_more_multipliers(case, random, tables) if random.random() < 0.5 else tables


def of_cells(case: Case, random: np.random.Generator) -> tuple[dict[str, pd.DataFrame], str]:
    """Change a cell or column of one table by more than the tolerance."""
    tables = case.result.tables
    name = str(random.choice([name for name, table in tables.items() if len(table)]))
    table = tables[name]
    column = str(random.choice(list(table.columns)))
    whole, row = random.random() < 0.3, int(random.integers(len(table)))
    cells = table[column].astype(object).to_list()
    for place in range(len(cells)) if whole else (row,):
        cell = cells[place]
        if isinstance(cell, bool | np.bool_):
            cells[place] = not cell
        elif isinstance(cell, str) or pd.isna(cell):
            cells[place] = f"{cell}x" if isinstance(cell, str) else 7.0
        else:
            cells[place] = 3 * float(cell) + 1e6
    return tables | {
        name: table.assign(**{column: pd.Series(cells, index=table.index).infer_objects()})
    }, f"{name}.{column}"


FORGED_BY: dict[str, Callable[[Case, np.random.Generator], dict[str, pd.DataFrame]]] = {
    **dict.fromkeys(MARKETS, with_other_multipliers),
    "investment": with_other_weights,
}
"""Forgeries of whole runs by model; allowances are moved in all other ones."""


def forged(number: int) -> tuple[str, str]:
    """Return the kind of one forgery, and the false statement that it proved."""
    case, random = case_of(number // EACH), np.random.default_rng(number)
    if case is None:
        return "no certified answer to forge", ""
    without = "duals" not in case.result.tables or not len(case.result.tables["duals"])
    if number % EACH < 4 or (without and case.model != "investment"):
        tables, where = of_cells(case, random)
        result = replace(case.result, tables=tables)
        report = run.check(case.instance, result)
        # Another multiplier may prove the same.
        sound = ("duals" in where or "multiplier" in where) and not is_true(case, report)
        wrong = "" if report.violations or sound else f"{case.model}: {where} is changed and nobody sees it"
        return f"{case.model}: cells", wrong
    report = case.checked(FORGED_BY.get(case.model, of_allocation)(case, random))
    wrong = is_true(case, report)
    outcome = "still certified, and true" if report.certified else "not certified"
    return f"{case.model}: {outcome}", f"{case.model}: {wrong}" if wrong else ""


def forgeries(numbers: Iterable[int]) -> Found:
    """Forge one run after another."""
    found = Found()
    for number in numbers:
        outcome, wrong = forged(number)
        found.tried(number, outcome, wrong)
    return found


ROWS = (
    Row(
        "E2",
        "runs of every model, forged: multipliers of any size, more of them, allowances moved with all tables, and "
        "cells and columns changed",
        "none is certified beyond what the honest run says, and no changed cell passes",
        5_000,
        120,
        forgeries,
        chunk=250,
    ),
)
