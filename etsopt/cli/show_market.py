"""Markets on a terminal: years, measures, and unmet demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, scale_of, short_figure
from etsopt.language import _, gettext, in_brackets, joined
from etsopt.results.prices import has_price, open_balance
from etsopt.scales import size_of
from etsopt.units import format_tonnes
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from etsopt.results.results import Results

MEASURES_SHOWN = 12

SAME_PRICE = 1e-6
"""Relative difference below which two prices count as equal."""


def market(console: Console, results: Results) -> None:
    """Print prices, emissions, allowances and costs of every year, and the measures of the last year."""
    years = results.tables["years"]
    priced, unbalanced = has_price(results.tables), open_balance(results.tables)
    console.print(_prices(years, priced))
    if priced and "closure" in results.tables:
        for line in closure(results.tables["closure"]):
            console.print(Text(line))
        console.print()
    if priced and "terminal_prices" in results.tables:
        terminal_prices(console, results)
    if unbalanced is not None:
        console.print(Text(_open_balance(unbalanced)))
    if not priced:
        console.print(Text(_("No price is shown: at other balance values it would be another.\n")))
    console.print(_quantities(years))
    if "lapsed_t" in years and (lapsed := years["lapsed_t"].sum()) > 0.5:
        template = _("{lapsed} t lapse, since they may not be banked.\n")
        console.print(Text(_(template, lapsed=format_tonnes(lapsed))))
    console.print(_measures(results))


def _prices(years: pd.DataFrame, priced: bool) -> Table:
    """Return prices and costs of each year; without a price the costs that do not depend on it."""
    costs = _("resource cost\n[CNY million]"), _("of which\nmeasures")
    if not priced:
        table = new_table(_("Costs"), _("year"), *costs)
        for row in years.to_dict("records"):
            cells = (_millions(row[name]) for name in ("resource_cost_cny", "measures_cost_cny"))
            table.add_row(*map(Text, (str(row["year"]), *cells)))
        return table
    title = _(
        "Allowance price [{unit}]: {obtained}",
        unit=word("price_unit", years["price_unit"].iloc[0]),
        obtained=word("price_obtained", years["price_obtained"].iloc[0]),
    )
    table = new_table(title, _("year"), _("price"), _("from"), _("to"), *costs, _("transfers"))
    for row in years.to_dict("records"):
        low, high = row["price_lower_cny_per_t"], row["price_upper_cny_per_t"]
        unique = high - low <= SAME_PRICE * max(abs(high), 1.0)
        figures = [_millions(row[name]) for name in ("resource_cost_cny", "measures_cost_cny", "transfers_cny")]
        ends = ("", "") if unique else (f"{low:,.2f}", f"{high:,.2f}")
        table.add_row(*map(Text, (str(row["year"]), f"{row['price_cny_per_t']:,.2f}", *ends, *figures)))
    return table


def _millions(cost: float) -> str:
    """Return a cost in CNY million; one that rounds to zero has no sign."""
    return f"{np.round(cost / 1e6) + 0.0:,.0f}"


def closure(table: pd.DataFrame) -> list[str]:
    """Return what sets the prices, and up to which terminal price nothing changes, as sentences."""
    end = table.iloc[-1]
    terminal, most = end["terminal_price_cny_per_t"], end["unchanged_up_to_cny_per_t"]
    size, unit = scale_of(end["banked_t"])
    bank = f"{short_figure(end['banked_t'] / size)} {word('unit', unit)}"
    at_end = table.loc[table["set_by"] == "terminal price", "year"]
    any_price = table["set_by"] == "self-balancing"
    by = _("Prices are set by: {spells}.", spells=joined(_spells(table)))
    if any_price.iloc[-1]:
        line = _(
            "No scarcity: every price clears from the terminal price of {terminal:,.2f} CNY/t up, since allowances "
            "equal emissions after abatement. None is found.",
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
    if any_price.any():
        further = _(
            "In self-balancing years there is no scarcity: every price clears from the discounted price of the next "
            "year up."
        )
        line = _("{line} {further}", line=line, further=further)
    return [by, line]


def terminal_prices(console: Console, results: Results) -> None:
    """Print the price of each year at other terminal prices, and the share of it that is owed to them."""
    table = results.tables["terminal_prices"]
    unit = word("price_unit", results.tables["years"]["price_unit"].iloc[0])
    ends = [(float(terminal), rows) for terminal, rows in table.groupby("terminal_price_cny_per_t")]
    heads, cells, notes = [_("year")], [[str(year) for year in ends[0][1]["year"]]], list[str]()
    for terminal, rows in ends:
        heads.append(_("at {terminal:,.2f}", terminal=terminal))
        cells.append([_figure(price, 1.0, 2) for price in rows["price_cny_per_t"]])
        if terminal > 0:
            heads.append(_("owed to\nit [%]"))
            cells.append([_figure(share, 100.0, 0) for share in rows["explained_share"]])
        status = rows["status"].iloc[0]
        if status in OPEN_STATUS:
            template = _("At a terminal price of {terminal:,.2f} CNY/t the prices are {status}.")
            notes.append(_(template, terminal=terminal, status=gettext(status)))
    if results.provenance["policy"].get("market", {}).get("ceiling_price_cny_per_t") is None:
        notes.append(_("Without a ceiling price the prices at higher terminal prices have no limit."))
    shown = new_table(_("Price by terminal price [{unit}]", unit=unit), *heads)
    for row in zip(*cells, strict=True):
        shown.add_row(*map(Text, row))
    console.print(shown)
    for note in notes:
        console.print(Text(note))
    if notes:
        console.print()


OPEN_STATUS = (_("not certified"), _("not found"))
"""Status of prices at a terminal price whose program is not proven."""


def _figure(value: float, scale: float, decimals: int) -> str:
    """Return a number in another scale; nothing if there is none."""
    return "-" if np.isnan(value) else f"{scale * value:,.{decimals}f}"


def _open_balance(row: Mapping[str, Any]) -> str:
    """Return a sentence on balance values that do not repeat, of the sector and year farthest from its own."""
    line = _(
        "Balance values do not repeat, so the result is not certified: of {sector} in {year} allowances less emissions "
        "are {residual} t",
        sector=word("sector", row["sector"]),
        year=row["year"],
        residual=format_tonnes(row["residual_t"]),
    )
    if row["moved_t"] >= 1:
        more = _("{line}, and paid allowances are offered for {moved} t more or less than it emits")
        line = _(more, line=line, moved=format_tonnes(row["moved_t"]))
    return _("{line}.\n", line=line)


SET_BY = (
    *(
        _("self-balancing"),
        _("terminal price"),
        _("no scarcity"),
        _("outside"),
        _("ceiling"),
        _("floor"),
        _("offsets"),
        _("penalty"),
        _("abatement"),
    ),
    _("scarcity"),
)
"""What may set the price of a year."""


def _spells(table: pd.DataFrame) -> list[str]:
    """Return what sets the price in each spell of years."""
    spell = (table["set_by"] != table["set_by"].shift()).cumsum()
    spells = []
    for number in spell.unique():
        years, by = table.loc[spell == number, "year"], table.loc[spell == number, "set_by"].iloc[0]
        first, last = years.iloc[0], years.iloc[-1]
        spells.append(str(gettext(by)) + in_brackets(first if first == last else f"{first}-{last}"))
    return spells


def _quantities(years: pd.DataFrame) -> Table:
    heads = {
        "emissions_before_tco2e": _("before\nabatement"),
        "emissions_tco2e": _("emissions"),
        "allowance_t": _("allocated\nfree"),
        "auctioned_t": _("auctioned"),
        "offset_t": _("offsets"),
        "banked_t": _("banked"),
        "outstanding_t": _("out-\nstanding"),
    }
    shown = {name: head for name, head in heads.items() if name in years}
    scale, unit = scale_of(float(years["emissions_before_tco2e"].max()))
    table = new_table(_("Emissions and allowances [{unit}]", unit=word("unit", unit)), _("year"), *shown.values())
    for row in years.to_dict("records"):
        table.add_row(str(row["year"]), *(Text(short_figure(row[name] / scale)) for name in shown))
    return table


FEW_UNITS = 100
"""Number of units from which parts of one are not printed."""


def _measures(results: Results) -> Table:
    frame = results.tables["measure_years"]
    last = results.tables["years"]["year"].max()
    now = frame[frame["year"] == last].sort_values("abated_tco2e", ascending=False, kind="stable")
    more = _("; {count} more in measure_years", count=len(now) - MEASURES_SHOWN) if len(now) > MEASURES_SHOWN else ""
    title = _("Measures in {last} by abatement{more}", last=last, more=more)
    table = new_table(title, _("measure"), _("sector"), _("units"), _("abated [Mt]"), _("CNY/t abated"))
    for row in now.head(MEASURES_SHOWN).to_dict("records"):
        abated = row["abated_tco2e"]
        each = row["measures_cost_cny"] / abated if abated > 0 else np.nan
        # Steps of a measure are parts of a unit, which matter where units are few.
        units = f"{row['units']:,.{0 if row['units'] >= FEW_UNITS or row['units'] % 1 < 0.05 else 1}f}"
        cells = (
            row["measure_id"],
            word("sector", row["sector"]),
            units,
            short_figure(abated / size_of("Mt")),
            f"{each:,.1f}",
        )
        table.add_row(*map(Text, cells))
    return table


def unmet_demand(console: Console, results: Results) -> None:
    """Print the unmet demand of a market that cannot clear."""
    frame = results.tables["unmet_demand"]
    console.print(
        Text(
            _(
                "The market cannot clear: at least {total} t of demand is unmet.\n",
                total=format_tonnes(frame["unmet_t"].sum()),
            )
        )
    )
    table = new_table(_("Unmet demand at any price"), _("year"), _("unmet [t]"))
    for row in frame[frame["unmet_t"] > 0].to_dict("records"):
        table.add_row(str(row["year"]), format_tonnes(row["unmet_t"]))
    console.print(table)
    console.print(_("Auction more, reduce external demand, or set a penalty reference price."))


def equilibrium(results: Results) -> Table:
    """Return balance values, emissions and cost of measures by sector, before and after best responses."""
    frame = results.tables["equilibrium"]
    heads = (_("value\nbefore"), _("after"), _("residual\n[t]"), _("before\n[Mt]"), _("after\n[Mt]"))
    prices = frame["price_cny_per_t"]
    price = " to ".join(f"{end:,.2f}" for end in sorted({prices.min(), prices.max()}))
    title = _(
        "Balance values, emissions and cost of measures at {price} CNY/t, before and after best responses", price=price
    )
    # A line fits either the year or six decimals.
    several, million = len(frame) > frame["sector"].nunique(), size_of("Mt")
    years, decimals = ([_("year")], 4) if several else ([], 6)
    table = new_table(title, _("sector"), *years, _("fixed\npoints"), *heads, _("CNY\nmillion"))
    for row in frame.to_dict("records"):
        values = [row["balance_value_before"], row["balance_value"]]
        figures = [
            _("none") if row["status"] == "cycle" else f"{row['fixed_points']:g}",
            *(f"{value:.{decimals}f}" if np.isfinite(value) else "-" for value in values),
            format_tonnes(round(row["residual_t"], 3) + 0.0),
            *(
                f"{tonnes:,.1f}" if several else short_figure(tonnes)
                for tonnes in (row["emissions_before_tco2e"] / million, row["emissions_tco2e"] / million)
            ),
            f"{row['measures_cost_cny'] / 1e6:,.0f}",
        ]
        table.add_row(
            Text(word("sector", row["sector"])), *([f"{row['year']:g}"] if several else []), *map(Text, figures)
        )
    return table
