"""Texts that charts share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.common.language import LANGUAGE, _
from etsopt.common.scales import scaled, signed

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

YEAR = _("compliance year")
SURPLUS_RATE = _("surplus rate [%]")
ALLOWANCES_KT = _("allowances [kt]")

NAMES_IN = {"zh": "x_name_zh", "en": "x_name_en"}
"""Own columns of units and measures from which their names in a language are taken, in place of `name`."""


def title_of(instance: str, text: str) -> str:
    """Return a title that names the instance."""
    return _("{name}: {text}", name=instance, text=text)


class Number(NamedTuple):
    """What a chart shows: a key that names it, its words, and its unit."""

    key: str
    words: str
    unit: str

    def label(self, largest: float) -> tuple[float, str]:
        """Return a divisor and the label of an axis for numbers of which this is the largest."""
        divisor, unit = scaled(largest, self.unit)
        return divisor, f"{self.words} [{unit}]" if unit else str(self.words)


def short(value: float, digits: int = 4) -> str:
    """Return a number with a few digits.

    >>> short(1234.56), short(-0.0123456), short(-1e-9), short(12.345, 3)
    ('1,235', '−0.01235', '0', '12.3')
    """
    return signed(f"{value:,.0f}" if abs(value) >= 1000 else f"{round(value, 6) + 0.0:.{digits}g}")


def array_of(texts: Iterable[object]) -> NDArray[np.object_]:
    """Return labels or categories in the language of the moment."""
    return np.array([str(text) for text in texts], dtype=object)


def named(table: pd.DataFrame, identifiers: str) -> pd.Series:
    """Return names of rows in the language of the moment, or the identifiers of a column where there are none."""
    ids = table[identifiers]
    names = table["name"].where(table["name"] != "", ids) if "name" in table else ids
    if (own := NAMES_IN[LANGUAGE.get()]) not in table:
        return names
    stated = table[own].fillna("").astype(str)
    return stated.where(stated != "", names)


def measure_words(instance: Instance | None) -> dict[str, str]:
    """Return the names of the measures of an instance by their identifiers, those that it states."""
    table = None if instance is None else instance.measures
    if table is None or "name" not in table:
        return {}
    return dict(zip(table["measure_id"].map(str), named(table, "measure_id").map(str), strict=True))
