"""The review on a terminal: its state, findings, the history of items, and annual emissions with their status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.chinese import in_words, one_reason
from etsopt.accounting.review.words import STATUSES, VERIFIED
from etsopt.cli.shown import Text
from etsopt.cli.tables import table_of
from etsopt.cli.terminal import plain_console
from etsopt.language import _, ngettext
from etsopt.scales import size_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from rich.console import Console

    from etsopt.accounting import Review, Verification

SHOWN = 20


def _table(console: Console, table: pd.DataFrame, title: str, short: Mapping[str, str] | None = None) -> None:
    """Print the first rows of a table, and the number of those that are not shown.

    Parameters
    ----------
    short
        Shorter English headings by column; Chinese headings are short.
    """
    console.print(table_of(in_words(table).rename(columns=short or {}), title, SHOWN))
    if len(table) > SHOWN:
        rest = len(table) - SHOWN
        console.print(Text(_("{rest:,} more rows.", rest=rest)))
    console.print()


def status(state: Review) -> None:
    """Print the numbers of items by status, first-pass rates, late months and enterprises at risk."""
    console = plain_console()
    late = int((state.months["filing"] == "late").sum())
    unknown = int((state.months["filing"] == "unknown").sum())
    text = _("{items:,} items of {months:,} unit-months; {late:,} filed late")
    title = _(text, items=len(state.items), months=len(state.months), late=late)
    if unknown:
        title = _("{items_and_months}, {unknown:,} without a day of filing", items_and_months=title, unknown=unknown)
    console.print(Text(title + "\n", style="bold"))
    short = {f"items_{name}": name for name in STATUSES} | {"items_with_open_findings": "with open findings"}
    _table(console, state.statuses, _("Items by province and status"), short)
    rates = state.rates.assign(first_pass_rate=[_share(rate) for rate in state.rates["first_pass_rate"]])
    short = {"items_decided": "decided", "items_first_pass": "first pass"}
    _table(console, rates, _("First pass and open findings"), short)
    if len(state.at_risk):
        _table(console, state.at_risk, _("Enterprises at risk"))


def _share(rate: float) -> str:
    return "" if rate != rate else f"{rate:.1%}"


def findings(table: pd.DataFrame) -> None:
    """Print findings."""
    shown = one_reason(table)[["finding", "open", "level", "unit_id", "month", "item", "size_t", "reason"]]
    title = ngettext("{count:,} finding", "{count:,} findings", len(table))
    _table(plain_console(), shown, title, {"finding": "no."})


def history(table: pd.DataFrame) -> None:
    """Print versions and decisions in the order of the journal."""
    shown = table.assign(item=[" ".join(filter(None, row)) for row in table[["item", "flow", "batch"]].to_numpy()])
    columns = ["entry", "event", "level", "who", "item", "version", "quantity", "finding", "reason"]
    plain_console().print(table_of(in_words(shown[columns]), _("History")))


def verified(found: Verification) -> None:
    """Print the units of a year with status and emissions."""
    console = plain_console()
    units = found.units
    done = units["status"] == VERIFIED
    total, settled = units["accounted_emissions_tco2e"].sum(), units["verified_emissions_tco2e"].sum()
    title = _(
        "{year}: {verified:,} of {units:,} units verified, {verified_mt:,.3f} of {accounted_mt:,.3f} Mt accounted\n",
        year=found.year,
        verified=int(done.sum()),
        units=len(units),
        verified_mt=settled / size_of("Mt"),
        accounted_mt=total / size_of("Mt"),
    )
    console.print(Text(title, style="bold"))
    columns = ["unit_id", "status", "items", "items_national", "open_findings"]
    shown = units[[*columns, "accounted_emissions_tco2e", "verified_emissions_tco2e"]]
    _table(console, shown, _("Units"), {"unit_id": "unit", "items_national": "national", "open_findings": "open"})
