"""Markets on a terminal: years, measures, and unmet demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from etsopt.cli.terminal import new_table, scale_of, three_decimals
from etsopt.units import format_tonnes

if TYPE_CHECKING:
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
    console.print(_prices(years))
    if "closure" in results.tables:
        for line in closure(results.tables["closure"]):
            console.print(Text(line))
        console.print()
    if "balance_values" in results.tables and results.status == "feasible":
        console.print(*map(Text, _open_balance(results.tables["balance_values"])), sep="\n")
    console.print(_quantities(years))
    console.print(_measures(results))


def _prices(years: pd.DataFrame) -> Table:
    title = f"Allowance price [{years['price_unit'].iloc[0]}]: {years['price_obtained'].iloc[0]}"
    table = new_table(
        title, "year", "price", "from", "to", "resource cost\n[CNY million]", "of which\nmeasures", "transfers"
    )
    for row in years.to_dict("records"):
        low, high = row["price_lower_cny_per_t"], row["price_upper_cny_per_t"]
        unique = high - low <= SAME_PRICE * max(abs(high), 1.0)
        costs = [_millions(row[name]) for name in ("resource_cost_cny", "measures_cost_cny", "transfers_cny")]
        ends = ("", "") if unique else (f"{low:,.2f}", f"{high:,.2f}")
        table.add_row(*map(Text, (str(row["year"]), f"{row['price_cny_per_t']:,.2f}", *ends, *costs)))
    return table


def _millions(cost: float) -> str:
    """Return a cost in CNY million; one that rounds to zero has no sign."""
    return f"{np.round(cost / 1e6) + 0.0:,.0f}"


def closure(table: pd.DataFrame) -> list[str]:
    """Return what sets the prices, and up to which terminal price nothing changes, as sentences."""
    end = table.iloc[-1]
    terminal, most = end["terminal_price_cny_per_t"], end["unchanged_up_to_cny_per_t"]
    bank = f"bank of {three_decimals(end['banked_t'] / 1e6)} Mt"
    at_end = table.loc[table["set_by"] == "terminal price", "year"]
    any_price = table["set_by"] == "self-balancing"
    if any_price.iloc[-1]:
        line = "No scarcity: every price clears from the terminal price of "
        line += f"{terminal:,.2f} CNY/t up, since allowances equal emissions after abatement. None is found."
        return [f"Prices are set by: {', '.join(_spells(table))}.", line]
    if most == np.inf:
        line = "They are independent of the terminal price: nothing may be banked at the end."
    elif most > terminal + SAME_PRICE * max(most, 1.0):
        line = f"They are independent of the terminal price up to {most:,.2f} CNY/t."
    elif end["year"] == end["bank_empty_in"]:
        line = f"At a terminal price above {terminal:,.2f} CNY/t allowances would be banked for it."
    elif len(at_end):
        line = f"They are not independent of the terminal price, which is an assumption: a {bank} is never used; "
        line += f"from {at_end.iloc[0]} on the price is the terminal price."
    else:
        line = f"They are not independent of the terminal price, {terminal:,.2f} CNY/t: a {bank} is never used."
    if any_price.any():
        line += (
            " In self-balancing years there is no scarcity: every price clears from the discounted price of the next "
        )
        line += "year up."
    return [f"Prices are set by: {', '.join(_spells(table))}.", line]


def _open_balance(table: pd.DataFrame) -> list[str]:
    """Return a sentence on balance values that do not repeat."""
    moved = (table["emissions_tco2e"] - table["emissions_held_tco2e"]).abs()
    row = table.loc[np.maximum(table["residual_t"].abs(), moved).idxmax()]
    line = f"Balance values do not repeat, so the result is not certified: of {row['sector']} in {row['year']} "
    line += f"allowances less emissions are {format_tonnes(row['residual_t'])} t"
    if moved[row.name] >= 1:
        line += f", and paid allowances are offered for {format_tonnes(moved[row.name])} t more or less than it emits"
    return [f"{line}.\n"]


def _spells(table: pd.DataFrame) -> list[str]:
    """Return what sets the price in each spell of years."""
    spell = (table["set_by"] != table["set_by"].shift()).cumsum()
    spells = []
    for _, group in table.groupby(spell, sort=True):
        first, last = group["year"].iloc[0], group["year"].iloc[-1]
        spells.append(f"{group['set_by'].iloc[0]} ({first if first == last else f'{first}-{last}'})")
    return spells


def _quantities(years: pd.DataFrame) -> Table:
    heads = {
        "emissions_before_tco2e": "before\nabatement",
        "emissions_tco2e": "emissions",
        "allowance_t": "allocated\nfree",
        "auctioned_t": "auctioned",
        "offset_t": "offsets",
        "banked_t": "banked",
        "outstanding_t": "out-\nstanding",
    }
    shown = {name: head for name, head in heads.items() if name in years}
    scale, unit = scale_of(float(years["emissions_before_tco2e"].max()))
    table = new_table(f"Emissions and allowances [{unit}]", "year", *shown.values())
    for row in years.to_dict("records"):
        table.add_row(str(row["year"]), *(Text(three_decimals(row[name] / scale)) for name in shown))
    return table


FEW_UNITS = 100
"""Number of units from which parts of one are not printed."""


def _measures(results: Results) -> Table:
    frame = results.tables["measure_years"]
    last = results.tables["years"]["year"].max()
    now = frame[frame["year"] == last].sort_values("abated_tco2e", ascending=False, kind="stable")
    more = f"; {len(now) - MEASURES_SHOWN} more in measure_years" if len(now) > MEASURES_SHOWN else ""
    title = f"Measures in {last} by abatement{more}"
    table = new_table(title, "measure", "sector", "units", "abated [Mt]", "CNY/t abated")
    for row in now.head(MEASURES_SHOWN).to_dict("records"):
        abated = row["abated_tco2e"]
        each = row["measures_cost_cny"] / abated if abated > 0 else np.nan
        # Steps of a measure are parts of a unit, which matter where units are few.
        units = f"{row['units']:,.{0 if row['units'] >= FEW_UNITS or row['units'] % 1 < 0.05 else 1}f}"
        cells = (row["measure_id"], row["sector"], units, three_decimals(abated / 1e6), f"{each:,.1f}")
        table.add_row(*map(Text, cells))
    return table


def unmet_demand(console: Console, results: Results) -> None:
    """Print the unmet demand of a market that cannot clear."""
    frame = results.tables["unmet_demand"]
    console.print(
        Text(f"The market cannot clear: at least {format_tonnes(frame['unmet_t'].sum())} t of demand is unmet.\n")
    )
    table = new_table("Unmet demand at any price", "year", "unmet [t]")
    for row in frame[frame["unmet_t"] > 0].to_dict("records"):
        table.add_row(str(row["year"]), format_tonnes(row["unmet_t"]))
    console.print(table)
    console.print("Auction more, reduce external demand, or set a penalty reference price.")


def equilibrium(results: Results) -> Table:
    """Return balance values, emissions and cost of measures by sector, before and after best responses."""
    frame = results.tables["equilibrium"]
    heads = ("value\nbefore", "after", "residual\n[t]", "before\n[Mt]", "after\n[Mt]")
    prices = frame["price_cny_per_t"]
    price = " to ".join(f"{end:,.2f}" for end in sorted({prices.min(), prices.max()}))
    title = f"Balance values, emissions and cost of measures at {price} CNY/t, before and after best responses"
    # A line fits either the year or six decimals.
    several = len(frame) > frame["sector"].nunique()
    years, decimals = (["year"], 4) if several else ([], 6)
    table = new_table(title, "sector", *years, "fixed\npoints", *heads, "CNY\nmillion")
    for row in frame.to_dict("records"):
        values = [row["balance_value_before"], row["balance_value"]]
        figures = [
            "none" if row["status"] == "cycle" else f"{row['fixed_points']:g}",
            *(f"{value:.{decimals}f}" if np.isfinite(value) else "-" for value in values),
            format_tonnes(round(row["residual_t"], 3) + 0.0),
            *(
                f"{row[name] / 1e6:,.1f}" if several else three_decimals(row[name] / 1e6)
                for name in ("emissions_before_tco2e", "emissions_tco2e")
            ),
            f"{row['measures_cost_cny'] / 1e6:,.0f}",
        ]
        table.add_row(Text(row["sector"]), *([f"{row['year']:g}"] if several else []), *map(Text, figures))
    return table
