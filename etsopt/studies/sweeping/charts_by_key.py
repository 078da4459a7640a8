"""Charts of the numbers of a sweep: which one suits a number, and what it draws along the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.presenting.charts import keys, sweeps
from etsopt.presenting.charts.designs import Designs
from etsopt.presenting.charts.texts import title_of
from etsopt.studies.sweeping.outcome import LEVELS, NO_ANSWER
from etsopt.studies.sweeping.sweep_document import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.presenting.charts.chart import Chart
    from etsopt.studies.sweeping.sweep_document import Shown, SweepSummary

FEWEST_DRAWS = 16
"""Draws from which a number is drawn along the keys that are drawn."""


def charts_of(sweep: SweepSummary, shown: Shown) -> Iterator[Chart]:
    """Yield the charts that suit a number: over the draws and along what is drawn, by year, or along the keys."""
    count = len(sweep.decisions)
    if sweep.sampled:
        if shown.by_year:
            yield sweeps.fan(shown.number, shown.rows, sweep.about)
        elif count == 1:
            yield sweeps.distribution(shown.number, sweep.drawn(shown), sweep.about)
        elif count <= sweeps.MOST_ROWS:
            yield sweeps.spread(shown.number, shown.rows, sweep.about)
        if _has_keys(sweep):
            yield _by_keys(sweep, shown, designs_of(sweep, shown, drawn=True))
    elif shown.by_year and count <= sweeps.MOST_LINES:
        yield sweeps.lines(shown.number, shown.rows, sweep.about)
    if sweep.axes and (not sweep.sampled or count > sweeps.MOST_ROWS):
        yield _by_keys(sweep, shown, designs_of(sweep, shown))


def _has_keys(sweep: SweepSummary) -> bool:
    """Return True if enough is drawn for a chart along the keys."""
    return len(sweep.scenarios) >= FEWEST_DRAWS and bool(sweep.drawn_keys)


def finding_of(sweep: SweepSummary, shown: Shown) -> str:
    """Return which key moves a number most, and where there is no answer; empty of few draws."""
    if sweep.sampled and not _has_keys(sweep):
        return ""
    return next(iter(designs_of(sweep, shown, sweep.sampled).values())).finding


def designs_of(sweep: SweepSummary, shown: Shown, drawn: bool = False) -> dict[str, Designs]:
    """Return decisions, or all that is drawn, with the number of the last year in each place.

    The place in which the number moves most comes first.
    """
    infeasible = sweep.scenarios["status"].isin(NO_ANSWER)
    if drawn:
        names, column, rows, axes = sweep.scenarios["scenario"].tolist(), "value", sweep.drawn(shown), sweep.drawn_keys
        rows = rows.assign(name=rows["scenario"])
        lacking = infeasible.to_numpy()
    else:
        names, column, rows, axes = sweep.decisions, "mean", shown.ends.assign(name=shown.ends["decision"]), sweep.axes
        lacking = infeasible.groupby(sweep.states["decision"].to_numpy()).all()[names].to_numpy()
    found, moved = {}, {}
    for _place, part in rows.groupby(["sector", "province", "id"], sort=False, dropna=False):
        values = part.set_index("name")[column].reindex(names).to_numpy(dtype=float)
        where = place_of(part.iloc[0].to_dict() | ({"id": ""} if shown.table == LEVELS else {}))
        found[where] = Designs(axes, shown.number, values, lacking, grid=not drawn)
        moved[where] = float(np.nanmax(values) - np.nanmin(values))
    return {where: found[where] for where in sorted(found, key=moved.__getitem__, reverse=True)}


def _by_keys(sweep: SweepSummary, shown: Shown, parts: dict[str, Designs]) -> Chart:
    return keys.by_keys(f"keys-{shown.number.key}", title_of(sweep.about["instance"], shown.number.words), parts)
