"""Tables of the review: items, months, findings, first-pass rates, and the enterprises at risk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.review.concerned import accounts_of, concerned, emitted_by, with_sizes
from etsopt.accounting.review.items import CORRECTED, corrections_of, look_at_items, matches
from etsopt.accounting.review.rechecking import rechecked
from etsopt.accounting.review.scope import Scope
from etsopt.accounting.review.words import ENTERPRISE, FILING_DAYS, LEVELS, STATUSES, deadline
from etsopt.accounting.store.journal import frame_of
from etsopt.accounting.store.ledger import compared
from etsopt.accounting.store.opening import open_store
from etsopt.accounting.store.schema import KEY, join_on, listed
from etsopt.accounting.vocabulary import ACCOUNTED, POWER
from etsopt.common.clock import CHINA_AHEAD_H, day_in_china
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.accounting.store.ledger import Line
    from etsopt.accounting.store.schema import Connection

NAMES = np.array(list(STATUSES), dtype=object)


@dataclass(frozen=True, eq=False)
class Review:
    """The state of the review in a store.

    Parameters
    ----------
    items
        Every quantity in its present version, with its status and the number of open findings.
    months
        Units and months: items, least status, open findings, the day of filing, the days after the month, and
        ``on_time``, ``late`` or ``unknown``.
    findings
        All findings, with who closed them and why, and ``corrected``: open, but no longer found in the corrected data.
    rates
        By province and level: items that the level decided on, those that passed it without a finding or correction of
        that level, their share, and its open findings with the emissions that they concern together [tCO2e].
    statuses
        Items by province, city and status.
    at_risk
        Enterprises with open findings, or late or missing months, and the names of their units; the list that
        ``compliance.at_risk`` takes.
    corrections
        Who corrected or restored which quantity, why, and the figures before and after it.
    entry
        Last entry of the journal that they have.
    line
        Its line in the ledger, whose head a page prints; None without a ledger that agrees.
    altered
        Number of places at which store and ledger differ.
    """

    items: pd.DataFrame
    months: pd.DataFrame
    findings: pd.DataFrame
    rates: pd.DataFrame
    statuses: pd.DataFrame
    at_risk: pd.DataFrame
    corrections: pd.DataFrame
    entry: int
    line: Line | None = None
    altered: int = 0

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables, by name."""
        return {name: table for name, table in vars(self).items() if name not in ("entry", "line", "altered")}


def review(
    path: str | Path,
    year: int | None = None,
    on: date | None = None,
    as_of: int | str | None = None,
    wait_s: float | None = None,
    city: str = "",
) -> Review:
    """Return the state of the review in a store.

    Parameters
    ----------
    year
        Only months of this year; None for all.
    city
        Only units of this city of the register; empty for all.
    on
        Day by which a month without a report counts as missing if its deadline has passed; None for today in China.
    as_of
        Number of an entry of the journal, or a day such as 2026-01-31; None for the present.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.

    Raises
    ------
    UsageError
        As `open_store` does, or if there is no such entry, day or city.
    """
    with open_store(path, wait_s=wait_s) as opened:
        entry = look_at_items(opened, as_of)
        return review_of(opened, Path(path), entry, Scope(year, city), on)


def review_of(
    opened: Connection, path: Path, entry: int, scope: Scope, on: date | None, screened: pd.DataFrame | None = None
) -> Review:
    """Return the state of the review that the views of `look_at_items` show.

    With the findings of screening of today, those that it no longer finds in corrected data are ``corrected``, ask for
    nothing and put nothing at risk, and the others have their present words and sizes.

    A state is evidence, so that the store is compared with its ledger first: one that was altered has no head.
    """
    found = compared(opened, path.resolve(), "")
    scope.look(opened)
    items = _items(opened, scope)
    findings = _findings(opened, scope)
    months = _months(opened, items, scope)
    findings = rechecked(findings, screened)
    accounts = accounts_of(opened) if findings["open"].any() else None
    findings = with_sizes(findings, accounts)
    still = findings[findings["open"] & ~findings["corrected"]]
    emitted = emitted_by(accounts)
    return Review(
        items=items,
        months=months,
        findings=findings,
        rates=_rates(opened, still, emitted, scope),
        statuses=_statuses(items),
        at_risk=_at_risk(opened, months, still, emitted, scope, on or day_in_china()),
        corrections=corrections_of(opened, "seen_corrections", scope.within("k")),
        entry=entry,
        line=None if found.alterations else found.lines.get(entry),
        altered=len(found.alterations),
    )


def day_of(text: str) -> date:
    """Return a day such as 2026-01-31.

    Raises
    ------
    UsageError
        If the text is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(_("{text} is not a day.", text=brief(text)), _("Write it as 2026-01-31.")) from None


def _items(opened: Connection, scope: Scope) -> pd.DataFrame:
    items = frame_of(
        opened,
        f"SELECT u.enterprise_id, u.province, u.city, u.name, u.sector, {listed(KEY, 'i')}, i.quantity, i.unit, "
        f"i.ncv_gj_per_unit, i.version, i.rank, i.open_findings "
        f"FROM items i JOIN current_units u ON i.unit_id = u.unit_id "
        f"WHERE true{scope.within('i')} ORDER BY {listed(KEY, 'i')}",
    )
    return items.drop(columns="rank").assign(status=NAMES[items["rank"].to_numpy(dtype=np.int64)])


def _findings(opened: Connection, scope: Scope) -> pd.DataFrame:
    table = frame_of(
        opened,
        f"SELECT f.finding, c.finding IS NULL AS open, f.level, f.who, f.decided_on, u.enterprise_id, u.province, "
        f"u.city, u.name, f.rule, {listed(KEY, 'f')}, f.size_t, f.reason, f.reason_zh, "
        f"coalesce(c.level, '') AS closed_by_level, "
        f"coalesce(c.who, '') AS closed_by, coalesce(c.decided_on, '') AS closed_on, "
        f"coalesce(c.reason, '') AS closed_because, "
        f"c.finding IS NULL AND ({CORRECTED}) AS corrected "
        f"FROM seen_findings f LEFT JOIN seen_closings c USING (finding) "
        f"JOIN current_units u ON f.unit_id = u.unit_id WHERE true{scope.within('f')} "
        f"ORDER BY f.finding",
    )
    return table.assign(open=table["open"].astype(bool), corrected=table["corrected"].astype(bool))


def _months(opened: Connection, items: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return units and months with the day of filing: that of the last first version, else the day of the import.

    Both are days in China.
    """
    rank = pd.Series(pd.Categorical(items["status"], NAMES).codes, index=items.index)
    groups = items.assign(rank=rank).groupby(
        ["enterprise_id", "province", "city", "name", "unit_id", "month"], as_index=False
    )
    months = groups.agg(items=("item", "size"), rank=("rank", "min"))
    filed = frame_of(
        opened,
        f"SELECT unit_id, month, max(reported_on) FILTER (version = 1) AS filed_on, "
        f"strftime(min(at_utc) + INTERVAL {CHINA_AHEAD_H} HOUR, '%Y-%m-%d') AS received_on "
        f"FROM seen_rows r JOIN entries USING (entry) "
        f"WHERE true{scope.within('r')} GROUP BY ALL",
    )
    months = months.merge(filed, on=["unit_id", "month"], how="left")
    still = f"SELECT unit_id, month, count(*) AS open_findings FROM open_findings f WHERE true{scope.within('f')}"
    months = months.merge(frame_of(opened, f"{still} GROUP BY ALL"), on=["unit_id", "month"], how="left")
    months = months.fillna({"open_findings": 0, "filed_on": ""})
    ends = {month: deadline(month) - timedelta(days=FILING_DAYS) for month in months["month"].unique()}
    stated = months["filed_on"] != ""
    day = pd.to_datetime(months["filed_on"].where(stated, months["received_on"]), errors="coerce")
    after = (day - pd.to_datetime(months["month"].map(ends))).dt.days
    # The day of an import proves that a month was filed by then; a later one proves nothing.
    filing = np.select([after <= FILING_DAYS, stated], ["on_time", "late"], "unknown").astype(object)
    return months.assign(
        status=NAMES[months["rank"].to_numpy(dtype=np.int64)],
        open_findings=months["open_findings"].astype(int),
        days_after=after.astype(float).where(stated),
        filing=filing,
    ).drop(columns=["rank", "received_on"])


def _statuses(items: pd.DataFrame) -> pd.DataFrame:
    place = [items["province"], items["city"]]
    table = pd.crosstab(place, items["status"]).reindex(columns=NAMES, fill_value=0)
    table.columns = pd.Index([f"items_{name}" for name in NAMES])
    found = (items["open_findings"] > 0).groupby(place).sum().reindex(table.index, fill_value=0)
    return table.assign(items=table.sum(axis=1), items_with_open_findings=found.astype(int)).reset_index()


RATES = """
WITH passed AS (SELECT DISTINCT {key}, level FROM seen_passes),
found AS (
    SELECT DISTINCT {key_c}, f.level FROM seen_findings f JOIN current_rows c
    ON f.unit_id = c.unit_id AND f.month = c.month AND {matches}
),
corrected AS (SELECT DISTINCT {key}, level FROM seen_corrections WHERE level <> '{enterprise}'),
decided AS (FROM passed UNION FROM found UNION FROM corrected)
SELECT u.province, d.level, count(*) AS items_decided,
    count(*) FILTER (p.level IS NOT NULL AND f.level IS NULL AND c.level IS NULL) AS items_first_pass
FROM decided d JOIN current_units u ON d.unit_id = u.unit_id
LEFT JOIN passed p ON {d_p} LEFT JOIN found f ON {d_f} LEFT JOIN corrected c ON {d_c}
WHERE true{within} GROUP BY ALL
"""


def _rates(opened: Connection, still: pd.DataFrame, emitted: pd.Series[float], scope: Scope) -> pd.DataFrame:
    """Return first-pass rates and open findings by province and level."""
    key = (*KEY, "level")
    query = RATES.format(
        key=listed(KEY),
        key_c=listed(KEY, "c"),
        matches=matches("f", "c"),
        enterprise=ENTERPRISE,
        d_p=join_on("d", "p", key),
        d_f=join_on("d", "f", key),
        d_c=join_on("d", "c", key),
        within=scope.within("d"),
    )
    table = frame_of(opened, query)
    group = ["province", "level"]
    count = still.groupby(group).size().rename("open_findings")
    size = [(*own, concerned(some, emitted)["size_t"].sum()) for own, some in still.groupby(group, sort=False)]
    table = table.merge(count.reset_index(), on=group, how="outer")
    table = table.merge(pd.DataFrame(size, columns=[*group, "open_size_t"]), on=group, how="left")
    whole = ["items_decided", "items_first_pass", "open_findings"]
    table = table.fillna(dict.fromkeys([*whole, "open_size_t"], 0)).astype(dict.fromkeys(whole, int))
    decided = table["items_decided"].where(table["items_decided"] > 0)
    table.insert(4, "first_pass_rate", table["items_first_pass"] / decided)
    order = table["level"].map({level: rank for rank, level in enumerate(LEVELS)})
    return table.assign(order=order).sort_values(["province", "order"]).drop(columns="order").reset_index(drop=True)


def _at_risk(
    opened: Connection,
    months: pd.DataFrame,
    still: pd.DataFrame,
    emitted: pd.Series[float],
    scope: Scope,
    on: date,
) -> pd.DataFrame:
    """Return enterprises with open findings or months that are late, or missing after their deadline."""
    units = frame_of(opened, "SELECT * FROM current_units SEMI JOIN chosen USING (unit_id)")
    # A power unit that reports nothing is one whose emissions another table states.
    silent = (units["sector"] == POWER) & ~units["unit_id"].isin(months["unit_id"])
    accounted = units[units["sector"].isin(ACCOUNTED) & ~silent]
    years = [scope.year] if scope.year is not None else sorted({int(month[:4]) for month in months["month"]})
    due = [f"{own:04d}-{number:02d}" for own in years for number in range(1, 13)]
    due = [month for month in due if deadline(month) < on]
    every = accounted[["unit_id"]].merge(pd.DataFrame({"month": pd.Series(due, dtype=object)}), how="cross")
    there = every.merge(months[["unit_id", "month"]], how="left", indicator=True)
    missing = there[there["_merge"] == "left_only"].groupby("unit_id").size()
    late = months[months["filing"] == "late"].groupby("unit_id").size()
    size = concerned(still, emitted).groupby("unit_id")["size_t"].sum()
    table = units.assign(
        open_findings=units["unit_id"].map(still.groupby("unit_id").size()).fillna(0).astype(int),
        open_size_t=units["unit_id"].map(size).fillna(0.0),
        late_months=units["unit_id"].map(late).fillna(0).astype(int),
        missing_months=units["unit_id"].map(missing).fillna(0).astype(int),
    )
    figures = ["open_findings", "open_size_t", "late_months", "missing_months"]
    table = table.groupby("enterprise_id", as_index=False).agg(
        {"province": "first", "city": "first", "unit_id": "size"} | dict.fromkeys(figures, "sum")
    )
    table = table.rename(columns={"unit_id": "units"})
    table = table[(table[["open_findings", "late_months", "missing_months"]] > 0).any(axis=1)]
    # An enterprise has no name in a register, but its units have.
    named = units[units["enterprise_id"].isin(table["enterprise_id"]) & (units["name"] != "")]
    names = named.drop_duplicates(["enterprise_id", "name"]).groupby("enterprise_id")["name"].agg("; ".join)
    table.insert(1, "name", table["enterprise_id"].map(names).astype(object).fillna(""))
    return table.sort_values(["open_size_t", "enterprise_id"], ascending=[False, True]).reset_index(drop=True)
