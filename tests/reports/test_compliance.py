"""The report of a compliance year: complete, well formed, in two languages, and harmless whatever names are."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.reports import compliance_page
from tests.compliance_years import by_hand

EMPTY = {"meta", "br"}


class Reader(HTMLParser):
    """Collects texts, and sees that every element is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if {"td", "th"} & {*self.open}:
            self.rows[-1][-1] += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def named(name: str) -> etsopt.Instance:
    """The instance by hand, its first enterprise under a name."""
    instance = by_hand()
    assert instance.enterprises is not None
    names = [name if identifier == "a" else "" for identifier in instance.enterprises["enterprise_id"]]
    policy = instance.policy.model_dump(exclude_unset=True)
    return etsopt.Instance.from_frames(instance.units, policy, enterprises=instance.enterprises.assign(name=names))


def page(instance: etsopt.Instance, *enterprises: str) -> str:
    return compliance_page(instance, etsopt.solve(instance, "compliance"), enterprises)


def test_a_page_holds_nation_provinces_shortfalls_and_a_sheet_for_each_enterprise() -> None:
    text = page(by_hand())
    reader = read(text)
    assert text.count('<section class="sheet') == 4
    assert ["4", "2", "1", "5", "7,101", "6,998", "84", "19", "99.73"] in reader.rows
    assert ["North", "2", "1", "0", "3", "2,100", "2,086", "14", "0", "100.00"] in reader.rows
    short = ["c", "South", "3,001", "19", "from 2026-08-15 自 2026-08-15 起", "90.00", "5", "8,550", "1,000,000", "0"]
    assert short in reader.rows
    assert ["2025", "yes 是", "100", "13,000", "1,030", "0", "986", "13,144", "0", "0"] in reader.rows
    assert ["2021", "–", "15,000", "−13,000", "0", "0", "0", "0", "0", "2,000"] in reader.rows
    words = "".join(reader.texts)
    titles = (
        "Surrender of the year (this table) 年度清缴（本表）",
        "Provinces 省份",
        "Shortfalls 未足额清缴",
        "Enterprises 重点排放单位",
    )
    for both in (*titles, "certified optimal 已证明最优", "differentiated allocation 差异化分配"):
        assert both in words


def test_every_heading_has_its_chinese_one() -> None:
    heads = re.findall(r'<th scope="col"(?: [^>]*)?>(.*?)</th>', page(by_hand()))
    assert heads
    both = r'[^<]+ <span lang="zh">[^<]*[一-鿿][^<]*</span>'
    assert all(re.fullmatch(rf"{both}(<small>\[{both}\]</small>)?", head) for head in heads)


def test_a_shortfall_is_seen_at_once_and_each_sheet_but_the_first_begins_a_page() -> None:
    text = page(by_hand())
    assert re.findall(r'class="alarm">(.*?)</td>', text) == ["1", "19", "1", "19", "1", "19", "19", "19"]
    assert re.findall(r'<section class="(.*?)"', text)[-4:] == ["sheet", *["sheet begins"] * 3]
    assert '<section class="part begins">\n<h2 id="provinces">' in text


def test_names_are_text_and_nothing_else() -> None:
    name = "<script>alert('1')</script> & 北方水泥"
    text = page(named(name))
    assert "<script" not in text
    assert name in " ".join(read(text).texts)


def test_a_page_needs_nothing_but_itself() -> None:
    assert not re.search(r"(?:src|href)=\"(?!#)|https?://|@import|url\(", page(by_hand()))


def test_sheets_of_some_enterprises_alone() -> None:
    text = page(by_hand(), "a", "d")
    assert text.count('<section class="sheet') == 2
    assert "4</td>" in text
    with pytest.raises(UsageError, match="The run has no enterprise 'e'"):
        page(by_hand(), "e")


def test_without_a_shortfall_the_page_says_so() -> None:
    text = page(by_hand().with_policy({"compliance.without_purchases": []}))
    assert "None: every enterprise meets its obligation in full." in text


def test_no_figure_follows_from_a_pre_allocation_that_nothing_states() -> None:
    instance = by_hand()
    policy = instance.policy.model_dump(exclude_unset=True)
    for stated, shown in (([100.0], True), ([np.nan], False)):
        units = instance.units.assign(pre_allocated_t=stated * len(instance.units))
        found = etsopt.Instance.from_frames(units, policy, enterprises=instance.enterprises)
        reader = read(page(found, "a"))
        # Of a unit: its name, sector, province, emissions, rule alone, allowances, and the three that follow.
        rows = [row for row in reader.rows if row and row[0] in set(units["unit_id"])]
        assert rows
        assert all((row[6:9] != ["-"] * 3) == shown for row in rows)
        total = next(row for row in reader.rows if row and row[0] == "all 合计")
        assert (total[6:9] != [""] * 3) == shown


def test_a_run_of_another_model_is_refused() -> None:
    instance = etsopt.read("tiny")
    with pytest.raises(UsageError, match="holds no compliance year"):
        compliance_page(instance, etsopt.solve(instance))


@pytest.mark.nightly
def test_the_command_writes_the_page_beside_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    # Allowances are those of the rule: without the target of tiny, which is tighter.
    changes = ["--set", "market.prices_cny_per_t=80", "--set", "sectors={}"]
    assert main(["solve", "tiny", "--model", "compliance", *changes, "--out", str(run)]) == 0
    shown = capsys.readouterr().out
    assert "tiny · compliance · compliance year 2025: certified optimal" in shown
    assert re.search(r"enterprises: 2\n +at risk: 0\n +with shortfall: 0\n", shown)
    assert "obligation [kt]: 560.000" in shown
    assert main(["report", str(run), "--sheets"]) == 0
    assert capsys.readouterr().out == f"Written to {run / 'report.html'}.\n"
    assert "Compliance year 2025: tiny" in (run / "report.html").read_text(encoding="utf-8")
    assert main(["report", str(run), "--out", str(tmp_path / "one.html"), "--enterprise", "enterprise-a"]) == 0
    assert (tmp_path / "one.html").read_text(encoding="utf-8").count('<section class="sheet') == 1
    assert main(["check", str(run)]) == 0
    assert main(["report", str(tmp_path)]) == 2
