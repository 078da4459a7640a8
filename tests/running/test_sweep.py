"""A sweep gives the answers of so many solves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.errors import UsageError
from etsopt.running import library
from etsopt.running.compiling import MOST_MODELS, CompiledModels
from etsopt_models._projection.least_squares import Projection
from tests.builders import given, random_instance

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
            assert not (swept.levels["policy"] == number).any()
            continue
        assert np.array_equal(swept.answers[number], result.tables["allocation"]["allowance_t"])
        levels = swept.levels[swept.levels["policy"] == number]
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


def test_checks_may_be_left_out_which_the_sweep_says() -> None:
    instance = random_instance(3, 40)
    changes = [{"sectors.cement.target_change": target} for target in TARGETS]
    swept, unchecked = (etsopt.sweep(instance, changes, checked=checked) for checked in (True, False))
    assert unchecked.answers.equals(swept.answers)
    assert swept.statuses == [*["certified_optimal"] * 2, "infeasible_certified", *["certified_optimal"] * 2]
    # That there is no allocation is proven in any case: it tells a limit that lacks no more than rounding.
    assert unchecked.statuses == [*["unchecked"] * 2, "infeasible_certified", *["unchecked"] * 2]


def test_programs_of_the_shapes_used_last_are_kept() -> None:
    cache, model = CompiledModels(), library.load("allocation")
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


def test_the_changes_of_one_policy_are_neither_a_list_nor_names() -> None:
    with pytest.raises(UsageError, match="expected a mapping"):
        etsopt.sweep(etsopt.read("tiny"), {"sectors.cement.target_change": -0.01})  # type: ignore[dict-item]


def test_a_model_without_a_function_answer_is_refused() -> None:
    with pytest.raises(UsageError, match="The model compliance has no function `answer`"):
        etsopt.sweep(etsopt.read("tiny"), [{}], model="compliance")
