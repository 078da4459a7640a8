"""Sheets of the monthly workbook: tables of the columns that register, rows and evidence have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from etsopt.accounting.headings import EVIDENCE_HEADINGS, FLOW_HEADINGS, ROW_HEADINGS
from etsopt.accounting.schema import REGISTER, ROWS
from etsopt.accounting.screening.records import LABORATORIES
from etsopt.accounting.vocabulary import FLOWS, ITEMS, PROCESSES
from etsopt.common.language import _
from etsopt.data.files.fields import Field
from etsopt.data.files.instance_sheets import heading, words_of
from etsopt.data.files.workbook import names_of_sheets
from etsopt.data.tables.recognise import plain
from etsopt.data.tables.table import Column, Table

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.data.files.fields import Words

_FURTHER = (
    Column("test", _("quantity of the batch, by which its values weigh in the month"), number=True, required=True),
    Column("purchase", _("what was bought in the month, less what was sold on"), "t", number=True, required=True),
    Column("stock", _("stock at the end of the month"), "t", number=True, required=True),
    Column(
        "x_carbon_tc_per_t",
        _("measured carbon content as received, which power units count; of others for checks alone"),
        "tC/t",
        number=True,
    ),
    Column("x_laboratory", _("mark of the laboratory"), required=True, choices=(*LABORATORIES, "none")),
    Column("x_sampled_on", _("day of the sample, such as 2025-01-31"), required=True),
    Column("x_tested_on", _("day of the test report, such as 2025-02-20"), required=True),
    Column("x_opening_t", _("stock at the beginning of the month"), "t", number=True, required=True),
    Column("x_used_t", _("consumption of the month by its meters"), "t", number=True, required=True),
)
_COLUMNS = {column.name: column for column in (*ROWS.columns, *_FURTHER)}


def _table(name: str, meaning: str, columns: str, needed: str = "evidence") -> Table:
    """Return a table of columns by their names, of which some further ones have to be filled."""
    found = (
        replace(_COLUMNS[one], required=_COLUMNS[one].required or one in needed.split()) for one in columns.split()
    )
    return Table(name, meaning, (), tuple(found))


ACTIVITY = _table(
    "activity",
    _("quantities of the month"),
    "unit_id month process item flow quantity unit ncv_gj_per_unit batch evidence reported_by reported_on "
    "calibrated_on version",
)
TESTS = _table(
    "tests",
    _("tests of calorific value and carbon"),
    "unit_id month process item test unit ncv_gj_per_unit x_carbon_tc_per_t batch x_laboratory x_sampled_on "
    "x_tested_on evidence reported_on",
    "evidence ncv_gj_per_unit",
)
STOCKS = _table(
    "stock",
    _("stocks of the month"),
    "unit_id month process item x_opening_t purchase stock x_used_t evidence reported_on",
)
EVIDENCE = Table(
    "evidence",
    _("records that prove a figure"),
    (),
    (
        Column("sector", _("sector of the unit")),
        Column("figure", _("figure that the record proves")),
        Column("record", _("record; the sheets of quantities offer it, and those that you add below")),
    ),
)

FILLED = ("register", "activity")
"""Sheets without which a workbook has no monthly reports."""

SHEETS = {"register": "单元登记", "activity": "月度数据", "tests": "检测", "stock": "库存", "evidence": "证据清单"}
"""Chinese names of the sheets."""

WORDS: dict[str, Words] = {
    "process": (tuple(PROCESSES), tuple(PROCESSES.values())),
    "item": (tuple(ITEMS), tuple(item.chinese for item in ITEMS.values())),
    "unit": (
        ("t", "1e4 t", "1e4 Nm3", "Nm3", "MWh", "GJ", "%", "tC/t", "tC/1e4 Nm3", "min/pot-day"),
        ("t", "万t", "万Nm3", "Nm3", "MWh", "GJ", "%", "tC/t", "tC/万Nm3", "分钟/槽日"),
    ),
    "x_laboratory": ((*LABORATORIES, "none"), (*LABORATORIES, "无")),
}
_OF_ROWS = tuple(name for name in FLOWS if name not in ("test", "stock"))
WORDS["flow"] = (_OF_ROWS, tuple(FLOWS[name] for name in _OF_ROWS))
"""Words that cells offer, in English and in Chinese; those of the register are those of an instance."""

HEADINGS = ROW_HEADINGS | FLOW_HEADINGS | EVIDENCE_HEADINGS | {"sector": ("行业",), "figure": ("数据",)}
HEADINGS |= {"record": ("材料名称",)}

FORMS = {"month": "text", "unit_id": "text"}
FORMS |= dict.fromkeys(("reported_on", "calibrated_on", "x_sampled_on", "x_tested_on"), "day")
"""Formats of cells: a month that is typed stays a text, and a day becomes one of the spreadsheet."""


def fields_of(table: Table, sources: dict[str, str]) -> list[Field]:
    """Return the columns of a sheet, in the language of the moment; ``sources`` has ranges of words by column."""
    return [
        Field(
            column.name,
            _headings(column, table),
            f"{column.meaning}{f' [{column.unit}]' if column.unit else ''}",
            column.required,
            column.number,
            words_of(column) if table is REGISTER else WORDS.get(column.name, ((), ())),
            sources.get(column.name, "") if table is not REGISTER else "",
            FORMS.get(column.name, "number" if column.number and not column.whole else ""),
        )
        for column in table.columns
    ]


def _headings(column: Column, table: Table) -> tuple[str, str]:
    """Return the heading in English and in Chinese, with the unit of measure that the rows of the sheet share."""
    if table is REGISTER:
        return heading(column, table, False), heading(column, table, True)
    word = HEADINGS[column.name][0]
    if not column.unit or column.name == "ncv_gj_per_unit":
        return column.name, word
    english = column.name if column.name in EVIDENCE_HEADINGS else f"{column.name} ({column.unit})"
    return english, f"{word}（{column.unit}）"


def is_monthly(path: Path) -> bool:
    """Return True for a workbook whose sheets have the names of this one; False if that cannot be told."""
    names = {plain(name) for name in names_of_sheets(path)}
    return all({plain(name), plain(SHEETS[name])} & names for name in FILLED)
