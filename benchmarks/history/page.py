"""The page ``history.md`` from the figures of ``history.json``."""

from __future__ import annotations

from typing import Any

from benchmarks.history.balance import CLASSES, LOAD_SHARES, NOT_PUBLISHED, OFFICIAL, YEARS
from benchmarks.history.prices import BASE, BIOMASS_FROM, CASES, MARKET, STOCKS_MT, bars, grid_key
from benchmarks.history.prices import LOAD_SHARES as GRID_SHARES
from benchmarks.history.text import FACTS, TEXT
from benchmarks.reporting import provenance, table
from instances.draw_power import SHIPPED

SHOWN = ("2025", "2026", "2030", "2035")


def of_years(found: dict[str, Any]) -> str:
    """Return the table of the years beside official figures."""
    rows = []
    for year in YEARS:
        one, official = found[str(year)], OFFICIAL.get(year)
        stated = official.cells() if official else 4 * (NOT_PUBLISHED,)
        verified, short = one["verified_mt"], one["gap_mt"]
        computed = (f"{verified:,.0f}", f"{verified - short:,.0f}", f"{short:.0f}", f"{one['gap_percent']:.2f}")
        pairs = zip(stated, computed, strict=True)
        cells = (cell for pair in pairs for cell in pair)
        rows.append((str(year), official.mark if official else "", *cells, "yes" if one["certified"] else "no"))
    names = ("verified [Mt]", "allowances [Mt]", "gap [Mt]", "gap [%]")
    head = ("year", "mark", *(text for name in names for text in (f"official {name}", name)), "certified")
    return table(head, rows, ("mark",))


def of_classes(found: dict[str, Any]) -> str:
    """Return the table of the gaps of each class."""
    rows = [
        (label, *(f"{found[str(year)]['class_gap_percent'][name]:.2f}" for year in YEARS))
        for name, label in CLASSES.items()
    ]
    return table(("class", *map(str, YEARS)), rows)


def of_deficits(found: dict[str, Any]) -> str:
    """Return the table of deficits and of the owners that are short."""
    rows = []
    for year in YEARS:
        one = found[str(year)]
        share = f"{100 * one['short'] / one['owners']:.0f}"
        rows.append((str(year), f"{one['owners']:,}", f"{one['short']:,}", share, f"{one['deficits_mt']:.0f}"))
    return table(("year", "owners", "short", "short [%]", "deficits [Mt]"), rows)


def of_loads(loads: dict[str, Any]) -> str:
    """Return the table of the gaps by load share."""
    rows = [
        (share, *(f"{found[str(year)]['gap_percent']:.2f}".replace("-0.00", "0.00") for year in YEARS))
        for share, found in loads.items()
    ]
    return table(("load share", *map(str, YEARS)), rows)


def marked(price: float, text: str) -> str:
    """Return a price with a star if biomass sets it."""
    return f"{text}*" if price > BIOMASS_FROM else text


def of_prices(found: dict[str, Any]) -> str:
    """Return the table of prices with one assumption changed at a time, widest first, the market's own on top."""
    market = [(f"**the market's own, {when}**", "", f"**{price:.1f}**", *5 * ("",)) for when, price in MARKET.items()]
    keys = [BASE, *(key for _, of_assumption in bars(found) for key in of_assumption)]
    rows = []
    for key in keys:
        one, case = found[key], CASES[key]
        prices = [one["prices"][year] for year in SHOWN]
        set_by = one["lines"][0].removeprefix("Prices are set by: ").rstrip(".")
        limit = f"{one['unchanged_up_to_cny_per_t']:,.0f}"
        cells = (marked(price, f"{price:,.1f}") for price in prices)
        rows.append((case.about or case.value, case.value if case.about else "", *cells, set_by, limit))
    head = ("assumption (shipped)", "here", *SHOWN, "set by", "independent up to [CNY/t]")
    return table(head, [*market, *rows], ("here", "set by"))


def of_grid(found: dict[str, Any]) -> str:
    """Return the table of the price of 2025 by load share and opening stock."""
    prices = {
        (share, stock): found[grid_key(share, stock)]["prices"]["2025"] for share in GRID_SHARES for stock in STOCKS_MT
    }
    rows = [
        (f"{share:.1f}", *(marked(prices[share, stock], f"{prices[share, stock]:,.1f}") for stock in STOCKS_MT))
        for share in GRID_SHARES
    ]
    return table(("load share", *(f"{stock} Mt" for stock in STOCKS_MT)), rows)


def page(content: dict[str, Any]) -> str:
    """Return the page from the figures of both parts."""
    loads, prices = content["balance"]["loads"], content["prices"]
    found = loads[f"{SHIPPED.load_share:.1f}"]
    statuses = {one["status"] for one in prices.values()}
    proven = statuses <= {"certified_optimal", "certified_gap"} and not any(
        one["violations"] for one in prices.values()
    )
    return TEXT.format(
        goal="Met." if 0.35 < found["2023"]["gap_percent"] < 0.65 else "Missed.",
        years=of_years(found),
        classes=of_classes(found),
        deficits=of_deficits(found),
        loads=of_loads(loads),
        prices=of_prices(prices),
        grid=of_grid(prices),
        facts=table(("fact", "source", "in the model"), FACTS, ("source", "in the model")),
        proven="Every solve is certified within 1e-4 of its cost." if proven else "Not every solve is certified.",
        biomass=f"{BIOMASS_FROM:.0f}",
        provenance=provenance(content["machine"], content["versions"]),
        balances=len(LOAD_SHARES) * len(YEARS),
        balances_s=content["balance"]["cpu_s"],
        paths=len(prices),
        paths_s=sum(one["cpu_s"] for one in prices.values()),
    )
