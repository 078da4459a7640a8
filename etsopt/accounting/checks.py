"""Checks of the rows of reports beyond their cells: words that fit together, versions, and the choice of a factor.

Each check returns problems by file, line and column. A row with an unknown word has a problem already, and is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.checked_rows import CheckedRows
from etsopt.accounting.clauses import default_by_clause
from etsopt.accounting.coded import FLOW, ITEM, PROCESS, SECTOR, UNKNOWN, days, joined
from etsopt.accounting.measurements import (
    batches_of_carbon,
    carbon_of_all_tests,
    single_figures,
    sizes_of_figures,
    values_of_batches,
)
from etsopt.accounting.versions import keys_of
from etsopt.accounting.vocabulary import (
    ACCOUNTED,
    ALLOWED,
    CARBON_UNITS,
    COKE,
    COUNTED,
    ENTERPRISE,
    FLOWS,
    ITEMS,
    PERCENT,
    POWER,
    PROCESSES,
    PROCESSES_OF,
    UNITS,
)
from etsopt.common.language import _, chain, pgettext
from etsopt.data.messages import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from etsopt.common.errors import Problem

    Mask = NDArray[np.bool_]

DAYS = ("reported_on", "calibrated_on")
ITEMS_SHOWN = 8
"""Items of a process and flow that a message names."""

FITS = np.zeros((len(PROCESSES), len(FLOWS), len(ITEMS)), dtype=bool)
for (_process, _flow), _names in ALLOWED.items():
    FITS[PROCESS[_process], FLOW[_flow], [ITEM[name] for name in _names]] = True

OF_SECTOR = np.zeros((len(SECTOR), len(PROCESSES)), dtype=bool)
for _sector, _names in PROCESSES_OF.items():
    OF_SECTOR[SECTOR[_sector], [PROCESS[name] for name in _names]] = True


class RowChecks(CheckedRows):
    """The rows of all files with all checks."""

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
            single_figures,
            batches_of_carbon,
            carbon_of_all_tests,
            sizes_of_figures,
            values_of_batches,
        )
        return [problem for check in checks for problem in check(self)] + list(_versions(self))


def places_of(item: str, sector: str) -> list[tuple[str, str]]:
    """Return the processes and flows of a sector at which an item is counted or stated.

    >>> places_of("crude_steel", "steel")
    [('enterprise', 'in'), ('enterprise', 'out'), ('bof', 'product'), ('eaf', 'product')]
    """
    own = PROCESSES_OF.get(sector, ())
    # What is tested, bought or in stock follows from what is counted.
    return [(process, flow) for process in own for flow in COUNTED if item in ALLOWED.get((process, flow), ())]


def words_of(column: str, codes: Iterable[str]) -> str:
    """Return codes of a column in the words of the language."""
    return chain((pgettext(column, code) for code in codes), _("{first}, {second}"))


def _units(check: CheckedRows) -> Iterator[Problem]:
    """Find units that are not in the register."""
    stated = (check.rows["unit_id"] != "").to_numpy()
    what = (_("unit is not in the register"), _("rows have units that are not in the register"))
    yield from check.problems(
        (check.coded.unit == UNKNOWN) & stated, "unit_id", what, _("Correct it, or add the unit to register.csv.")
    )


def _months(check: CheckedRows) -> Iterator[Problem]:
    stated = (check.rows["month"] != "").to_numpy()
    what = (_("value is not a month"), _("values are not months"))
    advice = _("Write year and month with a dash, such as 2025-01.")
    yield from check.problems((check.coded.month == UNKNOWN) & stated, "month", what, advice)


def _days(check: CheckedRows) -> Iterator[Problem]:
    """Find dates that are no days of the calendar."""
    for column in DAYS:
        cells = check.rows[column].to_numpy()
        what = (_("value is not a day"), _("values are not days"))
        advice = _("Write year, month and day with dashes, such as 2025-02-28, or leave it empty.")
        yield from check.problems((days(cells) == UNKNOWN) & (cells != ""), column, what, advice)


def _words(check: CheckedRows) -> Iterator[Problem]:
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


def _processes(check: CheckedRows) -> Iterator[Problem]:
    """Find processes of another sector than the unit's."""
    coded = check.coded
    both = (coded.process != UNKNOWN) & np.isin(coded.sector, [SECTOR[name] for name in ACCOUNTED])
    wrong = both & ~OF_SECTOR[coded.sector, coded.process]
    what = (_("process is not one of the unit's sector"), _("processes are not of the unit's sector"))

    def advice(row: int) -> str:
        sector = ACCOUNTED[[SECTOR[name] for name in ACCOUNTED].index(int(coded.sector[row]))]
        text = _("Use a process of {sector}: {processes}.")
        return _(text, sector=pgettext("sector", sector), processes=words_of("process", PROCESSES_OF[sector]))

    yield from check.problems(wrong, "process", what, advice)


def _items(check: CheckedRows) -> Iterator[Problem]:
    """Find items that the guideline does not count at a process and flow."""
    coded, rows = check.coded, check.rows
    wrong = coded.known & ~FITS[coded.process, coded.flow, coded.item]
    what = (_("item has no place at this process and flow"), _("items have no place at their process and flow"))

    def advice(row: int) -> str:
        process, flow, item = (rows[name].iat[row] for name in ("process", "flow", "item"))
        sector = next((name for name in ACCOUNTED if process in PROCESSES_OF[name]), "")
        if places := places_of(item, sector):
            place = _("{process} ({flow})")
            texts = [
                _(place, process=pgettext("process", process), flow=pgettext("flow", flow)) for process, flow in places
            ]
            text = _("Correct process or flow: {item} has its place at {places}.")
            return _(text, item=pgettext("item", item), places=chain(texts, _("{first}; {second}")))
        items = ALLOWED.get((process, flow), ())
        own = {"process": pgettext("process", process), "flow": pgettext("flow", flow)}
        if not items:
            flows = words_of("flow", [flow for flow in FLOWS if (process, flow) in ALLOWED])
            return _("Correct the flow: {process} has {flows}.", **own, flows=flows)
        names = words_of("item", items[:ITEMS_SHOWN])
        names = _("{first}, {second}", first=names, second="...") if len(items) > ITEMS_SHOWN else names
        text = _("Correct flow or process, or leave the row out: {process} counts, by {flow}, {names}.")
        return _(text, **own, names=names)

    yield from check.problems(wrong, "item", what, advice)


def _units_of_measure(check: CheckedRows) -> Iterator[Problem]:
    """Find quantities in another unit than that of the factor."""
    units = [item.unit for item in ITEMS.values()]
    flow = check.coded.flow
    usual, of_carbon = (
        np.array(of_item, dtype=object)[check.coded.item]
        for of_item in (units, [CARBON_UNITS.get(unit, unit) for unit in units])
    )
    wanted = np.select([flow == FLOW["carbon"], flow == FLOW["oxidation"]], [of_carbon, PERCENT], usual)
    own = check.rows["unit"].to_numpy()
    wrong = (check.coded.item != UNKNOWN) & (own != wanted) & np.isin(own, np.array(UNITS, dtype=object))
    what = (_("quantity is in the wrong unit"), _("quantities are in the wrong unit"))
    yield from check.problems(
        wrong,
        "unit",
        what,
        lambda row: _(
            "Convert the quantity: {item} is counted in {unit}.",
            item=pgettext("item", check.rows["item"].iat[row]),
            unit=wanted[row],
        ),
    )


def _calorific_values(check: CheckedRows) -> Iterator[Problem]:
    """Find measured calorific values where none counts, and tests without one or without a quantity."""
    coded, column = check.coded, "ncv_gj_per_unit"
    fuel, test = coded.is_fuel | (coded.item == ITEM["biomass"]), coded.flow == FLOW["test"]
    fuel &= ~np.isin(coded.flow, [FLOW["carbon"], FLOW["oxidation"]])
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


def _defaults(check: CheckedRows) -> Iterator[Problem]:
    """Find months in which a fuel falls back to the default after it was measured in the same year."""
    coded = check.coded
    # A power unit has the default in each month without a test, by tables 9 and 12 of its verification guideline.
    fuel = coded.known & coded.is_fuel & (coded.sector != SECTOR[POWER]) & check.current
    if not (fuel & check.measured).any():
        return
    own = coded.select(fuel)
    month, count = own.fuel_month
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


def _complete(check: CheckedRows) -> Iterator[Problem]:
    """Find months of a steel enterprise with processes but no balance of the enterprise."""
    coded = check.coded
    steel = coded.known & (coded.sector == SECTOR["steel"])
    own = coded.select(steel)
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


def _versions(check: CheckedRows) -> Iterator[Problem]:
    """Find rows with the same version of the same quantity."""
    keys = keys_of(check.rows, check.coded).assign(version=check.rows["version"])
    twice = keys.duplicated(keep=False).to_numpy() & check.coded.known
    what = (_("row repeats another"), _("rows repeat each other"))
    advice = _("Keep one, tell them apart by batch, or give a correction the next version.")
    yield from check.problems(twice, "unit_id, month, process, item", what, advice)
