"""The chart of a design search: goals against each other, the front, and the enacted design."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.charts.chart import CHOSEN, OTHER, PALETTE, RULE, Chart, Panel, Series
from etsopt.charts.texts import array_of, title_of
from etsopt.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from etsopt.charts.texts import Number

ORDER = "order"
"""Column of the place of a design in the search, against which a single goal is drawn."""


class GoalOf(NamedTuple):
    """A goal: its column and unit, and what is best of it, ``least`` or ``largest``."""

    number: Number
    best: str

    def label(self, designs: pd.DataFrame) -> tuple[float, str]:
        """Return a divisor, and the label of an axis that says what is best."""
        text = {"least": _("{goal}, least is best"), "largest": _("{goal}, largest is best")}[self.best]
        number = self.number._replace(words=_(text, goal=self.number.words))
        return number.label(float(designs[number.key].abs().max()))


def front(
    designs: pd.DataFrame, goals: Sequence[GoalOf], choose: Sequence[str], enacted: str, about: Mapping[str, Any]
) -> Chart:
    """Return every pair of goals of the designs with a proven answer; a single goal by the order of the search.

    Parameters
    ----------
    designs
        As `etsopt.designing.designs_of` returns them.
    choose
        Keys that are chosen, for the labels.
    enacted
        Name of the enacted design.
    """
    designs = designs.assign(**{ORDER: np.arange(len(designs))})
    designs = designs[designs[[goal.number.key for goal in goals]].notna().all(axis=1)]
    axes = {goal.number.key: goal.label(designs) for goal in goals}
    pairs = list(itertools.combinations(axes, 2)) or [(ORDER, name) for name in axes]
    axes[ORDER] = 1.0, _("design of the search")
    panels = []
    for one, other in pairs:
        (across, x_label), (up, y_label) = axes[one], axes[other]
        places = designs.assign(x=designs[one].astype(float) / across, y=designs[other].astype(float) / up)
        series = tuple(_series(places, choose, enacted, joined=len(goals) == 2))
        panels.append(Panel("", x_label, y_label, series))
    best = int(designs["on_front"].sum())
    text = _("{best} of {designs:,} designs, which no other one beats", best=best, designs=len(designs))
    return Chart("front", title_of(about["instance"], text), tuple(panels))


def _series(designs: pd.DataFrame, choose: Sequence[str], enacted: str, joined: bool) -> Iterator[Series]:
    """Yield the groups of designs from back to front."""
    named = designs["design"] == enacted
    on_front, within = designs["on_front"].astype(bool), designs["within_limits"].astype(bool)
    best = designs[on_front].sort_values(["x", "y"])
    beaten = within & ~on_front & ~named & (designs["same_goals"] == "")
    groups = (
        (designs[~within & ~named], _("outside the limits"), RULE, True),
        (designs[beaten], _("beaten by another design"), PALETTE[4], True),
    )
    for part, words, colour, hollow in groups:
        if len(part):
            yield _points(part, words, colour, choose, hollow)
    if joined and len(best) > 1:
        yield Series("line", "", best["x"].to_numpy(), best["y"].to_numpy(), CHOSEN, style="plain")
    if len(best):
        yield _points(best, _("front"), CHOSEN, choose)
    if named.any():
        # The largest point: it is the one that readers look for.
        point = _points(designs[named], _("enacted design"), OTHER, choose)
        yield replace(point, sizes=np.full(1, 0.6))


def _points(designs: pd.DataFrame, words: str, colour: str, choose: Sequence[str], hollow: bool = False) -> Series:
    labels = array_of(_label(row, choose) for row in designs.to_dict("records"))
    x, y = designs["x"].to_numpy(), designs["y"].to_numpy()
    return Series("points", words, x, y, colour, labels, style="hollow" if hollow else "marked")


def _label(row: Mapping[str, Any], choose: Sequence[str]) -> str:
    """Return the name of a design and what was chosen."""
    chosen = (f"{key} = {chosen_text(row[key])}" for key in choose if row.get(key) is not None)
    return ", ".join((str(row["design"]), *chosen))


def chosen_text(value: Any) -> str:
    """Return a value that was chosen, a number with four digits.

    >>> chosen_text(0.0234567), chosen_text(True), chosen_text(3)
    ('0.02346', 'True', '3')
    """
    return f"{value:.4g}" if isinstance(value, float) else str(value)
