"""Stack monitors beside calculated emissions: differences by day and month, and the drift of their ratio.

The calculated emissions of a month are spread over its days by load, and evenly where a day has none. The ratio of a
month is that of its measured days alone. A drift is the Theil-Sen slope of the logarithm of the monthly ratios, with
its 95 % interval (Sen 1968): half of the months may be off without moving it far. No account changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.monitoring.fill import BASES, MEASURED, MISSING, STANDSTILL, days_of_stack
from etsopt.accounting.monitoring.schema import Settings
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.accounting.accounts import Accounts

LEAST_MONTHS = 6
"""Months with a ratio below which no drift is sought."""

LEAST_SHARE = 0.5
"""Share of the days of a month that have to be measured for its ratio."""

NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True, eq=False)
class Monitoring:
    """Monitors beside accounts.

    Parameters
    ----------
    days
        Unit, day, basis (measured, standstill, filled or missing), flow, load, monitored and calculated emissions,
        their difference, and True if their ratio is unusual.
    filled
        Every filled value: unit, stack, day, flow and concentration in use, and basis.
    months
        Unit, month, days by basis, monitored and calculated emissions of the days that are not missing, difference,
        ratio of the measured days, and the emissions that count: the calculated ones of the whole month.
    units
        Unit, period, median ratio, drift a year with its interval, and True if it is a drift.
    """

    days: pd.DataFrame
    filled: pd.DataFrame
    months: pd.DataFrame
    units: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by name."""
        parts = {"days": self.days, "filled": self.filled, "months": self.months, "units": self.units}
        return {f"monitor_{name}": table for name, table in parts.items()}


def monitor(accounts: Accounts, rows: pd.DataFrame, settings: Mapping[str, Any] | None = None) -> Monitoring:
    """Compare stack monitors with accounts.

    Parameters
    ----------
    rows
        As `read_monitor` returns them.
    settings
        Values in place of those of `Settings`.

    Raises
    ------
    UsageError
        If a setting is unknown or no number, or no month has both reports and monitors.
    """
    chosen = Settings.of(settings)
    stacks, filled = [], []
    groups = rows.groupby(["unit_id", "stack"], sort=True)
    for number, ((unit, stack), own) in enumerate(groups):
        checkpoint(_("monitors"), number, len(groups))
        found = days_of_stack(own, chosen)
        count = len(found.day)
        frame = {"unit_id": np.full(count, unit, dtype=object), "stack": np.full(count, stack, dtype=object)}
        table = pd.DataFrame({**frame, **vars(found)})
        stacks.append(table)
        filled.append(table[(found.basis > STANDSTILL) & (found.basis < MISSING)])
    days = _with_calculated(_of_units(pd.concat(stacks, ignore_index=True)), accounts)
    if days.empty:
        advice = _("Name the units as register.csv does, and add reports of the months of the monitors.")
        raise UsageError(_("No month of a unit has both reports and monitors."), advice)
    days["unusual"] = _unusual(days, chosen.unusual_score)
    months = _months(days)
    units = pd.DataFrame([_of_unit(str(unit), own, chosen) for unit, own in months.groupby("unit_id", sort=True)])
    return Monitoring(_shown_days(days), _shown_filled(pd.concat(filled, ignore_index=True)), months, units)


def _of_units(stacks: pd.DataFrame) -> pd.DataFrame:
    """Add up the stacks of a unit; a day lacks if one of them does."""
    groups = stacks.groupby(["unit_id", "day"], sort=True)
    table = groups.agg(
        basis=("basis", "max"),
        flow_1e4_nm3=("flow", "sum"),
        load_rate=("load", "mean"),
        monitored_tco2=("emissions", "sum"),
    ).reset_index()
    open_ = table["basis"] == MISSING
    return table.assign(**{name: table[name].mask(open_) for name in ("flow_1e4_nm3", "monitored_tco2")})


def _with_calculated(days: pd.DataFrame, accounts: Accounts) -> pd.DataFrame:
    """Add the calculated emissions of CO2 of each day; days of months without reports are left out."""
    monthly = accounts.monthly[accounts.monthly["gas"] == "CO2"]
    of_month = monthly.groupby(["unit_id", "month"])["emissions_tco2e"].sum()
    months = days["day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]").astype(str)
    days = days.assign(month=months.astype(object))
    days = days.join(of_month.rename("month_tco2"), on=["unit_id", "month"])
    days = days[days["month_tco2"].notna()].reset_index(drop=True)
    groups = days.groupby(["unit_id", "month"])["load_rate"]
    total, known = groups.transform("sum"), groups.transform("count") == groups.transform("size")
    even = 1.0 / groups.transform("size")
    by_load = known & (total > 0)
    share = np.where(by_load, days["load_rate"] / total.where(total > 0, 1.0), even)
    days["calculated_tco2"] = days["month_tco2"] * share
    days["difference_tco2"] = days["monitored_tco2"] - days["calculated_tco2"]
    return days


def _unusual(days: pd.DataFrame, score: float) -> NDArray[np.bool_]:
    """Return the measured days whose ratio is far from the median of their unit, in robust standard deviations."""
    measured = (days["basis"] == MEASURED) & (days["monitored_tco2"] > 0) & (days["calculated_tco2"] > 0)
    ratio = np.log(days["monitored_tco2"].where(measured) / days["calculated_tco2"].where(measured))
    unit = days["unit_id"]
    distance = (ratio - ratio.groupby(unit).transform("median")).abs()
    spread = NORMAL * distance.groupby(unit).transform("median")
    far: NDArray[np.bool_] = (distance > score * spread).to_numpy() & (spread > 0).to_numpy()
    return far


def _months(days: pd.DataFrame) -> pd.DataFrame:
    """Return sums and the ratio of each unit and month."""
    there, measured = days["basis"] != MISSING, days["basis"] == MEASURED
    parts = days.assign(
        present=there,
        measured=measured,
        stood=days["basis"] == STANDSTILL,
        compared=days["monitored_tco2"].where(there, 0.0),
        calculated=days["calculated_tco2"].where(there, 0.0),
        own=days["monitored_tco2"].where(measured, 0.0),
        of_own=days["calculated_tco2"].where(measured, 0.0),
    )
    groups = parts.groupby(["unit_id", "month"], sort=True)
    sums = groups[["present", "measured", "stood", "unusual", "compared", "calculated", "own", "of_own"]].sum()
    size = groups.size()
    enough = (sums["measured"] >= LEAST_SHARE * (size - sums["stood"])) & (sums["own"] > 0) & (sums["of_own"] > 0)
    ratio = (sums["own"] / sums["of_own"].where(enough)).where(enough)
    table = pd.DataFrame(
        {
            "days": size,
            "measured_days": sums["measured"].astype(int),
            "standstill_days": sums["stood"].astype(int),
            "filled_days": (sums["present"] - sums["measured"] - sums["stood"]).astype(int),
            "missing_days": (size - sums["present"]).astype(int),
            "unusual_days": sums["unusual"].astype(int),
            "monitored_tco2": sums["compared"].round(2),
            "calculated_tco2": sums["calculated"].round(2),
            "difference_tco2": (sums["compared"] - sums["calculated"]).round(2),
            "ratio": ratio.round(6),
            "emissions_tco2e": groups["month_tco2"].first(),
        }
    )
    return table.reset_index()


def _of_unit(unit: str, months: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Return the ratio of a unit over its months, and the drift of it."""
    own = months[months["ratio"].notna()]
    when = own["month"].to_numpy().astype("datetime64[M]").astype(np.int64) / 12.0
    slope = lower = upper = np.nan
    drifts = False
    if len(own) >= LEAST_MONTHS:
        # Loading it takes longer than the rest of the room, which every command on monthly reports loads.
        from scipy.stats import theilslopes

        slope, _, lower, upper = (float(one) for one in theilslopes(np.log(own["ratio"].to_numpy()), when, 0.95))
        span = float(when.max() - when.min())
        drifts = (lower > 0 or upper < 0) and abs(np.expm1(slope * span)) >= settings.drift_rate
    sums = months[["monitored_tco2", "calculated_tco2", "missing_days", "filled_days", "unusual_days"]].sum()
    return {
        "unit_id": unit,
        "months": len(months),
        "months_with_ratio": len(own),
        "monitored_tco2": round(float(sums["monitored_tco2"]), 2),
        "calculated_tco2": round(float(sums["calculated_tco2"]), 2),
        "difference_tco2": round(float(sums["monitored_tco2"] - sums["calculated_tco2"]), 2),
        "ratio": round(float(own["ratio"].median()), 6) if len(own) else np.nan,
        "drift_per_year": round(float(np.expm1(slope)), 6),
        "drift_lower": round(float(np.expm1(lower)), 6),
        "drift_upper": round(float(np.expm1(upper)), 6),
        "drifts": bool(drifts),
        **{name: int(sums[name]) for name in ("filled_days", "missing_days", "unusual_days")},
    }


def _day_texts(days: pd.DataFrame) -> NDArray[np.object_]:
    return days["day"].to_numpy().astype("datetime64[D]").astype(str).astype(object)


def _shown_days(days: pd.DataFrame) -> pd.DataFrame:
    table = days.assign(day=_day_texts(days), basis=np.array(BASES, dtype=object)[days["basis"]])
    ratio = days["monitored_tco2"] / days["calculated_tco2"].where(days["calculated_tco2"] > 0)
    for name in ("flow_1e4_nm3", "monitored_tco2", "calculated_tco2", "difference_tco2"):
        table[name] = table[name].round(2)
    table["ratio"] = ratio.round(6)
    columns = ["unit_id", "day", "basis", "flow_1e4_nm3", "load_rate"]
    return table[[*columns, "monitored_tco2", "calculated_tco2", "difference_tco2", "ratio", "unusual"]]


def _shown_filled(filled: pd.DataFrame) -> pd.DataFrame:
    table = filled.assign(day=_day_texts(filled), basis=np.array(BASES, dtype=object)[filled["basis"]])
    table = table.rename(columns={"flow": "flow_1e4_nm3", "co2": "co2_percent", "emissions": "monitored_tco2"})
    table = table.round({"flow_1e4_nm3": 2, "co2_percent": 3, "monitored_tco2": 2})
    return table[["unit_id", "stack", "day", "basis", "flow_1e4_nm3", "co2_percent", "monitored_tco2"]]
