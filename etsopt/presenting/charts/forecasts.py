"""Chart of a forecast: the distribution of each balance value, and the intervals of own surpluses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.scales import scaled
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.chart import CHOSEN, FREE, OTHER, Chart, Panel, Series
from etsopt.presenting.charts.texts import array_of, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

BINS = 30
"""Bars of a distribution."""

SHOWN = 16
"""Enterprises that are drawn, those with the largest deficits."""

START = _("if nothing changes")
DRAWS = _("share of the draws [%]")


def forecast(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Return a panel for each balance value, its interval shaded, and one for the surpluses of own enterprises."""
    panels = (*_balance_values(tables), _surpluses(tables["forecast"], about["interval"]))
    return Chart("forecast", title_of(about["instance"], _("forecast for {year}", year=about["year"])), panels)


def _balance_values(tables: Mapping[str, pd.DataFrame]) -> Iterator[Panel]:
    numbers, draws = tables["forecast"], tables["draws"]
    for row in numbers[numbers["level"] == "sector"].to_dict("records"):
        of_sector = (draws["level"] == "sector") & (draws["sector"] == row["sector"])
        values = draws.loc[of_sector, "value"].to_numpy(dtype=float)
        # Draws that are all the same have a bar of a thousandth of their value.
        ends = None if np.ptp(values) > 0 else (values[0] * 0.9995, values[0] * 1.0005)
        counts, edges = np.histogram(values, bins=BINS if ends is None else 1, range=ends)
        shares, middle = 100 * counts / len(values), (edges[:-1] + edges[1:]) / 2
        bars = Series("bars", "", middle, shares, FREE, widths=np.diff(edges))
        yield Panel(
            _("balance value of {sector}", sector=name_of(row["sector"])),
            _("balance value [t/t]"),
            DRAWS,
            (bars, *(_upright(name, row[key], shares.max(), *look) for key, name, look in LINES)),
            shaded=((row["lower"], row["upper"]),),
            shaded_axis="x",
        )


LINES: tuple[tuple[str, str, tuple[str, Any]], ...] = (
    ("mean", _("mean"), (CHOSEN, "plain")),
    ("at_start", START, (OTHER, "dashed")),
)


def _upright(name: str, value: float, top: float, colour: str, style: Any) -> Series:
    return Series("line", name, np.array([value, value]), np.array([0.0, top]), colour, style=style)


def _surpluses(numbers: pd.DataFrame, interval: float) -> Panel:
    """Return the interval of each enterprise's surplus, its mean, and the surplus if nothing changes."""
    rows = numbers[(numbers["level"] == "enterprise") & (numbers["quantity"] == "surplus_t")]
    rows = rows.nsmallest(SHOWN, "mean").iloc[::-1]
    divisor, unit = scaled(float(rows[["lower", "upper", "at_start"]].abs().to_numpy().max()), "t")
    lower, upper, mean, start = (
        rows[key].to_numpy(dtype=float) / divisor for key in ("lower", "upper", "mean", "at_start")
    )
    names = rows["name"].where(rows["name"] != "", rows["enterprise_id"]).to_numpy(dtype=object)
    percent = f"{round(100 * interval, 6):g} %"
    text = _("{low:,.2f} to {high:,.2f} {unit}, probability of a deficit {probability:.1%}")
    parts = zip(lower, upper, rows["deficit_probability"], strict=True)
    labels = array_of(_(text, low=low, high=high, unit=unit, probability=share) for low, high, share in parts)
    name, thin = _("interval of {percent}", percent=percent), np.full(len(names), 0.4)
    series = (
        Series("bars", name, upper - lower, names, FREE, labels, base=lower, widths=thin),
        Series("points", _("mean"), mean, names, CHOSEN),
        Series("points", START, start, names, OTHER, style="hollow"),
    )
    label = _("surplus [{unit}], negative: deficit", unit=unit)
    return Panel(_("surplus of own enterprises"), label, "", series, horizontal=True)
