"""Tonnes as people read them: t, kt and Mt, and in Chinese 吨, 万吨 and 亿吨. It loads no package."""

from __future__ import annotations

import math
import re

from etsopt.common.language import LANGUAGE, _, in_chinese, pgettext

SCALES = {"en": ((1e7, 1e6, "Mt"), (1e4, 1e3, "kt")), "zh": ((1e9, 1e8, "10⁸ t"), (1e5, 1e4, "10⁴ t"))}
"""Units of tonnes by language, the largest first: the least figure that they are for, their size and name."""

MONEY = ((1e11, 1e9, "CNY billion"), (1e7, 1e6, "CNY million"))
"""Units of money in the same form."""

ELECTRICITY = {"en": ((1e7, 1e6, "TWh"), (1e4, 1e3, "GWh")), "zh": ((1e6, 1e5, "10⁸ kWh"),)}
"""Units of electricity by language in the same form, of MWh."""

MINUS = "−"
"""As wide as a digit."""


def signed(text: str) -> str:
    """Return the text of a number with a minus sign as wide as a digit, and a zero without one.

    >>> signed("-0.00"), signed("-1.5"), signed("-")
    ('0.00', '−1.5', '-')
    """
    if not text.startswith("-") or text == "-":
        return text
    return f"{MINUS}{text[1:]}" if any(digit in text for digit in "123456789") else text[1:]


def scale_of(largest_t: float) -> tuple[float, str]:
    """Return a divisor and its unit for tonnes of which this is the largest.

    >>> scale_of(2.9e9), scale_of(560_000.0), scale_of(-900.0)
    ((1000000.0, 'Mt'), (1000.0, 'kt'), (1.0, 't'))
    """
    return _fitting(SCALES[LANGUAGE.get()], largest_t, "t")


def money_scale_of(largest_cny: float) -> tuple[float, str]:
    """Return a divisor and its unit for money of which this is the largest."""
    return _fitting(MONEY, largest_cny, "CNY")


def electricity_scale_of(largest_mwh: float) -> tuple[float, str]:
    """Return a divisor and its unit for MWh of which this is the largest.

    >>> electricity_scale_of(1.04e10)
    (1000000.0, 'TWh')
    """
    return _fitting(ELECTRICITY[LANGUAGE.get()], largest_mwh, "MWh")


def _fitting(steps: tuple[tuple[float, float, str], ...], largest: float, unit: str) -> tuple[float, str]:
    return next(((size, name) for least, size, name in steps if abs(largest) >= least), (1.0, unit))


def size_of(unit: str) -> float:
    """Return the tonnes of ``Mt`` or ``kt`` in a heading; Chinese has 万吨 for both.

    >>> size_of("Mt"), size_of("kt")
    (1000000.0, 1000.0)
    """
    return 1e4 if in_chinese() else {"Mt": 1e6, "kt": 1e3}[unit]


def short_figure(value: float) -> str:
    """Format a figure of a scale: with three decimals, in Chinese with four, the last of which is the next unit below.

    A figure from 10,000 on has one. It is `-` if it is not finite.
    """
    decimals = 3 + in_chinese() if abs(value) < 1e4 else 1
    # Adding zero removes the sign of a negative zero.
    return f"{round(value, decimals) + 0.0:,.{decimals}f}" if math.isfinite(value) else "-"


def in_unit(text: str, unit: str) -> str:
    """Return the label of an axis with its unit.

    >>> in_unit("price", "CNY 2024/t")
    'price [CNY 2024/t]'
    """
    return f"{text} [{unit_text(unit)}]"


def unit_text(unit: str) -> str:
    """Return a unit in the language of the moment; one that is not known as it is."""
    at_prices = re.fullmatch(r"CNY (\d+)/t", unit)
    return str(_("CNY {year}/t", year=at_prices[1]) if at_prices else pgettext("unit", unit))


def scaled(largest: float, unit: str) -> tuple[float, str]:
    """Return a divisor for numbers of which this is the largest, and their unit then.

    >>> scaled(2.9e9, "t"), scaled(-0.01, "1"), scaled(90.0, "CNY 2024/t")
    ((1000000.0, 'Mt'), (0.01, '%'), (1.0, 'CNY 2024/t'))
    """
    largest = abs(largest)
    if unit in ("t", "tCO2e"):
        divisor, short = scale_of(largest)
        return divisor, unit_text(short) + unit.removeprefix("t")
    if unit in ("1", "rate"):
        return 0.01, "%"
    divisor, short = money_scale_of(largest) if unit == "CNY" else (1.0, unit)
    return divisor, unit_text(short)
