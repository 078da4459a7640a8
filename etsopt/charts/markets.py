"""Charts of a market: the price of each year, emissions beside allowances, and measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.charts.allocations import NONE, title_of
from etsopt.charts.chart import CHOSEN, FREE, OTHER, PAID, RULE, Chart, Panel, Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

YEAR = ("compliance year", "履约年度")
PALETTE = ("#2f6690", "#c8553d", "#5b8c5a", "#7a6a58", "#b08ea2", "#e0b04f", "#4c9f9b", "#9a6fb0", "#8a8a8a")
MOST_MEASURES = 8
"""Measures that are drawn one by one; the others are one series."""


def prices(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Price of each year, with the interval of prices that clear the market."""
    years = tables["years"]
    if "closure" in tables:
        # In self-balancing years every price clears, so none is drawn.
        years = years[(tables["closure"]["set_by"] != "self-balancing").to_numpy()]
    place = years["year"].to_numpy(dtype=float)
    series = []
    for column, name in (
        ("price_lower_cny_per_t", ("lowest that clears", "可出清的最低价")),
        ("price_upper_cny_per_t", ("highest that clears", "可出清的最高价")),
    ):
        values = years[column].to_numpy(dtype=float)
        if np.isfinite(values).all() and not np.allclose(values, years["price_cny_per_t"], rtol=1e-3):
            series.append(Series("line", name, place, values, RULE, dashed=True))
    found = years["price_cny_per_t"].to_numpy(dtype=float)
    series.append(Series("line", ("price", "碳价"), place, found, CHOSEN))
    unit = str(years["price_unit"].iloc[0]) if len(years) else "CNY/t"
    panel = Panel(NONE, YEAR, (f"price [{unit}]", f"碳价 [{unit}]"), tuple(series), y_limits=(0.0, _top(series)))
    return Chart("prices", title_of(about, "price of an allowance", "碳价"), (panel,))


def _top(series: list[Series]) -> float:
    """Return the upper end of an axis above the last line of all series."""
    values = [
        float(np.nanmax(one.y.astype(float))) for one in series if len(one.y) and np.isfinite(one.y.astype(float)).any()
    ]
    return 1.15 * max(values, default=1.0) or 1.0


def emissions(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Emissions of each year with and without measures, beside free and paid allowances."""
    years = tables["years"]
    place = years["year"].to_numpy(dtype=float)
    free = years["allowance_t"].to_numpy(dtype=float) / 1e6
    series = [Series("stack", ("allowances, free", "免费配额"), place, free, FREE)]
    if "auctioned_t" in years and years["auctioned_t"].abs().sum() > 0:
        paid = years["auctioned_t"].to_numpy(dtype=float) / 1e6
        series.append(Series("stack", ("allowances, paid", "有偿配额"), place, paid, PAID))
    before, after = (years[name].to_numpy(dtype=float) / 1e6 for name in ("emissions_before_tco2e", "emissions_tco2e"))
    series.append(Series("line", ("emissions without measures", "减排前排放量"), place, before, OTHER, dashed=True))
    series.append(Series("line", ("emissions", "排放量"), place, after, CHOSEN))
    panel = Panel(NONE, YEAR, ("Mt", "百万吨"), tuple(series))
    return Chart("emissions", title_of(about, "emissions and allowances", "排放量与配额"), (panel,))


def measures(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Emissions that each measure abates, year by year."""
    table = tables["measure_years"]
    totals = table.pivot_table("abated_tco2e", "measure_id", "year", "sum", fill_value=0.0) / 1e6
    totals = totals.loc[totals.sum(axis=1).sort_values(ascending=False).index]
    place = totals.columns.to_numpy(dtype=float)
    series = [
        Series("stack", (str(name), str(name)), place, row.to_numpy(dtype=float), PALETTE[number])
        for number, (name, row) in enumerate(totals.iloc[:MOST_MEASURES].iterrows())
    ]
    if len(totals) > MOST_MEASURES:
        rest = totals.iloc[MOST_MEASURES:]
        name = (f"{len(rest)} others", f"其他 {len(rest)} 项")
        series.append(Series("stack", name, place, rest.sum().to_numpy(dtype=float), PALETTE[-1]))
    panel = Panel(NONE, YEAR, ("abated [Mt]", "减排量 [百万吨]"), tuple(series))
    return Chart("measures", title_of(about, "abatement by measure", "各措施减排量"), (panel,))
