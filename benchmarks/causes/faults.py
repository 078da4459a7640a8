"""Faults as they happen in monthly reports, planted in a set: ten in unit-months of their own, each with its cause.

The frequencies are a judgement of practice, not a statistic: forms are filled in tonnes, kilograms and 万吨, figures
are typed or carried over from the sheet of the month before, and meters, deliveries and their total stand in one table.
Half of the faults in an item of several rows concern one of its rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.causes.plants import clean
from benchmarks.causes.slips import SLIPS, Place, UnfitError
from etsopt.accounting.vocabulary import MINUTES

FAULTS = 10
FREQUENCIES = {
    "factor_1000": 0.12,
    "factor_10": 0.10,
    "factor_10000": 0.10,
    "counted_twice": 0.10,
    "calorific_unit": 0.08,
    "tonnes_of_coal_equivalent": 0.04,
    "copied_month": 0.10,
    "total_and_parts": 0.06,
    "stock_open": 0.06,
    "missing_row": 0.08,
    "missing_month": 0.06,
    "unexplained": 0.10,
}
"""Share of each cause among the faults."""

PLACE = ["unit_id", "month", "process", "item", "flow"]
COUNTED = ("in", "out", "product")
FLOWS = {
    "calorific_unit": ("test",),
    "stock_open": ("stock",),
    "factor_10000": (*COUNTED, "purchase"),
    "missing_row": (*COUNTED, "purchase"),
    "counted_twice": COUNTED,
    "total_and_parts": COUNTED,
    "tonnes_of_coal_equivalent": ("in",),
}
"""Flows in which a cause occurs; all others occur in quantities and tests alike."""
ANY_FLOW = (*COUNTED, "purchase", "test")
PURCHASES = 0.3  # weight of a row of purchases beside one that is counted: fewer people fill these in
ATTEMPTS = 200


class Case(NamedTuple):
    """A set: register, rows with the faults and without, and the faults with place, cause, way and factor."""

    register: pd.DataFrame
    rows: pd.DataFrame
    clean: pd.DataFrame
    faults: pd.DataFrame


def planted(seed: int, noise: float) -> Case:
    """Return a set with ten faults; the same seed and noise give the same set.

    Raises
    ------
    RuntimeError
        If the reports leave no place for a fault.
    """
    register, rows = clean(seed, noise)
    random = np.random.default_rng([seed, round(10_000 * noise), 1])
    sheet, taken = Sheet.of(rows), set[tuple[str, str]]()
    faults, parts, left = [], [], np.ones(len(rows), dtype=bool)
    causes = random.choice(list(FREQUENCIES), FAULTS, p=list(FREQUENCIES.values()))
    for cause in causes:
        place, after, way = _planted(str(cause), sheet, taken, random)
        taken.add((place.unit_id, place.month))
        if cause == "copied_month":
            # The figure that is copied stays as it is, or there would be no copy.
            taken.add((place.unit_id, place.before))
        before = sheet.at(place)
        left[before.index] = False
        parts.append(after)
        factor = figure(after) / figure(before) if len(after) else 0.0
        faults.append({**place._asdict(), "cause": cause, "way": way, "factor": factor})
    changed = pd.concat([rows[left], *parts]).sort_values([*PLACE, "batch"], kind="stable", ignore_index=True)
    return Case(register, changed, rows, pd.DataFrame(faults)[[*PLACE, "cause", "way", "factor"]])


def figure(rows: pd.DataFrame) -> float:
    """Return what the rows of a place state together: their sum, of tests the mean value weighted by tonnes."""
    quantity = rows["quantity"].to_numpy(dtype=float)
    if (rows["flow"] == "test").all():
        return float(np.average(rows["ncv_gj_per_unit"], weights=quantity))
    return float(quantity.sum())


class Sheet(NamedTuple):
    """The rows of a set, where those of every place and of every month of a unit are, and the places as a table."""

    rows: pd.DataFrame
    where: Mapping[tuple[str, ...], NDArray[np.intp]]
    places: pd.DataFrame

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Sheet:
        """Find the places of a set, and for how many months each item and flow of a process has rows."""
        places = rows.groupby(PLACE, sort=True)
        table = places.agg(unit=("unit", "first")).reset_index()
        series = [name for name in PLACE if name != "month"]
        table = table.assign(months=table.groupby(series)["month"].transform("size"))
        return cls(rows, {**places.indices, **rows.groupby(PLACE[:2]).indices}, table)

    def at(self, place: Place) -> pd.DataFrame:
        """Return the rows of a place; without a process those of the unit and month."""
        return self.rows.iloc[self.where.get(tuple(place) if place.process else place[:2], [])]


def _planted(
    cause: str, sheet: Sheet, taken: set[tuple[str, str]], random: np.random.Generator
) -> tuple[Place, pd.DataFrame, str]:
    """Draw a place in which a cause can occur; return it with its rows afterwards and what was done."""
    able = sheet.places[_able(cause, sheet.places)]
    for _attempt in range(ATTEMPTS):
        own = able[able["unit_id"] == random.choice(able["unit_id"].unique())]
        here = own[own["month"] == random.choice(own["month"].unique())]
        weight = np.where(here["flow"] == "purchase", PURCHASES, 1.0)
        place = Place(
            *(str(cell) for cell in here[PLACE].to_numpy()[random.choice(len(here), p=weight / weight.sum())])
        )
        if cause == "missing_month":
            place = place._replace(process="", item="", flow="")
        if (place.unit_id, place.month) in taken or (
            cause == "copied_month" and (place.unit_id, place.before) in taken
        ):
            continue
        try:
            after, way = SLIPS[cause](sheet.at(place), sheet.at(place._replace(month=place.before)), random)
        except UnfitError:
            continue
        return place, after, way
    raise RuntimeError(f"No place was found for a fault of the cause {cause}.")


def _able(cause: str, places: pd.DataFrame) -> pd.Series[bool]:
    """Return the places of the flows and items in which a cause can occur."""
    able = places["flow"].isin(FLOWS.get(cause, ANY_FLOW))
    if cause not in ("factor_10", "unexplained"):
        # A mean of minutes has no sum, no tonnes, and few digits.
        able &= places["unit"] != MINUTES
    if cause == "missing_row":
        # A fuel that was given up, or is not yet burnt, is not missing.
        able &= places["months"] == places["months"].max()
    return able
