"""Charts of an allocation unit by unit: surplus rates by intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.language import _
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.allocations import bands_of
from etsopt.presenting.charts.chart import CHOSEN, OTHER, RULE, SECTOR_COLOURS, Chart, Panel, Series
from etsopt.presenting.charts.texts import SURPLUS_RATE, array_of, named

if TYPE_CHECKING:
    from collections.abc import Mapping


MOST_POINTS = 4_000
"""Points of a chart; of more units those of a sector that lie close together are one point, and the title says so."""

GROUPS_ACROSS = 60
"""Groups of units side by side, along either axis of a chart of too many points."""

OF_RULE = _("by the rule alone")


def have_intensities(tables: Mapping[str, pd.DataFrame]) -> bool:
    """Return True if some unit with emissions has an intensity."""
    return not _points(tables).empty


def surplus(tables: Mapping[str, pd.DataFrame], policy: Mapping[str, Any]) -> Chart:
    """Surplus rate of each unit by how much its intensity is better than the balance value, or by its intensity."""
    points = _points(tables)
    text = _("surplus rate of each unit")
    x_label = _("emission intensity [tCO2e/t]")
    if points["balance"].notna().any():
        if points["balance"].isna().any():
            text = _("surplus rate of each unit of sectors with a balance value")
        points = points[points["balance"].notna()]
        points = points.assign(place=100 * (1 - points["place"] / points["balance"]))
        x_label = _("intensity better than the balance value [%]")
    points, title = _few(points, text)
    sectors = sorted(set(points["sector"]))
    panel = Panel("", x_label, SURPLUS_RATE, _series(points), bands_of(policy, sectors))
    return Chart("surplus", title, (panel,))


def intensity(tables: Mapping[str, pd.DataFrame], policy: Mapping[str, Any]) -> Chart:
    """Surplus rate of each unit by its emission intensity, sector by sector, with the balance value."""
    points, title = _few(_points(tables), _("surplus rate by emission intensity"))
    panels = []
    for sector in sorted(set(points["sector"])):
        own = points[points["sector"] == sector]
        unit = "tCO2e/MWh" if sector == "power" else "tCO2e/t"
        series = tuple(one for one in _series(own))
        if own["balance"].notna().any():
            value = float(own["balance"].iloc[0])
            ends = np.array([own[["rule", "rate"]].min().min(), own[["rule", "rate"]].max().max()])
            name = _("balance value")
            series = (*series, Series("line", name, np.full(2, value), ends, OTHER, style="dashed"))
        x_label = _("emission intensity [{unit}]", unit=unit)
        panels.append(Panel(name_of(sector), x_label, SURPLUS_RATE, series, bands_of(policy, [sector])))
    return Chart("intensity", title, tuple(panels))


def _points(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the place and both rates of every unit with emissions and an intensity [%]."""
    units = tables["allocation"]
    units = units[(units["emissions_tco2e"] > 0) & np.isfinite(units["intensity"])]
    values = tables["sectors"].set_index("sector")
    values = values["balance_value"] if "balance_value" in values else pd.Series(dtype=float)
    comma, provinces = str(_(", ")), array_of(map(name_of, units["province"]))
    return pd.DataFrame(
        {
            "sector": units["sector"],
            "emissions_tco2e": units["emissions_tco2e"],
            "place": units["intensity"],
            "balance": units["sector"].map(values).astype(float),
            "rule": 100 * (units["reference_t"] / units["emissions_tco2e"] - 1),
            "rate": 100 * units["surplus_rate"],
            "label": units["unit_id"] + comma + named(units, "unit_id") + comma + provinces,
        }
    )


def _few(points: pd.DataFrame, text: str) -> tuple[pd.DataFrame, str]:
    """Return points that are few enough, and a title that says so if they are groups of units."""
    if len(points) <= MOST_POINTS:
        return points, _("{title}, its area by emissions", title=text)
    grouped = _grouped(points)
    return grouped, _(
        "{title}: {units:,} units in {groups:,} groups of like units, their area by emissions",
        title=text,
        units=len(points),
        groups=len(grouped),
    )


def _series(points: pd.DataFrame) -> tuple[Series, ...]:
    """Return what the rule alone gives, and each sector over it."""
    largest = float(points["emissions_tco2e"].max()) if len(points) else 1.0
    # The largest points and sectors lie at the back, so that they hide no other.
    points = points.sort_values("emissions_tco2e", ascending=False, kind="stable")
    places, labels = points["place"].to_numpy(), array_of(points["label"])
    series = [Series("points", OF_RULE, places, points["rule"].to_numpy(), RULE, labels)]
    for sector in points.groupby("sector")["emissions_tco2e"].sum().sort_values(ascending=False).index:
        part = points[points["sector"] == sector]
        series.append(
            Series(
                "points",
                name_of(sector),
                part["place"].to_numpy(),
                part["rate"].to_numpy(),
                SECTOR_COLOURS.get(str(sector), CHOSEN),
                array_of(part["label"]),
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
    groups["label"] = [str(_("{count:,} units", count=count)) for count in total["units"].astype(int)]
    return groups.reset_index(drop=True)
