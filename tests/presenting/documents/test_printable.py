"""Pages to print: texts that differ stand in both languages, figures are in full, and names are text."""

from __future__ import annotations

import builtins
import math
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import etsopt
from etsopt.common.errors import UsageError
from etsopt.common.language import _, in_chinese, pgettext
from etsopt.presenting.documents import html
from etsopt.presenting.documents.document import Column, Document, Facts, Paragraph, Section, Table
from etsopt.presenting.documents.quantities import MONEY, TONNES, YES
from etsopt.reports import compliance_page
from tests.compliance_years import by_hand

HOSTILE = "</title><script>alert(1)</script>\"'& 水泥"
SHORTFALL = Column(pgettext("compliance", "shortfall"), TONNES._replace(alarming=True))
COLUMNS = (Column(pgettext("column", "enterprise")), SHORTFALL, Column("money", MONEY), Column("paid", YES))


def made(*blocks: Any, title: str = "title", **parts: Any) -> str:
    return html.printable(lambda: Document(title, "", "", sections=(Section("one", "Part", blocks),), **parts))


def texts_of(page: str) -> list[str]:
    return [unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<t[dh](?: [^>]*)?>(.*?)</t[dh]>", page)]


def test_texts_that_differ_stand_beside_each_other_and_others_once() -> None:
    page = made(Paragraph(_("Shortfalls")), Facts((("CCER", _("yes")),)))
    assert '<p class="plain">Shortfalls <span lang="zh">未足额清缴</span></p>' in page
    assert '<dt>CCER</dt><dd>yes <span lang="zh">是</span></dd>' in page
    assert '<h2 id="one">Part</h2>' in page


def test_tonnes_and_money_are_in_full_with_decimals_where_tonnes_are_not_whole() -> None:
    rows = (("a", 12_345_678.0, 9.87e11, True), ("b", 0.0, math.nan, False))
    whole = ["a", "12,345,678", "987,000,000,000", "yes 是", "b", "0", "-", "–"]
    assert texts_of(made(Table("Accounts", COLUMNS, rows)))[4:] == whole
    parts = texts_of(made(Table("Accounts", COLUMNS, (*rows, ("c", 0.25, 1.5, False)))))
    assert parts[5::4] == ["12,345,678.00", "0.00", "0.25"]
    heads = ["enterprise 企业编号", "shortfall 未足额清缴[t 吨]", "money[CNY 元]", "paid"]
    assert texts_of(made(Table("Accounts", COLUMNS, rows)))[:4] == heads


def test_an_amount_that_alarms_is_seen_and_none_is_not() -> None:
    rows = (("a", 19.0, 0.0, True), ("b", 0.0, 5.0, True), ("c", math.nan, 5.0, True))
    page = made(Table("Accounts", COLUMNS, rows, ("all", 19.0, 10.0, "")))
    assert re.findall(r'class="alarm">(.*?)<', page) == ["19", "19"]
    # So on every page, and what rounds to nothing in the scale of the column is none.
    table = Table("Accounts", COLUMNS, (("d", 2e7, 0.0, True), *rows))
    page = html.page(Document("x", "", "", sections=(Section("one", "", (table,)),)))
    assert re.findall(r'class="alarm">(.*?)<', page) == ["20.000"]


def test_names_are_text_in_a_title_an_attribute_and_a_cell() -> None:
    page = made(Table(_("Figures of {unit}", unit=HOSTILE), COLUMNS[:1], ((HOSTILE,),)), title=HOSTILE)
    assert "<script" not in page
    assert unescape(re.findall("<title>(.*?)</title>", page)[0]) == HOSTILE
    assert unescape(re.findall('aria-label="(.*?)"', page)[0]) == f"Figures of {HOSTILE} {HOSTILE} 的数据及来源"
    assert unescape(re.findall("<title>(.*?)</title>", made(title=_("Shortfalls")))[0]) == "Shortfalls 未足额清缴"


def test_a_page_to_print_has_no_script_and_allows_none() -> None:
    page = made(Paragraph("text"))
    assert "<script" not in page
    assert "default-src &#39;none&#39;; script-src &#39;none&#39;" in page
    assert "@page { size: A4 landscape" in page


def test_parts_of_two_languages_that_do_not_match_are_an_error() -> None:
    sections = (Section("a", "A", ()), Section("b", "B", ()))
    with pytest.raises(ValueError, match="zip"):
        html.printable(lambda: Document("x", "", "", sections=sections[: 2 - in_chinese()]))


def test_without_jinja2_a_page_to_print_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    imported, results = builtins.__import__, etsopt.solve(by_hand(), "compliance")

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "jinja2":
            raise ImportError(name)
        return imported(name, *arguments, **options)

    html._environment.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"needs jinja2, which is not installed(.|\n)*etsopt\[report\]"):
        compliance_page(by_hand(), results)
