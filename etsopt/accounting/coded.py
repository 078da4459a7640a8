"""Rows of reports as integers: each row has positions of its unit, month, process, item and flow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.vocabulary import FLOWS, FUELS, ITEMS, PROCESSES
from etsopt.data.tables.schema import SECTORS
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

ITEM = {name: place for place, name in enumerate(ITEMS)}
PROCESS = {name: place for place, name in enumerate(PROCESSES)}
FLOW = {name: place for place, name in enumerate(FLOWS)}
SECTOR = {name: place for place, name in enumerate(SECTORS)}

CHINESE_MONTH = re.compile(r"(\d{4})年(\d{1,2})月")
UNKNOWN = -1
YEARS = (2000, 2100)


def places(texts: NDArray[np.object_], known: dict[str, int]) -> Codes:
    """Return the position of every text, -1 for an unknown one."""
    code, names = pd.factorize(texts)
    return np.array([known.get(name, UNKNOWN) for name in names], dtype=np.int64)[code]


def month_number(text: str) -> int:
    """Return the months since year 0, -1 for a text that is no month.

    >>> month_number("2025-03"), month_number("2025-13")
    (24302, -1)
    """
    year, dash, month = text.partition("-")
    plain = text.isascii() and year.isdigit() and month.isdigit() and (len(year), dash, len(month)) == (4, "-", 2)
    if not plain or not 1 <= int(month) <= 12 or not YEARS[0] <= int(year) <= YEARS[1]:
        return UNKNOWN
    return 12 * int(year) + int(month) - 1


def month_of(text: str) -> str:
    """Return a month as 2025-03, whatever its language; another text as it is.

    >>> month_of("2025年3月"), month_of("2025-03"), month_of("2025年13月")
    ('2025-03', '2025-03', '2025年13月')
    """
    month = CHINESE_MONTH.fullmatch(normalise(text))
    return f"{month[1]}-{int(month[2]):02d}" if month and 1 <= int(month[2]) <= 12 else text


def months_of(cells: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return a column with every month as `month_of` has it."""
    code, names = pd.factorize(cells)
    return np.array([month_of(str(name)) for name in names], dtype=object)[code]


def days(texts: NDArray[np.object_]) -> Codes:
    """Return days since 1970 of dates such as 2025-02-28, -1 for a text that is none.

    >>> days(np.array(["2025-02-28", "2025-02-30", ""], dtype=object)).tolist()
    [20147, -1, -1]
    """
    code, names = pd.factorize(texts)
    return np.array([_day(name) for name in names], dtype=np.int64)[code]


def _day(text: str) -> int:
    # The standard library also takes dates without dashes and weeks.
    if len(text) != 10 or month_number(text[:7]) == UNKNOWN or not text[8:].isascii():
        return UNKNOWN
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days
    except ValueError:
        return UNKNOWN


def joined(columns: Iterable[tuple[Codes, int]]) -> Codes:
    """Return one number for every row from several codes, each with the number of its values."""
    key: Codes | None = None
    for code, count in columns:
        key = code if key is None else key * count + code
    assert key is not None
    return key


@dataclass(frozen=True)
class Coded:
    """Codes of the rows, shape ``(rows,)``; -1 where a word is unknown, which only checks see.

    Parameters
    ----------
    units, sector_of_unit
        Units of the register in alphabetical order, and the sector of each.
    unit, month, process, item, flow
        Positions; months since year 0.
    """

    units: NDArray[np.object_]
    sector_of_unit: Codes
    unit: Codes
    month: Codes
    process: Codes
    item: Codes
    flow: Codes

    @classmethod
    def of(cls, rows: pd.DataFrame, register: pd.DataFrame) -> Coded:
        """Number the words of the rows."""
        units = register["unit_id"].to_numpy()
        month, names = pd.factorize(rows["month"].to_numpy())
        return cls(
            units,
            places(register["sector"].to_numpy(), SECTOR),
            places(rows["unit_id"].to_numpy(), {unit: place for place, unit in enumerate(units)}),
            np.array([month_number(name) for name in names], dtype=np.int64)[month],
            places(rows["process"].to_numpy(), PROCESS),
            places(rows["item"].to_numpy(), ITEM),
            places(rows["flow"].to_numpy(), FLOW),
        )

    def __len__(self) -> int:
        return len(self.unit)

    def select(self, which: NDArray[np.bool_] | Codes) -> Coded:
        """Return the codes of some rows."""
        codes = (self.unit, self.month, self.process, self.item, self.flow)
        return Coded(self.units, self.sector_of_unit, *(code[which] for code in codes))

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """True for rows whose words are all known."""
        codes = (self.unit, self.month, self.process, self.item, self.flow)
        return np.logical_and.reduce([code != UNKNOWN for code in codes])

    @cached_property
    def sector(self) -> Codes:
        """Sector of every row, -1 for an unknown unit."""
        return np.where(self.unit == UNKNOWN, UNKNOWN, self.sector_of_unit[self.unit]) if len(self.units) else self.unit

    @property
    def is_fuel(self) -> NDArray[np.bool_]:
        """True for rows of a fuel."""
        return np.isin(self.item, [ITEM[name] for name in FUELS])

    @cached_property
    def fuel_month(self) -> tuple[Codes, int]:
        """Number of the unit, month and item of every row, and their count: one fuel has one calorific value there."""
        key = joined([(self.unit, 0), (self.month, 12 * (YEARS[1] + 1)), (self.item, len(ITEMS))])
        names, code = np.unique(key, return_inverse=True)
        return code, len(names)
