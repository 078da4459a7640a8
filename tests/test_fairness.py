"""The table of fairness: by hand, for units without emissions or output, when units split, and refused if forged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation.fairness import fairness_is_stated
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.rules.fairness import STATED_UNITS_MAX, fairness_table, output_weight
from etsopt.running import run
from tests.builders import random_instance

BY = ["level", "against", "allocation"]


def of(table: pd.DataFrame, *key: str) -> pd.Series[Any]:
    row: pd.Series[Any] = table.set_index(BY).loc[key]
    return row


def two_sectors(**columns: Any) -> etsopt.Instance:
    """Two units of cement and two of steel, of two enterprises."""
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b", "c", "d"],
            "enterprise_id": ["one", "one", "two", "two"],
            "sector": ["cement", "cement", "steel", "steel"],
            "province": ["North"] * 4,
            "emissions_tco2e": [100.0, 300.0, 500.0, 100.0],
            "output_t": [100.0, 100.0, 400.0, 100.0],
            "reference_t": [110.0, 290.0, 500.0, 100.0],
        }
    )
    return etsopt.Instance.from_frames(units.assign(**columns), {"year": 2025, "rule.name": "given"})


def test_by_hand() -> None:
    """Cement emits 2 t per output, steel 6/5: output weighs 200, 200, 480 and 120 t, all 1,000 t as emissions do."""
    instance = two_sectors()
    assert output_weight(instance).tolist() == [200, 200, 480, 120]
    final = np.array([90.0, 310.0, 500.0, 100.0])
    table = fairness_table(instance, instance.units["reference_t"].to_numpy(), final)
    rule, optimised = (of(table, "unit", "emissions", stage) for stage in ("reference", "final"))
    assert rule[["measured", "largest_loss_rate", "left_out_t"]].tolist() == [4, 0, 0]
    assert (rule["hoover"], rule["coverage"]) == pytest.approx((0.01, 0.99))
    # a loses 20 of 110 t; in all, enterprises keep what they had.
    assert optimised["largest_loss_rate"] == pytest.approx(2 / 11)
    assert of(table, "enterprise", "emissions", "final")["largest_loss_rate"] == 0
    theil = (90 * np.log(90 / 100) + 310 * np.log(310 / 300)) / 1000
    assert optimised["theil_between"] == pytest.approx(theil)
    assert of(table, "enterprise", "emissions", "final")["theil_within"] == pytest.approx(theil)
    # Against output a has 110 t too little, b as much too much, c 20 t too much and d too little.
    assert of(table, "unit", "output", "final")["hoover"] == pytest.approx(0.13)
    assert of(table, "sector", "output", "final")["gini"] == pytest.approx(0.0, abs=1e-15)


def test_benchmarks_are_equal_against_output_and_grandfathering_against_emissions() -> None:
    instance = two_sectors()
    table = fairness_table(instance, output_weight(instance), 0.97 * instance.emissions_tco2e)
    for weight, stage in (("output", "reference"), ("emissions", "final")):
        rows = table[(table["against"] == weight) & (table["allocation"] == stage)]
        equal = rows[["gini", "theil_between", "theil_within", "hoover", "atkinson"]].to_numpy()
        assert equal == pytest.approx(np.zeros((4, 5)), abs=1e-15)
    assert of(table, "unit", "emissions", "final")["coverage"] == pytest.approx(0.97)
    assert of(table, "unit", "emissions", "reference")["gini"] > 0.1


def test_without_emissions_output_or_reference() -> None:
    """Unit b emits nothing and still gets 40 t; steel has no output; c is due nothing by the rule."""
    instance = two_sectors(
        emissions_tco2e=[100.0, 0.0, 500.0, 100.0],
        output_t=[100.0, 100.0, np.nan, np.nan],
        reference_t=[100.0, 40.0, 0.0, 100.0],
    )
    reference = instance.units["reference_t"].to_numpy()
    table = fairness_table(instance, reference, np.array([90.0, 40.0, 10.0, 100.0]))
    assert of(table, "unit", "emissions", "final")[["measured", "left_out_t"]].tolist() == [3, 40]
    assert of(table, "unit", "output", "final")[["measured", "left_out_t"]].tolist() == [2, 110]
    assert of(table, "sector", "output", "final")["measured"] == 1
    assert of(table, "unit", "emissions", "final")["largest_loss_rate"] == pytest.approx(0.1)
    nothing = fairness_table(instance, 0 * reference, 0 * reference)
    row = of(nothing, "province", "emissions", "final")
    assert row[["gini", "theil_between", "theil_within", "hoover", "atkinson"]].isna().all()
    assert row[["measured", "coverage", "largest_loss_rate"]].tolist() == [1, 0, 0]
    idle = fairness_table(two_sectors(emissions_tco2e=0.0), reference, reference)
    assert (idle["measured"] == 0).all()
    assert idle[["gini", "coverage"]].isna().all(axis=None)
    assert (idle["left_out_t"] == 240).all()


@pytest.mark.parametrize("seed", range(6))
def test_splitting_a_unit_changes_no_measure(seed: int) -> None:
    """Only the number of units rises."""
    instance = random_instance(seed, 30)
    allowance = etsopt.solve(instance).tables["allocation"]
    rng = np.random.default_rng(seed)
    unit, part = rng.choice(np.flatnonzero(instance.emissions_tco2e)), rng.uniform(0.1, 0.9)
    extensive = ["emissions_tco2e", "output_t", *(set(instance.units) & {"intensity_output_t"})]
    units = pd.concat([instance.units, instance.units.iloc[[unit]].assign(unit_id="zz")], ignore_index=True)
    units[extensive] = units[extensive].astype(float)
    numbers = allowance[["reference_t", "allowance_t"]].to_numpy()
    numbers = np.vstack([numbers, numbers[unit]])
    for row, share in ((unit, part), (30, 1 - part)):
        units.loc[row, extensive] *= share
        numbers[row] *= share
    policy = instance.policy.model_dump(mode="json", exclude_none=True)
    split = etsopt.Instance.from_frames(units, policy)
    order = units["unit_id"].argsort()
    before = fairness_table(instance, *allowance[["reference_t", "allowance_t"]].to_numpy().T)
    after = fairness_table(split, *numbers[order].T)
    same = [name for name in before if name not in (*BY, "measured")]
    assert after[same].to_numpy() == pytest.approx(before[same].to_numpy(), abs=1e-12)
    assert (after["measured"] - before["measured"])[before["level"] == "unit"].tolist() == [1] * 4


@pytest.mark.parametrize("column", ["gini", "theil_between", "theil_within", "hoover", "atkinson", "coverage"])
def test_a_measure_that_is_a_little_off_is_refused(column: str) -> None:
    instance = etsopt.read("tiny")
    result = etsopt.solve(instance)
    table = result.tables["fairness"].copy()
    table.loc[3, column] += 1e-9
    report = run.check(instance, replace(result, tables=result.tables | {"fairness": table}))
    assert [(broken.rule, broken.where) for broken in report.violations][:1] == [
        ("fairness_is_stated", "sector, emissions, reference")
    ]


def test_tonnes_that_are_left_out_are_those_of_units_without_emissions_to_a_billionth() -> None:
    instance = two_sectors(emissions_tco2e=[100.0, 0.0, 500.0, 100.0])
    reference = instance.units["reference_t"].to_numpy()
    table = fairness_table(instance, reference, reference)
    allocation = pd.DataFrame({"reference_t": reference, "allowance_t": reference})
    left_out = float(table["left_out_t"].max())
    assert left_out > 0
    for by, right in ((0.5, True), (1.5, False)):
        off = table.assign(left_out_t=table["left_out_t"] + 1e-9 * (by + left_out) * (table["left_out_t"] > 0))
        assert (fairness_is_stated(InstanceInputs.of(instance), allocation, off) == []) is right


def test_every_allocation_of_few_units_states_it_and_no_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = etsopt.read("tiny")
    assert "fairness" in etsopt.solve(instance, "balance_value").tables
    monkeypatch.setattr("etsopt_models._allocation.tables.STATED_UNITS_MAX", 2)
    larger = etsopt.solve(instance)
    assert larger.certified
    assert "fairness" not in larger.tables
    assert STATED_UNITS_MAX == 20_000
