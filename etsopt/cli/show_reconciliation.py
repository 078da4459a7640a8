"""A reconciliation on a terminal: totals, units that change most, false reports, and substitutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, short_figure
from etsopt.data.tables.provinces import name_of
from etsopt.language import _, pgettext
from etsopt.scales import size_of
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from etsopt.results.results import Results

ROWS_SHOWN = 8
ENDS = {
    "reported_tco2e": _("reported"),
    "reconciled_tco2e": pgettext("account", "reconciled"),
    "lowest_tco2e": pgettext("account", "lowest"),
    "highest_tco2e": pgettext("account", "highest"),
    "conservative_tco2e": _("conservative"),
}


def reconciliation(console: Console, results: Results) -> None:
    """Print emissions by sector and of the units that change most, the false reports, and the substitutes."""
    if "reconciliation" not in results.tables:
        return
    units, quantities = results.tables["reconciliation"], results.tables["reconciled_quantities"]
    console.print(_sectors(units))
    changed = units.assign(change=(units["reconciled_tco2e"] - units["reported_tco2e"]).abs())
    changed = changed[changed["change"] >= 1.0].sort_values("change", ascending=False, kind="stable")
    if len(changed):
        console.print(_units(changed.head(ROWS_SHOWN)))
    gross = quantities[quantities["gross_error"]]
    if len(gross):
        console.print(_gross(gross))
    console.print(Text(_sentence(units, gross) + "\n"))


def _sectors(units: pd.DataFrame) -> Table:
    sums = units.groupby("sector", sort=True)[list(ENDS)].sum()
    table = new_table(_("Emissions [Mt]"), _("sector"), *ENDS.values())
    for sector, row in sums.iterrows():
        table.add_row(Text(name_of(sector)), *(short_figure(row[name] / size_of("Mt")) for name in ENDS))
    return table


def _units(changed: pd.DataFrame) -> Table:
    names = list(ENDS)[:4]
    heads = (*(ENDS[name] for name in names), _("gross\nerrors"), _("substi-\ntuted"))
    table = new_table(_("Units that change most [tCO2e]"), pgettext("account", "unit"), *heads)
    for row in changed.to_dict("records"):
        tonnes = [f"{row[name]:,.0f}" for name in names]
        table.add_row(*map(Text, (row["unit_id"], *tonnes, f"{row['gross_reports']:g}", f"{row['substituted']:g}")))
    return table


def _gross(gross: pd.DataFrame) -> Table:
    title = _("Reports that the evidence contradicts")
    table = new_table(title, _("unit, quantity"), ENDS["reported_tco2e"], ENDS["reconciled_tco2e"])
    size = (gross["reconciled"] / gross["reported"].clip(lower=1e-9)).clip(lower=1e-9)
    order = size.where(size >= 1, 1 / size).sort_values(ascending=False, kind="stable").index
    for row in gross.loc[order[:ROWS_SHOWN]].to_dict("records"):
        values = (row["reported"], row["reconciled"])
        table.add_row(*map(Text, (f"{row['unit_id']} {row['quantity_id']}", *map(format_tonnes, values))))
    return table


def _sentence(units: pd.DataFrame, gross: pd.DataFrame) -> str:
    of_statements, substituted = int(units["gross_statements"].sum()), int(units["substituted"].sum())
    text = _("{reports:,} reports and {statements:,} other statements are gross errors.")
    errors = _(text, reports=len(gross), statements=of_statements)
    if not substituted:
        return _("{errors} Every quantity has a report.", errors=errors)
    text = _("{errors} {quantities:,} quantities of {units:,} units have no report: their values are substitutes.")
    return _(text, errors=errors, quantities=substituted, units=int((units["substituted"] > 0).sum()))
