"""Accounts of monthly reports on a terminal: units, sectors, gases, and the factors that need a second look."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
from rich.table import Table

from etsopt.cli.fitting import FittingTable
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console, short_figure
from etsopt.data.tables.provinces import name_of
from etsopt.language import _, pgettext
from etsopt.scales import size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.accounting import Accounts, Reports

UNITS_SHOWN = 20

REMARKS = {
    "C": _(
        "{count} of {factors} factors have confidence C (one secondary source, or recalled), behind {share:.1%} of the "
        "emissions: {names}."
    ),
    "stated": _(
        "{count} of {factors} factors are stated in place of the official ones, behind {share:.1%} of the emissions: "
        "{names}."
    ),
}
"""Remarks on factors by their confidence."""


def factors(table: pd.DataFrame, as_json: bool) -> int:
    """Print all factors with value, unit, source and confidence; return the exit code."""
    if as_json:
        print(json.dumps(table.to_dict("records"), ensure_ascii=False))
        return 0
    console = plain_console()
    sources = list(dict.fromkeys(table["source"]))
    shown = FittingTable(lines=False)
    for head in ("factor", "value", "unit", "source"):
        shown.add_column(head)
    for row in table.itertuples():
        official = "" if row.value == row.official else _(" (official {value})", value=row.official)
        mark = f"{row.confidence} [{sources.index(row.source) + 1}]"
        shown.add_row(*map(Text, (row.factor, f"{row.value}{official}", row.unit, mark)))
    console.print(shown)
    console.print(Text(_("\nReplace one by --set KEY=VALUE, or under [accounting] in accounting.toml.\n")))
    for number, source in enumerate(sources, 1):
        console.print(Text(f"[{number}] {source}."))
    return 0


def accounts(reports: Reports, found: Accounts) -> None:
    """Print the emissions of units or sectors by year, of gases, and what limits their confidence."""
    console = plain_console()
    months = found.unit_months["month"]
    replaced = int((~reports.current).sum())
    title = _(
        "{rows:,} rows of {units:,} units, {first} to {last}",
        rows=len(reports.rows),
        units=found.unit_years["unit_id"].nunique(),
        first=months.min(),
        last=months.max(),
    )
    if replaced:
        title = _("{rows_of_units}, {replaced:,} replaced by a later version", rows_of_units=title, replaced=replaced)
    console.print(Text(title + "\n", style="bold"))
    if len(found.unit_years) <= UNITS_SHOWN:
        console.print(_units(found))
    console.print(_sectors(found))
    for line in _remarks(found):
        console.print(Text(line))


def _units(found: Accounts) -> Table:
    heads = (_("year"), _("months"), _("emissions\n[tCO2e]"), _("output\n[t]"), _("intensity\n[t/t]"), _("factors"))
    table = new_table(_("Units"), "", *heads)
    for row in found.unit_years.itertuples():
        intensity = "-" if pd.isna(row.intensity) else f"{row.intensity:.4f}"
        cells = (row.unit_id, str(row.year), str(row.months), f"{row.emissions_tco2e:,.2f}", f"{row.output_t:,.2f}")
        table.add_row(*map(Text, (*cells, intensity, row.confidence)))
    return table


def _sectors(found: Accounts) -> Table:
    """Return emissions of sectors by year and gas; the intensity is that of all units together."""
    gases = ("CO2", "CF4", "C2F6")
    amounts = (_("emissions\n[Mt]"), *(_("{gas}\n[Mt]", gas=gas) for gas in gases))
    heads = (_("year"), pgettext("results", "units"), *amounts, _("intensity\n[t/t]"))
    table = new_table(_("Sectors"), "", *heads)
    units = found.unit_years
    by_gas = found.annual.pivot_table("emissions_tco2e", ["sector", "year"], "gas", "sum")
    for (sector, year), own in units.groupby(["sector", "year"]):
        # A gas that the sector does not emit has no figure.
        of_gas = [by_gas.loc[(sector, year)].get(gas, float("nan")) for gas in gases]
        output = own["intensity_output_t"].sum()
        intensity = f"{own['intensity_emissions_tco2e'].sum() / output:.4f}" if output > 0 else "-"
        shown = [short_figure(amount / size_of("Mt")) for amount in (own["emissions_tco2e"].sum(), *of_gas)]
        table.add_row(*map(Text, (name_of(sector), str(year), f"{len(own):,}", *shown, intensity)))
    return table


def _remarks(found: Accounts) -> Iterator[str]:
    """Yield a sentence on uncertain and stated factors, and on incomplete years."""
    used = found.factors
    total = found.lines["emissions_tco2e"].abs().sum()
    for mark, text in REMARKS.items():
        keys = used["factor"][used["confidence"] == mark].tolist()
        if keys:
            own = found.lines["confidence"] == mark
            share = found.lines["emissions_tco2e"].abs()[own].sum() / total if total else 0.0
            yield _(text, count=len(keys), factors=len(used), share=share, names=_grouped(keys))
    short = int((found.unit_years["months"] < 12).sum())
    if short:
        yield _("{short:,} years of units have fewer than 12 months.", short=short)


def _grouped(keys: list[str]) -> str:
    """Return keys by their first parts, with the number of those that share them."""
    rooms = Counter(f"{'.'.join(key.split('.')[:2])}.*" if key.count(".") > 1 else key for key in keys)
    return ", ".join(f"{room} ({count})" if room.endswith("*") else room for room, count in rooms.items())
