"""Defects of cells and columns: each breaks a valid folder in one place and states the expected report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.data.tables.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from benchmarks.reliability.folders import Folder
    from etsopt.data.tables.table import Column, Table

    Defect = Callable[[Folder, Random], list[str]]

NOT_A_NUMBER = {
    "a word": ("many", "n/a", "not known", "-", "约五十万"),
    "a unit behind the number": ("780000 t", "5kt", "12万", "30%", "CNY 40"),
    "a thousands separator": ("780,000", "984 000", "1'000", "1，000"),
    "an underscore": ("780_000", "1_0", "0_5"),
    "full-width digits": ("７８００００", "１．５", "٣٤"),
    "NaN or infinity": ("NaN", "nan", "inf", "-Infinity", "9e999"),
    "a spreadsheet's error": ("#REF!", "#N/A", "#DIV/0!", "#VALUE!"),
    "a formula for a number": ("=B2*1000", "=SUM(A1:A9)", "+A1", "@1"),
    "a truth": ("TRUE", "false", "True"),
    "digits that make no number": ("0x10", "1.000.000", "--5", "5e", "1e5.5"),
    "a date for a number": ("2025-12-31", "31.12.2025", "12月31日"),
}
FORMULAS = ("=HYPERLINK(A1)", "@SUM(A1)", "+1", "-x", "＝1+1", "＋A1")
HIDDEN = ("\u200b", "\x1b[31m", "\u202e", "\x07", "\xad", "\ufeff", "\u2028", "\x9b2J")
ENOUGH_DIGITS = "91430000123456789"

DEFECTS: dict[str, Defect] = {}
"""Defects by name."""


def defect(name: str) -> Callable[[Defect], Defect]:
    """Register a defect under a name."""

    def enter(plant: Defect) -> Defect:
        DEFECTS[name] = plant
        return plant

    return enter


def columns_of(folder: Folder, wanted: Callable[[Column], object]) -> list[tuple[str, Column]]:
    """Return the columns of a folder that satisfy a condition, each with its table."""
    return [
        (table.name, column)
        for table in tables_of(folder)
        for column in table.columns
        if column.name in folder.sheets[table.name].columns and wanted(column)
    ]


def tables_of(folder: Folder) -> list[Table]:
    """Return the schemas of the tables that a folder has; those of evidence need none of the others."""
    return [table for table in TABLES if table.name in folder.sheets]


def break_cell(folder: Folder, random: Random, wanted: Callable[[Column], object], cell: str, what: str) -> list[str]:
    """Put a cell into a row of a column that satisfies a condition; return the expected report."""
    sheet, column = random.choice(columns_of(folder, wanted))
    return break_cell_of(folder, random, sheet, column.name, cell, what)


def break_cell_of(folder: Folder, random: Random, name: str, column: str, cell: str, what: str) -> list[str]:
    """Put a cell into a row of a column; the report names an empty cell by its row alone."""
    sheet = folder.sheets[name]
    row = random.randrange(len(sheet.rows))
    sheet.rows[row][sheet.place(column)] = cell
    shown = f" {cell!r}" if cell else ""
    return [f"{name}.csv, {column}: {what}: row {sheet.line(row)}{shown}.\n"]


def _no_number(cells: tuple[str, ...]) -> Defect:
    def plant(folder: Folder, random: Random) -> list[str]:
        cell = random.choice(cells)
        return break_cell(folder, random, lambda column: column.number, cell, "1 cell is not a number")

    return plant


for _name, _cells in NOT_A_NUMBER.items():
    DEFECTS[_name] = _no_number(_cells)


@defect("an absent number")
def _absent_number(folder: Folder, random: Random) -> list[str]:
    cell = random.choice(("", " "))
    return break_cell(folder, random, lambda column: column.number and column.required, cell, "1 cell is empty")


@defect("a number below its range")
def _below(folder: Folder, random: Random) -> list[str]:
    cell = random.choice(("-5", "-0.001", "-1e6"))
    return break_cell(folder, random, lambda column: column.at_least is not None, cell, "1 value is out of range")


@defect("nothing where there must be something")
def _zero(folder: Folder, random: Random) -> list[str]:
    cell = random.choice(("0", "-0", "0.00"))
    return break_cell(folder, random, lambda column: column.above is not None, cell, "1 value is out of range")


@defect("a number above its range")
def _above(folder: Folder, random: Random) -> list[str]:
    cell = random.choice(("5000", "2500.5", "91430000123456789"))
    return break_cell(folder, random, lambda column: column.at_most is not None, cell, "1 value is out of range")


@defect("a percentage for a fraction")
def _percentage(folder: Folder, random: Random) -> list[str]:
    cell = random.choice(("15", "1.01", "80"))
    return break_cell(folder, random, lambda column: column.at_most == 1, cell, "1 value is out of range")


@defect("a part of a year")
def _not_whole(folder: Folder, random: Random) -> list[str]:
    name, column = random.choice(columns_of(folder, lambda column: column.whole))
    cell = "10.5" if column.unit == "years" else "2027.5"
    return break_cell_of(folder, random, name, column.name, cell, "1 value is not a whole number")


@defect("an identifier for a number")
def _too_large(folder: Folder, random: Random) -> list[str]:
    def open_ended(column: Column) -> bool:
        return column.number and column.at_most is None

    return break_cell(folder, random, open_ended, ENOUGH_DIGITS, "1 value is far too large")


@defect("a choice that is misspelt")
def _misspelt(folder: Folder, random: Random) -> list[str]:
    name, column = random.choice(columns_of(folder, lambda column: len(max(column.choices, default="")) > 4))
    meant = random.choice([choice for choice in column.choices if len(choice) > 4])
    place = random.randrange(1, len(meant) - 1)
    cell = meant[:place] + meant[place + 1 :]
    (told,) = break_cell_of(folder, random, name, column.name, cell, "1 value is not known")
    return [f"{told}   Did you mean {meant!r}? Use one of {', '.join(column.choices)}."]


@defect("a choice that is none")
def _no_choice(folder: Folder, random: Random) -> list[str]:
    cell = random.choice(("水泥", "glass", "Q7", "0"))
    return break_cell(folder, random, lambda column: column.choices, cell, "1 value is not known")


@defect("an absent text")
def _absent_text(folder: Folder, random: Random) -> list[str]:
    cell = random.choice(("", " ", "　"))
    return break_cell(folder, random, lambda column: column.required and not column.number, cell, "1 cell is empty")


def _free(column: Column) -> bool:
    return not column.number and not column.choices


@defect("a hidden character")
def _hidden(folder: Folder, random: Random) -> list[str]:
    cell = f"line{random.choice(HIDDEN)}2"
    return break_cell(folder, random, _free, cell, "1 cell holds a control or invisible character")


@defect("a control character in a note")
def _control(folder: Folder, random: Random) -> list[str]:
    cell = "note" + random.choice(("\x1b[2J", "\x07", "\x9b0m", "\x7f"))
    return break_cell_of(folder, random, "units", "x_note", cell, "1 cell holds a control character")


@defect("a formula for a text")
def _formula(folder: Folder, random: Random) -> list[str]:
    return break_cell(folder, random, _free, random.choice(FORMULAS), "1 cell holds a formula")


@defect("a text that is too long")
def _long(folder: Folder, random: Random) -> list[str]:
    cell = "长" * random.randrange(65, 80)
    return break_cell(folder, random, lambda column: column.identifier, cell, "1 text is too long")


@defect("a row twice")
def _twice(folder: Folder, random: Random) -> list[str]:
    table = random.choice(tables_of(folder))
    sheet = folder.sheets[table.name]
    first = random.randrange(len(sheet.rows))
    sheet.rows.append(list(sheet.rows[first]))
    key = [cell for name in table.key if (cell := sheet.rows[first][sheet.place(name)])]
    named = " ".join(key)
    places = f"row {sheet.line(first)} {named!r}, row {sheet.line(len(sheet.rows) - 1)} {named!r}"
    return [f"{table.file}, {', '.join(table.key)}: 2 rows share an identifier: {places}.\n"]


@defect("two names that differ in width alone")
def _width(folder: Folder, random: Random) -> list[str]:
    sheet = folder.sheets["units"]
    row = random.randrange(len(sheet.rows))
    plain = sheet.rows[row][0]
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in plain)
    sheet.rows.append([wide, *sheet.rows[row][1:]])
    places = f"row {sheet.line(row)} {plain!r}, row {sheet.line(len(sheet.rows) - 1)} {plain!r}"
    return [f"units.csv, unit_id: 2 rows share an identifier: {places}.\n"]


@defect("a column that is missing")
def _no_column(folder: Folder, random: Random) -> list[str]:
    name, column = random.choice(columns_of(folder, lambda column: column.required))
    sheet = folder.sheets[name]
    place = sheet.place(column.name)
    for cells in (sheet.columns, *sheet.rows):
        del cells[place]
    return [f"{name}.csv, {column.name}: the column is missing.\n   Add it: {column.meaning}."]


def add_column(folder: Folder, random: Random, header: str) -> str:
    """Add an empty column to some table; return the table's file."""
    name, sheet = random.choice([*folder.sheets.items()])
    place = random.randrange(len(sheet.columns) + 1)
    sheet.columns.insert(place, header)
    for cells in sheet.rows:
        cells.insert(place, "")
    return f"{name}.csv"


@defect("a column that is misspelt")
def _misspelt_column(folder: Folder, random: Random) -> list[str]:
    header, meant = random.choice((("outptu_t", "output_t"), ("sectr", "sector"), ("enterprise_di", "enterprise_id")))
    holders = [name for name, sheet in folder.sheets.items() if meant in sheet.columns]
    held = {name: folder.sheets[name] for name in [random.choice(holders)]}
    part = type(folder)(held, "")
    return [f"{add_column(part, random, header)}, {header}: is not a column of this table.\n   Did you mean {meant!r}?"]


@defect("a column of another table")
def _unknown_column(folder: Folder, random: Random) -> list[str]:
    header = random.choice(("colour", "Notes", "备注", "2024"))
    told = "is not a column of this table.\n   Rename it, or begin a column of your own with 'x_'."
    return [f"{add_column(folder, random, header)}, {header}: {told}"]


@defect("a column twice")
def _column_twice(folder: Folder, random: Random) -> list[str]:
    header = random.choice(("enterprise_id", "sector", "year", "name"))
    held = {name: sheet for name, sheet in folder.sheets.items() if header in sheet.columns}
    return [f"{add_column(type(folder)(held, ''), random, header)}: has 2 columns named {header!r}.\n"]


@defect("a column without a name")
def _nameless(folder: Folder, random: Random) -> list[str]:
    return [f"{add_column(folder, random, random.choice(('', ' ')))}: has a column without a name.\n"]


@defect("a column with a hidden character in its name")
def _hidden_column(folder: Folder, random: Random) -> list[str]:
    header = f"x_{random.choice(HIDDEN)}a"
    told = f"has a column {header!r}, with a control or invisible character in its name"
    return [f"{add_column(folder, random, header)}: {told}.\n"]
