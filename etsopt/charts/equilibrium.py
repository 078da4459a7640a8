"""Chart of an equilibrium: balance values that the units' responses reproduce, and what they abate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.charts.chart import CHOSEN, OTHER, RULE, Chart, Panel, Series
from etsopt.charts.texts import NONE, both, sector_words, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

COLUMNS = (
    *("sector", "year", "status", "price_cny_per_t", "balance_value_before", "balance_value"),
    *("emissions_before_tco2e", "emissions_tco2e"),
)
"""Columns that the chart reads."""

STATUS = {"none": "无", "fixed point": "不动点", "several": "多个不动点", "cycle": "循环"}
"""Status of a sector, in the words of the table ``equilibrium``, in Chinese."""


def equilibrium(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Balance value of each sector and year after abatement beside that before, all equilibria, and abatement."""
    table = tables["equilibrium"].iloc[::-1]
    names = np.array([f"{row.sector} {row.year}" for row in table.itertuples()], dtype=object)
    before = table["balance_value_before"].to_numpy(dtype=float)
    labels = both(
        (
            f"{row.sector} {row.year}, {row.price_cny_per_t:,.2f} CNY/t: {row.status}, "
            f"balance value {row.balance_value_before:.4f} -> {row.balance_value:.4f} t/t"
            for row in table.itertuples()
        ),
        (
            f"{sector_words(row.sector)[1]} {row.year}，{row.price_cny_per_t:,.2f} 元/吨："
            f"{STATUS.get(row.status, row.status)}，平衡值 {row.balance_value_before:.4f} -> "
            f"{row.balance_value:.4f} t/t"
            for row in table.itertuples()
        ),
    )
    after = 100 * (table["balance_value"].to_numpy(dtype=float) / before - 1)
    series = [Series("points", ("before abatement", "减排前"), np.zeros(len(names)), names, RULE)]
    points = tables["fixed_points"].merge(table[["sector", "year", "balance_value_before"]], on=["sector", "year"])
    if len(points) > len(table):
        change = 100 * (points["balance_value"] / points["balance_value_before"] - 1)
        every = (points["sector"] + " " + points["year"].astype(str)).to_numpy(dtype=object)
        series.append(Series("points", ("other equilibria", "其他均衡"), change.to_numpy(dtype=float), every, OTHER))
    series.append(Series("points", ("in equilibrium", "均衡"), after, names, CHOSEN, labels))
    chinese = {f"{row.sector} {row.year}": f"{sector_words(row.sector)[1]} {row.year}" for row in table.itertuples()}
    x_label = ("change of the balance value [%]", "平衡值变化 [%]")
    balance = Panel(NONE, x_label, NONE, tuple(series), horizontal=True, chinese=chinese)
    abated = (table["emissions_before_tco2e"] - table["emissions_tco2e"]).to_numpy(dtype=float) / 1e6
    bars = (Series("bars", NONE, abated, names, CHOSEN, labels),)
    abatement = Panel(NONE, ("abated [Mt]", "减排量 [百万吨]"), NONE, bars, horizontal=True, chinese=chinese)
    english = "balance values that the responses of all units reproduce, and abatement"
    return Chart("equilibrium", title_of(about, english, "各单元最优响应下的均衡平衡值与减排量"), (balance, abatement))
