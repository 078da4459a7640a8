"""The chart of a design search: goals against each other, the front, and the enacted design."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.common.language import _
from etsopt.common.scales import scaled
from etsopt.presenting.charts.across import Group, across
from etsopt.presenting.charts.chart import CHOSEN, OTHER, PALETTE, RULE, Chart, Panel, Series
from etsopt.presenting.charts.designs import Axis, Designs
from etsopt.presenting.charts.keys import INFEASIBLE, effects
from etsopt.presenting.charts.texts import array_of, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from etsopt.presenting.charts.texts import Number

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
    designs: pd.DataFrame, goals: Sequence[GoalOf], labels: Sequence[str], enacted: str, about: Mapping[str, Any]
) -> Chart:
    """Return every pair of goals of the designs with a proven answer; a single goal by the order of the search.

    Parameters
    ----------
    designs
        As `etsopt.designing.designs_of` returns them.
    labels
        What each design chooses.
    enacted
        Name of the enacted design.
    """
    designs = designs.assign(label=array_of(labels))
    designs = designs.assign(**{ORDER: np.arange(len(designs))})
    designs = designs[designs[[goal.number.key for goal in goals]].notna().all(axis=1)]
    axes = {goal.number.key: goal.label(designs) for goal in goals}
    pairs = list(itertools.combinations(axes, 2)) or [(ORDER, name) for name in axes]
    axes[ORDER] = 1.0, _("design of the search")
    panels = []
    for one, other in pairs:
        (across, x_label), (up, y_label) = axes[one], axes[other]
        places = designs.assign(x=designs[one].astype(float) / across, y=designs[other].astype(float) / up)
        series = tuple(_series(places, enacted, joined=len(goals) == 2))
        panels.append(Panel("", x_label, y_label, series))
    best = int(designs["on_front"].sum())
    text = _("{best} of {designs:,} designs, which no other one beats", best=best, designs=len(designs))
    return Chart("front", title_of(about["instance"], text), tuple(panels))


def _series(designs: pd.DataFrame, enacted: str, joined: bool) -> Iterator[Series]:
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
            yield _points(part, words, colour, hollow)
    if joined and len(best) > 1:
        yield Series("line", "", best["x"].to_numpy(), best["y"].to_numpy(), CHOSEN, style="plain")
    if len(best):
        yield _points(best, _("front"), CHOSEN)
    if named.any():
        # The largest point: it is the one that readers look for.
        point = _points(designs[named], _("enacted design"), OTHER)
        yield replace(point, sizes=np.full(1, 0.6))


def _points(designs: pd.DataFrame, words: str, colour: str, hollow: bool = False) -> Series:
    x, y, labels = (designs[name].to_numpy() for name in ("x", "y", "label"))
    return Series("points", words, x, y, colour, labels, style="hollow" if hollow else "marked")


def choices(designs: pd.DataFrame, keys: Sequence[Axis], goals: Sequence[GoalOf], enacted: str, name: str) -> Chart:
    """Return what designs choose and reach: a line for each across the keys and goals, and which key matters most.

    Parameters
    ----------
    keys
        Each key with the places of the designs.
    name
        Of the instance.
    """
    values = [designs[goal.number.key].to_numpy(dtype=float) for goal in goals]
    first = Designs(tuple(keys), goals[0].number, values[0], designs["infeasible"].to_numpy(dtype=bool), grid=False)
    reached = []
    for goal, of_goal in zip(goals, values, strict=True):
        divisor, unit = scaled(float(np.nanmax(np.abs(of_goal))), goal.number.unit)
        reached.append(Axis(goal.number.words, unit, of_goal / divisor))
    title = title_of(name, _("{name}: {text}", name=goals[0].number.words, text=first.finding))
    across_all = across(
        str(_("each line is a design")),
        [*(keys[at] for at in first.order[::-1]), *reached],
        [*_groups(designs, [goal.number.key for goal in goals], enacted)],
    )
    return Chart("choices", title, (across_all, effects(first)))


def _groups(designs: pd.DataFrame, goals: Sequence[str], enacted: str) -> Iterator[Group]:
    """Yield the groups of designs from back to front."""
    named = (designs["design"] == enacted).to_numpy()
    best, within, infeasible = (
        designs[name].to_numpy(dtype=bool) for name in ("on_front", "within_limits", "infeasible")
    )
    answered = designs[goals].notna().all(axis=1).to_numpy()
    yield Group(str(INFEASIBLE), infeasible, RULE, "dashed")
    yield Group(str(_("outside the limits")), answered & ~within & ~named, RULE)
    yield Group(str(_("beaten by another design")), within & ~best & ~named, PALETTE[4])
    yield Group(str(_("front")), best & ~named, CHOSEN, "plain")
    yield Group(str(_("enacted design")), named, OTHER, "marked")
