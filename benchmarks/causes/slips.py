"""What each cause does to the rows of a place: a slip of a hand, of a unit or of a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from etsopt.accounting.figures import FUELS
from etsopt.accounting.schema import LARGEST_NCV
from etsopt.accounting.vocabulary import ITEMS

Random = np.random.Generator
Slip = Callable[[pd.DataFrame, pd.DataFrame, Random], tuple[pd.DataFrame, str]]

KCAL, COAL_EQUIVALENT = 4.1868, 29.3076
"""MJ of a thousand kilocalories, and GJ of a tonne of coal equivalent."""
LEAST_T = 0.5  # a slip that leaves less than this writes zeros, which nobody would send in
LEAST_NCV = 0.01  # the same of a calorific value
LEAST_CHANGE = 1.15  # a quantity in coal equivalent that differs by less is no fault to speak of
UNEXPLAINED = (1.3, 5.0)
STOCK_OFF = (0.3, 1.5)  # a wrong closing stock, relative to itself
PARTS_RARER = 0.7  # parts come to stand beside a lone figure less often than a total beside its parts


class UnfitError(Exception):
    """A slip that cannot happen in a place, or that the reader of reports would refuse."""


class Place(NamedTuple):
    """The place of a figure; without a process the whole month of a unit."""

    unit_id: str
    month: str
    process: str
    item: str
    flow: str

    @property
    def before(self) -> str:
        """The month before."""
        return str(pd.Period(self.month, "M") - 1)


def _times(rows: pd.DataFrame, factor: float, which: slice | int = slice(None)) -> pd.DataFrame:
    """Return rows with a factor on their figures: on the calorific value of tests, on the quantity of all others.

    Raises
    ------
    UnfitError
        If the figure vanishes, or is no calorific value that a report may have.
    """
    is_test = rows["flow"].iat[0] == "test"
    column, decimals, whole = ("ncv_gj_per_unit", 3, 1.0) if is_test else ("quantity", 2, 100.0)
    values = rows[column].to_numpy(dtype=float).copy()
    values[which] *= factor
    # Small figures are written with four decimals, as those in 万吨 are.
    written = np.where(values < whole, np.round(values, 4), np.round(values, decimals))
    if written.min() < (LEAST_NCV if is_test else LEAST_T) or (is_test and written.max() > LARGEST_NCV):
        raise UnfitError
    return rows.assign(**{column: written})


def _some(rows: pd.DataFrame, factor: float, random: Random, way: str) -> tuple[pd.DataFrame, str]:
    """Return a factor on all rows of a place, or on one of several."""
    if len(rows) > 1 and random.random() < 0.5:
        return _times(rows, factor, int(random.integers(len(rows)))), f"{way}, one row"
    return _times(rows, factor), way


def _phase(rows: pd.DataFrame) -> str:
    return ITEMS[rows["item"].iat[0]].phase


def _power_of_ten(power: int, up: float, gas: float | None, way: str) -> Slip:
    """Return a slip by a power of ten, upwards in a share of the cases; of gases in another, or never."""

    def slip(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
        is_gas, is_test = _phase(rows) == "gas", rows["flow"].iat[0] == "test"
        if is_gas and not is_test and gas is None:
            raise UnfitError
        share = gas if is_gas and gas is not None else up
        # A value in kJ/kg is refused as a whole; one in GJ/kg is not.
        upwards = random.random() < share and not (is_test and power > 10)
        return _some(rows, float(power) if upwards else 1 / power, random, way)

    return slip


def _twice(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """Double the figure, or enter a row again as another batch."""
    if len(rows) == 1 and random.random() < 0.5:
        return _times(rows, 2.0), "figure doubled"
    again = rows.iloc[[random.integers(len(rows))]]
    return pd.concat([rows, again.assign(batch=(again["batch"] + " 2").str.strip())]), "row again"


def _calorific_unit(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """State thousands of kilocalories, convert them twice, or state tonnes of coal equivalent per unit."""
    ways = {"kcal/g": 1 / KCAL, "converted twice": KCAL, "tce per unit": 1 / COAL_EQUIVALENT}
    way = str(random.choice(list(ways), p=[0.4, 0.35, 0.25]))
    return _some(rows, ways[way], random, way)


def _coal_equivalent(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """State the quantity of a fuel in tonnes of coal equivalent, as energy statistics have it."""
    item = rows["item"].iat[0]
    factor = FUELS[item][0] / COAL_EQUIVALENT if item in FUELS else 1.0
    if max(factor, 1 / factor) < LEAST_CHANGE:
        raise UnfitError
    return _times(rows, factor), "tce"


def _copied(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """Carry over the figure of the month before; a test with its value."""
    figures = ["quantity", "ncv_gj_per_unit"]
    if len(rows) != 1 or len(before) != 1 or rows["quantity"].iat[0] == before["quantity"].iat[0]:
        raise UnfitError
    return rows.assign(**{name: before[name].to_numpy() for name in figures}), "month before"


def _total(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """Enter the total beside its parts, or the parts beside a total."""
    if len(rows) > 1:
        total = rows.iloc[[0]].assign(quantity=round(float(rows["quantity"].sum()), 2))
        return pd.concat([rows, total.assign(batch=str(random.choice(["", "total"])))]), "total beside parts"
    if random.random() < PARTS_RARER:
        raise UnfitError
    whole, count = float(rows["quantity"].iat[0]), int(random.integers(2, 4))
    shares = random.dirichlet(np.full(count, 6.0))
    quantity = np.round(whole * shares, 2)
    quantity[-1] = round(whole - float(quantity[:-1].sum()), 2)
    if quantity.min() < LEAST_T:
        raise UnfitError
    parts = pd.concat([rows] * count).assign(quantity=quantity, batch=[f"D{number + 1}" for number in range(count)])
    return pd.concat([rows, parts]), "parts beside a total"


def _stock(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """State a closing stock that was not there, or less than there was."""
    off = _log_uniform(STOCK_OFF, random)
    more = random.random() < 0.5
    return _times(rows, 1 + off if more else 1 / (1 + off)), "more" if more else "less"


def _row(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """Leave out the rows of an item, or one of several."""
    if len(rows) > 1 and random.random() < 0.5:
        return rows.drop(index=rows.index[random.integers(len(rows))]), "one row"
    return rows.iloc[:0], "all rows"


def _month(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """Leave out a month."""
    return rows.iloc[:0], "month"


def _unexplained(rows: pd.DataFrame, before: pd.DataFrame, random: Random) -> tuple[pd.DataFrame, str]:
    """Multiply or divide by a factor of no meaning."""
    factor = _log_uniform(UNEXPLAINED, random)
    return _some(rows, factor if random.random() < 0.5 else 1 / factor, random, "factor")


def _log_uniform(ends: tuple[float, float], random: Random) -> float:
    return float(np.exp(random.uniform(*np.log(ends))))


SLIPS: dict[str, Slip] = {
    # Kilograms for tonnes, or thousands of tonnes; gases are never in either.
    "factor_1000": _power_of_ten(1000, 0.7, None, "thousand"),
    # A digit or a point; of gases a thousand cubic metres for ten thousand.
    "factor_10": _power_of_ten(10, 0.5, 0.7, "ten"),
    # 万吨 for tonnes, or converted twice; of gases cubic metres for ten thousand.
    "factor_10000": _power_of_ten(10_000, 0.2, 0.8, "ten thousand"),
    "counted_twice": _twice,
    "calorific_unit": _calorific_unit,
    "tonnes_of_coal_equivalent": _coal_equivalent,
    "copied_month": _copied,
    "total_and_parts": _total,
    "stock_open": _stock,
    "missing_row": _row,
    "missing_month": _month,
    "unexplained": _unexplained,
}
"""What a cause does to the rows of a place, with those of the month before; returns them and what was done."""
