"""Quantities of what is shown: the unit of measure, the digits of a number, and its format in a workbook.

A quantity is declared once for each kind of figure. A renderer asks it for the text of a number; amounts of tonnes and
money are scaled by the largest of their column, so that a column has one unit.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.common.language import LANGUAGE, _, pgettext
from etsopt.common.scales import electricity_scale_of, money_scale_of, scale_of, short_figure, signed
from etsopt.common.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SPACE = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, so that no line ends there."""

NO_TONNES = 5e-4
"""Tonnes below which sums that cancel are shown as 0: a gram of allowances does not exist [t]."""

_UNITS = (
    *(pgettext("unit", "CNY million"), pgettext("unit", "CNY billion"), pgettext("unit", "CNY/MWh")),
    *(pgettext("unit", "TWh"), pgettext("unit", "GWh"), pgettext("unit", "10⁸ kWh")),
)
"""Units of measure beside those of results."""


class Quantity(NamedTuple):
    """A kind of cell.

    Parameters
    ----------
    text
        Text of a number; None for cells that are texts already.
    unit
        Code of the unit of measure.
    excel
        Format of a number in a workbook, of `etsopt.presenting.documents.workbook`.
    figures
        True for numbers, which are aligned at the right and sorted by value.
    scaled
        True for amounts that are scaled by the largest of their column.
    alarming
        True for amounts of which any is to be seen at once, such as a shortfall.
    """

    text: Callable[[float], str] | None = None
    unit: str = ""
    excel: str = "general"
    figures: bool = True
    scaled: bool = False
    alarming: bool = False

    def fitting(self, largest: float) -> Quantity:
        """Return the quantity in the scale of the largest number of a column."""
        if not self.scaled:
            return self
        size, unit = {"t": scale_of, "MWh": electricity_scale_of}.get(self.unit, money_scale_of)(largest)
        if size == 1.0:
            return self._replace(unit=unit, scaled=False)
        show = _one_decimal if self.unit == "CNY" else short_figure
        return self._replace(text=lambda value: show(value / size), unit=unit, scaled=False)

    def in_full(self, numbers: Iterable[float]) -> Quantity:
        """Return the quantity without a scale: tonnes have two decimals where one of a column is not whole."""
        parts = self.unit == "t" and any(abs(number - round(number)) > NO_TONNES for number in numbers)
        return self._replace(text=ACCOUNTED.text if parts else self.text, scaled=False)

    def shown(self, value: Any) -> str:
        """Return the text of a cell, its minus sign as wide as a digit."""
        return str(value) if self.text is None or isinstance(value, str) else signed(self.text(float(value)))


def digits(form: str, none: str = "-") -> Callable[[float], str]:
    """Return the text of a number by a format; of one that is not finite a dash, or what is stated."""
    return lambda value: format(value + 0.0, form) if math.isfinite(value) else none


def plain_tonnes(value: float) -> str:
    """Return tonnes in full, without the noise of sums that cancel.

    >>> plain_tonnes(-2.9e-10), plain_tonnes(1234.4), plain_tonnes(math.nan)
    ('0', '1,234', '-')
    """
    if not math.isfinite(value):
        return "-"
    return format_tonnes(0.0 if abs(value) < NO_TONNES else value)


_one_decimal = digits(",.1f")

WORDS = Quantity(figures=False)
"""Names, codes and sentences."""

FIGURES = Quantity()
"""Figures that are texts already."""

YES = Quantity(lambda value: str(_("yes")) if value else "–", figures=False)
YES_NO = Quantity(lambda value: str(_("yes") if value else _("no")), figures=False)
TONNES = Quantity(plain_tonnes, "t", "tonnes", scaled=True)
PLAIN_TONNES = Quantity(format_tonnes)
"""Amounts of any unit with the digits that tonnes have."""

WHOLE_TONNES = Quantity(plain_tonnes, "t", "tonnes")
ELECTRICITY = Quantity(plain_tonnes, "MWh", "tonnes", scaled=True)
MONEY = Quantity(digits(",.0f"), "CNY", "tonnes", scaled=True)
ACCOUNTED = Quantity(digits(",.2f"), "t", "price")
"""Tonnes of an account, which has two decimals."""

PRICE = Quantity(digits(",.2f"), "CNY/t", "price")
RATE = Quantity(format_rate, "", "rate")
FINE = Quantity(digits(",.6f"), "t/t", "fine")
INTENSITY = Quantity(digits(",.4f"), "t/t", "fine")
DAYS = Quantity(digits(",.6g"), "days")
PERCENT = Quantity(digits(",.2f", "–"))
COUNT = Quantity(digits(",.0f"), "", "tonnes")
NAME = Quantity(digits(".0f", ""), "", "plain", figures=False)
"""Numbers that are names, such as years: without groups of thousands."""

GAP = Quantity(digits(".1e"), "", "exact")
SHADOW_PRICE = Quantity(lambda value: f"{value:+.4g}" if value and math.isfinite(value) else digits(".0f")(value))
DIGITS = Quantity(digits(".10g"))
"""Bounds with every digit that matters."""

REPORTED = Quantity(digits(",.10g", ""))
"""Quantities of any unit as a report states them; nothing for none."""

NUMBER = Quantity(digits(",.6g"))
"""Any other number."""


def amount(value: float, unit: str) -> str:
    r"""Return tonnes or CNY scaled, with the unit.

    >>> [amount(2887642200.0, "t"), amount(-3500.0, "t")]
    ['2,887.642\xa0Mt', '−3,500\xa0t']
    """
    fitting = (TONNES if unit == "t" else MONEY).fitting(abs(value))
    return f"{fitting.shown(value)}{SPACE}{unit_in(fitting.unit)}"


def tonnes(value: float) -> str:
    """Return tonnes in full, with the unit."""
    return f"{signed(plain_tonnes(value))}{SPACE}{unit_in('t')}"


def per_tonne(price: float) -> str:
    """Return a price with its unit."""
    return _("{price:,.2f} CNY/t", price=float(price))


def rate(value: float) -> str:
    """Return a rate in percent, its minus sign as wide as a digit."""
    return signed(format_rate(value)).replace(" ", SPACE)


def quantity_in(unit: str) -> Quantity:
    """Return the quantity of an objective by its unit: tonnes in full, a rate in percent, else what matters."""
    return {"t": WHOLE_TONNES, "rate": RATE}.get(unit, DIGITS._replace(unit=unit))


def unit_in(unit: str) -> str:
    """Return the name of a unit of measure."""
    return _unit_in(unit, LANGUAGE.get())


@cache
def _unit_in(unit: str, _language: str) -> str:
    return str(pgettext("unit", unit))
