"""Numbers of a policy by year, as arrays over years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def by_year(
    value: float | Mapping[str, float] | None, years: Sequence[int] | NDArray[np.int64], default: float = np.nan
) -> NDArray[np.float64]:
    """Return a number of the policy for each year, shape ``(years,)``, in its own unit.

    Parameters
    ----------
    value
        One number for all years, a table whose years hold until the next stated one, or None if nothing is stated.
    years
        Compliance years.
    default
        Value before the first stated year, or if nothing is stated; NaN for "not stated".

    >>> by_year({"2027": 0.1, "2030": 0.3}, [2025, 2027, 2028, 2031], 0.0)
    array([0. , 0.1, 0.1, 0.3])
    """
    if value is None:
        return np.full(len(years), float(default))
    if isinstance(value, int | float):
        return np.full(len(years), float(value))
    stated = sorted((int(year), number) for year, number in value.items())
    numbers = np.array([default, *(number for _, number in stated)], dtype=float)
    return numbers[np.searchsorted([year for year, _ in stated], np.asarray(years), side="right")]


def interpolated(
    value: Mapping[str, float], years: Sequence[int] | NDArray[np.int64], default: float
) -> NDArray[np.float64]:
    """Return a number of the policy on straight lines between its stated years, constant after the last.

    Parameters
    ----------
    default
        Value before the first stated year.

    >>> interpolated({"2030": 100.0, "2040": 50.0}, [2029, 2030, 2034, 2050], np.inf)
    array([ inf, 100.,  80.,  50.])
    """
    stated = sorted((int(year), number) for year, number in value.items())
    points, numbers = zip(*stated, strict=True)
    values: NDArray[np.float64] = np.interp(np.asarray(years, dtype=float), points, numbers)
    return np.where(np.asarray(years) < points[0], default, values)
