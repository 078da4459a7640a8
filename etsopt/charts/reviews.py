"""Charts of monthly reports: emissions as reported and reconciled, and plans of reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.charts.chart import CHOSEN, FREE, OTHER, PAID, PALETTE, RULE, Chart, Panel, Series
from etsopt.charts.texts import NONE, both, province_zh, sector_words, title_of
from etsopt.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.charts.chart import Words

SHOWN = 20
"""Units whose reports are farthest from the reconciled emissions."""

COLUMNS = (
    *("unit_id", "sector", "province", "quantities", "gross_reports", "substituted"),
    *("reported_tco2e", "reconciled_tco2e", "lowest_tco2e", "highest_tco2e"),
)
DAYS = ("review_days", "travel_days", "left_days")
"""Columns that the charts read."""

LEVELS = {"municipal": "市级", "provincial": "省级", "national": "国家级"}


def reconciliation(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Reported emissions of the units farthest off, and the interval, beside their reconciled emissions."""
    table = tables["reconciliation"]
    table = table[table["reconciled_tco2e"] > 0]
    off = (table["reported_tco2e"] - table["reconciled_tco2e"]).abs()
    total = len(table)
    table = table.loc[off.nlargest(SHOWN).index[::-1]]
    names, middle = table["unit_id"].to_numpy(dtype=object), table["reconciled_tco2e"].to_numpy(dtype=float)
    reported, low, high = (table[f"{name}_tco2e"].to_numpy(dtype=float) for name in ("reported", "lowest", "highest"))
    labels = both(*zip(*map(_label, table.itertuples()), strict=True))
    words = (_("interval that the evidence allows"), "证据允许的区间")
    below, above, apart = (100 * (end / middle - 1) for end in (low, high, reported))
    series = (
        Series("bars", words, above - below, names, FREE, labels, base=below),
        Series("points", ("as reported", "报告值"), apart, names, OTHER, labels),
        Series("points", ("reconciled", "协调值"), np.zeros(len(names)), names, CHOSEN, labels),
    )
    english, chinese = "emissions as reported and reconciled", "报告排放量与协调排放量"
    if total > SHOWN:
        english += f", the {SHOWN} of {total} units farthest apart"
        chinese += f"，{total} 个单元中相差最大的 {SHOWN} 个"
    x_label = ("difference from the reconciled emissions [%]", "与协调排放量的差异 [%]")
    panel = Panel(NONE, x_label, NONE, series, horizontal=True)
    return Chart("reconciliation", title_of(about, english, chinese), (panel,))


def _label(row: Any) -> Words:
    """Return what the evidence says of a unit."""
    false, all_figures, substituted = row.gross_reports, row.quantities, row.substituted
    figures = [row.reported_tco2e, row.reconciled_tco2e, row.lowest_tco2e, row.highest_tco2e]
    reported, middle, low, high = (f"{value:,.0f}" for value in figures)
    return (
        f"{row.sector}, {row.province}: {false} of {all_figures} figures false, {substituted} substituted; "
        f"reported {reported} t, reconciled {middle} t ({low} to {high} t)",
        f"{sector_words(row.sector)[1]}，{province_zh(row.province)}：{all_figures} 项数据中 {false} 项有误，"
        f"{substituted} 项替代；报告值 {reported} 吨，协调值 {middle} 吨（{low} 至 {high} 吨）",
    )


def review_plan(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Tonnes at risk of each province, covered by reviews or not, and days of reviewers by level."""
    plan, days = tables["plan"], tables["review_days"]
    covered = plan.groupby("province")["covered_tco2e"].sum()
    left = tables["uncovered"].groupby("province")["at_risk_tco2e"].sum().reindex(covered.index, fill_value=0.0)
    order = (covered + left).sort_values().index
    names = order.to_numpy(dtype=object)
    at_risk = (
        Series("stack", ("covered by a review", "已由联审覆盖"), covered[order].to_numpy() / 1e6, names, CHOSEN),
        Series("stack", ("not covered", "未覆盖"), left[order].to_numpy() / 1e6, names, OTHER),
    )
    levels = [name for name in LEVELS if name in set(days["level"])][::-1]
    sums = days.groupby("level")[list(DAYS)].sum().loc[levels]
    words = np.array(levels, dtype=object)
    spent = (
        Series("stack", ("days of review", "联审天数"), sums["review_days"].to_numpy(), words, PALETTE[4]),
        Series("stack", ("days of travel", "差旅天数"), sums["travel_days"].to_numpy(), words, PAID),
        Series("stack", ("days left", "剩余天数"), sums["left_days"].to_numpy(), words, RULE),
    )
    provinces = {name: province_zh(name) for name in names}
    panels = (
        Panel(
            NONE,
            ("tonnes at risk [Mt]", "风险排放量 [百万吨]"),
            NONE,
            _some(at_risk),
            horizontal=True,
            chinese=provinces,
        ),
        Panel(NONE, ("reviewers' days", "联审人员天数"), NONE, _some(spent), horizontal=True, chinese=LEVELS),
    )
    share = 100 * float(covered.sum() / max(float((covered + left).sum()), 1e-9))
    english = f"reviews cover {share:.1f} % of the tonnes at risk"
    return Chart("review_plan", title_of(about, english, f"联审覆盖 {share:.1f} % 的风险排放量"), panels)


def _some(parts: tuple[Series, ...]) -> tuple[Series, ...]:
    """Return the parts of bars that some bar has."""
    return tuple(one for one in parts if one.x.sum() > 0)


def missing_days(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Least days that a plan of reviews lacks, by level and province."""
    table = tables["missing_days"]
    table = table[table["missing_days"] > 0].sort_values("missing_days", kind="stable")
    pairs = list(zip(table["level"], table["province"], strict=True))
    names = np.array([f"{level} {province}".strip() for level, province in pairs], dtype=object)
    chinese = {f"{one} {other}".strip(): f"{LEVELS[one]} {province_zh(other)}".strip() for one, other in pairs}
    series = Series("bars", NONE, table["missing_days"].to_numpy(dtype=float), names, OTHER)
    panel = Panel(NONE, ("missing days", "缺少的天数"), NONE, (series,), horizontal=True, chinese=chinese)
    title = title_of(about, "no plan of reviews: least days that are missing", "无可行联审计划：最少缺少的天数")
    return Chart("missing_days", title, (panel,))
