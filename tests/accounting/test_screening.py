"""Screening: each rule finds its flaw by hand, says nothing without it, and the shipped faults are found."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from benchmarks.screening import OF_KIND, compared, measured
from etsopt import accounting
from etsopt.accounting import Reports, Screening, generate, read_reports, screen
from etsopt.accounting.screening import KINDS, RULES, digits, load_file
from etsopt.accounting.screening.screening_data import NORMAL, deviation
from etsopt.common.errors import DataError, ModelError, UsageError
from instances import build_cn_2025_reports
from tests.accounting.builders import Row, reports

ROOT = Path(__file__).parents[2]
Change = Callable[["pd.Series[Any]"], object]
SHIPPED = ROOT / "instances" / "cn-2025-reports"


@cache
def drawn() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Register and rows of 24 units over a year, with the days of filing and calibration."""
    register, rows = generate(24, months=12, seed=13)
    end = pd.to_datetime(rows["month"]) + pd.offsets.MonthEnd()
    rows["reported_on"] = (end + pd.Timedelta(days=20)).dt.strftime("%Y-%m-%d")
    calibrated = (end - pd.Timedelta(days=180)).dt.strftime("%Y-%m-%d")
    rows["calibrated_on"] = np.where(rows["flow"] == "test", "", calibrated)
    return register, rows


def unit_of(sector: str, place: int = 0) -> str:
    """A unit of the sector."""
    register, _ = drawn()
    return str(register.loc[register["sector"] == sector, "unit_id"].iloc[place])


def screened(rows: pd.DataFrame, thresholds: dict[str, float] | None = None) -> Screening:
    """The findings of some rows."""
    return screen(Reports.from_frames(drawn()[0], rows), thresholds=thresholds)


def changed(sector: str, item: str, flow: str, column: str, change: Change, months: slice) -> pd.DataFrame:
    """The rows with another cell of an item in some months of the first unit of a sector; at its last process."""
    rows = drawn()[1].copy()
    which = (rows["unit_id"] == unit_of(sector)) & (rows["item"] == item) & (rows["flow"] == flow)
    which &= rows["process"] == rows.loc[which, "process"].iloc[-1]
    names = sorted(rows["month"].unique())[months]
    which &= rows["month"].isin(names)
    rows.loc[which, column] = change(rows.loc[which, column])
    return rows


def _always(cell: str) -> Change:
    return lambda cells: cell


ONE = slice(4, 5)
"""May alone."""
FLAWS: dict[str, tuple[str, str, str, str, Change, slice]] = {
    "late_month": ("cement", "diesel", "in", "reported_on", lambda cells: "2025-07-11", ONE),
    "filed_early": ("cement", "diesel", "in", "reported_on", lambda cells: "2025-05-30", ONE),
    "calibration": ("cement", "diesel", "in", "calibrated_on", lambda cells: "2024-05-29", ONE),
    "last_digits": ("cement", "bituminous", "in", "quantity", lambda cells: cells.round(-1), slice(12)),
    "emissions_ratio": ("cement", "portland_clinker", "product", "quantity", lambda cells: cells * 1.4, ONE),
    "key_process_ratio": ("steel", "coke", "in", "quantity", lambda cells: cells * 1.5, ONE),
    "heat_rate": ("cement", "bituminous", "in", "quantity", lambda cells: cells * 1.3, ONE),
    "coke_rate": ("steel", "coke", "in", "quantity", lambda cells: cells * 1.3, ONE),
    "anode_rate": ("aluminium", "anode", "in", "quantity", lambda cells: cells * 1.3, ONE),
    "item_jump": ("steel", "converter_gas", "out", "quantity", lambda cells: cells * 1.3, ONE),
    "output_jump": ("steel", "pig_iron", "product", "quantity", lambda cells: cells / 1.3, ONE),
    "calorific_value": ("cement", "bituminous", "test", "ncv_gj_per_unit", lambda cells: cells * 1.3, ONE),
    "unlike_peers": ("cement", "bituminous", "in", "quantity", lambda cells: cells * 2, slice(12)),
    "heat_extreme": ("cement", "bituminous", "in", "quantity", lambda cells: cells / 2, ONE),
    "anode_extreme": ("aluminium", "anode", "in", "quantity", lambda cells: cells / 2, ONE),
    "coke_extreme": ("steel", "coke", "in", "quantity", lambda cells: cells * 4, ONE),
    "calorific_extreme": ("cement", "bituminous", "test", "ncv_gj_per_unit", lambda cells: cells * 2, ONE),
    "deduction_extreme": ("cement", "carbide_slag", "in", "quantity", lambda cells: cells * 100, ONE),
    "missing_evidence": ("cement", "diesel", "in", "evidence", _always(""), ONE),
}
OF_CAUSES = {"fuel_rate", "likely_cause", "calorific_range"}
"""Rules whose tests are beside those of the causes that they come with."""
OF_WORKBOOKS = {"carbon_per_heat", "test_evidence", "stock_balance", "stock_opening"}
"""Rules on columns that the monthly workbook has; its tests plant their flaws."""

SECTOR_OF = {name: flaw[0] for name, flaw in FLAWS.items()}


def test_reports_without_a_flaw_have_no_finding() -> None:
    assert screened(drawn()[1]).findings.empty


@pytest.mark.everyday("calorific_value", "late_month", "heat_rate")
@pytest.mark.parametrize("name", FLAWS)
def test_a_rule_finds_its_flaw(name: str) -> None:
    findings = screened(changed(*FLAWS[name])).findings
    own = findings[findings["rule"] == name]
    assert set(own["unit_id"]) == {unit_of(SECTOR_OF[name])}
    if FLAWS[name][-1] is ONE:
        assert set(own["month"]) == {"2025-05"}
        assert set(findings["month"]) == {"2025-05"}
    assert (own["size_t"] > 0).all()
    assert own["kind"].tolist() == [RULES[name].kind] * len(own)
    assert (own[["reason", "reason_zh"]] != "").all(axis=None)


def test_every_rule_has_a_test_a_kind_a_source_and_a_sentence() -> None:
    own = {name: one for name, one in RULES.items() if not one.function.__module__.startswith("etsopt_user_")}
    assert {*own} == {*FLAWS, *OF_WORKBOOKS, "missing_month", "missing_item", "copied_month", "copied_unit", *OF_CAUSES}
    assert {one.kind for one in own.values()} == set(KINDS)
    assert all(one.source and one.summary.endswith(".") for one in own.values())
    assert set().union(*OF_KIND.values()) <= set(own)


def filed(place: Path, rows: pd.DataFrame) -> Path:
    """A folder of reports with some rows."""
    (place / "reports").mkdir(parents=True)
    drawn()[0].to_csv(place / "register.csv", index=False)
    rows.to_csv(place / "reports" / "2025.csv", index=False)
    return place


IN_OTHER_UNITS = {"kcal/kg": 238.85, "kJ/kg": 1000.0}


@pytest.mark.parametrize("unit", IN_OTHER_UNITS)
def test_a_calorific_value_in_another_unit_is_a_finding_of_its_row_and_all_else_is_screened(
    tmp_path: Path, unit: str
) -> None:
    factor, jumps = IN_OTHER_UNITS[unit], FLAWS["item_jump"]
    right = changed(*jumps)
    which = (right["unit_id"] == unit_of("cement")) & (right["item"] == "bituminous") & (right["flow"] == "test")
    (place, *_others) = right.index[which & (right["month"] == "2025-05")]
    wrong = right.copy()
    stated = round(right.loc[place, "ncv_gj_per_unit"] * factor, 3)
    wrong.loc[place, "ncv_gj_per_unit"] = stated
    folder = filed(tmp_path / "wrong", wrong)
    found = screen(accounting.read_source(folder, to_screen=True).reports)
    own = found.findings[found.findings["rule"] == "calorific_range"]
    assert own[["unit_id", "month", "item"]].to_numpy().tolist() == [[unit_of("cement"), "2025-05", "bituminous"]]
    value = right.loc[place, "ncv_gj_per_unit"]
    told = f"a calorific value of {stated:.10g} looks like {unit}; divided by {factor:g} it is {value:.3f}"
    assert f"reports/2025.csv, row {place + 2}: " in own["reason"].iat[0]
    assert told in own["reason"].iat[0]
    assert unit in own["reason_zh"].iat[0]
    cause = found.causes[found.causes["unit_id"] == unit_of("cement")]
    assert cause[["month", "item", "cause"]].to_numpy().tolist() == [["2025-05", "bituminous", "calorific_unit"]]
    # The findings of all other units are those without that cell, the planted jump among them.
    before = screen(Reports.from_frames(drawn()[0], right)).findings
    after = found.findings[found.findings["unit_id"] != unit_of("cement")].reset_index(drop=True)
    assert "item_jump" in set(after["rule"])
    pd.testing.assert_frame_equal(after, before)


@pytest.mark.parametrize("cell", ["5011.5 kcal/kg", "5011.5大卡/千克", "20967 kJ/kg"])
def test_a_calorific_value_with_another_unit_behind_it_is_read_as_its_number(tmp_path: Path, cell: str) -> None:
    rows = drawn()[1].astype({"ncv_gj_per_unit": object})
    place = rows.index[rows["flow"] == "test"][0]
    rows.loc[place, "ncv_gj_per_unit"] = cell
    found = screen(accounting.read_source(filed(tmp_path / "wrong", rows), to_screen=True).reports).findings
    (reason,) = found.loc[found["rule"] == "calorific_range", "reason"]
    assert f"row {place + 2}: a calorific value of" in reason
    with pytest.raises(DataError, match=r"looks like k(cal|J)/kg"):
        accounting.read_reports(tmp_path / "wrong")


def test_what_only_screening_reads_has_no_accounts_and_enters_no_store_or_solve(tmp_path: Path) -> None:
    rows = changed("cement", "bituminous", "test", "ncv_gj_per_unit", lambda cells: cells * 238.85, ONE)
    folder = filed(tmp_path / "wrong", rows)
    (folder / "policy.toml").write_text('year = 2025\n[rule]\nname = "cn"\n', encoding="utf-8")
    read = accounting.read_source(folder, to_screen=True).reports
    refusing: dict[str, Callable[[], object]] = {
        "read": lambda: accounting.read_reports(folder),
        "account": lambda: accounting.account(read),
        "store": lambda: accounting.import_reports(tmp_path / "plants.duckdb", folder),
        "solve": lambda: etsopt.read(folder),
    }
    for act in refusing.values():
        with pytest.raises(DataError, match="looks like kcal/kg"):
            act()
    assert not (tmp_path / "plants.duckdb").exists()


@pytest.mark.parametrize("cell", ["-1", "2e6", "800 kcal/kg", "5011 kJ/kg", "5_011"])
def test_a_calorific_value_that_looks_like_no_other_unit_is_not_screened(tmp_path: Path, cell: str) -> None:
    rows = changed("cement", "bituminous", "test", "ncv_gj_per_unit", lambda cells: cells, ONE).astype(object)
    tests = rows.index[rows["flow"] == "test"]
    rows.loc[tests[0], "ncv_gj_per_unit"] = cell
    with pytest.raises(DataError, match=r"ncv_gj_per_unit: 1 (value is out of range|cell is not a number)"):
        accounting.read_source(filed(tmp_path / "wrong", rows), to_screen=True)


def test_a_month_that_is_missing_is_as_large_as_a_usual_one() -> None:
    rows = drawn()[1]
    unit = unit_of("cement")
    found = screened(rows[(rows["unit_id"] != unit) | (rows["month"] != "2025-05")])
    usual = found.accounts.unit_months.groupby("unit_id")["emissions_tco2e"].median()[unit]
    assert found.findings[["rule", "unit_id", "month"]].to_numpy().tolist() == [["missing_month", unit, "2025-05"]]
    assert found.findings["size_t"].tolist() == pytest.approx([usual], abs=0.01)


def test_a_last_month_is_missing_as_the_others_have_it() -> None:
    rows = drawn()[1]
    unit = unit_of("cement")
    found = screened(rows[(rows["unit_id"] != unit) | (rows["month"] < "2025-11")])
    assert found.findings["month"].tolist() == ["2025-11", "2025-12"]


def test_a_missing_item_is_found_where_the_other_months_have_it() -> None:
    rows = drawn()[1]
    unit = unit_of("cement")
    gone = (rows["unit_id"] == unit) & (rows["month"] == "2025-05") & (rows["item"] == "diesel")
    findings = screened(rows[~gone]).findings
    assert findings[["rule", "month", "item"]].to_numpy().tolist() == [["missing_item", "2025-05", "diesel"]]


def test_a_correction_is_not_late() -> None:
    rows = drawn()[1]
    row = rows[(rows["unit_id"] == unit_of("cement")) & (rows["item"] == "diesel")].iloc[[4]]
    corrected = pd.concat([rows, row.assign(version=2, reported_on="2025-12-01")], ignore_index=True)
    assert screened(corrected).findings.empty


@pytest.mark.nightly
@pytest.mark.parametrize("of_unit", [False, True])
def test_either_side_of_a_copy_is_found(of_unit: bool) -> None:
    rows = drawn()[1].copy()
    unit, other = unit_of("aluminium"), unit_of("cement", 1)
    if of_unit:
        unit = unit_of("cement")
        to, source = (rows["unit_id"] == unit), (rows["unit_id"] == other)
        to, source = (which & (rows["month"] == "2025-05") for which in (to, source))
    else:
        own = rows["unit_id"] == unit
        to, source = own & (rows["month"] == "2025-05"), own & (rows["month"] == "2025-09")
    rows.loc[to, "quantity"] = rows.loc[source, "quantity"].to_numpy()
    findings = screened(rows).findings
    own_rule = findings[findings["rule"] == ("copied_unit" if of_unit else "copied_month")]
    expected = {(unit, "2025-05"), (other, "2025-05") if of_unit else (unit, "2025-09")}
    assert {*zip(own_rule["unit_id"], own_rule["month"], strict=True)} == expected


def test_round_figures_of_most_units_are_a_convention() -> None:
    rows = drawn()[1].copy()
    coal = (rows["process"] == "clinker") & (rows["item"] == "bituminous") & (rows["flow"] == "in")
    rows.loc[coal, "quantity"] = rows.loc[coal, "quantity"].round(0)
    assert screened(rows).findings.empty


@pytest.mark.nightly
def test_sizes_by_hand() -> None:
    # One month in 12 has twice the anodes: half of its emissions of anodes are beyond what was usual.
    findings = screened(changed("aluminium", "anode", "in", "quantity", lambda cells: cells * 2, ONE))
    lines = findings.accounts.lines
    own = lines[(lines["unit_id"] == unit_of("aluminium")) & (lines["month"] == "2025-05") & (lines["item"] == "anode")]
    size = findings.findings.set_index("rule")["size_t"]["anode_rate"]
    assert size == pytest.approx(own["emissions_tco2e"].sum() / 2, rel=0.06)
    # A filing that is late concerns all emissions of the month.
    found = screened(changed(*FLAWS["late_month"]))
    months = found.accounts.unit_months.set_index(["unit_id", "month"])["emissions_tco2e"]
    assert found.findings["size_t"].tolist() == [months[(unit_of("cement"), "2025-05")]]
    # 2025-07-11 is 41 days after 2025-05-31; the limit is 40.
    assert "41 days after" in found.findings["reason"][0]


def test_the_deviation_by_hand() -> None:
    # Median 3, distances 2 1 0 1 2 7: their median is 1.5, and the spread 1.4826 times that; alone it has no peers.
    values = pd.Series([1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 10.0])
    found = deviation(values, np.zeros(7), np.zeros(7))
    assert found["difference"].tolist() == [-2, -1, 0, 0, 1, 2, 7]
    assert found["score"].iloc[-1] == pytest.approx(7 / NORMAL)
    assert deviation(values[:5], np.zeros(5), np.zeros(5))["score"].tolist() == [0] * 5


def test_the_bound_of_a_chance_is_above_it() -> None:
    # Ten of twelve months with a digit of chance 0.1: 66 * 0.1^10 * 0.9^2, and the rarer cases.
    exact = 66 * 0.1**10 * 0.9**2 + 12 * 0.1**11 * 0.9 + 0.1**12
    bound = float(np.exp(digits.log_tail(np.array([10]), np.array([12]), 0.1)[0]))
    assert exact < bound < 100 * exact


def test_thresholds_are_set_by_rule() -> None:
    rows = changed(*FLAWS["late_month"])
    assert screened(rows, {"late_month.days": 45}).findings.empty
    whole = Reports.from_frames(*drawn())
    for changes, words in (
        ({"late_months.days": 45}, "Did you mean 'late_month'?"),
        ({"late_month": {"day": 45}}, "It can be set: late_month.days."),
        ({"late_month.days": "45"}, "expected a number"),
        ({"missing_month.days": 1}, "It can be set: nothing."),
    ):
        with pytest.raises(UsageError, match=r"no rule|no threshold|Threshold") as caught:
            screen(whole, thresholds=changes)
        assert words in str(caught.value)


OWN_RULE = '''
from etsopt.accounting.screening import rule

@rule("large_month", "threshold", "an example", limit_t=0)
def large_month(data, limit_t):
    """Emissions of a month exceed a limit."""
    months = data.months[data.months["emissions_tco2e"] > limit_t]
    return months.assign(item="", size_t=months["emissions_tco2e"] - limit_t, reason="large"){}
'''


def test_a_rule_of_a_file_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "large.py"
    whole = Reports.from_frames(*drawn())
    try:
        path.write_text(OWN_RULE.format(""), encoding="utf-8")
        assert load_file(path) == ["large_month"]
        found = screen(whole, thresholds={"large_month.limit_t": 500_000})
        assert set(found.findings["rule"]) == {"large_month"}
        assert found.findings["reason_zh"].tolist() == ["large"] * len(found.findings)
        path.write_text(OWN_RULE.format('.drop(columns="size_t")'), encoding="utf-8")
        load_file(path)
        with pytest.raises(ModelError, match="its table lacks size_t"):
            screen(whole)
    finally:
        RULES.pop("large_month", None)
    path.write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="enters no rule of screening"):
        load_file(path)


def test_a_day_that_is_none_is_refused() -> None:
    for column, cell in (("reported_on", "2025-02-30"), ("calibrated_on", "20250228")):
        rows = changed("cement", "diesel", "in", column, _always(cell), ONE)
        with pytest.raises(DataError, match="1 value is not a day"):
            Reports.from_frames(drawn()[0], rows)


@pytest.mark.nightly
def test_a_month_alone_is_screened() -> None:
    register, rows = drawn()
    found = screen(Reports.from_frames(register, rows[rows["month"] == "2025-05"]))
    assert found.findings.empty


@pytest.mark.nightly
def test_a_month_that_stands_still_has_no_ratio_and_one_without_fuel_is_an_extreme() -> None:
    def found(clinker_t: float) -> Screening:
        rows: list[Row] = []
        for number in range(1, 13):
            month, made = f"2025-{number:02d}", clinker_t * (number + 0.00001 * number**2)
            rows.append(("C1", month, "clinker", "portland_clinker", "product", made))
            rows.append(("C1", month, "clinker", "bituminous", "in", 0.0))
        return screen(reports(rows))

    assert found(0.0).findings.empty
    moving = found(1000.0)
    assert moving.findings["rule"].tolist() == ["heat_extreme"] * 12
    assert sorted(moving.findings["size_t"]) == sorted(moving.accounts.unit_months["emissions_tco2e"])


def test_reports_of_tests_alone_are_screened() -> None:
    cells = {"ncv_gj_per_unit": 23.0, "reported_on": "2025-06-01"}
    found = screen(reports([("C1", "2025-01", "clinker", "bituminous", "test", 5.0, cells)]))
    assert found.findings["rule"].tolist() == ["late_month"]


@pytest.mark.nightly
def test_the_order_of_rows_changes_no_finding() -> None:
    rows = changed(*FLAWS["output_jump"])
    one, other = screened(rows).findings, screened(rows.sample(frac=1, random_state=1)).findings
    pd.testing.assert_frame_equal(
        *(table.sort_values(["rule", "unit_id", "month", "item"], ignore_index=True) for table in (one, other))
    )


@pytest.mark.nightly
def test_the_shipped_set_is_built_again(tmp_path: Path) -> None:
    build_cn_2025_reports.build(tmp_path)
    for name in ("register.csv", "planted.csv", "reports/2025.csv"):
        assert (tmp_path / name).read_bytes() == (SHIPPED / name).read_bytes()


def test_the_shipped_faults_are_found() -> None:
    faults = pd.read_csv(SHIPPED / "planted.csv", keep_default_na=False)
    assert faults["kind"].value_counts().to_dict() == dict.fromkeys(OF_KIND, 3)
    found = compared(faults, screen(read_reports("cn-2025-reports")).findings, 480)
    assert found.faults["flagged"].sum() >= 27
    assert found.false_rate <= 0.05


@pytest.mark.nightly
def test_a_few_further_sets_reach_the_rates_on_average() -> None:
    sets = [measured(seed) for seed in (1, 2, 3)]
    assert np.mean([one.faults["flagged"].sum() for one in sets]) >= 27
    assert np.mean([one.false_rate for one in sets]) <= 0.05
