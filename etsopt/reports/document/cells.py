"""Cells of tables: figures grouped, scaled with their unit in the heading, and without a negative zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from etsopt.language import _, pgettext
from etsopt.reports.document.content import Column, Table
from etsopt.reports.document.headings import heading, unit_in
from etsopt.scales import money_scale_of, scale_of, short_figure
from etsopt.units import format_rate, format_tonnes
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PLAIN = ("year", "first_year", "vintage", "start_year", "number", "bank_empty_in")
"""Columns of numbers that are written without groups of thousands."""

COUNTS = ("units", "enterprises", "reviews", "least_reviews", "drawn", "quantities", "substituted", "gross_reports")
FINE = ("balance_value", "balance_value_before", "balance_value_lower", "balance_value_upper", "intensity")
MINUS = "−"
SPACE = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, so that no line ends there."""

NO_TONNES = 5e-4
"""Tonnes below which sums that cancel are shown as 0: a gram of allowances does not exist [t]."""

WORDS = (
    *(pgettext("level", "municipal"), pgettext("level", "provincial"), pgettext("level", "national")),
    *(pgettext("reason", "coverage"), pgettext("reason", "drawn"), pgettext("reason", "risk")),
)
"""Words of cells beside those of results."""


class Form(NamedTuple):
    """Unit of measure of a column, and the text of one of its numbers."""

    unit: str
    text: Callable[[float], str]


def signed(text: str) -> str:
    """Return the text of a number with a minus sign as wide as a digit, and a zero without one.

    >>> signed("-0.00"), signed("-1.5"), signed("-")
    ('0.00', '−1.5', '-')
    """
    if not text.startswith("-") or text == "-":
        return text
    return f"{MINUS}{text[1:]}" if any(digit in text for digit in "123456789") else text[1:]


def amount(value: float, unit: str) -> str:
    r"""Return tonnes or CNY scaled, with the unit.

    >>> [amount(2887642200.0, "t"), amount(-3500.0, "t")]
    ['2,887.642\xa0Mt', '−3,500\xa0t']
    """
    form = _scaled(abs(value), unit)
    return f"{signed(form.text(value))}{SPACE}{unit_in(form.unit)}"


def tonnes(value: float) -> str:
    """Return tonnes in full, with the unit."""
    return f"{signed(plain_tonnes(value))}{SPACE}{unit_in('t')}"


def per_tonne(price: float) -> str:
    """Return a price with its unit."""
    return _("{price:,.2f} CNY/t", price=float(price))


def plain_tonnes(value: float) -> str:
    """Return tonnes in full, without the noise of sums that cancel.

    >>> plain_tonnes(-2.9e-10), plain_tonnes(1234.4), plain_tonnes(np.nan)
    ('0', '1,234', '-')
    """
    if not math.isfinite(value):
        return "-"
    return format_tonnes(0.0 if abs(value) < NO_TONNES else value)


def rate(value: float) -> str:
    """Return a rate in percent, its minus sign as wide as a digit."""
    return signed(format_rate(value)).replace(" ", SPACE)


def _scaled(largest: float, unit: str) -> Form:
    """Return the form of a column of tonnes or CNY of which this is the largest."""
    if unit == "t":
        scale, name = scale_of(largest)
        if scale == 1.0:
            return Form(name, plain_tonnes)
        return Form(name, lambda value: short_figure(value / scale))
    scale, name = money_scale_of(largest)
    decimals = 0 if scale == 1.0 else 1
    return Form(name, lambda value: f"{value / scale:,.{decimals}f}" if math.isfinite(value) else "-")


def _form(column: str, values: pd.Series, exact: bool, whole: bool) -> Form:
    """Return the form of a column of numbers by its name."""
    if column in PLAIN:
        return Form("", lambda value: f"{value:.0f}" if math.isfinite(value) else "")
    if column in FINE:
        decimals = 4 if column == "intensity" else 6
        return Form("t/t", lambda value: f"{value:,.{decimals}f}" if math.isfinite(value) else "-")
    if column.endswith("_rate"):
        return Form("", format_rate)
    if column.endswith("_per_t"):
        return Form("CNY/t", lambda value: f"{value:,.2f}" if math.isfinite(value) else "-")
    finite = values[np.isfinite(values)].abs()
    largest = float(finite.max()) if len(finite) else 0.0
    if column.endswith("_cny"):
        return _scaled(largest, "CNY")
    if column.endswith(("_t", "_tco2e")):
        return Form("t", plain_tonnes) if exact else _scaled(largest, "t")
    if column.endswith("days"):
        return Form("days", lambda value: f"{value:,.6g}" if math.isfinite(value) else "-")
    if column in COUNTS or whole:
        return Form("", lambda value: f"{value:,.0f}" if math.isfinite(value) else "-")
    return Form("", lambda value: f"{value:+.4g}" if "shadow" in column and value else f"{value:,.6g}")


def words_of(column: str, values: Sequence[Any]) -> list[str]:
    """Return the texts of a column."""
    return ["–" if value == "" or pd.isna(value) else word(column, value) for value in values]


def column_of(name: str, values: pd.Series, exact: bool = False, total: object = None) -> tuple[Column, list[str]]:
    """Return the heading and the texts of a column, with that of a total at the end if there is one.

    Parameters
    ----------
    exact
        True for tonnes that are not scaled.
    total
        A number, or a word in a column of words; None for no total.
    """
    cells = [*values.tolist(), *([] if total is None else [total])]
    if pd.api.types.is_bool_dtype(values):
        return Column(heading(name), "", False), [_("yes") if value is True else "–" for value in cells]
    if not pd.api.types.is_numeric_dtype(values):
        return Column(heading(name), "", False), words_of(name, cells)
    numbers = pd.Series([float(value) if isinstance(value, int | float) else np.nan for value in cells])
    form = _form(name, numbers, exact, pd.api.types.is_integer_dtype(values))
    # Years are names rather than figures.
    column = Column(heading(name), unit_in(form.unit), name not in PLAIN)
    return column, [signed(form.text(value)) for value in numbers]


def table_of(
    frame: pd.DataFrame,
    columns: Sequence[str],
    caption: str,
    *,
    totals: Mapping[str, float] | None = None,
    note: str = "",
    exact: bool = False,
    key: str = "",
) -> Table:
    """Return a table of the columns that a frame has.

    Parameters
    ----------
    totals
        Numbers of a last row by column; the first column says that it is one.
    """
    shown = [name for name in columns if name in frame]
    last: dict[str, object] = {} if totals is None else {**totals, shown[0]: _("all")}
    found = [column_of(name, frame[name], exact, None if totals is None else last.get(name, "")) for name in shown]
    rows = list(zip(*(texts for _column, texts in found), strict=True))
    foot = tuple("" if text in ("–", "-") else text for text in rows.pop()) if totals is not None else ()
    return Table(caption, tuple(column for column, _texts in found), tuple(rows), foot, note, key)


def used(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the columns that a frame has and that are not zero throughout."""
    return [
        name
        for name in columns
        if name in frame
        and not (pd.api.types.is_numeric_dtype(frame[name]) and not (frame[name].abs() > NO_TONNES).any())
    ]


def sums_of(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, float]:
    """Return the sums of columns, and the surplus rate of the sums where both of its columns are among them."""
    sums = {name: float(frame[name].sum()) for name in columns if name in frame}
    if sums.get("emissions_tco2e") and "surplus_t" in sums:
        sums["surplus_rate"] = sums["surplus_t"] / sums["emissions_tco2e"]
    return sums
