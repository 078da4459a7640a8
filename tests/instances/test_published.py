"""The table of silent wrong answers in `benchmarks/README.md`: made from figures, and put between its marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.reliability.comparison import published
from benchmarks.reliability.row import Found
from benchmarks.reporting import fill

if TYPE_CHECKING:
    from pathlib import Path


def test_each_cause_is_a_line_and_each_way_a_column() -> None:
    found = Found()
    found.saw("coefficient of 1e15 or more: silently wrong, silently wrong, refused", 20)
    found.saw("NaN coefficient: silently wrong, refused, refused", 12)
    found.saw("NaN coefficient: refused, refused, refused", 8)
    found.saw("misspelt solver option: silently ignored, silently ignored, refused", 2_000)
    text = published(found)
    told = (
        "Of the same 2,040 models, by Pyomo `highs` 32, Pyomo `appsi_highs` 20 and etsopt 0 answers are silently wrong"
    )
    assert text.replace("\n", " ").startswith(told)
    assert "| in the model | Pyomo `highs` | Pyomo `appsi_highs` | etsopt |" in text
    assert "| coefficient of 1e15 or more | 20 silently wrong | 20 silently wrong | 20 refused |" in text
    assert "| NaN coefficient | 12 silently wrong, 8 refused | 20 refused | 20 refused |" in text
    assert "| misspelt solver option | 2,000 silently ignored | 2,000 silently ignored | 2,000 refused |" in text


def test_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- begin it -->\nold\n<!-- end it -->\nb\n", encoding="utf-8")
    fill("it", "new\n", page)
    assert page.read_text(encoding="utf-8") == "a\n<!-- begin it -->\n\nnew\n\n<!-- end it -->\nb\n"
