"""A sweep gives the answers of so many solves, in a list or by name, here or on workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import UsageError
from etsopt.common.progress import ask_to_stop
from etsopt.modelling import ProgramModel
from etsopt.running import compiling, library
from etsopt.running.compiling import MOST_MODELS, CompiledModels
from etsopt_models._projection.least_squares import Projection
from tests.builders import given, random_instance

if TYPE_CHECKING:
    from etsopt.studies.sweeping import Progress

TARGETS = [-0.004, -0.006, -0.2, -0.008, -0.006]


@pytest.mark.everyday("direct")
@pytest.mark.parametrize("method", ["direct", "aggregation", "pyomo"])
def test_each_answer_is_that_of_a_solve(method: str) -> None:
    instance = random_instance(3, 40, objectives=["change", "largest_change"])
    changes = [{"sectors.cement.target_change": target} for target in TARGETS]
    swept = etsopt.sweep(instance, changes, method=method)
    assert list(swept.answers.index) == list(instance.units["unit_id"])
    assert swept.terminations == ["optimal", "optimal", "infeasible", "optimal", "optimal"]
    for number, change in enumerate(changes):
        result = etsopt.solve(instance.with_policy(change), method=method)
        assert swept.statuses[number] == result.status
        if result.termination == "infeasible":
            assert swept.answers[number].isna().all()
            assert not (swept.levels["scenario"] == number).any()
            continue
        assert np.array_equal(swept.answers[number], result.tables["allocation"]["allowance_t"])
        levels = swept.levels[swept.levels["scenario"] == number]
        assert levels["level"].to_list() == [level.name for level in result.levels]
        assert levels["value"].to_list() == [level.value for level in result.levels]


def test_objectives_and_limits_may_change_from_policy_to_policy() -> None:
    instance = random_instance(5, 30)
    changes: list[dict[str, Any]] = [
        {"allocation.objectives": ["largest_change"]},
        {"provinces.balance": 0.05},
        {"allocation.integer_allowances": True},
        {"allocation.objectives": []},
        {},
    ]
    swept = etsopt.sweep(instance, changes, method="aggregation")
    for number, change in enumerate(changes):
        expected = etsopt.solve(instance.with_policy(change)).tables["allocation"]["allowance_t"]
        assert swept.answers[number].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-2)


def test_what_is_rounded_afterwards_is_rounded_in_a_sweep_too() -> None:
    instance = random_instance(6, 12, intensity_order=True, integer_allowances=True)
    swept = etsopt.sweep(instance, [{}])
    result = etsopt.solve(instance)
    assert swept.statuses == [result.status] == ["certified_rounded"]
    assert np.array_equal(swept.answers[0], result.tables["allocation"]["allowance_t"])


def test_a_limit_that_lacks_no_more_than_rounding_is_wider_in_a_sweep_too() -> None:
    # All units at their lower bounds sum up to the target but for 5 kg.
    rows = [(f"u{n}", f"u{n}", "steel", "Hebei", 100_000.0 + n, 100_000.0 + n) for n in range(3)]
    limited = {"sectors.steel.target_t": 0.97 * 300_003.0 - 0.005, "sectors.steel.band": 0.03}
    instance = given(rows, {})
    swept = etsopt.sweep(instance, [limited])
    result = etsopt.solve(instance.with_policy(limited))
    assert (swept.terminations, swept.statuses) == (["optimal"], [result.status])
    assert np.array_equal(swept.answers[0], result.tables["allocation"]["allowance_t"])


@pytest.mark.parametrize("method", ["direct", "aggregation"])
def test_a_wrong_answer_is_not_certified(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = random_instance(3, 40)
    right = Projection.answer
    monkeypatch.setattr(Projection, "answer", lambda self, prices: right(self, prices) + 1.0)
    swept = etsopt.sweep(instance, [{}, {"sectors.cement.target_change": -0.004}], method=method)
    assert swept.statuses == ["refused", "refused"]
    # A refused answer is no answer.
    assert swept.answers.isna().all(axis=None)


def test_checks_may_be_left_out_which_the_sweep_says() -> None:
    instance = random_instance(3, 40)
    changes = [{"sectors.cement.target_change": target} for target in TARGETS]
    swept, unchecked = (etsopt.sweep(instance, changes, checked=checked) for checked in (True, False))
    assert unchecked.answers.equals(swept.answers)
    assert swept.statuses == [*["certified_optimal"] * 2, "infeasible_certified", *["certified_optimal"] * 2]
    # That there is no allocation is proven in any case: it tells a limit that lacks no more than rounding.
    assert unchecked.statuses == [*["unchecked"] * 2, "infeasible_certified", *["unchecked"] * 2]
    assert unchecked.scenarios["certified"].tolist() == [False, False, True, False, False]
    # Only the objectives are known of an answer without tables.
    pd.testing.assert_frame_equal(unchecked.levels, swept.levels)
    assert set(unchecked.numbers["table"][unchecked.numbers["status"] == "unchecked"]) == {"levels"}


def test_programs_of_the_shapes_used_last_are_kept() -> None:
    cache, model = CompiledModels(), library.load("allocation")
    assert isinstance(model, ProgramModel)
    rows = [(f"u{n:02d}", f"u{n:02d}", "steel", "Hebei", 1e5, 1e5) for n in range(30)]
    for count in (*range(3, 3 + MOST_MODELS), 3, 30):
        program = cache(model, model.parameters(given(rows[:count], {})))
        assert program.columns["allowance"] == slice(0, count)
    sizes = [compiled.program.columns["allowance"].stop for compiled in cache._models.values()]
    assert sizes == [*range(5, 3 + MOST_MODELS), 3, 30]


def test_no_policies_give_no_answers() -> None:
    swept = etsopt.sweep(etsopt.read("tiny"), [])
    assert swept.answers.shape == (3, 0)
    assert swept.terminations == []
    assert swept.scenarios.empty
    assert swept.numbers.empty
    assert swept.levels.empty


def test_the_changes_of_one_policy_are_neither_a_list_nor_names() -> None:
    with pytest.raises(UsageError, match="expected a mapping"):
        etsopt.sweep(etsopt.read("tiny"), {"sectors.cement.target_change": -0.01})  # type: ignore[arg-type]


def test_a_list_and_names_give_the_same_result_but_for_their_names() -> None:
    instance = random_instance(3, 40)
    changes: list[dict[str, Any]] = [
        {"sectors.cement.target_change": -0.004, "units.emissions_tco2e.cement": 1.01},
        {"sectors.cement.target_change": -0.2},
        {"sectors.cement.target_change": -1.5},
    ]
    names = {number: f"scenario {number}" for number in range(3)}
    listed, named = (
        etsopt.sweep(instance, changes),
        etsopt.sweep(instance, dict(zip(names.values(), changes, strict=True))),
    )
    assert listed.statuses == ["certified_optimal", "infeasible_certified", "failed"]
    scenarios = listed.scenarios.assign(scenario=listed.scenarios["scenario"].map(names))
    pd.testing.assert_frame_equal(scenarios, named.scenarios, check_dtype=False)
    pd.testing.assert_frame_equal(listed.answers.rename(columns=names), named.answers)
    numbers = listed.numbers.assign(scenario=listed.numbers["scenario"].map(names))
    pd.testing.assert_frame_equal(numbers, named.numbers, check_dtype=False)
    dearer = replace(instance, units=instance.units.assign(emissions_tco2e=scaled(instance)))
    result = etsopt.solve(dearer.with_policy({"sectors.cement.target_change": -0.004}))
    assert np.array_equal(listed.answers[0], result.tables["allocation"]["allowance_t"])


def scaled(instance: etsopt.Instance) -> Any:
    """Emissions of which those of cement are one per cent larger."""
    return instance.units["emissions_tco2e"] * np.where(instance.units["sector"] == "cement", 1.01, 1.0)


def test_answers_may_be_left_out_and_a_model_without_any_has_none() -> None:
    tiny = etsopt.read("tiny")
    left_out = etsopt.sweep(tiny, {"today": {}}, answers=False)
    assert left_out.answers.shape == (3, 0)
    assert left_out.answers.index.tolist() == ["north-1", "north-2", "south-1"]
    values = etsopt.sweep(tiny, [{}], "balance_value")
    assert (values.answers.shape, values.statuses) == ((3, 0), ["calculated"])
    assert set(values.numbers["table"]) == {"sectors", "provinces"}


@pytest.mark.nightly
def test_answers_come_from_workers_as_from_this_process() -> None:
    pytest.importorskip("distributed")
    instance = random_instance(3, 40)
    changes = [{"sectors.cement.target_change": target} for target in TARGETS]
    alone, together = etsopt.sweep(instance, changes), etsopt.sweep(instance, changes, workers=2)
    pd.testing.assert_frame_equal(alone.answers, together.answers)
    pd.testing.assert_frame_equal(alone.scenarios, together.scenarios)
    pd.testing.assert_frame_equal(alone.numbers, together.numbers)


def test_a_program_is_compiled_once_for_all_scenarios_by_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    own = compiling._compiled

    def counted(model: Any, parameters: dict[str, Any]) -> Any:
        compiled.append(model.name)
        return own(model, parameters)

    monkeypatch.setattr(compiling, "_compiled", counted)
    changes = {f"s{number}": {"sectors.cement.target_change": target} for number, target in enumerate(TARGETS[:2])}
    swept = etsopt.sweep(random_instance(3, 40), changes, method="direct")
    assert (compiled, swept.statuses) == (["allocation"], ["certified_optimal"] * 2)


def test_a_sweep_that_is_stopped_returns_what_it_has() -> None:
    def stop(now: Progress) -> None:
        if now.done == 2:
            assert ask_to_stop()

    swept = etsopt.sweep(etsopt.read("tiny"), [{}] * 4, progress=stop)
    assert swept.statuses == ["certified_optimal", "certified_optimal", "none", "none"]
    assert swept.terminations == ["optimal", "optimal", "interrupted", "interrupted"]
    assert swept.answers.isna().all().tolist() == [False, False, True, True]


def test_options_are_examined_before_the_first_solve() -> None:
    told: list[Progress] = []
    with pytest.raises(UsageError, match="The gap is 2"):
        etsopt.sweep(etsopt.read("tiny"), [{}], gap=2.0, progress=told.append)
    with pytest.raises(UsageError, match="Tables are kept of answers that are checked"):
        etsopt.sweep(etsopt.read("tiny"), [{}], tables=["sectors"], checked=False, progress=told.append)
    assert told == []
