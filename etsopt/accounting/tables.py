"""Tables of the figures of an account, and of its fuels by year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.coded import PROCESS, SECTOR, YEARS, joined
from etsopt.accounting.combustion import CO2_PER_CARBON
from etsopt.accounting.decimals import NCV_DECIMALS, added, hundredths, rounded
from etsopt.accounting.factors import MARKS
from etsopt.accounting.figures import GUIDELINES
from etsopt.accounting.periods import period_text
from etsopt.accounting.vocabulary import CEMENT, FLOWS, ITEMS, MIXED_FIRED, POWER, PROCESSES, STEEL
from etsopt.data.tables.schema import SECTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.accounting.coded import Coded
    from etsopt.accounting.factors import Factors
    from etsopt.accounting.lines import Emitted, Lines

    Floats = NDArray[np.float64]

NO_EMISSIONS = "output"
"""Formula of a line that emits nothing: a product alone."""

FORMULAS = (
    *("steel mass balance, fuel", "steel mass balance, material", "steel mass balance, product"),
    *("steel process, fuel", "steel mixed-fired power, fuel"),
    *("clinker, fuel", "clinker, process", "clinker, deduction"),
    *("anode", "anode effect, default", "anode effect, mass", "anode effect, slope"),
    *("power, measured carbon", "power, carbon by heat", "power, biomass", "power, bought electricity"),
    NO_EMISSIONS,
)
"""Names of all formulas, as the table of lines has them."""


def figures_table(lines: Lines, parts: Sequence[Emitted]) -> pd.DataFrame:
    """Return the table of lines; a line has a row for each gas, and one line without emissions has one."""
    emits = np.concatenate([part.line for part in parts])
    quiet = np.ones(len(lines), dtype=bool)
    quiet[emits] = False
    silent = np.flatnonzero(quiet)
    line = np.concatenate([emits, silent])
    sizes = [*(len(part.line) for part in parts), len(silent)]

    def texts(values: Sequence[str], last: str) -> NDArray[Any]:
        return np.repeat(np.array([*values, last], dtype=object), sizes)

    def cells(values: Sequence[NDArray[Any]], last: Any) -> NDArray[Any]:
        return np.concatenate([*values, np.full(len(silent), last)])

    measured = ~np.isnan(lines.ncv[line])
    ncv = cells([part.ncv for part in parts], np.nan)
    keys = [np.array(part.keys, dtype=object)[lines.coded.item[part.line]] for part in parts]
    mark = cells([part.mark for part in parts], 0).astype(np.int64)
    guideline = np.array([GUIDELINES.get(sector, "") for sector in SECTORS], dtype=object)
    words = words_of(lines.coded, line)
    table = pd.DataFrame(
        {
            "figure": line,
            "unit_id": words.pop("unit_id"),
            "month": period_text(lines.coded.month[line], yearly=False),
            **words,
            "quantity": lines.quantity[line],
            "unit": np.array([one.unit for one in ITEMS.values()], dtype=object)[lines.coded.item[line]],
            "ncv_gj_per_unit": ncv,
            "ncv_basis": np.where(np.isnan(ncv), "", np.where(measured, "measured", "default")).astype(object),
            "factor": cells([part.factor for part in parts], np.nan),
            "gas": texts([part.gas for part in parts], ""),
            "emissions_tco2e": cells([part.hundredths for part in parts], 0) / 100.0,
            "formula": texts([part.formula for part in parts], NO_EMISSIONS),
            "factors": cells(keys, "").astype(object),
            "guideline": guideline[lines.coded.sector[line]],
            "confidence": np.array(MARKS, dtype=object)[mark],
        }
    )
    return table.sort_values("figure", kind="stable", ignore_index=True)


def words_of(coded: Coded, line: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return unit, process, item and flow of some lines as texts."""
    return {
        "unit_id": coded.units[coded.unit[line]],
        "process": np.array([*PROCESSES], dtype=object)[coded.process[line]],
        "item": np.array([*ITEMS], dtype=object)[coded.item[line]],
        "flow": np.array([*FLOWS], dtype=object)[coded.flow[line]],
    }


def fuels_table(lines: Lines, factors: Factors) -> pd.DataFrame:
    """Return every fuel by unit, year, process and flow: its calorific value weighted by monthly consumption."""
    which = lines.coded.is_fuel
    coded, quantity, measured_value = lines.coded.select(which), lines.quantity[which], lines.ncv[which]
    measured = ~np.isnan(measured_value)
    ncv = np.where(measured, measured_value, _by_sector(coded, factors, "ncv"))
    sizes = [(coded.unit, 0), (coded.month // 12, YEARS[1] + 1), (coded.process, len(PROCESSES))]
    key = joined([*sizes, (coded.item, len(ITEMS)), (coded.flow, len(FLOWS))])
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    count, months = len(first), np.bincount(group)
    total = added(group, lines.hundredths[which], count) / 100.0
    plain = np.bincount(group, ncv, count) / np.maximum(months, 1)
    weighted = np.bincount(group, quantity * ncv, count)
    yearly = rounded(np.divide(weighted, total, out=plain, where=total > 0), NCV_DECIMALS)
    carbon = _by_sector(coded, factors, "carbon")[first]
    oxidised = (coded.process == PROCESS[MIXED_FIRED]) | (coded.sector == SECTOR[CEMENT]) & bool(
        factors["cement.oxidation"]
    )
    oxidation = np.where(oxidised, _by_sector(coded, factors, "oxidation"), 1.0)[first]
    own = np.bincount(group, measured, count)
    # A power unit has the carbon content of each month, and none of the year.
    amount = hundredths(np.nan_to_num(total * yearly * carbon * CO2_PER_CARBON * oxidation)) / 100.0
    words = words_of(coded, first)
    return pd.DataFrame(
        {
            "unit_id": words.pop("unit_id"),
            "year": coded.month[first] // 12,
            **words,
            "quantity": total,
            "ncv_gj_per_unit": yearly,
            "ncv_basis": np.select([own == 0, own == months], ["default", "measured"], "both").astype(object),
            "emissions_at_yearly_ncv_tco2e": np.where(coded.sector[first] == SECTOR[POWER], np.nan, amount),
        }
    )


def _by_sector(coded: Coded, factors: Factors, name: str) -> Floats:
    """Return a factor of the fuel of every line, in its sector."""
    cement, power, steel = (getattr(factors.fuels(sector), name)[coded.item] for sector in (CEMENT, POWER, STEEL))
    return np.select([coded.sector == SECTOR[CEMENT], coded.sector == SECTOR[POWER]], [cement, power], steel)
