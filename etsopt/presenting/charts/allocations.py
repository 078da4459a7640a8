"""Charts of an allocation in sum: surplus rates by sector, provinces, and the largest deficits and surpluses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.scales import scaled, size_of
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.chart import CHOSEN, OTHER, RULE, SECTOR_COLOURS, Chart, Panel, Series
from etsopt.presenting.charts.texts import ALLOWANCES_KT, SURPLUS_RATE, array_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SHOWN = 12
"""Enterprises on either side."""

BINS = 61

MOVED_MIN_T = 1.0
"""A change of allowances that is worth a chart, or a word [t]."""

RATE_ROUNDING_PERCENT = 1e-9
"""Difference of two surplus rates that is rounding alone [%]."""


def bands_of(policy: Mapping[str, Any], sectors: list[str]) -> tuple[tuple[float, float], ...]:
    """Return the band of the sectors in percent, if the policy states one for each and it is the same."""
    every = policy.get("allocation", {}).get("band")
    stated = [policy.get("sectors", {}).get(sector, {}).get("band") or every for sector in sectors]
    bands = {(-100 * band["lower"], 100 * band["upper"]) for band in stated if band}
    return tuple(bands) if len(bands) == 1 and all(stated) else ()


def rates(tables: Mapping[str, pd.DataFrame], policy: Mapping[str, Any]) -> Chart:
    """Distribution of surplus rates in each sector, by the emissions of its units, with its band."""
    units = tables["allocation"]
    units = units[units["emissions_tco2e"] > 0]
    panels = []
    for sector in sorted(set(units["sector"])):
        part = units[units["sector"] == sector]
        rate = 100 * part["surplus_rate"].to_numpy()
        widest = max(float(np.abs(rate).max(initial=0.0)), 1e-6) * 1.05
        edges = np.linspace(-widest, widest, BINS + 1)
        share = np.histogram(rate, edges, weights=part["emissions_tco2e"].to_numpy() / size_of("Mt"))[0]
        middle = (edges[:-1] + edges[1:]) / 2
        reach = float(rate.min()), float(rate.max())
        series = Series("bars", "", middle, share, SECTOR_COLOURS.get(sector, CHOSEN), reach=reach)
        labels = (SURPLUS_RATE, _("emissions [Mt]"))
        band = bands_of(policy, [sector])
        panels.append(Panel(name_of(sector), *labels, (series,), band, "x", x_limits=(-widest, widest)))
    return Chart("rates", _("surplus rates by sector"), tuple(panels))


def provinces(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Surplus of each province, by the rule alone and as allocated."""
    table = tables["provinces"]
    table = table[table["emissions_tco2e"] > 0]
    rule = 100 * (table["reference_t"] / table["emissions_tco2e"] - 1)
    order = rule.sort_values().index
    names = array_of(map(name_of, table["province"][order]))
    chosen = 100 * table["surplus_rate"][order].to_numpy()
    start, thin = rule[order].to_numpy(), np.full(len(names), 0.12)
    # A bar as long as rounding would make an axis of its own size, if no other province moves.
    moved = np.where(np.abs(chosen - start) > RATE_ROUNDING_PERCENT, chosen - start, 0.0)
    series = (
        # A line from one to the other, so that the eye sees what moved.
        Series("bars", "", moved, names, RULE, widths=thin, base=start),
        Series("points", _("by the rule alone"), start, names, RULE, style="hollow"),
        Series("points", _("allocated"), chosen, names, CHOSEN),
    )
    limit = 100 * float((table["balance_limit_t"] / table["emissions_tco2e"]).max())
    shaded = ((-limit, limit),) if np.isfinite(limit) else ()
    panel = Panel("", _("surplus [% of emissions]"), "", series, shaded, "x", horizontal=True)
    return Chart("provinces", _("surplus of each province"), (panel,))


def moved(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Allowances that limits move against the rule: what units of each sector and province give up and gain."""
    units = tables["allocation"]
    change, panels, most = units["change_t"], [], {}
    parts = {
        by: [side.groupby(units[by]).sum() for side in (change.clip(upper=0.0), change.clip(lower=0.0))]
        for by in ("sector", "province")
    }
    net = {by: lost + gained for by, (lost, gained) in parts.items()}
    divisor, unit = scaled(max(float((gained - lost).max()) for lost, gained in parts.values()), "t")
    for by, words in (("sector", _("sectors")), ("province", _("provinces"))):
        lost, gained = parts[by]
        order = net[by].sort_values(ascending=False).index
        names, most[by] = array_of(map(name_of, order)), name_of(order[-1])
        series = tuple(
            Series("bars", text, part[order].to_numpy() / divisor, names, colour)
            for text, part, colour in ((_("given up"), lost, OTHER), (_("gained"), gained, CHOSEN))
        )
        panels.append(Panel(words, _("allowances against the rule [{unit}]", unit=unit), "", series, horizontal=True))
    divisor, unit = scaled(float(change.abs().sum()), "t")
    amount = f"{float(change.abs().sum()) / divisor:.1f}"
    if all(own.min() <= -MOVED_MIN_T for own in net.values()):
        text = _("limits move {amount} {unit} against the rule, above all away from {sector} and {province}")
    else:
        text = _("limits move {amount} {unit} against the rule")
    return Chart("moved", _(text, amount=amount, unit=unit, **most), tuple(panels))


def enterprises(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Enterprises with the largest deficits and surpluses."""
    table = tables["enterprises"]
    extremes = {*table.nsmallest(SHOWN, "surplus_t").index, *table.nlargest(SHOWN, "surplus_t").index}
    table = table.loc[sorted(extremes, key=lambda row: table.loc[row, "surplus_t"])]
    named = names_of(table)
    panels = []
    for words, part, colour in (
        (_("largest deficits: to buy"), table["surplus_t"] < 0, OTHER),
        (_("largest surpluses: to sell"), table["surplus_t"] > 0, CHOSEN),
    ):
        names = named[part].to_numpy(dtype=object)
        values = table["surplus_t"][part].abs().to_numpy() / size_of("kt")
        order = np.argsort(values)
        series = Series("bars", "", values[order], names[order], colour)
        panels.append(Panel(words, ALLOWANCES_KT, "", (series,), horizontal=True))
    return Chart("enterprises", _("enterprises with the most to buy and to sell"), tuple(panels))


def names_of(table: pd.DataFrame) -> pd.Series:
    """Return the names of enterprises, each once: two bars of one name would be one."""
    ids = table["enterprise_id"]
    named = table["name"].where(table["name"] != "", ids) if "name" in table else ids
    return named.where(~named.duplicated(keep=False), named + " (" + ids + ")")
