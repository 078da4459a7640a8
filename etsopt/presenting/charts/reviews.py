"""Charts of monthly reports: emissions as reported and reconciled, and plans of reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _, pgettext
from etsopt.common.scales import size_of
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.chart import CHOSEN, FREE, OTHER, PAID, PALETTE, RULE, Chart, Panel, Series
from etsopt.presenting.charts.texts import array_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SHOWN = 20
"""Units whose reports are farthest from the reconciled emissions."""

COLUMNS = (
    *("unit_id", "sector", "province", "quantities", "gross_reports", "substituted"),
    *("reported_tco2e", "reconciled_tco2e", "lowest_tco2e", "highest_tco2e"),
)
DAYS = ("review_days", "travel_days", "left_days")
"""Columns that the charts read."""

LEVELS = (pgettext("level", "municipal"), pgettext("level", "provincial"), pgettext("level", "national"))


def reconciliation(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Reported emissions of the units farthest off, and the interval, beside their reconciled emissions."""
    table = tables["reconciliation"]
    table = table[table["reconciled_tco2e"] > 0]
    off = (table["reported_tco2e"] - table["reconciled_tco2e"]).abs()
    total = len(table)
    table = table.loc[off.nlargest(SHOWN).index[::-1]]
    names, middle = table["unit_id"].to_numpy(dtype=object), table["reconciled_tco2e"].to_numpy(dtype=float)
    reported, low, high = (table[f"{name}_tco2e"].to_numpy(dtype=float) for name in ("reported", "lowest", "highest"))
    labels = array_of(map(_label, table.itertuples()))
    words = _("interval that the evidence allows")
    below, above, apart = (100 * (end / middle - 1) for end in (low, high, reported))
    series = (
        Series("bars", words, above - below, names, FREE, labels, base=below),
        Series("points", _("as reported"), apart, names, OTHER, labels),
        Series("points", _("reconciled"), np.zeros(len(names)), names, CHOSEN, labels),
    )
    text = _("emissions as reported and reconciled")
    if total > SHOWN:
        text = _("{text}, the {shown} of {units} units farthest apart", text=text, shown=SHOWN, units=total)
    x_label = _("difference from the reconciled emissions [%]")
    panel = Panel("", x_label, "", series, horizontal=True)
    return Chart("reconciliation", text, (panel,))


def _label(row: Any) -> str:
    """Return what the evidence says of a unit."""
    return _(
        "{sector}, {province}: {false} of {figures} figures false, {substituted} substituted; reported "
        "{reported:,.0f} t, reconciled {reconciled:,.0f} t ({low:,.0f} to {high:,.0f} t)",
        sector=name_of(row.sector),
        province=name_of(row.province),
        false=row.gross_reports,
        figures=row.quantities,
        substituted=row.substituted,
        reported=row.reported_tco2e,
        reconciled=row.reconciled_tco2e,
        low=row.lowest_tco2e,
        high=row.highest_tco2e,
    )


def review_plan(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Tonnes at risk of each province, covered by reviews or not, and days of reviewers by level."""
    plan, days = tables["plan"], tables["review_days"]
    covered = plan.groupby("province")["covered_tco2e"].sum()
    left = tables["uncovered"].groupby("province")["at_risk_tco2e"].sum().reindex(covered.index, fill_value=0.0)
    order = (covered + left).sort_values().index
    names = array_of(map(name_of, order))
    at_risk = (
        Series("stack", _("covered by a review"), covered[order].to_numpy() / size_of("Mt"), names, CHOSEN),
        Series("stack", _("not covered"), left[order].to_numpy() / size_of("Mt"), names, OTHER),
    )
    levels = [name for name in LEVELS if name in set(days["level"])][::-1]
    sums = days.groupby("level")[list(DAYS)].sum().loc[levels]
    words = array_of(levels)
    spent = (
        Series("stack", _("days of review"), sums["review_days"].to_numpy(), words, PALETTE[4]),
        Series("stack", _("days of travel"), sums["travel_days"].to_numpy(), words, PAID),
        Series("stack", _("days left"), sums["left_days"].to_numpy(), words, RULE),
    )
    panels = (
        Panel("", _("tonnes at risk [Mt]"), "", _some(at_risk), horizontal=True),
        Panel("", _("reviewers' days"), "", _some(spent), horizontal=True),
    )
    share = 100 * float(covered.sum() / max(float((covered + left).sum()), 1e-9))
    text = _("reviews cover {share:.1f} % of the tonnes at risk", share=share)
    return Chart("review_plan", text, panels)


def _some(parts: tuple[Series, ...]) -> tuple[Series, ...]:
    """Return the parts of bars that some bar has."""
    return tuple(one for one in parts if one.x.sum() > 0)


def missing_days(tables: Mapping[str, pd.DataFrame]) -> Chart:
    """Least days that a plan of reviews lacks, by level and province."""
    table = tables["missing_days"]
    table = table[table["missing_days"] > 0].sort_values("missing_days", kind="stable")
    pairs = zip(table["level"], table["province"], strict=True)
    names = array_of(f"{pgettext('level', level)} {name_of(province)}".strip() for level, province in pairs)
    series = Series("bars", "", table["missing_days"].to_numpy(dtype=float), names, OTHER)
    panel = Panel("", _("missing days"), "", (series,), horizontal=True)
    return Chart("missing_days", _("no plan of reviews: least days that are missing"), (panel,))
