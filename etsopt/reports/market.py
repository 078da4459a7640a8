"""Sections of a market: prices and what sets them, quantities, measures, costs, and balance values after abatement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, in_brackets, joined, pgettext
from etsopt.common.scales import in_unit
from etsopt.common.vocabulary import word
from etsopt.presenting.documents.columns import heading, table_of, used
from etsopt.presenting.documents.document import Column, Paragraph, Section, Table
from etsopt.presenting.documents.quantities import NAME, NO_TONNES, PRICE, RATE, amount
from etsopt.reports.answer import NO_PRICE, SAME_PRICE
from etsopt.reports.run import figure
from etsopt.running.results.prices import has_price

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.presenting.documents.document import Block
    from etsopt.reports.run import Run

SHOWN = 10
"""Enterprises on either side."""

MEASURES_SHOWN = 12

MOST_UNITS = 10_000
"""Units that the table with a search box holds."""

WORDS = (
    *(pgettext("status", "this result"), pgettext("status", "certified"), pgettext("status", "not certified")),
    pgettext("status", "not found"),
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
    *("measures_cost_cny", "residual_t", "fixed_points"),
)


def prices(run: Run) -> Iterator[Section]:
    """Yield the price of each year with its interval, and what sets it."""
    if "years" not in run.tables or not len(run.tables["years"]) or not has_price(run.tables):
        return
    years = run.tables["years"]
    columns = ["year", "price_cny_per_t"]
    # An interval that is a point says no more than the price.
    if not np.allclose(
        years["price_lower_cny_per_t"], years["price_upper_cny_per_t"], rtol=SAME_PRICE, atol=SAME_PRICE
    ):
        columns += ["price_lower_cny_per_t", "price_upper_cny_per_t"]
    shown = years[columns].copy()
    blocks: list[Block] = [*figure(run, "supply_demand")]
    found = years if "closure" not in run.tables else years[(run.tables["closure"]["set_by"] != NO_PRICE).to_numpy()]
    # A single price says no more in a chart.
    blocks += [*figure(run, "prices")] if len(found) > 1 else []
    notes: list[str] = []
    if "closure" in run.tables:
        set_by = run.tables["closure"]["set_by"]
        shown["set_by"] = set_by.to_numpy()
        notes += closure(run.tables["closure"])
    if "lapsed_t" in years and (lapsed := float(years["lapsed_t"].sum())) > NO_TONNES:
        notes.append(_("{lapsed} lapse, since they may not be banked.", lapsed=amount(lapsed, "t")))
    levels = {str(level).rpartition(":")[0] for level in run.tables["duals"]["level"].unique()}
    if "leaves" in run.tables or "cost:together" in levels:
        notes.append(_("Whole plans: branches prove the cost too. `etsopt check` says what these prices leave open."))
    caption = in_unit(_("Price of an allowance"), str(years["price_unit"].iloc[0]))
    origin = word("price_obtained", years["price_obtained"].iloc[0])
    obtained = _("How it was obtained: {origin}.", origin=origin)
    blocks.append(table_of(shown, list(shown), caption, note=obtained))
    blocks += [Paragraph(note, "note") for note in notes if note]
    blocks += _terminal_prices(run) if "terminal_prices" in run.tables else []
    yield Section("prices", _("Price, and what sets it"), tuple(blocks))


def closure(table: pd.DataFrame) -> list[str]:
    """Return what sets the prices, and up to which terminal price nothing changes, as sentences."""
    end = table.iloc[-1]
    terminal, most = float(end["terminal_price_cny_per_t"]), float(end["unchanged_up_to_cny_per_t"])
    bank = amount(float(end["banked_t"]), "t")
    at_end = table.loc[table["set_by"] == "terminal price", "year"]
    any_price = table["set_by"] == NO_PRICE
    by = _("Prices are set by: {spells}.", spells=joined(_spells(table)))
    if any_price.iloc[-1]:
        line = _(
            "No scarcity: every price clears from the terminal price of {terminal:,.2f} CNY/t up, since allowances "
            "equal emissions after abatement. None of them is singled out.",
            terminal=terminal,
        )
        return [by, line]
    if most == np.inf:
        line = _("They are independent of the terminal price: nothing may be banked at the end.")
    elif most > terminal + SAME_PRICE * max(most, 1.0):
        line = _("They are independent of the terminal price up to {most:,.2f} CNY/t.", most=most)
    elif end["year"] == end["bank_empty_in"]:
        template = _("At a terminal price above {terminal:,.2f} CNY/t allowances would be banked for it.")
        line = _(template, terminal=terminal)
    elif len(at_end):
        line = _(
            "They are not independent of the terminal price, which is an assumption: a bank of {bank} is never "
            "used; from {year} on the price is the terminal price.",
            bank=bank,
            year=at_end.iloc[0],
        )
    else:
        line = _(
            "They are not independent of the terminal price, {terminal:,.2f} CNY/t: a bank of {bank} is never used.",
            terminal=terminal,
            bank=bank,
        )
    if not any_price.any():
        return [by, line]
    further = _(
        "In self-balancing years there is no scarcity: every price clears from the discounted price of the next "
        "year up."
    )
    return [by, line, further]


SET_BY = (
    *(pgettext("set_by", "self-balancing"), pgettext("set_by", "terminal price"), pgettext("set_by", "no scarcity")),
    *(pgettext("set_by", "outside"), pgettext("set_by", "ceiling"), pgettext("set_by", "floor")),
    *(pgettext("set_by", "offsets"), pgettext("set_by", "penalty"), pgettext("set_by", "abatement")),
    pgettext("set_by", "scarcity"),
)
"""What may set the price of a year."""


def _spells(table: pd.DataFrame) -> list[str]:
    """Return what sets the price in each spell of years."""
    spell = (table["set_by"] != table["set_by"].shift()).cumsum()
    spells = []
    for number in spell.unique():
        years, by = table.loc[spell == number, "year"], table.loc[spell == number, "set_by"].iloc[0]
        first, last = years.iloc[0], years.iloc[-1]
        spells.append(word("set_by", by) + in_brackets(first if first == last else f"{first}-{last}"))
    return spells


OPEN_STATUS = ("not certified", "not found")
"""Status of prices at a terminal price whose program is not proven."""


def _terminal_prices(run: Run) -> Iterator[Block]:
    """Yield the price of each year by terminal price, and the share of it that is owed to that."""
    table = run.tables["terminal_prices"]
    ends = [(float(terminal), rows) for terminal, rows in table.groupby("terminal_price_cny_per_t")]
    columns, cells = [Column(heading("year"), NAME)], [ends[0][1]["year"].tolist()]
    for terminal, rows in ends:
        columns.append(Column(_("at {terminal:,.2f}", terminal=terminal), PRICE._replace(unit=""), 1))
        cells.append(rows["price_cny_per_t"].tolist())
        if terminal > 0:
            columns.append(Column(_("owed to it"), RATE, 3))
            cells.append(rows["explained_share"].tolist())
    note = _(
        "An allowance kept to the end is worth nothing, what the policy states, or the last ceiling price: prices "
        "lie between. Each terminal price is a program of its own."
    )
    caption = in_unit(_("Price by terminal price"), str(run.tables["years"]["price_unit"].iloc[0]))
    yield Table(caption, tuple(columns), tuple(zip(*cells, strict=True)), note=note)
    for terminal, rows in ends:
        if (status := rows["status"].iloc[0]) in OPEN_STATUS:
            template = _("At a terminal price of {terminal:,.2f} CNY/t the prices are {status}.")
            yield Paragraph(_(template, terminal=terminal, status=word("status", status)), "warning")
    if (run.policy.get("market") or {}).get("ceiling_price_cny_per_t") is None:
        yield Paragraph(_("Without a ceiling price the prices at higher terminal prices have no limit."), "note")


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
    note = _("The total is proven, and its split by year is not.") if len(table) > 1 else ""
    shown = table_of(table, list(table), _("Unmet demand"), note=note)
    yield Section("unmet", _("What is missing"), (*figure(run, "unmet"), shown, Paragraph(text)))
