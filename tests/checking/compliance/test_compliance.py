"""Objectives of a compliance year: those of the model in their order, each with its value in the tables."""

from __future__ import annotations

import pytest

import etsopt
from etsopt.modelling.solving.solution import Level
from tests.compliance_years import by_hand
from tests.judging import check


def rules(instance: etsopt.Instance, result: etsopt.Results, stated: list[tuple[str, float]]) -> set[str]:
    levels = [Level(name, "CNY", value, value, 0.0, {}, "by hand") for name, value in stated]
    return {violation.rule for violation in check(instance, result.tables, levels, kind="compliance").violations}


@pytest.fixture(scope="module")
def solved() -> tuple[etsopt.Instance, etsopt.Results, list[tuple[str, float]]]:
    instance = by_hand()
    result = etsopt.solve(instance, "compliance")
    return instance, result, [(level.name, level.value) for level in result.levels]


@pytest.mark.nightly
def test_objectives_in_another_order_are_found_whatever_their_values(
    solved: tuple[etsopt.Instance, etsopt.Results, list[tuple[str, float]]],
) -> None:
    instance, result, stated = solved
    assert [name for name, _ in stated] == ["cost", "effort", "older_first"]
    assert rules(instance, result, stated) == set()
    assert rules(instance, result, stated[:2]) == set()
    assert rules(instance, result, stated[::-1]) == {"levels"}
    assert rules(instance, result, [("other", value) for _, value in stated]) == {"levels"}
    # Under a wrong name an objective is compared with none.
    renamed = [("cost", stated[0][1]), ("older_first", stated[1][1]), ("effort", stated[2][1])]
    assert rules(instance, result, renamed) == {"levels"}


def test_an_objective_with_another_value_is_found(
    solved: tuple[etsopt.Instance, etsopt.Results, list[tuple[str, float]]],
) -> None:
    instance, result, stated = solved
    wrong = [(stated[0][0], stated[0][1] - 1), *stated[1:]]
    assert rules(instance, result, wrong) == {"level_is_kept"}
