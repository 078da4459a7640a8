"""A plan of reviews on a terminal, in English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console
from etsopt.data.tables.provinces import SHORT
from etsopt.results.words import STATUSES
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from etsopt.results.results import Results

ROWS_SHOWN = 8

LEVELS = {"municipal": "市级", "provincial": "省级", "national": "国家级"}


def in_chinese(results: Results) -> None:
    """Print status and plan in Chinese."""
    console = plain_console()
    style = "bold green" if results.certified else "bold yellow"
    title = f"{results.provenance['instance']}，审核计划：{STATUSES[results.status][1]}"
    console.print(Text(title + "\n", style=style))
    plan(console, results, chinese=True)


def plan(console: Console, results: Results, chinese: bool = False) -> None:
    """Print levels, the worth of a further day, and what no review covers; or missing days; else nothing."""
    if "missing_days" in results.tables:
        missing(console, results.tables["missing_days"], results.certified, chinese)
        return
    if "review_days" not in results.tables:
        return
    console.print(_levels(results.tables["review_days"], chinese))
    summary = results.tables["review_summary"].iloc[0]
    covered, at_risk = float(summary["covered_tco2e"]), float(summary["at_risk_tco2e"])
    share = f"{100 * covered / at_risk:.2f} %" if at_risk else "-"
    gap = results.levels[0].gap if results.levels else np.inf
    words = (
        f"{format_tonnes(covered)} t of {format_tonnes(at_risk)} t at risk are covered ({share}); no plan covers "
        f"{format_tonnes(max(gap, 0.0))} t more."
    )
    if chinese:
        words = (
            f"覆盖风险排放量 {format_tonnes(covered)} t，共 {format_tonnes(at_risk)} t（{share}）；"
            f"任何计划至多再多覆盖 {format_tonnes(max(gap, 0.0))} t。"
        )
    console.print(Text(words + "\n"))
    _further_days(console, results.tables["review_days"], chinese)
    _uncovered(console, results.tables["uncovered"], chinese)


def _levels(groups: pd.DataFrame, chinese: bool) -> Table:
    """Return reviews, draws and days by level."""
    heads = ("reviews", "least", "drawn", "days", "used", "travel", "covered [t]")
    if chinese:
        heads = ("审核数", "最少", "抽取", "可用人天", "已用", "其中差旅", "覆盖（t）")
    table = new_table("审核级别" if chinese else "Reviews by level", "", *heads)
    for level, rows in groups.groupby("level", sort=False):
        sums = rows[["reviews", "least_reviews", "drawn", "review_days", "travel_days", "covered_tco2e"]].sum()
        # With one group without a limit the level has none.
        available = rows["available_days"].sum(skipna=False)
        table.add_row(
            Text(LEVELS[str(level)] if chinese else str(level)),
            *(Text(f"{sums[name]:,.0f}") for name in ("reviews", "least_reviews", "drawn")),
            Text(f"{available:,.6g}" if np.isfinite(available) else "-"),
            Text(f"{sums['review_days'] + sums['travel_days']:,.6g}"),
            Text(f"{sums['travel_days']:,.6g}"),
            Text(format_tonnes(float(sums["covered_tco2e"]))),
        )
    return table


def _where(row: pd.Series, chinese: bool) -> str:
    if chinese:
        return f"{SHORT.get(row['province'], row['province'])} {LEVELS[row['level']]}".strip()
    return f"{row['province']} {row['level']}".strip()


def _further_days(console: Console, groups: pd.DataFrame, chinese: bool) -> None:
    """Print the groups in which one more day covers the most."""
    rows = groups[groups["further_day_covers_tco2e"] > 0].sort_values("further_day_covers_tco2e", ascending=False)
    if rows.empty:
        return
    shown = [
        f"{_where(row, chinese)} {format_tonnes(row['further_day_covers_tco2e'])} t"
        for _, row in rows.head(ROWS_SHOWN).iterrows()
    ]
    more = f" and {len(rows) - ROWS_SHOWN} more" if len(rows) > ROWS_SHOWN else ""
    words = f"One more day covers about: {', '.join(shown)}{more}."
    if chinese:
        words = f"增加一人天约可多覆盖：{'、'.join(shown)}{f'等 {len(rows)} 处' if more else ''}。"
    console.print(Text(words + "\n"))


def _uncovered(console: Console, rows: pd.DataFrame, chinese: bool) -> None:
    if rows.empty:
        return
    shown = [f"{row.enterprise_id} {format_tonnes(row.at_risk_tco2e)} t" for row in rows.head(ROWS_SHOWN).itertuples()]
    more = f" and {len(rows) - ROWS_SHOWN:,} more" if len(rows) > ROWS_SHOWN else ""
    words = f"Not covered: {', '.join(shown)}{more}."
    if chinese:
        words = f"未覆盖：{'、'.join(shown)}{f'等 {len(rows):,} 家' if more else ''}。"
    console.print(Text(words + "\n"))


def missing(console: Console, rows: pd.DataFrame, certified: bool, chinese: bool = False) -> None:
    """Print the days that are missing, in words, one line for each level and province."""
    total = float(rows["missing_days"].sum())
    least = "at least " if certified else "according to the solver, "
    title = f"No plan exists: {least}{total:,.6g} reviewer days are missing.\n"
    if chinese:
        title = f"没有可行的审核计划：{'至少' if certified else '据求解器，'}缺少 {total:,.6g} 人天。\n"
    console.print(Text(title))
    for _, row in rows.head(ROWS_SHOWN).iterrows():
        needed, available, lacking = (f"{row[name]:,.6g}" for name in ("needed_days", "available_days", "missing_days"))
        words = (
            f"{_where(row, False)}: {row['needed_reviews']:,} of {row['enterprises']:,} enterprises have to be "
            f"reviewed. That takes at least {needed} days with travel, and {available} are available: "
            f"{lacking} days are missing."
        )
        if chinese:
            words = (
                f"{_where(row, True)}：须审核 {row['enterprises']:,} 家企业中的 {row['needed_reviews']:,} 家，"
                f"连同差旅至少需要 {needed} 人天，可用 {available} 人天，缺少 {lacking} 人天。"
            )
        console.print(Text(words))
    if len(rows) > ROWS_SHOWN:
        more = len(rows) - ROWS_SHOWN
        console.print(Text(f"另有 {more:,} 处。" if chinese else f"{more:,} more are in the table missing_days."))
    console.print()
