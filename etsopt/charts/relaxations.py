"""Chart of an infeasible policy: by how much its limits have to give, at least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.charts.chart import CHOSEN, OTHER, Chart, Panel, Series
from etsopt.charts.texts import NONE, both, province_zh, sector_words, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.charts.chart import Words

SHOWN = 16
"""Limits of a way that are drawn, the largest."""

WAYS: dict[str, Words] = {
    "target_relaxation": ("relax targets and balances", "放宽目标和平衡"),
    "band_relaxation": ("relax bands and balances", "放宽盈缺率限值和平衡"),
}
LIMITS: dict[str, Words] = {
    "target": ("target", "目标"),
    "balance": ("balance", "盈缺平衡"),
    "band": ("band", "盈缺率"),
    "nation": ("national total", "全国总量"),
}


def relaxations(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Relaxation of each limit, a panel for each way out; of bands, which are rates, the title has the ends."""
    table = tables["relaxed_limits"]
    panels = tuple(_panels(table))
    title = title_of(about, "infeasible: relaxation of the limits", "不可行：各限值的放宽量")
    return Chart("relaxations", title, panels)


def _panels(table: pd.DataFrame) -> Iterator[Panel]:
    for way, words in WAYS.items():
        rows = table[(table["way_out"] == way) & (table["by"] > 0)]
        tonnes, rates = rows[rows["unit"] == "t"], rows[rows["unit"] == "rate"]
        colour = OTHER if way == "band_relaxation" else CHOSEN
        if len(tonnes):
            yield _panel(_with_bands(words, rates), ("relax by [kt]", "放宽 [千吨]"), tonnes, 1e-3, colour)
        elif len(rates):
            yield _panel(words, ("relax by [% of emissions]", "放宽 [排放量的 %]"), rates, 100.0, colour)


def _with_bands(words: Words, rates: pd.DataFrame) -> Words:
    """Return a title with the widest of the relaxed bands as well."""
    if rates.empty:
        return words
    widest = rates.loc[rates["to"].idxmax()]
    to, sector = f"{100 * widest['to']:.3g} %", sector_words(str(widest["index"]))
    return f"{words[0]}: {sector[0]} to {to}", f"{words[1]}：{sector[1]}至 {to}"


def _panel(title: Words, label: Words, rows: pd.DataFrame, factor: float, colour: str) -> Panel:
    """Return a bar for each limit, the largest at the top."""
    rows = rows.nlargest(SHOWN, "by").iloc[::-1]
    limits = dict(_limit(row.limit, row.index_of) for row in _named(rows))
    labels = both(*zip(*[_label(row) for row in _named(rows)], strict=True))
    values = rows["by"].to_numpy(dtype=float) * factor
    series = Series("bars", NONE, values, np.array(list(limits), dtype=object), colour, labels)
    return Panel(title, label, NONE, (series,), horizontal=True, chinese=limits)


def _named(rows: pd.DataFrame) -> Iterator[Any]:
    """Yield rows as tuples, the column ``index`` under another name, which a tuple has for its own."""
    return rows.rename(columns={"index": "index_of", "from": "stated"}).itertuples(index=False)


def _limit(limit: str, index: object) -> Words:
    """Return the name of a limit."""
    english, chinese = LIMITS.get(limit, (limit, limit))
    sector, name = sector_words(str(index)), province_zh(index)
    if limit == "nation":
        return english, chinese
    return f"{english} {index}", (sector[1] if limit in ("target", "band") else name) + chinese


def _label(row: Any) -> Words:
    english, chinese = _limit(row.limit, row.index_of)
    if row.unit == "rate":
        start, end = f"{100 * row.stated:.4g} %", f"{100 * row.to:.4g} %"
        return f"{english}: from {start} to {end}", f"{chinese}：从 {start} 到 {end}"
    start, end = f"{row.stated:,.0f}", f"{row.to:,.0f}"
    return f"{english}: from {start} to {end} t", f"{chinese}：从 {start} 到 {end} 吨"
