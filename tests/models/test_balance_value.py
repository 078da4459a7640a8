"""The rule alone: what the model gives is what the rule gives, checked and added up."""

from __future__ import annotations

import numpy as np
import pytest

import etsopt
from etsopt.rules import reference_allowances
from tests.builders import given, random_instance

# A national total that the rule does not keep is refused.
RANDOM = [random_instance(seed, 30).with_policy({"national": {}}) for seed in range(10)]
INSTANCES = [etsopt.read("tiny"), etsopt.read("cn-2025"), *RANDOM]


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.name)
def test_every_unit_gets_what_the_rule_gives(instance: etsopt.Instance) -> None:
    result = etsopt.solve(instance, "balance_value")
    table, reference = result.tables["allocation"], reference_allowances(instance)
    assert (result.status, result.certified, result.levels) == ("calculated", True, ())
    assert np.array_equal(table["allowance_t"], reference.reference_t)
    assert np.array_equal(table["allowance_t"], table["reference_t"])
    # A unit outside the scope of the year gets nothing, and stands at no bound.
    assert ((table["at_bound"] == "fixed") == (reference.fixed & instance.in_scope)).all()
    assert "duals" not in result.tables


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.name)
def test_a_sector_loses_less_than_a_tonne_a_unit_to_rounding(instance: etsopt.Instance) -> None:
    table = etsopt.solve(instance, "balance_value").tables["sectors"]
    lost = table["emissions_tco2e"] - table["allowance_t"]
    assert (lost >= -1e-3).all()
    assert (lost <= table["units"]).all()


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.name)
def test_totals_of_every_table_are_those_of_the_units(instance: etsopt.Instance) -> None:
    tables = etsopt.solve(instance, "balance_value").tables
    for name in ("enterprises", "sectors", "provinces"):
        for column in ("emissions_tco2e", "reference_t", "allowance_t", "surplus_t"):
            assert tables[name][column].sum() == pytest.approx(tables["allocation"][column].sum(), abs=1e-3)
        assert tables[name]["units"].sum() == instance.in_scope.sum()


def test_the_tiny_instance_has_the_balance_value_of_its_readme() -> None:
    tables = etsopt.solve(etsopt.read("tiny"), "balance_value").tables
    assert tables["sectors"]["balance_value"].item() == pytest.approx(0.8, abs=1e-12)
    assert tables["allocation"]["allowance_t"].tolist() == [103_000.0, 301_800.0, 155_200.0]


def test_a_balance_value_that_is_not_unique_has_an_interval_and_its_middle() -> None:
    """Two units of equal emissions at the two caps: any balance value well between their intensities balances."""
    rows = [("a", "a", "cement", "Fujian", 1e5, 0.0), ("b", "b", "cement", "Fujian", 1e5, 0.0)]
    instance = given(rows, {"rule": {"name": "cn-2025"}}, output_t=[2e5, 1e5])
    result = etsopt.solve(instance, "balance_value")
    # Intensities 0.5 and 1: the first is at +3 % from B = 0.5/0.8 on, the second at -3 % up to B = 1/1.2.
    sector = result.tables["sectors"].iloc[0]
    assert sector["balance_value_lower"] == pytest.approx(0.625)
    assert sector["balance_value_upper"] == pytest.approx(1 / 1.2)
    assert sector["balance_value"] == pytest.approx((0.625 + 1 / 1.2) / 2)
    assert result.tables["allocation"]["allowance_t"].tolist() == [103_000.0, 97_000.0]
    assert result.certified


def test_a_rule_without_a_balance_value_is_evaluated_as_it_is() -> None:
    rows = [("a", "a", "cement", "Fujian", 1e5, 1.0), ("b", "b", "cement", "Fujian", 1e5, 2.5)]
    result = etsopt.solve(given(rows, {}), "balance_value")
    assert result.tables["allocation"]["allowance_t"].tolist() == [1.0, 2.5]
    assert "balance_value" not in result.tables["sectors"]
    assert result.certified
