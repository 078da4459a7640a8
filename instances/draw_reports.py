"""Draw the monthly reports of 2025 of plants with the figures of ``cn-2025``, before any fault is planted.

Output, emissions and intensity of a year are those of units of that instance, taken without their names. Rates per
tonne, seasons, repairs, dates and noise are assumptions, written here in one place.
"""

from __future__ import annotations

import calendar
import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from etsopt.accounting import Reports, account
from etsopt.accounting.example import ACTIVITY
from etsopt.accounting.vocabulary import ITEMS

UNITS = Path(__file__).parent / "cn-2025" / "units.csv"
YEAR = 2025
PLANTS = {"aluminium": 10, "cement": 22, "steel": 8}

METER, GAS_METER, MINOR = 0.007, 0.02, 0.03
"""Relative noise of a month: solids of meter class 0.5 with stock-taking, gases of class 2.0, minor materials."""
UNIT_SPREAD = 0.06  # relative sd of a rate between plants
ACTIVITY_NOISE, PROCESS_NOISE = 0.06, 0.005  # relative sd of a month's output, and of a process around it
NCV_GJ_PER_T, NCV_SPREAD, NCV_NOISE = 23.4, 0.03, 0.008  # GJ/t; relative sd between plants, and between months
SEASON = {
    "cement": (0.70, 0.55, 0.95, 1.10, 1.12, 1.10, 1.05, 1.05, 1.10, 1.15, 1.10, 0.95),  # winter stops of kilns
    "steel": (0.98, 0.96, 1.02, 1.02, 1.03, 1.02, 1.00, 1.00, 1.00, 1.00, 0.99, 0.98),
    "aluminium": (1.00,) * 12,
}
REPAIR_SHARE, REPAIR = 0.3, (0.5, 0.8)  # share of steel and cement plants with a month of repair, and its output
SLAG_SHARE = 0.3  # share of clinker lines with carbide slag
REPORTED_DAYS = (15, 38)  # days after the end of the month, of the 40 allowed
CALIBRATED_EVERY = 350  # days


class Part(NamedTuple):
    """A row of every month: its quantity per tonne of base output, and its relative noise."""

    process: str
    item: str
    flow: str
    rate: float
    noise: float
    batch: str = ""


PARTS = {
    "steel": (
        Part("enterprise", "bituminous", "in", 0.24, METER),
        Part("enterprise", "bituminous", "test", 0.20, MINOR, "B1"),
        Part("enterprise", "washed_coking_coal", "in", 0.50, METER),
        Part("enterprise", "anthracite", "in", 0.04, METER),
        Part("enterprise", "limestone", "in", 0.02, MINOR),
        Part("enterprise", "dolomite", "in", 0.09, MINOR),
        Part("enterprise", "scrap", "in", 0.12, MINOR),
        Part("enterprise", "silicomanganese", "in", 0.01, MINOR),
        Part("enterprise", "crude_steel", "out", 1.06, METER),
        Part("enterprise", "tar", "out", 0.012, MINOR),
        Part("enterprise", "crude_benzol", "out", 0.003, MINOR),
        Part("coking", "washed_coking_coal", "in", 0.50, METER),
        Part("coking", "coke", "out", 0.37, METER),
        Part("coking", "coke_oven_gas", "out", 0.009, GAS_METER),
        Part("sintering", "anthracite", "in", 0.04, METER),
        Part("sintering", "coke", "in", 0.015, METER),
        Part("sintering", "sinter", "product", 1.30, METER),
        Part("ironmaking", "coke", "in", 0.36, METER),
        Part("ironmaking", "bituminous", "in", 0.14, METER),
        Part("ironmaking", "blast_furnace_gas", "out", 0.155, GAS_METER),
        Part("ironmaking", "pig_iron", "product", 1.0, 0.0),
        Part("bof", "crude_steel", "product", 1.06, METER),
    ),
    "cement": (
        Part("clinker", "bituminous", "in", 0.13, METER),
        Part("clinker", "bituminous", "test", 0.10, MINOR, "B1"),
        Part("clinker", "diesel", "in", 0.0002, MINOR),
        Part("clinker", "carbide_slag", "in", 0.03, MINOR),
        Part("clinker", "portland_clinker", "product", 1.0, 0.0),
    ),
    "aluminium": (
        Part("electrolysis", "anode", "in", 0.465, METER),
        Part("electrolysis", "aluminium", "product", 1.0, 0.0),
    ),
}
ADJUSTED = {
    "steel": (("ironmaking", "coke", "in"), ("enterprise", "washed_coking_coal", "in")),
    "cement": (("clinker", "bituminous", "in"),) * 2,
    "aluminium": (("electrolysis", "anode", "in"),) * 2,
}
"""The row that brings a plant to the intensity of ``cn-2025``, and the one that brings it to the emissions."""


def plants(random: np.random.Generator) -> pd.DataFrame:
    """Choose plants of ``cn-2025``: sector, province, base output [t], emissions, and those of the intensity."""
    units = pd.read_csv(UNITS)
    units = units[units["output_t"] > 0]
    chosen = pd.concat(
        [
            own.iloc[np.sort(random.choice(len(own), PLANTS[name], replace=False))]
            for name, own in units.groupby("sector")
        ]
    ).reset_index(drop=True)
    base = chosen["intensity_output_t"].fillna(chosen["output_t"])
    return pd.DataFrame(
        {
            "unit_id": [f"R{number:02d}" for number in range(1, len(chosen) + 1)],
            "sector": chosen["sector"],
            "province": chosen["province"],
            "base_t": base,
            "output_t": chosen["output_t"],
            "emissions_tco2e": chosen["emissions_tco2e"],
            "key_tco2e": chosen["intensity_emissions_tco2e"].fillna(chosen["emissions_tco2e"]),
        }
    )


def register_of(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the register of the plants."""
    return pd.DataFrame(
        {
            "unit_id": chosen["unit_id"],
            "enterprise_id": chosen["unit_id"].str.replace("R", "E"),
            "sector": chosen["sector"],
            "province": chosen["province"],
            "activity": chosen["sector"].map(ACTIVITY),
        }
    )


def rates(chosen: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Draw the rates of every plant per tonne of base output, brought to its emissions and intensity."""
    records = []
    for plant in chosen.itertuples():
        ncv = NCV_GJ_PER_T * np.exp(NCV_SPREAD * random.normal())
        slag = random.random() < SLAG_SHARE
        for part in PARTS[plant.sector]:
            rate = part.rate * (np.exp(UNIT_SPREAD * random.normal()) if part.noise else 1.0)
            if part.item == "crude_steel":
                rate = plant.output_t / plant.base_t
            if part.item != "carbide_slag" or slag:
                own = {"unit_id": plant.unit_id, "sector": plant.sector, "ncv": ncv}
                records.append(own | part._asdict() | {"rate": rate})
    table = pd.DataFrame(records)
    # A trial of one year without noise says how far emissions are from those of the instance.
    base = table["unit_id"].map(chosen.set_index("unit_id")["base_t"])
    trial = account(
        Reports.from_frames(register_of(chosen), _rows(table, table["rate"] * base, table["ncv"], "2025-01"))
    )
    found = trial.unit_months.set_index("unit_id")
    wanted = chosen.set_index("unit_id")
    gaps = (
        wanted["key_tco2e"] - found["intensity_emissions_tco2e"],
        wanted["emissions_tco2e"] - found["emissions_tco2e"],
    )
    for number, gap in enumerate(gaps):
        for sector in PARTS if number == 0 else ("steel",):
            process, item, flow = ADJUSTED[sector][number]
            row = (table["process"] == process) & (table["item"] == item) & (table["flow"] == flow)
            own = trial.lines[(trial.lines["process"] == process) & (trial.lines["item"] == item)]
            emitted = table["unit_id"].map(own[own["flow"] == flow].set_index("unit_id")["emissions_tco2e"])
            table.loc[row, "rate"] *= 1 + (table["unit_id"].map(gap) / emitted)[row]
    return table


def _rows(table: pd.DataFrame, quantity: pd.Series, ncv: pd.Series, month: str) -> pd.DataFrame:
    test = table["flow"] == "test"
    return pd.DataFrame(
        {
            "unit_id": table["unit_id"],
            "month": month,
            "process": table["process"],
            "item": table["item"],
            "flow": table["flow"],
            "quantity": quantity.round(2),
            "unit": [ITEMS[item].unit for item in table["item"]],
            "ncv_gj_per_unit": ncv.where(test).round(3),
            "batch": table["batch"],
            "evidence": np.where(test, "test report", "ledger"),
        }
    )


def reports(chosen: pd.DataFrame, random: np.random.Generator, noise_factor: float = 1.0) -> pd.DataFrame:
    """Draw the rows of a year: month by month, plant by plant, with the dates of reports and calibrations.

    Parameters
    ----------
    noise_factor
        Factor of the noise of quantities and calorific values, to see what screening owes to the assumed noise.
    """
    table = rates(chosen, random)
    sector = chosen["sector"].to_numpy()
    activity = np.array([SEASON[name] for name in sector]) * np.exp(
        ACTIVITY_NOISE * random.normal(size=(len(sector), 12))
    )
    for place, name in enumerate(sector):
        month, output, drawn = random.integers(12), random.uniform(*REPAIR), random.random()
        if name != "aluminium" and drawn < REPAIR_SHARE:
            activity[place, month] *= output
    activity *= chosen["base_t"].to_numpy()[:, None] / activity.sum(axis=1, keepdims=True)
    unit = chosen["unit_id"].searchsorted(table["unit_id"])
    first_calibration = random.integers(0, CALIBRATED_EVERY, size=len(table))
    process, process_count = pd.factorize(table["unit_id"] + " " + table["process"])[0], table["process"].size
    frames = []
    for number in range(12):
        end = month_end(number + 1)
        around = np.exp(noise_factor * PROCESS_NOISE * random.normal(size=process_count))[process]
        noise = np.exp(noise_factor * table["noise"].to_numpy() * random.normal(size=len(table)))
        quantity = table["rate"] * activity[unit, number] * around * noise
        # The plant has one value a month, whatever the batch.
        value = np.exp(noise_factor * NCV_NOISE * random.normal(size=len(chosen)))[unit]
        frame = _rows(table, quantity, table["ncv"] * value, f"{YEAR}-{number + 1:02d}")
        days = random.integers(REPORTED_DAYS[0], REPORTED_DAYS[1], size=len(chosen))[unit]
        frame["reported_on"] = [(end + datetime.timedelta(int(day))).isoformat() for day in days]
        age = ((end - datetime.date(YEAR, 1, 1)).days + first_calibration) % CALIBRATED_EVERY
        dates = [(end - datetime.timedelta(int(day))).isoformat() for day in age]
        frame["calibrated_on"] = np.where(table["flow"] == "test", "", dates)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def month_end(month: int) -> datetime.date:
    """Return the last day of a month of the year."""
    return datetime.date(YEAR, month, calendar.monthrange(YEAR, month)[1])
