"""Daily values of a stack on every day of its months, with gaps filled by one rule, and marked.

A day is measured if flow and concentration are stated, with enough valid hours. A gap is filled from the measured days
within the window before and after it, if there are enough: the concentration by their median; the flow by the load of
the day times the median of flow over load, and without a load by the median of the flow. A day without load, or with a
flow of zero, is a standstill, with no emissions. Other gaps stay open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.accounting.monitoring.schema import Settings

    Values = NDArray[np.float64]

BASES = ("measured", "standstill", "filled_co2", "filled_flow", "filled_both", "missing")
"""Origin of a day's value; of several stacks the last of these counts."""
MEASURED, STANDSTILL, FILLED_CO2, FILLED_FLOW, FILLED_BOTH, MISSING = range(6)

KG_PER_T, NM3_PER_1E4 = 1000.0, 10_000.0
MONTH = np.timedelta64(1, "M")


@dataclass(frozen=True)
class StackDays:
    """Values of a stack on consecutive days, shape ``(days,)`` each: flow, concentration, load, basis and emissions.

    ``flow`` is in 1e4 Nm3, ``co2`` in percent, ``emissions`` in tCO2; NaN where the gap stays open.
    """

    day: NDArray[np.int64]
    flow: Values
    co2: Values
    load: Values
    basis: NDArray[np.int64]
    emissions: Values


def days_of_stack(rows: pd.DataFrame, settings: Settings) -> StackDays:
    """Return the values of every day of the months of a stack, with gaps filled.

    Parameters
    ----------
    rows
        The rows of the stack, with ``day`` since 1970.
    """
    stated = rows["day"].to_numpy().astype("datetime64[D]")
    months = stated.astype("datetime64[M]")
    first, after = months.min().astype("datetime64[D]"), (months.max() + MONTH).astype("datetime64[D]")
    day = np.arange(first, after).astype(np.int64)
    at = stated.astype(np.int64) - day[0]
    flow, co2, load, hours = (np.full(len(day), np.nan) for _ in range(4))
    for values, name in ((flow, "flow_1e4_nm3"), (co2, "co2_percent"), (load, "load_rate"), (hours, "valid_hours")):
        values[at] = rows[name].to_numpy(dtype=float)
    invalid = hours < settings.least_hours
    flow[invalid], co2[invalid] = np.nan, np.nan
    basis = np.where(np.isnan(flow), FILLED_FLOW, MEASURED)
    basis = np.where(np.isnan(co2), np.where(basis == MEASURED, FILLED_CO2, FILLED_BOTH), basis)
    basis[(flow == 0) | (np.isnan(flow) & (load == 0))] = STANDSTILL
    measured = basis == MEASURED
    filled_flow, filled_co2 = flow.copy(), co2.copy()
    filled_flow[basis == STANDSTILL], filled_co2[basis == STANDSTILL] = 0.0, 0.0
    for gap in np.flatnonzero((basis != MEASURED) & (basis != STANDSTILL)):
        near = np.flatnonzero(measured & (np.abs(day - day[gap]) <= settings.window_days))
        if len(near) < settings.least_neighbours:
            basis[gap], filled_flow[gap], filled_co2[gap] = MISSING, np.nan, np.nan
            continue
        if np.isnan(co2[gap]):
            filled_co2[gap] = np.median(co2[near])
        if np.isnan(flow[gap]):
            filled_flow[gap] = _flow(flow[near], load[near], load[gap], settings.least_neighbours)
    tonnes = filled_flow * NM3_PER_1E4 * filled_co2 / 100.0 * settings.density_kg_per_nm3 / KG_PER_T
    return StackDays(day, filled_flow, filled_co2, load, basis, tonnes)


def _flow(flow: Values, load: Values, of_day: float, least: float) -> float:
    """Return the flow that fills a gap: by the load if it is known on the day and on enough neighbours."""
    loaded = load > 0
    if np.isnan(of_day) or np.count_nonzero(loaded) < least:
        return float(np.median(flow))
    return float(of_day * np.median(flow[loaded] / load[loaded]))
