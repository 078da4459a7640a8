"""Charts of a market's year: the marginal abatement cost curve, and net demand for allowances by price.

Both are exact (`etsopt.presenting.charts.responses`), and of each year by itself. The answer lies off a curve where it
runs measures that began in other years or for the sake of later ones, because most of them run on to the last. It lies
off the curve of costs as well where allowances follow emissions or output, and a tonne abated earns less than the
price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.common.errors import UsageError
from etsopt.common.language import _, pgettext
from etsopt.common.scales import in_unit, size_of
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.chart import CHOSEN, OTHER, PRICE, RULE, SECTOR_COLOURS, Chart, Panel, Series
from etsopt.presenting.charts.responses import market_of, net_demand_before, steps_of
from etsopt.presenting.charts.texts import array_of, measure_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

MOST_STEPS = 500
"""Corners of a curve; of more, so many are drawn, each of which is on the curve."""

PRICE_AXIS_FACTOR = 3.0
"""Height of an axis over the price, at least; it reaches up to the cost of half of the abatement on offer."""

ANSWER = _("the answer")


class Prices(NamedTuple):
    """Price of a year and the ends of its interval [unit]."""

    price: float
    lower: float
    upper: float
    unit: str


def has_measures(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> bool:
    """Return True if a run of a market has its instance, which offers abatement."""
    if instance is None or not _has_allowances(tables, instance):
        return False
    return instance.measures is not None or bool(instance.policy.abatement.output_cut)


def has_market_years(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> bool:
    """Return True if a run has its instance and years in which net demand depends on the price."""
    return instance is not None and _has_allowances(tables, instance) and bool(_market_years(tables))


def _has_allowances(tables: Mapping[str, pd.DataFrame], instance: Instance) -> bool:
    """Return True if a run that starts from an allocation has the allowance of every unit."""
    allocation = tables.get("allocation")
    return allocation is None or ("allowance_t" in allocation and len(allocation) == len(instance.units))


def _market_years(tables: Mapping[str, pd.DataFrame]) -> list[int]:
    """Return the years in which some sector is not self-balancing: in others every price clears."""
    sectors = tables["sector_years"]
    sectors = sectors[sectors["emissions_before_tco2e"] > 0]
    every = sectors.groupby("year")["sector"].nunique()
    values = tables.get("balance_values")
    balanced: Any = {}
    if values is not None and {"year", "sector"} <= {*values}:
        balanced = values.groupby("year")["sector"].nunique()
    return [int(year) for year, count in every.items() if balanced.get(year, 0) < count]


def _chosen_years(tables: Mapping[str, pd.DataFrame], years: list[int], year: int | None) -> list[int]:
    """Return the year that is asked for, else the first, the middle and the last of those with abatement.

    Raises
    ------
    UsageError
        If the run has no such year, or that year balances itself.
    """
    row = tables["years"].set_index("year")
    if year is None:
        abated = row["emissions_before_tco2e"] - row["emissions_tco2e"]
        years = [one for one in years if abated[one] > 0] or years
        return sorted({years[0], years[len(years) // 2], years[-1]})
    if year not in years:
        what = _("The chart has no year {year}: in it allowances follow emissions, and every price clears.", year=year)
        if year not in row.index:
            what = _("The run has no year {year}.", year=year)
        raise UsageError(what, _("Choose one of {names}.", names=", ".join(map(str, years))))
    return [year]


def cost_curve(tables: Mapping[str, pd.DataFrame], instance: Instance, year: int | None = None) -> Chart:
    """Marginal abatement cost of each year by itself: measures in order of their cost, as wide as they abate."""
    market = market_of(instance, tables)
    every = tables["years"]["year"].astype(int).tolist()
    years = every if year is not None else _market_years(tables) or every
    panels = tuple(
        _cost_panel(instance, steps_of(market, one, demand=False), tables, one)
        for one in _chosen_years(tables, years, year)
    )
    text = _("abatement cost of each year by itself, mean of each measure, and of all units in order")
    return Chart("cost_curve", text, panels)


def _cost_panel(instance: Instance, steps: pd.DataFrame, tables: Mapping[str, pd.DataFrame], year: int) -> Panel:
    """Return the blocks of measures, the curve over all units, the price, and the abatement of the answer."""
    steps = steps.assign(cost_cny=steps["price_cny_per_t"] * steps["amount_t"])
    blocks = steps.groupby(["sector", "measures"])[["amount_t", "cost_cny"]].sum().reset_index()
    blocks["mean"] = blocks["cost_cny"] / blocks["amount_t"]
    blocks = blocks.sort_values(["mean", "measures"], ignore_index=True)
    ends = blocks["amount_t"].cumsum() / size_of("Mt")
    prices, row = _prices(tables, year)
    series = [
        Series(
            "bars",
            name_of(sector),
            (ends - blocks["amount_t"] / 2e6)[part.index].to_numpy(),
            part["mean"].to_numpy(),
            SECTOR_COLOURS.get(str(sector), CHOSEN),
            _named(instance, part),
            widths=part["amount_t"].to_numpy() / size_of("Mt"),
        )
        for sector, part in blocks.groupby("sector")
    ]
    total = float(ends.iloc[-1]) if len(ends) else 0.0
    top = _top(steps, prices)
    price, amount = _stairs(steps, top)
    series.append(Series("line", _("all units in order"), amount / size_of("Mt"), price, RULE, style="plain"))
    series += _price_line(prices, 0.0, total)
    abated = float(row["emissions_before_tco2e"] - row["emissions_tco2e"]) / size_of("Mt")
    series.append(Series("points", ANSWER, np.array([abated]), np.array([prices.price]), PRICE))
    cut = float(blocks["mean"].max()) if len(blocks) else 0.0
    title = str(year)
    if cut > top:
        title = _("{year} (axis cut: costs reach {cut:,.0f})", year=year, cut=cut)
    labels = (pgettext("charts", "abated [Mt]"), in_unit(_("cost"), prices.unit))
    limits = (
        min(0.0, float(blocks["mean"].min()) * 1.1) if len(blocks) else 0.0,
        min(top, max(cut, prices.upper) * 1.1),
    )
    return Panel(title, *labels, tuple(series), _interval(prices), x_limits=(0.0, total or 1.0), y_limits=limits)


def _named(instance: Instance, blocks: pd.DataFrame) -> NDArray[np.object_]:
    """Return the names of the measures of blocks, and what they abate."""
    words = measure_words(instance)
    names = [" + ".join(words.get(one, one) for one in text.split()) for text in blocks["measures"]]
    pairs = zip(names, blocks["amount_t"] / size_of("Mt"), strict=True)
    return array_of(_("{name}: {amount:,.4g} Mt", name=name, amount=amount) for name, amount in pairs)


def supply_demand(tables: Mapping[str, pd.DataFrame], instance: Instance, year: int | None = None) -> Chart:
    """Net demand for allowances at every price, of each year by itself, with what meets it and the clearing price."""
    market = market_of(instance, tables)
    panels = []
    for one in _chosen_years(tables, _market_years(tables), year):
        steps = steps_of(market, one, demand=True)
        panels.append(_demand_panel(steps, net_demand_before(market, one), tables, one))
    text = _("net demand (emissions less free allowances) of each year by itself, by price")
    return Chart("supply_demand", text, tuple(panels))


def _demand_panel(steps: pd.DataFrame, before: float, tables: Mapping[str, pd.DataFrame], year: int) -> Panel:
    """Return the curve of net demand, the tonnes on offer and with those kept, the price, and the answer."""
    prices, row = _prices(tables, year)
    top = PRICE_AXIS_FACTOR / 2 * max(prices.upper, prices.price, 1.0)
    price, fallen = _stairs(steps[steps["price_cny_per_t"] <= top], top)
    demand = (before - fallen) / size_of("Mt")
    series = [Series("line", _("net demand"), demand, np.maximum(price, 0.0), CHOSEN, style="plain")]
    offered = float(row["bought_t"] - row["sold_t"] + row["offset_t"]) / size_of("Mt")
    met = float(row["emissions_tco2e"] - row["allowance_t"]) / size_of("Mt")
    ends = np.array([0.0, top])
    name = _("auctions, offsets and others' sales")
    series.append(Series("line", name, np.full(2, offered), ends, RULE, style="dashed"))
    if abs(met - offered) > 1e-9 * max(1.0, float(row["emissions_tco2e"]) / size_of("Mt")):
        name = _("the same, and what is taken from or put aside for other years")
        series.append(Series("line", name, np.full(2, met), ends, OTHER, style="dashed"))
    low, high = float(min(demand.min(), offered, met)), float(max(demand.max(), offered, met))
    room = 0.05 * (high - low) or 1.0
    series += _price_line(prices, low - room, high + room)
    series.append(Series("points", ANSWER, np.array([met]), np.array([prices.price]), PRICE))
    labels = (_("net demand [Mt]"), in_unit(_("price"), prices.unit))
    limits = (low - room, high + room)
    return Panel(str(year), *labels, tuple(series), _interval(prices), x_limits=limits, y_limits=(0.0, top))


def _prices(tables: Mapping[str, pd.DataFrame], year: int) -> tuple[Prices, pd.Series]:
    """Return the price of a year and its row; an end of the interval that is no number is the price."""
    row = tables["years"].set_index("year").loc[year]
    price = float(row["price_cny_per_t"])
    lower, upper = (float(row[f"price_{end}_cny_per_t"]) for end in ("lower", "upper"))
    lower, upper = (end if np.isfinite(end) else price for end in (lower, upper))
    return Prices(price, lower, upper, str(row["price_unit"])), row


def _price_line(prices: Prices, start: float, end: float) -> list[Series]:
    """Return the line of the price from side to side."""
    place = np.array([start, end])
    return [Series("line", _("price"), place, np.full(2, prices.price), PRICE, style="dashed")]


def _interval(prices: Prices) -> tuple[tuple[float, float], ...]:
    """Return the interval of the price, to be shaded, if it has a width."""
    return ((prices.lower, prices.upper),) if prices.upper > prices.lower else ()


def _top(steps: pd.DataFrame, prices: Prices) -> float:
    """Return the end of an axis of costs: over the price, and over the cost of half of the abatement."""
    half = steps["amount_t"].cumsum().searchsorted(steps["amount_t"].sum() / 2) if len(steps) else 0
    middle = float(steps["price_cny_per_t"].iloc[min(int(half), len(steps) - 1)]) if len(steps) else 0.0
    return max(PRICE_AXIS_FACTOR * prices.upper, 1.3 * middle, 1.0)


def _stairs(steps: pd.DataFrame, top: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of a staircase, price and amount in sum, from nothing on, and up to an axis' end at least."""
    at_price = steps.groupby("price_cny_per_t")["amount_t"].sum().cumsum()
    risen, prices = at_price.to_numpy(dtype=float), at_price.index.to_numpy(dtype=float)
    price = np.concatenate([[min([0.0, *prices[:1]])], np.repeat(prices, 2), [max([top, *prices[-1:]])]])
    amount = np.concatenate([[0.0, 0.0], np.repeat(risen, 2)])
    if len(price) > MOST_STEPS:
        # The corners follow each other at equal distances along the curve as it is seen.
        across, up = np.abs(np.diff(amount)) / amount[-1], np.abs(np.diff(np.minimum(price, top))) / (top or 1.0)
        along = np.concatenate([[0.0], (across + up).cumsum()])
        corners = np.unique(np.searchsorted(along, np.linspace(0, along[-1], MOST_STEPS)))
        price, amount = price[corners], amount[corners]
    return price, amount
