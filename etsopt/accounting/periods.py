"""Emissions, outputs and intensities of units by month or year, from the lines of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting import aluminium, cement, steel
from etsopt.accounting.coded import PROCESS, SECTOR, YEARS, joined
from etsopt.accounting.decimals import INTENSITY_DECIMALS, added, rounded
from etsopt.accounting.factors import MARKS, Factors
from etsopt.accounting.vocabulary import ENTERPRISE, GASES, OTHER, POWER, PROCESSES, STEEL
from etsopt.data.tables.schema import SECTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.accounting.lines import Emitted, Lines

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

PERIODS = 12 * (YEARS[1] + 1)
KEY_PROCESSES = ("ironmaking", "sintering")
"""Processes of steel on which the allocation rule measures intensity."""

PROCESS_NAMES = np.array([*PROCESSES, OTHER], dtype=object)


@dataclass(frozen=True)
class Emissions:
    """Emissions of lines by all formulas, shape ``(figures of emissions,)``.

    Parameters
    ----------
    lines
        All lines.
    line, gas, mark, hundredths
        Line, gas, confidence and emissions of each [0.01 tCO2e].
    """

    lines: Lines
    line: Integers
    gas: Integers
    mark: Integers
    hundredths: Integers

    @classmethod
    def of(cls, lines: Lines, parts: Sequence[Emitted]) -> Emissions:
        """Join the emissions of all formulas."""
        gas = [np.full(len(part.line), GASES.index(part.gas)) for part in parts]
        return cls(
            lines,
            np.concatenate([part.line for part in parts]),
            np.concatenate(gas),
            np.concatenate([part.mark for part in parts]),
            np.concatenate([part.hundredths for part in parts]),
        )


def of_period(lines: Lines, yearly: bool) -> Integers:
    """Return the month of every line, or its year."""
    return lines.coded.month // 12 if yearly else lines.coded.month


def period_text(period: Integers, yearly: bool) -> NDArray[Any]:
    """Return periods as they are written; years as numbers."""
    if yearly:
        return period
    distinct, code = np.unique(period, return_inverse=True)
    return np.array([f"{number // 12:04d}-{number % 12 + 1:02d}" for number in distinct], dtype=object)[code]


def by_process(emissions: Emissions, yearly: bool) -> pd.DataFrame:
    """Return emissions by unit, month or year, process and gas; those of steel add up to the balance by ``other``."""
    coded, line = emissions.lines.coded, emissions.line
    unit, period = coded.unit[line], of_period(emissions.lines, yearly)[line]
    process, amount, mark = coded.process[line], emissions.hundredths, emissions.mark
    of_steel = coded.sector[line] == SECTOR[STEEL]
    inside = of_steel & (process != PROCESS[ENTERPRISE])
    # Processes are subtracted from the balance of the enterprise, and the rest is called other.
    other = np.where(of_steel, len(PROCESSES), process)
    columns = [
        np.concatenate([column, extra[inside]])
        for column, extra in (
            (unit, unit),
            (period, period),
            (np.where(inside, process, other), other),
            (emissions.gas, emissions.gas),
            (amount, -amount),
            (mark, mark),
        )
    ]
    unit, period, process, gas, amount, mark = columns
    sizes = ((unit, 0), (period, PERIODS), (process, len(PROCESSES) + 1), (gas, len(GASES)))
    _, first, group = np.unique(joined(sizes), return_index=True, return_inverse=True)
    time = "year" if yearly else "month"
    return pd.DataFrame(
        {
            "unit_id": coded.units[unit[first]],
            time: period_text(period[first], yearly),
            "sector": np.array(SECTORS, dtype=object)[coded.sector_of_unit[unit[first]]],
            "process": PROCESS_NAMES[process[first]],
            "gas": np.array(GASES, dtype=object)[gas[first]],
            "emissions_tco2e": added(group, amount, len(first)) / 100.0,
            "confidence": worst(group, mark, len(first)),
        }
    )


def by_unit(emissions: Emissions, factors: Factors, yearly: bool) -> pd.DataFrame:
    """Return emissions, outputs and intensity of every unit by month or year, as the allocation rule measures them."""
    lines, coded = emissions.lines, emissions.lines.coded
    key = joined([(coded.unit, 0), (of_period(lines, yearly), PERIODS)])
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    count, of_emission = len(first), group[emissions.line]
    process = coded.process[emissions.line]
    of_steel = coded.sector[emissions.line] == SECTOR[STEEL]

    def tonnes(which: NDArray[np.bool_]) -> Floats:
        return added(group[which], lines.hundredths[which], count) / 100.0

    def emitted(which: NDArray[np.bool_]) -> Floats:
        return added(of_emission[which], emissions.hundredths[which], count) / 100.0

    single = cement.output(lines) | aluminium.output(lines)
    # Power units make electricity and heat, which are no tonnes: a table of their own has them.
    nothing = np.where(coded.sector[first] == SECTOR[POWER], np.nan, 0.0)
    output = tonnes(steel.output(lines) | single) + nothing
    measured = tonnes(steel.intensity_output(lines) | single) + nothing
    key_process = np.isin(process, [PROCESS[name] for name in KEY_PROCESSES])
    part = emitted(np.where(of_steel, key_process, True)) + nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        intensity = np.where(measured > 0, part / measured, np.nan)
    months = np.unique(joined([(group, 0), (coded.month, PERIODS)])) // PERIODS
    time = "year" if yearly else "month"
    table = {
        "unit_id": coded.units[coded.unit[first]],
        time: period_text(of_period(lines, yearly)[first], yearly),
        "sector": np.array(SECTORS, dtype=object)[coded.sector[first]],
        "emissions_tco2e": emitted(np.where(of_steel, process == PROCESS[ENTERPRISE], True)),
        "output_t": output,
        "intensity_emissions_tco2e": part,
        "intensity_output_t": measured,
        "intensity": rounded(intensity, INTENSITY_DECIMALS),
        "carbide_slag_rate": _carbide_slag_rate(emissions, factors, group, count),
        "confidence": worst(of_emission, emissions.mark, count),
    }
    return pd.DataFrame(table | ({"months": np.bincount(months, minlength=count)} if yearly else {}))


def _carbide_slag_rate(emissions: Emissions, factors: Factors, group: Integers, count: int) -> Floats:
    """Return the carbon dioxide that carbide slag avoids over that of all clinker, NaN without clinker."""
    lines = emissions.lines
    slag, clinker = cement.carbide_slag(lines), cement.output(lines)
    value, _ = factors.per_tonne("clinker")
    item = lines.coded.item
    made = np.bincount(group[clinker], lines.quantity[clinker] * value[item[clinker]], count)
    avoided = (
        np.bincount(group[slag], lines.quantity[slag], count) * factors.per_tonne("deduction")[0][cement.CARBIDE_SLAG]
    )
    return np.divide(avoided, made, out=np.full(count, np.nan), where=made > 0)


def worst(group: Integers, mark: Integers, count: int) -> NDArray[np.object_]:
    """Return the least confidence of each group."""
    least = np.zeros(count, dtype=np.int64)
    np.maximum.at(least, group, mark)
    return np.array(MARKS, dtype=object)[least]
