"""The book of a plant: how its figures vary, and how a year of them is written into monthly reports."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etsopt.accounting.figures import FUELS
from etsopt.accounting.vocabulary import ITEMS

Floats = NDArray[np.float64]

YEAR, MONTHS = 2025, 12
RAMP = np.linspace(-0.5, 0.5, MONTHS)
"""A trend of one over the year."""

FREEDOM = 4
"""Degrees of freedom of the noise, a scaled Student's t: two in a thousand figures are beyond five deviations."""
METER = 0.3  # noise of a meter or a count, relative to the item noise
CALORIFIC = 0.35  # noise of a month's calorific value, relative to the item noise
CALORIFIC_SPREAD, REFINED_SPREAD = 0.06, 0.02  # relative sd between plants, of coals, and of coke, oil and gas
BATCH_SPREAD = 0.012  # relative sd between calorific values of batches of a month
BATCH_COMES = 0.85  # share of months in which a further batch comes
METERS_APART, BATCHES_APART = 0.04, 0.25  # sd of the logarithm of shares, of meters and of deliveries
WHOLE_FROM_T = 1000.0  # plants that write whole tonnes do so from here on
FILED_DAYS, CALIBRATED_DAYS = (8, 39), 350


class Written(NamedTuple):
    """Rows of a batch or meter in the months in which there are any."""

    process: str
    item: str
    flow: str
    batch: str
    month: NDArray[np.int64]
    quantity: Floats
    ncv: Floats


class Book:
    """The book of a plant: draws with the noise of its items, and the rows of a year.

    Parameters
    ----------
    unit
        Its code.
    noise
        Standard deviation of the logarithm of an item per tonne of output, from month to month.
    """

    def __init__(self, unit: str, random: np.random.Generator, noise: float) -> None:
        self.unit, self.random, self.noise = unit, random, noise
        self.whole = random.random() < 0.15
        self.rows: list[Written] = []
        self.values: dict[str, Floats] = {}

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.random.random() < probability)

    def drawn(self, usual: float, spread: float = 0.1) -> float:
        """Return a rate of this plant around the usual one."""
        return float(usual * np.exp(spread * self.random.normal()))

    def varied(self, values: Floats, times: float = 1.0) -> Floats:
        """Return figures of twelve months with a drift and the heavy-tailed noise of an item, or so many times it."""
        heavy = self.random.standard_t(FREEDOM, MONTHS) / np.sqrt(FREEDOM / (FREEDOM - 2))
        drift = self.random.uniform(-0.06, 0.06) * RAMP
        return np.asarray(values * np.exp(drift + times * self.noise * heavy))

    def metered(self, values: Floats) -> Floats:
        """Return figures as a meter or a count has them."""
        return np.asarray(values * np.exp(METER * self.noise * self.random.normal(size=len(values))))

    def calorific(self, fuel: str) -> Floats:
        """Return the calorific value of a fuel by month, the same at every process [GJ/unit]."""
        if fuel not in self.values:
            spread = CALORIFIC_SPREAD if ITEMS[fuel].phase == "solid" and "coke" not in fuel else REFINED_SPREAD
            self.values[fuel] = self.varied(np.full(MONTHS, self.drawn(FUELS[fuel][0], spread)), CALORIFIC)
        return self.values[fuel]

    def write(self, process: str, item: str, flow: str, quantity: Floats, meters: int = 1) -> None:
        """Write a quantity by month, split among meters; a month in which nothing was used has no row."""
        names = [""] if meters == 1 else [f"M{number}" for number in range(1, meters + 1)]
        for name, share in zip(names, self._shares(meters, METERS_APART), strict=True):
            self._enter(process, item, flow, name, self.metered(quantity * share))

    def test(self, process: str, fuel: str, used: Floats, batches: int) -> None:
        """Write the tests of a fuel, which have its calorific value: of so many batches, or fewer in some months."""
        shares = self._shares(batches, BATCHES_APART)
        shares[1:] *= self.random.random((batches - 1, MONTHS)) < BATCH_COMES
        for number, share in enumerate(shares / shares.sum(axis=0), 1):
            ncv = self.calorific(fuel) * np.exp(BATCH_SPREAD * self.random.normal(size=MONTHS) * (batches > 1))
            tested = used * share * self.random.uniform(0.6, 0.95)
            self._enter(process, fuel, "test", f"B{number}", self.metered(tested), np.round(ncv, 3))

    def stocked(self, process: str, item: str, used: Floats) -> None:
        """Write purchases and the stock at the end of every month, which balance what was used.

        Purchases come when they are cheap, so that the stock wanders between a third and twice a month's use.
        """
        usual = float(np.median(used))
        stock, bought, closing = usual * self.random.uniform(0.7, 1.4), np.zeros(MONTHS), np.zeros(MONTHS)
        for month, amount in enumerate(used):
            wanted = usual * self.random.uniform(0.4, 1.9)
            bought[month] = max(amount + wanted - stock, 0.2 * amount, amount + 0.3 * usual - stock)
            stock += bought[month] - amount
            closing[month] = stock
        self.write(process, item, "purchase", bought)
        self.write(process, item, "stock", closing)

    def frame(self) -> pd.DataFrame:
        """Return all rows, month by month, with the days of filing and of calibration."""
        parts = self.rows
        length = [len(one.month) for one in parts]
        month = np.concatenate([one.month for one in parts])
        words = {
            name: np.repeat(np.array([getattr(one, name) for one in parts], dtype=object), length)
            for name in ("process", "item", "flow", "batch")
        }
        of_year = np.datetime64(f"{YEAR}-02") + np.arange(12).astype("timedelta64[M]")
        end = of_year.astype("datetime64[D]") - np.timedelta64(1, "D")
        filed = end + self.random.integers(*FILED_DAYS, size=MONTHS)
        age = np.repeat(self.random.integers(CALIBRATED_DAYS, size=len(parts)), length)
        age = (age + (end - end[0]).astype(int)[month]) % CALIBRATED_DAYS
        frame = pd.DataFrame(
            {
                "unit_id": self.unit,
                "month": np.array([f"{YEAR}-{number:02d}" for number in range(1, MONTHS + 1)], dtype=object)[month],
                **words,
                "quantity": np.concatenate([one.quantity for one in parts]),
                "unit": [ITEMS[item].unit for item in words["item"]],
                "ncv_gj_per_unit": np.concatenate([one.ncv for one in parts]),
                "reported_on": np.datetime_as_string(filed[month]),
                "calibrated_on": np.where(words["flow"] == "test", "", np.datetime_as_string(end[month] - age)),
            }
        )
        return frame.iloc[np.argsort(month, kind="stable")]

    def _shares(self, count: int, spread: float) -> Floats:
        """Return shares by part and month, those of a month adding up to one."""
        usual = np.exp(0.3 * self.random.normal(size=(count, 1)))
        shares = usual * np.exp(spread * self.random.normal(size=(count, MONTHS)))
        return np.asarray(shares / shares.sum(axis=0))

    def _enter(
        self, process: str, item: str, flow: str, batch: str, quantity: Floats, ncv: Floats | None = None
    ) -> None:
        rounded = np.where(self.whole & (quantity >= WHOLE_FROM_T), np.round(quantity), np.round(quantity, 2))
        month = np.flatnonzero(rounded > 0)
        value = np.full(MONTHS, np.nan) if ncv is None else ncv
        self.rows.append(Written(process, item, flow, batch, month, rounded[month], value[month]))
