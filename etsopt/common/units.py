"""Units of measure: their names, tolerances, exact rounding and sums, and the display of quantities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TONNE = "t"
RATE = "rate"

# Activity data, emissions and allowances reach 1e8 tonnes in a unit; a formula of a few operations in double precision
# then has an error of about 1e-7 t. A value this close below a whole tonne is that tonne.
ROUNDING_NOISE_T = 1e-6

RELATIVE_TOLERANCE = 1e-9
LEAST_TOLERANCE = {TONNE: 2e-2, RATE: 2e-10, "CNY": 1e-2}
"""Least tolerance of an objective by its unit: 20 kg, the same relative to 1e8 t, and a fen (0.01 CNY). The solver's
own 1e-10 of the largest unit amounts to about as much."""

REACH_RELATIVE = 1e-10
"""Least tolerance of an objective relative to the largest of its terms, unless that of its unit is less."""

LEAST_REFERENCE_SHARE = 1e-3
"""Share of emissions as which a smaller reference counts where changes are in proportion to the reference: a unit that
the rule gives nothing has to move where nothing else can."""


def tolerance_of(value: float, unit: str, reach: float = math.inf) -> float:
    """Return the tolerance of an objective value, in its unit, against later objectives and its bound.

    Parameters
    ----------
    reach
        Largest size that one of its terms may reach, of which the least tolerance is at most `REACH_RELATIVE`; infinite
        where terms are known to have the size of plants, and zero where nothing moves.

    >>> tolerance_of(1e6, "t"), tolerance_of(1e8, "t"), tolerance_of(0.0, "t", reach=1.0)
    (0.02, 0.1, 1e-10)
    """
    least = min(LEAST_TOLERANCE.get(unit, RELATIVE_TOLERANCE), REACH_RELATIVE * (reach or math.inf))
    return max(RELATIVE_TOLERANCE * abs(value), least)


def whole_tonnes(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round down to whole tonnes, as the allocation plans do.

    A value at most `ROUNDING_NOISE_T` below a whole tonne becomes that tonne.

    >>> import numpy as np
    >>> whole_tonnes(np.array([1789.70, 790116.9999999999]))
    array([  1789., 790117.])
    """
    # Lists of names show quantities, and must not wait for numpy.
    import numpy as np

    return np.floor(tonnes + ROUNDING_NOISE_T)


def nearest_tonnes(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to the nearest whole tonne, halves up, as verified emissions are where they are owed or allocated.

    >>> import numpy as np
    >>> nearest_tonnes(np.array([500_000.4, 500_000.5, 500_000.6]))
    array([500000., 500001., 500001.])
    """
    return whole_tonnes(tonnes + 0.5)


def sums(group: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the sum of the values of each group, shape ``(count,)``; a plain sum of a million values would drift.

    Whole tonnes add up without any rounding, so they are added apart from the fractions.

    >>> import numpy as np
    >>> sums(np.array([0, 1, 0]), np.array([1e15, 2.5, 0.25]), 2)
    array([1.0e+15, 2.5e+00])
    """
    import numpy as np

    integers = np.floor(values)
    total: NDArray[np.float64] = np.bincount(group, integers, count).astype(float, copy=False)
    fractions = values - integers
    return total + np.bincount(group, fractions, count) if fractions.any() else total


def format_tonnes(tonnes: float) -> str:
    """Format a quantity in tonnes for display: grouped thousands, no meaningless decimals.

    >>> format_tonnes(1014304.9999), format_tonnes(-0.25), format_tonnes(-0.0)
    ('1,014,305', '-0.25', '0')
    """
    if not math.isfinite(tonnes):
        return str(tonnes)
    if abs(tonnes) >= 100 or tonnes == round(tonnes):
        # Adding zero removes the sign of a negative zero.
        return f"{tonnes + 0.0:,.0f}"
    return f"{tonnes:,.3g}"


def format_rate(rate: float) -> str:
    """Format a rate as a percentage.

    >>> format_rate(0.03), format_rate(-0.0123456)
    ('3.00 %', '-1.23 %')
    """
    # Adding zero turns the negative zero that rounding may leave into a positive one.
    return f"{round(100 * rate, 2) + 0.0:.2f} %" if math.isfinite(rate) else "-"
