"""Chart of an infeasible policy: by how much its limits have to give, at least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.language import _
from etsopt.common.scales import size_of
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.chart import CHOSEN, OTHER, Chart, Panel, Series
from etsopt.presenting.charts.texts import array_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

SHOWN = 16
"""Limits of a way that are drawn, the largest."""

WAYS = {
    "target_relaxation": _("relax targets and balances"),
    "band_relaxation": _("relax bands and balances"),
}
LIMITS = {
    "target": _("target {name}"),
    "balance": _("balance {name}"),
    "band": _("band {name}"),
    "nation": _("national total"),
}


def relaxations(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Relaxation of each limit, a panel for each way out; of bands, which are rates, the title has the ends."""
    table = tables["relaxed_limits"]
    return Chart("relaxations", _("infeasible: relaxation of the limits"), tuple(_panels(table)))


def _panels(table: pd.DataFrame) -> Iterator[Panel]:
    for way, words in WAYS.items():
        rows = table[(table["way_out"] == way) & (table["by"] > 0)]
        tonnes, rates = rows[rows["unit"] == "t"], rows[rows["unit"] == "rate"]
        colour = OTHER if way == "band_relaxation" else CHOSEN
        if len(tonnes):
            yield _panel(_with_bands(words, rates), _("relax by [kt]"), tonnes, 1 / size_of("kt"), colour)
        elif len(rates):
            yield _panel(words, _("relax by [% of emissions]"), rates, 100.0, colour)


def _with_bands(words: str, rates: pd.DataFrame) -> str:
    """Return a title with the widest of the relaxed bands as well."""
    if rates.empty:
        return words
    widest = rates.loc[rates["to"].idxmax()]
    end = 100 * widest["to"]
    return _("{way}: {sector} to {end:.3g} %", way=words, sector=name_of(widest["index"]), end=end)


def _panel(title: str, label: str, rows: pd.DataFrame, factor: float, colour: str) -> Panel:
    """Return a bar for each limit, the largest at the top."""
    rows = rows.nlargest(SHOWN, "by").iloc[::-1]
    records = rows.to_dict("records")
    names, labels = array_of(map(_limit, records)), array_of(map(_label, records))
    series = Series("bars", "", rows["by"].to_numpy(dtype=float) * factor, names, colour, labels)
    return Panel(title, label, "", (series,), horizontal=True)


def _limit(row: Mapping[Any, Any]) -> str:
    """Return the name of a limit."""
    text = LIMITS.get(row["limit"])
    name = name_of(row["index"])
    return _(text, name=name) if text else f"{row['limit']} {name}"


def _label(row: Mapping[Any, Any]) -> str:
    """Return the name of a limit, as it is stated, and relaxed."""
    name, start, end = _limit(row), row["from"], row["to"]
    if row["unit"] == "rate":
        return _("{name}: from {start:.4g} % to {end:.4g} %", name=name, start=100 * start, end=100 * end)
    return _("{name}: from {start:,.0f} to {end:,.0f} t", name=name, start=start, end=end)
