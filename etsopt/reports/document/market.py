"""Sections of a market: prices and what sets them, quantities, measures, costs, and balance values after abatement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.charts.texts import in_unit
from etsopt.language import _, pgettext
from etsopt.reports.document.answer import NO_PRICE, SAME_PRICE
from etsopt.reports.document.cells import NO_TONNES, amount, rate, table_of, used
from etsopt.reports.document.content import Paragraph, Section
from etsopt.reports.document.figures import figure
from etsopt.results.prices import has_price
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.document.content import Block, Run

SHOWN = 10
"""Enterprises on either side."""

MEASURES_SHOWN = 12

MOST_UNITS = 10_000
"""Units that the table with a search box holds."""

WORDS = (
    *(pgettext("status", "this result"), pgettext("status", "certified"), pgettext("status", "not certified")),
    *(pgettext("status", "not found"), pgettext("set_by", "self-balancing")),
)
"""Words of cells beside those of results and charts."""

QUANTITIES = (
    *("year", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "auctioned_t", "offset_t"),
    *("banked_t", "lapsed_t", "outstanding_t"),
)
COSTS = (
    *("year", "measures_cost_cny", "resource_cost_cny", "transfers_cny", "transaction_cost_cny", "offsets_cost_cny"),
    *("penalty_cny",),
)
TRADERS = (
    *("enterprise_id", "name", "province", "year", "emissions_tco2e", "allowance_t", "bought_t", "sold_t"),
    *("total_cost_cny",),
)
MEASURES = ("measure_id", "sector", "units", "abated_tco2e", "measures_cost_cny", "measures_cost_cny_per_t")
SECTOR_YEARS = ("sector", "year", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "measures_cost_cny")
UNIT_YEARS = (
    *("unit_id", "sector", "province", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "surplus_t"),
    *("measures", "measures_cost_cny", "marginal_incentive_cny_per_t"),
)
BALANCE = (
    *("sector", "year", "balance_value_before", "balance_value", "emissions_before_tco2e", "emissions_tco2e"),
    *("measures_cost_cny", "fixed_points"),
)


def prices(run: Run) -> Iterator[Section]:
    """Yield the price of each year with its interval, and what sets it."""
    if "years" not in run.tables or not len(run.tables["years"]) or not has_price(run.tables):
        return
    years = run.tables["years"]
    shown = years[["year", "price_cny_per_t", "price_lower_cny_per_t", "price_upper_cny_per_t"]].copy()
    blocks: list[Block] = [*figure(run, "supply_demand")]
    found = years if "closure" not in run.tables else years[(run.tables["closure"]["set_by"] != NO_PRICE).to_numpy()]
    # A single price says no more in a chart.
    blocks += [*figure(run, "prices")] if len(found) > 1 else []
    notes: list[str] = []
    if "closure" in run.tables:
        set_by = run.tables["closure"]["set_by"]
        shown["set_by"] = set_by.to_numpy()
        if (set_by == NO_PRICE).any():
            notes.append(
                _(
                    "In self-balancing years allowances equal emissions after abatement: nothing is scarce, and "
                    "every price from the next year's, discounted, up clears. The price shown is one of them."
                )
            )
        notes.append(_closure(run))
    if "lapsed_t" in years and (lapsed := float(years["lapsed_t"].sum())) > NO_TONNES:
        notes.append(_("{lapsed} lapse, since they may not be banked.", lapsed=amount(lapsed, "t")))
    caption = in_unit(_("Price of an allowance"), str(years["price_unit"].iloc[0]))
    origin = word("price_obtained", years["price_obtained"].iloc[0])
    obtained = _("How it was obtained: {origin}.", origin=origin)
    columns = ("year", "price_cny_per_t", "price_lower_cny_per_t", "price_upper_cny_per_t", "set_by")
    blocks.append(table_of(shown, columns, caption, note=obtained))
    blocks += [Paragraph(note, "note") for note in notes if note]
    blocks += [_terminal_prices(run)] if "terminal_prices" in run.tables else []
    yield Section("prices", _("Price, and what sets it"), tuple(blocks))


def _closure(run: Run) -> str:
    """Return how far the prices depend on the value of an allowance that is kept to the end."""
    end = run.tables["closure"].iloc[-1]
    terminal, most = float(end["terminal_price_cny_per_t"]), float(end["unchanged_up_to_cny_per_t"])
    if end["set_by"] == NO_PRICE or not np.isfinite(terminal):
        return ""
    if most == np.inf:
        return _("Prices are independent of the terminal price: nothing may be banked at the end.")
    if most > terminal + SAME_PRICE * max(most, 1.0):
        return _("Prices are independent of the terminal price, an assumption, up to {price:,.2f} CNY/t.", price=most)
    return _(
        "Prices depend on the terminal price of {price:,.2f} CNY/t, which is an assumption; {kept} are kept to the "
        "end.",
        price=terminal,
        kept=amount(float(end["banked_t"]), "t"),
    )


def _terminal_prices(run: Run) -> Block:
    """Return the prices at other terminal prices, with the share of each that is owed to the terminal price."""
    table = run.tables["terminal_prices"]
    shown = table.assign(explained_share=[rate(share) for share in table["explained_share"]])
    note = _(
        "An allowance kept to the end is worth nothing, what the policy states, or the last ceiling price: prices "
        "lie between. Each terminal price is a program of its own."
    )
    caption = _("Price by terminal price")
    columns = ("terminal_price_cny_per_t", "year", "price_cny_per_t", "explained_share", "banked_t", "status")
    return table_of(shown, columns, caption, note=note)


def quantities(run: Run) -> Iterator[Section]:
    """Yield emissions and allowances of each year, and what they cost."""
    if "years" not in run.tables:
        return
    years = run.tables["years"]
    blocks: list[Block] = [*figure(run, "emissions")] if len(years) > 1 else []
    blocks.append(table_of(years, used(years, QUANTITIES), _("Emissions and allowances")))
    costs = [name for name in COSTS if name == "year" or (name in years and (years[name].abs() > 0.5).any())]
    if len(costs) > 1:
        note = _("Resource cost is what abatement and offsets use up; transfers move money between enterprises.")
        blocks.append(table_of(years, costs, _("Costs"), note=note))
    if "sector_years" in run.tables:
        table = run.tables["sector_years"]
        ends = table[table["year"].isin((table["year"].min(), table["year"].max()))]
        caption = _("By sector, first and last year")
        blocks.append(table_of(ends, SECTOR_YEARS, caption))
    yield Section("quantities", _("Emissions and allowances"), tuple(blocks))


def measures(run: Run) -> Iterator[Section]:
    """Yield the marginal cost curve, and measures over the years."""
    if "measure_years" not in run.tables or not len(run.tables["measure_years"]):
        return
    table = run.tables["measure_years"]
    last = int(table["year"].max())
    now = table[table["year"] == last].sort_values("abated_tco2e", ascending=False, kind="stable")
    now = now.assign(
        measures_cost_cny_per_t=now["measures_cost_cny"] / now["abated_tco2e"].where(now["abated_tco2e"] > 0)
    )
    now = now.assign(units=now["units"].round(1))
    more = len(now) - MEASURES_SHOWN
    note = _("{more} more are in the table measure_years.", more=more) if more > 0 else ""
    caption = _("Measures in {year}", year=last)
    blocks: list[Block] = [*figure(run, "cost_curve")]
    # With one year a chart over the years says no more than the table.
    blocks += [*figure(run, "measures")] if table["year"].min() < last else []
    blocks.append(table_of(now.head(MEASURES_SHOWN), MEASURES, caption, note=note))
    yield Section("measures", _("Measures"), tuple(blocks))


def traders(run: Run) -> Iterator[Section]:
    """Yield the enterprises that buy and sell most over all years."""
    if "enterprise_years" not in run.tables or not len(run.tables["enterprise_years"]):
        return
    table = run.tables["enterprise_years"]
    wanted = ["emissions_tco2e", "allowance_t", "bought_t", "sold_t", "total_cost_cny"]
    sums = table.groupby("enterprise_id", as_index=False, observed=True)[wanted].sum()
    known = run.tables.get("enterprises", run.results.instance.enterprises if run.results.held is not None else None)
    if known is not None:
        names = [name for name in ("enterprise_id", "name", "province") if name in known]
        sums = sums.merge(known[names], on="enterprise_id", how="left")
        sums[names[1:]] = sums[names[1:]].fillna("")
    blocks: list[Block] = []
    captions = {"bought_t": _("Largest buyers, all years"), "sold_t": _("Largest sellers, all years")}
    for column, caption in captions.items():
        part = sums[sums[column] > 0.5].nlargest(SHOWN, column)
        if len(part):
            blocks.append(table_of(part, TRADERS, caption))
    if blocks:
        yield Section("traders", _("Largest buyers and sellers"), tuple(blocks))


def unit_years(run: Run) -> Iterator[Section]:
    """Yield the units in the last year, where the run has no allocation of the first."""
    name = next((name for name in ("units", "unit_years") if len(run.tables.get(name, ()))), None)
    if name is None or "allocation" in run.tables:
        return
    table = run.tables[name]
    last = int(table["year"].max())
    now = table[table["year"] == last]
    caption = _("All {count:,} units in {year}", count=len(now), year=last)
    if len(now) > MOST_UNITS:
        caption = _(
            "The {largest:,} largest of {count:,} units in {year}", largest=MOST_UNITS, count=len(now), year=last
        )
        now = now.nlargest(MOST_UNITS, "emissions_tco2e").sort_index()
    listing = table_of(now, UNIT_YEARS, caption, exact=True, key="units")
    yield Section("units", _("Units"), (listing,))


def balance_values(run: Run) -> Iterator[Section]:
    """Yield balance values before and after the responses of the units."""
    name = next((name for name in ("equilibrium", "balance_values") if len(run.tables.get(name, ()))), None)
    if name is None:
        return
    table = run.tables[name]
    blocks: list[Block] = [*figure(run, "equilibrium")]
    note = _(
        "The balance value follows the emissions after measures, so that abatement frees nothing in sum; a unit "
        "that abates still gains on those that do not."
    )
    caption = _("Balance values before and after measures")
    blocks.append(table_of(table, BALANCE, caption, note=note))
    if "status" in table and (table["status"] == "cycle").any():
        text = _("Where best responses cycle no balance value reproduces itself.")
        blocks.append(Paragraph(text, "warning"))
    yield Section("balance-values", _("Balance values"), tuple(blocks))


def unmet(run: Run) -> Iterator[Section]:
    """Yield the demand that no price meets."""
    if "unmet_demand" not in run.tables:
        return
    table = run.tables["unmet_demand"]
    text = _("Auction more, reduce external demand, or set a penalty reference price.")
    shown = table_of(table, list(table), _("Unmet demand"))
    yield Section("unmet", _("What is missing"), (*figure(run, "unmet"), shown, Paragraph(text)))
