"""Build the instance ``cn-outlook``: demand, and sources of output and abatement, of the nation until 2080.

    python -m instances.build_cn_outlook

writes ``units.csv``, ``enterprises.csv``, ``forecast.csv`` and ``supply.csv``, the same bytes each time. Blocks of coal
and gas are the power units of ``cn-national-2025-2060`` by class and intensity, measures of industry its measures.

Confidence of a figure: [A] official text; [B] a secondary source that was read, or computed from one; [C] recalled or
assumed, or computed from such a figure; [D] computed from several of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HERE = Path(__file__).parent
NATION, TARGET = HERE / "cn-national-2025-2060", HERE / "cn-outlook"
FIRST, LAST = 2025, 2090
MILLION = 1e6

ELECTRICITY_2025_TWH, WIND_AND_SOLAR_2025_TWH = 10_400.0, 2_290.0
VERIFIED_2024_T = {"power": 5306.35e6, "steel": 1862.466e6, "cement": 956.1787e6, "aluminium": 68.9975e6}
OUTPUT_2024_MT = {"steel": 896.56, "cement": 1151.711, "aluminium": 44.005}
"""Output of the units of cn-national-2025, over which emissions of 2024 are those of a tonne."""

OWN_GAS_TWH, OWN_GAS_MT = 71.588, 60.001
"""Generation from own gases of steel mills, and its emissions, at the units of cn-national-2025."""

MWH_PER_T_ALUMINIUM, MWH_PER_T_FURNACE = 13.5, 0.5
REFERENCE_COST = 315.0
"""Cost of the last MWh of 2025, at which demand is that of the tables [D]."""

TREND = 0.993
GROWTH = {2026: 0.052, 2027: 0.045, 2031: 0.028, 2036: 0.015, 2046: 0.006, 2061: 0.0}
INDUSTRY_MT = {
    "steel": {2025: 960.8, 2030: 949.0, 2035: 864.0, 2050: 700.0, 2060: 600.0},
    "cement": {2025: 1068.3, 2030: 949.0, 2035: 830.4, 2050: 473.0, 2060: 404.0},
    "aluminium": {2025: 45.02, 2035: 45.0, 2050: 41.8, 2060: 37.4},
}
PRODUCT_PRICE = {"power": 600.0, "steel": 3600.0, "cement": 300.0, "aluminium": 19_900.0}
ELASTICITY = {"power": 0.3, "steel": 0.3, "cement": 0.3, "aluminium": 0.2}
PARTS = {"I": 4, "II": 4, "III": 2, "IV": 1}
"""Blocks of each class of power units, by intensity; class IV is gas."""

DEFICIT = {"I": (1.47, 0.93), "II": (1.86, 1.59), "III": (0.80, 1.05), "IV": (-3.96, -4.49)}
"""Deficit of each class in 2025 and 2026 [%], of benchmarks/history.md, at a load share of 0.3."""

LIFE_YEARS = 40
GJ_TCO2 = 0.1041
COAL_COST = 274.0 / 0.80
"""Cost of coal power per tonne that it emits [CNY/t]."""

VRE_HOURS = 1.3
"""Thousand hours of new wind and solar a year [C]."""

INTEGRATION_COST, INTEGRATION_SHARE = (15, 99, 172, 279, 468), (0.32, 0.10, 0.13, 0.15, 0.15)
BLAST_FURNACES_2025_MT = 865.0
KNOTS = (2025, 2026, *range(2030, LAST + 1, 5))

Rows = list[dict[str, Any]]

SOURCES = {
    "coal": (
        "D",
        "Units of the class in cn-national-2025-2060 [B], totals scaled to verified emissions of 2024 [A]; they "
        "retire after "
        "40 years, and move by 2 % of their output a year, 15 % at most [C]; 274 CNY/MWh at 0.80 t/MWh [C].",
    ),
    "gas": (
        "D",
        "Units of the class in cn-national-2025-2060 [B], totals scaled to verified emissions of 2024 [A]; least "
        "output falls "
        "to a tenth in 2060 [C]; 540 CNY/MWh [C].",
    ),
    "coal-new": (
        "C",
        "240 GW under way by 2030 (291 GW in the pipeline, 78 built in 2025: CREA and GEM, second half of 2025 [B]) "
        "at 5,200 "
        "hours; then 30 GW a year at 330 CNY/kW a year; 0.74 t/MWh: assumptions [C].",
    ),
    "heat-of-power-plants": (
        "D",
        "Heat of the units in cn-national-2025-2060 at 0.1041 t/GJ [B]; three quarters of it in 2060: assumption [C].",
    ),
    "heat-pumps": ("C", "2 % of the heat a year from 2027 on at 350 CNY/t: assumptions [C]."),
    "wind-solar": (
        "C",
        "2025: 22 % of 10,400 TWh (CGTN, 17 January 2026 [B]); build: CEC 200-300 GW a year, 370 in 2025 [B], later "
        "figures "
        "assumed [C]; least: 3,600 GW in 2035 [A]; cost: 225 CNY/MWh, IRENA 2024 [B], falling by 2 % a year to 2035, "
        "1 % to "
        "2050 [C]; integration by share of generation: all-in costs in cn-national-2025-2060 less 220 [C].",
    ),
    "nuclear-new": ("C", "45 TWh more a year, 80 from 2031, at 430 CNY/MWh: assumptions [C]."),
    "hydro-and-others": (
        "D",
        "Hydro, nuclear of 2025, biomass and small units: what is left of 10,400 TWh [D]; 12 TWh more a year until "
        "2040 [C].",
    ),
    "power-capture": (
        "C",
        "Retrofits with transport and storage at 579, 484 and 375 CNY/t in 2030, 2035 and 2045; 10 Mt a year to "
        "2035, then 46 "
        "and 70; at most 84 % beside biomass: assumptions [C].",
    ),
    "power-biomass": ("C", "10 % of the heat of coal plants, 92 Mt more a year, at 350 CNY/t: assumptions [C]."),
    "air-capture": ("C", "Danish Energy Agency 403.a, central [B]; no limit of its build: an assumption [C]."),
    "plants": (
        "D",
        "Verified emissions of 2024 [A] over output of cn-national-2025 [B]; cost: the price of the product [C]; "
        "benchmark: "
        "the emissions until 2026, then the drift of the path of cn-national-2025-2060 [C].",
    ),
    "electric-furnace": ("C", "Share that scrap allows, cost over a blast furnace, 0.5 MWh/t: assumptions [C]."),
}
"""Mark and source of the figures of each kind of source."""


def at(table: Mapping[int, float], years: NDArray[Any] | int) -> Any:
    """Return the values of some years on straight lines between those of a table."""
    return np.interp(years, sorted(table), [table[year] for year in sorted(table)])


def in_millions(table: Mapping[int, float]) -> dict[int, float]:
    """Return a table of millions as numbers."""
    return {year: value * MILLION for year, value in table.items()}


def compounded(rates: Mapping[int, float], years: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the growth since 2025; a yearly rate holds from its year on."""
    stated = np.array(sorted(rates))
    rate = [
        rates[int(stated[stated <= year][-1])] if (stated <= year).any() else 0.0 for year in range(FIRST, LAST + 1)
    ]
    return np.asarray(np.cumprod(1 + np.array(rate))[years - FIRST])


class Supply:
    """Rows of ``supply.csv``."""

    def __init__(self) -> None:
        self.rows: Rows = []

    def add(self, name: str, kind: str, sector: str, stated: tuple[str, str], of: str = "", **columns: Any) -> None:
        """Add a source: each column is a number, or a table by year.

        Parameters
        ----------
        stated
            Mark and source of its figures.
        of
            Source whose capacity it uses.
        """
        years = np.array(sorted({FIRST} | {year for one in columns.values() if isinstance(one, dict) for year in one}))
        values = {
            column: at(value, years) if isinstance(value, dict) else np.full(len(years), float(value))
            for column, value in columns.items()
        }
        # A year in which every figure is on the line of its neighbours is left out.
        for place in (place for place in range(len(years)) if not _between(years, values, place)):
            cells = {column: float(f"{value[place]:.8g}") for column, value in values.items()}
            head = {"supply_id": name, "supplies": kind, "sector": sector, "capacity_of": of, "year": int(years[place])}
            self.rows.append(head | cells | {"confidence": stated[0], "source": stated[1]})


def _between(years: NDArray[np.int64], values: Mapping[str, NDArray[np.float64]], place: int) -> bool:
    if place == 0:
        return False
    before, after = place - 1, min(place + 1, len(years) - 1)
    share = (years[place] - years[before]) / (years[after] - years[before]) if after > place else 0.0
    return all(
        np.isclose(one[place], one[before] + share * (one[after] - one[before]), rtol=1e-9, atol=1e-9)
        for one in values.values()
    )


def power_units() -> pd.DataFrame:
    """Return the coal and gas units of the nation with emissions of electricity and heat apart."""
    units = pd.read_csv(NATION / "units.csv", low_memory=False)
    power = units[(units["sector"] == "power") & units["unit_class"].isin(list(PARTS))].copy()
    power["heat"] = power["heat_gj"].fillna(0.0) * GJ_TCO2
    power["emitted"] = power["emissions_tco2e"] - power["heat"]
    return power.assign(intensity=power["emitted"] / power["generation_mwh"])


def benchmarks(name: str, mean: float) -> dict[int, float]:
    """Return the benchmark of a class: its mean less the deficit, then 1.2 % less a year until 2030, 0.5 % after."""
    first, second = (1 - share / 100 for share in DEFICIT[name])
    found = {2025: mean * first, 2026: mean * TREND * second}
    for year in range(2027, LAST + 1):
        found[year] = found[year - 1] * (1 - (0.012 if year <= 2030 else 0.005))
    return {year: value for year, value in found.items() if year <= 2030 or year % 5 == 0}


def trended(value: float) -> dict[int, float]:
    """Return a figure that falls by the intensity trend until 2030."""
    return {year: value * TREND ** (year - FIRST) for year in range(FIRST, 2031)}


def coal_and_gas(supply: Supply) -> tuple[float, float]:
    """Add blocks of the units, new coal and heat; return generation of the blocks [MWh] and emissions of power [t]."""
    power, means, heat = power_units(), dict[str, float](), dict[str, float]()
    for name, parts in PARTS.items():
        units = power[power["unit_class"] == name].sort_values(["intensity", "unit_id"])
        heat[name], means[name] = units["heat"].sum(), units["emitted"].sum() / units["generation_mwh"].sum()
        rank = units["generation_mwh"].cumsum() / units["generation_mwh"].sum()
        for part in range(parts):
            block = units[(rank > part / parts) & (rank <= (part + 1) / parts)]
            _block(supply, name, part + 1, block, benchmarks(name, means[name]))
    new = {2030: 0.0, 2031: 156.0}
    supply.add(
        "coal-new",
        "output",
        "power",
        SOURCES["coal-new"],
        existing_t=in_millions({2025: 0, 2026: 312, 2027: 624, 2028: 936, 2029: 1144, 2030: 1248}),
        largest_new_t=in_millions(new),
        cost_cny_per_t=COAL_COST * 0.74,
        capacity_cost_cny_per_t=330 / 5.2,
        emissions_tco2e_per_t=0.74,
        benchmark_tco2e_per_t=benchmarks("I", means["I"]),
    )
    _heat(supply, heat)
    blocks = power[power["unit_class"].isin(list(PARTS))]
    return float(blocks["generation_mwh"].sum()), float(blocks["emissions_tco2e"].sum())


def _block(supply: Supply, name: str, number: int, units: pd.DataFrame, benchmark: dict[int, float]) -> None:
    """Add a block of units of a class."""
    years, output, gas = np.array(KNOTS), units["generation_mwh"].sum(), name == "IV"
    factor, start = units["emitted"].sum() / output, units["x_start_year"].fillna(2010)
    alive = np.array([units["generation_mwh"][start + (99 if gas else LIFE_YEARS) > year].sum() for year in years])
    most = alive * (1 + np.minimum(0.5 if gas else 0.15, 0.02 * (years - FIRST)))
    least = {2025: output, 2060: 0.1 * output} if gas else {2025: 0.97 * float(alive[0]), 2026: 0.0}
    supply.add(
        f"{'gas' if gas else 'coal'}-{name}-{number}",
        "output",
        "power",
        SOURCES["gas" if gas else "coal"],
        existing_t=dict(zip(KNOTS, most.tolist(), strict=True)),
        least_t=least,
        cost_cny_per_t=540.0 if gas else trended(COAL_COST * factor),
        emissions_tco2e_per_t=factor if gas else trended(factor),
        benchmark_tco2e_per_t=benchmark,
    )


def _heat(supply: Supply, heat: Mapping[str, float]) -> None:
    """Add the heat of power plants, and heat pumps that replace it."""
    total, benchmark = sum(heat.values()), {name: benchmarks(name, 1.0) for name in heat}
    path, years = {2025: 1.0, 2035: 1.0, 2060: 0.75}, [year for year in benchmark["I"] if year <= 2060]
    trend = {year: TREND ** (min(year, 2030) - FIRST) for year in benchmark["I"]}
    emitted = {year: total * float(at(path, year)) * trend[year] for year in years}
    of_rule = {year: sum(heat[name] * benchmark[name][year] for name in heat) / total / trend[year] for year in trend}
    supply.add(
        "heat-of-power-plants",
        "emissions",
        "power",
        SOURCES["heat-of-power-plants"],
        existing_t=emitted,
        least_t=emitted,
        emissions_tco2e_per_t=1.0,
        benchmark_tco2e_per_t=of_rule,
    )
    new = {2026: 0.0, **{year: 0.02 * emitted[year] for year in (2027, 2035, 2060)}, 2061: 0.0}
    pumps = {"largest_new_t": new, "capacity_cost_cny_per_t": 350.0}
    supply.add("heat-pumps", "abatement", "power", SOURCES["heat-pumps"], **pumps)


def low_carbon(supply: Supply, fossil_mwh: float) -> None:
    """Add wind and solar by the cost of their integration, nuclear, what else generates, capture and biomass."""
    build, years = {2026: 260, 2030: 260, 2035: 340, 2045: 460}, [*range(2025, 2037), *range(2040, 2055, 5)]
    cost = {y: 225.0 * 0.98 ** min(y - 2025, 10) * 0.99 ** min(max(y - 2035, 0), 15) for y in years}
    capacity: dict[str, Any] = {
        "existing_t": WIND_AND_SOLAR_2025_TWH * MILLION,
        "largest_new_t": in_millions({2025: 0.0} | {year: VRE_HOURS * gw for year, gw in build.items()}),
        "least_new_t": in_millions({2025: 0.0, 2026: VRE_HOURS * 175, 2035: VRE_HOURS * 175, 2036: 0.0}),
        "capacity_cost_cny_per_t": cost,
    }
    for step, (adder, share) in enumerate(zip(INTEGRATION_COST, INTEGRATION_SHARE, strict=True), 1):
        falls = {year: adder * 0.98 ** min(max(year - 2030, 0), 15) for year in years}
        supply.add(
            f"wind-solar-{step}",
            "output",
            "power",
            SOURCES["wind-solar"],
            "" if step == 1 else "wind-solar-1",
            cost_cny_per_t=falls,
            largest_share=share,
            **(capacity if step == 1 else {}),
        )
    new = in_millions({2025: 0.0, 2026: 45.0, 2030: 45.0, 2031: 80.0, 2060: 80.0, 2061: 0.0})
    least = in_millions({2025: 0.0, 2026: 40.0, 2030: 40.0, 2031: 0.0})
    nuclear = {"largest_new_t": new, "least_new_t": least, "capacity_cost_cny_per_t": 430.0}
    supply.add("nuclear-new", "output", "power", SOURCES["nuclear-new"], **nuclear)
    own_gas = OWN_GAS_TWH / OUTPUT_2024_MT["steel"] * BLAST_FURNACES_2025_MT
    rest = ELECTRICITY_2025_TWH - WIND_AND_SOLAR_2025_TWH - own_gas - fossil_mwh / MILLION
    others = in_millions({2025: rest, 2040: rest + 15 * 12})
    supply.add("hydro-and-others", "output", "power", SOURCES["hydro-and-others"], existing_t=others)
    supply.add(
        "power-capture",
        "abatement",
        "power",
        SOURCES["power-capture"],
        largest_new_t=in_millions({2029: 0.0, 2030: 10.0, 2035: 10.0, 2036: 46.0, 2040: 46.0, 2041: 70.0}),
        capacity_cost_cny_per_t={2030: 579.0, 2035: 484.0, 2045: 375.0},
        largest_share=0.84,
    )
    biomass = {"largest_new_t": in_millions({2025: 0.0, 2026: 92.0}), "capacity_cost_cny_per_t": 350.0}
    supply.add("power-biomass", "abatement", "power", SOURCES["power-biomass"], **biomass, largest_share=0.06)
    removal = {"existing_t": 8000 * MILLION, "cost_cny_per_t": {2025: 1534.0, 2035: 1418.0, 2045: 1203.0}}
    supply.add("air-capture", "abatement", "", SOURCES["air-capture"], **removal)


def industry(supply: Supply) -> None:
    """Add steel by furnace, clinker, aluminium, and the measures of industry."""
    factor = {sector: VERIFIED_2024_T[sector] / MILLION / output for sector, output in OUTPUT_2024_MT.items()}
    drift = {2026: 1.0, 2027: 0.9988, 2029: 0.9964, 2030: 0.994, LAST: 1 - 0.006 * (LAST - 2026) * 0.25}
    of_steel = OWN_GAS_MT / OUTPUT_2024_MT["steel"], -OWN_GAS_TWH / OUTPUT_2024_MT["steel"]
    plants = {
        "blast-furnace": ("steel", 2000, *of_steel),
        "clinker-kiln": ("cement", 3000, 0.0, 0.0),
        "aluminium-smelter": ("aluminium", 100, 0.0, MWH_PER_T_ALUMINIUM),
    }
    for name, (sector, most, own_gas, electricity) in plants.items():
        supply.add(
            name,
            "output",
            sector,
            SOURCES["plants"],
            existing_t=most * MILLION,
            cost_cny_per_t=PRODUCT_PRICE[sector] - max(electricity, 0.0) * REFERENCE_COST,
            emissions_tco2e_per_t=factor[sector] + own_gas,
            benchmark_tco2e_per_t={year: factor[sector] * share + own_gas for year, share in drift.items()},
            electricity_mwh_per_t=electricity,
        )
    first = ({2025: 0.10, 2030: 0.20, 2035: 0.25, 2050: 0.35}, 60.0, {2025: 96.0, 2030: 80.0, 2060: 50.0})
    second = ({2025: 0.0, 2030: 0.02, 2035: 0.08, 2050: 0.25, 2060: 0.35}, 384.0, {2025: 0.0})
    for name, (share, more, least) in {"electric-furnace": first, "electric-furnace-more": second}.items():
        supply.add(
            name,
            "output",
            "steel",
            SOURCES["electric-furnace"],
            existing_t=2000 * MILLION,
            least_t=in_millions(least),
            largest_share=share,
            cost_cny_per_t=PRODUCT_PRICE["steel"] + more - MWH_PER_T_FURNACE * REFERENCE_COST,
            electricity_mwh_per_t=MWH_PER_T_FURNACE,
        )
    measures = pd.read_csv(NATION / "measures.csv")
    own = (measures["sector"] != "power") & (measures["x_cny_per_tco2"] > 0)
    for row in measures[own & ~measures["measure_id"].str.contains("electric-furnace")].to_dict("records"):
        _measure(supply, row, factor[row["sector"]])


def _measure(supply: Supply, row: Mapping[Any, Any], factor: float) -> None:
    """Add a measure of a sector of industry with emissions per output."""
    sector, first = row["sector"], int(row["first_year"])
    # What all capture of kilns leaves: together 92 %, the dearest last.
    share = 0.166 if row["measure_id"] == "cement-amine-capture" else row["abatement_rate"] * row["maximum_share"]
    emitted = {year: output * factor for year, output in INDUSTRY_MT[sector].items()}
    years = (first, *(year for year in (2035, 2050, 2060) if year > first))
    text = f"{row['x_cny_per_tco2']:g} CNY/t and its share of the sector's emissions: measures.csv of "
    supply.add(
        row["measure_id"],
        "abatement",
        sector,
        ("C", f"{text}cn-national-2025-2060 [C]; built within five years: an assumption [C]."),
        largest_new_t=in_millions({first - 1: 0.0} | {year: share / 5 * float(at(emitted, year)) for year in years}),
        capacity_cost_cny_per_t=row["x_cny_per_tco2"],
        largest_share=round(share, 6),
    )


def demand() -> tuple[dict[str, float], Rows]:
    """Return the output of 2025 by sector [t, MWh], and the rows of ``forecast.csv``."""
    years = np.arange(FIRST, 2062)
    without = ELECTRICITY_2025_TWH * compounded(GROWTH, years) - MWH_PER_T_ALUMINIUM * INDUSTRY_MT["aluminium"][FIRST]
    paths = {"power": dict(zip(years.tolist(), without.tolist(), strict=True))} | INDUSTRY_MT
    rows: Rows = [
        {
            "sector": sector,
            "year": year,
            "output_factor": round(path[year] / path[FIRST], 6),
            "elasticity": ELASTICITY[sector],
            "product_price_cny_per_t": PRODUCT_PRICE[sector],
            "reference_cost_cny_per_t": REFERENCE_COST if sector == "power" else PRODUCT_PRICE[sector],
        }
        for sector, path in sorted(paths.items())
        for year in sorted(set(path) - {FIRST})
    ]
    return {sector: path[FIRST] * MILLION for sector, path in paths.items()}, rows


def units(output: Mapping[str, float], emissions_of_power: float) -> Rows:
    """Return the rows of ``units.csv``: each sector is one unit, with the output and emissions of 2025."""
    rows: Rows = []
    for sector in sorted(output):
        of_2024 = VERIFIED_2024_T[sector]
        emitted = round(
            emissions_of_power if sector == "power" else output[sector] / MILLION * of_2024 / OUTPUT_2024_MT[sector]
        )
        size = "generation_mwh" if sector == "power" else "output_t"
        rows.append(
            {"unit_id": sector, "enterprise_id": "nation", "sector": sector, "province": "China"}
            | {
                "emissions_tco2e": emitted,
                "prior_emissions_tco2e": round(of_2024),
                "output_t": "",
                "generation_mwh": "",
            }
            | {size: round(output[sector]), "reference_t": emitted}
        )
    return rows


COLUMNS = (
    *(
        "supply_id",
        "year",
        "supplies",
        "sector",
        "capacity_of",
        "existing_t",
        "least_t",
        "largest_new_t",
        "least_new_t",
    ),
    *("cost_cny_per_t", "capacity_cost_cny_per_t", "emissions_tco2e_per_t", "benchmark_tco2e_per_t"),
    *("electricity_mwh_per_t", "largest_share", "confidence", "source"),
)


def write(target: Path = TARGET) -> None:
    """Write the four tables into a folder."""
    supply, (output, forecast) = Supply(), demand()
    generation, emissions = coal_and_gas(supply)
    low_carbon(supply, generation)
    industry(supply)
    holder = {"enterprise_id": "nation", "name": "All enterprises", "opening_2025_t": 240_000_000}
    tables = {
        "units": pd.DataFrame(units(output, emissions)),
        "enterprises": pd.DataFrame([holder]),
        "forecast": pd.DataFrame(forecast),
        "supply": pd.DataFrame(supply.rows)[list(COLUMNS)],
    }
    target.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(target / f"{name}.csv", index=False, lineterminator="\n", float_format="%.10g")


if __name__ == "__main__":
    write()
