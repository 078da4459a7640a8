"""The one clock: the time of a record in UTC, the day of a legal deadline in China, and how long work took.

Whatever states a day, a time or a duration asks here. The environment variable `SOURCE_DATE_EPOCH`, seconds since 1970,
makes the clock stand still at that time, so that the same command writes the same bytes on any day: every time is that
one, and every duration is zero (https://reproducible-builds.org/specs/source-date-epoch). Time limits, and how long a
process waits for another, are measured apart and go on.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "SOURCE_DATE_EPOCH"
"""Environment variable of the time at which the clock stands still [s since 1970]."""

CHINA_AHEAD_H = 8
"""Hours by which China is ahead of UTC: one time for the whole country, the same in summer and winter [h]."""

CHINA = timezone(timedelta(hours=CHINA_AHEAD_H))


def time_in_utc() -> datetime:
    """Return the time now in UTC, that of a record.

    Raises
    ------
    UsageError
        If `SOURCE_DATE_EPOCH` is no time.
    """
    stated = _stated()
    return datetime.now(UTC) if stated is None else stated


def day_in_china(at_utc: datetime | None = None) -> date:
    """Return the date in China at a time, today's if none is given, by which a legal deadline has passed or not.

    Raises
    ------
    UsageError
        As of `time_in_utc`.
    """
    return (at_utc or time_in_utc()).astimezone(CHINA).date()


def end_in_china(day: date) -> datetime:
    """Return the end of a day in China, in UTC.

    >>> end_in_china(date(2026, 12, 31)).isoformat()
    '2026-12-31T15:59:59.999999+00:00'
    """
    return datetime.combine(day, datetime.max.time(), CHINA).astimezone(UTC)


def stopwatch() -> Callable[[], float]:
    """Start a stopwatch: return the function that tells the seconds since, zero if the clock stands still [s].

    Raises
    ------
    UsageError
        As of `time_in_utc`.
    """
    if _stated() is not None:
        return lambda: 0.0
    began = time.perf_counter()
    return lambda: time.perf_counter() - began


def settle() -> None:
    """Refuse a malformed `SOURCE_DATE_EPOCH` before any work, and unset a blank one, which other packages would refuse.

    Raises
    ------
    UsageError
        As of `time_in_utc`.
    """
    if VARIABLE in os.environ and _stated() is None:
        del os.environ[VARIABLE]


def _stated() -> datetime | None:
    """Return the time at which the clock stands still, None if it goes."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        if not re.fullmatch("-?[0-9]+", text):
            raise ValueError(text)
        # A time that China has, too, at the end of the calendar.
        return datetime.fromtimestamp(int(text), CHINA).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        what = _(
            "The environment variable {name} is {value}: expected whole seconds since 1970.",
            name=VARIABLE,
            value=brief(text),
        )
        raise UsageError(what, _("State a number such as 1798761599, or unset it.")) from None
