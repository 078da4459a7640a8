"""Daily stack monitors beside calculated emissions on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console
from etsopt.language import _
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from etsopt.accounting import Monitoring

SHOWN = 20


def monitored(found: Monitoring, chinese: bool) -> None:
    """Print the units, those that drift first, and what prevails."""
    console = plain_console()
    units = found.units
    drifting, filled, missing = int(units["drifts"].sum()), int(units["filled_days"].sum()), units["missing_days"].sum()
    title = f"{len(units):,} units with monitors, {drifting:,} drift; {filled:,} days are filled, {missing:,} stay open"
    if chinese:
        title = f"{len(units):,} 个单元有在线监测，{drifting:,} 个存在漂移；补缺 {filled:,} 天，缺失 {missing:,} 天"
    console.print(Text(title + "\n", style="bold"))
    heads = ("months", "monitored [t]", "calculated [t]", "ratio", "drift a year", "95 %", "")
    if chinese:
        heads = ("月数", "监测（t）", "核算（t）", "监测/核算", "年漂移", "95 %", "")
    table = new_table("单元" if chinese else "Units", "", *heads)
    for row in units.sort_values(["drifts", "unit_id"], ascending=[False, True]).head(SHOWN).itertuples():
        interval = f"{100 * row.drift_lower:.1f}...{100 * row.drift_upper:.1f} %" if row.ratio == row.ratio else "-"
        table.add_row(
            *map(
                Text,
                (
                    row.unit_id,
                    f"{row.months}",
                    format_tonnes(row.monitored_tco2),
                    format_tonnes(row.calculated_tco2),
                    f"{row.ratio:.4f}" if row.ratio == row.ratio else "-",
                    format_rate(row.drift_per_year),
                    interval,
                    ("漂移" if chinese else "drift") if row.drifts else "",
                ),
            )
        )
    console.print(table)
    if len(units) > SHOWN:
        more = len(units) - SHOWN
        console.print(Text(f"另有 {more:,} 个单元，见 --out 写出的表。" if chinese else f"{more:,} more: see --out."))
    words = _("The calculated emissions count: a monitor changes no account, and a difference is a question.")
    console.print(Text("以核算结果为准：在线监测不改变核算排放量，差异仅供核实。" if chinese else words))
