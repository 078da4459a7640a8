"""Charts of a market: the price of each year, emissions beside allowances, measures, and unmet demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, pgettext
from etsopt.common.scales import in_unit, size_of
from etsopt.presenting.charts.chart import CHOSEN, FREE, OTHER, PAID, PALETTE, RULE, Chart, Panel, Series
from etsopt.presenting.charts.texts import YEAR, measure_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.instance import Instance

MOST_MEASURES = 8
"""Measures that are drawn one by one; the others are one series."""

SET_BY = (
    *(pgettext("set_by", "terminal price"), pgettext("set_by", "no scarcity"), pgettext("set_by", "outside")),
    *(pgettext("set_by", "ceiling"), pgettext("set_by", "floor"), pgettext("set_by", "offsets")),
    *(pgettext("set_by", "penalty"), pgettext("set_by", "abatement"), pgettext("set_by", "scarcity")),
)
"""What sets a price that is drawn, in the words of the table ``closure``."""

NEGLIGIBLE = 1e-5
"""Allowances that are not drawn, such as those that make up for rounding, as a share of all."""


def prices(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Price of each year and what sets it, with the interval of prices that clear the market."""
    years = tables["years"]
    set_by = _set_by(tables)
    # In self-balancing years every price clears, so none is drawn.
    years = years[~years["year"].isin([year for year, by in set_by.items() if by == "self-balancing"])]
    place = years["year"].to_numpy(dtype=float)
    series = []
    for column, name in (
        ("price_lower_cny_per_t", _("lowest that clears")),
        ("price_upper_cny_per_t", _("highest that clears")),
    ):
        values = years[column].to_numpy(dtype=float)
        if np.isfinite(values).all() and not np.allclose(values, years["price_cny_per_t"], rtol=1e-3):
            series.append(Series("line", name, place, values, RULE, style="dashed"))
    found = years["price_cny_per_t"].to_numpy(dtype=float)
    if set_by:
        by = np.array([set_by.get(year, "") for year in years["year"]], dtype=object)
        series.append(Series("line", "", place, found, RULE, style="plain"))
        for number, name in enumerate(dict.fromkeys(by)):
            words = _("price, set by: {cause}", cause=pgettext("set_by", name))
            series.append(Series("points", words, place[by == name], found[by == name], PALETTE[number]))
    else:
        series.append(Series("line", _("price"), place, found, CHOSEN))
    unit = str(years["price_unit"].iloc[0]) if len(years) else "CNY/t"
    panel = Panel("", YEAR, in_unit(_("price"), unit), tuple(series), y_limits=(0.0, _top(series)))
    return Chart("prices", _("price of an allowance"), (panel,))


def _set_by(tables: Mapping[str, pd.DataFrame]) -> dict[int, str]:
    """Return what sets the price of each year; nothing of a run that does not say so."""
    closure = tables.get("closure")
    if closure is None or not {"year", "set_by"} <= {*closure}:
        return {}
    return dict(zip(closure["year"], closure["set_by"], strict=True))


def _top(series: list[Series]) -> float:
    """Return the upper end of an axis above the last line of all series."""
    values = [
        float(np.nanmax(one.y.astype(float))) for one in series if len(one.y) and np.isfinite(one.y.astype(float)).any()
    ]
    return 1.15 * max(values, default=1.0) or 1.0


def emissions(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Emissions of each year with and without measures, beside free and paid allowances."""
    years = tables["years"]
    place = years["year"].to_numpy(dtype=float)
    free = years["allowance_t"].to_numpy(dtype=float) / size_of("Mt")
    series = [Series("stack", _("allowances, free"), place, free, FREE)]
    if "auctioned_t" in years and years["auctioned_t"].abs().sum() > NEGLIGIBLE * years["allowance_t"].sum():
        paid = years["auctioned_t"].to_numpy(dtype=float) / size_of("Mt")
        series.append(Series("stack", _("allowances, paid"), place, paid, PAID))
    before, after = (
        years[name].to_numpy(dtype=float) / size_of("Mt") for name in ("emissions_before_tco2e", "emissions_tco2e")
    )
    series.append(Series("line", _("emissions without measures"), place, before, OTHER, style="dashed"))
    series.append(Series("line", _("emissions"), place, after, CHOSEN))
    panels = [Panel("", YEAR, _("emissions, allowances [Mt]"), tuple(series))]
    text = _("emissions and allowances")
    banked = years["banked_t"].to_numpy(dtype=float) / size_of("Mt") if "banked_t" in years else np.zeros(1)
    if np.abs(banked).max(initial=0.0) > NEGLIGIBLE * after.max(initial=0.0):
        words = (_("kept at the end of the year"), YEAR, _("allowances kept [Mt]"))
        panels.append(Panel(*words, (Series("bars", "", place, banked, CHOSEN),)))
        text = _("emissions and allowances, and what is kept for later years")
    return Chart("emissions", text, tuple(panels))


def measures(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> Chart:
    """Emissions that each measure abates, year by year; an instance has the names of measures."""
    words = measure_words(instance)
    table = tables["measure_years"]
    totals = table.pivot_table("abated_tco2e", "measure_id", "year", "sum", fill_value=0.0) / size_of("Mt")
    totals = totals.loc[totals.sum(axis=1).sort_values(ascending=False).index]
    place = totals.columns.to_numpy(dtype=float)
    series = [
        Series("stack", words.get(str(name), str(name)), place, row.to_numpy(dtype=float), PALETTE[number])
        for number, (name, row) in enumerate(totals.iloc[:MOST_MEASURES].iterrows())
    ]
    if len(totals) > MOST_MEASURES:
        rest = totals.iloc[MOST_MEASURES:]
        name = _("{count} others", count=len(rest))
        series.append(Series("stack", name, place, rest.sum().to_numpy(dtype=float), PALETTE[-1]))
    panel = Panel("", YEAR, pgettext("charts", "abated [Mt]"), tuple(series))
    return Chart("measures", _("abatement by measure"), (panel,))


def unmet(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Demand that stays unmet in each year of a market that cannot clear, least in total."""
    table = tables["unmet_demand"]
    values = table["unmet_t"].to_numpy(dtype=float) / size_of("kt")
    series = Series("bars", "", table["year"].to_numpy(dtype=float), values, OTHER)
    panel = Panel("", YEAR, _("unmet demand [kt]"), (series,))
    return Chart("unmet", _("the market cannot clear: least unmet demand"), (panel,))
