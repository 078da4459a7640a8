"""Parts of the sections of a policy: the strict base class, shares, and numbers by year."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from etsopt.common.errors import brief
from etsopt.common.language import _

Share = Annotated[float, Field(ge=0, lt=1)]
"""A fraction below the whole."""

YEAR = re.compile(r"20[0-9][0-9]|2100")
CALENDAR = Field(ge=2000, le=2100)
"""Years that a policy may name."""


class Section(BaseModel):
    """A table of the policy file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def _year(key: object) -> str:
    """Return a year as text, the only type of key in TOML, so that a policy is written as it was read."""
    text = str(key) if isinstance(key, int) and not isinstance(key, bool) else key
    if not isinstance(text, str) or not YEAR.fullmatch(text):
        what = _("names {key}: expected a year from 2000 to 2100", key=brief(key))
        raise ValueError(what, _("Write a year with four digits: 2028."))
    return text


def _years(table: object) -> object:
    """Refuse an empty table, which would silently mean the default."""
    if table == {}:
        raise ValueError(_("names no year"), _("State one number for all years, or a year with its number."))
    return table


def _some_year(table: object) -> object:
    """Refuse an empty table of amounts, of which there is no default."""
    if table == {}:
        raise ValueError(_("names no year"), _("State a year with its number, or leave out the key."))
    return table


Year = Annotated[str, BeforeValidator(_year)]
Amount = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]

Yearly = float | Annotated[dict[Year, float], BeforeValidator(_years)]
"""A number for all years, or a table: a stated year holds until the next stated one; before the first, the default."""

YearlyAmount = Amount | Annotated[dict[Year, Amount], BeforeValidator(_years)]
"""The same, at least 0."""

AmountByYear = Annotated[dict[Year, Amount], BeforeValidator(_some_year)]
"""Amounts of single years."""

YearlyFraction = Fraction | Annotated[dict[Year, Fraction], BeforeValidator(_years)]
"""The same, from 0 to 1."""

YearlyShare = Share | Annotated[dict[Year, Share], BeforeValidator(_years)]
"""The same, from 0 to below 1."""

Positive = Annotated[float, Field(gt=0)]

YearlyPositive = Positive | Annotated[dict[Year, Positive], BeforeValidator(_years)]
"""The same, above 0."""

Change = Annotated[float, Field(gt=-1, le=1)]
"""A relative change: above -1, at most 1."""

YearlyChange = Change | Annotated[dict[Year, Change], BeforeValidator(_years)]
"""The same by year."""
