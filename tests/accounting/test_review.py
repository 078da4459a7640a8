"""The three-level review: order of the levels, findings, corrections, versions, tables, and verified emissions."""

from __future__ import annotations

import copy
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt import accounting
from etsopt.accounting.chinese import headings_of_decisions
from etsopt.accounting.review.acts import BETWEEN, named
from etsopt.accounting.review.concerned import concerned
from etsopt.accounting.review.decisions import read_decisions
from etsopt.accounting.review.items import look_at_items
from etsopt.accounting.review.words import STATUSES, deadline
from etsopt.accounting.save import save_review
from etsopt.accounting.store import open_store
from etsopt.accounting.store.ledger import ledger_of
from etsopt.accounting.store.reading import read_store
from etsopt.common.errors import DataError, UsageError
from etsopt.common.language import speaking
from etsopt.presenting.documents.document import Paragraph
from etsopt.reports import write_monthly_sheets, write_notices
from etsopt.reports.monthly.review import corrections
from tests.accounting.builders import REGISTER, Row, frame
from tests.accounting.test_store import written

MONTHS = [f"2025-{number:02d}" for number in range(1, 13)]


def line(month: str, coal: float = 130.0, **more: Any) -> list[Row]:
    """A month of the clinker line."""
    return [
        ("C1", month, "clinker", "portland_clinker", "product", 1000.0, more),
        ("C1", month, "clinker", "bituminous", "in", coal, more),
    ]


def plants(place: Path, rows: list[Row]) -> Path:
    return written(place, REGISTER, frame(rows))


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinker line with two months, the second filed a day late."""
    place = tmp_path_factory.mktemp("imported")
    rows = [*line("2025-01", reported_on="2025-03-12"), *line("2025-02", reported_on="2025-04-10")]
    accounting.import_reports(place / "plants.duckdb", plants(place / "plants", rows))
    return place / "plants.duckdb"


@pytest.fixture
def store(imported: Path, tmp_path: Path) -> Path:
    shutil.copy(ledger_of(imported), tmp_path)
    return Path(shutil.copy(imported, tmp_path))


def decide(store: Path, decision: str, level: str = "municipal", **cells: Any) -> accounting.Decided:
    given = {"decision": decision, "level": level, "who": "office", "unit_id": "C1", **cells}
    return accounting.decide(store, {name: cell for name, cell in given.items() if cell is not None})


COAL: dict[str, Any] = {"month": "2025-01", "item": "bituminous"}


def statuses(store: Path) -> list[str]:
    """Status of the coal and clinker of both months."""
    with open_store(store) as opened:
        look_at_items(opened)
        ranks = opened.execute("SELECT rank FROM items ORDER BY month, item").fetchall()
    return [[*STATUSES][rank] for (rank,) in ranks]


@pytest.mark.nightly
def test_levels_pass_in_order_and_a_level_cannot_skip_one(store: Path) -> None:
    assert statuses(store) == ["reported"] * 4
    with pytest.raises(DataError, match=r"(?s)4 items are not passed by the provincial level.*C1 2025-01 clinker b"):
        decide(store, "pass", "national")
    assert decide(store, "pass", "municipal", month="2025-01").changes["pass"] == 2
    with pytest.raises(DataError, match=r"2 items are not passed by the municipal level: .*2025-02"):
        decide(store, "pass", "provincial")
    decide(store, "pass", "municipal")
    decide(store, "pass", "provincial", **COAL)
    decide(store, "pass", "national", **COAL)
    assert statuses(store) == ["national", "municipal", "municipal", "municipal"]
    # A second pass changes nothing, and the journal does not mention it.
    before = len(accounting.store_log(store))
    assert decide(store, "pass", "provincial", **COAL).entry == 0
    assert len(accounting.store_log(store)) == before


def test_a_decision_is_of_the_day_of_its_entry(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)
    monkeypatch.setattr("etsopt.accounting.store.journal.time_in_utc", lambda: at)
    decide(store, "pass")
    with open_store(store) as opened:
        assert opened.execute("SELECT DISTINCT decided_on FROM passes").fetchall() == [("2026-12-31",)]


def test_a_finding_stops_a_pass_until_it_is_closed_by_its_level_or_one_above(store: Path) -> None:
    decide(store, "pass")
    decide(store, "find", "provincial", month="2025-01", reason="no ledger")
    with pytest.raises(DataError, match=r"(?s)2 items have open findings.*C1 2025-01 clinker bituminous in"):
        decide(store, "pass", "provincial")
    with pytest.raises(DataError, match="finding 1 of the provincial level"):
        decide(store, "close", "municipal", unit_id=None, finding=1, reason="seen")
    decide(store, "close", "national", unit_id=None, finding=1, reason="ledger seen")
    assert decide(store, "pass", "provincial").changes["pass"] == 4
    found = accounting.review(store).findings
    assert found[["open", "closed_by_level", "closed_because"]].to_numpy().tolist() == [
        [False, "national", "ledger seen"]
    ]


@pytest.mark.nightly
def test_a_correction_is_a_new_version_that_passes_the_levels_again(store: Path) -> None:
    decide(store, "pass")
    decide(store, "pass", "provincial")
    decide(store, "correct", "enterprise", **COAL, quantity=140.0, reason="typing error")
    assert statuses(store) == ["reported", "provincial", "provincial", "provincial"]
    item = accounting.review(store).items.iloc[0]
    assert (item["quantity"], item["version"]) == (140.0, 2)
    with pytest.raises(DataError, match="not passed by the municipal level"):
        decide(store, "pass", "provincial")
    assert decide(store, "pass").changes["pass"] == 1
    corrections = accounting.review(store).corrections
    assert corrections[["level", "who", "version", "reason"]].to_numpy().tolist() == [
        ["enterprise", "office", 2, "typing error"]
    ]
    # A pass of a version that is no longer present is refused, and one of it from before stays what it was.
    with pytest.raises(DataError, match="version 1 was reviewed, 2 is present"):
        decide(store, "pass", "national", **COAL, version=1)
    assert decide(store, "pass", "provincial", **COAL, version=1).entry == 0


def test_a_correction_states_the_figures_before_and_after_it_and_doubts_a_slip_of_unit(store: Path) -> None:
    done = decide(store, "correct", **COAL, quantity=1.3, reason="10,000 t")
    figures = ["unit_id", "month", "item", "quantity_before", "quantity", "unit"]
    assert done.corrections[figures].to_numpy().tolist() == [["C1", "2025-01", "bituminous", 130.0, 1.3, "t"]]
    _, warning = corrections(done.corrections)
    assert isinstance(warning, Paragraph)
    assert warning.words == "1 figure is more than five times, or less than a fifth, of what it was: check its unit."
    decide(store, "restore", **COAL, version=1, reason="slip")
    own = accounting.review(store).corrections
    assert own[["quantity_before", "quantity"]].to_numpy().tolist() == [[130.0, 1.3], [1.3, 130.0]]
    # An ordinary correction is shown and not doubted, and a pass shows none.
    assert len([*corrections(decide(store, "correct", **COAL, quantity=140.0, reason="ledger").corrections)]) == 1
    assert decide(store, "pass").corrections.empty


def test_every_version_stays_and_a_restored_one_is_a_new_one(store: Path) -> None:
    decide(store, "correct", "municipal", **COAL, quantity=140.0, reason="ledger")
    decide(store, "restore", "provincial", **COAL, version=1, reason="ledger of another line")
    told = accounting.history(store, "C1", "2025-01", item="bituminous")
    assert told[["event", "version", "quantity", "reason"]].to_numpy().tolist() == [
        ["report", 1, 130.0, ""],
        ["correct", 2, 140.0, "ledger"],
        ["restore", 3, 130.0, "ledger of another line"],
    ]
    assert told["source"].tolist()[0] == "reports/2025.csv, 3"
    assert accounting.read_reports(store, as_of=2).rows["quantity"].tolist()[-1] == 140.0
    with pytest.raises(DataError, match=r"no such version.*C1 2025-01 clinker bituminous in: version 7"):
        decide(store, "restore", **COAL, version=7, reason="x")
    assert decide(store, "restore", **COAL, version=3, reason="as it is").entry == 0


def test_a_resubmission_takes_an_item_back_and_an_old_file_does_not_undo_a_correction(
    store: Path, tmp_path: Path
) -> None:
    decide(store, "pass")
    accounting.import_reports(store, plants(tmp_path / "again", line("2025-01", 150.0, reported_on="2025-03-12")))
    assert statuses(store) == ["reported", "municipal", "municipal", "municipal"]
    decide(store, "correct", **COAL, quantity=155.0, reason="ledger")
    (added,) = accounting.import_reports(store, tmp_path / "again")
    assert (added.rows_corrected, accounting.review(store).items["quantity"][0]) == (0, 155.0)


def test_a_correction_is_checked_as_a_report_is(store: Path) -> None:
    measured: dict[str, Any] = {"item": "bituminous", "ncv_gj_per_unit": 23.5, "reason": "test report"}
    with pytest.raises(DataError, match="calorific value has no use"):
        decide(store, "correct", **{**measured, "month": "2025-02", "item": "portland_clinker"})
    # Within a year a measured fuel may not return to the default, here in February.
    with pytest.raises(DataError, match="only the default in a later month"):
        decide(store, "correct", month="2025-01", **measured)
    decide(store, "correct", month="2025-02", **measured)
    assert accounting.review(store).items["ncv_gj_per_unit"].dropna().tolist() == [23.5]


def decisions(*rows: dict[str, Any]) -> pd.DataFrame:
    return (
        pd.DataFrame([{"level": "municipal", "who": "office", "unit_id": "C1", **row} for row in rows])
        .astype(object)
        .fillna("")
    )


@pytest.mark.nightly
def test_a_table_of_decisions_is_applied_in_its_order_and_once(store: Path, tmp_path: Path) -> None:
    table = decisions(
        {"decision": "find", **COAL, "reason": "no ledger", "size_t": 50.0},
        {"decision": "correct", "level": "enterprise", **COAL, "quantity": 140.0, "reason": "ledger"},
        {"decision": "close", "unit_id": "", "finding": 1, "reason": "corrected"},
        {"decision": "pass"},
        {"decision": "pass", "level": "provincial", "month": "2025-01"},
    )
    table.to_csv(tmp_path / "march.csv", index=False)
    done = accounting.decide(store, tmp_path / "march.csv")
    assert done.changes == {"pass": 6, "find": 1, "close": 1, "correct": 1, "restore": 0}
    again = accounting.decide(store, tmp_path / "march.csv")
    assert (again.entry, again.repeated, sum(again.changes.values())) == (0, 5, 0)
    # A later correction is not undone by the table, even after it has grown by a row.
    decide(store, "correct", **COAL, quantity=141.0, reason="better ledger")
    grown = pd.concat([table, decisions({"decision": "find", "month": "2025-02", "reason": "late"})])
    grown.to_csv(tmp_path / "march.csv", index=False)
    done = accounting.decide(store, tmp_path / "march.csv")
    assert (done.repeated, done.changes["find"], sum(done.changes.values())) == (5, 1, 1)
    assert accounting.review(store).items["quantity"][0] == 141.0


def test_a_table_may_be_chinese(store: Path, tmp_path: Path) -> None:
    text = "决定,层级,决定人,单元编号,月份,燃料、物料或产品,理由\n"
    text += "发现问题,市级,甲,C1,2025-01,烟煤,无台账\n通过,市级,甲,C1,2025-02,,\n"
    (tmp_path / "三月.csv").write_text(text, encoding="gb18030")
    done = accounting.decide(store, tmp_path / "三月.csv", headings_of_decisions())
    assert (done.changes["find"], done.changes["pass"]) == (1, 2)


def test_the_table_of_items_with_decisions_beside_it_can_be_applied(store: Path, tmp_path: Path) -> None:
    with speaking("zh"):
        save_review(accounting.review(store).tables, tmp_path / "state")
    items = pd.read_csv(tmp_path / "state" / "items.csv", dtype=str, keep_default_na=False)
    items.assign(决定="通过", 层级="市级", 决定人="甲").to_csv(tmp_path / "items.csv", index=False)
    # The figure that was reviewed is replaced before the table is applied.
    decide(store, "correct", **COAL, quantity=140.0, reason="ledger")
    with pytest.raises(DataError, match="C1 2025-01 clinker bituminous in: version 1 was reviewed, 2 is present"):
        accounting.decide(store, tmp_path / "items.csv", headings_of_decisions())
    items.iloc[1:].assign(决定="通过", 层级="市级", 决定人="甲").to_csv(tmp_path / "items.csv", index=False)
    assert accounting.decide(store, tmp_path / "items.csv", headings_of_decisions()).changes["pass"] == 3


def test_all_problems_of_a_table_are_told_at_once_and_nothing_is_applied(store: Path, tmp_path: Path) -> None:
    table = decisions(
        {"decision": "pass"},
        {"decision": "pass", "level": "national", "month": "2025-01"},
        {"decision": "pass", "unit_id": "C9"},
        {"decision": "correct", "month": "2025-02", "item": "coke", "quantity": 1.0, "reason": "x"},
        {"decision": "close", "unit_id": "", "finding": 4, "reason": "x"},
    )
    table.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError) as error:
        accounting.decide(store, tmp_path / "table.csv")
    told = str(error.value)
    for words in (
        "table.csv: 2 items are not passed by the provincial level: row 3 'C1 2025-01",
        "1 decision is on no item of the store: row 4 'C9'",
        "row 5 'C1 2025-02 coke'",
        "1 finding does not exist: row 6 'finding 4'",
    ):
        assert words in told
    assert statuses(store) == ["reported"] * 4
    wrong = decisions(
        {"decision": "approve"}, {"decision": "find", "month": "2025-1"}, {"decision": "pass", "level": "enterprise"}
    )
    with pytest.raises(DataError, match="approve"):
        accounting.decide(store, wrong)
    with pytest.raises(DataError, match=r"(?s)lacks a cell.*not the enterprise's.*not a month"):
        accounting.decide(store, wrong[1:])


def test_one_decision_is_on_one_item(store: Path, tmp_path: Path) -> None:
    batches: list[Row] = [
        ("C1", "2025-03", "clinker", "bituminous", "test", 60.0, {"batch": name, "ncv_gj_per_unit": 23.0})
        for name in ("B1", "B2")
    ]
    accounting.import_reports(store, plants(tmp_path / "more", [*line("2025-03"), *batches]))
    coal: dict[str, Any] = {"month": "2025-03", "item": "bituminous", "quantity": 61.0, "reason": "scale"}
    with pytest.raises(DataError, match=r"(?s)on several items: 'C1 2025-03 clinker bituminous.*flow and batch"):
        decide(store, "correct", **coal)
    assert decide(store, "correct", **coal, flow="test", batch="B2").changes["correct"] == 1


def test_months_are_late_after_40_days_and_enterprises_with_gaps_are_at_risk(store: Path) -> None:
    assert deadline("2025-01") == date(2025, 3, 12)
    assert deadline("2024-02") == date(2024, 4, 9)
    state = accounting.review(store, on=date(2025, 5, 20))
    assert state.months[["month", "days_after", "filing"]].to_numpy().tolist() == [
        ["2025-01", 40.0, "on_time"],
        ["2025-02", 41.0, "late"],
    ]
    risk = state.at_risk.set_index("enterprise_id")
    # March was due on 10 May; April is due on 9 June.
    assert risk.loc["EC", ["late_months", "missing_months"]].tolist() == [1, 1]
    assert risk.loc["EA", ["late_months", "missing_months"]].tolist() == [0, 3]


def found(item: str, size: float, month: str = "2025-01") -> dict[str, Any]:
    return {"unit_id": "C1", "month": month, "process": "", "item": item, "flow": "", "batch": "", "size_t": size}


@pytest.mark.parametrize(
    ("findings", "emitted", "size"),
    [
        # Of those on one quantity the largest counts; those on two add up.
        ([found("coal", 30.0), found("coal", 50.0)], 500.0, 50.0),
        ([found("coal", 30.0), found("clinker", 50.0)], 500.0, 80.0),
        # One of the whole month has the others in it.
        ([found("coal", 30.0), found("clinker", 50.0), found("", 70.0)], 500.0, 80.0),
        ([found("coal", 30.0), found("clinker", 50.0), found("", 90.0)], 500.0, 90.0),
        # No more is concerned than is emitted; what nobody can account has no such limit.
        ([found("coal", 30.0), found("clinker", 50.0)], 60.0, 60.0),
        ([found("coal", 30.0), found("clinker", 50.0)], None, 80.0),
    ],
)
def test_findings_concern_together_what_any_of_them_concerns(
    findings: list[dict[str, Any]], emitted: float | None, size: float
) -> None:
    of_month = pd.Series({} if emitted is None else {("C1", "2025-01"): emitted}, dtype=float)
    assert concerned(pd.DataFrame(findings), of_month)["size_t"].tolist() == [size]


@pytest.mark.nightly
def test_what_is_at_risk_follows_a_correction_and_three_levels_see_one_month_once(store: Path) -> None:
    def at_risk() -> float:
        risk = accounting.review(store, on=date(2025, 5, 20)).at_risk.set_index("enterprise_id")
        assert risk.loc["EC", "open_findings"] == 3
        return float(risk.loc["EC", "open_size_t"])

    def emitted() -> float:
        content = read_store(store)
        months = accounting.account(content.reports, content.parameters).unit_months.set_index(["unit_id", "month"])
        return float(months.loc[("C1", "2025-01"), "emissions_tco2e"])

    before = emitted()
    for level in ("municipal", "provincial", "national"):
        decide(store, "find", level, month="2025-01", reason=f"seen by {level}", size_t=1e6)
    assert at_risk() == pytest.approx(before)
    decide(store, "correct", **COAL, quantity=65.0, reason="scale")
    assert emitted() < before
    assert at_risk() == pytest.approx(emitted())


def test_a_reason_is_kept_to_the_letter_and_one_of_spaces_is_none(store: Path) -> None:
    written = "不闭合，差9000吨（第3号磅单）；见附件：Ｂ"
    decide(store, "find", **COAL, reason=written)
    assert accounting.review(store).findings["reason"].tolist() == [written]
    with pytest.raises(DataError, match="State the reason"):
        decide(store, "find", **COAL, reason=" \u3000 ")


def test_decisions_may_be_in_the_words_of_an_office(store: Path, tmp_path: Path) -> None:
    decide(store, "find", **COAL, reason="no ledger")
    path = tmp_path / "decisions.csv"
    rows = "关闭,市,办公室,,,1,已补台账\n发现问题,国家,核查处,C1,2025-02,,缺少化验单\n"
    path.write_text(f"decision,level,who,unit_id,month,finding,reason\n{rows}", encoding="utf-8")
    done = accounting.decide(store, read_decisions(path))
    assert (done.changes["close"], done.changes["find"]) == (1, 1)


@pytest.mark.nightly
def test_first_pass_rates_count_items_without_a_finding_or_correction(store: Path) -> None:
    decide(store, "find", **COAL, reason="no ledger", size_t=30.0)
    decide(store, "pass", month="2025-02")
    decide(store, "pass", month="2025-01", item="portland_clinker")
    state = accounting.review(store)
    assert state.rates.to_numpy().tolist() == [["Anhui", "municipal", 4, 3, 0.75, 1, 30.0]]
    decide(store, "close", unit_id=None, finding=1, reason="ledger seen")
    decide(store, "pass")
    decide(store, "find", "provincial", month="2025-02", reason="late")
    state = accounting.review(store)
    assert state.rates.to_numpy().tolist() == [
        ["Anhui", "municipal", 4, 3, 0.75, 0, 0.0],
        # The finding has no size, and concerns the month: 828.24 t of coal and clinker.
        ["Anhui", "provincial", 2, 0, 0.0, 1, 828.24],
    ]
    assert state.statuses[["items_reported", "items_municipal", "items_with_open_findings"]].to_numpy().tolist() == [
        [0, 4, 2]
    ]


@pytest.mark.nightly
def test_the_findings_of_screening_are_taken_over_once_and_stay_closed(tmp_path: Path) -> None:
    store = tmp_path / "plants.duckdb"
    # The second of twelve months was filed late, and the third is missing.
    rows = [row for month in MONTHS if month != "2025-03" for row in line(month, reported_on="2025-04-30")]
    accounting.import_reports(store, plants(tmp_path / "plants", rows))
    found = accounting.screen(accounting.read_reports(store)).findings
    done = accounting.import_findings(store, "municipal", "office")
    taken = accounting.review(store, year=2025).findings
    assert done.changes["find"] == len(taken) == len(found) > 1
    assert taken["size_t"].sum() == pytest.approx(found["size_t"].sum())
    close = decisions({"decision": "close", "unit_id": "", "finding": 1, "reason": "explained"})
    accounting.decide(store, close)
    assert accounting.import_findings(store, "municipal", "office").entry == 0
    assert int(accounting.review(store).findings["open"].sum()) == len(found) - 1


def test_a_finding_that_corrected_data_no_longer_have_is_marked_and_asks_for_nothing(tmp_path: Path) -> None:
    store = tmp_path / "plants.duckdb"
    coal = {month: 130.0 + number for number, month in enumerate(MONTHS)} | {"2025-04": 700.0, "2025-06": 900.0}
    rows = [row for month in MONTHS for row in line(month, coal[month])]
    accounting.import_reports(store, plants(tmp_path / "plants", rows))
    accounting.import_findings(store, "municipal", "office")
    asked = accounting.review_with_causes(store)[0]
    assert not asked.findings["corrected"].any()
    decide(store, "correct", month="2025-04", item="bituminous", quantity=133.0, reason="slip")
    state, _causes = accounting.review_with_causes(store)
    findings = state.findings
    assert set(findings.loc[findings["corrected"], "month"]) == {"2025-04"}
    assert not findings.loc[findings["month"] == "2025-04", "corrected"].eq(False).any()
    # The others have the words of today, and nothing is deleted.
    stated = accounting.screen(accounting.read_reports(store)).findings
    june = (table.loc[table["month"] == "2025-06", "reason"] for table in (findings, stated))
    assert set(next(june)) == set(next(june))
    assert findings["finding"].tolist() == asked.findings["finding"].tolist()
    assert findings["open"].all()
    pages = write_notices(state, tmp_path / "notices")
    assert not re.search("2025-04", pages[0].read_text(encoding="utf-8"))
    assert state.at_risk["open_size_t"].sum() < asked.at_risk["open_size_t"].sum()


def test_a_pass_may_leave_what_has_an_open_finding(store: Path) -> None:
    decide(store, "find", month="2025-01", item="bituminous", reason="no test report")
    with pytest.raises(DataError, match="item has an open finding"):
        decide(store, "pass")
    given = {"decision": "pass", "level": "municipal", "who": "office", "unit_id": "C1"}
    done = accounting.decide(store, given, without_findings=True)
    assert done.changes["pass"] == 3
    assert done.left[["month", "item", "open_findings"]].to_numpy().tolist() == [["2025-01", "bituminous", 1]]
    assert statuses(store) == ["reported", "municipal", "municipal", "municipal"]


def test_a_finding_without_a_size_concerns_the_emissions_of_what_it_names(store: Path) -> None:
    decide(store, "find", month="2025-01", item="bituminous", reason="no test report")
    decide(store, "find", month="2025-02", reason="meter")
    accounts = accounting.account(accounting.read_reports(store))
    lines = accounts.lines[(accounts.lines["month"] == "2025-01") & (accounts.lines["item"] == "bituminous")]
    months = accounts.unit_months.set_index("month")["emissions_tco2e"]
    sizes = accounting.review(store).findings["size_t"].tolist()
    assert sizes == pytest.approx([lines["emissions_tco2e"].sum(), months["2025-02"]], abs=0.01)


@pytest.mark.nightly
def test_a_finding_keeps_its_number_until_what_it_concerns_changes(tmp_path: Path) -> None:
    store = tmp_path / "plants.duckdb"
    # Figures that vary, so that the usual one of a series moves with a correction of any month.
    coal = {month: 130.0 + 3.0 * number for number, month in enumerate(MONTHS)} | {"2025-04": 700.0, "2025-06": 900.0}
    rows = [row for month in MONTHS if month != "2025-03" for row in line(month, coal[month])]
    accounting.import_reports(store, plants(tmp_path / "plants", rows))
    accounting.import_findings(store, "municipal", "office")
    _, causes = accounting.review_with_causes(store)
    assert {"2025-03", "2025-04", "2025-06"} <= set(causes["month"])
    first = accounting.review(store).findings.set_index("finding")
    months = first["month"].value_counts()
    assert min(months["2025-03"], months["2025-04"], months["2025-06"]) >= 1
    accounting.decide(
        store, decisions(*[{"decision": "close", "unit_id": "", "finding": n, "reason": "seen"} for n in first.index])
    )
    decide(store, "correct", month="2025-04", item="bituminous", quantity=40.0, reason="slip")
    stated = accounting.screen(accounting.read_reports(store)).findings
    moved = set(stated.loc[stated["month"] == "2025-06", "reason"]) - set(first["reason"])
    assert moved, "the correction moved what is usual in other months"
    accounting.import_findings(store, "municipal", "office")
    second = accounting.review(store).findings.set_index("finding")
    pd.testing.assert_frame_equal(second.loc[first.index, ["month", "reason"]], first[["month", "reason"]])
    new = second.drop(first.index)
    assert len(new) > 0
    assert set(new["month"]) == {"2025-04"}
    assert second.loc[first.index, "open"].sum() == 0
    assert new["open"].all()
    # A figure that comes back brings its findings back, with their numbers and what was decided on them.
    decide(store, "restore", month="2025-04", item="bituminous", version=1, reason="was right")
    accounting.import_findings(store, "municipal", "office")
    assert list(accounting.review(store).findings["finding"]) == list(second.index)


@pytest.mark.nightly
def test_emissions_are_verified_once_the_national_level_has_passed_the_whole_year(tmp_path: Path) -> None:
    store = tmp_path / "plants.duckdb"
    rows = [row for month in MONTHS[:11] for row in line(month)]
    accounting.import_reports(store, plants(tmp_path / "plants", rows))

    def state(**options: Any) -> tuple[str, bool]:
        unit = accounting.annual_emissions(store, 2025, **options).units.iloc[0]
        assert unit["accounted_emissions_tco2e"] > 0
        if not pd.isna(unit["verified_emissions_tco2e"]):
            assert unit["verified_emissions_tco2e"] == unit["accounted_emissions_tco2e"]
        return unit["status"], not pd.isna(unit["verified_emissions_tco2e"])

    levels = ("municipal", "provincial", "national")
    accounting.decide(store, decisions(*({"decision": "pass", "level": level} for level in levels)))
    assert state() == ("incomplete", False)
    decide(store, "find", "national", month="2025-12", reason="no report of December")
    assert state() == ("open findings", False)
    decide(store, "close", "national", unit_id=None, finding=1, reason="the kiln stood still")
    assert state() == ("verified", True)
    decide(store, "correct", **COAL, quantity=131.0, reason="ledger")
    assert state() == ("reported", False)
    assert state(as_of=4) == ("verified", True)
    accounting.decide(store, decisions(*({"decision": "pass", "level": level, **COAL} for level in levels[:2])))
    assert state() == ("provincial", False)
    with pytest.raises(UsageError, match="No unit has reports of 2030"):
        accounting.annual_emissions(store, 2030)


def test_a_sheet_shows_figures_with_their_trail_in_both_languages(store: Path, tmp_path: Path) -> None:
    decide(store, "find", **COAL, reason="<script>", reason_zh="无台账")
    found = accounting.annual_emissions(store, 2025)
    assert write_monthly_sheets(found, tmp_path / "sheets") == ["sheets/EC.html"]
    text = (tmp_path / "sheets" / "EC.html").read_text(encoding="utf-8").replace('<span lang="zh">', "")
    total = found.units["accounted_emissions_tco2e"].iat[0]
    for words in (
        f"{total:,.2f}",
        "reports/2025.csv, 3, v1",
        "bituminous 烟煤",
        "有未关闭问题",
        "无台账",
        "&lt;script&gt;",
    ):
        assert words in text
    assert "<script>" not in text
    with pytest.raises(UsageError, match="No unit of enterprise 'EX'"):
        write_monthly_sheets(found, tmp_path / "sheets", ["EX"])


def test_a_store_with_a_month_that_is_none_is_refused(store: Path) -> None:
    with open_store(store, write=True) as opened:
        opened.execute("UPDATE rows SET month = 'May'")
    with pytest.raises(UsageError, match="is damaged: a month is not as written"):
        accounting.review(store)


LEVELS = [*STATUSES][1:]


class Oracle:
    """The review in plain Python: versions, the rank of the present one, and open findings by item."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], list[Any]] = {
            (month, item): [[quantity], 0]
            for month in ("2025-01", "2025-02")
            for item, quantity in (("bituminous", 130.0), ("portland_clinker", 1000.0))
        }
        self.open: dict[int, tuple[str, str, int]] = {}
        self.findings = 0
        self.ranks: dict[int, int] = {}

    def matched(self, month: str, item: str) -> list[tuple[str, str]]:
        return [key for key in self.items if month in ("", key[0]) and item in ("", key[1])]

    def is_open(self, key: tuple[str, str]) -> bool:
        return any(month == key[0] and item in ("", key[1]) for month, item, _ in self.open.values())

    def takes(self, row: dict[str, Any]) -> bool:
        """Apply a decision if it is allowed."""
        rank = LEVELS.index(row["level"]) + 1
        keys = self.matched(row["month"], row["item"])
        if row["decision"] == "pass":
            if any(self.items[key][1] < rank - 1 or (self.items[key][1] < rank and self.is_open(key)) for key in keys):
                return False
            for key in keys:
                self.items[key][1] = max(self.items[key][1], rank)
        elif row["decision"] == "find":
            self.findings += 1
            self.open[self.findings] = (row["month"], row["item"], rank)
        elif row["decision"] == "close":
            if row["finding"] not in range(1, self.findings + 1):
                return False
            if rank < self.ranks[row["finding"]]:
                return False
            self.open.pop(row["finding"], None)
        else:
            versions = self.items[keys[0]][0]
            if row["decision"] == "restore" and row["version"] > len(versions):
                return False
            new = versions[row["version"] - 1] if row["decision"] == "restore" else row["quantity"]
            if new != versions[-1]:
                versions.append(new)
                self.items[keys[0]][1] = 0
        self.ranks |= {number: own[2] for number, own in self.open.items()}
        return True


def drawn(random: np.random.Generator, number: int) -> dict[str, Any]:
    """Draw a decision."""
    kind = str(random.choice(["pass", "pass", "pass", "close", "close", "find", "correct", "restore"]))
    month, item = str(random.choice(["2025-01", "2025-02"])), str(random.choice(["bituminous", "portland_clinker"]))
    row: dict[str, Any] = {
        "decision": kind,
        "level": str(random.choice(LEVELS, p=(0.5, 0.3, 0.2))),
        "who": f"office {number}",
    }
    if kind in ("pass", "find") and random.random() < 0.5:
        item = ""
    if kind == "pass" and random.random() < 0.3:
        month = ""
    row |= {"unit_id": "C1", "month": month, "item": item, "reason": "" if kind == "pass" else f"reason {number}"}
    more: dict[str, dict[str, Any]] = {
        "close": {"finding": int(random.integers(1, 5)), "unit_id": "", "month": "", "item": ""},
        "correct": {"quantity": float(random.integers(100, 104))},
        "restore": {"version": int(random.integers(1, 4))},
    }
    return {**row, **more.get(kind, {})}


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [0])
def test_any_decisions_have_the_effect_that_plain_python_gives_them(store: Path, seed: int) -> None:
    random, oracle = np.random.default_rng(seed), Oracle()
    allowed, refused = [], []
    for number in range(25):
        row = drawn(random, number)
        before = copy.deepcopy(vars(oracle))
        if oracle.takes(row):
            allowed.append(row)
        else:
            vars(oracle).update(before)
            refused.append((list(allowed), row))
    accounting.decide(store, decisions(*allowed))
    items = accounting.review(store).items
    cells = items[["month", "item", "quantity", "version", "status", "open_findings"]].to_numpy().tolist()
    found = {(month, item): (*own, count > 0) for month, item, *own, count in cells}
    assert found == {
        key: (versions[-1], len(versions), [*STATUSES][rank], oracle.is_open(key))
        for key, (versions, rank) in oracle.items.items()
    }
    assert accounting.review(store).findings["open"].sum() == len(oracle.open)
    assert {row["decision"] for row in allowed} >= {"pass", "find", "correct"}
    # What plain Python refused after all of these is refused here as well.
    for earlier, row in refused:
        if len(earlier) == len(allowed):
            with pytest.raises(DataError):
                accounting.decide(store, decisions(row))


def test_items_are_named_in_the_language_of_the_moment() -> None:
    name = BETWEEN.join(("R01", "2025-01", "electrolysis", "aluminium", "product"))
    assert named(name) == "R01 2025-01 electrolysis aluminium product"
    with speaking("zh"):
        assert named(name) == "R01 2025-01 铝电解工序 铝液 产品"
        assert named("7") == "7"
