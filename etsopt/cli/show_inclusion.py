"""The list of a year on a terminal: sectors, entities near the threshold, and those that are not on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.inclusion import NEAR
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console, short_figure
from etsopt.data.tables.provinces import name_of
from etsopt.language import _, pgettext
from etsopt.scales import size_of
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from etsopt.accounting import Inclusion

ENTITIES_SHOWN = 20


def inclusion(found: Inclusion, year_of_tables: int | None) -> None:
    """Print the sectors of a list, then entities near the line, then those outside by reason."""
    console = plain_console()
    year = found.emissions_year if found.emissions_year is not None else year_of_tables
    threshold = format_tonnes(found.threshold_tco2e)
    text = _("List of {year}: stated emissions, at least {threshold} tCO2e a year\n")
    if year:
        text = _("List of {year}: emissions of {emissions_year}, at least {threshold} tCO2e a year\n")
    console.print(Text(_(text, year=found.year, emissions_year=year, threshold=threshold), style="bold"))
    console.print(_sectors(found))
    entities = found.entities
    near = _("Within {near:.0%} of the line", near=NEAR)
    shown = ((near, entities[entities["near"]]), (_("Not on the list"), entities[~entities["listed"]]))
    for title, rows in shown:
        if len(rows):
            console.print(_entities(title, rows))
            more = len(rows) - ENTITIES_SHOWN
            if more > 0:
                console.print(Text(_("And {more:,} more.\n", more=more)))
    short = int(((entities["months"] > 0) & (entities["months"] < 12)).sum())
    if short:
        text = _("{short:,} entities have fewer than 12 months of reports: their emissions are not those of a year.")
        console.print(Text(_(text, short=short)))
    if year_of_tables is not None:
        text = _("An instance states no activities: units of steel count as long process, lines as Portland clinker.")
        console.print(Text(text))


def _sectors(found: Inclusion) -> Table:
    counts = (_("listed"), _("not\nlisted"), _("near"))
    if_near = (_("if near\nleave [Mt]"), _("if near\njoin [Mt]"))
    before = _("{year} scope\n[Mt]", year=found.year - 1)
    table = new_table(_("Sectors"), "", *counts, _("listed\n[Mt]"), *if_near, before)
    amounts = ("listed", "without_near", "with_near", "scope_of_year_before")
    for row in found.sectors.itertuples():
        numbers = [f"{getattr(row, count):,}" for count in ("listed", "not_listed", "near")]
        values = [short_figure(getattr(row, f"{amount}_tco2e") / size_of("Mt")) for amount in amounts]
        table.add_row(*map(Text, (name_of(row.sector), *numbers, *values)))
    return table


def _entities(title: str, rows: pd.DataFrame) -> Table:
    """Return the entities nearest to the threshold first."""
    heads = (_("sector"), _("emissions\n[tCO2e]"), _("from the\nline"), pgettext("account", "reason"))
    table = new_table(title, "", *heads)
    order = rows["margin_tco2e"].abs().sort_values(kind="stable").index[:ENTITIES_SHOWN]
    for row in rows.loc[order].itertuples():
        unknown = row.reason == "emissions unknown"
        amount = "-" if unknown else format_tonnes(row.emissions_tco2e)
        margin = "-" if unknown else format_rate(row.margin_rate)
        words = (name_of(row.sector), amount, margin, pgettext("reason", row.reason))
        table.add_row(*map(Text, (row.entity_id, *words)))
    return table
