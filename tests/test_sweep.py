"""A sweep gives the answers of so many solves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.errors import UsageError
from tests.builders import random_instance

TARGETS = [-0.004, -0.006, -0.2, -0.008, -0.006]


@pytest.mark.parametrize("method", ["stamped", "merged", "reference"])
def test_each_answer_is_that_of_a_solve(method: str) -> None:
    instance = random_instance(3, 40, objectives=["change", "worst"])
    changes = [{"sectors.cement.target_change": target} for target in TARGETS]
    swept = etsopt.sweep(instance, changes, method=method)
    assert list(swept.answers.index) == list(instance.units["unit_id"])
    assert swept.terminations == ["optimal", "optimal", "infeasible", "optimal", "optimal"]
    for number, change in enumerate(changes):
        result = etsopt.solve(instance.with_policy(change), method=method)
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
        {"allocation.objectives": ["worst"]},
        {"provinces.balance": 0.05},
        {"allocation.whole_allowances": True},
        {"allocation.objectives": []},
        {},
    ]
    swept = etsopt.sweep(instance, changes, method="merged")
    for number, change in enumerate(changes):
        expected = etsopt.solve(instance.with_policy(change)).tables["allocation"]["allowance_t"]
        assert swept.answers[number].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-2)


def test_no_policies_give_no_answers() -> None:
    swept = etsopt.sweep(etsopt.read("tiny"), [])
    assert swept.answers.shape == (3, 0)
    assert swept.terminations == []


def test_a_model_that_does_not_say_what_its_answer_is_is_refused() -> None:
    with pytest.raises(UsageError, match="The model settlement does not say what its answer is"):
        etsopt.sweep(etsopt.read("tiny"), [{}], model="settlement")
