"""Reasons of causes in English and Chinese: what is stated, what is usual, which mistake fits, and where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.screening.causes.hypotheses import BY_FACTOR
from etsopt.accounting.screening.screening_data import reasons
from etsopt.accounting.vocabulary import ITEMS
from etsopt.common.language import _

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.common.language import Text

OUTPUT, OTHERS = "the output of the month", "the other items of the month"
TESTS, PEERS = "the other tests", "its peers, in all months"
USUAL_BY = (OUTPUT, OTHERS, TESTS, PEERS)
"""What says how large a figure usually is; the words are codes of the catalogue."""

ROUND = 100
"""Ratio from which its decimals say nothing."""

_RATE = _("{item} at {process}: {stated:,.2f} {measure}, {times} times the usual {usual:,.2f} by {usual_by}")
_VALUE = _("{item} at {process}: {stated:,.4g} GJ/{measure}, {times} times the usual {usual:,.4g} by {usual_by}")
_MISTAKES = {
    "factor_1000": _("A factor of 1,000 fits: look in the meter log whether it counts kg or t."),
    "factor_10": _("A factor of 10 fits: look for a digit or a decimal point in the meter log and the ledger."),
    "factor_10000": _("A factor of 10,000 fits: look whether the ledger counts in tens of thousands."),
    "counted_twice": _("A factor of 2 fits: look in the weighbridge tickets for a delivery that is counted twice."),
    "tonnes_of_coal_equivalent": _("Tonnes of coal equivalent in place of tonnes fit: look at the unit of the ledger."),
    "unexplained": _("No usual mistake fits: compare the meter log with the weighbridge tickets."),
}
_TESTS = {
    "calorific_unit": _("A factor of {factor:.4g} fits: look in the test report for {mistaken} in place of GJ."),
    "conversion": _(
        "A factor of {factor:.4g} fits: look in the test report for a value in GJ that was converted from {mistaken}."
    ),
    "factor_10": _("A factor of 10 fits: look for a digit or a decimal point in the test report."),
    "unexplained": _("No usual mistake fits: look at the test report and its sample."),
}


def _both(first: Text, second: Text) -> Text:
    return _("{first}. {second}", first=first, second=second)


def _aside(reason: Text) -> Text:
    text = _("{reason} The account takes the measured carbon and not this value: emissions stay as they are.")
    return _(text, reason=reason)


TEXTS = {
    **{cause: _both(_RATE, mistake) for cause, mistake in _MISTAKES.items()},
    **{f"{cause} of a test": _both(_VALUE, mistake) for cause, mistake in _TESTS.items()},
    **{f"{cause} of a test aside": _aside(_both(_VALUE, mistake)) for cause, mistake in _TESTS.items()},
    "counted_twice of a month": _(
        "The {count:.0f} figures of {month} are together {times} times those of the other months. A factor of 2 fits: "
        "look whether the month was entered twice, or together with another one."
    ),
    "copied_month": _(
        "{item} at {process}: {stated:,.2f} {measure} repeats {other}. These figures of the month do: {items}. Read "
        "the meter log of the month again."
    ),
    "copied_month of a unit": _(
        "{item} at {process}: {stated:,.2f} {measure} is the figure of unit {other} in that month. So are these: "
        "{items}. Read the meter log of the month again."
    ),
    "total_and_parts": _(
        "{item} at {process}: a row of {stated:,.2f} {measure} is the sum of the other rows. Leave out the total or "
        "its parts."
    ),
    "stock_open": _(
        "{item} at {process}: in {other} opening stock {opening:,.0f} and purchases {bought:,.0f} less consumption "
        "{used:,.0f} and closing stock {closing:,.0f} leave {gap:+,.0f} {measure}. Look at the weighbridge tickets and "
        "the stock-taking."
    ),
    "heat_of_fuels": _(
        "{item} at {process}: {stated:,.2f} {measure}, where the other fuels leave {usual:,.2f} to the usual heat per "
        "tonne of output. Look in the ledger for heat that is booked under another fuel or month."
    ),
    "missing_row": _(
        "No row of {item} ({flow}) at {process}, which {months:.0f} other months have. Look for its ledger or test "
        "report."
    ),
    "missing_month": _("No row of {month}, while {months:.0f} other months are reported. File the month."),
}
"""Reasons by cause; those of calorific values and of copies of another unit apart."""


def with_reasons(table: pd.DataFrame) -> pd.DataFrame:
    """Return suspicious figures with ``reason`` and ``reason_zh``."""
    is_test = table["heat_share"].notna()
    of_test = np.where(is_test, np.where(table["aside"], " of a test aside", " of a test"), "")
    mistaken = [BY_FACTOR.get(factor, ("", False)) for factor in table["factor"]]
    converted = is_test & np.array([conversion for _unit, conversion in mistaken], dtype=bool)
    of_month = np.where((table["item"] == "") & (table["cause"] == "counted_twice"), " of a month", "")
    of_unit = np.where(table["other_unit"] != "", " of a unit", "")
    told = reasons(
        table.assign(
            kind=table["cause"].mask(converted, "conversion") + of_test + of_unit + of_month,
            mistaken=[unit for unit, _conversion in mistaken],
            usual=table["stated"] / table["ratio"],
            times=[f"{ratio:,.0f}" if ratio >= ROUND else f"{ratio:.3g}" for ratio in table["ratio"]],
            measure=table["item"].map({name: item.unit for name, item in ITEMS.items()}).fillna(""),
            other=table["other_unit"].where(table["other_unit"] != "", table["other_month"]),
        ),
        TEXTS,
        "kind",
    )
    return table.assign(reason=told["en"], reason_zh=told["zh"])
