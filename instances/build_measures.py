"""Build the measures of ``cn-2025`` from the figures chosen in ``measures.toml``.

    python instances/build_measures.py [--measured-perfluorocarbons]

writes ``measures.csv`` and the page ``measures.md`` into ``instances/cn-2025``, the same bytes each time. The TOML file
holds each figure as its source prints it; this script converts all figures by the same steps:

- money: to prices of 2024 in its own currency by consumer prices, then to CNY by the mean exchange rate of 2024;
- product: from the tonne of the source to the tonne of ``output_t`` (crude steel, clinker, aluminium);
- abatement: abatement per tonne of output, relative to the sector's mean emissions per tonne (abatement rate) and to
  the mean intensity of the rule (intensity abatement rate);
- share: the part of the sector that can apply the measure, minus the part that already does.

The guideline of 2024 keeps two parameters for smelting, anodes and output. Perfluorocarbons are therefore read as
emitted by a default factor: measures against them have no effect. The option reads them as measured instead.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TARGET = HERE / "cn-2025"

Figures = dict[str, Any]
Row = dict[str, Any]

COLUMNS = [
    "measure_id", "name", "sector", "abatement_rate", "intensity_abatement_rate", "maximum_share", "first_year",
    "lifetime_years", "capex_cny_per_t", "fixed_opex_cny_per_t", "variable_opex_cny_per_t", "fuel_saving_cny_per_t",
    "exclusive_group", "requires", "electricity_only", "price_year", "confidence", "source", "x_name_zh",
]  # fmt: skip

HEAD = "measure, sector, rate, rate of intensity, share, from, abatement [Mt], cost [CNY/t], confidence"

DEFAULT_FACTOR = "perfluorocarbons read as a default factor, as Development Report 2025 keeps two other parameters"


class Conversion:
    """Conversions for one measure; collects the confidence marks of the figures used."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.year: int = figures["price_year"]
        self.marks: list[str] = []

    def money(self, value: float, money: str) -> float:
        """Convert a value, for example in ``USD_2010``, to CNY of the price year."""
        currency, year = money.split("_")
        rate = self.figures["exchange"][currency]
        self.marks.append(rate["mark"])
        return value * self.inflation(currency, int(year)) * rate["value"]

    def inflation(self, currency: str, year: int) -> float:
        """Return the price level of the price year over that of ``year``."""
        if year == self.year:
            return 1.0
        if currency in self.figures["levels"]:
            table = self.figures["levels"][currency]
            ratio: float = table["years"][str(self.year)] / table["years"][str(year)]
        else:
            table = self.figures["changes"][currency]
            ratio = math.prod(1 + table["years"][str(y)] / 100 for y in range(year + 1, self.year + 1))
        self.marks.append(table["mark"])
        return ratio

    def good(self, item: Figures) -> float:
        """Return the value of a quantity of a good [CNY per tonne of product]."""
        good = self.figures["goods"][item["good"]]
        self.marks.append(good["mark"])
        value: float = item["quantity"] * good["value"]
        return value


def measure(figures: Figures, item: Figures, measured: bool) -> Row:
    """Return the row of a measure."""
    sector = figures["sectors"][item["sector"]]
    row: Row = {
        "measure_id": item["id"],
        "name": item["name"],
        "sector": item["sector"],
        "lifetime_years": item["lifetime_years"],
        "price_year": figures["price_year"],
        "x_name_zh": item["name_zh"],
        "exclusive_group": item.get("group", ""),
        "first_year": item.get("first_year", ""),
    }
    by_default = item.get("perfluorocarbons", False) and not measured
    if "indirect" in item or by_default:
        reason = item.get("indirect", DEFAULT_FACTOR)
        return row | {
            "abatement_rate": 0.0,
            "electricity_only": "yes",
            "confidence": "A" if "MEE" in reason else "C",
            "source": f"No direct effect: {reason}.",
        }
    conversion = Conversion(figures)
    costs = _costs(conversion, item, sector["per_output"])
    marks = [part["mark"] for part in _parts(item)] + conversion.marks + [sector["emissions"]["mark"]]
    return (
        row
        | _rates(item, sector)
        | costs
        | {
            "requires": " ".join(item.get("requires", [])),
            "electricity_only": "no",
            "confidence": max(marks),
            "source": _source(item),
        }
    )


def _rates(item: Figures, sector: Figures) -> Row:
    abatement = item["abatement"]
    per_output = abatement["value"] * sector["per_output"][abatement["per"]]
    rate = per_output / sector["emissions"]["value"]
    kind = item.get("intensity", "as emissions")
    of_intensity = rate
    if kind == "ironmaking":
        # Per tonne of iron; a tonne of steel contains less than one.
        iron = sector["intensity"]
        of_intensity = per_output / sector["per_output"][iron["of"]] / iron["value"]
    elif kind == "none":
        of_intensity = 0.0
    return {
        "abatement_rate": round(rate, 6),
        "intensity_abatement_rate": round(of_intensity, 6),
        "maximum_share": round(item["share"]["most"] - item["share"]["now"], 4),
    }


def _costs(conversion: Conversion, item: Figures, per_output: dict[str, float]) -> Row:
    def total(kind: str) -> float:
        parts = item.get(kind, [])
        return math.fsum(conversion.money(part["value"], part["money"]) * per_output[part["per"]] for part in parts)

    def goods(kind: str) -> float:
        return math.fsum(conversion.good(part) * per_output[part["per"]] for part in item.get(kind, []))

    saving = goods("saves")
    # Without a published cost, a measure is assumed to cost as much as it saves.
    assumed_cost = saving if "even" in item else 0.0
    return {
        "capex_cny_per_t": round(total("capex"), 2),
        "fixed_opex_cny_per_t": round(total("fixed"), 2),
        "variable_opex_cny_per_t": round(total("variable") + goods("uses") + assumed_cost, 2),
        "fuel_saving_cny_per_t": round(saving, 2),
    }


def _parts(item: Figures) -> Iterator[Figures]:
    yield item["abatement"]
    yield item["share"]
    for kind in ("capex", "fixed", "variable", "uses", "saves"):
        yield from item.get(kind, [])
    if "even" in item:
        yield item["even"]


def _source(item: Figures) -> str:
    """Return the source and confidence of every figure of a measure."""
    abatement, share = item["abatement"], item["share"]
    now = f" less {share['now']:g}" if share["now"] else ""
    parts = [
        f"Abatement {abatement['value']:g} t per t {abatement['per']} ({abatement['source']}) [{abatement['mark']}]",
        f"share {share['most']:g}{now} ({share['source']}) [{share['mark']}]",
    ]
    names = {"capex": "capex", "fixed": "fixed cost a year", "variable": "variable cost"}
    for kind, name in names.items():
        for part in item.get(kind, []):
            money = part["money"].replace("_", " of ")
            value = f"{name} {part['value']:g} {money} per t {part['per']}"
            parts.append(f"{value} ({part['source']}) [{part['mark']}]")
    for kind in ("uses", "saves"):
        parts += [f"{kind} {_good(part)} ({part['source']}) [{part['mark']}]" for part in item.get(kind, [])]
    if "even" in item:
        parts.append(f"cost {item['even']['source']} [{item['even']['mark']}]")
    if item.get("intensity", "as emissions") == "as emissions" and item["sector"] == "steel":
        parts.append("rate of intensity as that of emissions, an assumption [C]")
    return "; ".join(parts) + "."


def _good(part: Figures) -> str:
    return f"{part['quantity']:g} {UNITS[part['good']]} {part['good']} per t {part['per']}"


def as_csv(rows: list[Row]) -> str:
    """Return the table as CSV text: absent cells empty, numbers in their shortest form."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: f"{cell:g}" if isinstance(cell, float) else cell for name, cell in row.items()} for row in rows
    )
    return text.getvalue()


def page(rows: list[Row]) -> str:
    """Return the page on the measures: costs, conversions, excluded measures, sources."""
    direct = [row for row in rows if row["electricity_only"] == "no"]
    return (
        "\n\n".join(
            [
                FIGURES["introduction"],
                "## Measures with a direct effect",
                _table(HEAD, [_line(row) for row in direct]),
                "## Without a direct effect",
                _table(
                    "measure, sector, why", [[r["name"], r["sector"], r["source"]] for r in rows if r not in direct]
                ),
                "## Left out",
                _table("measure, why", [[part["name"], part["reason"]] for part in FIGURES["left_out"]]),
                "## Money",
                _table("money, CNY of 2024", _rates_of_money()),
                "## Goods",
                _table(
                    "good, CNY of 2024, unit, source, confidence",
                    [
                        [name, f"{g['value']:g}", g["unit"], g["source"], g["mark"]]
                        for name, g in FIGURES["goods"].items()
                    ],
                ),
                "## Sources",
                _table("name, what, address, licence", [list(source.values()) for source in FIGURES["sources"]]),
            ]
        )
        + "\n"
    )


def _table(head: str, lines: list[list[str]]) -> str:
    names = head.split(", ")
    return "\n".join("| " + " | ".join(line) + " |" for line in [names, ["---"] * len(names), *lines])


def _line(row: Row) -> list[str]:
    return [
        f"{row['name']} `{row['measure_id']}`",
        row["sector"],
        f"{100 * row['abatement_rate']:.2f} %",
        f"{100 * row['intensity_abatement_rate']:.2f} %",
        f"{row['maximum_share']:g}",
        f"{row['first_year']}",
        f"{abatement_mt(row):.1f}",
        f"{cost_cny_per_tco2e(row):,.0f}",
        row["confidence"],
    ]


def _rates_of_money() -> list[list[str]]:
    used = {p["money"] for item in FIGURES["measures"] for k in ("capex", "fixed", "variable") for p in item.get(k, [])}
    conversion = Conversion(FIGURES)
    return [[f"1 {money.replace('_', ' of ')}", f"{conversion.money(1, money):.4f}"] for money in sorted(used)]


def cost_cny_per_tco2e(row: Row) -> float:
    """Return the abatement cost [CNY/tCO2e], capex as an annuity over the lifetime."""
    rate, life = FIGURES["discount_rate"], row["lifetime_years"]
    annuity = row["capex_cny_per_t"] * rate / (1 - (1 + rate) ** -life)
    cost = annuity + row["fixed_opex_cny_per_t"] + row["variable_opex_cny_per_t"] - row["fuel_saving_cny_per_t"]
    return cost / (row["abatement_rate"] * FIGURES["sectors"][row["sector"]]["emissions"]["value"])


def abatement_mt(row: Row) -> float:
    """Return the abatement of a measure alone in its sector at the emissions of cn-2025 [Mt/a]."""
    return row["abatement_rate"] * row["maximum_share"] * FIGURES["sectors"][row["sector"]]["total_mtco2e"]


FIGURES: Figures = tomllib.loads((HERE / "measures.toml").read_text(encoding="utf-8"))
UNITS = {name: good["unit"] for name, good in FIGURES["goods"].items()}


def rows(measured: bool = False) -> list[Row]:
    """Return the rows of all measures; with ``measured``, perfluorocarbons count as measured."""
    return [measure(FIGURES, item, measured) for item in FIGURES["measures"]]


def main() -> None:
    """Write the table and its page."""
    parser = argparse.ArgumentParser(description="Build the measures of cn-2025 from measures.toml.")
    parser.add_argument("--measured-perfluorocarbons", action="store_true", help="read them as measured")
    measured = parser.parse_args().measured_perfluorocarbons
    for name, text in {"measures.csv": as_csv(rows(measured)), "measures.md": page(rows(measured))}.items():
        (TARGET / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
