"""A reconciliation on a terminal: totals, units that change most, false reports, and substitutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, three_decimals
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from etsopt.results.results import Results

ROWS_SHOWN = 8
ENDS = {
    "reported_tco2e": ("reported", "填报"),
    "reconciled_tco2e": ("reconciled", "协调后"),
    "lowest_tco2e": ("lowest", "最低"),
    "highest_tco2e": ("highest", "最高"),
    "conservative_tco2e": ("conservative", "保守替代"),
}


def reconciliation(console: Console, results: Results, chinese: bool = False) -> None:
    """Print emissions by sector and of the units that change most, the false reports, and the substitutes."""
    if "reconciliation" not in results.tables:
        return
    units, quantities = results.tables["reconciliation"], results.tables["reconciled_quantities"]
    console.print(_sectors(units, chinese))
    changed = units.assign(change=(units["reconciled_tco2e"] - units["reported_tco2e"]).abs())
    changed = changed[changed["change"] >= 1.0].sort_values("change", ascending=False, kind="stable")
    if len(changed):
        console.print(_units(changed.head(ROWS_SHOWN), chinese))
    gross = quantities[quantities["gross_error"]]
    if len(gross):
        console.print(_gross(gross, chinese))
    console.print(Text(_sentence(units, gross, chinese) + "\n"))


def _sectors(units: pd.DataFrame, chinese: bool) -> Table:
    sums = units.groupby("sector", sort=True)[list(ENDS)].sum()
    title = "排放量（百万吨 tCO2e）" if chinese else "Emissions [Mt]"
    table = new_table(title, "行业" if chinese else "sector", *(words[chinese] for words in ENDS.values()))
    for sector, row in sums.iterrows():
        table.add_row(str(sector), *(three_decimals(row[name] / 1e6) for name in ENDS))
    return table


def _units(changed: pd.DataFrame, chinese: bool) -> Table:
    title = "变化最大的单元（tCO2e）" if chinese else "Units that change most [tCO2e]"
    counts = ("异常数据", "替代数据") if chinese else ("gross\nerrors", "substi-\ntuted")
    names = list(ENDS)[:4]
    table = new_table(title, "单元" if chinese else "unit", *(ENDS[name][chinese] for name in names), *counts)
    for row in changed.to_dict("records"):
        tonnes = [f"{row[name]:,.0f}" for name in names]
        table.add_row(*map(Text, (row["unit_id"], *tonnes, f"{row['gross_reports']:g}", f"{row['substituted']:g}")))
    return table


def _gross(gross: pd.DataFrame, chinese: bool) -> Table:
    title = "异常的填报数据" if chinese else "Reports that the evidence contradicts"
    heads = ("填报", "协调后") if chinese else ("reported", "reconciled")
    table = new_table(title, "单元、数据" if chinese else "unit, quantity", *heads)
    size = (gross["reconciled"] / gross["reported"].clip(lower=1e-9)).clip(lower=1e-9)
    order = size.where(size >= 1, 1 / size).sort_values(ascending=False, kind="stable").index
    for row in gross.loc[order[:ROWS_SHOWN]].to_dict("records"):
        values = (row["reported"], row["reconciled"])
        table.add_row(*map(Text, (f"{row['unit_id']} {row['quantity_id']}", *map(format_tonnes, values))))
    return table


def _sentence(units: pd.DataFrame, gross: pd.DataFrame, chinese: bool) -> str:
    of_statements, substituted = int(units["gross_statements"].sum()), int(units["substituted"].sum())
    absent = int((units["substituted"] > 0).sum())
    if chinese:
        text = f"{len(gross):,} 项填报数据和 {of_statements:,} 项其他证据为异常。"
        return text + (f"{absent:,} 个单元的 {substituted:,} 项数据没有报告，其值为替代值。" if substituted else "")
    text = f"{len(gross):,} reports and {of_statements:,} other statements are gross errors."
    if not substituted:
        return f"{text} Every quantity has a report."
    return f"{text} {substituted:,} quantities of {absent:,} units have no report: their values are substitutes."
