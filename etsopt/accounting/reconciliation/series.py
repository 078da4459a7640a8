"""Monthly quantities of a year as series: a row for each unit, process, item and flow, a column for each month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.coded import month_number
from etsopt.accounting.reconciliation.assumptions import figure
from etsopt.accounting.vocabulary import ALUMINIUM, CEMENT, ENTERPRISE, ITEMS, STEEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.accounts import Accounts

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

KEY = ["unit_id", "process", "item", "flow"]
MONTHS = 12
HEAT = "GJ"
BASES = {
    CEMENT: ("clinker", "product"),
    ALUMINIUM: ("electrolysis", "product"),
    STEEL: ("ironmaking", "product"),
}
"""Process and flow of the output to which the other quantities of a unit relate; of several, the largest."""


@dataclass(frozen=True, eq=False)
class Series:
    """Quantities of a year, ``n`` series of twelve months. Fuels are counted by their heat [GJ].

    Parameters
    ----------
    keys
        Unit, sector, process, item, flow and unit of measure of each series, and ``rate``, the relative uncertainty of
        its meter.
    reported
        Quantity as reported, NaN without a report, shape ``(n, 12)``.
    exists
        True where there is a quantity: reported, or missed because the unit has no report of the month.
    factor, carbon_factor
        Emissions of all gases, and of carbon dioxide alone, per unit of the quantity [tCO2e/unit].
    ncv
        Calorific value of a fuel [GJ/unit]; NaN else.
    base
        Series of the unit's output, -1 without one, shape ``(n,)``.
    """

    keys: pd.DataFrame
    reported: Floats
    exists: Mask
    factor: Floats
    carbon_factor: Floats
    ncv: Floats
    base: NDArray[np.int64]

    @classmethod
    def of(cls, accounts: Accounts, year: int) -> Series:
        """Return the series of a year of accounts."""
        lines = _lines(accounts, year)
        keys = lines[[*KEY, "sector", "unit"]].drop_duplicates(KEY).sort_values(KEY, ignore_index=True)
        place = pd.MultiIndex.from_frame(keys[KEY]).get_indexer(pd.MultiIndex.from_frame(lines[KEY]))
        month = lines["number"].to_numpy() % MONTHS

        def wide(values: Floats) -> Floats:
            table = np.full((len(keys), MONTHS), np.nan)
            table[place, month] = values
            return table

        names = ("amount", "per_unit", "carbon_per_unit", "ncv")
        reported, factor, carbon, ncv = (wide(lines[name].to_numpy(dtype=float)) for name in names)
        unit = pd.factorize(keys["unit_id"])[0]
        keys = keys.assign(rate=[_rate(row.item, row.flow) for row in keys[["item", "flow"]].itertuples()])
        base = _base(keys, reported, unit)
        filled = (_filled(factor), _filled(carbon), _filled(ncv))
        return cls(keys, reported, _exists(reported, unit), *filled, base)

    @property
    def unit(self) -> NDArray[np.int64]:
        """Number of the unit of each series."""
        return pd.factorize(self.keys["unit_id"])[0]


def _lines(accounts: Accounts, year: int) -> pd.DataFrame:
    """Return a row for each figure of the year: its quantity, in heat for a fuel, and its emissions per unit."""
    lines = accounts.lines[accounts.lines["month"].str.startswith(f"{year:04d}-")]
    # Both gases of the anode effect have one quantity.
    factor = lines.groupby("figure")["factor"].sum(min_count=1).fillna(0.0)
    carbon = lines["factor"].where(lines["gas"] == "CO2").groupby(lines["figure"]).sum()
    table = lines.drop_duplicates("figure").set_index("figure")
    sector = table["unit_id"].map(accounts.register.set_index("unit_id")["sector"])
    table = table[[*KEY, "quantity", "unit", "month"]].assign(
        ncv=table["ncv_gj_per_unit"], sector=sector, number=[month_number(one) for one in table["month"]]
    )
    is_fuel = table["ncv"].notna()
    # The balance of a steel enterprise has all its emissions; those of processes are parts of it.
    counts = (table["sector"] != STEEL) | (table["process"] == ENTERPRISE)
    return table[table["item"] != "anode_effect_minutes"].assign(
        amount=table["quantity"].where(~is_fuel, table["quantity"] * table["ncv"]),
        unit=table["unit"].where(~is_fuel, HEAT),
        per_unit=factor.where(counts, 0.0),
        carbon_per_unit=carbon.where(counts, 0.0),
    )


def _rate(item: str, flow: str) -> float:
    """Return the relative uncertainty of the meter of an item."""
    kind, phase = ITEMS[item].kind, ITEMS[item].phase
    if kind == "fuel":
        return float(np.hypot(figure(phase), figure("calorific")))
    minor = kind == "deduction" or (kind == "material" and flow == "in") or item in ("tar", "crude_benzol")
    return figure("minor" if minor else "solid")


def _exists(reported: Floats, unit: NDArray[np.int64]) -> Mask:
    present = ~np.isnan(reported)
    months = np.zeros((int(unit.max(initial=-1)) + 1, MONTHS), dtype=bool)
    np.logical_or.at(months, unit, present)
    usual = present.sum(axis=1) >= figure("usual_months") * months.sum(axis=1)[unit]
    return present | (~months[unit] & usual[:, None])


def _filled(values: Floats) -> Floats:
    """Return values with the median of the series where a month has none; NaN for a series without any."""
    middle = median(values)
    return np.where(np.isnan(values), middle[:, None], values)


def _base(keys: pd.DataFrame, reported: Floats, unit: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the series of the output of each unit."""
    wanted = [BASES[sector] for sector in keys["sector"]]
    able = np.array(
        [pair == one for pair, one in zip(zip(keys["process"], keys["flow"], strict=True), wanted, strict=True)]
    )
    # Steel without ironmaking relates to its crude steel.
    sold = ((keys["process"] == ENTERPRISE) & (keys["flow"] == "out") & (keys["item"] == "crude_steel")).to_numpy()
    size = np.where(able, 2.0, np.where(sold, 1.0, 0.0))
    within = np.nan_to_num(median(reported))
    order = np.lexsort((within, size))
    found = np.full(int(unit.max(initial=-1)) + 1, -1)
    found[unit[order]] = np.where(size[order] > 0, order, -1)
    return found[unit]


def median(values: Floats) -> Floats:
    """Return the median of each row without NaN, NaN for a row of nothing else, shape ``(rows,)``."""
    ordered = np.sort(values, axis=1)
    count = (~np.isnan(values)).sum(axis=1)
    rows = np.arange(len(values))
    low, high = (ordered[rows, np.clip(place, 0, None)] for place in ((count - 1) // 2, count // 2 * (count > 0)))
    return np.where(count > 0, (low + np.where(count > 0, high, low)) / 2, np.nan)


def of_others(values: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return median, median absolute deviation and number of the other months of each month, shape ``(rows, 12)``."""
    middle, spread = np.empty_like(values), np.empty_like(values)
    count = np.zeros(values.shape, dtype=np.int64)
    for month in range(values.shape[1]):
        others = np.delete(values, month, axis=1)
        middle[:, month] = median(others)
        spread[:, month] = median(np.abs(others - middle[:, [month]]))
        count[:, month] = (~np.isnan(others)).sum(axis=1)
    return middle, spread, count
