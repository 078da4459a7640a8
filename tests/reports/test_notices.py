"""Notices of corrections: what each enterprise has to correct, in one language, and the head of the ledger."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from etsopt import accounting
from etsopt.accounting.store import import_reports
from etsopt.accounting.store.ledger import ledger_of
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.presenting.documents.document import Table
from etsopt.reports import write_notices
from etsopt.reports.monthly.review import findings, status

duckdb = pytest.importorskip("duckdb")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three units of three enterprises, the first two with a name, and four findings, one of them closed."""
    place = tmp_path_factory.mktemp("made")
    folder = accounting.write_example(place / "plants", units=3, months=3, seed=1)
    register = pd.read_csv(folder / "register.csv")
    register["name"] = ["一号高炉", "2 < 3 & co", ""]
    register.to_csv(folder / "register.csv", index=False)
    path = place / "plants.duckdb"
    import_reports(path, [folder])
    coal = {"item": "bituminous", "reason": "no test report", "reason_zh": "无检测报告", "size_t": 20}
    for found in (
        {"unit_id": "U2", "month": "2025-03", **coal},
        {"unit_id": "U2", "month": "2025-01", "reason": "filed <late>", "size_t": 30},
        {"unit_id": "U3", "month": "2025-02", "reason": "meter", "size_t": 5},
        {"unit_id": "U1", "month": "2025-02", "reason": "settled", "size_t": 5},
    ):
        accounting.decide(path, {"decision": "find", "level": "municipal", "who": "Li", **found})
    accounting.decide(path, {"decision": "close", "level": "municipal", "who": "Li", "finding": 4, "reason": "seen"})
    return path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    shutil.copy(ledger_of(made), tmp_path)
    return Path(shutil.copy(made, tmp_path))


def cells_of(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [
        [unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row)] for row in rows
    ]


def text_of(page: str) -> str:
    """The text of a page, with plain spaces between amounts and their units."""
    return unescape(re.sub("<.*?>", "", page)).replace("\xa0", " ")


def test_each_enterprise_with_open_findings_has_a_notice_by_unit_month_and_item(store: Path, tmp_path: Path) -> None:
    state = accounting.review(store)
    files = write_notices(state, tmp_path / "notices", "zh", deadline=date(2026, 3, 31))
    assert [file.name for file in files] == ["notice-E2.html", "notice-E3.html"]
    # Tests of the coal are rows of their own, which no account counts as a quantity.
    page = files[0].read_text(encoding="utf-8")
    head, *rows = cells_of(page)
    assert head == [
        "问题编号",
        "月份",
        "工序",
        "燃料、物料或产品",
        "填报数量",
        "单位",
        "涉及排放量[吨]",
        "需补正或证明的内容",
        "级别",
    ]
    assert rows == [
        ["2", "2025-01", "–", "–", "", "–", "30", "filed <late>", "市级"],
        ["1", "2025-03", "熟料生产", "烟煤", "6,108.77", "吨", "20", "无检测报告", "市级"],
    ]
    text = text_of(page)
    assert "补正通知：E2\n" in text
    assert "现有 2 项未关闭的问题，共涉及排放量50 吨。请于 2026-03-31 前补正。" in text
    assert "单元 U2（2 < 3 & co）" in text
    assert state.line is not None
    assert str(state.line.head[:4]) in text
    assert "<late>" not in page
    assert not re.search(r'<html lang="en"|Correct each row', page)


def test_a_notice_tells_what_probably_happened_in_the_months_of_its_findings(store: Path, tmp_path: Path) -> None:
    rows = [("U2", "2025-03", "look here"), ("U2", "2025-02", "a month without"), ("U3", "2025-02", "another unit")]
    causes = pd.DataFrame(rows, columns=["unit_id", "month", "reason"])
    causes = causes.assign(process="clinker", item="bituminous", cause="factor_10", reason_zh="")
    state = accounting.review(store)
    # Three rules find the coal, one of them by the month, and one asks for a record.
    of_rules = pd.DataFrame(
        [("heat_rate", "bituminous", 40.0), ("emissions_ratio", "", 50.0), ("late_month", "", 60.0)],
        columns=["rule", "item", "size_t"],
    )
    (coal,) = state.findings[state.findings["finding"] == 1].to_dict("records")
    more = of_rules.assign(**{name: cell for name, cell in coal.items() if name not in of_rules})
    more = more.assign(finding=[7, 6, 8], reason="usually 3")
    state = replace(state, findings=pd.concat([state.findings, more], ignore_index=True))
    (file,) = write_notices(state, tmp_path, "en", ["E2"], causes=causes)
    page = file.read_text(encoding="utf-8")
    _head, *shown = cells_of(page)
    assert [[row[0], *row[-3:-1]] for row in shown] == [
        ["2", "30", "filed <late>"],
        ["6, 7", "50", "factor_10: look here"],
        ["8", "60", "usually 3"],
        ["1", "20", "no test report"],
    ]
    text = text_of(page)
    assert "A row that names a mistake says what probably happened, and where to look" in text
    assert not re.search("a month without|another unit", text)
    # One without a cause says nothing of any.
    (file,) = write_notices(accounting.review(store), tmp_path, "en", ["E2"])
    assert "probably" not in text_of(file.read_text(encoding="utf-8"))


def test_a_notice_without_deadline_or_name_says_neither(store: Path, tmp_path: Path) -> None:
    (file,) = write_notices(accounting.review(store), tmp_path, "en", ["E3"])
    text = text_of(file.read_text(encoding="utf-8"))
    assert "Notice of corrections: E3\n" in text
    assert "1 finding is open, which concerns 5 t of emissions.\n" in text
    assert "补正" not in text


@pytest.mark.nightly
def test_a_review_is_of_a_city(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = accounting.write_example(tmp_path / "plants", units=3, months=3, seed=1)
    register = pd.read_csv(folder / "register.csv")
    register["city"] = ["唐山市", "邯郸市", "邯郸市"]
    register.to_csv(folder / "register.csv", index=False)
    path = tmp_path / "plants.duckdb"
    import_reports(path, [folder])
    for unit in ("U1", "U2", "U3"):
        found = {"unit_id": unit, "month": "2025-02", "item": "", "reason": "meter", "size_t": 5}
        accounting.decide(path, {"decision": "find", "level": "municipal", "who": "Li", **found})
    whole, own = accounting.review(path), accounting.review(path, city="邯郸市")
    assert set(own.items["unit_id"]) == set(own.months["unit_id"]) == set(own.findings["unit_id"]) == {"U2", "U3"}
    assert own.at_risk["enterprise_id"].tolist() == ["E2", "E3"]
    assert own.statuses["city"].tolist() == ["邯郸市"] * len(own.statuses)
    assert own.statuses["items"].sum() == len(own.items) == (whole.items["city"] == "邯郸市").sum() < len(whole.items)
    assert own.rates["open_findings"].sum() == 2
    capsys.readouterr()
    assert main(["review", "findings", str(path), "--city", "唐山市", "--json"]) == 0
    assert [row["unit_id"] for row in json.loads(capsys.readouterr().out)] == ["U1"]
    assert main(["review", "notice", str(path), "--city", "唐山市", "--out", str(tmp_path / "notices")]) == 0
    assert [file.name for file in (tmp_path / "notices").iterdir()] == ["notice-E1.html"]
    capsys.readouterr()
    assert main(["review", "status", str(path), "--city", "唐山"]) == 2
    assert "The register has no unit in '唐山'.\n\nDid you mean '唐山市'?" in capsys.readouterr().err


def test_what_has_no_notice_is_told(store: Path, tmp_path: Path) -> None:
    state = accounting.review(store)
    # Its finding is closed.
    with pytest.raises(UsageError, match=r"Enterprise 'E1' has no open finding\.\n\nList them: etsopt review findings"):
        write_notices(state, tmp_path / "notices", enterprises=["E1"])
    with duckdb.connect(str(store)) as opened:
        opened.execute("UPDATE findings SET size_t = 1 WHERE finding = 1")
    with pytest.raises(UsageError, match="Store and ledger differ: a notice states nothing that was altered"):
        write_notices(accounting.review(store), tmp_path / "notices")
    assert not (tmp_path / "notices").exists()


def test_the_command_writes_notices_and_replaces_earlier_ones(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "notices"
    asked = ["review", "notice", str(store), "--out", str(out), "--deadline", "2026-03-31"]
    assert main(asked) == 0
    assert capsys.readouterr().out == f"Written to {out}: notice-E2.html, notice-E3.html.\n"
    assert main([*asked, "--enterprise", "E3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(out), "files": ["notice-E3.html"]}
    assert [path.name for path in out.iterdir()] == ["notice-E3.html"]
    assert "Answer by 2026-03-31, China time (UTC+8)." in (out / "notice-E3.html").read_text(encoding="utf-8")
    assert main([*asked[:-1], "soon"]) == 2
    assert "'soon' is not a day." in capsys.readouterr().err
    assert main([*asked, "--year", "2024"]) == 0
    assert capsys.readouterr().out == "No finding is open.\n"
    assert not list(out.iterdir())


def test_names_of_units_stand_beside_their_codes_where_a_register_has_any(store: Path) -> None:
    state = accounting.review(store, on=date(2025, 1, 1))
    assert state.findings["name"].tolist() == ["2 < 3 & co", "2 < 3 & co", "", "一号高炉"]
    assert state.at_risk.set_index("enterprise_id")["name"].to_dict() == {"E2": "2 < 3 & co", "E3": ""}
    found, risk = findings(state.findings), status(state).sections[0].blocks[2]
    assert [str(column.heading) for column in found.columns[3:6]] == ["unit", "name", "month"]
    assert isinstance(risk, Table)
    assert [str(column.heading) for column in risk.columns[:3]] == ["enterprise", "name", "province"]
    without = findings(state.findings.assign(name=""))
    assert [str(column.heading) for column in without.columns[3:5]] == ["unit", "month"]
