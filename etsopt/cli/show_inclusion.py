"""The list of a year on a terminal: sectors, entities near the threshold, and those that are not on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.chinese import SECTORS
from etsopt.accounting.inclusion import NEAR, REASONS
from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console, three_decimals
from etsopt.language import _
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from etsopt.accounting import Inclusion

ENTITIES_SHOWN = 20


def inclusion(found: Inclusion, year_of_tables: int | None, chinese: bool) -> None:
    """Print the sectors of a list, then entities near the line, then those outside by reason."""
    console = plain_console()
    year = found.emissions_year if found.emissions_year is not None else year_of_tables
    threshold = format_tonnes(found.threshold_tco2e)
    origin = f"emissions of {year}" if year else "stated emissions"
    title = f"List of {found.year}: {origin}, at least {threshold} tCO2e a year"
    if chinese:
        title = f"{found.year} 年度名录：{f'{year} 年' if year else '登记的'}直接排放量不低于 {threshold} tCO2e"
    console.print(Text(title + "\n", style="bold"))
    console.print(_sectors(found, chinese))
    entities = found.entities
    near = entities[entities["near"]]
    line = f"Within {NEAR:.0%} of the line" if not chinese else f"距门槛 {NEAR:.0%} 以内"
    outside = "未列入" if chinese else "Not on the list"
    for name, rows in ((line, near), (outside, entities[~entities["listed"]])):
        if len(rows):
            console.print(_entities(name, rows, chinese))
            more = len(rows) - ENTITIES_SHOWN
            if more > 0:
                console.print(Text(f"另有 {more:,} 家。\n" if chinese else f"And {more:,} more.\n"))
    short = int(((entities["months"] > 0) & (entities["months"] < 12)).sum())
    if short:
        text = f"{short:,} entities have fewer than 12 months of reports: their emissions are not those of a year."
        console.print(Text(f"{short:,} 家报告不足 12 个月，排放量并非全年数据。" if chinese else text))
    if year_of_tables is not None:
        text = _("An instance states no activities: units of steel count as long process, lines as Portland clinker.")
        console.print(Text("算例未登记生产类型：钢铁按长流程、水泥按硅酸盐水泥熟料计。" if chinese else text))


def _sectors(found: Inclusion, chinese: bool) -> Table:
    heads = ("", "listed", "not\nlisted", "near", "listed\n[Mt]", "if near\nleave [Mt]", "if near\njoin [Mt]")
    last = f"{found.year - 1} scope\n[Mt]"
    if chinese:
        heads = ("", "列入", "未列入", "接近", "列入\n[Mt]", "接近者\n移出[Mt]", "接近者\n移入[Mt]")
        last = f"{found.year - 1} 范围\n[Mt]"
    table = new_table("行业" if chinese else "Sectors", *heads, last)
    amounts = ("listed", "without_near", "with_near", "scope_of_year_before")
    for row in found.sectors.itertuples():
        name = SECTORS[row.sector] if chinese else row.sector
        counts = [f"{getattr(row, count):,}" for count in ("listed", "not_listed", "near")]
        values = [three_decimals(getattr(row, f"{amount}_tco2e") / 1e6) for amount in amounts]
        table.add_row(*map(Text, (name, *counts, *values)))
    return table


def _entities(title: str, rows: pd.DataFrame, chinese: bool) -> Table:
    """Return the entities nearest to the threshold first."""
    heads = ("", "sector", "emissions\n[tCO2e]", "from the\nline", "reason")
    if chinese:
        heads = ("", "行业", "排放量\n[tCO2e]", "与门槛\n之差", "理由")
    table = new_table(title, *heads)
    order = rows["margin_tco2e"].abs().sort_values(kind="stable").index[:ENTITIES_SHOWN]
    for row in rows.loc[order].itertuples():
        sector, reason = (SECTORS[row.sector], REASONS[row.reason]) if chinese else (row.sector, row.reason)
        unknown = row.reason == "emissions unknown"
        amount = "-" if unknown else format_tonnes(row.emissions_tco2e)
        table.add_row(
            *map(Text, (row.entity_id, sector, amount, "-" if unknown else format_rate(row.margin_rate), reason))
        )
    return table
