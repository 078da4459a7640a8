"""The history of items: every version, and every decision of the review on them, in the order of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.coded import month_of
from etsopt.accounting.review.items import look_at_items, matches
from etsopt.accounting.store.journal import frame_of
from etsopt.accounting.store.opening import open_store
from etsopt.accounting.store.schema import KEY, join_on, listed
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

HISTORY = """
WITH own AS (SELECT * FROM current_rows WHERE {which}),
every AS (
    SELECT r.entry,
        CASE WHEN k.version IS NULL THEN 'report' WHEN k.restored_version > 0 THEN 'restore'
            ELSE 'correct' END AS event,
        coalesce(k.level, 'enterprise') AS level, coalesce(k.who, r.reported_by) AS who,
        coalesce(k.decided_on, r.reported_on) AS decided_on, {key_r}, r.version, r.quantity, r.unit, r.ncv_gj_per_unit,
        coalesce(k.reason, '') AS reason, r.file || ', ' || r.line AS source
    FROM seen_rows r SEMI JOIN own o ON {r_o} LEFT JOIN seen_corrections k ON {r_k}
    UNION ALL BY NAME
    SELECT entry, 'pass' AS event, level, who, decided_on, {key_p}, version FROM seen_passes p SEMI JOIN own o ON {p_o}
    UNION ALL BY NAME
    SELECT f.entry, 'find' AS event, f.level, f.who, f.decided_on, {key_f}, f.finding,
        concat_ws(': ', nullif(f.rule, ''), f.reason) AS reason FROM seen_findings f WHERE {found}
    UNION ALL BY NAME
    SELECT c.entry, 'close' AS event, c.level, c.who, c.decided_on, {key_f}, c.finding, c.reason
    FROM seen_closings c JOIN seen_findings f USING (finding) WHERE {found}
)
SELECT entry, strftime(e.at_utc, '%Y-%m-%d %H:%M:%S') AS at_utc, event, level, who, decided_on, {key},
    coalesce(version, 0) AS version, quantity, coalesce(unit, '') AS unit, ncv_gj_per_unit,
    coalesce(finding, 0) AS finding, reason, coalesce(source, '') AS source
FROM every JOIN entries e USING (entry) ORDER BY entry, {key}, version
"""


def history(
    path: str | Path,
    unit_id: str,
    month: str,
    process: str = "",
    item: str = "",
    flow: str = "",
    batch: str = "",
    as_of: int | str | None = None,
    wait_s: float | None = None,
) -> pd.DataFrame:
    """Return every version of the items of a unit and month, and every decision on them.

    Parameters
    ----------
    process, item, flow, batch
        Only this one; empty for all.
    as_of
        Number of an entry of the journal, or a day such as 2026-01-31; None for the present.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.

    Raises
    ------
    UsageError
        As `open_store` does, or if the store has no such item.
    """
    chosen = dict(zip(KEY, (unit_id, month_of(month), process, item, flow, batch), strict=True))
    with open_store(path, wait_s=wait_s) as opened:
        look_at_items(opened, as_of)
        stated = {name: value for name, value in chosen.items() if value}
        opened.execute(
            "CREATE OR REPLACE TEMP TABLE chosen AS SELECT " + ", ".join(f'?::VARCHAR AS "{name}"' for name in KEY),
            list(chosen.values()),
        )
        which = " AND ".join(f'"{name}" = (SELECT "{name}" FROM chosen)' for name in stated)
        place = ("unit_id", "month")
        on_month = " AND ".join(f'f."{name}" = (SELECT "{name}" FROM chosen)' for name in place)
        found = f"{on_month} AND EXISTS (SELECT 1 FROM own o WHERE {matches('f', 'o')})"
        query = HISTORY.format(
            which=which,
            found=found,
            key=listed(KEY),
            key_r=listed(KEY, "r"),
            key_p=listed(KEY, "p"),
            key_f=listed(KEY, "f"),
            r_o=join_on("r", "o"),
            p_o=join_on("p", "o"),
            r_k=f"{join_on('r', 'k')} AND r.version = k.version",
        )
        table = frame_of(opened, query)
    if table.empty:
        what = _("The store has no such item of {unit_id} in {month}.", unit_id=brief(unit_id), month=brief(month))
        raise UsageError(what, _("List the items: etsopt review status STORE --out DIR"))
    return table
