"""Tables of the figures of an account, and of its fuels by year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.coded import FLOW, PROCESS, SECTOR, YEARS, joined
from etsopt.accounting.combustion import CO2_PER_CARBON
from etsopt.accounting.decimals import NCV_DECIMALS, added, hundredths, rounded
from etsopt.accounting.factors import MARKS
from etsopt.accounting.figures import GUIDELINES
from etsopt.accounting.periods import period_text
from etsopt.accounting.vocabulary import CEMENT, FLOWS, ITEMS, POWER, PROCESSES, STEEL
from etsopt.data.tables.schema import SECTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.accounting.factors import Factors
    from etsopt.accounting.lines import Emitted, Lines

    Floats = NDArray[np.float64]

NO_EMISSIONS = "output"
"""Formula of a line that emits nothing: a product alone."""


def figures_table(lines: Lines, parts: Sequence[Emitted]) -> pd.DataFrame:
    """Return the table of lines; a line has a row for each gas, and one line without emissions has one."""
    silent = np.setdiff1d(np.arange(len(lines)), np.concatenate([part.line for part in parts]))
    line = np.concatenate([*(part.line for part in parts), silent])
    sizes = [len(part.line) for part in parts]
    item = lines.coded.item[line]

    def texts(values: Sequence[str], last: str) -> NDArray[Any]:
        return np.repeat(np.array([*values, last], dtype=object), [*sizes, len(silent)])

    def numbers(values: Sequence[NDArray[Any]], last: float) -> NDArray[Any]:
        return np.concatenate([*values, np.full(len(silent), last)])

    measured = ~np.isnan(lines.ncv[line])
    ncv = numbers([part.ncv for part in parts], np.nan)
    keys = [np.array(part.keys, dtype=object)[lines.coded.item[part.line]] for part in parts]
    mark = numbers([part.mark for part in parts], 0).astype(np.int64)
    guideline = np.array([GUIDELINES.get(sector, "") for sector in SECTORS], dtype=object)
    table = pd.DataFrame(
        {
            "figure": line,
            "unit_id": lines.coded.units[lines.coded.unit[line]],
            "month": period_text(lines.coded.month[line], yearly=False),
            "process": np.array([*PROCESSES], dtype=object)[lines.coded.process[line]],
            "item": np.array([*ITEMS], dtype=object)[item],
            "flow": np.array([*FLOWS], dtype=object)[lines.coded.flow[line]],
            "quantity": lines.quantity[line],
            "unit": np.array([one.unit for one in ITEMS.values()], dtype=object)[item],
            "ncv_gj_per_unit": ncv,
            "ncv_basis": np.where(np.isnan(ncv), "", np.where(measured, "measured", "default")).astype(object),
            "factor": numbers([part.factor for part in parts], np.nan),
            "gas": texts([part.gas for part in parts], ""),
            "emissions_tco2e": numbers([part.hundredths for part in parts], 0) / 100.0,
            "formula": texts([part.formula for part in parts], NO_EMISSIONS),
            "factors": np.concatenate([*keys, np.full(len(silent), "", dtype=object)]),
            "guideline": guideline[lines.coded.sector[line]],
            "confidence": np.array(MARKS, dtype=object)[mark],
        }
    )
    return table.sort_values("figure", kind="stable", ignore_index=True)


def fuels_table(lines: Lines, factors: Factors) -> pd.DataFrame:
    """Return every fuel by unit, year, process and flow: its calorific value weighted by monthly consumption."""
    which = np.flatnonzero(lines.coded.is_fuel & (lines.coded.flow != FLOW["product"]))
    coded, quantity = (
        lines.coded.taken(lines.coded.is_fuel & (lines.coded.flow != FLOW["product"])),
        lines.quantity[which],
    )
    of_cement = coded.sector == SECTOR[CEMENT]
    both = {sector: factors.fuels(sector) for sector in (STEEL, CEMENT)}

    def by_sector(name: str) -> Floats:
        own, other = (getattr(both[sector], name)[coded.item] for sector in (CEMENT, STEEL))
        return np.where(of_cement, own, other)

    measured = ~np.isnan(lines.ncv[which])
    ncv = np.where(measured, lines.ncv[which], by_sector("ncv"))
    sizes = [(coded.unit, 0), (coded.month // 12, YEARS[1] + 1), (coded.process, len(PROCESSES))]
    key = joined([*sizes, (coded.item, len(ITEMS)), (coded.flow, len(FLOWS))])
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    count = len(first)
    total = added(group, lines.hundredths[which], count) / 100.0
    weighted = np.bincount(group, quantity * ncv, count)
    plain = np.bincount(group, ncv, count) / np.maximum(np.bincount(group, minlength=count), 1)
    yearly = rounded(np.divide(weighted, total, out=plain, where=total > 0), NCV_DECIMALS)
    is_power = coded.process[first] == PROCESS[POWER]
    oxidised = is_power | (of_cement[first] & bool(factors["cement.oxidation"]))
    oxidation = np.where(oxidised, by_sector("oxidation")[first], 1.0)
    own = np.bincount(group, measured, count)
    basis = np.select([own == 0, own == np.bincount(group, minlength=count)], ["default", "measured"], "both")
    return pd.DataFrame(
        {
            "unit_id": coded.units[coded.unit[first]],
            "year": coded.month[first] // 12,
            "process": np.array([*PROCESSES], dtype=object)[coded.process[first]],
            "item": np.array([*ITEMS], dtype=object)[coded.item[first]],
            "flow": np.array([*FLOWS], dtype=object)[coded.flow[first]],
            "quantity": total,
            "ncv_gj_per_unit": yearly,
            "ncv_basis": basis.astype(object),
            "emissions_at_yearly_ncv_tco2e": hundredths(
                total * yearly * by_sector("carbon")[first] * CO2_PER_CARBON * oxidation
            )
            / 100.0,
        }
    )
