"""Items of the review in a store: every quantity in its present version, with its status and open findings.

A pass belongs to a version. So a correction or resubmission, which is a new version, takes an item back to
``reported`` by itself. An empty cell of a finding stands for all: one without an item concerns the whole month.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.coded import UNKNOWN, month_number
from etsopt.accounting.review.words import LEVELS
from etsopt.accounting.store.journal import frame_of, look_back
from etsopt.accounting.store.opening import COPY
from etsopt.accounting.store.schema import CONTENT, KEY, join_on, listed
from etsopt.common.errors import UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.accounting.store.schema import Connection

WITHIN = KEY[2:]
"""Columns within a unit and month."""

RANK = " ".join(f"WHEN '{level}' THEN {rank}" for rank, level in enumerate(LEVELS, 1))

ITEMS = f"""
WITH passed AS (
    SELECT {listed(KEY)}, version, max(CASE level {RANK} ELSE 0 END) AS rank FROM seen_passes GROUP BY ALL
), open_of_item AS (
    SELECT {listed(KEY, "c")}, count(*) AS open_findings
    FROM open_findings f JOIN current_rows c
    ON f.unit_id = c.unit_id AND f.month = c.month AND {{matches}} GROUP BY ALL
)
SELECT c.* EXCLUDE (entry, position, file, line, stated_version),
    coalesce(p.rank, 0) AS rank, coalesce(o.open_findings, 0) AS open_findings
FROM current_rows c LEFT JOIN passed p ON {join_on("c", "p")} AND c.version = p.version
LEFT JOIN open_of_item o ON {join_on("c", "o")}
"""
"""SQL of the items with ``rank``, the number of levels that have passed the present version."""


def matches(pattern: str, item: str) -> str:
    """Return the SQL condition that a row whose empty cells stand for all matches an item of its unit and month."""
    return " AND ".join(f'({pattern}."{name}" = \'\' OR {pattern}."{name}" = {item}."{name}")' for name in WITHIN)


def look_at_items(opened: Connection, as_of: int | str | None = None) -> int:
    """Create the views of `look_back`, ``open_findings`` and ``items``, and return the last entry that they have."""
    last = look_back(opened, as_of)
    for name in ("seen_rows", "seen_findings"):
        months = opened.execute(f"SELECT DISTINCT month FROM {name}").fetchall()
        if any(month_number(month) == UNKNOWN for (month,) in months):
            raise UsageError(_("The store is damaged: a month is not as written."), COPY)
    opened.execute(
        "CREATE OR REPLACE TEMP VIEW open_findings AS "
        "SELECT * FROM seen_findings f ANTI JOIN seen_closings c ON f.finding = c.finding"
    )
    opened.execute(f"CREATE OR REPLACE TEMP VIEW items AS {ITEMS.format(matches=matches('f', 'c'))}")
    return last


CHANGED = f"""
SELECT DISTINCT finding FROM (
    SELECT f.finding,
        arg_max(ROW({listed(CONTENT, "r")}), r.version) FILTER (r.entry <= f.entry) AS at_finding,
        arg_max(ROW({listed(CONTENT, "r")}), r.version) AS at_present
    FROM seen_findings f JOIN seen_rows r
    ON f.unit_id = r.unit_id AND f.month = r.month AND ({matches("f", "r")} OR r.flow = 'product')
    WHERE f.rule <> '' GROUP BY f.finding, {listed(KEY, "r")}
) WHERE at_finding IS DISTINCT FROM at_present
"""
"""SQL of the findings of rules whose items, or outputs of their month, to which rules relate them, changed since."""

CORRECTED = (
    f"f.finding IN ({CHANGED}) OR f.rule <> '' AND EXISTS (SELECT 1 FROM seen_rows r "
    "WHERE r.unit_id = f.unit_id AND r.entry > f.entry AND r.version > 1)"
)
"""SQL condition of findings of rules whose data, or any figure of the unit, were corrected after they were opened."""

NUMBER = r"\b\d[\d,]*\.?\d*(?:e[-+]?\d+)?"
SAME_VALUE = 0.01
"""Relative change below which a figure of a whole month is the same: each correction in the month moves it a little."""


def same_words(left: str, right: str) -> str:
    """Return the SQL condition that reasons of rules differ in figures alone; months and days are no figures."""
    words = r"regexp_replace({reason}, '(\d{{4}}-\d\d(?:-\d\d)?)|" + NUMBER + r"', '\1', 'g')"
    return f"{words.format(reason=f'{left}.reason')} = {words.format(reason=f'{right}.reason')}"


def same_value(left: str, right: str) -> str:
    """Return the SQL condition that the first figures of reasons, those that rules judge, are nearly the same."""
    value = "TRY_CAST(replace(regexp_extract({reason}, '" + NUMBER + "'), ',', '') AS DOUBLE)"
    one, other = value.format(reason=f"{left}.reason"), value.format(reason=f"{right}.reason")
    return f"abs({one} - {other}) <= {SAME_VALUE} * abs({other})"


def corrections_of(opened: Connection, corrections: str, within: str = "") -> pd.DataFrame:
    """Return corrections with the figures before and after them, in the order of the journal.

    Parameters
    ----------
    corrections
        Name of their table or view.
    within
        Further condition in SQL, from `AND` on.
    """
    figures = "r.unit, o.quantity AS quantity_before, r.quantity"
    figures += ", o.ncv_gj_per_unit AS ncv_before_gj_per_unit, r.ncv_gj_per_unit"
    return frame_of(
        opened,
        f"SELECT k.* EXCLUDE (entry), {figures} FROM {corrections} k "
        f"JOIN rows r ON {join_on('k', 'r')} AND r.version = k.version "
        f"JOIN rows o ON {join_on('k', 'o')} AND o.version = k.version - 1 "
        f"WHERE true{within} ORDER BY k.entry, {listed(KEY, 'k')}",
    )
