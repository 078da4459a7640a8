"""Colours of the monthly workbook: conditional formats that show a mistake while it is typed.

No cell holds a formula. Conditional formats use functions alone that Excel, WPS and LibreOffice share, and compare
whole cells by SUMPRODUCT: SUMIFS would read a month such as 2025-01 as a date, and a star in a code as a wildcard.
Limits are the thresholds of the rules of screening that find the same when the workbook is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.accounting.monthly.tables import ACTIVITY, STOCKS, TESTS
from etsopt.accounting.schema import LARGEST_NCV, REGISTER
from etsopt.accounting.screening import RULES
from etsopt.accounting.screening.records import COALS, LABORATORIES
from etsopt.accounting.vocabulary import FLOWS, ITEM_WORDS, ITEMS, PERCENT, UNIT_WORDS
from etsopt.common.language import _, pgettext
from etsopt.data.files.fields import name_of_lists
from etsopt.data.files.workbook import column_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.data.files.book import Book
    from etsopt.data.tables.table import Table

RED, ORANGE, PURPLE, YELLOW = "red", "orange", "purple", "yellow"
COLOURS = {
    RED: {"bg_color": "#FFC7CE", "font_color": "#9C0006"},
    ORANGE: {"bg_color": "#FFD8A8"},
    PURPLE: {"bg_color": "#E3CCF7"},
    YELLOW: {"bg_color": "#FFF2AB"},
}
KEY = {
    RED: (
        pgettext("colour", "red"),
        _(
            "Wrong in unit, size or balance: the unit is not the item's; more than five times last month, or less than "
            "a fifth; a calorific value that no such fuel has, as in kcal/kg; carbon per heat unlike that of coal; a "
            "stock that does not close; a month that is not written like 2025-01. Correct it."
        ),
    ),
    ORANGE: (
        pgettext("colour", "orange"),
        _(
            "To be verified: equal to last month to the digit; filed too late; a meter calibrated too long ago; an "
            "opening stock unlike the closing one before; a test without a mark of the laboratory, or reported too "
            "late."
        ),
    ),
    PURPLE: (
        pgettext("colour", "purple"),
        _("The same row twice. Delete one, tell them apart by batch, or give a correction the next version."),
    ),
    YELLOW: (pgettext("colour", "yellow"), _("A required cell, or the evidence, is empty.")),
}
"""Name and meaning of each colour."""

ITEM_LIST, UNIT_LIST = "etsopt_items", "etsopt_units"
"""Names of the ranges in which formulas look up the unit and limits of an item, and what a unit of measure counts."""

FIRST, LAST = 3, 1002
"""Rows that are coloured, from 1 on, below two of headings: each formula compares a row with all of them."""

KEYS = {
    ACTIVITY.name: "unit_id process item flow batch",
    TESTS.name: "unit_id process item batch",
    STOCKS.name: "unit_id process item",
}
"""Columns that tell the rows of a month apart."""

FRAGMENTS = {
    "last_month": 'IF(RIGHT({month},2)="01",LEFT({month},4)-1&"-12",LEFT({month},5)&RIGHT("0"&(RIGHT({month},2)-1),2))',
    "month_end": "DATE(LEFT({month},4),RIGHT({month},2)+1,0)",
    "is_coal": f"VLOOKUP({{item}},{ITEM_LIST},4,FALSE)",
    "highest": f"VLOOKUP({{item}},{ITEM_LIST},3,FALSE)",
    "counted_in": f"VLOOKUP({{item}},{ITEM_LIST},2,FALSE)",
}
"""Parts of formulas."""


class Colour(NamedTuple):
    """A colour of the cells of some columns in the rows where a formula holds.

    Parameters
    ----------
    formula
        Formula with the cells of the row in braces by their columns, those of all rows as ``{month:all}``, and parts.
    hint
        Number format by which the cell says more.
    """

    columns: str
    colour: str
    formula: str
    hint: str = ""


class _Cell(NamedTuple):
    """Letters of a column, which a formula has as a cell of the row, or with ``all`` as the cells of all rows."""

    letters: str

    def __format__(self, spec: str) -> str:
        column = f"${self.letters}"
        return f"{column}${FIRST}:{column}${LAST}" if spec == "all" else f"{column}{FIRST}"


def limits() -> dict[str, float]:
    """Return the limits of formulas: thresholds of the rules of screening, each as ``rule_threshold``."""
    return {f"{name}_{key}": value for name, rule in RULES.items() for key, value in rule.thresholds.items()}


CALORIFIC = (
    # Numbers of kcal/kg and kJ/kg say so themselves.
    Colour("ncv_gj_per_unit", RED, "AND({ncv_gj_per_unit}>1000,{ncv_gj_per_unit}<=9000)", '#,##0.##" kcal/kg?"'),
    Colour("ncv_gj_per_unit", RED, "AND(ISNUMBER({ncv_gj_per_unit}),{ncv_gj_per_unit}>9000)", '#,##0.##" kJ/kg?"'),
    Colour("ncv_gj_per_unit", RED, "AND(ISNUMBER({ncv_gj_per_unit}),{ncv_gj_per_unit}>{highest})"),
)
MONTH = Colour("month", RED, 'AND({month}<>"",OR(LEN({month})<>7,ISERROR(DATEVALUE({month}&"-01"))))')
UNIT = Colour("unit", RED, f'AND({{unit}}<>"",VLOOKUP({{unit}},{UNIT_LIST},2,FALSE)<>{{counted_in}})')
_IS = {name: f'OR({{flow}}="{name}",{{flow}}="{FLOWS[name]}")' for name in ("carbon", "oxidation")}
UNIT_OF_FLOW = UNIT._replace(
    formula=UNIT.formula.replace(
        "{counted_in}", f'IF({_IS["carbon"]},"tC/"&{{counted_in}},IF({_IS["oxidation"]},"{PERCENT}",{{counted_in}}))'
    )
)
"""A carbon content is in tonnes of carbon for each unit of its fuel, an oxidation rate in percent."""
LATE = Colour("reported_on", ORANGE, 'AND({reported_on}<>"",{reported_on}-{month_end}>{late_month_days})')
MARKS = ",".join(f'{{x_laboratory}}<>"{mark}"' for mark in LABORATORIES)
BEFORE = "SUMPRODUCT({same}*({unit:all}={unit})*({month:all}={last_month}),{quantity:all})"
CLOSED = "{same}*({month:all}={last_month})"

OF_SHEET: dict[str, tuple[Colour, ...]] = {
    REGISTER.name: (Colour("unit_id", PURPLE, "SUMPRODUCT(({unit_id:all}={unit_id})*1)>1"),),
    ACTIVITY.name: (
        MONTH,
        UNIT_OF_FLOW,
        *CALORIFIC,
        # A ratio is outside 0.2 to 5 where it is more than 2.4 from 2.6; without a month before it is an error, which
        # has no colour.
        Colour("quantity", RED, f'AND({{quantity}}<>"",ABS({{quantity}}/{BEFORE}-2.6)>2.4)'),
        Colour("month item", PURPLE, "{twice}"),
        Colour("quantity", ORANGE, f"AND({{quantity}}>0,{{quantity}}={BEFORE})"),
        LATE,
        Colour("calibrated_on", ORANGE, 'AND({calibrated_on}<>"",{month_end}-{calibrated_on}>{calibration_days})'),
    ),
    TESTS.name: (
        MONTH,
        UNIT,
        *CALORIFIC,
        Colour(
            "x_carbon_tc_per_t",
            RED,
            "AND(ISNUMBER({x_carbon_tc_per_t}),{is_coal},{ncv_gj_per_unit}<={highest},OR("
            "{x_carbon_tc_per_t}<{carbon_per_heat_lower}*{ncv_gj_per_unit},"
            "{x_carbon_tc_per_t}>{carbon_per_heat_upper}*{ncv_gj_per_unit}))",
        ),
        Colour("month item", PURPLE, "{twice}"),
        Colour("x_laboratory", ORANGE, f'AND({{x_laboratory}}<>"",{MARKS})'),
        Colour(
            "x_tested_on",
            ORANGE,
            'AND({x_tested_on}<>"",{x_sampled_on}<>"",{x_tested_on}-{x_sampled_on}>{test_evidence_days})',
        ),
        LATE,
    ),
    STOCKS.name: (
        MONTH,
        Colour(
            "x_used_t",
            RED,
            "AND(COUNT({x_opening_t},{stock},{x_used_t})=3,ABS({x_opening_t}+{purchase}-{stock}-{x_used_t})>"
            "{stock_balance_share}*{x_used_t})",
        ),
        Colour("month item", PURPLE, "{twice}"),
        Colour(
            "x_opening_t",
            ORANGE,
            f"AND(ISNUMBER({{x_opening_t}}),SUMPRODUCT({CLOSED})>0,"
            f"ABS({{x_opening_t}}-SUMPRODUCT({CLOSED},{{stock:all}}))>0.005)",
        ),
        LATE,
    ),
}
"""Colours of each sheet; of two that hold, the first is shown."""


def colour_sheet(into: Book, sheet: Any, table: Table) -> None:
    """Colour the mistakes of a sheet."""
    cells: dict[str, Any] = {column.name: _Cell(column_name(at)) for at, column in enumerate(table.columns)}
    same = "*".join(f"({{{name}:all}}={{{name}}})" for name in KEYS.get(table.name, "").split())
    version = "*({version:all}={version})" if "version" in cells else ""
    parts = {"same": same, "twice": f'AND({{unit_id}}<>"",SUMPRODUCT({same}*({{month:all}}={{month}}){version})>1)'}
    known = cells | limits()
    if "month" in cells:
        known |= {name: part.format_map(cells) for name, part in (FRAGMENTS | parts).items()}
    for one in (*OF_SHEET[table.name], *_empty(table)):
        form = into.book.add_format(COLOURS[one.colour] | ({"num_format": one.hint} if one.hint else {}))
        rule = {"type": "formula", "criteria": f"={one.formula.format_map(known)}", "format": form}
        for name in one.columns.split():
            sheet.conditional_format(f"{cells[name].letters}{FIRST}:{cells[name].letters}{LAST}", rule)


def _empty(table: Table) -> Iterator[Colour]:
    """Yield the colour of each cell that has to be filled in a row that has begun."""
    last = column_name(len(table.columns) - 1)
    for column in table.columns:
        if column.required:
            formula = f'AND({{{column.name}}}="",COUNTA($A{FIRST}:${last}{FIRST})>0)'
            yield Colour(column.name, YELLOW, formula)


def add_look_up(into: Book, sheet: Any, place: int) -> None:
    """Add what formulas look up to the sheet of lists, from a column on: words of items and of units of measure."""
    highest = {phase: limits()[f"calorific_extreme_{phase}"] for phase in ("solid", "liquid")}
    items = [(word, name, ITEMS[name]) for word, name in ITEM_WORDS.items()]
    rows = [(word, item.unit, highest.get(item.phase, LARGEST_NCV), name in COALS) for word, name, item in items]
    for name, content in ((ITEM_LIST, rows), (UNIT_LIST, [*UNIT_WORDS.items()])):
        for row, cells in enumerate(content):
            sheet.write_row(row, place, cells)
        left, right = column_name(place), column_name(place + len(content[0]) - 1)
        into.book.define_name(name, f"='{name_of_lists(into)}'!${left}$1:${right}${len(content)}")
        place += len(content[0])
