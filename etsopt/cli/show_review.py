"""The review on a terminal: its state, findings, the history of items, and annual emissions with their status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.chinese import in_chinese
from etsopt.accounting.review.words import STATUSES, VERIFIED
from etsopt.cli.shown import Text
from etsopt.cli.tables import table_of
from etsopt.cli.terminal import plain_console
from etsopt.data.messages import counted
from etsopt.language import _

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from etsopt.accounting import Review, Verification

SHOWN = 20


def _table(console: Console, table: pd.DataFrame, title: str, chinese: bool) -> None:
    """Print the first rows of a table, and the number of those that are not shown."""
    console.print(table_of(in_chinese(table) if chinese else table, title, SHOWN))
    if len(table) > SHOWN:
        rest = len(table) - SHOWN
        console.print(Text(f"另有 {rest:,} 行未显示。" if chinese else f"{rest:,} more rows."))
    console.print()


def status(state: Review, chinese: bool) -> None:
    """Print the numbers of items by status, first-pass rates, late months and enterprises at risk."""
    console = plain_console()
    late = int((state.months["filing"] == "late").sum())
    unknown = int((state.months["filing"] == "unknown").sum())
    title = f"{len(state.items):,} items of {len(state.months):,} unit-months; {late:,} filed late"
    title += f", {unknown:,} without a day of filing" if unknown else ""
    if chinese:
        title = f"{len(state.months):,} 个单元月共 {len(state.items):,} 个数据项；逾期 {late:,} 个单元月"
        title += f"，{unknown:,} 个无填报日期" if unknown else ""
    console.print(Text(title + "\n", style="bold"))
    names = [f"items_{name}" for name in STATUSES]
    short = state.statuses.rename(columns={} if chinese else {name: name.removeprefix("items_") for name in names})
    short = short.rename(columns={} if chinese else {"items_with_open_findings": "with open findings"})
    _table(console, short, "各省数据项状态" if chinese else "Items by province and status", chinese)
    rates = state.rates.assign(first_pass_rate=[_share(rate) for rate in state.rates["first_pass_rate"]])
    rates = rates.rename(columns={} if chinese else {"items_decided": "decided", "items_first_pass": "first pass"})
    _table(console, rates, "一次通过率与未关闭问题" if chinese else "First pass and open findings", chinese)
    if len(state.at_risk):
        _table(console, state.at_risk, "差异化管理风险单位" if chinese else "Enterprises at risk", chinese)


def _share(rate: float) -> str:
    return "" if rate != rate else f"{rate:.1%}"


def findings(table: pd.DataFrame, chinese: bool) -> None:
    """Print findings."""
    console = plain_console()
    if chinese:
        table = table.assign(reason=table["reason_zh"].where(table["reason_zh"] != "", table["reason"]))
    shown = table[["finding", "open", "level", "unit_id", "month", "item", "size_t", "reason"]]
    shown = shown.assign(open=["是" if own else "否" for own in shown["open"]] if chinese else shown["open"])
    if not chinese:
        shown = shown.rename(columns={"finding": "no."})
    _table(
        console,
        shown,
        f"{len(table):,} 项问题" if chinese else counted(len(table), _("finding"), _("findings")),
        chinese,
    )


def history(table: pd.DataFrame, chinese: bool) -> None:
    """Print versions and decisions in the order of the journal."""
    shown = table.assign(item=[" ".join(filter(None, row)) for row in table[["item", "flow", "batch"]].to_numpy()])
    columns = ["entry", "event", "level", "who", "item", "version", "quantity", "finding", "reason"]
    title = "历史" if chinese else "History"
    plain_console().print(table_of(in_chinese(shown[columns]) if chinese else shown[columns], title))


def verified(found: Verification, chinese: bool) -> None:
    """Print the units of a year with status and emissions."""
    console = plain_console()
    units = found.units
    done = units["status"] == VERIFIED
    total, settled = units["accounted_emissions_tco2e"].sum(), units["verified_emissions_tco2e"].sum()
    title = f"{found.year}: {int(done.sum()):,} of {len(units):,} units verified, "
    title += f"{settled / 1e6:,.3f} of {total / 1e6:,.3f} Mt accounted"
    if chinese:
        title = f"{found.year} 年：{len(units):,} 个单元中 {int(done.sum()):,} 个已核查，"
        title += f"核算排放量 {total / 1e6:,.3f} Mt 中 {settled / 1e6:,.3f} Mt 已核查"
    console.print(Text(title + "\n", style="bold"))
    columns = ["unit_id", "status", "items", "items_national", "open_findings"]
    shown = units[[*columns, "accounted_emissions_tco2e", "verified_emissions_tco2e"]]
    if not chinese:
        shown = shown.rename(columns={"unit_id": "unit", "items_national": "national", "open_findings": "open"})
    _table(console, shown, "单元" if chinese else "Units", chinese)
