"""Months and rows that are absent, although a unit has them in nearly all others, and totals beside their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW
from etsopt.accounting.screening.causes.hypotheses import chance_or_fault
from etsopt.accounting.screening.causes.series import steps, suspects
from etsopt.accounting.screening.screening_data import FEWEST_MONTHS

if TYPE_CHECKING:
    from etsopt.accounting.screening.causes.series import Flags, Floats, Integers, Series, Suspects


REGULAR = 0.75
"""Share of the months that have a series, from which its absence is a fault: nine of twelve."""


def _reported(series: Series) -> tuple[Flags, Flags]:
    """Return the months that each unit reports, and those in which a quantity is not zero: ``(units, months)``."""
    counted = series.counted
    shape = (len(series.coded.units), series.present.shape[1])
    reported, active = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    np.logical_or.at(reported, series.coded.unit[counted], series.present[counted])
    np.logical_or.at(active, series.coded.unit[counted], series.hundredths[counted] > 0)
    return reported, active


def _absent(present: Flags, able: Flags) -> tuple[Integers, Integers, Integers, Floats]:
    """Return row and column of what is absent in able months, in how many it is present, and the chance of that.

    The probability that a month has it is one more than those that have it, over two more than there are (Laplace).
    """
    present_months, months = (present & able).sum(axis=1), able.sum(axis=1)
    regular = (present_months >= REGULAR * months) & (months >= FEWEST_MONTHS)
    row, column = np.nonzero(able & ~present & regular[:, None])
    return row, column, present_months[row], ((present_months + 1) / (months + 2))[row]


def _outside(series: Series, able: Flags) -> Flags:
    """Return the months before an item was taken up and after it was given up: two or more at an end of the reports."""
    absent, there = able & ~series.present, able & series.present
    outside = np.zeros_like(absent)
    for order in (slice(None), slice(None, None, -1)):
        end = absent[:, order] & ~np.logical_or.accumulate(there[:, order], axis=1)
        outside |= (end & (end.sum(axis=1) > 1)[:, None])[:, order]
    return outside


def missing_months(series: Series) -> Suspects:
    """Return the months of reported years of which a unit has no report."""
    reported, _ = _reported(series)
    year = (np.arange(reported.shape[1]) + series.first) // 12
    some = np.where(reported, year, -1)
    first = np.where(reported, year, year.max(initial=0) + 1).min(axis=1, initial=year.max(initial=0) + 1)
    able = (year >= first[:, None]) & (year <= some.max(axis=1, initial=-1)[:, None])
    unit, column, present_months, probability = _absent(reported, able)
    return suspects(unit, column=column, cause="missing_month", probability=probability, months=present_months)


def missing_rows(series: Series, switched: Flags) -> Suspects:
    """Return the rows that are absent in months that a unit reports; a test only where its fuel is consumed.

    Parameters
    ----------
    switched
        Figures for which other fuels make up, shape ``(series, months)``: none of these is missing.
    """
    reported, active = _reported(series)
    able = (reported & active)[series.coded.unit]
    burnt = np.vstack([series.present & (series.hundredths > 0), np.ones(able.shape[1], dtype=bool)])
    tested = series.coded.flow == FLOW["test"]
    able[tested] &= burnt[series.consumption()[:-1][tested]]
    place, column, present_months, probability = _absent(series.present, able & ~switched & ~_outside(series, able))
    return series.suspects(place, column, cause="missing_row", probability=probability, months=present_months)


def totals(series: Series) -> Suspects:
    """Return the totals that are stated beside their parts, which count twice."""
    place, column = np.nonzero(series.total)
    total = series.total[place, column]
    probability = chance_or_fault(np.log(steps(total) / np.maximum(total, 1)))
    values = {"factor": 2.0, "ratio": 2.0, "stated": total / 100.0}
    return series.suspects(place, column, cause="total_and_parts", probability=probability, **values)
