"""What a result says of emissions that no review has verified, in English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.data.tables.report_columns import VERIFIED
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

IN_WORDS = {
    "accounted": ("taken as accounted from monthly reports", "采用月度报告核算值"),
    "lowest": ("the lowest that reconciliation allows", "采用数据协调区间的下限"),
    "reconciled": ("as reconciliation estimates them", "采用数据协调的估计值"),
    "highest": ("the highest that reconciliation allows", "采用数据协调区间的上限"),
}
"""What is taken of units that are not verified, by their status."""


def emissions_status(units: pd.DataFrame) -> dict[str, Any]:
    """Return how many units have emissions of each status, and what those not verified are, as taken and as accounted.

    Empty if all are verified.
    """
    if "emissions_status" not in units:
        return {}
    status = units["emissions_status"].where(units["emissions_status"] != "", VERIFIED)
    others = units[status != VERIFIED]
    if others.empty:
        return {}
    # Without accounted emissions nothing is said to differ from them.
    accounted = others.get("accounted_emissions_tco2e", others["emissions_tco2e"]).fillna(others["emissions_tco2e"])
    return {
        "units": {str(name): int(count) for name, count in status.value_counts().sort_index().items()},
        "not_verified_tco2e": float(others["emissions_tco2e"].sum()),
        "not_verified_as_accounted_tco2e": float(accounted.sum()),
    }


def not_verified(about: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return a sentence on what `emissions_status` returns, in English and Chinese; None if all are verified."""
    others = {name: count for name, count in about.get("units", {}).items() if name in IN_WORDS}
    if not others:
        return None
    count, of = f"{sum(others.values()):,}", f"{sum(about['units'].values()):,}"
    english, chinese = (
        words.join(IN_WORDS[name][place] for name in others) for place, words in ((0, " and "), (1, "、"))
    )
    taken, accounted = about["not_verified_tco2e"], about["not_verified_as_accounted_tco2e"]
    if taken != accounted:
        moved = f"{format_tonnes(abs(taken - accounted))} t"
        moved += f" ({format_rate(abs(taken - accounted) / accounted)})" if accounted > 0 else ""
        english += f", {moved} {'above' if taken > accounted else 'below'} the accounted ones"
        chinese += f"，较核算值{'高' if taken > accounted else '低'} {moved}"
    return f"Emissions of {count} of {of} units are not verified: {english}.", (
        f"{of} 个单元中有 {count} 个的排放量未经核查：{chinese}。"
    )
