"""Outputs of a notebook: what the terminal shows, in its language, escaped, without script, charts and long tables."""

from __future__ import annotations

import re
import sys
from html import unescape
from typing import Any

import pytest

import etsopt
from etsopt.common.language import speaking
from etsopt.presenting.documents import html
from etsopt.presenting.documents.document import Column, Document, Facts, Figure, Paragraph, Section, Table
from etsopt.presenting.documents.notebook import output
from etsopt.presenting.documents.quantities import COUNT
from etsopt.reports.write import summary

HOSTILE = "<script>alert(1)</script>"


def table(rows: int, key: str = "", note: str = "") -> Table:
    columns = (Column("name"), Column("number", COUNT))
    return Table("Numbers", columns, tuple((f"row-{row}", row) for row in range(rows)), key=key, note=note)


def of_blocks(*blocks: Any) -> Document:
    return Document("title", HOSTILE, "", "", True, sections=(Section("one", "Section", blocks),))


def rows_in(text: str) -> list[str]:
    return re.findall(r"row-\d+", text)


def test_a_table_with_a_search_box_shows_its_first_rows_and_how_many_more_there_are() -> None:
    found = output(of_blocks(table(40, "rows", "A note.")))
    assert rows_in(found) == [f"row-{row}" for row in range(12)]
    assert "28 more rows. A note." in found
    # A table without one is short, and whole.
    assert len(rows_in(output(of_blocks(table(40))))) == 40
    assert "more rows" not in output(of_blocks(table(12, "rows")))


def test_there_is_no_script_and_no_chart_and_texts_are_escaped() -> None:
    figure = Figure("chart", "A chart", "Its summary.", ({"data": []},))
    found = output(of_blocks(figure, Facts(((HOSTILE, HOSTILE),)), Paragraph(HOSTILE)))
    assert "<script" not in found
    assert found.count("&lt;script&gt;") == 4
    assert "A chart" not in found
    # A section of charts alone would be a title above nothing.
    assert "Section" not in output(of_blocks(figure))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_result_shows_what_the_terminal_does(language: str) -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    with speaking(language):
        found, document = unescape(result._repr_html_()), summary(result)
        texts = [document.kicker, document.answer, document.status, *(one.caption for one in tables_of(document))]
        assert all(str(text) in found for text in texts)
    assert ("certified optimal" in found) == (language == "en")
    assert ("已证明最优" in found) == (language == "zh")
    assert "557,200" in found or "557.200" in found or "55.7200" in found


def tables_of(document: Document) -> list[Table]:
    return [block for section in document.sections for block in section.blocks if isinstance(block, Table)]


def test_a_result_without_its_instance_and_an_infeasible_one_are_shown_too() -> None:
    infeasible = etsopt.solve(etsopt.read("tiny").with_policy({"sectors.cement.target_change": -0.5}))
    assert "infeasible, proven" in infeasible._repr_html_()
    object.__setattr__(infeasible, "held", None)
    assert "infeasible, proven" in infeasible._repr_html_()


def test_a_sweep_shows_status_and_objectives_of_its_scenarios() -> None:
    changes = [{"sectors.cement.target_t": 557_200.0}, {"sectors.cement.target_change": -0.5}]
    swept = etsopt.sweep(etsopt.read("tiny"), changes)
    found = swept._repr_html_()
    assert "2 scenarios" in found
    assert "certified optimal: 1; infeasible, proven: 1" in found
    assert re.search(r"<th[^>]*>0</th><td[^>]*>certified optimal</td><td>9,200</td>", found)
    assert re.search(r"<th[^>]*>1</th><td[^>]*>infeasible, proven</td><td>[-–]</td>", found)
    # The infeasible policy has no answer.
    assert re.search(r"<th[^>]*>north-1</th><td>101,500</td><td>[-–]</td>", found)


def test_without_jinja2_it_is_the_text_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    html._environment.cache_clear()
    found = output(of_blocks(Facts((("label", HOSTILE),)), table(40, "rows")))
    assert found.startswith("<pre>")
    assert "<script" not in found
    assert "&lt;script&gt;" in found
    assert f"{40 - len(rows_in(found))} more rows." in found
    result = etsopt.solve(etsopt.read("tiny"))
    assert "certified optimal" in result._repr_html_()
    assert "101,500" in result.explain("north-1")._repr_html_()
