"""Valid instance folders by seed, as text cells, to be broken in one place of a known line."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

INTENSITY = {"cement": 0.83, "steel": 2.06, "aluminium": 1.57}
"""Typical emissions of a whole unit per tonne of product [t/t]."""

PROVINCES = ("安徽", "河北省", "云南", "Hebei", "Hunan", "内蒙古自治区", "Shandong")
NAMES = (
    "海螺水泥",
    "芜湖一号线",
    "Line 1",
    "武安钢铁, 东区",
    'The "old" mill',
    "魏桥铝业",
    "朱镕二号",
    "Aciérie du Nord",
)
NOTES = ("", "two\nlines", "checked", "见附件,第二页", "O'Neill")


@dataclass
class Sheet:
    """A table as in a CSV file: columns, rows of texts, and the rows preceded by a blank line."""

    columns: list[str]
    rows: list[list[str]]
    blank_before: frozenset[int] = frozenset()

    def place(self, column: str) -> int:
        return self.columns.index(column)

    def line(self, row: int) -> int:
        """Return the line of the file in which a row begins."""
        before = self.rows[:row]
        blank = sum(place <= row for place in self.blank_before)
        return 2 + len(before) + blank + sum(cell.count("\n") for cells in before for cell in cells)

    def text(self, line_end: str) -> str:
        written = io.StringIO()
        writer = csv.writer(written, lineterminator=line_end)
        writer.writerow(self.columns)
        for number, cells in enumerate(self.rows):
            if number in self.blank_before:
                written.write(line_end)
            writer.writerow(cells)
        return written.getvalue()


@dataclass
class Folder:
    """An instance folder before it is written, and further arguments of `etsopt validate`.

    Parameters
    ----------
    sheets
        Tables by their names.
    policy
        Text of ``policy.toml``.
    encoding, line_end
        Of all files.
    files
        Bytes that replace the content of a file; None for an absent file.
    arguments
        Further arguments of the command.
    """

    sheets: dict[str, Sheet]
    policy: str
    encoding: str = "utf-8"
    line_end: str = "\n"
    files: dict[str, bytes | None] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)

    def content(self, name: str) -> bytes:
        """Return the bytes of a file without `files`."""
        text = self.policy if name == "policy.toml" else self.sheets[name.removesuffix(".csv")].text(self.line_end)
        return text.encode(self.encoding)

    def write(self, folder: Path) -> None:
        folder.mkdir()
        files = {name: self.content(name) for name in ("policy.toml", *(f"{sheet}.csv" for sheet in self.sheets))}
        for name, content in (files | self.files).items():
            if content is not None:
                (folder / name).write_bytes(content)


def valid_folder(random: Random) -> Folder:
    """Return a valid folder with every table and column, in a random encoding with random line ends."""
    units = _units(random)
    identifiers = [row[0] for row in units.rows]
    owners = sorted({row[1] for row in units.rows})
    sectors = sorted({row[3] for row in units.rows})
    sheets = {
        "units": units,
        "enterprises": _enterprises(random, owners),
        "measures": _measures(random, sectors, identifiers),
        "forecast": _forecast(random, sectors, identifiers),
    }
    for sheet in sheets.values():
        sheet.blank_before = frozenset(row for row in range(len(sheet.rows)) if random.random() < 0.1)
    policy = f'year = 2025\n\n[rule]\nname = "cn-2025"\n\n[sectors.{sectors[0]}]\nband = 0.03\n'
    encoding = random.choice(("utf-8", "utf-8", "utf-8-sig"))
    return Folder(sheets, policy, encoding, random.choice(("\n", "\r\n")))


def _units(random: Random) -> Sheet:
    columns = ["unit_id", "enterprise_id", "name", "sector", "province", "emissions_tco2e", "output_t"]
    columns += ["intensity_output_t", "intensity_emissions_tco2e", "special_case", "carbide_slag_rate"]
    columns += ["prior_emissions_tco2e", "pre_allocated_t", "reference_t", "x_note"]
    rows = []
    for number in range(random.randrange(3, 9)):
        sector = random.choice([*INTENSITY])
        emissions = round(10 ** random.uniform(4.7, 7.2))
        output = round(emissions / INTENSITY[sector] / random.uniform(0.8, 1.25))
        iron = [str(round(output * 0.9)), str(round(output * 0.8))] if sector == "steel" else ["", ""]
        identity = [f"unit-{number}", f"firm-{random.randrange(4)}", random.choice(NAMES), sector]
        figures = [str(emissions), str(output), *iron, "", "", str(round(emissions * 1.02)), "", ""]
        rows.append([*identity, random.choice(PROVINCES), *figures, random.choice(NOTES)])
    random.shuffle(rows)
    return Sheet(columns, rows)


def _enterprises(random: Random, owners: list[str]) -> Sheet:
    columns = ["enterprise_id", "name", "province", "city", "net_sales_t", "opening_2023_t", "opening_2024_t"]
    rows = [[owner, random.choice(NAMES), random.choice(PROVINCES), "", "-120.5", "", "3000"] for owner in owners]
    return Sheet(columns, rows)


def _measures(random: Random, sectors: list[str], units: list[str]) -> Sheet:
    columns = ["measure_id", "name", "unit_id", "sector", "abatement_rate", "intensity_abatement_rate"]
    columns += ["maximum_share", "first_year", "lifetime_years", "capex_cny_per_t", "fixed_opex_cny_per_t"]
    columns += ["variable_opex_cny_per_t", "fuel_saving_cny_per_t", "exclusive_group", "requires"]
    columns += ["electricity_only", "price_year", "confidence", "source"]
    rows = []
    for number in range(random.randrange(2, 6)):
        belongs = ["", random.choice(sectors)] if number % 2 else [random.choice(units), ""]
        figures = [f"{random.uniform(0.01, 0.2):.4f}", "", "0.8", "2026", "15", "38.5", "-0.5", "1.5", "", "", ""]
        rows.append([f"measure-{number}", random.choice(NAMES), *belongs, *figures, "no", "2025", "B", "a catalogue"])
    return Sheet(columns, rows)


def _forecast(random: Random, sectors: list[str], units: list[str]) -> Sheet:
    columns = ["unit_id", "sector", "year", "output_t", "output_factor", "intensity_factor"]
    rows = [["", sector, str(year), "", "1.02", "0.98"] for sector in sectors for year in (2026, 2030)]
    rows.append([random.choice(units), "", "2028", "", "1.1", ""])
    return Sheet(columns, rows)
