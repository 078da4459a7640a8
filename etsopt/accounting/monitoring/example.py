"""Drawn stack monitors beside given accounts, with a drift, an offset and gaps. Every figure is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.accounts import account
from etsopt.accounting.monitoring.read import FOLDER
from etsopt.accounting.monitoring.schema import Settings
from etsopt.accounting.rows import read_reports
from etsopt.data.files.atomic_folder import replacing_folder
from etsopt.data.files.write import write_table

if TYPE_CHECKING:
    from etsopt.accounting.accounts import Accounts

DRAWN = "drawn.csv"
DRIFTS = (0.0, 0.0, 0.06, -0.08)
"""Drift a year of one unit after the other."""

CO2_PERCENT = {"steel": 19.0, "cement": 22.0, "aluminium": 1.0}
DAY_NOISE, MONTH_NOISE, LOAD_NOISE = 0.03, 0.005, 0.05
GAPS_A_YEAR, LONGEST_GAP = 8, 6


def generate_monitor(accounts: Accounts, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return daily values of a stack of each unit, and the drift, offset and gap days that were drawn."""
    random = np.random.default_rng(seed)
    monthly = accounts.monthly[accounts.monthly["gas"] == "CO2"]
    totals = monthly.groupby(["unit_id", "sector", "month"], sort=True)["emissions_tco2e"].sum().reset_index()
    density, frames, drawn = Settings().density_kg_per_nm3, [], []
    for number, ((unit, sector), own) in enumerate(totals.groupby(["unit_id", "sector"], sort=True)):
        drift, offset = DRIFTS[number % len(DRIFTS)], float(np.round(random.normal(0.0, 0.03), 4))
        month = own["month"].to_numpy().astype("datetime64[M]")
        day = np.concatenate([np.arange(one, one + np.timedelta64(1, "M"), dtype="datetime64[D]") for one in month])
        of_day = np.searchsorted(month, day.astype("datetime64[M]"))
        load = np.clip(0.85 * np.exp(LOAD_NOISE * random.normal(size=len(day))), 0.1, 1.2).round(3)
        share = load / np.bincount(of_day, load)[of_day]
        elapsed = (day - day[0]).astype(float) / 365.25
        noise = random.normal(0, DAY_NOISE, len(day)) + random.normal(0, MONTH_NOISE, len(month))[of_day]
        tonnes = own["emissions_tco2e"].to_numpy()[of_day] * share * (1 + offset) * (1 + drift) ** elapsed
        percent = (CO2_PERCENT[str(sector)] * np.exp(0.01 * random.normal(size=len(day)))).round(3)
        flow = (tonnes * np.exp(noise) * 1000 / (density * percent / 100) / 1e4).round(4)
        lost_flow, lost_co2 = (_gaps(len(day), len(month), random) for _ in range(2))
        flow[lost_flow], percent[lost_co2] = np.nan, np.nan
        frames.append(
            pd.DataFrame(
                {
                    "unit_id": unit,
                    "day": day.astype(str).astype(object),
                    "flow_1e4_nm3": flow,
                    "co2_percent": percent,
                    "load_rate": load,
                }
            )
        )
        drawn.append((unit, drift, offset, int((lost_flow | lost_co2).sum())))
    columns = ["unit_id", "drift_per_year", "offset_rate", "gap_days"]
    return pd.concat(frames, ignore_index=True), pd.DataFrame(drawn, columns=columns)


def _gaps(days: int, months: int, random: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Draw gaps of one to a few days."""
    lost = np.zeros(days, dtype=bool)
    for _ in range(random.poisson(GAPS_A_YEAR * months / 12)):
        first = int(random.integers(days))
        lost[first : first + int(random.integers(1, LONGEST_GAP + 1))] = True
    return lost


def write_monitor_example(folder: str | Path, seed: int = 0) -> Path:
    """Write drawn monitors beside the reports of a folder, and what was drawn into ``monitor/../drawn.csv``.

    Raises
    ------
    UsageError, DataError
        If the folder has no valid reports.
    OSError
        With the name of the file that could not be written.
    """
    folder = Path(folder)
    rows, drawn = generate_monitor(account(read_reports(folder)), seed)
    target = folder / FOLDER
    written = [*sorted(target.glob("*.csv"))]
    year = rows["day"].str[:4]
    with replacing_folder(target, lambda: [path for path in written if path.is_file()]) as aside:
        for name in sorted(set(year)):
            write_table(rows[(year == name).to_numpy()], aside / f"{name}.csv")
    with replacing_folder(folder, lambda: [path for path in [folder / DRAWN] if path.is_file()]) as aside:
        write_table(drawn, aside / DRAWN)
    return folder
