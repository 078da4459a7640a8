"""Reconciliation: a case solved by hand, an independent search of vertices, and what holds of any evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from benchmarks.reliability.fuzzed_reconciliations import by_vertices
from etsopt.common.errors import DataError
from etsopt.running import library
from etsopt.running.results.results import load_both
from tests.modelling.compiler.same import assert_same_both_ways
from tests.reconciliations import by_hand, instance_of, random_reconciliation

SEEDS = range(20)
TABLES = ("quantities", "statements", "terms")


def solved(instance: etsopt.Instance, **options: Any) -> etsopt.Results:
    result = etsopt.solve(instance, "reconciliation", **options)
    assert (result.status, result.violations) == ("certified_optimal", ())
    return result


def table(name: str) -> pd.DataFrame:
    found: pd.DataFrame = getattr(by_hand(), name)
    return found


def changed(instance: etsopt.Instance, name: str, where: pd.Series[bool], **cells: object) -> etsopt.Instance:
    """The instance with other cells in some rows of a table."""
    frames = {one: getattr(instance, one).copy() for one in TABLES}
    for column, cell in cells.items():
        frames[name].loc[where, column] = cell
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    return etsopt.Instance.from_frames(instance.units, policy, **frames)


def test_the_case_as_derived_by_hand() -> None:
    # Unit a, month 1: 100 t of clinker need 20 t of coal, within 1 t; 50 t are reported. Moving coal to 21 t costs
    # (50 - 21)/1 = 29; moving clinker to 245 t would cost 145, breaking the ratio (30 - 1)/0.5 = 58. So the report of
    # coal is the gross error, and without it coal is most likely 20 t. Month 2 has no report of coal: 0.2 x 200 = 40 t.
    # Unit b: 10 t of coal are 0.5 t above the limit of 9.5 t; moving either costs 0.5, and none is a gross error.
    # Emissions of a: 0.5 x 300 + 2 x 60 = 270; with the substitute of 60 t for month 2, 310; as reported, 150 + 100.
    # Lowest: clinker 99 and 198 t, coal 0.2 x 99 - 1 - 0.5 = 18.3 and 0.2 x 198 - 2 - 0.5 = 37.1 t, and 259.3 t.
    # Highest: 101 and 202 t, 21.7 and 42.9 t, and 280.7 t. Unit b: coal from 9 t to 9.5 + 1 t, emissions 18 to 21 t.
    tables = solved(by_hand()).tables
    units = tables["reconciliation"].set_index("unit_id")
    expected = {
        "quantities": [4, 1],
        "substituted": [1, 0],
        "gross_reports": [1, 0],
        "statements": [2, 1],
        "gross_statements": [0, 0],
        "reported_tco2e": [250.0, 20.0],
        "reconciled_tco2e": [270.0, 20.0],
        "lowest_tco2e": [259.3, 18.0],
        "highest_tco2e": [280.7, 21.0],
        "conservative_tco2e": [310.0, 20.0],
    }
    for name, values in expected.items():
        # A millionth of each uncertainty is added for rounding.
        assert units[name].tolist() == pytest.approx(values, abs=1e-4), name
    quantities = tables["reconciled_quantities"].set_index(["unit_id", "quantity_id"])
    assert quantities["reconciled"].tolist() == pytest.approx([100, 20, 200, 40, 10])
    assert quantities["basis"].tolist() == ["reported", "adjusted", "reported", "substituted", "reported"]
    assert quantities.index[quantities["gross_error"]].tolist() == [("a", "1 coal")]
    assert quantities.loc[("a", "1 coal"), "least_adjusted"] == pytest.approx(21.0)


def test_the_levels_as_derived_by_hand() -> None:
    # 29 for coal and 0.5 for unit b; then 0.5 alone, as both coals are at their likely value; widths 21.4 and 3 t.
    levels = solved(by_hand()).levels
    assert [level.name for level in levels] == ["adjustment", "estimate", "interval"]
    assert [level.value for level in levels] == pytest.approx([29.5, 0.5, -24.4], abs=1e-4)
    assert all(level.certified for level in levels)


@pytest.mark.parametrize("seed", SEEDS)
def test_adjustment_estimate_and_interval_are_those_of_a_search_of_all_vertices(seed: int) -> None:
    instance = random_reconciliation(seed)
    assert by_vertices(instance, solved(instance)) == ""


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_both_ways_to_build_the_program_agree(seed: int) -> None:
    model: Any = library.load("reconciliation")
    instance = random_reconciliation(seed)
    assert_same_both_ways(model.formulate(), model.parameters(instance))
    one, other = solved(instance), solved(instance, method="pyomo")
    for name, own in one.tables.items():
        pd.testing.assert_frame_equal(own, other.tables[name])


def test_an_estimate_agrees_with_a_report_that_others_would_move_farther() -> None:
    # The report of 10 t and a monitor of 14 t outweigh two balances of 8.9 t: 1 + 1/0.9 > 2/1.2, so 10 t is least.
    # The monitor is 4/0.9 off, a gross error. Without it the balances outweigh the report, which may be 1 t off and no
    # more: 9 t, where the report is off by 1 and each balance by 0.1/1.2.
    name = {"unit_id": "a"}
    kinds = {"monitor": (14.0, 0.9), "first balance": (8.9, 1.2), "second balance": (8.9, 1.2)}
    instance = instance_of(
        [
            name
            | {"quantity_id": "q", "emissions_tco2e_per_unit": 1.0, "reported": 10.0, "uncertainty": 1.0, "most": 99.0}
        ],
        [
            name | {"statement_id": one, "kind": one.split()[-1], "value": value, "uncertainty": uncertainty}
            for one, (value, uncertainty) in kinds.items()
        ],
        [name | {"statement_id": one, "quantity_id": "q", "coefficient": 1.0} for one in kinds],
    )
    result = solved(instance)
    assert result.tables["reconciled_quantities"]["least_adjusted"].tolist() == pytest.approx([10.0])
    assert result.tables["reconciled_quantities"]["reconciled"].tolist() == pytest.approx([9.0], abs=1e-5)
    assert result.tables["reconciled_statements"]["gross_error"].tolist() == [False, True, False]
    assert result.levels[1].value == pytest.approx(1 + 2 * 0.1 / 1.2, abs=1e-5)


def test_consistent_reports_stay_as_they_are() -> None:
    is_coal = table("quantities")["quantity_id"] == "1 coal"
    result = solved(changed(by_hand(), "quantities", is_coal, reported=[20.0, 9.0]))
    quantities = result.tables["reconciled_quantities"]
    told = quantities["reported"].notna()
    assert (quantities["reconciled"][told] == quantities["reported"][told]).all()
    assert not quantities["gross_error"].any()
    assert result.levels[0].value == 0.0


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_the_reconciled_emissions_are_in_the_interval(seed: int) -> None:
    units = solved(random_reconciliation(seed)).tables["reconciliation"]
    size = 1e-6 * units["highest_tco2e"].abs() + 1e-6
    assert (units["lowest_tco2e"] <= units["reconciled_tco2e"] + size).all()
    assert (units["reconciled_tco2e"] <= units["highest_tco2e"] + size).all()


def test_less_certain_evidence_widens_the_interval() -> None:
    one = solved(by_hand()).tables["reconciliation"]
    is_ratio = table("statements")["kind"] == "usual_ratio"
    other = solved(changed(by_hand(), "statements", is_ratio, uncertainty=0.9)).tables["reconciliation"]
    # Both coals may be 0.4 t farther off, at 2 t each.
    assert other["lowest_tco2e"].tolist() == pytest.approx([259.3 - 1.6, 18.0], abs=1e-4)
    assert other["highest_tco2e"].tolist() == pytest.approx([280.7 + 1.6, 21.0], abs=1e-4)
    assert other["reconciled_tco2e"].tolist() == pytest.approx(one["reconciled_tco2e"].tolist())


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_other_units_of_measure_change_no_emissions(factor: float) -> None:
    instance = by_hand()
    frames = {one: getattr(instance, one).copy() for one in TABLES}
    quantities, statements = frames["quantities"], frames["statements"]
    for name in ("reported", "uncertainty", "substitute", "most"):
        quantities[name] *= factor
    quantities["emissions_tco2e_per_unit"] /= factor
    for name in ("value", "lower", "upper", "uncertainty"):
        statements[name] *= factor
    other = etsopt.Instance.from_frames(instance.units, {"year": 2025, "rule": {"name": "cn-2024"}}, **frames)
    one, two = solved(instance).tables["reconciliation"], solved(other).tables["reconciliation"]
    pd.testing.assert_frame_equal(one, two, rtol=1e-7)


def test_an_instance_without_evidence_says_how_to_get_some() -> None:
    with pytest.raises(DataError, match=r"quantities\.csv: the file is missing, and with it the evidence") as caught:
        etsopt.solve(etsopt.read("tiny"), "reconciliation")
    assert "etsopt reconcile" in str(caught.value)


WRONG: dict[str, tuple[str, dict[str, object], str]] = {
    "unit": ("terms", {"unit_id": "z"}, "terms.csv, unit_id: 5 units are not in units.csv"),
    "quantity": ("terms", {"quantity_id": "z"}, "quantity_id: 1 term has an unknown quantity"),
    "statement": ("terms", {"statement_id": "z"}, "statements.csv, statement_id: 3 statements have no terms"),
    "uncertainty": ("quantities", {"uncertainty": np.nan}, "4 reported quantities have no uncertainty"),
    "most": ("quantities", {"most": 55.0}, "3 quantities are above the largest possible ones"),
    "limits": ("statements", {"lower": 3.0, "upper": 1.0}, "3 statements have a value outside their limits"),
    "nothing": (
        "statements",
        {"value": np.nan, "lower": np.nan, "upper": np.nan},
        "3 statements have neither a value nor a limit",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_evidence_that_does_not_fit_together_is_refused(kind: str) -> None:
    name, cells, message = WRONG[kind]
    every = pd.Series(np.ones(len(table(name)), dtype=bool))
    if kind == "quantity":
        # All of them would be the same term of a statement.
        every[:-1] = False
    with pytest.raises(DataError) as caught:
        changed(by_hand(), name, every, **cells)
    assert message in str(caught.value)


def test_evidence_has_all_three_tables() -> None:
    instance = by_hand()
    with pytest.raises(DataError, match=r"quantities\.csv: is present without statements\.csv and terms\.csv"):
        etsopt.Instance.from_frames(
            instance.units, {"year": 2025, "rule": {"name": "cn-2024"}}, quantities=instance.quantities
        )


def test_a_folder_with_evidence_is_read_as_it_was_written(tmp_path: Any) -> None:
    result = solved(by_hand())
    result.save(tmp_path / "run", by_hand())
    loaded, instance = load_both(tmp_path / "run")
    assert instance.hash == by_hand().hash
    assert etsopt.check(instance, loaded).certified
