"""Words of the review: levels, decisions and statuses, and the deadline of filing."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import TYPE_CHECKING

from etsopt.common.language import in_both, pgettext

if TYPE_CHECKING:
    from collections.abc import Iterable

ENTERPRISE = "enterprise"
LEVELS = ("municipal", "provincial", "national")
"""Levels of the joint review, in the order in which an item passes them."""

ACTORS = (ENTERPRISE, *LEVELS)
"""Levels that may correct or restore a figure."""

REPORTED = "reported"
STATUSES = (REPORTED, *LEVELS)
"""Status of an item: the highest level that has passed its present version."""

PASS, FIND, CLOSE, CORRECT, RESTORE = "pass", "find", "close", "correct", "restore"
DECISIONS = (PASS, FIND, CLOSE, CORRECT, RESTORE)

FILING_DAYS = 40
"""Natural days after the end of a month within which it is filed (notice on work of 2026)."""

FILING = ("on_time", "late", "unknown")

VERIFIED, INCOMPLETE, OPEN = "verified", "incomplete", "open findings"
YEAR_STATUSES = (VERIFIED, INCOMPLETE, OPEN, REPORTED, "municipal", "provincial")
"""Status of a unit and year; ``incomplete`` has a month without a report that no closed finding explains."""


SHORT = {
    "level": {"市": "municipal", "省": "provincial", "国家": "national", "企业": ENTERPRISE},
    "decision": {
        "通过": PASS,
        "发现问题": FIND,
        "问题": FIND,
        "关闭": CLOSE,
        "销号": CLOSE,
        "更正": CORRECT,
        "恢复": RESTORE,
    },
}
"""Further words of people for levels and decisions."""


def by_chinese(context: str, codes: Iterable[str]) -> dict[str, str]:
    """Return codes by their Chinese in the catalogue, which people may write instead.

    >>> by_chinese("level", ["national"])
    {'国家级': 'national'}
    """
    return {in_both(pgettext(context, code))["zh"]: code for code in codes}


def deadline(month: str) -> date:
    """Return the last day on which a month is filed in time.

    >>> deadline("2025-01").isoformat()
    '2025-03-12'
    """
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, calendar.monthrange(year, number)[1]) + timedelta(days=FILING_DAYS)
