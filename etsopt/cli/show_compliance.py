"""A compliance year on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table
from etsopt.language import _, joined
from etsopt.results.notices import covers_nation
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from etsopt.results.results import Results

ROWS_SHOWN = 8

LINES = (
    (_("obligation"), "obligation_t"),
    (_("  allowances surrendered"), "surrendered_t"),
    (_("  offsets"), "offset_t"),
    (_("  shortfall"), "shortfall_t"),
    (_("opening holdings"), "opening_t"),
    (_("carried over"), "carried_over_t"),
    (_("issued"), "issued_t"),
    (_("bought"), "bought_t"),
    (_("sold"), "sold_t"),
    (_("cancelled"), "cancelled_t"),
    (_("closing holdings"), "closing_t"),
)


def compliance(console: Console, results: Results) -> None:
    """Print the totals, and the enterprises with a shortfall."""
    console.print(_nation(results))
    _shortfalls(console, results)


def _nation(results: Results) -> Table:
    """Return the whole obligation, surrender, holdings and trades."""
    whole = _("National totals") if covers_nation(results.provenance) else _("Totals of this table")
    table = new_table(whole, "", "[t]")
    nation = results.tables["nation"].iloc[0]
    for label, column in LINES:
        table.add_row(Text(_(label)), Text(format_tonnes(float(nation[column]))))
    table.add_section()
    # The objective `cost` is the last line: a kept allowance counts with its worth.
    cost, worth = float(nation["cost_cny"]), float(nation["kept_worth_cny"])
    for label, amount in (
        (_("net cost"), cost),
        (_("worth of kept allowances"), worth),
        (_("net cost less worth"), cost - worth),
    ):
        table.add_row(Text(_("{label} [CNY]", label=label)), Text(f"{amount:,.0f}"))
    return table


def _shortfalls(console: Console, results: Results) -> None:
    """Print the enterprises with a shortfall, the largest first."""
    nation, short = results.tables["nation"].iloc[0], results.tables["shortfalls"]
    risk = int(nation["enterprises_at_risk"])
    counts = _(
        "{enterprises:,} enterprises, {risk:,} at risk, {count:,} with a shortfall",
        enterprises=int(nation["enterprises"]),
        risk=risk,
        count=len(short),
    )
    names = [f"{row.enterprise_id} {format_tonnes(row.shortfall_t)} t" for row in short.head(ROWS_SHOWN).itertuples()]
    more = _(" and {count} more", count=len(short) - ROWS_SHOWN) if len(short) > ROWS_SHOWN else ""
    shown = _(": {names}", names=joined(names) + more) if names else ""
    console.print(Text(_("{counts}{names}.\n", counts=counts, names=shown)))
