"""Generated monthly reports of any size. Every figure is drawn; no plant is real."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.coded import month_number
from etsopt.accounting.schema import REGISTER
from etsopt.accounting.vocabulary import ALUMINIUM, CEMENT, ITEMS, STEEL
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.files.atomic_folder import replacing_folder
from etsopt.data.files.read import REPORTS
from etsopt.data.files.write import write_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

Part = tuple[str, str, str, float, str]
"""Process, item, flow, quantity per tonne of the unit's base output, and batch; steel counts by tonne of iron."""

STEEL_PARTS: tuple[Part, ...] = (
    ("enterprise", "bituminous", "in", 0.24, ""),
    ("enterprise", "washed_coking_coal", "in", 0.50, ""),
    ("enterprise", "coke", "in", 0.02, ""),
    ("enterprise", "anthracite", "in", 0.04, ""),
    ("enterprise", "diesel", "in", 0.0006, ""),
    ("enterprise", "limestone", "in", 0.02, ""),
    ("enterprise", "dolomite", "in", 0.09, ""),
    ("enterprise", "electrode", "in", 0.0006, ""),
    ("enterprise", "scrap", "in", 0.12, ""),
    ("enterprise", "silicomanganese", "in", 0.01, ""),
    ("enterprise", "ferrosilicon", "in", 0.003, ""),
    ("enterprise", "high_carbon_ferrochrome", "in", 0.001, ""),
    ("enterprise", "bituminous", "test", 0.14, "B1"),
    ("enterprise", "bituminous", "test", 0.10, "B2"),
    ("enterprise", "crude_steel", "out", 1.06, ""),
    ("enterprise", "tar", "out", 0.012, ""),
    ("enterprise", "crude_benzol", "out", 0.003, ""),
    ("coking", "washed_coking_coal", "in", 0.50, ""),
    ("coking", "coke", "out", 0.37, ""),
    ("coking", "coke_oven_gas", "out", 0.009, ""),
    ("sintering", "anthracite", "in", 0.04, ""),
    ("sintering", "coke", "in", 0.015, ""),
    ("sintering", "sinter", "product", 1.30, ""),
    ("ironmaking", "coke", "in", 0.36, ""),
    ("ironmaking", "bituminous", "in", 0.14, ""),
    ("ironmaking", "blast_furnace_gas", "in", 0.06, ""),
    ("ironmaking", "blast_furnace_gas", "out", 0.155, ""),
    ("ironmaking", "pig_iron", "product", 1.0, ""),
    ("bof", "converter_gas", "out", 0.011, ""),
    ("bof", "crude_steel", "product", 1.06, ""),
    ("power", "bituminous", "in", 0.10, ""),
    ("power", "blast_furnace_gas", "in", 0.04, ""),
)
CEMENT_PARTS: tuple[Part, ...] = (
    ("clinker", "bituminous", "in", 0.13, ""),
    ("clinker", "bituminous", "test", 0.07, "B1"),
    ("clinker", "bituminous", "test", 0.06, "B2"),
    ("clinker", "diesel", "in", 0.0002, ""),
    ("clinker", "carbide_slag", "in", 0.03, ""),
    ("clinker", "portland_clinker", "product", 1.0, ""),
)
ALUMINIUM_PARTS: tuple[Part, ...] = (
    ("electrolysis", "anode", "in", 0.465, ""),
    ("electrolysis", "aluminium", "product", 1.0, ""),
)
PARTS = {ALUMINIUM: ALUMINIUM_PARTS, CEMENT: CEMENT_PARTS, STEEL: STEEL_PARTS}

SHARES = {ALUMINIUM: 97, CEMENT: 962, STEEL: 232}
"""Entities of the compliance year 2024, by which sectors are drawn."""

MONTHLY_OUTPUT_T = {ALUMINIUM: 38_000.0, CEMENT: 95_000.0, STEEL: 300_000.0}
ACTIVITY = {ALUMINIUM: "primary_aluminium", CEMENT: "portland_clinker", STEEL: "long_process"}
PROVINCES = ("Anhui", "Hebei", "Shandong", "Yunnan")
MOST_UNITS, MOST_MONTHS = 100_000, 600


def generate(
    units: int, months: int = 12, seed: int = 0, first_month: str = "2025-01"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Generate a register and monthly reports with seeded random figures.

    Parameters
    ----------
    units
        Number of units, at least one of each of three sectors.
    months
        Months of reports, from ``first_month`` on.
    seed
        The same seed gives the same figures.

    Returns
    -------
    tuple
        The frames of ``register.csv`` and of the rows.

    Raises
    ------
    UsageError
        If a number is out of its range.
    """
    first = month_number(first_month)
    if not len(PARTS) <= units <= MOST_UNITS or not 1 <= months <= MOST_MONTHS or seed < 0 or first < 0:
        what = _(
            "`units` is {units}, `months` {months}, `seed` {seed}, `first_month` {first_month!r}: one is out of range.",
            units=units,
            months=months,
            seed=seed,
            first_month=first_month,
        )
        raise UsageError(
            what,
            _(
                "Use {count} to {most_units:,} units, 1 to {most_months} months, a seed from 0 on.",
                count=len(PARTS),
                most_units=MOST_UNITS,
                most_months=MOST_MONTHS,
            ),
        )
    random = np.random.default_rng(seed)
    names = list(PARTS)
    share = np.array([SHARES[name] for name in names]) / sum(SHARES.values())
    sector = np.concatenate([np.arange(len(names)), random.choice(len(names), units - len(names), p=share)])
    sector = random.permutation(sector)
    width = len(str(units))
    unit_ids = np.array([f"U{number:0{width}d}" for number in range(1, units + 1)], dtype=object)
    size = np.exp(0.6 * random.normal(size=units))
    frames = [
        _rows(name, unit_ids[sector == place], size[sector == place], months, first, random)
        for place, name in enumerate(names)
    ]
    text = np.array(names, dtype=object)[sector]
    register = pd.DataFrame(
        {
            "unit_id": unit_ids,
            "enterprise_id": np.array([f"E{number:0{width}d}" for number in range(1, units + 1)], dtype=object),
            "name": np.array([f"Generated {name} unit" for name in names], dtype=object)[sector],
            "sector": text,
            "province": np.array(PROVINCES, dtype=object)[random.integers(len(PROVINCES), size=units)],
            "activity": np.array([ACTIVITY[name] for name in names], dtype=object)[sector],
        }
    )
    return register, pd.concat(frames, ignore_index=True)


def _rows(
    sector: str,
    unit_ids: NDArray[np.object_],
    size: NDArray[np.float64],
    months: int,
    first: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Draw the rows of the units of a sector: units, then months, then parts."""
    parts = PARTS[sector]
    shape = (len(unit_ids), months, len(parts))
    output = MONTHLY_OUTPUT_T[sector] * size[:, None, None] * np.exp(0.05 * random.normal(size=(*shape[:2], 1)))
    quantity = output * np.array([part[3] for part in parts]) * np.exp(0.02 * random.normal(size=shape))
    test = np.array([part[2] == "test" for part in parts])
    value = np.round(23.4 + 0.3 * random.normal(size=shape), 3)
    month = [f"{(first + number) // 12:04d}-{(first + number) % 12 + 1:02d}" for number in range(months)]
    count = quantity.size

    def of_part(texts: list[str]) -> NDArray[np.object_]:
        return np.tile(np.array(texts, dtype=object), len(unit_ids) * months)

    return pd.DataFrame(
        {
            "unit_id": np.repeat(unit_ids, months * len(parts)),
            "month": np.tile(np.repeat(np.array(month, dtype=object), len(parts)), len(unit_ids)),
            "process": of_part([part[0] for part in parts]),
            "item": of_part([part[1] for part in parts]),
            "flow": of_part([part[2] for part in parts]),
            "quantity": np.round(quantity.ravel(), 2),
            "unit": of_part([ITEMS[part[1]].unit for part in parts]),
            "ncv_gj_per_unit": np.where(test, value, np.nan).ravel(),
            "batch": of_part([part[4] for part in parts]),
            "evidence": of_part(["test report" if part[2] == "test" else "ledger" for part in parts]),
            "reported_by": np.full(count, "production department", dtype=object),
            "version": np.ones(count, dtype=np.int64),
        }
    )


def write_example(folder: str | Path, units: int = 6, months: int = 12, seed: int = 0) -> Path:
    """Write a register and generated reports into a folder, a file for each year, and return the folder.

    Raises
    ------
    UsageError
        If a number is out of its range.
    OSError
        With the name of the file that could not be written.
    """
    register, rows = generate(units, months, seed)
    folder = Path(folder)
    year = rows["month"].str[:4]
    written = [folder / REGISTER.file, *sorted((folder / REPORTS).glob("*.csv"))]
    with replacing_folder(folder, lambda: [path for path in written[:1] if path.is_file()]) as aside:
        write_table(register, aside / REGISTER.file)
    reports = folder / REPORTS
    with replacing_folder(reports, lambda: [path for path in written[1:] if path.is_file()]) as aside:
        for name in sorted(set(year.tolist())):
            write_table(rows[(year == name).to_numpy()], aside / f"{name}.csv")
    return folder
