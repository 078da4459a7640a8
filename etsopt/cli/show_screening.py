"""Findings of screening on a terminal: rules with findings, and the largest of these."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.table import Table

from etsopt.accounting.chinese import one_reason
from etsopt.cli.fitting import FittingTable
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console
from etsopt.language import _, pgettext

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.accounting import Screening

SHOWN = 20


def rules(table: pd.DataFrame, as_json: bool) -> int:
    """Print all rules with kind, meaning, thresholds and source; return the exit code."""
    if as_json:
        print(json.dumps(table.to_dict("records"), ensure_ascii=False))
        return 0
    console = plain_console()
    for row in table.itertuples():
        console.print(Text(f"{row.rule} ({row.kind})", style="bold"))
        console.print(Text(f"  {row.meaning}"))
        console.print(Text(_("  Source: {source}.", source=row.source)))
        if row.thresholds:
            console.print(Text(_("  Thresholds: {thresholds}", thresholds=row.thresholds)))
    console.print(Text(_("\nReplace a threshold by --set RULE.KEY=VALUE.")))
    return 0


def screening(found: Screening) -> None:
    """Print the numbers of findings by rule, and the largest findings."""
    console = plain_console()
    months, flagged, count = len(found.accounts.unit_months), len(found.unit_months), len(found.findings)
    text = _("{findings:,} findings in {flagged:,} unit-months; {months:,} unit-months are reported\n")
    console.print(Text(_(text, findings=count, flagged=flagged, months=months), style="bold"))
    if not count:
        return
    console.print(_rules(found))
    console.print(_largest(found))
    if count > SHOWN:
        rest = _("{count:,} smaller findings are not shown: --out DIR writes all.", count=count - SHOWN)
        console.print(Text(rest))


def _rules(found: Screening) -> Table:
    table = new_table(_("Rules"), "", pgettext("account", "kind"), pgettext("account", "findings"))
    for row in found.rules[found.rules["findings"] > 0].itertuples():
        table.add_row(*map(Text, (row.rule, pgettext("kind", row.kind), f"{row.findings:,}")))
    return table


def _largest(found: Screening) -> Table:
    table = FittingTable(lines=False)
    for head in (pgettext("account", "unit"), _("month"), "tCO2e", _("rule, item, reason")):
        table.add_column(head, justify="right" if head == "tCO2e" else "left")
    for row in one_reason(found.findings.head(SHOWN)).itertuples():
        item = f", {pgettext('item', row.item)}" if row.item else ""
        words = f"{row.rule}{item}: {row.reason}"
        table.add_row(*map(Text, (row.unit_id, row.month, f"{row.size_t:,.0f}", words)))
    return table
