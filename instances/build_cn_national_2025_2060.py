"""Build the instance ``cn-national-2025-2060``: the units of ``cn-national-2025``, measures, and output until 2060.

    python -m instances.build_cn_national_2025_2060

copies ``units.csv`` and ``enterprises.csv`` of ``cn-national-2025`` and writes ``forecast.csv`` and ``measures.csv``,
the same bytes each time. Other assumptions about units or output make another folder:

    python -m instances.build_cn_national_2025_2060 --power high --load-share 0.5 --opening-t 150000000 --out my-folder

Confidence of a figure: [A] official text; [B] a secondary source that was read, or computed from one; [C] recalled or
assumed, or computed from such a figure.
"""

from __future__ import annotations

import argparse
import csv
import math
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from instances.build_cn_national_2025 import OPENING_T, parse_assumptions, shipped, tables
from instances.build_cn_national_2025 import write as write_tables
from instances.draw_power import SHIPPED

HERE = Path(__file__).parent
UNITS, INDUSTRY = HERE / "cn-national-2025", HERE / "cn-2025-2035"
TARGET = HERE / "cn-national-2025-2060"
DISCOUNT_RATE = 0.08

POWER = {
    "central": {2025: 1.0, 2027: 1.0, 2030: 0.97, 2035: 0.85, 2040: 0.72, 2050: 0.45, 2060: 0.30},
    "high": {2025: 1.0, 2027: 1.02, 2030: 1.03, 2035: 0.98, 2040: 0.90, 2050: 0.70, 2060: 0.55},
    "low": {2025: 1.0, 2027: 0.97, 2030: 0.90, 2035: 0.72, 2040: 0.55, 2050: 0.28, 2060: 0.15},
}
"""Emissions of power without measures, relative to 2025: three assumed paths [C]."""

TREND_UNTIL = 2030
"""Last year of the intensity trend of -0.7 % a year [A until 2025, C after]: the retrofits that it holds end."""

LATER = {
    "aluminium": {2050: 0.95, 2060: 0.85},
    "cement": {2050: 0.41, 2060: 0.35},
    "steel": {2050: 0.50, 2060: 0.40},
}
"""Output of industry relative to ``units.csv`` after 2035 [C]; until then that of ``cn-2025-2035``."""

Row = dict[str, Any]
COLUMNS = [
    "measure_id", "name", "sector", "abatement_rate", "output_abatement_rate", "maximum_share",
    "largest_new_share_a_year", "first_year", "lifetime_years", "variable_opex_cny_per_t", "fuel_saving_cny_per_t",
    "stops", "exclusive_group", "requires", "price_year", "confidence", "source", "x_cny_per_tco2", "x_name_zh",
]  # fmt: skip


def forecast(power: str = "central", intensity_trend: float = SHIPPED.intensity_trend) -> list[Row]:
    """Return the rows of ``forecast.csv``, by sector and year."""
    path, trend = POWER[power], 1 + intensity_trend
    rows = []
    for year in sorted({2026, 2028, 2029, *path} - {2025}):
        intensity = trend ** (min(year, TREND_UNTIL) - 2025)
        emissions = float(np.interp(year, list(path), list(path.values())))
        rows.append(("power", year, round(emissions / intensity, 6), round(intensity, 6)))
    industry = pd.read_csv(INDUSTRY / "forecast.csv")
    for sector, later in LATER.items():
        here = industry[industry["sector"] == sector]
        known = dict(zip(here["year"].tolist(), here["output_factor"].tolist(), strict=True))
        rows += [(sector, year, factor, 1) for year, factor in (known | later).items()]
    names = ("sector", "year", "output_factor", "intensity_factor")
    return [dict(zip(names, row, strict=True)) for row in rows]


def intensities() -> dict[str, float]:
    """Return emissions per output of each sector [t/t]; of power those of coal by generation, with heat [t/MWh]."""
    units = pd.read_csv(UNITS / "units.csv", low_memory=False)
    totals = units.groupby("sector")[["emissions_tco2e", "output_t"]].sum()
    found = dict(totals["emissions_tco2e"] / totals["output_t"].where(totals["output_t"] > 0))
    coal = units[units["unit_class"].isin(["I", "II", "III"])]
    return found | {"power": coal["emissions_tco2e"].sum() / coal["generation_mwh"].sum()}


def chosen(measure: Row, per_output: float) -> Row:
    """Return the row of a measure of the TOML file, with its cost per tonne (MWh) of the year's output."""
    abates, cost, ramp = measure["abates"], measure["cost"], measure["ramp"]
    of_sector = 1 / (1 - measure.get("after", 0.0)) / measure["rate"]
    share = abates["value"] * of_sector
    named = (("abates", abates), ("cost", cost), ("first year", ramp))
    texts = [f"{name}: {part['source']} [{part['mark']}]" for name, part in named]
    figure = f"{abates['value']:.4g} of the sector's emissions at {cost['value']:g} CNY per t, all-in"
    return {
        "measure_id": measure["id"],
        "name": measure["name"],
        "sector": measure["sector"],
        "abatement_rate": measure["rate"],
        "output_abatement_rate": measure["rate"] if measure.get("output") else "",
        "maximum_share": round(share, 6),
        # Rounded up, so that it divides the share into no step more.
        "largest_new_share_a_year": math.ceil(ramp["a_year"] * of_sector * 1e6) / 1e6 if "a_year" in ramp else "",
        "first_year": measure["first_year"],
        "lifetime_years": measure["lifetime_years"],
        "variable_opex_cny_per_t": round(cost["value"] * abates["value"] * per_output / round(share, 6), 4),
        "fuel_saving_cny_per_t": 0,
        "stops": "yes" if measure.get("stops") else "",
        "requires": measure.get("requires", ""),
        "price_year": 2024,
        "confidence": max(part["mark"] for _, part in named),
        "source": f"{figure}; {'; '.join(texts)}.",
        "x_cny_per_tco2": cost["value"],
        "x_name_zh": measure["name_zh"],
    }


def copied(row: Row, first_year: int, per_output: float, part: Row | None = None) -> Row:
    """Return a row of ``cn-2025``, or a part of it, with its capital as a cost of the year's output."""
    part = part or {"id": row["measure_id"], "first_year": first_year, "share": 1.0}
    life = row["lifetime_years"]
    annuity = DISCOUNT_RATE / (1 - (1 + DISCOUNT_RATE) ** -life)
    cost = row["capex_cny_per_t"] * annuity + row["fixed_opex_cny_per_t"] + row["variable_opex_cny_per_t"]
    share = round(row["maximum_share"] * part["share"], 6)
    per_tonne = (cost - row["fuel_saving_cny_per_t"]) / (row["abatement_rate"] * per_output)
    known = 0 if pd.isna(row["first_year"]) else int(row["first_year"])
    name = row["name"] if part["share"] == 1 else f"{row['name']}, {part['share']:.0%} of it"
    return {name: value for name, value in row.items() if name in COLUMNS} | {
        "measure_id": part["id"],
        "name": name,
        "maximum_share": share,
        "first_year": max(part["first_year"], known),
        "variable_opex_cny_per_t": round(cost, 4),
        "requires": part.get("requires", ""),
        "source": f"{row['source']} Capital at 8 % over its life, in the variable cost; as in cn-2025 otherwise.",
        "x_cny_per_tco2": round(per_tonne, 1),
    }


def measures() -> list[Row]:
    """Return the rows of ``measures.csv``."""
    figures = tomllib.loads((HERE / "measures_2060.toml").read_text(encoding="utf-8"))
    table = pd.read_csv(HERE / "cn-2025" / "measures.csv").set_index("measure_id", drop=False)
    per_output, first = intensities(), figures["copied"]["first_year"]
    rows = [chosen(measure, per_output[measure["sector"]]) for measure in figures["measures"]]
    wanted = [(name, None) for name in figures["copied"]["measures"]]
    wanted += [(stage["of"], part) for stage in figures["staged"] for part in stage["parts"]]
    for name, part in wanted:
        row = {str(key): value for key, value in table.loc[name].items()}
        rows.append(copied(row, first, per_output[row["sector"]], part))
    return rows


def write(
    target: Path = TARGET,
    *,
    power: str = "central",
    load_share: float = SHIPPED.load_share,
    intensity_trend: float = SHIPPED.intensity_trend,
    opening_t: int = OPENING_T,
) -> None:
    """Write the four tables into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    assumed = replace(SHIPPED, load_share=load_share, intensity_trend=intensity_trend)
    if assumed == SHIPPED and opening_t == OPENING_T:
        for name in ("units.csv", "enterprises.csv"):
            shutil.copyfile(UNITS / name, target / name)
    else:
        write_tables(target, tables(*shipped(), assumed, opening_t))
    for name, rows in (("forecast", forecast(power, intensity_trend)), ("measures", measures())):
        with (target / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS if name == "measures" else list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({key: "" if pd.isna(value) else value for key, value in row.items()} for row in rows)
    if target.resolve() != TARGET.resolve():
        shutil.copyfile(TARGET / "policy.toml", target / "policy.toml")


def main() -> None:
    """Write the tables, by default those that are shipped."""
    parser = argparse.ArgumentParser(description="Build the instance cn-national-2025-2060, or another of its kind.")
    parser.add_argument("--power", choices=sorted(POWER), default="central", help="emissions of power without measures")
    given = parse_assumptions(parser, TARGET)
    options = {"load_share": given.load_share, "intensity_trend": given.intensity_trend, "opening_t": given.opening_t}
    write(given.out, power=given.power, **options)


if __name__ == "__main__":
    main()
