"""Quantities on a terminal and on pages: the unit that keeps their figures short. It loads no package."""

from __future__ import annotations

import math


def scale_of(largest_t: float) -> tuple[float, str]:
    """Return a divisor and its unit for tonnes of which this is the largest: Mt, kt or t.

    >>> scale_of(2.9e9), scale_of(560_000.0), scale_of(900.0)
    ((1000000.0, 'Mt'), (1000.0, 'kt'), (1.0, 't'))
    """
    return (1e6, "Mt") if largest_t >= 1e7 else (1e3, "kt") if largest_t >= 1e4 else (1.0, "t")


def three_decimals(value: float) -> str:
    """Format a number with three decimals, or one from 10,000 on; `-` if it is not finite."""
    decimals = 3 if abs(value) < 1e4 else 1
    # Adding zero removes the sign of a negative zero.
    return f"{round(value, decimals) + 0.0:,.{decimals}f}" if math.isfinite(value) else "-"
