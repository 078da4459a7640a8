"""A scenario that is checked from arrays has the outcome of one that is checked from all of its tables."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from benchmarks.reliability.fuzzed_allocations import any_allocation
from etsopt.checking import Answer, Question, judge, judge_claim
from etsopt.checking.allocation.claim import ArrayMultipliers, Claim
from etsopt.checking.verdict import PROVEN
from etsopt.modelling import ProgramModel
from etsopt.modelling.solving.options import SolveOptions
from etsopt.running.model_inputs import tables_of
from etsopt.running.run import adapted_to
from etsopt.running.solve_model import Solved, solution_of
from etsopt.studies.sweeping import engine
from etsopt.studies.sweeping.engine import Engine
from etsopt.studies.sweeping.scenario import Scenario
from etsopt_models import allocation
from etsopt_models._allocation.limits import limits_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results

TOTALS = ("sectors", "provinces")
LARGE = ("cn-2025", "cn-2025-reports", "cn-2025-2035", "eu-2019", "cn-national-2025")
POLICIES: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "whole tonnes": {"allocation.integer_allowances": True},
    "exceptions": {"allocation.exceptions": {"units": 2, "lower": 0.02, "upper": 0.02}},
    "order": {"allocation.intensity_order": True},
    "rounded": {"allocation.intensity_order": True, "allocation.integer_allowances": True},
    "enterprises": {
        "allocation.band_on": "enterprise",
        "allocation.exceptions": {"units": 1, "lower": 0.1, "upper": 0.1},
    },
    "totals": {"provinces.balance": 0.01, "national.target_change": -0.002},
    "four objectives": {"allocation.objectives": ["largest_change", "deficit", "spread", "change"]},
    "infeasible": {"sectors.cement.target_change": -0.5},
}


def engine_of(instance: Instance) -> Engine:
    return Engine(instance, "allocation", SolveOptions())


def said(results: Results) -> dict[str, Any]:
    """All that results say of an answer but its tables of units."""
    kept = ("status", "termination", "certified", "levels", "infeasible_by_t", "violations", "rounded_by_t", "misses_t")
    return {name: getattr(results, name) for name in (*kept, "distance_t")}


def same_both_ways(instance: Instance) -> str:
    (whole, _), (part, _) = (engine_of(instance).solved(instance, one) for one in (True, False))
    assert said(part) == said(whole)
    if part.termination != "infeasible":
        assert set(part.tables) == {*TOTALS} & set(whole.tables)
        for name, table in part.tables.items():
            pd.testing.assert_frame_equal(pd.DataFrame(table), whole.tables[name])
    return part.status


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["tiny", *LARGE])
@pytest.mark.everyday("tiny-exceptions", "tiny-order", "tiny-enterprises", "tiny-infeasible")
@pytest.mark.filterwarnings("ignore:reports. Months with open findings:etsopt.DoubtWarning")
@pytest.mark.filterwarnings("ignore:reports. Months without a report:etsopt.DoubtWarning")
def test_an_example_is_judged_alike_from_tables_and_from_arrays(name: str, policy: str) -> None:
    instance = etsopt.read(name)
    changes = POLICIES[policy]
    if policy == "infeasible" and "cement" not in instance.sectors:
        changes = {"national.target_change": -0.5}
    assert same_both_ways(instance.with_policy(changes)) != "refused"


BY_NIGHT = [pytest.param(range(first, first + 100), marks=pytest.mark.nightly) for first in range(0, 2_000, 100)]


@pytest.mark.parametrize("seeds", [range(20), *BY_NIGHT], ids=str)
def test_random_instances_are_judged_alike_from_tables_and_from_arrays(seeds: range) -> None:
    statuses = [same_both_ways(any_allocation(seed).instance) for seed in seeds]
    assert {"certified_optimal", "infeasible_certified"} <= set(statuses)


@cache
def claimed() -> tuple[Question, Solved, dict[str, Any]]:
    own = engine_of(etsopt.read("tiny"))
    instance, _ = adapted_to(own.loaded_model, own.instance.with_policy({"sectors.cement.target_change": -0.005}))
    solved = solution_of(own.loaded_model, instance, "allocation", own.options, own.programs)
    assert isinstance(solved, Solved)
    assert isinstance(own.loaded_model, ProgramModel)
    assert own.loaded_model.claim is not None
    stated = own.loaded_model.claim(instance, solved.solution)
    return Question(instance), solved, stated


def verdict_of(stated: dict[str, Any]) -> Any:
    question, solved, _ = claimed()
    multipliers = ArrayMultipliers(stated["rows"], stated["duals"], stated["weights"])
    claim = Claim(stated["allocation"], stated["totals"]["sectors"], multipliers.read)
    return judge_claim(question, claim, solved.solution.levels)


def test_a_claim_has_the_verdict_of_its_tables() -> None:
    question, solved, stated = claimed()
    tables = tables_of(solved.task.model, solved.task.instance, solved.solution, solved.task.prepared)
    of_tables = judge(question, Answer(tables, solved.solution.levels))
    of_claim = verdict_of(stated)
    assert of_claim.status == of_tables.status == "certified_optimal"
    for name in ("violations", "levels", "misses_t", "kept", "theorem"):
        assert getattr(of_claim, name) == getattr(of_tables, name), name
    for name in ("answered", "calculated", "stopped", "unproven"):
        assert getattr(of_claim, name) == getattr(of_tables, name), name


def moved(stated: dict[str, Any], column: str, by: float) -> dict[str, Any]:
    table = dict(stated["allocation"])
    place = int(np.argmax(np.abs(table["allowance_t"] - table["reference_t"])))
    table[column] = table[column] + by * (np.arange(len(table[column])) == place)
    return stated | {"allocation": table}


def other_sectors(stated: dict[str, Any]) -> dict[str, Any]:
    sectors = stated["totals"]["sectors"]
    other = sectors | {"balance_value": 1.001 * sectors["balance_value"]}
    return stated | {"totals": stated["totals"] | {"sectors": other}}


FORGERIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a tonne more": lambda stated: moved(stated, "allowance_t", 1.0),
    "a tonne less": lambda stated: moved(stated, "allowance_t", -1.0),
    "no number": lambda stated: moved(stated, "allowance_t", np.nan),
    "another reference": lambda stated: moved(stated, "reference_t", 1.0),
    "no reference": lambda stated: moved(stated, "reference_t", np.nan),
    "another balance value": other_sectors,
    "no multipliers": lambda stated: stated | {"duals": {}, "weights": 0 * stated["weights"]},
    "half of the multipliers": lambda stated: (
        stated | {"duals": {name: dual / 2 for name, dual in stated["duals"].items()}}
    ),
    "a row of nobody": lambda stated: (
        stated
        | {
            "rows": [*stated["rows"], ("sector_target", "cheese")],
            "duals": {name: np.append(dual, 1.0) for name, dual in stated["duals"].items()},
        }
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_claim_is_refused_or_proves_nothing(name: str) -> None:
    honest = claimed()[2]
    assert verdict_of(honest).status in PROVEN
    assert verdict_of(FORGERIES[name](honest)).status not in PROVEN


def test_objectives_of_another_order_are_not_those_of_the_theorem() -> None:
    question, solved, stated = claimed()
    multipliers = ArrayMultipliers(stated["rows"], stated["duals"], stated["weights"])
    claim = Claim(stated["allocation"], stated["totals"]["sectors"], multipliers.read)
    for levels in (solved.solution.levels[::-1], solved.solution.levels[:-1]):
        assert judge_claim(question, claim, levels).status not in PROVEN
    better = [replace(level, value=0.9 * level.value) for level in solved.solution.levels]
    assert {one.rule for one in judge_claim(question, claim, better).violations} == {"level_is_kept"}


def test_one_scenario_in_a_hundred_has_all_its_tables_and_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    own, asked = engine_of(etsopt.read("tiny")), list[bool]()
    solved = Engine.solved

    def told(self: Engine, instance: Instance, whole: bool) -> Any:
        asked.append(whole)
        return solved(self, instance, whole)

    monkeypatch.setattr(Engine, "solved", told)
    scenario = Scenario("one", {"sectors.cement.target_change": -0.004})
    outcomes = [own.outcome(number, scenario) for number in (0, 1, engine.WHOLE_EVERY - 1, engine.WHOLE_EVERY)]
    assert asked == [True, False, False, True]
    assert all(one.values == outcomes[0].values for one in outcomes)
    assert len(outcomes[0].values) == 49
    named = replace(own, tables=("allocation.allowance_t",))
    assert not named.totals_suffice
    assert replace(own, tables=("sectors", "provinces.allowance_t")).totals_suffice
    assert not replace(own, tables=("nation.units",)).totals_suffice
    assert len(named.outcome(1, scenario).values) > len(own.instance.units)


def test_what_arrays_do_not_prove_is_looked_at_whole() -> None:
    own = engine_of(etsopt.read("tiny"))
    instance = own.instance.with_policy({"sectors.cement.target_change": -0.004})
    (whole, _), model = own.solved(instance, True), own.loaded_model
    assert isinstance(model, ProgramModel)
    honest = model.claim
    assert honest is not None

    def without_multipliers(instance: Instance, solution: Any) -> dict[str, Any]:
        return honest(instance, solution) | {"duals": {}}

    own.__dict__["loaded_model"] = replace(model, claim=without_multipliers)
    part, _ = own.solved(instance, False)
    assert said(part) == said(whole)
    assert set(part.tables) == set(whole.tables)


def test_the_method_is_chosen_for_the_scenario_and_not_for_the_instance_of_the_sweep() -> None:
    ordered = etsopt.read("tiny").with_policy({"allocation.intensity_order": True})
    found = etsopt.sweep(ordered, [{"allocation.intensity_order": False}] * 2, method="aggregation")
    assert found.statuses == ["certified_optimal"] * 2


def test_parameters_that_a_model_changes_in_place_change_no_other_solve() -> None:
    instance = etsopt.read("tiny")
    before = etsopt.solve(instance).tables_hash
    for _ in range(2):
        allocation.parameters(instance)["target_most"] *= 0.9
    assert etsopt.solve(instance).tables_hash == before
    with pytest.raises(ValueError, match="read-only"):
        limits_of(instance).rows["target_most"] *= 0.9


def test_a_table_that_is_edited_in_place_is_read_again_by_the_checker() -> None:
    instance = etsopt.read("tiny")
    etsopt.solve(instance)
    instance.units.loc[2, "province"] = "North"
    assert etsopt.solve(instance).status == "refused"


def test_a_scenario_that_fails_after_its_solve_ends_no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> str:
        raise RuntimeError("after the solve")

    monkeypatch.setattr(engine, "message_of", fails)
    found = engine_of(etsopt.read("tiny")).outcome(1, Scenario("one"))
    assert (found.status, str(found.message)) == ("failed", "RuntimeError: after the solve")
