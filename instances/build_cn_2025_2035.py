"""Build the instance ``cn-2025-2035``: the units and measures of ``cn-2025``, and output until 2035.

    python instances/build_cn_2025_2035.py

copies ``units.csv``, ``enterprises.csv`` and ``measures.csv`` of ``cn-2025`` and writes ``forecast.csv``, the same
bytes each time. Output is a path by sector: a factor on the output of ``cn-2025``, which is that of 2024. It is linear
between 2025, 2030 and 2035.

Confidence of a figure: [A] official text; [B] a secondary source that was read, or computed from one; [C] recalled or
assumed, or computed from such a figure; [D] computed from several of these.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SOURCE, TARGET = HERE / "cn-2025", HERE / "cn-2025-2035"
COPIED = ("units.csv", "enterprises.csv", "measures.csv")
YEARS = range(2026, 2036)
KNOTS = (2025, 2030, 2035)

# Crude steel: NBS through Yuen Seng (2024) and SteelOrbis (2025) [B]; demand of 2030 and 2035 in Mt, the middle case
# (business as usual) of the Mission Possible Partnership, Regional Steel Demand.csv [B].
STEEL_2024, STEEL = 1005.0, (960.81, 949.1, 863.8)
# Share of electric furnaces, outside the system: about 10 % now [C]; the goal of the Ministry of Industry and
# Information Technology for 2030, through Fastmarkets [B]; 2035 assumed [C].
ELECTRIC_2024, ELECTRIC = 0.10, (0.10, 0.20, 0.25)

# Cement: 6.9 % less in 2025, NBS through SunSirs [B]; then the straight line from 1,693 Mt to the 750 Mt that the
# roadmap of IEA, CSI and WBCSD of 2018 has for 2050 [B, the line C]. The share of clinker in cement stays constant [C].
CEMENT_FALL, CEMENT_2025, CEMENT_2050 = 0.069, 1693.0, 750.0

# Primary aluminium: yearbook (2024), NBS through Reuters (2025) [B]; then the cap on capacity, 45 Mt, in full use [C].
ALUMINIUM_2024, ALUMINIUM = 44.005, (45.02, 45.0, 45.0)


def factors() -> dict[str, list[float]]:
    """Return the output of each sector relative to 2024, one factor for each of ``YEARS``."""
    line = [CEMENT_2025 + (CEMENT_2050 - CEMENT_2025) * (year - 2025) / 25 for year in KNOTS]
    knots = {
        "aluminium": [output / ALUMINIUM_2024 for output in ALUMINIUM],
        "cement": [(1 - CEMENT_FALL) * output / CEMENT_2025 for output in line],
        "steel": [
            output * (1 - electric) / (STEEL_2024 * (1 - ELECTRIC_2024))
            for output, electric in zip(STEEL, ELECTRIC, strict=True)
        ],
    }
    return {sector: np.interp(YEARS, KNOTS, values).round(4).tolist() for sector, values in knots.items()}


def write(target: Path = TARGET) -> None:
    """Write the four tables into a folder."""
    for name in COPIED:
        shutil.copyfile(SOURCE / name, target / name)
    with (target / "forecast.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sector", "year", "output_factor"])
        writer.writerows(
            [sector, year, factor]
            for sector, path in factors().items()
            for year, factor in zip(YEARS, path, strict=True)
        )


if __name__ == "__main__":
    write()
