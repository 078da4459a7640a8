"""Checks of the rows of reports beyond their cells: words that fit together, versions, and the choice of a factor.

Each check returns problems by file, line and column. A row with an unknown word has a problem already, and is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.clauses import default_by_clause
from etsopt.accounting.coded import FLOW, ITEM, PROCESS, SECTOR, UNKNOWN, Coded, days, joined
from etsopt.accounting.vocabulary import (
    ACCOUNTED,
    ALLOWED,
    COKE,
    ENTERPRISE,
    FLOWS,
    GAS_UNIT,
    ITEMS,
    MINUTES,
    PROCESSES,
    PROCESSES_OF,
    TONNE,
)
from etsopt.data.messages import counted, did_you_mean
from etsopt.errors import Problem
from etsopt.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

UNITS = np.array([TONNE, GAS_UNIT, MINUTES], dtype=object)

DAYS = ("reported_on", "calibrated_on")

FITS = np.zeros((len(PROCESSES), len(FLOWS), len(ITEMS)), dtype=bool)
for (_process, _flow), _names in ALLOWED.items():
    FITS[PROCESS[_process], FLOW[_flow], [ITEM[name] for name in _names]] = True

OF_SECTOR = np.zeros((len(SECTOR), len(PROCESSES)), dtype=bool)
for _sector, _names in PROCESSES_OF.items():
    OF_SECTOR[SECTOR[_sector], [PROCESS[name] for name in _names]] = True


class RowChecks:
    """The rows of all files with their codes, and a problem for each file with wrong rows."""

    def __init__(self, rows: pd.DataFrame, coded: Coded) -> None:
        self.rows, self.coded = rows, coded
        self.measured: Mask = rows["ncv_gj_per_unit"].notna().to_numpy()

    def all(self) -> list[Problem]:
        """Return the problems of every check."""
        checks = (
            _units,
            _months,
            _days,
            _words,
            _processes,
            _items,
            _units_of_measure,
            _calorific_values,
            _defaults,
            _complete,
            _minutes,
        )
        return [problem for check in checks for problem in check(self)] + list(_versions(self))

    def problems(
        self, bad: Mask, column: str, what: tuple[str, str], advice: str | Callable[[int], str]
    ) -> list[Problem]:
        """Return a problem for every file with bad rows; ``advice`` may depend on the first of them."""
        where = np.flatnonzero(bad)
        if not len(where):
            return []
        files, lines = self.rows["file"].to_numpy(), self.rows["line"].to_numpy()
        cells = self.rows[column.split(", ")[-1]].to_numpy()
        problems = []
        for file in pd.unique(files[where]):
            own = where[files[where] == file]
            shown = tuple((str(lines[row]), _shown(cells[row])) for row in own)
            text = advice if isinstance(advice, str) else advice(int(own[0]))
            problems.append(Problem(file, counted(len(own), *what), text, column, shown))
        return problems


def _shown(cell: Any) -> str:
    """Return a cell as a file may write it: absent numbers are empty, whole ones have no point."""
    if isinstance(cell, float):
        return "" if cell != cell else repr(float(cell)).removesuffix(".0")
    return str(cell)


def _units(check: RowChecks) -> Iterator[Problem]:
    """Find units that are not in the register, or have no formulas here."""
    stated = (check.rows["unit_id"] != "").to_numpy()
    what = (_("unit is not in the register"), _("rows have units that are not in the register"))
    yield from check.problems(
        (check.coded.unit == UNKNOWN) & stated, "unit_id", what, _("Correct it, or add the unit to register.csv.")
    )
    accounted = np.isin(check.coded.sector, [SECTOR[name] for name in ACCOUNTED])
    what = (_("row is of a power unit"), _("rows are of power units"))
    advice = _("Leave them out: power has a guideline of its own. State direct_emissions_tco2e in register.csv.")
    yield from check.problems(~accounted & (check.coded.unit != UNKNOWN), "unit_id", what, advice)


def _months(check: RowChecks) -> Iterator[Problem]:
    stated = (check.rows["month"] != "").to_numpy()
    what = (_("value is not a month"), _("values are not months"))
    advice = _("Write year and month with a dash, such as 2025-01.")
    yield from check.problems((check.coded.month == UNKNOWN) & stated, "month", what, advice)


def _days(check: RowChecks) -> Iterator[Problem]:
    """Find dates that are no days of the calendar."""
    for column in DAYS:
        cells = check.rows[column].to_numpy()
        what = (_("value is not a day"), _("values are not days"))
        advice = _("Write year, month and day with dashes, such as 2025-02-28, or leave it empty.")
        yield from check.problems((days(cells) == UNKNOWN) & (cells != ""), column, what, advice)


def _words(check: RowChecks) -> Iterator[Problem]:
    """Find items that are not in the vocabulary."""
    cells = check.rows["item"].to_numpy()
    what = (_("item is not known"), _("items are not known"))
    yield from check.problems(
        (check.coded.item == UNKNOWN) & (cells != ""),
        "item",
        what,
        lambda row: _(
            "{guess}etsopt/accounting/README.md lists the items, in English and Chinese. What is not among them has no "
            "factor here, although a guideline may count it: name the item of its tables to which it belongs.",
            guess=did_you_mean(str(cells[row]), ITEMS),
        ),
    )


def _processes(check: RowChecks) -> Iterator[Problem]:
    """Find processes of another sector than the unit's."""
    coded = check.coded
    both = (coded.process != UNKNOWN) & np.isin(coded.sector, [SECTOR[name] for name in ACCOUNTED])
    wrong = both & ~OF_SECTOR[coded.sector, coded.process]
    what = (_("process is not one of the unit's sector"), _("processes are not of the unit's sector"))

    def advice(row: int) -> str:
        sector = ACCOUNTED[[SECTOR[name] for name in ACCOUNTED].index(int(coded.sector[row]))]
        return _("Use a process of {sector}: {processes}.", sector=sector, processes=", ".join(PROCESSES_OF[sector]))

    yield from check.problems(wrong, "process", what, advice)


def _items(check: RowChecks) -> Iterator[Problem]:
    """Find items that the guideline does not count at a process and flow."""
    coded, rows = check.coded, check.rows
    wrong = coded.known & ~FITS[coded.process, coded.flow, coded.item]
    what = (_("item has no place at this process and flow"), _("items have no place at their process and flow"))

    def advice(row: int) -> str:
        process, flow = rows["process"].iat[row], rows["flow"].iat[row]
        items = ALLOWED.get((process, flow), ())
        flows = ", ".join(flow for flow in FLOWS if (process, flow) in ALLOWED)
        names = f"{', '.join(items[:8])}{', ...' if len(items) > 8 else ''}"
        if not items:
            return _("Correct the flow: {process} has {flows}.", process=process, flows=flows)
        text = _("Correct flow or process, or leave the row out: {process} counts, by {flow}, {names}.")
        return _(text, process=process, flow=flow, names=names)

    yield from check.problems(wrong, "item", what, advice)


def _units_of_measure(check: RowChecks) -> Iterator[Problem]:
    """Find quantities in another unit than that of the factor."""
    wanted = np.array([item.unit for item in ITEMS.values()], dtype=object)
    own = check.rows["unit"].to_numpy()
    wrong = (check.coded.item != UNKNOWN) & (own != wanted[check.coded.item]) & np.isin(own, UNITS)
    what = (_("quantity is in the wrong unit"), _("quantities are in the wrong unit"))
    yield from check.problems(
        wrong,
        "unit",
        what,
        lambda row: _(
            "Convert the quantity: {item} is counted in {unit}.",
            item=check.rows["item"].iat[row],
            unit=wanted[check.coded.item[row]],
        ),
    )


def _calorific_values(check: RowChecks) -> Iterator[Problem]:
    """Find measured calorific values where none counts, and tests without one or without a quantity."""
    coded, column = check.coded, "ncv_gj_per_unit"
    fuel, test = coded.is_fuel, coded.flow == FLOW["test"]
    steel_coke = (coded.item == ITEM[COKE]) & (coded.sector == SECTOR["steel"])
    what = (_("calorific value has no use"), _("calorific values have no use"))
    yield from check.problems(
        check.measured & ~fuel & (coded.item != UNKNOWN), column, what, _("Leave it empty: it belongs to fuels only.")
    )
    advice = _("Leave it empty: the steel guideline takes the default of coke always.")
    yield from check.problems(check.measured & steel_coke, column, what, advice)
    what = (_("test has no calorific value"), _("tests have no calorific value"))
    yield from check.problems(test & fuel & ~check.measured, column, what, _("State the measured value of the batch."))
    gas = np.isin(coded.item, [place for place, item in enumerate(ITEMS.values()) if item.phase == "gas"])
    weightless = test & fuel & ~gas & (check.rows["quantity"] == 0).to_numpy()
    what = (_("batch has no quantity"), _("batches have no quantity"))
    yield from check.problems(weightless, "quantity", what, _("State the tonnes of the batch: they weight its value."))


def _defaults(check: RowChecks) -> Iterator[Problem]:
    """Find months in which a fuel falls back to the default after it was measured in the same year."""
    coded = check.coded
    fuel = coded.known & coded.is_fuel & latest(check.rows, coded)
    if not (fuel & check.measured).any():
        return
    own = coded.taken(fuel)
    month, count = own.fuel_month()
    measured = np.zeros(count, dtype=bool)
    measured[month[check.measured[fuel]]] = True
    year = joined([(own.unit, 0), (own.item, len(ITEMS)), (own.month // 12, 10_000)])
    years, of_row = np.unique(year, return_inverse=True)
    first = np.full(len(years), np.iinfo(np.int64).max)
    is_measured = measured[month]
    np.minimum.at(first, of_row[is_measured], own.month[is_measured])
    used = (own.flow != FLOW["test"]) & (check.rows["quantity"].to_numpy()[fuel] > 0)
    bad = np.zeros(len(coded), dtype=bool)
    bad[fuel] = used & ~is_measured & (own.month > first[of_row]) & ~default_by_clause(own, is_measured)
    what = (
        _("measured fuel has only the default in a later month"),
        _("measured fuels have only the default in a later month"),
    )
    advice = _(
        "State the measured value of the month, or what the data-quality control plan substitutes, as a row of flow "
        "test: within a year a measured calorific value may not return to the default. Steel: CETS-AG-03.01-V01-2024, "
        "6.2.2.2, and 9.1 d 5, by which the substitute is conservative."
    )
    yield from check.problems(bad, "item", what, advice)


def _minutes(check: RowChecks) -> Iterator[Problem]:
    """Find months with several rows of minutes of anode effect, which do not add up."""
    coded = check.coded
    minutes = coded.known & (coded.item == ITEM["anode_effect_minutes"]) & latest(check.rows, coded)
    own = coded.taken(minutes)
    twice = np.zeros(len(coded), dtype=bool)
    twice[minutes] = pd.Series(joined([(own.unit, 0), (own.month, 12 * 10_000)])).duplicated(keep=False).to_numpy()
    what = (_("month has several rows of minutes"), _("rows of minutes share a month"))
    advice = _("State one mean of the process for the month: minutes per pot and day do not add up.")
    yield from check.problems(twice, "unit_id, month", what, advice)


def _complete(check: RowChecks) -> Iterator[Problem]:
    """Find months of a steel enterprise with processes but no balance of the enterprise."""
    coded = check.coded
    steel = coded.known & (coded.sector == SECTOR["steel"])
    own = coded.taken(steel)
    months, of_row = np.unique(joined([(own.unit, 0), (own.month, 12 * 10_000)]), return_inverse=True)
    balanced = np.zeros(len(months), dtype=bool)
    balanced[of_row[(own.process == PROCESS[ENTERPRISE]) & (own.flow != FLOW["test"])]] = True
    first = np.zeros(len(own), dtype=bool)
    first[np.unique(of_row, return_index=True)[1]] = True
    bad = np.zeros(len(coded), dtype=bool)
    bad[steel] = ~balanced[of_row] & first
    what = (_("month has processes but no enterprise"), _("months have processes but no enterprise"))
    advice = _("Add the rows of process enterprise: what is bought and sold, which the mass balance needs.")
    yield from check.problems(bad, "unit_id, month", what, advice)


def _versions(check: RowChecks) -> Iterator[Problem]:
    """Find rows with the same version of the same quantity."""
    keys = _keys(check.rows, check.coded).assign(version=check.rows["version"])
    twice = keys.duplicated(keep=False).to_numpy() & check.coded.known
    what = (_("row repeats another"), _("rows repeat each other"))
    advice = _("Keep one, tell them apart by batch, or give a correction the next version.")
    yield from check.problems(twice, "unit_id, month, process, item", what, advice)


def latest(rows: pd.DataFrame, coded: Coded) -> Mask:
    """Return True for the rows of the highest version, shape ``(rows,)``."""
    version = rows["version"]
    if (version == 1).all():
        return np.ones(len(rows), dtype=bool)
    keys = _keys(rows, coded)
    highest = version.groupby([keys[name] for name in keys], sort=False).transform("max")
    return (version == highest).to_numpy()


def _keys(rows: pd.DataFrame, coded: Coded) -> pd.DataFrame:
    """Return what identifies a quantity, as numbers."""
    batch, _ = pd.factorize(rows["batch"].to_numpy())
    parts = (coded.unit, coded.month, coded.process, coded.item, coded.flow, batch.astype(np.int64))
    return pd.DataFrame(dict(zip("umpifb", parts, strict=True)))
