"""Rules on time: missing and late months, missing items, days of calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.coded import UNKNOWN, days
from etsopt.accounting.periods import period_text
from etsopt.accounting.screening.registry import rule
from etsopt.accounting.screening.screening_data import FEWEST_MONTHS, SERIES, findings, numbers
from etsopt.common.language import _

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.screening.material import Material

NOTICE = "notice on work of 2026: monthly evidence within 40 natural days"
GUIDELINE = "CETS-AG-03.01-V01-2024, annex: calibration within 12 months"
COMPLETE = "monthly evidence of every month (notice on work of 2026)"


@rule("missing_month", "logic", COMPLETE)
def missing_month(data: Material) -> pd.DataFrame:
    """A unit has no report of a month, although it reports in that year."""
    months = data.months
    # Reports of tests alone have no month with a quantity.
    first, last = months["number"].min() if len(months) else 0, months["number"].max() if len(months) else 0
    own = months.groupby("unit_id", sort=True)["number"].agg(["min", "max"]).astype(np.int64)
    start = np.maximum(own["min"] // 12 * 12, first).to_numpy()
    count = np.minimum(own["max"] // 12 * 12 + 11, last).to_numpy() - start + 1
    place = np.repeat(np.arange(len(own)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + start[place]
    every = pd.DataFrame({"unit_id": own.index.to_numpy(dtype=object)[place], "number": number})
    found = every.merge(months[["unit_id", "number"]], how="left", indicator=True)
    found = found[found["_merge"] == "left_only"]
    usual = months.groupby("unit_id")["emissions_tco2e"].median()
    found = found.assign(
        month=period_text(found["number"].to_numpy(dtype=np.int64), yearly=False),
        # Found by position, as the map of an empty column would be one of texts.
        size_t=usual.reindex(found["unit_id"]).abs().to_numpy(dtype=float),
    )
    return findings(found, _("no report of {month}; a usual month has {size_t:,.0f} tCO2e"), item="")


@rule("missing_item", "logic", COMPLETE, share=0.9)
def missing_item(data: Material, share: float) -> pd.DataFrame:
    """An item that a unit reports in nearly all months of a year is absent in one."""
    lines = data.lines
    year = lines["number"] // 12
    key = [*(lines[name] for name in SERIES), year.rename("year")]
    own = lines.groupby(key, sort=False).agg(count=("number", "size"), size_t=("size_t", "median")).reset_index()
    months = data.months.assign(year=data.months["number"] // 12)
    reported = months.groupby(["unit_id", "year"], sort=False).size().rename("reported").reset_index()
    own = own.merge(reported, on=["unit_id", "year"])
    # A share of nine tenths of twelve months is eleven.
    own = own[(own["reported"] >= FEWEST_MONTHS) & (own["count"] < own["reported"])]
    own = own[own["count"] >= np.floor(share * own["reported"] + 0.5)]
    every = own.merge(months[["unit_id", "year", "month", "number"]], on=["unit_id", "year"])
    found = every.merge(lines[[*SERIES, "number"]], on=[*SERIES, "number"], how="left", indicator=True)
    found = found[found["_merge"] == "left_only"]
    return findings(found, _("no {item} at {process}, which {count} other months have"))


def _month_ends(data: pd.DataFrame) -> NDArray[np.int64]:
    """Return the last day of the month of every row, in days since 1970."""
    number = numbers(data["month"])
    distinct, code = np.unique(number, return_inverse=True)
    after = [np.datetime64(f"{(one + 1) // 12:04d}-{(one + 1) % 12 + 1:02d}-01", "D") for one in distinct]
    return (np.array(after, dtype="datetime64[D]").astype(np.int64) - 1)[code]


def _with_days(data: Material, rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the rows that state a day, with the days since the end of their month."""
    day = days(rows[column].to_numpy())
    stated = rows[day != UNKNOWN]
    stated = stated.assign(after=day[day != UNKNOWN] - _month_ends(stated)) if len(stated) else stated.assign(after=0)
    size = data.months[["unit_id", "month", "emissions_tco2e"]]
    return stated.merge(size, on=["unit_id", "month"], how="left")


@rule("late_month", "threshold", NOTICE, days=40)
def late_month(data: Material, days: float) -> pd.DataFrame:
    """A month was filed more than 40 days after its end; a later version of a row is a correction."""
    rows = data.reports.rows
    table = _with_days(data, rows[rows["version"] == 1], "reported_on")
    table = table.sort_values("after", kind="stable").drop_duplicates(["unit_id", "month"], keep="last")
    found = table[table["after"] > days].assign(size_t=lambda own: own["emissions_tco2e"].abs().fillna(0.0))
    text = _("filed on {reported_on}, {after} days after the month: allowed {days:g}")
    return findings(found, text, item="", days=days)


@rule("filed_early", "logic", "a month has to be over before its quantities are known")
def filed_early(data: Material) -> pd.DataFrame:
    """A month was filed before it had ended."""
    table = _with_days(data, data.rows, "reported_on")
    table = table.sort_values("after", kind="stable").drop_duplicates(["unit_id", "month"])
    found = table[table["after"] < 0].assign(size_t=lambda own: own["emissions_tco2e"].abs().fillna(0.0))
    return findings(found, _("filed on {reported_on}, before the month ended"), item="")


@rule("calibration", "threshold", GUIDELINE, days=366)
def calibration(data: Material, days: float) -> pd.DataFrame:
    """A meter was last calibrated more than 12 months before the end of the month."""
    table = _with_days(data, data.rows, "calibrated_on")
    age = -table["after"]
    found = table[age > days].assign(age=age[age > days])
    size = data.lines.groupby([*SERIES, "month"], sort=False)["size_t"].sum()
    found = found.join(size, on=[*SERIES, "month"]).assign(size_t=lambda own: own["size_t"].fillna(0.0))
    text = _("meter last calibrated on {calibrated_on}, {age} days before the month's end: allowed {days:g}")
    return findings(found, text, days=days)
