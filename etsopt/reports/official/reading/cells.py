"""Cells of annex tables as numbers and texts, and what is wrong with them."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import Any

from etsopt.common.language import _
from etsopt.data.tables.power_columns import UNIT_CLASSES
from etsopt.data.tables.text_columns import normalise
from etsopt.reports.official.headings import TEXTS_OF_USER

TEXTS = frozenset(
    ("province", "name", "uscc", "unit", "merged", "fuel", "unit_class", "differentiated", "reason", "notes")
) | frozenset(TEXTS_OF_USER)
"""Keys of columns of texts; all others hold numbers."""

IDENTIFIERS = frozenset(("province", "name", "uscc", "unit"))
"""Texts that are compared, so normalised."""

SIGNED = frozenset(("gap_percent", "deviation_percent", "coefficient", "true_up", "issued"))
"""Numbers that may be negative."""

ABSENT = frozenset(("", "/", "-", "--", "—", "——", "无"))
"""Cells of forms that state nothing."""

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?")
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
SHORTENED = re.compile(r"\d(\.\d+)?e\+\d+")
"""A code of digits that a spreadsheet took for a number."""

LOST_FROM = 1e15
"""Whole numbers from which on a spreadsheet may have replaced digits of a code."""


class WrongCellError(ValueError):
    """A cell that is no value of its column: words for one and for several such cells, and the remedy."""

    def __init__(self, one: str, many: str, advice: str) -> None:
        super().__init__(one, many, advice)
        self.words, self.advice = (one, many), advice


def number_of(cell: Any, key: str) -> float:
    """Return a cell as a number; NaN for one that states nothing.

    >>> number_of("１，234.5", "emissions"), number_of("/", "emissions")
    (1234.5, nan)

    Raises
    ------
    WrongCellError
        If it is no number, or outside the range of its column.
    """
    number = _plain_number(cell)
    if number < 0 and key not in SIGNED:
        raise WrongCellError(_("figure is negative"), _("figures are negative"), _("Correct it to a number from 0 on."))
    if key == "load_percent" and not (math.isnan(number) or 0 < number <= 100):
        advice = _("Correct it to a percentage above 0 and at most 100, or leave the cell of a special case empty.")
        raise WrongCellError(_("percentage is out of range"), _("percentages are out of range"), advice)
    if key == "slag_percent" and number > 100:
        advice = _("Correct it to a percentage of at most 100.")
        raise WrongCellError(_("percentage is out of range"), _("percentages are out of range"), advice)
    return number


def _plain_number(cell: Any) -> float:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return float(cell)
    text = unicodedata.normalize("NFKC", str(cell)).strip().lower()
    if text in ABSENT:
        return math.nan
    if GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if isinstance(cell, bool) or not NUMBER.fullmatch(text) or math.isinf(float(text)):
        advice = _("Write a plain number, without words or units; leave a cell empty if the figure is not known.")
        raise WrongCellError(_("cell is not a number"), _("cells are not numbers"), advice)
    return float(text)


def text_of(cell: Any, key: str) -> str:
    """Return a cell as a text; a unit that is numbered 1 in a workbook is the unit ``1``.

    >>> text_of(1.0, "unit"), text_of("Ⅱ类", "unit_class"), text_of(" 甲 ", "name")
    ('1', 'II', '甲')

    Raises
    ------
    WrongCellError
        If it is a code of which digits are lost, or a class that does not exist.
    """
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        lost = abs(cell) >= LOST_FROM
        cell = f"{cell:.15g}"
    else:
        cell = str(cell)
        lost = bool(SHORTENED.fullmatch(cell.strip().lower()))
    if lost and key in IDENTIFIERS:
        advice = _("Write the code as a text: a spreadsheet keeps 15 digits of a number.")
        raise WrongCellError(_("code has lost digits"), _("codes have lost digits"), advice)
    if key == "unit_class":
        return _class_of(cell)
    return normalise(cell).strip() if key in IDENTIFIERS else cell.strip()


def _class_of(cell: str) -> str:
    """Return a class of power units, I to IV, or several joined by ``+`` in their order."""
    text = unicodedata.normalize("NFKC", cell).strip()
    if text in ABSENT:
        return ""
    parts = re.split(r"[+、,/和]", re.sub(r"类(机组)?|\s", "", text).upper())
    joined = "+".join(sorted(set(parts)))
    if joined not in UNIT_CLASSES:
        advice = _("Use one of {known}.", known=", ".join(UNIT_CLASSES))
        raise WrongCellError(_("class is not known"), _("classes are not known"), advice)
    return joined


def decimals_of(number: float) -> int:
    """Return the decimals of a number as it is written.

    >>> decimals_of(0.0123), decimals_of(1.6e-05), decimals_of(2.0)
    (4, 6, 0)
    """
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent if math.isfinite(number) else 0
    return max(-exponent, 0) if isinstance(exponent, int) else 0
