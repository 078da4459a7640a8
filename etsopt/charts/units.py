"""Charts of an allocation unit by unit: surplus rates by intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.charts.allocations import bands_of
from etsopt.charts.chart import CHOSEN, OTHER, RULE, SECTOR_COLOURS, Chart, Panel, Series
from etsopt.charts.texts import NAME_IN_CHINESE, NONE, SURPLUS_RATE, both, province_zh, sector_words, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.charts.chart import Words

MOST_POINTS = 4_000
"""Points of a chart; of more units those of a sector that lie close together are one point, and the title says so."""

GROUPS_ACROSS = 60
"""Groups of units side by side, along either axis of a chart of too many points."""

OF_RULE: Words = ("by the rule alone", "仅按规则")


def have_intensities(tables: Mapping[str, pd.DataFrame]) -> bool:
    """Return True if some unit with emissions has an intensity."""
    return not _points(tables).empty


def surplus(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Surplus rate of each unit by how much its intensity is better than the balance value, or by its intensity."""
    points = _points(tables)
    english, chinese = "surplus rate of each unit", "各单元盈缺率"
    x_label = ("emission intensity [tCO2e/t]", "碳排放强度 [tCO2e/t]")
    if points["balance"].notna().any():
        if points["balance"].isna().any():
            english, chinese = f"{english} of sectors with a balance value", f"有平衡值行业{chinese}"
        points = points[points["balance"].notna()]
        points = points.assign(place=100 * (1 - points["place"] / points["balance"]))
        x_label = ("intensity better than the balance value [%]", "强度优于平衡值的程度 [%]")
    points, title = _few(points, english, chinese)
    sectors = sorted(set(points["sector"]))
    panel = Panel(NONE, x_label, SURPLUS_RATE, _series(points), bands_of(about, sectors))
    return Chart("surplus", title_of(about, *title), (panel,))


def intensity(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Surplus rate of each unit by its emission intensity, sector by sector, with the balance value."""
    points, title = _few(_points(tables), "surplus rate by emission intensity", "按碳排放强度的盈缺率")
    panels = []
    for sector in sorted(set(points["sector"])):
        own = points[points["sector"] == sector]
        unit = "tCO2e/MWh" if sector == "power" else "tCO2e/t"
        series = tuple(one for one in _series(own))
        if own["balance"].notna().any():
            value = float(own["balance"].iloc[0])
            ends = np.array([own[["rule", "rate"]].min().min(), own[["rule", "rate"]].max().max()])
            name = ("balance value", "平衡值")
            series = (*series, Series("line", name, np.full(2, value), ends, OTHER, style="dashed"))
        x_label = (f"emission intensity [{unit}]", f"碳排放强度 [{unit}]")
        panels.append(Panel(sector_words(sector), x_label, SURPLUS_RATE, series, bands_of(about, [sector])))
    return Chart("intensity", title_of(about, *title), tuple(panels))


def _points(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the place and both rates of every unit with emissions and an intensity [%]."""
    units = tables["allocation"]
    units = units[(units["emissions_tco2e"] > 0) & np.isfinite(units["intensity"])]
    values = tables["sectors"].set_index("sector")
    values = values["balance_value"] if "balance_value" in values else pd.Series(dtype=float)
    names = units["name"] if "name" in units else units["unit_id"]
    names = names.where(names != "", units["unit_id"])
    stated = units[NAME_IN_CHINESE].fillna("").astype(str) if NAME_IN_CHINESE in units else names
    in_chinese = stated.where(stated != "", names)
    return pd.DataFrame(
        {
            "sector": units["sector"],
            "emissions_tco2e": units["emissions_tco2e"],
            "place": units["intensity"],
            "balance": units["sector"].map(values).astype(float),
            "rule": 100 * (units["reference_t"] / units["emissions_tco2e"] - 1),
            "rate": 100 * units["surplus_rate"],
            "label": units["unit_id"] + ", " + names + ", " + units["province"],
            "label_zh": units["unit_id"] + "，" + in_chinese + "，" + units["province"].map(province_zh),
        }
    )


def _few(points: pd.DataFrame, english: str, chinese: str) -> tuple[pd.DataFrame, Words]:
    """Return points that are few enough, and a title that says so if they are groups of units."""
    if len(points) <= MOST_POINTS:
        return points, (f"{english}, its area by emissions", f"{chinese}，点的面积表示排放量")
    grouped = _grouped(points)
    return grouped, (
        f"{english}: {len(points):,} units in {len(grouped):,} groups of like units, their area by emissions",
        f"{chinese}：{len(points):,} 个单元合并为 {len(grouped):,} 组相近单元，点的面积表示排放量",
    )


def _series(points: pd.DataFrame) -> tuple[Series, ...]:
    """Return what the rule alone gives, and each sector over it."""
    largest = float(points["emissions_tco2e"].max()) if len(points) else 1.0
    # The largest points and sectors lie at the back, so that they hide no other.
    points = points.sort_values("emissions_tco2e", ascending=False, kind="stable")
    labels = both(points["label"], points["label_zh"])
    series = [Series("points", OF_RULE, points["place"].to_numpy(), points["rule"].to_numpy(), RULE, labels)]
    for sector in points.groupby("sector")["emissions_tco2e"].sum().sort_values(ascending=False).index:
        part = points[points["sector"] == sector]
        series.append(
            Series(
                "points",
                sector_words(str(sector)),
                part["place"].to_numpy(),
                part["rate"].to_numpy(),
                SECTOR_COLOURS.get(str(sector), CHOSEN),
                both(part["label"], part["label_zh"]),
                part["emissions_tco2e"].to_numpy() / largest,
            )
        )
    return tuple(series)


def _grouped(points: pd.DataFrame) -> pd.DataFrame:
    """Return one point for all units of a sector that lie in one cell of a grid: their means, by emissions."""
    cells = [points["sector"]]
    for column in ("place", "rate"):
        # Equal parts of the middle 98 % of the sector, so that one unit far away does not make all others one point.
        low, high = (points.groupby("sector")[column].transform("quantile", part) for part in (0.01, 0.99))
        cells.append(np.floor((points[column] - low) / (high - low).clip(lower=1e-9) * GROUPS_ACROSS).rename(column))
    weight = points["emissions_tco2e"]
    means = ["place", "balance", "rule", "rate"]
    values = points[means].mul(weight, axis=0).assign(emissions_tco2e=weight, units=1)
    # A sum without any number stays none: a sector without a balance value has none.
    total = values.groupby(cells, sort=True).sum(min_count=1)
    groups = total[means].div(total["emissions_tco2e"], axis=0)
    groups["emissions_tco2e"] = total["emissions_tco2e"]
    groups["sector"] = total.index.get_level_values("sector")
    count = total["units"].astype(int).map("{:,}".format)
    groups["label"], groups["label_zh"] = count + " units", count + " 个单元"
    return groups.reset_index(drop=True)
