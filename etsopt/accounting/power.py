r"""Carbon dioxide of power units, after the guideline CETS-AG-01.01-V04-2026.

A month in which the carbon content of a fuel was measured as required counts it; another one its heat:

$$E = \sum_i \mathrm{FC}_i\, C_{ar,i}\, \mathrm{OF}_i \tfrac{44}{12}, \qquad
E = \sum_i \mathrm{FC}_i\, \mathrm{NCV}_{ar,i}\, \mathrm{CC}_i\, \mathrm{OF}_i \tfrac{44}{12}$$

with the quantity burnt FC [t, 10^4 Nm3], the carbon content as received $C_{ar}$ [tC/unit]
(`etsopt.accounting.carbon`), the calorific value NCV [GJ/unit], the carbon content by heat CC [tC/GJ] and the
oxidation rate OF. Biomass emits nothing. Bought electricity emits nothing from 2026 on, and before that its quantity
times the grid factor of the year.

The text of the accounting guideline was not obtained. Both equations and what a missing test costs are read in the
verification guideline, CETS-VG-01.01-V02-2026 (3.4.2.1, tables 8, 9, 11, 12, annex 1); the oxidation rate of coal
before 2026 and the end of bought electricity in the update of 23 June 2026, annex 1. A default whose text was not
read has no value here: a month that needs it is refused by its key until a user states it, and then has the mark
``stated``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.accounting.coded import ITEM, SECTOR
from etsopt.accounting.combustion import CO2_PER_CARBON
from etsopt.accounting.decimals import hundredths
from etsopt.accounting.factors import MARKS
from etsopt.accounting.figures import FIGURES, KIND_BY_PHASE, SOURCES, fuel_keys
from etsopt.accounting.lines import Emitted, Lines, emitted
from etsopt.accounting.vocabulary import ITEMS, POWER
from etsopt.accounting.workbooks import place_of
from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _, chain, pgettext
from etsopt.data.messages import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.accounting.factors import Factors

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Keys = tuple[str, ...]

FILES_SHOWN = 3
"""Files and sheets that a message names."""

FIRST_YEAR_OF_DATABASE = 2026
"""First year whose oxidation rates are those of the national database, and in which bought electricity is gone."""

IS_FUEL = tuple(item.kind == "fuel" for item in ITEMS.values())
NCV_KEYS, CARBON_KEYS, OXIDATION_KEYS = (
    tuple(fuel_keys(POWER, name)[place] if fuel else "" for name, fuel in zip(ITEMS, IS_FUEL, strict=True))
    for place in range(3)
)
OXIDATION_KEYS_TO_2025 = tuple(
    f"power.oxidation_to_2025.{KIND_BY_PHASE[item.phase]}" if fuel else ""
    for item, fuel in zip(ITEMS.values(), IS_FUEL, strict=True)
)
NO_KEYS = ("",) * len(ITEMS)
BOUGHT_KEYS = ("power.bought_electricity.tco2_per_mwh",) * len(ITEMS)


class _Edition(NamedTuple):
    """Lines whose oxidation rate has one source: keys by item, rate by line and mark by item."""

    which: Mask
    keys: Keys
    rate: Floats
    mark: NDArray[np.int64]


def emissions(lines: Lines, factors: Factors) -> list[Emitted]:
    """Return the emissions of every line of power units by formula.

    Raises
    ------
    DataError
        If a month needs a default whose text was not read, and which the user does not state.
    """
    _require(lines, factors)
    coded = lines.coded
    of_power = coded.sector == SECTOR[POWER]
    carbon = carbon_of(lines)
    bought = of_power & (coded.item == ITEM["bought_electricity"])
    biomass = emitted(lines, of_power & (coded.item == ITEM["biomass"]), "power, biomass", NO_KEYS, *_by_item(factors))
    # Without a stated factor no month before 2026 has bought electricity.
    grid = np.nan_to_num(factors[BOUGHT_KEYS[0]])
    parts = [replace(biomass, ncv=lines.ncv[biomass.line])]
    for edition in _editions(lines, factors):
        burnt = of_power & coded.is_fuel & edition.which
        parts.append(_by_carbon(lines, burnt & ~np.isnan(carbon), edition))
        parts.append(_by_heat(lines, burnt & np.isnan(carbon), edition, factors))
    value, mark = np.full(len(ITEMS), grid), np.full(len(ITEMS), factors.mark(BOUGHT_KEYS[0]))
    return [
        *parts,
        emitted(lines, bought & _before(lines), "power, bought electricity", BOUGHT_KEYS, value, mark),
        emitted(lines, bought & ~_before(lines), "power, bought electricity", NO_KEYS, *_by_item(factors)),
    ]


def carbon_of(lines: Lines) -> Floats:
    """Return the measured carbon content of the fuel of every line [tC/unit], NaN without one."""
    return lines.carbon.value[lines.fuel]


def _before(lines: Lines) -> Mask:
    """Return True for lines of months before the national database decides."""
    return lines.coded.month // 12 < FIRST_YEAR_OF_DATABASE


def _by_item(factors: Factors, keys: Keys = NO_KEYS) -> tuple[Floats, NDArray[np.int64]]:
    """Return value and mark by item; 0 and the best mark of an item without a key."""
    value = np.array([float(factors[key]) if key else 0.0 for key in keys])
    return value, np.array([factors.mark(key) if key else 0 for key in keys], dtype=np.int64)


def _editions(lines: Lines, factors: Factors) -> Iterator[_Edition]:
    """Yield the sources of oxidation rates: the reports themselves, and the figures until 2025 and since."""
    reported = lines.oxidation.value[lines.fuel]
    own, before = ~np.isnan(reported), _before(lines)
    # What the reports state of a boiler is of no text that was read.
    yield _Edition(own, NO_KEYS, reported, np.full(len(ITEMS), MARKS.index("stated")))
    for keys, which in ((OXIDATION_KEYS_TO_2025, ~own & before), (OXIDATION_KEYS, ~own & ~before)):
        value, mark = _by_item(factors, keys)
        yield _Edition(which, keys, value[lines.coded.item], mark)


def _by_carbon(lines: Lines, which: Mask, edition: _Edition) -> Emitted:
    """Return the emissions of lines whose carbon content was measured."""
    line = np.flatnonzero(which)
    factor = carbon_of(lines)[line] * edition.rate[line] * CO2_PER_CARBON
    mark, nothing = edition.mark[lines.coded.item[line]], np.full(len(line), np.nan)
    amount = _tonnes(lines.quantity[line], factor)
    return Emitted(line, amount, "power, measured carbon", "CO2", edition.keys, mark, nothing, factor)


def _by_heat(lines: Lines, which: Mask, edition: _Edition, factors: Factors) -> Emitted:
    """Return the emissions of lines whose carbon content is that of their heat."""
    line = np.flatnonzero(which)
    item = lines.coded.item[line]
    fuels, (carbon, carbon_mark) = factors.fuels(POWER), _by_item(factors, CARBON_KEYS)
    measured = ~np.isnan(lines.ncv[line])
    ncv = np.where(measured, lines.ncv[line], fuels.ncv[item])
    factor = carbon[item] * edition.rate[line] * CO2_PER_CARBON
    mark = np.maximum(edition.mark, carbon_mark)[item]
    mark = np.maximum(mark, np.where(measured, 0, fuels.ncv_mark[item]))
    texts = zip(NCV_KEYS, CARBON_KEYS, edition.keys, strict=True)
    keys = tuple(" ".join(filter(None, own)) for own in texts)
    amount = _tonnes(lines.quantity[line], ncv * factor)
    return Emitted(line, amount, "power, carbon by heat", "CO2", keys, mark, ncv, factor)


def _tonnes(quantity: Floats, factor: Floats) -> NDArray[np.int64]:
    """Return hundredths of a tonne; of nothing there are none, although the factor may not be known."""
    return hundredths(np.multiply(quantity, factor, out=np.zeros(len(quantity)), where=quantity > 0))


def _require(lines: Lines, factors: Factors) -> None:
    """Raise DataError with every figure that lines need and nobody stated."""
    coded, carbon = lines.coded, carbon_of(lines)
    of_power = coded.sector == SECTOR[POWER]
    burnt = of_power & coded.is_fuel
    by_heat, unrated = burnt & np.isnan(carbon), burnt & np.isnan(lines.oxidation.value[lines.fuel])
    demands = (
        (by_heat, CARBON_KEYS),
        (by_heat & np.isnan(lines.ncv), NCV_KEYS),
        (unrated & _before(lines), OXIDATION_KEYS_TO_2025),
        (unrated & ~_before(lines), OXIDATION_KEYS),
        (of_power & (coded.item == ITEM["bought_electricity"]) & _before(lines), BOUGHT_KEYS),
    )
    missing: dict[str, list[int]] = {}
    for which, keys in demands:
        unknown = np.isnan(_by_item(factors, keys)[0])
        line = np.flatnonzero(which & (lines.hundredths > 0) & unknown[coded.item])
        for item in np.unique(coded.item[line]):
            missing.setdefault(keys[item], []).extend(line[coded.item[line] == item].tolist())
    if missing:
        raise DataError(_("The reports"), [_problem(lines, key, own) for key, own in missing.items()])


def _problem(lines: Lines, key: str, own: list[int]) -> Problem:
    """Return the problem that some lines need a figure: who has to state it, and which text decides."""
    coded = lines.coded
    months = [f"{coded.month[line] // 12:04d}-{coded.month[line] % 12 + 1:02d}" for line in own]
    names = list(ITEMS)
    cells = tuple(
        (
            f"of {coded.units[coded.unit[line]]}",
            _("{month} {item}", month=month, item=pgettext("item", names[coded.item[line]])),
        )
        for line, month in zip(own, months, strict=True)
    )
    what = counted(
        len(own),
        _("month needs {key}, which is in no text that was read, and not stated", key=key),
        _("months need {key}, which is in no text that was read, and not stated", key=key),
    )
    advice = _(
        "{measured}, or state the figure: --set {key}=VALUE, or under [accounting] in accounting.toml, which lies in "
        "the folder of the reports or beside the workbook. What decides: {source}.",
        measured=_measured(key),
        key=key,
        source=SOURCES[FIGURES[key].source],
    )
    files = pd.unique(lines.file[own])
    place = chain((place_of(str(file)) for file in files[:FILES_SHOWN]), _("{first}, {second}"))
    return Problem(
        _("{place} and others", place=place) if len(files) > FILES_SHOWN else place, what, advice, "item", cells
    )


def _measured(key: str) -> str:
    """Return where the reports state a measured value in place of a figure."""
    if key in CARBON_KEYS:
        return _(
            "State the measured carbon content as received (tC/t, gas: tC/1e4 Nm3): a row of the month with flow "
            "carbon, or the column of carbon content in the sheet of tests"
        )
    if key in NCV_KEYS:
        return _(
            "State the measured calorific value (GJ/t, gas: GJ/1e4 Nm3) beside the quantity of the month, or in the "
            "sheet of tests"
        )
    if key in (*OXIDATION_KEYS, *OXIDATION_KEYS_TO_2025):
        return _("State the oxidation rate (%) in a row of the month with flow oxidation")
    return _("Report the measurement")
