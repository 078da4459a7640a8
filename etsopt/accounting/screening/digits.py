"""The rule on last digits: figures of a series that end alike more often than chance allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.decimals import hundredths
from etsopt.accounting.screening.registry import rule
from etsopt.accounting.screening.screening_data import FEWEST_MONTHS, FEWEST_PEERS, findings
from etsopt.common.language import _, pgettext

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.screening.material import Material

    Integers = NDArray[np.int64]

UNIFORM = "last digits of measured quantities are uniform (a test of forensic statistics)"


@rule("last_digits", "logic", UNIFORM, chance=1e-6, common=0.5)
def last_digits(data: Material, chance: float, common: float) -> pd.DataFrame:
    """Quantities of an item end in the same digits, or in 0 and 5, month after month, unlike those of its peers.

    Digits are those in which an item is written all year: who reports whole tonnes has no hundredths to end alike.
    """
    lines = data.lines[data.lines["quantity"] > 0]
    value = hundredths(lines["quantity"].to_numpy(dtype=float))
    series = lines["series"].to_numpy()
    finest = np.full(int(series.max(initial=-1)) + 1, 100)
    np.minimum.at(finest, series, np.where(value % 100 == 0, 100, np.where(value % 10 == 0, 10, 1)))
    value //= finest[series]
    half = np.where(value % 5 == 0, 0, 1)
    parts = [
        _ends(lines, series, value % 100, 0.01, 100, pgettext("ending", "the last two digits are the same")),
        _ends(lines, series, value % 10, 0.1, 10, pgettext("ending", "the last digit is the same")),
        _ends(lines, series, half, 0.2, 1, pgettext("ending", "the last digit is 0 or 5"), only=0),
    ]
    every = pd.concat(parts, ignore_index=True)
    every = every.assign(off=every["chance"] < np.log(chance))
    # Where most units round alike, the rounding is a convention.
    usual = every.groupby(["peers", "ending"], sort=False)["off"]
    convention = (usual.transform("mean") > common) & (usual.transform("count") >= FEWEST_PEERS)
    found = every[every["off"] & ~convention].sort_values("chance", kind="stable").drop_duplicates("series")
    return findings(found, _("{ending} in {alike} of {months} months from {month} on"))


def _ends(
    lines: pd.DataFrame,
    series: Integers,
    digits: Integers,
    share: float,
    choices: int,
    ending: str,
    only: int | None = None,
) -> pd.DataFrame:
    """Return how often each series has its most frequent digits, and the logarithm of the chance of that.

    Parameters
    ----------
    share, choices
        Chance of given digits in one month, and number of digits among which the most frequent may be.
    only
        The digits that count, if only these do.
    """
    table = lines[["unit_id", "month", "item", "peers", "size_t"]].assign(series=series, digits=digits)
    months = table.groupby("series", sort=True).size().rename("months")
    own = table if only is None else table[table["digits"] == only]
    groups = own.groupby(["series", "digits"], sort=True)
    ends = groups.agg(alike=("month", "size"), size_t=("size_t", "sum"), month=("month", "min")).reset_index()
    ends = ends.sort_values("alike", kind="stable").drop_duplicates("series", keep="last").join(months, on="series")
    ends = ends[ends["months"] >= FEWEST_MONTHS]
    chance = log_tail(ends["alike"].to_numpy(), ends["months"].to_numpy(), share) + np.log(choices)
    first = table.drop_duplicates("series").set_index("series")[["unit_id", "item", "peers"]]
    return ends.assign(chance=chance, ending=ending).join(first, on="series")


def log_tail(alike: Integers, months: Integers, share: float) -> NDArray[np.float64]:
    """Return an upper bound of the logarithm of the chance of at least so many of so many, each with a share.

    The bound of Chernoff needs no table of binomial coefficients:

    >>> [round(float(one), 2) for one in log_tail(np.array([12, 1]), np.array([12, 12]), 0.1)]
    [-27.63, 0.0]
    """
    part = alike / months
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(part < 1, (1 - part) * np.log((1 - part) / (1 - share)), 0.0)
        bound = -months * (part * np.log(part / share) + rest)
    return np.where(part > share, bound, 0.0)
