"""Build ``cn-2025-reports``: monthly reports of 40 plants with figures of ``cn-2025``, noise, and 30 planted faults.

    python -m instances.build_cn_2025_reports

writes ``register.csv``, ``reports/2025.csv`` and ``planted.csv``, the same bytes each time. Other seeds give other
sets, on which the rules of screening are measured. Neither this file nor those that it imports know these rules.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from etsopt.data.files.write import write_table
from instances import draw_reports, plant_faults

TARGET = Path(__file__).parent / "cn-2025-reports"
SEED = 2025


def generated(seed: int, noise_factor: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return register, rows and planted faults of a set."""
    random = np.random.default_rng(seed)
    plants = draw_reports.plants(random)
    register = draw_reports.register_of(plants)
    rows, faults = plant_faults.planted(draw_reports.reports(plants, random, noise_factor), register, random)
    return register, rows, faults


def build(folder: Path = TARGET, seed: int = SEED) -> None:
    """Write the tables of a set into a folder."""
    register, rows, faults = generated(seed)
    (folder / "reports").mkdir(parents=True, exist_ok=True)
    write_table(register, folder / "register.csv")
    write_table(rows, folder / "reports" / f"{draw_reports.YEAR}.csv")
    write_table(faults, folder / "planted.csv")


if __name__ == "__main__":
    build()
