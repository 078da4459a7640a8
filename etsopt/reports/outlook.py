"""Sections of an outlook: prices by the form of the free part, what they hang on, emissions and products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.language import _, chain, joined, pgettext
from etsopt.presenting.documents.columns import heading, table_of
from etsopt.presenting.documents.document import Column, Paragraph, Section, Table, noted
from etsopt.presenting.documents.quantities import NAME, PRICE, RATE, amount, per_tonne, rate
from etsopt.reports.run import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.presenting.documents.document import Block
    from etsopt.reports.run import Run

EVERY = 5
"""Years between those that a table shows, beside the first."""

FORMS = {"fixed": pgettext("free part", "free part fixed"), "output": pgettext("free part", "free part by output")}
CASES = {
    "no cap": pgettext("case", "benchmarks, no cap"),
    "terminal price 0": pgettext("case", "terminal price 0"),
    "high terminal price": pgettext("case", "highest terminal price"),
}
"""Cases beside the two forms, in words."""

EMITTED = ("year", "emissions_tco2e", "cap_t", "offset_t", "banked_t", "auctioned_t", "revenue_cny")
OF_ELECTRICITY = {
    "demand_at_reference_t": "demand_at_reference_mwh",
    "demand_t": "demand_mwh",
    "output_t": "output_mwh",
    "product_price_cny_per_t": "product_price_cny_per_mwh",
}
"""Columns of sectors whose figures are of MWh in the rows of electricity, and their names there."""

AMOUNTS = ("demand_at_reference_t", "demand_t", "product_price_cny_per_t")
MADE = ("sector", "year", *AMOUNTS, *(OF_ELECTRICITY[name] for name in AMOUNTS), "emissions_tco2e")
"""Columns of products, of which each table has those of its unit."""

CAPTIONS = {
    "outlook_sectors": _("Demand and price of products"),
    "outlook_electricity": _("Demand and price of electricity"),
}
"""Of the tables of each unit."""

EXACT_SHARE = 1e-6
"""Distance of auctioned shares from those of the policy that is none."""


def words_of(case: str, free_part: str) -> str:
    """Return a case in words: by its form, if the cap holds at the policy's terminal price."""
    return str(CASES.get(case, FORMS[free_part]))


def prices_by_case(run: Run) -> pd.DataFrame:
    """Return the price of each year by case [CNY/t], the policy's own first."""
    years = run.tables["outlook_years"]
    prices = years.pivot_table(index="year", columns="case", values="price_cny_per_t", sort=False)
    last = (run.policy.get("outlook") or {}).get("report_until") or int(years["year"].max())
    found: pd.DataFrame = prices.loc[prices.index <= last]
    return found


def shown_years(run: Run) -> list[int]:
    """Return the first year, every fifth of the calendar, and the last that counts as an answer."""
    years = prices_by_case(run).index.tolist()
    return [year for year in years if year in (years[0], years[-1]) or year % EVERY == 0]


def by_unit(sectors: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of products in tonnes, and those of electricity in MWh with the names of its columns."""
    of_power = sectors["sector"] == "power"
    found = {
        "outlook_sectors": sectors[~of_power],
        "outlook_electricity": sectors[of_power].rename(columns=OF_ELECTRICITY),
    }
    return {name: table for name, table in found.items() if len(table)}


def compared_tables(run: Run) -> dict[str, pd.DataFrame]:
    """Return prices by case, and products and electricity of the policy's own, of the years that a table shows."""
    if not len(run.tables.get("outlook", ())):
        return {}
    shown, forms = shown_years(run), run.tables["outlook"].set_index("case")["free_part"]
    years, sectors = (
        table[table["year"].isin(shown)]
        for table in (run.tables[name] for name in ("outlook_years", "outlook_sectors"))
    )
    # The own form of one policy may be the other form of the other.
    years = years.assign(case=[words_of(case, str(forms[case])) for case in years["case"]])
    return {"outlook_years": years, **by_unit(sectors[sectors["case"] == "policy"])}


def level_sentence(run: Run) -> str:
    """Return that the level of the prices is not validated, beside the market's own price if the policy states it."""
    own = run.tables["outlook_years"].query("case == 'policy'")
    observed = own.dropna(subset=["observed_price_cny_per_t"])
    if not len(observed):
        return _("The level of these prices is not validated: no observed price is stated.")
    year, price = int(observed["year"].iloc[0]), float(observed["observed_price_cny_per_t"].iloc[0])
    at = prices_by_case(run).loc[year]
    forms = [case for case in at.index if case in ("policy", "other form")]
    between = len(forms) > 1 and at[forms].min() <= price <= at[forms].max()
    text = (
        _("The level of these prices is not validated: the market's own {observed} of {year} lies between {forms}.")
        if between
        else _("The level of these prices is not validated: the market's own {observed} of {year} is beside {forms}.")
    )
    named = chain(_priced(run, year, forms), pgettext("list", "{first} and {second}"))
    return _(text, observed=per_tonne(price), year=year, forms=named)


def answer_of(run: Run) -> str:
    """Return the answer: the level is not validated; prices ten years on, and the peak with and without the cap."""
    prices, cases = prices_by_case(run), run.tables["outlook"].set_index("case")
    year = int(prices.index[min(10, len(prices) - 1)])
    peak = _("Emissions are largest in {year}", year=int(cases["peak_year"].iloc[0]))
    if "no cap" in cases.index:
        peak = _("{peak}, without the cap in {other}", peak=peak, other=int(cases.loc["no cap", "peak_year"]))
    return _(
        "{level} In {year} an allowance costs {prices}. {peak}.",
        level=level_sentence(run),
        year=year,
        prices=joined(_priced(run, year, list(prices))),
        peak=peak,
    )


def _priced(run: Run, year: int, names: Sequence[str]) -> list[str]:
    """Return the prices of some cases in a year, each with its words."""
    at, forms = prices_by_case(run).loc[year], run.tables["outlook"].set_index("case")["free_part"]
    return [noted(per_tonne(float(at[name])), words_of(name, str(forms[name]))) for name in names]


def outlook(run: Run) -> Iterator[Section]:
    """Yield prices by case with what they hang on, emissions beside the cap, and products."""
    if not len(run.tables.get("outlook", ())):
        return
    blocks: list[Block] = [*figure(run, "outlook"), _prices(run)]
    blocks += [Paragraph(text) for text in _what_prices_hang_on(run)]
    yield Section("outlook", _("Prices of one cap by the form of its free part"), tuple(blocks))
    years, sectors = (run.tables[name].query("case == 'policy'") for name in ("outlook_years", "outlook_sectors"))
    shown = shown_years(run)
    of_shown_years = years[years["year"].isin(shown)].dropna(axis=1, how="all")
    emitted = table_of(
        of_shown_years, [name for name in EMITTED if name in of_shown_years], _("Emissions, allowances and auctions")
    )
    yield Section("outlook-emissions", _("Emissions"), (emitted, Paragraph(_peaks(run))))
    ends = [year for year in shown if year in (shown[0], shown[-1]) or year % (2 * EVERY) == 0]
    made = sectors[sectors["year"].isin(ends)]
    note = _("The price is that of the last supply; demand without a carbon price is at its reference cost.")
    tables = (table_of(table, MADE, CAPTIONS[name], note=note, key=name) for name, table in by_unit(made).items())
    yield Section("outlook-products", _("Products"), tuple(tables))


def _prices(run: Run) -> Table:
    prices, cases = prices_by_case(run).loc[shown_years(run)], run.tables["outlook"].set_index("case")
    tied = run.tables["outlook_years"].query("case == 'policy'").set_index("year")["tied_to_year"]
    columns = [
        Column(heading("year"), NAME, 1),
        *(Column(words_of(case, cases.loc[case, "free_part"]), PRICE, 1) for case in prices),
    ]
    columns.append(Column(_("tied to"), NAME, 2))
    rows = [[year, *row, int(tied[year])] for year, row in zip(prices.index, prices.to_numpy().tolist(), strict=True)]
    if {"terminal price 0", "high terminal price"} & set(prices):
        low, high = (
            prices.get(name, prices["policy"]).to_numpy() for name in ("terminal price 0", "high terminal price")
        )
        share = 1 - np.divide(low, high, out=np.ones(len(low)), where=high > 0)
        columns.append(Column(heading("explained_share"), RATE, 2))
        rows = [[*row, one] for row, one in zip(rows, share.tolist(), strict=True)]
    note = _(
        "Tied to: the last year that an unbroken bank ties the price to; until then it grows by the discount rate."
    )
    return Table(_("Price of an allowance"), tuple(columns), tuple(map(tuple, rows)), note=note)


def _what_prices_hang_on(run: Run) -> Iterator[str]:
    cases = run.tables["outlook"].set_index("case")
    if not {"terminal price 0", "high terminal price"} & set(cases.index):
        yield _("No allowance is kept after the last year, so no terminal price moves any of these prices.")
    if "other form" not in cases.index:
        return
    yield _(
        "Today the plans give power allowances by benchmarks on its output, and industry its emissions. For the cap "
        "the opinions of 25 August 2025 say free and paid allocation, and not whether the free part follows output. "
        "If it does, a tonne more of output earns its benchmark, buyers see little of the carbon price, and the same "
        "cap costs more."
    )
    by_output = cases[(cases["free_part"] == "output") & cases["capped"]].iloc[0]
    if by_output["auctioned_share_off"] > EXACT_SHARE:
        yield _(
            "With a free part by output each price is proven for the benchmarks that the table states, at which "
            "allowances miss the cap by {missed}. The shares that are auctioned then are off those of the policy by up "
            "to {off}: no list of sources meets them exactly, and other benchmarks as near may have other prices.",
            missed=amount(float(by_output["cap_missed_t"]), "t"),
            off=rate(float(by_output["auctioned_share_off"])),
        )


def _peaks(run: Run) -> str:
    cases = run.tables["outlook"].set_index("case")
    own = cases.iloc[0]
    text = _(
        "Most is emitted in {year}: {emissions}.",
        year=int(own["peak_year"]),
        emissions=amount(float(own["peak_emissions_tco2e"]), "t"),
    )
    if "no cap" not in cases.index:
        return text
    without = cases.loc["no cap"]
    return _(
        "{text} Without the cap it would be in {year}: {emissions}; a peak under a cap is partly the cap's own.",
        text=text, year=int(without["peak_year"]), emissions=amount(float(without["peak_emissions_tco2e"]), "t"),
    )  # fmt: skip
