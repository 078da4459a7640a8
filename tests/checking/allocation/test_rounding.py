"""Real allowances before rounding: fixed units have their emissions there too, and relaxed limits name exceptions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import etsopt
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.targets import fixed_at_emissions
from tests.builders import random_instance
from tests.judging import check


@pytest.mark.parametrize("by_t", [0.3, -0.3])
def test_a_fixed_unit_has_its_emissions_before_rounding_too(by_t: float) -> None:
    instance = random_instance(0, intensity_order=True, integer_allowances=True)
    result = etsopt.solve(instance)
    assert result.status == "certified_rounded"
    fixed = fixed_at_emissions(InstanceInputs.of(instance))
    assert fixed.any()
    table = result.tables["allocation"].copy()
    table.loc[fixed.nonzero()[0][0], "before_rounding_t"] += by_t
    forged = replace(result, tables={**result.tables, "allocation": table})
    rules = {violation.rule for violation in etsopt.check(instance, forged).violations}
    assert "fixed_get_emissions" in rules


def test_allowances_are_whole_if_the_rounding_is_stated_and_else_real() -> None:
    instance = random_instance(0, intensity_order=True, integer_allowances=True)
    result = etsopt.solve(instance)
    allocation = result.tables["allocation"]
    assert 0 < np.abs(allocation["allowance_t"] - allocation["before_rounding_t"]).max() < 1
    assert check(instance, result.tables, result.levels).violations == ()
    # As a solve that stopped before rounding states them: the totals are others, but no allowance has to be whole.
    stopped = allocation.assign(allowance_t=allocation["before_rounding_t"])
    for levels in ((), result.levels[:1]):
        report = check(instance, {**result.tables, "allocation": stopped}, levels)
        assert "integer_allowances" not in {violation.rule for violation in report.violations}


@pytest.mark.parametrize("absent", [True, False])
def test_relaxed_units_say_of_every_unit_whether_it_is_an_exception(absent: bool) -> None:
    changes = {"sectors.cement.target_change": -0.2, "allocation.exceptions": {"units": 1}}
    instance = etsopt.read("tiny").with_policy(changes)
    result = etsopt.solve(instance)
    assert result.status == "infeasible_certified"
    units = result.tables["relaxed_units"]
    column = next(name for name in units if name.endswith("_exceptional"))
    units = units.drop(columns=column) if absent else units.assign(**{column: units[column].astype(float)})
    forged = replace(result, tables={**result.tables, "relaxed_units": units})
    assert any(column in violation.where for violation in etsopt.check(instance, forged).violations)
