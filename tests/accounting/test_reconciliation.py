"""Evidence of monthly reports: what each kind of row states, missing months, and the goal on the shipped faults."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt import accounting
from etsopt.accounting.reconciliation import ASSUMPTIONS
from etsopt.cli import main
from etsopt.common.errors import DataError
from instances import draw_reports
from instances.build_cn_2025_reports import SEED

MONTHS = tuple(f"2025-{month:02d}" for month in range(1, 13))
REGISTER = pd.DataFrame(
    {
        "unit_id": ["C1"],
        "enterprise_id": ["E1"],
        "sector": ["cement"],
        "province": ["Anhui"],
        "activity": ["portland_clinker"],
    }
)
Row = tuple[str, str, str, float]
LOADS = (1.0003, 0.9871, 1.0129, 0.9954, 1.0071, 0.9912, 1.0187, 0.9836, 1.0043, 0.9968, 1.0111, 0.9925)
"""Output of each month: equal figures would be copies."""
CLINKER, COAL = ([round(base * load, 2) for load in LOADS] for base in (1003.37, 130.44))
HEAT = 23.736
"""Default of bituminous coal [GJ/t]."""


def reports(*more: Row, without: tuple[str, ...] = ()) -> accounting.Reports:
    """A year of a clinker line of about 1,000 t and 130 t of coal a month, with further rows."""
    rows = [
        row
        for month, clinker, coal in zip(MONTHS, CLINKER, COAL, strict=True)
        if month not in without
        for row in ((month, "portland_clinker", "product", clinker), (month, "bituminous", "in", coal))
    ]
    table = pd.DataFrame([*rows, *more], columns=["month", "item", "flow", "quantity"])
    table = table.assign(unit_id="C1", process="clinker", unit="t")
    table["batch"] = ["" if place < len(rows) else "more" for place in range(len(table))]
    return accounting.Reports.from_frames(REGISTER, table)


def evidence(*more: Row, **options: Any) -> etsopt.Instance:
    return accounting.evidence_of(reports(*more, **options))


def statement(instance: etsopt.Instance, name: str) -> tuple[pd.Series[Any], dict[str, float]]:
    """A statement and its coefficients by quantity."""
    assert instance.statements is not None
    assert instance.terms is not None
    (row,) = [one for _, one in instance.statements.iterrows() if one["statement_id"] == name]
    terms = instance.terms[instance.terms["statement_id"] == name]
    return row, dict(zip(terms["quantity_id"], terms["coefficient"], strict=True))


def units(instance: etsopt.Instance) -> pd.DataFrame:
    result = etsopt.solve(instance, "reconciliation")
    assert (result.status, result.violations) == ("certified_optimal", ())
    return result.tables["reconciliation"].set_index("unit_id")


@cache
def shipped() -> etsopt.Results:
    return etsopt.solve(accounting.evidence_of(accounting.read_reports("cn-2025-reports")), "reconciliation")


@pytest.mark.nightly
def test_quantities_are_the_lines_of_the_accounts() -> None:
    accounts = accounting.account(accounting.read_reports("cn-2025-reports"))
    found = shipped().tables["reconciliation"].set_index("unit_id")["reported_tco2e"]
    whole = accounts.unit_years.set_index("unit_id")["emissions_tco2e"]
    # Each line of an account is rounded to two decimals.
    assert (found - whole).abs().max() < 0.005 * 12 * 25


def test_the_error_of_units_with_a_planted_fault_is_halved_and_the_interval_covers_them() -> None:
    random = np.random.default_rng(SEED)
    plants = draw_reports.plants(random)
    before = accounting.Reports.from_frames(draw_reports.register_of(plants), draw_reports.reports(plants, random))
    truth = accounting.account(before).unit_years.set_index("unit_id")["emissions_tco2e"]
    faults = pd.read_csv(Path(__file__).parents[2] / "instances" / "cn-2025-reports" / "planted.csv")
    found = shipped().tables["reconciliation"].set_index("unit_id")
    assert shipped().certified
    raw, error = ((found[f"{name}_tco2e"] - truth).abs() for name in ("reported", "reconciled"))
    planted = faults["unit_id"]
    assert error[planted].mean() < 0.5 * raw[planted].mean()
    inside = (found["lowest_tco2e"] <= truth + 1) & (truth <= found["highest_tco2e"] + 1)
    assert inside[planted].sum() >= 29
    assert inside.drop(planted).all()
    # Units without a fault are left as they are.
    assert (error.drop(planted) < 1.0).all()


def test_coal_is_counted_by_its_heat_and_its_uncertainty_is_that_of_the_meter() -> None:
    instance = evidence()
    assert instance.quantities is not None
    coal = instance.quantities[instance.quantities["quantity_id"] == "2025-03 clinker bituminous in"].iloc[0]
    # 1.5 % for the belt scale and 1.5 % for the calorific value, of the median of the other months.
    assert coal["reported"] == pytest.approx(COAL[2] * HEAT)
    usual = np.median([*COAL[:2], *COAL[3:]]) * HEAT
    assert coal["uncertainty"] == pytest.approx(0.015 * np.sqrt(2) * usual)
    assert coal["unit"] == "GJ"


def test_an_uncertainty_that_the_report_states_replaces_that_of_the_meter() -> None:
    own = reports()
    rows = own.rows.assign(uncertainty_rate=np.where(own.rows["month"] == "2025-03", 0.08, np.nan))
    instance = accounting.evidence_of(accounting.Reports.from_frames(REGISTER, rows.drop(columns=["file", "line"])))
    assert instance.quantities is not None
    table = instance.quantities.set_index("quantity_id")
    assert table.loc["2025-03 clinker portland_clinker product", "uncertainty"] == pytest.approx(80.0, rel=0.01)
    assert table.loc["2025-04 clinker portland_clinker product", "uncertainty"] == pytest.approx(15.0, rel=0.01)


def test_a_false_quantity_is_found_and_estimated_from_the_other_months() -> None:
    found = reports()
    rows = found.rows.drop(columns=["file", "line"])
    false = (rows["month"] == "2025-06") & (rows["item"] == "bituminous")
    rows.loc[false, "quantity"] *= 10
    instance = accounting.evidence_of(accounting.Reports.from_frames(REGISTER, rows))
    result = etsopt.solve(instance, "reconciliation")
    quantities = result.tables["reconciled_quantities"]
    assert quantities.loc[quantities["gross_error"], "quantity_id"].tolist() == ["2025-06 clinker bituminous in"]
    right, wrong = units(evidence()).loc["C1"], result.tables["reconciliation"].iloc[0]
    assert wrong["reported_tco2e"] > 1.2 * right["reported_tco2e"]
    assert wrong["reconciled_tco2e"] == pytest.approx(right["reconciled_tco2e"], rel=1e-3)


def test_a_missing_month_has_an_estimate_and_a_conservative_substitute_and_both_are_marked() -> None:
    more = [("2025-02", "portland_clinker", "product", 200.0), ("2025-02", "bituminous", "in", 26.0)]
    instance = evidence(*more, without=("2025-05",))
    result = etsopt.solve(instance, "reconciliation")
    quantities = result.tables["reconciled_quantities"].set_index("quantity_id")
    missing = quantities[quantities["basis"] == "substituted"]
    assert missing.index.tolist() == ["2025-05 clinker bituminous in", "2025-05 clinker portland_clinker product"]
    # Output is most likely that of the neighbours, and coal in the usual ratio to it.
    near = (CLINKER[3] + CLINKER[5]) / 2
    assert missing["reconciled"].tolist() == pytest.approx([130.44 / 1003.37 * near * HEAT, near], rel=1e-3)
    row = result.tables["reconciliation"].iloc[0]
    assert row["substituted"] == 2
    # The substitute is the largest month, February with both of its rows.
    assert instance.quantities is not None
    stated = instance.quantities.set_index("quantity_id")["substitute"]
    assert stated[missing.index].tolist() == pytest.approx([(COAL[1] + 26) * HEAT, CLINKER[1] + 200])
    assert row["reported_tco2e"] < row["reconciled_tco2e"] < row["conservative_tco2e"]
    assert row["lowest_tco2e"] <= row["reconciled_tco2e"] <= row["highest_tco2e"]


def test_purchases_less_the_change_of_stock_are_consumption_at_the_usual_calorific_value() -> None:
    rows = [("2025-02", "bituminous", "stock", 50.0), ("2025-03", "bituminous", "stock", 80.0)]
    instance = evidence(
        *rows, ("2025-03", "bituminous", "purchase", 170.0), ("2025-04", "bituminous", "purchase", 90.0)
    )
    row, terms = statement(instance, "purchase 2025-03 clinker bituminous in")
    heat = np.median([*COAL[:2], *COAL[3:]]) * HEAT
    assert terms == {"2025-03 clinker bituminous in": 1.0}
    assert row["value"] == pytest.approx((170 + 50 - 80) * HEAT)
    assert row["uncertainty"] / heat == pytest.approx(np.hypot(0.02, 0.03))
    # April has no closing stock, so its purchases alone say less.
    alone, _ = statement(instance, "purchase 2025-04 clinker bituminous in")
    assert alone["uncertainty"] / heat == pytest.approx(np.hypot(0.3, 0.03), rel=0.01)
    # Accounts and screening count none of these rows.
    assert units(instance).loc["C1", "reported_tco2e"] == pytest.approx(units(evidence()).loc["C1", "reported_tco2e"])


def test_a_stack_monitor_states_the_emissions_of_its_month() -> None:
    instance = evidence(("2025-03", "carbon_dioxide", "monitor", 800.0))
    assert instance.quantities is not None
    factor = instance.quantities.set_index("quantity_id")["emissions_tco2e_per_unit"]
    assert instance.statements is not None
    (name,) = instance.statements.loc[instance.statements["kind"] == "monitor", "statement_id"]
    row, terms = statement(instance, name)
    assert row["value"] == 800.0
    assert set(terms) == {"2025-03 clinker bituminous in", "2025-03 clinker portland_clinker product"}
    assert all(terms[quantity] == factor[quantity] for quantity in terms)
    # A tenth of the month's emissions as the others have them.
    assert row["uncertainty"] == pytest.approx(0.1 * units(evidence()).loc["C1", "reported_tco2e"] / 12, rel=0.01)


def test_steel_uses_no_more_fuel_than_it_buys_and_makes_and_sells_the_steel_that_it_makes() -> None:
    register, rows = accounting.generate(40, 12, 3)
    instance = accounting.evidence_of(accounting.Reports.from_frames(register, rows))
    assert instance.statements is not None
    balance = instance.statements[instance.statements["kind"] == "balance"]
    fuel = balance["statement_id"].str.startswith("fuel")
    assert fuel.any()
    assert (~fuel).any()
    assert balance.loc[fuel, "lower"].isna().all()
    assert (balance.loc[~fuel, "lower"] == -balance.loc[~fuel, "upper"]).all()
    assert (balance["upper"] > 0).all()


def test_flows_of_evidence_have_their_items_and_no_others() -> None:
    with pytest.raises(DataError, match="item has no place at this process and flow"):
        reports(("2025-03", "portland_clinker", "purchase", 1.0))


def test_every_assumption_has_a_source_and_its_confidence() -> None:
    assert all(one.meaning and one.source and one.unit and one.confidence == "C" for one in ASSUMPTIONS.values())


def test_the_command_writes_a_run_that_checks_and_says_what_is_substituted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    (data / "reports").mkdir(parents=True)
    REGISTER.to_csv(data / "register.csv", index=False)
    rows = reports(without=("2025-05",)).rows.drop(columns=["file", "line"])
    rows.to_csv(data / "reports" / "2025.csv", index=False)
    assert main(["reconcile", str(data), "--out", str(tmp_path / "run")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "2 quantities of 1 units have no report: their values are substitutes." in told
    assert main(["check", str(tmp_path / "run")]) == 0
    assert main(["solve", str(tmp_path / "run" / "instance"), "--model", "reconciliation"]) == 0
    capsys.readouterr()
    assert main(["reconcile", str(data), "--lang", "zh"]) == 0
    assert "其值为替代值" in "".join(capsys.readouterr().out.split())
    assert main(["reconcile", str(data), "--year", "2025", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "certified_optimal"
    assert main(["reconcile", str(data), "--year", "2024"]) == 2
    assert "No unit has reports of 2024" in capsys.readouterr().err
