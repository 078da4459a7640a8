"""Charts of an allocation: surplus rates, provinces, and the enterprises with the most to buy and to sell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.charts.chart import CHOSEN, OTHER, RULE, SECTOR_COLOURS, Chart, Panel, Series
from etsopt.data.tables.chinese import WORDS
from etsopt.data.tables.provinces import SHORT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.charts.chart import Words

MOST_POINTS = 4_000
"""Points of a chart; of more units those of a sector that lie close together are one point, and the title says so."""

GROUPS_ACROSS = 60
"""Groups of units side by side, along either axis of a chart of too many points."""

SHOWN = 12
"""Enterprises on either side."""

NONE: Words = ("", "")
BINS = 61


def sector_words(sector: str) -> Words:
    """Return the name of a sector in both languages."""
    return sector, WORDS["sector"].get(sector, (sector,))[0]


def title_of(about: Mapping[str, Any], english: str, chinese: str) -> Words:
    """Return a title that names the instance."""
    return f"{about['instance']}: {english}", f"{about['instance']}:{chinese}"


def surplus(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Surplus rate of each unit by how much its intensity is better than the balance value, or by its intensity."""
    units = tables["allocation"]
    units = units[(units["emissions_tco2e"] > 0) & np.isfinite(units["intensity"])]
    sectors = tables["sectors"].set_index("sector")
    balance = units["sector"].map(sectors["balance_value"]) if "balance_value" in sectors else None
    if balance is not None and balance.notna().any():
        units = units[balance.notna()]
        place = 100 * (1 - units["intensity"] / balance[balance.notna()])
        x_label = ("intensity better than the balance value [%]", "强度优于平衡值的程度 [%]")
    else:
        place = units["intensity"]
        x_label = ("emission intensity [tCO2e/t]", "碳排放强度 [tCO2e/t]")
    points = pd.DataFrame(
        {
            "sector": units["sector"],
            "emissions_tco2e": units["emissions_tco2e"],
            "place": place,
            "rule": 100 * (units["reference_t"] / units["emissions_tco2e"] - 1),
            "rate": 100 * units["surplus_rate"],
            "label": _labels(units),
        }
    )
    english, chinese = "surplus rate of each unit, its area by emissions", "各单元盈缺率,点的面积表示排放量"
    if len(points) > MOST_POINTS:
        total, points = len(points), _grouped(points)
        english = f"surplus rates of {total:,} units in {len(points):,} groups of like units, their area by emissions"
        chinese = f"{total:,} 个单元合并为 {len(points):,} 组相近单元的盈缺率,点的面积表示排放量"
    y_label = ("surplus rate [%]", "盈缺率 [%]")
    panel = Panel(NONE, x_label, y_label, _of_sectors(points), _bands(about, sorted(set(units["sector"]))))
    return Chart("surplus", title_of(about, english, chinese), (panel,))


def _of_sectors(points: pd.DataFrame) -> tuple[Series, ...]:
    """Return what the rule alone gives, and each sector over it."""
    largest = float(points["emissions_tco2e"].max()) if len(points) else 1.0
    # The largest points and sectors lie at the back, so that they hide no other.
    points = points.sort_values("emissions_tco2e", ascending=False, kind="stable")
    place, rule = points["place"].to_numpy(), points["rule"].to_numpy()
    series = [Series("points", ("by the rule alone", "仅按规则"), place, rule, RULE, points["label"].to_numpy(object))]
    for sector in points.groupby("sector")["emissions_tco2e"].sum().sort_values(ascending=False).index:
        part = points[points["sector"] == sector]
        series.append(
            Series(
                "points",
                sector_words(str(sector)),
                part["place"].to_numpy(),
                part["rate"].to_numpy(),
                SECTOR_COLOURS.get(str(sector), CHOSEN),
                part["label"].to_numpy(object),
                part["emissions_tco2e"].to_numpy() / largest,
            )
        )
    return tuple(series)


def _grouped(points: pd.DataFrame) -> pd.DataFrame:
    """Return one point for all units of a sector that lie in one cell of a grid: their means, by emissions."""
    cells = [points["sector"]]
    for column in ("place", "rate"):
        # Equal parts of the middle 98 %, so that a single unit far away does not make all others one point.
        low, high = points[column].quantile([0.01, 0.99])
        cells.append(np.floor((points[column] - low) / max(high - low, 1e-9) * GROUPS_ACROSS).rename(column))
    weight = points["emissions_tco2e"]
    values = points[["place", "rule", "rate"]].mul(weight, axis=0).assign(emissions_tco2e=weight, units=1)
    total = values.groupby(cells, sort=True).sum()
    means = total[["place", "rule", "rate"]].div(total["emissions_tco2e"], axis=0)
    label = total["units"].astype(int).map("{:,}".format) + " × " + total.index.get_level_values("sector")
    return means.assign(
        sector=total.index.get_level_values("sector"), emissions_tco2e=total["emissions_tco2e"], label=label
    ).reset_index(drop=True)


def _labels(units: pd.DataFrame) -> pd.Series:
    """Return identifier, name and province of each unit."""
    names = units["name"] if "name" in units else units["unit_id"]
    return units["unit_id"] + ", " + names + ", " + units["province"]


def _bands(about: Mapping[str, Any], sectors: list[str]) -> tuple[tuple[float, float], ...]:
    """Return the band of the sectors in percent, if the policy states one for each and it is the same."""
    stated = [about["policy"].get("sectors", {}).get(sector, {}).get("band") for sector in sectors]
    bands = {(-100 * band["lower"], 100 * band["upper"]) for band in stated if band}
    return tuple(bands) if len(bands) == 1 and all(stated) else ()


def rates(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Distribution of surplus rates in each sector, by the emissions of its units, with its band."""
    units = tables["allocation"]
    units = units[units["emissions_tco2e"] > 0]
    panels = []
    for sector in sorted(set(units["sector"])):
        part = units[units["sector"] == sector]
        rate = 100 * part["surplus_rate"].to_numpy()
        widest = max(float(np.abs(rate).max(initial=0.0)), 1e-6) * 1.05
        edges = np.linspace(-widest, widest, BINS + 1)
        share, _ = np.histogram(rate, edges, weights=part["emissions_tco2e"].to_numpy() / 1e6)
        middle = (edges[:-1] + edges[1:]) / 2
        series = Series("bars", NONE, middle, share, SECTOR_COLOURS.get(sector, CHOSEN))
        labels = (("surplus rate [%]", "盈缺率 [%]"), ("emissions [Mt]", "排放量 [百万吨]"))
        band = _bands(about, [sector])
        panels.append(Panel(sector_words(sector), *labels, (series,), band, "x", x_limits=(-widest, widest)))
    return Chart("rates", title_of(about, "surplus rates by sector", "各行业盈缺率分布"), tuple(panels))


def provinces(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Surplus of each province, by the rule alone and as allocated."""
    table = tables["provinces"]
    table = table[table["emissions_tco2e"] > 0]
    rule = 100 * (table["reference_t"] / table["emissions_tco2e"] - 1)
    order = rule.sort_values().index
    names = table["province"][order].to_numpy(dtype=object)
    chosen = 100 * table["surplus_rate"][order].to_numpy()
    series = (
        Series("points", ("by the rule alone", "仅按规则"), rule[order].to_numpy(), names, RULE),
        Series("points", ("allocated", "分配结果"), chosen, names, CHOSEN),
    )
    limit = 100 * float((table["balance_limit_t"] / table["emissions_tco2e"]).max())
    shaded = ((-limit, limit),) if np.isfinite(limit) else ()
    labels = (("surplus [% of emissions]", "盈缺率 [%]"), NONE)
    panel = Panel(NONE, *labels, series, shaded, "x", horizontal=True)
    return Chart("provinces", title_of(about, "surplus of each province", "各省份盈缺率"), (panel,))


def enterprises(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Enterprises with the largest deficits and surpluses."""
    table = tables["enterprises"]
    extremes = {*table.nsmallest(SHOWN, "surplus_t").index, *table.nlargest(SHOWN, "surplus_t").index}
    table = table.loc[sorted(extremes, key=lambda row: table.loc[row, "surplus_t"])]
    named = (
        table["name"].where(table["name"] != "", table["enterprise_id"]) if "name" in table else table["enterprise_id"]
    )
    panels = []
    for words, part, colour in (
        (("largest deficits: to buy", "缺口最大:需买入"), table["surplus_t"] < 0, OTHER),
        (("largest surpluses: to sell", "盈余最大:可卖出"), table["surplus_t"] > 0, CHOSEN),
    ):
        names = named[part].to_numpy(dtype=object)
        values = table["surplus_t"][part].abs().to_numpy() / 1e3
        order = np.argsort(values)
        series = Series("bars", NONE, values[order], names[order], colour)
        panels.append(Panel(words, ("allowances [kt]", "配额 [千吨]"), NONE, (series,), horizontal=True))
    title = title_of(about, "enterprises with the most to buy and to sell", "缺口和盈余最大的企业")
    return Chart("enterprises", title, tuple(panels))


def province_names(names: np.ndarray, in_chinese: bool) -> list[str]:
    """Return the names of provinces in a language."""
    return [SHORT.get(str(name), str(name)) if in_chinese else str(name) for name in names]
