"""Words of the review: levels, decisions and statuses in English and Chinese, and the deadline of filing."""

from __future__ import annotations

ENTERPRISE = "enterprise"
LEVELS = {"municipal": "市级", "provincial": "省级", "national": "国家级"}
"""Levels of the joint review, in the order in which an item passes them."""

ACTORS = {ENTERPRISE: "企业", **LEVELS}
"""Levels that may correct or restore a figure."""

REPORTED = "reported"
STATUSES = {REPORTED: "已填报", "municipal": "市级通过", "provincial": "省级通过", "national": "国家级通过"}
"""Status of an item: the highest level that has passed its present version."""

PASS, FIND, CLOSE, CORRECT, RESTORE = "pass", "find", "close", "correct", "restore"
DECISIONS = {PASS: "通过", FIND: "发现问题", CLOSE: "关闭问题", CORRECT: "更正", RESTORE: "恢复"}

FILING_DAYS = 40
"""Natural days after the end of a month within which it is filed (notice on work of 2026)."""

FILING = {"on_time": "按时", "late": "逾期", "unknown": "未知"}

VERIFIED, INCOMPLETE, OPEN = "verified", "incomplete", "open findings"
YEAR_STATUSES = {
    VERIFIED: "已核查",
    INCOMPLETE: "月份不全",
    OPEN: "有未关闭问题",
    REPORTED: "已填报，审核中",
    "municipal": "市级已全部通过",
    "provincial": "省级已全部通过",
}
"""Status of a unit and year; ``incomplete`` has a month without a report that no closed finding explains."""
