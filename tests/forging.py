"""Forge runs: another feasible answer of the same instance, with any of its claims deleted, swapped or made to agree.

A forgery passes if the check exits with 0 on a certified status. It may only if what it claims is true: then no
objective is worse than that of the honest answer by more than the reader's tolerance, in lexicographic order, and what
is calculated is what the honest run calculates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import etsopt
from etsopt.checking import Answer, Question, Verdict, judge
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.reconciliation.evidence import read_evidence
from etsopt.checking.theorem import MAIN, THEOREMS
from etsopt.checking.tolerances import AS_REPORTED_RELATIVE
from etsopt.checking.verdict import PROVEN
from etsopt.common.provenance import Provenance
from etsopt.common.units import tolerance_of
from etsopt.running import run
from etsopt.running.results.levels import LevelResult
from tests import compliance_years, investments, markets, outlooks, reconciliations, review_plans
from tests.builders import random_instance
from tests.checking.test_golden_reports import small_equilibrium
from tests.market_of_everything import a_market

Tables = dict[str, pd.DataFrame]
SPREAD: dict[str, Any] = {"allocation.objectives": ["spread"]}
DEFICIT: dict[str, Any] = {"allocation.objectives": ["deficit"]}
NO_BALANCE: dict[str, Any] = {"pathway.self_balancing_until": 2000}


@dataclass(frozen=True)
class Case:
    """An instance and a model, and changes of the policy under which the answer is another one."""

    make: Callable[[], etsopt.Instance]
    model: str
    others: tuple[Mapping[str, Any], ...] = ()


def short(change: Mapping[str, Any]) -> etsopt.Instance:
    return etsopt.read("tiny").with_policy(change)


TIGHT = {"sectors.cement.target_change": -0.04}
CASES: dict[str, Case] = {
    "allocation": Case(
        lambda: random_instance(1, 24, objectives=["change", "largest_change"]), "allocation", (SPREAD, DEFICIT)
    ),
    "tiny": Case(lambda: etsopt.read("tiny"), "allocation", (SPREAD, TIGHT)),
    "infeasible": Case(lambda: short(TIGHT), "allocation", ({"sectors.cement.target_change": -0.005},)),
    "exceptions": Case(
        lambda: random_instance(3, 16, integer_allowances=True, exceptions={"units": 2, "lower": 0.1, "upper": 0.1}),
        "allocation",
        (SPREAD, {"allocation.exceptions.units": 1}),
    ),
    "rounded": Case(
        lambda: random_instance(5, 12, integer_allowances=True, intensity_order=True),
        "allocation",
        (SPREAD, {"allocation.intensity_order": False}),
    ),
    "the rule": Case(lambda: etsopt.read("tiny"), "balance_value", ({"rule.cap": 0.02},)),
    "clearing": Case(a_market, "clearing", (SPREAD, NO_BALANCE)),
    "abatement": Case(
        lambda: a_market().with_policy({"market.prices_cny_per_t": 120.0}), "abatement", (SPREAD, NO_BALANCE)
    ),
    "pathway": Case(lambda: markets.of_model(a_market(), "pathway"), "pathway", (NO_BALANCE,)),
    "unmet": Case(
        lambda: markets.random_market(7, 2, market={"external_demand_t": 3e7}),
        "clearing",
        (SPREAD, {"market.external_demand_t": 0.0}),
    ),
    "compliance": Case(
        compliance_years.by_hand, "compliance", ({"compliance.without_purchases": ["b"]}, {"market.ccer_supply_t": 0.0})
    ),
    "reconciliation": Case(reconciliations.by_hand, "reconciliation"),
    "review plan": Case(
        lambda: review_plans.random_reviews(3, 9, least=True), "review_plan", ({"review_plan.seed": 7},)
    ),
    "investment": Case(
        lambda: investments.random_investment(4, investment={"cvar_weight": 0.5}),
        "investment",
        (SPREAD, {"investment.cvar_weight": 0.0}),
    ),
    "outlook": Case(outlooks.by_hand, "outlook", ({"pathway.cap_t": {"2026": 82e6}},)),
    "equilibrium": Case(small_equilibrium, "equilibrium", ({"market.prices_cny_per_t": 60.0},)),
}


@cache
def instance_of(name: str) -> etsopt.Instance:
    return CASES[name].make()


@cache
def honest(name: str, model: str) -> etsopt.Results | None:
    """The results of a model on the instance of a case; None if it has none."""
    try:
        return etsopt.solve(replace(instance_of(name), given=frozenset()), model)
    except etsopt.EtsoptError:
        return None


def honest_of(name: str) -> etsopt.Results:
    """The results of a case by its own model."""
    found = honest(name, CASES[name].model)
    assert found is not None
    return found


@cache
def others(name: str) -> tuple[etsopt.Results, ...]:
    """Further answers of a case: of other policies, and of other models."""
    case, found = CASES[name], []
    for change in case.others:
        changed = instance_of(name).with_policy(change)
        found.append(etsopt.solve(replace(changed, given=frozenset()), case.model))
    if case.model == "reconciliation":
        found.append(half_way(instance_of(name), honest_of(name)))
    further = {"allocation": ("balance_value",), "balance_value": ("allocation",), "clearing": ("allocation",)}
    found += [one for model in further.get(case.model, ()) if (one := honest(name, model)) is not None]
    return tuple(one for one in found if one.tables)


def half_way(instance: etsopt.Instance, results: etsopt.Results) -> etsopt.Results:
    """A reconciliation half way between both ends, which agrees with all that counts; sums follow."""
    evidence, tables = (
        read_evidence(InstanceInputs.of(instance)),
        {name: table.copy() for name, table in results.tables.items()},
    )
    quantities, statements = tables["reconciled_quantities"], tables["reconciled_statements"]
    amount = (quantities["at_lowest"] + quantities["at_highest"]).to_numpy() / 2
    reported, substitute = (evidence.quantities[key].to_numpy() for key in ("reported", "substitute"))
    quantities["reconciled"] = amount
    near = np.abs(amount - reported) <= AS_REPORTED_RELATIVE * reported
    quantities["basis"] = np.where(np.isnan(reported), "substituted", np.where(near, "reported", "adjusted"))
    statements["reconciled_excess"] = evidence.outside(amount) / evidence.statements["uncertainty"].to_numpy()
    unit, factor = evidence.quantities["unit"].to_numpy(), evidence.quantities["factor"].to_numpy()
    kept = np.where(np.isnan(reported) & ~np.isnan(substitute), substitute, amount)
    for end, of_end in (("reconciled", amount), ("conservative", kept)):
        tables["reconciliation"][f"{end}_tco2e"] = np.bincount(unit, factor * of_end, len(instance.units))
    return replace(results, tables=tables)


KNOBS = ("levels", "model", "gap", "words", "dropped", "tables", "columns", "duals", "prices", "end")
"""What is varied of a forgery, one to four of them at once, so that the others hold it up."""


def forged(name: str, random: np.random.Generator) -> etsopt.Results:
    """A forgery of a case: one answer and the words of any, each claim as it is, deleted, swapped or made to agree."""
    true, answers = honest_of(name), (honest_of(name), *others(name))
    other = answers[int(random.integers(len(answers)))]
    varied = set(random.choice(KNOBS, int(random.integers(1, 5)), replace=False))
    names = [level.name for level in true.levels]
    if "levels" in varied:
        some = [one for one in names if random.random() < 0.7]
        of_other = [level.name for level in other.levels]
        ways: tuple[list[str], ...] = ([], names[:1], names[1:], names[-1:], some, names[::-1], of_other)
        names = ways[int(random.integers(len(ways)))]
    known = {level.name: level for level in (*true.levels, *other.levels)}
    ends = ["optimal", "time_limit", "infeasible"] if "end" in varied else [other.termination]
    results = replace(
        true,
        tables=_tables(true, other, varied, random),
        levels=tuple(known[one] for one in names),
        provenance=_words(true, varied, random),
        status=str(random.choice([true.status, other.status, "certified_optimal", "certified_gap", "calculated"])),
        certified=True,
        termination=str(random.choice(ends)),
        infeasible_by_t=other.infeasible_by_t,
        rounded_by_t=other.rounded_by_t,
        misses_t=other.misses_t,
        distance_t=other.distance_t,
        stated_prices=None,
        stated_tables=None,
    )
    return results if random.random() < 0.1 else agreeing(instance_of(name), results)


def agreeing(instance: etsopt.Instance, results: etsopt.Results) -> etsopt.Results:
    """The forgery with every number and status that a check would find, as far as it finds any."""
    model = results.provenance.model
    if model not in THEOREMS:
        return results
    question = Question(instance, model, results.provenance.options.gap)
    for _ in range(2):
        try:
            verdict = judge(question, Answer(results.tables, results.levels, results.termination == "time_limit"))
        except Exception:  # The check itself has to meet it, and tell it.
            return results
        stated = {level.name: level for level in results.levels}
        levels = tuple(
            LevelResult(one.name, one.value, one.bound, one.gap, one.unit, one.certified, "")
            for one in verdict.levels
            if one.unit and one.name in stated
        )
        known = {one.name for one in levels}
        results = replace(
            results,
            levels=(*levels, *(level for name, level in stated.items() if name not in known)),
            status=verdict.status,
            certified=verdict.status in PROVEN,
            infeasible_by_t=None if verdict.tolerated else verdict.infeasible_by_t,
            rounded_by_t=verdict.rounded_by_t,
            misses_t=verdict.misses_t,
            distance_t=verdict.distance_t,
        )
        if {violation.rule for violation in verdict.violations} != {"level_is_kept"}:
            break
    return results


def _words(true: etsopt.Results, varied: set[str], random: np.random.Generator) -> Provenance:
    """Provenance of a forgery."""
    words = true.provenance.as_json()
    if "model" in varied:
        words["model"] = str(random.choice([*THEOREMS, "mine.py", "", "allocation_elastic"]))
    if "gap" in varied:
        words["options"] = {**words["options"], "gap": float(random.choice([0.0, 0.5, 0.999]))}
    if "words" in varied:
        further = {
            "method": "none",
            "stopped_at": "allocation",
            "conflict_is_least": True,
            "versions": {"etsopt": "0.1.0"},
            "own_rule": {"name": "mine", "source": "", "parameters": {}},
            "formulation": [],
        }
        words |= {key: value for key, value in further.items() if random.random() < 0.5}
    if "dropped" in varied:
        words.pop(str(random.choice([name for name in words if not Provenance.model_fields[name].is_required()])))
    return Provenance(**words)


def _tables(true: etsopt.Results, other: etsopt.Results, varied: set[str], random: np.random.Generator) -> Tables:
    """Tables of the other answer, with multipliers of any, and tables and columns dropped, swapped or invented."""
    tables = dict(other.tables)
    if "duals" in tables and "duals" in varied:
        tables = _with_duals(tables, true, random)
    if "prices" in varied:
        tables = with_prices(tables, {})
    if "tables" in varied and tables:
        name = str(random.choice([*tables, "final"]))
        if name == "final":
            tables["final"] = pd.DataFrame({"unit_id": ["a"], "allowance_t": [9e9]})
        elif random.random() < 0.5 and name in true.tables:
            tables[name] = true.tables[name]
        else:
            del tables[name]
    if "columns" in varied and tables:
        name = str(random.choice(list(tables)))
        columns = list(map(str, tables[name].columns))
        if columns and random.random() < 0.7:
            tables[name] = tables[name].drop(columns=str(random.choice(columns)))
        else:
            tables[name] = tables[name].assign(final_t=1.0)
    return tables


def _with_duals(tables: Tables, true: etsopt.Results, random: np.random.Generator) -> Tables:
    """The tables with multipliers of the true answer, some or none, and the shadow prices that agree with them."""
    duals = tables["duals"]
    of_market = duals["level"].astype(str).str.startswith(("cost", "unmet"))
    way = int(random.choice(5, p=[0.5, 0.15, 0.15, 0.15, 0.05]))
    if way == 0 and "duals" in true.tables:
        return with_prices(tables, true.tables) | {"duals": true.tables["duals"]}
    if way == 1:
        return with_prices(tables, {}) | {"duals": duals.iloc[:0]}
    if way == 2:
        return with_prices(tables, tables, 0.0) | {"duals": duals.assign(multiplier=0.0)}
    if way == 3:
        return with_prices(tables, {}) | {"duals": duals[of_market].reset_index(drop=True)}
    return {name: table for name, table in tables.items() if name != "duals"}


def with_prices(tables: Mapping[str, pd.DataFrame], source: Mapping[str, pd.DataFrame], times: float = 1.0) -> Tables:
    """The tables with the shadow prices of others, or without any."""
    changed = dict(tables)
    for name in {"sectors", "provinces"} & changed.keys():
        kept = changed[name][[one for one in changed[name] if not str(one).endswith("_shadow_price")]]
        prices = [one for one in source.get(name, ()) if str(one).endswith("_shadow_price")]
        fits = prices and len(source[name]) == len(kept)
        changed[name] = kept.assign(**{one: times * source[name][one] for one in prices}) if fits else kept
    return changed


def passes(name: str, results: etsopt.Results) -> Verdict | None:
    """The verdict on a forgery that the check lets pass as certified; None if it does not."""
    try:
        verdict = run.check(instance_of(name), results)
    except etsopt.EtsoptError:
        return None
    passed = verdict.theorem and not verdict.violations and (verdict.certified or results.status in PROVEN)
    return verdict if passed else None


def untrue(name: str, results: etsopt.Results, verdict: Verdict) -> str:
    """What is certified of a forgery and is not true; empty if all of it is."""
    model = results.provenance.model
    right = honest(name, model)
    if verdict.theorem != model or right is None:
        return f"{verdict.theorem} is certified, {model} is claimed"
    if not verdict.answered:
        return "" if right.termination == "infeasible" else "no answer is certified, and there is one"
    if right.termination == "infeasible":
        return "an answer is certified, and there is none"
    if verdict.status == "calculated":
        main = MAIN[model]
        return "" if _same(results.tables[main], right.tables[main]) else "another calculation is certified"
    known = {level.name: level.value for level in right.levels}
    for level in verdict.levels:
        accepted = (1e-3 if model == "review_plan" else 1e-4) * abs(known[level.name])
        size = accepted + 2 * level.tolerance + tolerance_of(known[level.name], level.unit)
        if level.value > known[level.name] + size:
            return f"{level.name} of {level.value:.9g} is certified, and {known[level.name]:.9g} is possible"
        if level.value < known[level.name] - size:
            break
    return ""


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    if list(one) != list(other) or len(one) != len(other):
        return False
    numbers = [name for name in one if pd.api.types.is_numeric_dtype(other[name])]
    return bool(np.allclose(one[numbers].to_numpy(float), other[numbers].to_numpy(float), rtol=1e-6, equal_nan=True))


EACH = 2_500
"""Forgeries of a part of the night, whose eight parts stand in two files."""


def tried(numbers: range) -> list[str]:
    """What is certified of some forgeries and is not true, each with its number and case."""
    found, names = [], list(CASES)
    for number in numbers:
        name, random = names[number % len(names)], np.random.default_rng([36, number])
        results = forged(name, random)
        verdict = passes(name, results)
        if verdict is not None and (wrong := untrue(name, results, verdict)):
            found.append(f"{number}, {name}: {wrong}")
    return found
