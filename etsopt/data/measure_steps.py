"""What is on offer to units: measures, and the steps of those that are built over years.

A measure with ``largest_new_share_a_year`` is built in equal steps of at most this share, each of which needs those
before it and begins a year after the one before at the earliest. In a market each step counts like a measure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.data.tables.row_scope import filled_column
from etsopt.data.tables.schema import MEASURES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.content import Content

STEP_COUNT_ROUNDING = 1e-9
"""A quotient of shares this much above a whole number is that number: 0.3 / 0.1 is 3 steps."""

STEPS_MAX = 2**53
"""More steps than this are counted as this many, so that every share above zero has a number of them."""


class Offers(NamedTuple):
    """Measures and steps on offer, each row of the table followed by none or by its further steps.

    Parameters
    ----------
    row
        Row of the table of measures, shape ``(offers,)``.
    step, steps
        Which step of the measure it is, from 1 on, and how many there are, shape ``(offers,)``.
    """

    row: NDArray[np.int64]
    step: NDArray[np.int64]
    steps: NDArray[np.int64]


def step_counts(measures: pd.DataFrame) -> NDArray[np.int64]:
    """Return the number of steps of each row of a table of measures, 1 without a largest new share.

    >>> import pandas as pd
    >>> shares = pd.DataFrame({"maximum_share": [0.3, 0.3, 1.0], "largest_new_share_a_year": [0.1, 0.2, np.nan]})
    >>> step_counts(shares)
    array([3, 2, 1])
    """
    share, new = (filled_column(measures, MEASURES, name) for name in ("maximum_share", "largest_new_share_a_year"))
    stated = ~np.isnan(new)
    steps = np.ones(len(measures), dtype=np.int64)
    with np.errstate(over="ignore"):
        quotient = np.ceil(share[stated] / new[stated] - STEP_COUNT_ROUNDING)
    steps[stated] = np.clip(quotient, 1, STEPS_MAX)
    return steps


def offers_of(instance: Content) -> Offers:
    """Return every measure and step in the order of the table; an instance without measures has none."""
    return instance.cached("offers", lambda: _offers(instance.measures))


def _offers(measures: pd.DataFrame | None) -> Offers:
    if measures is None:
        return Offers(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    steps = step_counts(measures)
    row = np.repeat(np.arange(len(steps)), steps)
    step = np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps) + 1
    return Offers(row, step, steps[row])
