"""Plant faults in drawn monthly reports: three of each of ten kinds, each in a plant of its own.

The size of a fault is drawn log-uniformly from 2 to 1,000 % of the item. It multiplies or divides the quantity, or
is the time beyond a period: 40 days to file a month, 12 months between calibrations. Of the copies, those are taken
whose figures differ most nearly by it. A missing month is missing as a whole.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting import Reports, account
from instances.draw_reports import YEAR, month_end

if TYPE_CHECKING:
    from collections.abc import Callable

    Rows = pd.DataFrame
    Planted = dict[str, Any]

OF_EACH = 3
SIZES = (0.02, 10.0)
FILING_DAYS, CALIBRATION_DAYS = 40, 365
MAIN = {
    "aluminium": ("electrolysis", "anode", "in"),
    "cement": ("clinker", "bituminous", "in"),
    "steel": ("ironmaking", "coke", "in"),
}
OUTPUT = {
    "aluminium": ("electrolysis", "aluminium", "product"),
    "cement": ("clinker", "portland_clinker", "product"),
    "steel": ("ironmaking", "pig_iron", "product"),
}
KEY = ["process", "item", "flow", "batch"]


class Case:
    """Reports in which faults are planted, and the choice of the plant, month and size of the next."""

    def __init__(self, rows: Rows, register: pd.DataFrame, random: np.random.Generator) -> None:
        self.rows, self.random = rows.copy(), random
        self.sector = register.set_index("unit_id")["sector"].to_dict()
        self.clean = list(self.sector)

    def unit(self, *sectors: str) -> str:
        """Take a plant that has no fault yet."""
        able = [unit for unit in self.clean if not sectors or self.sector[unit] in sectors]
        unit = str(self.random.choice(able))
        self.clean.remove(unit)
        return unit

    def month(self) -> int:
        """Draw a month, 1 to 12."""
        return int(self.random.integers(1, 13))

    def of(self, unit: str, month: int | None = None, key: tuple[str, str, str] | None = None) -> pd.Series[bool]:
        """Return which rows are of a plant, and perhaps of a month and of an item."""
        which = self.rows["unit_id"] == unit
        if month is not None:
            which &= self.rows["month"] == text(month)
        if key is not None:
            for column, cell in zip(KEY, key, strict=False):
                which &= self.rows[column] == cell
        return which

    def factor(self, size: float) -> float:
        """Return a factor by which the larger figure exceeds the smaller by ``size``, up or down."""
        return float(1 + size if self.random.random() < 0.5 else 1 / (1 + size))

    def multiplied(self, size: float, unit: str, month: int, key: tuple[str, str, str], column: str) -> Planted:
        """Multiply a cell."""
        row = self.of(unit, month, key)
        factor = self.factor(size)
        self.rows.loc[row, column] = (self.rows.loc[row, column] * factor).round(3 if "ncv" in column else 2)
        return found(unit, month, key, size, change=abs(factor - 1))


def text(month: int) -> str:
    """Return a month of the year as reports write it."""
    return f"{YEAR}-{month:02d}"


def found(
    unit: str, month: int, key: tuple[str, str, str], size: float, months: int = 1, change: float | None = None
) -> Planted:
    """Return a row of the list of faults; ``change`` is that of the item relative to itself before, else the size."""
    names = dict(zip(("process", "item", "flow"), key, strict=True))
    sizes = {"size_rate": size, "change": size if change is None else change}
    return {"unit_id": unit, "month": text(month), "months": months, **names, **sizes}


def missing_month(case: Case, size: float) -> Planted:
    """Leave out a month."""
    unit, month = case.unit(), case.month()
    case.rows = case.rows[~case.of(unit, month)].reset_index(drop=True)
    return found(unit, month, ("", "", ""), 1.0)


def late_month(case: Case, size: float) -> Planted:
    """File a month after the days allowed."""
    unit, month = case.unit(), case.month()
    days = max(1, round(FILING_DAYS * size))
    day = month_end(month) + datetime.timedelta(FILING_DAYS + days)
    case.rows.loc[case.of(unit, month), "reported_on"] = day.isoformat()
    return found(unit, month, ("", "", ""), days / FILING_DAYS)


def jump(case: Case, size: float) -> Planted:
    """Multiply any one quantity of a month."""
    unit, month = case.unit(), case.month()
    own = case.rows[case.of(unit, month) & (case.rows["flow"] != "test")]
    row = own.iloc[int(case.random.integers(len(own)))]
    return case.multiplied(size, unit, month, (row["process"], row["item"], row["flow"]), "quantity")


def emissions_ratio(case: Case, size: float) -> Planted:
    """Multiply the output of a month."""
    unit, month = case.unit(), case.month()
    return case.multiplied(size, unit, month, OUTPUT[case.sector[unit]], "quantity")


def heat_rate(case: Case, size: float) -> Planted:
    """Multiply the coal of a clinker line in a month, or its calorific value."""
    unit, month = case.unit("cement"), case.month()
    if case.random.random() < 0.5:
        return case.multiplied(size, unit, month, ("clinker", "bituminous", "test"), "ncv_gj_per_unit")
    return case.multiplied(size, unit, month, MAIN["cement"], "quantity")


def coke_or_anode_rate(case: Case, size: float) -> Planted:
    """Multiply the coke of ironmaking or the anodes of a month."""
    unit, month = case.unit("steel", "aluminium"), case.month()
    return case.multiplied(size, unit, month, MAIN[case.sector[unit]], "quantity")


def _figures(case: Case, unit: str, month: int, process: str) -> pd.Series[float]:
    own = case.rows[case.of(unit, month) & (case.rows["process"] == process)]
    return own.set_index(KEY)["quantity"]


def _copied(case: Case, unit: str, size: float, pairs: list[tuple[int, str, int]]) -> Planted:
    """Copy the figures of a process: of the pairs of month and source, those that differ most nearly by ``size``."""
    key = MAIN[case.sector[unit]]
    process, able = key[0], []
    for month, source, other in pairs:
        own, theirs = _figures(case, unit, month, process), _figures(case, source, other, process)
        if set(own.index) == set(theirs.index):
            one, two = own[(*key, "")], theirs[(*key, "")]
            able.append((abs(np.log(max(one, two) / min(one, two) - 1 + 1e-9) - np.log(size)), month, source, other))
    _, month, source, other = min(able)
    # A source has no fault of its own.
    case.clean = [name for name in case.clean if name != source]
    own, theirs = _figures(case, unit, month, process), _figures(case, source, other, process)
    rows = case.rows.index[case.of(unit, month) & (case.rows["process"] == process)]
    case.rows.loc[rows, "quantity"] = theirs[own.index].to_numpy()
    one, two = own[(*key, "")], theirs[(*key, "")]
    return found(unit, month, key, max(one, two) / min(one, two) - 1, change=abs(two / one - 1))


def copy_of_month(case: Case, size: float) -> Planted:
    """Copy a process from another month."""
    unit = case.unit()
    return _copied(case, unit, size, [(m, unit, other) for m in range(1, 13) for other in range(1, 13) if m != other])


def copy_of_unit(case: Case, size: float) -> Planted:
    """Copy a process from another plant."""
    unit, month = case.unit(), case.month()
    sources = [other for other in case.clean if case.sector[other] == case.sector[unit]]
    return _copied(case, unit, size, [(month, source, month) for source in sources])


def last_digits(case: Case, size: float) -> Planted:
    """Multiply the main fuel of the year, and let all its figures end alike."""
    unit = case.unit()
    key = MAIN[case.sector[unit]]
    row = case.of(unit, None, key)
    factor = case.factor(size)
    made = case.rows.loc[row, "quantity"] * factor
    pattern = int(case.random.integers(3))
    digits = case.random.integers(0, 2, size=int(row.sum())) * 0.05
    case.rows.loc[row, "quantity"] = (
        made.round(-1),
        ((made * 10).round() / 10 + digits).round(2),
        (made // 1 + int(case.random.integers(1, 100)) / 100).round(2),
    )[pattern]
    return found(unit, 1, key, size, months=12, change=abs(factor - 1))


def calibration(case: Case, size: float) -> Planted:
    """Leave the meter of the main fuel without calibration until a month."""
    unit, month = case.unit(), case.month()
    key = MAIN[case.sector[unit]]
    overdue = max(1, round(CALIBRATION_DAYS * size))
    day = month_end(month) - datetime.timedelta(CALIBRATION_DAYS + overdue)
    first = month
    for number in range(1, month + 1):
        row = case.of(unit, number, key)
        # Before, the meter had the same last calibration, unless that was not yet done.
        if month_end(number) >= day:
            case.rows.loc[row, "calibrated_on"] = day.isoformat()
            if (month_end(number) - day).days > CALIBRATION_DAYS:
                first = min(first, number)
    return found(unit, first, key, overdue / CALIBRATION_DAYS, months=month - first + 1)


KINDS: dict[str, Callable[[Case, float], Planted]] = {
    # Those that only some sectors can have come first, so that plants of these are left.
    "heat rate of clinker": heat_rate,
    "coke or anode rate": coke_or_anode_rate,
    "copy of another unit": copy_of_unit,
    "missing month": missing_month,
    "late month": late_month,
    "jump": jump,
    "emissions ratio": emissions_ratio,
    "copy of another month": copy_of_month,
    "last-digit pattern": last_digits,
    "meter calibration older than 12 months": calibration,
}


def planted(rows: Rows, register: pd.DataFrame, random: np.random.Generator) -> tuple[Rows, pd.DataFrame]:
    """Return the reports with faults, and the list of these."""
    case = Case(rows, register, random)
    sizes = np.exp(random.uniform(*np.log(SIZES), size=OF_EACH * len(KINDS)))
    faults = [
        {"kind": kind, **plant(case, float(sizes[OF_EACH * number + time]))}
        for number, (kind, plant) in enumerate(KINDS.items())
        for time in range(OF_EACH)
    ]
    table = pd.DataFrame(faults)
    table.insert(0, "fault", [f"F{number:02d}" for number in range(1, len(table) + 1)])
    table["size_t"] = _tonnes(table, rows, register).round(2)
    table["size_rate"] = table["size_rate"].round(4)
    return case.rows, table[["fault", "unit_id", "month", "months", "kind", *KEY[:3], "size_rate", "size_t"]]


def _tonnes(table: pd.DataFrame, rows: Rows, register: pd.DataFrame) -> pd.Series[float]:
    """Return the change times the emissions of the item before, or of the unit if the item is its output or all."""
    accounts = account(Reports.from_frames(register, rows))
    first = accounts.lines.groupby(["unit_id", "month", "process", "item", "flow"])["emissions_tco2e"].sum().abs()
    whole = accounts.unit_months.set_index(["unit_id", "month"])["emissions_tco2e"]
    sizes = []
    for fault in table.itertuples():
        flow = "in" if fault.flow == "test" else fault.flow
        start = int(fault.month[-2:])
        own = 0.0
        for month in range(start, start + fault.months):
            name = (fault.unit_id, text(month))
            by_item = fault.item and flow != "product"
            own += first[(*name, fault.process, fault.item, flow)] if by_item else whole[name]
        sizes.append(own * fault.change)
    return pd.Series(sizes)
