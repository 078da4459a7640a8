"""Sections of a plan of reviews, or of the days that are missing for any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.vocabulary import word
from etsopt.data.messages import first_of
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.documents.columns import table_of
from etsopt.presenting.documents.document import Paragraph, Points, Section
from etsopt.presenting.documents.quantities import rate, tonnes
from etsopt.reports.run import figure

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    import pandas as pd

    from etsopt.presenting.documents.document import Block
    from etsopt.reports.run import Run

REVIEWS = (
    *("level", "province", "enterprises", "reviews", "least_reviews", "drawn", "available_days", "review_days"),
    *("travel_days", "covered_tco2e", "further_day_covers_tco2e"),
)
PLAN = ("enterprise_id", "name", "province", "city", "level", "days", "at_risk_tco2e", "covered_tco2e", "reason")
LACKING = ("level", "province", "enterprises", "needed_reviews", "needed_days", "available_days", "missing_days")
MOST_GROUPS = 8
"""Groups that are told in words."""

OF_LEVEL = ("reviews", "least_reviews", "drawn", "available_days", "review_days", "travel_days", "covered_tco2e")


def reviews(run: Run) -> Iterator[Section]:
    """Yield the reviews of each level and province, what one more day covers and no review does, and the plan."""
    if "review_days" not in run.tables or "plan" not in run.tables:
        return
    groups, plan = run.tables["review_days"], run.tables["plan"]
    # With one group without a limit the level has none.
    levels = groups.groupby("level", as_index=False, sort=False)[[*OF_LEVEL]].agg(lambda days: days.sum(skipna=False))
    blocks: list[Block] = [*figure(run, "review_plan"), table_of(levels, ("level", *OF_LEVEL), _("Reviews by level"))]
    blocks += [Paragraph(text) for text in (_covered(run), *_further_days(groups), *_uncovered(run)) if text]
    yield Section("reviews", _("Reviews"), tuple(blocks))
    title = _("Reviews by level and province")
    yield Section("groups", title, (table_of(groups, REVIEWS, title, key="groups"),))
    yield Section("plan", _("Plan"), (table_of(plan, PLAN, _("Plan"), exact=True, key="plan"),))


def _covered(run: Run) -> str:
    summary = run.tables["review_summary"].iloc[0]
    covered, at_risk = float(summary["covered_tco2e"]), float(summary["at_risk_tco2e"])
    gap = max(run.results.levels[0].gap, 0.0) if run.results.levels else np.inf
    return _(
        "{covered} of {at_risk} at risk are covered ({share}); no plan covers {gap} more.",
        covered=tonnes(covered),
        at_risk=tonnes(at_risk),
        share=rate(covered / at_risk) if at_risk else "-",
        gap=tonnes(gap),
    )


def _further_days(groups: pd.DataFrame) -> Iterator[str]:
    """Yield the groups in which one more day covers the most."""
    rows = groups[groups["further_day_covers_tco2e"] > 0].sort_values("further_day_covers_tco2e", ascending=False)
    if len(rows):
        shown = [f"{_where(row)} {tonnes(row['further_day_covers_tco2e'])}" for row in rows.to_dict("records")]
        yield _("One more day covers about: {groups}.", groups=first_of(shown))


def _uncovered(run: Run) -> Iterator[str]:
    rows = run.tables["uncovered"]
    if len(rows):
        shown = [f"{row['enterprise_id']} {tonnes(row['at_risk_tco2e'])}" for row in rows.to_dict("records")]
        yield _("Not covered: {enterprises}.", enterprises=first_of(shown))


def _where(row: Mapping[Hashable, Any]) -> str:
    return f"{name_of(row['province'])} {word('level', row['level'])}".strip()


def missing_days(run: Run) -> Iterator[Section]:
    """Yield the days that reviewers lack, where no plan of reviews exists, in words and as a table."""
    if "missing_days" not in run.tables:
        return
    table, title = run.tables["missing_days"], _("Days that are missing")
    text = _(
        "{group}: {needed_reviews:,} of {enterprises:,} enterprises have to be reviewed. That takes at least "
        "{needed_days:,.6g} days with travel, and {available_days:,.6g} are available: {missing_days:,.6g} days are "
        "missing."
    )
    lines = tuple(_(text, group=_where(row), **row) for row in table.head(MOST_GROUPS).to_dict("records"))
    shown = table_of(table, LACKING, title, key="missing")
    yield Section("missing-days", title, (*figure(run, "missing_days"), Points(lines), shown))
