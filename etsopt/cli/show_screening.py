"""Findings of screening on a terminal: rules with findings, and the largest of these."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.table import Table

from etsopt.accounting.screening import KINDS
from etsopt.accounting.vocabulary import ITEMS
from etsopt.cli.fitting import FittingTable
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console

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
        console.print(Text(f"  Source: {row.source}."))
        if row.thresholds:
            console.print(Text(f"  Thresholds: {row.thresholds}"))
    console.print(Text("\nReplace a threshold by --set RULE.KEY=VALUE."))
    return 0


def screening(found: Screening, chinese: bool) -> None:
    """Print the numbers of findings by rule, and the largest findings."""
    console = plain_console()
    months, flagged, count = len(found.accounts.unit_months), len(found.unit_months), len(found.findings)
    title = f"{count:,} findings in {flagged:,} unit-months; {months:,} unit-months are reported"
    if chinese:
        title = f"{flagged:,} 个单元月共有 {count:,} 项问题（已报告 {months:,} 个单元月）"
    console.print(Text(title + "\n", style="bold"))
    if not count:
        return
    console.print(_rules(found, chinese))
    console.print(_largest(found, chinese))
    if count > SHOWN:
        rest = f"{count - SHOWN:,} smaller findings are not shown: --out DIR writes all."
        console.print(Text(f"另有 {count - SHOWN:,} 项较小问题未显示，--out DIR 可写出全部。" if chinese else rest))


def _rules(found: Screening, chinese: bool) -> Table:
    heads = ("", "检查类型", "问题数") if chinese else ("", "kind", "findings")
    table = new_table("规则" if chinese else "Rules", *heads)
    for row in found.rules[found.rules["findings"] > 0].itertuples():
        table.add_row(*map(Text, (row.rule, KINDS[row.kind] if chinese else row.kind, f"{row.findings:,}")))
    return table


def _largest(found: Screening, chinese: bool) -> Table:
    table = FittingTable(lines=False)
    heads = (
        ("单元", "月份", "tCO2e", "规则、项目、理由") if chinese else ("unit", "month", "tCO2e", "rule, item, reason")
    )
    for head in heads:
        table.add_column(head, justify="right" if head == "tCO2e" else "left")
    for row in found.findings.head(SHOWN).itertuples():
        item = ITEMS[row.item].chinese if chinese and row.item in ITEMS else row.item
        words = f"{row.rule}{f', {item}' if item else ''}: {row.reason_zh if chinese else row.reason}"
        table.add_row(*map(Text, (row.unit_id, row.month, f"{row.size_t:,.0f}", words)))
    return table
