"""A plan of reviews on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console
from etsopt.data.tables.provinces import name_of
from etsopt.language import _, joined, pgettext
from etsopt.results.words import STATUSES
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from etsopt.results.results import Results

ROWS_SHOWN = 8


def status_and_plan(results: Results) -> None:
    """Print status and plan alone."""
    console = plain_console()
    style = "bold green" if results.certified else "bold yellow"
    text = _("{instance}, plan of reviews: {status}\n")
    title = _(text, instance=results.provenance["instance"], status=STATUSES[results.status])
    console.print(Text(title, style=style))
    plan(console, results)


def plan(console: Console, results: Results) -> None:
    """Print levels, the worth of a further day, and what no review covers; or missing days; else nothing."""
    if "missing_days" in results.tables:
        missing(console, results.tables["missing_days"], results.certified)
        return
    if "review_days" not in results.tables:
        return
    console.print(_levels(results.tables["review_days"]))
    summary = results.tables["review_summary"].iloc[0]
    covered, at_risk = float(summary["covered_tco2e"]), float(summary["at_risk_tco2e"])
    share = f"{100 * covered / at_risk:.2f} %" if at_risk else "-"
    gap = max(results.levels[0].gap, 0.0) if results.levels else np.inf
    text = _("{covered} t of {at_risk} t at risk are covered ({share}); no plan covers {gap} t more.\n")
    tonnes = {"covered": format_tonnes(covered), "at_risk": format_tonnes(at_risk), "gap": format_tonnes(gap)}
    console.print(Text(_(text, share=share, **tonnes)))
    _further_days(console, results.tables["review_days"])
    _uncovered(console, results.tables["uncovered"])


def _levels(groups: pd.DataFrame) -> Table:
    """Return reviews, draws and days by level."""
    reviews = (pgettext("reviews", "reviews"), pgettext("reviews", "least"), pgettext("reviews", "drawn"))
    days = (pgettext("reviews", "days"), pgettext("reviews", "used"), pgettext("reviews", "travel"))
    table = new_table(_("Reviews by level"), "", *reviews, *days, _("covered [t]"))
    for level, rows in groups.groupby("level", sort=False):
        sums = rows[["reviews", "least_reviews", "drawn", "review_days", "travel_days", "covered_tco2e"]].sum()
        # With one group without a limit the level has none.
        available = rows["available_days"].sum(skipna=False)
        table.add_row(
            Text(pgettext("level", str(level))),
            *(Text(f"{sums[name]:,.0f}") for name in ("reviews", "least_reviews", "drawn")),
            Text(f"{available:,.6g}" if np.isfinite(available) else "-"),
            Text(f"{sums['review_days'] + sums['travel_days']:,.6g}"),
            Text(f"{sums['travel_days']:,.6g}"),
            Text(format_tonnes(float(sums["covered_tco2e"]))),
        )
    return table


def _where(row: Mapping[Hashable, Any]) -> str:
    return f"{name_of(row['province'])} {pgettext('level', row['level'])}".strip()


def _first(shown: list[str]) -> str:
    """Return the first names, and the number of the others."""
    more = len(shown) - ROWS_SHOWN
    first = joined(shown[:ROWS_SHOWN])
    return _("{first} and {more:,} more", first=first, more=more) if more > 0 else first


def _further_days(console: Console, groups: pd.DataFrame) -> None:
    """Print the groups in which one more day covers the most."""
    rows = groups[groups["further_day_covers_tco2e"] > 0].sort_values("further_day_covers_tco2e", ascending=False)
    if rows.empty:
        return
    shown = [f"{_where(row)} {format_tonnes(row['further_day_covers_tco2e'])} t" for row in rows.to_dict("records")]
    console.print(Text(_("One more day covers about: {groups}.\n", groups=_first(shown))))


def _uncovered(console: Console, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    shown = [f"{row.enterprise_id} {format_tonnes(row.at_risk_tco2e)} t" for row in rows.itertuples()]
    console.print(Text(_("Not covered: {enterprises}.\n", enterprises=_first(shown))))


def missing(console: Console, rows: pd.DataFrame, certified: bool) -> None:
    """Print the days that are missing, in words, one line for each level and province."""
    text = _("No plan exists: according to the solver, {days:,.6g} reviewer days are missing.\n")
    if certified:
        text = _("No plan exists: at least {days:,.6g} reviewer days are missing.\n")
    console.print(Text(_(text, days=float(rows["missing_days"].sum()))))
    text = _(
        "{group}: {needed_reviews:,} of {enterprises:,} enterprises have to be reviewed. That takes at least "
        "{needed_days:,.6g} days with travel, and {available_days:,.6g} are available: {missing_days:,.6g} days are "
        "missing."
    )
    for row in rows.head(ROWS_SHOWN).to_dict("records"):
        console.print(Text(_(text, group=_where(row), **row)))
    if len(rows) > ROWS_SHOWN:
        more = len(rows) - ROWS_SHOWN
        console.print(Text(_("{more:,} more are in the table missing_days.", more=more)))
    console.print()
