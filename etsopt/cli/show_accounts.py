"""Accounts of monthly reports on a terminal: units, sectors, gases, and the factors that need a second look."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
from rich.table import Table

from etsopt.accounting.chinese import SECTORS
from etsopt.cli.fitting import FittingTable
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console, three_decimals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.accounting import Accounts, Reports

UNITS_SHOWN = 20


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
        official = "" if row.value == row.official else f" (official {row.official})"
        mark = f"{row.confidence} [{sources.index(row.source) + 1}]"
        shown.add_row(*map(Text, (row.factor, f"{row.value}{official}", row.unit, mark)))
    console.print(shown)
    console.print(Text("\nReplace one by --set KEY=VALUE, or under [accounting] in accounting.toml.\n"))
    for number, source in enumerate(sources, 1):
        console.print(Text(f"[{number}] {source}."))
    return 0


def accounts(reports: Reports, found: Accounts, chinese: bool) -> None:
    """Print the emissions of units or sectors by year, of gases, and what limits their confidence."""
    console = plain_console()
    months = found.unit_months["month"]
    replaced = int((~reports.current).sum())
    title = f"{len(reports.rows):,} rows of {found.unit_years['unit_id'].nunique():,} units, "
    title += f"{months.min()} to {months.max()}" + (f", {replaced:,} replaced by a later version" if replaced else "")
    if chinese:
        title = f"{found.unit_years['unit_id'].nunique():,} 个单元 {len(reports.rows):,} 行数据，"
        title += f"{months.min()} 至 {months.max()}" + (f"，其中 {replaced:,} 行已被后续版本替代" if replaced else "")
    console.print(Text(title + "\n", style="bold"))
    if len(found.unit_years) <= UNITS_SHOWN:
        console.print(_units(found, chinese))
    console.print(_sectors(found, chinese))
    for line in _remarks(found, chinese):
        console.print(Text(line))


def _units(found: Accounts, chinese: bool) -> Table:
    heads = ("", "year", "months", "emissions\n[tCO2e]", "output\n[t]", "intensity\n[t/t]", "factors")
    title = "Units"
    if chinese:
        title = "单元"
        heads = ("", "年度", "月数", "排放量\n[tCO2e]", "产量\n[t]", "强度\n[t/t]", "因子")
    table = new_table(title, *heads)
    for row in found.unit_years.itertuples():
        intensity = "-" if pd.isna(row.intensity) else f"{row.intensity:.4f}"
        cells = (row.unit_id, str(row.year), str(row.months), f"{row.emissions_tco2e:,.2f}", f"{row.output_t:,.2f}")
        table.add_row(*map(Text, (*cells, intensity, row.confidence)))
    return table


def _sectors(found: Accounts, chinese: bool) -> Table:
    """Return emissions of sectors by year and gas; the intensity is that of all units together."""
    heads = ("", "year", "units", "emissions\n[Mt]", "CO2\n[Mt]", "CF4\n[Mt]", "C2F6\n[Mt]", "intensity\n[t/t]")
    if chinese:
        heads = ("", "年度", "单元", "排放量\n[Mt]", "CO2\n[Mt]", "CF4\n[Mt]", "C2F6\n[Mt]", "强度\n[t/t]")
    table = new_table("行业" if chinese else "Sectors", *heads)
    units = found.unit_years
    gases = found.annual.pivot_table("emissions_tco2e", ["sector", "year"], "gas", "sum")
    for (sector, year), own in units.groupby(["sector", "year"]):
        # A gas that the sector does not emit has no figure.
        of_gas = [gases.loc[(sector, year)].get(gas, float("nan")) for gas in ("CO2", "CF4", "C2F6")]
        output = own["intensity_output_t"].sum()
        intensity = f"{own['intensity_emissions_tco2e'].sum() / output:.4f}" if output > 0 else "-"
        name = SECTORS[sector] if chinese else sector
        amounts = [three_decimals(amount / 1e6) for amount in (own["emissions_tco2e"].sum(), *of_gas)]
        table.add_row(*map(Text, (name, str(year), f"{len(own):,}", *amounts, intensity)))
    return table


def _remarks(found: Accounts, chinese: bool) -> Iterator[str]:
    """Yield a sentence on uncertain and stated factors, and on incomplete years."""
    used = found.factors
    total = found.lines["emissions_tco2e"].abs().sum()
    for mark, what, other in (
        ("C", "have confidence C (one secondary source, or recalled)", "个因子可信度为 C（单一二手来源）"),
        ("stated", "are stated in place of the official ones", "个因子由用户设定"),
    ):
        keys = used["factor"][used["confidence"] == mark].tolist()
        if keys:
            own = found.lines["confidence"] == mark
            share = found.lines["emissions_tco2e"].abs()[own].sum() / total if total else 0.0
            names = _grouped(keys)
            if chinese:
                yield f"{len(used)} 个因子中有 {len(keys)} {other}，涉及排放量的 {share:.1%}：{names}。"
            else:
                yield f"{len(keys)} of {len(used)} factors {what}, behind {share:.1%} of the emissions: {names}."
    short = int((found.unit_years["months"] < 12).sum())
    if short:
        yield (
            f"{short:,} 个单元年度报告不足 12 个月。"
            if chinese
            else f"{short:,} years of units have fewer than 12 months."
        )


def _grouped(keys: list[str]) -> str:
    """Return keys by their first parts, with the number of those that share them."""
    rooms = Counter(f"{'.'.join(key.split('.')[:2])}.*" if key.count(".") > 1 else key for key in keys)
    return ", ".join(f"{room} ({count})" if room.endswith("*") else room for room, count in rooms.items())
