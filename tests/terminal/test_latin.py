"""Files that commands write in Chinese have no English: pages, letters, sheets, workbooks and charts.

Output on a terminal is tested in `test_commands.py`. Both share `latin.txt`; ``UPDATE_GOLDEN=1`` shortens it.
"""

from __future__ import annotations

import json
import re
import shlex
import zipfile
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from python_calamine import CalamineWorkbook

import etsopt
from etsopt.common.language import speaking
from tests.terminal.cases import CASES
from tests.terminal.given import names_in
from tests.terminal.inputs import STORED, folder_of, item
from tests.terminal.latin import NOT_IN_THE_PARSER, known, of_parser
from tests.terminal.listed import LATIN
from tests.terminal.running import run
from tests.weights import ROOT

if TYPE_CHECKING:
    from etsopt.presenting.charts.chart import Chart

REPORTS = (
    *("run", "infeasible", "clearing", "compliance", "equilibrium", "investment", "reconciliation", "review_plan"),
    *("swept", "designed"),
)
FURTHER = (
    *("two_conflicts", "everything", "exceptions", "rounded", "long-run", "under-own-rule", "missing", "abatement"),
    *("pathway", "missing_days"),
)
PAGES = {
    **{f"page-{name}": f"report {name} --out page.html" for name in REPORTS},
    "page-beside": "report run --beside other --out page.html",
    "page-letter": "report run --letter enterprise-a --out page.html",
    "page-letter-clearing": "report clearing --letter u0 --out page.html",
    "page-sheets": "report compliance --sheets --out page.html",
    "page-verified": "verify reviewed.duckdb --year 2025 --out .",
}
"""Pages: what `etsopt report` and `etsopt verify` write."""
FURTHER_PAGES = {f"page-{name}": f"report {name} --out page.html" for name in FURTHER}

WORKBOOKS = {
    "workbook-new": "new book.xlsx",
    "workbook-result": "solve plants.xlsx --out book.xlsx",
    "workbook-compliance": "solve compliance/instance --model compliance --out book.xlsx",
}
FURTHER_WORKBOOKS = {
    "workbook-converted": "convert clearing/instance book.xlsx",
    "workbook-infeasible": "solve plants.xlsx --set sectors.cement.target_change=-0.04 --out book.xlsx",
    "workbook-clearing": "solve clearing/instance --model clearing --out book.xlsx",
    "workbook-investment": "solve investment/instance --model investment --out book.xlsx",
}

SLOT = re.compile(r"\{[^}]*\}|%\(\w+\)[srd]|%[srd]")
SHOWN = ("title", "aria-label", "alt", "placeholder", "label")
TYPED = ("script", "style", "code", "pre")
VOID = ("meta", "br", "input", "img", "link", "hr")


KEPT = frozenset(
    (
        # Packages, encodings and methods have no other name.
        *("install", "pip", "upgrade", "mrv", "excel", "dask", "scheduler", "worker", "matplotlib", "optuna"),
        *("pyarrow", "python-calamine", "xarray", "xlsxwriter", "DuckDB", "Big5", "GBK", "Latin-1", "Saltelli"),
        # Words that a user types: values, keys and names of Python, and examples of files and provinces.
        *("true", "false", "True", "None", "no", "lower", "number", "method", "sample", "choose", "policy"),
        *("FOLDER", "INSTANCE", "plants", "accounts", "Shaanxi", "DataFrame", "Reference", "answer", "bounds"),
        *("calculate", "formulate", "parameters", "print", "progress", "proven_only", "reason_zh", "mps", "read"),
        *("clip", "slope", "objectives", "first_month", "months", "Groups", "AbstractModel", "Set", "Param"),
        *("Prepared", "ProgramModel", "along", "at", "certified_share", "checked", "modelling", "vary"),
        *("dense", "False", "RUN", "x_origin", "accounting", "in_scope", "kinds", "runs", "usable", "kPa"),
    )
)
"""Latin words of translations that stand alone there, and would be English in the output of another command."""


class Visible(HTMLParser):
    """Texts of a page that are seen or read aloud, in its Chinese parts; what stands as code is typed as it is."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.listing = False
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        lang = attributes.get("lang") or (self.open[-1][1] if self.open else "")
        if tag not in VOID:
            self.open.append((tag, lang))
        # Rows of a long table, which the page shows when it is asked for them.
        self.listing = tag == "script" and str(attributes.get("id")).startswith("rows-")
        if lang.startswith("zh"):
            self.texts += [text for name in SHOWN if (text := attributes.get(name))]

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()
        self.listing = False

    def handle_data(self, data: str) -> None:
        if self.listing:
            rows = json.loads(data)["rows"]
            self.texts += [cell for row in rows for cell in row if isinstance(cell, str)]
        if self.open and self.open[-1][0] not in TYPED and self.open[-1][1].startswith("zh"):
            self.texts.append(data)


def of_workbook(path: Path) -> Iterator[str]:
    """Yield names of sheets, cells, comments, and the messages beside cells."""
    book = CalamineWorkbook.from_path(path)
    for name in book.sheet_names:
        yield name
        yield from (cell for row in book.get_sheet_by_name(name).to_python() for cell in row if isinstance(cell, str))
    with zipfile.ZipFile(path) as parts:
        for part in parts.namelist():
            if re.match(r"xl/(comments|worksheets/sheet)\d+\.xml", part):
                root = ElementTree.fromstring(parts.read(part))
                for element in root.iter():
                    kind = element.tag.rpartition("}")[2]
                    if kind == "t" and part.startswith("xl/comments"):
                        yield element.text or ""
                    if kind == "dataValidation":
                        yield from (element.get(name, "") for name in ("promptTitle", "prompt", "errorTitle", "error"))


def of_chart(chart: Chart) -> Iterator[str]:
    """Yield the texts of a chart in the language of the moment."""
    yield str(chart.title)
    for panel in chart.panels:
        yield from map(str, (panel.title, panel.x_label, panel.y_label))
        for series in panel.series:
            yield str(series.name)
            yield from (str(label) for label in (series.labels if series.labels is not None else ()))
            yield from panel.categories(series) if panel.horizontal else ()
            yield from (str(value) for value in series.x if isinstance(value, str))


def compare(place: str, line: str, texts: list[str]) -> None:
    """Compare the Latin words of the texts of a file with those that are listed: place and word."""
    assert texts
    words = known().with_names(names_in(line))
    found = {f"{place} {word}" for text in texts for word in words.latin(text)}
    LATIN.compare(found, lambda listed: listed.startswith(f"{place} "))


def nightly(places: Iterable[str]) -> list[Any]:
    return [pytest.param(place, marks=pytest.mark.nightly) for place in places]


@pytest.mark.parametrize("place", [*PAGES, *nightly(FURTHER_PAGES)])
def test_a_page_in_chinese_has_no_english(place: str) -> None:
    line = (PAGES | FURTHER_PAGES)[place]
    words = shlex.split(line)
    with folder_of(words) as folder:
        assert run(words, folder, "zh", 200)[0] == 0
        pages = [path for path in folder.rglob("*.html") if path.parent.name != "instance"]
        assert pages
        compare(place, line, [text for path in pages for text in Visible(path.read_text("utf-8")).texts])


@pytest.mark.parametrize("place", [*WORKBOOKS, *nightly(FURTHER_WORKBOOKS)])
def test_a_workbook_in_chinese_has_no_english(place: str) -> None:
    line = (WORKBOOKS | FURTHER_WORKBOOKS)[place]
    words = shlex.split(line)
    with folder_of(words) as folder:
        assert run(words, folder, "zh", 200)[0] in (0, 3)
        compare(place, line, [*of_workbook(folder / "book.xlsx")])


@pytest.mark.parametrize("name", STORED)
def test_charts_in_chinese_have_no_english(name: str) -> None:
    plots = etsopt.load(item(name)).plot
    with speaking("zh"):
        texts = [text for kind in plots.kinds for text in of_chart(plots.chart(kind))]
    compare(f"chart-{name}", name, texts)


def test_every_latin_word_is_of_a_case_or_a_file() -> None:
    own = {*CASES, *PAGES, *FURTHER_PAGES, *WORKBOOKS, *FURTHER_WORKBOOKS, *(f"chart-{name}" for name in STORED)}
    LATIN.compare([], lambda line: line.split(" ")[0] not in own)


def test_translations_have_no_english_whether_or_not_a_command_here_shows_them() -> None:
    pytest.importorskip("babel")
    from docs.tools import catalogue as build

    words = known().with_names({*of_parser(), *NOT_IN_THE_PARSER, *KEPT})
    translations = [str(entry.string) for entry in build.catalogue() if entry.id]
    found = {text: latin for text in translations if (latin := words.latin(SLOT.sub(" ", text)))}
    assert found == {}


def test_the_script_and_style_of_pages_hold_no_text_of_their_own() -> None:
    templates = ROOT / "etsopt" / "presenting" / "documents" / "templates"
    script, style = ((templates / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    assert re.findall(r"(?:textContent|innerHTML|innerText|placeholder|title)\s*=\s*[\"'`].*", script) == []
    assert re.findall(r"content:\s*[\"'][^\"']*[A-Za-z]{2}.*", style) == []
