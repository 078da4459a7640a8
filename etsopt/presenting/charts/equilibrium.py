"""Chart of an equilibrium: balance values that the units' responses reproduce, and what they abate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, pgettext
from etsopt.common.scales import size_of
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.chart import CHOSEN, OTHER, RULE, Chart, Panel, Series
from etsopt.presenting.charts.texts import array_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

COLUMNS = (
    *("sector", "year", "status", "price_cny_per_t", "balance_value_before", "balance_value"),
    *("emissions_before_tco2e", "emissions_tco2e"),
)
"""Columns that the chart reads."""

STATUS = (
    *(pgettext("status", "none"), pgettext("status", "fixed point"), pgettext("status", "several")),
    pgettext("status", "cycle"),
)
"""Status of a sector, in the words of the table ``equilibrium``."""


def equilibrium(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Balance value of each sector and year after abatement beside that before, all equilibria, and abatement."""
    table = tables["equilibrium"].iloc[::-1]
    names = _places(table)
    before = table["balance_value_before"].to_numpy(dtype=float)
    labels = array_of(
        _(
            "{place}, {price:,.2f} CNY/t: {status}, balance value {before:.4f} -> {after:.4f} t/t",
            place=place,
            price=row.price_cny_per_t,
            status=pgettext("status", row.status),
            before=row.balance_value_before,
            after=row.balance_value,
        )
        for place, row in zip(names, table.itertuples(), strict=True)
    )
    after = 100 * (table["balance_value"].to_numpy(dtype=float) / before - 1)
    series = [Series("points", _("before abatement"), np.zeros(len(names)), names, RULE)]
    points = tables["fixed_points"].merge(table[["sector", "year", "balance_value_before"]], on=["sector", "year"])
    if len(points) > len(table):
        change = 100 * (points["balance_value"] / points["balance_value_before"] - 1)
        series.append(Series("points", _("other equilibria"), change.to_numpy(dtype=float), _places(points), OTHER))
    series.append(Series("points", _("in equilibrium"), after, names, CHOSEN, labels))
    balance = Panel("", _("change of the balance value [%]"), "", tuple(series), horizontal=True)
    abated = (table["emissions_before_tco2e"] - table["emissions_tco2e"]).to_numpy(dtype=float) / size_of("Mt")
    bars = (Series("bars", "", abated, names, CHOSEN, labels),)
    abatement = Panel("", pgettext("charts", "abated [Mt]"), "", bars, horizontal=True)
    text = _("balance values that the responses of all units reproduce, and abatement")
    return Chart("equilibrium", text, (balance, abatement))


def _places(table: pd.DataFrame) -> NDArray[np.object_]:
    """Return the sector and year of each row."""
    return array_of(f"{name_of(row.sector)} {row.year}" for row in table.itertuples())
