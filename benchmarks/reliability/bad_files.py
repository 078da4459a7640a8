"""Defects of whole files, across tables, of the policy and of `--set`; and several defects at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.reliability.bad_cells import break_cell_of, columns_of, defect
from benchmarks.reliability.folders import NAMES

if TYPE_CHECKING:
    from random import Random

    from benchmarks.reliability.folders import Folder


def lines_of(folder: Folder, name: str) -> list[bytes]:
    """Return the lines, without ends, of a file without multi-line text and blank lines."""
    sheet = folder.sheets[name.removesuffix(".csv")]
    sheet.blank_before = frozenset()
    for cells in sheet.rows:
        cells[:] = [cell.replace("\n", " ").replace('"', "") for cell in cells]
    return folder.content(name).splitlines()


def some_file(folder: Folder, random: Random) -> str:
    return f"{random.choice([*folder.sheets])}.csv"


def put(folder: Folder, name: str, lines: list[bytes]) -> None:
    folder.files[name] = b"\n".join(lines) + b"\n"


@defect("a row with a cell too many or too few")
def _uneven(folder: Folder, random: Random) -> list[str]:
    name, sheet = random.choice([*folder.sheets.items()])
    row, width = random.randrange(len(sheet.rows)), len(sheet.columns)
    cells = sheet.rows[row]
    cells[:] = random.choice(([*cells, "000"], cells[:-1], cells[:2]))
    told = f"1 row does not have the {width} cells of the first line: row {sheet.line(row)} '{len(cells)} cells'"
    return [f"{name}.csv: {told}.\n"]


@defect("a stray quotation mark")
def _stray(folder: Folder, random: Random) -> list[str]:
    name = some_file(folder, random)
    lines = lines_of(folder, name)
    row = random.randrange(1, len(lines))
    lines[row] = b'"a" b,' + lines[row].partition(b",")[2]
    put(folder, name, lines)
    return [f"{name}: is not valid CSV in line {row + 1} (',' expected after '\"').\n"]


@defect("an open quotation mark")
def _open(folder: Folder, random: Random) -> list[str]:
    name = some_file(folder, random)
    lines = lines_of(folder, name)
    row = random.randrange(1, len(lines))
    lines[row] = b'"' + lines[row].replace(b'"', b"")
    lines[row + 1 :] = [line.replace(b'"', b"") for line in lines[row + 1 :]]
    put(folder, name, lines)
    return [f"{name}: is not valid CSV in line {row + 1} (unexpected end of data).\n"]


@defect("another separator")
def _separator(folder: Folder, random: Random) -> list[str]:
    name, separator = some_file(folder, random), random.choice((b";", b"\t", b"|"))
    put(folder, name, [line.replace(b",", separator) for line in lines_of(folder, name)])
    return [f"{name}: is not separated by commas.\n"]


@defect("an empty file")
def _empty(folder: Folder, random: Random) -> list[str]:
    name = some_file(folder, random)
    folder.files[name] = random.choice((b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf"))
    return [f"{name}: is empty.\n"]


@defect("a header alone")
def _header_alone(folder: Folder, random: Random) -> list[str]:
    name = random.choice([*folder.sheets])
    folder.sheets[name].rows.clear()
    return [f"{name}.csv: has no rows.\n"]


@defect("a NUL character")
def _nul(folder: Folder, random: Random) -> list[str]:
    name = some_file(folder, random)
    lines = lines_of(folder, name)
    row = random.randrange(1, len(lines))
    cells = lines[row].split(b",")
    cells[random.randrange(len(cells))] += b"\0"
    lines[row] = b",".join(cells)
    put(folder, name, lines)
    return [f"{name}: contains NUL characters, the first in line {row + 1}.\n"]


@defect("a file in UTF-16")
def _utf_16(folder: Folder, random: Random) -> list[str]:
    name = random.choice(("policy.toml", some_file(folder, random)))
    folder.encoding = random.choice(("utf-16", "utf-16-le"))
    mark = b"\xff\xfe" if folder.encoding == "utf-16-le" else b""
    folder.files[name] = mark + folder.content(name)
    folder.encoding = "utf-8"
    return [f"{name}: is encoded in UTF-16.\n"]


@defect("a file in a Western European encoding")
def _latin(folder: Folder, random: Random) -> list[str]:
    sheet = folder.sheets["units"]
    for cells in sheet.rows:
        cells[:] = [cell if cell.isascii() else "Hebei" for cell in cells]
    row = random.randrange(len(sheet.rows))
    name = random.choice(("Böhler", "Zürcher Zement", "Société", "Compañía"))
    sheet.rows[row][sheet.place("name")] = name
    byte = next(sign for sign in name if not sign.isascii()).encode("latin-1")[0]
    folder.files["units.csv"] = sheet.text(folder.line_end).encode("latin-1")
    return [f"units.csv: is neither UTF-8 (byte 0x{byte:02x} in line {sheet.line(row)}) nor plainly Chinese GBK.\n"]


@defect("a character cut in two")
def _cut(folder: Folder, random: Random) -> list[str]:
    name = some_file(folder, random)
    lines = lines_of(folder, name)
    row = random.randrange(1, len(lines))
    lines[:] = [line.decode().encode("ascii", "replace") for line in lines]
    lines[row] = lines[row] + b"\xe6\xb0"
    put(folder, name, lines)
    return [f"{name}: is neither UTF-8 (byte 0xe6 in line {row + 1}) nor plainly Chinese GBK.\n"]


@defect("a file that is missing")
def _missing(folder: Folder, random: Random) -> list[str]:
    name = random.choice(("units.csv", "policy.toml"))
    folder.files[name] = None
    return [f"{name}: the file is missing.\n"]


@defect("a table in two formats")
def _both(folder: Folder, random: Random) -> list[str]:
    name = random.choice([*folder.sheets])
    folder.files[f"{name}.parquet"] = b"PAR1"
    return [f"{name}.csv: is present beside {name}.parquet.\n"]


@defect("a Parquet file that is none")
def _parquet(folder: Folder, random: Random) -> list[str]:
    name = random.choice([*folder.sheets])
    folder.files[f"{name}.csv"] = None
    folder.files[f"{name}.parquet"] = random.choice((b"", b"PAR1", b"unit_id\na\n", b"PAR1" + bytes(40) + b"PAR1"))
    return [f"{name}.parquet: is not a Parquet file ("]


@defect("an enterprise without a row")
def _no_enterprise(folder: Folder, random: Random) -> list[str]:
    sheet = folder.sheets["enterprises"]
    if len(sheet.rows) == 1:
        sheet.rows.append(["another", *sheet.rows[0][1:]])
    name = sheet.rows.pop(random.randrange(len(sheet.rows)))[0]
    if name == "another":
        name = sheet.rows.pop()[0]
        sheet.rows.append(["another", *([""] * (len(sheet.columns) - 1))])
    return [f"enterprises.csv, enterprise_id: 1 enterprise of units.csv has no row: {name}.\n"]


@defect("a part above the whole")
def _part(folder: Folder, random: Random) -> list[str]:
    sheet = folder.sheets["units"]
    cells = random.choice(sheet.rows)
    part = str(2 * int(cells[sheet.place("emissions_tco2e")]))
    cells[sheet.place("intensity_emissions_tco2e")] = part
    told = f"1 value exceeds the unit's whole emissions: row of {cells[0]} {part!r}"
    return [f"units.csv, intensity_emissions_tco2e: {told}.\n"]


@defect("an output in kt")
def _kilotonnes(folder: Folder, random: Random) -> list[str]:
    sheet = folder.sheets["units"]
    cells = random.choice(sheet.rows)
    place = sheet.place("output_t")
    cells[place] = str(float(cells[place]) / 1000)
    intensity = float(cells[sheet.place("emissions_tco2e")]) / float(cells[place])
    place = "emissions_tco2e or output_t: 1 unit has about 1000 times the plausible intensity of its sector"
    return [f"units.csv, {place}: row of {cells[0]} '{intensity:.6g} t/t'.\n"]


@defect("a row of a unit that is not there")
def _no_unit(folder: Folder, random: Random) -> list[str]:
    name = random.choice(("measures", "forecast"))
    sheet = folder.sheets[name]
    cells = random.choice(sheet.rows)
    cells[sheet.place("unit_id")], cells[sheet.place("sector")] = "gone", ""
    where = f"{cells[0]} at gone" if name == "measures" else f"gone in {cells[sheet.place('year')]}"
    told = f"1 row is of a unit that units.csv does not have: row of {where} 'gone'"
    return [f"{name}.csv, unit_id: {told}.\n"]


@defect("a row of a unit and a sector at once")
def _two_places(folder: Folder, random: Random) -> list[str]:
    sheet, unit = folder.sheets["measures"], random.choice(folder.sheets["units"].rows)
    cells = random.choice(sheet.rows)
    cells[sheet.place("unit_id")], cells[sheet.place("sector")] = unit[0], unit[3]
    told = f"1 row does not name exactly one of the two: row of {cells[0]} at {unit[0]} {unit[3]}"
    return [f"measures.csv, unit_id, sector: {told}.\n"]


@defect("an output stated twice, or not at all")
def _outputs(folder: Folder, random: Random) -> list[str]:
    sheet = folder.sheets["forecast"]
    cells = sheet.rows[-1]
    both = random.random() < 0.5
    cells[sheet.place("output_t")], cells[sheet.place("output_factor")] = ("500000", "1.1") if both else ("", "")
    told = f"1 row does not state exactly one of the two: row of {cells[0]} in 2028"
    return [f"forecast.csv, output_t, output_factor: {told}.\n"]


@defect("a year that is over")
def _past(folder: Folder, random: Random) -> list[str]:
    sheet, year = folder.sheets["forecast"], random.choice(("2025", "2024", "2001"))
    cells = random.choice(sheet.rows)
    cells[sheet.place("year")] = year
    where = cells[0] or cells[1]
    return [f"forecast.csv, year: 1 row is not after 2025: row of {where} in {year} {year!r}.\n"]


@defect("costs of another year")
def _price_year(folder: Folder, random: Random) -> list[str]:
    sheet, year = folder.sheets["measures"], random.choice(("2024", "2019", "2030"))
    cells = random.choice(sheet.rows)
    cells[sheet.place("price_year")] = year
    where = f"row of {cells[0]} at {cells[2] or cells[3]} {year!r}"
    told = "1 row is not in CNY of 2025, the price year of the policy"
    return [f"measures.csv, price_year: {told}: {where}.\n"]


@defect("a measure that requires none that is there")
def _requires(folder: Folder, random: Random) -> list[str]:
    sheet = folder.sheets["measures"]
    cells = random.choice(sheet.rows)
    cells[sheet.place("requires")] = "kiln-9"
    return [f"measures.csv, requires: {cells[0]!r} requires 'kiln-9', which is not a measure of the same unit"]


@defect("several defects of cells at once")
def _several(folder: Folder, random: Random) -> list[str]:
    """Break one to three cells of every table, none in a key column, and keys of the policy."""
    told = []
    for name in folder.sheets:
        free = [
            column.name
            for holder, column in columns_of(folder, lambda column: column.number)
            if holder == name and column.name != "year"
        ]
        for column in random.sample(free, random.randrange(1, min(4, len(free)))):
            cell = f"{random.choice(('some', 'much', 'x'))} {random.randrange(100)}"
            told += break_cell_of(folder, random, name, column, cell, "1 cell is not a number")
    folder.policy += f'\n[national]\ncolour = "{random.choice(NAMES[:1])}"\n'
    return [*told, "policy.toml, national.colour: is not a key of the policy.\n"]


@defect("several rows of one defect")
def _rows(folder: Folder, random: Random) -> list[str]:
    sheet = folder.sheets["units"]
    place = sheet.place("emissions_tco2e")
    rows = sorted(random.sample(range(len(sheet.rows)), random.randrange(2, 4)))
    for row in rows:
        sheet.rows[row][place] = f"about {row}"
    shown = ", ".join(f"row {sheet.line(row)} 'about {row}'" for row in rows)
    return [f"units.csv, emissions_tco2e: {len(rows)} cells are not numbers: {shown}.\n"]
