"""Build the instance ``cn-2025``: cement, steel and primary aluminium under the 2025 plan of China's ETS.

    python instances/build_cn_2025.py FOLDER_WITH_RAW_FILES

writes ``units.csv`` and ``enterprises.csv`` into ``instances/cn-2025``, the same bytes each time. The folder
holds

- ``cn_steel_plants_gem_2025.csv``: Global Energy Monitor, Global Iron and Steel Tracker, March 2025,
  CC BY 4.0; the Chinese plants that operate or are about to retire, capacities in kt a year;
- ``cn_cement_plants_sfi_2021.csv``: Spatial Finance Initiative, Global Database of Cement Production Assets,
  July 2021, CC BY 4.0; the Chinese integrated plants with a capacity, in Mt of cement a year.

Plants, owners, provinces and capacities come from these files. Output, emissions and intensity of a plant are
not public: this script draws them around cited national figures and scales them to the official totals of the
sectors, so a row says nothing about the plant it names beyond its capacity.

Confidence of a figure: [A] official text; [B] a secondary source that was read, or computed from one; [C]
recalled or assumed, or computed from such a figure; [D] computed from several of these.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd

TARGET = Path(__file__).parent / "cn-2025"
SEED = 2025

# Emissions [tCO2e] and entities of the sectors in compliance year 2024, the latest completed one:
# Ministry of Ecology and Environment, Development Report 2026 on the national carbon market, table 2 [A].
STEEL_TOTAL, CEMENT_TOTAL, ALUMINIUM_TOTAL = 1_862_466_000, 956_178_700, 68_997_500
CEMENT_LINES, ALUMINIUM_UNITS = 962, 97

# Pig iron of 2024 over the blast furnace capacity in the plant file, 851.7 / 884.9 Mt [C]. Surveyed mills run
# at 83-89 % (Mysteel, 2024-25) [B]: the capacities in the file are low, so the rate is high.
BLAST_FURNACE_UTILISATION = 0.962
IRON_PER_STEEL = 0.94  # t hot metal per t crude steel, the sector: 851.7 / 905 in 2024 [C]
IRON_PER_STEEL_RANGE = (0.86, 1.02)  # t/t, a plant before scaling to the sector's ratio, an assumption [C]
STEEL_INTENSITY, STEEL_SPREAD = 0.88, 0.05  # tCO2 per t iron: guideline factors give 0.83-0.93 [D]; sd [C]
EMISSIONS_PER_STEEL = 0.10  # tCO2 per t crude steel that does not follow the iron: lime, purchased fuel [C]
OTHER_SPREAD = 0.03  # relative sd of the emissions beside ironmaking and sintering, an assumption [C]

# Clinker over design capacity, 1,152 / 1,793 Mt in 2024 [C]: an integrated plant is as busy as its kiln. The
# figures for cement, 50 % (2024), 56 or 72 % (2023) [B], contradict one another and count grinding stations.
CEMENT_UTILISATION = 0.64
CLINKER_PER_CEMENT = 0.652  # t/t, 1,520 / 2,330 Mt in 2019, the last year with both statistics [B]
CEMENT_INTENSITY, CEMENT_SPREAD = 0.83, 0.025  # tCO2 per t clinker: 3.1 GJ/t of bituminous coal [D]; sd [C]

ALUMINIUM_OUTPUT = 44_005_000  # t, primary aluminium of 2024, yearbook series [B]
ALUMINIUM_INTENSITY, ALUMINIUM_SPREAD = 1.57, 0.05  # tCO2e per t: 68.9975 / 44.0 [B]; sd [C]
# Mt a year in 2020, summed by province from the asset stack of the Mission Possible Partnership (84 smelters)
# [B]; but Yunnan, which has nearly doubled since, in 2024 (Argus, "more than 6") [B].
ALUMINIUM_CAPACITY = {
    "Shandong": 8.280, "Xinjiang": 6.435, "Inner Mongolia": 6.107, "Yunnan": 6.000, "Guangxi": 2.920,
    "Gansu": 2.870, "Qinghai": 2.835, "Henan": 1.960, "Guizhou": 1.523, "Ningxia": 1.300, "Shanxi": 1.080,
    "Sichuan": 1.000, "Shaanxi": 0.930, "Liaoning": 0.800, "Chongqing": 0.520, "Anhui": 0.250, "Hebei": 0.220,
    "Fujian": 0.075, "Hubei": 0.066,
}  # fmt: skip
ALUMINIUM_SIZE_SPREAD = 0.35  # sd of the logarithm of a unit's capacity, an assumption [C]

# Units (low, high) whose intensity lies 22-30 % off the mean, so that the rule's limit of 20 % binds: an
# assumption [C]. No aluminium unit is low: the anodes alone emit 1.37-1.49 t per t [C].
OUTLIERS = {"steel": (2, 3), "cement": (6, 6), "aluminium": (0, 3)}
OUTLIER_RANGE = (0.22, 0.30)

PROVINCES = {
    "Guangxi Zhuangzuzizhiqu": "Guangxi",
    "Neimenggu Zizhiqu": "Inner Mongolia",
    "Ningxia Huizuzizhiqu": "Ningxia",
    "Xinjiang Weiwuerzizhiqu": "Xinjiang",
    "Xizang Zizhiqu": "Tibet",
}
PROVINCE_OF_CITY = {"Jinhua Shi": "Zhejiang"}  # the one plant without a province in the file

COLUMNS = [
    "unit_id", "enterprise_id", "name", "sector", "province", "emissions_tco2e", "output_t",
    "intensity_output_t", "intensity_emissions_tco2e", "x_origin", "x_capacity_t", "x_name_zh",
]  # fmt: skip


def steel(folder: Path) -> pd.DataFrame:
    """Return the plants with blast furnaces and converters: the national ETS covers the long process only."""
    plants = pd.read_csv(folder / "cn_steel_plants_gem_2025.csv")
    plants = plants[(plants["bf_capacity_kt"] > 0) & (plants["bof_steel_capacity_kt"] > 0)]
    # Sorted by identifier, so that the draws do not depend on the order of the file.
    plants = plants.sort_values("plant_id", ignore_index=True)
    rng = np.random.default_rng([SEED, 1])
    count, capacity = len(plants), plants["bf_capacity_kt"].to_numpy() * 1000.0
    iron = capacity * BLAST_FURNACE_UTILISATION
    # At single plants the two capacities fit badly (ratios of 0.4 to 3.0), but hot metal is seldom sold.
    per_steel = np.clip(capacity / (plants["bof_steel_capacity_kt"] * 1000.0), *IRON_PER_STEEL_RANGE)
    per_steel *= IRON_PER_STEEL * (iron / per_steel).sum() / iron.sum()
    output = iron / per_steel
    intensity = lognormal(rng, STEEL_INTENSITY, STEEL_SPREAD, count)
    intensity = with_outliers(rng, intensity, STEEL_INTENSITY, "steel")
    ironmaking = iron * intensity
    # The rest, mostly furnace gas burnt elsewhere and coking, follows the iron; the official total scales it.
    other = iron * lognormal(rng, 1.0, OTHER_SPREAD, count)
    other *= (STEEL_TOTAL - ironmaking.sum() - EMISSIONS_PER_STEEL * output.sum()) / other.sum()
    return pd.DataFrame(
        {
            "unit_id": plants["plant_id"],
            "owner": plants["owner"].str.strip(),
            "city": "",
            "name": plants["plant_name_english"].str.strip(),
            "sector": "steel",
            "province": plants["subnational_unit_province_state"].map(province),
            "emissions_tco2e": whole(ironmaking + other + EMISSIONS_PER_STEEL * output, STEEL_TOTAL),
            "output_t": whole(output),
            "intensity_output_t": whole(iron),
            "intensity_emissions_tco2e": whole(ironmaking),
            "x_origin": "observed",
            "x_capacity_t": whole(capacity),
            "x_name_zh": plants["plant_name_other_language"].str.strip(),
        }
    )


def cement(folder: Path) -> pd.DataFrame:
    """Return the integrated plants, one clinker line each, and seeded lines for plants missing from the file."""
    lines = observed_cement(folder)
    rng = np.random.default_rng([SEED, 2])
    observed, seeded = len(lines), CEMENT_LINES - len(lines)
    capacity = lines["x_capacity_t"].to_numpy()
    weight = np.exp(np.log(capacity).std() * rng.standard_normal(seeded))
    shares = lines.groupby("province")["x_capacity_t"].sum() / capacity.sum()
    drawn = rng.choice(shares.index.to_numpy(), size=seeded, p=shares.to_numpy())
    intensity = lognormal(rng, CEMENT_INTENSITY, CEMENT_SPREAD, CEMENT_LINES)
    # Only seeded lines are outliers: no real plant is singled out.
    intensity[observed:] = with_outliers(rng, intensity[observed:], CEMENT_INTENSITY, "cement")
    clinker = CEMENT_UTILISATION * CLINKER_PER_CEMENT
    # The plant file covers part of the official total; the seeded lines are scaled to the rest.
    remainder = CEMENT_TOTAL - clinker * (capacity * intensity[:observed]).sum()
    weight *= remainder / (clinker * (weight * intensity[observed:]).sum())
    number = [f"{i:03}" for i in range(1, seeded + 1)]
    extra = pd.DataFrame(
        {
            "unit_id": [f"CEM-SEED-{i}" for i in number],
            "owner": "",
            "city": "",
            "name": [f"Seeded clinker line {i}" for i in number],
            "province": drawn,
            "x_origin": "seeded",
            "x_capacity_t": whole(weight),
        }
    )
    lines = pd.concat([lines, extra], ignore_index=True)
    output = whole(lines["x_capacity_t"].to_numpy() * clinker)
    emissions = whole(output * intensity, CEMENT_TOTAL)
    return lines.assign(sector="cement", output_t=output, emissions_tco2e=emissions)


def observed_cement(folder: Path) -> pd.DataFrame:
    """Return the plants of the cement file, which names owners but not plants."""
    plants = pd.read_csv(folder / "cn_cement_plants_sfi_2021.csv").sort_values("uid", ignore_index=True)
    owner = plants["owner_name"].fillna("").str.strip()
    city = plants["city"].str.split().str[0]
    return pd.DataFrame(
        {
            "unit_id": plants["uid"],
            "owner": owner,
            "city": city,
            "name": owner.where(owner != "", "Cement plant " + plants["uid"] + ", " + city),
            "province": plants["state"].fillna(plants["city"].map(PROVINCE_OF_CITY)).map(province),
            "x_origin": "observed",
            "x_capacity_t": whole(plants["capacity"].to_numpy() * 1e6),
        }
    )


def aluminium() -> pd.DataFrame:
    """Return seeded electrolysis processes, because no open list of smelters may be redistributed."""
    rng = np.random.default_rng([SEED, 3])
    provincial = np.array(list(ALUMINIUM_CAPACITY.values())) * 1e6
    units = whole(provincial * (ALUMINIUM_UNITS / provincial.sum()), ALUMINIUM_UNITS)
    where = np.repeat(np.arange(len(units)), units)
    size = np.exp(ALUMINIUM_SIZE_SPREAD * rng.standard_normal(ALUMINIUM_UNITS))
    # The units of a province share its capacity; provinces too small for a unit have none.
    capacity = size * (provincial / np.maximum(np.bincount(where, size, len(units)), 1e-9))[where]
    output = whole(capacity * (ALUMINIUM_OUTPUT / capacity.sum()), ALUMINIUM_OUTPUT)
    intensity = lognormal(rng, ALUMINIUM_INTENSITY, ALUMINIUM_SPREAD, ALUMINIUM_UNITS)
    intensity = with_outliers(rng, intensity, ALUMINIUM_INTENSITY, "aluminium")
    number = [f"{i:03}" for i in range(1, ALUMINIUM_UNITS + 1)]
    return pd.DataFrame(
        {
            "unit_id": [f"ALU-SEED-{i}" for i in number],
            "owner": "",
            "city": "",
            "name": [f"Seeded electrolysis series {i}" for i in number],
            "sector": "aluminium",
            "province": np.array(list(ALUMINIUM_CAPACITY))[where],
            "emissions_tco2e": whole(output * intensity, ALUMINIUM_TOTAL),
            "output_t": output,
            "x_origin": "seeded",
            "x_capacity_t": whole(capacity),
        }
    )


def lognormal(rng: np.random.Generator, mean: float, sd: float, count: int) -> np.ndarray:
    """Draw positive values with a mean and, if it is small, a standard deviation."""
    sigma = sd / mean
    return mean * np.exp(sigma * rng.standard_normal(count) - sigma**2 / 2)


def with_outliers(rng: np.random.Generator, intensity: np.ndarray, mean: float, sector: str) -> np.ndarray:
    """Move a few units of a sector far below and far above its mean."""
    low, high = OUTLIERS[sector]
    chosen = rng.choice(len(intensity), size=low + high, replace=False)
    distance = rng.uniform(*OUTLIER_RANGE, low + high)
    moved = intensity.copy()
    moved[chosen] = mean * (1 + np.where(np.arange(low + high) < low, -distance, distance))
    return moved


def whole(values: np.ndarray, total: int | None = None) -> np.ndarray:
    """Round to whole numbers; with a total, scale to it and round by largest remainder."""
    if total is None:
        return np.rint(values).astype(np.int64)
    exact = np.asarray(values) * (total / np.sum(values))
    rounded = np.floor(exact).astype(np.int64)
    order = np.argsort(rounded - exact, kind="stable")
    rounded[order[: total - rounded.sum()]] += 1
    return rounded


def province(name: str) -> str:
    """Return the English name of a province, the same for every source."""
    return PROVINCES.get(name) or re.sub(r" (Sheng|Shi|Province)$", "", name.strip())


def enterprises(units: pd.DataFrame) -> pd.DataFrame:
    """Return the owners, each in the province of its largest unit."""
    largest = units.sort_values(["emissions_tco2e", "unit_id"], ascending=[False, True])
    owners = largest.drop_duplicates("enterprise_id").sort_values("enterprise_id")
    unnamed = np.where(owners["x_origin"] == "seeded", "Owner of ", "Owner not named in the source, ")
    name = owners["owner"].where(owners["owner"] != "", unnamed + owners["name"])
    return owners.assign(name=name)[["enterprise_id", "name", "province", "city"]]


def main() -> None:
    """Read the raw files, write the two tables and print the totals."""
    parser = argparse.ArgumentParser(description="Build the instance cn-2025 from the two plant files.")
    parser.add_argument("raw_folder", type=Path, help="folder with cn_steel_plants_gem_2025.csv and "
                        "cn_cement_plants_sfi_2021.csv")  # fmt: skip
    folder = parser.parse_args().raw_folder
    units = pd.concat([cement(folder), steel(folder), aluminium()], ignore_index=True)
    # The name identifies a legal entity; a unit without an owner is an enterprise of its own.
    slug = units["owner"].str.lower().str.replace(r"[^a-z0-9]+", "-", regex=True).str.strip("-").str[:64]
    units["enterprise_id"] = slug.where(slug != "", "owner-of-" + units["unit_id"].str.lower())
    tables = {"units": units[COLUMNS], "enterprises": enterprises(units)}
    for name, table in tables.items():
        # Nullable integers keep absent cells empty and write the others without decimals.
        tonnes = {column: "Int64" for column in table.columns if column.endswith(("_t", "_tco2e"))}
        path = TARGET / f"{name}.csv"
        table.astype(tonnes).to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
    by_origin = units.groupby(["sector", "x_origin"])
    print(by_origin[["emissions_tco2e", "output_t", "x_capacity_t"]].sum().assign(units=by_origin.size()))


if __name__ == "__main__":
    main()
