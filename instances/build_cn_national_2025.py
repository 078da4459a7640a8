"""Build the instance ``cn-national-2025``: the four sectors of China's ETS in compliance year 2025, power included.

    python -m instances.build_cn_national_2025 FOLDER_WITH_RAW_FILES

writes ``units.csv`` and ``enterprises.csv`` into ``instances/cn-national-2025``, the same bytes each time. The folder
holds

- ``cn_coal_units_gem_2024-07.csv``: Global Energy Monitor, Global Coal Plant Tracker, July 2024, CC BY 4.0; the Chinese
  units in operation from 30 MW, with a column of the class that this project assumes;
- ``cn_gas_units_gem_2024-08.csv``: Global Energy Monitor, Global Oil and Gas Plant Tracker, August 2024, CC BY 4.0; the
  Chinese units in operation, with the same column.

Plants, owners, provinces and capacities come from these files; `instances.draw_power` draws everything else and holds
every assumption. The units of industry are those of ``cn-2025``. Without a folder, the plants are those of the shipped
table, so that other assumptions need no raw files:

    python -m instances.build_cn_national_2025 --load-share 0.5 --out my-folder
"""

from __future__ import annotations

import argparse
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from instances.build_cn_2025 import whole
from instances.draw_power import SHIPPED, Assumptions, plants_of, power_of_year

HERE = Path(__file__).parent
INDUSTRY, TARGET = HERE / "cn-2025", HERE / "cn-national-2025"
YEAR = 2025

OPENING_T = 240_000_000
"""Allowances of vintages from 2025 on held at the start [t]: what was carried over from 2019-2024, which is not
published. A scenario: 170, 240 or 315 Mt, the quantiles of 5, 50 and 95 % of assumed distributions [C]."""

OWN_GASES = ("blast furnace gas", "coke oven gas")
"""Fuels of units on own gases; a unit on coal-bed methane alone burns a special gas."""

COLUMNS = [
    "unit_id", "enterprise_id", "name", "sector", "province", "emissions_tco2e", "output_t", "intensity_output_t",
    "intensity_emissions_tco2e", "special_case", "unit_class", "capacity_mw", "generation_mwh", "heat_gj",
    "load_factor", "prior_emissions_tco2e", "x_origin", "x_plant_id", "x_technology", "x_start_year", "x_capacity_t",
    "x_name_zh",
]  # fmt: skip


def coal_plants(folder: Path) -> pd.DataFrame:
    """Return the units of the coal file."""
    raw = pd.read_csv(folder / "cn_coal_units_gem_2024-07.csv")
    special = raw["cets_class_assumed"] == "special"
    return pd.DataFrame(
        {
            "unit_id": raw["unit_id"],
            "owner": raw["owner"],
            "plant": raw["plant_name"].str.strip(),
            "name": raw["plant_name"].str.strip() + ", " + raw["unit_name"].str.strip(),
            "province": raw["province"],
            "special_case": np.where(special, "igcc", ""),
            "unit_class": raw["cets_class_assumed"].mask(special, ""),
            "capacity_mw": raw["capacity_mw"],
            "x_plant_id": raw["plant_id"],
            "x_technology": raw["technology"],
            "x_start_year": raw["start_year"],
            "x_name_zh": raw["plant_name_zh"].str.strip(),
        }
    )


def gas_plants(folder: Path) -> pd.DataFrame:
    """Return the units of the gas file, which has no identifiers: they are numbered by project and unit."""
    raw = pd.read_csv(folder / "cn_gas_units_gem_2024-08.csv", dtype={"unit": str})
    raw = raw.sort_values(["project", "unit"], ignore_index=True)
    own = raw["fuel_type"].str.contains("|".join(OWN_GASES))
    methane = raw["fuel_type"] == "fossil gas: coalbed methane"
    engine = raw["technology"] == "internal combustion"
    case = np.select([own, methane, engine], ["own_gas", "special_gas", "oil_or_engine"], "")
    if not ((case == "") == (raw["cets_class_assumed"] == "IV")).all():
        raise SystemExit("A unit of class IV has a special case, or a special case has class IV.")
    return pd.DataFrame(
        {
            "unit_id": [f"GEM-GAS-{number:03}" for number in range(1, len(raw) + 1)],
            "owner": raw["owner"],
            "plant": raw["project"].str.strip(),
            "name": raw["project"].str.strip() + ", Unit " + raw["unit"].str.strip(),
            "province": raw["province"],
            "special_case": case,
            "unit_class": np.where(case == "", "IV", ""),
            "capacity_mw": raw["capacity"],
            "x_plant_id": "",
            "x_technology": raw["technology"],
            "x_start_year": raw["start_year"],
            "x_name_zh": raw["project_loc"].str.strip(),
        }
    )


def power_plants(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the power units of both files, and the enterprises that own them.

    The name identifies a legal entity, as in ``cn-2025``. An owner that is also one there keeps its identifier; the
    others are numbered in the order of their names.
    """
    plants = pd.concat([coal_plants(folder), gas_plants(folder)], ignore_index=True)
    plants = plants.sort_values("unit_id", ignore_index=True)
    owner = plants["owner"].str.replace(r"\s*\[[\d.]+%\]\s*$", "", regex=True).str.strip()
    owner = owner.fillna("Owner not named in the source, " + plants["plant"])
    slug = owner.map(lambda name: re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"))
    industry = set(pd.read_csv(INDUSTRY / "enterprises.csv")["enterprise_id"])
    others = sorted(set(slug) - industry)
    number = {name: f"power-{place:04}" for place, name in enumerate(others, 1)}
    plants["enterprise_id"] = slug.map(lambda name: number.get(name, name))
    largest = plants.assign(name=owner).sort_values(["capacity_mw", "unit_id"], ascending=[False, True])
    owners = largest.drop_duplicates("enterprise_id")[["enterprise_id", "name", "province"]]
    owners = owners[owners["enterprise_id"].isin(number.values())].sort_values("enterprise_id")
    return plants.drop(columns=["owner", "plant"]).assign(sector="power", x_origin="observed"), owners


def tables(
    plants: pd.DataFrame, owners: pd.DataFrame, assumed: Assumptions = SHIPPED, opening_t: int = OPENING_T
) -> dict[str, pd.DataFrame]:
    """Return the tables of the instance from the power plants and their owners, and the units of ``cn-2025``."""
    power = power_of_year(plants, YEAR, assumed)
    industry = pd.read_csv(INDUSTRY / "units.csv", dtype={"x_name_zh": str})
    # The emissions of industry are those of 2024, in place of 2025.
    industry["prior_emissions_tco2e"] = industry["emissions_tco2e"]
    units = pd.concat([power, industry], ignore_index=True).reindex(columns=COLUMNS)
    enterprises = pd.concat([owners, pd.read_csv(INDUSTRY / "enterprises.csv")], ignore_index=True)
    # Until 2024 only power traded; units with A = E had no allowances to keep.
    ordinary = power[power["special_case"].fillna("") == ""]
    emitted = ordinary.groupby("enterprise_id")["emissions_tco2e"].sum()
    opening = pd.Series(whole(emitted.to_numpy(dtype=float), opening_t), index=emitted.index)
    enterprises["opening_2025_t"] = enterprises["enterprise_id"].map(opening).astype("Int64")
    return {"units": units, "enterprises": enterprises[["enterprise_id", "name", "province", "city", "opening_2025_t"]]}


def shipped() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return plants and owners of the shipped tables."""
    units = pd.read_csv(TARGET / "units.csv", dtype={"x_name_zh": str, "x_plant_id": str})
    owners = pd.read_csv(TARGET / "enterprises.csv")
    owners = owners[owners["enterprise_id"].str.fullmatch(r"power-\d{4}")]
    return plants_of(units), owners[["enterprise_id", "name", "province"]]


def write(folder: Path, content: dict[str, pd.DataFrame]) -> None:
    """Write the tables, whole numbers without decimals and absent cells empty."""
    for name, table in content.items():
        amounts = ("_t", "_tco2e", "_mwh", "_gj", "_year")
        tonnes = {column: "Int64" for column in table.columns if column.endswith(amounts)}
        table = table.astype(tonnes)
        for column in table.columns.intersection(["capacity_mw", "load_factor"]):
            table[column] = table[column].map(lambda number: f"{number:g}", na_action="ignore")
        table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")


def parse_assumptions(parser: argparse.ArgumentParser, target: Path) -> argparse.Namespace:
    """Add the options of what is assumed about power, and of the folder, to a parser, and return what is given."""
    parser.add_argument("--load-share", type=float, default=SHIPPED.load_share)
    parser.add_argument("--intensity-trend", type=float, default=SHIPPED.intensity_trend, help="a year, a fraction")
    parser.add_argument("--opening-t", type=int, default=OPENING_T)
    parser.add_argument("--out", type=Path, default=target, help="folder to write; the policy is copied into it")
    given = parser.parse_args()
    if not 0 <= given.load_share <= 1 - SHIPPED.deep_share:
        parser.error(f"--load-share is {given.load_share:g}: expected 0 to {1 - SHIPPED.deep_share:g}")
    return given


def main() -> None:
    """Read the plants, write the two tables and print the totals."""
    parser = argparse.ArgumentParser(description="Build the instance cn-national-2025 from the two files of plants.")
    parser.add_argument("raw_folder", type=Path, nargs="?", help="folder with cn_coal_units_gem_2024-07.csv and "
                        "cn_gas_units_gem_2024-08.csv; without it, the plants of the shipped table")  # fmt: skip
    given = parse_assumptions(parser, TARGET)
    plants, owners = shipped() if given.raw_folder is None else power_plants(given.raw_folder)
    assumed = replace(SHIPPED, load_share=given.load_share, intensity_trend=given.intensity_trend)
    content = tables(plants, owners, assumed, given.opening_t)
    given.out.mkdir(parents=True, exist_ok=True)
    write(given.out, content)
    if given.out.resolve() != TARGET.resolve():
        shutil.copyfile(TARGET / "policy.toml", given.out / "policy.toml")
    units = content["units"]
    groups = units.groupby(["sector", "unit_class", "special_case"], dropna=False)
    columns = ["capacity_mw", "generation_mwh", "heat_gj", "prior_emissions_tco2e", "emissions_tco2e"]
    print(groups[columns].sum().assign(units=groups.size()).to_string())


if __name__ == "__main__":
    main()
