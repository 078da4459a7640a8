"""Chart of a forecast: the distribution of each balance value, and the intervals of own surpluses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.charts.chart import CHOSEN, FREE, OTHER, Chart, Panel, Series
from etsopt.charts.texts import NONE, both, sector_words, title_of
from etsopt.scales import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.charts.chart import Words

BINS = 30
"""Bars of a distribution."""

SHOWN = 16
"""Enterprises that are drawn, those with the widest intervals."""

UNITS = {"Mt": "百万吨", "kt": "千吨", "t": "吨"}

START: Words = ("if nothing changes", "若无变化")
DRAWS: Words = ("share of the draws [%]", "抽样占比 [%]")


def forecast(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Return a panel for each balance value, its interval shaded, and one for the surpluses of own enterprises."""
    title = title_of(about, f"forecast for {about['year']}", f"{about['year']} 年预测")
    panels = [*_balance_values(tables), _surpluses(tables["forecast"], about["interval"])]
    return Chart("forecast", title, tuple(panels))


def _balance_values(tables: Mapping[str, pd.DataFrame]) -> Iterator[Panel]:
    numbers, draws = tables["forecast"], tables["draws"]
    for row in numbers[numbers["level"] == "sector"].to_dict("records"):
        here = (draws["level"] == "sector") & (draws["sector"] == row["sector"])
        values = draws.loc[here, "value"].to_numpy(dtype=float)
        # Draws that are all the same have a bar of a thousandth of their value.
        ends = None if np.ptp(values) > 0 else (values[0] * 0.9995, values[0] * 1.0005)
        counts, edges = np.histogram(values, bins=BINS if ends is None else 1, range=ends)
        shares, middle = 100 * counts / len(values), (edges[:-1] + edges[1:]) / 2
        english, chinese = sector_words(row["sector"])
        bars = Series("bars", NONE, middle, shares, FREE, widths=np.diff(edges))
        yield Panel(
            (f"balance value of {english}", f"{chinese}平衡值"),
            ("balance value [t/t]", "平衡值 [吨/吨]"),
            DRAWS,
            (bars, *(_upright(name, row[key], shares.max(), *look) for key, name, look in LINES)),
            shaded=((row["lower"], row["upper"]),),
            shaded_axis="x",
        )


LINES: tuple[tuple[str, Words, tuple[str, Any]], ...] = (
    ("mean", ("mean", "均值"), (CHOSEN, "plain")),
    ("at_start", START, (OTHER, "dashed")),
)


def _upright(name: Words, value: float, top: float, colour: str, style: Any) -> Series:
    return Series("line", name, np.array([value, value]), np.array([0.0, top]), colour, style=style)


def _surpluses(numbers: pd.DataFrame, interval: float) -> Panel:
    """Return the interval of each enterprise's surplus, its mean, and the surplus if nothing changes."""
    rows = numbers[(numbers["level"] == "enterprise") & (numbers["quantity"] == "surplus_t")]
    widest = (rows["upper"] - rows["lower"]).nlargest(SHOWN).index
    rows = rows.loc[widest].iloc[::-1]
    divisor, unit = scale_of(float(rows[["lower", "upper", "at_start"]].abs().to_numpy().max()))
    lower, upper, mean, start = (
        rows[key].to_numpy(dtype=float) / divisor for key in ("lower", "upper", "mean", "at_start")
    )
    names = rows["enterprise_id"].to_numpy(dtype=object)
    percent = f"{round(100 * interval, 6):g} %"
    parts = [*zip(lower, upper, rows["deficit_probability"], strict=True)]
    labels = both(
        (f"{low:,.2f} to {high:,.2f} {unit}, probability of a deficit {part:.1%}" for low, high, part in parts),
        (f"{low:,.2f} 至 {high:,.2f} {UNITS[unit]}，缺口概率 {part:.1%}" for low, high, part in parts),
    )
    name, thin = (f"interval of {percent}", f"{percent} 区间"), np.full(len(names), 0.4)
    series = (
        Series("bars", name, upper - lower, names, FREE, labels, base=lower, widths=thin),
        Series("points", ("mean", "均值"), mean, names, CHOSEN),
        Series("points", START, start, names, OTHER, style="hollow"),
    )
    label = (f"surplus [{unit}], negative: deficit", f"盈缺量 [{UNITS[unit]}]，负值为缺口")
    return Panel(("surplus of own enterprises", "自有企业盈缺量"), label, NONE, series, horizontal=True)
