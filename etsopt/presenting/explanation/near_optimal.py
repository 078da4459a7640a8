"""How far the allowance of one unit may move among allocations that are as good as the answer, or nearly, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.units import tolerance_of
from etsopt.presenting.explanation.program import SAME_T
from etsopt.presenting.explanation.steps import Explanation, Step, amount, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JUST_AS_GOOD = _("Just as good, or nearly")

NEAR_SHARES = (0.0, 0.01, 0.05)
"""Shares of the least value by which the objective may be worse."""

LEAST = {
    "change": _("the least change"),
    "largest_change": _("the least largest change"),
    "deficit": _("the least deficit"),
    "spread": _("the least spread"),
}
"""Optima of the objectives, by their names."""


WITHIN = _("Within {share} of {optimum}: from {least} t to {greatest} t, proven")
WITHIN_OPEN = _(
    "Within {share} of {optimum}: at least {least} t and at most {greatest} t, proven; "
    "allocations were found from {lowest} t to {highest} t"
)
"""A range whose ends are reached, and one of which one is not."""

SETTLED = {
    True: _("With {optimum} every allocation gives this unit its {allowance} t: the objective settles it."),
    False: _(
        "With {optimum} this unit may get from {least} t to {greatest} t: the objective does not settle its "
        "{allowance} t; what comes after it, at last the tie-break, does."
    ),
    None: _("Whether {optimum} settles the {allowance} t of this unit is not proven."),
}
"""What the range at the least value of the objective says."""


@dataclass(frozen=True)
class Range:
    """The allowances of a unit over all allocations with an objective at most a share above its least value.

    Parameters
    ----------
    within_rate
        The share.
    at_least_t, at_most_t
        Proven bounds: no such allocation gives less, or more [t].
    least_found_t, greatest_found_t
        What allocations give that were found, and keep every limit; the answer is one of them [t].
    """

    within_rate: float
    at_least_t: float
    at_most_t: float
    least_found_t: float
    greatest_found_t: float

    @property
    def reached(self) -> bool:
        """True if both bounds are reached, so that they are the least and the greatest."""
        ends = (self.at_least_t, self.least_found_t), (self.at_most_t, self.greatest_found_t)
        return all(abs(found - bound) <= tolerance_of(bound, "t") for bound, found in ends)

    def step(self, objective: str) -> Step:
        """Return the range as a sentence, and as the row of a table."""
        label = _(
            WITHIN if self.reached else WITHIN_OPEN,
            share=percent(self.within_rate),
            optimum=LEAST[objective],
            least=amount(self.at_least_t),
            greatest=amount(self.at_most_t),
            lowest=amount(self.least_found_t),
            highest=amount(self.greatest_found_t),
        )
        cells = {name: getattr(self, name) for name in ("within_rate", "at_least_t", "at_most_t", "reached")}
        return Step(f"within_{100 * self.within_rate:g}_percent", label, cells=tuple(cells.items()))


@dataclass(frozen=True)
class NearOptimalRanges:
    """Ranges of the allowance of one unit, narrowest first.

    Parameters
    ----------
    allowance_t
        What the unit gets, before any rounding of real allowances [t].
    objective
        Objective that may be worse by a share; limits and earlier objectives are kept.
    ranges
        With the share zero first.
    exceptions, before_rounding
        True if the exceptions are those of the answer, and if whole tonnes are rounded real ones.
    """

    unit_id: str
    allowance_t: float
    objective: str
    ranges: tuple[Range, ...]
    exceptions: bool = False
    before_rounding: bool = False

    @property
    def settled(self) -> bool | None:
        """True if the least value of the objective leaves the unit one allowance, False if more, None if unproven."""
        first = self.ranges[0]
        if first.at_most_t - first.at_least_t <= SAME_T:
            return True
        return False if first.greatest_found_t - first.least_found_t > SAME_T else None

    @property
    def table(self) -> pd.DataFrame:
        """The ranges as rows, with the fields of `Range`."""
        return pd.DataFrame([{**vars(one), "reached": one.reached} for one in self.ranges])

    @property
    def steps(self) -> tuple[Step, ...]:
        """What the ranges say, and the ranges."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[Step]:
        first = self.ranges[0]
        figures = {"least": first.least_found_t, "greatest": first.greatest_found_t, "allowance": self.allowance_t}
        amounts = {name: amount(value) for name, value in figures.items()}
        yield Step("settled", _(SETTLED[self.settled], optimum=LEAST[self.objective], **amounts))
        if self.exceptions:
            yield Step("exceptions", _("The exceptions are those of the answer."))
        if self.before_rounding:
            yield Step("before_rounding", _("All figures are those before rounding to whole tonnes."))
        yield from (one.step(self.objective) for one in self.ranges)

    def __str__(self) -> str:
        return "\n".join(step.text() for step in self.steps)


def with_ranges(explanation: Explanation, find: Callable[[], NearOptimalRanges]) -> Explanation:
    """Return an explanation with the ranges of its unit, or why there are none."""
    try:
        steps = find().steps
    except UsageError as error:
        steps = (Step("none", error.failure),)
    return replace(explanation, parts=(*explanation.parts, (JUST_AS_GOOD, steps)))
